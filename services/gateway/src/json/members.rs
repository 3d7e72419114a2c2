//! The members of the objects that are open while a document is copied, and what duplicate keys do to the copy.
//!
//! As in a Python dict, a key keeps the position of its first member and takes the value of its last one. The copy is made
//! first, with all members; if there were duplicates, it is put together anew from the pieces that remain, each of which is
//! moved once. Reading the document is left to `normalise`.

use std::{
    borrow::Cow,
    hash::{BuildHasher, RandomState},
    ops::Range,
};

/// Objects of up to this many members have each key compared with each other one.
const FEW: usize = 16;

const EMPTY: usize = usize::MAX;

/// Members of all objects that are still open, those of the innermost one last. Positions are offsets into the copy.
pub(super) struct Members<'a> {
    open: Vec<Member<'a>>,
    edits: Vec<Edit>,
    /// Members with an equal key: the first one and a later one, of one object at a time.
    duplicates: Vec<(usize, usize)>,
    /// A hash table of positions in `open`, kept between objects for its memory.
    table: Vec<usize>,
    /// Keyed by chance, so that no document can be written that makes the table slow.
    hasher: RandomState,
}

struct Member<'a> {
    /// Differs for most keys that differ, so that few keys are compared in full.
    mark: u32,
    /// The key as the copy has it between its quotes, which is one spelling for each string.
    key: Cow<'a, [u8]>,
    /// Where the copy has the opening quote of the key.
    at: usize,
}

/// When the final text is put together, `cut` is left out and `insert` comes in its place.
struct Edit {
    cut: Range<usize>,
    insert: Range<usize>,
}

impl<'a> Members<'a> {
    pub(super) fn new() -> Self {
        Self { open: Vec::new(), edits: Vec::new(), duplicates: Vec::new(), table: Vec::new(), hasher: RandomState::new() }
    }

    /// The number of open members, which an object needs for [`Members::close`] when it begins.
    pub(super) fn count(&self) -> usize {
        self.open.len()
    }

    /// Notes the key of a member of the innermost object. The copy has it at `at`, and `:` and the value right behind it.
    #[inline]
    pub(super) fn push(&mut self, key: Cow<'a, [u8]>, at: usize) {
        let mark = mark(&key);
        self.open.push(Member { mark, key, at });
    }

    /// Ends the innermost object, whose members are those from `first` on and whose brace the copy has at `end`.
    #[inline]
    pub(super) fn close(&mut self, first: usize, end: usize) {
        match self.open.len() - first {
            0 | 1 => {}
            2..=FEW => self.compare_all(first),
            _ => self.look_up(first),
        }
        if !self.duplicates.is_empty() {
            self.note_edits(end);
        }
        self.open.truncate(first);
    }

    fn compare_all(&mut self, first: usize) {
        let members = &self.open[first..];
        for (this, member) in members.iter().enumerate().skip(1) {
            let same = |other: &Member<'_>| other.mark == member.mark && other.key == member.key;
            if let Some(original) = members[..this].iter().position(same) {
                self.duplicates.push((first + original, first + this));
            }
        }
    }

    fn look_up(&mut self, first: usize) {
        let size = (2 * (self.open.len() - first)).next_power_of_two();
        self.table.clear();
        self.table.resize(size, EMPTY);
        for (this, member) in self.open.iter().enumerate().skip(first) {
            let mut slot = self.hasher.hash_one(&*member.key) as usize % size;
            loop {
                let original = self.table[slot];
                if original == EMPTY {
                    self.table[slot] = this;
                    break;
                }
                if self.open[original].mark == member.mark && self.open[original].key == member.key {
                    self.duplicates.push((original, this));
                    break;
                }
                slot = (slot + 1) % size;
            }
        }
    }

    fn note_edits(&mut self, end: usize) {
        let open = &self.open;
        let value = |member: usize| {
            // Behind the key come its closing quote and the colon; before the next key, its comma.
            let from = open[member].at + open[member].key.len() + 3;
            from..open.get(member + 1).map_or(end, |next| next.at - 1)
        };
        self.duplicates.sort_unstable();
        for same in self.duplicates.chunk_by(|one, other| one.0 == other.0) {
            for &(_, later) in same {
                let cut = open[later].at - 1..value(later).end;
                self.edits.push(Edit { cut, insert: 0..0 });
            }
            if let Some(&(original, last)) = same.last() {
                self.edits.push(Edit { cut: value(original), insert: value(last) });
            }
        }
        self.duplicates.clear();
    }

    /// The pieces of the copy, which is `length` long, that make up the final text; `None` if that is the copy as it is.
    pub(super) fn pieces(mut self, length: usize) -> Option<Vec<Range<usize>>> {
        if self.edits.is_empty() {
            return None;
        }
        self.edits.sort_unstable_by_key(|edit| edit.cut.start);
        let mut pieces = Vec::new();
        let whole = 0..length;
        let mut left = vec![whole];
        while let Some(range) = left.pop() {
            let next = self.edits.partition_point(|edit| edit.cut.start < range.start);
            match self.edits.get(next).filter(|edit| edit.cut.start < range.end) {
                None => pieces.push(range),
                Some(edit) => {
                    pieces.push(range.start..edit.cut.start);
                    left.push(edit.cut.end..range.end);
                    left.push(edit.insert.clone());
                }
            }
        }
        Some(pieces)
    }
}

/// A few bits of a key: its length and its last eight bytes, since keys of one object often begin alike.
#[inline]
fn mark(key: &[u8]) -> u32 {
    let word = match key.last_chunk::<8>() {
        Some(last) => u64::from_le_bytes(*last),
        None => key.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    };
    let mixed = (word ^ key.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Closes one object that is the whole of `copy`, compact and flat, and puts it together.
    fn check(copy: &str, expected: &str) {
        let mut members = Members::new();
        let mut at = 1;
        for member in copy[1..copy.len() - 1].split(',') {
            let key = &member[1..member.len() - 2 - member.split_once(':').map_or(0, |(_, value)| value.len())];
            members.push(Cow::Borrowed(key.as_bytes()), at);
            at += member.len() + 1;
        }
        members.close(0, copy.len() - 1);
        let whole = std::iter::once(0..copy.len()).collect();
        let pieces = members.pieces(copy.len()).unwrap_or(whole);
        assert_eq!(pieces.into_iter().map(|piece| &copy[piece]).collect::<String>(), expected);
    }

    #[test]
    fn objects_without_duplicates_stay_whole() {
        check(r#"{"a":1,"b":2,"ab":3}"#, r#"{"a":1,"b":2,"ab":3}"#);
    }

    #[test]
    fn a_duplicate_key_keeps_its_first_place_and_takes_its_last_value() {
        check(r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3,"b":2}"#);
        check(r#"{"a":1,"a":2,"b":0,"a":34,"b":5}"#, r#"{"a":34,"b":5}"#);
    }

    #[test]
    fn objects_of_many_members_follow_the_same_rule() {
        let many = |value: usize| (0..100).map(|key| format!(r#""{key}":{}"#, key * value)).collect::<Vec<_>>().join(",");
        let once = format!("{{{}}}", many(2));
        check(&once, &once);
        check(&format!("{{{},{}}}", many(1), many(2)), &once);
    }

    #[test]
    fn keys_that_share_a_mark_are_still_told_apart() {
        assert_eq!(mark(b"same_ending"), mark(b"some_ending"));
        check(r#"{"same_ending":1,"some_ending":2}"#, r#"{"same_ending":1,"some_ending":2}"#);
    }
}

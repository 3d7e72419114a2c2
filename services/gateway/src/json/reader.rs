//! The tokens of a JSON document, copied as they are read.
//!
//! Bytes that Python would print alike are copied in runs; a run ends only where something is dropped or spelled
//! differently. Which token may follow which is left to `normalise`.

use std::borrow::Cow;

use super::{
    NormaliseError,
    members::Members,
    number::{self, Scanned},
    string,
};

/// Where a document has been read to, and the copy made so far.
pub(super) struct Reader<'a, 'o> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// Everything before this is in `out` or dropped; what stands between here and `at` stays as it is.
    run: usize,
    out: &'o mut Vec<u8>,
    /// The length of `out` before the copy.
    start: usize,
}

impl<'a, 'o> Reader<'a, 'o> {
    pub(super) fn new(text: &'a str, out: &'o mut Vec<u8>) -> Self {
        let start = out.len();
        Self { text, bytes: text.as_bytes(), at: 0, run: 0, out, start }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Copies the one byte of punctuation at `at`.
    #[inline]
    pub(super) fn pass(&mut self) {
        self.at += 1;
    }

    /// Where the copy has, or will have, what stands at `at`.
    pub(super) fn place(&self) -> usize {
        self.out.len() - self.start + (self.at - self.run)
    }

    /// Writes the run, so that what follows can be dropped or written differently.
    #[inline]
    pub(super) fn flush(&mut self) {
        self.out.extend_from_slice(&self.bytes[self.run..self.at]);
        self.run = self.at;
    }

    /// Passes over `length` bytes without copying them.
    #[inline]
    fn skip(&mut self, length: usize) {
        self.at += length;
        self.run = self.at;
    }

    /// Drops white space and looks at the byte behind it.
    #[inline]
    pub(super) fn next(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied()?;
        if byte > b' ' {
            return Some(byte);
        }
        self.flush();
        let rest = &self.bytes[self.at..];
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        self.skip(rest.iter().position(|byte| !is_space(byte)).unwrap_or(rest.len()));
        self.bytes.get(self.at).copied()
    }

    /// Reads a key and its colon.
    #[inline]
    pub(super) fn key(&mut self, members: &mut Members<'a>) -> Result<(), NormaliseError> {
        if self.bytes.get(self.at) != Some(&b'"') {
            return Err(NormaliseError::Expected("a key in double quotes", self.at));
        }
        let (from, place) = (self.at + 1, self.place());
        let key = if self.string()? {
            Cow::Borrowed(&self.bytes[from..self.at - 1])
        } else {
            self.flush();
            Cow::Owned(self.out[self.start + place + 1..self.out.len() - 1].to_vec())
        };
        if self.next() != Some(b':') {
            return Err(NormaliseError::Expected("a colon", self.at));
        }
        self.at += 1;
        members.push(key, place);
        Ok(())
    }

    /// Reads a string, and says whether Python spells it the same way.
    #[inline]
    pub(super) fn string(&mut self) -> Result<bool, NormaliseError> {
        let start = self.at;
        let mut same = true;
        self.at += 1;
        loop {
            self.at += string::plain_len(&self.bytes[self.at..]);
            match self.bytes.get(self.at) {
                None => return Err(NormaliseError::UnfinishedString(start)),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(same);
                }
                Some(b'\\') => same &= self.escape()?,
                Some(..b' ') => return Err(NormaliseError::ControlCharacter(self.at)),
                Some(_) => {
                    same = false;
                    self.flush();
                    if let Some(character) = self.text[self.at..].chars().next() {
                        string::push_char(self.out, character);
                        self.skip(character.len_utf8());
                    }
                }
            }
        }
    }

    /// Reads one escape, and says whether Python spells it the same way. The halves of a surrogate pair can be taken one by
    /// one, since the pair is written as two escapes again.
    fn escape(&mut self) -> Result<bool, NormaliseError> {
        let invalid = NormaliseError::Escape(self.at);
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'n' | b'r' | b't' | b'b' | b'f') => {
                self.at += 2;
                Ok(true)
            }
            Some(b'/') => {
                self.flush();
                self.out.push(b'/');
                self.skip(2);
                Ok(false)
            }
            Some(b'u') => {
                let digits = self.bytes.get(self.at + 2..self.at + 6).ok_or_else(|| invalid.clone())?;
                let mut unit = 0;
                let mut upper = false;
                for &byte in digits {
                    let digit = char::from(byte).to_digit(16).ok_or_else(|| invalid.clone())?;
                    unit = unit << 4 | digit as u16;
                    upper |= byte.is_ascii_uppercase();
                }
                let in_hex = unit >= 0x7f || (unit < 0x20 && string::short_form(unit as u8).is_none());
                if in_hex && !upper {
                    self.at += 6;
                    return Ok(true);
                }
                self.flush();
                string::push_unit(self.out, unit);
                self.skip(6);
                Ok(false)
            }
            _ => Err(invalid),
        }
    }

    /// Reads a number; if it is not finite, says where.
    #[inline]
    pub(super) fn number(&mut self) -> Result<Option<(usize, usize)>, NormaliseError> {
        if self.bytes[self.at..].starts_with(b"-Infinity") {
            return Ok(Some(self.not_finite("-Infinity".len())));
        }
        let (end, scanned) = number::scan(self.text, self.at)?;
        match scanned {
            Scanned::AsIs => self.at = end,
            Scanned::Float(value) if !value.is_finite() => {
                return Ok(Some(self.not_finite(end - self.at)));
            }
            other => {
                self.flush();
                number::push_scanned(self.out, &other);
                self.skip(end - self.at);
            }
        }
        Ok(None)
    }

    /// Reads a bare word; if it stands for a number that is not finite, says where.
    pub(super) fn word(&mut self) -> Result<Option<(usize, usize)>, NormaliseError> {
        let rest = &self.bytes[self.at..];
        let is = |word: &&str| rest.starts_with(word.as_bytes());
        if let Some(word) = ["true", "false", "null"].iter().find(|word| is(word)) {
            self.at += word.len();
            return Ok(None);
        }
        match ["NaN", "Infinity"].iter().find(|word| is(word)) {
            Some(word) => Ok(Some(self.not_finite(word.len()))),
            None => Err(NormaliseError::Value(self.at)),
        }
    }

    /// Copies such a number as it is, since it is refused or dropped later.
    fn not_finite(&mut self, length: usize) -> (usize, usize) {
        let places = (self.place(), self.at);
        self.at += length;
        places
    }
}

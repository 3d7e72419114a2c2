//! Pages of a list: the part of a snapshot behind where the page before has ended. Pure.

use std::ops::Bound;

use aviary_proto::directory::v1::ListRequest;
use prost::Message;

use super::snapshot::{Key, Kind, Object, Snapshot};

/// Entries of a page.
const LARGEST: usize = 200;
/// Bytes of a page that has more than one entry.
const MAX_BYTES: usize = 1 << 20;

/// The page that is asked for, of what is `wanted`, and where the next one begins: empty if there is none.
pub(super) fn page<M: Message>(
    snapshot: &Snapshot,
    kind: Kind,
    asked: &ListRequest,
    wanted: impl Fn(&Object) -> Option<M>,
) -> (Vec<M>, String) {
    let size = match usize::try_from(asked.page_size) {
        Ok(size @ 1..LARGEST) => size,
        _ => LARGEST,
    };
    let after = Key { kind, place: asked.page_token.clone() };
    let (mut page, mut bytes, mut last) = (Vec::new(), 0, "");
    let rest = snapshot.range((Bound::Excluded(after), Bound::Unbounded));
    for (key, object) in rest.take_while(|(key, _)| key.kind == kind).filter(|(key, _)| key.is_in(&asked.namespace)) {
        let Some(entry) = wanted(object) else { continue };
        bytes += entry.encoded_len();
        if page.len() == size || (bytes > MAX_BYTES && !page.is_empty()) {
            return (page, last.to_owned());
        }
        page.push(entry);
        last = &key.place;
    }
    (page, String::new())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aviary_proto::directory::v1::Instance;

    use super::*;

    fn snapshot(places: &[(&str, usize)]) -> Snapshot {
        let entry = |(place, bytes): &(&str, usize)| {
            let (namespace, name) = place.split_once('/').unwrap();
            let instance = Instance {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
                host: "h".repeat(*bytes),
                ..Instance::default()
            };
            (Key { kind: Kind::Instance, place: (*place).to_owned() }, Arc::new(Object::Instance(instance)))
        };
        places.iter().map(entry).collect()
    }

    /// The names of each page, when pages are asked for one after the other.
    #[track_caller]
    fn check(snapshot: &Snapshot, namespace: &str, page_size: u32, expected: &[&[&str]]) {
        let mut asked = ListRequest { namespace: namespace.to_owned(), page_size, page_token: String::new() };
        let mut pages = Vec::new();
        loop {
            let (page, next) = page(snapshot, Kind::Instance, &asked, |object| object.instance().cloned());
            pages.push(page.into_iter().map(|instance| instance.name).collect::<Vec<_>>());
            if next.is_empty() {
                break;
            }
            asked.page_token = next;
        }
        assert_eq!(pages, expected);
    }

    #[test]
    fn pages_have_everything_once_and_are_as_large_as_is_asked() {
        let all = snapshot(&[("a/one", 0), ("a/two", 0), ("b/three", 0), ("ab/four", 0)]);
        check(&all, "", 0, &[&["one", "two", "four", "three"]]);
        check(&all, "", 3, &[&["one", "two", "four"], &["three"]]);
        check(&all, "", 1, &[&["one"], &["two"], &["four"], &["three"]]);
        check(&all, "a", 1, &[&["one"], &["two"]]);
        check(&all, "b", 1, &[&["three"]]);
        check(&all, "c", 0, &[&[]]);
        check(&Snapshot::new(), "", 0, &[&[]]);
    }

    #[test]
    fn a_page_ends_before_it_is_too_large_for_a_client() {
        let large = MAX_BYTES / 2 - 100;
        let all = snapshot(&[("a/1", large), ("a/2", large), ("a/3", 2 * MAX_BYTES), ("a/4", 0)]);
        check(&all, "", 0, &[&["1", "2"], &["3"], &["4"]]);
        let many: Vec<String> = (0..450).map(|number| format!("a/{number:03}")).collect();
        let many = snapshot(&many.iter().map(|place| (place.as_str(), 0)).collect::<Vec<_>>());
        let sizes = |page_size| {
            let asked = ListRequest { page_size, ..ListRequest::default() };
            page(&many, Kind::Instance, &asked, |_| Some(Instance::default())).0.len()
        };
        assert_eq!([0, 1, 200, 201, u32::MAX].map(sizes), [200, 1, 200, 200, 200]);
    }
}

//! The promises. They know stores by what callers see of them, and no kind of store by name.

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime};

use futures::StreamExt;
use store::{Error, Fetched, Listing, Location, Revision, Store};
use tests::faulty::{Fault, Faulty, Kind, Rule};
use tests::served::wait_until;
use tests::stores::{Bucket, NOWHERE, open};
use tokio::runtime::Runtime;

/// A promise, by its name.
pub(super) type Promise = (&'static str, fn(&Stand));

macro_rules! promises {
    ($($name:ident),* $(,)?) => { &[$((stringify!($name), $name)),*] };
}

pub(super) const PROMISES: &[Promise] = promises![
    a_fetch_gives_the_bytes_their_size_and_a_revision,
    what_is_not_there_is_not_found,
    what_is_wrong_with_a_store_is_told_apart,
    an_unchanged_object_is_not_fetched_again_and_a_replaced_one_is,
    packed_reports_are_found_by_their_names_the_plain_one_first,
    bytes_come_as_they_are_stored_whatever_their_coding,
    a_listing_tells_reports_from_folders_and_hides_files,
    pages_of_a_listing_are_ordered_and_complete,
    names_come_back_as_they_were_given,
    the_longest_names_are_names,
    names_that_no_location_has_spoil_no_listing,
    folders_of_a_bucket_are_stores_that_do_not_see_each_other,
    reading_writes_nothing,
    a_report_that_is_put_there_is_found_listed_and_fetched,
    a_report_is_replaced_at_once,
    what_cannot_be_put_there_is_told_and_changes_nothing,
    a_report_that_is_put_there_is_tried_again_a_few_times,
    a_report_that_is_removed_is_gone_and_no_other,
    what_cannot_be_removed_is_told_and_stays,
];

/// Where listings may lie, besides other folders.
const PREFIXES: [&str; 2] = ["ara-report", "report-1"];

/// A bucket and the store that is made of it.
pub(super) struct Stand {
    bucket: Box<dyn Bucket>,
    runtime: Runtime,
    store: Store,
}

impl Stand {
    pub(super) fn at(bucket: Box<dyn Bucket>) -> Stand {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let store = bucket.store("").unwrap();
        Stand { bucket, runtime, store }
    }

    /// The whole object; nothing when it is the known one.
    fn fetch_of(&self, store: &Store, location: &str, known: Option<&Revision>) -> Result<Option<(Revision, Vec<u8>)>, Error> {
        let location = Location::parse(location)?;
        self.runtime.block_on(async {
            let object = match store.fetch(&location, known).await? {
                Fetched::NotModified => return Ok(None),
                Fetched::Object(object) => object,
            };
            let mut bytes = Vec::new();
            let mut body = object.body;
            while let Some(chunk) = body.next().await {
                bytes.extend_from_slice(&chunk?);
            }
            Ok(Some((object.revision, bytes)))
        })
    }

    fn fetch(&self, location: &str) -> Result<(Revision, Vec<u8>), Error> {
        self.fetch_of(&self.store, location, None).map(|fetched| fetched.expect("an object, as none is known"))
    }

    /// Fetches again until the store knows what it is asked about.
    fn settled(&self, location: &str, mut known: Revision) -> Revision {
        wait_until("an unchanged object is known", || match self.fetch_known(location, &known).unwrap() {
            None => true,
            Some((revision, _)) => {
                known = revision;
                false
            }
        });
        known
    }

    fn put(&self, store: &Store, location: &str, bytes: &[u8]) -> Result<(), Error> {
        let location = Location::parse(location)?;
        self.runtime.block_on(store.put(&location, bytes.to_vec().into()))
    }

    fn remove(&self, store: &Store, location: &str) -> Result<(), Error> {
        let location = Location::parse(location)?;
        self.runtime.block_on(store.remove(&location))
    }

    fn fetch_known(&self, location: &str, known: &Revision) -> Result<Option<(Revision, Vec<u8>)>, Error> {
        self.fetch_of(&self.store, location, Some(known))
    }

    fn page_of(&self, store: &Store, folder: &str, token: &str, limit: usize) -> Result<Listing, Error> {
        let prefixes = PREFIXES.map(str::to_owned);
        self.runtime.block_on(store.list(&Location::parse(folder)?, &prefixes, token, limit))
    }

    /// Names of all pages, in their order.
    fn names_of(&self, store: &Store, folder: &str, limit: usize) -> Result<Vec<String>, Error> {
        let (mut names, mut token, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let page = self.page_of(store, folder, &token, limit)?;
            assert!(
                page.entries.len() <= limit || !self.bucket.has_pages(),
                "{} entries on a page of {limit}",
                page.entries.len()
            );
            names.extend(page.entries.into_iter().map(|entry| entry.name));
            pages += 1;
            assert!(pages < 10_000, "pages without end");
            match page.next {
                Some(next) => token = next,
                None => return Ok(names),
            }
        }
    }

    fn names(&self, folder: &str) -> Vec<String> {
        self.names_of(&self.store, folder, 100).unwrap()
    }
}

fn bytes_of(seed: u8, length: usize) -> Vec<u8> {
    (0..length).map(|index| (index as u8).wrapping_mul(31).wrapping_add((index >> 8) as u8) ^ seed).collect()
}

pub(super) fn a_fetch_gives_the_bytes_their_size_and_a_revision(stand: &Stand) {
    for (folder, length) in [("small", 1), ("odd", 4097), ("large", 9_000_001)] {
        let (bytes, begun) = (bytes_of(7, length), SystemTime::now());
        stand.bucket.put_report(folder, &bytes);
        let location = format!("{folder}/ara-report");
        let (revision, fetched) = stand.fetch(&location).unwrap();
        assert!(fetched == bytes, "{folder}: {} bytes, not the ones of {length}", fetched.len());
        assert_eq!(revision.size, length as u64);
        assert!(revision.key.ends_with(&format!("{folder}/ara-report/ansible.sqlite")), "{}", revision.key);
        let modified = revision.modified.unwrap();
        let since = begun.duration_since(modified).unwrap_or_else(|later| later.duration());
        assert!(since < Duration::from_secs(30), "{since:?} between the writing and its time");
        let looked = stand.runtime.block_on(stand.store.look(&Location::parse(&location).unwrap())).unwrap();
        assert_eq!(looked.identity(), revision.identity(), "{looked:?} {revision:?}");
        assert_eq!(looked.size, revision.size);
        if length > 4000 {
            let part = stand.runtime.block_on(stand.store.range(&revision, 1000..3000)).unwrap();
            assert!(part[..] == bytes[1000..3000], "another part");
        }
        assert_eq!(stand.fetch(&location).unwrap().0.identity(), revision.identity());
    }
}

pub(super) fn what_is_not_there_is_not_found(stand: &Stand) {
    let not_found = |location: &str| {
        let fetched = stand.fetch(location);
        assert!(matches!(fetched, Err(Error::NotFound)), "{location}: {:?}", fetched.map(|(revision, _)| revision));
        let looked = stand.runtime.block_on(stand.store.look(&Location::parse(location).unwrap()));
        assert!(matches!(looked, Err(Error::NotFound)), "{location}: {looked:?}");
    };
    ["", "a", "1/ara-report", "a/b/c/ara-report"].into_iter().for_each(not_found);
    stand.bucket.put_report("1", b"bytes");
    stand.bucket.put("2/ara-report/other.sqlite", b"bytes");
    stand.bucket.put("3/ara-report", b"a file where a folder should be");
    ["1", "10/ara-report", "1/ara-repor", "1/ara-report/ansible.sqlite", "1/ara-report/deeper", "2/ara-report", "3/ara-report"]
        .into_iter()
        .for_each(not_found);
    assert!(stand.fetch("1/ara-report").is_ok());
}

pub(super) fn what_is_wrong_with_a_store_is_told_apart(stand: &Stand) {
    stand.bucket.put_report("1", b"bytes");
    stand.runtime.block_on(stand.store.probe()).unwrap();
    let probe = |url: &str| match open(url) {
        Ok(store) => {
            let fetched = stand.fetch_of(&store, "1/ara-report", None).map(|_| ());
            (stand.runtime.block_on(store.probe()), fetched)
        }
        Err(error) => (Err(error.clone()), Err(error)),
    };
    if let Some(url) = stand.bucket.url_of_a_missing_one() {
        let (probed, fetched) = probe(&url);
        assert!(matches!(probed, Err(Error::Missing(_) | Error::Open { .. })), "a missing bucket: {probed:?}");
        // Over plain HTTP no answer tells one from the other.
        assert!(
            matches!(fetched, Err(Error::Missing(_) | Error::Open { .. } | Error::NotFound)),
            "a missing bucket: {fetched:?}"
        );
    }
    if let Some(url) = stand.bucket.url_that_is_denied() {
        let (probed, fetched) = probe(&url);
        assert!(matches!(probed, Err(Error::Denied(_))), "wrong credentials: {probed:?}");
        assert!(matches!(fetched, Err(Error::Denied(_))), "wrong credentials: {fetched:?}");
        assert!(!format!("{probed:?} {fetched:?}").contains("not-the-secret"));
    }
    if stand.bucket.server().is_some() {
        let begun = Instant::now();
        let (probed, fetched) = probe(&stand.bucket.url_at(NOWHERE, "").unwrap());
        assert!(matches!(probed, Err(Error::Unavailable(_))), "nobody listens: {probed:?}");
        assert!(matches!(fetched, Err(Error::Unavailable(_))), "nobody listens: {fetched:?}");
        assert!(begun.elapsed() < Duration::from_secs(15), "told after {:?}", begun.elapsed());
    }
}

pub(super) fn an_unchanged_object_is_not_fetched_again_and_a_replaced_one_is(stand: &Stand) {
    let (old, new) = (bytes_of(1, 50_000), bytes_of(2, 50_000));
    stand.bucket.put_report("1", &old);
    let (first, _) = stand.fetch("1/ara-report").unwrap();
    // Where times are all that tells contents apart, only a settled object is known.
    let first = stand.settled("1/ara-report", first);

    stand.bucket.put_report("1", &new);
    let (second, bytes) = stand.fetch_known("1/ara-report", &first).unwrap().expect("the replaced object");
    assert!(bytes == new, "not the new bytes");
    assert_ne!(second.identity(), first.identity());
    let second = stand.settled("1/ara-report", second);
    let again = stand.fetch_known("1/ara-report", &first).unwrap();
    assert!(again.is_some_and(|(_, bytes)| bytes == new), "the old revision is still taken for the current one");

    stand.bucket.delete("1/ara-report/ansible.sqlite");
    let gone = stand.fetch_known("1/ara-report", &second);
    assert!(matches!(gone, Err(Error::NotFound)), "a deleted object: {:?}", gone.map(|_| ()));
}

pub(super) fn packed_reports_are_found_by_their_names_the_plain_one_first(stand: &Stand) {
    let names = ["ansible.sqlite", "ansible.sqlite.gz", "ansible.sqlite.zst"];
    let key = |name: &str| format!("1/ara-report/{name}");
    for (seed, name) in names.iter().enumerate() {
        stand.bucket.put(&key(name), &bytes_of(seed as u8, 1000));
    }
    let mut known = None;
    for (seed, name) in names.iter().enumerate() {
        let (revision, bytes) = stand.fetch_of(&stand.store, "1/ara-report", known.as_ref()).unwrap().expect("another object");
        assert!(revision.key.ends_with(name), "{} for {name}", revision.key);
        assert!(bytes == bytes_of(seed as u8, 1000), "the bytes of another object than {name}");
        let listed = stand.page_of(&stand.store, "1", "", 10).unwrap().entries.remove(0);
        assert_eq!(listed.report.map(|report| report.size), Some(1000), "{name}");
        known = Some(revision);
        stand.bucket.delete(&key(name));
    }
    assert!(matches!(stand.fetch("1/ara-report"), Err(Error::NotFound)));
}

pub(super) fn bytes_come_as_they_are_stored_whatever_their_coding(stand: &Stand) {
    let packed = tests::shelf::gzip(&bytes_of(3, 100_000));
    for (folder, coding) in [("plain", None), ("marked", Some("gzip")), ("made-up", Some("x-unknown"))] {
        stand.bucket.put_as(&format!("{folder}/ara-report/ansible.sqlite"), &packed, coding);
        let (revision, bytes) = stand.fetch(&format!("{folder}/ara-report")).unwrap();
        assert!(bytes == packed, "{folder}: {} bytes of {}", bytes.len(), packed.len());
        assert_eq!(revision.size, packed.len() as u64, "{folder}");
        stand.settled(&format!("{folder}/ara-report"), revision);
    }
}

pub(super) fn a_listing_tells_reports_from_folders_and_hides_files(stand: &Stand) {
    let empty = stand.page_of(&stand.store, "", "", 10).unwrap();
    assert!(empty.entries.is_empty() && empty.next.is_none(), "{empty:?}");
    let begun = SystemTime::now();
    stand.bucket.put("f/ara-report/ansible.sqlite", &bytes_of(0, 1234));
    stand.bucket.put("f/report-1/ansible.sqlite.zst", &bytes_of(0, 99));
    stand.bucket.put("f/ansible.sqlite", b"a report of the folder itself");
    stand.bucket.put("f/notes.txt", b"text");
    stand.bucket.put("f/other-report/ansible.sqlite", b"bytes");
    stand.bucket.put("f/sub/ara-report/ansible.sqlite", b"bytes");
    stand.bucket.put("g/ara-report/something.else", b"bytes");
    let page = stand.page_of(&stand.store, "f", "", 10).unwrap();
    let seen: Vec<(&str, Option<u64>)> =
        page.entries.iter().map(|entry| (entry.name.as_str(), entry.report.map(|report| report.size))).collect();
    assert_eq!(seen, [("ara-report", Some(1234)), ("other-report", None), ("report-1", Some(99)), ("sub", None)]);
    assert_eq!(page.next, None);
    let modified = page.entries[0].report.unwrap().modified.unwrap();
    let since = begun.duration_since(modified).unwrap_or_else(|later| later.duration());
    assert!(since < Duration::from_secs(30), "{since:?} between the writing and its time");
    let lookalike = stand.page_of(&stand.store, "g", "", 10).unwrap().entries;
    assert!(lookalike.len() == 1 && lookalike[0].report.is_none(), "{lookalike:?}");
    assert_eq!(stand.names(""), ["f", "g"]);
    for folder in ["h", "f/none", "f/notes.txt", "fo", "f/ara-report/ansible.sqlite"] {
        let listed = stand.page_of(&stand.store, folder, "", 10);
        assert!(matches!(listed, Err(Error::NotFound)), "{folder}: {listed:?}");
    }
    // Each entry has a page of its own.
    assert_eq!(stand.names_of(&stand.store, "f", 1).unwrap(), ["ara-report", "other-report", "report-1", "sub"]);
}

pub(super) fn pages_of_a_listing_are_ordered_and_complete(stand: &Stand) {
    const CHILDREN: usize = 2500;
    // Some stores compare a slash at the end with what stands there in other names.
    let name = |number: usize| if number.is_multiple_of(100) { format!("{number}-x") } else { number.to_string() };
    std::thread::scope(|scope| {
        for part in 0..4 {
            scope.spawn(move || {
                for number in (part..CHILDREN).step_by(4) {
                    stand.bucket.put(&format!("many/{}/ara-report/ansible.sqlite", name(number)), b"x");
                }
            });
        }
    });
    stand.bucket.put("many/file", b"x");
    stand.bucket.put_report("many-more/1", b"x");
    let names = stand.names("many");
    let expected: BTreeSet<String> = (0..CHILDREN).map(name).collect();
    let seen: BTreeSet<String> = names.iter().cloned().collect();
    assert_eq!(names.len(), seen.len(), "some names came twice");
    assert_eq!(seen.len(), CHILDREN, "missing: {:?}", expected.difference(&seen).take(5).collect::<Vec<_>>());
    assert_eq!(seen, expected);
    let in_order = |key: fn(&String) -> String| names.windows(2).all(|pair| key(&pair[0]) < key(&pair[1]));
    assert!(in_order(String::clone) || in_order(|name| format!("{name}/")), "no order");
    let first = stand.page_of(&stand.store, "many", "", 100).unwrap();
    assert!(first.entries.len() == 100 || !stand.bucket.has_pages(), "{} entries", first.entries.len());
    assert_eq!(stand.page_of(&stand.store, "many", "", 100).unwrap().next, first.next, "pages that move");
}

pub(super) fn names_come_back_as_they_were_given(stand: &Stand) {
    let odd = [
        "a%b", "a%2Fb", "%2e%2e", "%", "100%25", "a#b", "a~b", "~", "a+b", "a&b", "a?b", "a=b", "a;b", "a:b", "a@b", "a,b",
        "a!b", "$a", "(a)", "a*", "a b", " a", "a ", "'a'", "\"a\"", "<a>", "[a]", "{a}", "a|b", "a^b", "a`b", "a\\b", ".hidden",
        "...", "-", "_", "é", "e\u{301}", "日本", "😀", "ﬀ", "\u{a0}", "\u{200b}", "&amp;", "?x=y", "a%00b",
    ];
    let odd: Vec<&str> = odd.into_iter().filter(|name| stand.bucket.can_hold(name)).collect();
    for (seed, name) in odd.iter().enumerate() {
        stand.bucket.put_report(&format!("odd/{name}"), &bytes_of(seed as u8, 100 + seed));
    }
    let mut wrong = Vec::new();
    for (seed, name) in odd.iter().enumerate() {
        match stand.fetch(&format!("odd/{name}/ara-report")) {
            Ok((_, bytes)) if bytes == bytes_of(seed as u8, 100 + seed) => {}
            other => wrong.push(format!("{name:?} is fetched as {:?}", other.map(|(revision, _)| revision.key))),
        }
        match stand.page_of(&stand.store, &format!("odd/{name}"), "", 10) {
            Ok(page) if page.entries.iter().map(|entry| entry.report.map(|report| report.size)).eq([Some(100 + seed as u64)]) => {
            }
            other => wrong.push(format!("{name:?} is listed as {other:?}")),
        }
    }
    let listed: BTreeSet<String> = stand.names_of(&stand.store, "odd", 7).unwrap().into_iter().collect();
    let expected: BTreeSet<String> = odd.iter().filter(|name| stand.bucket.shows(name)).map(|name| name.to_string()).collect();
    let missing: Vec<_> = expected.difference(&listed).collect();
    let added: Vec<_> = listed.difference(&expected).collect();
    if listed != expected {
        wrong.push(format!("the listing lacks {missing:?} and has {added:?}"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

pub(super) fn the_longest_names_are_names(stand: &Stand) {
    let long = "x".repeat(255);
    // With the object's name, all but the last of the 1,024 bytes that S3 allows.
    let deep = format!("{}/{}/{}/{}", long, long, long, "y".repeat(200));
    for folder in [long.clone(), deep] {
        stand.bucket.put_report(&folder, folder.as_bytes());
        assert!(stand.fetch(&format!("{folder}/ara-report")).unwrap().1 == folder.as_bytes());
        assert_eq!(stand.names(&folder), ["ara-report"]);
    }
    assert_eq!(stand.names(""), [long.as_str()]);
    let too_long = stand.fetch(&format!("{}/ara-report", "x".repeat(256)));
    assert!(matches!(too_long, Err(Error::Key(_))), "{:?}", too_long.map(|_| ()));
    assert!(matches!(stand.fetch(&format!("{}ara-report", "x/".repeat(500))), Err(Error::Key(_))));
}

pub(super) fn names_that_no_location_has_spoil_no_listing(stand: &Stand) {
    for text in ["mixed//a", "mixed/./a", "mixed/../a", "mixed/c\u{1}d", "mixed/\u{7f}", "mixed/\u{85}", "mixed/a\nb", "/mixed"] {
        assert!(matches!(stand.fetch(&format!("{text}/ara-report")), Err(Error::Key(_))), "{text:?}");
        assert!(matches!(stand.page_of(&stand.store, text, "", 10), Err(Error::Key(_))), "{text:?}");
    }
    let good: Vec<String> = (0..60).map(|number| format!("{}{number:02}", (b'#' + number as u8) as char)).collect();
    let good: Vec<String> = good.into_iter().filter(|name| !name.contains(['/', '.'])).collect();
    for name in &good {
        stand.bucket.put_report(&format!("mixed/{name}"), b"x");
    }
    let bad = [
        "mixed//a/ara-report/ansible.sqlite",
        "mixed//",
        "mixed/./a",
        "mixed/../a",
        "mixed/c\u{1}d/ara-report/ansible.sqlite",
        "mixed/e\u{2}",
        "mixed/\u{7f}/a",
        "mixed/\u{85}/a",
        "mixed/a\nb/c",
        "mixed/Z\u{1}/1",
        "mixed/Z\u{1}/2",
        "mixed/Z\u{2}/1",
    ];
    let bad: Vec<&str> = bad.into_iter().filter(|key| stand.bucket.can_hold(key)).collect();
    for key in &bad {
        stand.bucket.put(key, b"x");
    }
    let expected: BTreeSet<String> = good.iter().cloned().collect();
    if !stand.bucket.lists_from_anywhere() {
        for limit in [7, 100] {
            // Azurite fails by itself on some of them.
            let listed = stand.names_of(&stand.store, "mixed", limit);
            assert!(matches!(listed, Err(Error::Key(_) | Error::Unavailable(_))), "by {limit}: {listed:?}");
        }
        return;
    }
    for limit in [7, 100] {
        let mut names = stand.names_of(&stand.store, "mixed", limit).unwrap();
        // Some servers write a sign in place of what XML does not have.
        names.retain(|name| !name.contains('\u{fffd}'));
        let seen: BTreeSet<String> = names.iter().cloned().collect();
        let missing: Vec<_> = expected.difference(&seen).collect();
        let added: Vec<_> = seen.difference(&expected).collect();
        assert!(seen == expected, "by {limit}: it lacks {missing:?} and has {added:?} beside {bad:?}");
        assert_eq!(names.len(), seen.len(), "by {limit}: some names came twice");
    }
    assert!(stand.names("").contains(&"mixed".to_owned()));
}

pub(super) fn folders_of_a_bucket_are_stores_that_do_not_see_each_other(stand: &Stand) {
    let prefixes = ["one", "one-more", "one/inner", "on e/é%2F#"];
    let stores: Vec<Option<Store>> = prefixes
        .iter()
        .map(|prefix| {
            stand.bucket.put_report(&format!("{prefix}/shared"), prefix.as_bytes());
            stand.bucket.put_report(&format!("{prefix}/only-{}", prefix.len()), b"x");
            stand.bucket.store(prefix)
        })
        .collect();
    for (prefix, store) in prefixes.iter().zip(&stores) {
        let Some(store) = store else { continue };
        let (_, bytes) = stand.fetch_of(store, "shared/ara-report", None).unwrap().expect("an object");
        assert_eq!(String::from_utf8_lossy(&bytes), *prefix);
        let mut expected = vec![format!("only-{}", prefix.len()), "shared".to_owned()];
        if *prefix == "one" {
            expected.insert(0, "inner".to_owned());
        }
        assert_eq!(stand.names_of(store, "", 100).unwrap(), expected, "{prefix}");
        for other in ["one/shared/ara-report", "one-more/shared/ara-report", "-more/shared/ara-report"] {
            let fetched = stand.fetch_of(store, other, None);
            assert!(matches!(fetched, Err(Error::NotFound)), "{other} seen from {prefix}");
        }
        assert!(matches!(stand.fetch_of(store, "../one/shared/ara-report", None), Err(Error::Key(_))));
    }
}

pub(super) fn reading_writes_nothing(stand: &Stand) {
    let read = |store: &Store| {
        stand.bucket.put_report("1", b"bytes");
        let (revision, _) = stand.fetch_of(store, "1/ara-report", None).unwrap().expect("an object");
        let _ = stand.fetch_of(store, "1/ara-report", Some(&revision)).unwrap();
        let _ = stand.fetch_of(store, "2/ara-report", None);
        stand.names_of(store, "", 10).unwrap();
        stand.runtime.block_on(store.probe()).unwrap();
        stand.runtime.block_on(store.range(&revision, 1..3)).unwrap();
    };
    let Some(server) = stand.bucket.server() else {
        read(&stand.store);
        let files = || -> Vec<String> { stand.names("").into_iter().chain(stand.names("1")).collect() };
        assert_eq!(files(), ["1", "ara-report"]);
        return;
    };
    let proxy = Faulty::before(server.address());
    read(&open(&stand.bucket.url_at(proxy.address(), "").unwrap()).unwrap());
    let asked = proxy.asked();
    assert!(asked.requests() >= 6, "{asked:?}");
    assert_eq!(asked.count(Kind::Write), 0, "{asked:?}");
}

pub(super) fn a_report_that_is_put_there_is_found_listed_and_fetched(stand: &Stand) {
    if !stand.bucket.takes_reports() {
        return;
    }
    // The last one goes in several parts where there are requests.
    for (location, length) in [("ara-report", 1), ("1/ara-report", 4096), ("on e/é%2F#/ara-report", 70_000), ("x/y", 20_000_001)]
    {
        let bytes = bytes_of(5, length);
        stand.put(&stand.store, location, &bytes).unwrap();
        let (revision, fetched) = stand.fetch(location).unwrap();
        assert!(fetched == bytes, "{location}: {} bytes, not the {length} that were put there", fetched.len());
        assert!(revision.key.ends_with("/ansible.sqlite"), "{}", revision.key);
    }
    assert_eq!(stand.names(""), ["1", "ara-report", "on e", "x"]);
    let listed = stand.page_of(&stand.store, "1", "", 10).unwrap().entries;
    assert_eq!(listed[0].report.map(|report| report.size), Some(4096), "{listed:?}");
    // What is put into a folder of the bucket is below that folder.
    let Some(inner) = stand.bucket.store("x") else { return };
    stand.put(&inner, "z/ara-report", b"inner").unwrap();
    assert!(stand.fetch("x/z/ara-report").unwrap().1 == b"inner");
}

pub(super) fn a_report_is_replaced_at_once(stand: &Stand) {
    const WRITES: u8 = 20;
    const LENGTH: usize = 300_000;
    if !stand.bucket.takes_reports() {
        return;
    }
    stand.put(&stand.store, "1/ara-report", &bytes_of(0, LENGTH)).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            (1..=WRITES).for_each(|seed| stand.put(&stand.store, "1/ara-report", &bytes_of(seed, LENGTH)).unwrap());
        });
        while !writer.is_finished() {
            // Whoever was in the middle of it is told, and asks again.
            let (_, bytes) = match stand.fetch("1/ara-report") {
                Err(Error::Changed) => continue,
                fetched => fetched.unwrap(),
            };
            let seed = bytes[0];
            assert!(bytes == bytes_of(seed, LENGTH), "{} bytes, mixed from several reports", bytes.len());
        }
    });
    assert!(stand.fetch("1/ara-report").unwrap().1 == bytes_of(WRITES, LENGTH));
    assert_eq!(stand.names("1"), ["ara-report"]);
}

pub(super) fn what_cannot_be_put_there_is_told_and_changes_nothing(stand: &Stand) {
    for location in ["../1/ara-report", "a//b", "a/../b", &"x".repeat(256)] {
        let put = stand.put(&stand.store, location, b"x");
        assert!(matches!(put, Err(Error::Key(_))), "{location}: {put:?}");
    }
    if !stand.bucket.takes_reports() {
        let put = stand.put(&stand.store, "1/ara-report", b"x");
        assert!(matches!(put, Err(Error::ReadOnly(_) | Error::Denied(_))), "{put:?}");
        assert!(matches!(stand.fetch("1/ara-report"), Err(Error::NotFound)));
        return;
    }
    if let Some(Ok(missing)) = stand.bucket.url_of_a_missing_one().map(|url| open(&url)) {
        let put = stand.put(&missing, "1/ara-report", b"x");
        assert!(matches!(put, Err(Error::Missing(_))), "a missing bucket: {put:?}");
    }
    if let Some(denied) = stand.bucket.url_that_is_denied() {
        let put = stand.put(&open(&denied).unwrap(), "1/ara-report", b"x");
        assert!(matches!(put, Err(Error::Denied(_))), "wrong credentials: {put:?}");
    }
    if stand.bucket.server().is_some() {
        let begun = Instant::now();
        let put = stand.put(&open(&stand.bucket.url_at(NOWHERE, "").unwrap()).unwrap(), "1/ara-report", b"x");
        assert!(matches!(put, Err(Error::NotWritten(_))), "nobody listens: {put:?}");
        assert!(begun.elapsed() < Duration::from_secs(15), "told after {:?}", begun.elapsed());
    }
    let listed = stand.page_of(&stand.store, "", "", 10).unwrap();
    assert!(listed.entries.is_empty(), "{listed:?}");
}

pub(super) fn a_report_that_is_put_there_is_tried_again_a_few_times(stand: &Stand) {
    let (Some(server), true) = (stand.bucket.server(), stand.bucket.takes_reports()) else { return };
    let proxy = Faulty::before(server.address());
    let store = open(&stand.bucket.url_at(proxy.address(), "").unwrap()).unwrap();
    let busy = Fault::Status { status: 503, code: "SlowDown", retry_after: None };
    for length in [1000, 9_000_001] {
        for fault in [busy.clone(), Fault::Reset] {
            proxy.add(Rule::of(fault.clone()).only(&[Kind::Write]).times(2));
            let bytes = bytes_of(6, length);
            stand.put(&store, "1/ara-report", &bytes).unwrap_or_else(|error| panic!("{length} bytes after {fault:?}: {error}"));
            assert!(stand.fetch("1/ara-report").unwrap().1 == bytes, "{length} bytes after {fault:?}");
        }
    }
    proxy.only(busy);
    proxy.forget();
    let put = stand.put(&store, "1/ara-report", b"never");
    assert!(matches!(put, Err(Error::NotWritten(_))), "{put:?}");
    let tries = proxy.asked().count(Kind::Write);
    assert!((2..=5).contains(&tries), "{tries} tries");
    assert!(stand.fetch("1/ara-report").unwrap().1 == bytes_of(6, 9_000_001), "what was there has gone");
}

pub(super) fn a_report_that_is_removed_is_gone_and_no_other(stand: &Stand) {
    if !stand.bucket.takes_reports() {
        return;
    }
    let all = ["a/1/ara-report", "a/1/ara-report-2", "a/10/ara-report", "a/2/ara-report", "b/1/ara-report"];
    for location in all {
        stand.put(&stand.store, location, b"bytes").unwrap();
    }
    stand.bucket.put("a/1/ara-report/notes.txt", b"notes");
    stand.bucket.put("a/2/ara-report/ansible.sqlite.gz", b"packed");
    for location in ["a/1/ara-report", "a/2/ara-report", "a/2/ara-report", "a", "a/1", "nothing/ara-report"] {
        stand.remove(&stand.store, location).unwrap_or_else(|error| panic!("{location}: {error}"));
    }
    for location in ["a/1/ara-report", "a/2/ara-report"] {
        assert!(matches!(stand.fetch(location), Err(Error::NotFound)), "{location}");
    }
    for location in ["a/1/ara-report-2", "a/10/ara-report", "b/1/ara-report"] {
        assert_eq!(stand.fetch(location).unwrap().1, b"bytes", "{location}");
    }
    assert_eq!(stand.names("a"), ["1", "10"]);
    // What is no report stays, and so does its folder.
    assert_eq!(BTreeSet::from_iter(stand.names("a/1")), ["ara-report", "ara-report-2"].map(str::to_owned).into());
    let Some(inner) = stand.bucket.store("a") else { return };
    stand.remove(&inner, "b/1/ara-report").unwrap();
    stand.remove(&inner, "10/ara-report").unwrap();
    assert!(matches!(stand.fetch("a/10/ara-report"), Err(Error::NotFound)));
    assert_eq!(stand.fetch("b/1/ara-report").unwrap().1, b"bytes");
}

pub(super) fn what_cannot_be_removed_is_told_and_stays(stand: &Stand) {
    stand.bucket.put_report("1", b"bytes");
    for location in ["../1/ara-report", "1//ara-report", "1/../1/ara-report"] {
        let removed = stand.remove(&stand.store, location);
        assert!(matches!(removed, Err(Error::Key(_))), "{location}: {removed:?}");
    }
    if !stand.bucket.takes_reports() {
        let removed = stand.remove(&stand.store, "1/ara-report");
        assert!(matches!(removed, Err(Error::ReadOnly(_) | Error::Denied(_))), "{removed:?}");
    }
    if let Some(denied) = stand.bucket.url_that_is_denied().filter(|_| stand.bucket.takes_reports()) {
        let removed = stand.remove(&open(&denied).unwrap(), "1/ara-report");
        assert!(matches!(removed, Err(Error::Denied(_))), "wrong credentials: {removed:?}");
    }
    if let Some(server) = stand.bucket.server().filter(|_| stand.bucket.takes_reports()) {
        let proxy = Faulty::before(server.address());
        proxy.only(Fault::Status { status: 503, code: "SlowDown", retry_after: None });
        let removed = stand.remove(&open(&stand.bucket.url_at(proxy.address(), "").unwrap()).unwrap(), "1/ara-report");
        assert!(matches!(removed, Err(Error::NotRemoved(_))), "{removed:?}");
    }
    assert_eq!(stand.fetch("1/ara-report").unwrap().1, b"bytes");
}

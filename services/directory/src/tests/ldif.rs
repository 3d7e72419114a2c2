//! LDIF: what is read from what, what is refused, and how records are written.

use proptest::prelude::*;

use crate::ldif::{self, Problem, Record};

fn record(line: usize, dn: &str, attributes: &[(&str, &str)]) -> Record {
    let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
    Record { line, dn: dn.to_owned(), attributes }
}

#[test]
fn entries_are_read() {
    fn check(text: &str, expected: &[Record]) {
        assert_eq!(ldif::parse(text.as_bytes()).as_deref(), Ok(expected), "{text}");
    }
    check("", &[]);
    check("\n\n# nothing\n\n", &[]);
    check("version: 1\n", &[]);
    check("dn: dc=x\ndc: x", &[record(1, "dc=x", &[("dc", "x")])]);
    check("dn:\nobjectClass: top\n", &[record(1, "", &[("objectClass", "top")])]);
    check("dn: dc=x\n", &[record(1, "dc=x", &[])]);
    check(
        "version: 1\n# head\n\ndn: dc=x\nobjectClass: top\nobjectClass: domain\n\n\n\nDN: cn=a,dc=x\ncn;lang-en: a\n",
        &[
            record(4, "dc=x", &[("objectClass", "top"), ("objectClass", "domain")]),
            record(10, "cn=a,dc=x", &[("cn;lang-en", "a")]),
        ],
    );
    check("version: 1\ndn: dc=x\ndc: x\n", &[record(2, "dc=x", &[("dc", "x")])]);
    check("dn: dc=x\nversion: 2\n", &[record(1, "dc=x", &[("version", "2")])]);
    check("dn: dc=x\r\ndc: x\r\n\r\ndn: dc=y\r\n", &[record(1, "dc=x", &[("dc", "x")]), record(4, "dc=y", &[])]);
    check("dn: cn=long\n er,\n  dc=x\ncn: lon\n g\n er\n", &[record(1, "cn=longer, dc=x", &[("cn", "longer")])]);
    check("dn: dc=x\n# a comment that\n  is folded\n : too\ndc: x\n", &[record(1, "dc=x", &[("dc", "x")])]);
    check("dn: dc=x\ndc:   x y  \n", &[record(1, "dc=x", &[("dc", "x y  ")])]);
    check("dn: dc=x\ndc:x\n2.5.4.3: a:b\n", &[record(1, "dc=x", &[("dc", "x"), ("2.5.4.3", "a:b")])]);
    check("dn:: ZGM9w6k=\ncn:: IGE=\ncn::\ncn:\n", &[record(1, "dc=é", &[("cn", " a"), ("cn", ""), ("cn", "")])]);
    check("dn: dc=x\ncn:: IG\n E=\n", &[record(1, "dc=x", &[("cn", " a")])]);
    check("dn: dc=x\ncn: é\n", &[record(1, "dc=x", &[("cn", "é")])]);
    check("dn: dc=x\ncn: a\ncontrol: a\n", &[record(1, "dc=x", &[("cn", "a"), ("control", "a")])]);
}

#[test]
fn what_is_no_content_is_refused_with_its_line_and_the_reason() {
    fn check(text: &str, line: usize, problem: Problem) {
        let error = ldif::parse(text.as_bytes()).unwrap_err();
        assert_eq!((error.line, &error.problem), (line, &problem), "{error}");
    }
    check(" dn: dc=x\n", 1, Problem::NothingToContinue);
    check("dn: dc=x\n\n dc: x\n", 3, Problem::NothingToContinue);
    check("dn: dc=x\nobjectClass\n", 2, Problem::NoColon);
    check("dn: dc=x\nobject\n Class\ndc: x\n", 2, Problem::NoColon);
    check("dn: dc=x\na b: c\n", 2, Problem::BadAttribute("a b".into()));
    check("dn: dc=x\n: c\n", 2, Problem::BadAttribute(String::new()));
    check("version: 2\n", 1, Problem::BadVersion("2".into()));
    check("dc: x\n", 1, Problem::NoName("dc".into()));
    check("dn: dc=x\n\nversion: 1\n", 3, Problem::NoName("version".into()));
    check("dn: dc=x\ndc: x\ndn: dc=y\n", 3, Problem::NoEmptyLine);
    check("dn: dc=x\ncn:: IG\n", 2, Problem::BadBase64("cn".into()));
    check("dn: dc=x\ncn:: IGE= \n", 2, Problem::BadBase64("cn".into()));
    check("dn:: /w==\n", 1, Problem::NotUtf8);
    check("dn: dc=x\njpegPhoto:< file:///photo\n", 2, Problem::Address("jpegPhoto".into()));
    check("dn: dc=x\nchangetype: add\ndc: x\n", 2, Problem::Change("changetype".into()));
    check("dn: dc=x\ncontrol: 1.2.840.113556.1.4.805 true\nchangetype: delete\n", 2, Problem::Change("control".into()));
    check("dn: dc=x\ncn: a\n-\n", 3, Problem::Change("-".into()));
}

#[test]
fn an_error_reads_well() {
    for (text, message) in [
        (
            "dn: dc=x\nphoto:< file:///photo\n",
            "line 2: the value of 'photo' is the address of a file, and files are not read; write the value itself, in base64 behind '::'",
        ),
        (
            "dn: dc=x\nchangetype: add\n",
            "line 2: 'changetype' begins a change, and changes are no content; write the entry as it should be",
        ),
    ] {
        assert_eq!(ldif::parse(text.as_bytes()).unwrap_err().to_string(), message);
    }
}

#[test]
fn records_are_written() {
    fn check(records: &[Record], expected: &str) {
        assert_eq!(ldif::write(records), expected);
    }
    check(&[], "");
    check(&[record(0, "", &[])], "dn:\n");
    check(
        &[record(1, "dc=x", &[("dc", "x"), ("o", "")]), record(1, "cn=é", &[("cn", "é")])],
        "dn: dc=x\ndc: x\no:\n\ndn:: Y249w6k=\ncn:: w6k=\n",
    );
    check(
        &[record(1, "dc=x", &[("a", " a"), ("a", ":a"), ("a", "<a"), ("a", "a "), ("a", "a\nb"), ("a", "a: <b")])],
        "dn: dc=x\na:: IGE=\na:: OmE=\na:: PGE=\na:: YSA=\na:: YQpi\na: a: <b\n",
    );
    let (first, second) = ("a".repeat(72), "b".repeat(75));
    check(&[record(1, "dc=x", &[("cn", &first)])], &format!("dn: dc=x\ncn: {first}\n"));
    check(&[record(1, "dc=x", &[("cn", &format!("{first}{second}c"))])], &format!("dn: dc=x\ncn: {first}\n {second}\n c\n"));
}

fn records() -> impl Strategy<Value = Vec<Record>> {
    let text = prop_oneof!["[ -~]{0,200}", any::<String>()];
    let value = prop_oneof![text.clone().prop_map(String::into_bytes), prop::collection::vec(any::<u8>(), 0..150)];
    let name = "[A-Za-z][A-Za-z0-9-]{0,20}(;[a-z-]{1,5})?"
        .prop_filter("a name or a change", |name| !["dn", "control", "changetype"].contains(&name.to_ascii_lowercase().as_str()));
    let record =
        (text, prop::collection::vec((name, value), 0..5)).prop_map(|(dn, attributes)| Record { line: 0, dn, attributes });
    prop::collection::vec(record, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_written_is_read_as_the_same(records in records()) {
        let text = ldif::write(&records);
        prop_assert!(text.lines().all(|line| line.is_ascii() && line.len() <= 76));
        let mut read = ldif::parse(text.as_bytes()).unwrap();
        for record in &mut read {
            record.line = 0;
        }
        prop_assert_eq!(read, records);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = ldif::parse(&bytes);
    }

    #[test]
    fn anything_like_records_is_read_or_refused(text in "(dn|cn|version|-|#|:|<| |\n|\r\n|=|é|ZGM=){0,30}") {
        let _ = ldif::parse(text.as_bytes());
    }
}

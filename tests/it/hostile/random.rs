//! Whatever stands in a request's path and query: an answer comes, with a body, and it is no failure of the server's.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tests::http::Response;
use tests::served::{Served, serve};
use tests::shelf::{Shelf, ordinary};
use tests::wire::Wire;

use super::still_answers;

/// The answer to a target as it stands; a new connection each time, for some are closed.
fn ask(served: &Served, target: &[u8]) -> Response {
    let mut wire = Wire::open(served.address);
    let _ = wire.send([b"GET ", target, b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"].concat());
    wire.answer().unwrap_or_else(|error| panic!("{}: {error}", String::from_utf8_lossy(target)))
}

/// Not a 5xx but for a report that is broken, and never without a body, unless what came was not HTTP.
fn sound(target: &[u8], answer: &Response) -> Result<(), TestCaseError> {
    let shown = String::from_utf8_lossy(target);
    if answer.header("x-request-id").is_none() {
        // Refused by the reader of heads.
        prop_assert!([400, 414, 431].contains(&answer.status), "{} {shown}", answer.status);
        return Ok(());
    }
    prop_assert!(answer.status < 500 || answer.status == 502, "{} {shown}: {}", answer.status, answer.text());
    prop_assert!(!answer.body.is_empty() || (300..400).contains(&answer.status), "{} {shown}", answer.status);
    Ok(())
}

fn percent(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| format!("%{byte:02x}").into_bytes()).collect()
}

/// A piece of a target: something that means something, or anything, raw or encoded. Line ends would end the request.
fn piece(known: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let raw = vec(any::<u8>().prop_filter("it ends the line", |byte| !b"\r\n ".contains(byte)), 0..12);
    prop_oneof![
        4 => proptest::sample::select(known).prop_map(|text| text.as_bytes().to_vec()),
        2 => vec(any::<u8>(), 0..12).prop_map(|bytes| percent(&bytes)),
        1 => raw,
        1 => any::<String>().prop_map(|text| percent(text.as_bytes())),
    ]
}

fn check(cases: u32, target: impl Strategy<Value = Vec<u8>>) {
    let shelf = Shelf::new();
    shelf.put("good", ordinary());
    shelf.put("broken", b"<html>");
    shelf.settle();
    let served = serve(shelf.root(), &[]);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new(config).run(&target, |target| sound(&target, &ask(&served, &target))).unwrap();
    still_answers(&served);
}

#[test]
fn any_path_is_answered() {
    const KNOWN: &[&str] = &[
        "good",
        "broken",
        "ara-report",
        "api",
        "v1",
        "playbooks",
        "hosts",
        "latesthosts",
        "1",
        "1.html",
        "hosts.json",
        "..",
        ".",
        "",
        "%2e%2e",
        "%2f",
        "-",
        "robots.txt",
        "healthcheck",
    ];
    let path = vec(piece(KNOWN), 0..8).prop_map(|pieces| [b"/".to_vec(), pieces.join(&b'/')].concat());
    check(600, path);
}

#[test]
fn any_query_is_answered() {
    const NAMES: &[&str] = &[
        "limit",
        "offset",
        "order",
        "format",
        "playbook",
        "name",
        "status",
        "started_after",
        "created_before",
        "uuid",
        "lineno",
        "path",
        "label",
        "changed__gt",
        "handler",
        "host_name",
        "ignore_errors",
        "after",
        "x",
    ];
    const VALUES: &[&str] = &[
        "1",
        "0",
        "-1",
        "9223372036854775808",
        "1e9",
        "ok",
        "completed",
        "json",
        "api",
        "-id",
        "started,-name",
        "true",
        "2024-01-01",
        "2024-02-30T25:61:61Z",
        "%00",
        "%F0%9F%98%80",
        "%25%5F%5C",
        "+",
        "",
    ];
    const NOUNS: &[&str] = &[
        "labels",
        "playbooks",
        "plays",
        "tasks",
        "hosts",
        "latesthosts",
        "results",
        "files",
        "records",
        "playbooks/1",
        "hosts/1",
        "",
    ];
    let pair = (piece(NAMES), piece(VALUES)).prop_map(|(name, value)| [name, value].join(&b'='));
    let target = (proptest::sample::select(NOUNS), vec(pair, 0..6))
        .prop_map(|(noun, pairs)| [format!("/good/ara-report/api/v1/{noun}?").into_bytes(), pairs.join(&b'&')].concat());
    check(600, target);
}

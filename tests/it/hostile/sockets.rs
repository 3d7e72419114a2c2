//! Bytes on a socket that no HTTP client sends, and too many of those that some do.

use std::time::{Duration, Instant};

use gateway::error::Reason;
use serde_json::Value;
use tests::http::Response;
use tests::served::{Served, serve};
use tests::shelf::{Shelf, ordinary};
use tests::wire::{Wire, exchange};

use super::{GOOD, is_row, still_answers};

fn served() -> (Shelf, Served) {
    let shelf = Shelf::new();
    shelf.put("good", ordinary());
    let served = serve(shelf.root(), &[]);
    (shelf, served)
}

/// The one answer to these bytes.
#[track_caller]
fn answer(served: &Served, bytes: impl AsRef<[u8]>) -> Response {
    let mut wire = Wire::open(served.address);
    let _ = wire.send(bytes);
    let answer = wire.answer().unwrap_or_else(|error| panic!("no answer: {error}"));
    still_answers(served);
    answer
}

#[test]
fn what_is_not_http_is_closed_or_refused_and_never_waited_for() {
    let (_shelf, served) = served();
    for bytes in [
        &b""[..],
        b"\0\0\0\0",
        b"garbage\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"GET /\r\n",
        b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
        b"GET  /  HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nbroken header\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
        b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    ] {
        let started = Instant::now();
        let answer = exchange(served.address, bytes);
        let text = String::from_utf8_lossy(&answer);
        assert!(!text.starts_with("HTTP/1.1 5"), "{:?}: {text}", String::from_utf8_lossy(bytes));
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", String::from_utf8_lossy(bytes));
        still_answers(&served);
    }
}

#[test]
fn a_host_must_be_named_and_be_one() {
    let (_shelf, served) = served();
    let row = Reason::HostInvalid.row();
    for head in [
        "HTTP/1.1\r\n",
        "HTTP/1.0\r\n",
        "HTTP/1.1\r\nHost:\r\n",
        "HTTP/1.1\r\nHost: a b\r\n",
        "HTTP/1.1\r\nHost: a/b\r\n",
        "HTTP/1.1\r\nHost: a\"><script>\r\n",
        "HTTP/1.1\r\nHost: a:port\r\n",
        "HTTP/1.1\r\nHost: \u{e9}\r\n",
    ] {
        let answer = answer(&served, format!("GET {GOOD} {head}\r\n"));
        is_row(head, &answer, row);
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(body["reason"], row.name, "{head:?}");
    }
}

#[test]
fn older_and_longer_forms_of_requests_are_understood() {
    let (_shelf, served) = served();
    let mut wire = Wire::open(served.address);
    wire.send(format!("GET {GOOD} HTTP/1.0\r\nHost: old.example.org\r\n\r\n")).unwrap();
    // It ends by itself.
    let old = String::from_utf8(wire.rest().unwrap()).unwrap();
    assert!(old.starts_with("HTTP/1.0 200 "), "{old}");
    assert!(!old.to_ascii_lowercase().contains("transfer-encoding"), "{old}");

    let absolute = answer(&served, format!("GET http://elsewhere.example.org{GOOD} HTTP/1.1\r\nHost: here.example.org\r\n\r\n"));
    assert_eq!(absolute.status, 200);
    let star = answer(&served, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    is_row("*", &star, Reason::PageNotFound.row());
    let connect = answer(&served, "CONNECT example.org:443 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(connect.status, 405);
    let body = answer(&served, format!("GET {GOOD} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"));
    assert_eq!(body.status, 200);
}

#[test]
fn a_client_that_expects_to_be_told_to_go_on_gets_its_answer() {
    let (_shelf, served) = served();
    let mut wire = Wire::open(served.address);
    wire.send(format!("GET {GOOD} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")).unwrap();
    let mut first = wire.answer().unwrap();
    if first.status == 100 {
        wire.send("body").unwrap();
        first = wire.answer().unwrap();
    }
    assert_eq!(first.status, 200);
    let answer = answer(&served, format!("GET {GOOD} HTTP/1.1\r\nHost: a\r\nExpect: a-miracle\r\n\r\n"));
    assert!([200, 417].contains(&answer.status), "{}", answer.status);
}

#[test]
fn heads_that_are_too_large_are_refused() {
    let (_shelf, served) = served();
    for head in
        [format!("X: {}\r\n", "y".repeat(100_000)), "X: y\r\n".repeat(2_000), format!("Cookie: {}\r\n", "a=b; ".repeat(20_000))]
    {
        let answer = answer(&served, format!("GET {GOOD} HTTP/1.1\r\nHost: a\r\n{head}\r\n"));
        assert_eq!(answer.status, Reason::HeadersTooLarge.row().status.as_u16());
    }
}

#[test]
fn answers_to_pipelined_requests_come_in_their_order() {
    let (_shelf, served) = served();
    let mut wire = Wire::open(served.address);
    let requests: String =
        (1..=100).map(|limit| format!("GET /good/ara-report/api/v1/results?limit={limit} HTTP/1.1\r\nHost: a\r\n\r\n")).collect();
    wire.send(requests).unwrap();
    for limit in 1..=100 {
        let answer = wire.answer().unwrap();
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        let count = body["count"].as_u64().unwrap();
        assert_eq!(body["results"].as_array().unwrap().len() as u64, count.min(limit));
    }
}

#[test]
fn one_connection_carries_ten_thousand_requests() {
    let (_shelf, served) = served();
    let mut wire = Wire::open(served.address);
    let request = format!("GET {GOOD} HTTP/1.1\r\nHost: a\r\n\r\n").repeat(100);
    let first = {
        wire.send(&request[..request.len() / 100]).unwrap();
        wire.answer().unwrap().body
    };
    for _ in 0..100 {
        wire.send(&request).unwrap();
        for _ in 0..100 {
            assert_eq!(wire.answer().unwrap().body, first);
        }
    }
}

#[test]
fn an_id_that_a_request_brings_is_repeated_unless_it_is_none() {
    let (_shelf, served) = served();
    let id = |id: &str| served.send("GET", GOOD, &[("X-Request-Id", id)]).header("x-request-id").unwrap();
    assert_eq!(id("abc-1"), "abc-1");
    for bad in ["a b", "\u{e9}", &"x".repeat(129)] {
        assert_ne!(id(bad), bad);
    }
    assert_ne!(id("a b"), id("a b"));
}

#[test]
fn heads_that_never_end_keep_nobody_waiting() {
    let (_shelf, served) = served();
    let mut slow: Vec<Wire> = (0..500).map(|_| Wire::open(served.address)).collect();
    for wire in &mut slow {
        wire.send("GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ").unwrap();
    }
    still_answers(&served);
    for wire in &mut slow {
        wire.send("y").unwrap();
    }
    still_answers(&served);
}

#[test]
#[ignore = "half a minute: the time that a client has for its head"]
fn a_head_that_does_not_come_within_half_a_minute_costs_the_connection() {
    let (_shelf, served) = served();
    let started = Instant::now();
    let mut slow: Vec<Wire> = (0..50).map(|_| Wire::open(served.address)).collect();
    let mut open = slow.len();
    for wire in &mut slow {
        wire.send("GET / HTTP/1.1\r\nX: ").unwrap();
    }
    while open > 0 {
        assert!(started.elapsed() < Duration::from_secs(60), "{open} are still open");
        std::thread::park_timeout(Duration::from_millis(500));
        // A byte now and then does not help.
        open = slow.iter_mut().filter_map(|wire| wire.send("y").ok()).count();
    }
    assert!(started.elapsed() > Duration::from_secs(20));
    still_answers(&served);
}

#[test]
fn grpc_that_is_none_is_answered() {
    let (_shelf, served) = served();
    for bytes in [
        "POST /aviary.report.v1.ReportService/GetReport HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\nContent-Length: 4\r\n\r\nbody",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\n\r\n",
        "POST /nobody/Nothing HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\nContent-Length: 0\r\n\r\n",
        "POST /aviary.report.v1.ReportService/GetReport HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\nContent-Length: 5\r\n\r\n\x01\x7f\x7f\x7f\x7f",
    ] {
        let answer = answer(&served, bytes);
        assert!(answer.status < 500 || answer.status == 501, "{bytes:?}: {}", answer.status);
    }
}

//! Nothing that a client sends and nothing that lies in the store stops the program: each path, file, parameter and byte
//! that means harm gets its row of the table of errors, and the next good request its answer.

mod files;
mod fuzz;
mod parameters;
mod paths;
mod random;
mod sockets;
mod values;

use gateway::error::{Reason, Row};
use serde_json::Value;
use tests::http::Response;
use tests::served::{Served, shortened};

/// What browsers send.
const BROWSER: (&str, &str) = ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8");
/// What is asked to see that the program still answers; every store of these tests has it.
const GOOD: &str = "/good/ara-report/api/v1/playbooks";

/// The target is refused with this row of the table: as JSON to a client of the API, as a page to a browser.
#[track_caller]
fn refused(served: &Served, target: &str, reason: Reason) {
    let row = reason.row();
    let answer = served.send("GET", target, &[("Accept", "application/json")]);
    is_row(target, &answer, row);
    assert_eq!(header(&answer, "content-type"), "application/json", "{}", shortened(target));
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body["reason"], row.name, "{}", shortened(target));
    assert_eq!(body["help"], row.meaning);
    assert_eq!(body["retryable"], row.retry_after.is_some());
    assert!(!body["detail"].as_str().unwrap().is_empty());

    let page = served.send("GET", target, &[BROWSER]);
    is_row(target, &page, row);
    assert!(header(&page, "content-type").starts_with("text/html"), "{}", shortened(target));
    assert!(page.text().contains(row.name), "{}", page.text());

    let head = served.send("HEAD", target, &[]);
    is_row(target, &head, row);
    assert!(head.body.is_empty());
    still_answers(served);
}

#[track_caller]
fn is_row(target: &str, answer: &Response, row: &Row) {
    let target = shortened(target);
    assert_eq!(answer.status, row.status.as_u16(), "{target}: {}", answer.text());
    let retry_after = row.retry_after.map(|seconds| seconds.to_string());
    assert_eq!(answer.header("retry-after"), retry_after, "{target}");
    assert!(answer.header("x-request-id").is_some(), "{target}");
}

/// The target is answered, as JSON that can be read.
#[track_caller]
fn served_well(served: &Served, target: &str) -> Value {
    let answer = served.get(target);
    assert_eq!(answer.status, 200, "{}: {}", shortened(target), answer.text());
    serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{}: {error}", shortened(target)))
}

#[track_caller]
fn still_answers(served: &Served) {
    assert_eq!(served_well(served, GOOD)["count"], 1);
}

fn header(answer: &Response, name: &str) -> String {
    answer.header(name).unwrap_or_default()
}

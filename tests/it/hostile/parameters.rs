//! Parameters that cannot be read: the answer names them.

use gateway::error::Reason;
use serde_json::{Value, json};
use tests::served::{Served, serve, shortened};
use tests::shelf::{Shelf, ordinary};

use super::{BROWSER, header, refused, served_well, still_answers};

fn served() -> (Shelf, Served) {
    let shelf = Shelf::new();
    shelf.put("good", ordinary());
    let served = serve(shelf.root(), &[]);
    (shelf, served)
}

/// A question about the good report is refused with this body, to an API client as JSON and to a browser as a page.
#[track_caller]
fn check(served: &Served, question: &str, status: u16, body: &Value) {
    let target = format!("/good/ara-report/api/v1/{question}");
    let answer = served.get(&target);
    let short = shortened(question);
    assert_eq!(answer.status, status, "{short}: {}", answer.text());
    assert_eq!(header(&answer, "content-type"), "application/json", "{short}");
    assert!(answer.header("x-request-id").is_some(), "{short}");
    assert_eq!(&serde_json::from_slice::<Value>(&answer.body).unwrap(), body, "{short}");
    let page = served.send("GET", &target, &[BROWSER]);
    assert_eq!(page.status, status, "{short}");
    still_answers(served);
}

#[test]
fn a_parameter_that_cannot_be_read_is_named_with_what_is_wrong() {
    let (_shelf, served) = served();
    let number = |name: &str| json!({ name: ["Enter a number."] });
    let choice = |name: &str, value: &str| json!({ name: [format!("Select a valid choice. {value} is not one of the available choices.")] });
    check(&served, "plays?playbook=abc", 400, &number("playbook"));
    check(&served, "plays?playbook=%00", 400, &number("playbook"));
    check(&served, "hosts?changed__gt=many", 400, &number("changed__gt"));
    check(
        &served,
        "hosts?changed__gt=1e400",
        400,
        &json!({ "changed__gt": ["Ensure this value is less than or equal to 1e+50."] }),
    );
    check(&served, "results?status=mysterious", 400, &choice("status", "mysterious"));
    check(&served, "playbooks?started_after=yesterday", 400, &json!({ "started_after": ["Enter a valid date/time."] }));
    check(
        &served,
        "playbooks?started_after=9999-12-31T23:59:59-12:00",
        400,
        &json!({ "started_after": ["Enter a valid date/time."] }),
    );
    check(&served, "tasks?lineno=ten", 400, &json!({ "lineno": ["Enter a whole number."] }));
    check(&served, "playbooks?name=a%00b", 400, &json!({ "name": ["Null characters are not allowed."] }));
}

#[test]
fn forms_and_objects_that_do_not_exist_are_not_found() {
    let (_shelf, served) = served();
    let nothing = |question: &str| {
        let answer = served.get(&format!("/good/ara-report/api/v1/{question}"));
        assert_eq!(answer.status, 404, "{question}");
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert!(body["detail"].as_str().is_some_and(|text| !text.is_empty()), "{question}");
    };
    for question in [
        "playbooks?format=xml",
        "playbooks.yaml",
        "playbooks/9223372036854775807",
        "playbooks/99999999999999999999",
        "playbooks/-1",
        "playbooks/abc",
        "latesthosts/nobody",
        "latesthosts/%00",
        "playbooks/1%00",
    ] {
        nothing(question);
    }
    let answer = served.send("GET", "/good/ara-report/api/v1/playbooks", &[("Accept", "application/xml")]);
    assert_eq!(answer.status, 406);
    still_answers(&served);
}

#[test]
fn there_are_at_most_a_thousand_parameters() {
    let (_shelf, served) = served();
    let target = |count: usize| format!("/good/ara-report/api/v1/playbooks?{}", vec!["a=b"; count].join("&"));
    assert_eq!(served_well(&served, &target(1000))["count"], 1);
    refused(&served, &target(1001), Reason::ArgumentInvalid);
    refused(&served, &target(15_000), Reason::ArgumentInvalid);
}

#[test]
fn a_query_string_has_an_end() {
    let (_shelf, served) = served();
    let target = |length: usize| format!("/good/ara-report/api/v1/playbooks?x={}", "y".repeat(length));
    assert_eq!(served_well(&served, &target(30_000))["count"], 1);
    for length in [66_000, 100_000, 1_000_000] {
        // Refused by the reader of heads, in front of all else.
        let answer = served.get(&target(length));
        assert!([414, 431].contains(&answer.status), "{length}: {}", answer.status);
        still_answers(&served);
    }
}

#[test]
fn texts_that_are_looked_for_may_be_long_and_full_of_wildcards() {
    let (_shelf, served) = served();
    for (text, note) in [
        ("%25".repeat(15_000), "percent signs"),
        ("_".repeat(24_000), "underscores"),
        ("x".repeat(60_000), "letters"),
        ("%5c".repeat(15_000), "backslashes"),
        ("%25_".repeat(12_000), "both"),
    ] {
        for question in ["hosts?name=", "playbooks?path=", "tasks?action=", "results?host_name="] {
            let answer = served.get(&format!("/good/ara-report/api/v1/{question}{text}"));
            assert!([200, 400].contains(&answer.status), "{question} with {note}: {} {}", answer.status, answer.text());
        }
    }
    // Longer than what SQLite looks for at all: with each wildcard that is escaped one byte more.
    for text in ["x".repeat(50_000), "_".repeat(25_000)] {
        refused(&served, &format!("/good/ara-report/api/v1/hosts?name={text}"), Reason::ArgumentInvalid);
    }
}

#[test]
fn numbers_as_large_as_python_reads_them_are_read() {
    let (_shelf, served) = served();
    for question in [
        "limit=0",
        "limit=-1",
        "limit=abc",
        "offset=-5",
        "offset=9223372036854775808",
        "offset=99999999999999999999999999",
        "limit=9223372036854775807&offset=9223372036854775807",
        "playbook=9223372036854775808",
        "playbook=-9223372036854775809",
        "changed__lt=99999999999999999999999",
    ] {
        served_well(&served, &format!("/good/ara-report/api/v1/hosts?{question}"));
    }
}

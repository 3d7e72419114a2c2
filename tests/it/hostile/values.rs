//! Values in sound rows of sound files that are not what they should be: null, and a header that says so.

use rusqlite::params;
use serde_json::Value;
use tests::served::{Served, serve};
use tests::shelf::{Shelf, alter, ordinary, squeeze, zlib};

use super::{header, still_answers};

/// Serves the ordinary report after this change; `max_value` is the longest text.
fn changed(max_value: &str, change: impl FnOnce(&rusqlite::Connection)) -> (Shelf, Served) {
    let shelf = Shelf::new();
    shelf.put("good", ordinary());
    alter(&shelf.put("odd", ordinary()), change);
    shelf.settle();
    let served = serve(shelf.root(), &["--max-value", max_value]);
    (shelf, served)
}

/// The object, and the header that says what it lacks.
#[track_caller]
fn get(served: &Served, question: &str) -> (Value, String) {
    let answer = served.get(&format!("/odd/ara-report/api/v1/{question}"));
    assert_eq!(answer.status, 200, "{question}: {}", answer.text());
    let body = serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{question}: {error}"));
    let page = served.send("GET", &format!("/odd/ara-report/api/v1/{question}"), &[super::BROWSER]);
    assert_eq!(page.status, 200, "{question} as a page");
    still_answers(served);
    (body, header(&answer, "aviary-warning"))
}

#[test]
fn a_value_that_cannot_be_unpacked_is_null_and_a_header_says_why() {
    let contents: Vec<(i64, Vec<u8>, &str)> = vec![
        (1, b"\0\xff".to_vec(), "not a zlib stream"),
        (2, Vec::new(), "cut short"),
        (3, squeeze("{\"a\": 1}")[..6].to_vec(), "cut short"),
        (4, zlib(b"\xff\xfe"), "not UTF-8"),
        (5, squeeze("{\"a\": "), "expected a value at byte 6"),
        (6, squeeze("not json"), "expected a value at byte 0"),
        (7, squeeze(&format!("\"{}\"", "0".repeat(64 << 20))), "longer than"),
    ];
    let (_shelf, served) = changed("1M", |database| {
        for (id, content, _) in &contents {
            database.execute("UPDATE results SET content = ?2 WHERE id = ?1", params![id, content]).unwrap();
        }
    });
    for (id, _, warning) in contents {
        let (result, header) = get(&served, &format!("results/{id}"));
        assert_eq!(result["content"], Value::Null, "{id}");
        assert!(header.contains(warning) && header.contains("content"), "{id}: {header}");
    }
    assert!(served.peak_memory() < 200 << 20, "{} bytes", served.peak_memory());
}

#[test]
fn json_that_is_nested_ten_thousand_deep_does_no_harm() {
    let depth = 10_000;
    let (_shelf, served) = changed("64M", |database| {
        let set = |sql: &str, text: String| database.execute(sql, [squeeze(&text)]).unwrap();
        set("UPDATE results SET content = ?1 WHERE id = 1", "[".repeat(depth) + &"]".repeat(depth));
        set("UPDATE results SET content = ?1 WHERE id = 2", "{\"a\":".repeat(depth) + "1" + &"}".repeat(depth));
        set("UPDATE playbooks SET arguments = ?1", "[".repeat(depth));
        set("UPDATE hosts SET facts = ?1", "[".repeat(1_000_000) + &"]".repeat(1_000_000));
    });
    for question in ["results/1", "results/2", "playbooks/1", "playbooks", "hosts/1", "latesthosts"] {
        let target = format!("/odd/ara-report/api/v1/{question}");
        for accept in ["application/json", "application/json; indent=4", "text/html"] {
            let answer = served.send("GET", &target, &[("Accept", accept)]);
            assert_eq!(answer.status, 200, "{question} as {accept}");
        }
        still_answers(&served);
    }
    // What Python's reader of JSON would refuse is shown as null.
    let (playbook, warning) = get(&served, "playbooks/1");
    assert_eq!(playbook["arguments"], Value::Null);
    assert!(warning.contains("arguments"), "{warning}");
    assert!(served.peak_memory() < 256 << 20, "{} bytes", served.peak_memory());
}

#[test]
fn columns_that_hold_another_type_than_theirs_are_null_or_text() {
    let (_shelf, served) = changed("64M", |database| {
        database
            .execute_batch(
                "UPDATE playbooks SET path = x'ff00ff', name = 12, controller = CAST(x'ff' AS TEXT), duration = 'long', started = 5, ended = x'00', status = 1.5;
                 UPDATE hosts SET name = CAST(id AS BLOB), changed = 'many', facts = 'text';
                 UPDATE tasks SET lineno = 'x', tags = 7, handler = 'true', warnings = '[' WHERE 0;
                 UPDATE plays SET uuid = 'short', playbook_id = 'none';
                 UPDATE results SET status = x'', changed = 2.5, ignore_errors = NULL WHERE 0;
                 UPDATE results SET status = x'', changed = 2.5, duration = 9223372036854775807;
                 UPDATE files SET path = CAST(id AS BLOB), content_id = 'x';
                 UPDATE labels SET name = 7;",
            )
            .unwrap();
        let escape = "\u{1b}]0;evil\u{7}\r\nX-Evil: 1\u{2028}";
        database.execute("UPDATE playbooks SET user = ?1", [escape]).unwrap();
    });
    let (playbook, warning) = get(&served, "playbooks/1");
    assert_eq!(playbook["path"], Value::Null);
    assert_eq!(playbook["name"], "12");
    assert_eq!(playbook["controller"], Value::Null);
    assert!(warning.contains("path: not text") || warning.contains("stored values"), "{warning}");
    for noun in ["labels", "playbooks", "plays", "tasks", "hosts", "latesthosts", "results", "files", "records"] {
        get(&served, noun);
    }
    for question in [
        "hosts/1",
        "plays/1",
        "results/1",
        "files/1",
        "tasks/1",
        "playbooks?order=-duration",
        "results?order=duration&status=ok",
        "hosts?name=a&changed__gt=1",
    ] {
        let answer = served.get(&format!("/odd/ara-report/api/v1/{question}"));
        assert!([200, 404].contains(&answer.status), "{question}: {}", answer.text());
    }
    assert_eq!(served.get("/odd/ara-report/api/v1/playbooks").header("x-evil"), None);
}

#[test]
fn a_name_of_two_hundred_megabytes_is_null() {
    let (_shelf, served) = changed("64M", |database| {
        database.execute_batch("UPDATE playbooks SET name = CAST(zeroblob(200000000) AS TEXT);").unwrap();
    });
    let (playbooks, warning) = get(&served, "playbooks");
    assert_eq!(playbooks["results"][0]["name"], Value::Null);
    assert!(warning.contains("name: longer than"), "{warning}");
    assert!(served.peak_memory() < 300 << 20, "{} bytes", served.peak_memory());
}

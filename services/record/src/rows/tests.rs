//! What a description becomes, and which descriptions become nothing.

use serde_json::{Map, json};

use super::*;
use crate::playbook::{File, Host, Record};

const SECOND: i64 = 1_000_000;

fn span(started: i64, ended: Option<i64>) -> Span {
    Span { started: Time::from_micros(started), ended: ended.map(Time::from_micros) }
}

fn result(host: &str, outcome: Outcome, changed: bool) -> TaskResult {
    TaskResult {
        host: host.to_owned(),
        outcome,
        changed,
        ignore_errors: false,
        content: Map::from_iter([("msg".to_owned(), json!("done"))]),
        delegated_to: Vec::new(),
        span: span(SECOND, Some(3 * SECOND + 1)),
    }
}

fn task(results: Vec<TaskResult>) -> Task {
    Task {
        name: Some("Start".to_owned()),
        action: "service".to_owned(),
        file: "/site.yml".to_owned(),
        line: 3,
        tags: vec!["always".to_owned()],
        handler: false,
        span: span(SECOND, Some(4 * SECOND)),
        warnings: Vec::new(),
        deprecations: Vec::new(),
        exceptions: Vec::new(),
        results,
    }
}

fn playbook(tasks: Vec<Task>) -> Playbook {
    Playbook {
        name: Some("site".to_owned()),
        path: "/site.yml".to_owned(),
        ansible_version: "2.19.0".to_owned(),
        client_version: None,
        python_version: None,
        controller: Some("runner".to_owned()),
        user: None,
        arguments: Map::new(),
        labels: vec!["ci".to_owned(), "nightly".to_owned(), "ci".to_owned()],
        status: Status::Completed,
        span: span(0, Some(5 * SECOND)),
        plays: vec![Play { name: None, span: span(0, Some(5 * SECOND)), tasks }],
        files: vec![
            File { path: "/site.yml".to_owned(), content: "same".to_owned() },
            File { path: "/copy.yml".to_owned(), content: "same".to_owned() },
        ],
        hosts: ["web1", "web2"].map(|name| Host { name: name.to_owned(), facts: Map::new() }).into(),
        records: Vec::new(),
    }
}

/// The values of a column, over all rows of a table.
fn column(playbook: &Playbook, table: &str, column: &str) -> Vec<Value> {
    let rows = Rows::of(playbook).unwrap();
    let table = rows.tables.into_iter().find(|known| known.name == table).unwrap();
    let index = table.columns.iter().position(|known| *known == column).unwrap();
    table.rows.into_iter().map(|mut row| row.swap_remove(index)).collect()
}

#[track_caller]
fn check(playbook: &Playbook, place: &str, expected: &[Value]) {
    let (table, name) = place.split_once('.').unwrap();
    assert_eq!(column(playbook, table, name), expected, "{place}");
}

#[test]
fn every_row_has_a_value_for_each_column() {
    let mut playbook = playbook(vec![task(vec![result("web1", Outcome::Ok, true)])]);
    playbook.plays[0].tasks[0].results[0].delegated_to = vec!["web2".to_owned(), "web2".to_owned()];
    playbook.records = vec![Record { key: "branch".to_owned(), kind: RecordKind::Text, value: json!("main") }];
    for table in Rows::of(&playbook).unwrap().tables {
        assert!(!table.rows.is_empty(), "{}", table.name);
        for row in &table.rows {
            assert_eq!(row.len(), table.columns.len(), "{}", table.name);
        }
    }
}

#[test]
fn durations_are_microseconds_from_beginning_to_end() {
    let playbook = playbook(vec![task(vec![result("web1", Outcome::Ok, false)])]);
    check(&playbook, "results.duration", &[integer(2 * SECOND + 1)]);
    check(&playbook, "tasks.duration", &[integer(3 * SECOND)]);
    check(&playbook, "playbooks.duration", &[integer(5 * SECOND)]);
    check(&playbook, "results.ended", &[text("1970-01-01 00:00:03.000001")]);
}

#[test]
fn a_task_fails_with_its_results_unless_they_are_ignored() {
    let check = |outcome, ignore_errors, expected: &str| {
        let result = TaskResult { ignore_errors, ..result("web1", outcome, false) };
        check(&playbook(vec![task(vec![result])]), "tasks.status", &[text(expected)]);
    };
    check(Outcome::Ok, false, "completed");
    check(Outcome::Skipped, false, "completed");
    check(Outcome::Failed, false, "failed");
    check(Outcome::Failed, true, "completed");
    check(Outcome::Unreachable, false, "failed");
}

#[test]
fn what_has_not_ended_runs_or_was_given_up_with_its_run() {
    let check = |status, expected: &str| {
        let mut playbook = playbook(vec![Task { span: span(0, None), ..task(Vec::new()) }]);
        (playbook.status, playbook.plays[0].span) = (status, span(0, None));
        check(&playbook, "tasks.status", &[text(expected)]);
        check(&playbook, "plays.status", &[text(expected)]);
        check(&playbook, "plays.duration", &[Value::Null]);
    };
    check(Status::Running, "running");
    check(Status::Expired, "expired");
}

#[test]
fn hosts_count_their_results_as_ansible_does() {
    let ignored = TaskResult { ignore_errors: true, ..result("web1", Outcome::Failed, false) };
    let playbook = playbook(vec![
        task(vec![result("web1", Outcome::Ok, true), result("web2", Outcome::Skipped, false)]),
        task(vec![result("web1", Outcome::Failed, true), result("web2", Outcome::Unreachable, false)]),
        task(vec![ignored]),
    ]);
    check(&playbook, "hosts.ok", &[integer(2), integer(0)]);
    check(&playbook, "hosts.changed", &[integer(1), integer(0)]);
    check(&playbook, "hosts.failed", &[integer(1), integer(0)]);
    check(&playbook, "hosts.skipped", &[integer(0), integer(1)]);
    check(&playbook, "hosts.unreachable", &[integer(0), integer(1)]);
}

#[test]
fn equal_contents_and_equal_labels_are_kept_once() {
    let playbook = playbook(Vec::new());
    check(&playbook, "files.content_id", &[integer(1), integer(1)]);
    check(&playbook, "file_contents.sha1", &[text(sha1("same"))]);
    check(&playbook, "labels.name", &[text("ci"), text("nightly")]);
}

#[test]
fn long_names_are_cut_as_by_aras_callback() {
    let check = |length: usize, expected: usize| {
        let mut playbook = playbook(Vec::new());
        playbook.name = Some("é".repeat(length));
        check(&playbook, "playbooks.name", &[text("é".repeat(expected))]);
    };
    check(254, 254);
    check(255, 254);
    check(1000, 254);
}

#[test]
fn each_play_and_task_has_a_uuid_that_no_other_run_has() {
    let two = playbook(vec![task(Vec::new()), task(Vec::new())]);
    let mut uuids = column(&two, "tasks", "uuid");
    uuids.extend(column(&two, "plays", "uuid"));
    let later = Playbook { span: span(1, None), ..two.clone() };
    uuids.extend(column(&later, "tasks", "uuid"));
    for (index, uuid) in uuids.iter().enumerate() {
        assert!(!uuids[..index].contains(uuid), "{uuids:?}");
    }
    assert_eq!(column(&two, "tasks", "uuid"), uuids[..2]);
}

#[test]
fn descriptions_that_contradict_themselves_are_refused_by_name() {
    let check = |change: fn(&mut Playbook), expected: &str| {
        let mut playbook = playbook(vec![task(vec![result("web1", Outcome::Ok, false)])]);
        change(&mut playbook);
        assert_eq!(Rows::of(&playbook).unwrap_err().to_string(), expected);
    };
    let host = |name: &str| Host { name: name.to_owned(), facts: Map::new() };
    let long = "x".repeat(300);
    let mut clash = playbook(Vec::new());
    clash.hosts = vec![host(&long), host(&format!("{long}y"))];
    assert_eq!(Rows::of(&clash), Err(Error::Twice { noun: "host", name: "x".repeat(254) }));
    check(|book| book.hosts[1].name = "web1".to_owned(), "host web1 is there twice");
    check(|book| book.files[1].path = "/site.yml".to_owned(), "file /site.yml is there twice");
    check(|book| book.hosts.clear(), "task Start names host web1, which is not one of the run's");
    check(|book| book.files.clear(), "task Start names file /site.yml, which is not one of the run's");
    check(
        |book| book.plays[0].tasks[0].results[0].delegated_to = vec!["db1".to_owned()],
        "task Start names host db1, which is not one of the run's",
    );
    check(
        |book| {
            let again = book.plays[0].tasks[0].results[0].clone();
            book.plays[0].tasks[0].results.push(again);
        },
        "the result of host web1 is there twice",
    );
}

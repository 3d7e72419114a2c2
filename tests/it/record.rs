//! What crate `record` writes is a database of ARA's: the real ARA takes it for its own, and Aviary answers about it as ARA
//! does.

use std::path::Path;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use record::{File, Host, Outcome, Play, Playbook, Record, RecordKind, Span, Status, Task, TaskResult, Time};
use rusqlite::Connection as Database;
use serde_json::{Map, Value, json};
use tests::ara::{self, Ara, Options};
use tests::http::{Connection, Response};
use tests::shelf::Shelf;

use crate::conformance::differences::Differences;
use crate::conformance::urls::{self, Data, Request};
use crate::conformance::{Tolerance, compare_all, requests, sampled};

const SEED: u64 = 389;
/// Requests for the report that has something of everything.
const SAMPLE: usize = 1500;
/// Runs that are made up by chance.
const CASES: u32 = 40;

/// 2026-11-25 13:40:04.672104
const BEGAN: i64 = 1_795_614_004_672_104;

fn span(started: i64, ended: Option<i64>) -> Span {
    let time = |seconds: i64| Time::from_micros(BEGAN + seconds * 1_000_001);
    Span { started: time(started), ended: ended.map(time) }
}

fn map(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn result(host: &str, outcome: Outcome, changed: bool, content: Value) -> TaskResult {
    TaskResult {
        host: host.to_owned(),
        outcome,
        changed,
        ignore_errors: false,
        content: map(content),
        delegated_to: Vec::new(),
        span: span(2, Some(3)),
    }
}

fn task(name: &str, line: u32, results: Vec<TaskResult>) -> Task {
    Task {
        name: Some(name.to_owned()),
        action: "ds389_server".to_owned(),
        file: "/etc/aviary/directory.yml".to_owned(),
        line,
        tags: vec!["always".to_owned()],
        handler: false,
        span: span(2, Some(4)),
        warnings: Vec::new(),
        deprecations: Vec::new(),
        exceptions: Vec::new(),
        results,
    }
}

/// A run with something of everything.
fn rich() -> Playbook {
    let ignored = TaskResult { ignore_errors: true, ..result("vm2", Outcome::Failed, false, json!({"msg": "no"})) };
    let delegated = TaskResult {
        delegated_to: vec!["vm2".to_owned(), "vm1".to_owned()],
        ..result("vm3", Outcome::Unreachable, false, json!({}))
    };
    let warned = Task {
        warnings: vec!["is going to be slow".to_owned(), "é".to_owned()],
        deprecations: vec![json!({"msg": "old", "version": "3", "collection_name": null})],
        exceptions: vec!["Traceback".to_owned()],
        handler: true,
        ..task("Restarting instance slapd-localhost", 1, vec![delegated])
    };
    let diff = json!([{"before_header": "cn=config", "before": "nsslapd-port: 389\n", "after": "nsslapd-port: 3389\n"}]);
    Playbook {
        name: Some("ds389 on vm1".to_owned()),
        path: "/etc/aviary/directory.yml".to_owned(),
        ansible_version: "aviary 0.1.0".to_owned(),
        client_version: Some("0.1.0".to_owned()),
        python_version: None,
        controller: Some("vm1.example.org".to_owned()),
        user: Some("root".to_owned()),
        arguments: map(json!({"check": false, "file": "/etc/aviary/directory.yml", "limit": 1e22, "tags": ["a", "é"]})),
        labels: vec!["ds389".to_owned(), "check:False".to_owned(), "étiquette".to_owned()],
        status: Status::Failed,
        span: span(0, Some(9)),
        plays: vec![
            Play {
                name: Some("vm1".to_owned()),
                span: span(1, Some(9)),
                tasks: vec![
                    task("Creating instance slapd-localhost", 2, vec![result("vm1", Outcome::Ok, true, json!({"diff": diff}))]),
                    task("Adding entry dc=example", 4, vec![result("vm1", Outcome::Skipped, false, json!({})), ignored]),
                    warned,
                    task("Starting", 3, vec![result("vm1", Outcome::Failed, false, json!({"msg": "it did not start 日本 😀"}))]),
                    Task { span: span(8, None), ..task("Never ended", 3, Vec::new()) },
                ],
            },
            Play { name: None, span: span(9, None), tasks: Vec::new() },
        ],
        files: vec![
            File {
                path: "/etc/aviary/directory.yml".to_owned(),
                content: "ds389_instances:\n- name: localhost\n  backends:\n  - name: userroot\n".to_owned(),
            },
            File { path: "/etc/aviary/empty.yml".to_owned(), content: String::new() },
            File { path: "/etc/aviary/also-empty.yml".to_owned(), content: String::new() },
        ],
        hosts: ["vm1", "vm2", "vm3"]
            .map(|name| Host { name: name.to_owned(), facts: map(json!({"ds389": {"name": name, "port": 389}})) })
            .into(),
        records: vec![
            Record { key: "branch".to_owned(), kind: RecordKind::Text, value: json!("main") },
            Record { key: "where".to_owned(), kind: RecordKind::Url, value: json!("https://example.org/?a=1&b=<c>") },
            Record { key: "list".to_owned(), kind: RecordKind::List, value: json!(["é", "b"]) },
            Record { key: "numbers".to_owned(), kind: RecordKind::Dict, value: json!({"a": 1.5, "b": u64::MAX, "c": -0.0}) },
            Record { key: "json".to_owned(), kind: RecordKind::Json, value: json!("{\"a\": 1}") },
        ],
    }
}

/// All rows of a statement, as text.
fn rows(database: &Path, sql: &str) -> Vec<String> {
    let database = Database::open(database).unwrap();
    let mut statement = database.prepare(sql).unwrap();
    let columns = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| {
        let values = (0..columns).map(|column| row.get::<_, rusqlite::types::Value>(column));
        Ok(values.map(|value| format!("{:?}", value.unwrap())).collect::<Vec<_>>().join(" "))
    };
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}

#[test]
fn the_database_begins_as_one_that_ara_has_made() {
    let folder = tempfile::tempdir().unwrap();
    let (theirs, ours) = (folder.path().join("theirs.sqlite"), folder.path().join("ours.sqlite"));
    let (made, said) = ara::manage(&theirs, &["migrate"]);
    assert!(made, "{said}");
    record::write(&ours, &rich()).unwrap();
    for sql in [
        "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid",
        "SELECT id, app, name FROM django_migrations ORDER BY id",
        "SELECT * FROM django_content_type ORDER BY id",
        "SELECT * FROM auth_permission ORDER BY id",
        "SELECT * FROM auth_user",
        "SELECT * FROM pragma_journal_mode, pragma_page_size, pragma_encoding, pragma_auto_vacuum, pragma_user_version",
    ] {
        assert_eq!(rows(&ours, sql), rows(&theirs, sql), "{sql}");
    }
}

#[test]
fn ara_finds_nothing_to_migrate_and_nothing_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ansible.sqlite");
    record::write(&path, &rich()).unwrap();
    let before = std::fs::read(&path).unwrap();
    for (arguments, expected) in [
        (&["migrate", "--check"][..], ""),
        (&["migrate"], "No migrations to apply."),
        (&["check", "--database", "default"], "System check identified no issues"),
    ] {
        let (done, said) = ara::manage(&path, arguments);
        assert!(done && said.contains(expected), "{arguments:?}: {said}");
    }
    assert!(std::fs::read(&path).unwrap() == before, "a migration has changed the database");
}

#[test]
fn ara_serves_it_as_its_own_database_and_goes_on_writing_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ansible.sqlite");
    record::write(&path, &rich()).unwrap();
    let ara = Ara::start(&Options::own(&path));
    let mut connection = Connection::new(ara.address());
    let mut answer = |target: &str| -> Value {
        let answer = connection.get(target).unwrap();
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        serde_json::from_slice(&answer.body).unwrap_or_default()
    };
    assert_eq!(answer("/api/v1/playbooks")["count"], 1);
    let result = answer("/api/v1/results/1");
    assert_eq!((&result["status"], &result["duration"]), (&json!("changed"), &json!("00:00:01.000001")));
    assert_eq!(answer("/api/v1/latesthosts/vm1")["host"]["facts"]["ds389"]["port"], 389);
    for page in ["/", "/hosts", "/tasks", "/playbooks/1.html", "/results/1.html", "/hosts/1.html", "/files/1.html"] {
        answer(page);
    }
    let body = json!({
        "ansible_version": "2.19.0", "status": "running", "path": "/site.yml", "arguments": {}, "labels": ["ds389", "more"],
    });
    let headers = [("content-type", "application/json")];
    let made = connection.upload("POST", "/api/v1/playbooks", &headers, body.to_string().as_bytes()).unwrap();
    assert_eq!(made.status, 201, "{}", made.text());
    let made: Value = serde_json::from_slice(&made.body).unwrap();
    assert_eq!((&made["id"], made["labels"].as_array().map(Vec::len)), (&json!(2), Some(2)));
}

/// Compares the answers of both servers, which have the same folder.
fn compare(ara: &Ara, aviary: &str, requests: &[Request], tolerance: Tolerance) -> crate::conformance::Outcome {
    compare_all(ara.address(), tests::aviary::address(aviary), requests, &Differences::read(), tolerance)
}

#[test]
fn every_answer_about_it_is_the_same_from_ara_and_from_aviary() {
    let shelf = Shelf::new();
    let path = shelf.file("1");
    record::write(&path, &rich()).unwrap();
    shelf.settle();
    let base = "/1/ara-report";
    let mut asked = sampled(urls::of_report(base, &mut Data::open(&path, SEED)), SAMPLE, SEED);
    asked.extend(requests::few(base));
    asked.extend(requests::pages(base));
    for endpoint in urls::endpoints() {
        asked.push(Request::get(format!("{base}/api/v1/{}", endpoint.name)));
        asked.extend((1..7).map(|id| Request::get(format!("{base}/api/v1/{}/{id}", endpoint.name))));
    }
    let ara = Ara::start(&Options::of(shelf.root()));
    let (url, _aviary) = tests::aviary::start(shelf.root(), &[]);
    compare(&ara, &url, &asked, &|_, _, _| false).report("record");
}

#[test]
fn any_run_that_can_be_described_is_written_and_read() {
    let shelf = Shelf::new();
    let ara = Ara::start(&Options::of(shelf.root()));
    let (url, _aviary) = tests::aviary::start(shelf.root(), &[]);
    // ARA itself has to have an answer.
    let answered = |_: &Request, theirs: &Response, ours: &Response| {
        assert_eq!((theirs.status, ours.status), (200, 200), "{}", theirs.text());
        false
    };
    let numbers = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&playbooks(), |playbook| {
        numbers.set(numbers.get() + 1);
        let folder = numbers.get().to_string();
        record::write(&shelf.file(&folder), &playbook).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let base = format!("/{folder}/ara-report/api/v1");
        let mut asked: Vec<Request> =
            urls::endpoints().iter().map(|endpoint| Request::get(format!("{base}/{}", endpoint.name))).collect();
        let tasks: Vec<&Task> = playbook.plays.iter().flat_map(|play| &play.tasks).collect();
        for (noun, count) in [
            ("playbooks", 1),
            ("plays", playbook.plays.len()),
            ("tasks", tasks.len()),
            ("results", tasks.iter().map(|task| task.results.len()).sum()),
            ("hosts", playbook.hosts.len()),
            ("files", playbook.files.len()),
            ("records", playbook.records.len()),
        ] {
            asked.extend((1..=count).map(|id| Request::get(format!("{base}/{noun}/{id}"))));
        }
        let outcome = compare(&ara, &url, &asked, &answered);
        prop_assert!(outcome.mismatches.is_empty(), "{}", outcome.mismatches.join("\n"));
        prop_assert_eq!(outcome.compared, asked.len());
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

fn texts() -> BoxedStrategy<String> {
    prop_oneof![
        3 => "[a-z /.:_-]{0,20}",
        2 => any::<String>(),
        1 => any::<char>().prop_map(|character| character.to_string().repeat(300)),
    ]
    .boxed()
}

fn values() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has no such number", |number| number.is_finite()).prop_map(Value::from),
        texts().prop_map(Value::from),
    ];
    let nested = leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(texts(), inner, 0..4).prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    });
    nested.boxed()
}

fn objects() -> BoxedStrategy<Map<String, Value>> {
    btree_map(texts(), values(), 0..3).prop_map(|entries| entries.into_iter().collect()).boxed()
}

fn spans() -> BoxedStrategy<Span> {
    let time = prop_oneof![
        4 => BEGAN..BEGAN + 1_000_000_000,
        1 => any::<i64>(),
    ];
    let time = time.prop_map(Time::from_micros);
    (time.clone(), proptest::option::of(time)).prop_map(|(started, ended)| Span { started, ended }).boxed()
}

fn results() -> BoxedStrategy<(Index, Vec<Index>, TaskResult)> {
    let outcome = select(vec![Outcome::Ok, Outcome::Failed, Outcome::Skipped, Outcome::Unreachable]);
    let fields = (outcome, any::<bool>(), any::<bool>(), objects(), spans());
    let result = fields.prop_map(|(outcome, changed, ignore_errors, content, span)| TaskResult {
        host: String::new(),
        outcome,
        changed,
        ignore_errors,
        content,
        delegated_to: Vec::new(),
        span,
    });
    (any::<Index>(), vec(any::<Index>(), 0..3), result).boxed()
}

type Results = Vec<(Index, Vec<Index>, TaskResult)>;

fn tasks() -> BoxedStrategy<(Index, Results, Task)> {
    let said = (vec(texts(), 0..2), vec(values(), 0..2), vec(texts(), 0..2));
    let fields = (proptest::option::of(texts()), texts(), any::<u32>(), vec(texts(), 0..3), any::<bool>(), spans(), said);
    let task = fields.prop_map(|(name, action, line, tags, handler, span, (warnings, deprecations, exceptions))| Task {
        name,
        action,
        file: String::new(),
        line,
        tags,
        handler,
        span,
        warnings,
        deprecations,
        exceptions,
        results: Vec::new(),
    });
    (any::<Index>(), vec(results(), 0..3), task).boxed()
}

/// Runs whose names agree with each other.
fn playbooks() -> BoxedStrategy<Playbook> {
    let names = (
        proptest::option::of(texts()),
        texts(),
        texts(),
        proptest::option::of(texts()),
        proptest::option::of(texts()),
        proptest::option::of(texts()),
        proptest::option::of(texts()),
    );
    let status = select(vec![Status::Running, Status::Completed, Status::Failed, Status::Expired]);
    let kind = select(vec![RecordKind::Text, RecordKind::Url, RecordKind::Json, RecordKind::List, RecordKind::Dict]);
    let parts = (
        btree_map(texts(), texts(), 1..4),
        // Names that are cut may be the same afterwards.
        btree_map("[a-z.é/-]{1,20}", objects(), 1..4),
        btree_map(texts(), (kind, values()), 0..3),
        vec((proptest::option::of(texts()), spans(), vec(tasks(), 0..3)), 0..3),
    );
    (names, objects(), vec(texts(), 0..3), status, spans(), parts).prop_map(assembled).boxed()
}

type Names = (Option<String>, String, String, Option<String>, Option<String>, Option<String>, Option<String>);
type Parts = (
    std::collections::BTreeMap<String, String>,
    std::collections::BTreeMap<String, Map<String, Value>>,
    std::collections::BTreeMap<String, (RecordKind, Value)>,
    Vec<(Option<String>, Span, Vec<(Index, Results, Task)>)>,
);

fn assembled(
    (names, arguments, labels, status, span, parts): (Names, Map<String, Value>, Vec<String>, Status, Span, Parts),
) -> Playbook {
    let (name, path, ansible_version, client_version, python_version, controller, user) = names;
    let (files, hosts, records, plays) = parts;
    let files: Vec<File> = files.into_iter().map(|(path, content)| File { path, content }).collect();
    let hosts: Vec<Host> = hosts.into_iter().map(|(name, facts)| Host { name, facts }).collect();
    let host = |index: Index| hosts[index.index(hosts.len())].name.clone();
    let result = |(of, delegated, result): (Index, Vec<Index>, TaskResult)| TaskResult {
        host: host(of),
        delegated_to: delegated.into_iter().map(host).collect(),
        ..result
    };
    let task = |(index, results, task): (Index, Results, Task)| {
        let mut results: Vec<TaskResult> = results.into_iter().map(result).collect();
        results.sort_by(|one, other| one.host.cmp(&other.host));
        results.dedup_by(|one, other| one.host == other.host);
        Task { file: files[index.index(files.len())].path.clone(), results, ..task }
    };
    let plays = plays.into_iter().map(|(name, span, tasks)| Play { name, span, tasks: tasks.into_iter().map(task).collect() });
    let plays = plays.collect();
    let records = records.into_iter().map(|(key, (kind, value))| Record { key, kind, value }).collect();
    Playbook {
        name,
        path,
        ansible_version,
        client_version,
        python_version,
        controller,
        user,
        arguments,
        labels,
        status,
        span,
        plays,
        files,
        hosts,
        records,
    }
}

//! ARA's own clients work with Aviary as with ARA: whatever they print, they print of both.
//!
//! The clients are the real ones, most of them in one long-lived Python (`clients.py`). What the servers answer, beyond
//! what a client shows of it, is compared in `conformance`.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use rusqlite::Connection as Database;
use serde_json::{Value, json};
use tests::ara::{Ara, Options};
use tests::corpus::{Corpus, Set, corpus};
use tests::http::Connection;
use tests::process::Process;

const SEED: u64 = 389;
/// A zone that is far from UTC.
const ELSEWHERE: (&str, &str) = ("TZ", "Pacific/Chatham");
/// Reports of the corpus that every command is run on: many playbooks, one that runs still, real runs of Ansible.
const REPORTS: [&str; 4] = ["3/prod", "3/dev", "recorded/green", "recorded/failing"];
/// A smaller choice that still has one of everything.
const SAMPLE: [&str; 2] = ["3/prod", "recorded/failing"];

/// Both servers over the corpus.
struct Servers {
    corpus: Corpus,
    ara: Ara,
    aviary: String,
    _aviary: Process,
}

impl Servers {
    fn start() -> Servers {
        let corpus = corpus(SEED, Set::Small);
        let ara = Ara::start(&Options::of(&corpus.root));
        let (aviary, process) = tests::aviary::start(&corpus.root, &[]);
        Servers { corpus, ara, aviary, _aviary: process }
    }

    /// The URLs of a report: of ARA, of Aviary.
    fn urls(&self, folder: &str) -> [String; 2] {
        [format!("http://{}", self.ara.address()), self.aviary.clone()].map(|server| format!("{server}/{folder}/ara-report"))
    }

    /// What a client prints names the server that it was given.
    fn neutral(&self, text: &str) -> String {
        let [ara, aviary] = [self.ara.address().to_string(), tests::aviary::address(&self.aviary).to_string()];
        text.replace(&ara, "SERVER").replace(&aviary, "SERVER")
    }
}

/// Python with ARA's clients loaded.
struct Clients {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("it/clients.py")
}

impl Clients {
    fn start() -> Clients {
        let mut child = Command::new(tests::ara::python())
            .arg("-B")
            .arg(script())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("failed to start Python");
        Clients { requests: child.stdin.take().unwrap(), answers: BufReader::new(child.stdout.take().unwrap()), child }
    }

    fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.requests, "{request}").expect("Python takes no request");
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{request} was answered {line:?}: {error}"))
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        // It ends by itself when its input does; whether it still ran does not matter.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ids that commands are given, of rows that there are.
struct Ids(Database);

impl Ids {
    fn of(corpus: &Corpus, folder: &str) -> Ids {
        let report = corpus
            .reports
            .iter()
            .find(|report| report.folder == folder && report.prefix == "ara-report")
            .unwrap_or_else(|| panic!("the corpus has no {folder}"));
        Ids(Database::open(report.file(&corpus.root)).unwrap())
    }

    /// The first value of a query, or a number that no row has.
    fn one(&self, query: &str) -> String {
        self.0.query_row(query, [], |row| row.get::<_, rusqlite::types::Value>(0)).map_or_else(|_| "999999".to_owned(), text)
    }

    /// The ids of the first and the last row, and of the one that the condition finds.
    fn some(&self, table: &str, condition: &str) -> BTreeSet<String> {
        [
            format!("select min(id) from {table}"),
            format!("select max(id) from {table}"),
            format!("select min(id) from {table} where {condition}"),
        ]
        .iter()
        .map(|query| self.one(query))
        .filter(|id| id != "999999")
        .collect()
    }
}

fn text(value: rusqlite::types::Value) -> String {
    match value {
        rusqlite::types::Value::Integer(value) => value.to_string(),
        rusqlite::types::Value::Text(value) => value,
        _ => "999999".to_owned(),
    }
}

/// Every command that reads, with every option of its own.
fn commands(ids: &Ids) -> Vec<Vec<String>> {
    let formats = ["table", "json", "csv", "yaml", "value"];
    let mut out = Vec::new();
    let mut add = |command: &str, options: &[&str]| {
        out.push(command.split(' ').chain(options.iter().copied()).map(str::to_owned).collect::<Vec<_>>());
    };
    let lists = [
        "playbook list",
        "playbook metrics",
        "play list",
        "task list",
        "task metrics",
        "host list",
        "host list --latest",
        "host metrics",
        "result list",
        "record list",
    ];
    for command in lists {
        for format in formats {
            add(command, &["-f", format]);
        }
        add(command, &["--limit", "2", "-f", "json"]);
        add(command, &["--limit", "0"]);
        add(command, &["--limit", "many"]);
        // ARA fails on most orders of the latest hosts: the row `latesthosts-order` of differences.toml.
        let order = if command.ends_with("--latest") { "--order=name" } else { "--order=id" };
        add(command, &[order, "--limit", "3"]);
        add(command, &["--order=-updated", "--limit", "3"]);
        add(command, &["--order=bogus"]);
        add(command, &["-c", "id", "-c", "status", "-f", "value"]);
        add(command, &["--sort-column", "name"]);
        add(command, &["--max-width", "60"]);
    }
    for command in
        ["playbook list", "playbook metrics", "play list", "task list", "task metrics", "result list", "record list", "host list"]
    {
        add(command, &["--long"]);
    }
    for command in ["play list", "task list", "host list", "host list --latest", "result list", "record list"] {
        add(command, &["--resolve", "--limit", "4"]);
        add(command, &["--resolve", "--long", "--limit", "4", "-f", "json"]);
    }
    let playbook = ids.one("select max(id) from playbooks");
    for command in ["play list", "task list", "host list", "host metrics", "result list", "record list", "task metrics"] {
        add(command, &["--playbook", &playbook, "-f", "csv"]);
        add(command, &["--playbook", "999999"]);
        add(command, &["--playbook", "x"]);
    }
    for command in ["playbook list", "playbook metrics"] {
        for (option, value) in [
            ("--label", "ci"),
            ("--label", "étiquette"),
            ("--ansible_version", "2.1"),
            ("--client_version", "1.8.0"),
            ("--server_version", "1.8"),
            ("--python_version", "3."),
            ("--controller", "example"),
            ("--name", "run"),
            ("--path", "/srv"),
            ("--status", "failed"),
            ("--status", "running"),
            ("--status", "bogus"),
        ] {
            add(command, &[option, value, "-f", "csv"]);
        }
    }
    add("playbook list", &["--user", "zuul"]);
    for aggregate in ["name", "path", "ansible_version", "controller"] {
        add("playbook metrics", &["--aggregate", aggregate, "-f", "csv"]);
    }
    for aggregate in ["action", "name", "path"] {
        add("task metrics", &["--aggregate", aggregate, "-f", "csv"]);
    }
    for (option, value) in [
        ("--name", "web".to_owned()),
        ("--uuid", ids.one("select uuid from plays order by id limit 1")),
        ("--uuid", "nonsense".to_owned()),
        ("--status", "completed".to_owned()),
    ] {
        add("play list", &[option, &value, "-f", "csv"]);
    }
    for (option, value) in [
        ("--name", "e".to_owned()),
        ("--uuid", ids.one("select uuid from tasks order by id limit 1")),
        ("--path", "roles".to_owned()),
        ("--action", "ansible.builtin.copy".to_owned()),
        ("--status", "failed".to_owned()),
    ] {
        add("task list", &[option, &value, "-f", "csv"]);
        add("task metrics", &[option, &value, "-f", "csv"]);
    }
    for option in ["deprecations", "exceptions", "warnings"] {
        for with in ["with", "without"] {
            add("task list", &[&format!("--{with}-{option}"), "-f", "csv"]);
        }
    }
    let host = ids.one("select name from hosts order by id limit 1");
    for command in ["host list", "host list --latest", "host metrics"] {
        add(command, &["--name", &host, "-f", "csv"]);
        for option in ["changed", "failed", "unreachable"] {
            for with in ["with", "without"] {
                add(command, &[&format!("--{with}-{option}"), "-f", "csv"]);
            }
        }
    }
    for (option, query) in [
        ("--play", "select min(id) from plays"),
        ("--task", "select min(id) from tasks"),
        ("--host", "select min(id) from hosts"),
    ] {
        add("result list", &[option, &ids.one(query), "-f", "csv"]);
    }
    for status in ["ok", "failed", "skipped", "unreachable", "changed"] {
        add("result list", &["--status", status, "-f", "csv"]);
    }
    add("result list", &["--ignore-errors", "-f", "csv"]);
    add("result list", &["--changed", "-f", "csv"]);
    add("record list", &["--key", "log"]);
    for (command, table, condition, more) in [
        ("playbook show", "playbooks", "status = 'failed'", ""),
        ("play show", "plays", "name = ''", ""),
        ("task show", "tasks", "handler", ""),
        ("host show", "hosts", "failed > 0", "--with-facts"),
        ("result show", "results", "status = 'failed'", "--with-content"),
        ("record show", "records", "type = 'json'", ""),
    ] {
        for id in ids.some(table, condition) {
            for format in ["table", "json", "yaml", "value", "shell"] {
                add(command, &[&id, "-f", format]);
            }
            if !more.is_empty() {
                add(command, &[&id, more]);
                add(command, &[&id, more, "-f", "json"]);
            }
        }
        add(command, &["999999"]);
        add(command, &["abc"]);
    }
    // Without --confirm they only say what they would do.
    add("expire", &["--hours", "1"]);
    add("expire", &["--hours", "0", "--limit", "2", "--order=-started"]);
    add("playbook prune", &[]);
    add("playbook prune", &["--days", "1", "--limit", "3", "--status", "failed"]);
    add("playbook prune", &["--label", "ci", "--path", "nothing"]);
    out
}

/// Commands that would change a report, if it could be changed.
fn writing_commands(ids: &Ids) -> Vec<Vec<String>> {
    let mut out: Vec<Vec<String>> = ["playbook", "play", "task", "host", "result", "record"]
        .iter()
        .map(|kind| {
            let id = ids.one(&format!("select min(id) from {kind}s"));
            vec![(*kind).to_owned(), "delete".to_owned(), id]
        })
        .collect();
    for command in ["expire --hours 0 --confirm", "playbook prune --days 0 --confirm"] {
        out.push(command.split(' ').map(str::to_owned).collect());
    }
    out
}

/// The same command on both; the text of what differs.
fn differing(servers: &Servers, clients: &mut Clients, folder: &str, command: &[String]) -> Option<String> {
    let [oracle, subject] = servers.urls(folder).map(|server| {
        let answer = clients.ask(&json!({"server": server, "ara": command}));
        format!(
            "status {}\n{}\n{}",
            answer["status"],
            servers.neutral(answer["out"].as_str().unwrap()),
            servers.neutral(answer["err"].as_str().unwrap())
        )
    });
    (oracle != subject).then(|| format!("{folder}: ara {}\n--- ARA\n{oracle}\n--- Aviary\n{subject}", command.join(" ")))
}

fn compare(servers: &Servers, folders: &[&str], choose: impl Fn(&Ids) -> Vec<Vec<String>> + Sync) -> usize {
    let count = std::sync::atomic::AtomicUsize::new(0);
    let found = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for folder in folders {
            let (found, choose, count) = (&found, &choose, &count);
            scope.spawn(move || {
                let mut clients = Clients::start();
                for command in choose(&Ids::of(&servers.corpus, folder)) {
                    count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    found.lock().unwrap().extend(differing(servers, &mut clients, folder, &command));
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    assert!(
        found.is_empty(),
        "{} commands print something else; the first:\n{}",
        found.len(),
        found[..found.len().min(5)].join("\n\n")
    );
    count.into_inner()
}

/// One in so many of them, the same ones each time, and one of every kind.
fn thinned(commands: Vec<Vec<String>>, keep: usize) -> Vec<Vec<String>> {
    let mut seen = BTreeSet::new();
    commands
        .into_iter()
        .enumerate()
        .filter(|(index, command)| seen.insert(command[..command.len().min(2)].to_vec()) || index % keep == 0)
        .map(|(_, command)| command)
        .collect()
}

#[test]
fn a_sample_of_the_commands_of_ara_prints_the_same() {
    let servers = Servers::start();
    let count = compare(&servers, &SAMPLE, |ids| thinned(commands(ids), 6));
    assert!(count > 60, "only {count} commands were run");
}

#[test]
#[ignore = "minutes: tests/run clients"]
fn every_command_of_ara_prints_the_same() {
    let servers = Servers::start();
    let count = compare(&servers, &REPORTS, commands);
    assert!(count > 800, "only {count} commands were run");
}

#[test]
fn commands_that_write_fail_in_the_same_way_and_change_nothing() {
    let servers = Servers::start();
    compare(&servers, &["3/dev"], writing_commands);
    let mut clients = Clients::start();
    for server in servers.urls("3/dev") {
        let answer = clients.ask(&json!({"server": server, "ara": ["playbook", "show", "1", "-f", "value", "-c", "id"]}));
        assert_eq!(answer["out"], "1\n", "{server}");
    }
}

#[test]
fn commands_print_in_the_long_lived_process_what_the_script_prints() {
    let servers = Servers::start();
    let [server, _] = servers.urls("3/prod");
    let mut clients = Clients::start();
    for command in [vec!["playbook", "list"], vec!["playbook", "show", "999999"], vec!["host", "delete", "1"]] {
        let answer = clients.ask(&json!({"server": server, "ara": command}));
        let output = Command::new(tests::ara::python())
            .args(["-B", "-c", "import sys; from ara.cli.base import main; sys.exit(main())"])
            .args(&command)
            .envs([("ARA_API_CLIENT", "http"), ("ARA_API_SERVER", &server), ("COLUMNS", "160")])
            .output()
            .unwrap();
        assert_eq!(answer["out"], String::from_utf8(output.stdout).unwrap(), "{command:?}");
        assert_eq!(answer["err"], String::from_utf8(output.stderr).unwrap(), "{command:?}");
        assert_eq!(answer["status"], output.status.code().unwrap(), "{command:?}");
    }
}

#[test]
fn times_are_in_utc_in_whatever_zone_aviary_runs() {
    let corpus = corpus(SEED, Set::Small);
    let ara = Ara::start(&Options::of(&corpus.root));
    let (url, _aviary) = tests::aviary::start_with(&corpus.root, &[], &[ELSEWHERE]);
    let target = "/recorded/failing/ara-report/api/v1/results?started_after=2024-01-01T00:00:00";
    let theirs = Connection::new(ara.address()).get(target).unwrap();
    let ours = Connection::new(tests::aviary::address(&url)).get(target).unwrap();
    assert!(theirs.text().contains("\"started\":\""), "{}", theirs.text());
    assert_eq!(theirs.text(), ours.text());
}

#[test]
fn the_client_class_of_ara_gets_the_same() {
    let servers = Servers::start();
    let mut clients = Clients::start();
    let mut calls = Vec::new();
    for kind in ["playbooks", "plays", "tasks", "hosts", "latesthosts", "results", "files", "records", "labels"] {
        calls.push(json!(["get", format!("/api/v1/{kind}"), {"limit": 3, "order": "-created"}]));
        calls.push(json!(["get", format!("/api/v1/{kind}/1"), {}]));
        calls.push(json!(["get", format!("/api/v1/{kind}/999999"), {}]));
    }
    calls.extend([
        json!(["get", "/api/", {}]),
        json!(["get", "/api/v1/", {}]),
        json!(["get", "/api/v1/results", {"changed": true, "ignore_errors": false, "status": ["ok", "failed"], "limit": 5}]),
        json!(["get", "/api/v1/playbooks", {"status": "bogus"}]),
        json!(["get", "/api/v1/playbooks", {"started_after": "2024-01-01T00:00:00+02:00"}]),
        json!(["get", "/api/v1/nothing", {}]),
        json!(["post", "/api/v1/playbooks", {"path": "/x.yml", "status": "running"}]),
        json!(["patch", "/api/v1/playbooks/1", {"status": "expired"}]),
        json!(["put", "/api/v1/playbooks/1", {"status": "expired"}]),
        json!(["delete", "/api/v1/playbooks/1", {}]),
    ]);
    for folder in SAMPLE {
        let [(oracle, theirs), (subject, ours)] = servers.urls(folder).map(|server| {
            let answer = clients.ask(&json!({"server": server, "client": &calls}));
            let text = servers.neutral(answer["out"].as_str().unwrap());
            let out: Vec<Value> = serde_json::from_str(&text).unwrap();
            (out, answer["err"].clone())
        });
        assert_eq!(theirs, ours, "{folder}");
        for ((call, oracle), subject) in calls.iter().zip(oracle).zip(subject) {
            assert_eq!(oracle.to_string(), subject.to_string(), "{folder}: {call}");
        }
    }
}

/// The metrics that the exporter of ARA makes of a server; those about the exporter's own process are left out.
fn exported(server: &str) -> String {
    let mut command = Command::new(tests::ara::python());
    command.arg("-B").arg(script()).args([
        "prometheus",
        "--client",
        "http",
        "--prometheus-address",
        "127.0.0.1",
        "--server",
        server,
    ]);
    let process = Process::start(command, Duration::ZERO);
    let port: u16 = process.wait_for("port of the exporter", Duration::from_secs(60), |line| {
        line.strip_prefix("listening on port ")?.trim().parse().ok()
    });
    let answer = Connection::new(([127, 0, 0, 1], port).into()).get("/metrics").unwrap();
    assert_eq!(answer.status, 200);
    let own = ["python_", "process_", "ara_metrics_", "ara_scrape_", "ara_last_refresh", "ara_refresh_"];
    answer
        .text()
        .lines()
        .filter(|line| {
            let name = line.trim_start_matches("# HELP ").trim_start_matches("# TYPE ");
            !own.iter().any(|prefix| name.starts_with(prefix))
        })
        .map(|line| format!("{line}\n"))
        .collect()
}

#[test]
fn the_exporter_of_ara_makes_the_same_metrics() {
    let servers = Servers::start();
    for folder in SAMPLE {
        let [oracle, subject] = std::thread::scope(|scope| {
            servers.urls(folder).map(|server| scope.spawn(move || exported(&server))).map(|thread| thread.join().unwrap())
        })
        .map(|metrics| servers.neutral(&metrics));
        assert!(oracle.contains("ara_up 1.0"), "{oracle}");
        assert!(oracle.contains("ara_results{"), "{oracle}");
        assert_eq!(oracle, subject, "{folder}");
    }
}

const PLAYBOOK: &str = r#"
- hosts: localhost
  gather_facts: false
  tasks:
    - debug: msg="{{ lookup('ara_api', item) }}"
      loop:
        - /api/v1/playbooks?order=id&limit=2
        - /api/v1/playbooks/1
        - /api/v1/results?status=failed
        - /api/v1/latesthosts?limit=3
        - /api/v1/hosts/999999
"#;

/// What Ansible prints with ARA's plugins: its callback tries to record to the server, the playbook looks things up in it.
fn played(folder: &Path, server: &str) -> String {
    let plugins = "import ara, os; print(os.path.join(ara.__path__[0], 'plugins'))";
    let plugins = Command::new(tests::ara::python()).args(["-c", plugins]).output().unwrap();
    let plugins = PathBuf::from(String::from_utf8(plugins.stdout).unwrap().trim());
    let home = folder.join(server.replace(['/', ':'], "_"));
    std::fs::create_dir_all(&home).unwrap();
    let playbook = folder.join("playbook.yml");
    std::fs::write(&playbook, PLAYBOOK).unwrap();
    let config = folder.join("ansible.cfg");
    std::fs::write(&config, "[defaults]\nnocolor = true\n").unwrap();
    let output = Command::new(tests::ara::python())
        .args(["-B", "-m", "ansible", "playbook", "-i", "localhost,", "-c", "local"])
        .arg(&playbook)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", &home)
        .env("ANSIBLE_CONFIG", &config)
        .env("ANSIBLE_LOCAL_TEMP", home.join("tmp"))
        .env("ANSIBLE_CALLBACK_PLUGINS", plugins.join("callback"))
        .env("ANSIBLE_LOOKUP_PLUGINS", plugins.join("lookup"))
        .envs([("ARA_API_CLIENT", "http"), ("ARA_API_SERVER", server), ("LANG", "C.UTF-8")])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    format!("{}\n{}\n{}", output.status, String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The callback's message holds the moment at which the playbook started.
fn without_moment(text: &str) -> String {
    let key = "'started': '";
    match text.split_once(key) {
        Some((before, rest)) => {
            let rest = rest.split_once('\'').map_or("", |(_, rest)| rest);
            format!("{before}{key}MOMENT'{}", without_moment(rest))
        }
        None => text.to_owned(),
    }
}

#[test]
fn playbooks_look_up_the_same_and_fail_to_record_in_the_same_way() {
    let servers = Servers::start();
    let folder = tempfile::tempdir().unwrap();
    let [oracle, subject] = std::thread::scope(|scope| {
        servers
            .urls("recorded/failing")
            .map(|server| {
                let folder = folder.path();
                scope.spawn(move || played(folder, &server))
            })
            .map(|thread| thread.join().unwrap())
    })
    .map(|printed| without_moment(&servers.neutral(&printed)));
    assert!(oracle.contains("Connection refused") || oracle.contains("\"status\": \"failed\""), "{oracle}");
    assert!(oracle.contains("v2_playbook_on_start"), "the callback did not try to record:\n{oracle}");
    assert_eq!(oracle, subject);
}

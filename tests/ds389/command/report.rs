//! What an apply writes down of itself: a report that ARA and Aviary open, in files, folders and stores.

use std::{net::SocketAddr, path::Path, process::Command};

use serde_json::{Value as Json, json};
use tests::{
    ara::{Ara, Options},
    http::Connection,
    shelf::settle,
    stores::{Bucket, Moto},
};

use super::{Machine, ports};

/// In every secret.
const MARK: &str = "marked-secret";

fn directory(name: &str, more: &str) -> String {
    let (port, secure_port) = ports();
    format!(
        "ds389_instances:\n- name: {name}\n  rootpw: {MARK}\n  port: {port}\n  secure_port: {secure_port}\n  backends:\n  \
         - name: userroot\n    suffix: dc=example,dc=com\n    sample_entries: true\n{more}"
    )
}

/// Tasks and their results, as the database has them.
fn tasks(path: &str) -> Vec<(String, String)> {
    let database = rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut statement = database
        .prepare("select tasks.name, results.status from tasks join results on results.task_id = tasks.id order by tasks.id")
        .unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn a_report_is_written_of_what_was_done_of_nothing_and_of_a_failure() {
    let machine = Machine::new();
    let file = machine.file("directory.yml", &directory("cmdreport", ""));
    let place = |name: &str| machine.folder().join(name).display().to_string();

    let refused = machine.run(&["apply", &file, "--report", "s3://bucket/logs"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("`aviary ds389` does both"), "{}", refused.err);
    assert_eq!(machine.prefix.left(), [""; 0], "nothing is done when nothing will tell of it");

    let done = place("done.sqlite");
    let told = machine.json(&["apply", &file, "--report", &done]);
    assert_eq!((&told["report"], &told["error"]), (&json!(done), &json!(null)));
    let found = tasks(&done);
    for action in ["Creating instance slapd-cmdreport", "Starting instance slapd-cmdreport"] {
        assert!(found.iter().any(|(name, _)| name.contains(action)), "{action}: {found:?}");
    }

    let folder = place("reports");
    assert!(machine.works(&["apply", &file, "--report", &folder]).contains("The report is "));
    let report = machine.json(&["apply", &file, "--report", &folder])["report"].as_str().unwrap().to_owned();
    assert!(report.starts_with(&folder) && report.ends_with("/ara-report/ansible.sqlite"), "{report}");
    tasks(&report);

    let wrong = machine.file("wrong.yml", "ds389_instances: [{name: other}]\n");
    let failed = place("failed.sqlite");
    let outcome = machine.run(&["apply", &wrong, "--report", &failed]);
    assert!(outcome.code == 1 && outcome.err.contains("option 'rootpw' is missing"), "{outcome:?}");
    assert!(tasks(&failed).iter().any(|(_, status)| status == "failed"), "{:?}", tasks(&failed));
}

/// Everything that a server answers about a report: each list, and each thing in it.
fn answers(server: SocketAddr, base: &str) -> Vec<(String, Json)> {
    let mut connection = Connection::new(server);
    let mut get = |target: String| {
        // Links have the name by which the server was asked.
        let response = connection.send("GET", &target, &[("Host", "reports.example.org")]).unwrap();
        assert_eq!(response.status, 200, "{target}: {}", response.text());
        let answer = serde_json::from_slice(&response.body).unwrap_or_else(|error| panic!("{target}: {error}"));
        (target, answer)
    };
    let mut answers = Vec::new();
    for noun in ["playbooks", "plays", "tasks", "hosts", "results", "files", "records", "labels"] {
        let (target, list): (String, Json) = get(format!("{base}/api/v1/{noun}?limit=1000"));
        let ids: Vec<String> = list["results"].as_array().unwrap().iter().map(|row| row["id"].to_string()).collect();
        answers.push((target, list));
        answers.extend(ids.iter().map(|id| get(format!("{base}/api/v1/{noun}/{id}"))));
    }
    answers
}

/// The folder of a report, as in `/2026/ara-report`, below the root.
fn base(root: &str, report: &str) -> String {
    report.strip_prefix(root).and_then(|rest| rest.strip_suffix("/ansible.sqlite")).unwrap().to_owned()
}

#[test]
fn ara_and_aviary_tell_the_same_of_a_real_change_and_neither_a_secret() {
    let machine = Machine::new();
    let manager = format!(
        "    ReplicaRole: supplier\n    ReplicaId: 7\n    ReplicaBindDN: cn=replication manager,cn=config\n    \
         ReplicaCredentials: {MARK}-manager\n    agmts:\n    - name: one\n      ReplicaHost: 127.0.0.1\n      ReplicaPort: 1\n      \
         ReplicaBindDN: cn=replication manager,cn=config\n      ReplicaCredentials: {MARK}-agreement\n"
    );
    let file = machine.file("directory.yml", &directory("cmdara", &manager));
    let root = machine.folder().join("reports").display().to_string();
    let report = |arguments: &[&str]| {
        let told = machine.json(&[&["apply", &file, "--report", &root], arguments].concat());
        base(&root, told["report"].as_str().unwrap())
    };
    let reports = [report(&["--diff"]), report(&[]), report(&["--state", "absent", "--yes"])];
    settle(Path::new(&root));
    let ara = Ara::start(&Options::of(&root));
    let (url, _aviary) = tests::aviary::start(Path::new(&root), &[]);
    for report in &reports {
        let theirs = answers(ara.address(), report);
        let ours = answers(tests::aviary::address(&url), report);
        assert_eq!(theirs, ours);
        let text = format!("{ours:?}");
        assert!(text.contains("cmdara") && text.contains("******"), "{text}");
        assert!(!text.contains(MARK), "{report}: {text}");
    }
    let made = format!("{:?}", answers(ara.address(), &reports[0]));
    for said in ["Creating instance slapd-cmdara", "Creating backend userroot", "cn=replication manager,cn=config"] {
        assert!(made.contains(said), "{said}: {made}");
    }
}

#[test]
fn a_report_goes_into_a_bucket_and_is_read_there() {
    let machine = Machine::new();
    let file = machine.file("directory.yml", &directory("cmdbucket", ""));
    let bucket = Moto::shared().bucket();
    let apply = |url: &str| {
        let aviary = tests::target_dir().join("release/aviary");
        let arguments = ["ds389", "apply", &file, "--output", "json", "--report", url, "--prefix", machine.prefix.path()];
        let output = Command::new(aviary).args(arguments).output().unwrap();
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        let told: Json = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
        (output.status.code(), told)
    };
    let (code, told) = apply(&bucket.url_of_a_missing_one().unwrap());
    assert_eq!(code, Some(1), "{told}");
    assert!(told["error"].as_str().unwrap().starts_with("no report can be put into the store: "), "{told}");
    assert_eq!(machine.prefix.left(), [""; 0], "nothing is done when nothing will tell of it");

    let (code, told) = apply(&bucket.url_of("directories"));
    assert_eq!((code, &told["error"]), (Some(0), &json!(null)), "{told}");
    let place = told["report"].as_str().unwrap();
    let (url, _aviary) = tests::aviary::start(Path::new(&bucket.url()), &[]);
    let folder = place.split_once("/directories/").unwrap_or_else(|| panic!("{place}")).1.trim_end_matches("/ansible.sqlite");
    let found = format!("{:?}", answers(tests::aviary::address(&url), &format!("/directories/{folder}")));
    assert!(found.contains("Starting instance slapd-cmdbucket"), "{found}");
}

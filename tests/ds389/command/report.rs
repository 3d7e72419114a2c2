//! What an apply writes down of itself.

use serde_json::json;

use super::{Machine, ports};

#[test]
fn a_report_is_written_of_what_was_done_of_nothing_and_of_a_failure() {
    let machine = Machine::new();
    let (port, secure_port) = ports();
    let text =
        format!("ds389_instances: [{{name: cmdreport, rootpw: marked-secret, port: {port}, secure_port: {secure_port}}}]\n");
    let file = machine.file("directory.yml", &text);
    let place = |name: &str| machine.folder().join(name).display().to_string();

    let refused = machine.run(&["apply", &file, "--report", "s3://bucket/logs"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("`aviary ds389` does both"), "{}", refused.err);
    assert_eq!(machine.prefix.left(), [""; 0], "nothing is done when nothing will tell of it");

    let tasks = |path: &str| -> Vec<(String, String)> {
        assert!(!std::fs::read(path).unwrap().windows(13).any(|bytes| bytes == b"marked-secret"));
        let database = rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let mut statement = database
            .prepare("select tasks.name, results.status from tasks join results on results.task_id = tasks.id order by tasks.id")
            .unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    };
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

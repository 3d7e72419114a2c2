//! From nothing to a directory and back: plan, apply, facts, status, and what is lost on the way only when somebody said so.

use std::{
    io::{BufRead, BufReader, Read},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::{Value as Json, json};

use super::{Machine, ports};
use crate::machine::{halt, servers};

fn directory(name: &str, (port, secure_port): (u16, u16), more: &str) -> String {
    format!(
        "ds389_instances:\n- name: {name}\n  rootpw: secret-of-root\n  port: {port}\n  secure_port: {secure_port}\n  \
         backends:\n  - name: userroot\n    suffix: dc=example,dc=com\n{more}"
    )
}

/// Everything in the installation that a change could show in.
fn everything(machine: &Machine) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![std::path::PathBuf::from(machine.prefix.path()).join("etc")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_directory_is_planned_applied_told_and_removed() {
    let machine = Machine::new();
    let ports = ports();
    let file = machine.file("directory.yml", &directory("cmdwhole", ports, ""));
    let file = file.as_str();

    let plan = format!(
        "  + create instance cmdwhole\n      port         {}\n      rootpw       ******\n      secure_port  {}\n  \
         > Starting instance slapd-cmdwhole\n  + create instance cmdwhole, backend userroot\n      suffix  dc=example,dc=com\n  \
         > Adding entry dc=example,dc=com\n\nPlan: 2 to create, 0 to change, 0 to delete.\n",
        ports.0, ports.1
    );
    assert_eq!(machine.works(&["plan", file]), plan);
    assert_eq!(machine.run(&["plan", "--detailed-exitcode", file]).code, 3);
    assert_eq!(machine.works(&["apply", "--check", file]), plan);
    assert_eq!(machine.prefix.left(), [""; 0], "neither plan nor check makes anything");

    let applied = machine.works(&["apply", file]);
    let lines: Vec<&str> = applied.strip_prefix(&plan).unwrap().lines().filter(|line| !line.is_empty()).collect();
    let without_seconds: Vec<&str> = lines.iter().map(|line| line.split(" (").next().unwrap()).collect();
    let expected = [
        "  Creating instance slapd-cmdwhole",
        "  Starting instance slapd-cmdwhole",
        "  Creating backend userroot on suffix dc=example,dc=com",
        "  Adding entry dc=example,dc=com",
        "Done: 2 created, 0 changed, 0 deleted.",
    ];
    assert_eq!(without_seconds, expected);

    let nothing = "No changes: everything is as it should be.\n";
    assert_eq!(machine.works(&["apply", file]), nothing, "a second run has nothing to do");
    assert_eq!(machine.run(&["plan", "--detailed-exitcode", file]).code, 0);

    let told = machine.works(&["facts"]);
    let facts = machine.file("facts.yml", &told);
    assert_eq!(machine.works(&["plan", &facts, "--state", "updated"]), nothing, "{told}");
    let as_json = machine.file("facts.json", &machine.works(&["facts", "--output", "json"]));
    assert_eq!(machine.works(&["plan", &as_json]), nothing);
    assert!(told.contains(&format!("ds389_prefix: {}", machine.prefix.path())) && !told.contains("rootpw"), "{told}");

    let status = machine.json(&["status"]);
    let instance = &status["instances"][0];
    assert_eq!(
        (&instance["name"], &instance["running"], &instance["managed"], &instance["port"], &instance["secure_port"]),
        (&json!("cmdwhole"), &json!(true), &json!(true), &json!(ports.0), &json!(ports.1))
    );
    let shown = machine.works(&["status"]);
    assert!(
        shown.contains("instance cmdwhole: running, port ") && shown.contains("backend userroot: dc=example,dc=com"),
        "{shown}"
    );

    let refused = machine.run(&["apply", file, "--state", "absent"]);
    assert_eq!(refused.code, 1);
    assert!(refused.out.contains("all its data is lost") && refused.out.contains("1 to delete"), "{}", refused.out);
    assert_eq!(refused.err, "this deletes data, and there is no terminal to ask at: look at the plan, then add --yes\n");
    assert!(!machine.prefix.left().is_empty());
    assert!(machine.works(&["apply", file, "--state", "absent", "--yes"]).ends_with("Done: 0 created, 0 changed, 1 deleted.\n"));
    assert_eq!(machine.prefix.left(), [""; 0]);
}

#[test]
fn a_change_is_shown_from_what_to_what_and_check_changes_nothing() {
    let machine = Machine::new();
    let ports = ports();
    let file = machine.file("directory.yml", &directory("cmddiff", ports, ""));
    machine.works(&["apply", &file]);
    let more = "    indexes:\n    - name: roomnumber\n      indextype: eq\n";
    let changed = directory("cmddiff", ports, more).replace("  port:", "  nsslapd_idlistscanlimit: 4001\n  port:");
    let file = machine.file("directory.yml", &changed);

    let before = everything(&machine);
    let plan = machine.works(&["apply", "--check", "--diff", &file]);
    assert_eq!(everything(&machine), before);
    for expected in [
        "  ~ change instance cmddiff\n      nsslapd_idlistscanlimit  4000 → 4001\n",
        "  + create instance cmddiff, backend userroot, index roomnumber\n      IndexType  eq\n",
        "\nPlan: 1 to create, 1 to change, 0 to delete, 1 restart.\n",
        "\ndn: cn=config,cn=ldbm database,cn=plugins,cn=config\n-nsslapd-idlistscanlimit: 4000\n+nsslapd-idlistscanlimit: 4001\n",
        "\ndn: cn=roomnumber,cn=index,cn=userroot,cn=ldbm database,cn=plugins,cn=config\n+cn: roomnumber\n+nsIndexType: eq\n",
    ] {
        assert!(plan.contains(expected), "{expected}\nis not in\n{plan}");
    }

    // What check says is what apply does.
    let told = machine.json(&["plan", &file]);
    let applied = machine.json(&["apply", &file]);
    let without_time = |mut actions: Json| {
        for action in actions.as_array_mut().unwrap() {
            action.as_object_mut().unwrap().remove("milliseconds");
        }
        actions
    };
    assert_eq!(without_time(applied["done"].clone()), told["actions"]);
    assert_eq!((&applied["changed"], &applied["error"], &applied["left"]), (&json!(true), &Json::Null, &json!([])));
    assert_eq!(applied["summary"], told["summary"]);
    assert_eq!(applied["summary"], json!({"create": 1, "change": 1, "delete": 0, "start": 0, "stop": 0, "restart": 1}));
    assert_eq!(machine.json(&["plan", &file])["actions"], json!([]));
}

#[test]
fn instances_are_started_and_stopped_and_data_goes_only_after_a_yes() {
    let machine = Machine::new();
    let file = machine.file("directory.yml", &directory("cmdrun", ports(), ""));
    machine.works(&["apply", &file]);
    assert!(machine.works(&["apply", &file, "--state", "stopped"]).ends_with("Done: 0 created, 0 changed, 0 deleted, 1 stop.\n"));
    assert!(machine.works(&["status"]).contains("instance cmdrun: stopped"));
    assert!(
        machine.works(&["apply", &file, "--state", "started"]).ends_with("Done: 0 created, 0 changed, 0 deleted, 1 start.\n")
    );

    let smaller = machine.file("smaller.yml", std::fs::read_to_string(&file).unwrap().split("  backends:").next().unwrap());
    assert!(machine.works(&["plan", &smaller]).starts_with("No changes"), "present never deletes");
    let plan = machine.json(&["plan", &smaller, "--state", "updated"]);
    assert_eq!((&plan["deletes_data"], &plan["actions"][0]["action"]), (&json!(true), &json!("delete_backend")));
    // A terminal, at which somebody answers.
    let answered = |answer: &str| {
        let command = format!("{} apply {smaller} --state updated --prefix {}", super::binary().display(), machine.prefix.path());
        let mut child = Command::new("script")
            .args(["-qec", &command, "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        std::io::Write::write_all(&mut stdin, format!("{answer}\n").as_bytes()).unwrap();
        let mut out = String::new();
        child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        drop(stdin);
        (child.wait().unwrap().code(), out)
    };
    let (code, out) = answered("no");
    assert!(code == Some(1) && out.contains("nothing was changed"), "{out}");
    assert!(out.contains("\u{1b}[31m-\u{1b}[0m"), "colours are for terminals: {out:?}");
    let (code, out) = answered("yes");
    assert!(code == Some(0) && out.contains("Done: 0 created, 0 changed, 1 deleted."), "{out}");
}

#[test]
fn an_instance_of_somebody_else_is_left_alone_and_that_is_said() {
    let machine = Machine::new();
    let file = machine.file("directory.yml", &directory("cmdother", ports(), ""));
    machine.works(&["apply", &file]);
    std::fs::remove_file(format!("{}/etc/dirsrv/slapd-cmdother/aviary.json", machine.prefix.path())).unwrap();
    let none = machine.file("none.yml", "ds389_instances: []\n");
    for (command, state, why) in
        [("plan", "updated", "manage it"), ("apply", "updated", "manage it"), ("plan", "absent", "have it removed")]
    {
        let outcome = machine.run(&[command, &none, "--state", state]);
        let note = format!("note: instance slapd-cmdother is not managed by Aviary: it is left alone; list it to {why}\n");
        assert_eq!((outcome.code, outcome.out.starts_with("No changes"), outcome.err), (0, true, note), "{command} {state}");
    }
    let outcome = machine.run(&["plan", &none, "--state", "updated", "--output", "json"]);
    let told: Json = serde_json::from_str(&outcome.out).unwrap();
    assert_eq!((&told["unmanaged"], outcome.err.as_str()), (&json!(["cmdother"]), ""));
    assert_eq!(machine.json(&["plan", &none])["unmanaged"], Json::Null);
    assert!(machine.works(&["apply", &file, "--state", "absent", "--yes"]).contains("1 deleted"), "who lists it means it");
}

/// An apply of four actions that is at its second, which is to start a server, and cannot go on until `let_go`.
fn under_way(machine: &Machine, instance: &str, file: &str) -> (Child, impl Iterator<Item = String>) {
    let mut child = Command::new(super::binary())
        .args(["apply", file, "--prefix", machine.prefix.path()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    lines.find(|line| line.contains("Creating instance slapd-")).unwrap();
    while servers(&machine.prefix, instance).is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "it has ended");
        std::thread::yield_now();
    }
    halt(|| servers(&machine.prefix, instance));
    (child, lines)
}

fn let_go(machine: &Machine, instance: &str) {
    for id in servers(&machine.prefix, instance) {
        kill_process(Pid::from_raw(id).unwrap(), Signal::CONT).unwrap();
    }
}

/// As a terminal does it: to all who belong to the command.
fn interrupt(child: &Child) {
    let id = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    kill_process_group(id, Signal::INT).unwrap();
}

#[test]
fn a_signal_ends_it_after_the_action_that_it_is_at_and_applying_again_goes_on() {
    let machine = Machine::new();
    let file = machine.file("directory.yml", &directory("cmdstop", ports(), ""));
    let (mut child, lines) = under_way(&machine, "cmdstop", &file);
    interrupt(&child);
    let mut err = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(err.next().unwrap().starts_with("stopping after this action"));
    let_go(&machine, "cmdstop");
    let rest: Vec<String> = lines.collect();
    let err = err.collect::<Vec<_>>().join("\n");
    assert_eq!(child.wait().unwrap().code(), Some(1), "{rest:?}\n{err}");
    assert!(err.contains("stopped after 2 of 4 actions; apply again"), "{err}");
    assert!(rest.iter().any(|line| line.contains("Starting instance slapd-cmdstop (")), "{rest:?}");
    machine.works(&["apply", &file]);
    assert!(machine.works(&["plan", &file]).starts_with("No changes"));
}

#[test]
fn a_second_signal_ends_it_at_once_and_applying_again_goes_on() {
    let machine = Machine::new();
    let file = machine.file("directory.yml", &directory("cmdtwice", ports(), ""));
    let (mut child, lines) = under_way(&machine, "cmdtwice", &file);
    interrupt(&child);
    let mut err = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(err.next().unwrap().unwrap().starts_with("stopping after this action"));
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130), "{:?}", lines.collect::<Vec<_>>());
    let_go(&machine, "cmdtwice");
    machine.works(&["apply", &file]);
    assert!(machine.works(&["plan", &file]).starts_with("No changes"));
}

#[test]
fn the_status_tells_of_servers_that_do_not_answer_and_of_all_others() {
    let machine = Machine::new();
    let role = "    ReplicaRole: supplier\n    ReplicaId: 1\n";
    let second = directory("cmdloud", ports(), &role.replace("Id: 1", "Id: 2")).replacen("ds389_instances:\n", "", 1);
    let file = machine.file("directory.yml", &(directory("cmdmute", ports(), role) + &second));
    machine.works(&["apply", &file]);
    halt(|| servers(&machine.prefix, "cmdmute"));
    let told = machine.json(&["status"]);
    let text = machine.works(&["status"]);
    let_go(&machine, "cmdmute");
    assert_eq!(told["silent"].as_array().map(Vec::len), Some(1), "{told}");
    assert_eq!(told["silent"][0]["instance"], "cmdmute");
    assert_eq!(told["replication"].as_array().map(Vec::len), Some(1), "{told}");
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("instance cmdmute: ")).collect();
    assert_eq!(lines.len(), 2, "{text}");
    let error = told["silent"][0]["error"].as_str().unwrap();
    assert!(error.contains("slapd-cmdmute.socket"), "{error}");
}

#[test]
fn a_failure_says_how_far_it_came_and_how_to_go_on() {
    let machine = Machine::new();
    let taken = std::net::TcpListener::bind(("0.0.0.0", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let (file, free) = (machine.file("directory.yml", &directory("cmdfail", (port, 65535), "")), ports());
    for arguments in [&["plan", &file][..], &["apply", &file], &["apply", &file, "--check"]] {
        let outcome = machine.run(arguments);
        let expected = format!("failed to create instance slapd-cmdfail: port {port} of option 'port' cannot be used: ");
        assert!(outcome.code == 1 && outcome.err.starts_with(&expected), "{arguments:?}: {}", outcome.err);
        assert_eq!(machine.prefix.left(), [""; 0]);
    }
    machine.works(&["apply", &machine.file("free.yml", &directory("cmdfail", free, ""))]);
    let more = "  - name: more\n    suffix: dc=more\n";
    let moved = machine.file("moved.yml", &directory("cmdfail", (port, free.1), more));
    let told = machine.json(&["apply", &moved]);
    let error = told["error"].as_str().unwrap();
    assert!(error.starts_with("instance slapd-cmdfail keeps its ports: ") && error.contains(&port.to_string()), "{error}");
    let (done, left) = (told["done"].as_array().unwrap().len(), told["left"].as_array().unwrap().len());
    let expected = format!("; {done} of {} actions were done: when this is mended, apply again to go on", done + left);
    assert!(left > 1 && error.ends_with(&expected), "{error}");
}

#[test]
fn data_is_taken_out_and_put_back() {
    let machine = Machine::new();
    let file = machine.file("directory.yml", &directory("cmddata", ports(), "    sample_entries: true\n"));
    machine.works(&["apply", &file]);
    let place = |name: &str| machine.folder().join(name).to_str().unwrap().to_owned();
    let (ldif, backup) = (place("data.ldif"), place("backup"));
    assert!(machine.works(&["export", "cmddata", &ldif]).starts_with("instance cmddata (userroot) is exported to "));
    assert!(std::fs::read_to_string(&ldif).unwrap().contains("dn: dc=example,dc=com"));
    let asked = machine.run(&["import", "cmddata", "userroot", &ldif]);
    assert_eq!((asked.code, asked.err.contains("add --yes")), (1, true));
    let imported = machine.json(&["import", "cmddata", "userroot", &ldif, "--yes"]);
    assert_eq!(
        (&imported["instance"], &imported["backend"], &imported["skipped"]),
        (&json!("cmddata"), &json!("userroot"), &json!([]))
    );
    machine.works(&["backup", "cmddata", &backup]);
    assert_eq!(machine.run(&["restore", "cmddata", &backup]).code, 1);
    let restored = machine.works(&["restore", "cmddata", &backup, "--yes"]);
    assert!(restored.ends_with(", and runs\n"), "{restored}");
    let unknown = machine.run(&["export", "other", &ldif]);
    assert_eq!((unknown.code, unknown.err.starts_with("there is no instance 'other' on this host; ")), (1, true), "{unknown:?}");
}

//! Whatever is wrong with what it is given, the command says it in one line each: what, where, and what to do.

use super::{Machine, run};

#[test]
fn each_malformed_file_gives_one_clear_error() {
    let machine = Machine::new();
    for (text, expected) in [
        ("", "FILE has no variable that is about 389 DS: it needs ds389_instances at least"),
        ("hello: world\n", "FILE has no variable that is about 389 DS: it needs ds389_instances at least"),
        ("all:\n  hosts:\n    vm1:\n", "FILE looks like the inventory itself: give what ansible-inventory --list prints of it"),
        ("- a\n- b\n", "FILE:1:1: wants variables with their names, not a list"),
        ("ds389_instances: [{name: a\n", "FILE:2:1: while parsing a flow mapping, did not find expected ',' or '}'"),
        ("{\"ds389_instances\": [}", "FILE:1:22: expected value"),
        (
            "ds389_instances:\n\t- name: a\n",
            "FILE:2:2: a tab cannot stand here; indent with spaces, or quote a text that holds a tab",
        ),
        (
            "ds389_instances: []\nds389_instances: []\n",
            "FILE:2:1: key 'ds389_instances' is written twice, first at line 1, column 1",
        ),
        ("ds389_instancs: []\n", "FILE:1:1: variable 'ds389_instancs' is unknown; did you mean 'ds389_instances'?"),
        ("ds389_instances: {}\n", "FILE:1:18: 'ds389_instances' wants a list, not a dictionary"),
        ("ds389_instances: [x]\n", "FILE:1:19: 'ds389_instances[0]' wants a dictionary, not a string"),
        ("ds389_instances:\n- prot: 1\n", "FILE:2:3: an instance has no 'name'"),
        ("ds389_instances:\n- name: a\n  prot: 1\n", "FILE:3:3: instance a: option 'prot' is unknown; did you mean 'port'?"),
        (
            "ds389_instances:\n- name: a\n  port: 65536\n",
            "FILE:3:9: instance a: option 'port' wants a number from 0 to 65535, not 65536",
        ),
        (
            "ds389_instances:\n- name: a\n  backends: [{name: b, suffix: nonsense}]\n",
            "FILE:3:32: instance a, backend b: option 'suffix' wants a DN: 'nonsense' is no distinguished name: '=' and a value must follow 'nonsense', at character 9",
        ),
        (
            "ds389_instances:\n- name: a\n  port: '{{ port }}'\n",
            "FILE:3:9: ds389_instances[0].port is a template that was not rendered: {{ port }}; write its value: only Ansible renders templates",
        ),
        (
            "ds389_instances: [{name: a}]\nds389_option_x: [{name: nobody, merge: {port: 1}}]\n",
            "FILE:2:18: ds389_option_x[0] finds nothing that is called 'nobody'",
        ),
        (
            "ds389_instances: [{name: a, backends: [{name: b, suffix: dc=x, ReplicaRole: supplier}]}]\n",
            "FILE:1:40: instance a, backend b: backend HOST.a.b is a supplier but has no ReplicaId: give it one from 1 to 65534",
        ),
        (
            "state: gone\nds389_instances: []\n",
            "FILE:1:8: 'state' wants one of present, updated, absent, started, stopped, not 'gone'",
        ),
    ] {
        let file = machine.file("bad.yml", text);
        for subcommand in ["validate", "plan", "apply"] {
            let outcome = machine.run(&[subcommand, &file, "--host", "HOST"]);
            let expected = format!("{}\n", expected.replace("FILE", &file));
            let first = outcome.err.lines().next().unwrap_or_default();
            // What YAML's parser says of broken syntax is its own.
            let is_as_expected =
                outcome.err == expected || (expected.contains("did not find") && first.starts_with(&format!("{file}:")));
            assert!(
                outcome.code == 1 && outcome.out.is_empty() && is_as_expected,
                "{text}\nis:     {}should: {expected}",
                outcome.err
            );
        }
    }
    assert_eq!(machine.prefix.left(), [""; 0]);
}

#[test]
fn all_that_is_wrong_is_told_at_once_for_people_and_programs() {
    let machine = Machine::new();
    let text = "ds389_instances:\n- name: a\n  prot: 1\n- name: b\n  port: x\n  backends: [{name: c}]\n";
    let file = machine.file("bad.yml", text);
    let outcome = machine.run(&["validate", &file]);
    let lines: Vec<&str> = outcome.err.lines().collect();
    assert_eq!(lines.len(), 3, "{}", outcome.err);
    let told = machine.json(&["validate", &file]);
    assert_eq!(told["problems"].as_array().unwrap().len(), 3);
    let first = &told["problems"][0];
    assert_eq!((first["line"].as_u64(), first["column"].as_u64(), first["place"].as_str()), (Some(3), Some(3), Some("a")));
    assert_eq!(told["error"].as_str().unwrap(), outcome.err.trim_end());
}

#[test]
fn what_cannot_be_read_or_used_is_told() {
    let machine = Machine::new();
    let folder = machine.folder().display().to_string();
    let binary = format!("{folder}/binary");
    std::fs::write(&binary, [b'a', 0xff, b'b']).unwrap();
    let good = machine.file("good.yml", "ds389_instances: []\n");
    let check = |arguments: &[&str], code: i32, expected: &str| {
        let outcome = run(arguments, "");
        assert!(
            outcome.code == code && outcome.err.starts_with(expected),
            "{arguments:?}: {outcome:?}\nshould begin: {expected}"
        );
        assert_eq!(outcome.err.lines().count(), 1, "{}", outcome.err);
    };
    let missing = format!("{folder}/missing");
    check(&["plan", &missing], 1, &format!("failed to read {missing}: No such file or directory (os error 2)\n"));
    check(&["plan", &folder], 1, &format!("failed to read {folder}: Is a directory (os error 21)\n"));
    check(&["plan", &binary], 1, &format!("{binary} is no text in UTF-8: byte 2 is the first that is none\n"));
    check(&["plan", "-"], 1, "standard input has no variable that is about 389 DS: it needs ds389_instances at least\n");
    let expected =
        format!("no 389 Directory Server is below the prefix {folder}: there is no {folder}/share/dirsrv/inf/defaults.inf");
    check(&["plan", &good, "--prefix", &folder], 1, &expected);
    check(&["facts", "--prefix", &folder], 1, &expected);
    // Another version in the same installation.
    let inf = format!("{}/share/dirsrv/inf/defaults.inf", machine.prefix.path());
    let text = std::fs::read_to_string(&inf).unwrap();
    let old: Vec<&str> = text.lines().map(|line| if line.starts_with("version") { "version = 1.4.4" } else { line }).collect();
    std::fs::write(&inf, old.join("\n")).unwrap();
    check(&["status", "--prefix", machine.prefix.path()], 1, "389 Directory Server 1.4.4 is too old: 2.0.0 or newer is needed");
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    for arguments in [&["plan"][..], &["plan", "a", "--prefix", "relative"], &["plan", "a", "--state", "gone"], &["nothing"]] {
        let outcome = run(arguments, "");
        assert!(outcome.code == 2 && outcome.err.starts_with("error: "), "{arguments:?}: {outcome:?}");
    }
}

#[test]
fn a_disk_that_is_full_is_told_and_nothing_half_made_stays() {
    if !rustix::process::getuid().is_root() {
        println!("only root can mount disks that are small");
        return;
    }
    let (port, secure_port) = tests::installation::ports();
    let text = format!(
        "ds389_instances: [{{name: cmdfull, rootpw: secret-of-root, port: {port}, secure_port: {secure_port}, \
         backends: [{{name: userroot, suffix: 'dc=test'}}]}}]\n"
    );
    for folder in ["etc/dirsrv", "var/lib/dirsrv"] {
        let machine = Machine::new();
        let file = machine.file("full.yml", &text);
        let disk = format!("{}/{folder}", machine.prefix.path());
        std::fs::create_dir_all(&disk).unwrap();
        // The disk is there for the command alone, and gone with it. What it holds then is listed at the end.
        let kept = machine.folder().join("kept").display().to_string();
        let script = format!(
            "set -e
            cp -a {disk} {kept}
            mount -t tmpfs -o size=16m,mode=755 none {disk}
            cp -a {kept}/. {disk}
            free=$(df --output=avail -k {disk} | tail -n1)
            head -c $(((free - 100) * 1024)) /dev/zero >{disk}/filler
            {} apply {file} --output json --prefix {} || true
            find {disk} >{kept}.list",
            super::binary().display(),
            machine.prefix.path()
        );
        let output = std::process::Command::new("unshare").args(["--mount", "sh", "-c", &script]).output().unwrap();
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        let told: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
        let found = std::fs::read_to_string(format!("{kept}.list")).unwrap();
        let said = told["error"].as_str().unwrap();
        let expected = format!("failed to create instance slapd-cmdfull: no space left: {disk} has ");
        assert!(said.starts_with(&expected) && said.contains("make room"), "{told}\n{err}");
        assert!(!found.contains("cmdfull"), "{found}");
        assert_eq!(machine.prefix.left(), [""; 0]);
    }
}

#[test]
fn whoever_may_not_read_the_configuration_is_told_who_may() {
    if !rustix::process::getuid().is_root() {
        println!("only root can become somebody else");
        return;
    }
    let machine = Machine::new();
    let (port, secure_port) = tests::installation::ports();
    let file = machine.file(
        "one.yml",
        &format!("ds389_instances: [{{name: cmdright, rootpw: secret-of-root, port: {port}, secure_port: {secure_port}}}]\n"),
    );
    machine.works(&["apply", &file]);
    // A binary that everybody may start.
    let binary = machine.folder().join("aviary-ds389");
    std::fs::copy(super::binary(), &binary).unwrap();
    let output = std::process::Command::new("setpriv")
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(&binary)
        .args(["plan", &file, "--prefix", machine.prefix.path()])
        .output()
        .unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && err.contains("Permission denied"), "{err}");
    assert!(err.ends_with("run this as root, or as the user whom the server runs as\n"), "{err}");
}

//! Values and files that the real ansible-vault has encrypted.

use super::{Machine, ansible, ports, run};

/// What `ansible-vault encrypt_string` makes of a value, as the value of a key at this indentation.
fn encrypted(machine: &Machine, password: &str, id: Option<&str>, value: &str) -> String {
    let file = machine.file("encrypting", password);
    let mut command = ansible("ansible-vault");
    command.arg("encrypt_string");
    match id {
        Some(id) => command.args(["--vault-id", &format!("{id}@{file}"), "--encrypt-vault-id", id]),
        None => command.args(["--vault-password-file", &file]),
    };
    let output = command.arg(value).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn vaulted_values_and_files_are_opened_with_the_right_password_and_no_other() {
    let machine = Machine::new();
    let plain = encrypted(&machine, "first password\n", None, "secret-of-root");
    let port = ports().0.to_string();
    let labelled = encrypted(&machine, "second", Some("prod"), &port);
    let foreign = encrypted(&machine, "third", None, "nobody asks");
    let text = format!(
        "database_password: {foreign}\nds389_instances:\n- name: a\n  rootpw: {plain}\n  self_sign_cert: no\n  port: {labelled}\n"
    );
    let file = machine.file("vars.yml", &text);
    let (first, second) = (machine.file("first", "first password"), machine.file("second", "second\n"));
    let labelled = format!("prod@{second}");

    let good = ["--vault-password-file", first.as_str(), "--vault-password-file", labelled.as_str()];
    let plan = machine.works(&[&["plan", file.as_str()], &good[..]].concat());
    assert!(plan.contains(&format!("      port            {port}\n      rootpw          ******\n")), "{plan}");

    let check = |options: &[&str], expected: &[&str]| {
        let outcome = run(&[&["validate", file.as_str()], options].concat(), "");
        let lines: Vec<&str> = outcome.err.lines().map(|line| line.strip_prefix(&format!("{file}:")).unwrap_or(line)).collect();
        let without_place: Vec<&str> = lines.iter().map(|line| line.split_once(": ").map_or(*line, |(_, rest)| rest)).collect();
        assert_eq!((outcome.code, without_place.as_slice()), (1, expected));
        assert!(!outcome.err.contains("secret-of-root") && !outcome.err.contains("first password"));
    };
    check(
        &[],
        &[
            "ds389_instances[0].rootpw is vaulted: say in which file its password is by --vault-password-file",
            "ds389_instances[0].port is vaulted: say in which file its password is by --vault-password-file",
        ],
    );
    check(
        &["--vault-password-file", &first],
        &["ds389_instances[0].port is vaulted, and none of the vault passwords opens it (its vault id is 'prod')"],
    );

    // The file as a whole.
    let output = ansible("ansible-vault").args(["encrypt", "--vault-password-file", &first, &file]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("$ANSIBLE_VAULT;1.1;AES256\n"));
    assert!(machine.works(&[&["plan", file.as_str()], &good[..]].concat()).contains("rootpw          ******"));
    // A program that gives the password may ask somebody for it: once.
    let asked = machine.folder().join("asked");
    let program = machine.file("ask", &format!("#!/bin/sh\necho once >>{}\necho first password\n", asked.display()));
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    machine.works(&["plan", &file, "--vault-password-file", &program, "--vault-password-file", &labelled]);
    assert_eq!(std::fs::read_to_string(asked).unwrap(), "once\n");
    let outcome = run(&["validate", &file, "--vault-password-file", &second], "");
    assert_eq!((outcome.code, outcome.err), (1, format!("{file} is vaulted, and none of the vault passwords opens it\n")));
}

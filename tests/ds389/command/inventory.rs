//! The JSON of the real `ansible-inventory --list`, and what Ansible marks in it and in files of variables.

use serde_json::json;

use super::{Machine, ansible, ports, run};

const HOSTS: &str = "\
all:
  vars:
    state: Bavaria
  hosts:
    sup1.example.org:
      replica_id: 1
      ds389_option_id: [{name: main.userroot, merge: {ReplicaId: 1}}]
    sup2.example.org:
      ansible_host: 192.0.2.2
      ds389_option_id: [{name: main.userroot, merge: {ReplicaId: 2}}]
    app.example.org:
      app_secret: '{{ somebody_elses }}'
  children:
    directories:
      hosts:
        sup1.example.org:
        sup2.example.org:
      vars:
        ds389_agmts:
        - target: '*.userroot'
        ds389_instances:
        - name: main
          rootpw: !vault |
";

const BACKENDS: &str = "
          backends:
          - name: userroot
            suffix: dc=example,dc=com
            ReplicaRole: supplier
            ReplicaBindDN: cn=replication manager,cn=config
            ReplicaCredentials: secret-of-replication
";

#[test]
fn what_ansible_inventory_lists_is_planned_for_one_host_with_the_targets_of_all() {
    let machine = Machine::new();
    let password = machine.file("password", "of the vault");
    let vaulted =
        ansible("ansible-vault").args(["encrypt_string", "--vault-password-file", &password, "secret-of-root"]).output().unwrap();
    let vaulted = String::from_utf8(vaulted.stdout).unwrap();
    let vaulted: Vec<String> = vaulted.lines().skip(1).map(|line| format!("            {}", line.trim())).collect();
    let ports = ports();
    let inventory = machine.file(
        "hosts.yml",
        &format!("{HOSTS}{}\n          port: {}\n          secure_port: {}{BACKENDS}", vaulted.join("\n"), ports.0, ports.1),
    );
    let listed = ansible("ansible-inventory").args(["-i", &inventory, "--list"]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();

    let common = ["--vault-password-file", password.as_str(), "--prefix", machine.prefix.path()];
    let valid = run(&["validate", "-", common[0], common[1]], &listed);
    assert_eq!((valid.code, valid.err.as_str()), (0, ""));
    let expected = "standard input: host app.example.org: 0 instances, 0 backends, 0 indexes, 0 agreements\n\
                    standard input: host sup1.example.org: 1 instance, 1 backend, 0 indexes, 1 agreement\n\
                    standard input: host sup2.example.org: 1 instance, 1 backend, 0 indexes, 1 agreement\n";
    assert_eq!(valid.out, expected);

    let plan = run(&[&["plan", "-", "--host", "sup1.example.org", "--output", "json"], &common[..]].concat(), &listed);
    assert_eq!(plan.err, "");
    let plan: serde_json::Value = serde_json::from_str(&plan.out).unwrap();
    let agreement = plan["actions"].as_array().unwrap().iter().find(|action| action["action"] == "create_agreement").unwrap();
    assert_eq!(
        agreement["object"],
        json!("instance main, backend userroot, agreement ansible-target: sup2.example.org.main.userroot")
    );
    let host = agreement["changes"].as_array().unwrap().iter().find(|change| change["option"] == "ReplicaHost").unwrap();
    assert_eq!(host["after"], json!("192.0.2.2"));
    for secret in ["secret-of-root", "secret-of-replication", "of the vault"] {
        assert!(!plan.to_string().contains(secret));
    }

    let check = |host: &[&str], expected: &str| {
        let outcome = run(&[&["plan", "-"], host, &common[..]].concat(), &listed);
        assert_eq!((outcome.code, outcome.err), (1, format!("{expected}\n")));
    };
    let hosts = "app.example.org, sup1.example.org, sup2.example.org";
    check(&["--host", "sup3"], &format!("standard input: host 'sup3' is not in the inventory; it has {hosts}"));
    let own = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let message = "which host this is has to be said by --host: none has the name of this machine,";
    check(&[], &format!("standard input: {message} '{}'; the inventory has {hosts}", own.trim()));
    let message =
        "has no variable for host app.example.org that is about 389 DS: give it ds389_instances, or name another by --host";
    check(&["--host", "app.example.org"], &format!("standard input {message}"));
}

#[test]
fn a_password_that_only_looks_like_a_template_is_taken_from_an_inventory_and_from_a_file() {
    let machine = Machine::new();
    let (port, secure_port) = ports();
    let passwords = ["pa{{ssword", "pa{%ssword}}"];
    let variables = |password: &str| {
        format!(
            "ds389_instances: [{{name: marked, rootpw: !unsafe '{password}', self_sign_cert: no, port: {port}, \
             secure_port: {secure_port}}}]"
        )
    };
    let inventory = machine.file("hosts.yml", &format!("all: {{hosts: {{one: {{{}}}}}}}", variables(passwords[0])));
    let listed = ansible("ansible-inventory").args(["-i", &inventory, "--list"]).output().unwrap();
    let listed = machine.file("listed.json", &String::from_utf8(listed.stdout).unwrap());
    let file = machine.file("vars.yml", &variables(passwords[1]));
    for ((file, host), password) in [(&listed, "one"), (&file, "here")].into_iter().zip(passwords) {
        let arguments = [file.as_str(), "--host", host, "--prefix", machine.prefix.path()];
        for command in [&["plan", "--diff", "-vvv"][..], &["apply", "--yes", "-vvv"], &["plan", "--detailed-exitcode"]] {
            let outcome = run(&[command, &arguments].concat(), "");
            let told = outcome.out + &outcome.err;
            assert_eq!(outcome.code, 0, "{command:?}: {told}");
            assert!(!told.contains("pa{"), "{told}");
        }
        let socket = format!("ldapi://{}", format!("{}/run/slapd-marked.socket", machine.prefix.path()).replace('/', "%2F"));
        let mut bind = std::process::Command::new("ldapwhoami");
        bind.args(["-x", "-H", &socket, "-D", "cn=Directory Manager", "-w", password]);
        assert!(bind.output().unwrap().status.success(), "{password}");
    }
}

//! Suppliers that are gone for good, and those that are to forget them.

use std::time::{Duration, Instant};

use serde_json::Value as Json;
use tests::installation::ports;

use super::Machine;

/// A supplier that sends to another one of this host.
fn supplier(name: &str, id: u8, (port, secure_port): (u16, u16), to: u16) -> String {
    format!(
        "- name: {name}\n  rootpw: secret-of-root\n  port: {port}\n  secure_port: {secure_port}\n  backends:\n  - name: userroot\n    \
         suffix: dc=example,dc=com\n    ReplicaRole: supplier\n    ReplicaId: {id}\n    \
         ReplicaBindDN: cn=replication manager,cn=config\n    ReplicaCredentials: secret-of-replication\n    agmts:\n    \
         - {{name: other, ReplicaHost: localhost, ReplicaPort: {to}, ReplicaTransportInfo: LDAP, Initialise: {},\n        \
         ReplicaBindDN: 'cn=replication manager,cn=config', ReplicaCredentials: secret-of-replication}}\n",
        if id == 1 { "OnCreate" } else { "Never" }
    )
}

/// The suppliers whose changes an instance knows of.
fn known(machine: &Machine, name: &str) -> Vec<i64> {
    let told = machine.json(&["status"]);
    let of_one = told["replication"].as_array().unwrap().iter().find(|replica| replica["instance"] == name).cloned();
    let elements = of_one.unwrap_or_default()["ruv"]["elements"].as_array().cloned().unwrap_or_default();
    elements.iter().filter_map(|element| element["id"].as_i64()).collect()
}

#[test]
fn a_supplier_that_is_gone_is_forgotten_when_somebody_says_so() {
    let machine = Machine::new();
    let (one, two) = (ports(), ports());
    let second = supplier("cmdgone", 2, two, one.0);
    let both = format!("ds389_instances:\n{}{second}", supplier("cmdstays", 1, one, two.0));
    machine.works(&["apply", "--yes", &machine.file("both.yml", &both)]);
    let end = Instant::now() + Duration::from_secs(120);
    while known(&machine, "cmdstays").len() < 2 {
        assert!(Instant::now() < end, "{}", machine.works(&["status"]));
        std::thread::park_timeout(Duration::from_millis(200));
    }
    let alone = both.replace(&second, "").replace("    agmts:", "    agmts: []\n    unused:");
    let alone = alone.split("    unused:").next().unwrap().to_owned();
    machine.works(&["apply", "--state", "updated", "--yes", &machine.file("alone.yml", &alone)]);
    assert_eq!(known(&machine, "cmdstays"), [1, 2], "removing it lets nobody forget it");

    for (arguments, problem) in [
        (["cmdstays", "userroot", "1"], "that is its own number"),
        (["cmdstays", "other", "2"], "there is no such backend"),
        (["nobody", "userroot", "2"], "there is no such backend"),
        (["cmdstays", "userroot", "2"], "there is no terminal to ask at"),
    ] {
        let outcome = machine.run(&[&["forget"], &arguments[..]].concat());
        assert!(outcome.code == 1 && outcome.err.contains(problem), "{arguments:?}: {outcome:?}");
    }
    let out = machine.works(&["forget", "slapd-cmdstays", "userroot", "2", "--yes"]);
    assert!(out.contains("Cleaning replica id 2 from suffix dc=example,dc=com ("), "{out}");
    assert_eq!(known(&machine, "cmdstays"), [1]);
    let told: Json = machine.json(&["forget", "cmdstays", "userroot", "2", "--yes"]);
    assert_eq!(told["changed"], false, "{told}");
    assert!(machine.works(&["plan", &machine.file("alone.yml", &alone)]).starts_with("No changes"));
}

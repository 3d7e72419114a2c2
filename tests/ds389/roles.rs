//! Each part in replication, and the ways between them.

use crate::machine::{Machine, instance};

const ROLES: [&str; 5] = ["none", "consumer", "hub", "supplier 1", "supplier 2"];

fn part(role: &str) -> String {
    let bind = "ReplicaBindDN: 'cn=replication manager,cn=config', ReplicaCredentials: secret34";
    match role.split_once(' ') {
        Some((role, id)) => format!("ReplicaRole: {role}, ReplicaId: {id}, {bind}"),
        None if role == "none" => "ReplicaRole: None".to_owned(),
        None => format!("ReplicaRole: {role}, {bind}"),
    }
}

#[tokio::test]
async fn every_part_leads_to_every_other() {
    let machine = Machine::new();
    let one = instance("parts", ", backends: [{name: root, suffix: 'dc=test', PART}]");
    for from in ROLES {
        for to in ROLES {
            let done = machine.apply(&one.replace("PART", &part(from))).await;
            println!("to {from}: {done:?}");
            let done = machine.apply(&one.replace("PART", &part(to))).await;
            println!("{from} -> {to}: {done:?}");
        }
    }
}

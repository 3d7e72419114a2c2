//! Each part in replication, and the ways between them, on the real server.

use directory::specification::Role;

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

/// From one part to each of them, and back.
async fn from(name: &str, from: &str) {
    let machine = Machine::new();
    let one = instance(name, ", backends: [{name: root, suffix: 'dc=test', PART}]");
    for to in ROLES {
        for role in [from, to] {
            machine.apply(&one.replace("PART", &part(role))).await;
            is_sound(&machine, name, role).await;
        }
    }
}

/// The server knows its part, and takes or refuses what it then has to.
async fn is_sound(machine: &Machine, name: &str, role: &str) {
    let takes = |codes: &'static [u32]| async move {
        let entry = directory::entry::Entry::new("ou=x,dc=test".parse().unwrap());
        let entry = entry.with("objectClass", &["top", "organizationalUnit"]).with("ou", &["x"]);
        let mut connection = machine.connect(name).await;
        match connection.add(&entry, &[]).await {
            Ok(()) => {
                assert!(codes.is_empty() || codes.contains(&0), "{role}: it takes entries");
                connection.delete(&entry.dn).await.unwrap();
            }
            Err(agent::ldap::Error::Refused { code, .. }) => assert!(codes.contains(&code), "{role}: {code}"),
            Err(error) => panic!("{role}: {error}"),
        }
    };
    let found = machine.host.replication().await.unwrap().replicas;
    if role == "none" {
        assert_eq!(found, []);
        return takes(&[]).await;
    }
    let replica = &found[0];
    assert!(replica.ruv.is_some(), "{role}: the server has no replica");
    match role {
        "consumer" => assert_eq!((replica.role, replica.id), (Role::Consumer, None)),
        "hub" => assert_eq!((replica.role, replica.id), (Role::Hub, None)),
        "supplier 1" => assert_eq!((replica.role, replica.id), (Role::Supplier, Some(1))),
        _ => assert_eq!((replica.role, replica.id), (Role::Supplier, Some(2))),
    }
    // Whoever is no supplier sends clients elsewhere, if it knows where: 10 is a referral.
    match replica.role {
        Role::Supplier => takes(&[]).await,
        Role::Hub => takes(&[1, 10]).await,
        // Nobody has initialised it, so it has nowhere to send clients, and takes what they bring.
        Role::Consumer => takes(&[0, 1, 10]).await,
    }
}

#[tokio::test]
async fn no_part_leads_to_every_other() {
    from("fromnone", "none").await;
}

#[tokio::test]
async fn a_consumer_becomes_every_other() {
    from("fromconsumer", "consumer").await;
}

#[tokio::test]
async fn a_hub_becomes_every_other() {
    from("fromhub", "hub").await;
}

#[tokio::test]
async fn a_supplier_becomes_every_other() {
    from("fromsupplier", "supplier 1").await;
}

#[tokio::test]
async fn a_server_that_was_killed_after_its_number_changed_has_its_replica() {
    let machine = Machine::new();
    let one = instance("renumbered", ", backends: [{name: root, suffix: 'dc=test', PART}]");
    for role in ["supplier 1", "hub", "supplier 1", "consumer", "supplier 2"] {
        machine.apply(&one.replace("PART", &part(role))).await;
        machine.kill("renumbered");
        assert_eq!(machine.apply(&one.replace("PART", &part(role))).await, ["Starting instance slapd-renumbered"]);
        is_sound(&machine, "renumbered", role).await;
    }
}

#[tokio::test]
async fn a_server_that_dies_of_being_a_consumer_no_more_is_none_afterwards() {
    let machine = Machine::new();
    let one = instance("dying", ", backends: [{name: root, suffix: 'dc=test', PART}]");
    machine.apply(&one.replace("PART", &part("consumer"))).await;
    let before = machine.process("dying");
    // What a plan for this version avoids.
    let mut plan = machine.plan(&one.replace("PART", &part("none"))).await.unwrap();
    plan.retain(|action| action.messages() == ["Delete replica for suffix dc=test"]);
    let mut said = Vec::new();
    let mut progress = |event: agent::host::Event<'_>| {
        if let agent::host::Event::Says(_, text) = event {
            said.push(text.to_owned());
        }
    };
    machine.host.carry_out(&plan, &mut progress).await.unwrap();
    if before != machine.process("dying") {
        assert!(said[0].contains("the server has died of it"), "{said:?}");
    }
    is_sound(&machine, "dying", "none").await;
    assert_eq!(machine.apply(&one.replace("PART", &part("none"))).await, [""; 0]);
}

#[tokio::test]
async fn a_replica_has_its_options_and_its_manager_the_password_that_was_given() {
    let machine = Machine::new();
    let one = instance("managed", ", backends: [{name: root, suffix: 'dc=test', PART}]");
    let hub = one.replace("PART", &format!("{}, ReplicaPurgeDelay: 1000, ChangelogMaxAge: 2d", part("hub")));
    machine.apply(&hub).await;
    let replica = "cn=replica,cn=dc\\3Dtest,cn=mapping tree,cn=config";
    let changelog = "cn=changelog,cn=root,cn=ldbm database,cn=plugins,cn=config";
    let manager = "Updating password on entry cn=replication manager,cn=config";
    let (delay, age) =
        (format!("Set nsDS5ReplicaPurgeDelay:2000 in {replica}"), format!("Set nsslapd-changelogmaxage:30h in {changelog}"));
    for (from, to, expected) in [
        ("Delay: 1000", "Delay: 1000", vec![]),
        ("Delay: 1000", "Delay: 2000", vec![delay.as_str()]),
        ("Age: 2d", "Age: 30h", vec![age.as_str()]),
        ("secret34", "secret56", vec![manager]),
        // The same again: the test was a bind.
        ("secret34", "secret56", vec![]),
    ] {
        let changed = hub.replace("Delay: 1000", if expected == [delay.as_str()] { to } else { "Delay: 2000" });
        let changed = match from {
            "Delay: 1000" => hub.replace(from, to),
            _ => changed.replace(from, to),
        };
        let changed = if from == "secret34" { changed.replace("Age: 2d", "Age: 30h") } else { changed };
        assert_eq!(machine.apply(&changed).await, expected, "{from} to {to}");
    }
}

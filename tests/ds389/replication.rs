//! Servers that replicate: what is written to one comes to all, whoever was away meanwhile, whatever number it has.

use std::time::Duration;

use agent::host::Event;
use directory::replication::Colour;

use crate::{
    machine::{Authority, Machine, fleet, instance, until, until_within},
    replicas::{BIND, comes, goes, host, host_like, is_green, machine_name, prepare, secured, sends_writers_away, unit},
};

/// How long servers may take to forget a number: whoever was not ready when another looked is looked at again after 10 seconds, then 20,
/// 40 and so on, and each server waits so for the others.
const CLEANED: Duration = Duration::from_secs(700);

#[tokio::test]
async fn three_suppliers_replicate_over_ldaps_and_one_that_was_away_catches_up() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, name) = (Authority::new(folder.path(), "authority"), machine_name());
    let machines = [Machine::new(), Machine::new(), Machine::new()];
    let names = ["mesha", "meshb", "meshc"];
    let hosts = ["vm1", "vm2", "vm3"];
    let part = |id: usize| format!("supplier, ReplicaId: {id}");
    let agreement = |index: usize| if index == 0 { "{target: '*', Initialise: OnCreate}" } else { "{target: '*'}" };
    let texts: Vec<(&str, String)> = (0..3)
        .map(|index| (hosts[index], host(names[index], &part(index + 1), ", ReplicaTransportInfo: LDAPS", agreement(index))))
        .collect();
    let wanted = fleet(&texts);
    for index in [1, 2, 0] {
        prepare(&machines[index], &wanted[index], &authority, &name).await;
        machines[index].meet(&secured(&wanted[index], &name)).await;
    }
    let everywhere = async |dn: &str| {
        for (machine, name) in machines.iter().zip(names) {
            comes(machine, name, dn).await;
        }
    };
    for (machine, name) in machines.iter().zip(names) {
        unit(machine, name, name).await;
        everywhere(&format!("ou={name},dc=test")).await;
    }
    for index in 0..3 {
        for other in (0..3).filter(|other| *other != index) {
            is_green(&machines[index], names[index], &format!("{}.root", names[other])).await;
        }
    }
    let stopped = format!("state: stopped\n{}", texts[2].1);
    assert_eq!(machines[2].apply(&stopped).await, ["Stopping instance slapd-meshc"]);
    assert_eq!(machines[2].replica("meshc").await.colour(), Colour::Red);
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    unit(&machines[0], "mesha", "meanwhile").await;
    unit(&machines[1], "meshb", "also").await;
    comes(&machines[1], "meshb", "ou=meanwhile,dc=test").await;
    let look = || machines[0].agreement("mesha", "meshc.root");
    let away = until(look, |agreement| agreement.colour == Colour::Red && agreement.lag > Some(0)).await;
    assert!(away.update.unwrap().text.contains("Can't contact LDAP server"));
    machines[2].meet(&secured(&wanted[2], &name)).await;
    everywhere("ou=meanwhile,dc=test").await;
    everywhere("ou=also,dc=test").await;
    let look = || machines[0].agreement("mesha", "meshc.root");
    until(look, |agreement| agreement.colour == Colour::Green && agreement.lag == Some(0)).await;
    // What one replica has, all have.
    let own = machines[0].replica("mesha").await.ruv.unwrap();
    for (machine, name) in machines.iter().zip(names) {
        let ruv = || async { own.lag(&machine.replica(name).await.ruv.unwrap()) };
        until(ruv, |lag| *lag == Some(0)).await;
    }
    assert_eq!(own.elements.iter().map(|element| element.id).collect::<Vec<_>>(), [1, 2, 3]);
}

#[tokio::test]
async fn a_hub_in_the_middle_passes_on_what_came_while_it_was_away() {
    let machines = [Machine::new(), Machine::new(), Machine::new()];
    let [sup, hub, con] = &machines;
    let wanted = fleet(&[
        ("vm1", host("midsup", "supplier, ReplicaId: 1", "", "{target: vm2, Initialise: OnCreate}")),
        ("vm2", host("midhub", "hub", "", "{target: vm3, Initialise: OnCreate}")),
        ("vm3", host("midcon", "consumer", "", "")),
    ]);
    tokio::join!(sup.meet(&wanted[0]), hub.meet(&wanted[1]), con.meet(&wanted[2]));
    unit(sup, "midsup", "first").await;
    comes(con, "midcon", "ou=first,dc=test").await;
    sends_writers_away(hub, "midhub").await;
    sends_writers_away(con, "midcon").await;
    hub.kill("midhub");
    unit(sup, "midsup", "second").await;
    sup.connect("midsup").await.delete(&"ou=first,dc=test".parse().unwrap()).await.unwrap();
    assert_eq!(hub.meet(&wanted[1]).await, ["Starting instance slapd-midhub"]);
    comes(con, "midcon", "ou=second,dc=test").await;
    goes(con, "midcon", "ou=first,dc=test").await;
    is_green(hub, "midhub", "midcon.root").await;
}

#[tokio::test]
async fn whoever_leaves_replication_takes_what_clients_write() {
    let machines = [Machine::new(), Machine::new(), Machine::new()];
    let [sup, hub, con] = &machines;
    let wanted = fleet(&[
        ("vm1", host("staysup", "supplier, ReplicaId: 1", "", "{target: vm2, Initialise: OnCreate}")),
        ("vm2", host("leavehub", "hub", "", "{target: vm3, Initialise: OnCreate}")),
        ("vm3", host("leavecon", "consumer", "", "")),
    ]);
    tokio::join!(sup.meet(&wanted[0]), hub.meet(&wanted[1]), con.meet(&wanted[2]));
    for (machine, name) in [(con, "leavecon"), (hub, "leavehub")] {
        unit(sup, "staysup", name).await;
        comes(machine, name, &format!("ou={name},dc=test")).await;
        sends_writers_away(machine, name).await;
        machine.apply(&host_like(machine, name, "None", "").replace(&format!(", {BIND}"), "")).await;
        unit(machine, name, "own").await;
        assert!(machine.has(name, &format!("ou={name},dc=test")).await);
    }
}

/// Two suppliers of one suffix, the first of which has the data.
async fn pair(names: [&str; 2]) -> ([Machine; 2], Vec<directory::specification::Specification>) {
    let machines = [Machine::new(), Machine::new()];
    let wanted = fleet(&[
        ("vm1", host(names[0], "supplier, ReplicaId: 1", "", "{target: vm2, Initialise: OnCreate}")),
        ("vm2", host(names[1], "supplier, ReplicaId: 2", "", "{target: vm1}")),
    ]);
    machines[1].meet(&wanted[1]).await;
    machines[0].meet(&wanted[0]).await;
    for (machine, name) in machines.iter().zip(names) {
        unit(machine, name, name).await;
    }
    comes(&machines[0], names[0], &format!("ou={},dc=test", names[1])).await;
    comes(&machines[1], names[1], &format!("ou={},dc=test", names[0])).await;
    (machines, wanted)
}

/// The same with another number for the first.
fn renumbered(machines: &[Machine; 2], names: [&str; 2], id: u16) -> Vec<directory::specification::Specification> {
    fleet(&[
        ("vm1", host_like(&machines[0], names[0], &format!("supplier, ReplicaId: {id}"), "{target: vm2}")),
        ("vm2", host_like(&machines[1], names[1], "supplier, ReplicaId: 2", "{target: vm1}")),
    ])
}

/// The numbers that a server knows and those that it is still cleaning: it says so for a moment after the number is gone.
async fn cleaned(machine: &Machine, name: &str) -> (Vec<u16>, Vec<u16>) {
    let replica = machine.replica(name).await;
    (replica.ruv.unwrap().elements.iter().map(|element| element.id).collect(), replica.cleaning)
}

#[tokio::test]
async fn a_supplier_that_changes_its_number_is_known_by_the_new_one_alone() {
    let names = ["numbera", "numberb"];
    let (machines, _) = pair(names).await;
    let changed = renumbered(&machines, names, 7);
    let done = machines[0].meet(&changed[0]).await;
    assert_eq!(done.last().unwrap(), "Cleaning replica id 1 from suffix dc=test");
    unit(&machines[0], names[0], "after").await;
    comes(&machines[1], names[1], "ou=after,dc=test").await;
    unit(&machines[1], names[1], "back").await;
    comes(&machines[0], names[0], "ou=back,dc=test").await;
    for (machine, name) in machines.iter().zip(names) {
        until_within(CLEANED, || cleaned(machine, name), |(ids, cleaning)| *ids == [2, 7] && cleaning.is_empty()).await;
    }
}

#[tokio::test]
async fn a_restored_supplier_takes_no_writes_until_a_new_number_lets_it_have_back_what_it_had_changed() {
    let names = ["backa", "backb"];
    let (machines, wanted) = pair(names).await;
    let [restored, other] = &machines;
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let backup = folder.path().join("backup");
    // A server that runs has written down what it knows of others up to half a minute ago, and this pair is younger than that.
    let stopped = format!("{{state: stopped, ds389_instances: [{{name: {}}}]}}", names[0]);
    restored.apply(&stopped).await;
    restored.host.backup(names[0], &backup, &mut |_| {}).await.unwrap();
    restored.meet(&wanted[0]).await;
    unit(restored, names[0], "since").await;
    comes(other, names[1], "ou=since,dc=test").await;
    restored.host.restore(names[0], &backup, &mut |_| {}).await.unwrap();
    sends_writers_away(restored, names[0]).await;
    assert!(!restored.has(names[0], "ou=since,dc=test").await);
    // With the old number the next change would hide those that are not there yet.
    let refused = restored.host.plan(&wanted[0]).await.unwrap().unwrap_err().to_string();
    assert!(refused.contains("option 'ReplicaId' is 1, the number that root had before it was restored"), "{refused}");
    let again = renumbered(&machines, names, 3);
    let expected = ["Promote replica for suffix dc=test from hub to supplier 3", "Announcing replica id 3 of suffix dc=test"];
    assert_eq!(restored.meet(&again[0]).await, expected);
    // Without another change of anybody.
    comes(restored, names[0], "ou=since,dc=test").await;
    unit(restored, names[0], "newer").await;
    comes(other, names[1], "ou=newer,dc=test").await;
    unit(other, names[1], "back").await;
    comes(restored, names[0], "ou=back,dc=test").await;
    assert_eq!(restored.host.plan(&again[0]).await.unwrap().unwrap(), []);
}

/// Kills a server; one with LMDB is stopped, for that forgets in a crash what it has not sent, and takes nothing afterwards.
async fn leave(machine: &Machine, name: &str) {
    if machine.has_lmdb().await {
        machine.apply(&format!("{{state: stopped, ds389_instances: [{{name: {name}}}]}}")).await;
    } else {
        machine.kill(name);
    }
}

#[tokio::test]
async fn cleaning_does_not_wait_for_those_that_are_away_and_goes_on_without_us() {
    let names = ["cleana", "cleanb"];
    let (machines, wanted) = pair(names).await;
    leave(&machines[1], names[1]).await;
    let changed = renumbered(&machines, names, 7);
    let actions = machines[0].host.plan(&changed[0]).await.unwrap().unwrap();
    let mut said = Vec::new();
    let mut progress = |event: Event<'_>| {
        if let Event::Says(_, text) = event {
            said.push(text.to_owned());
        }
    };
    machines[0].host.carry_out(&actions, &mut progress).await.unwrap();
    assert!(said.last().unwrap().starts_with("the server goes on with its task cleanallruv by itself: "), "{said:?}");
    assert_eq!(machines[0].host.plan(&changed[0]).await.unwrap().unwrap(), []);
    assert_eq!(machines[0].replica(names[0]).await.cleaning, [1]);
    // Also when it was killed meanwhile.
    leave(&machines[0], names[0]).await;
    assert_eq!(machines[0].meet(&changed[0]).await, [format!("Starting instance slapd-{}", names[0])]);
    assert_eq!(machines[0].replica(names[0]).await.cleaning, [1]);
    machines[1].meet(&wanted[1]).await;
    for (machine, name) in machines.iter().zip(names) {
        until_within(CLEANED, || cleaned(machine, name), |(ids, cleaning)| !ids.contains(&1) && cleaning.is_empty()).await;
    }
}

#[tokio::test]
async fn the_key_of_a_changelog_is_known_again_and_changed_when_it_is_another() {
    let machine = Machine::new();
    let replica = "ReplicaRole: supplier, ReplicaId: 1, ChangelogSymetricKey: secret34";
    let one = instance("keyed", &format!(", backends: [{{name: root, suffix: 'o=x', {replica}}}]"));
    machine.apply(&one).await;
    let key = || {
        let stored = std::fs::read_to_string(machine.home("keyed").join("dse.ldif")).unwrap();
        stored.lines().find_map(|line| line.strip_prefix("nsSymmetricKey: ").map(str::to_owned)).unwrap()
    };
    let before = key();
    let expected = ["Restarting instance slapd-keyed"];
    let done = machine.apply(&one.replace("secret34", "secret56")).await;
    assert!(done.len() == 2 && done[0].contains("nsSymmetricKey") && done[1..] == expected, "{done:?}");
    assert_ne!(key(), before);
}

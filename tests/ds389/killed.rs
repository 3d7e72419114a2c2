//! Killed in the middle: whatever the servers and whoever applies were doing, the next apply finishes it.

use std::{
    collections::BTreeSet,
    fs,
    process::{Command, Stdio},
    time::Duration,
};

use agent::host::Event;
use directory::action::{Action, Step};
use tests::served;

use crate::machine::{Authority, Machine, element, instance, until, wanted};

const BIND: &str = "ReplicaBindDN: 'cn=replication manager,cn=config', ReplicaCredentials: secret34";

/// What an action is, without what it is about.
fn kind(action: &Action) -> String {
    let text = format!("{:?}", action.step);
    text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

/// Carries out some actions of a plan and, of the next, as much as there is time for; then nobody goes on.
async fn interrupt(machine: &Machine, actions: &[Action], whole: usize, time: Duration) {
    let (begun, ended) = (tokio::sync::Notify::new(), tokio::sync::Notify::new());
    let mut done = 0;
    let mut progress = |event: Event<'_>| match event {
        Event::Begins(_) if done == whole => begun.notify_one(),
        // Not on to those behind it, however much time there is.
        Event::Begins(_) if done > whole => ended.notify_one(),
        Event::Done(_) => done += 1,
        _ => {}
    };
    let stop = async {
        begun.notified().await;
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = ended.notified() => {}
        }
    };
    tokio::select! {
        // It may be done before the time is over.
        done = machine.host.carry_out(actions, &mut progress) => done.unwrap_or_else(|error| panic!("{error}\n{}", machine.logs())),
        () = stop => {}
    }
    // Work on files that was begun keeps the lock until it is done.
    let free = || async { !matches!(machine.host.carry_out(&[], &mut |_| {}).await, Err(agent::host::Error::Busy { .. })) };
    until(free, |is_free| *is_free).await;
}

/// Kills all servers that run.
async fn kill(machine: &Machine) {
    for instance in machine.host.observe().await.unwrap().instances.iter().filter(|instance| instance.is_running) {
        machine.kill(&instance.name);
    }
}

/// Makes a host what it should be with an interruption in every action, and gives the kinds of those.
async fn make(machine: &Machine, text: &str) -> BTreeSet<String> {
    let wanted = wanted(text);
    let mut kinds = BTreeSet::new();
    for round in 0..100_u64 {
        let actions = machine.host.plan(&wanted).await.unwrap().unwrap();
        // Servers that were killed have to be started each time.
        let starts = actions.iter().take_while(|action| action.step == Step::Start).count();
        let Some(next) = actions.get(starts) else { break };
        kinds.insert(kind(next));
        interrupt(machine, &actions, starts, Duration::from_millis(round * 7 % 40)).await;
        kill(machine).await;
        let (first, actions) = (next.clone(), machine.host.plan(&wanted).await.unwrap().unwrap());
        let starts = actions.iter().take_while(|action| action.step == Step::Start).count();
        // One that was not finished is now done whole, or it never would be; the one after it is interrupted, too. Some come
        // first in no plan, for a start does away with them.
        let whole = starts + usize::from(actions.get(starts) == Some(&first));
        kinds.extend(actions.get(whole).map(kind));
        interrupt(machine, &actions, whole, Duration::from_millis(round * 11 % 40)).await;
        // The server may be at what the next action asked for, which the next plan has to see or not to see.
        kill(machine).await;
    }
    machine.meet(&wanted).await;
    kinds
}

/// Kinds of actions.
const KINDS: [&str; 19] = [
    "ChangeRole",
    "CleanRuv",
    "CreateAgreement",
    "CreateBackend",
    "CreateIndex",
    "CreateInstance",
    "CreateManager",
    "DeleteAgreement",
    "DeleteBackend",
    "DeleteIndex",
    "DisableReplica",
    "EnableReplica",
    "Fill",
    "Initialise",
    "Reindex",
    "RemoveInstance",
    "Restart",
    "Set",
    "SetPassword",
];

#[tokio::test]
async fn every_kind_of_action_is_finished_after_an_interruption() {
    let machine = Machine::new();
    let mut kinds = BTreeSet::new();
    let missing = |kinds: &BTreeSet<String>| -> Vec<&str> { KINDS.into_iter().filter(|kind| !kinds.contains(*kind)).collect() };
    // An action that is done before anybody can interrupt it is none that was interrupted, this time.
    for _ in 0..3 {
        kinds.extend(live(&machine).await);
        if missing(&kinds).is_empty() {
            break;
        }
    }
    assert_eq!(missing(&kinds), [""; 0], "{kinds:?}");
}

/// All that can become of two servers, with interruptions. Gives the kinds of actions that were interrupted.
async fn live(machine: &Machine) -> BTreeSet<String> {
    let consumer = element("killcon", &format!(", backends: [{{name: root, suffix: 'dc=test', ReplicaRole: consumer, {BIND}}}]"));
    let port = consumer.split("port: ").nth(1).unwrap().split(',').next().unwrap().to_owned();
    let agreement = format!("{{name: next, ReplicaHost: localhost, ReplicaPort: {port}, Initialise: OnCreate, {BIND}}}");
    let supplier = element("killsup", ", MORE");
    let full = format!(
        "backends: [{{name: root, suffix: 'dc=test', sample_entries: yes, indexes: [{{name: l, indextype: eq}}], \
         ReplicaRole: supplier, ReplicaId: 1, {BIND}, ChangelogMaxAge: 2d, agmts: [{agreement}]}}]"
    );
    let text = |more: &str| format!("ds389_instances: [{}, {consumer}]", supplier.replace("MORE", more));
    let mut kinds = make(machine, &text(&full)).await;
    assert!(machine.has("killcon", "ou=people,dc=test").await);
    let changed = full
        .replace("backends", "nsslapd_idlistscanlimit: 4001, backends")
        .replace("indextype: eq", "indextype: [eq, pres]")
        .replace("ReplicaId: 1", "ReplicaId: 2")
        .replace("secret34, ChangelogMaxAge: 2d", "secret56, ChangelogMaxAge: 3d");
    kinds.extend(make(machine, &text(&changed)).await);
    // A restart comes first in no plan: whatever was killed has to be started, which does away with it.
    let restarted = text(&changed.replace("4001", "4002"));
    let actions = machine.host.plan(&wanted(&restarted)).await.unwrap().unwrap();
    let restart = actions.iter().position(|action| action.step == Step::Restart).unwrap();
    kinds.insert(kind(&actions[restart]));
    interrupt(machine, &actions, restart, Duration::from_millis(20)).await;
    kill(machine).await;
    kinds.extend(make(machine, &restarted).await);
    let gone = "backends: [{name: root, suffix: 'dc=test', ReplicaRole: None, indexes: [{name: l, state: absent}], \
                agmts: [{name: next, state: absent}]}]";
    kinds.extend(make(machine, &text(gone)).await);
    kinds.extend(make(machine, &text("backends: [{name: root, state: absent}]")).await);
    kinds.extend(make(machine, "state: absent").await);
    assert_eq!(machine.prefix.left(), [""; 0]);
    kinds
}

#[tokio::test]
async fn what_was_asked_for_last_may_be_done_after_the_next_plan_was_made() {
    let machine = Machine::new();
    let bare = element("killlate", "");
    machine.meet(&wanted(&format!("ds389_instances: [{bare}]"))).await;
    let backend = |id: u16| {
        let agreement = format!("{{name: next, ReplicaHost: localhost, ReplicaPort: 3890, {BIND}}}");
        let backend = format!(
            "{{name: root, suffix: 'dc=test', sample_entries: yes, indexes: [{{name: l, indextype: eq}}], ReplicaRole: supplier, \
             ReplicaId: {id}, {BIND}, agmts: [{agreement}]}}"
        );
        wanted(&format!("ds389_instances: [{}, backends: [{backend}]}}]", bare.trim_end_matches('}')))
    };
    let plan = async |id: u16| machine.host.plan(&backend(id)).await.unwrap().unwrap();
    let (actions, other) = (plan(1).await, plan(2).await);
    machine.host.carry_out(&actions, &mut |_| {}).await.unwrap();
    // As if all of it had been under way when the plan was made.
    machine.host.carry_out(&actions, &mut |_| {}).await.unwrap();
    assert_eq!(plan(1).await, [], "nothing is left to do");
    let refused = machine.host.carry_out(&other, &mut |_| {}).await.unwrap_err();
    assert!(refused.to_string().contains("there is such an entry already"), "{refused}");
}

/// Starts the command again and again and kills it, each time after half as long again, until it is done sooner. Gives how often
/// it was killed.
async fn apply_killed(machine: &Machine, text: &str) -> u32 {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    let (mut time, mut kills) = (Duration::from_millis(20), 0);
    loop {
        let mut command = Command::new(served::program("aviary-ds389"));
        command.args(["apply", "--yes", "--prefix", machine.prefix.path()]).arg(file.path());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        tokio::time::sleep(time).await;
        match child.try_wait().unwrap() {
            Some(status) => {
                let said = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
                assert!(status.success(), "after {kills} kills: {status}\n{said}\n{}", machine.logs());
                return kills;
            }
            None => child.kill().unwrap(),
        }
        child.wait().unwrap();
        (time, kills) = (time * 3 / 2, kills + 1);
    }
}

#[tokio::test]
async fn a_command_that_is_killed_anywhere_is_finished_by_the_next() {
    let machine = Machine::new();
    let backend = format!(
        "{{name: root, suffix: 'dc=test', sample_entries: yes, indexes: [{{name: l, indextype: eq}}], ReplicaRole: supplier, \
         ReplicaId: 1, {BIND}}}"
    );
    let first = instance("killcmd", &format!(", nsslapd_idlistscanlimit: 4001, backends: [{backend}]"));
    let second =
        first.replace("4001", "4002").replace("indextype: eq", "indextype: [eq, pres]").replace("ReplicaId: 1", "ReplicaId: 2");
    let third = format!("{{state: absent, {first}}}");
    for text in [first, second] {
        let kills = apply_killed(&machine, &text).await;
        assert!(kills > 2, "{kills}");
        assert_eq!(machine.meet(&wanted(&text)).await, [""; 0], "nothing was left to do");
        assert!(machine.has("killcmd", "ou=people,dc=test").await);
    }
    assert!(apply_killed(&machine, &third).await > 0);
    assert_eq!(machine.prefix.left(), [""; 0]);
}

#[tokio::test]
async fn certificates_that_were_half_taken_in_are_taken_in_by_the_next() {
    let (machine, folder) = (Machine::new(), tempfile::tempdir().unwrap());
    let authority = Authority::new(folder.path(), "authority");
    let with = |name: &str| {
        let identity = authority.vouch("localhost", name);
        let (certificate, key) = (identity.certificate.display().to_string(), identity.key.display().to_string());
        format!(
            "full_machine_name: localhost, tls_cert: {certificate}, tls_key: {key}, tls_ca: [{}]",
            authority.certificate().display()
        )
    };
    let (options, others) = (with("one"), with("two"));
    let one = instance("killtls", &format!(", {options}"));
    let two = one.replace(&options, &others);
    for (text, least) in [(&one, 2), (&two, 1), (&format!("{{state: stopped, {one}}}"), 0)] {
        let kills = apply_killed(&machine, text).await;
        assert!(kills >= least, "{kills}");
        assert_eq!(machine.meet(&wanted(text)).await, [""; 0], "nothing was left to do");
    }
}

//! Killed in the middle: whatever the servers and whoever applies were doing, the next apply finishes it.

use std::{
    collections::BTreeSet,
    fs,
    process::{Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use agent::host::Event;
use directory::{
    action::{Action, Step},
    layout,
    operation::{Operation, operations},
    secret::Secret,
    specification::{Specification, State},
};
use tests::served;
use tokio::sync::Notify;

use crate::machine::{Authority, Machine, element, instance, until, wanted};

const BIND: &str = "ReplicaBindDN: 'cn=replication manager,cn=config', ReplicaCredentials: secret34";

/// Lists the kinds of actions and tells them apart. One that is not listed does not compile.
macro_rules! kinds {
    ($($kind:ident),* $(,)?) => {
        const KINDS: &[&str] = &[$(stringify!($kind)),*];

        fn kind(action: &Action) -> &'static str {
            match action.step {
                $(Step::$kind { .. } => stringify!($kind)),*
            }
        }
    };
}

kinds!(
    Announce,
    ChangeRole,
    CleanRuv,
    CreateAgreement,
    CreateBackend,
    CreateIndex,
    CreateInstance,
    CreateManager,
    DeleteAgreement,
    DeleteBackend,
    DeleteIndex,
    DeleteManager,
    DisableReplica,
    EnableReplica,
    Fill,
    ImportCertificate,
    Initialise,
    MapBackend,
    Reindex,
    RemoveInstance,
    Restart,
    Set,
    SetPassword,
    Start,
    Stop,
    TrustAuthorities,
);

/// Who is killed in the middle of an action.
#[derive(Debug, Clone, Copy)]
enum Victim {
    /// Whoever applies, and then all servers.
    Us,
    /// The server of the action, while we wait for it.
    Server,
}

/// Who is killed, and how much sooner after what is over in moments than the first time.
#[derive(Debug, Clone, Copy)]
struct Attack {
    victim: Victim,
    haste: u64,
}

/// How long an action may take whose server is killed.
const BOUND: Duration = Duration::from_secs(60);

/// Carries out some actions of a plan and, of the next, as much as there is time for; then somebody is killed. How much that is
/// depends on a number. Gives the kind of action in the middle of which that was.
async fn interrupt(
    machine: &Machine,
    attack: Attack,
    wanted: &Specification,
    actions: &[Action],
    whole: usize,
    number: u64,
) -> Option<&'static str> {
    let takes_time = |operation: &Operation| {
        !matches!(
            operation,
            Operation::Add { .. } | Operation::Replace { .. } | Operation::Delete(_) | Operation::AwaitData { .. }
        )
    };
    let is_quick = actions.get(whole).is_some_and(|action| !operations(action).iter().any(takes_time));
    let time = Duration::from_millis(if is_quick { number % 6 / attack.haste } else { number % 40 });
    let done = match attack.victim {
        Victim::Us => {
            let done = leave(machine, actions, whole, time).await;
            // The server may be at what the action asked for, which the next plan has to see or not to see.
            kill(machine).await;
            Some(done).filter(|done| *done == whole)
        }
        Victim::Server => Some(lose(machine, wanted, actions, whole, time).await),
    };
    done.and_then(|done| actions.get(done)).map(kind)
}

/// Nobody goes on after some actions and a part of the next. Gives how many were done.
async fn leave(machine: &Machine, actions: &[Action], whole: usize, time: Duration) -> usize {
    let (begun, ended) = (Notify::new(), Notify::new());
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
        ended = machine.host.carry_out(actions, &mut progress) => ended.unwrap_or_else(|error| panic!("{error}\n{}", machine.logs())),
        () = stop => {}
    }
    // Work on files that was begun keeps the lock until it is done.
    let free = || async { !matches!(machine.host.carry_out(&[], &mut |_| {}).await, Err(agent::host::Error::Busy { .. })) };
    until(free, |is_free| *is_free).await;
    done
}

/// The server is gone after some actions and a part of the next, of which we are told in time and in one line. Gives how many were
/// done until then.
async fn lose(machine: &Machine, wanted: &Specification, actions: &[Action], whole: usize, time: Duration) -> usize {
    let (begun, done, killed_after) = (Notify::new(), AtomicUsize::new(0), OnceLock::new());
    let mut progress = |event: Event<'_>| match event {
        Event::Begins(_) if done.load(Ordering::Relaxed) == whole => begun.notify_one(),
        Event::Done(_) => drop(done.fetch_add(1, Ordering::Relaxed)),
        _ => {}
    };
    let killing = async {
        begun.notified().await;
        tokio::time::sleep(time).await;
        let done = *killed_after.get_or_init(|| done.load(Ordering::Relaxed));
        if let Some(action) = actions.get(done) {
            machine.kill(action.place.instance_name());
        }
        tokio::time::sleep(BOUND).await;
    };
    // What does not need the server would go on to those behind it.
    let is_enough = || killed_after.get().is_some();
    let ended = tokio::select! {
        ended = machine.host.carry_out_plan(wanted, actions, &is_enough, &mut progress) => ended,
        () = killing => panic!("{killed_after:?} {time:?}: it goes on and on\n{}", machine.logs()),
    };
    // A server may have changed by itself what the plan was made for.
    if matches!(ended, Err(agent::host::Error::Moved)) {
        return actions.len();
    }
    let done = killed_after.get().map_or(actions.len(), |done| *done);
    let what = format!("{} {time:?}", actions.get(done).map_or("nothing", kind));
    if let Err(error) = ended {
        let text = error.to_string();
        println!("{what}: {text}");
        let is_told = |action: &Action| {
            text.starts_with(&action.messages().join(", ")) || text.contains(&format!("slapd-{}", action.place.instance_name()))
        };
        assert!(actions[done..].iter().any(is_told) && !text.contains('\n') && !text.contains("secret"), "{what}: {text}");
    }
    done
}

/// Kills all servers that run.
async fn kill(machine: &Machine) {
    for instance in machine.host.observe().await.unwrap().instances.iter().filter(|instance| instance.is_running) {
        machine.kill(&instance.name);
    }
}

/// Makes a host what it should be with an interruption in every action, and gives the kinds of those.
async fn make(machine: &Machine, attack: Attack, wanted: &Specification) -> BTreeSet<&'static str> {
    let mut kinds = BTreeSet::new();
    for round in 0..100_u64 {
        let actions = machine.host.plan(wanted).await.unwrap().unwrap();
        // Servers that were killed have to be started each time.
        let starts = actions.iter().take_while(|action| action.step == Step::Start).count();
        let Some(next) = actions.get(starts) else {
            kinds.extend(interrupt(machine, attack, wanted, &actions, 0, round * 11 + 20).await);
            break;
        };
        kinds.extend(interrupt(machine, attack, wanted, &actions, starts, round * 7).await);
        let (first, actions) = (next.clone(), machine.host.plan(wanted).await.unwrap().unwrap());
        let starts = actions.iter().take_while(|action| action.step == Step::Start).count();
        // One that was not finished is now done whole, or it never would be; the one after it is interrupted, too. Some come
        // first in no plan, for a start does away with them.
        let whole = starts + usize::from(actions.get(starts) == Some(&first));
        kinds.extend(interrupt(machine, attack, wanted, &actions, whole, round * 11).await);
    }
    machine.meet(wanted).await;
    kinds
}

/// Two servers of which all becomes that can, with somebody killed in every action.
async fn every_kind(victim: Victim, names: [&str; 2]) {
    let machine = Machine::new();
    let mut kinds = BTreeSet::new();
    let missing = |kinds: &BTreeSet<&str>| -> Vec<&str> { KINDS.iter().copied().filter(|kind| !kinds.contains(kind)).collect() };
    // An action that is done before anybody can interrupt it is none that was interrupted, this time.
    for haste in [1, 3, 6] {
        kinds.extend(live(&machine, Attack { victim, haste }, names).await);
        println!("{haste}: {:?} are missing", missing(&kinds));
        if missing(&kinds).is_empty() {
            break;
        }
    }
    assert_eq!(missing(&kinds), [""; 0]);
}

#[tokio::test]
async fn every_kind_of_action_is_finished_after_an_interruption() {
    every_kind(Victim::Us, ["killcon", "killsup"]).await;
}

#[tokio::test]
async fn a_server_that_is_killed_while_we_wait_for_it_is_told_in_time_and_the_next_apply_goes_on() {
    every_kind(Victim::Server, ["losecon", "losesup"]).await;
}

/// All that can become of two servers, with interruptions. Gives the kinds of actions that were interrupted.
async fn live(machine: &Machine, attack: Attack, [consumer_name, supplier_name]: [&str; 2]) -> BTreeSet<&'static str> {
    let (folder, suffix) = (tempfile::tempdir().unwrap(), "dc=test");
    let authority = Authority::new(folder.path(), "authority");
    let file = format!("{}/first.ldif", machine.prefix.path());
    fs::write(&file, "dn: o=more\nobjectClass: organization\no: more\n").unwrap();
    let consumer =
        element(consumer_name, &format!(", backends: [{{name: root, suffix: '{suffix}', ReplicaRole: consumer, {BIND}}}]"));
    let port = consumer.split("port: ").nth(1).unwrap().split(',').next().unwrap().to_owned();
    let agreement = format!("{{name: next, ReplicaHost: localhost, ReplicaPort: {port}, Initialise: OnCreate, {BIND}}}");
    let supplier = element(supplier_name, ", MORE");
    let identity = layout::bind_identity("other");
    let [one, two] = ["one", "two"].map(|name| certified(&authority, name));
    let full = format!(
        "{one}, backends: [{{name: root, suffix: '{suffix}', sample_entries: yes, indexes: [{{name: l, indextype: eq}}], \
         ReplicaRole: supplier, ReplicaId: 1, {BIND}, ChangelogMaxAge: 2d, agmts: [{agreement}]}}, \
         {{name: more, suffix: 'o=more', ldif_file: {file}, ReplicaRole: hub, ReplicaBindDN: '{identity}'}}]"
    );
    let site = |more: &str| {
        // Numbers are cleaned where all are online, so the consumer is started first.
        let mut site = wanted(&format!("ds389_instances: [{consumer}, {}]", supplier.replace("MORE", more)));
        site.identities = Some([(identity.clone(), Secret::new("secret78"))].into());
        site
    };
    let mut kinds = make(machine, attack, &site(&full)).await;
    assert!(machine.has(consumer_name, "ou=people,dc=test").await && machine.has(supplier_name, "o=more").await);
    let changed = full
        .replace(&one, &format!("nsslapd_idlistscanlimit: 4001, {two}"))
        .replace("indextype: eq", "indextype: [eq, pres]")
        .replace("ReplicaId: 1", "ReplicaId: 2")
        .replace("secret34, ChangelogMaxAge: 2d", "secret56, ChangelogMaxAge: 3d");
    kinds.extend(make(machine, attack, &site(&changed)).await);
    // A restart comes first in no plan: whatever was killed has to be started, which does away with it.
    let restarted = site(&changed.replace("4001", "4002"));
    let actions = machine.host.plan(&restarted).await.unwrap().unwrap();
    let restart = actions.iter().position(|action| action.step == Step::Restart).unwrap();
    kinds.extend(interrupt(machine, attack, &restarted, &actions, restart, 20).await);
    kinds.extend(make(machine, attack, &restarted).await);
    let stopped = Specification { state: State::Stopped, ..restarted.clone() };
    kinds.extend(make(machine, attack, &stopped).await);
    kinds.extend(make(machine, attack, &restarted).await);
    // An older copy of the supplier has a new number to announce.
    let copy = std::path::PathBuf::from(format!("{}/copy", machine.prefix.path()));
    machine.host.backup(supplier_name, &copy, &mut |_| {}).await.unwrap();
    machine.host.restore(supplier_name, &copy, &mut |_| {}).await.unwrap();
    fs::remove_dir_all(&copy).unwrap();
    let renumbered = site(&changed.replace("4001", "4002").replace("ReplicaId: 2", "ReplicaId: 3"));
    kinds.extend(make(machine, attack, &renumbered).await);
    let gone = "backends: [{name: root, suffix: 'dc=test', ReplicaRole: None, indexes: [{name: l, state: absent}], \
                agmts: [{name: next, state: absent}]}, {name: more, suffix: 'o=more', ReplicaRole: None}]";
    kinds.extend(make(machine, attack, &site(gone)).await);
    // As if one had been killed between the two entries that make a backend.
    machine.connect(supplier_name).await.delete(&layout::mapping_tree(&suffix.parse().unwrap())).await.unwrap();
    kinds.extend(make(machine, attack, &site(gone)).await);
    kinds.extend(make(machine, attack, &site("backends: [{name: root, state: absent}, {name: more, state: absent}]")).await);
    kinds.extend(make(machine, attack, &wanted("state: absent")).await);
    assert_eq!(machine.prefix.left(), [""; 0]);
    kinds
}

/// The options of a certificate of this name.
fn certified(authority: &Authority, name: &str) -> String {
    let identity = authority.vouch("localhost", name);
    let (certificate, key) = (identity.certificate.display().to_string(), identity.key.display().to_string());
    format!(
        "full_machine_name: localhost, tls_cert: {certificate}, tls_key: {key}, tls_ca: [{}]",
        authority.certificate().display()
    )
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

/// Starts the command again and again and kills it, each time after half as long again, until it is done sooner; every other time
/// the servers die with it. Gives how often it was killed.
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
        if kills % 2 == 1 {
            kill(machine).await;
        }
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
    let (options, others) = (certified(&authority, "one"), certified(&authority, "two"));
    let one = instance("killtls", &format!(", {options}"));
    let two = one.replace(&options, &others);
    for (text, least) in [(&one, 2), (&two, 1), (&format!("{{state: stopped, {one}}}"), 0)] {
        let kills = apply_killed(&machine, text).await;
        assert!(kills >= least, "{kills}");
        assert_eq!(machine.meet(&wanted(text)).await, [""; 0], "nothing was left to do");
    }
}

#[tokio::test]
async fn a_server_whose_start_was_killed_while_it_made_its_shared_memory_starts_again() {
    let machine = Machine::new();
    let wanted = wanted(&format!("ds389_instances: [{}]", element("killmem", "")));
    machine.meet(&wanted).await;
    if machine.has_lmdb().await {
        return;
    }
    // As it was then: ended in order before, and half of what it has in common with its threads is there.
    machine.meet(&Specification { state: State::Stopped, ..wanted.clone() }).await;
    let home = machine.configurations()["slapd-killmem"]
        .lines()
        .find_map(|line| line.strip_prefix("nsslapd-db-home-directory: ").map(std::path::PathBuf::from))
        .unwrap();
    for file in ["__db.001", "__db.002"] {
        fs::write(home.join(file), [0; 65536]).unwrap();
    }
    machine.meet(&wanted).await;
}

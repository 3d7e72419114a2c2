//! Agreements of real servers: written out and by target, over LDAP, LDAPS and StartTLS, and the consumers that they initialise.

use agent::host::Event;
use directory::{
    action::Action,
    options::Scope,
    replication::Colour,
    setting::Setting,
    specification::{Specification, State},
};

use crate::{
    machine::{Authority, Machine, element, fleet, instance, until, wanted},
    replicas::{BIND, comes, host, host_like, is_green, machine_name, prepare, secured, unit},
};

#[tokio::test]
async fn agreements_by_target_initialise_hub_and_consumer_of_other_hosts() {
    let (one, two, three) = (Machine::new(), Machine::new(), Machine::new());
    let wanted = fleet(&[
        ("vm1", host("agsup", "supplier, ReplicaId: 1", "", "{target: vm2, Initialise: OnCreate}")),
        ("vm2", host("aghub", "hub", "", "{target: 'vm3.*.root', Initialise: OnCreate}")),
        ("vm3", host("agcon", "consumer", "", "")),
    ]);
    // All at once, as Ansible does it: the hub waits until it has something to pass on.
    tokio::join!(one.meet(&wanted[0]), two.meet(&wanted[1]), three.meet(&wanted[2]));
    unit(&one, "agsup", "later").await;
    comes(&three, "agcon", "ou=later,dc=test").await;
    is_green(&one, "agsup", "vm2.aghub.root").await;
    is_green(&two, "aghub", "vm3.agcon.root").await;
    let agreement = one.agreement("agsup", "vm2.aghub.root").await;
    assert_eq!(agreement.name, "ansible-target: vm2.aghub.root");
    assert_eq!(agreement.initialisation.unwrap().text, "Total update succeeded");
    // Everybody has the same data now, so whoever makes the agreement anew gives nothing.
    let without = fleet(&[
        ("vm1", host_like(&one, "agsup", "supplier, ReplicaId: 1", "")),
        ("vm2", host_like(&two, "aghub", "hub", "{target: vm3}")),
        ("vm3", host_like(&three, "agcon", "consumer", "")),
    ]);
    let mut without = without[0].clone();
    without.state = State::Updated;
    assert_eq!(one.meet(&without).await, ["Deleting agreement ansible-target: vm2.aghub.root on backend agsup.root"]);
    let said = says(&one, &wanted[0]).await;
    assert_eq!(said.last().unwrap(), "the consumer has the same data already");
    is_green(&one, "agsup", "vm2.aghub.root").await;
    assert_eq!(one.agreement("agsup", "vm2.aghub.root").await.initialisation, None);
}

/// Applies, and gives what the servers said meanwhile.
async fn says(machine: &Machine, wanted: &Specification) -> Vec<String> {
    let actions = machine.host.plan(wanted).await.unwrap().unwrap();
    let mut said = Vec::new();
    let mut progress = |event: Event<'_>| {
        if let Event::Says(_, text) = event {
            said.push(text.to_owned());
        }
    };
    machine.host.carry_out(&actions, &mut progress).await.unwrap();
    said
}

#[tokio::test]
async fn instances_of_one_host_are_initialised_in_the_order_in_which_they_pass_on() {
    let machine = Machine::new();
    let [a, b, c] = ["oncea", "onceb", "oncec"].map(|name| element(name, ", backends: [{name: root, suffix: 'dc=test', PART}]"));
    let port = |text: &str| text.split("port: ").nth(1).unwrap().split(',').next().unwrap().to_owned();
    let agreement = |text: &str| {
        format!("agmts: [{{name: next, ReplicaHost: localhost, ReplicaPort: {}, Initialise: OnCreate, {BIND}}}]", port(text))
    };
    // Written the wrong way round.
    let text = format!(
        "ds389_instances: [{}, {}, {}]",
        c.replace("PART", &format!("ReplicaRole: consumer, {BIND}")),
        b.replace("PART", &format!("ReplicaRole: hub, {BIND}, {}", agreement(&c))),
        a.replace("PART", &format!("ReplicaRole: supplier, ReplicaId: 1, {BIND}, {}", agreement(&b))),
    );
    let done = machine.apply(&text).await;
    let last = [
        "Creating agreement next on backend oncea.root".to_owned(),
        format!("Initialising localhost:{} by agreement next of backend oncea.root: what it holds is replaced", port(&b)),
        "Creating agreement next on backend onceb.root".to_owned(),
        format!("Initialising localhost:{} by agreement next of backend onceb.root: what it holds is replaced", port(&c)),
    ];
    assert_eq!(done[done.len() - 4..], last);
    unit(&machine, "oncea", "later").await;
    comes(&machine, "oncec", "ou=later,dc=test").await;
}

#[tokio::test]
async fn nobody_is_initialised_without_being_asked() {
    let (one, two) = (Machine::new(), Machine::new());
    let wanted = fleet(&[
        ("vm1", host("askone", "supplier, ReplicaId: 1", "", "{target: vm2}")),
        ("vm2", host("asktwo", "supplier, ReplicaId: 2", "", "{target: vm1, Initialise: Never}")),
    ]);
    two.meet(&wanted[1]).await;
    unit(&two, "asktwo", "mine").await;
    one.meet(&wanted[0]).await;
    let look = || one.agreement("askone", "vm2.asktwo.root");
    let agreement = until(look, |agreement| agreement.update.as_ref().is_some_and(|update| update.code == 19)).await;
    assert_eq!((agreement.colour, agreement.lag), (Colour::Red, None));
    assert!(two.has("asktwo", "ou=mine,dc=test").await);
    // Asked later, it is too late: that is for agreements that are made.
    assert_eq!(one.meet(&asking(&wanted[0], &[("initialise", "OnCreate")])).await, [""; 0]);
}

/// With options of its agreements.
fn asking(wanted: &Specification, options: &[(&str, &str)]) -> Specification {
    let mut asked = wanted.clone();
    for agreement in &mut asked.instances[0].backends[0].agreements {
        for (option, value) in options {
            let option = Scope::Agreement.option(option).unwrap();
            agreement.settings.insert(option, Setting::Text((*value).to_owned()));
        }
    }
    asked
}

#[tokio::test]
async fn whoever_is_asked_for_with_another_word_is_initialised_once_more() {
    let (one, two) = (Machine::new(), Machine::new());
    let wanted = fleet(&[
        ("vm1", host("wordone", "supplier, ReplicaId: 1", "", "{target: vm2}")),
        ("vm2", host("wordtwo", "supplier, ReplicaId: 2", "", "")),
    ]);
    tokio::join!(one.meet(&wanted[0]), two.meet(&wanted[1]));
    let ask = |initialise: &str, word: &str| asking(&wanted[0], &[("initialise", initialise), ("initialiserequest", word)]);
    let generation = async |machine: &Machine, name: &str| machine.replica(name).await.ruv.unwrap().generation;
    assert_ne!(generation(&one, "wordone").await, generation(&two, "wordtwo").await);
    let said = says(&one, &ask("OnCreate", "one")).await;
    assert_eq!(said.last().unwrap(), "Total update succeeded", "{said:?}");
    assert_eq!(generation(&one, "wordone").await, generation(&two, "wordtwo").await);
    assert_eq!(one.meet(&ask("OnCreate", "one")).await, [""; 0]);
    // With what the agreement says of the consumer nothing is known of one that has lost all since.
    is_green(&one, "wordone", "vm2.wordtwo.root").await;
    let said = says(&one, &ask("OnCreate", "two")).await;
    assert_eq!(said.last().unwrap(), "the consumer has the same data already", "{said:?}");
    let said = says(&one, &ask("Anew", "three")).await;
    assert_eq!(said.last().unwrap(), "Total update succeeded", "{said:?}");
    unit(&one, "wordone", "later").await;
    comes(&two, "wordtwo", "ou=later,dc=test").await;
}

#[tokio::test]
async fn an_initialisation_is_not_forgotten_until_it_is_done() {
    let machine = Machine::new();
    let (a, b) = (
        element("forgeta", ", backends: [{name: root, suffix: 'dc=test', PART}]"),
        element("forgetb", &format!(", backends: [{{name: root, suffix: 'dc=test', ReplicaRole: consumer, {BIND}}}]")),
    );
    let port = b.split("port: ").nth(1).unwrap().split(',').next().unwrap();
    let agreement = format!("{{name: next, ReplicaHost: localhost, ReplicaPort: {port}, Initialise: OnCreate, {BIND}}}");
    let text = format!(
        "ds389_instances: [{}, {b}]",
        a.replace("PART", &format!("ReplicaRole: supplier, ReplicaId: 1, {BIND}, agmts: [{agreement}]"))
    );
    let actions = machine.plan(&text).await.unwrap();
    // Interrupted when it begins.
    let stop = tokio::sync::Notify::new();
    let mut progress = |event: Event<'_>| {
        if matches!(event, Event::Begins(action) if action.deletes_data()) {
            stop.notify_one();
        }
    };
    tokio::select! {
        done = machine.host.carry_out(&actions, &mut progress) => panic!("{done:?}"),
        () = stop.notified() => {}
    }
    let rest: Vec<String> = machine.plan(&text).await.unwrap().iter().flat_map(Action::messages).collect();
    let expected = format!("Initialising localhost:{port} by agreement next of backend forgeta.root: what it holds is replaced");
    assert_eq!(rest, [expected]);
    says(&machine, &wanted(&text)).await;
    assert_eq!(machine.plan(&text).await.unwrap(), []);
    let replica = machine.replica("forgetb").await;
    assert_eq!(replica.ruv.unwrap().generation, machine.replica("forgeta").await.ruv.unwrap().generation);
}

#[tokio::test]
async fn agreements_change_where_they_are_and_their_secrets_are_known_again() {
    let machine = Machine::new();
    let agreement =
        "{name: next, ReplicaHost: localhost, ReplicaPort: 1, ReplicaBindDN: 'cn=m,cn=config', ReplicaCredentials: first}";
    let one = instance(
        "changing",
        &format!(
            ", backends: [{{name: root, suffix: 'dc=test', ReplicaRole: supplier, ReplicaId: 1, {BIND}, agmts: [{agreement}]}}]"
        ),
    );
    machine.apply(&one).await;
    let dn = "cn=next,cn=replica,cn=dc\\3Dtest,cn=mapping tree,cn=config";
    for (from, to, expected) in [
        ("ReplicaPort: 1", "ReplicaPort: 2", format!("Set nsDS5ReplicaPort:2 in {dn}")),
        ("first", "second", format!("Set nsDS5ReplicaCredentials in {dn}")),
        ("first", "first, ReplicaEnabled: off", format!("Set nsDS5ReplicaEnabled:off in {dn}")),
        (
            "first",
            "first, ReplicaUpdateSchedule: '0000-2359 0123456'",
            format!("Set nsDS5ReplicaUpdateSchedule:0000-2359 0123456 in {dn}"),
        ),
        (
            "first",
            "first, ReplicatedAttributeList: [memberOf, uid]",
            format!("Set nsDS5ReplicatedAttributeList:memberOf uid in {dn}"),
        ),
        (
            "first",
            "first, ReplicaStripAttrs: [modifiersName, modifyTimestamp]",
            format!("Set nsDS5ReplicaStripAttrs:modifiersName modifyTimestamp in {dn}"),
        ),
        ("first", "first, ReplicaTransportInfo: StartTLS", format!("Set nsDS5ReplicaTransportInfo:StartTLS in {dn}")),
        ("first", "first, ReplicaTimeout: 30", format!("Set nsDS5ReplicaTimeout:30 in {dn}")),
        ("first", "first, Description: why", format!("Set description:why in {dn}")),
    ] {
        let done = machine.apply(&one.replace(from, to)).await;
        assert!(done.contains(&expected), "{done:?} lacks {expected}");
        machine.apply(&one).await;
    }
    // The notes say nothing of the secrets themselves.
    let notes = std::fs::read_to_string(machine.home("changing").join("aviary.json")).unwrap();
    assert!(notes.contains("PBKDF2") && !notes.contains("first") && !notes.contains("second"));
    machine.apply(&one.replace(agreement, "{name: next, state: absent}")).await;
    assert!(!std::fs::read_to_string(machine.home("changing").join("aviary.json")).unwrap().contains("PBKDF2"));
}

#[tokio::test]
async fn agreements_over_tls_reach_whom_their_certificate_names_and_nobody_else() {
    let name = machine_name();
    for (short, transport) in [("ldaps", "LDAPS"), ("start", "StartTLS")] {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(folder.path(), "authority");
        let (one, two) = (Machine::new(), Machine::new());
        let [a, b] = [format!("{short}a"), format!("{short}b")];
        let secure = format!(", ReplicaTransportInfo: {transport}");
        let wanted = fleet(&[
            ("vm1", host(&a, "supplier, ReplicaId: 1", &secure, "{target: vm2, Initialise: OnCreate}")),
            ("vm2", host(&b, "consumer", &secure, "")),
        ]);
        prepare(&one, &wanted[0], &authority, &name).await;
        prepare(&two, &wanted[1], &authority, &name).await;
        let initialising = |wanted: &Specification, host: &str, initialise: &str| {
            let mut wanted = secured(wanted, host);
            for agreement in &mut wanted.instances[0].backends[0].agreements {
                let option = Scope::Agreement.option("initialise").unwrap();
                agreement.settings.insert(option, Setting::Text(initialise.to_owned()));
            }
            wanted
        };
        two.meet(&secured(&wanted[1], "")).await;
        // The same server by a name that its certificate does not have.
        one.meet(&initialising(&wanted[0], "127.0.0.1", "Never")).await;
        let look = || one.agreement(&a, "root");
        let agreement = until(look, |agreement| agreement.colour == Colour::Red && agreement.update.is_some()).await;
        assert!(agreement.update.unwrap().text.contains("LDAP error"), "{transport}");
        let mut none = secured(&wanted[0], "");
        none.instances[0].backends[0].agreements.clear();
        none.state = State::Updated;
        one.meet(&none).await;
        one.meet(&initialising(&wanted[0], &name, "OnCreate")).await;
        unit(&one, &a, "secret").await;
        comes(&two, &b, "ou=secret,dc=test").await;
        is_green(&one, &a, "root").await;
    }
}

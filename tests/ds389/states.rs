//! Every state of every kind of object, on real servers: instances, backends, indexes and agreements.

use std::collections::BTreeMap;

use directory::{facts::facts, intent::Intent, setting::Secrets, specification::State};

use crate::machine::{Machine, element};

const BIND: &str = "ReplicaBindDN: 'cn=replication manager,cn=config', ReplicaCredentials: secret34";
const AGREEMENT: &str = "ReplicaHost: localhost, ReplicaPort: 1, ReplicaBindDN: 'cn=m,cn=config', ReplicaCredentials: secret56";

/// A backend of an instance, with what it has.
fn backend(name: &str, indexes: &str, agreements: &str) -> String {
    format!(
        "{{name: {name}, suffix: 'o={name}', ReplicaRole: supplier, ReplicaId: 1, {BIND}, indexes: [{indexes}], agmts: [{agreements}]}}"
    )
}

fn agreement(name: &str) -> String {
    format!("{{name: {name}, {AGREEMENT}}}")
}

const INDEX: &str = "{name: l, indextype: eq}";

/// A host with two instances, of which the first has these backends.
struct Site {
    machine: Machine,
    one: String,
    two: String,
}

impl Site {
    async fn new(name: &str) -> Self {
        let site = Self {
            machine: Machine::new(),
            one: element(&format!("{name}one"), ", backends: [BACKENDS]"),
            two: element(&format!("{name}two"), ""),
        };
        site.machine.apply(&site.both("present", &full())).await;
        site
    }

    fn one(&self, state: &str, backends: &str) -> String {
        format!("state: {state}\nds389_instances: [{}]", self.one.replace("BACKENDS", backends))
    }

    /// What is done, where some versions are started again once a replica is gone.
    fn done(&self, name: &str, expected: &[&str]) -> Vec<String> {
        let mut expected: Vec<String> = expected.iter().map(|&message| message.to_owned()).collect();
        if self.machine.host.version().crashes_when_a_replica_is_deleted() {
            let gone = expected.iter().position(|message| message.starts_with("Delete replica")).unwrap();
            expected.insert(gone + 1, format!("Restarting instance slapd-{name}"));
        }
        expected
    }

    fn both(&self, state: &str, backends: &str) -> String {
        format!("state: {state}\nds389_instances: [{}, {}]", self.one.replace("BACKENDS", backends), self.two)
    }
}

/// Two backends, each with two indexes and two agreements.
fn full() -> String {
    let indexes = format!("{INDEX}, {{name: st, indextype: [eq, pres]}}");
    let agreements = format!("{}, {}", agreement("x"), agreement("y"));
    format!("{}, {}", backend("a", &indexes, &agreements), backend("b", &indexes, &agreements))
}

/// The first backend, with one index and one agreement.
fn less() -> String {
    backend("a", INDEX, &agreement("x"))
}

#[tokio::test]
async fn present_makes_what_is_listed_and_touches_nothing_else() {
    let site = Site::new("pres").await;
    let before = site.machine.configurations();
    assert_eq!(site.machine.apply(&site.one("present", &less())).await, [""; 0]);
    assert_eq!(site.machine.apply("state: present").await, [""; 0]);
    assert_eq!(site.machine.configurations(), before);
}

#[tokio::test]
async fn updated_deletes_what_is_not_listed_of_every_kind() {
    let site = Site::new("upd").await;
    let expected = [
        "Removing instance slapd-updtwo",
        "Deleting agreement x on backend updone.b",
        "Deleting agreement y on backend updone.b",
        "Deleting agreement y on backend updone.a",
        "Delete replica for suffix o=b",
        "Deleting backend b on suffix o=b",
        "Deleting index st on backend a",
    ];
    assert_eq!(site.machine.apply(&site.one("updated", &less())).await, site.done("updone", &expected));
    assert!(site.machine.has("updone", "o=a").await && !site.machine.has("updone", "o=b").await);
    // And makes what is.
    let expected = [
        "Creating index st on backend a",
        "Indexing st of backend a",
        "Creating backend b on suffix o=b",
        "Creating index l on backend b",
        "Creating index st on backend b",
        "Adding entry o=b",
        "Configure replication as supplier 1 for backend b on suffix o=b",
        "Creating instance slapd-updtwo",
        "Starting instance slapd-updtwo",
        "Creating agreement y on backend updone.a",
        "Creating agreement x on backend updone.b",
        "Creating agreement y on backend updone.b",
    ];
    assert_eq!(site.machine.apply(&site.both("updated", &full())).await, expected);
    assert_eq!(site.machine.apply("state: updated").await.len(), 2);
    assert_eq!(site.machine.prefix.left(), [""; 0]);
}

#[tokio::test]
async fn absent_objects_go_and_those_that_are_not_there_stay_so() {
    let site = Site::new("abs").await;
    let absent = |name: &str| format!("{{name: {name}, state: absent}}");
    let less = format!("{}, {}", backend("a", &absent("st"), &format!("{}, {}", absent("y"), absent("z"))), absent("b"));
    let expected = [
        "Deleting agreement x on backend absone.b",
        "Deleting agreement y on backend absone.b",
        "Deleting agreement y on backend absone.a",
        "Delete replica for suffix o=b",
        "Deleting backend b on suffix o=b",
        "Deleting index st on backend a",
    ];
    assert_eq!(site.machine.apply(&site.one("present", &less)).await, site.done("absone", &expected));
    assert_eq!(
        site.machine.apply("ds389_instances: [{name: abstwo, state: absent}, {name: none, state: absent}]").await,
        ["Removing instance slapd-abstwo"]
    );
    assert_eq!(
        site.machine.apply("{state: absent, ds389_instances: [{name: ABSONE}]}").await,
        ["Removing instance slapd-absone"]
    );
    assert_eq!(site.machine.prefix.left(), [""; 0]);
}

#[tokio::test]
async fn started_and_stopped_start_and_stop_what_is_listed_and_change_nothing() {
    let site = Site::new("run").await;
    let before = site.machine.host.observe().await.unwrap();
    let other = full().replace("eq, pres", "eq");
    assert_eq!(site.machine.apply(&site.one("stopped", &other)).await, ["Stopping instance slapd-runone"]);
    assert_eq!(site.machine.apply(&site.both("stopped", &other)).await, ["Stopping instance slapd-runtwo"]);
    assert_eq!(
        site.machine.apply(&site.both("started", &other)).await,
        ["Starting instance slapd-runone", "Starting instance slapd-runtwo"]
    );
    // Servers write their own into their files when they start, so that these differ.
    assert_eq!(site.machine.host.observe().await.unwrap(), before);
    assert_eq!(site.machine.apply(&site.both("present", &full())).await, [""; 0]);
}

#[tokio::test]
async fn an_instance_that_is_not_ours_is_removed_by_name_alone() {
    let machine = Machine::new();
    let ours = element("mine", "");
    machine.apply(&format!("ds389_instances: [{ours}]")).await;
    // As dscreate leaves one: nothing says that an apply has listed it.
    machine.apply(&format!("ds389_instances: [{}]", element("foreign", ""))).await;
    std::fs::remove_file(machine.home("foreign").join("aviary.json")).unwrap();
    for text in ["state: absent", "state: updated"] {
        let done = machine.apply(text).await;
        assert!(!done.contains(&"Removing instance slapd-foreign".to_owned()), "{done:?}");
        assert!(machine.home("foreign").join("dse.ldif").exists());
        machine.apply(&format!("ds389_instances: [{ours}]")).await;
    }
    let named = "{state: absent, ds389_instances: [{name: foreign}]}";
    assert_eq!(machine.apply(named).await, ["Removing instance slapd-foreign"]);
}

#[tokio::test]
async fn facts_are_what_would_be_written_for_it() {
    let site = Site::new("fact").await;
    let written = facts(&site.machine.host.observe().await.unwrap()).write(Secrets::Masked);
    // As whoever has saved them would read them.
    let intent = Intent::read(&BTreeMap::from([("here".to_owned(), written)])).unwrap();
    let mut facts = intent.specification("here").unwrap();
    assert!(facts.instances.iter().flat_map(|instance| &instance.backends).any(|backend| backend.agreements.len() == 2));
    for state in [State::Present, State::Updated] {
        facts.state = state;
        assert_eq!(site.machine.meet(&facts).await, [""; 0]);
    }
}

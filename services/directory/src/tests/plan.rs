//! Plans, as the messages of their actions, and what must hold for all of them: carried out on a model of the server they
//! lead to what was wanted, whatever there was before and wherever they are interrupted.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::{
    action::{Action, Step},
    certificates::Certificates,
    comparison::{self, Comparisons},
    facts::facts,
    intent::Intent,
    observed,
    operation::operations,
    options::Scope,
    place::{Place, Problems},
    plan::plan,
    setting::Secrets,
    specification::{Presence, RoleWish, Specification, State},
    tests::model::Model,
    value::{Map, Node, Value},
    variables::Variables,
    version::Version,
    yaml,
};

const FIXED: Version = Version::new(3, 1, 2);
const CRASHING: Version = Version::new(2, 3, 1);

fn read(variables: &Node) -> Specification {
    Specification::read(&Variables::read(variables).unwrap()).unwrap()
}

fn wanted(text: &str) -> Specification {
    read(&yaml::parse(text).unwrap())
}

fn plan_for(model: &Model, wanted: &Specification) -> Result<Vec<Action>, Problems> {
    plan(wanted, &model.observe(), &model.compare(wanted))
}

/// Plans, carries out, and gives what was done.
fn apply(model: &mut Model, wanted: &Specification) -> Vec<String> {
    let actions = plan_for(model, wanted).unwrap();
    model.carry_out(&actions, actions.len());
    actions.iter().flat_map(Action::messages).collect()
}

#[track_caller]
fn settled(model: &Model, wanted: &Specification) {
    assert_eq!(plan_for(model, wanted).unwrap(), []);
    for server in model.servers.values() {
        assert!(server.stale().is_empty(), "{:?}", server.stale());
        assert!(server.is_sane());
    }
}

/// What is done when a host that is as the first text says shall be as the second says.
#[track_caller]
fn check(version: Version, before: &str, after: &str, expected: &[&str]) {
    let mut model = Model::new(version);
    if !before.is_empty() {
        apply(&mut model, &wanted(before));
    }
    let after = wanted(after);
    assert_eq!(apply(&mut model, &after), expected);
    settled(&model, &after);
}

#[track_caller]
fn refused(before: &str, after: &str, expected: &[&str]) {
    let mut model = Model::new(FIXED);
    if !before.is_empty() {
        apply(&mut model, &wanted(before));
    }
    let problems = plan_for(&model, &wanted(after)).unwrap_err();
    assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
}

/// An instance with these lines for its backend.
fn backend(lines: &[&str]) -> String {
    let lines: String = lines.iter().map(|line| format!("\n      {line}")).collect();
    format!("ds389_instances:\n- name: one\n  rootpw: secret12\n  backends:\n    - name: root\n      suffix: dc=test{lines}\n")
}

const ONE: &str = "ds389_instances: [{name: one, rootpw: secret12}]";

#[test]
fn an_instance_is_created_with_its_options_and_started() {
    check(FIXED, "", ONE, &["Creating instance slapd-one", "Starting instance slapd-one"]);
    let stopped = "ds389_instances: [{name: one, rootpw: secret12, started: false}]";
    check(FIXED, "", stopped, &["Creating instance slapd-one"]);
}

#[test]
fn states_create_prune_remove_start_and_stop() {
    let two = "ds389_instances: [{name: one, rootpw: secret12}, {name: two, rootpw: secret12}]";
    check(FIXED, two, ONE, &[]);
    check(FIXED, two, &format!("state: updated\n{ONE}"), &["Removing instance slapd-two"]);
    check(FIXED, two, &format!("state: absent\n{ONE}"), &["Removing instance slapd-one"]);
    check(FIXED, two, "state: absent", &["Removing instance slapd-one", "Removing instance slapd-two"]);
    check(FIXED, two, &format!("state: stopped\n{ONE}"), &["Stopping instance slapd-one"]);
    check(FIXED, two, &format!("state: started\n{ONE}"), &[]);
    // As it is called where it is, whatever the case.
    let upper = ONE.replace("one", "ONE");
    check(FIXED, two, &format!("state: stopped\n{upper}"), &["Stopping instance slapd-one"]);
    check(FIXED, &ONE.replace("}", ", started: no}"), &format!("state: started\n{upper}"), &["Starting instance slapd-one"]);
    check(FIXED, two, "ds389_instances: [{name: TWO, state: absent}]", &["Removing instance slapd-two"]);
    check(FIXED, ONE, "state: absent\nds389_instances: [{name: other}]", &[]);
}

#[test]
fn certificates_are_taken_in_before_a_start_or_with_a_restart() {
    let with = |more: &str| ONE.replace("secret12", &format!("secret12, {more}"));
    let one = with("tls_cert: /a.pem, tls_key: /a.key, tls_ca: [/ca.pem]");
    let expected = [
        "Creating instance slapd-one",
        "Importing certificate /a.pem into instance slapd-one",
        "Trusting authorities of /ca.pem in instance slapd-one",
        "Starting instance slapd-one",
    ];
    check(FIXED, "", &one, &expected);
    let imported = "Importing certificate /b.pem into instance slapd-one";
    check(FIXED, &one, &one.replace("/a.pem", "/b.pem"), &[imported, "Restarting instance slapd-one"]);
    let trusted = "Trusting authorities of /ca.pem, /other.pem in instance slapd-one";
    let more = one.replace("/ca.pem", "/ca.pem, /other.pem");
    check(FIXED, &one, &more, &[trusted, "Restarting instance slapd-one"]);
    check(FIXED, &one, ONE, &[]);
    let stopped = one.replace("name: one", "name: one, started: false");
    check(FIXED, &stopped, &stopped.replace("/a.pem", "/b.pem"), &[imported]);
    check(FIXED, &stopped, &one.replace("/a.pem", "/b.pem"), &[imported, "Starting instance slapd-one"]);
}

#[test]
fn the_size_of_the_cache_is_set_after_the_server_was_told_not_to_decide() {
    let with = |more: &str| ONE.replace("secret12", &format!("secret12, db_lib: bdb, {more}"));
    let entry = "cn=bdb,cn=config,cn=ldbm database,cn=plugins,cn=config";
    let first = format!("Set nsslapd-cache-autosize:0 in {entry}");
    let then = format!("Set nsslapd-dbcachesize:70000000 in {entry}");
    let sized = with("nsslapd_cache_autosize: 0, nsslapd_dbcachesize: 70000000");
    check(FIXED, &with("nsslapd_sizelimit: 1"), &sized, &[first.as_str(), then.as_str(), "Restarting instance slapd-one"]);
    let expected = "line 1, column 19: instance one: option 'nsslapd_dbcachesize' needs 'nsslapd_cache_autosize' to be 0, for \
                    otherwise the server decides";
    refused(&with("nsslapd_sizelimit: 1"), &with("nsslapd_dbcachesize: 70000000"), &[expected]);
}

#[test]
fn plugins_are_switched_at_once_or_with_a_restart() {
    let with = |more: &str| ONE.replace("secret12", &format!("secret12, {more}"));
    let set = "Set nsslapd-pluginEnabled:on in cn=MemberOf Plugin,cn=plugins,cn=config";
    let dynamic = "Set nsslapd-dynamic-plugins:on in cn=config";
    check(FIXED, ONE, &with("memberof_enabled: true"), &[set, "Restarting instance slapd-one"]);
    check(FIXED, ONE, &with("memberof_enabled: true, nsslapd_dynamic_plugins: true"), &[dynamic, set]);
    let known = with("nsslapd_dynamic_plugins: true");
    check(FIXED, &known, &with("memberof_enabled: true"), &[set]);
    let usn = "Set nsslapd-pluginEnabled:on in cn=USN,cn=plugins,cn=config";
    check(FIXED, &known, &with("usn_enabled: true, nsslapd_dynamic_plugins: true"), &[usn, "Restarting instance slapd-one"]);
    check(FIXED, &with("memberof_groupattr: [a, b]"), &with("memberof_groupattr: [B, A]"), &[]);
}

#[test]
fn what_is_wrong_with_a_certificate_is_a_problem_of_its_option() {
    let wanted = wanted("ds389_instances: [{name: one, rootpw: secret12, tls_cert: /a.pem, tls_key: /a.key}]");
    let mut comparisons = Comparisons::default();
    let problems = vec![("tls_key", "is /a.key, but it is encrypted".to_owned())];
    comparisons.insert_certificates(&Place::instance("ONE"), Certificates { problems, ..Certificates::default() });
    let problems = plan(&wanted, &Model::new(FIXED).observe(), &comparisons).unwrap_err();
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["line 1, column 19: instance one: option 'tls_key' is /a.key, but it is encrypted"]);
}

#[test]
fn an_instance_that_nobody_listed_is_never_pruned() {
    let mut model = Model::new(FIXED);
    apply(&mut model, &wanted(ONE));
    model.servers.get_mut("one").unwrap().is_ours = false;
    for text in ["state: absent", "state: updated"] {
        assert_eq!(apply(&mut model, &wanted(text)), [""; 0], "{text}");
    }
    assert_eq!(apply(&mut model, &wanted(&format!("state: absent\n{ONE}"))), ["Removing instance slapd-one"]);
}

#[test]
fn a_stopped_instance_is_started_for_changes_alone() {
    let stopped = "ds389_instances: [{name: one, rootpw: secret12, started: false}]";
    check(FIXED, stopped, stopped, &[]);
    let changed = "ds389_instances: [{name: one, rootpw: secret12, started: false, nsslapd_sizelimit: 10}]";
    let expected = ["Starting instance slapd-one", "Set nsslapd-sizelimit:10 in cn=config", "Stopping instance slapd-one"];
    check(FIXED, stopped, changed, &expected);
    check(FIXED, stopped, ONE, &["Starting instance slapd-one"]);
}

#[test]
fn options_are_set_where_they_live_and_the_server_restarts_once_if_one_needs_it() {
    let changed = "ds389_instances: [{name: one, rootpw: secret12, port: 1389, secure_port: 1636, nsslapd_sizelimit: -1, \
                   sslVersionMin: TLS1.3, nsslapd_lookthroughlimit: 7, nsslapd_cache_autosize: 0}]";
    let expected = [
        "Set nsslapd-sizelimit:-1 in cn=config",
        "Set nsslapd-port:1389 in cn=config",
        "Set nsslapd-secureport:1636 in cn=config",
        "Set sslVersionMin:TLS1.3 in cn=encryption,cn=config",
        "Set nsslapd-lookthroughlimit:7 in cn=config,cn=ldbm database,cn=plugins,cn=config",
        "Set nsslapd-cache-autosize:0 in cn=bdb,cn=config,cn=ldbm database,cn=plugins,cn=config",
        "Restarting instance slapd-one",
    ];
    // The sizes of caches are BDB's.
    check(CRASHING, ONE, changed, &expected);
    check(CRASHING, "", changed, &["Creating instance slapd-one", "Starting instance slapd-one"]);
}

#[test]
fn whoever_leaves_a_port_restarts_before_whoever_takes_it() {
    let three = |ports: [i64; 3]| {
        let instance = |(name, port): (&str, i64)| format!("{{name: {name}, rootpw: secret12, port: {port}}}");
        let instances = ["one", "two", "three"].into_iter().zip(ports).map(instance).collect::<Vec<_>>();
        format!("ds389_instances: [{}]", instances.join(", "))
    };
    let (before, after) = (three([1, 2, 3]), three([2, 3, 4]));
    let moved =
        |name: &str, port: i64| [format!("Set nsslapd-port:{port} in cn=config"), format!("Restarting instance slapd-{name}")];
    let expected = [moved("three", 4), moved("two", 3), moved("one", 2)].concat();
    check(FIXED, &before, &after, &expected.iter().map(String::as_str).collect::<Vec<_>>());
    // A new one waits as well, and nobody waits for who stays.
    let fourth = three([1, 2, 5]).replace("[{name: one", "[{name: four, rootpw: secret12, port: 3}, {name: one");
    let made = ["Creating instance slapd-four", "Starting instance slapd-four"].map(str::to_owned);
    let expected = [moved("three", 5), made].concat();
    check(FIXED, &before, &fourth, &expected.iter().map(String::as_str).collect::<Vec<_>>());
    refused(
        &before,
        &three([2, 1, 3]),
        &[
            "line 1, column 19: instance one: instances one, two wait for ports of each other: move one of them to a port that is \
           free, and then on",
        ],
    );
    // Interrupted, nobody takes a port before whoever had it has started without it.
    let mut model = Model::new(FIXED);
    apply(&mut model, &wanted(&before));
    let actions = plan_for(&model, &wanted(&after)).unwrap();
    for count in 0..actions.len() {
        let mut model = model.clone();
        model.carry_out(&actions, count);
        let rest = plan_for(&model, &wanted(&after)).unwrap();
        let restarts = rest.iter().filter(|action| action.step == Step::Restart).map(Action::object);
        let lasts = rest.iter().rposition(|action| matches!(action.step, Step::Set { .. })).unwrap_or(0);
        let left = rest.iter().take_while(|action| action.step == Step::Restart).count();
        assert!(left == 3 - count / 2 && (lasts == 0 || lasts > left - 1), "{count} {:?}", restarts.collect::<Vec<_>>());
        model.carry_out(&rest, rest.len());
        settled(&model, &wanted(&after));
    }
}

#[test]
fn a_default_that_is_written_changes_nothing() {
    let written =
        "ds389_instances: [{name: one, rootpw: secret12, port: 389, nsslapd_sizelimit: 2000, root_dn: 'CN=Directory  Manager'}]";
    check(FIXED, ONE, written, &[]);
}

#[test]
fn a_password_is_set_when_it_is_another() {
    let changed = "ds389_instances: [{name: one, rootpw: secret34}]";
    check(FIXED, ONE, changed, &["Set nsslapd-rootpw in cn=config"]);
}

#[test]
fn an_answer_about_one_object_is_not_taken_for_another() {
    let text = "ds389_instances: [{name: ONE, backends: [{name: b, state: absent, ReplicaBindDN: 'cn=m,cn=config', ReplicaCredentials: s}]}]";
    let question = &comparison::questions(&wanted(text))[0];
    let mut answers = comparison::Comparisons::default();
    answers.insert(question, true);
    assert!(answers.is_the_same(&Place::instance("one").child(Scope::Backend, "B"), "replicacredentials"));
    assert!(!answers.is_the_same(&Place::instance("one.b"), "replicacredentials"));
}

#[test]
fn backends_come_with_indexes_before_their_first_entry() {
    let after =
        backend(&["nsslapd-x: 1"]).replace("nsslapd-x: 1", "readonly: on\n      indexes: [{name: l, indextype: [eq, pres]}]");
    let expected = [
        "Creating backend root on suffix dc=test",
        "Creating index l on backend root",
        "Adding entry dc=test",
        "Set nsslapd-readonly:on in cn=root,cn=ldbm database,cn=plugins,cn=config",
    ];
    check(FIXED, ONE, &after, &expected);
    let bare = backend(&["create_suffix_entry: no"]);
    check(FIXED, ONE, &bare, &["Creating backend root on suffix dc=test"]);
    let sample = backend(&["sample_entries: yes"]);
    check(FIXED, ONE, &sample, &["Creating backend root on suffix dc=test", "Adding entry dc=test and sample entries below it"]);
}

#[test]
fn a_backend_that_is_read_only_takes_changes_while_it_joins_replication_or_is_filled() {
    let with = |lines: &[&str]| backend(&[&["readonly: on"], lines].concat());
    let set = |to: &str| format!("Set nsslapd-readonly:{to} in cn=root,cn=ldbm database,cn=plugins,cn=config");
    let join = "Configure replication as consumer for backend root on suffix dc=test";
    check(FIXED, &with(&[]), &with(&["ReplicaRole: consumer"]), &[&set("off"), join, &set("on")]);
    let open = with(&["ReplicaRole: consumer"]).replace("readonly: on", "readonly: off");
    check(FIXED, &with(&[]), &open, &[&set("off"), join]);
    // Once it is in, nothing has to be written.
    check(
        FIXED,
        &with(&["ReplicaRole: consumer"]),
        &with(&["ReplicaRole: consumer", "require_index: on"]),
        &["Set nsslapd-require-index:on in cn=root,cn=ldbm database,cn=plugins,cn=config"],
    );
    check(
        FIXED,
        &with(&[]),
        &backend(&["require_index: on"]),
        &["Set nsslapd-require-index:on in cn=root,cn=ldbm database,cn=plugins,cn=config"],
    );
    refused(
        &with(&[]),
        &backend(&["ReplicaRole: consumer"]),
        &[
            "line 5, column 7: instance one, backend root: option 'readonly' is missing: the backend is read-only, and has to take \
           changes for this; say whether it is to be read-only afterwards",
        ],
    );
    // Locked by somebody while it was still empty.
    let mut model = Model::new(FIXED);
    apply(&mut model, &wanted(ONE));
    let actions = plan_for(&model, &wanted(&with(&[]))).unwrap();
    model.carry_out(&actions, 1);
    let lock = actions.iter().rev().take(1).cloned().collect::<Vec<_>>();
    model.carry_out(&lock, 1);
    assert_eq!(apply(&mut model, &wanted(&with(&[]))), [set("off"), "Adding entry dc=test".to_owned(), set("on")]);
    settled(&model, &wanted(&with(&[])));
}

#[test]
fn a_suffix_comes_after_the_one_above_it_and_goes_before() {
    let both = "ds389_instances: [{name: one, rootpw: secret12, backends: [\
                {name: sub, suffix: 'ou=sub,dc=test', create_suffix_entry: no}, {name: root, suffix: 'dc=test', create_suffix_entry: no}]}]";
    let expected = ["Creating backend root on suffix dc=test", "Creating backend sub on suffix ou=sub,dc=test"];
    check(FIXED, ONE, both, &expected);
    let expected = ["Deleting backend sub on suffix ou=sub,dc=test", "Deleting backend root on suffix dc=test"];
    check(FIXED, both, &format!("state: updated\n{ONE}"), &expected);
    let mut model = Model::new(FIXED);
    apply(&mut model, &wanted(both));
    let tree = &model.servers["one"].tree;
    let mapping = tree.get(&crate::layout::mapping_tree(&crate::dn::Dn::parse("ou=sub,dc=test").unwrap())).unwrap();
    assert_eq!(mapping.texts("nsslapd-parent-suffix"), ["dc=test"]);
}

#[test]
fn an_index_that_comes_or_changes_is_filled() {
    let (none, eq) = (backend(&[]), backend(&["indexes: [{name: l, indextype: eq}]"]));
    let more = backend(&["indexes: [{name: L, IndexType: 'pres,eq', matchingrule: caseExactMatch}]"]);
    check(FIXED, &none, &eq, &["Creating index l on backend root", "Indexing l of backend root"]);
    let expected = [
        "Set nsIndexType:pres eq in cn=l,cn=index,cn=root,cn=ldbm database,cn=plugins,cn=config",
        "Set nsMatchingRule:caseExactMatch in cn=l,cn=index,cn=root,cn=ldbm database,cn=plugins,cn=config",
        "Indexing l of backend root",
    ];
    check(FIXED, &eq, &more, &expected);
    check(
        FIXED,
        &more,
        &eq,
        &["Set nsIndexType:eq in cn=L,cn=index,cn=root,cn=ldbm database,cn=plugins,cn=config", "Indexing L of backend root"],
    );
}

#[test]
fn indexes_of_the_server_and_of_every_backend_are_not_pruned_but_put_back() {
    let none = backend(&[]);
    let user = backend(&["indexes: [{name: l, indextype: eq}, {name: UID, indextype: [eq, sub], matchingrule: caseExactMatch}]"]);
    check(FIXED, &user, &none, &[]);
    let uid = "cn=uid,cn=index,cn=root,cn=ldbm database,cn=plugins,cn=config";
    let expected = [
        "Deleting index l on backend root".to_owned(),
        format!("Set nsIndexType:eq in {uid}"),
        format!("Set nsMatchingRule: in {uid}"),
        "Indexing uid of backend root".to_owned(),
    ];
    check(FIXED, &user, &format!("state: updated\n{none}"), &expected.each_ref().map(String::as_str));
    let absent = backend(&["indexes: [{name: uid, state: absent}]"]);
    check(FIXED, &user, &absent, &["Deleting index uid on backend root"]);
    check(FIXED, &none, &backend(&["indexes: [{name: cn, state: absent}]"]), &["Deleting index cn on backend root"]);
}

const REPLICA: &str = "ReplicaBindDN: cn=replication manager,cn=config\n      ReplicaCredentials: secret34\n      ";
const AGREEMENT: &str =
    "\n      agmts: [{name: a, ReplicaHost: h, ReplicaPort: 389, ReplicaBindDN: 'cn=m,cn=config', ReplicaCredentials: secret56}]";

fn part(role: &str) -> String {
    match role {
        "none" => backend(&["ReplicaRole: None"]),
        "consumer" => backend(&[&format!("{REPLICA}ReplicaRole: consumer")]),
        "hub" => backend(&[&format!("{REPLICA}ReplicaRole: hub{AGREEMENT}")]),
        "supplier 2" => backend(&[&format!("{REPLICA}ReplicaRole: supplier\n      ReplicaId: 2{AGREEMENT}")]),
        _ => backend(&[&format!("{REPLICA}ReplicaRole: supplier\n      ReplicaId: 1{AGREEMENT}")]),
    }
}

#[test]
fn every_part_in_replication_leads_to_every_other() {
    let manager = "Adding entry cn=replication manager,cn=config";
    let (make, delete) = ("Creating agreement a on backend one.root", "Deleting agreement a on backend one.root");
    let (restart, gone) = ("Restarting instance slapd-one", "Delete replica for suffix dc=test");
    let join = |role: &str| format!("Configure replication as {role} for backend root on suffix dc=test");
    let change = |verb: &str, from: &str, to: &str| format!("{verb} replica for suffix dc=test from {from} to {to}");
    let lead = |from: &str, to: &str, expected: &[&str]| check(FIXED, &part(from), &part(to), expected);
    lead("none", "consumer", &[manager, &join("consumer")]);
    lead("none", "hub", &[manager, &join("hub"), make]);
    lead("none", "supplier 1", &[manager, &join("supplier 1"), make]);
    lead("consumer", "none", &[gone]);
    lead("consumer", "hub", &[&change("Promote", "consumer", "hub"), restart, make]);
    lead("consumer", "supplier 1", &[&change("Promote", "consumer", "supplier 1"), restart, make]);
    lead("hub", "none", &[delete, gone]);
    lead("hub", "consumer", &[delete, &change("Demote", "hub", "consumer"), restart]);
    lead("hub", "supplier 1", &[&change("Promote", "hub", "supplier 1")]);
    lead("supplier 1", "none", &[delete, gone]);
    lead("supplier 1", "consumer", &[delete, &change("Demote", "supplier 1", "consumer"), restart]);
    lead("supplier 1", "hub", &[&change("Demote", "supplier 1", "hub")]);
    let clean = "Cleaning replica id 1 from suffix dc=test";
    lead("supplier 1", "supplier 2", &[&change("Demote", "supplier 1", "hub"), &change("Promote", "hub", "supplier 2"), clean]);
    for role in ["none", "consumer", "hub", "supplier 1"] {
        lead(role, role, &[]);
        check(FIXED, &part(role), &backend(&[]), &[]);
    }
}

#[test]
fn a_server_that_crashes_leaves_replication_as_a_hub_and_is_started_again() {
    let (restart, gone) = ("Restarting instance slapd-one", "Delete replica for suffix dc=test");
    let promotion = "Promote replica for suffix dc=test from consumer to hub";
    check(CRASHING, &part("consumer"), &part("none"), &[promotion, restart, gone, restart]);
    for sender in ["hub", "supplier 1"] {
        check(CRASHING, &part(sender), &part("none"), &["Deleting agreement a on backend one.root", gone, restart]);
    }
}

#[test]
fn a_restored_supplier_is_one_again_with_a_number_that_it_never_had() {
    let mut restored = Model::new(FIXED);
    apply(&mut restored, &wanted(&part("supplier 1")));
    restored.restore("one", "root", "dc=test", 1);
    let refused = plan_for(&restored, &wanted(&part("supplier 1"))).unwrap_err().to_string();
    let expected = "option 'ReplicaId' is 1, the number that root had before it was restored: others may have changes of that number \
                    which the backup lacks, and these come only if it has another one";
    assert!(refused.contains(expected), "{refused}");
    // Whatever else is said of it can be done.
    let untold = part("supplier 1").replace("ReplicaRole: supplier\n      ReplicaId: 1", "ReplicaReleaseTimeout: 7");
    assert_eq!(apply(&mut restored.clone(), &wanted(&untold)).len(), 1);
    let again = wanted(&part("supplier 2"));
    let actions = plan_for(&restored, &again).unwrap();
    let messages: Vec<String> = actions.iter().flat_map(Action::messages).collect();
    assert_eq!(
        messages,
        ["Promote replica for suffix dc=test from hub to supplier 2", "Announcing replica id 2 of suffix dc=test"]
    );
    for count in 0..=actions.len() {
        let mut model = restored.clone();
        model.carry_out(&actions, count);
        apply(&mut model, &again);
        settled(&model, &again);
        // What was interrupted is forgotten: the number is its own.
        apply(&mut model, &wanted(&part("hub")));
        apply(&mut model, &wanted(&part("supplier 1")));
    }
    let none = wanted(&part("none"));
    apply(&mut restored, &none);
    settled(&restored, &none);
    apply(&mut restored, &wanted(&part("supplier 1")));
}

#[test]
fn an_interruption_between_restarts_does_not_lose_the_next() {
    let two = |root: &str, other: &str| {
        format!(
            "ds389_instances: [{{name: one, rootpw: secret12, backends: [\
             {{name: root, suffix: dc=test, ReplicaRole: {root}}}, {{name: other, suffix: o=other, ReplicaRole: {other}}}]}}]"
        )
    };
    let (before, after) = (wanted(&two("consumer", "consumer")), wanted(&two("hub", "None")));
    let mut model = Model::new(CRASHING);
    apply(&mut model, &before);
    let actions = plan_for(&model, &after).unwrap();
    assert_eq!(actions.iter().filter(|action| action.step == Step::Restart).count(), 3);
    for count in 0..=actions.len() {
        let mut model = model.clone();
        model.carry_out(&actions, count);
        apply(&mut model, &after);
        settled(&model, &after);
    }
}

#[test]
fn a_server_that_was_stopped_need_not_restart_for_what_was_left() {
    let stopped = "ds389_instances: [{name: one, rootpw: secret12, started: false}]";
    let mut model = Model::new(FIXED);
    apply(&mut model, &wanted(stopped));
    let actions = plan_for(&model, &wanted(&stopped.replace("started: false", "port: 1389"))).unwrap();
    model.carry_out(&actions, 0);
    assert_eq!(apply(&mut model, &wanted(ONE)), ["Starting instance slapd-one"]);
    settled(&model, &wanted(ONE));
}

#[test]
fn a_backend_that_is_made_or_deleted_by_half_is_finished() {
    let replicated = part("supplier 1");
    for (before, after) in [(ONE.to_owned(), replicated.clone()), (replicated, format!("state: updated\n{ONE}"))] {
        let (before, after) = (wanted(&before), wanted(&after));
        let mut model = Model::new(FIXED);
        apply(&mut model, &before);
        let actions = plan_for(&model, &after).unwrap();
        for (count, action) in actions.iter().enumerate() {
            for operations in 0..operations(action).len() {
                let mut model = model.clone();
                model.interrupt(&actions, count, operations);
                apply(&mut model, &after);
                settled(&model, &after);
                holds(&model.observe(), &after);
                assert!(model.observe().instances[0].backends.iter().all(|backend| backend.is_mapped));
                assert!(model.servers["one"].empty().is_empty());
            }
        }
    }
}

#[test]
fn spaces_and_case_do_not_make_another_suffix() {
    let spelled = |suffix: &str| part("supplier 1").replace("suffix: dc=test", &format!("suffix: '{suffix}'"));
    let spellings = ["ou=a,dc=test", "OU = A, DC=Test", "ou=\"a\" ; dc=test"];
    for one in spellings {
        for other in spellings {
            check(FIXED, &spelled(one), &spelled(other), &[]);
        }
        let expected = ["Deleting agreement a on backend one.root", &format!("Delete replica for suffix {one}")];
        let nothing = spelled("ou=a,dc=test").replace("ReplicaRole: supplier", "ReplicaRole: None");
        let nothing: String = nothing
            .lines()
            .filter(|line| !line.contains("ReplicaBind") && !line.contains("ReplicaId"))
            .collect::<Vec<_>>()
            .join("\n");
        let nothing = nothing.replace(AGREEMENT, "");
        check(FIXED, &spelled(one), &nothing, &expected);
    }
}

#[test]
fn a_key_of_a_changelog_is_set_once() {
    let with = |key: &str| backend(&[&format!("{REPLICA}ReplicaRole: hub\n      ChangelogSymetricKey: {key}")]);
    check(FIXED, &with("key1"), &with("key1"), &[]);
    let expected =
        ["Set nsSymmetricKey in cn=changelog,cn=root,cn=ldbm database,cn=plugins,cn=config", "Restarting instance slapd-one"];
    check(FIXED, &with("key1"), &with("key2"), &expected);
}

#[test]
fn a_bind_identity_has_one_password() {
    let two = |other: &str| {
        let text = "{suffix: SUFFIX, name: SUFFIX, ReplicaRole: consumer, ReplicaBindDN: 'cn=m,cn=config'";
        let (one, two) = (text.replace("SUFFIX", "o=a"), text.replace("SUFFIX", "o=b"));
        format!(
            "ds389_instances:\n- {{name: one, rootpw: secret12, backends: [{one}, ReplicaCredentials: secret34}},\n{two}{other}}}]}}"
        )
    };
    refused(
        "",
        &two(", ReplicaCredentials: secret56"),
        &[
            "line 3, column 1: instance one, backend o=b: option 'ReplicaCredentials' is another than that of cn=m,cn=config in another backend",
        ],
    );
    let joins = ["o=a", "o=b"].map(|name| format!("Configure replication as consumer for backend {name} on suffix {name}"));
    let backends =
        ["o=a", "o=b"].map(|name| [format!("Creating backend {name} on suffix {name}"), format!("Adding entry {name}")].to_vec());
    let manager = "Adding entry cn=m,cn=config".to_owned();
    let expected = [backends.concat(), vec![manager, joins[0].clone(), joins[1].clone()]].concat();
    for other in [", ReplicaCredentials: secret34", ""] {
        check(FIXED, ONE, &two(other), &expected.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn whoever_makes_an_agreement_says_how_it_binds_and_nobody_else_has_to() {
    let with = |more: &str| {
        let agreement = format!("agmts: [{{name: a, ReplicaHost: h, ReplicaPort: 1{more}}}]");
        backend(&[&format!("{REPLICA}ReplicaRole: hub\n      {agreement}")])
    };
    let missing = |option: &str, method: &str| {
        format!(
            "line 10, column 15: instance one, backend root, agreement a: option '{option}' is missing: the agreement binds by \
             {method}; add it, or bind by certificate"
        )
    };
    let by_password = ", ReplicaBindDN: 'cn=m,cn=config', ReplicaCredentials: secret56";
    for (before, after, expected) in [
        ("", "", vec![missing("ReplicaBindDN", "SIMPLE"), missing("ReplicaCredentials", "SIMPLE")]),
        ("", ", Initialise: OnCreate", vec![missing("ReplicaBindDN", "SIMPLE"), missing("ReplicaCredentials", "SIMPLE")]),
        ("", ", ReplicaBindDN: 'cn=m'", vec![missing("ReplicaCredentials", "SIMPLE")]),
        (
            "",
            ", ReplicaBindMethod: sasl/digest-md5, ReplicaCredentials: secret56",
            vec![missing("ReplicaBindDN", "SASL/DIGEST-MD5")],
        ),
        (
            ", ReplicaBindMethod: SSLCLIENTAUTH",
            ", ReplicaBindMethod: SIMPLE, ReplicaBindDN: 'cn=m'",
            vec![missing("ReplicaCredentials", "SIMPLE")],
        ),
    ] {
        let before = if before.is_empty() { backend(&[]) } else { with(before) };
        refused(&before, &with(after), &expected.iter().map(String::as_str).collect::<Vec<_>>());
    }
    for (before, after) in [(by_password, ""), (by_password, ", ReplicaBindDN: 'cn=m,cn=config'")] {
        check(FIXED, &with(before), &with(after), &[]);
    }
    let made = ["Creating agreement a on backend one.root"];
    for more in [by_password, ", ReplicaBindMethod: SSLCLIENTAUTH", ", ReplicaBindMethod: SASL/GSSAPI"] {
        let before = backend(&[&format!("{REPLICA}ReplicaRole: hub")]);
        check(FIXED, &before, &with(more), &made);
    }
}

#[test]
fn facts_of_a_supplier_with_an_agreement_can_be_applied() {
    let mut model = Model::new(FIXED);
    apply(&mut model, &wanted(&part("supplier 1")));
    let written = facts(&model.observe()).write(Secrets::Masked);
    let intent = Intent::read(&BTreeMap::from([("here".to_owned(), written)])).unwrap();
    let facts = intent.specification("here").unwrap();
    assert_eq!(facts.instances[0].backends[0].agreements.len(), 1);
    assert_eq!(plan_for(&model, &facts).unwrap(), []);
}

#[test]
fn agreements_come_change_and_go() {
    let with = |agmts: &str| backend(&[&format!("{REPLICA}ReplicaRole: hub\n      agmts: {agmts}")]);
    let (a, b) = (
        "{name: a, ReplicaHost: h, ReplicaPort: 389, ReplicaBindMethod: SSLCLIENTAUTH}",
        "{name: b, ReplicaHost: h, ReplicaPort: 390, ReplicaBindDN: 'cn=m,cn=config', ReplicaCredentials: secret56}",
    );
    let both = with(&format!("[{a}, {b}]"));
    check(FIXED, &with(&format!("[{a}]")), &both, &["Creating agreement b on backend one.root"]);
    check(FIXED, &both, &with("[{name: b, state: absent}]"), &["Deleting agreement b on backend one.root"]);
    check(FIXED, &both, &format!("state: updated\n{}", with(&format!("[{b}]"))), &["Deleting agreement a on backend one.root"]);
    let changed = with("[{name: B, ReplicaHost: h, ReplicaPort: 391, ReplicaTransportInfo: SSL, ReplicaCredentials: secret57}]");
    let dn = "cn=b,cn=replica,cn=dc\\3Dtest,cn=mapping tree,cn=config";
    let expected = [
        format!("Set nsDS5ReplicaTransportInfo:LDAPS in {dn}"),
        format!("Set nsDS5ReplicaCredentials in {dn}"),
        format!("Set nsDS5ReplicaPort:391 in {dn}"),
    ];
    check(FIXED, &both, &changed, &expected.each_ref().map(String::as_str));
    // Never without TLS at the port of the one that begins with it.
    let back = with("[{name: b, ReplicaHost: h, ReplicaPort: 390, ReplicaTransportInfo: TLS}]");
    let expected = [format!("Set nsDS5ReplicaPort:390 in {dn}"), format!("Set nsDS5ReplicaTransportInfo:StartTLS in {dn}")];
    let before = changed.replace("name: B,", "name: b, ReplicaBindDN: 'cn=m,cn=config',");
    check(FIXED, &before, &back, &expected.each_ref().map(String::as_str));
}

#[test]
fn consumers_are_initialised_last_and_only_of_agreements_that_are_made() {
    let with = |name: &str, role: &str, port: i64, agmts: &str| {
        format!(
            "{{name: {name}, rootpw: secret12, port: {port}, started: STARTED, backends: [{{name: root, suffix: dc=test, \
             ReplicaRole: {role}, ReplicaBindDN: 'cn=m,cn=config', ReplicaCredentials: secret34, agmts: [{agmts}]}}]}}"
        )
    };
    let agreement = |port: i64, initialise: &str| {
        format!("{{name: a, ReplicaHost: h, ReplicaPort: {port}, ReplicaBindMethod: SSLCLIENTAUTH{initialise}}}")
    };
    let both = |initialise: &str, started: &str| {
        let hub = with("hub", "hub", 2389, &agreement(3389, initialise));
        let supplier = with("sup", "'supplier', ReplicaId: 1", 1389, &agreement(2389, initialise));
        format!("ds389_instances: [{hub}, {supplier}]").replace("STARTED", started)
    };
    let asked = both(", Initialise: OnCreate", "true");
    let what =
        |to: i64, from: &str| format!("Initialising h:{to} by agreement a of backend {from}.root: what it holds is replaced");
    let (to_hub, on) = (what(2389, "sup"), what(3389, "hub"));
    for (started, last) in [("true", vec![]), ("false", vec!["Stopping instance slapd-hub", "Stopping instance slapd-sup"])] {
        let mut model = Model::new(FIXED);
        let done = apply(&mut model, &wanted(&asked.replace("started: true", &format!("started: {started}"))));
        let (sup, hub) = ("Creating agreement a on backend sup.root", "Creating agreement a on backend hub.root");
        let expected: Vec<&str> = [sup, to_hub.as_str(), hub, on.as_str()].into_iter().chain(last).collect();
        assert_eq!(done[done.len() - expected.len()..], expected);
    }
    // Not without being asked, nor later.
    let silent = both("", "true");
    assert!(!apply(&mut Model::new(FIXED), &wanted(&silent)).iter().any(|done| done.starts_with("Initialising")));
    check(FIXED, &silent, &asked, &[]);
    // Unless it is asked for with another word than before.
    let again = |how: &str, word: &str| both(&format!(", Initialise: {how}, InitialiseRequest: {word}"), "true");
    check(FIXED, &silent, &again("Anew", "one"), &[&to_hub, &on]);
    check(FIXED, &again("Anew", "one"), &again("Anew", "two"), &[&to_hub, &on]);
    check(FIXED, &again("Anew", "one"), &both(", InitialiseRequest: two", "true"), &[]);
    // What an agreement says of a consumer may be about one that has lost all since.
    let made =
        ["sup", "hub"].map(|name| ["Deleting", "Creating"].map(|verb| format!("{verb} agreement a on backend {name}.root")));
    let expected = [&made[0][0], &made[0][1], &to_hub, &made[1][0], &made[1][1], &on].map(String::as_str);
    check(FIXED, &silent, &again("OnCreate", "one"), &expected);
    check(FIXED, &again("OnCreate", "one"), &again("OnCreate", "two"), &expected);
    // What was interrupted is done when it is still asked for.
    let mut model = Model::new(FIXED);
    let actions = plan_for(&model, &wanted(&asked)).unwrap();
    model.carry_out(&actions, actions.len() - 1);
    assert!(actions[actions.len() - 1].deletes_data());
    assert_eq!(plan_for(&model, &wanted(&silent)).unwrap(), []);
    assert_eq!(apply(&mut model, &wanted(&asked)), [on]);
    settled(&model, &wanted(&asked));
    refused(
        "",
        &format!(
            "ds389_instances: [{}]",
            with("hub", "hub", 389, "{name: a, ReplicaHost: h, ReplicaPort: 1, ReplicaBindMethod: SSLCLIENTAUTH, ReplicaEnabled: off, Initialise: OnCreate}")
                .replace("STARTED", "true")
        ),
        &[
            "line 1, column 205: instance hub, backend root, agreement a: option 'Initialise' needs an agreement that is enabled: leave 'ReplicaEnabled' out, or set it to on",
        ],
    );
}

#[test]
fn a_number_that_somebody_has_is_not_cleaned() {
    let change = |model: &mut Model, numbers: &[u16]| {
        let mut after = wanted(&part("supplier 2"));
        after.numbers = numbers.iter().map(|id| (crate::dn::Dn::parse("dc=test").unwrap(), *id)).collect();
        apply(model, &after)
    };
    let clean = "Cleaning replica id 1 from suffix dc=test";
    for (numbers, cleans) in [(vec![], true), (vec![2, 3], true), (vec![1, 2], false)] {
        let mut model = Model::new(FIXED);
        apply(&mut model, &wanted(&part("supplier 1")));
        assert_eq!(change(&mut model, &numbers).iter().any(|done| done == clean), cleans, "{numbers:?}");
    }
}

#[test]
fn a_number_whose_supplier_is_gone_is_cleaned_by_another_supplier() {
    let cleans = |role: &str, numbers: &[u16]| {
        let mut model = Model::new(FIXED);
        let mut wanted = wanted(&part(role));
        apply(&mut model, &wanted);
        let suffix = || crate::dn::Dn::parse("dc=test").unwrap();
        wanted.gone = vec![(suffix(), 7), (suffix(), 7), (suffix(), 1), (crate::dn::Dn::parse("dc=other").unwrap(), 8)];
        wanted.numbers = numbers.iter().map(|id| (suffix(), *id)).collect();
        apply(&mut model, &wanted)
    };
    let clean = "Cleaning replica id 7 from suffix dc=test";
    for (role, numbers, expected) in [
        // Neither its own nor one that somebody has after all.
        ("supplier 1", vec![], vec![clean]),
        ("hub", vec![], vec![]),
        ("consumer", vec![], vec![]),
        ("supplier 1", vec![7], vec![]),
    ] {
        assert_eq!(cleans(role, &numbers), expected, "{role} {numbers:?}");
    }
}

#[test]
fn identities_have_passwords_of_their_own_and_go_when_nobody_binds_with_them() {
    let identity = crate::layout::bind_identity;
    assert!(crate::layout::is_bind_identity(&identity("a.root 1")));
    assert!(!crate::layout::is_bind_identity(&crate::dn::Dn::parse("cn=replication manager,cn=config").unwrap()));
    let with = |binds: &[&str], passwords: &[(&str, &str)]| {
        let all: Vec<String> = binds.iter().map(|name| format!("'{}'", identity(name))).collect();
        let all = [&["'cn=replication manager,cn=config'".to_owned()][..], &all].concat().join(", ");
        let replica = format!("ReplicaBindDN: [{all}]\n      ReplicaCredentials: secret34\n      ReplicaRole: consumer");
        let mut wanted = wanted(&backend(&[&replica]));
        let secret = |text: &str| crate::secret::Secret::new(text.to_owned());
        wanted.identities = Some(passwords.iter().map(|(name, text)| (identity(name), secret(text))).collect());
        wanted
    };
    let mut model = Model::new(FIXED);
    let done = apply(&mut model, &with(&["a.root 1"], &[("a.root 1", "one")]));
    assert!(done.contains(&"Adding entry cn=aviary a.root 1,cn=config".to_owned()), "{done:?}");
    // Nobody but its own has its password.
    assert_eq!(apply(&mut model, &with(&["a.root 1"], &[("a.root 1", "one")])), [""; 0]);
    let other = apply(&mut model, &with(&["a.root 1"], &[("a.root 1", "other")]));
    assert_eq!(other, ["Updating password on entry cn=aviary a.root 1,cn=config"]);
    // The next comes, the last stays for as long as it is listed, with the password that it has.
    let both = with(&["a.root 1", "a.root 2"], &[("a.root 2", "two")]);
    let done = apply(&mut model, &both);
    assert_eq!(done[0], "Adding entry cn=aviary a.root 2,cn=config");
    assert!(!done.iter().any(|done| done.contains("password") || done.starts_with("Deleting")), "{done:?}");
    let done = apply(&mut model, &with(&["a.root 2"], &[("a.root 2", "two")]));
    assert_eq!(done.last().unwrap(), "Deleting entry cn=aviary a.root 1,cn=config");
    // Whoever says nothing of identities deletes none.
    let silent = Specification { identities: None, ..with(&[], &[]) };
    assert!(!apply(&mut model, &silent).iter().any(|done| done.starts_with("Deleting")));
}

#[test]
fn sizes_of_caches_need_a_server_that_does_not_choose_them() {
    let on_bdb = |text: String| text.replace("name: one\n", "name: one\n  db_lib: bdb\n");
    let sized = on_bdb(backend(&["entry_cache_size: 1000000"]));
    let message = "line 6, column 7: instance one, backend root: option 'entry_cache_size' needs the instance's 'nsslapd_cache_autosize' 0: otherwise the server chooses it";
    refused("", &sized, &[message]);
    refused(&on_bdb(backend(&[])), &sized, &[message]);
    let fixed = sized.replace("rootpw", "nsslapd_cache_autosize: 0\n  rootpw");
    let expected = [
        "Creating instance slapd-one",
        "Starting instance slapd-one",
        "Creating backend root on suffix dc=test",
        "Adding entry dc=test",
    ];
    check(FIXED, "", &fixed, &expected);
}

#[test]
fn a_changelog_has_its_options_and_a_consumer_has_none() {
    let with = |role: &str| {
        backend(&[&format!("{REPLICA}ReplicaRole: {role}\n      ChangelogMaxAge: 2d\n      changelog_max_entries: 5")])
    };
    let dn = "cn=changelog,cn=root,cn=ldbm database,cn=plugins,cn=config";
    let expected = [
        "Adding entry cn=replication manager,cn=config".to_owned(),
        "Configure replication as hub for backend root on suffix dc=test".to_owned(),
        format!("Set nsslapd-changelogmaxage:2d in {dn}"),
        format!("Set nsslapd-changelogmaxentries:5 in {dn}"),
    ];
    check(FIXED, &backend(&[]), &with("hub"), &expected.each_ref().map(String::as_str));
    check(FIXED, &with("hub"), &with("hub").replace("2d", "48h"), &[]);
    check(FIXED, &backend(&[]), &with("consumer"), &[&expected[0], &expected[1].replace("hub", "consumer")]);
}

#[test]
fn what_cannot_be_done_is_said_all_at_once_and_nothing_is_planned() {
    refused(
        "",
        "ds389_instances: [{name: one}]",
        &["line 1, column 19: instance one: option 'rootpw' is missing: a new instance needs a password for its administrator"],
    );
    refused(
        &backend(&[]),
        "ds389_instances: [{name: one, db_lib: mdb, mdb_max_size: 1, user: other, backends: [{name: root, suffix: o=other}]}]",
        &[
            "line 1, column 19: instance one: option 'mdb_max_size' is for LMDB, and 'db_lib' of this instance is bdb",
            "line 1, column 19: instance one: option 'db_lib' of an existing instance cannot be changed: it is bdb, not mdb",
            "line 1, column 19: instance one: option 'user' of an existing instance cannot be changed: it is dirsrv, not other",
            "line 1, column 85: instance one, backend root: the suffix of an existing backend cannot be changed: it is dc=test, not o=other",
        ],
    );
    refused(
        &backend(&[]),
        "ds389_instances: [{name: one, backends: [{name: b, suffix: DC=Test}]}]",
        &["line 1, column 42: instance one, backend b: suffix DC=Test is that of backend root already"],
    );
    refused(
        &backend(&[]),
        &backend(&["indexes: [{name: aci, state: absent}, {name: entryrdn, indextype: eq}]"]),
        &[
            "line 7, column 17: instance one, backend root, index aci: the server needs this index: it cannot be deleted",
            "line 7, column 45: instance one, backend root, index entryrdn: the server needs this index as it is: it cannot be changed",
        ],
    );
    refused(
        &backend(&[]),
        &backend(&["ReplicaPurgeDelay: 5", "agmts: [{name: a, ReplicaHost: h, ReplicaPort: 1}]"]),
        &[
            "line 5, column 7: instance one, backend root: option 'ReplicaPurgeDelay' needs a 'ReplicaRole': the backend has no part in replication",
            "line 8, column 15: instance one, backend root, agreement a: the backend sends no updates: an agreement needs the 'ReplicaRole' supplier or hub",
        ],
    );
    refused(
        &backend(&[]),
        &backend(&["ReplicaRole: consumer", "ReplicaBindDN: cn=m,cn=config"]),
        &[
            "line 5, column 7: instance one, backend root: option 'ReplicaCredentials' is missing: cn=m,cn=config is to be created with it as its password",
        ],
    );
    refused(
        &backend(&[]),
        &backend(&["ReplicaRole: consumer", "ReplicaBindDN: cn=Replication,cn=config", "ReplicaCredentials: secret34"]),
        &[
            "line 5, column 7: instance one, backend root: option 'ReplicaBindDN' names cn=Replication,cn=config, an entry of the server itself: take another, such as cn=replication manager,cn=config",
        ],
    );
    refused(
        "",
        "{state: started, ds389_instances: [{name: one}]}",
        &["line 1, column 36: instance one: there is no such instance to start: state 'present' creates it"],
    );
}

#[test]
fn an_option_that_the_installed_server_does_not_have_is_named() {
    let model = Model::new(Version::new(2, 0, 5));
    let problems =
        plan_for(&model, &wanted("ds389_instances: [{name: one, rootpw: secret12, db_lib: mdb, mdb_max_size: 1}]")).unwrap_err();
    assert_eq!(problems.to_string(), "line 1, column 19: instance one: option 'mdb_max_size' needs 389 DS 2.1.0; this is 2.0.5");
}

#[test]
fn no_message_and_no_debug_output_of_a_plan_has_a_secret() {
    let model = Model::new(FIXED);
    let actions = plan_for(&model, &wanted(&part("supplier 1"))).unwrap();
    let shown: Vec<String> = actions.iter().flat_map(Action::messages).collect();
    let shown = format!("{shown:?} {actions:?} {:?}", actions.iter().flat_map(operations).collect::<Vec<_>>());
    assert!(shown.contains("******"));
    for secret in ["secret12", "secret34", "secret56"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// Backends that there may be; a name has one suffix, for that cannot change.
const BACKENDS: [(&str, &str); 3] = [("root", "dc=test"), ("Sub", "ou=sub,dc=test"), ("other", "o=other")];

fn map(entries: Vec<(&str, Option<Node>)>) -> Node {
    let entries = entries.into_iter().filter_map(|(key, node)| Some((key.to_owned(), node?)));
    Node::new(Value::Map(entries.collect::<Map>()))
}

fn list(items: Vec<Node>) -> Node {
    Node::new(Value::List(items))
}

fn number(number: i64) -> Node {
    Node::new(Value::Integer(number))
}

fn any_index() -> impl Strategy<Value = Node> {
    let types = prop::sample::subsequence(vec!["eq", "pres", "sub"], 1..=3);
    (prop::sample::select(vec!["l", "uid", "st"]), types).prop_map(|(name, types)| {
        map(vec![("name", Some(Node::text(name))), ("IndexType", Some(list(types.into_iter().map(Node::text).collect())))])
    })
}

fn any_agreement() -> impl Strategy<Value = Node> {
    // Only what sends can initialise.
    let ways = vec![(None, None), (Some(true), None), (Some(false), None), (Some(true), Some("OnCreate")), (None, Some("Never"))];
    let ways = prop::sample::select(ways);
    (prop::sample::select(vec!["a", "b"]), 1..3_i64, ways, "[a-z]{8}").prop_map(
        |(name, port, (enabled, initialise), password)| {
            map(vec![
                ("Initialise", initialise.map(Node::text)),
                ("name", Some(Node::text(name))),
                ("ReplicaHost", Some(Node::text("h"))),
                ("ReplicaPort", Some(number(port))),
                ("ReplicaEnabled", enabled.map(|on| Node::new(Value::Boolean(on)))),
                ("ReplicaBindDN", Some(Node::text("cn=manager,cn=config"))),
                ("ReplicaCredentials", Some(Node::text(password))),
            ])
        },
    )
}

fn named_once(nodes: Vec<Node>) -> Node {
    let mut seen = std::collections::BTreeSet::new();
    let name = |node: &Node| node.as_map().unwrap().get("name").unwrap().as_text().unwrap().to_owned();
    list(nodes.into_iter().filter(|node| seen.insert(name(node))).collect())
}

fn any_backend() -> impl Strategy<Value = Node> {
    let role = prop::sample::select(vec!["None", "consumer", "hub", "supplier"]);
    let indexes = prop::collection::vec(any_index(), 0..3);
    let agreements = prop::collection::vec(any_agreement(), 0..3);
    (prop::sample::select(BACKENDS.to_vec()), role, 1..4_i64, indexes, agreements, any::<bool>(), prop::option::of(1..9_i64))
        .prop_map(|((name, suffix), role, id, indexes, agreements, readonly, delay)| {
            let replicates = role != "None";
            map(vec![
                ("name", Some(Node::text(name))),
                ("suffix", Some(Node::text(suffix))),
                ("ReplicaRole", Some(Node::text(role))),
                ("ReplicaId", (role == "supplier").then(|| number(id))),
                ("ReplicaBindDN", replicates.then(|| Node::text("cn=manager,cn=config"))),
                ("ReplicaCredentials", replicates.then(|| Node::text("secret12"))),
                ("ReplicaPurgeDelay", delay.filter(|_| replicates).map(number)),
                ("ChangelogMaxEntries", delay.filter(|_| role == "hub" || role == "supplier").map(number)),
                ("readonly", Some(Node::new(Value::Boolean(readonly)))),
                ("indexes", Some(named_once(indexes))),
                ("agmts", (role == "hub" || role == "supplier").then(|| named_once(agreements))),
            ])
        })
}

fn any_instance() -> impl Strategy<Value = Node> {
    let backends = prop::collection::vec(any_backend(), 0..4);
    let name = prop::sample::select(vec!["one", "Two"]);
    let certificate = prop::option::of(prop::sample::select(vec!["/a.pem", "/b.pem"]));
    let authorities = prop::sample::subsequence(vec!["/ca1.pem", "/ca2.pem"], 0..=2);
    let plugins = (any::<Option<bool>>(), any::<Option<bool>>());
    (name, backends, any::<Option<bool>>(), prop::option::of(1..9_i64), "[a-z]{8}", certificate, authorities, plugins).prop_map(
        |(name, backends, started, limit, password, certificate, authorities, (is_dynamic, has_plugin))| {
            map(vec![
                ("nsslapd_dynamic_plugins", is_dynamic.map(|on| Node::new(Value::Boolean(on)))),
                ("memberof_enabled", has_plugin.map(|on| Node::new(Value::Boolean(on)))),
                ("tls_cert", certificate.map(Node::text)),
                ("tls_key", certificate.map(Node::text)),
                ("tls_ca", Some(list(authorities.into_iter().map(Node::text).collect()))),
                ("name", Some(Node::text(name))),
                ("rootpw", Some(Node::text(password))),
                ("started", started.map(|on| Node::new(Value::Boolean(on)))),
                ("nsslapd_sizelimit", limit.map(number)),
                // Instances that exchange their ports are refused.
                ("port", limit.map(|limit| number(if name == "one" { limit } else { 10 + limit }))),
                ("backends", Some(named_once(backends))),
            ])
        },
    )
}

fn any_variables() -> impl Strategy<Value = Node> {
    (prop::collection::vec(any_instance(), 0..3), prop::sample::select(vec!["present", "updated"])).prop_map(
        |(instances, state)| map(vec![("state", Some(Node::text(state))), ("ds389_instances", Some(named_once(instances)))]),
    )
}

fn any_wanted() -> impl Strategy<Value = Specification> {
    any_variables().prop_map(|variables| read(&variables))
}

fn any_version() -> impl Strategy<Value = Version> {
    prop::sample::select(vec![FIXED, CRASHING])
}

/// Whether a host has all that is wanted, and with `updated` nothing else.
fn holds(found: &observed::Host, wanted: &Specification) {
    let prunes = wanted.state == State::Updated;
    for instance in &wanted.instances {
        let server = found.instance(&instance.name).unwrap();
        assert_eq!(server.is_running, instance.started.unwrap_or(true));
        for backend in &instance.backends {
            assert_eq!(backend.presence, Presence::Present);
            let database = server.backend(&backend.name).unwrap();
            assert_eq!(Some(&database.suffix), backend.suffix.as_ref());
            match backend.role {
                RoleWish::Role(role) => assert_eq!((database.role, database.replica_id), (Some(role), backend.replica_id)),
                _ => assert_eq!(database.role, None),
            }
            assert!(backend.indexes.iter().all(|index| database.index(&index.name).is_some()));
            assert!(backend.agreements.iter().all(|agreement| database.agreement(&agreement.name).is_some()));
            assert!(!prunes || database.agreements.len() == backend.agreements.len());
        }
        assert!(!prunes || server.backends.len() == instance.backends.len());
    }
    assert!(!prunes || found.instances.len() == wanted.instances.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_plan_leads_from_anything_to_what_is_wanted(version in any_version(), steps in prop::collection::vec(any_wanted(), 1..4)) {
        let mut model = Model::new(version);
        for wanted in &steps {
            apply(&mut model, wanted);
            settled(&model, wanted);
            holds(&model.observe(), wanted);
            prop_assert!(model.servers.values().all(|server| server.empty().is_empty()));
        }
    }

    #[test]
    fn a_plan_that_is_interrupted_anywhere_is_finished_by_the_next(
        version in any_version(),
        before in any_wanted(),
        wanted in any_wanted(),
        stops in prop::collection::vec(any::<prop::sample::Index>(), 1..3),
    ) {
        let mut straight = Model::new(version);
        apply(&mut straight, &before);
        let mut model = straight.clone();
        apply(&mut straight, &wanted);
        for stop in stops {
            let actions = plan_for(&model, &wanted).unwrap();
            model.carry_out(&actions, stop.index(actions.len() + 1));
        }
        apply(&mut model, &wanted);
        settled(&model, &wanted);
        holds(&model.observe(), &wanted);
        prop_assert!(model.servers.values().all(|server| server.empty().is_empty()));
        for (name, server) in &model.servers {
            prop_assert_eq!(&server.initialised, &straight.servers[name].initialised);
        }
        let (model, straight) = (model.observe(), straight.observe());
        prop_assert_eq!(model, straight);
    }

    #[test]
    fn whatever_was_interrupted_before_the_next_apply_leaves_no_trace(
        version in any_version(),
        steps in prop::collection::vec((any_wanted(), any::<prop::sample::Index>()), 1..4),
        wanted in any_wanted(),
    ) {
        let mut model = Model::new(version);
        for (step, stop) in &steps {
            let actions = plan_for(&model, step).unwrap();
            model.carry_out(&actions, stop.index(actions.len() + 1));
        }
        apply(&mut model, &wanted);
        holds(&model.observe(), &wanted);
        prop_assert_eq!(plan_for(&model, &wanted).unwrap(), []);
        for instance in &wanted.instances {
            let server = &model.servers[&instance.name.to_lowercase()];
            prop_assert!(server.is_sane());
            for backend in &instance.backends {
                let below = crate::layout::backend(&backend.name);
                prop_assert!(!server.stale().iter().any(|dn| dn.is_below(&below)), "{:?}", server.stale());
            }
        }
    }

    #[test]
    fn facts_are_a_specification_that_changes_nothing(version in any_version(), steps in prop::collection::vec(any_wanted(), 1..3)) {
        let mut model = Model::new(version);
        for wanted in &steps {
            apply(&mut model, wanted);
        }
        let written = facts(&model.observe()).write(Secrets::Masked);
        let mut facts = read(&yaml::parse(&yaml::write(&written)).unwrap());
        prop_assert_eq!(plan_for(&model, &facts).unwrap(), []);
        facts.state = State::Updated;
        prop_assert_eq!(plan_for(&model, &facts).unwrap(), []);
    }

    #[test]
    fn what_is_written_of_a_specification_is_read_as_the_same(wanted in any_wanted()) {
        prop_assert_eq!(&read(&wanted.write(Secrets::Revealed)), &wanted);
        prop_assert!(!yaml::write(&wanted.write(Secrets::Masked)).contains("secret12"));
    }

    #[test]
    fn the_order_in_which_things_are_written_does_not_matter(version in any_version(), variables in any_variables()) {
        let (mut one, mut other) = (Model::new(version), Model::new(version));
        apply(&mut one, &read(&variables));
        let (straight, reversed) = (read(&variables), read(&reversed(&variables)));
        apply(&mut other, &reversed);
        settled(&one, &reversed);
        settled(&other, &straight);
    }
}

fn reversed(node: &Node) -> Node {
    match &node.value {
        Value::List(items) => list(items.iter().rev().map(reversed).collect()),
        Value::Map(entries) => Node::new(Value::Map(
            entries.entries().iter().rev().map(|entry| (entry.key.clone(), reversed(&entry.node))).collect(),
        )),
        other => Node::new(other.clone()),
    }
}

//! Plans as people read them: a table of what is shown for what.

use crate::{
    action::{Action, Change, Filling, Part, Step},
    dn::Dn,
    explain::{EntryChange, Paint, Text, entries, explain},
    options::Scope,
    place::Place,
    replication::{Agreement, Colour, Outcome, Replica, Ruv},
    secret::Secret,
    setting::{Setting, Settings},
    specification::Role,
};

fn dn(text: &str) -> Dn {
    Dn::parse(text).unwrap()
}

fn settings(scope: Scope, items: &[(&str, Setting)]) -> Settings {
    let mut settings = Settings::new();
    for (name, setting) in items {
        settings.insert(scope.option(name).unwrap(), setting.clone());
    }
    settings
}

fn change(scope: Scope, name: &str, before: Option<Setting>, after: Setting) -> Change {
    Change { option: scope.option(name).unwrap(), before, after }
}

fn instance(step: Step) -> Action {
    Action { place: Place::instance("one"), step }
}

fn backend(step: Step) -> Action {
    Action { place: Place::instance("one").child(Scope::Backend, "root"), step }
}

fn secret(text: &str) -> Setting {
    Setting::Secret(Secret::new(text))
}

#[track_caller]
fn check(actions: &[Action], expected: &str) {
    assert_eq!(Text(&explain(actions), Paint::Plain).to_string(), expected);
}

#[test]
fn nothing_to_do_is_said_so() {
    check(&[], "No changes: everything is as it should be.");
}

#[test]
fn what_is_made_is_shown_with_all_that_it_gets() {
    let options = [("rootpw", secret("marked")), ("port", Setting::Number(389))];
    let with = settings(Scope::Instance, &options);
    check(
        &[
            instance(Step::CreateInstance(with)),
            instance(Step::Start),
            backend(Step::CreateBackend { suffix: dn("dc=x"), parent: None, settings: Settings::new() }),
            backend(Step::Fill { suffix: dn("dc=x"), with: Filling::SuffixEntry }),
            backend(Step::EnableReplica {
                suffix: dn("dc=x"),
                part: Part { role: Role::Supplier, id: Some(7) },
                settings: Settings::new(),
            }),
            instance(Step::Restart),
        ],
        "  + create instance one\n      port    389\n      rootpw  ******\n  > Starting instance slapd-one\n  \
         + create instance one, backend root\n      suffix  dc=x\n  > Adding entry dc=x\n  \
         ~ change instance one, backend root\n      ReplicaRole  (not set) → supplier\n      ReplicaId    (not set) → 7\n  \
         > Restarting instance slapd-one\n\nPlan: 2 to create, 0 to change, 0 to delete.",
    );
}

#[test]
fn what_changes_is_shown_from_what_to_what() {
    let set = Step::Set {
        dn: dn("cn=config"),
        changes: vec![
            change(Scope::Instance, "port", Some(Setting::Number(389)), Setting::Number(3890)),
            change(Scope::Instance, "nsslapd_security", None, Setting::Switch(true)),
            change(Scope::Instance, "rootpw", None, secret("marked")),
        ],
    };
    let from = Part { role: Role::Hub, id: None };
    let to = Part { role: Role::Supplier, id: Some(3) };
    check(
        &[instance(set), instance(Step::Restart), backend(Step::ChangeRole { suffix: dn("dc=x"), from, to })],
        "  ~ change instance one\n      port              389 → 3890\n      nsslapd_security  (not set) → on\n      \
         rootpw            ****** → ******\n  > Restarting instance slapd-one\n  ~ change instance one, backend root\n      \
         ReplicaRole  hub → supplier\n      ReplicaId    (not set) → 3\n\n\
         Plan: 0 to create, 2 to change, 0 to delete, 1 restart.",
    );
}

#[test]
fn what_loses_data_says_so() {
    check(
        &[
            backend(Step::DeleteBackend { suffix: dn("dc=x") }),
            Action { place: Place::instance("two"), step: Step::RemoveInstance },
        ],
        "  - delete instance one, backend root\n      suffix  dc=x\n      all its data is lost: nothing but a backup brings it back\n  \
         - delete instance two\n      all its data is lost: nothing but a backup brings it back\n\n\
         Plan: 0 to create, 0 to change, 2 to delete.",
    );
    let agreement = Place::instance("one").child(Scope::Backend, "root").child(Scope::Agreement, "to two");
    let initialise = Step::Initialise { suffix: dn("dc=x"), consumer: "two:389".to_owned(), anew: false, request: None };
    let shown = Text(&explain(&[Action { place: agreement, step: initialise }]), Paint::Plain).to_string();
    assert!(shown.contains("\n      all data of the consumer is replaced: nothing but a backup brings it back\n"), "{shown}");
    let plan = explain(&[backend(Step::DeleteBackend { suffix: dn("dc=x") })]);
    assert!(plan.deletes_data() && plan.actions[0].deletes_data);
    assert!(!explain(&[instance(Step::Stop)]).deletes_data());
}

#[test]
fn a_terminal_sees_colours_and_obeys_no_value() {
    let set = |text: &str| {
        let after = Setting::Text(text.to_owned());
        instance(Step::Set { dn: dn("cn=config"), changes: vec![change(Scope::Instance, "root_dn", None, after)] })
    };
    let shown = Text(&explain(&[set("cn=\u{1b}[2J\n")]), Paint::Colours).to_string();
    assert!(shown.starts_with("  \u{1b}[33m~\u{1b}[0m change instance one\n"), "{shown:?}");
    assert!(shown.contains("cn=\\u{1b}[2J\\n\n"), "{shown:?}");
    let long = "ä".repeat(500);
    let shown = Text(&explain(&[set(&long)]), Paint::Plain).to_string();
    assert!(shown.contains('…') && shown.chars().count() < 300, "{shown}");
}

#[test]
fn entries_are_shown_before_and_after() {
    let set = Step::Set {
        dn: dn("cn=config"),
        changes: vec![
            change(Scope::Instance, "port", Some(Setting::Number(389)), Setting::Number(3890)),
            change(Scope::Instance, "rootpw", None, secret("marked")),
        ],
    };
    let index = Action {
        place: Place::instance("one").child(Scope::Backend, "root").child(Scope::Index, "cn"),
        step: Step::DeleteIndex { backend: "root".to_owned() },
    };
    let found = entries(&[instance(set), index]);
    let shown: Vec<String> = found.iter().map(|change: &EntryChange| Text(change, Paint::Plain).to_string()).collect();
    let expected = [
        "dn: cn=config\n-nsslapd-port: 389\n+nsslapd-port: 3890\n+nsslapd-rootpw: ******\n",
        "dn: cn=cn,cn=index,cn=root,cn=ldbm database,cn=plugins,cn=config\n-(this entry and all below it)\n",
    ];
    assert_eq!(shown, expected);
}

#[test]
fn what_was_done_is_summed_up() {
    for (actions, expected) in [
        (vec![], "Done: 0 created, 0 changed, 0 deleted."),
        (vec![instance(Step::Start), instance(Step::Restart)], "Done: 0 created, 0 changed, 0 deleted, 1 start, 1 restart."),
        (vec![instance(Step::Stop), instance(Step::RemoveInstance)], "Done: 0 created, 0 changed, 1 deleted, 1 stop."),
    ] {
        assert_eq!(explain(&actions).summary.done(), expected);
    }
}

#[test]
fn replication_is_shown_with_how_far_each_consumer_is() {
    let ruv = Ruv::read([
        "{replicageneration} 6a1f00010000",
        "{replica 1 ldap://one:389} 00000001000000010000 00000001000000010000",
        "{replica 2}",
    ]);
    let outcome = |colour, text: &str| Some(Outcome { colour, code: 0, text: text.to_owned(), at: None });
    let agreement = |name: &str, colour, lag, update| Agreement {
        name: name.to_owned(),
        host: "two".to_owned(),
        port: Some(636),
        is_enabled: true,
        colour,
        update,
        update_began: None,
        update_ended: None,
        is_updating: false,
        initialisation: None,
        initialisation_began: None,
        initialisation_ended: None,
        is_initialising: false,
        sent: Vec::new(),
        newest: None,
        lag,
    };
    let replica = Replica {
        instance: "one".to_owned(),
        backend: "root".to_owned(),
        suffix: dn("dc=x"),
        role: Role::Supplier,
        id: Some(1),
        is_running: true,
        ruv,
        cleaning: vec![9],
        agreements: vec![
            agreement("good", Colour::Green, Some(0), None),
            agreement("bad", Colour::Red, Some(7200), outcome(Colour::Red, "Unable to acquire replica")),
            agreement("new", Colour::Amber, None, None),
        ],
    };
    let expected = "red    one.root: dc=x supplier 1\n    data of generation 6a1f00010000\n    \
                    has of supplier 1 (ldap://one:389): all up to 1970-01-01T00:00:01Z\n    has of supplier 2: nothing yet\n    \
                    forgets supplier 9\n    green  to two:636 (good): up to date\n    red    to two:636 (bad): 2 h behind\n        \
                    last update: Unable to acquire replica\n    amber  to two:636 (new): how far it is behind is not known\n";
    assert_eq!(Text(&replica, Paint::Plain).to_string(), expected);
    let stopped = Replica { is_running: false, ruv: None, cleaning: Vec::new(), agreements: Vec::new(), ..replica };
    assert_eq!(Text(&stopped, Paint::Plain).to_string(), "stopped  one.root: dc=x supplier 1\n");
}

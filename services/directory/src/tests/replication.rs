//! What is read of replicas and agreements: numbers of changes, vectors, outcomes, times, and what follows from them.

use proptest::prelude::*;

use crate::{
    dn::Dn,
    entry::{Entry, Tree},
    ldif, observed,
    replication::{Agreement, Colour, Csn, Element, Moment, Outcome, Replica, Ruv},
};

#[test]
fn outcomes_are_read_in_json_and_in_words() {
    let check = |json: Option<&str>, words: Option<&str>, expected: Option<(Colour, i64, &str)>| {
        let found = Outcome::read(json, words);
        let found = found.as_ref().map(|outcome| (outcome.colour, outcome.code, outcome.text.as_str()));
        assert_eq!(found, expected, "{json:?} {words:?}");
    };
    let good = r#"{"state": "green", "ldap_rc": "0", "ldap_rc_text": "Success", "repl_rc": "0", "repl_rc_text": "replica acquired", "date": "2026-11-25T14:03:14Z", "message": "Error (0) Replica acquired successfully: Incremental update succeeded"}"#;
    check(Some(good), Some("old"), Some((Colour::Green, 0, "Replica acquired successfully: Incremental update succeeded")));
    assert_eq!(Outcome::read(Some(good), None).unwrap().at, Moment::parse("20261125140314Z"));
    check(
        Some(r#"{"state": "amber", "ldap_rc": "0", "repl_rc": "1", "message": "Error (1) Can't acquire busy replica (a)"}"#),
        None,
        Some((Colour::Amber, 1, "Can't acquire busy replica (a)")),
    );
    check(
        Some(r#"{"state": "red", "ldap_rc": "-1", "repl_rc": "16", "message": "Error (-1) Problem connecting to replica"}"#),
        None,
        Some((Colour::Red, -1, "Problem connecting to replica")),
    );
    check(Some(r#"{"state": "red", "repl_rc": "19", "message": "no code here"}"#), None, Some((Colour::Red, 19, "no code here")));
    for (words, expected) in [
        ("Error (0) Total update succeeded", Some((Colour::Green, 0, "Total update succeeded"))),
        ("Error (1) busy", Some((Colour::Amber, 1, "busy"))),
        ("Error (19) other data", Some((Colour::Red, 19, "other data"))),
        ("Error (-1) down", Some((Colour::Red, -1, "down"))),
        ("Error (x) odd", Some((Colour::Green, 0, "Error (x) odd"))),
        ("0 Total update succeeded", Some((Colour::Green, 0, "0 Total update succeeded"))),
    ] {
        check(None, Some(words), expected);
        check(Some("{broken"), Some(words), expected);
    }
    check(None, None, None);
    check(Some("{}"), None, None);
}

#[test]
fn times_are_read_as_servers_write_them() {
    for (text, expected) in [
        ("20261122064716Z", Some("2026-11-22T06:47:16Z")),
        ("2026-11-22T06:47:16Z", Some("2026-11-22T06:47:16Z")),
        ("20240229235959Z", Some("2024-02-29T23:59:59Z")),
        ("21000301000000Z", Some("2100-03-01T00:00:00Z")),
        ("19700101000001Z", Some("1970-01-01T00:00:01Z")),
        ("19700101000000Z", None),
        ("20261322064716Z", None),
        ("20261122064716", None),
        ("20261122244716Z", None),
        ("19691231235959Z", None),
        ("", None),
        ("Z", None),
    ] {
        assert_eq!(Moment::parse(text).map(|moment| moment.to_string()).as_deref(), expected, "{text}");
    }
}

#[test]
fn a_vector_is_read_and_what_is_odd_in_it_is_left_out() {
    let values = [
        "{replica 2 ldap://h:7389} 6b06ea79000000020000 6b06eaa2000000020000",
        "{replicageneration} 6b06ea5b000000010000",
        "{replica 1 ldap://vm:20389}",
        "{replica 3}",
        "{replica x ldap://vm:1} 1 2",
        "nothing",
        "{open",
    ];
    let ruv = Ruv::read(values).unwrap();
    assert_eq!(ruv.generation, "6b06ea5b000000010000");
    let ids: Vec<_> = ruv.elements.iter().map(|element| (element.id, element.url.as_deref(), element.newest.is_some())).collect();
    assert_eq!(ids, [(1, Some("ldap://vm:20389"), false), (2, Some("ldap://h:7389"), true), (3, None, false)]);
    assert_eq!(ruv.newest(2), Csn::parse("6b06eaa2000000020000"));
    assert_eq!(ruv.last(), ruv.newest(2));
    assert_eq!(Ruv::read(["{replica 1 ldap://vm:20389}"]), None);
    assert_eq!(Ruv::read(["{replicageneration}"]), None);
}

const SERVER: &str = "dn: cn=root,cn=ldbm database,cn=plugins,cn=config
objectClass: nsBackendInstance
cn: root
nsslapd-suffix: dc=test

dn: cn=\"dc=test\",cn=mapping tree,cn=config
objectClass: nsMappingTree
cn: dc=test
nsslapd-backend: root

dn: cn=replica,cn=\"dc=test\",cn=mapping tree,cn=config
objectClass: nsds5Replica
cn: replica
nsDS5ReplicaType: 3
nsDS5Flags: 1
nsDS5ReplicaId: 1
nsds50ruv: {replicageneration} 6b06ea5b000000010000
nsds50ruv: {replica 1 ldap://vm:20389} 6b06ea79000000010000 6b06eabd000000010000
nsds5AgmtMaxCSN: dc=test;next;localhost;21389;65535;6b06eabd000000010000
nsds5AgmtMaxCSN: dc=test;other;localhost;21389;unavailable
nsds5ReplicaCleanRUV: 7:no:1:dc=test

dn: cn=next,cn=replica,cn=\"dc=test\",cn=mapping tree,cn=config
objectClass: nsds5replicationagreement
cn: next
nsDS5ReplicaHost: localhost
nsDS5ReplicaPort: 21389
";

/// How the agreement is when its entry has these lines besides.
fn agreement(lines: &str) -> Agreement {
    let tree = Tree::from_records(ldif::parse(format!("{SERVER}{lines}").as_bytes()).unwrap()).unwrap();
    let instance = observed::Instance::read("one", &tree);
    let replica = tree.iter().find(|entry| entry.is_a("nsds5Replica")).unwrap();
    let agreements: Vec<Entry> = tree.iter().filter(|entry| entry.is_a("nsds5replicationagreement")).cloned().collect();
    let mut replica = Replica::read("one", &instance.backends[0], Some(replica), &agreements).unwrap();
    assert_eq!(
        (replica.suffix.clone(), replica.id, replica.cleaning.as_slice()),
        (Dn::parse("dc=test").unwrap(), Some(1), [7].as_slice())
    );
    assert_eq!(replica.colour(), replica.agreements[0].colour);
    replica.agreements.remove(0)
}

#[test]
fn an_agreement_is_as_its_last_session_was() {
    let ended = "nsds5replicaLastUpdateEnd: 20261125140314Z\n";
    let newest = Csn::parse("6b06eabd000000010000").unwrap();
    let behind = newest.at.since(Moment::parse("20261125140314Z").unwrap());
    for (lines, colour, lag) in [
        ("", Colour::Red, None),
        (
            "nsds5replicaLastUpdateStatus: Error (0) Incremental update succeeded\nnsds5replicaLastUpdateEnd: 20261125150000Z\n",
            Colour::Green,
            Some(0),
        ),
        (&format!("nsds5replicaLastUpdateStatus: Error (-1) down\n{ended}"), Colour::Red, Some(behind)),
        (&format!("nsds5replicaLastUpdateStatus: Error (1) busy\n{ended}"), Colour::Amber, Some(behind)),
        (&format!("nsds5replicaLastUpdateStatus: Error (19) other data\n{ended}"), Colour::Red, None),
        (
            &format!("nsds5replicaLastUpdateStatus: Error (0) fine\nnsds5BeginReplicaRefresh: start\n{ended}"),
            Colour::Amber,
            Some(behind),
        ),
        (
            &format!("nsds5replicaLastUpdateStatus: Error (0) fine\nnsDS5ReplicaEnabled: off\n{ended}"),
            Colour::Amber,
            Some(behind),
        ),
    ] {
        let found = agreement(lines);
        assert_eq!((found.colour, found.lag), (colour, lag), "{lines}");
        assert_eq!((found.host.as_str(), found.port, found.newest), ("localhost", Some(21389), Some(newest)));
    }
    assert!(behind > 0);
    let sent = agreement("nsds5replicaChangesSentSinceStartup:: MToxLzAgMjozLzQg\n").sent;
    assert_eq!(sent.iter().map(|sent| (sent.id, sent.sent, sent.skipped)).collect::<Vec<_>>(), [(1, 1, 0), (2, 3, 4)]);
}

#[test]
fn a_server_that_does_not_run_is_red() {
    let tree = Tree::from_records(ldif::parse(SERVER.as_bytes()).unwrap()).unwrap();
    let instance = observed::Instance::read("one", &tree);
    let replica = Replica::read("one", &instance.backends[0], None, &[]).unwrap();
    assert_eq!((replica.colour(), replica.is_running, &replica.ruv), (Colour::Red, false, &None));
    assert_eq!(serde_json::to_value(&replica).unwrap()["role"], "supplier");
}

fn any_csn(id: u16) -> impl Strategy<Value = Csn> {
    (any::<u32>(), any::<u16>(), any::<u16>()).prop_map(move |(at, sequence, part)| Csn {
        at: Moment::from_seconds(at.into()),
        sequence,
        id,
        part,
    })
}

fn any_ruv() -> impl Strategy<Value = Ruv> {
    let element = |id| prop::option::of((any_csn(id), any_csn(id)));
    prop::collection::vec(any::<bool>(), 4).prop_flat_map(move |there| {
        let elements: Vec<_> =
            (1..).zip(there).filter(|(_, is_there)| *is_there).map(|(id, _)| (Just(id), element(id))).collect();
        elements.prop_map(|elements| Ruv {
            generation: "6b06ea5b000000010000".to_owned(),
            elements: elements
                .into_iter()
                .map(|(id, csns)| Element {
                    id,
                    url: Some(format!("ldap://h:{id}")),
                    oldest: csns.map(|(one, other)| one.min(other)),
                    newest: csns.map(|(one, other)| one.max(other)),
                })
                .collect(),
        })
    })
}

fn written(ruv: &Ruv) -> Vec<String> {
    let element = |element: &Element| {
        let numbers = [element.oldest, element.newest].into_iter().flatten().map(|csn| format!(" {csn}")).collect::<String>();
        format!("{{replica {} {}}}{numbers}", element.id, element.url.as_deref().unwrap_or_default())
    };
    [format!("{{replicageneration}} {}", ruv.generation)].into_iter().chain(ruv.elements.iter().map(element)).collect()
}

proptest! {
    #[test]
    fn numbers_of_changes_are_read_as_they_are_written_and_keep_their_order(one in any_csn(1), other in any_csn(1)) {
        prop_assert_eq!(Csn::parse(&one.to_string()), Some(one));
        prop_assert_eq!(one.cmp(&other), one.to_string().cmp(&other.to_string()));
    }

    #[test]
    fn moments_are_read_as_they_are_written(seconds in 1..4_102_444_800_u64) {
        let moment = Moment::from_seconds(seconds);
        prop_assert_eq!(Moment::parse(&moment.to_string()), Some(moment));
    }

    #[test]
    fn vectors_are_read_as_they_are_written(ruv in any_ruv()) {
        prop_assert_eq!(Ruv::read(written(&ruv).iter().map(String::as_str)), Some(ruv));
    }

    #[test]
    fn nobody_is_behind_himself_and_whoever_lacks_nothing_is_not_behind(one in any_ruv(), other in any_ruv()) {
        prop_assert_eq!(one.lag(&one), Some(0));
        let lacks = one.elements.iter().any(|element| element.newest.is_some_and(|newest| other.newest(element.id).is_none_or(|known| known < newest)));
        if !lacks {
            prop_assert_eq!(one.lag(&other), Some(0));
        }
        let stranger = Ruv { generation: "other".to_owned(), ..other };
        prop_assert_eq!(one.lag(&stranger), None);
    }

    #[test]
    fn whatever_a_server_says_is_taken(values in prop::collection::vec(".*", 0..4), text in ".*") {
        let _ = Ruv::read(values.iter().map(String::as_str));
        let _ = (Csn::parse(&text), Moment::parse(&text), Outcome::read(Some(&text), Some(&text)));
    }
}

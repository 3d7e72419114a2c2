//! Agreements with servers outside of the namespace.

use super::*;

fn outside(more: Value) -> Arc<DS389Agreement> {
    let mut spec = json!({"instance": "*", "external": [
        {"name": "outside", "host": "Ldap.example.org", "bindDn": "cn=sender,cn=config", "secretName": "login"},
    ]});
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    agreement("out", spec)
}

fn state(members: Vec<Member>) -> State {
    let topology = compose(&world(members, vec![outside(json!({}))]), &Records::new());
    let pairs = &topology.agreements["out"].pairs;
    assert_eq!(pairs.len(), 1, "{pairs:?}");
    pairs[0].state
}

#[test]
fn whoever_sends_to_one_has_an_agreement_that_is_called_after_it() {
    let members = vec![heard("a", "supplier", "g"), heard("c", "consumer", "g")];
    let topology = compose(&world(members, vec![outside(json!({"paused": true}))]), &Records::new());
    assert_eq!(sends(&topology, "a"), ["outside outside"]);
    assert_eq!(sends(&topology, "c"), [""; 0]);
    let sends = &part(&topology, "a").backends["root"].agreements[0];
    let to = Receiver::External { bind_dn: Some("cn=sender,cn=config".to_owned()), secret: Some("login".to_owned()) };
    assert_eq!((&sends.to, part(&topology, "a").secrets().first().copied()), (&to, Some("login")));
    for (option, expected) in [
        ("name", json!("outside")),
        ("replicahost", json!("Ldap.example.org")),
        ("replicaport", json!(636)),
        ("replicatransportinfo", json!("LDAPS")),
        ("replicabindmethod", json!("SIMPLE")),
        ("replicaenabled", json!(false)),
    ] {
        assert_eq!(sends.options[option], expected, "{option}");
    }
}

#[test]
fn how_one_is_says_the_server_that_sends() {
    check_state(None, State::Configuring);
    for (told, expected) in [
        (AgreementState::InSync, State::InSync),
        (AgreementState::Behind, State::Behind),
        (AgreementState::Failing, State::Failing),
        (AgreementState::OtherData, State::OtherData),
        (AgreementState::Paused, State::Paused),
        (AgreementState::Initialising, State::Initialising),
    ] {
        check_state(Some(told), expected);
    }
    assert_eq!(state(vec![instance("a", "supplier")]), State::Unknown);
}

#[track_caller]
fn check_state(told: Option<AgreementState>, expected: State) {
    let member = heard("a", "supplier", "g");
    let member = match told {
        Some(told) => with_agreement(member, "outside", told, ""),
        None => member,
    };
    assert_eq!(state(vec![member]), expected);
}

#[test]
fn one_is_filled_once_when_a_user_asks_and_never_by_a_guess() {
    let told = |member: Member, agreement, known: &Records| {
        let topology = compose(&world(vec![member], vec![agreement]), known);
        (sends(&topology, "a"), topology.records)
    };
    let plain = ["outside outside".to_owned()];
    for data in ["g", "g empty", ""] {
        assert_eq!(told(heard("a", "supplier", data), outside(json!({})), &Records::new()).0, plain);
    }
    let asking = |word: &str| outside(json!({"initialise": {"policy": "OnRequest", "requestId": word}}));
    // Who has nothing gives nothing, nor whoever is to be filled itself.
    for data in ["g empty", "old receives g"] {
        assert_eq!(told(heard("a", "supplier", data), asking("one"), &Records::new()).0, plain);
    }
    let (asked, known) = told(heard("a", "supplier", "g"), asking("one"), &Records::new());
    assert_eq!(asked, ["outside outside Anew one"]);
    let met = || with_agreement(heard("a", "supplier", "g"), "outside", AgreementState::InSync, "one");
    let (done, known) = told(met(), asking("one"), &known);
    assert_eq!(done, plain);
    // Once more with another word.
    assert_eq!(told(met(), asking("two"), &known).0, ["outside outside Anew two"]);
    // What others do not have is not given to anybody outside.
    let members = vec![heard("a", "supplier", "other"), heard("b", "supplier", "g")];
    let asking = outside(json!({"initialise": {"policy": "OnRequest", "requestId": "one", "from": "a"}}));
    let apart = compose(&world(members, vec![mesh(), asking]), &recorded("g"));
    assert_eq!(sends(&apart, "a"), ["b", "outside outside"]);
}

#[test]
fn two_agreements_with_the_same_one_are_a_conflict_and_one_that_goes_is_removed() {
    let members = || vec![with_agreement(heard("a", "supplier", "g"), "outside", AgreementState::InSync, "")];
    let same_host = json!({"instance": "a", "external": [
        {"name": "other", "host": "ldap.example.ORG", "bindMethod": "Certificate"},
    ]});
    let both = compose(&world(members(), vec![outside(json!({})), agreement("twin", same_host)]), &Records::new());
    let refused = both.agreements["twin"].refused.clone().unwrap();
    assert_eq!(refused.reason, Reason::Conflict);
    assert!(refused.message.contains("a.root sends to outside by the DS389Agreement out"), "{}", refused.message);
    let removed = |agreements| {
        let topology = compose(&world(members(), agreements), &both.records);
        part(&topology, "a").backends["root"].removed.clone()
    };
    assert_eq!(removed(vec![]), ["outside"]);
    // What a resource says wrongly removes nothing.
    assert_eq!(removed(vec![outside(json!({"config": {"replicaBusyWaitTime": "soon"}}))]), [""; 0]);
    assert_eq!(removed(vec![outside(json!({}))]), [""; 0]);
}

//! As whom servers bind to each other, also while passwords change.

use k8s_openapi::{ByteString, api::core::v1::Secret};

use super::*;

/// A pair whose password has this hash, that binds as the identity of another hash if there is one, and lets these in.
fn pair(hash: &str, binds: Option<&str>, lets_in: &[&str]) -> Vec<Member> {
    let mut source = heard("a", "supplier", "g");
    if let Some(binds) = binds {
        source = with_agreement(source, "b", AgreementState::InSync, "");
        source.heard.as_mut().unwrap()[0].agreements[0].bind_dn = dn(binds);
    }
    let mut target = heard("b", "consumer", "g");
    target.passwords = [("a.root".to_owned(), hash.to_owned())].into();
    target.heard.as_mut().unwrap()[0].bind_dns = lets_in.iter().map(|hash| dn(hash)).collect();
    vec![source, target]
}

fn dn(hash: &str) -> String {
    format!("cn=aviary a.root {hash},cn=config")
}

/// As whom an agreement binds.
fn binds(sends: &Sends) -> Option<String> {
    sends.to.instance()?.1.map(|binds| binds.dn.clone())
}

/// Who is let in by the target, and as whom the source is told to bind.
fn told(topology: &Topology) -> (Vec<String>, Option<String>) {
    let target = part(topology, "b");
    assert!(target.senders.contains("a.root"));
    let admits = target.backends["root"].admits.clone();
    let sends = &part(topology, "a").backends["root"].agreements;
    (admits, sends.first().and_then(binds))
}

#[track_caller]
fn check(members: Vec<Member>, records: &mut Records, admits: &[&str], binds: Option<&str>) {
    let one = agreement("one", json!({"instance": "a", "targets": ["b"]}));
    let topology = compose(&world(members, vec![one]), records);
    assert_eq!(told(&topology), (admits.iter().map(|hash| dn(hash)).collect(), binds.map(dn)));
    *records = topology.records;
}

#[test]
fn each_agreement_has_an_identity_of_its_own() {
    let members = ["a", "b", "c"].map(|name| heard(name, "supplier", "g")).to_vec();
    let topology = compose(&world(members, vec![mesh()]), &Records::new());
    let admits = &part(&topology, "c").backends["root"].admits;
    assert_eq!(*admits, ["cn=aviary a.root hash,cn=config", "cn=aviary b.root hash,cn=config"]);
    let of_a: Vec<String> = part(&topology, "a").backends["root"].agreements.iter().filter_map(binds).collect();
    assert_eq!(of_a, [dn("hash"), dn("hash")]);
    assert_eq!(part(&topology, "c").identities[&dn("hash")], "a.root");
}

#[test]
fn a_change_of_passwords_begins_with_who_receives_and_locks_nobody_out() {
    let mut records = Records::new();
    // The first is told to both at once.
    check(pair("1", None, &[]), &mut records, &["1"], Some("1"));
    check(pair("1", Some("1"), &["1"]), &mut records, &["1"], Some("1"));
    // Another one is for the target first; the source goes on as it does.
    check(pair("2", Some("1"), &["1"]), &mut records, &["1", "2"], None);
    check(pair("2", Some("1"), &["1", "2"]), &mut records, &["1", "2"], Some("2"));
    // The last one is let in until the source says that it binds otherwise.
    check(pair("2", Some("1"), &["1", "2"]), &mut records, &["1", "2"], Some("2"));
    check(pair("2", Some("2"), &["1", "2"]), &mut records, &["2"], Some("2"));
}

#[test]
fn who_is_not_heard_is_told_what_was_told_before() {
    let mut records = Records::new();
    check(pair("1", Some("1"), &["1"]), &mut records, &["1"], Some("1"));
    let silent = |hash: &str, source: bool, target: bool| {
        let mut members = pair(hash, Some("1"), &["1"]);
        for (member, is_silent) in members.iter_mut().zip([source, target]) {
            member.heard = member.heard.take().filter(|_| !is_silent);
        }
        members
    };
    for (source, target) in [(true, false), (false, true), (true, true)] {
        check(silent("1", source, target), &mut records, &["1"], Some("1"));
        check(silent("2", source, target), &mut records.clone(), &["1", "2"], None);
    }
    // A source that has lost its agreement begins with the last password.
    check(pair("2", None, &["1"]), &mut records, &["2"], Some("2"));
}

#[test]
fn what_was_told_is_forgotten_with_the_agreement() {
    let mut records = Records::new();
    check(pair("1", Some("1"), &["1"]), &mut records, &["1"], Some("1"));
    let removing = compose(&world(pair("1", Some("1"), &["1"]), Vec::new()), &records);
    assert_eq!(removing.records[SUFFIX].binds.len(), 1);
    let removed = compose(&world(pair("1", None, &["1"]), Vec::new()), &removing.records);
    let later = compose(&world(pair("1", None, &["1"]), Vec::new()), &removed.records);
    assert_eq!(later.records[SUFFIX].binds.len(), 0);
}

#[test]
fn hashes_of_passwords_tell_them_apart_and_nothing_else() {
    let hashes = |parts: &[(&str, &str)]| {
        let data = parts.iter().map(|(key, text)| ((*key).to_owned(), ByteString(text.as_bytes().to_vec()))).collect();
        crate::topology::hashes(&Secret { data: Some(data), ..Secret::default() })
    };
    let one = hashes(&[("a.root", "word"), ("b.root", "word"), ("salt", "one")]);
    assert_eq!(one.keys().collect::<Vec<_>>(), ["a.root", "b.root"]);
    assert_eq!(one, hashes(&[("a.root", "word"), ("b.root", "word"), ("salt", "one")]));
    for (word, salt) in [("other", "one"), ("word", "other")] {
        assert_ne!(one["a.root"], hashes(&[("a.root", word), ("salt", salt)])["a.root"]);
    }
    assert!(hashes(&[("a.root", "word")]).is_empty());
}

#[test]
fn a_server_whose_resource_is_gone_is_let_in_until_its_pod_is_too() {
    let mut records = Records::new();
    check(pair("1", Some("1"), &["1"]), &mut records, &["1"], Some("1"));
    for (with_pods, admits) in [(vec!["a"], vec![dn("1")]), (vec!["b"], vec![]), (vec![], vec![])] {
        let target = pair("1", None, &["1"]).pop().unwrap();
        let with_pods = with_pods.into_iter().map(str::to_owned).collect();
        let topology = compose(&World { with_pods, ..world(vec![target], vec![mesh()]) }, &records);
        let backend = &part(&topology, "b").backends["root"];
        assert_eq!((&backend.admits, backend.is_target), (&admits, !admits.is_empty()));
    }
}

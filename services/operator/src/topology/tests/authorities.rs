//! Which authorities each instance trusts, and who does not trust that of the next certificate of another.

use super::*;

fn authorities(topology: &Topology, name: &str) -> Vec<String> {
    part(topology, name).authorities.iter().cloned().collect()
}

fn distrusted_by(topology: &Topology, name: &str) -> Vec<String> {
    part(topology, name).distrusted_by.iter().cloned().collect()
}

#[test]
fn all_trust_the_authorities_that_are_in_use_and_those_that_others_announce() {
    let with = |name: &str, issuer: Option<&str>, announced: Option<&str>| Member {
        issuer: issuer.map(str::to_owned),
        announced: announced.map(str::to_owned),
        ..instance(name, "supplier")
    };
    let members = vec![with("a", Some("old"), Some("new")), with("b", None, None), with("c", None, Some("other"))];
    let topology = compose(&world(members, vec![]), &Records::new());
    assert_eq!(authorities(&topology, "a"), ["old", "other"]);
    assert_eq!(authorities(&topology, "b"), ["new", "old", "other"]);
    assert_eq!(authorities(&topology, "c"), ["new", "old"]);
}

#[test]
fn an_announced_authority_is_trusted_when_all_trust_it_that_send_and_do_what_they_are_told() {
    let ring = || {
        let pairs = [("ab", "a", "b"), ("bc", "b", "c"), ("db", "d", "b")];
        pairs.map(|(name, from, to)| agreement(name, json!({"instance": from, "targets": [to]}))).to_vec()
    };
    let check = |trusting: &[&str], obeying: &[&str], expected: &[&str]| {
        let member = |name: &str| Member {
            announced: Some("new".to_owned()).filter(|_| name == "b"),
            trusts: trusting.iter().filter(|one| **one == name).map(|_| "new".to_owned()).collect(),
            obeys: obeying.contains(&name),
            ..instance(name, "supplier")
        };
        let members = ["a", "b", "c", "d"].map(member).to_vec();
        let topology = compose(&world(members, ring()), &Records::new());
        assert_eq!(distrusted_by(&topology, "b"), expected, "{trusting:?} {obeying:?}");
        assert_eq!(part(&topology, "b").is_trusted(Some("new")), expected.is_empty());
        assert!(!part(&topology, "b").is_trusted(Some("other")), "nobody was asked to");
        assert_eq!(distrusted_by(&topology, "c"), [""; 0]);
    };
    check(&[], &["a", "b", "c", "d"], &["a", "d"]);
    check(&["a"], &["a", "b", "c", "d"], &["d"]);
    check(&["a", "d"], &["a", "b", "c", "d"], &[]);
    // One that is left alone is not waited for.
    check(&["a"], &["a", "b", "c"], &[]);
}

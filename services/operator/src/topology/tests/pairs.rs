//! What agreements mean: who sends to whom, and why somebody does not.

use directory::dn::Dn;

use super::*;

#[test]
fn patterns_make_pairs_of_all_that_send_and_receive() {
    let members = vec![instance("a", "supplier"), instance("b", "supplier"), instance("c", "consumer"), instance("h", "hub")];
    let agreements = vec![
        agreement("suppliers", json!({"instance": "[ab]", "targets": ["b"]})),
        agreement("one", json!({"instance": "a", "targets": ["b.root", "h"]})),
        agreement("two", json!({"suffix": "DC=test", "instance": "h", "targets": ["c"]})),
    ];
    let topology = compose(&world(members, agreements), &Records::new());
    assert_eq!(sends(&topology, "a"), ["b", "h"]);
    assert_eq!(sends(&topology, "b"), [""; 0]);
    assert_eq!(sends(&topology, "h"), ["c"]);
    assert!(!part(&topology, "c").senders.is_empty() && part(&topology, "a").senders.is_empty());
    let options = &part(&topology, "a").backends["root"].agreements[0].options;
    assert_eq!(options["replicahost"], "b.test.svc.cluster.local");
    assert_eq!(options["replicatransportinfo"], "LDAPS");
    let refused = topology.agreements["suppliers"].refused.as_ref().unwrap();
    assert_eq!(refused.reason, Reason::NotFound);
}

#[test]
fn hubs_send_to_no_supplier() {
    let members = vec![instance("a", "supplier"), instance("c", "consumer"), instance("d", "hub"), instance("h", "hub")];
    let topology = compose(&world(members, vec![mesh()]), &Records::new());
    assert_eq!(sends(&topology, "a"), ["c", "d", "h"]);
    assert_eq!(sends(&topology, "h"), ["c", "d"]);
    let refused = agreement("up", json!({"instance": "h", "targets": ["a"]}));
    let topology = compose(&world(vec![instance("a", "supplier"), instance("h", "hub")], vec![refused]), &Records::new());
    assert_eq!(topology.agreements["up"].refused.as_ref().map(|refused| refused.reason), Some(Reason::NotFound));
}

#[test]
fn what_an_agreement_names_that_is_not_there_is_told_with_what_there_is() {
    let members = || {
        let mut other = instance("o", "consumer");
        other.backends[0].suffix = Dn::parse("dc=other").unwrap();
        vec![instance("a", "supplier"), instance("b", "consumer"), other]
    };
    for (spec, expected) in [
        (json!({"instance": "x", "targets": ["b"]}), "there is no DS389Instance x"),
        (json!({"instance": "b", "targets": ["a"]}), "a supplier or a hub; there is a.root"),
        (
            json!({"instance": "a", "targets": ["x"]}),
            "match no other backend of suffix dc=test that has a part in replication; there is b.root",
        ),
        (json!({"instance": "a", "targets": ["o"]}), "part in replication: o.root has dc=other; there is b.root"),
        (json!({"suffix": "dc=other", "targets": ["b"]}), "no backend that this is about is a supplier"),
        (json!({"suffix": "no name", "targets": ["b"]}), "spec.suffix: "),
    ] {
        let topology = compose(&world(members(), vec![agreement("x", spec)]), &Records::new());
        let refused = topology.agreements["x"].refused.clone().unwrap();
        assert!(refused.message.contains(expected), "{}", refused.message);
    }
}

#[test]
fn of_a_group_of_one_a_pattern_means_that_one_which_sends_to_nobody_yet() {
    let topology = compose(&world(vec![instance("a", "supplier")], vec![mesh()]), &Records::new());
    assert_eq!((&topology.agreements["mesh"].refused, topology.agreements["mesh"].pairs.len()), (&None, 0));
}

#[test]
fn of_two_that_mean_the_same_the_later_one_leaves_it() {
    let members = vec![instance("a", "supplier"), instance("b", "supplier")];
    let agreements = vec![agreement("one", json!({"instance": "a", "targets": ["b"]})), mesh()];
    let topology = compose(&world(members, agreements), &Records::new());
    assert_eq!(topology.agreements["one"].refused, None);
    let refused = topology.agreements["mesh"].refused.clone().unwrap();
    assert_eq!(refused.reason, Reason::Conflict);
    assert!(refused.message.contains("a.root sends to b.root by the DS389Agreement one"), "{}", refused.message);
    assert_eq!((sends(&topology, "a"), sends(&topology, "b")), (vec!["b".to_owned()], vec!["a".to_owned()]));
}

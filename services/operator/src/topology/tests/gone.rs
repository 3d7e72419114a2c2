//! What follows from what is gone: suppliers and their numbers, and agreements.

use std::collections::BTreeMap;

use super::*;

/// One that knows of the changes of these suppliers, and has a number if it is one of them.
fn that_knows(mut member: Member, id: u32, suppliers: &[u32]) -> Member {
    let replica = &mut member.heard.as_mut().unwrap()[0];
    (replica.id, replica.suppliers) = (id, suppliers.to_vec());
    member
}

fn gone(topology: &Topology, name: &str) -> Vec<u16> {
    part(topology, name).gone.get(SUFFIX).into_iter().flatten().copied().collect()
}

#[test]
fn the_number_of_a_supplier_that_is_gone_is_cleaned_by_one_of_the_others_and_given_to_nobody() {
    let a = || that_knows(heard("a", "supplier", "g"), 1, &[1, 2]);
    let b = || that_knows(heard("b", "supplier", "g"), 2, &[1, 2]);
    let c = || that_knows(heard("c", "consumer", "g"), 0, &[1, 2]);
    let compose_of = |members: Vec<Member>, records: &Records| compose(&world(members, vec![mesh()]), records);
    let before = compose_of(vec![a(), b(), c()], &Records::new());
    assert_eq!(before.records[SUFFIX].numbers, [("a.root".to_owned(), 1), ("b.root".to_owned(), 2)].into());
    // Its pod may still send.
    let ending = World { with_pods: ["b".to_owned()].into(), ..world(vec![a(), c()], vec![mesh()]) };
    assert_eq!(gone(&compose(&ending, &before.records), "a"), [0; 0]);
    let after = compose_of(vec![a(), c()], &before.records);
    assert_eq!((gone(&after, "a"), gone(&after, "c")), (vec![2], vec![]));
    assert_eq!(part(&after, "a").numbers[SUFFIX], [1].into());
    let cleaned = || vec![that_knows(heard("a", "supplier", "g"), 1, &[1]), c()];
    let done = compose_of(cleaned(), &after.records);
    assert_eq!((gone(&done, "a"), done.records[SUFFIX].gone.is_empty()), (vec![], true));
    // Nobody gets it any more, whether asked for or not.
    let asking = Member { was_there: false, heard: None, ..instance("d", "supplier 2") };
    for topology in [&after, &done] {
        let refused =
            compose_of([cleaned(), vec![asking.clone()]].concat(), &topology.records).parts["d"].refused.clone().unwrap();
        assert_eq!(refused.reason, Reason::Conflict);
        assert!(refused.message.contains("replicaId 2 is that of a supplier that there was before"), "{}", refused.message);
        let other = compose_of([cleaned(), vec![instance("d", "supplier")]].concat(), &topology.records);
        assert_eq!(other.records[SUFFIX].numbers["d.root"], 3);
    }
}

#[test]
fn a_supplier_cleans_what_hubs_know_and_consumers_are_not_waited_for() {
    let members = |supplier: &[u32], hub: &[u32]| {
        vec![
            that_knows(heard("a", "supplier", "g"), 1, supplier),
            that_knows(heard("c", "consumer", "g"), 0, &[1, 2]),
            that_knows(heard("h", "hub", "g"), 0, hub),
        ]
    };
    let mut records = recorded("g");
    records.get_mut(SUFFIX).unwrap().numbers = [("a.root".to_owned(), 1), ("b.root".to_owned(), 2)].into();
    let both: &[u32] = &[1, 2];
    for (supplier, hub, cleans, is_done) in [(both, both, true, false), (&[1], both, false, false), (&[1], &[1], false, true)] {
        let topology = compose(&world(members(supplier, hub), vec![mesh()]), &records);
        for name in ["a", "c", "h"] {
            assert_eq!(gone(&topology, name), if cleans && name == "a" { vec![2] } else { vec![] }, "{name}");
        }
        assert_eq!(topology.records[SUFFIX].gone.is_empty(), is_done);
        records = topology.records;
    }
}

#[test]
fn no_number_is_cleaned_while_a_server_may_have_it_and_all_that_are_gone_may_come_back() {
    let a = || that_knows(heard("a", "supplier", "g"), 1, &[1, 2]);
    let b = || that_knows(heard("b", "supplier", "g"), 2, &[1, 2]);
    let before = compose(&world(vec![a(), b()], vec![mesh()]), &Records::new());
    let nobody = compose(&world(Vec::new(), Vec::new()), &before.records);
    assert_eq!(nobody.records[SUFFIX].numbers.len(), 2);
    // Nobody who could tell others is heard.
    let silent = Member { heard: None, ..a() };
    let waits = compose(&world(vec![silent], vec![mesh()]), &before.records);
    assert_eq!((gone(&waits, "a"), waits.records[SUFFIX].numbers.len()), (vec![], 2));
    // One that shall be a consumer is a supplier until its agent says otherwise.
    let demoted = |id| that_knows(heard("b", "consumer", "g"), id, &[1, 2]);
    let still = compose(&world(vec![a(), demoted(2)], vec![mesh()]), &before.records);
    assert_eq!(gone(&still, "a"), [0; 0]);
    let done = compose(&world(vec![a(), demoted(0)], vec![mesh()]), &before.records);
    assert_eq!(gone(&done, "a"), [2]);
    // Another one that is not heard may have got it by hand.
    let unheard = Member { was_there: true, ..instance("c", "supplier") };
    let unsure = compose(&world(vec![a(), demoted(0), unheard], vec![mesh()]), &done.records);
    assert_eq!(gone(&unsure, "a"), [0; 0]);
}

#[test]
fn a_supplier_is_none_any_more_when_its_server_was_asked_and_has_all_done() {
    let a = || that_knows(heard("a", "supplier", "g"), 1, &[1, 2]);
    let b = || that_knows(heard("b", "supplier", "g"), 2, &[1, 2]);
    let before = compose(&world(vec![a(), b()], vec![mesh()]), &Records::new());
    let cleans = |b: Member, records: &Records| {
        let topology = compose(&world(vec![a(), b], vec![mesh()]), records);
        (gone(&topology, "a"), topology.records[SUFFIX].numbers.contains_key("b.root"))
    };
    // Its resource says nothing of replication any more.
    let dropped = |heard: Option<Vec<Replica>>, is_settled| Member { was_there: true, is_settled, heard, ..instance("b", "") };
    assert_eq!(cleans(dropped(None, true), &before.records), (vec![], true), "the server does not answer");
    assert_eq!(cleans(dropped(b().heard, true), &before.records), (vec![], true), "it has its replica still");
    assert_eq!(cleans(dropped(Some(Vec::new()), false), &before.records), (vec![], true), "it is being changed");
    assert_eq!(cleans(dropped(Some(Vec::new()), true), &before.records), (vec![2], false));
    // Whatever the records say, a number that a server has is its own.
    let mut records = before.records.clone();
    let record = records.get_mut(SUFFIX).unwrap();
    record.numbers.remove("b.root");
    (record.retired, record.gone) = ([2].into(), [2].into());
    assert_eq!(cleans(dropped(b().heard, true), &records).0, [0; 0]);
    // One that does nothing of what it is told is no one to tell it, and without any the number is remembered.
    for (member, expected) in [(a(), vec![2]), (Member { obeys: false, ..a() }, vec![])] {
        let topology = compose(&world(vec![member], vec![mesh()]), &records);
        assert_eq!((gone(&topology, "a"), topology.records[SUFFIX].gone.len()), (expected, 1));
    }
    let consumer = that_knows(heard("c", "consumer", "g"), 0, &[1, 2]);
    assert_eq!(compose(&world(vec![consumer], Vec::new()), &records).records[SUFFIX].gone, [2].into());
}

#[test]
fn a_number_is_somebodys_for_as_long_as_anybody_has_it() {
    // Of two that have the same, one goes.
    let twin = |name: &str| that_knows(heard(name, "supplier 2", "g"), 2, &[2]);
    let twins = compose(&world(vec![twin("a"), twin("b")], Vec::new()), &Records::new());
    let alone = compose(&world(vec![twin("a")], Vec::new()), &twins.records);
    assert_eq!((alone.records[SUFFIX].retired.len(), part(&alone, "a").refused.clone()), (0, None));
    // Somebody thinks better of another number before the server has it.
    let with = |asked: &str, has: u32| that_knows(heard("a", asked, "g"), has, &[has]);
    let first = compose(&world(vec![with("supplier 2", 2)], Vec::new()), &Records::new());
    let other = compose(&world(vec![with("supplier 5", 2)], Vec::new()), &first.records);
    assert_eq!(part(&other, "a").backends["root"].id, Some(5));
    let back = compose(&world(vec![with("supplier 2", 2)], Vec::new()), &other.records);
    assert_eq!((part(&back, "a").backends["root"].id, part(&back, "a").refused.clone()), (Some(2), None));
    let late = compose(&world(vec![with("supplier 2", 5)], Vec::new()), &other.records);
    assert_eq!(part(&late, "a").refused.as_ref().unwrap().reason, Reason::Conflict);
}

#[test]
fn an_agreement_that_no_resource_means_any_more_is_removed_and_no_other() {
    let a = || with_agreement(heard("a", "supplier", "g"), "b", AgreementState::InSync, "");
    let (b, c) = (|| heard("b", "consumer", "g"), || heard("c", "consumer", "g"));
    let to = |target: &str| agreement("one", json!({"instance": "a", "targets": [target]}));
    let removed = |topology: &Topology| part(topology, "a").backends["root"].removed.clone();
    let first = compose(&world(vec![a(), b(), c()], vec![to("b")]), &Records::new());
    assert_eq!(removed(&first), [""; 0]);
    for agreements in [vec![to("c")], Vec::new()] {
        let after = compose(&world(vec![a(), b(), c()], agreements), &first.records);
        assert_eq!(removed(&after), ["b.root"]);
        // It is remembered until the server has it no longer.
        let again = compose(&world(vec![a(), b(), c()], Vec::new()), &after.records);
        assert_eq!(removed(&again), ["b.root"]);
        let done = compose(&world(vec![heard("a", "supplier", "g"), b(), c()], Vec::new()), &again.records);
        assert!(removed(&done).is_empty() && done.records[SUFFIX].agreements.is_empty());
    }
    // The other end is gone.
    assert_eq!(removed(&compose(&world(vec![a(), c()], vec![to("b")]), &first.records)), ["b.root"]);
    // What is wrong with a resource changes nothing, nor does that a password is not known yet.
    let wrong = agreement("one", json!({"instance": "a", "targets": ["b"], "suffix": "no name"}));
    let nobody = agreement("one", json!({"instance": "a", "targets": ["b"], "initialise": {"from": "x"}}));
    let unknown = || Member { passwords: BTreeMap::new(), ..b() };
    for (target, agreement) in [(b(), wrong), (b(), nobody), (unknown(), to("b"))] {
        let topology = compose(&world(vec![a(), target], vec![agreement]), &first.records);
        assert_eq!((removed(&topology), part(&topology, "a").backends["root"].kept.clone()), (vec![], vec!["b.root".to_owned()]));
    }
    assert_eq!(part(&first, "a").backends["root"].kept, [""; 0]);
    // The pair is another resource's.
    let later = agreement("two", json!({"instance": "a", "targets": ["*"]}));
    let both = compose(&world(vec![a(), b(), c()], vec![to("c"), later.clone()]), &Records::new());
    assert_eq!(both.agreements["two"].refused.as_ref().unwrap().reason, Reason::Conflict);
    let narrowed = agreement("two", json!({"instance": "a", "targets": ["c"]}));
    assert_eq!(removed(&compose(&world(vec![a(), b(), c()], vec![to("c"), narrowed]), &both.records)), ["b.root"]);
    // Who sends may come back with what it had.
    let away = compose(&world(vec![b()], Vec::new()), &first.records);
    assert_eq!(removed(&compose(&world(vec![a(), b()], Vec::new()), &away.records)), ["b.root"]);
    // What somebody else has made is theirs.
    assert_eq!(removed(&compose(&world(vec![a(), b()], Vec::new()), &Records::new())), [""; 0]);
}

//! What speaks against interrupting a server.

use super::*;

/// What speaks against it, with a `!` where that is not borne for ever.
fn busy(members: Vec<Member>) -> Vec<String> {
    let one = agreement("one", json!({"instance": "a", "targets": ["b"]}));
    let topology = compose(&world(members, vec![one]), &recorded("g"));
    let of_suffix = topology.busy.get(SUFFIX).into_iter().flatten();
    of_suffix.map(|busy| format!("{}{}", busy.what, if busy.may_be_borne { "" } else { "!" })).collect()
}

#[track_caller]
fn check(a: Member, b: Member, expected: &[&str]) {
    assert_eq!(busy(vec![a, b]), expected);
}

#[test]
fn all_others_have_to_serve_and_to_have_all_changes() {
    let sender = |state| settled(with_agreement(heard("a", "supplier", "g"), "b", state, ""));
    let a = || sender(AgreementState::InSync);
    let b = || settled(heard("b", "consumer", "g"));
    check(a(), b(), &[]);
    check(a(), Member { is_settled: false, ..b() }, &["b is being changed"]);
    check(a(), Member { is_settled: false, serves: false, ..b() }, &["b does not serve!"]);
    // A new operator has heard nobody yet.
    let unheard = || Member { was_there: true, ..instance("b", "consumer") };
    check(a(), unheard(), &["b is not heard!"]);
    check(a(), Member { rests: true, ..unheard() }, &[]);
    check(a(), instance("b", "consumer"), &[]);
    check(sender(AgreementState::Behind), b(), &["b.root has not all changes yet of a.root"]);
}

#[test]
fn whoever_is_to_get_an_agreement_does_not_wait_for_it() {
    let one = agreement("one", json!({"instance": "a", "targets": ["b"]}));
    let members = vec![settled(heard("a", "supplier", "g")), settled(heard("b", "consumer", "g"))];
    let topology = compose(&world(members, vec![one]), &recorded("g"));
    let about: Vec<_> = topology.busy[SUFFIX].iter().map(|busy| (busy.instance.as_deref(), busy.may_be_borne)).collect();
    assert_eq!(about, [(Some("a"), true)]);
}

#[test]
fn nobody_is_interrupted_who_fills_another_and_one_that_waits_to_be_filled_may_wait_for_that() {
    let a = |state| settled(with_agreement(heard("a", "supplier", "g"), "b", state, ""));
    let unfilled = || Member { serves: false, is_settled: false, ..settled(heard("b", "consumer", "gb receives g")) };
    let filled = "b.root is being filled by a.root!";
    check(a(AgreementState::Initialising), settled(heard("b", "consumer", "")), &[filled]);
    check(
        settled(heard("a", "supplier", "g")),
        unfilled(),
        &["b waits to be filled", "b.root has not all changes yet of a.root"],
    );
}

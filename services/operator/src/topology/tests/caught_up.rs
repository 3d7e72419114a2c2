//! What it changes that a server is said to have all changes of another by other ways.

use super::*;

/// How the pair of two servers is whose agreement is in this state, whether its agents are to be asked, and how many things speak
/// against a restart.
fn found(state: AgreementState, target: Member, has_caught_up: bool) -> (State, bool, usize) {
    let a = settled(with_agreement(heard("a", "supplier", "g"), "b", state, ""));
    let one = agreement("one", json!({"instance": "a", "targets": ["b"]}));
    let way = (SUFFIX.to_owned(), ["a", "b"].map(str::to_owned));
    let caught_up = Some(way.clone()).filter(|_| has_caught_up).into_iter().collect();
    let topology = compose(&World { caught_up, ..world(vec![a, target], vec![one]) }, &recorded("g"));
    let busy = topology.busy.get(SUFFIX).map(Vec::len).unwrap_or_default();
    (topology.agreements["one"].pairs[0].state, topology.unsure().contains(&way), busy)
}

#[test]
fn whoever_has_all_changes_is_in_sync_whatever_its_sessions_say_that_do_not_fail() {
    let good = || settled(heard("b", "consumer", "g"));
    for (state, otherwise, caught_up) in [
        (AgreementState::Waiting, (State::Waiting, true, 1), (State::InSync, true, 0)),
        (AgreementState::Behind, (State::Behind, true, 1), (State::InSync, true, 0)),
        // It is to be mended, though nobody waits for it.
        (AgreementState::Failing, (State::Failing, true, 1), (State::Failing, true, 0)),
        (AgreementState::InSync, (State::InSync, false, 0), (State::InSync, false, 0)),
        (AgreementState::Paused, (State::Paused, false, 0), (State::Paused, false, 0)),
        (AgreementState::Initialising, (State::Initialising, false, 1), (State::Initialising, false, 1)),
    ] {
        assert_eq!(found(state, good(), false), otherwise);
        assert_eq!(found(state, good(), true), caught_up);
    }
    let silent = Member { serves: false, ..good() };
    assert!(!found(AgreementState::Failing, silent, false).1, "one that does not serve is not asked");
}

#[test]
fn whoever_has_other_data_or_none_has_not_caught_up() {
    let (behind, unfilled) = (AgreementState::Behind, settled(heard("b", "consumer", "gb receives g")));
    assert_eq!(found(behind, settled(heard("b", "consumer", "gb")), true).0, State::OtherData);
    let (state, is_asked, _) = found(behind, unfilled, true);
    assert_eq!((state, is_asked), (State::Initialising, false));
}

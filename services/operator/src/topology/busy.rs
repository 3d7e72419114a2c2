//! What speaks against interrupting a server now: of those that it shares a suffix with, one does not serve or is being changed, or
//! one has not all changes. A function of what there is.

use std::collections::BTreeMap;

use aviary_proto::directory::v1::AgreementState;

use super::{
    compose::Found,
    states::{PairState, State},
    world::{Replicated, World},
};

/// One thing that speaks against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Busy {
    /// The instance that this is about; `None` if it is about two.
    pub(crate) instance: Option<String>,
    /// The instances that send and receive, if it is about two.
    pub(crate) pair: Option<[String; 2]>,
    /// Whether the one is giving the other all entries: interrupting either ends that.
    pub(crate) is_filling: bool,
    /// Whether it need not be waited for for ever, as all serve.
    pub(crate) may_be_borne: bool,
    /// What, in words.
    pub(crate) what: String,
}

/// By suffix, in its normal form, what speaks against interrupting any server of it.
pub(super) fn of(world: &World, agreements: &BTreeMap<String, Found>) -> BTreeMap<String, Vec<Busy>> {
    let mut busy: BTreeMap<String, Vec<Busy>> = BTreeMap::new();
    for one in world.replicated().filter(|one| one.member.was_there && !one.member.is_settled && !one.member.rests) {
        // What nobody has filled yet may wait for what somebody is told with that interruption.
        let is_unfilled = one.heard().is_some_and(|replica| !replica.receives.is_empty());
        let how = match (one.member.serves, one.member.is_heard) {
            (true, _) => "is being changed",
            (false, true) if is_unfilled => "waits to be filled",
            (false, true) => "does not serve",
            (false, false) => "is not heard",
        };
        let what = format!("{} {how}", one.member.name);
        let may_be_borne = one.member.serves || is_unfilled;
        let about = Busy { instance: Some(one.member.name.clone()), pair: None, is_filling: false, may_be_borne, what };
        busy.entry(one.backend.suffix.normal().to_owned()).or_default().push(about);
    }
    let by_name: BTreeMap<String, Replicated<'_>> = world.replicated().map(|one| (one.name(), one)).collect();
    let pairs = agreements.values().flat_map(|found| &found.pairs);
    for state in pairs.filter(|state| has_to_catch_up(state)) {
        let (Some(source), Some(target)) = (by_name.get(&state.source), by_name.get(&state.target)) else { continue };
        let is_filling = source.agreement(target).is_some_and(|known| known.state() == AgreementState::Initialising);
        // An agreement that fails is not waited for where changes come by other ways.
        if !is_filling && world.has_caught_up(source, target) {
            continue;
        }
        let how = if is_filling { "is being filled by" } else { "has not all changes yet of" };
        let what = format!("{} {how} {}", state.target, state.source);
        let pair = Some([source, target].map(|one| one.member.name.clone()));
        // Who is to have an agreement may get it with what it waits for.
        let instance = (state.state == State::Configuring).then(|| source.member.name.clone());
        let about = Busy { instance, pair, is_filling, may_be_borne: !is_filling, what };
        busy.entry(source.backend.suffix.normal().to_owned()).or_default().push(about);
    }
    busy
}

/// Whether one lacks, or may lack, what the other is about to send. What is not heard is told of its server.
fn has_to_catch_up(state: &PairState) -> bool {
    match state.state {
        State::Configuring | State::Waiting | State::Initialising | State::Behind | State::Failing => true,
        State::Unknown | State::InSync | State::OtherData | State::Paused => false,
    }
}

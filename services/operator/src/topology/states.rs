//! How a pair is, from what both agents say.

use aviary_proto::directory::v1::{Agreement, AgreementState};

use super::{
    caught_up::Way,
    pairs::Pair,
    records::{self, Choice, Records},
    world::{Replicated, World},
};

/// How one pair is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PairState {
    /// Instance and backend that sends.
    pub(crate) source: String,
    /// The one that receives.
    pub(crate) target: String,
    pub(crate) state: State,
    /// Why it is not in sync.
    pub(crate) message: String,
    /// The request to initialise that was met last.
    pub(crate) request: Option<String>,
    /// Where the agreement leaves open whether all changes have come, whom to ask.
    pub(crate) unsure: Option<Way>,
    /// Whether one that knows more is being called for the first time.
    pub(crate) is_early: bool,
}

/// In a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Who would know does not answer.
    Unknown,
    /// The server that sends has no agreement yet.
    Configuring,
    /// There was no session yet.
    Waiting,
    /// Who receives is being given all entries, or is about to be.
    Initialising,
    /// Who receives has all.
    InSync,
    /// Who receives lacks changes.
    Behind,
    /// The two have data that began apart.
    OtherData,
    /// There is no session, or it fails.
    Failing,
    /// Nothing is sent, as was asked for.
    Paused,
}

impl State {
    /// All.
    const ALL: [Self; 9] = [
        Self::Unknown,
        Self::Configuring,
        Self::Waiting,
        Self::Initialising,
        Self::InSync,
        Self::Behind,
        Self::OtherData,
        Self::Failing,
        Self::Paused,
    ];

    /// The one of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// As it stands in the resource.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Unknown => "Unknown",
            Self::Configuring => "Configuring",
            Self::Waiting => "Waiting",
            Self::Initialising => "Initialising",
            Self::InSync => "InSync",
            Self::Behind => "Behind",
            Self::OtherData => "OtherData",
            Self::Failing => "Failing",
            Self::Paused => "Paused",
        }
    }
}

/// How a pair is.
pub(crate) fn of(pair: &Pair<'_>, choice: Option<&Choice>, records: &Records, world: &World) -> PairState {
    let Pair { source, target, .. } = pair;
    let restored = restored(pair, records);
    let (state, message) = match (state(source, target, choice, world), restored) {
        ((State::InSync, _), Some([other, restored])) if !world.has_caught_up(other, restored) => {
            (State::Behind, lacks(other, restored))
        }
        (told, _) => told,
    };
    let back = restored.map(|[other, restored]| other.way(restored));
    let unsure = is_unsure(pair).then(|| source.way(target)).or(back);
    let is_early = [source, target].iter().any(|one| one.member.is_called);
    PairState { source: source.name(), target: target.name(), state, message, request: pair.link().met(), unsure, is_early }
}

/// The two of a pair, if one of them was restored and may lack changes of its own that the other has. That one is the last. The
/// agreement between the two does not tell: whoever has nothing to send does not look again what the other one has.
fn restored<'a, 'w>(pair: &'a Pair<'w>, records: &Records) -> Option<[&'a Replicated<'w>; 2]> {
    let Pair { source, target, .. } = pair;
    let record = records::of(records, &source.backend.suffix)?;
    let ways = [[target, source], [source, target]];
    ways.into_iter().find(|[_, restored]| record.restored.values().any(|key| *key == restored.key()))
}

/// Whether the agreement of two that serve leaves open whether all changes have come.
fn is_unsure(pair: &Pair<'_>) -> bool {
    let Pair { source, target, .. } = pair;
    let is_open = |known: &Agreement| match known.state() {
        AgreementState::Waiting | AgreementState::Behind | AgreementState::Failing | AgreementState::Unspecified => true,
        AgreementState::InSync | AgreementState::OtherData | AgreementState::Paused | AgreementState::Initialising => false,
    };
    let is_filled = target.heard().is_some_and(|known| known.receives.is_empty());
    source.agreement(target).is_some_and(is_open) && is_filled && source.member.serves && target.member.serves
}

fn state(source: &Replicated<'_>, target: &Replicated<'_>, choice: Option<&Choice>, world: &World) -> (State, String) {
    if let Some(silent) = [source, target].into_iter().find(|one| one.heard().is_none()) {
        return (State::Unknown, format!("nothing is heard of {}", silent.name()));
    }
    let Some(agreement) = source.agreement(target) else {
        return (State::Configuring, format!("{} has no agreement with it yet", source.name()));
    };
    let says = || agreement.message.clone();
    let filled = target.heard().is_some_and(|known| !known.receives.is_empty());
    match agreement.state() {
        AgreementState::Paused => (State::Paused, String::new()),
        AgreementState::Initialising => (State::Initialising, says()),
        _ if filled => (State::Initialising, format!("{} waits for its entries", target.name())),
        _ if !is_common(source, target, choice) => match choice {
            Some(Choice::Waits(names)) if names.is_empty() => {
                (State::Waiting, format!("no server of {} has entries, and none is a supplier", source.backend.suffix))
            }
            Some(Choice::Waits(names)) => (State::Waiting, format!("nothing is heard of {}", names.join(", "))),
            Some(Choice::Several(several)) => (State::OtherData, several_have(several)),
            _ => match [source, target].into_iter().find(|one| one.has_data() != Some(true)) {
                Some(empty) => (State::Waiting, format!("{} has no entries yet", empty.name())),
                None => (State::OtherData, other_data(source, target)),
            },
        },
        // A server that has nothing to send does not look again whether the other one still has other data.
        AgreementState::InSync | AgreementState::OtherData => (State::InSync, String::new()),
        // Not by this agreement, which has had no session for long.
        AgreementState::Behind | AgreementState::Waiting | AgreementState::Unspecified if world.has_caught_up(source, target) => {
            (State::InSync, String::new())
        }
        AgreementState::Behind => (State::Behind, says()),
        AgreementState::Failing => (State::Failing, says()),
        AgreementState::Waiting | AgreementState::Unspecified => (State::Waiting, says()),
    }
}

/// Whether the two have the data that everybody is to have.
fn is_common(source: &Replicated<'_>, target: &Replicated<'_>, choice: Option<&Choice>) -> bool {
    let Some(Choice::Seed(seed)) = choice else { return false };
    [source, target].into_iter().all(|one| one.generation() == Some(&seed.generation))
}

const WAY_OUT: &str = "to have the entries of others replaced by those of one, set initialise.policy to OnRequest in an agreement by which \
                       that sends, with its name in from and a word in requestId";

fn lacks(other: &Replicated<'_>, restored: &Replicated<'_>) -> String {
    let (restored, other) = (restored.name(), other.name());
    format!(
        "{restored} was restored from a backup, and lacks changes that {other} has. If these are not on their way back: {WAY_OUT}"
    )
}

fn several_have(several: &[(String, String)]) -> String {
    let names: Vec<String> = several.iter().map(|(name, generation)| format!("{name} ({generation})")).collect();
    format!("the entries of {} began apart, and none are replaced by a guess; {WAY_OUT}", names.join(" and "))
}

fn other_data(source: &Replicated<'_>, target: &Replicated<'_>) -> String {
    several_have(&[source, target].map(|one| (one.name(), one.generation().unwrap_or_default().to_owned())))
}

//! What is kept of each suffix of a namespace, beyond what its servers say: whose data everybody's began as, and the numbers that
//! suppliers have or had, and the requests of users. Data that is called otherwise is nobody's source, a number is never another's,
//! and a request is met once.

use std::collections::{BTreeMap, BTreeSet};

use directory::{dn::Dn, specification::Role};
use kube::ResourceExt;
use serde::{Deserialize, Serialize};

use super::{
    pairs::Pair,
    world::{Replicated, World},
};

/// Highest number of a supplier.
const LAST: u16 = 65534;

/// By suffix, in its normal form.
pub(crate) type Records = BTreeMap<String, Record>;

/// Of one suffix.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Whose data everybody's began as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seed: Option<Seed>,
    /// The numbers of suppliers by instance and backend, also of those that are gone.
    #[serde(default)]
    pub(crate) numbers: BTreeMap<String, u16>,
    /// Numbers that suppliers had before those.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) retired: BTreeSet<u16>,
    /// The requests to initialise, by the agreement that they came with: of each the last.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) requests: BTreeMap<String, Request>,
}

/// A request to initialise, whatever those who receive hold. A word counts once, also when its agreement is made anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    /// Its word.
    pub(crate) word: String,
    /// The pairs for which it was not met yet, of those that there were when it came.
    pub(crate) open: BTreeSet<String>,
}

/// Data that others begin with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seed {
    /// The instance and backend that had it first.
    pub(crate) source: String,
    /// What it is called.
    pub(crate) generation: String,
}

/// Whose data everybody's is to begin as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// This one's.
    Seed(Seed),
    /// It cannot be told before these are heard.
    Waits(Vec<String>),
    /// Several have data that began apart: who, and what it is called. Which of it is to go is not for a program to say.
    Several(Vec<(String, String)>),
}

/// Chooses, by what was recorded and what is heard. Whoever is `asked` to give others its data has the data.
pub(crate) fn choose(replicated: &[Replicated<'_>], recorded: Option<&Seed>, asked: Option<&Replicated<'_>>) -> Choice {
    let seed = |of: &Replicated<'_>| {
        let generation = of.generation().unwrap_or_default().to_owned();
        Choice::Seed(Seed { source: of.name(), generation })
    };
    if let Some(asked) = asked.filter(|asked| asked.has_data() == Some(true)) {
        return match recorded {
            Some(recorded) if asked.generation() == Some(&recorded.generation) => Choice::Seed(recorded.clone()),
            _ => seed(asked),
        };
    }
    let unheard: Vec<String> = replicated.iter().filter(|one| one.has_data().is_none()).map(Replicated::name).collect();
    if let Some(recorded) = recorded {
        let has_it = |one: &Replicated<'_>| one.generation() == Some(&recorded.generation);
        // Whoever is not heard may be the one that has it, and what was filled in part may be all that is left of it.
        if !unheard.is_empty() || replicated.iter().any(|one| has_it(one) || one.is_partial()) {
            return Choice::Seed(recorded.clone());
        }
    }
    if !unheard.is_empty() {
        return Choice::Waits(unheard);
    }
    let with_data: Vec<Replicated<'_>> = replicated.iter().filter(|one| one.has_data() == Some(true)).copied().collect();
    match with_data.as_slice() {
        [] => first_supplier(replicated).map_or_else(|| Choice::Waits(Vec::new()), seed),
        [first, rest @ ..] if rest.iter().all(|other| other.generation() == first.generation()) => {
            seed(first_supplier(&with_data).unwrap_or(first))
        }
        several => {
            let called = |one: &Replicated<'_>| (one.name(), one.generation().unwrap_or_default().to_owned());
            Choice::Several(several.iter().map(called).collect())
        }
    }
}

fn first_supplier<'a, 'w>(of: &'a [Replicated<'w>]) -> Option<&'a Replicated<'w>> {
    of.iter().find(|one| one.backend.role == Role::Supplier)
}

/// Gives each supplier a number, and keeps those that they have. One that may have a number that nobody knows now gets none.
pub(crate) fn number(world: &World, records: &mut Records) {
    let suppliers = || world.replicated().filter(|one| one.backend.role == Role::Supplier);
    for one in suppliers() {
        let record = records.entry(one.backend.suffix.normal().to_owned()).or_default();
        // Without a record, it is the number that the server has.
        let has = || one.heard().and_then(|replica| u16::try_from(replica.id).ok()).filter(|id| *id > 0);
        let unknown = || if record.numbers.contains_key(&one.key()) { None } else { has() };
        if let Some(id) = one.backend.id.or_else(unknown) {
            let before = record.numbers.insert(one.key(), id);
            record.retired.extend(before.filter(|before| *before != id));
        }
    }
    for one in suppliers().filter(|one| one.backend.id.is_none()) {
        let record = records.entry(one.backend.suffix.normal().to_owned()).or_default();
        let is_free = |id: &u16| !record.retired.contains(id) && !record.numbers.values().any(|known| known == id);
        let may_have_one = one.member.was_there && one.heard().is_none();
        if record.numbers.contains_key(&one.key()) || may_have_one {
            continue;
        }
        if let Some(free) = (1..=LAST).find(is_free) {
            record.numbers.insert(one.key(), free);
        }
    }
}

/// Notes the requests of agreements with the pairs that each is about, and what has become of them.
pub(crate) fn ask(pairs: &[Pair<'_>], records: &mut Records) {
    for pair in pairs {
        let record = records.entry(pair.source.backend.suffix.normal().to_owned()).or_default();
        let name = pair.agreement.name_any();
        let Some(word) = pair.word() else {
            // It was taken back.
            if let Some(request) = record.requests.get_mut(&name).filter(|_| !pair.agreement.asks()) {
                request.open.clear();
            }
            continue;
        };
        if record.requests.get(&name).is_none_or(|known| known.word != word) {
            let is_of_it = |other: &&Pair<'_>| {
                other.agreement.name_any() == name
                    && other.source.backend.suffix == pair.source.backend.suffix
                    && other.word().is_some()
            };
            let open = pairs.iter().filter(is_of_it).map(Pair::key).collect();
            record.requests.insert(name.clone(), Request { word: word.to_owned(), open });
        }
        let met = pair.source.agreement(&pair.target).is_some_and(|agreement| agreement.initialised == word);
        if let Some(request) = record.requests.get_mut(&name).filter(|_| met) {
            request.open.remove(&pair.key());
        }
    }
}

/// The word of a request that a pair has still to meet.
pub(crate) fn request<'a>(records: &'a Records, pair: &Pair<'_>) -> Option<&'a str> {
    let request = of(records, &pair.source.backend.suffix)?.requests.get(&pair.agreement.name_any())?;
    let is_open = pair.word() == Some(request.word.as_str()) && request.open.contains(&pair.key());
    (is_open && !pair.agreement.spec.paused).then_some(request.word.as_str())
}

/// The record of a suffix.
pub(crate) fn of<'a>(records: &'a Records, suffix: &Dn) -> Option<&'a Record> {
    records.get(suffix.normal())
}

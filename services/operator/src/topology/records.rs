//! What is kept of each suffix of a namespace, beyond what its servers say: whose data everybody's began as, the numbers that
//! suppliers have or had, the agreements that servers were told to have, and the requests of users. Data that is called otherwise
//! is nobody's source, a number is never another's, and a request is met once.

use std::collections::{BTreeMap, BTreeSet};

use directory::{dn::Dn, specification::Role};
use kube::ResourceExt;
use serde::{Deserialize, Serialize};

use super::{pairs::Link, world::Replicated};

/// By suffix, in its normal form.
pub(crate) type Records = BTreeMap<String, Record>;

/// Of one suffix.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Whose data everybody's began as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seed: Option<Seed>,
    /// The numbers of suppliers by instance and backend, also of those that nobody has outlived.
    #[serde(default)]
    pub(crate) numbers: BTreeMap<String, u16>,
    /// Numbers that suppliers had before those.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) retired: BTreeSet<u16>,
    /// Of these, the ones that servers may still know.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) gone: BTreeSet<u16>,
    /// Numbers of suppliers that were restored, with who had each: that one may lack changes which others have of its number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) restored: BTreeMap<u16, String>,
    /// The agreements that servers were told to have: by who sends, the names with the resource that each came of.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) agreements: BTreeMap<String, BTreeMap<String, String>>,
    /// As whom sources were told to bind, by pair: the hashes of the passwords, the last one last.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) binds: BTreeMap<String, Vec<String>>,
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

/// Notes the requests of resources with the agreements that each is about, and what has become of them.
pub(crate) fn ask(links: &[Link<'_>], records: &mut Records) {
    for link in links {
        let record = records.entry(link.source.backend.suffix.normal().to_owned()).or_default();
        let name = link.agreement.name_any();
        let Some(word) = link.word() else {
            // It was taken back.
            if let Some(request) = record.requests.get_mut(&name).filter(|_| !link.agreement.asks()) {
                request.open.clear();
            }
            continue;
        };
        if record.requests.get(&name).is_none_or(|known| known.word != word) {
            let is_of_it = |other: &&Link<'_>| {
                other.agreement.name_any() == name
                    && other.source.backend.suffix == link.source.backend.suffix
                    && other.word().is_some()
            };
            let open = links.iter().filter(is_of_it).map(Link::key).collect();
            record.requests.insert(name.clone(), Request { word: word.to_owned(), open });
        }
        let met = link.heard().is_some_and(|agreement| agreement.initialised == word);
        if let Some(request) = record.requests.get_mut(&name).filter(|_| met) {
            request.open.remove(&link.key());
        }
    }
}

/// The word of a request that an agreement has still to meet.
pub(crate) fn request<'a>(records: &'a Records, link: &Link<'_>) -> Option<&'a str> {
    let request = of(records, &link.source.backend.suffix)?.requests.get(&link.agreement.name_any())?;
    let is_open = link.word() == Some(request.word.as_str()) && request.open.contains(&link.key());
    (is_open && !link.agreement.spec.paused).then_some(request.word.as_str())
}

/// The record of a suffix.
pub(crate) fn of<'a>(records: &'a Records, suffix: &Dn) -> Option<&'a Record> {
    records.get(suffix.normal())
}

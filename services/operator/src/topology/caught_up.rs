//! Who has caught up with whom, asked of both agents. Of a server that is written to all the time the sessions with another may fail
//! for long, because that one is busy, while its changes get there by other ways.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use aviary_proto::directory::v1::{LagResponse, SupplierChanges};
use directory::{
    dn::Dn,
    replication::{Csn, Element, IN_SYNC_WITHIN, Ruv},
};
use futures::{StreamExt, stream};
use kube::runtime::reflector::ObjectRef;
use tokio::time::timeout;

use crate::agents::Agents;

/// How often agents are asked, and for how long what they say is taken as so.
pub(crate) const ASKED_EVERY: Duration = Duration::from_secs(3);
const TRUSTED_FOR: Duration = Duration::from_secs(8);
/// Agents that are asked at a time, and how long each may take.
const AT_A_TIME: usize = 16;
const ANSWERED_IN: Duration = Duration::from_secs(2);

/// A suffix, in its normal form, and two instances: the one that sends and the one that receives.
pub(crate) type Way = (String, [String; 2]);

/// What one replica has, by suffix in its normal form.
type Vectors = BTreeMap<String, Ruv>;

/// By namespace, when its agents were asked last, and who had caught up then.
#[derive(Default)]
pub(super) struct CaughtUp(Mutex<HashMap<String, (Instant, BTreeSet<Way>)>>);

impl CaughtUp {
    /// Asks the agents of these ways, if there are any and none were asked just now. True if they were.
    pub(super) async fn ask(&self, agents: &Agents, namespace: &str, ways: &BTreeSet<Way>) -> bool {
        if ways.is_empty() || self.within(namespace, ASKED_EVERY).is_some() {
            return false;
        }
        let caught_up = ask(agents, namespace, ways).await;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(namespace.to_owned(), (Instant::now(), caught_up));
        true
    }

    /// Who has caught up, as far as that was asked.
    pub(super) fn known(&self, namespace: &str) -> BTreeSet<Way> {
        self.within(namespace, TRUSTED_FOR).unwrap_or_default()
    }

    /// Who had caught up, if that was asked so short a time ago. What is older than anybody trusts is forgotten.
    fn within(&self, namespace: &str, time: Duration) -> Option<BTreeSet<Way>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, (at, _)| at.elapsed() < TRUSTED_FOR);
        all.get(namespace).filter(|(at, _)| at.elapsed() < time).map(|(_, caught_up)| caught_up.clone())
    }
}

/// Gives those ways of which the one that receives has caught up with the one that sends.
async fn ask(agents: &Agents, namespace: &str, ways: &BTreeSet<Way>) -> BTreeSet<Way> {
    let names: BTreeSet<&String> = ways.iter().flat_map(|(_, pair)| pair).collect();
    let ask = async |name: &String| {
        let answer = timeout(ANSWERED_IN, agents.lag(&ObjectRef::new(name).within(namespace))).await.ok()?.ok()?;
        Some((name.clone(), vectors(&answer)))
    };
    let answers = stream::iter(names.into_iter().map(ask)).buffer_unordered(AT_A_TIME);
    let known: BTreeMap<String, Vectors> = answers.filter_map(std::future::ready).collect().await;
    ways.iter().filter(|(suffix, pair)| has_caught_up(&known, suffix, pair)).cloned().collect()
}

fn has_caught_up(known: &BTreeMap<String, Vectors>, suffix: &str, [source, target]: &[String; 2]) -> bool {
    let vector = |name: &String| known.get(name)?.get(suffix);
    let lag = vector(source).zip(vector(target)).and_then(|(source, target)| source.lag(target));
    lag.is_some_and(|lag| lag <= IN_SYNC_WITHIN)
}

fn vectors(answer: &LagResponse) -> Vectors {
    let of_suffix = answer.vectors.iter().filter_map(|vector| {
        let suffix = Dn::parse(&vector.suffix).ok()?;
        let elements = vector.suppliers.iter().filter_map(element).collect();
        Some((suffix.normal().to_owned(), Ruv { generation: vector.generation.clone(), elements }))
    });
    of_suffix.collect()
}

fn element(changes: &SupplierChanges) -> Option<Element> {
    let id = changes.supplier.try_into().ok()?;
    Some(Element { id, url: None, oldest: Csn::parse(&changes.oldest), newest: Csn::parse(&changes.newest) })
}

#[cfg(test)]
mod tests {
    use aviary_proto::directory::v1::UpdateVector;

    use super::*;

    /// A replica with what it has of supplier 1, in seconds.
    fn replica(generation: &str, newest: Option<u32>) -> Vectors {
        let csn = |at: u32| format!("{at:08x}000000010000");
        let newest = newest.map(csn).unwrap_or_default();
        let suppliers = vec![SupplierChanges { supplier: 1, oldest: csn(100), newest }];
        let vector = UpdateVector { suffix: "DC=x".to_owned(), generation: generation.to_owned(), suppliers };
        vectors(&LagResponse { agreements: Vec::new(), vectors: vec![vector] })
    }

    #[track_caller]
    fn check(source: Option<Vectors>, target: Option<Vectors>, expected: bool) {
        let pair = ["a", "b"].map(str::to_owned);
        let known = pair.clone().into_iter().zip([source, target]).filter_map(|(name, known)| Some((name, known?))).collect();
        assert_eq!(has_caught_up(&known, "dc=x", &pair), expected);
    }

    #[test]
    fn whoever_has_all_but_the_changes_of_the_last_seconds_has_caught_up() {
        let at = |newest| Some(replica("g", Some(newest)));
        check(at(1000), at(1000), true);
        check(at(1000), at(990), true);
        check(at(1000), at(989), false);
        check(at(1000), at(2000), true);
        check(Some(replica("g", None)), Some(replica("g", None)), true);
        check(at(1000), Some(replica("g", None)), false);
        check(at(1000), Some(replica("h", Some(1000))), false);
        check(at(1000), Some(Vectors::new()), false);
        check(None, at(1000), false);
        check(at(1000), None, false);
    }
}

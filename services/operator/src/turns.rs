//! Whose turn it is to be interrupted: of the servers that share a suffix, one at a time, and the next when that one serves again
//! and all have all changes. What is kept is forgotten with the operator; the next one sees who is interrupted.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use kube::runtime::reflector::ObjectRef;

use crate::{
    crd::DS389Instance,
    topology::{Busy, Topology},
};

/// For how long one whose turn it is has it for itself, and servers that serve are waited for: an instance that cannot be made what
/// it should be, or changes that never get through, would be waited for for ever.
const PATIENCE: Duration = Duration::from_secs(120);

/// An instance.
type Key = ObjectRef<DS389Instance>;

/// The turns of all suffixes.
#[derive(Default)]
pub(crate) struct Turns(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// By namespace and suffix, whose turn it is.
    holders: HashMap<(String, String), Holder>,
    /// Since when others wait for nothing but what may be borne.
    waiting: HashMap<Key, Instant>,
}

struct Holder {
    /// Name of the instance.
    instance: String,
    since: Instant,
}

impl Turns {
    /// Takes the turn of these suffixes, or says what for it is to be waited. One that does not serve is interrupted by nothing,
    /// unless it is being filled, or fills another.
    pub(crate) fn take(
        &self,
        key: &Key,
        suffixes: &[String],
        serves: bool,
        topology: &Topology,
        now: Instant,
    ) -> Result<(), String> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let namespace = key.namespace.clone().unwrap_or_default();
        let of_suffixes = suffixes.iter().map(|suffix| (namespace.clone(), suffix.clone()));
        let is_there = |name: &str| topology.parts.contains_key(name);
        inner.waiting.retain(|other, _| other.namespace != key.namespace || is_there(&other.name));
        inner.holders.retain(|(of, _), holder| {
            *of != namespace || (is_there(&holder.instance) && now.duration_since(holder.since) < PATIENCE)
        });
        let obstacle = inner.obstacle(key, suffixes, serves, topology);
        match obstacle {
            Some(obstacle) if !obstacle.may_be_borne => {
                inner.waiting.remove(key);
                return Err(obstacle.what);
            }
            Some(obstacle) => {
                let since = *inner.waiting.entry(key.clone()).or_insert(now);
                if now.duration_since(since) < PATIENCE {
                    return Err(obstacle.what);
                }
            }
            None => {}
        }
        inner.waiting.remove(key);
        // Another one keeps its turn, whoever is down.
        for of_suffix in of_suffixes {
            inner.holders.entry(of_suffix).or_insert_with(|| Holder { instance: key.name.clone(), since: now });
        }
        Ok(())
    }

    /// It is over for an instance, or it does not want it any more.
    pub(crate) fn release(&self, key: &Key) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.waiting.remove(key);
        inner.holders.retain(|(namespace, _), holder| key.namespace.as_ref() != Some(namespace) || holder.instance != key.name);
    }
}

impl Inner {
    /// What speaks against interrupting an instance; first of all what cannot be borne.
    fn obstacle(&self, key: &Key, suffixes: &[String], serves: bool, topology: &Topology) -> Option<Busy> {
        let of_suffix = |suffix: &String| {
            let holder = self.holders.get(&(key.namespace.clone().unwrap_or_default(), suffix.clone()));
            let held = holder.filter(|holder| holder.instance != key.name).map(|holder| Busy {
                instance: Some(holder.instance.clone()),
                pair: None,
                is_filling: false,
                may_be_borne: false,
                what: format!("{} is being interrupted", holder.instance),
            });
            let of_suffix = topology.busy.get(suffix).into_iter().flatten();
            let of_others = of_suffix.filter(|busy| busy.instance.as_ref() != Some(&key.name)).cloned();
            let fills = |busy: &Busy| busy.is_filling && busy.pair.as_ref().is_some_and(|both| both.contains(&key.name));
            let concerns = |busy: &Busy| serves || fills(busy);
            held.into_iter().chain(of_others).filter(concerns).collect::<Vec<_>>()
        };
        suffixes.iter().flat_map(of_suffix).min_by_key(|busy| busy.may_be_borne)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::topology::Part;

    fn key(name: &str) -> Key {
        ObjectRef::new(name).within("test")
    }

    fn topology(busy: &[(Option<&str>, &str)]) -> Topology {
        let of = |(instance, what): &(Option<&str>, &str)| Busy {
            instance: instance.map(str::to_owned),
            pair: None,
            is_filling: false,
            may_be_borne: instance.is_none(),
            what: (*what).to_owned(),
        };
        let parts = ["a", "b", "c"].map(|name| (name.to_owned(), Arc::new(Part::default())));
        let busy = [("dc=x".to_owned(), busy.iter().map(of).collect())];
        Topology { parts: parts.into(), busy: busy.into(), ..Topology::default() }
    }

    fn take(turns: &Turns, name: &str, topology: &Topology, now: Instant) -> Result<(), String> {
        turns.take(&key(name), &["dc=x".to_owned()], true, topology, now)
    }

    #[test]
    fn of_those_that_share_a_suffix_one_is_interrupted_at_a_time() {
        let (turns, calm, now) = (Turns::default(), topology(&[]), Instant::now());
        assert_eq!(take(&turns, "a", &calm, now), Ok(()));
        assert_eq!(take(&turns, "a", &calm, now), Ok(()));
        assert_eq!(take(&turns, "b", &calm, now), Err("a is being interrupted".to_owned()));
        assert_eq!(turns.take(&key("b"), &["dc=y".to_owned()], true, &calm, now), Ok(()));
        // One that does not serve anyway waits for nobody.
        assert_eq!(turns.take(&key("c"), &["dc=x".to_owned()], false, &calm, now), Ok(()));
        turns.release(&key("c"));
        turns.release(&key("a"));
        assert_eq!(take(&turns, "b", &calm, now), Ok(()));
        // Nobody waits for one that is gone.
        let mut gone = topology(&[]);
        gone.parts.remove("b");
        assert_eq!(take(&turns, "a", &gone, now), Ok(()));
    }

    #[test]
    fn one_that_is_down_takes_no_turn_away() {
        let (turns, calm, now) = (Turns::default(), topology(&[]), Instant::now());
        assert_eq!(take(&turns, "a", &calm, now), Ok(()));
        assert_eq!(turns.take(&key("c"), &["dc=x".to_owned()], false, &calm, now), Ok(()));
        turns.release(&key("c"));
        assert_eq!(take(&turns, "b", &calm, now), Err("a is being interrupted".to_owned()));
    }

    #[test]
    fn one_that_is_being_filled_or_fills_another_is_not_interrupted_whether_it_serves_or_not() {
        let (turns, now) = (Turns::default(), Instant::now());
        let mut filling = topology(&[(None, "b is being filled by a")]);
        let busy = &mut filling.busy.get_mut("dc=x").unwrap()[0];
        (busy.pair, busy.is_filling, busy.may_be_borne) = (Some(["a", "b"].map(str::to_owned)), true, false);
        let take = |name, serves, now| turns.take(&key(name), &["dc=x".to_owned()], serves, &filling, now);
        for later in [now, now + PATIENCE * 10] {
            for (name, serves) in [("a", true), ("b", false), ("c", true)] {
                assert_eq!(take(name, serves, later), Err("b is being filled by a".to_owned()), "{name}");
            }
        }
        assert_eq!(take("c", false, now), Ok(()));
    }

    #[test]
    fn a_turn_that_comes_to_nothing_ends() {
        let (turns, calm, now) = (Turns::default(), topology(&[]), Instant::now());
        assert_eq!(take(&turns, "a", &calm, now), Ok(()));
        let late = now + PATIENCE - Duration::from_secs(1);
        assert_eq!(take(&turns, "a", &calm, late), Ok(()), "it has it still, and not for longer for that");
        assert_eq!(take(&turns, "b", &calm, late), Err("a is being interrupted".to_owned()));
        assert_eq!(take(&turns, "b", &calm, now + PATIENCE), Ok(()));
        assert_eq!(take(&turns, "a", &calm, now + PATIENCE), Err("b is being interrupted".to_owned()));
    }

    #[test]
    fn patience_is_for_what_may_be_borne_alone() {
        let (turns, now) = (Turns::default(), Instant::now());
        let (calm, behind) = (topology(&[]), topology(&[(None, "a has not all")]));
        assert_eq!(take(&turns, "a", &calm, now), Ok(()));
        let later = now + PATIENCE - Duration::from_secs(1);
        assert_eq!(take(&turns, "b", &behind, now), Err("a is being interrupted".to_owned()));
        turns.release(&key("a"));
        assert_eq!(take(&turns, "b", &behind, later), Err("a has not all".to_owned()));
        assert_eq!(take(&turns, "b", &behind, now + PATIENCE), Err("a has not all".to_owned()), "it has just begun to wait");
        assert_eq!(take(&turns, "b", &behind, later + PATIENCE), Ok(()));
    }

    #[test]
    fn one_that_does_not_serve_is_waited_for_and_changes_that_do_not_get_through_not_for_ever() {
        let (turns, now) = (Turns::default(), Instant::now());
        let down = topology(&[(Some("a"), "a does not serve")]);
        assert_eq!(take(&turns, "a", &down, now), Ok(()), "it may be mended");
        turns.release(&key("a"));
        for later in [now, now + PATIENCE * 10] {
            assert_eq!(take(&turns, "b", &down, later), Err("a does not serve".to_owned()));
        }
        let behind = topology(&[(None, "a has not all")]);
        assert_eq!(take(&turns, "c", &behind, now), Err("a has not all".to_owned()));
        assert_eq!(take(&turns, "c", &behind, now + PATIENCE), Ok(()));
    }
}

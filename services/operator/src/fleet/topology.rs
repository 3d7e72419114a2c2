//! What follows from all that there is in a namespace, in the words of the contract. Pure.

use std::collections::BTreeMap;

use aviary_proto::directory::v1::{Instance, Link, Seed, Server, Suffix, Topology};
use directory::dn::Dn;

use super::resources;
use crate::topology as found;

/// That of a namespace, of which these are the instances.
pub(super) fn topology(namespace: &str, mut instances: Vec<Instance>, found: &found::Topology) -> Topology {
    // By suffix, in its normal form.
    let mut suffixes: BTreeMap<String, Suffix> = BTreeMap::new();
    // By instance and backend.
    let mut suffix_of: BTreeMap<String, String> = BTreeMap::new();
    instances.sort_by(|one, other| one.name.cmp(&other.name));
    for instance in instances.iter().filter(|instance| !instance.is_going) {
        for backend in instance.backends.iter().filter(|backend| !backend.role.is_empty()) {
            let Ok(dn) = Dn::parse(&backend.suffix) else { continue };
            let suffix = suffixes.entry(dn.normal().to_owned()).or_default();
            suffix.suffix.clone_from(&backend.suffix);
            let (instance, backend, role) = (instance.name.clone(), backend.name.clone(), backend.role.clone());
            suffix_of.insert(format!("{instance}.{backend}"), dn.normal().to_owned());
            suffix.servers.push(Server { instance, backend, role });
        }
    }
    for (agreement, found) in &found.agreements {
        for pair in &found.pairs {
            let Some(suffix) = suffix_of.get(&pair.source).and_then(|suffix| suffixes.get_mut(suffix)) else { continue };
            suffix.links.push(Link {
                source: pair.source.clone(),
                target: pair.target.clone(),
                agreement: agreement.clone(),
                state: resources::state(pair.state).into(),
            });
        }
    }
    for (normal, record) in &found.records {
        let suffix = suffixes.entry(normal.clone()).or_default();
        if suffix.suffix.is_empty() {
            suffix.suffix.clone_from(normal);
        }
        let seed = record.seed.as_ref();
        suffix.seed = seed.map(|seed| Seed { source: seed.source.clone(), generation: seed.generation.clone() });
        suffix.numbers = record.numbers.iter().map(|(name, number)| (name.clone(), u32::from(*number))).collect();
        suffix.retired_numbers = record.retired.iter().copied().map(u32::from).collect();
    }
    Topology { namespace: namespace.to_owned(), suffixes: suffixes.into_values().collect() }
}

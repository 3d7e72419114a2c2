//! Agreements that servers have and that no resource means any more: whoever was told to have one is told to have it no longer, and
//! is forgotten when it has none. Those that a resource means, but cannot say how they should be, stay as they are. Agreements that
//! somebody else has made are not touched by that.

use std::collections::{BTreeMap, BTreeSet};

use kube::ResourceExt;

use super::{
    compose::Part,
    external,
    pairs::{self, Link},
    records::Records,
    world::World,
};
use crate::conditions::{Reason, Refused};

/// Notes what servers are told to have, and tells them what to have no longer, and what to leave as it is. What the resource of an
/// agreement says wrongly does not remove anything, as long as both servers are there.
pub(super) fn remove(
    world: &World,
    links: &[Link<'_>],
    refused: &BTreeMap<String, Refused>,
    records: &mut Records,
    parts: &mut BTreeMap<String, Part>,
) {
    for link in links {
        let record = records.entry(link.source.backend.suffix.normal().to_owned()).or_default();
        let of_source = record.agreements.entry(link.source.key()).or_default();
        of_source.insert(link.name.clone(), link.agreement.metadata.name.clone().unwrap_or_default());
    }
    let meant: BTreeSet<String> = links.iter().map(Link::key).collect();
    let is_wrong = |resource: &str| refused.get(resource).is_some_and(|refused| refused.reason == Reason::Invalid);
    for (suffix, record) in records.iter_mut() {
        let of_suffix = world.of_suffix_by_key(suffix);
        record.agreements.retain(|source_key, targets| {
            // With what it had, it may come back.
            let Some(source) = of_suffix.get(source_key) else { return true };
            targets.retain(|target, resource| {
                let target_key = target.to_lowercase();
                let is_there = of_suffix.contains_key(&target_key) || external::is_called_so(target);
                let is_wrong = is_there && is_wrong(resource);
                let is_meant = is_wrong
                    || is_left_alone(world, resource, &target_key)
                    || meant.contains(&pairs::key(source_key, &target_key));
                let has_none = source.heard().is_some_and(|replica| {
                    !replica.agreements.iter().any(|agreement| agreement.name.eq_ignore_ascii_case(target))
                });
                if has_none {
                    return is_meant;
                }
                let part = parts.get_mut(&source.member.name);
                let backend = part.and_then(|part| part.backends.get_mut(&source.backend.name.to_lowercase()));
                match backend {
                    Some(backend) if !is_meant => backend.removed.push(target.clone()),
                    Some(backend) if !backend.agreements.iter().any(|sends| sends.name == *target) => {
                        backend.kept.push(target.clone());
                    }
                    _ => {}
                }
                true
            });
            !targets.is_empty()
        });
        let of_source = |(source, targets): (&String, &BTreeMap<String, String>)| {
            targets.keys().map(|target| pairs::key(source, &target.to_lowercase())).collect::<Vec<_>>()
        };
        let known: BTreeSet<String> = record.agreements.iter().flat_map(of_source).collect();
        record.binds.retain(|pair, _| known.contains(pair));
    }
}

/// Whether what a target's own resource says of it is not done yet, so that an agreement which that leaves without a target stays. One
/// whose resource is gone goes.
fn is_left_alone(world: &World, agreement: &str, target_key: &str) -> bool {
    let is_there = world.agreements.iter().any(|known| known.name_any() == agreement);
    is_there && world.members.iter().any(|member| !member.obeys && member.has(target_key))
}

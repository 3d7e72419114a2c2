//! Which backends send to which, by the agreements of a namespace; what is wrong with an agreement, and that two of them mean the
//! same.

use std::collections::BTreeMap;

use directory::{dn::Dn, targets::Pattern};
use kube::ResourceExt;

use super::world::{Replicated, World};
use crate::{
    conditions::{Reason, Refused},
    crd::{DS389Agreement, InitialisePolicy},
};

/// Names that a message lists.
const LISTED: usize = 10;

/// One that sends and one that receives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair<'a> {
    /// The resource that says so.
    pub(crate) agreement: &'a DS389Agreement,
    pub(crate) source: Replicated<'a>,
    pub(crate) target: Replicated<'a>,
}

impl Pair<'_> {
    /// The request to initialise, whatever the target holds, unless it was met.
    pub(crate) fn request(&self) -> Option<&str> {
        let initialise = &self.agreement.spec.initialise;
        let request = initialise.request_id.as_deref().filter(|_| initialise.policy == InitialisePolicy::OnRequest)?;
        let heard = self.source.agreement(&self.target).map(|agreement| agreement.initialised.as_str());
        // What a server that has lost its volume knows no more is still known here.
        let kept = self.agreement.status.iter().flat_map(|status| &status.pairs);
        let kept = kept.filter(|pair| pair.source == self.source.name() && pair.target == self.target.name());
        let mut met = kept.filter_map(|pair| pair.request_id.as_deref()).chain(heard);
        (!self.agreement.spec.paused && !met.any(|met| met == request)).then_some(request)
    }
}

/// What the agreements mean: the pairs of all, and what is wrong with those that have none, by name.
pub(crate) fn resolve(world: &World) -> (Vec<Pair<'_>>, BTreeMap<String, Refused>) {
    let (mut pairs, mut refused): (Vec<Pair<'_>>, BTreeMap<String, Refused>) = (Vec::new(), BTreeMap::new());
    for agreement in &world.agreements {
        let name = agreement.name_any();
        let found = match of_one(world, agreement) {
            Ok(found) => found,
            Err(why) => {
                refused.insert(name, why);
                continue;
            }
        };
        let twin = found.iter().find_map(|new| {
            let is_same = |known: &&Pair<'_>| known.source.is(&new.source) && known.target.is(&new.target);
            pairs.iter().find(is_same).map(|known| (known.agreement.name_any(), new))
        });
        match twin {
            Some((other, pair)) => {
                let message = format!(
                    "{} sends to {} by the DS389Agreement {other} already: leave the pair to one of them",
                    pair.source.name(),
                    pair.target.name()
                );
                refused.insert(name, Refused { reason: Reason::Conflict, message });
            }
            None => pairs.extend(found),
        }
    }
    (pairs, refused)
}

fn of_one<'a>(world: &'a World, agreement: &'a DS389Agreement) -> Result<Vec<Pair<'a>>, Refused> {
    let spec = &agreement.spec;
    let suffix = spec.suffix.as_deref().map(Dn::parse).transpose();
    let suffix = suffix.map_err(|error| Refused { reason: Reason::Invalid, message: format!("spec.suffix: {error}") })?;
    let missing = |message: String| Refused { reason: Reason::NotFound, message };
    let instance = spec.instance.as_deref().map(Pattern::new);
    if let Some(pattern) = &instance
        && !world.members.iter().any(|member| pattern.matches(&member.name))
    {
        let name = spec.instance.as_deref().unwrap_or_default();
        return Err(missing(format!("spec.instance: there is no DS389Instance {name} in this namespace")));
    }
    let is_meant = |one: &Replicated<'_>| {
        instance.as_ref().is_none_or(|pattern| pattern.matches(&one.member.name))
            && spec.backend.as_ref().is_none_or(|name| one.backend.name.eq_ignore_ascii_case(name))
            && suffix.as_ref().is_none_or(|suffix| one.backend.suffix == *suffix)
    };
    let sources: Vec<Replicated<'_>> = world.replicated().filter(|one| one.sends() && is_meant(one)).collect();
    if sources.is_empty() {
        let candidates = world.replicated().filter(Replicated::sends).map(|one| one.name());
        return Err(missing(format!("no backend that this is about is a supplier or a hub{}", could_be(candidates))));
    }
    let patterns: Vec<Pattern> = spec.targets.iter().map(|target| Pattern::new(target)).collect();
    let is_target = |one: &Replicated<'_>| patterns.iter().any(|pattern| pattern.matches(&one.name()));
    let pairs = |is_target: &dyn Fn(&Replicated<'_>) -> bool| -> Vec<Pair<'a>> {
        let targets: Vec<Replicated<'a>> = world.replicated().filter(is_target).collect();
        let of_source = |source: &Replicated<'a>| {
            let source = *source;
            let receives =
                targets.iter().filter(move |target| target.backend.suffix == source.backend.suffix && !target.is(&source));
            receives.map(|target| Pair { agreement, source, target: *target }).collect::<Vec<_>>()
        };
        sources.iter().flat_map(of_source).collect()
    };
    let found = pairs(&is_target);
    if found.is_empty() {
        let candidates = pairs(&|_| true);
        let mut names: Vec<String> = candidates.iter().map(|pair| pair.target.name()).collect();
        names.sort();
        names.dedup();
        let message = format!(
            "spec.targets match no other backend of the suffix that has a part in replication{}",
            could_be(names.into_iter())
        );
        return Err(missing(message));
    }
    Ok(found)
}

fn could_be(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.take(LISTED).collect();
    if names.is_empty() { ": there is none in this namespace".to_owned() } else { format!("; there is {}", names.join(", ")) }
}

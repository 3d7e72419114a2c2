//! Which backends send to which, by the agreements of a namespace; what is wrong with an agreement, and that two of them mean the
//! same.

use std::collections::BTreeMap;

use directory::{dn::Dn, json, options::Scope, targets::Pattern};
use kube::ResourceExt;
use serde_json::json;

use super::world::{Replicated, World};
use crate::{
    conditions::{Reason, Refused},
    crd::{DS389Agreement, InitialisePolicy, spelled},
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

impl DS389Agreement {
    /// Whether it asks for who receives to be initialised, whatever that holds.
    pub(crate) fn asks(&self) -> bool {
        self.spec.initialise.policy == InitialisePolicy::OnRequest
    }
}

impl Pair<'_> {
    /// What tells it from others.
    pub(crate) fn key(&self) -> String {
        format!("{} {}", self.source.key(), self.target.key())
    }

    /// The word of the request of its agreement, if that is about its source.
    pub(crate) fn word(&self) -> Option<&str> {
        let initialise = &self.agreement.spec.initialise;
        let is_meant = initialise.from.as_ref().is_none_or(|from| self.source.member.name == *from);
        initialise.request_id.as_deref().filter(|_| self.agreement.asks() && is_meant)
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
        for pair in found {
            let is_same = |known: &&Pair<'_>| known.source.is(&pair.source) && known.target.is(&pair.target);
            let Some(known) = pairs.iter().find(is_same) else {
                pairs.push(pair);
                continue;
            };
            let message = format!(
                "{} sends to {} by the DS389Agreement {} already, which is the older one: leave the pair to one of them",
                pair.source.name(),
                pair.target.name(),
                known.agreement.name_any()
            );
            refused.insert(name.clone(), Refused { reason: Reason::Conflict, message });
        }
    }
    (pairs, refused)
}

/// What is wrong with the options of an agreement: its servers could do nothing with all that they are told.
fn check(agreement: &DS389Agreement) -> Result<(), String> {
    let spec = &agreement.spec;
    let own = [
        ("spec.schedule", "replicaupdateschedule", &spec.schedule),
        ("spec.excludedAttributes", "replicatedattributelist", &spec.excluded_attributes),
    ];
    let own = own.into_iter().filter(|(_, _, values)| !values.is_empty());
    let own = own.map(|(field, option, values)| (field.to_owned(), option, json!(values)));
    let other = spec
        .config
        .iter()
        .filter_map(|(field, value)| Some((format!("spec.config.{field}"), spelled(Scope::Agreement, field)?, value.clone())));
    for (field, option, value) in own.chain(other) {
        let node = json::parse(&value.to_string()).map_err(|error| format!("{field}: {error}"))?;
        let definition = Scope::Agreement.option(option);
        if let Some(Err(problem)) = definition.map(|definition| definition.codec.read(&node)) {
            return Err(format!("{field} {problem}"));
        }
    }
    Ok(())
}

fn of_one<'a>(world: &'a World, agreement: &'a DS389Agreement) -> Result<Vec<Pair<'a>>, Refused> {
    let spec = &agreement.spec;
    let suffix = spec.suffix.as_deref().map(Dn::parse).transpose();
    let invalid = |message: String| Refused { reason: Reason::Invalid, message };
    let suffix = suffix.map_err(|error| invalid(format!("spec.suffix: {error}")))?;
    check(agreement).map_err(invalid)?;
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
    if let Some(from) = &spec.initialise.from
        && !sources.iter().any(|one| one.member.name == *from)
    {
        return Err(missing(format!("spec.initialise.from: {from} is none of those that send")));
    }
    let several = sources.iter().any(|one| one.member.name != sources[0].member.name);
    if agreement.asks() && several && spec.initialise.from.is_none() {
        let message =
            "spec.initialise.policy is OnRequest, and several send: say in initialise.from whose entries replace the others'";
        return Err(invalid(message.to_owned()));
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

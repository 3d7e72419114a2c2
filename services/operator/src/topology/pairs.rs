//! Which backends send to which, by the agreements of a namespace; what is wrong with an agreement, and that two of them mean the
//! same.

use std::collections::BTreeMap;

use aviary_proto::directory::v1::Agreement;
use directory::{dn::Dn, json, options::Scope, specification::Role, targets::Pattern};
use kube::ResourceExt;
use serde_json::json;

use super::{
    external::External,
    world::{Replicated, World},
};
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

impl DS389Agreement {
    /// Whether it asks for who receives to be initialised, whatever that holds.
    pub(crate) fn asks(&self) -> bool {
        self.spec.initialise.policy == InitialisePolicy::OnRequest
    }
}

/// An agreement that a server is to have, whoever it is with.
#[derive(Debug, Clone)]
pub(crate) struct Link<'a> {
    /// The resource that says so.
    pub(crate) agreement: &'a DS389Agreement,
    pub(crate) source: Replicated<'a>,
    /// What it is called: after who receives.
    pub(crate) name: String,
}

/// All that the agreements of a namespace mean.
#[derive(Debug, Default)]
pub(crate) struct Meant<'a> {
    pub(crate) pairs: Vec<Pair<'a>>,
    pub(crate) external: Vec<External<'a>>,
    /// What is wrong with those that mean nothing, or not all that they say, by name.
    pub(crate) refused: BTreeMap<String, Refused>,
}

impl<'a> Pair<'a> {
    /// What tells it from others.
    pub(crate) fn key(&self) -> String {
        key(&self.source.key(), &self.target.key())
    }

    /// The agreement that the source is to have.
    pub(crate) fn link(&self) -> Link<'a> {
        Link { agreement: self.agreement, source: self.source, name: self.target.name() }
    }
}

impl<'a> Link<'a> {
    /// What tells it from others, as the pair that it is about.
    pub(crate) fn key(&self) -> String {
        key(&self.source.key(), &self.name.to_lowercase())
    }

    /// The word of the request of its resource, if that is about its source.
    pub(crate) fn word(&self) -> Option<&'a str> {
        let initialise = &self.agreement.spec.initialise;
        let is_meant = initialise.from.as_ref().is_none_or(|from| self.source.member.name == *from);
        initialise.request_id.as_deref().filter(|_| self.agreement.asks() && is_meant)
    }

    /// What the agent of the source says of it.
    pub(crate) fn heard(&self) -> Option<&Agreement> {
        self.source.agreement_named(&self.name)
    }

    /// The word of its resource, if that was met last.
    pub(crate) fn met(&self) -> Option<String> {
        let met = self.heard().map(|agreement| agreement.initialised.clone()).filter(|met| !met.is_empty());
        met.filter(|met| self.agreement.spec.initialise.request_id.as_ref() == Some(met))
    }
}

impl<'a> Meant<'a> {
    /// The agreements of all.
    pub(crate) fn links(&self) -> Vec<Link<'a>> {
        self.pairs.iter().map(Pair::link).chain(self.external.iter().map(External::link)).collect()
    }
}

/// What tells a pair from others, by the keys of both.
pub(crate) fn key(source: &str, target: &str) -> String {
    format!("{source} {target}")
}

/// What the agreements mean.
pub(crate) fn resolve(world: &World) -> Meant<'_> {
    let mut meant = Meant::default();
    for agreement in &world.agreements {
        let name = agreement.name_any();
        let (pairs, external) = match of_one(world, agreement) {
            Ok(found) => found,
            Err(why) => {
                meant.refused.insert(name, why);
                continue;
            }
        };
        for pair in pairs {
            let is_same = |known: &&Pair<'_>| known.source.is(&pair.source) && known.target.is(&pair.target);
            match meant.pairs.iter().find(is_same) {
                None => meant.pairs.push(pair),
                Some(known) => drop(meant.refused.insert(name.clone(), twice(&pair.link(), &known.link()))),
            }
        }
        for one in external {
            match meant.external.iter().find(|known| known.is_same(&one)) {
                None => meant.external.push(one),
                Some(known) => drop(meant.refused.insert(name.clone(), twice(&one.link(), &known.link()))),
            }
        }
    }
    meant
}

fn twice(link: &Link<'_>, known: &Link<'_>) -> Refused {
    let message = format!(
        "{} sends to {} by the DS389Agreement {} already, which is the older one: leave the pair to one of them",
        link.source.name(),
        known.name,
        known.agreement.name_any()
    );
    Refused { reason: Reason::Conflict, message }
}

/// What is wrong with the options of an agreement: its servers could do nothing with all that they are told.
fn check(agreement: &DS389Agreement) -> Result<(), String> {
    let spec = &agreement.spec;
    let own = [
        ("spec.schedule", "replicaupdateschedule", &spec.schedule),
        ("spec.excludedAttributes", "replicatedattributelist", &spec.excluded_attributes),
    ];
    let own = own.into_iter().filter(|(_, _, values)| !values.is_empty());
    let own = own.map(|(field, option, values)| (field.to_owned(), Scope::Agreement.option(option), json!(values)));
    let option = |field: &str| Scope::Agreement.option_of_field(field);
    let other = spec.config.iter().map(|(field, value)| (format!("spec.config.{field}"), option(field), value.clone()));
    for server in &spec.external {
        let dn = server.bind_dn.as_deref().map(Dn::parse).transpose();
        dn.map_err(|error| format!("spec.external {}: bindDn: {error}", server.name))?;
    }
    for (field, option, value) in own.chain(other) {
        let node = json::parse(&value.to_string()).map_err(|error| format!("{field}: {error}"))?;
        if let Some(Err(problem)) = option.map(|option| option.codec.read(&node)) {
            return Err(format!("{field} {problem}"));
        }
    }
    Ok(())
}

fn of_one<'a>(world: &'a World, agreement: &'a DS389Agreement) -> Result<(Vec<Pair<'a>>, Vec<External<'a>>), Refused> {
    let spec = &agreement.spec;
    let suffix = spec.suffix.as_deref().map(Dn::parse).transpose();
    let invalid = |message: String| Refused { reason: Reason::Invalid, message };
    let suffix = suffix.map_err(|error| invalid(format!("spec.suffix: {error}")))?;
    check(agreement).map_err(invalid)?;
    let missing = |message: String| Refused { reason: Reason::NotFound, message };
    let instance = spec.instance.as_deref().map(Pattern::new);
    let is_meant = |one: &Replicated<'_>| {
        instance.as_ref().is_none_or(|pattern| pattern.matches(&one.member.name))
            && spec.backend.as_ref().is_none_or(|name| one.backend.name.eq_ignore_ascii_case(name))
            && suffix.as_ref().is_none_or(|suffix| one.backend.suffix == *suffix)
    };
    let sources: Vec<Replicated<'_>> = world.replicated().filter(|one| one.sends() && is_meant(one)).collect();
    if let Some((pattern, name)) = instance.as_ref().zip(spec.instance.as_deref()).filter(|_| sources.is_empty())
        && !world.members.iter().any(|member| pattern.matches(&member.name))
    {
        return Err(missing(format!("spec.instance: there is no DS389Instance {name} in this namespace")));
    }
    if sources.is_empty() {
        let candidates = world.replicated().filter(Replicated::sends).map(|one| one.name());
        return Err(missing(format!("no backend that this is about is a supplier or a hub{}", could_be(candidates))));
    }
    if let Some(from) = &spec.initialise.from
        && !sources.iter().any(|one| one.member.name == *from)
    {
        return Err(invalid(format!("spec.initialise.from: {from} is none of those that send")));
    }
    let several = sources.iter().any(|one| one.member.name != sources[0].member.name);
    if agreement.asks() && several && spec.initialise.from.is_none() {
        let message =
            "spec.initialise.policy is OnRequest, and several send: say in initialise.from whose entries replace the others'";
        return Err(invalid(message.to_owned()));
    }
    let patterns: Vec<Pattern> = spec.targets.iter().map(|target| Pattern::new(target)).collect();
    let is_target = |one: &Replicated<'_>| patterns.iter().any(|pattern| pattern.matches(&one.backend.full_name));
    let pairs = |is_target: &dyn Fn(&Replicated<'_>) -> bool| -> Vec<Pair<'a>> {
        let of_source = |source: &Replicated<'a>| {
            let source = *source;
            let is_other = move |target: &Replicated<'_>| {
                let is_of_suffix = target.backend.suffix == source.backend.suffix && !target.is(&source);
                // All that a hub has is of suppliers. One that is sent its own takes the hub for a twin.
                is_of_suffix && (source.backend.role == Role::Supplier || target.backend.role != Role::Supplier)
            };
            let receives = world.replicated().filter(move |target| is_other(target) && is_target(target));
            receives.map(move |target| Pair { agreement, source, target })
        };
        sources.iter().flat_map(of_source).collect()
    };
    let found = pairs(&is_target);
    // Of a group of one, that one is what a pattern means, and there is nobody to send to yet.
    if found.is_empty() && !patterns.is_empty() && !sources.iter().any(is_target) {
        let candidates = pairs(&|_| true);
        let mut names: Vec<String> = candidates.iter().map(|pair| pair.target.name()).collect();
        names.sort();
        names.dedup();
        let of_suffix = |one: &Replicated<'_>| sources.iter().any(|source| source.backend.suffix == one.backend.suffix);
        let others = world.replicated().filter(|one| is_target(one) && !of_suffix(one));
        let others: Vec<String> = others.take(LISTED).map(|one| format!("{} has {}", one.name(), one.backend.suffix)).collect();
        let mismatch = if others.is_empty() { String::new() } else { format!(": {}", others.join(", ")) };
        let message = format!(
            "spec.targets match no other backend of suffix {} that has a part in replication{mismatch}{}",
            sources[0].backend.suffix,
            could_be(names.into_iter())
        );
        return Err(missing(message));
    }
    let external =
        sources.iter().flat_map(|source| spec.external.iter().map(|server| External { agreement, source: *source, server }));
    Ok((found, external.collect()))
}

fn could_be(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.take(LISTED).collect();
    if names.is_empty() { ": there is none in this namespace".to_owned() } else { format!("; there is {}", names.join(", ")) }
}

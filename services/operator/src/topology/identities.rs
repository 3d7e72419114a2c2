//! As whom servers bind to each other. Each agreement has an identity of its own, which is called after who sends and after its
//! password: another password is another identity. Who receives lets the next in before who sends is told of it, and the last until
//! that one binds otherwise, so that no change of passwords interrupts anything.

use std::collections::{BTreeMap, BTreeSet};

use directory::{dn::Dn, layout};

use super::{
    compose::Part,
    pairs::Pair,
    records::Records,
    world::{Replicated, World},
};

/// Of one pair.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Binding {
    /// What its password is called in the Secret of who receives.
    pub(super) key: String,
    /// The identities that are let in, and which of them is the one with that password.
    pub(super) admitted: Vec<String>,
    pub(super) current: Option<String>,
    /// The one that the source is to bind as, if that can be said; if not, it goes on as it does.
    pub(super) own: Option<String>,
}

/// What the password of who sends is called in the Secret of who receives.
pub(super) fn key(source: &Replicated<'_>) -> String {
    name_of(&source.key())
}

/// The same by the key of who sends.
fn name_of(source_key: &str) -> String {
    source_key.replace(':', "_")
}

/// The identity of a key with the password of this hash.
fn identity(key: &str, hash: &str) -> String {
    layout::bind_identity(&format!("{key} {hash}")).to_string()
}

/// Notes as whom each source was told to bind: the next as soon as its target lets that in. Forgotten is what it does not bind as any
/// more; all of it with the agreement, by `removed`.
pub(super) fn note(pairs: &[Pair<'_>], records: &mut Records) {
    for pair in pairs {
        let key = key(&pair.source);
        let Some(hash) = pair.target.member.passwords.get(&key) else { continue };
        let record = records.entry(pair.source.backend.suffix.normal().to_owned()).or_default();
        let told = record.binds.entry(pair.key()).or_default();
        if pair.source.heard().is_some() && pair.source.agreement(&pair.target).is_none() {
            told.clear();
        }
        let is_let_in = || pair.target.heard().is_some_and(|replica| has(&replica.bind_dns, &identity(&key, hash)));
        if told.last() != Some(hash) && (told.is_empty() || is_let_in()) {
            told.retain(|known| known != hash);
            told.push(hash.clone());
        }
        let last = told.last().map(|last| identity(&key, last));
        let binds = pair.source.agreement(&pair.target).map(|agreement| agreement.bind_dn.clone());
        if last.zip(binds).is_some_and(|(last, binds)| is_same(&last, &binds)) {
            told.drain(..told.len() - 1);
        }
    }
}

/// As whom a pair binds.
pub(super) fn binding(pair: &Pair<'_>, records: &Records) -> Binding {
    let key = key(&pair.source);
    let hash = pair.target.member.passwords.get(&key);
    let told = records.get(pair.source.backend.suffix.normal()).and_then(|record| record.binds.get(&pair.key()));
    let told = told.map(Vec::as_slice).unwrap_or_default();
    let admitted: BTreeSet<&String> = told.iter().chain(hash).collect();
    Binding {
        admitted: admitted.into_iter().map(|hash| identity(&key, hash)).collect(),
        current: hash.map(|hash| identity(&key, hash)),
        own: hash.filter(|hash| told.last() == Some(*hash)).map(|hash| identity(&key, hash)),
        key,
    }
}

/// Lets in for as long as their pods are there those whose resources are gone: they send what others lack before they end.
pub(super) fn let_in_leaving(world: &World, records: &Records, parts: &mut BTreeMap<String, Part>) {
    let is_leaving = |key: &str| {
        let has_pod = key.split_once('.').is_some_and(|(instance, _)| world.with_pods.contains(instance));
        has_pod && !world.members.iter().any(|member| member.has(key))
    };
    for target in world.replicated() {
        let record = records.get(target.backend.suffix.normal());
        let binds = record.into_iter().flat_map(|record| &record.binds);
        let of_leaving = binds.filter_map(|(pair, hashes)| {
            let source = pair.strip_suffix(&target.key())?.strip_suffix(' ').filter(|source| is_leaving(source))?;
            Some(hashes.iter().map(|hash| identity(&name_of(source), hash)))
        });
        let admitted: Vec<String> = of_leaving.flatten().collect();
        let part = parts.get_mut(&target.member.name);
        if let Some(backend) = part.and_then(|part| part.backends.get_mut(&target.backend.name.to_lowercase())) {
            backend.is_target |= !admitted.is_empty();
            backend.admits.extend(admitted);
        }
    }
}

fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|known| is_same(known, name))
}

fn is_same(one: &str, other: &str) -> bool {
    matches!((Dn::parse(one), Dn::parse(other)), (Ok(one), Ok(other)) if one == other)
}

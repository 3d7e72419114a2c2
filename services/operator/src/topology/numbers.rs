//! The numbers of suppliers: who has which, and what becomes of those whose supplier is gone. Servers that know a number keep all
//! that may be needed of it, so that it is cleaned from them. From then on they take no changes with it, so that nobody gets it again.

use std::collections::{BTreeMap, BTreeSet};

use aviary_proto::directory::v1::Replica;
use directory::{dn::Dn, specification::Role};

use super::{
    caught_up::Way,
    records::{Record, Records},
    world::{Replicated, World},
};
use crate::conditions::{Reason, Refused};

/// Highest number of a supplier.
const LAST: u16 = 65534;

/// Gives each supplier a number, and keeps those that they have. One that may have a number that nobody knows now gets none.
pub(super) fn number(world: &World, records: &mut Records) {
    let suppliers = || world.replicated().filter(|one| one.backend.role == Role::Supplier);
    for one in suppliers() {
        let record = records.entry(one.backend.suffix.normal().to_owned()).or_default();
        // Without a record, it is the number that the server has.
        let has = || one.heard().and_then(|replica| u16::try_from(replica.id).ok()).filter(|id| *id > 0);
        let unknown = || if record.numbers.contains_key(&one.key()) { None } else { has() };
        // A number that was given and taken back before its server got another one is its own.
        let is_free = |id: &u16| !record.retired.contains(id) || has() == Some(*id);
        if let Some(id) = one.backend.id.or_else(unknown).filter(is_free) {
            record.retired.remove(&id);
            record.gone.remove(&id);
            let before = record.numbers.insert(one.key(), id);
            let before = before.filter(|before| !record.numbers.values().any(|known| known == before));
            record.retired.extend(before);
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

/// Takes their numbers from suppliers that were restored. Once they have got back what others know of these, the numbers are gone.
pub(super) fn take_back(world: &World, records: &mut Records) {
    for one in world.replicated() {
        let Some(replica) = one.heard().filter(|replica| !replica.spent.is_empty()) else { continue };
        let record = records.entry(one.backend.suffix.normal().to_owned()).or_default();
        for id in replica.spent.iter().filter_map(|id| u16::try_from(*id).ok()) {
            if record.numbers.get(&one.key()) == Some(&id) {
                record.numbers.remove(&one.key());
            }
            record.retired.insert(id);
            if !record.gone.contains(&id) {
                record.restored.insert(id, one.key());
            }
        }
    }
    for (suffix, record) in records.iter_mut() {
        let of_suffix = world.of_suffix_by_key(suffix);
        let is_open = |id: u16, key: &String| {
            let Some(restored) = of_suffix.get(key) else { return false };
            let is_number_less = restored.heard().is_none_or(|replica| replica.spent.contains(&u32::from(id)));
            is_number_less || senders_back(&of_suffix, restored).any(|other| !world.has_caught_up(other, restored))
        };
        let done: Vec<u16> = record.restored.iter().filter(|(id, key)| !is_open(**id, key)).map(|(id, _)| *id).collect();
        record.restored.retain(|id, _| !done.contains(id));
        record.gone.extend(done);
    }
}

/// Those who may have changes that a restored supplier lacks: all others.
fn senders_back<'a, 'w>(
    of_suffix: &'a BTreeMap<String, Replicated<'w>>,
    restored: &'a Replicated<'w>,
) -> impl Iterator<Item = &'a Replicated<'w>> {
    of_suffix.values().filter(|other| !other.is(restored))
}

/// Whom to ask about suppliers that were restored: whether they have all that each of the others has.
pub(super) fn to_ask(world: &World, records: &Records) -> BTreeSet<Way> {
    let mut ways = BTreeSet::new();
    for (suffix, record) in records.iter().filter(|(_, record)| !record.restored.is_empty()) {
        let of_suffix = world.of_suffix_by_key(suffix);
        for restored in record.restored.values().filter_map(|key| of_suffix.get(key)) {
            ways.extend(senders_back(&of_suffix, restored).map(|other| other.way(restored)));
        }
    }
    ways
}

/// Notes whose suppliers are gone, and which of those nobody knows any more. Where nobody is left, the numbers are kept: all may
/// come back with what they had.
pub(super) fn retire(world: &World, records: &mut Records) {
    for (suffix, record) in records.iter_mut() {
        let of_suffix = world.of_suffix_by_key(suffix);
        if of_suffix.values().any(|one| one.backend.role == Role::Supplier && one.has_data() == Some(true)) {
            let gone: Vec<String> = record.numbers.keys().filter(|key| is_gone(world, &of_suffix, key)).cloned().collect();
            let mut numbers = gone.iter().filter_map(|key| record.numbers.remove(key)).collect::<BTreeSet<u16>>();
            // That of two who had the same is that of the other.
            numbers.retain(|id| !record.numbers.values().any(|known| known == id));
            record.retired.extend(&numbers);
            record.gone.extend(&numbers);
        }
        // Hubs are cleaned by those that send to them, but do not clean their consumers: what is left there does no harm.
        let heard: Option<Vec<&Replica>> = of_suffix.values().filter(|one| one.sends()).map(Replicated::heard).collect();
        if let Some(heard) = heard.filter(|heard| !heard.is_empty()) {
            record.gone.retain(|id| heard.iter().any(|replica| knows(replica, *id)));
        }
    }
}

/// Whether a supplier is no more: neither its resource nor its pod is there, or its server is no supplier any more.
fn is_gone(world: &World, of_suffix: &BTreeMap<String, Replicated<'_>>, key: &str) -> bool {
    if let Some(one) = of_suffix.get(key) {
        return one.backend.role != Role::Supplier && one.heard().is_some_and(|replica| replica.id == 0);
    }
    let (instance, backend) = key.split_once('.').unwrap_or((key, ""));
    match world.members.iter().find(|member| member.name.eq_ignore_ascii_case(instance)) {
        // What it is being changed into, nobody knows.
        Some(member) => {
            let replicas = member.heard.as_deref().filter(|_| member.is_settled);
            replicas.is_some_and(|replicas| !replicas.iter().any(|replica| replica.backend.eq_ignore_ascii_case(backend)))
        }
        None => !world.with_pods.contains(instance),
    }
}

fn is_of(replica: &Replica, suffix: &str) -> bool {
    Dn::parse(&replica.suffix).is_ok_and(|known| known.normal() == suffix)
}

fn knows(replica: &Replica, id: u16) -> bool {
    let id = u32::from(id);
    replica.suppliers.contains(&id) || replica.cleaning.contains(&id)
}

/// By instance, the numbers of suppliers that are gone which it is to clean from the servers of a suffix: one supplier does that.
/// A number that a server has, or may have, is not cleaned.
pub(super) fn cleaners(world: &World, records: &Records) -> BTreeMap<String, BTreeMap<String, BTreeSet<u16>>> {
    let mut cleaners: BTreeMap<String, BTreeMap<String, BTreeSet<u16>>> = BTreeMap::new();
    for (suffix, record) in records.iter().filter(|(_, record)| !record.gone.is_empty()) {
        let of_suffix = world.of_suffix(suffix);
        // Also what servers have that their resources do not say, or say no longer.
        let heard = world.members.iter().flat_map(|member| member.heard.iter().flatten());
        let heard: Vec<&Replica> = heard.filter(|replica| is_of(replica, suffix)).collect();
        for id in &record.gone {
            let may_have = |one: &Replicated<'_>| one.backend.role == Role::Supplier && one.heard().is_none();
            if of_suffix.iter().any(may_have) || heard.iter().any(|replica| replica.id == u32::from(*id)) {
                continue;
            }
            // 389 Directory Server has suppliers do it alone.
            let is_able = |one: &&Replicated<'_>| {
                let is_supplier = one.backend.role == Role::Supplier && one.member.obeys;
                is_supplier && one.heard().is_some_and(|replica| knows(replica, *id))
            };
            if let Some(one) = of_suffix.iter().find(is_able) {
                let of_instance = cleaners.entry(one.member.name.clone()).or_default();
                of_instance.entry(suffix.clone()).or_default().insert(*id);
            }
        }
    }
    cleaners
}

/// Why a supplier has no number, or not the one that its resource asks for.
pub(super) fn why_not(one: &Replicated<'_>, record: Option<&Record>, has: Option<u16>) -> Option<Refused> {
    match one.backend.id.filter(|asked| has != Some(*asked)) {
        Some(id) if record.is_some_and(|record| record.retired.contains(&id)) => {
            let message = format!(
                "backend {}: replicaId {id} is that of a supplier that there was before, and no server of {} takes changes with it any \
                 more: give another number, or none",
                one.backend.name, one.backend.suffix
            );
            Some(Refused { reason: Reason::Conflict, message })
        }
        _ if has.is_none() => {
            let message = format!("the number of {} is not known until its agent answers", one.name());
            Some(Refused { reason: Reason::Waiting, message })
        }
        _ => None,
    }
}

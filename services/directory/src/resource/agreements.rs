//! Agreements as resources say them: one for each backend that sends and for each way in which it does, with all that receive so.

use std::collections::BTreeSet;

use super::{
    ABSENT, Told,
    external::{self, External},
    instance::fields,
    map,
    names::Names,
};
use crate::{
    fleet::{BackendRef, Fleet},
    options::{Scope, offered::MOST_VALUES},
    place::{Place, Problems},
    setting::{Setting, Settings},
    specification::{Child, Presence},
    targets::PREFIX,
    value::{Map, Node, Value},
};

/// Where servers listen of which nothing else is said.
const PORTS: [(&str, i64); 2] = [("port", 389), ("secure_port", 636)];

/// Agreements of one backend with the same options.
struct Group {
    options: Map,
    notes: Problems,
    /// Instance and backend of each that receives.
    targets: Vec<String>,
    /// Those that receive and are of no host that is known.
    external: Vec<External>,
}

/// Who receives by an agreement.
enum Receiver {
    Target(String),
    External(External),
}

/// The specs of the resources for the agreements of a backend, and what each leaves out. What has no resource is told.
pub(super) fn specs(fleet: &Fleet, names: &Names, source: &BackendRef<'_>, all: &mut Told) -> Vec<(Node, Problems)> {
    let backend = source.backend;
    let (place, name) = (source.place(), names.get(source.host, &source.instance.name));
    let (mut groups, mut taken) = (Vec::<Group>::new(), BTreeSet::new());
    for agreement in &backend.agreements {
        let place = place.child(Scope::Agreement, &agreement.name);
        let mut told = Told::default();
        if agreement.presence == Presence::Absent {
            all.notes.add(&place, agreement.at, ABSENT);
            continue;
        }
        let mut refuse = |message: &str| all.unsupported.add(&place, agreement.at, message);
        if !source.passes_on() {
            refuse("is of a backend of which no ReplicaRole is said: make that a supplier or a hub");
            continue;
        }
        let found = target(fleet, source, agreement);
        let receiver = found.as_ref().map_or_else(|| external::address(&agreement.settings), |found| names.receiver(found));
        if groups.iter().any(|group| group.has(&receiver)) {
            refuse(&format!("sends to {receiver}, as another agreement of this backend does"));
            continue;
        }
        let receiver = match found {
            Some(_) => Some(Receiver::Target(receiver)),
            None => external::external((name, &backend.name), &place, agreement, &mut taken, &mut told).map(Receiver::External),
        };
        if let Some(receiver) = receiver {
            let options = options(&place, agreement, &receiver, &mut told);
            join(&mut groups, options, receiver, told.notes);
        }
        all.unsupported.extend(told.unsupported);
    }
    groups.into_iter().map(|group| group.spec(name, &backend.name)).collect()
}

/// Has a receiver be one of those that receive with the same options.
fn join(groups: &mut Vec<Group>, options: Map, receiver: Receiver, notes: Problems) {
    // A resource takes so many.
    let has_room = |group: &Group| group.options == options && group.targets.len().max(group.external.len()) < MOST_VALUES;
    let known = groups.iter().position(has_room).unwrap_or(groups.len());
    if known == groups.len() {
        groups.push(Group { options, notes: Problems::new(), targets: Vec::new(), external: Vec::new() });
    }
    let Some(group) = groups.get_mut(known) else { return };
    group.notes.extend(notes);
    match receiver {
        Receiver::Target(target) => group.targets.push(target),
        Receiver::External(external) => group.external.push(external),
    }
}

impl Group {
    fn has(&self, receiver: &str) -> bool {
        self.targets.iter().any(|target| target == receiver) || self.external.iter().any(|external| external.address == receiver)
    }

    fn spec(self, instance: &str, backend: &str) -> (Node, Problems) {
        let mut spec = vec![("instance".to_owned(), Node::text(instance)), ("backend".to_owned(), Node::text(backend))];
        let targets: Vec<Node> = self.targets.iter().map(Node::text).collect();
        let external: Vec<Node> = self.external.into_iter().map(|external| external.server).collect();
        let given = [("targets", targets), ("external", external)].into_iter().filter(|(_, all)| !all.is_empty());
        spec.extend(given.map(|(field, all)| (field.to_owned(), Node::new(Value::List(all)))));
        spec.extend(self.options.into_iter().map(|entry| (entry.key, entry.node)));
        (map(spec), self.notes)
    }
}

/// The backend that an agreement is with: by its name, if a target has given it that, or else by where it is reached.
pub(super) fn target<'a>(fleet: &'a Fleet, source: &BackendRef<'_>, agreement: &Child) -> Option<BackendRef<'a>> {
    let is_other = |other: &BackendRef<'_>| other.backend.suffix == source.backend.suffix && !other.is(source);
    let named = agreement.name.strip_prefix(PREFIX);
    let is_named = |other: &BackendRef<'_>| named.is_some_and(|name| other.to_string().eq_ignore_ascii_case(name));
    let mut reached = fleet.replicated().filter(|other| is_other(other) && is_reached(other, &agreement.settings));
    let found = fleet.replicated().find(|other| is_other(other) && is_named(other));
    // Of two that are reached alike nobody knows which is meant.
    found.or_else(|| reached.next().filter(|_| reached.next().is_none()))
}

/// Whether an agreement with these settings connects to the server of a backend.
fn is_reached(backend: &BackendRef<'_>, settings: &Settings) -> bool {
    let (Some(host), Some(port)) = (settings.text("replicahost"), settings.number("replicaport")) else { return false };
    let instance = &backend.instance.settings;
    let own = &backend.backend.settings;
    let hosts =
        [instance.text("full_machine_name"), backend.member.address.as_deref(), Some(backend.host), own.text("replicahost")];
    let ports = PORTS.map(|(option, default)| Some(instance.number(option).unwrap_or(default)));
    hosts.into_iter().flatten().any(|known| known.eq_ignore_ascii_case(host))
        && ports.into_iter().chain([own.number("replicaport")]).any(|known| known == Some(port))
}

/// The options of an agreement, as its resource has them.
fn options(place: &Place, agreement: &Child, receiver: &Receiver, told: &mut Told) -> Map {
    let (settings, at) = (&agreement.settings, agreement.at);
    let mut options = Vec::new();
    if settings.switch("replicaenabled") == Some(false) {
        options.push(("paused".to_owned(), Node::new(Value::Boolean(true))));
    }
    for (field, name) in [("schedule", "replicaupdateschedule"), ("excludedAttributes", "replicatedattributelist")] {
        let Some(setting) = settings.get(name).filter(|setting| **setting != Setting::List(Vec::new())) else { continue };
        match super::instance::value(setting) {
            Ok(node) => options.push((field.to_owned(), node)),
            Err(message) => told.unsupported.add(place, at, format!("option '{name}' {message}")),
        }
    }
    tell_total(place, agreement, told);
    let is_here = matches!(receiver, Receiver::Target(_));
    match settings.text("initialise").filter(|_| is_here) {
        Some("Never") => options.push(("initialise".to_owned(), map(vec![("policy", Node::text("Never"))]))),
        Some("Anew") => told.notes.add(place, at, "Initialise is IfEmpty, not Anew: servers that hold entries keep them"),
        _ => {}
    }
    if settings.get("initialiserequest").is_some() {
        told.notes.add(place, at, "InitialiseRequest left out: ask in the cluster, by spec.initialise.requestId");
    }
    if let Some(method) = settings.text("replicabindmethod").filter(|method| is_here && *method != "SIMPLE") {
        told.notes.add(place, at, format!("ReplicaBindMethod {method} left out: servers of the cluster bind by password"));
    }
    let config = fields(Scope::Agreement, settings, place, at, told);
    if !config.is_empty() {
        options.push(("config".to_owned(), map(config)));
    }
    options.into_iter().collect()
}

/// A resource leaves out the same of updates and of initialisations.
fn tell_total(place: &Place, agreement: &Child, told: &mut Told) {
    let Some(total) = agreement.settings.get("replicatedattributelisttotal") else { return };
    let none = Setting::List(Vec::new());
    let updates = agreement.settings.get("replicatedattributelist").unwrap_or(&none);
    let option = Scope::Agreement.option("replicatedattributelist");
    if option.is_some_and(|option| !option.codec.same(updates, total)) {
        let message =
            "has a ReplicatedAttributeListTotal that differs from its ReplicatedAttributeList; a resource has one for both";
        told.unsupported.add(place, agreement.at, message);
    }
}

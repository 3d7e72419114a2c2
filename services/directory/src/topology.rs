//! Whether all backends of all hosts fit each other. That each is sound by itself was said when it was read.

use std::collections::BTreeMap;

use crate::{
    dn::Dn,
    fleet::{BackendRef, Fleet},
    place::Problems,
    specification::{Presence, Role, RoleWish},
    targets,
};

/// All that is wrong with the backends that should be there.
pub fn check(fleet: &Fleet) -> Problems {
    let mut problems = Problems::new();
    for backend in fleet.backends() {
        check_role(&backend, &mut problems);
        check_agreements(&backend, &mut problems);
    }
    check_numbers(fleet, &mut problems);
    check_sources(fleet, &mut problems);
    problems
}

/// A problem with a backend. Its host is named, for the place does not say it.
fn complain(problems: &mut Problems, backend: &BackendRef<'_>, message: &str) {
    problems.add(&backend.place(), backend.backend.at, format!("backend {backend} {message}"));
}

fn check_role(backend: &BackendRef<'_>, problems: &mut Problems) {
    let id = backend.backend.replica_id;
    match (backend.backend.role, id) {
        (RoleWish::Role(Role::Supplier), None) => {
            complain(problems, backend, "is a supplier but has no ReplicaId: give it one from 1 to 65534");
        }
        (RoleWish::Role(role @ (Role::Hub | Role::Consumer)), Some(_)) => {
            let message = format!("is a {} but has a ReplicaId: only suppliers have one", role.name());
            complain(problems, backend, &message);
        }
        (RoleWish::None, Some(_)) => {
            complain(problems, backend, "has no role but a ReplicaId: only suppliers have one");
        }
        _ => {}
    }
    if let Some(role) = backend.role()
        && backend.backend.suffix.is_none()
    {
        complain(problems, backend, &format!("is a {} but has no suffix", role.name()));
    }
}

fn check_agreements(backend: &BackendRef<'_>, problems: &mut Problems) {
    let agreements = &backend.backend.agreements;
    let is_present = |presence: Presence| presence == Presence::Present;
    match backend.backend.role {
        // Even none are too many: whoever writes that they are known takes it for a supplier or a hub.
        RoleWish::Role(Role::Consumer) if backend.backend.lists_agreements || !agreements.is_empty() => {
            complain(problems, backend, "is a consumer but has agreements: remove its 'agmts', or make it a hub or a supplier");
        }
        RoleWish::None if agreements.iter().any(|agreement| is_present(agreement.presence)) => {
            complain(problems, backend, "has no role but agreements: make it a hub or a supplier, or remove its 'agmts'");
        }
        _ => {}
    }
}

/// The server tells changes of one supplier from those of another by its number.
fn check_numbers(fleet: &Fleet, problems: &mut Problems) {
    let mut first: BTreeMap<(&Dn, u16), BackendRef<'_>> = BTreeMap::new();
    for backend in fleet.replicated().filter(|backend| backend.role() == Some(Role::Supplier)) {
        let (Some(suffix), Some(id)) = (&backend.backend.suffix, backend.backend.replica_id) else { continue };
        if let Some(other) = first.get(&(suffix, id)) {
            complain(problems, &backend, &format!("has the ReplicaId {id} of {other}, and both have suffix {suffix}"));
        } else {
            first.insert((suffix, id), backend);
        }
    }
}

/// Data has one source: hosts are changed at the same time, and whoever gives entries while it gets others gives the wrong ones. A
/// hub waits until it has its own.
fn check_sources(fleet: &Fleet, problems: &mut Problems) {
    let initialisations = targets::initialisations(fleet);
    for (index, (source, target)) in initialisations.iter().enumerate() {
        let others = initialisations.get(..index).unwrap_or_default();
        if let Some((other, _)) = others.iter().find(|(other, known)| known.is(target) && !other.is(source)) {
            let message = format!("is initialised by {other} and by {source}: leave 'Initialise: OnCreate' to one of them");
            complain(problems, target, &message);
        }
        let passes_on = || initialisations.iter().find(|(other, _)| other.is(target));
        if target.role() == Some(Role::Supplier)
            && let Some((_, next)) = passes_on()
        {
            let message = format!(
                "is initialised by {source} and initialises {next} itself: keep 'Initialise: OnCreate' on the supplier that has the data"
            );
            complain(problems, target, &message);
        }
    }
}

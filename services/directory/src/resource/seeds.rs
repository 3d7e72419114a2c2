//! Which backends leave sample entries to another one. Hosts may all say that they have them, for what they hold is replaced by the
//! entries of the one that initialises them. A server of a cluster that holds entries of its own is left alone, so that only one of
//! a suffix begins with any.

use super::agreements;
use crate::{
    fleet::{BackendRef, Fleet},
    specification::{Presence, Role},
    targets,
};

/// Those of a fleet.
#[derive(Debug)]
pub(super) struct Seeds<'a>(Vec<BackendRef<'a>>);

impl<'a> Seeds<'a> {
    pub(super) fn of(fleet: &'a Fleet) -> Self {
        let (sources, targets) = initialised(fleet);
        let is_in = |all: &[BackendRef<'_>], one: &BackendRef<'_>| all.iter().any(|known| known.is(one));
        let has_samples = |one: &BackendRef<'_>| one.backend.settings.switch("sample_entries") == Some(true);
        let is_supplier = |one: &BackendRef<'_>| one.role() == Some(Role::Supplier);
        let leaves = |one: &BackendRef<'a>| {
            let suppliers = || {
                let same = fleet.replicated().filter(|other| other.backend.suffix == one.backend.suffix);
                same.filter(is_supplier)
            };
            let may_begin = |other: &BackendRef<'_>| has_samples(other) && !is_in(&targets, other);
            let begins = || suppliers().filter(may_begin);
            let first = begins().find(|other| is_in(&sources, other)).or_else(|| begins().next());
            suppliers().next().is_some() && first.is_none_or(|first| !first.is(one))
        };
        Self(fleet.replicated().filter(has_samples).filter(leaves).collect())
    }

    /// Whether a backend is one of them.
    pub(super) fn leaves(&self, backend: &BackendRef<'_>) -> bool {
        self.0.iter().any(|known| known.is(backend))
    }
}

/// Who initialises others, and whom.
fn initialised(fleet: &Fleet) -> (Vec<BackendRef<'_>>, Vec<BackendRef<'_>>) {
    let (mut sources, mut targets) = (Vec::new(), Vec::new());
    for source in fleet.replicated() {
        let present = source.backend.agreements.iter().filter(|agreement| agreement.presence == Presence::Present);
        for agreement in present.filter(|agreement| targets::initialises(&agreement.settings)) {
            sources.push(source);
            targets.extend(agreements::target(fleet, &source, agreement));
        }
    }
    (sources, targets)
}

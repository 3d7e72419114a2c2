//! Instances that somebody else made. Where those of ours that are not listed are removed, these are left alone, which has to be
//! said: who sees nothing to do would take them for gone.

use directory::{
    observed,
    specification::{Specification, State},
};

/// The names of those that are left alone.
pub(crate) fn names(wanted: &Specification, found: &observed::Host) -> Vec<String> {
    if !removes(wanted) {
        return Vec::new();
    }
    let is_listed = |name: &str| wanted.instances.iter().any(|instance| instance.is_called(name));
    let others = found.instances.iter().filter(|other| !other.is_ours && !is_listed(&other.name));
    others.map(|other| other.name.clone()).collect()
}

/// Whether instances are removed that are not listed.
pub(crate) fn removes(wanted: &Specification) -> bool {
    wanted.state == State::Updated || (wanted.state == State::Absent && wanted.instances.is_empty())
}

/// What is said of one, and how it is left alone no more.
pub(crate) fn note(wanted: &Specification, name: &str) -> String {
    let why = if wanted.state == State::Absent { "have it removed" } else { "manage it" };
    format!("instance slapd-{name} is not managed by Aviary: it is left alone; list it to {why}")
}

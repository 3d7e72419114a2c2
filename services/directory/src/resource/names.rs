//! What resources are called. The name of an instance becomes that of a host in the cluster, so that it is a label of DNS.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    fleet::{BackendRef, Fleet},
    specification::Instance,
};

/// The longest name of an instance; those of its pod and of other objects are longer.
const LONGEST_INSTANCE: usize = 52;
/// How much of that the instance's own name has at most, where the host's is before it.
const LONGEST_OWN: usize = 25;
/// The longest label of DNS.
const LONGEST_LABEL: usize = 63;
/// The longest name of an object.
const LONGEST_OBJECT: usize = 253;

/// Names of resources of instances, by host and name of the instance, which is in lower case.
#[derive(Debug)]
pub(super) struct Names(BTreeMap<(String, String), String>);

impl Names {
    /// Names for all instances of a fleet that should be there. An instance keeps its own if that can be, and no other has it.
    pub(super) fn of(fleet: &Fleet) -> Self {
        let mut count: BTreeMap<String, usize> = BTreeMap::new();
        for (_, _, instance) in fleet.instances() {
            *count.entry(instance.name.to_lowercase()).or_default() += 1;
        }
        let keeps = |name: &str| is_host_name(name) && count.get(name) == Some(&1);
        let mut taken: BTreeSet<String> =
            fleet.instances().map(|(_, _, instance)| instance.name.clone()).filter(|name| keeps(name)).collect();
        let name = |(host, _, instance): (&str, _, &Instance)| {
            let name = if keeps(&instance.name) {
                instance.name.clone()
            } else {
                free(&made(host, &instance.name), LONGEST_INSTANCE, &mut taken)
            };
            ((host.to_owned(), instance.name.to_lowercase()), name)
        };
        Self(fleet.instances().map(name).collect())
    }

    /// The name of an instance's resource; empty if it should not be there.
    pub(super) fn get(&self, host: &str, instance: &str) -> &str {
        self.0.get(&(host.to_owned(), instance.to_lowercase())).map_or("", String::as_str)
    }

    /// What a resource of agreements calls a backend that receives.
    pub(super) fn receiver(&self, backend: &BackendRef<'_>) -> String {
        format!("{}.{}", self.get(backend.host, &backend.instance.name), backend.backend.name)
    }
}

/// The name of a resource of the agreements of a backend.
pub(super) fn of_agreement(instance: &str, backend: &str, taken: &mut BTreeSet<String>) -> String {
    free(&joined(&[instance, &label(backend)]), LONGEST_LABEL, taken)
}

/// The name of a server that an agreement leads to.
pub(super) fn of_server(agreement: &str, taken: &mut BTreeSet<String>) -> String {
    let label = label(agreement);
    free(if label.is_empty() { "server" } else { &label }, LONGEST_LABEL, taken)
}

/// The Secret with what a backend needs to bind to a server.
pub(super) fn of_secret(instance: &str, backend: &str, server: &str, taken: &mut BTreeSet<String>) -> String {
    free(&joined(&[instance, &label(backend), server]), LONGEST_LABEL, taken)
}

/// Whether an object of a cluster may be called so: labels of DNS with dots between them.
pub fn is_object_name(text: &str) -> bool {
    text.len() <= LONGEST_OBJECT && text.split('.').all(is_label)
}

/// Whether a namespace may be called so.
pub fn is_namespace(text: &str) -> bool {
    text.len() <= LONGEST_LABEL && is_label(text)
}

/// Whether a Service may be called so, and with it an instance.
fn is_host_name(text: &str) -> bool {
    text.len() <= LONGEST_INSTANCE && text.starts_with(|c: char| c.is_ascii_lowercase()) && is_label(text)
}

fn is_label(text: &str) -> bool {
    let is_inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.chars().all(is_inside) && !text.starts_with('-') && !text.ends_with('-')
}

/// A name of host and instance. Rather than the instance's the host's name is cut short.
fn made(host: &str, instance: &str) -> String {
    let own = cut(&label(instance), LONGEST_OWN).to_owned();
    let host = label(host);
    // A Service's name begins with a letter.
    let host = if host.starts_with(|c: char| c.is_ascii_lowercase()) { host } else { format!("ds-{host}") };
    let host = cut(&host, LONGEST_INSTANCE - 1 - own.len());
    if own.is_empty() { host.to_owned() } else { format!("{host}-{own}") }
}

fn joined(parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("-")
}

/// A text as a label of DNS has it, without regard to its length.
fn label(text: &str) -> String {
    let text: String = text.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    text.trim_matches('-').to_owned()
}

/// The beginning of a label, as a label.
fn cut(label: &str, longest: usize) -> &str {
    label.get(..longest).unwrap_or(label).trim_end_matches('-')
}

/// The name, or one with a number behind it that nobody has.
fn free(base: &str, longest: usize, taken: &mut BTreeSet<String>) -> String {
    let mut name = cut(base, longest).to_owned();
    let mut number = 2;
    while !taken.insert(name.clone()) {
        let end = format!("-{number}");
        name = format!("{}{end}", cut(base, longest - end.len()));
        number += 1;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fleet::Member, specification::Specification};

    #[track_caller]
    fn check(instances: &[(&str, &str)], expected: &[&str]) {
        let mut fleet = Fleet::new();
        for (host, name) in instances {
            let mut member =
                fleet.get(host).cloned().unwrap_or_else(|| Member { address: None, specification: Specification::default() });
            member.specification.instances.push(Instance { name: (*name).to_owned(), ..Instance::default() });
            fleet.insert(*host, member);
        }
        let names = Names::of(&fleet);
        let found: Vec<&str> = instances.iter().map(|(host, name)| names.get(host, name)).collect();
        assert_eq!(found, expected);
        for name in found {
            assert!(is_host_name(name), "{name}");
        }
    }

    #[test]
    fn an_instance_keeps_a_name_that_no_other_has() {
        check(&[("vm1", "main"), ("vm2", "people-1")], &["main", "people-1"]);
        check(&[("vm1", "main"), ("vm1", "other"), ("vm2", "main")], &["vm1-main", "other", "vm2-main"]);
        check(&[("vm1", "main"), ("vm2", "MAIN")], &["vm1-main", "vm2-main"]);
    }

    #[test]
    fn a_name_that_cannot_be_is_made_of_host_and_instance() {
        let (long, half) = ("a".repeat(60), "b".repeat(26));
        for (host, name, expected) in [
            ("vm1.example.com", "My_Instance", "vm1-example-com-my-instance"),
            ("VM1", "a:b@c", "vm1-a-b-c"),
            ("192.0.2.1", "Main", "ds-192-0-2-1-main"),
            ("vm1", "1st", "vm1-1st"),
            ("vm1", "-", "vm1"),
            ("é", "#", "ds"),
            ("vm1", &long, &format!("vm1-{}", &long[..25])),
            (&long, "Main", &format!("{}-main", &long[..47])),
            (&format!("{half}.b"), &long, &format!("{half}-{}", &long[..25])),
        ] {
            check(&[(host, name)], &[expected]);
        }
    }

    #[test]
    fn no_two_are_called_the_same() {
        check(&[("a", "b_c"), ("a", "b:c"), ("a-b", "C"), ("z", "a-b-c")], &["a-b-c-2", "a-b-c-3", "a-b-c-4", "a-b-c"]);
        let long = "a".repeat(60);
        let first = "a".repeat(25);
        check(
            &[(&long, &format!("{long}1")), (&long, &format!("{long}2"))],
            &[&format!("{}-{first}", &long[..26]), &format!("{}-{}-2", &long[..26], &first[..23])],
        );
        let mut taken = BTreeSet::new();
        for expected in ["a-userroot", "a-userroot-2", "a-userroot-3"] {
            assert_eq!(of_agreement("a", "userRoot", &mut taken), expected);
        }
        assert_eq!(of_agreement("a", "_", &mut taken), "a");
    }

    #[test]
    fn objects_are_called_by_labels() {
        for (text, is_object, is_space) in [
            ("a", true, true),
            ("1-a", true, true),
            ("a.b", true, false),
            ("a..b", false, false),
            ("", false, false),
            ("A", false, false),
            ("a-", false, false),
            ("a_b", false, false),
        ] {
            assert_eq!((is_object_name(text), is_namespace(text)), (is_object, is_space), "{text}");
        }
    }
}

//! The hosts that know of each other, and the backends they have. What these are to each other is for `targets` and
//! `topology` to say.

use std::{collections::BTreeMap, fmt};

use crate::{
    options::Scope,
    place::Place,
    specification::{Backend, Instance, Presence, Role, RoleWish, Specification, State},
};

/// A host.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Member {
    /// Where it is reached, if that is not its name.
    pub address: Option<String>,
    /// What it should have.
    pub specification: Specification,
}

/// Hosts by their names in the inventory. A host has no other name here: were its address one, it would be there twice.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fleet(BTreeMap<String, Member>);

/// A backend and what it belongs to.
#[derive(Debug, Clone, Copy)]
pub struct BackendRef<'a> {
    /// Name of its host.
    pub host: &'a str,
    /// Its host.
    pub member: &'a Member,
    /// Its instance.
    pub instance: &'a Instance,
    /// The backend.
    pub backend: &'a Backend,
}

impl Fleet {
    /// No hosts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a host, or says anew what it is. Returns what it was.
    pub fn insert(&mut self, host: impl Into<String>, member: Member) -> Option<Member> {
        self.0.insert(host.into(), member)
    }

    /// The host of this name.
    pub fn get(&self, host: &str) -> Option<&Member> {
        self.0.get(host)
    }

    /// All hosts, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Member)> {
        self.0.iter().map(|(host, member)| (host.as_str(), member))
    }

    /// All instances that should be there, by host.
    pub fn instances(&self) -> impl Iterator<Item = (&str, &Member, &Instance)> {
        let members = self.iter().filter(|(_, member)| member.specification.state != State::Absent);
        members.flat_map(|(host, member)| {
            let instances = member.specification.instances.iter().filter(|instance| instance.presence == Presence::Present);
            instances.map(move |instance| (host, member, instance))
        })
    }

    /// All backends that should be there, by host.
    pub fn backends(&self) -> impl Iterator<Item = BackendRef<'_>> {
        self.instances().flat_map(|(host, member, instance)| {
            let backends = instance.backends.iter().filter(|backend| backend.presence == Presence::Present);
            backends.map(move |backend| BackendRef { host, member, instance, backend })
        })
    }

    /// All backends that should be there and have a role, by host.
    pub fn replicated(&self) -> impl Iterator<Item = BackendRef<'_>> {
        self.backends().filter(|backend| backend.role().is_some())
    }
}

impl FromIterator<(String, Member)> for Fleet {
    fn from_iter<I: IntoIterator<Item = (String, Member)>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}

impl BackendRef<'_> {
    /// The way to it on its host.
    pub fn place(&self) -> Place {
        self.instance.place().child(Scope::Backend, &self.backend.name)
    }

    /// Its role, if it is to have one.
    pub fn role(&self) -> Option<Role> {
        match self.backend.role {
            RoleWish::Role(role) => Some(role),
            RoleWish::AsItIs | RoleWish::None => None,
        }
    }

    /// Whether it passes updates on.
    pub fn passes_on(&self) -> bool {
        self.role().is_some_and(Role::sends)
    }

    /// Whether it is the same one, wherever it was found. A host's instances and backends have names without case.
    pub fn is(&self, other: &BackendRef<'_>) -> bool {
        self.host == other.host
            && self.instance.is_called(&other.instance.name)
            && self.backend.name.eq_ignore_ascii_case(&other.backend.name)
    }
}

/// The full name: `host.instance.backend`.
impl fmt::Display for BackendRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.host, self.instance.name, self.backend.name)
    }
}

//! What a host's instances should be: read from variables, checked option by option. That the objects fit each other is for
//! `topology` to say, and what has to be done about it for `plan`.

mod read;
mod write;

use std::collections::BTreeMap;

use crate::{
    dn::Dn,
    place::{Place, Problems},
    secret::Secret,
    setting::{Secrets, Settings},
    value::{Node, Position},
    variables::Variables,
};

/// What is asked of all instances together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// What is listed is there. Nothing else is touched.
    #[default]
    Present,
    /// What is listed is there, and what is not listed is deleted.
    Updated,
    /// The instances that are listed are removed; without a list, all that are ours.
    Absent,
    /// The instances that are listed run.
    Started,
    /// The instances that are listed do not run.
    Stopped,
}

/// Whether an object should be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Presence {
    /// It should.
    #[default]
    Present,
    /// It should not.
    Absent,
}

/// Part of a backend in replication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Takes updates from others.
    Consumer,
    /// Takes updates from others and passes them on.
    Hub,
    /// Takes updates from others and from clients, and passes them on.
    Supplier,
}

impl Role {
    /// Whether it passes updates on, for which it has a changelog.
    pub fn sends(self) -> bool {
        match self {
            Self::Consumer => false,
            Self::Hub | Self::Supplier => true,
        }
    }
}

/// What is said about the part of a backend in replication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RoleWish {
    /// Nothing: it stays as it is.
    #[default]
    AsItIs,
    /// It has none.
    None,
    /// It has this one.
    Role(Role),
}

/// All that one host should have.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Specification {
    /// What is asked of all.
    pub state: State,
    /// Folder that 389 DS is installed below, if that is not the system's.
    pub prefix: Option<String>,
    /// The instances.
    pub instances: Vec<Instance>,
    /// Agreements by what they target.
    pub targeted: Vec<Targeted>,
    /// Numbers of suppliers of all hosts, by suffix: those must never be cleaned.
    pub numbers: Vec<(Dn, u16)>,
    /// Numbers that suppliers had which are gone for good, by suffix: those are to be cleaned.
    pub gone: Vec<(Dn, u16)>,
    /// Identities for others to bind with that have a password of their own, whatever `ReplicaCredentials` says. Of those that are
    /// called as `layout::bind_identity` says, no others stay where this is given.
    pub identities: Option<BTreeMap<Dn, Secret>>,
}

impl Specification {
    /// The password of an identity that has one of its own.
    pub(crate) fn identity(&self, dn: &Dn) -> Option<&Secret> {
        self.identities.as_ref()?.get(dn)
    }
}

/// One server.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Instance {
    /// Its name, without `slapd-`.
    pub name: String,
    /// Where it is written.
    pub at: Option<Position>,
    /// Whether it should be there.
    pub presence: Presence,
    /// Whether it should run; `None` if nothing was said.
    pub started: Option<bool>,
    /// Its options.
    pub settings: Settings,
    /// Its backends.
    pub backends: Vec<Backend>,
}

/// One database of an instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Backend {
    /// Its name.
    pub name: String,
    /// Where it is written.
    pub at: Option<Position>,
    /// Whether it should be there.
    pub presence: Presence,
    /// Root of its entries. One that should not be there may be without.
    pub suffix: Option<Dn>,
    /// Its part in replication.
    pub role: RoleWish,
    /// Its number, if it is a supplier.
    pub replica_id: Option<u16>,
    /// Its other options.
    pub settings: Settings,
    /// Its indexes.
    pub indexes: Vec<Child>,
    /// Its agreements.
    pub agreements: Vec<Child>,
    /// Whether agreements were written at all, even none.
    pub lists_agreements: bool,
}

/// An index or an agreement of a backend.
#[derive(Debug, Clone, PartialEq)]
pub struct Child {
    /// Its name.
    pub name: String,
    /// Where it is written.
    pub at: Option<Position>,
    /// Whether it should be there.
    pub presence: Presence,
    /// Its options.
    pub settings: Settings,
}

/// Agreements with all backends that a target matches.
#[derive(Debug, Clone, PartialEq)]
pub struct Targeted {
    /// A name for modifiers to find it.
    pub name: Option<String>,
    /// Where it is written.
    pub at: Option<Position>,
    /// The targets.
    pub targets: Vec<String>,
    /// Options of each of the agreements.
    pub settings: Settings,
}

impl Specification {
    /// Writes it as the variables that it could have been read from.
    pub fn write(&self, secrets: Secrets) -> Node {
        write::specification(self, secrets)
    }

    /// Reads variables whose modifiers have done their work. All that is wrong is told at once.
    pub fn read(variables: &Variables) -> Result<Self, Problems> {
        read::specification(variables)
    }
}

impl Instance {
    /// The way to it.
    pub fn place(&self) -> Place {
        Place::instance(&self.name)
    }

    /// Whether another name is its name; the server does not tell cases apart.
    pub fn is_called(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

impl Role {
    /// As options and messages have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Consumer => "consumer",
            Self::Hub => "hub",
            Self::Supplier => "supplier",
        }
    }

    /// The role of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Consumer, Self::Hub, Self::Supplier].into_iter().find(|role| role.name() == name)
    }
}

/// The longest name of an instance.
const LONGEST_NAME: usize = 80;

/// Whether an instance may be called so. It becomes part of paths, and no such name has a dot or a slash.
pub fn is_instance_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST_NAME
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'#' | b'%' | b':' | b'@'))
}

//! What a host's instances are, in the same terms as what they should be. `read` makes it of entries; where those come from,
//! and what else is known of a server, is for the caller to find out.

mod read;

use crate::{dn::Dn, entry::Tree, setting::Settings, specification::Role, version::Version};

/// All that a host has.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Host {
    /// The version of 389 DS that is installed.
    pub version: Option<Version>,
    /// The indexes that backends of a new instance get.
    pub default_indexes: Vec<Index>,
    /// Its instances.
    pub instances: Vec<Instance>,
}

/// One server.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Its name, without `slapd-`.
    pub name: String,
    /// Whether an apply listed it once. Others are never removed without being named.
    pub is_ours: bool,
    /// Whether it runs.
    pub is_running: bool,
    /// What an apply that was interrupted had still to do, beyond what shows in the configuration.
    pub unfinished: Vec<Unfinished>,
    /// The requests to initialise consumers that were met.
    pub initialised: Vec<Initialised>,
    /// Its options, but for those that have their default. Secrets are never among them.
    pub settings: Settings,
    /// The indexes that new backends get.
    pub default_indexes: Vec<Index>,
    /// Its backends.
    pub backends: Vec<Backend>,
    /// Entries below `cn=config` that other servers may bind with.
    pub managers: Vec<Dn>,
}

/// The rest of an interrupted apply. Whoever carries a plan out writes these down before, and after each action
/// strikes out those that it finishes, as `action::finishes` says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unfinished {
    /// The server has to start again.
    Restart,
    /// An index of a backend lacks what was there before it.
    Reindex {
        /// The backend.
        backend: String,
        /// The attribute.
        attribute: String,
    },
    /// A backend lacks its first entries.
    Fill {
        /// The backend.
        backend: String,
    },
    /// Other servers know a number that a supplier has no more.
    CleanRuv {
        /// The backend.
        backend: String,
        /// The number.
        id: u16,
    },
    /// An older copy was put in the place of a supplier's data. Others may know changes with its number that it lacks: it gets these
    /// when they are another's, and would never get them as its own once it has made a newer one.
    Renumber {
        /// The backend.
        backend: String,
        /// The number that it had.
        id: u16,
    },
    /// The consumer of an agreement has not been initialised.
    Initialise {
        /// The backend.
        backend: String,
        /// The agreement.
        agreement: String,
    },
}

/// A request to initialise the consumer of an agreement that was met: the last one of that agreement.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Initialised {
    /// The backend.
    pub backend: String,
    /// The agreement.
    pub agreement: String,
    /// Its word.
    pub request: String,
}

impl Initialised {
    /// Whether it is about this agreement of this backend.
    pub fn is_of(&self, backend: &str, agreement: &str) -> bool {
        self.backend.eq_ignore_ascii_case(backend) && self.agreement.eq_ignore_ascii_case(agreement)
    }
}

/// One database of an instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Backend {
    /// Its name.
    pub name: String,
    /// Root of its entries.
    pub suffix: Dn,
    /// Whether the suffix leads to it. It does not when an apply was interrupted between the two.
    pub is_mapped: bool,
    /// Its part in replication.
    pub role: Option<Role>,
    /// Its number, if it is a supplier.
    pub replica_id: Option<u16>,
    /// Its other options.
    pub settings: Settings,
    /// Its indexes.
    pub indexes: Vec<Index>,
    /// Its agreements.
    pub agreements: Vec<Agreement>,
}

/// Whom an index is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexKind {
    /// The server: it must stay as it is.
    System,
    /// Every new backend, and this one has it unchanged.
    Default,
    /// Users of the directory.
    User,
}

/// One index of a backend.
#[derive(Debug, Clone, PartialEq)]
pub struct Index {
    /// The attribute.
    pub name: String,
    /// Whom it is for.
    pub kind: IndexKind,
    /// Its options.
    pub settings: Settings,
}

/// One agreement of a backend.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreement {
    /// Its name.
    pub name: String,
    /// Its options.
    pub settings: Settings,
}

impl Unfinished {
    /// The backend that it is about, if it is about one.
    pub fn backend(&self) -> Option<&str> {
        match self {
            Self::Restart => None,
            Self::Reindex { backend, .. }
            | Self::Fill { backend }
            | Self::CleanRuv { backend, .. }
            | Self::Renumber { backend, .. }
            | Self::Initialise { backend, .. } => Some(backend),
        }
    }

    /// A backend that was restored, and a number that it had and is not to have again.
    pub fn spent(&self) -> Option<(&str, u16)> {
        match self {
            Self::Renumber { backend, id } => Some((backend, *id)),
            _ => None,
        }
    }
}

impl Host {
    /// The instance of a name.
    pub fn instance(&self, name: &str) -> Option<&Instance> {
        self.instances.iter().find(|instance| instance.name.eq_ignore_ascii_case(name))
    }
}

impl Instance {
    /// Reads the configuration of an instance. What else is to be known of it is false until somebody sets it.
    pub fn read(name: &str, configuration: &Tree) -> Self {
        read::instance(name, configuration)
    }

    /// The backend of a name.
    pub fn backend(&self, name: &str) -> Option<&Backend> {
        self.backends.iter().find(|backend| backend.name.eq_ignore_ascii_case(name))
    }
}

impl Backend {
    /// The index of an attribute.
    pub fn index(&self, name: &str) -> Option<&Index> {
        self.indexes.iter().find(|index| index.name.eq_ignore_ascii_case(name))
    }

    /// The agreement of a name.
    pub fn agreement(&self, name: &str) -> Option<&Agreement> {
        self.agreements.iter().find(|agreement| agreement.name.eq_ignore_ascii_case(name))
    }
}

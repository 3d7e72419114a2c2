//! The one table of options. The schema of resources, Ansible's documentation, the roles' pages, validation, facts and the
//! planner all read it; nothing else says what an option is called, what it may hold, or which attribute it is.

mod agreement;
mod backend;
mod index;
mod instance;
mod limits;
mod logs;
pub mod offered;
mod passwords;
mod plugins;
mod tls;

use crate::{codec::Codec, dn::Dn, layout, setting::Setting, value::Node, version::Version};

/// What kind of object an option belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// One server.
    Instance,
    /// One database of it, with its replica and changelog.
    Backend,
    /// One index of a backend.
    Index,
    /// One replication agreement of a backend.
    Agreement,
}

impl Scope {
    /// All, parents first.
    pub const ALL: [Self; 4] = [Self::Instance, Self::Backend, Self::Index, Self::Agreement];

    /// What a user calls such an object.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Backend => "backend",
            Self::Index => "index",
            Self::Agreement => "agreement",
        }
    }

    /// Its options, in the order in which they are documented.
    pub fn options(self) -> &'static [Definition] {
        match self {
            Self::Instance => &INSTANCE,
            Self::Backend => backend::OPTIONS,
            Self::Index => index::OPTIONS,
            Self::Agreement => agreement::OPTIONS,
        }
    }

    /// The option that is called so, by its name or one of its other names, in any case.
    pub fn option(self, name: &str) -> Option<&'static Definition> {
        let same = |known: &&'static str| known.eq_ignore_ascii_case(name);
        self.options().iter().find(|option| same(&option.name) || option.aliases.iter().any(same))
    }
}

/// Parts of the table of instances, in the order in which they are documented.
const INSTANCE_PARTS: [&[Definition]; 10] = [
    instance::OPTIONS,
    tls::OPTIONS,
    limits::OPTIONS,
    logs::ACCESS,
    logs::ERRORS,
    logs::AUDIT,
    logs::AUDIT_FAILURES,
    logs::MORE,
    passwords::OPTIONS,
    plugins::OPTIONS,
];

static INSTANCE: [Definition; length(&INSTANCE_PARTS)] = joined(&INSTANCE_PARTS);

const fn length(parts: &[&[Definition]]) -> usize {
    let (mut length, mut part) = (0, 0);
    while part < parts.len() {
        length += parts[part].len();
        part += 1;
    }
    length
}

/// The parts, one after the other.
const fn joined<const N: usize>(parts: &[&[Definition]]) -> [Definition; N] {
    let mut all = [parts[0][0]; N];
    let (mut at, mut part) = (0, 0);
    while part < parts.len() {
        let mut row = 0;
        while row < parts[part].len() {
            all[at] = parts[part][row];
            at += 1;
            row += 1;
        }
        part += 1;
    }
    all
}

/// Whether any kind of object has an option of this name whose value must not be seen.
pub fn is_secret(name: &str) -> bool {
    Scope::ALL.into_iter().filter_map(|scope| scope.option(name)).any(Definition::is_secret)
}

/// Where an option's value is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Home {
    /// The attribute of `cn=config`.
    Config(&'static str),
    /// The attribute of `cn=encryption,cn=config`.
    Encryption(&'static str),
    /// The attribute of `cn=config,cn=ldbm database,cn=plugins,cn=config`.
    Ldbm(&'static str),
    /// The attribute of `cn=bdb,cn=config,cn=ldbm database,cn=plugins,cn=config`, where the database is BDB.
    Bdb(&'static str),
    /// The attribute of `cn=mdb,cn=config,cn=ldbm database,cn=plugins,cn=config`, where the database is LMDB.
    Mdb(&'static str),
    /// A plugin, as its entry below `cn=plugins,cn=config` is called, and the attribute.
    Plugin(&'static str, &'static str),
    /// The attribute of the entry with the settings of the Account Policy plugin.
    AccountPolicy(&'static str),
    /// The attribute of the backend's entry.
    Backend(&'static str),
    /// The attribute of the suffix's replica.
    Replica(&'static str),
    /// The attribute of the backend's changelog.
    Changelog(&'static str),
    /// The attribute of the index's entry.
    Index(&'static str),
    /// The attribute of the agreement's entry.
    Agreement(&'static str),
    /// The database of certificates, which is compared by what is in it.
    Certificates,
    /// Nowhere: an agreement that targets this backend carries it.
    Incoming,
    /// Nowhere: it says how an object is created.
    Creation,
    /// Nowhere as such: it says what the object is, and the planner knows it by its name.
    Nature,
}

impl Home {
    /// The attribute, where there is one.
    pub fn attribute(self) -> Option<&'static str> {
        match self {
            Self::Config(attribute)
            | Self::Encryption(attribute)
            | Self::Ldbm(attribute)
            | Self::Bdb(attribute)
            | Self::Mdb(attribute)
            | Self::Plugin(_, attribute)
            | Self::AccountPolicy(attribute)
            | Self::Backend(attribute)
            | Self::Replica(attribute)
            | Self::Changelog(attribute)
            | Self::Index(attribute)
            | Self::Agreement(attribute) => Some(attribute),
            Self::Certificates | Self::Incoming | Self::Creation | Self::Nature => None,
        }
    }
}

impl Home {
    /// The entry, of an option of instances.
    pub fn instance_entry(self) -> Option<Dn> {
        Some(match self {
            Self::Config(_) => layout::config(),
            Self::Encryption(_) => layout::encryption(),
            Self::Ldbm(_) => layout::ldbm_config(),
            Self::Bdb(_) => layout::bdb(),
            Self::Mdb(_) => layout::mdb(),
            Self::Plugin(plugin, _) => layout::plugin(plugin),
            Self::AccountPolicy(_) => layout::account_policy(),
            _ => return None,
        })
    }

    /// Whether it is of a plugin.
    pub fn is_plugin(self) -> bool {
        matches!(self, Self::Plugin(..) | Self::AccountPolicy(_))
    }

    /// Whether it is of a plugin that the server switches while it runs, if it is to switch plugins so.
    pub fn is_dynamic_plugin(self) -> bool {
        self.is_plugin() && !matches!(self, Self::Plugin(plugin, _) if plugins::NEVER_DYNAMIC.contains(&plugin))
    }
}

/// What it takes to change an option of something that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It works at once.
    Live,
    /// It works after the server's next start.
    Restart,
    /// It cannot be changed.
    Never,
}

/// One option.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// Its name in lower case: the key in specifications. Names are read in any case.
    pub name: &'static str,
    /// The name as documentation and facts write it.
    pub spelling: &'static str,
    /// Other names that are read.
    pub aliases: &'static [&'static str],
    /// What it may hold.
    pub codec: Codec,
    /// Where it is kept.
    pub home: Home,
    /// What it takes to change it.
    pub change: Change,
    /// The object cannot be without it.
    pub required: bool,
    /// What the server takes when nothing is said, for documentation; `None` if that differs between servers.
    pub default: Option<&'static str>,
    /// The first server that has it, if that is not the oldest one managed.
    pub since: Option<Version>,
    /// One line on what it does.
    pub doc: &'static str,
}

impl PartialEq for Definition {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Definition {}

impl Definition {
    const fn new(name: &'static str, codec: Codec, home: Home, doc: &'static str) -> Self {
        Self {
            name,
            spelling: name,
            aliases: &[],
            codec,
            home,
            change: Change::Live,
            required: false,
            default: None,
            since: None,
            doc,
        }
    }

    const fn spelled(mut self, spelling: &'static str) -> Self {
        self.spelling = spelling;
        self
    }

    const fn alias(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    const fn restart(mut self) -> Self {
        self.change = Change::Restart;
        self
    }

    const fn fixed(mut self) -> Self {
        self.change = Change::Never;
        self
    }

    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    const fn default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    const fn since(mut self, version: Version) -> Self {
        self.since = Some(version);
        self
    }

    /// What the server takes when nothing is said, as a value.
    pub fn default_setting(&self) -> Option<Setting> {
        self.codec.read(&Node::text(self.default?)).ok()
    }

    /// Whether its value must not be seen.
    pub fn is_secret(&self) -> bool {
        self.codec == Codec::Password
    }

    /// Whether it is the size of a cache, which the server chooses itself unless it is told not to.
    pub fn is_cache_size(&self) -> bool {
        let is_of_backend =
            matches!(self.home, Home::Backend("nsslapd-cachememsize" | "nsslapd-cachesize" | "nsslapd-dncachememsize"));
        is_of_backend || self.home == Home::Bdb("nsslapd-dbcachesize")
    }

    /// The name of the field in resources: `ReplicaBindDN` is `replicaBindDN`, `secure_port` is `securePort`.
    pub fn field(&self) -> String {
        let mut field = String::with_capacity(self.spelling.len());
        let mut upper = false;
        for c in self.spelling.chars() {
            match c {
                '_' => upper = true,
                c if field.is_empty() => field.push(c.to_ascii_lowercase()),
                c if upper => {
                    field.push(c.to_ascii_uppercase());
                    upper = false;
                }
                c => field.push(c),
            }
        }
        field
    }
}

/// A number of seconds, entries or bytes without a limit of its own.
const COUNT: Codec = Codec::Number(0, i64::MAX);

/// As [`COUNT`], where -1 is no limit.
const COUNT_OR_NONE: Codec = Codec::Number(-1, i64::MAX);

/// How a connection is secured.
const TRANSPORT: Codec = Codec::Choice(&[&["LDAP"], &["LDAPS", "SSL"], &["StartTLS", "TLS"]]);

/// How one server binds to another.
const BIND_METHOD: Codec = Codec::Choice(&[&["SIMPLE"], &["SSLCLIENTAUTH"], &["SASL/GSSAPI"], &["SASL/DIGEST-MD5"]]);

/// Whether an object is there.
const fn state(noun_doc: &'static str) -> Definition {
    Definition::new("state", Codec::Choice(&[&["present", "updated"], &["absent"]]), Home::Nature, noun_doc).default("present")
}

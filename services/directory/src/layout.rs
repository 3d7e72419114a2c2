//! Where in the server's configuration each thing has its entry.

use crate::dn::Dn;

/// `cn=config`.
pub fn config() -> Dn {
    Dn::root().child("cn", "config")
}

/// What identities that a program makes for others to bind with begin with.
const BIND_IDENTITY: &str = "aviary ";

/// An identity that a program makes for another server to bind with.
pub fn bind_identity(name: &str) -> Dn {
    config().child("cn", &format!("{BIND_IDENTITY}{name}"))
}

/// Whether a program has made an identity for another server.
pub fn is_bind_identity(dn: &Dn) -> bool {
    let (attribute, value) = dn.rdn();
    let has_its_name = value.get(..BIND_IDENTITY.len()).is_some_and(|start| start.eq_ignore_ascii_case(BIND_IDENTITY));
    dn.is_child(&config()) && attribute.eq_ignore_ascii_case("cn") && has_its_name
}

/// Whether the server itself has an entry of this name, next below `cn=config`, whatever is configured.
pub fn is_the_servers_own(dn: &Dn) -> bool {
    let own = [
        "auto_bind",
        "changelog5",
        "encryption",
        "features",
        "mapping tree",
        "monitor",
        "plugins",
        "replication",
        "SASL",
        "tasks",
    ];
    *dn == config() || own.iter().any(|name| *dn == config().child("cn", name))
}

/// `cn=encryption,cn=config`.
pub fn encryption() -> Dn {
    config().child("cn", "encryption")
}

/// A plugin.
pub fn plugin(name: &str) -> Dn {
    config().child("cn", "plugins").child("cn", name)
}

/// The settings of the Account Policy plugin.
pub fn account_policy() -> Dn {
    plugin("Account Policy Plugin").child("cn", "config")
}

/// The suffix of the Retro Changelog plugin, whose backend the server makes for itself.
pub fn retro_changelog() -> Dn {
    Dn::root().child("cn", "changelog")
}

/// The database plugin, above all backends.
pub fn ldbm() -> Dn {
    config().child("cn", "plugins").child("cn", "ldbm database")
}

/// The settings of all backends.
pub fn ldbm_config() -> Dn {
    ldbm().child("cn", "config")
}

/// The settings of BDB.
pub fn bdb() -> Dn {
    ldbm_config().child("cn", "bdb")
}

/// The settings of LMDB.
pub fn mdb() -> Dn {
    ldbm_config().child("cn", "mdb")
}

/// The indexes that new backends get.
pub fn default_indexes() -> Dn {
    ldbm_config().child("cn", "default indexes")
}

/// A backend.
pub fn backend(name: &str) -> Dn {
    ldbm().child("cn", name)
}

/// A backend's changelog.
pub fn changelog(backend_name: &str) -> Dn {
    backend(backend_name).child("cn", "changelog")
}

/// What a backend's indexes are below.
pub fn indexes(backend_name: &str) -> Dn {
    backend(backend_name).child("cn", "index")
}

/// An index.
pub fn index(backend_name: &str, attribute: &str) -> Dn {
    indexes(backend_name).child("cn", attribute)
}

/// What leads from suffixes to backends.
pub fn mapping_trees() -> Dn {
    config().child("cn", "mapping tree")
}

/// What leads from a suffix to its backend. The name of an entry does not show that its value is a name too, so that spaces
/// in it would make it another.
pub fn mapping_tree(suffix: &Dn) -> Dn {
    mapping_trees().child("cn", suffix.normal())
}

/// A suffix's replica.
pub fn replica(suffix: &Dn) -> Dn {
    mapping_tree(suffix).child("cn", "replica")
}

/// The entry that a supplier changes when it has nothing else to send.
pub fn keep_alive(suffix: &Dn, id: u16) -> Dn {
    suffix.child("cn", &format!("repl keep alive {id}"))
}

/// An agreement.
pub fn agreement(suffix: &Dn, name: &str) -> Dn {
    replica(suffix).child("cn", name)
}

/// Tasks of a kind, such as `index`.
pub fn tasks(kind: &str) -> Dn {
    config().child("cn", "tasks").child("cn", kind)
}

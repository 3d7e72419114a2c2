//! Asks the servers of this host how replication is. What they say is read and judged by `directory`.

use std::path::Path;

use directory::{dn::Dn, layout, observed, replication::Replica};

use crate::ldap::{self, Connection};

/// Attributes that a server works out when somebody asks for them.
const OF_REPLICAS: [&str; 4] = ["*", "nsds50ruv", "nsds5AgmtMaxCSN", "nsds5ReplicaCleanRUV"];

/// Any entry, also of the kind that searches leave out, but those with which suppliers show that they are alive.
const ENTRIES: &str = "(&(|(objectClass=*)(objectClass=ldapsubentry))(!(cn=repl keep alive *)))";

/// Where a suffix is looked for, and what the server does with changes of clients that it sends to others.
const STATE: &str = "nsslapd-state";
const SHUT: &str = "referral on update";
const REFERRAL: &str = "nsslapd-referral";
/// An address that leads nowhere, for the server wants one.
const NOBODY: &str = "ldap:///";

/// What a replica is like; `None` if the backend has no part in replication.
pub async fn replica(
    connection: &mut Connection,
    instance: &str,
    backend: &observed::Backend,
) -> Result<Option<Replica>, ldap::Error> {
    let entry = connection.entry(&layout::replica(&backend.suffix), &OF_REPLICAS).await?;
    let mut agreements = Vec::new();
    for agreement in &backend.agreements {
        agreements.extend(connection.entry(&layout::agreement(&backend.suffix, &agreement.name), &OF_REPLICAS).await?);
    }
    Ok(Replica::read(instance, backend, entry.as_ref(), &agreements))
}

/// Whether a suffix has nothing below its root but what replication itself has put there.
pub async fn is_empty(connection: &mut Connection, suffix: &Dn) -> Result<bool, ldap::Error> {
    connection.has_children(suffix, ENTRIES).await.map(|has_children| !has_children)
}

/// Whether a supplier's suffix takes no changes of clients, as [`gate`] has it.
pub async fn is_shut(connection: &mut Connection, suffix: &Dn) -> Result<bool, ldap::Error> {
    let entry = connection.entry(&layout::mapping_tree(suffix), &[STATE]).await?;
    Ok(entry.is_some_and(|entry| entry.text(STATE).is_some_and(|state| state.eq_ignore_ascii_case(SHUT))))
}

/// Has a supplier's suffix take no changes of clients, or take them again. Other servers' it takes all the same. The server itself
/// opens it when it has been filled, and whenever it starts.
pub async fn gate(connection: &mut Connection, suffix: &Dn, is_shut: bool) -> Result<(), ldap::Error> {
    let tree = layout::mapping_tree(suffix);
    let state = |state: &str| [(STATE, vec![state.to_owned()])];
    if is_shut {
        // In one request with the next it has no effect.
        connection.replace(&tree, &[(REFERRAL, vec![NOBODY.to_owned()])], &[]).await?;
        return connection.replace(&tree, &state(SHUT), &[]).await;
    }
    connection.replace(&tree, &state("backend"), &[]).await?;
    connection.replace(&tree, &[(REFERRAL, Vec::new())], &[]).await
}

/// What the replicas of an instance are like.
pub(crate) async fn read(socket: &Path, instance: &observed::Instance) -> Result<Vec<Replica>, ldap::Error> {
    let replicated: Vec<_> = instance.backends.iter().filter(|backend| backend.role.is_some()).collect();
    let mut connection = match instance.is_running && !replicated.is_empty() {
        true => Some(Connection::open(socket).await?),
        false => None,
    };
    let mut replicas = Vec::new();
    for backend in replicated {
        replicas.extend(match &mut connection {
            Some(connection) => replica(connection, &instance.name, backend).await?,
            None => Replica::read(&instance.name, backend, None, &[]),
        });
    }
    Ok(replicas)
}

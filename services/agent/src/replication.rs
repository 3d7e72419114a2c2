//! Asks the servers of this host how replication is. What they say is read and judged by `directory`.

use std::path::Path;

use directory::{dn::Dn, layout, observed, replication::Replica};

use crate::ldap::{self, Connection};

/// Attributes that a server works out when somebody asks for them.
const OF_REPLICAS: [&str; 4] = ["*", "nsds50ruv", "nsds5AgmtMaxCSN", "nsds5ReplicaCleanRUV"];

/// Any entry, also of the kind that searches leave out, but those with which suppliers show that they are alive.
const ENTRIES: &str = "(&(|(objectClass=*)(objectClass=ldapsubentry))(!(cn=repl keep alive *)))";

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

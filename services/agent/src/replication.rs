//! Asks the servers of this host how replication is. What they say is read and judged by `directory`.

use std::path::Path;

use directory::{entry::Entry, layout, observed, replication::Replica};

use crate::ldap::{self, Connection};

/// Attributes that a server works out when somebody asks for them.
const OF_REPLICAS: [&str; 4] = ["*", "nsds50ruv", "nsds5AgmtMaxCSN", "nsds5ReplicaCleanRUV"];

/// What the replicas of an instance are like.
pub(crate) async fn read(socket: &Path, instance: &observed::Instance) -> Result<Vec<Replica>, ldap::Error> {
    let replicated: Vec<_> = instance.backends.iter().filter(|backend| backend.role.is_some()).collect();
    let mut connection = match instance.is_running && !replicated.is_empty() {
        true => Some(Connection::open(socket).await?),
        false => None,
    };
    let mut replicas = Vec::new();
    for backend in replicated {
        let (replica, agreements) = match &mut connection {
            Some(connection) => entries(connection, backend).await?,
            None => (None, Vec::new()),
        };
        replicas.extend(Replica::read(&instance.name, backend, replica.as_ref(), &agreements));
    }
    Ok(replicas)
}

/// The entry of a replica and those of its agreements.
async fn entries(connection: &mut Connection, backend: &observed::Backend) -> Result<(Option<Entry>, Vec<Entry>), ldap::Error> {
    let dn = layout::replica(&backend.suffix);
    let replica = connection.entry(&dn, &OF_REPLICAS).await?;
    let mut agreements = Vec::new();
    for agreement in &backend.agreements {
        agreements.extend(connection.entry(&layout::agreement(&backend.suffix, &agreement.name), &OF_REPLICAS).await?);
    }
    Ok((replica, agreements))
}

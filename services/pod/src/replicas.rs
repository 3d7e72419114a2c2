//! How the replicas of the server are: asked over one connection for as long as that lasts, and told in the words of the contract.

use std::{collections::BTreeMap, time::Duration};

use agent::{ldap, ldap::Connection, replication};
use aviary_proto::directory::v1 as proto;
use directory::{
    dn::Dn,
    replication::{Agreement, Colour, IN_SYNC_WITHIN, Outcome, Replica},
    specification::Role,
};

use crate::{receive::Consent, settle::Server};

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Codes with which suppliers on LMDB go on for ever that were killed before they had sent all. On BDB they pass.
const LOST: [i64; 2] = [15, 18];
/// What that may mean, and what to do.
const LOST_HELP: &str = "If this stays, the server was killed and its LMDB has lost what it had not sent yet. The agreement's \
    initialise.policy OnRequest, with another requestId, gives the other server all entries of this one, in place of its own: \
    changes that only the other has are lost then";

/// A replica.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) replica: Replica,
    /// Whether its suffix holds nothing.
    pub(crate) is_empty: bool,
    /// Whether it is being filled by another server.
    pub(crate) is_filling: bool,
    /// Whether it takes no changes of clients.
    pub(crate) is_shut: bool,
    /// Names that others may bind with to send to it.
    pub(crate) bind_dns: Vec<String>,
    /// By agreement, the name that it binds with.
    pub(crate) binds: BTreeMap<String, String>,
}

impl Seen {
    /// What its data is called, if that can be told.
    pub(crate) fn generation(&self) -> Option<&str> {
        let ruv = self.replica.ruv.as_ref().filter(|_| !self.is_filling)?;
        Some(ruv.generation.as_str())
    }

    /// Whether it has never been given anything, and takes nothing from clients.
    pub(crate) fn is_bare(&self) -> bool {
        self.replica.role != Role::Supplier && self.replica.ruv.as_ref().is_some_and(|ruv| ruv.elements.is_empty())
    }

    /// Numbers of the suppliers whose changes it knows of.
    fn suppliers(&self) -> impl Iterator<Item = u16> {
        let elements = self.replica.ruv.as_ref().map(|ruv| ruv.elements.as_slice()).unwrap_or_default();
        elements.iter().map(|element| element.id)
    }

    /// Whether it knows of a supplier, is not forgetting it, and can have others do so.
    pub(crate) fn can_forget(&self, suffix: &Dn, id: u16) -> bool {
        let replica = &self.replica;
        let is_able = replica.role == Role::Supplier && replica.id != Some(id);
        replica.suffix == *suffix && is_able && self.suppliers().any(|known| known == id) && !replica.cleaning.contains(&id)
    }
}

/// Asks for them.
#[derive(Default)]
pub(crate) struct Replicas {
    connection: Option<Connection>,
}

impl Replicas {
    /// How they are; `None` if the server does not answer.
    pub(crate) async fn look(&mut self, server: &Server) -> Option<Vec<Seen>> {
        if server.replicated.is_empty() {
            return Some(Vec::new());
        }
        match tokio::time::timeout(PATIENCE, look(self.connection.take(), server)).await {
            Ok(Ok((connection, seen))) => {
                self.connection = Some(connection);
                Some(seen)
            }
            Ok(Err(error)) => {
                tracing::debug!("{error}");
                None
            }
            Err(_) => None,
        }
    }

    /// Has suffixes take no changes of clients, or take them again; whether all of that was done.
    pub(crate) async fn gate(&mut self, gates: &[(Dn, bool)]) -> bool {
        let Some(mut connection) = self.connection.take() else { return false };
        let done = async {
            for (suffix, is_shut) in gates {
                replication::gate(&mut connection, suffix, *is_shut).await?;
            }
            Ok::<_, ldap::Error>(connection)
        };
        match tokio::time::timeout(PATIENCE, done).await {
            Ok(Ok(connection)) => self.connection = Some(connection),
            Ok(Err(error)) => tracing::warn!("failed to have a suffix refuse or take changes: {error}"),
            Err(_) => {}
        }
        self.connection.is_some()
    }
}

async fn look(known: Option<Connection>, server: &Server) -> Result<(Connection, Vec<Seen>), ldap::Error> {
    let mut connection = match known {
        Some(connection) => connection,
        None => Connection::open(&server.process.socket).await?,
    };
    let mut seen = Vec::new();
    for backend in &server.replicated {
        let Some(replica) = replication::replica(&mut connection, &server.process.instance, backend).await? else { continue };
        // While it is being filled it answers with somebody else's address.
        let (is_empty, is_filling) = match replication::is_empty(&mut connection, &backend.suffix).await {
            Err(error) if error.is_refused() => (false, true),
            answer => (answer?, false),
        };
        let is_shut = replica.role != Role::Supplier || replication::is_shut(&mut connection, &backend.suffix).await?;
        let bind_dns = backend.settings.list("replicabinddn").unwrap_or_default().to_vec();
        let binds = backend.agreements.iter().filter_map(|agreement| {
            let dn = agreement.settings.text("replicabinddn")?;
            Some((agreement.name.clone(), dn.to_owned()))
        });
        seen.push(Seen { replica, is_empty, is_filling, is_shut, bind_dns, binds: binds.collect() });
    }
    Ok((connection, seen))
}

/// In the words of the contract.
pub(crate) fn told(seen: &[Seen], consent: &Consent, server: &Server) -> Vec<proto::Replica> {
    seen.iter().map(|seen| replica(seen, consent, server)).collect()
}

fn replica(seen: &Seen, consent: &Consent, server: &Server) -> proto::Replica {
    let Seen { replica, is_empty, .. } = seen;
    let permit = consent.get(replica.suffix.normal());
    let agreement = |agreement: &Agreement| {
        let (state, message) = state(agreement, server.is_lmdb);
        let met = server.initialised.iter().find(|met| met.is_of(&replica.backend, &agreement.name));
        let initialised = met.map(|met| met.request.clone()).unwrap_or_default();
        let bind_dn = seen.binds.get(&agreement.name).cloned().unwrap_or_default();
        proto::Agreement { name: agreement.name.clone(), state: state.into(), message, initialised, bind_dn }
    };
    proto::Replica {
        backend: replica.backend.clone(),
        suffix: replica.suffix.to_string(),
        role: replica.role.name().to_owned(),
        id: replica.id.map(u32::from).unwrap_or_default(),
        generation: seen.generation().unwrap_or_default().to_owned(),
        is_empty: *is_empty,
        receives: permit.map(|permit| permit.with.clone()).unwrap_or_default(),
        held: permit.map(|permit| permit.held.clone()).unwrap_or_default(),
        agreements: replica.agreements.iter().map(agreement).collect(),
        suppliers: seen.suppliers().map(u32::from).collect(),
        cleaning: replica.cleaning.iter().copied().map(u32::from).collect(),
        bind_dns: seen.bind_dns.clone(),
        spent: server.spent(&replica.backend).map(u32::from).collect(),
    }
}

/// How an agreement is, and what the server says of it. What changes with every change of an entry is left out.
fn state(agreement: &Agreement, is_lmdb: bool) -> (proto::AgreementState, String) {
    use proto::AgreementState as State;
    let says = |outcome: &Option<Outcome>| outcome.as_ref().map(|outcome| outcome.text.clone()).unwrap_or_default();
    match &agreement.update {
        _ if !agreement.is_enabled => (State::Paused, String::new()),
        _ if agreement.is_initialising => (State::Initialising, says(&agreement.initialisation)),
        Some(update) if update.code == Outcome::OTHER_DATA => (State::OtherData, update.text.clone()),
        Some(update) if is_lmdb && LOST.contains(&update.code) => (State::Failing, format!("{}. {LOST_HELP}", update.text)),
        Some(update) if update.colour == Colour::Red => (State::Failing, update.text.clone()),
        _ => match agreement.lag {
            Some(lag) if lag <= IN_SYNC_WITHIN => (State::InSync, String::new()),
            Some(_) => (State::Behind, says(&agreement.update)),
            None => (State::Waiting, says(&agreement.update)),
        },
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proto::AgreementState as State;

    use super::*;

    /// A supplier of `dc=test` that has these.
    pub(crate) fn supplier(agreements: Vec<Agreement>) -> Seen {
        let replica = Replica {
            instance: "a".to_owned(),
            backend: "root".to_owned(),
            suffix: Dn::parse("dc=test").unwrap(),
            role: Role::Supplier,
            id: Some(10),
            is_running: true,
            ruv: None,
            cleaning: Vec::new(),
            agreements,
        };
        Seen { replica, is_empty: false, is_filling: false, is_shut: true, bind_dns: Vec::new(), binds: BTreeMap::new() }
    }

    pub(crate) fn agreement() -> Agreement {
        Agreement {
            name: "b.root".to_owned(),
            host: "b".to_owned(),
            port: Some(3636),
            is_enabled: true,
            colour: Colour::Green,
            update: Some(outcome(0)),
            update_began: None,
            update_ended: None,
            is_updating: false,
            initialisation: None,
            initialisation_began: None,
            initialisation_ended: None,
            is_initialising: false,
            sent: Vec::new(),
            newest: None,
            lag: Some(0),
        }
    }

    pub(crate) fn outcome(code: i64) -> Outcome {
        let colour = if code == 0 { Colour::Green } else { Colour::Red };
        Outcome { colour, code, text: format!("code {code}"), at: None }
    }

    #[track_caller]
    fn check(agreement: Agreement, expected: State) {
        assert_eq!(state(&agreement, false).0, expected);
    }

    #[test]
    fn what_lmdb_loses_when_it_is_killed_is_told_with_what_to_do() {
        let mut stuck = Agreement { update: Some(outcome(18)), lag: None, ..agreement() };
        stuck.update = stuck.update.map(|update| Outcome { colour: Colour::Amber, ..update });
        let (told, message) = state(&stuck, true);
        assert!(told == State::Failing && message.starts_with("code 18. ") && message.contains("OnRequest"), "{message}");
        assert_eq!(state(&stuck, false), (State::Waiting, "code 18".to_owned()));
    }

    #[test]
    fn an_agreement_is_in_sync_when_its_consumer_has_all_but_the_last_changes() {
        check(agreement(), State::InSync);
        check(Agreement { lag: Some(10), ..agreement() }, State::InSync);
        check(Agreement { lag: Some(11), ..agreement() }, State::Behind);
        check(Agreement { lag: None, ..agreement() }, State::Waiting);
        check(Agreement { update: None, lag: None, ..agreement() }, State::Waiting);
        check(Agreement { update: Some(outcome(-1)), ..agreement() }, State::Failing);
        check(Agreement { update: Some(outcome(19)), lag: None, ..agreement() }, State::OtherData);
        check(Agreement { is_initialising: true, update: Some(outcome(19)), ..agreement() }, State::Initialising);
        check(Agreement { is_enabled: false, is_initialising: true, ..agreement() }, State::Paused);
    }
}

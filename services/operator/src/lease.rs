//! Which of several operators works: the one that has the Lease. It renews it; one that cannot do so in time ends, before
//! another one may take it. Whoever lost a race for it is told by the API server, which takes no change of what has changed.

use std::time::Duration;

use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
    jiff::Timestamp,
};
use kube::{Api, Client, api::PostParams};
use tokio::time::{Instant, timeout, timeout_at};

/// How long it is held without being renewed.
const LASTS: Duration = Duration::from_secs(15);
/// How often it is renewed, and looked at by those that wait.
const RENEWED: Duration = Duration::from_secs(3);
/// How long it may take to renew it before its holder ends: well before it is anybody else's.
const GIVEN_UP: Duration = Duration::from_secs(10);

/// Why there is no Lease any more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The API server could not be reached for too long.
    #[error("failed to renew the lease within {} s", GIVEN_UP.as_secs())]
    TooLate,
    /// Somebody else has it.
    #[error("the lease was taken by {0}")]
    Taken(String),
}

/// The Lease, for one who may have it.
#[derive(Clone)]
pub(crate) struct Candidate {
    api: Api<Lease>,
    name: String,
    identity: String,
}

impl Candidate {
    /// For who calls itself so.
    pub(crate) fn new(client: Client, namespace: &str, name: &str, identity: &str) -> Self {
        Self { api: Api::namespaced(client, namespace), name: name.to_owned(), identity: identity.to_owned() }
    }

    /// Waits until it has it. A Lease of somebody who does not renew it is taken when it has not changed for as long as it
    /// lasts by our own clock; those of others may differ.
    pub(crate) async fn acquire(&self) {
        let mut seen: Option<(Option<String>, Instant)> = None;
        let mut is_told = false;
        loop {
            match timeout(GIVEN_UP, self.attempt(&mut seen)).await {
                Ok(Ok(true)) => return,
                Ok(Ok(false)) if is_told => {}
                Ok(Ok(false)) => tracing::info!("another operator has the lease; waiting"),
                Err(_) => tracing::warn!("failed to look at the lease: the API server does not answer"),
                Ok(Err(error)) => tracing::warn!(error = &error as &dyn std::error::Error, "failed to look at the lease"),
            }
            is_told = true;
            tokio::time::sleep(RENEWED).await;
        }
    }

    async fn attempt(&self, seen: &mut Option<(Option<String>, Instant)>) -> Result<bool, kube::Error> {
        let Some(lease) = self.api.get_opt(&self.name).await? else {
            let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
            let lease = self.held(Lease { metadata, spec: None });
            return won(self.api.create(&PostParams::default(), &lease).await);
        };
        let holder = lease.spec.as_ref().and_then(|spec| spec.holder_identity.clone()).unwrap_or_default();
        let version = lease.metadata.resource_version.clone();
        let since = match seen {
            Some((known, since)) if *known == version => *since,
            _ => seen.insert((version, Instant::now())).1,
        };
        if !holder.is_empty() && holder != self.identity && since.elapsed() < LASTS {
            return Ok(false);
        }
        won(self.api.replace(&self.name, &PostParams::default(), &self.held(lease)).await)
    }

    /// Renews it for as long as that works.
    pub(crate) async fn keep(&self) -> Error {
        let (mut renewed, mut known) = (Instant::now(), None);
        loop {
            let renewal = async {
                tokio::time::sleep(RENEWED).await;
                // From its beginning: that is what the others will see.
                (Instant::now(), self.renew(&mut known).await)
            };
            match timeout_at(renewed + GIVEN_UP, renewal).await {
                Ok((began, Ok(None))) => renewed = began,
                Ok((_, Ok(Some(other)))) => return Error::Taken(other),
                Ok((_, Err(error))) => tracing::warn!(error = &error as &dyn std::error::Error, "failed to renew the lease"),
                Err(_) => return Error::TooLate,
            }
        }
    }

    /// The holder, if that is somebody else. The Lease is read only if it is not `known` from the time before; should it have changed
    /// since, the API server says so, and it is read the next time.
    async fn renew(&self, known: &mut Option<Lease>) -> Result<Option<String>, kube::Error> {
        let lease = match known.take() {
            Some(lease) => lease,
            None => self.api.get(&self.name).await?,
        };
        let holder = lease.spec.as_ref().and_then(|spec| spec.holder_identity.clone()).unwrap_or_default();
        if holder != self.identity {
            return Ok(Some(holder));
        }
        *known = Some(self.api.replace(&self.name, &PostParams::default(), &self.held(lease)).await?);
        Ok(None)
    }

    /// Lets others have it at once.
    pub(crate) async fn release(&self) {
        let released = async {
            let mut lease = self.api.get(&self.name).await?;
            let spec = lease.spec.get_or_insert_default();
            if spec.holder_identity.as_ref() == Some(&self.identity) {
                spec.holder_identity = None;
                self.api.replace(&self.name, &PostParams::default(), &lease).await?;
            }
            Ok::<_, kube::Error>(())
        };
        if let Ok(Err(error)) = timeout(RENEWED, released).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "failed to give the lease back");
        }
    }

    fn held(&self, lease: Lease) -> Lease {
        let before = lease.spec.unwrap_or_default();
        let now = MicroTime(Timestamp::now());
        let is_ours = before.holder_identity.as_ref() == Some(&self.identity);
        let spec = LeaseSpec {
            acquire_time: before.acquire_time.filter(|_| is_ours).or_else(|| Some(now.clone())),
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: Some(i32::try_from(LASTS.as_secs()).unwrap_or(i32::MAX)),
            lease_transitions: Some(before.lease_transitions.unwrap_or(0) + i32::from(!is_ours)),
            renew_time: Some(now),
            ..before
        };
        Lease { metadata: lease.metadata, spec: Some(spec) }
    }
}

/// Whether a change was taken; it is not when somebody else was faster.
fn won(changed: Result<Lease, kube::Error>) -> Result<bool, kube::Error> {
    match changed {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
        Err(error) => Err(error),
    }
}

//! The replicas that are known, and in which order they are asked for a report.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{
    Callee,
    channel::Dialer,
    health::{Checked, Replica},
    rendezvous,
    target::Target,
};

/// All replicas.
pub(super) struct Pool {
    callee: Callee,
    dialer: Dialer,
    replicas: ArcSwap<Vec<Arc<Checked>>>,
    /// Somebody could not reach a replica: it may be elsewhere now.
    wanted: Notify,
    /// Cancelled when one replica was well for the first time.
    any_healthy: CancellationToken,
}

impl Pool {
    pub(super) fn new(callee: Callee, dialer: Dialer) -> Self {
        Self { callee, dialer, replicas: ArcSwap::default(), wanted: Notify::new(), any_healthy: CancellationToken::new() }
    }

    pub(super) fn any_healthy(&self) -> CancellationToken {
        self.any_healthy.clone()
    }

    /// These are the replicas from now on. Those that stay keep their connections. Called by one task only.
    pub(super) fn set(&self, targets: Vec<Target>) {
        let before = self.replicas.load_full();
        let known = |target: &Target| before.iter().find(|checked| checked.replica.target == *target);
        let mut after: Vec<Arc<Checked>> = Vec::with_capacity(targets.len());
        for target in targets {
            if after.iter().any(|checked| checked.replica.target.name == target.name) {
                continue;
            }
            if let Some(checked) = known(&target) {
                after.push(Arc::clone(checked));
                continue;
            }
            match self.dialer.channel(&target) {
                Ok(channel) => {
                    tracing::info!(replica = target.name, "a replica has come");
                    after.push(Arc::new(Checked::start(self.callee, target, channel, self.any_healthy.clone())));
                }
                Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "a replica is left out"),
            }
        }
        for gone in before.iter().filter(|before| !after.iter().any(|after| Arc::ptr_eq(before, after))) {
            tracing::info!(replica = gone.replica.target.name, "a replica has gone");
        }
        self.replicas.store(Arc::new(after));
    }

    /// Whom to ask for this report: those that are well, best first, and then the others, as a last resort.
    pub(super) fn order(&self, key: &str) -> Vec<Arc<Replica>> {
        let replicas = self.replicas.load();
        let names: Vec<&str> = replicas.iter().map(|checked| checked.replica.target.name.as_str()).collect();
        let ranked = rendezvous::order(&names, key);
        let ranked = ranked.into_iter().filter_map(|place| replicas.get(place)).map(|checked| Arc::clone(&checked.replica));
        let (mut well, others): (Vec<_>, Vec<_>) = ranked.partition(|replica| replica.is_healthy());
        well.extend(others);
        well
    }

    /// A call to a replica has failed.
    pub(super) fn failed(&self, replica: &Replica) {
        metrics::counter!("aviary_gateway_replica_failures_total").increment(1);
        replica.failed();
        self.wanted.notify_one();
    }

    /// Done when somebody wants to know where the replicas are.
    pub(super) async fn wanted(&self) {
        self.wanted.notified().await;
    }
}

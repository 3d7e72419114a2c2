//! One replica and how it is: asked for its health each second, and at once when a call to it has failed.

use std::{sync::Arc, time::Duration};

use tokio::sync::{Notify, watch};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tonic::transport::Channel;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use super::{callee::Callee, target::Target};

/// How often a replica is asked how it is.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// How soon it is asked again when a call has failed.
const CHECK_PAUSE: Duration = Duration::from_millis(100);
/// How long it may take to say.
const CHECK_TIMEOUT: Duration = Duration::from_secs(1);
/// How a replica is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It has not been asked yet.
    Unknown,
    /// It serves.
    Healthy,
    /// It says that it does not serve, or no longer; what it has in hand it finishes.
    Draining,
    /// A call to it has failed since it was well.
    Failing,
    /// It does not say.
    Lost,
}

impl State {
    /// As the metric has it.
    fn label(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Healthy => "healthy",
            Self::Draining => "draining",
            Self::Failing | Self::Lost => "failed",
        }
    }
}

/// A replica.
pub(super) struct Replica {
    callee: Callee,
    pub(super) target: Target,
    pub(super) channel: Channel,
    state: watch::Sender<State>,
    /// Somebody wants to know how it is.
    wanted: Notify,
}

/// A replica that is looked after until this is dropped. Calls that are in hand then end by themselves.
pub(super) struct Checked {
    pub(super) replica: Arc<Replica>,
    _checks: AbortOnDropHandle<()>,
}

impl Checked {
    /// `any_healthy` is cancelled when the replica is well for the first time.
    pub(super) fn start(callee: Callee, target: Target, channel: Channel, any_healthy: CancellationToken) -> Self {
        let replica =
            Arc::new(Replica { callee, target, channel, state: watch::Sender::new(State::Unknown), wanted: Notify::new() });
        count(callee, State::Unknown, 1.0);
        let checks = tokio::spawn(check(Arc::clone(&replica), any_healthy));
        Self { replica, _checks: AbortOnDropHandle::new(checks) }
    }
}

impl Replica {
    pub(super) fn is_healthy(&self) -> bool {
        *self.state.borrow() == State::Healthy
    }

    /// A call has failed in a way that tells of the replica and not of the question.
    pub(super) fn failed(&self) {
        let failed = self.state.send_if_modified(|state| {
            let was = *state == State::Healthy;
            if was {
                *state = State::Failing;
            }
            was
        });
        if failed {
            count(self.callee, State::Healthy, -1.0);
            count(self.callee, State::Failing, 1.0);
        }
        self.wanted.notify_one();
    }

    /// Done when it is known that nobody is there any more.
    pub(super) async fn lost(&self) {
        // The sender is ours, so it stays.
        let _ = self.state.subscribe().wait_for(|state| *state == State::Lost).await;
    }

    fn set(&self, state: State) {
        let before = self.state.send_replace(state);
        if before == state {
            return;
        }
        count(self.callee, before, -1.0);
        count(self.callee, state, 1.0);
        match state {
            State::Healthy => tracing::info!(replica = self.target.name, "a replica serves"),
            State::Draining => tracing::info!(replica = self.target.name, "a replica says that it does not serve"),
            _ => tracing::warn!(replica = self.target.name, "a replica does not answer"),
        }
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        count(self.callee, *self.state.borrow(), -1.0);
    }
}

fn count(callee: Callee, state: State, change: f64) {
    metrics::gauge!(callee.gauge(), "state" => state.label()).increment(change);
}

/// Asks for ever.
async fn check(replica: Arc<Replica>, any_healthy: CancellationToken) {
    let mut client = HealthClient::new(replica.channel.clone());
    loop {
        let request = HealthCheckRequest { service: replica.callee.service().to_owned() };
        let state = match tokio::time::timeout(CHECK_TIMEOUT, client.check(request)).await {
            Ok(Ok(answer)) if answer.get_ref().status == ServingStatus::Serving as i32 => State::Healthy,
            Ok(Ok(_)) => State::Draining,
            Ok(Err(error)) => {
                tracing::debug!(replica = replica.target.name, error = &error as &dyn std::error::Error, "no word of its health");
                State::Lost
            }
            Err(_) => State::Lost,
        };
        replica.set(state);
        if state == State::Healthy {
            any_healthy.cancel();
        }
        let sooner = async {
            tokio::time::sleep(CHECK_PAUSE).await;
            replica.wanted.notified().await;
        };
        // Either way it is time to ask again.
        let _ = tokio::time::timeout(CHECK_INTERVAL, sooner).await;
    }
}

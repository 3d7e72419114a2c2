//! What the operator tells its clients of the directories that it keeps, as the contract's service `Fleet`: a snapshot of what it knows,
//! taken anew when something has changed, from which all calls are answered. How things are, others say; only the lag is
//! asked for, of the agents.

mod changes;
mod page;
mod resources;
mod service;
mod snapshot;
#[cfg(test)]
mod tests;
mod topology;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aviary_proto::directory::v1::{AgreementLag, fleet_server::FleetServer};
use futures::{FutureExt, future::BoxFuture};
use kube::runtime::reflector::ObjectRef;
use runtime::{grpc_port::Port, tls};
use tokio::{net::TcpListener, sync::watch, time::sleep};

use crate::{crd::DS389Instance, instance::Context, watches::Scope};
use service::Service;
use snapshot::Snapshot;

/// How long changes are gathered that come one after the other.
const GATHERED: Duration = Duration::from_millis(250);
/// Longest question: a namespace and where a page begins.
const MAX_QUESTION_BYTES: usize = 16 * 1024;
/// Those who watch hear of the end within this time.
const LAST_WORDS: Duration = Duration::from_secs(2);
const PORT: Port = Port { max_streams: 1024, last_words: Some(LAST_WORDS), descriptors: &[aviary_proto::FLEET_DESCRIPTORS] };

/// Asks the agent of an instance by how much those to whom it sends are behind.
pub(crate) type Ask =
    Arc<dyn Fn(ObjectRef<DS389Instance>) -> BoxFuture<'static, Result<Vec<AgreementLag>, String>> + Send + Sync>;

/// What is seen of all namespaces.
#[derive(Clone)]
struct Seen {
    snapshot: Snapshot,
    /// Who asks agents of which namespaces.
    asks: Vec<(Scope, Ask)>,
}

/// What is told; `None` while this operator does not work, or has not seen everything yet.
type Told = Option<Arc<Seen>>;

/// The fleet.
pub(crate) struct Fleet {
    /// What was seen of each namespace that is kept, or of all at once.
    parts: Mutex<Vec<Part>>,
    told: watch::Sender<Told>,
    serves: watch::Sender<bool>,
}

struct Part {
    scope: Scope,
    seen: Option<(Snapshot, Ask)>,
}

impl Fleet {
    /// That of an operator that does not work.
    pub(crate) fn new() -> Self {
        Self { parts: Mutex::default(), told: watch::Sender::new(None), serves: watch::Sender::new(false) }
    }

    /// The operator begins to work, and is going to tell of these.
    pub(crate) fn begin(&self, scopes: &[Scope]) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        for scope in scopes {
            // One that was named twice is told of once.
            if !parts.iter().any(|part| part.scope == *scope) {
                parts.push(Part { scope: scope.clone(), seen: None });
            }
        }
    }

    /// The operator works no longer.
    pub(crate) fn end(&self) {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.serves.send_replace(false);
        self.told.send_replace(None);
    }

    /// Tells of a namespace, or all, for as long as nobody ends it: whenever resources, or what follows from them, have changed.
    pub(crate) async fn follow(&self, scope: Scope, context: Arc<Context>, mut resources: watch::Receiver<()>) {
        let asked = Arc::clone(&context);
        let ask: Ask = Arc::new(move |key| {
            let context = Arc::clone(&asked);
            let lag = async move { context.agents.lag(&key).await };
            lag.map(|answer| answer.map(|lag| lag.agreements).map_err(|error| error.to_string())).boxed()
        });
        let mut topologies = context.topologies.told();
        let mut before = Snapshot::new();
        loop {
            sleep(GATHERED).await;
            resources.mark_unchanged();
            let now = {
                let topologies = topologies.borrow_and_update();
                snapshot::take(
                    &context.known,
                    |key| Some(context.agents.known(key).status()?.replicas.clone()),
                    &topologies,
                    &before,
                )
            };
            self.tell(&scope, now.clone(), Arc::clone(&ask));
            before = now;
            // Both last as long as the context, which is ours.
            tokio::select! {
                _ = resources.changed() => {}
                _ = topologies.changed() => {}
            }
        }
    }

    fn tell(&self, scope: &Scope, snapshot: Snapshot, ask: Ask) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(part) = parts.iter_mut().find(|part| part.scope == *scope) else { return };
        part.seen = Some((snapshot, ask));
        let Some(seen) = whole(&parts) else { return };
        self.told.send_if_modified(|told| {
            let is_new = told.as_ref().is_none_or(|told| told.snapshot != seen.snapshot);
            if is_new {
                *told = Some(Arc::new(seen));
            }
            is_new
        });
        self.serves.send_if_modified(|serves| !std::mem::replace(serves, true));
    }

    /// Answers calls until `over` is done.
    pub(crate) fn serve<F>(&self, listener: TcpListener, tls: Option<tls::Server>, over: F) -> impl Future<Output = ()> + use<F>
    where
        F: Future<Output = ()> + Send,
    {
        let service = FleetServer::new(Service::new(self.told.subscribe())).max_decoding_message_size(MAX_QUESTION_BYTES);
        PORT.serve(listener, tls, service, self.serves.subscribe(), over)
    }
}

/// All parts together, once each of them is there.
fn whole(parts: &[Part]) -> Option<Seen> {
    let mut whole = Seen { snapshot: Snapshot::new(), asks: Vec::new() };
    for part in parts {
        let (snapshot, ask) = part.seen.as_ref()?;
        whole.snapshot.extend(snapshot.iter().map(|(key, object)| (key.clone(), Arc::clone(object))));
        whole.asks.push((part.scope.clone(), Arc::clone(ask)));
    }
    Some(whole)
}

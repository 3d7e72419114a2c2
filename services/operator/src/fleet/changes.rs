//! What is otherwise than was told before: the difference of two snapshots, and a stream of it for one who watches. Nothing waits
//! for a slow reader but what it was about to be told; what has changed meanwhile is compared when it has read that.

use std::{collections::VecDeque, sync::Arc};

use aviary_proto::directory::v1::{
    FleetChange,
    fleet_change::{About, Kind},
};
use futures::Stream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tonic::Status;

use super::{
    Seen, Told,
    service::idle,
    snapshot::{Key, Object, Snapshot},
};

/// A change that is not told yet.
type Change = (Kind, Arc<Object>);

/// What has changed in a namespace, or in all.
fn between(before: &Snapshot, after: &Snapshot, namespace: &str) -> VecDeque<Change> {
    let is_in = |(key, _): &(&Key, &Arc<Object>)| key.is_in(namespace);
    let gone = before.iter().filter(is_in).filter(|(key, _)| !after.contains_key(*key));
    let gone = gone.map(|(_, object)| (Kind::Gone, Arc::clone(object)));
    let there = after.iter().filter(is_in).filter_map(|(key, object)| match before.get(key) {
        None => Some((Kind::Added, Arc::clone(object))),
        Some(known) if known != object => Some((Kind::Changed, Arc::clone(object))),
        Some(_) => None,
    });
    gone.chain(there).collect()
}

fn message((kind, object): Change) -> FleetChange {
    let about = match Arc::unwrap_or_clone(object) {
        Object::Instance(instance) => About::Instance(Box::new(instance)),
        Object::Agreement(agreement) => About::Agreement(Box::new(agreement)),
        Object::Topology(topology) => About::Topology(topology),
    };
    FleetChange { kind: kind.into(), about: Some(about) }
}

/// One who watches.
struct Watch {
    told: watch::Receiver<Told>,
    namespace: String,
    /// What was seen when `pending` was compared with it.
    seen: Arc<Seen>,
    pending: VecDeque<Change>,
    /// Whether all that there was at the beginning has been told.
    is_complete: bool,
    _permit: OwnedSemaphorePermit,
}

/// All that was `seen` at first, and then what changes, until the operator works no longer.
pub(super) fn stream(
    told: watch::Receiver<Told>,
    seen: Arc<Seen>,
    namespace: String,
    permit: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<FleetChange, Status>> {
    let pending = between(&Snapshot::new(), &seen.snapshot, &namespace);
    let watch = Watch { told, namespace, seen, pending, is_complete: false, _permit: permit };
    futures::stream::unfold(Some(watch), async |watch| {
        let mut watch = watch?;
        match watch.next().await {
            Ok(change) => Some((Ok(change), Some(watch))),
            Err(status) => Some((Err(status), None)),
        }
    })
}

impl Watch {
    async fn next(&mut self) -> Result<FleetChange, Status> {
        loop {
            if let Some(change) = self.pending.pop_front() {
                return Ok(message(change));
            }
            if !std::mem::replace(&mut self.is_complete, true) {
                return Ok(FleetChange { kind: Kind::Complete.into(), about: None });
            }
            self.told.changed().await.map_err(|_| idle())?;
            let now = self.told.borrow_and_update().clone().ok_or_else(idle)?;
            self.pending = between(&self.seen.snapshot, &now.snapshot, &self.namespace);
            self.seen = now;
        }
    }
}

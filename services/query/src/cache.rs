//! Reports of object stores, kept on the local disk: which content is known of each, when to ask the store again, and who
//! waits for what. A report is fetched once however many ask; what is known is asked for again behind the readers' backs;
//! what cannot be asked for is served as it was, and marked. How a download goes, and what the folder looks like, is said
//! below this file.

mod disk;
mod download;
mod flight;
mod slot;

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant, SystemTime},
};

use store::{Location, Named, Stores};
use tokio::sync::{Semaphore, watch};

pub use disk::Unusable;
pub(crate) use disk::{Disk, Entry};
use slot::{Flight, Slot, View};

use crate::{error::Error, opening::Workshop};

/// Locations of which something is remembered.
const MAX_SLOTS: usize = 10_000;
/// Reports that were asked for within this time are asked for again in time, so that their readers never wait for it.
const LIVELY: Duration = Duration::from_secs(300);
/// So many of them, the most recently used ones.
const MAX_LIVELY: usize = 256;
/// How long a reader of a report that was not asked for lately waits to hear whether it is still the same.
const PATIENCE: Duration = Duration::from_secs(1);
/// For how long gateways may use an answer that nobody vouches for.
const STALE_STEP: Duration = Duration::from_secs(1);
/// Requests to one store at a time.
const REQUESTS: usize = 64;
/// Downloads from one store at a time.
const DOWNLOADS: usize = 16;
/// Downloads of large objects from one store at a time: they must leave room for small ones.
const LARGE_DOWNLOADS: usize = 4;

/// How long what is known is good for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    /// After this the store is asked whether it still has it.
    pub(crate) revalidate: Duration,
    /// After this the store is asked again for what it did not have.
    pub(crate) negative: Duration,
    /// For so long what was seen of a file of this machine is good.
    pub(crate) in_place: Duration,
}

/// A report that is there, and how sure that is.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) entry: Arc<Entry>,
    /// Until then it counts as current.
    pub(crate) fresh_until: SystemTime,
    /// The store could not be asked for so long.
    pub(crate) stale: Option<Duration>,
}

/// The cache.
#[derive(Clone)]
pub(crate) struct Cache(Arc<Inner>);

struct Inner {
    disk: Arc<Disk>,
    workshop: Workshop,
    times: Times,
    gates: HashMap<Option<String>, Gate>,
    slots: Mutex<HashMap<Location, Arc<Slot>>>,
}

/// What bounds the work that one store has with us.
struct Gate {
    requests: Semaphore,
    downloads: Semaphore,
    large: Semaphore,
}

impl Cache {
    /// Begins to keep reports of `stores` in `disk`. Has to be called inside the async runtime.
    pub(crate) fn new(stores: &Stores, disk: Arc<Disk>, workshop: Workshop, times: Times) -> Self {
        let gate = |named: &Named| {
            let gate = Gate {
                requests: Semaphore::new(REQUESTS),
                downloads: Semaphore::new(DOWNLOADS),
                large: Semaphore::new(LARGE_DOWNLOADS),
            };
            (named.name.clone(), gate)
        };
        let gates = stores.iter().map(gate).collect();
        let inner = Arc::new(Inner { disk, workshop, times, gates, slots: Mutex::default() });
        tokio::spawn(keep_fresh(Arc::downgrade(&inner)));
        let swept = Arc::downgrade(&inner);
        tokio::task::spawn_blocking(move || sweep(&swept));
        Self(inner)
    }

    /// The content that a report has now, fetched if need be. Waits for a download no longer than `wait`.
    pub(crate) async fn hold(
        &self,
        named: &Named,
        inside: &Location,
        location: &Location,
        wait: Duration,
    ) -> Result<Held, Error> {
        let inner = &self.0;
        let slot = inner.slot(named, inside, location);
        let started = Instant::now();
        slot.read_disk(&inner.disk).await;
        let mut answered = false;
        loop {
            let (view, flight) = {
                let mut state = slot.lock();
                state.used = Instant::now();
                let view = state.view(&inner.times, answered);
                let asks = matches!(view, View::Old(_) | View::Unknown);
                (view, asks.then(|| inner.fly(&slot, &mut state, false)))
            };
            let (left, known) = match (view, &flight) {
                (View::Sure(held) | View::Unsure(held), _) => return Ok(held.counted()),
                (View::Failed(error), _) => return Err(error),
                (View::Old(held), Some(flight)) if flight.ahead => (Duration::ZERO, Some(held)),
                // Of a store that hangs, the first reader finds out for all.
                (View::Old(held), flight) => {
                    let since = flight.as_ref().map_or(started, |flight| flight.since);
                    (PATIENCE.min(wait).saturating_sub(since.elapsed()), Some(held))
                }
                (View::Unknown, _) => (wait.saturating_sub(started.elapsed()), None),
            };
            let Some(mut flight) = flight else { continue };
            if left.is_zero() || tokio::time::timeout(left, flight.news.changed()).await.is_err() {
                let (received, total) = slot.progress.bytes();
                let again = SystemTime::now() + STALE_STEP.min(inner.times.revalidate);
                let known = known.map(|held| Held { fresh_until: again, ..held });
                return known.map(Held::counted).ok_or(Error::BeingFetched { received, total });
            }
            answered = true;
        }
    }

    /// Something is kept, from processes before.
    pub(crate) fn has_copies(&self) -> bool {
        !self.0.disk.is_empty()
    }

    /// Forgets where a report is kept: somebody has made room.
    pub(crate) fn forget(&self, location: &Location) {
        if let Some(slot) = self.0.slots().get(location) {
            slot.lock().known = None;
        }
    }

    /// Tells that a report is read.
    pub(crate) fn touch(&self, entry: &Entry) -> std::io::Result<()> {
        self.0.disk.touch(entry)
    }
}

impl Held {
    fn counted(self) -> Self {
        if self.stale.is_some() {
            metrics::counter!("aviary_query_stale_total").increment(1);
        }
        self
    }
}

impl Inner {
    fn slots(&self) -> MutexGuard<'_, HashMap<Location, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, named: &Named, inside: &Location, location: &Location) -> Arc<Slot> {
        let mut slots = self.slots();
        if let Some(slot) = slots.get(location) {
            return Arc::clone(slot);
        }
        if slots.len() >= MAX_SLOTS {
            let mut used: Vec<Instant> = slots.values().map(|slot| slot.lock().used).collect();
            used.sort_unstable();
            let tenth = used.get(MAX_SLOTS / 10).copied();
            slots.retain(|_, slot| Arc::strong_count(slot) > 1 || Some(slot.lock().used) > tenth);
        }
        let slot = Arc::new(Slot::new(named.clone(), inside.clone()));
        slots.insert(location.clone(), Arc::clone(&slot));
        slot
    }

    /// The flight that is on, or a new one.
    fn fly(self: &Arc<Self>, slot: &Arc<Slot>, state: &mut slot::State, ahead: bool) -> Flight {
        if let Some(flight) = &state.flight {
            return flight.clone();
        }
        let (sender, receiver) = watch::channel(0);
        tokio::spawn(flight::run(Arc::clone(self), Arc::clone(slot), sender));
        state.flight.insert(Flight { since: Instant::now(), ahead, news: receiver }).clone()
    }
}

/// Asks again for what is in use before anybody has to wait for it.
async fn keep_fresh(inner: Weak<Inner>) {
    loop {
        let Some(pause) = inner.upgrade().map(|inner| inner.times.revalidate / 8) else { return };
        tokio::time::sleep(pause.clamp(Duration::from_millis(20), Duration::from_secs(1))).await;
        let Some(inner) = inner.upgrade() else { return };
        let due = inner.times.revalidate / 4 * 3;
        let mut lively: Vec<(Instant, Arc<Slot>)> = inner
            .slots()
            .values()
            .map(|slot| (slot.lock().used, Arc::clone(slot)))
            .filter(|(used, _)| used.elapsed() < LIVELY)
            .collect();
        lively.sort_unstable_by_key(|(used, _)| std::cmp::Reverse(*used));
        for (_, slot) in lively.into_iter().take(MAX_LIVELY) {
            let mut state = slot.lock();
            if state.is_due(due) {
                inner.fly(&slot, &mut state, true);
            }
        }
    }
}

fn sweep(inner: &Weak<Inner>) {
    let Some(disk) = inner.upgrade().map(|inner| Arc::clone(&inner.disk)) else { return };
    let started = Instant::now();
    let swept = disk.sweep(|| inner.strong_count() > 0);
    if swept != disk::Swept::default() {
        let duration_ms = started.elapsed().as_millis() as u64;
        tracing::info!(
            sound = swept.sound,
            spoiled = swept.spoiled,
            left_over = swept.left_over,
            duration_ms,
            "looked through the cache"
        );
    }
    if disk.is_over() {
        disk.evict(0);
    }
}

/// Opens the folder of a cache.
pub(crate) fn open_disk(root: Option<&Path>, limit: u64) -> Result<Arc<Disk>, Unusable> {
    Disk::open(root, limit).map(Arc::new)
}

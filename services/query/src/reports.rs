//! The reports that are open: one for each location, the least recently used closed when there are too many. Files of this
//! machine are looked at each time, so that a replaced one is noticed with the next question; what the content of other
//! stores is, the cache says.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use store::{Location, Named, Store, Stores};

use crate::{
    cache::{self, Cache, Held, Times, Unusable},
    error::Error,
    opening::Workshop,
    report::Report,
};

/// The open reports of all stores.
pub(crate) struct Reports {
    stores: Stores,
    workshop: Workshop,
    cache: Cache,
    times: Times,
    max_open: usize,
    open: Mutex<Open>,
}

/// Where a report can be read from.
#[derive(Debug, Clone)]
pub(crate) enum Near {
    /// Its store is a folder of this machine.
    Place(Store, Location),
    /// The cache has it.
    Kept(Held),
}

/// How long an answer is good, and how sure it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vouched {
    /// Until then it counts as current.
    pub(crate) fresh_until: SystemTime,
    /// The store could not be asked for so long.
    pub(crate) stale: Option<Duration>,
}

#[derive(Default)]
struct Open {
    slots: HashMap<Location, Slot>,
    /// Counts uses, so that the oldest is known.
    clock: u64,
}

struct Slot {
    used: u64,
    /// Locked while it is being opened, so that a report is opened once however many ask for it.
    report: Arc<Mutex<Option<Arc<Report>>>>,
}

/// The cache's folder and its bounds.
pub(crate) struct Shelf<'a> {
    pub(crate) folder: Option<&'a Path>,
    pub(crate) bytes: u64,
    pub(crate) max_unpacked: u64,
}

impl Reports {
    /// Opens the folder for copies. Has to be called inside the async runtime.
    pub(crate) fn new(stores: Stores, shelf: &Shelf<'_>, times: Times, max_open: usize) -> Result<Self, Unusable> {
        let disk = cache::open_disk(shelf.folder, shelf.bytes)?;
        let workshop = Workshop { folder: disk.work().to_owned(), max_unpacked: shelf.max_unpacked };
        let cache = Cache::new(&stores, disk, workshop.clone(), times);
        Ok(Self { stores, workshop, cache, times, max_open, open: Mutex::default() })
    }

    /// Copies of reports are kept from before.
    pub(crate) fn has_copies(&self) -> bool {
        self.cache.has_copies()
    }

    /// The stores that the reports are in.
    pub(crate) fn stores(&self) -> &Stores {
        &self.stores
    }

    /// Brings a report near, waiting no longer than `wait` for its store.
    pub(crate) async fn near(&self, location: &Location, wait: Duration) -> Result<Near, Error> {
        let (Named { name, store }, inside) = self.stores.resolve(location)?;
        if store.folder().is_some() {
            return Ok(Near::Place(store.clone(), inside));
        }
        let named = Named { name: name.clone(), store: store.clone() };
        Ok(Near::Kept(self.cache.hold(&named, &inside, location, wait).await?))
    }

    /// How long what is near is good.
    pub(crate) fn vouch(&self, near: &Near) -> Vouched {
        match near {
            Near::Place(..) => Vouched { fresh_until: SystemTime::now() + self.times.in_place, stale: None },
            Near::Kept(held) => Vouched { fresh_until: held.fresh_until, stale: held.stale },
        }
    }

    /// The report that is near, open.
    pub(crate) fn open(&self, location: &Location, near: &Near) -> Result<Arc<Report>, Error> {
        match near {
            Near::Place(store, inside) => {
                let found = store.folder().ok_or(Error::ReportNotFound)?.locate(inside)?;
                self.opened(location, |report| report.serves(&found), || self.workshop.open(found.clone()))
            }
            Near::Kept(held) => {
                let kept = || Report::kept(Arc::clone(&held.entry));
                // Its file may have made room for others since: then it has to be fetched again.
                let gone = |_| {
                    self.cache.forget(location);
                    Error::BeingWritten
                };
                self.cache.touch(&held.entry).map_err(gone)?;
                self.opened(location, |report| report.is_of(&held.entry), kept)
            }
        }
    }

    fn opened(
        &self,
        location: &Location,
        serves: impl Fn(&Report) -> bool,
        open: impl Fn() -> Result<Report, Error>,
    ) -> Result<Arc<Report>, Error> {
        let slot = self.slot(location);
        let mut report = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = report.as_ref().filter(|open| serves(open)) {
            return Ok(Arc::clone(open));
        }
        // The one before is of no use any more, whatever becomes of the next.
        *report = None;
        let opened = Arc::new(open()?);
        metrics::counter!("aviary_query_reports_opened_total").increment(1);
        *report = Some(Arc::clone(&opened));
        Ok(opened)
    }

    fn slot(&self, location: &Location) -> Arc<Mutex<Option<Arc<Report>>>> {
        let mut open = self.lock();
        open.clock += 1;
        let used = open.clock;
        if let Some(slot) = open.slots.get_mut(location) {
            slot.used = used;
            return Arc::clone(&slot.report);
        }
        if open.slots.len() >= self.max_open {
            let oldest = open.slots.iter().min_by_key(|(_, slot)| slot.used).map(|(location, _)| location.clone());
            if let Some(oldest) = oldest {
                open.slots.remove(&oldest);
            }
        }
        let report = Arc::<Mutex<Option<Arc<Report>>>>::default();
        open.slots.insert(location.clone(), Slot { used, report: Arc::clone(&report) });
        report
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

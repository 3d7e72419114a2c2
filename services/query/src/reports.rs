//! The reports that are open: one for each location, the least recently used closed when there are too many. It asks the
//! store each time, so that a replaced file is noticed with the next question.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use store::{Location, Store};

use crate::{error::Error, opening::Workshop, report::Report};

/// The open reports of one store.
pub(crate) struct Reports {
    store: Store,
    workshop: Workshop,
    max_open: usize,
    open: Mutex<Open>,
    /// Copies lie here; removed when the service ends.
    _folder: tempfile::TempDir,
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

impl Reports {
    /// Makes the folder for copies below `scratch`.
    pub(crate) fn new(store: Store, scratch: Option<PathBuf>, max_open: usize, max_unpacked: u64) -> std::io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("aviary-");
        let folder = match scratch {
            Some(path) => {
                std::fs::create_dir_all(&path)?;
                builder.tempdir_in(path)?
            }
            None => builder.tempdir()?,
        };
        let workshop = Workshop { folder: folder.path().to_owned(), max_unpacked };
        Ok(Self { store, workshop, max_open, open: Mutex::default(), _folder: folder })
    }

    /// The store that the reports are in.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// The report at a location, as it is in the store now.
    pub(crate) fn current(&self, location: &Location) -> Result<Arc<Report>, Error> {
        let found = self.store.locate(location)?;
        let slot = self.slot(location);
        let mut report = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = report.as_ref().filter(|open| open.serves(&found)) {
            return Ok(Arc::clone(open));
        }
        // The one before is of no use any more, whatever becomes of the next.
        *report = None;
        let opened = Arc::new(self.workshop.open(found)?);
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

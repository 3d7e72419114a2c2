//! What is remembered of one location: the content that is kept, what went wrong last, and whether anybody is asking the
//! store just now. Nothing here waits for a store.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use store::{Location, Named};
use tokio::sync::watch;

use super::{
    Held, STALE_STEP, Times,
    disk::{Disk, Entry, Key},
    download::Progress,
};
use crate::error::Error;

/// One location.
pub(super) struct Slot {
    pub(super) named: Named,
    /// The location inside of its store.
    pub(super) inside: Location,
    pub(super) key: Key,
    pub(super) progress: Progress,
    state: Mutex<State>,
}

/// What is known of it.
pub(super) struct State {
    pub(super) known: Option<Known>,
    /// What went wrong, and until when that is the answer.
    pub(super) failure: Option<(Error, Instant)>,
    /// Somebody asks the store.
    pub(super) flight: Option<Flight>,
    pub(super) used: Instant,
    /// What processes before us kept has been looked at.
    disk_was_read: bool,
}

/// A request to the store that is on.
#[derive(Clone)]
pub(super) struct Flight {
    pub(super) since: Instant,
    /// Begun ahead of time, while what is kept was good: nobody has to wait for it.
    pub(super) ahead: bool,
    /// Counts what has become known meanwhile.
    pub(super) news: watch::Receiver<u32>,
}

/// A content that is kept.
pub(super) struct Known {
    pub(super) entry: Arc<Entry>,
    /// When the store said so last.
    pub(super) checked: SystemTime,
    /// The store did not answer; it is not asked again before this.
    pub(super) ask_again: Option<Instant>,
}

/// What a reader gets to see.
pub(super) enum View {
    /// It is this.
    Sure(Held),
    /// It was this, and the store does not answer.
    Unsure(Held),
    /// It was this when the store was asked last, which is too long ago.
    Old(Held),
    Failed(Error),
    Unknown,
}

impl Slot {
    pub(super) fn new(named: Named, inside: Location) -> Self {
        let key = Key::new(&named.store.identity(), &inside);
        let state = State { known: None, failure: None, flight: None, used: Instant::now(), disk_was_read: false };
        Self { named, inside, key, progress: Progress::default(), state: Mutex::new(state) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what a process before us, or beside us, kept.
    pub(super) async fn read_disk(&self, disk: &Arc<Disk>) {
        if self.lock().disk_was_read {
            return;
        }
        let (disk, key) = (Arc::clone(disk), self.key.clone());
        let kept = tokio::task::spawn_blocking(move || disk.read(&key)).await.ok().flatten();
        let mut state = self.lock();
        if !std::mem::replace(&mut state.disk_was_read, true)
            && let Some((entry, checked)) = kept
            && state.known.is_none()
        {
            state.known = Some(Known { entry: Arc::new(entry), checked, ask_again: None });
        }
    }

    /// Store and location, for people.
    pub(super) fn origin(&self) -> String {
        format!("{} {}", self.named.store.name(), self.inside)
    }
}

impl State {
    /// What a reader sees, for whom the store may just have `answered`: that is current however short times are.
    pub(super) fn view(&self, times: &Times, answered: bool) -> View {
        if let Some((error, until)) = &self.failure
            && (answered || Instant::now() < *until)
        {
            return View::Failed(error.clone());
        }
        let Some(known) = &self.known else { return View::Unknown };
        let held = |fresh_until, stale| Held { entry: Arc::clone(&known.entry), fresh_until, stale };
        let age = known.age();
        if age < times.revalidate || (answered && known.ask_again.is_none()) {
            return View::Sure(held(known.checked + times.revalidate, None));
        }
        let held = held(SystemTime::now() + STALE_STEP.min(times.revalidate), Some(age));
        match known.ask_again {
            Some(moment) if Instant::now() < moment => View::Unsure(held),
            _ => View::Old(held),
        }
    }

    /// It is time to ask the store.
    pub(super) fn is_due(&self, after: Duration) -> bool {
        let is_refused = self.failure.as_ref().is_some_and(|(_, until)| Instant::now() < *until);
        !is_refused
            && self.flight.is_none()
            && self
                .known
                .as_ref()
                .is_some_and(|known| known.age() >= after && known.ask_again.is_none_or(|moment| moment <= Instant::now()))
    }
}

impl Known {
    /// Time since the store was asked; a clock that was turned back counts as long.
    fn age(&self) -> Duration {
        SystemTime::now().duration_since(self.checked).unwrap_or(Duration::MAX)
    }
}

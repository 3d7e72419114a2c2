//! Whether a service wants traffic, and if not why; whoever knows sets it, and the admin port reads it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const STARTING: &str = "starting";
const STOPPING: &str = "stopping";

/// A handle to the readiness of one service; clones share it. A new one is not ready, because the service is starting.
#[derive(Clone, Debug)]
pub struct Readiness {
    /// Why the service is not ready; ready is to have no reason. Held only to read or to change the set.
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    reasons: BTreeSet<&'static str>,
    stopping: bool,
}

impl Readiness {
    /// A service that is starting.
    pub fn new() -> Self {
        Self { state: Arc::new(Mutex::new(State { reasons: BTreeSet::from([STARTING]), stopping: false })) }
    }

    /// The service is ready: no reason against it is left.
    pub fn set_ready(&self) {
        self.lock().reasons.clear();
    }

    /// The service is not ready, for this reason and those given before.
    pub fn set_not_ready(&self, reason: &'static str) {
        self.lock().reasons.insert(reason);
    }

    /// This reason is no longer one; the service is ready if it was the last.
    pub fn resolve(&self, reason: &'static str) {
        self.lock().reasons.remove(reason);
    }

    /// The service takes no more work, and nothing makes it ready again.
    pub fn set_stopping(&self) {
        self.lock().stopping = true;
    }

    /// Whether the service wants traffic.
    pub fn is_ready(&self) -> bool {
        self.reasons().is_empty()
    }

    /// Why the service is not ready, in alphabetical order; empty if it is ready.
    pub fn reasons(&self) -> Vec<&'static str> {
        let state = self.lock();
        let stopping = state.stopping.then_some(STOPPING);
        state.reasons.iter().copied().chain(stopping).collect()
    }

    /// Every change is one step, so what a panicking holder leaves behind is whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Readiness {
    fn default() -> Self {
        Self::new()
    }
}

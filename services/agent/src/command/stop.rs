//! Signals while the servers are changed: the first has the work stop between two actions, the second ends the program.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Error, KILLED, console::Console};

/// Whether somebody wants the work to stop.
#[derive(Debug, Clone)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Listens from now on. Whoever sends the first signal is told what will happen.
    pub(crate) fn listen(console: &Console, told: &'static str) -> Result<Self, Error> {
        let stop = Self(Arc::default());
        let interrupt = signal(SignalKind::interrupt()).map_err(Error::Runtime)?;
        let terminate = signal(SignalKind::terminate()).map_err(Error::Runtime)?;
        tokio::spawn(hear(interrupt, terminate, stop.clone(), console.clone(), told));
        Ok(stop)
    }

    /// Whether it is wanted.
    pub(crate) fn is_wanted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

async fn hear(mut interrupt: Signal, mut terminate: Signal, stop: Stop, console: Console, told: &'static str) {
    next(&mut interrupt, &mut terminate).await;
    stop.0.store(true, Ordering::Relaxed);
    console.note(told);
    next(&mut interrupt, &mut terminate).await;
    std::process::exit(KILLED.into());
}

async fn next(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

//! The end of a process: from a signal to a token, and from the token to the end of the work, within a deadline.
//!
//! What the work is, and in which order a service stops its parts, is left to the service.

use std::future::Future;
use std::num::ParseIntError;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What a shell reports of a program that was interrupted.
const INTERRUPTED: i32 = 130;

/// How a process ends.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Process")]
pub struct ShutdownArgs {
    /// How many seconds work that has begun may go on after SIGTERM or SIGINT
    #[arg(
        long,
        env = "AVIARY_DRAIN_TIMEOUT",
        value_name = "SECONDS",
        default_value = "30",
        value_parser = seconds
    )]
    pub drain_timeout: Duration,
}

/// The work did not end in time.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The deadline passed while work was still going on; that work was dropped.
    #[error("failed to finish the work that had begun within {} s", .0.as_secs_f64())]
    DeadlinePassed(Duration),
}

/// A token that SIGTERM or SIGINT cancels; the signal after that ends the process at once, with code 130.
///
/// To be called inside the async runtime. A signal that cannot be listened for is logged and keeps its usual effect,
/// which is to end the process.
pub fn on_signal() -> CancellationToken {
    let token = CancellationToken::new();
    let mut signals = Signals::listen();
    tokio::spawn({
        let token = token.clone();
        async move {
            let name = signals.next().await;
            tracing::info!(signal = name, "shutting down");
            token.cancel();
            let name = signals.next().await;
            tracing::warn!(signal = name, "ending at once");
            std::process::exit(INTERRUPTED);
        }
    });
    token
}

/// Runs `work` to its end. Once `shutdown` is cancelled, which `work` is expected to notice too, it has `timeout` left;
/// then it is dropped.
pub async fn drain<F: Future>(work: F, shutdown: &CancellationToken, timeout: Duration) -> Result<F::Output, Error> {
    let deadline = async {
        shutdown.cancelled().await;
        tokio::time::sleep(timeout).await;
    };
    tokio::select! {
        biased;
        output = work => Ok(output),
        () = deadline => Err(Error::DeadlinePassed(timeout)),
    }
}

struct Signals {
    terminate: Option<Signal>,
    interrupt: Option<Signal>,
}

impl Signals {
    fn listen() -> Self {
        Self { terminate: listen("SIGTERM", SignalKind::terminate()), interrupt: listen("SIGINT", SignalKind::interrupt()) }
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            () = received(&mut self.terminate) => "SIGTERM",
            () = received(&mut self.interrupt) => "SIGINT",
        }
    }
}

fn listen(name: &'static str, kind: SignalKind) -> Option<Signal> {
    signal(kind).inspect_err(|error| tracing::error!(%error, signal = name, "failed to listen for a signal")).ok()
}

async fn received(signal: &mut Option<Signal>) {
    let arrived = match signal {
        Some(signal) => signal.recv().await,
        None => None,
    };
    if arrived.is_none() {
        std::future::pending::<()>().await;
    }
}

fn seconds(text: &str) -> Result<Duration, ParseIntError> {
    text.parse().map(Duration::from_secs)
}

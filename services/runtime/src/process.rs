//! The frame of a process: telemetry and the admin port around its work, from the start to the end of the drain. What the
//! work is, and when it is ready, the service says.

use std::{future::Future, io::Write, time::Duration};

use tokio::{net::TcpListener, runtime::Builder, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    admin::{self, AdminArgs, AdminState, Readiness},
    shutdown::{self, ShutdownArgs},
    telemetry::{self, Telemetry, TelemetryArgs},
};

/// How long reading from a slow disk may keep a process that has nothing else to do.
const LAST_READS: Duration = Duration::from_secs(1);

/// What every process can be told.
#[derive(Clone, Debug, clap::Args)]
pub struct ProcessArgs {
    /// Logs and traces.
    #[command(flatten)]
    pub telemetry: TelemetryArgs,
    /// The admin port.
    #[command(flatten)]
    pub admin: AdminArgs,
    /// The end.
    #[command(flatten)]
    pub shutdown: ShutdownArgs,
}

/// A step in the life of a process that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no async runtime.
    #[error("failed to start the runtime")]
    Runtime(#[source] std::io::Error),
    /// Logs, traces or metrics.
    #[error(transparent)]
    Telemetry(#[from] telemetry::Error),
    /// The admin port.
    #[error("choose another --admin-listen, or off")]
    Admin(#[source] admin::Error),
    /// The port of the service itself.
    #[error("failed to listen on {address}: is something else there? choose another --listen")]
    Listen {
        /// As given.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Work was dropped at the end.
    #[error("some requests were cut off")]
    CutOff(#[source] shutdown::Error),
}

/// A process that has started and waits for its work.
#[derive(Debug)]
#[must_use = "the process ends in order by `work`"]
pub struct Process {
    telemetry: Telemetry,
    readiness: Readiness,
    /// Cancelled by the first signal.
    signal: CancellationToken,
    /// Ends the admin port, after everything else.
    end: CancellationToken,
    admin: Option<JoinHandle<()>>,
    drain_timeout: Duration,
}

/// Runs what a process does, on an async runtime of its own.
///
/// # Errors
/// When the runtime does not start, or whatever `main` returns.
pub fn run<E: From<Error>>(main: impl Future<Output = Result<(), E>>) -> Result<(), E> {
    run_on(Builder::new_multi_thread(), main)
}

/// The same on one thread, for a process that has much to keep and little to do at a time: memory that several threads take is not
/// given back as easily.
///
/// # Errors
/// As [`run`].
pub fn run_on_one_thread<E: From<Error>>(main: impl Future<Output = Result<(), E>>) -> Result<(), E> {
    run_on(Builder::new_current_thread(), main)
}

fn run_on<E: From<Error>>(mut runtime: Builder, main: impl Future<Output = Result<(), E>>) -> Result<(), E> {
    let runtime = runtime.enable_all().build().map_err(Error::Runtime)?;
    let result = runtime.block_on(main);
    runtime.shutdown_timeout(LAST_READS);
    result
}

/// Binds the address of `--listen`.
///
/// # Errors
/// When it is no address, or cannot be had.
pub async fn listen(address: &str) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|source| Error::Listen { address: address.to_owned(), source })
}

/// Says one line to whoever started the process, on standard output.
///
/// # Errors
/// When nobody reads there any more.
pub fn announce(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

impl Process {
    /// Sets up telemetry, the admin port and signals; the process is not ready yet.
    ///
    /// `service_name` is what spans are attributed to.
    ///
    /// # Errors
    /// When logs, traces or the admin port cannot be had as they were asked for.
    pub async fn start(args: &ProcessArgs, service_name: &'static str) -> Result<Self, Error> {
        let telemetry = telemetry::init(&args.telemetry, service_name)?;
        let listener = args.admin.bind().await.map_err(Error::Admin)?;
        let (readiness, end) = (Readiness::new(), CancellationToken::new());
        let admin = listener.map(|listener| {
            let state = AdminState { readiness: readiness.clone(), metrics: telemetry.metrics() };
            tokio::spawn(admin::serve(listener, state, end.clone()))
        });
        let signal = shutdown::on_signal();
        Ok(Self { telemetry, readiness, signal, end, admin, drain_timeout: args.shutdown.drain_timeout })
    }

    /// Whether the process wants traffic, for its work to say.
    pub fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// Done when the process is to end; from then on it is not ready.
    pub fn stopping(&self) -> impl Future<Output = ()> + Send + 'static {
        let (signal, readiness) = (self.signal.clone(), self.readiness.clone());
        async move {
            signal.cancelled().await;
            readiness.set_stopping();
        }
    }

    /// The same for those who hand it on: cancelled when the process is to end. To be called inside the async runtime.
    pub fn stopping_token(&self) -> CancellationToken {
        let (stopping, token) = (self.stopping(), CancellationToken::new());
        let stopped = token.clone();
        tokio::spawn(async move {
            stopping.await;
            stopped.cancel();
        });
        token
    }

    /// Runs the work, which is expected to end once [`Process::stopping`] is done, and then ends all the rest.
    ///
    /// # Errors
    /// When work had to be dropped because it did not end within the drain timeout.
    pub async fn work(self, work: impl Future<Output = ()>) -> Result<(), Error> {
        let Self { telemetry, readiness: _, signal, end, admin, drain_timeout } = self;
        let drained = shutdown::drain(work, &signal, drain_timeout).await;
        end.cancel();
        if let Some(admin) = admin {
            let _ = admin.await;
        }
        telemetry.shutdown().await;
        drained.map_err(Error::CutOff)
    }
}

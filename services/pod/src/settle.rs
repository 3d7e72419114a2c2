//! Finds out what the instance should be, makes it so, once, and starts its server; and stops that. Where nothing is known that
//! it should be, the server is started as it is.

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use agent::{
    host::{self, Event, Host},
    process::Process,
};
use directory::{
    dn::Dn,
    observed::{self, Initialised},
    place::Problems,
};

use crate::{
    logs::{From, Logs},
    status::Board,
    volume::{self, Volume},
    wanted::{self, Wanted},
};

/// Why the instance is not what it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The file says nothing that can be done.
    #[error(transparent)]
    Wanted(#[from] wanted::Error),
    /// The revision could not be taken.
    #[error(transparent)]
    Volume(#[from] volume::Error),
    /// No action can make the instance so.
    #[error("failed to plan: {0}")]
    Plan(Problems),
    /// The server could not be observed or changed.
    #[error(transparent)]
    Host(#[from] host::Error),
}

/// What came of settling.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// What was in the file.
    pub(crate) seen: Option<Vec<u8>>,
    /// What the instance should be, if that is known.
    pub(crate) wanted: Option<Arc<Wanted>>,
    /// The instance's server, if there is an instance.
    pub(crate) server: Option<Server>,
    /// Why the instance is not what it should be.
    pub(crate) error: Option<Error>,
}

/// A server.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    /// Its process.
    pub(crate) process: Process,
    /// What it serves.
    pub(crate) suffixes: Vec<Dn>,
    /// Of that, what has a part in replication.
    pub(crate) replicated: Vec<observed::Backend>,
    /// Requests to initialise consumers that were met.
    pub(crate) initialised: Vec<Initialised>,
}

/// What is needed for it.
pub(crate) struct Settle {
    pub(crate) file: PathBuf,
    /// Whether there need be no file, because documents come by gRPC too.
    pub(crate) may_lack_file: bool,
    /// What came by gRPC. A file, which is slower, counts only if it is later than that.
    pub(crate) given: Option<Arc<Wanted>>,
    /// What was wanted before. A file that cannot be understood does not keep the server from being started again.
    pub(crate) last: Option<Arc<Wanted>>,
    pub(crate) volume: Arc<Volume>,
    pub(crate) logs: Arc<Logs>,
    pub(crate) board: Board,
    /// Set when nothing further is to be begun.
    pub(crate) interrupt: Arc<AtomicBool>,
}

impl Settle {
    /// Does it.
    pub(crate) async fn run(self) -> Outcome {
        let mut outcome = Outcome::default();
        let chosen = self.choose(&mut outcome.seen).await;
        let (wanted, error) = match chosen {
            Ok(wanted) => (wanted, None),
            Err(error) => (None, Some(error)),
        };
        outcome.error = error;
        outcome.wanted = wanted.or_else(|| self.given.clone()).or_else(|| self.last.clone());
        let done = match &outcome.wanted {
            Some(wanted) => self.carry_out(wanted).await,
            None => {
                let prefix = outcome.seen.as_deref().and_then(wanted::prefix);
                self.leave(prefix).await
            }
        };
        match done {
            Ok(server) => outcome.server = server,
            Err(error) => {
                outcome.server = self.found(outcome.wanted.as_deref(), &error).await;
                outcome.error = outcome.error.or(Some(error));
            }
        }
        outcome
    }

    /// What the file says, if it counts.
    async fn choose(&self, seen: &mut Option<Vec<u8>>) -> Result<Option<Arc<Wanted>>, Error> {
        let read = match wanted::bytes(&self.file).await {
            Ok(bytes) => {
                let read = wanted::read(&self.file.display().to_string(), &bytes);
                *seen = Some(bytes);
                read
            }
            Err(wanted::Error::Read { source, .. }) if self.may_lack_file && source.kind() == io::ErrorKind::NotFound => {
                // One that comes is a change.
                *seen = Some(Vec::new());
                return Ok(None);
            }
            Err(error) => Err(error),
        };
        let wanted = match (read, &self.given) {
            (Ok(wanted), Some(given)) if wanted.revision <= given.revision => return Ok(None),
            (Ok(wanted), _) => wanted,
            (Err(error), Some(_)) => {
                tracing::debug!("{error}");
                return Ok(None);
            }
            (Err(error), None) => return Err(error.into()),
        };
        let Some(revision) = wanted.revision else { return Ok(Some(Arc::new(wanted))) };
        match volume::take(&self.volume, revision).await {
            Ok(()) => Ok(Some(Arc::new(wanted))),
            Err(error @ volume::Error::Older { .. }) => {
                tracing::info!("{}: {error}", self.file.display());
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn carry_out(&self, wanted: &Arc<Wanted>) -> Result<Option<Server>, Error> {
        if self.last.as_ref() == Some(wanted) {
            self.board.retry()
        } else {
            self.board.begin(Some(wanted))
        }
        let host = self.locate(wanted.specification.prefix.clone()).await?;
        let name = &wanted.instance.name;
        if let Ok(process) = host.process(name).await {
            self.follow(&process, From::End);
        }
        let actions = host.plan(&wanted.specification).await?.map_err(Error::Plan)?;
        host.foresee(&actions).await?;
        if wanted.check {
            self.board.plan(&actions);
            return as_it_is(&host, Some(wanted)).await;
        }
        let is_enough = || self.interrupt.load(Ordering::Relaxed);
        let mut done = 0;
        let mut hear = |event: Event<'_>| {
            match event {
                Event::Begins(action) => tracing::info!("{}", action.messages().join(", ")),
                Event::Says(_, text) => tracing::info!("{text}"),
                Event::Done(_) => done += 1,
            }
            self.board.hear(event, done, actions.len());
        };
        let carried_out = host.carry_out_plan(&wanted.specification, &actions, &is_enough, &mut hear).await;
        // Also of one that did not start: its log says why.
        let process = host.process(name).await;
        if let Ok(process) = &process {
            self.follow(process, From::Beginning);
        }
        carried_out?;
        let server = as_it_is(&host, Some(wanted)).await?;
        Ok(server.map(|server| Server { suffixes: wanted.suffixes(), ..server }))
    }

    /// Starts the one server of the host as it is.
    async fn leave(&self, prefix: Option<String>) -> Result<Option<Server>, Error> {
        let host = self.locate(prefix).await?;
        let Some(server) = as_it_is(&host, None).await? else { return Ok(None) };
        self.start(&host, &server).await?;
        Ok(Some(server))
    }

    /// The server as it is when something went wrong. If no action at all can make it what it should be, it is at least started.
    async fn found(&self, wanted: Option<&Wanted>, error: &Error) -> Option<Server> {
        let wanted = wanted?;
        let found = async {
            let host = Host::locate(wanted.specification.prefix.clone()).await?;
            let server = as_it_is(&host, Some(wanted)).await?;
            let starts = matches!(error, Error::Plan(_)) && !wanted.check && wanted.instance.started != Some(false);
            if let Some(server) = server.as_ref().filter(|_| starts) {
                self.start(&host, server).await?;
            }
            Ok::<_, Error>(server)
        };
        found.await.unwrap_or_else(|error| {
            tracing::error!("{error}");
            None
        })
    }

    async fn start(&self, host: &Host, server: &Server) -> Result<(), Error> {
        self.follow(&server.process, From::End);
        Ok(host.start_unchanged(&server.process.instance).await?)
    }

    async fn locate(&self, prefix: Option<String>) -> Result<Host, Error> {
        let host = Host::locate(prefix).await?;
        self.board.version(&host.version().to_string());
        Ok(host)
    }

    fn follow(&self, process: &Process, from: From) {
        self.logs.follow(&[process.error_log.clone(), process.error_log.with_file_name("access")], from);
    }
}

/// The server of an instance as it is; without one to look for, that of the one that the host has.
async fn as_it_is(host: &Host, wanted: Option<&Wanted>) -> Result<Option<Server>, Error> {
    let mut instances = host.observe().await?.instances;
    if let Some(wanted) = wanted {
        instances.retain(|instance| wanted.instance.is_called(&instance.name));
    }
    let [instance] = instances.as_slice() else { return Ok(None) };
    let mapped = || instance.backends.iter().filter(|backend| backend.is_mapped);
    Ok(Some(Server {
        process: host.process(&instance.name).await?,
        suffixes: mapped().map(|backend| backend.suffix.clone()).collect(),
        replicated: mapped().filter(|backend| backend.role.is_some()).cloned().collect(),
        initialised: instance.initialised.clone(),
    }))
}

/// Stops the server, if there is one.
pub(crate) async fn stop(wanted: Option<Arc<Wanted>>, known: Option<Process>) {
    let stopped = async {
        let process = match (wanted, known) {
            (Some(wanted), _) => {
                let host = Host::locate(wanted.specification.prefix.clone()).await?;
                host.process(&wanted.instance.name).await?
            }
            (None, Some(process)) => process,
            (None, None) => return Ok(()),
        };
        process.stop().await?;
        tracing::info!("the server has stopped");
        Ok::<_, host::Error>(())
    };
    if let Err(error) = stopped.await {
        tracing::error!("{error}");
    }
}

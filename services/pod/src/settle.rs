//! Makes the instance what the file says, once, and starts its server; and stops that.

use std::{
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
use directory::place::Problems;

use crate::{
    logs::{From, Logs},
    wanted::{self, Wanted},
};

/// Why the instance is not what it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The file says nothing that can be done.
    #[error(transparent)]
    Wanted(#[from] wanted::Error),
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
    /// What it says, if it was understood.
    pub(crate) wanted: Option<Arc<Wanted>>,
    /// The instance's process, if there is an instance.
    pub(crate) server: Option<Process>,
    /// Why the instance is not what the file says.
    pub(crate) error: Option<Error>,
}

/// What is needed for it.
pub(crate) struct Settle {
    pub(crate) file: PathBuf,
    /// What was wanted before. A file that cannot be understood does not keep the server from being started again.
    pub(crate) last: Option<Arc<Wanted>>,
    pub(crate) logs: Arc<Logs>,
    /// Set when nothing further is to be begun.
    pub(crate) interrupt: Arc<AtomicBool>,
}

impl Settle {
    /// Does it.
    pub(crate) async fn run(self) -> Outcome {
        let mut outcome = Outcome::default();
        let read = match wanted::bytes(&self.file).await {
            Ok(bytes) => {
                outcome.seen = Some(bytes.clone());
                wanted::read(&self.file, &bytes)
            }
            Err(error) => Err(error),
        };
        match read {
            Ok(wanted) => outcome.wanted = Some(Arc::new(wanted)),
            Err(error) => outcome.error = Some(error.into()),
        }
        let Some(wanted) = outcome.wanted.as_ref().or(self.last.as_ref()).cloned() else { return outcome };
        match self.carry_out(&wanted).await {
            Ok(server) => outcome.server = Some(server),
            Err(error) => outcome.error = outcome.error.or(Some(error)),
        }
        outcome
    }

    async fn carry_out(&self, wanted: &Wanted) -> Result<Process, Error> {
        let host = Host::locate(wanted.specification.prefix.clone()).await?;
        let name = &wanted.instance.name;
        if let Ok(server) = host.process(name).await {
            self.follow(&server, From::End);
        }
        let actions = host.plan(&wanted.specification).await?.map_err(Error::Plan)?;
        host.foresee(&actions).await?;
        let is_enough = || self.interrupt.load(Ordering::Relaxed);
        let mut hear = |event: Event<'_>| match event {
            Event::Begins(action) => tracing::info!("{}", action.messages().join(", ")),
            Event::Says(_, text) => tracing::info!("{text}"),
            Event::Done(_) => {}
        };
        let carried_out = host.carry_out_plan(&wanted.specification, &actions, &is_enough, &mut hear).await;
        // Also of one that did not start: its log says why.
        let server = host.process(name).await;
        if let Ok(server) = &server {
            self.follow(server, From::Beginning);
        }
        carried_out?;
        Ok(server?)
    }

    fn follow(&self, server: &Process, from: From) {
        self.logs.follow(&[server.error_log.clone(), server.error_log.with_file_name("access")], from);
    }
}

/// Stops the server, if there is one.
pub(crate) async fn stop(wanted: Option<Arc<Wanted>>) {
    let Some(wanted) = wanted else { return };
    let stopped = async {
        let host = Host::locate(wanted.specification.prefix.clone()).await?;
        Ok::<_, host::Error>(host.process(&wanted.instance.name).await?.stop().await?)
    };
    match stopped.await {
        Ok(()) => tracing::info!("the server has stopped"),
        Err(error) => tracing::error!("{error}"),
    }
}

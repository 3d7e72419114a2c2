//! The 389 Directory Servers of this host: what they are, what has to be done, and doing it.

mod apply;
mod certificates;
mod change;
mod crash;
mod foresee;
pub(crate) mod mend;
mod observe;
mod secrets;

use std::{fs::File, io, path::PathBuf, sync::Arc};

use directory::{
    action::Action, observed, place::Problems, plan, replication::Replica, specification::Specification, version::Version,
};

use crate::{
    create, dse, initialise,
    installation::{self, Installation},
    journal, ldap,
    paths::Paths,
    process::{self, Process},
    remove, replication, tasks, transfer,
};

/// Why a host could not be observed or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// 389 DS is not there, or not as it should be.
    #[error(transparent)]
    Installation(#[from] installation::Error),
    /// An instance could not be created.
    #[error("failed to create instance slapd-{instance}: {source}")]
    Create {
        /// The instance.
        instance: String,
        /// What went wrong.
        source: create::Error,
    },
    /// An instance could not be removed.
    #[error("failed to remove instance slapd-{instance}: {source}")]
    Remove {
        /// The instance.
        instance: String,
        /// What went wrong.
        source: remove::Error,
    },
    /// An instance could not be started or stopped.
    #[error(transparent)]
    Process(#[from] process::Error),
    /// A new instance's server ended at its first start.
    #[error("instance slapd-{instance} did not start for the first time, and nothing of it was kept: {source}")]
    FirstStart {
        /// The instance.
        instance: String,
        /// What went wrong.
        source: process::Error,
    },
    /// The server could not be asked, or refused.
    #[error("{message}: {source}")]
    Server {
        /// What was being done.
        message: String,
        /// What went wrong.
        source: ldap::Error,
    },
    /// A task of the server failed.
    #[error("{message}: {source}")]
    Task {
        /// What was being done.
        message: String,
        /// What went wrong.
        source: tasks::Error,
    },
    /// Certificates could not be looked at or taken in.
    #[error("certificates of instance slapd-{instance}: {source}")]
    Certificates {
        /// The instance.
        instance: String,
        /// What went wrong.
        source: crate::certificates::Error,
    },
    /// A consumer was not initialised.
    #[error("{message}: {source}")]
    Initialise {
        /// What was being done.
        message: String,
        /// What went wrong.
        source: initialise::Error,
    },
    /// A server cannot listen on the ports, or at the addresses, that it is to have.
    #[error("instance slapd-{instance} keeps its ports: {source}")]
    Ports {
        /// The instance.
        instance: String,
        /// What is wrong.
        source: Box<create::Error>,
    },
    /// There is nothing to import into a new backend.
    #[error(
        "backend {backend} of instance slapd-{instance} cannot be filled: option 'ldif_file' is {}, which {problem}; \
         put the file there or leave the option out", file.display()
    )]
    Entries {
        /// The instance.
        instance: String,
        /// The backend.
        backend: String,
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// What is left to do could not be written down.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// The configuration of a stopped instance cannot be read.
    #[error(transparent)]
    Configuration(#[from] dse::Unreadable),
    /// The configuration of a stopped instance cannot be written.
    #[error("failed to write {}: {source}", path.display())]
    Mend {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Nobody can be kept from changing the servers meanwhile.
    #[error("failed to lock {}: {problem}", path.display())]
    Lock {
        /// The file.
        path: PathBuf,
        /// What the system said.
        problem: String,
    },
    /// There is another plan now.
    #[error("the servers have changed since the plan was made; nothing was done, apply again")]
    Moved,
    /// Somebody else is changing the servers of this host.
    #[error("another apply is under way on this host: {} is locked; wait for its end", path.display())]
    Busy {
        /// The file that is locked.
        path: PathBuf,
    },
    /// What an interrupted restore has left could not be put in order.
    #[error(transparent)]
    Restore(Box<transfer::Error>),
    /// The thread for work on files was stopped.
    #[error("the program is being stopped")]
    Stopped,
}

/// How often to plan for nobody in particular while the servers change, as when one is about to start.
pub(crate) const TRIES: u32 = 3;

/// The servers of this host.
#[derive(Debug, Clone)]
pub struct Host {
    installation: Arc<Installation>,
}

/// How replication is on a host.
#[derive(Debug)]
pub struct Replication {
    /// Each suffix that has a part in it.
    pub replicas: Vec<Replica>,
    /// Instances that did not answer, and why.
    pub silent: Vec<(String, ldap::Error)>,
}

/// What happens while actions are carried out.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// An action begins.
    Begins(&'a Action),
    /// The server says how far it is with it.
    Says(&'a Action, &'a str),
    /// It is done.
    Done(&'a Action),
    /// It is not done, and why. Others may begin after it.
    Failed(&'a Action, &'a Error),
}

/// Who hears what happens.
pub type Progress<'a> = dyn FnMut(Event<'_>) + Send + 'a;

impl Host {
    /// Finds 389 DS on this host, below a prefix if there is one. Waits for files.
    pub fn find(prefix: Option<&str>) -> Result<Self, Error> {
        Ok(Self { installation: Arc::new(Installation::find(prefix)?) })
    }

    /// The same where waiting would hold others up.
    pub async fn locate(prefix: Option<String>) -> Result<Self, Error> {
        tokio::task::spawn_blocking(move || Self::find(prefix.as_deref())).await.map_err(|_| Error::Stopped)?
    }

    /// What the host has.
    pub async fn observe(&self) -> Result<observed::Host, Error> {
        self.blocking(observe::host).await
    }

    /// The actions that make the host what it should be. The inner error is of what no action can do.
    pub async fn plan(&self, wanted: &Specification) -> Result<Result<Vec<Action>, Problems>, Error> {
        let found = self.observe().await?;
        let mut comparisons = self.compare(wanted, &found).await?;
        self.inquire(wanted, &found, &mut comparisons).await?;
        Ok(plan::plan(wanted, &found, &comparisons))
    }

    /// Carries actions out in their order, up to the first that fails. What is left can be planned again.
    pub async fn carry_out(&self, actions: &[Action], progress: &mut Progress<'_>) -> Result<(), Error> {
        let lock = self.lock().await?;
        apply::Apply::begin(self, actions, lock).await?.carry_out(&|| false, progress).await
    }

    /// The same of a plan that was made for this a while ago, unless there is another one now. No action is begun once it
    /// `is_enough`.
    pub async fn carry_out_plan(
        &self,
        wanted: &Specification,
        actions: &[Action],
        is_enough: &(dyn Fn() -> bool + Sync),
        progress: &mut Progress<'_>,
    ) -> Result<(), Error> {
        let lock = self.lock().await?;
        if self.plan(wanted).await?.ok().as_deref() != Some(actions) {
            return Err(Error::Moved);
        }
        apply::Apply::begin(self, actions, lock).await?.carry_out(is_enough, progress).await
    }

    /// How replication is: each suffix that has a part in it, with its agreements.
    pub async fn replication(&self) -> Result<Replication, Error> {
        let (mut replicas, mut silent) = (Vec::new(), Vec::new());
        for instance in self.observe().await?.instances {
            let socket = self.paths(&instance.name).await?.ldapi;
            match replication::read(&socket, &instance).await {
                Ok(found) => replicas.extend(found),
                Err(error) => silent.push((instance.name, error)),
            }
        }
        Ok(Replication { replicas, silent })
    }

    /// The version of 389 DS.
    pub fn version(&self) -> Version {
        self.installation.version()
    }

    /// Starts an instance as it is, unless it runs, and waits until it answers.
    pub async fn start_unchanged(&self, name: &str) -> Result<(), Error> {
        let _lock = self.lock().await?;
        let process = self.process(name).await?;
        let is_running = self.blocking(move |_| Ok(process.id().is_some())).await?;
        if is_running { Ok(()) } else { self.start(name).await }
    }

    /// What is installed.
    pub(crate) fn installation(&self) -> &Installation {
        &self.installation
    }

    /// Keeps others from changing the servers of this host until it is dropped.
    pub(crate) async fn lock(&self) -> Result<File, Error> {
        self.blocking(apply::lock).await
    }

    /// The paths of an instance.
    pub(crate) async fn paths(&self, name: &str) -> Result<Paths, Error> {
        let name = name.to_owned();
        self.blocking(move |installation| Ok(observe::stored(installation, &name)?.0)).await
    }

    /// The process of an instance.
    pub async fn process(&self, name: &str) -> Result<Process, Error> {
        let name = name.to_owned();
        self.blocking(move |installation| Ok(Process::of(installation, &name, &observe::stored(installation, &name)?.0))).await
    }

    /// Starts an instance, whose lock the caller has.
    pub(crate) async fn start(&self, name: &str) -> Result<(), Error> {
        let instance = name.to_owned();
        let process = self.blocking(move |installation| apply::prepared(installation, &instance)).await?;
        Ok(process.start().await?)
    }

    /// Stops an instance, whose lock the caller has.
    pub(crate) async fn stop(&self, name: &str) -> Result<(), Error> {
        Ok(self.process(name).await?.stop().await?)
    }

    /// Does work that waits for files where it holds nobody up.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Installation) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let installation = Arc::clone(&self.installation);
        tokio::task::spawn_blocking(move || work(&installation)).await.map_err(|_| Error::Stopped)?
    }
}

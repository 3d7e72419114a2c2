//! Carrying a plan out: its actions one after the other, and the journal of what is left to do. One apply at a time.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    sync::Arc,
    time::{Duration, Instant},
};

use directory::{
    action::{self, Action, Step},
    dn::Dn,
    layout,
    observed::Unfinished,
    operation::{self, Operation},
    setting::Settings,
};

use crate::{
    create,
    dse::{self, Unreadable},
    host::{Error, Event, Host, Progress, mend, observe},
    installation::Installation,
    journal,
    ldap::Connection,
    ports,
    process::{self, Process},
    remove, transfer,
};

/// Name of the file that whoever changes the servers of a host locks.
const LOCK: &str = "aviary.lock";

/// A connection that is kept from one action to the next, to the instance with this name. Looking for a server takes longer
/// than asking it.
pub(super) struct Open {
    pub(super) instance: String,
    pub(super) connection: Connection,
}

/// Values of an entry by their attributes.
type Values = Vec<(&'static str, Vec<String>)>;

/// A plan that is being carried out.
pub(super) struct Apply<'a> {
    pub(super) host: &'a Host,
    actions: Arc<[Action]>,
    /// Work on files goes on when this is dropped in the middle of it, and keeps the lock until it is done.
    lock: Arc<File>,
    /// Instances that had to be started again before there was this plan.
    due: BTreeSet<String>,
}

impl<'a> Apply<'a> {
    /// Writes down what is to be done, with the lock.
    pub(super) async fn begin(host: &'a Host, actions: &[Action], lock: File) -> Result<Self, Error> {
        let mut apply = Self { host, actions: actions.into(), lock: Arc::new(lock), due: BTreeSet::new() };
        let names: BTreeSet<String> = actions.iter().map(|action| action.place.instance_name().to_owned()).collect();
        let due = |installation: &Installation| {
            let mut due = BTreeSet::new();
            for name in names {
                let journal = journal::read(&installation.home(&name))?.unwrap_or_default();
                due.extend(journal.unfinished.contains(&Unfinished::Restart).then_some(name));
            }
            Ok(due)
        };
        apply.due = apply.blocking(due).await?;
        apply.announce(0).await?;
        Ok(apply)
    }

    pub(super) async fn carry_out(
        &self,
        is_enough: &(dyn Fn() -> bool + Sync),
        progress: &mut Progress<'_>,
    ) -> Result<(), Error> {
        let (mut open, mut failed, mut unproved) = (None, None, BTreeSet::new());
        for (index, action) in self.actions.iter().enumerate() {
            if is_enough() {
                break;
            }
            progress(Event::Begins(action));
            let error = match self.finish(index, action, &mut open, progress).await {
                Ok(()) => {
                    progress(Event::Done(action));
                    prove(&mut unproved, action);
                    continue;
                }
                Err(error @ Error::Ports { .. }) => {
                    if let Err(problem) = self.call_off_restart(index).await {
                        tracing::warn!(error = %problem, "a restart that is needless stays written down");
                    }
                    error
                }
                Err(error) if unproved.contains(action.place.instance_name()) => self.take_back(action, error).await,
                Err(error) => error,
            };
            progress(Event::Failed(action, &error));
            // One that cannot be filled does not keep others from it: these are the last of a plan.
            if !matches!(error, Error::Initialise { .. }) {
                return Err(error);
            }
            failed.get_or_insert(error);
        }
        failed.map_or(Ok(()), Err)
    }

    /// Does what an action is, and writes down that it was done.
    async fn finish(
        &self,
        index: usize,
        action: &Action,
        open: &mut Option<Open>,
        progress: &mut Progress<'_>,
    ) -> Result<(), Error> {
        self.act(action, open, progress).await?;
        match action.step {
            Step::RemoveInstance => Ok(()),
            // There is a place for the journal only now.
            Step::CreateInstance(_) => self.announce(index).await,
            _ => self.strike_out(index).await,
        }
    }

    /// Forgets a restart that was written down for changes of which none was made: every further attempt would begin with it.
    async fn call_off_restart(&self, refused: usize) -> Result<(), Error> {
        let Some(name) = self.actions.get(refused).map(|action| action.place.instance_name().to_owned()) else { return Ok(()) };
        let done = self.actions.iter().take(refused).rev().find(|done| done.place.instance_name() == name);
        let is_due = match done {
            Some(done) => !matches!(done.step, Step::Start | Step::Restart),
            None => self.due.contains(&name),
        };
        if is_due {
            return Ok(());
        }
        self.blocking(move |installation| {
            journal::change(&installation.home(&name), |journal| {
                journal.unfinished.retain(|unfinished| *unfinished != Unfinished::Restart);
                Ok(())
            })
        })
        .await
    }

    /// Removes an instance that was just created if its server ended at its first start: much of what keeps it from starting
    /// is given at a creation and never again. One that may still start stays. Gives the error that there is then.
    async fn take_back(&self, action: &Action, error: Error) -> Error {
        let source = match error {
            Error::Process(source @ (process::Error::Start { .. } | process::Error::Systemd { verb: "start", .. })) => source,
            other => return other,
        };
        let instance = action.place.instance_name().to_owned();
        if let Err(problem) = self.remove(&instance).await {
            tracing::warn!(instance, error = %problem, "an instance that did not start for the first time stays");
            return Error::Process(source);
        }
        Error::FirstStart { instance, source }
    }

    async fn act(&self, action: &Action, open: &mut Option<Open>, progress: &mut Progress<'_>) -> Result<(), Error> {
        let name = action.place.instance_name();
        self.admit_ports(action).await?;
        for operation in operation::operations(action) {
            if operation.is_of_process() {
                *open = None;
            }
            match &operation {
                Operation::Create(settings) => self.create(name, settings).await?,
                Operation::Remove => self.remove(name).await?,
                Operation::ImportCertificate { certificate, key } => self.import_certificate(name, certificate, key).await?,
                Operation::TrustAuthorities { files } => self.trust_authorities(name, files).await?,
                Operation::Start => self.start_or_mend(name).await?,
                Operation::Stop => self.host.stop(name).await?,
                change => self.change(open, action, change, progress).await?,
            }
        }
        self.leave_ports(action).await
    }

    /// Sees that a server will be able to listen on other ports and at other addresses: it would start no more.
    async fn admit_ports(&self, action: &Action) -> Result<(), Error> {
        if !ports::are_changed(action) {
            return Ok(());
        }
        let (instance, action) = (action.place.instance_name().to_owned(), action.clone());
        self.blocking(move |installation| {
            let settings = observe::instance(installation, &instance)?.settings;
            let admitted = ports::admit(installation, &instance, &settings, &action);
            admitted.map_err(|source| Error::Ports { instance, source: Box::new(source) })
        })
        .await
    }

    /// Gives the ports back on which a server listens no more.
    async fn leave_ports(&self, action: &Action) -> Result<(), Error> {
        let ports = ports::changed(action, |change| change.before.as_ref());
        if ports.is_empty() {
            return Ok(());
        }
        let instance = action.place.instance_name().to_owned();
        self.blocking(move |installation| {
            ports::leave(installation, &instance, &ports);
            Ok(())
        })
        .await
    }

    /// A connection to an action's instance: the one that is open, if it leads there.
    pub(super) async fn connect(&self, action: &Action, open: Option<Open>) -> Result<Open, Error> {
        let instance = action.place.instance_name();
        if let Some(open) = open.filter(|open| open.instance == instance) {
            return Ok(open);
        }
        let connected = self.host.process(instance).await?.connect().await;
        let connection = connected.map_err(|source| Error::Server { message: action.messages().join(", "), source })?;
        Ok(Open { instance: instance.to_owned(), connection })
    }

    async fn create(&self, name: &str, settings: &Settings) -> Result<(), Error> {
        let (settings, instance) = (settings.clone(), name.to_owned());
        self.blocking(move |installation| {
            create::create(installation, &instance, &settings).map_err(|source| Error::Create { instance, source })
        })
        .await
    }

    async fn remove(&self, name: &str) -> Result<(), Error> {
        self.host.stop(name).await?;
        let instance = name.to_owned();
        self.blocking(move |installation| {
            remove::remove(installation, &instance).map_err(|source| Error::Remove { instance, source })
        })
        .await
    }

    pub(super) async fn start(&self, name: &str) -> Result<(), Error> {
        let instance = name.to_owned();
        let process = self.blocking(move |installation| prepared(installation, &instance));
        Ok(process.await?.start().await?)
    }

    /// Starts a server. One that does not start as it is, as with an address that this host does not have or a cache that it has no
    /// room for, gets first what it is to be told once it runs.
    async fn start_or_mend(&self, name: &str) -> Result<(), Error> {
        let Err(error) = self.start(name).await else { return Ok(()) };
        let values = self.ahead(name);
        if !matches!(error, Error::Process(process::Error::Start { .. })) || values.is_empty() {
            return Err(error);
        }
        let instance = name.to_owned();
        self.blocking(move |installation| {
            let (paths, _) = observe::stored(installation, &instance)?;
            values.iter().try_for_each(|(dn, values)| mend::replace(&paths.dse(), dn, values))
        })
        .await?;
        self.start(name).await
    }

    /// The values of its own settings and of its database's that a server is to get, but for secrets.
    fn ahead(&self, name: &str) -> Vec<(Dn, Values)> {
        let own = self.actions.iter().filter(|action| action.place.instance_name() == name);
        let operations = own.filter(|action| matches!(action.step, Step::Set { .. })).flat_map(operation::operations);
        let is_of_server = |dn: &Dn| [layout::config(), layout::ldbm_config(), layout::bdb()].contains(dn);
        let values = operations.filter_map(|operation| match operation {
            Operation::Replace { dn, values, secrets } if is_of_server(&dn) && secrets.is_empty() => Some((dn, values)),
            _ => None,
        });
        values.collect()
    }

    /// Writes down what the actions from `index` on will do that does not show in the configuration.
    async fn announce(&self, index: usize) -> Result<(), Error> {
        let rest = self.actions.get(index..).unwrap_or_default();
        let mut ahead: Vec<_> =
            rest.iter().map(|action| (action.place.instance_name().to_owned(), action.unfinished())).collect();
        ahead.sort_by(|(one, _), (other, _)| one.cmp(other));
        let created = rest.first().and_then(|action| match &action.step {
            Step::CreateInstance(settings) => Some((action.place.instance_name().to_owned(), settings.clone())),
            _ => None,
        });
        self.blocking(move |installation| {
            let names = installation.instances()?;
            for of_one in ahead.chunk_by(|(one, _), (other, _)| one == other) {
                let Some((name, _)) = of_one.first() else { continue };
                let config_dir = installation.home(name);
                if !names.contains(name) {
                    continue;
                }
                let mut journal = journal::read(&config_dir)?.unwrap_or_default();
                if let Some((_, settings)) = created.as_ref().filter(|(created, _)| created == name) {
                    journal.created(settings);
                }
                journal.unfinished.extend(of_one.iter().flat_map(|(_, unfinished)| unfinished.iter().cloned()));
                journal.unfinished.sort();
                journal.unfinished.dedup();
                journal::write(&config_dir, &journal)?;
            }
            Ok(())
        })
        .await
    }

    /// Strikes out what the action at `done` has finished.
    async fn strike_out(&self, done: usize) -> Result<(), Error> {
        let Some(action) = self.actions.get(done).cloned() else { return Ok(()) };
        let name = action.place.instance_name().to_owned();
        let actions = Arc::clone(&self.actions);
        self.blocking(move |installation| {
            journal::change(&installation.home(&name), |journal| {
                journal.unfinished.retain(|unfinished| !action::finishes(&actions, done, unfinished));
                action.note_request(&mut journal.initialised);
                Ok(())
            })
        })
        .await
    }

    /// Work on files under the lock.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Installation) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let lock = Arc::clone(&self.lock);
        let locked = move |installation: &Installation| {
            let done = work(installation);
            drop(lock);
            done
        };
        self.host.blocking(locked).await
    }
}

/// Keeps which instances were created and have not started since.
fn prove(unproved: &mut BTreeSet<String>, action: &Action) {
    let name = action.place.instance_name();
    match action.step {
        Step::CreateInstance(_) => {
            unproved.insert(name.to_owned());
        }
        Step::Start | Step::Restart | Step::RemoveInstance => {
            unproved.remove(name);
        }
        _ => {}
    }
}

/// The process of an instance, with all that it needs to start.
pub(super) fn prepared(installation: &Installation, name: &str) -> Result<Process, Error> {
    let (paths, _) = observe::stored(installation, name)?;
    let process = Process::of(installation, name, &paths);
    let is_running = process.id().is_some();
    if !is_running {
        let path = paths.dse();
        dse::put_back(&path).map_err(|error| Unreadable::new(&path, &error))?;
        transfer::settle(&paths).map_err(|error| Error::Restore(Box::new(error)))?;
    }
    create::restore_folders(name, &paths).map_err(|source| Error::Create { instance: name.to_owned(), source })?;
    if !is_running {
        mend::clocks(&paths.dse())?;
    }
    Ok(process)
}

/// Between two looks at the lock.
const LOOK: Duration = Duration::from_millis(50);
/// How long the lock of one that was killed may be held: a program that it was about to run has its files until it runs.
const HELD: Duration = Duration::from_secs(2);

/// One apply at a time. Blocking work.
pub(super) fn lock(installation: &Installation) -> Result<File, Error> {
    let folder = installation.configuration();
    let path = folder.join(LOCK);
    let failed = |problem: String| Error::Lock { path: path.clone(), problem };
    let open = || {
        // Volumes are empty at first.
        fs::create_dir_all(&folder)?;
        // One that somebody else has made can be locked without the right to write to it.
        File::open(&path).or_else(|_| File::options().create(true).append(true).open(&path))
    };
    let file = open().map_err(|error| failed(error.to_string()))?;
    let deadline = Instant::now() + HELD;
    loop {
        match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) if Instant::now() < deadline => std::thread::sleep(LOOK),
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(Error::Busy { path }),
            Err(error) => return Err(failed(error.to_string())),
        }
    }
}

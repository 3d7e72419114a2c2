//! The 389 Directory Servers of this host: what they are, and the actions that are carried out on them, one after the other.

use std::{
    collections::{BTreeMap, btree_map},
    fs::File,
    path::PathBuf,
};

use directory::{
    action::{self, Action, Step},
    comparison::{self, Comparisons},
    dn::Dn,
    entry::Tree,
    ldif,
    observed::{self, Unfinished},
    operation::{self, Operation},
    options::Scope,
    place::Problems,
    plan,
    setting::{Setting, Settings},
    specification::{Instance, Presence, Specification},
};

use crate::{
    certificates,
    create::{self, password},
    installation::{self, Installation},
    journal,
    ldap::{self, Connection},
    paths::Paths,
    process::{self, Process},
    remove, tasks, transfer,
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
        source: certificates::Error,
    },
    /// What is left to do could not be written down.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// The configuration of a stopped instance cannot be read.
    #[error("failed to read {}: {problem}", path.display())]
    Configuration {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
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

/// Name of the file that whoever changes the servers of a host locks.
const LOCK: &str = "aviary.lock";

/// The servers of this host.
#[derive(Debug, Clone)]
pub struct Host {
    installation: Installation,
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
}

impl Host {
    /// Finds 389 DS on this host, below a prefix if there is one.
    pub fn find(prefix: Option<&str>) -> Result<Self, Error> {
        Ok(Self { installation: Installation::find(prefix)? })
    }

    /// What is installed.
    pub(crate) fn installation(&self) -> &Installation {
        &self.installation
    }

    /// What the host has.
    pub fn observe(&self) -> Result<observed::Host, Error> {
        let mut instances = Vec::new();
        for name in self.installation.instances()? {
            instances.push(self.observe_instance(&name)?);
        }
        let template = self.configuration(&self.installation.template())?;
        let default_indexes = observed::Instance::read("", &template).default_indexes;
        Ok(observed::Host { version: Some(self.installation.version()), default_indexes, instances })
    }

    fn observe_instance(&self, name: &str) -> Result<observed::Instance, Error> {
        let (paths, stored) = self.stored(name)?;
        let process = self.process(name, &paths);
        // The server writes its file before it says that a change is done. What it tells over LDAP is the same, mixed with
        // what it has worked out for itself, such as the number of its threads.
        let mut instance = observed::Instance::read(name, &stored);
        let unfinished = journal::read(&paths.config_dir)?;
        instance.is_ours = unfinished.is_some();
        instance.unfinished = unfinished.unwrap_or_default();
        instance.is_running = process.id().is_some();
        Ok(instance)
    }

    /// The configuration as its file has it, and the paths that it says.
    pub(crate) fn stored(&self, name: &str) -> Result<(Paths, Tree), Error> {
        let tree = self.configuration(&self.installation.home(name).join("dse.ldif"))?;
        Ok((Paths::existing(&self.installation, name, &tree), tree))
    }

    fn configuration(&self, path: &std::path::Path) -> Result<Tree, Error> {
        let unreadable = |problem: String| Error::Configuration { path: path.to_owned(), problem };
        let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
        let records = ldif::parse(&bytes).map_err(|error| unreadable(error.to_string()))?;
        Tree::from_records(records).map_err(|error| unreadable(error.to_string()))
    }

    pub(crate) fn process(&self, name: &str, paths: &Paths) -> Process {
        Process {
            instance: name.to_owned(),
            program: self.installation.ns_slapd(),
            config_dir: paths.config_dir.clone(),
            pid_file: paths.pid_file.clone(),
            socket: paths.ldapi.clone(),
            lock_dir: paths.lock_dir.clone(),
            error_log: paths.log_dir.join("errors"),
            by_systemd: self.installation.has_systemd(),
        }
    }

    /// The actions that make the host what it should be. The inner error is of what no action can do.
    pub async fn plan(&self, wanted: &Specification) -> Result<Result<Vec<Action>, Problems>, Error> {
        let found = self.observe()?;
        let mut secrets = self.compare(wanted, &found).await?;
        self.inquire(wanted, &found, &mut secrets).await?;
        Ok(plan::plan(wanted, &found, &secrets))
    }

    /// Compares secrets with what the configuration has of them, and where that cannot tell, by binding with them.
    async fn compare(&self, wanted: &Specification, found: &observed::Host) -> Result<Comparisons, Error> {
        let mut comparisons = Comparisons::default();
        let mut read = BTreeMap::new();
        for question in comparison::questions(wanted) {
            let Some(instance) = found.instance(question.place.instance_name()) else { continue };
            let (paths, stored) = match read.entry(&instance.name) {
                btree_map::Entry::Occupied(known) => &*known.into_mut(),
                btree_map::Entry::Vacant(new) => &*new.insert(self.stored(&instance.name)?),
            };
            let known = stored.get(&question.dn).and_then(|entry| entry.text(question.attribute));
            if let Some(is_the_same) = known.and_then(|known| password::is_stored(&question.secret, known)) {
                comparisons.insert(&question, is_the_same);
                continue;
            }
            let name = match question.attribute {
                "nsslapd-rootpw" => instance.settings.text("root_dn").unwrap_or("cn=Directory Manager"),
                "userPassword" => question.dn.as_str(),
                _ => continue,
            };
            if let (true, Ok(dn)) = (instance.is_running && !question.secret.is_hashed(), Dn::parse(name)) {
                let asked = Connection::is_password(&paths.ldapi, &dn, &question.secret).await;
                let message = format!("failed to compare the password of {dn}");
                comparisons.insert(&question, asked.map_err(|source| Error::Server { message, source })?);
            }
        }
        Ok(comparisons)
    }

    /// Finds out which certificates instances are to have and have.
    async fn inquire(&self, wanted: &Specification, found: &observed::Host, comparisons: &mut Comparisons) -> Result<(), Error> {
        let names_files = |instance: &&Instance| ["tls_cert", "tls_ca"].iter().any(|name| instance.settings.get(name).is_some());
        let present = wanted.instances.iter().filter(|instance| instance.presence == Presence::Present).filter(names_files);
        for instance in present {
            let found = found.instance(&instance.name);
            let host = host_name(&instance.settings, found);
            let place = match found {
                Some(found) => Some(self.certificates(&found.name)?),
                None => None,
            };
            let settings = instance.settings.clone();
            let asked = tokio::task::spawn_blocking(move || certificates::inquire(&settings, &host, place.as_ref()));
            let answer = asked.await.map_err(|_| Error::Stopped)?;
            let failed = |source| Error::Certificates { instance: instance.name.clone(), source };
            comparisons.insert_certificates(&instance.place(), answer.map_err(failed)?);
        }
        Ok(())
    }

    /// Where an instance has its certificates.
    fn certificates(&self, name: &str) -> Result<certificates::Place, Error> {
        let (paths, tree) = self.stored(name)?;
        Ok(certificates::Place::of(&self.installation, &paths.cert_dir, &tree))
    }

    /// Carries actions out in their order, up to the first that fails. What is left can be planned again.
    pub async fn carry_out(&self, actions: &[Action], progress: &mut (dyn FnMut(Event<'_>) + Send)) -> Result<(), Error> {
        let _lock = self.lock()?;
        self.announce(actions, 0)?;
        for (index, action) in actions.iter().enumerate() {
            progress(Event::Begins(action));
            self.act(action, progress).await?;
            match action.step {
                Step::RemoveInstance => {}
                // There is a place for the journal only now.
                Step::CreateInstance(_) => self.announce(actions, index)?,
                _ => self.strike_out(actions, index, action.place.instance_name())?,
            }
            progress(Event::Done(action));
        }
        Ok(())
    }

    /// One apply at a time.
    pub(crate) fn lock(&self) -> Result<File, Error> {
        let path = self.installation.configuration().join(LOCK);
        let busy = || Error::Busy { path: path.clone() };
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|error| Error::Configuration { path: path.clone(), problem: error.to_string() })?;
        rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive).map_err(|_| busy())?;
        Ok(file)
    }

    /// Writes down what the actions from `index` on will do that does not show in the configuration.
    fn announce(&self, actions: &[Action], index: usize) -> Result<(), Error> {
        let rest = actions.get(index..).unwrap_or_default();
        let mut names: Vec<&str> = rest.iter().map(|action| action.place.instance_name()).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let config_dir = self.installation.home(name);
            if !config_dir.join("dse.ldif").exists() {
                continue;
            }
            let of_this = rest.iter().filter(|action| action.place.instance_name() == name);
            let mut unfinished = journal::read(&config_dir)?.unwrap_or_default();
            unfinished.extend(of_this.flat_map(Action::unfinished));
            unfinished.sort();
            unfinished.dedup();
            journal::write(&config_dir, &unfinished)?;
        }
        Ok(())
    }

    /// Strikes out what the action at `done` has finished.
    fn strike_out(&self, actions: &[Action], done: usize, name: &str) -> Result<(), Error> {
        let config_dir = self.installation.home(name);
        let known = journal::read(&config_dir)?.unwrap_or_default();
        let left: Vec<Unfinished> =
            known.iter().filter(|unfinished| !action::finishes(actions, done, unfinished)).cloned().collect();
        if left.len() < known.len() { Ok(journal::write(&config_dir, &left)?) } else { Ok(()) }
    }

    async fn act(&self, action: &Action, progress: &mut (dyn FnMut(Event<'_>) + Send)) -> Result<(), Error> {
        let name = action.place.instance_name();
        let mut connection = None;
        for operation in operation::operations(action) {
            match &operation {
                Operation::Create(settings) => self.create(name, settings).await?,
                Operation::Remove => self.remove(name).await?,
                Operation::ImportCertificate { certificate, key } => {
                    let paths = [("tls_cert", certificate.as_str()), ("tls_key", key.as_str())];
                    let settings = paths.map(|(option, path)| (option, Setting::Text(path.to_owned())));
                    self.take_in(name, settings.into(), certificates::import).await?;
                }
                Operation::TrustAuthorities { files } => {
                    let settings = [("tls_ca", Setting::List(files.clone()))];
                    self.take_in(name, settings.into(), |settings, _, place| certificates::trust(settings, place)).await?;
                }
                Operation::Start => self.start(name).await?,
                Operation::Stop => self.process(name, &self.stored(name)?.0).stop().await?,
                change_of_entries => {
                    let connection = match &mut connection {
                        Some(connection) => connection,
                        none => {
                            let (paths, _) = self.stored(name)?;
                            none.insert(Connection::open(&paths.ldapi).await.map_err(|source| server(action, source))?)
                        }
                    };
                    change(connection, action, change_of_entries, progress).await?;
                }
            }
        }
        Ok(())
    }

    /// Takes what options name into an instance's certificates.
    async fn take_in(
        &self,
        name: &str,
        options: Vec<(&'static str, Setting)>,
        work: fn(&Settings, &str, &certificates::Place) -> Result<(), certificates::Error>,
    ) -> Result<(), Error> {
        let mut settings = Settings::new();
        for (option, setting) in options {
            if let Some(option) = Scope::Instance.option(option) {
                settings.insert(option, setting);
            }
        }
        let (place, instance) = (self.certificates(name)?, self.observe_instance(name)?);
        let host = host_name(&instance.settings, None);
        let done = tokio::task::spawn_blocking(move || work(&settings, &host, &place)).await;
        done.map_err(|_| Error::Stopped)?.map_err(|source| Error::Certificates { instance: name.to_owned(), source })
    }

    async fn create(&self, name: &str, settings: &Settings) -> Result<(), Error> {
        let (installation, settings, instance) = (self.installation.clone(), settings.clone(), name.to_owned());
        let created = tokio::task::spawn_blocking(move || create::create(&installation, &instance, &settings)).await;
        created.map_err(|_| Error::Stopped)?.map_err(|source| Error::Create { instance: name.to_owned(), source })
    }

    async fn remove(&self, name: &str) -> Result<(), Error> {
        self.process(name, &self.stored(name)?.0).stop().await?;
        let (installation, instance) = (self.installation.clone(), name.to_owned());
        let removed = tokio::task::spawn_blocking(move || remove::remove(&installation, &instance)).await;
        removed.map_err(|_| Error::Stopped)?.map_err(|source| Error::Remove { instance: name.to_owned(), source })
    }

    pub(crate) async fn start(&self, name: &str) -> Result<(), Error> {
        let (paths, _) = self.stored(name)?;
        let process = self.process(name, &paths);
        let instance = name.to_owned();
        let restored = tokio::task::spawn_blocking(move || {
            transfer::settle(&paths).map_err(|error| Error::Restore(Box::new(error)))?;
            create::restore_folders(&instance, &paths).map_err(|source| Error::Create { instance, source })
        });
        restored.await.map_err(|_| Error::Stopped)??;
        Ok(process.start().await?)
    }
}

/// The name of the host, as an instance's certificate has to have it.
fn host_name(settings: &Settings, found: Option<&observed::Instance>) -> String {
    let known = |settings: &Settings| settings.text("full_machine_name").map(str::to_owned);
    let name = known(settings).or_else(|| known(&found?.settings)).or_else(|| create::checks::host(settings).ok());
    name.unwrap_or_else(|| "localhost".to_owned())
}

/// Changes entries, or has the server do so.
async fn change(
    connection: &mut Connection,
    action: &Action,
    operation: &Operation,
    progress: &mut (dyn FnMut(Event<'_>) + Send),
) -> Result<(), Error> {
    let failed = |source| server(action, source);
    match operation {
        Operation::Add { entry, secrets } => match connection.add(entry, secrets).await {
            // An interrupted apply has added some of a backend's first entries.
            Err(error) if error.is_there_already() && matches!(action.step, Step::Fill { .. }) => Ok(()),
            added => added.map_err(failed),
        },
        Operation::Replace { dn, values, secrets } => connection.replace(dn, values, secrets).await.map_err(failed),
        Operation::Delete(dn) => match connection.delete(dn).await {
            Err(error) if error.is_missing() => Ok(()),
            deleted => deleted.map_err(failed),
        },
        Operation::Task { kind, attributes } => {
            let mut says = |text: &str| progress(Event::Says(action, text));
            let done = tasks::run(connection, kind, attributes, &mut says).await;
            done.map(|_| ()).map_err(|source| Error::Task { message: action.messages().join(", "), source })
        }
        // These are not of entries.
        Operation::Create(_)
        | Operation::Remove
        | Operation::Start
        | Operation::Stop
        | Operation::ImportCertificate { .. }
        | Operation::TrustAuthorities { .. } => Ok(()),
    }
}

/// The server refused what an action is about.
fn server(action: &Action, source: ldap::Error) -> Error {
    Error::Server { message: action.messages().join(", "), source }
}

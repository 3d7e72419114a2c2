//! One opened report: its connections, and sessions in which nothing that is read can be a mixture of two contents. How
//! it came to be opened is `opening`'s affair; who keeps it, that of `reports`. What it was read from is a file of the store
//! itself, with all that can happen to it meanwhile, or an entry of the cache, to which nothing happens.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use store::{Found, Stat, encoding::Encoding};

use crate::{
    cache::Entry,
    database::{Connection, Mode, Watch},
    error::Error,
    opening::SETTLE,
};

/// Longer than any single write call takes.
const QUIET: Duration = Duration::from_millis(20);
/// How often a file that is written all the time is looked at.
const QUIET_LOOKS: usize = 5;
/// Idle connections kept for each report.
const IDLE_CONNECTIONS: usize = 4;

/// A report that can be asked.
pub(crate) struct Report {
    /// Idle connections. They stand before `copy` because they must be closed before their file goes.
    idle: Mutex<Vec<Connection>>,
    /// How the database is opened.
    mode: Mode,
    /// The database: the store's own file, `copy`, or that of the cache.
    database: PathBuf,
    origin: Origin,
    pub(crate) encoding: Encoding,
    /// Releases of ARA that write its schema.
    pub(crate) release: String,
    /// Names the content; a live report's is made anew in each session.
    generation: String,
    /// Not to be used for new questions after this moment: it was opened so soon after a write that another one could
    /// have gone unnoticed.
    expires: Option<Instant>,
    /// An unpacked or rebuilt copy, removed with the report.
    copy: Option<tempfile::TempPath>,
}

/// What it was read from.
enum Origin {
    /// A file of the store: as it was found, and open, for the change counter of a live one.
    Place(Found, File),
    /// An entry of the cache.
    Kept(Arc<Entry>),
}

/// What [`Report::new`] is made of.
pub(crate) struct Parts {
    pub(crate) mode: Mode,
    pub(crate) database: PathBuf,
    pub(crate) found: Found,
    pub(crate) file: File,
    pub(crate) encoding: Encoding,
    pub(crate) release: &'static str,
    pub(crate) expires: Option<Instant>,
    pub(crate) copy: Option<tempfile::TempPath>,
    pub(crate) first: Connection,
}

impl Report {
    pub(crate) fn new(parts: Parts) -> Result<Self, Error> {
        let Parts { mode, database, found, file, encoding, release, expires, copy, first } = parts;
        let generation = generation(&found.stat, change_counter(&file)?, None);
        // A live report's connections serve one generation each.
        let idle = Mutex::new(if mode == Mode::Immutable { vec![first] } else { Vec::new() });
        let (origin, release) = (Origin::Place(found, file), release.to_owned());
        Ok(Self { idle, mode, database, origin, encoding, release, generation, expires, copy })
    }

    /// The report of an entry of the cache.
    pub(crate) fn kept(entry: Arc<Entry>) -> Result<Self, Error> {
        let first = Connection::open(&entry.path, Mode::Immutable)?;
        Ok(Self {
            idle: Mutex::new(vec![first]),
            mode: Mode::Immutable,
            database: entry.path.clone(),
            encoding: entry.record.encoding(),
            release: entry.record.release.clone(),
            generation: entry.record.generation.clone(),
            expires: None,
            copy: None,
            origin: Origin::Kept(entry),
        })
    }

    /// When the stored object was written.
    pub(crate) fn modified(&self) -> Option<SystemTime> {
        match &self.origin {
            Origin::Place(found, _) => Some(found.stat.modified()),
            Origin::Kept(entry) => entry.record.revision().modified,
        }
    }

    /// Size of the stored object in bytes.
    pub(crate) fn size(&self) -> u64 {
        match &self.origin {
            Origin::Place(found, _) => found.stat.size,
            Origin::Kept(entry) => entry.record.revision().size,
        }
    }

    /// It is the report of this entry.
    pub(crate) fn is_of(&self, entry: &Arc<Entry>) -> bool {
        matches!(&self.origin, Origin::Kept(ours) if Arc::ptr_eq(ours, entry))
    }

    /// The file is read in place and may still be written.
    pub(crate) fn is_live(&self) -> bool {
        self.mode == Mode::Live
    }

    /// The file was written so short a time ago that whoever overwrites it may not have finished.
    fn is_unsettled(&self) -> bool {
        let age = |file: &File| file.metadata().map(|metadata| Stat::from(&metadata).age(SystemTime::now()));
        matches!(&self.origin, Origin::Place(_, file) if self.is_live() && age(file).is_ok_and(|age| age < SETTLE))
    }

    /// What went wrong, unless it is that the file is half overwritten: then anything may seem wrong with it.
    fn judge(&self, error: Error) -> Error {
        match error {
            Error::Damaged(_) | Error::NotAra(_) if self.is_unsettled() => Error::BeingWritten,
            other => other,
        }
    }

    /// It can answer for the object as it is found now.
    pub(crate) fn serves(&self, found: &Found) -> bool {
        let same = match &self.origin {
            Origin::Place(ours, _) if self.is_live() => {
                (ours.stat.device, ours.stat.inode) == (found.stat.device, found.stat.inode) && ours.path == found.path
            }
            Origin::Place(ours, _) => ours == found,
            Origin::Kept(_) => false,
        };
        same && self.expires.is_none_or(|end| Instant::now() < end)
    }

    /// Names the present content, as far as it can be told without a lock.
    pub(crate) fn generation(&self) -> Result<String, Error> {
        if self.is_live() { Ok(self.live_state()?.0) } else { Ok(self.generation.clone()) }
    }

    /// Opens a session that stops when `watch` says so.
    pub(crate) fn session(self: &Arc<Self>, watch: Arc<dyn Watch>) -> Result<Session, Error> {
        self.begin(watch).map_err(|error| self.judge(error))
    }

    fn begin(self: &Arc<Self>, watch: Arc<dyn Watch>) -> Result<Session, Error> {
        let mut connection = match self.idle().pop() {
            Some(connection) => connection,
            None => Connection::open(&self.database, self.mode)?,
        };
        connection.watch(watch)?;
        let mut session = Session { connection: Some(connection), report: Arc::clone(self), generation: self.generation.clone() };
        if self.is_live() {
            self.wait_for_quiet()?;
            let before = self.live_state()?.1;
            session.connection()?.begin()?;
            // From here on the lock keeps writers out of the file, and a write-ahead log that has not grown since
            // `before` holds nothing that the transaction does not see.
            let (generation, log) = self.live_state()?;
            if log != before {
                return Err(Error::BeingWritten);
            }
            session.generation = generation;
        }
        Ok(session)
    }

    /// Lets a write that is on come to its end. The time of a file is that of the beginning of a write, so that of one that
    /// falls into a single write nothing would be noticed afterwards. SQLite's writers count their commits, and are kept
    /// out by its lock: they need not be waited for.
    fn wait_for_quiet(&self) -> Result<(), Error> {
        let Origin::Place(found, file) = &self.origin else { return Ok(()) };
        let first = change_counter(file)?;
        for _ in 0..QUIET_LOOKS {
            let stat = Stat::from(&file.metadata().map_err(io_error)?);
            let age = stat.age(SystemTime::now());
            if age >= QUIET || change_counter(file)? != first || store::folder::has_journal(&found.path) {
                return Ok(());
            }
            std::thread::sleep(QUIET - age);
        }
        Err(Error::BeingWritten)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The generation that the file has now, and what its write-ahead log looks like.
    fn live_state(&self) -> Result<(String, Option<Stat>), Error> {
        let Origin::Place(found, file) = &self.origin else { return Ok((self.generation.clone(), None)) };
        let metadata = file.metadata().map_err(io_error)?;
        let mut log = found.path.clone().into_os_string();
        log.push("-wal");
        let log = Stat::of(&PathBuf::from(log)).ok().filter(|stat| stat.size > 0);
        let stat = Stat { changed_ns: 0, ..Stat::from(&metadata) };
        Ok((generation(&stat, change_counter(file)?, log.as_ref()), log))
    }

    /// The store still has the content that `generation` names.
    fn still_has(&self, generation: &str) -> Result<bool, Error> {
        let Origin::Place(found, file) = &self.origin else { return Ok(true) };
        if self.copy.is_some() {
            return Ok(true);
        }
        if !self.is_live() {
            // Asked of the open file, so that one that was replaced by renaming can be read to its end.
            let now = Stat::from(&file.metadata().map_err(io_error)?);
            return Ok((now.size, now.modified_ns) == (found.stat.size, found.stat.modified_ns));
        }
        let (now, log) = self.live_state()?;
        // With a write-ahead log SQLite itself keeps the snapshot, while others go on writing.
        Ok(log.is_some() || now == generation)
    }
}

/// A connection on loan, inside one read transaction.
pub(crate) struct Session {
    connection: Option<Connection>,
    report: Arc<Report>,
    generation: String,
}

impl Session {
    /// Names the content that this session reads.
    pub(crate) fn generation(&self) -> &str {
        &self.generation
    }

    /// The report that it reads.
    pub(crate) fn report(&self) -> &Report {
        &self.report
    }

    /// The connection.
    pub(crate) fn connection(&self) -> Result<&Connection, Error> {
        self.connection.as_ref().ok_or_else(|| Error::Internal("the session is over".to_owned()))
    }

    /// As [`Report::judge`].
    pub(crate) fn judge(&self, error: Error) -> Error {
        self.report.judge(error)
    }

    /// Whether all that was read so far is of one content. Asked at the end of an answer, while the lock is still held:
    /// a file that was overwritten without regard to locks is noticed here.
    pub(crate) fn is_consistent(&self) -> Result<bool, Error> {
        self.report.still_has(&self.generation)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        if self.report.is_live() || connection.has_failed() || connection.unwatch().is_err() {
            return;
        }
        let mut idle = self.report.idle();
        if idle.len() < IDLE_CONNECTIONS {
            idle.push(connection);
        }
    }
}

/// Bytes 24 to 27 of a database count its commits.
fn change_counter(file: &File) -> Result<u32, Error> {
    let mut bytes = [0; 4];
    match file.read_exact_at(&mut bytes, 24) {
        Ok(()) => Ok(u32::from_be_bytes(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(0),
        Err(error) => Err(io_error(error)),
    }
}

fn generation(stat: &Stat, counter: u32, log: Option<&Stat>) -> String {
    use std::hash::Hash;
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    (stat, counter, log).hash(&mut hasher);
    format!("{:032x}", hasher.digest128())
}

fn io_error(error: std::io::Error) -> Error {
    Error::Store(error.kind().to_string())
}

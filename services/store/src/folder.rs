//! A store that is a folder, or one single database file, of this machine. Nothing outside the folder is ever opened,
//! wherever links lead.

use std::{
    collections::{HashSet, VecDeque},
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use crate::location::{self, Location};

/// Names that a report's object can have, in order of preference.
const OBJECT_NAMES: [&str; 3] = ["ansible.sqlite", "ansible.sqlite.gz", "ansible.sqlite.zst"];

/// A folder of reports, or one report's file.
#[derive(Debug, Clone)]
pub struct Store {
    /// For a folder: its canonical path.
    root: PathBuf,
    /// For a single file: its path as given, so that a link may be turned to another file while we run.
    single: Option<PathBuf>,
}

/// Why a store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing is there.
    #[error("there is no report at this location")]
    NotFound,
    /// A link leads out of the store.
    #[error("a link leads out of the store")]
    Outside,
    /// The file system refused.
    #[error("failed to read {path}")]
    Io {
        /// Path below the root, without the root itself.
        path: String,
        /// What the file system said.
        #[source]
        source: io::Error,
    },
    /// The store itself cannot be opened.
    #[error("failed to open {path} as a store: give a folder of reports or an ansible.sqlite")]
    Open {
        /// The path as given.
        path: PathBuf,
        /// What the file system said.
        #[source]
        source: io::Error,
    },
}

/// What identifies the content of a file as far as the file system can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stat {
    /// Device number.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// Size in bytes.
    pub size: u64,
    /// Time of the last write in nanoseconds since 1970.
    pub modified_ns: i128,
    /// Time of the last change of content, name or mode in nanoseconds since 1970.
    pub changed_ns: i128,
}

impl Stat {
    /// Reads it for a path, following links.
    ///
    /// # Errors
    /// As [`fs::metadata`].
    pub fn of(path: &Path) -> io::Result<Self> {
        Ok(Self::from(&fs::metadata(path)?))
    }

    /// Time since the last write; nothing when it lies in the future.
    pub fn age(&self, now: SystemTime) -> Duration {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
        let age = i128::try_from(now).unwrap_or(i128::MAX).saturating_sub(self.modified_ns);
        Duration::from_nanos(u64::try_from(age.max(0)).unwrap_or(u64::MAX))
    }
}

impl From<&fs::Metadata> for Stat {
    fn from(metadata: &fs::Metadata) -> Self {
        let nanoseconds = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified_ns: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed_ns: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// A report's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Canonical path.
    pub path: PathBuf,
    /// What it looked like.
    pub stat: Stat,
    /// A rollback journal or write-ahead log lies beside it: it is in use, or its writer died.
    pub journal: bool,
}

/// One page of a folder.
#[derive(Debug, Default)]
pub struct Listing {
    /// Sub-folders and reports, in the order of their names' bytes.
    pub entries: Vec<Entry>,
    /// There are more behind the last one.
    pub more: bool,
}

/// Something in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// For reports: what the file looks like.
    pub report: Option<Stat>,
}

/// What a quick look over a store saw.
#[derive(Debug, Default)]
pub struct Survey {
    /// How many reports.
    pub reports: usize,
    /// The first of them.
    pub first: Vec<Location>,
    /// The look ended before the store did.
    pub partial: bool,
}

impl Store {
    /// Opens a folder, or a single database file.
    ///
    /// # Errors
    /// When the path is neither, or cannot be read.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Open { path: path.to_owned(), source };
        let root = fs::canonicalize(path).map_err(failed)?;
        let metadata = fs::metadata(&root).map_err(failed)?;
        if metadata.is_dir() {
            fs::read_dir(&root).map_err(failed)?;
            return Ok(Self { root, single: None });
        }
        fs::File::open(&root).map_err(failed)?;
        Ok(Self { root, single: Some(path.to_owned()) })
    }

    /// It is one single database.
    pub fn is_single(&self) -> bool {
        self.single.is_some()
    }

    /// A report lies at its very root, so that paths without a prefix lead into it.
    pub fn has_root_report(&self) -> bool {
        self.is_single() || self.locate(&Location::root()).is_ok()
    }

    /// The store as a person would name it.
    pub fn name(&self) -> String {
        self.single.as_ref().unwrap_or(&self.root).display().to_string()
    }

    /// Finds the report at a location.
    ///
    /// # Errors
    /// When nothing is there, a link leads out of the store, or the file system refuses.
    pub fn locate(&self, location: &Location) -> Result<Found, Error> {
        if let Some(path) = &self.single {
            if !location.is_root() {
                return Err(Error::NotFound);
            }
            let path = fs::canonicalize(path).map_err(|source| io_error(location, source))?;
            return found(location, path);
        }
        let folder = self.root.join(location.as_str());
        for name in OBJECT_NAMES {
            match self.inside(location, &folder.join(name)).and_then(|path| found(location, path)) {
                Err(Error::NotFound) => {}
                other => return other,
            }
        }
        Err(Error::NotFound)
    }

    /// Lists up to `limit` sub-folders and reports of a folder whose names come after `after`. A sub-folder is a report
    /// when its name is one of `prefixes` and a database lies in it.
    ///
    /// # Errors
    /// As [`Store::locate`].
    pub fn list(&self, folder: &Location, prefixes: &[String], after: &str, limit: usize) -> Result<Listing, Error> {
        if self.is_single() {
            return if folder.is_root() { Ok(Listing::default()) } else { Err(Error::NotFound) };
        }
        let path = self.resolve(folder)?;
        let mut names = Vec::new();
        for entry in fs::read_dir(&path).map_err(|source| io_error(folder, source))? {
            let entry = entry.map_err(|source| io_error(folder, source))?;
            // A name that is not text cannot be asked for by URL or by gRPC.
            let Ok(name) = entry.file_name().into_string() else { continue };
            let kind = entry.file_type().map_err(|source| io_error(folder, source))?;
            if name.as_str() > after && (kind.is_dir() || kind.is_symlink()) && name.len() <= location::MAX_SEGMENT_BYTES {
                names.push(name);
            }
        }
        names.sort_unstable();
        let mut listing = Listing::default();
        for name in names {
            let Ok(location) = join(folder, &name) else { continue };
            let Ok(path) = self.resolve(&location) else { continue };
            if listing.entries.len() == limit {
                listing.more = true;
                break;
            }
            let report = prefixes.contains(&name).then(|| self.locate(&location).ok()).flatten().map(|found| found.stat);
            if report.is_some() || path.is_dir() {
                listing.entries.push(Entry { name, report });
            }
        }
        Ok(listing)
    }

    /// Looks over the store for reports, outermost folders first, for at most `time`.
    pub fn survey(&self, prefixes: &[String], time: Duration, keep: usize) -> Survey {
        let end = Instant::now() + time;
        let mut survey = Survey::default();
        if self.locate(&Location::root()).is_ok() {
            survey.reports += 1;
            survey.first.push(Location::root());
        }
        let mut folders = VecDeque::from([Location::root()]);
        // Links may lead round in a ring.
        let mut seen = HashSet::new();
        while let Some(folder) = folders.pop_front() {
            if Instant::now() > end {
                survey.partial = true;
                break;
            }
            let Ok(path) = self.resolve(&folder) else { continue };
            if !seen.insert(path) {
                continue;
            }
            let Ok(listing) = self.list(&folder, prefixes, "", usize::MAX) else { continue };
            for entry in listing.entries {
                let Ok(location) = join(&folder, &entry.name) else { continue };
                if entry.report.is_some() {
                    survey.reports += 1;
                    if survey.first.len() < keep {
                        survey.first.push(location);
                    }
                } else {
                    folders.push_back(location);
                }
            }
        }
        survey
    }

    fn resolve(&self, location: &Location) -> Result<PathBuf, Error> {
        self.inside(location, &self.root.join(location.as_str()))
    }

    /// The canonical path, provided that it lies below the root.
    fn inside(&self, location: &Location, path: &Path) -> Result<PathBuf, Error> {
        let path = fs::canonicalize(path).map_err(|source| io_error(location, source))?;
        if path.starts_with(&self.root) { Ok(path) } else { Err(Error::Outside) }
    }
}

fn join(folder: &Location, name: &str) -> Result<Location, location::Error> {
    if folder.is_root() { Location::parse(name) } else { Location::parse(&format!("{folder}/{name}")) }
}

fn found(location: &Location, path: PathBuf) -> Result<Found, Error> {
    let metadata = fs::metadata(&path).map_err(|source| io_error(location, source))?;
    if !metadata.is_file() {
        return Err(Error::NotFound);
    }
    let journal = ["-journal", "-wal"].iter().any(|suffix| {
        let mut name = path.clone().into_os_string();
        name.push(suffix);
        fs::metadata(name).is_ok_and(|metadata| metadata.len() > 0)
    });
    Ok(Found { path, stat: Stat::from(&metadata), journal })
}

fn io_error(location: &Location, source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Error::NotFound,
        io::ErrorKind::InvalidFilename => Error::NotFound,
        // ELOOP, for which the standard library has no stable name: a ring of links names nothing.
        _ if source.raw_os_error() == Some(40) => Error::NotFound,
        _ => Error::Io { path: location.to_string(), source },
    }
}

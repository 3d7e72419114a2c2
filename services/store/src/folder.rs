//! A store that is a folder, or one single database file, of this machine. Nothing outside the folder is ever opened,
//! wherever links lead.

mod put;
mod remove;

use std::{
    collections::{HashSet, VecDeque},
    fs, io,
    ops::Range,
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;

use crate::{
    OBJECT_NAMES,
    error::Error,
    location::{self, Location},
    objects::Revision,
    store::{Entry, Fetched, Listing, Object, Summary},
};

/// Bytes of a file that are read at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// A folder of reports, or one report's file.
#[derive(Debug, Clone)]
pub struct Folder {
    /// For a folder: its canonical path.
    root: PathBuf,
    /// For a single file: its path as given, so that a link may be turned to another file while we run.
    single: Option<PathBuf>,
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

    /// When it was written last.
    pub fn modified(&self) -> SystemTime {
        let nanoseconds = u64::try_from(self.modified_ns).unwrap_or_default();
        SystemTime::UNIX_EPOCH + Duration::from_nanos(nanoseconds)
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

impl Folder {
    /// Opens a folder, or a single database file.
    ///
    /// # Errors
    /// When the path is neither, or cannot be read.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::Open { path: path.to_owned(), problem: error.to_string() };
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
            return found(fs::canonicalize(path)?);
        }
        let folder = self.root.join(location.as_str());
        for name in OBJECT_NAMES {
            match self.inside(&folder.join(name)).and_then(found) {
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
        for entry in fs::read_dir(&path)? {
            let entry = entry?;
            // A name that is not text cannot be asked for by URL or by gRPC.
            let Ok(name) = entry.file_name().into_string() else { continue };
            let kind = entry.file_type()?;
            if name.as_str() > after && (kind.is_dir() || kind.is_symlink()) && name.len() <= location::MAX_SEGMENT_BYTES {
                names.push(name);
            }
        }
        names.sort_unstable();
        let mut listing = Listing::default();
        for name in names {
            let Ok(location) = folder.join(&name) else { continue };
            let Ok(path) = self.resolve(&location) else { continue };
            if listing.entries.len() == limit {
                listing.next = listing.entries.last().map(|entry| entry.name.clone());
                break;
            }
            let found = prefixes.contains(&name).then(|| self.locate(&location).ok()).flatten();
            let report = found.map(|found| Summary { size: found.stat.size, modified: Some(found.stat.modified()) });
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
                let Ok(location) = folder.join(&entry.name) else { continue };
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

    /// As [`crate::Store::fetch`]; reading blocks.
    pub(crate) fn fetch(&self, location: &Location, known: Option<&Revision>) -> Result<Fetched, Error> {
        let Found { path, stat, .. } = self.locate(location)?;
        let file = fs::File::open(&path)?;
        let revision = Revision {
            key: path.strip_prefix(&self.root).unwrap_or(&path).to_string_lossy().into_owned(),
            etag: Some(format!("{:x}-{:x}-{:x}", stat.inode, stat.size, stat.modified_ns)),
            version: None,
            modified: Some(stat.modified()),
            size: stat.size,
            settled: true,
        };
        if known.is_some_and(|known| known.identity() == revision.identity()) {
            return Ok(Fetched::NotModified);
        }
        let body = futures::stream::try_unfold((file, 0), move |reading| async move {
            let read = tokio::task::spawn_blocking(move || read(reading, stat)).await;
            read.map_err(|error| Error::Unavailable(error.to_string()))?
        });
        Ok(Fetched::Object(Object { revision, body: Box::pin(body) }))
    }

    /// As [`crate::Store::range`]; reading blocks.
    pub(crate) fn range(&self, revision: &Revision, range: Range<u64>) -> Result<Bytes, Error> {
        let file = fs::File::open(self.inside(&self.root.join(&revision.key))?)?;
        let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
        let mut bytes = vec![0; length];
        let count = file.read_at(&mut bytes, range.start)?;
        bytes.truncate(count);
        Ok(bytes.into())
    }

    fn resolve(&self, location: &Location) -> Result<PathBuf, Error> {
        self.inside(&self.root.join(location.as_str()))
    }

    /// The canonical path, provided that it lies below the root.
    fn inside(&self, path: &Path) -> Result<PathBuf, Error> {
        let path = fs::canonicalize(path)?;
        if path.starts_with(&self.root) { Ok(path) } else { Err(Error::Outside) }
    }
}

/// A file, and how much of it has been read.
type Reading = (fs::File, u64);

/// The next bytes of a file that is expected to look as it did.
fn read((file, offset): Reading, stat: Stat) -> Result<Option<(Bytes, Reading)>, Error> {
    let mut bytes = vec![0; CHUNK_BYTES];
    let count = file.read_at(&mut bytes, offset)?;
    if count == 0 {
        let now = Stat::from(&file.metadata()?);
        let same = (now.size, now.modified_ns) == (stat.size, stat.modified_ns) && offset == stat.size;
        return if same { Ok(None) } else { Err(Error::Changed) };
    }
    bytes.truncate(count);
    Ok(Some((bytes.into(), (file, offset + count as u64))))
}

/// A rollback journal or write-ahead log lies beside a file: SQLite writes it, or its writer died.
pub fn has_journal(path: &Path) -> bool {
    ["-journal", "-wal"].iter().any(|suffix| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        fs::metadata(name).is_ok_and(|metadata| metadata.len() > 0)
    })
}

fn found(path: PathBuf) -> Result<Found, Error> {
    let metadata = fs::metadata(&path)?;
    if !metadata.is_file() {
        return Err(Error::NotFound);
    }
    let journal = has_journal(&path);
    Ok(Found { path, stat: Stat::from(&metadata), journal })
}

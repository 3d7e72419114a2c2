//! From a file that the store found to a report that can be asked: is it a database, is it still written, is it packed,
//! was it left in the middle of a write, is its schema an older one. Opened reports are kept by `reports`.

use std::{
    fs::File,
    io::{BufWriter, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use store::{
    Found, Stat,
    encoding::{self, Encoding},
};

use crate::{
    database::{self, Connection, Mode},
    error::Error,
    report::{Parts, Report},
    schema::Schema,
};

/// A file that was not written for this long has settled. Well above the clock steps of file systems, so that no write
/// can hide behind an unchanged time.
pub(crate) const SETTLE: Duration = Duration::from_secs(2);
/// Bytes of an SQLite header that [`Header::read`] wants.
const HEADER_BYTES: usize = 100;

/// A copy that can be asked.
pub(crate) struct Proved {
    pub(crate) copy: tempfile::TempPath,
    /// Releases of ARA that write the schema which it had.
    pub(crate) release: &'static str,
    /// Size in bytes.
    pub(crate) bytes: u64,
}

/// Where copies go and how large they may be.
#[derive(Debug, Clone)]
pub(crate) struct Workshop {
    /// A folder of our own.
    pub(crate) folder: PathBuf,
    /// Largest database that an object may unpack to, in bytes.
    pub(crate) max_unpacked: u64,
}

impl Workshop {
    /// Opens what the store found.
    pub(crate) fn open(&self, found: Found) -> Result<Report, Error> {
        let file = File::open(&found.path).map_err(io_error)?;
        let age = found.stat.age(SystemTime::now());
        let settled = age >= SETTLE && !found.journal;
        let opened = self.open_file(&found, &file, settled);
        // Whoever overwrites a file makes it small first: for a moment anything may be wrong with it.
        let as_found = || file.metadata().is_ok_and(|metadata| Stat::from(&metadata) == found.stat);
        let being_written = |error: Error| match error {
            Error::Damaged(_) | Error::NotAra(_) if !settled || !as_found() => Error::BeingWritten,
            other => other,
        };
        let Opened { mode, database, copy, encoding, release, first } = opened.map_err(being_written)?;
        if mode == Mode::Immutable && file.metadata().map(|metadata| Stat::from(&metadata)).map_err(io_error)? != found.stat {
            return Err(Error::BeingWritten);
        }
        let expires = (mode == Mode::Immutable && !settled).then(|| Instant::now() + SETTLE.saturating_sub(age));
        Report::new(Parts { mode, database, found, file, encoding, release, expires, copy, first })
    }

    fn open_file(&self, found: &Found, file: &File, settled: bool) -> Result<Opened, Error> {
        let mut head = [0; HEADER_BYTES];
        let length = read_head(file, &mut head)?;
        let head = head.get(..length).unwrap_or_default();
        if head.is_empty() {
            return Err(Error::Damaged("the file is empty".to_owned()));
        }
        let encoding = encoding::sniff(head).ok_or_else(|| Error::Damaged("the file is not an SQLite database".to_owned()))?;
        if encoding != Encoding::Raw {
            let copy = self.unpack(file, encoding)?;
            return self.open_copy(copy, encoding);
        }
        let header = Header::read(head)?;
        header.check(found.stat.size)?;
        if header.logs_ahead && !settled && !beside(&found.path, "-shm").exists() {
            // Whoever wrote it is gone, and SQLite would make files of its own in the store to read it.
            let copy = self.recover(found, "-wal")?;
            return if beside(&found.path, "-shm").exists() { Err(Error::BeingWritten) } else { self.open_copy(copy, encoding) };
        }
        let mode = if settled { Mode::Immutable } else { Mode::Live };
        match probe(&found.path, mode) {
            Ok((first, schema)) if schema.is_current() => {
                Ok(Opened { mode, database: found.path.clone(), copy: None, encoding, release: schema.release, first })
            }
            Ok((_, schema)) => {
                let copy = self.rebuild(&found.path, mode, &schema)?;
                let first = Connection::open(&copy, Mode::Immutable)?;
                let (database, release) = (copy.to_path_buf(), schema.release);
                Ok(Opened { mode: Mode::Immutable, database, copy: Some(copy), encoding, release, first })
            }
            Err(ProbeError::Database(database::Error::NeedsRecovery)) => {
                let copy = self.recover(found, "-journal")?;
                self.open_copy(copy, encoding)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Sees whether a database that nobody else knows is sound and ARA's, and brings it to the current schema.
    pub(crate) fn prove(&self, copy: tempfile::TempPath) -> Result<Proved, Error> {
        let file = File::open(&copy).map_err(io_error)?;
        let mut head = [0; HEADER_BYTES];
        let length = read_head(&file, &mut head)?;
        let size = file.metadata().map_err(io_error)?.len();
        Header::read(head.get(..length).unwrap_or_default())?.check(size)?;
        let (first, schema) = probe(&copy, Mode::Immutable)?;
        drop(first);
        if schema.is_current() {
            return Ok(Proved { copy, release: schema.release, bytes: size });
        }
        let rebuilt = self.rebuild(&copy, Mode::Immutable, &schema)?;
        let bytes = std::fs::metadata(&rebuilt).map_err(io_error)?.len();
        Ok(Proved { copy: rebuilt, release: schema.release, bytes })
    }

    fn open_copy(&self, copy: tempfile::TempPath, encoding: Encoding) -> Result<Opened, Error> {
        let Proved { copy, release, .. } = self.prove(copy)?;
        let first = Connection::open(&copy, Mode::Immutable)?;
        Ok(Opened { mode: Mode::Immutable, database: copy.to_path_buf(), copy: Some(copy), encoding, release, first })
    }

    /// Writes the content of an older schema into a new database of the current one.
    fn rebuild(&self, source: &Path, mode: Mode, schema: &Schema) -> Result<tempfile::TempPath, Error> {
        let copy = self.new_file().map_err(io_error)?.into_temp_path();
        let scripts = schema.rebuild();
        let scripts: Vec<&str> = scripts.iter().map(String::as_str).collect();
        Connection::rebuild(&copy, source, mode, &scripts)?;
        Ok(copy)
    }

    fn unpack(&self, file: &File, encoding: Encoding) -> Result<tempfile::TempPath, Error> {
        let target = self.new_file().map_err(io_error)?;
        let mut writer = BufWriter::with_capacity(64 * 1024, target.as_file());
        encoding::unpack(encoding, file, &mut writer, self.max_unpacked)?;
        writer.flush().map_err(io_error)?;
        drop(writer);
        Ok(target.into_temp_path())
    }

    /// Copies a database with the journal or log of its dead writer, and rolls back or takes in what that holds.
    fn recover(&self, found: &Found, suffix: &str) -> Result<tempfile::TempPath, Error> {
        let copy = self.new_file().map_err(io_error)?.into_temp_path();
        let journal = tempfile::TempPath::try_from_path(beside(&copy, suffix)).map_err(io_error)?;
        std::fs::copy(&found.path, &copy).map_err(io_error)?;
        match std::fs::copy(beside(&found.path, suffix), &journal) {
            // A log that was taken in is gone.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && suffix == "-wal" => return Ok(copy),
            copied => copied.map_err(io_error)?,
        };
        if names_another(&journal).map_err(io_error)? {
            return Err(Error::Damaged("the journal beside it belongs to several databases".to_owned()));
        }
        Connection::recover(&copy)?;
        Ok(copy)
    }

    /// A file in the making, gone when it is dropped.
    pub(crate) fn new_file(&self) -> std::io::Result<tempfile::NamedTempFile> {
        tempfile::Builder::new().suffix(".sqlite").tempfile_in(&self.folder)
    }
}

struct Opened {
    mode: Mode,
    database: PathBuf,
    copy: Option<tempfile::TempPath>,
    encoding: Encoding,
    release: &'static str,
    first: Connection,
}

enum ProbeError {
    Database(database::Error),
    Schema(Error),
}

impl From<ProbeError> for Error {
    fn from(error: ProbeError) -> Self {
        match error {
            ProbeError::Database(error) => error.into(),
            ProbeError::Schema(error) => error,
        }
    }
}

fn probe(path: &Path, mode: Mode) -> Result<(Connection, Schema), ProbeError> {
    let connection = Connection::open(path, mode).map_err(ProbeError::Database)?;
    // One read of a table tells whether the file can be read at all.
    connection.begin().and_then(|()| connection.end()).map_err(ProbeError::Database)?;
    let schema = Schema::probe(&connection).map_err(ProbeError::Schema)?;
    Ok((connection, schema))
}

/// What the first bytes of a database promise.
struct Header {
    page_size: u64,
    /// Absent where the writer was too old to keep it.
    pages: Option<u64>,
    /// Its writers keep a write-ahead log.
    logs_ahead: bool,
}

impl Header {
    fn read(head: &[u8]) -> Result<Self, Error> {
        let cut_short = || Error::Damaged("the file is cut short".to_owned());
        let number = |at: usize| -> Result<u32, Error> {
            let bytes = head.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).ok_or_else(cut_short)?;
            Ok(u32::from_be_bytes(bytes))
        };
        let page_size = match number(16)? >> 16 {
            1 => 65_536,
            size => u64::from(size),
        };
        // The page count is valid only when the change counter is that of the library that wrote it.
        let pages = (number(24)? == number(92)?).then_some(u64::from(number(28)?)).filter(|pages| *pages > 0);
        Ok(Self { page_size, pages, logs_ahead: head.get(19) == Some(&2) })
    }

    fn check(&self, size: u64) -> Result<(), Error> {
        match self.pages {
            Some(pages) if pages * self.page_size > size => {
                Err(Error::Damaged(format!("the file is cut short: {size} of {} bytes are there", pages * self.page_size)))
            }
            _ => Ok(()),
        }
    }
}

/// A journal that ends with these bytes names a file that SQLite deletes after it has rolled back, wherever it lies.
const NAMES_ANOTHER: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

fn names_another(journal: &Path) -> std::io::Result<bool> {
    let file = File::open(journal)?;
    let Some(at) = file.metadata()?.len().checked_sub(NAMES_ANOTHER.len() as u64) else { return Ok(false) };
    let mut end = [0; NAMES_ANOTHER.len()];
    file.read_exact_at(&mut end, at)?;
    Ok(end == NAMES_ANOTHER)
}

/// The file that SQLite keeps beside a database.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.to_path_buf().into_os_string();
    name.push(suffix);
    PathBuf::from(name)
}

fn read_head(file: &File, head: &mut [u8]) -> Result<usize, Error> {
    let mut length = 0;
    while let Some(rest) = head.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, length as u64) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(io_error(error)),
        }
    }
    Ok(length)
}

fn io_error(error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::NotFound => Error::ReportNotFound,
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Error::CacheFull("its disk is full".to_owned()),
        kind => Error::Store(kind.to_string()),
    }
}

//! The one home of SQLite: connections to databases that nobody has to trust, and typed access to their values. What is
//! asked, and of which file, is decided elsewhere.

mod harden;
mod row;

use std::{
    cell::Cell,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

pub(crate) use row::{Row, Value};
use rusqlite::{ErrorCode, OpenFlags};

/// How long a reader waits for a writer's commit before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// How often SQLite asks whether the question still matters, in steps of its virtual machine (some microseconds each
/// thousand).
const PROGRESS_STEPS: i32 = 2_000;

/// Why a database could not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The bytes are not a sound database.
    #[error("the database is damaged: {0}")]
    Damaged(#[source] rusqlite::Error),
    /// The tables are not those that the statement knows.
    #[error("the database has other tables: {0}")]
    Shape(#[source] rusqlite::Error),
    /// The statement would reach what it must not.
    #[error("the database's schema reaches for more than tables: {0}")]
    Denied(#[source] rusqlite::Error),
    /// A writer died and left a journal that only a writer can roll back.
    #[error("the database needs recovery")]
    NeedsRecovery,
    /// A writer holds it for too long.
    #[error("the database is locked")]
    Busy,
    /// The [`Watch`] said stop.
    #[error("the question was interrupted")]
    Interrupted,
    /// A value or the whole answer passes a limit.
    #[error("a value is too large: {0}")]
    TooLarge(#[source] rusqlite::Error),
    /// The disk has no room for a copy.
    #[error("the disk is full")]
    Full,
    /// The file could not be read.
    #[error("failed to read the database: {0}")]
    Io(#[source] rusqlite::Error),
    /// Anything else: our own mistake.
    #[error("failed to run a statement: {0}")]
    Statement(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        // What cannot be compiled comes with the whole statement.
        let error = match error {
            rusqlite::Error::SqlInputError { error, msg, .. } => rusqlite::Error::SqliteFailure(error, Some(msg)),
            other => other,
        };
        let rusqlite::Error::SqliteFailure(code, _) = &error else { return Self::Statement(error) };
        match code.code {
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Damaged(error),
            // Only copies are written to, so it is the stored rows that break the rules of their tables.
            ErrorCode::ConstraintViolation => Self::Damaged(error),
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy,
            ErrorCode::OperationInterrupted => Self::Interrupted,
            ErrorCode::TooBig | ErrorCode::OutOfMemory => Self::TooLarge(error),
            ErrorCode::AuthorizationForStatementDenied => Self::Denied(error),
            // A database of ours is opened read-only, so the only write that it can want is a recovery.
            ErrorCode::ReadOnly => Self::NeedsRecovery,
            ErrorCode::SystemIoFailure if code.extended_code == rusqlite::ffi::SQLITE_IOERR_SHORT_READ => Self::Damaged(error),
            ErrorCode::DiskFull => Self::Full,
            ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::PermissionDenied => Self::Io(error),
            ErrorCode::Unknown if code.extended_code == rusqlite::ffi::SQLITE_ERROR => Self::Shape(error),
            _ => Self::Statement(error),
        }
    }
}

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Nobody writes it: no locks, journals not looked at.
    Immutable,
    /// Somebody may write it: SQLite's own locks.
    Live,
}

/// Tells a running statement whether anybody still waits for its answer.
pub(crate) trait Watch: Send + Sync + 'static {
    /// The caller has gone away.
    fn is_abandoned(&self) -> bool;
    /// When the answer stops being of use.
    fn deadline(&self) -> Instant;
}

/// A bound value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Param {
    Integer(i64),
    Text(String),
}

impl rusqlite::ToSql for Param {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        match self {
            Self::Integer(value) => value.to_sql(),
            Self::Text(value) => value.to_sql(),
        }
    }
}

/// One read-only connection.
pub(crate) struct Connection {
    sqlite: rusqlite::Connection,
    /// A statement failed. SQLite looks at the cells of a page when it first reads it, and trusts its cache afterwards: the
    /// connection that found a page damaged takes it for sound from then on.
    failed: Cell<bool>,
}

impl Connection {
    /// Opens a file for reading, with everything off that a stored schema could misuse.
    pub(crate) fn open(path: &Path, mode: Mode) -> Result<Self, Error> {
        let immutable = if mode == Mode::Immutable { "&immutable=1" } else { "" };
        let uri = format!("file:{}?mode=ro{immutable}", uri_path(path));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = rusqlite::Connection::open_with_flags(uri, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        harden::apply(&mut connection)?;
        Ok(Self { sqlite: connection, failed: Cell::new(false) })
    }

    /// Rolls back the journal that a dead writer left beside `path`, which must be a copy of ours.
    pub(crate) fn recover(path: &Path) -> Result<(), Error> {
        let connection =
            rusqlite::Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        harden::distrust(&connection)?;
        connection.query_row("SELECT COUNT(*) FROM sqlite_master", [], |_| Ok(()))?;
        Ok(())
    }

    /// Writes a new database at `path` from the one at `source`: `schema` makes its tables, then each of `copies` runs
    /// with the source attached as `source`, then `indexes`.
    pub(crate) fn rebuild(path: &Path, source: &Path, mode: Mode, scripts: &[&str]) -> Result<(), Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = rusqlite::Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        harden::distrust(&connection)?;
        // A copy that a crash spoils is made again, so nothing has to reach the disk.
        connection.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF;")?;
        let immutable = if mode == Mode::Immutable { "&immutable=1" } else { "" };
        connection.execute("ATTACH ?1 AS source", [format!("file:{}?mode=ro{immutable}", uri_path(source))])?;
        connection.execute_batch("BEGIN")?;
        for script in scripts {
            connection.execute_batch(script)?;
        }
        connection.execute_batch("COMMIT; DETACH source")?;
        Ok(())
    }

    /// From now on statements stop when `watch` says so.
    pub(crate) fn watch(&mut self, watch: Arc<dyn Watch>) -> Result<(), Error> {
        let handler = move || watch.is_abandoned() || Instant::now() > watch.deadline();
        Ok(self.sqlite.progress_handler(PROGRESS_STEPS, Some(handler))?)
    }

    /// Statements run to their end again.
    pub(crate) fn unwatch(&mut self) -> Result<(), Error> {
        Ok(self.sqlite.progress_handler(0, None::<fn() -> bool>)?)
    }

    /// Starts a read transaction and takes the lock that keeps writers out of the file.
    pub(crate) fn begin(&self) -> Result<(), Error> {
        self.sqlite.execute_batch("BEGIN")?;
        self.sqlite.prepare_cached("SELECT COUNT(*) FROM sqlite_master")?.query_row([], |_| Ok(()))?;
        Ok(())
    }

    /// Ends the read transaction.
    pub(crate) fn end(&self) -> Result<(), Error> {
        Ok(self.sqlite.execute_batch("COMMIT")?)
    }

    /// A statement of it failed: what it reads from now on is not to be trusted.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.get()
    }

    /// Runs a statement and hands every row to `each`, until it fails or is done.
    pub(crate) fn query<E: From<Error>>(
        &self,
        sql: &str,
        params: &[Param],
        mut each: impl FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |error: rusqlite::Error| {
            self.failed.set(true);
            Error::from(error)
        };
        let mut statement = self.sqlite.prepare_cached(sql).map_err(failed)?;
        let mut rows = statement.query(rusqlite::params_from_iter(params)).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            each(&Row::new(row))?;
        }
        Ok(())
    }
}

/// A path inside an SQLite URI.
fn uri_path(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    let mut text = String::new();
    for &byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

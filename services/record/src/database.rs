//! The one home of SQLite in this crate: a new database, filled with rows and put in its place whole.

use std::{
    fs::{File, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use rusqlite::{
    Connection, ToSql,
    types::{ToSqlOutput, ValueRef},
};

use crate::rows::{Rows, Table, Value};

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system refused.
    #[error("failed to write the report {}: {source}", path.display())]
    File {
        /// The report's path.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// SQLite refused.
    #[error("failed to write the report {}: {source}", path.display())]
    Sqlite {
        /// The report's path.
        path: PathBuf,
        /// What went wrong.
        source: rusqlite::Error,
    },
}

/// Writes a database beside `path`, then gives it that name. It is on disk when this returns.
pub(crate) fn write(path: &Path, rows: &Rows) -> Result<(), Error> {
    let file = |source: io::Error| Error::File { path: path.to_owned(), source };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // As any other file that a program makes: what the user's mask leaves of this.
    let permissions = Permissions::from_mode(0o666);
    let partial = tempfile::Builder::new().prefix(".report-").permissions(permissions).tempfile_in(folder).map_err(file)?;
    fill(partial.path(), rows).map_err(|source| Error::Sqlite { path: path.to_owned(), source })?;
    partial.as_file().sync_all().map_err(file)?;
    partial.persist(path).map_err(|error| file(error.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(file)
}

fn fill(path: &Path, rows: &Rows) -> rusqlite::Result<()> {
    let mut connection = Connection::open(path)?;
    // What a crash leaves is not the report but a file beside it.
    connection.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(include_str!("../sql/schema.sql"))?;
    transaction.execute(include_str!("../sql/migrations.sql"), [&rows.began])?;
    transaction.execute_batch(include_str!("../sql/content_types.sql"))?;
    for Table { name, columns, rows } in &rows.tables {
        let places = vec!["?"; columns.len()].join(", ");
        let mut statement = transaction.prepare(&format!("INSERT INTO {name} ({}) VALUES ({places})", columns.join(", ")))?;
        for row in rows {
            statement.execute(rusqlite::params_from_iter(row))?;
        }
    }
    transaction.commit()?;
    connection.close().map_err(|(_, error)| error)
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(value) => ValueRef::Integer(*value),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
            Self::Blob(value) => ValueRef::Blob(value),
        }))
    }
}

#[cfg(test)]
mod tests;

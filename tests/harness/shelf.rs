//! A store that belongs to one test: a folder with reports that the test puts there, changes and spoils.
//!
//! What ordinary reports look like is decided by `corpus`, from which they are copied.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use flate2::Compression;
use rusqlite::{Connection as Database, types::Value};

use crate::corpus::{Set, corpus};

/// The folder; removed at the end.
pub struct Shelf {
    _folder: tempfile::TempDir,
    root: PathBuf,
}

impl Default for Shelf {
    fn default() -> Self {
        Shelf::new()
    }
}

impl Shelf {
    /// An empty one, one folder down, so that a test can put something beside it.
    pub fn new() -> Shelf {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("logs");
        fs::create_dir(&root).unwrap();
        Shelf { _folder: folder, root }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the report of a folder lies. The folder is made.
    pub fn file(&self, folder: &str) -> PathBuf {
        let folder = self.root.join(folder).join("ara-report");
        fs::create_dir_all(&folder).unwrap();
        folder.join("ansible.sqlite")
    }

    /// Puts bytes there.
    pub fn put(&self, folder: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let file = self.file(folder);
        fs::write(&file, bytes).unwrap();
        file
    }

    /// Makes all files as old as if nobody had written them for an hour: only then are they what they are.
    pub fn settle(&self) {
        settle(&self.root);
    }

    /// Puts an ordinary report there and changes it by statements.
    pub fn change(&self, folder: &str, statements: &str) -> PathBuf {
        let file = self.put(folder, ordinary());
        alter(&file, |database| {
            database.execute_batch(statements).unwrap();
        });
        file
    }
}

pub fn settle(folder: &Path) {
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            settle(&entry.path());
        } else if kind.is_file() {
            let file = fs::File::options().append(true).open(entry.path()).unwrap();
            file.set_modified(hour_ago).unwrap();
        }
    }
}

/// Changes a database as its owner would, without checks of what refers to what.
pub fn alter(file: &Path, change: impl FnOnce(&Database)) {
    let database = Database::open(file).unwrap();
    database.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF;").unwrap();
    change(&database);
    database.close().unwrap();
}

/// Adds so many copies of a report's first result to it.
pub fn repeat_result(file: &Path, copies: u64) {
    alter(file, |database| {
        let columns = "created, updated, started, ended, status, content, host_id, play_id, playbook_id, task_id, changed, ignore_errors, duration";
        let sql = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {copies})
             INSERT INTO results ({columns}) SELECT {columns} FROM n CROSS JOIN (SELECT * FROM results WHERE id = 1)"
        );
        database.execute_batch(&sql).unwrap();
    });
}

/// A report of the corpus, settled long ago.
pub fn ordinary_file() -> PathBuf {
    corpus(389, Set::Small).root.join("1/ara-report/ansible.sqlite")
}

/// Its bytes.
pub fn ordinary() -> Vec<u8> {
    fs::read(ordinary_file()).unwrap()
}

/// A text as ARA stores it.
pub fn squeeze(text: &str) -> Vec<u8> {
    zlib(text.as_bytes())
}

pub fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

/// The same tables and rows in a new database that begins with other pragmas, such as another encoding of texts.
pub fn rewrite(source: &Path, target: &Path, pragmas: &str) {
    let old = Database::open(source).unwrap();
    let new = Database::open(target).unwrap();
    new.execute_batch(&format!("{pragmas} PRAGMA foreign_keys = OFF; BEGIN;")).unwrap();
    let schema = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'
                  ORDER BY type = 'index'";
    let mut schema = old.prepare(schema).unwrap();
    let mut entries = schema.query([]).unwrap();
    while let Some(entry) = entries.next().unwrap() {
        let (kind, name, sql): (String, String, String) = (entry.get(0).unwrap(), entry.get(1).unwrap(), entry.get(2).unwrap());
        new.execute_batch(&sql).unwrap();
        if kind != "table" {
            continue;
        }
        let mut select = old.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
        let columns = select.column_count();
        let places = vec!["?"; columns].join(", ");
        let mut insert = new.prepare(&format!("INSERT INTO \"{name}\" VALUES ({places})")).unwrap();
        let mut rows = select.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<Value> = (0..columns).map(|column| row.get(column).unwrap()).collect();
            insert.execute(rusqlite::params_from_iter(values)).unwrap();
        }
    }
    new.execute_batch("COMMIT").unwrap();
}

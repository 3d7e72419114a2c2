//! The reports in `tests/fixtures/logs` are real, small, and say nothing of the machine that made them.
//!
//! How they are made is for `tests/fixtures/make`.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection as Database, OpenFlags};
use tests::ara::{Ara, Options};
use tests::http::Connection;

const MOST: u64 = 1_500_000;
const REPORTS: [&str; 3] = ["demo/1", "demo/2/logs", "nightly/2024-03-01"];

fn logs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/logs")
}

/// Every file below the folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

/// Every value of every table, as text, with where it is.
fn values(file: &Path) -> Vec<(String, String)> {
    let database = Database::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let tables: Vec<String> = database
        .prepare("select name from sqlite_master where type = 'table'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut out = Vec::new();
    for table in tables {
        let mut statement = database.prepare(&format!("select * from {table}")).unwrap();
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for (index, column) in columns.iter().enumerate() {
                let text = match row.get_unwrap(index) {
                    Value::Text(text) => text,
                    Value::Blob(blob) => inflated(&blob),
                    _ => continue,
                };
                out.push((format!("{}: {table}.{column}", file.display()), text));
            }
        }
    }
    out
}

fn inflated(blob: &[u8]) -> String {
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::ZlibDecoder::new(blob), &mut text).expect("a value is not compressed text");
    text
}

/// Whether the text has this word with nothing of a longer name around it.
fn has_word(text: &str, word: &str) -> bool {
    let of_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].chars().next_back().is_some_and(of_name) && !text[at + word.len()..].chars().next().is_some_and(of_name)
    })
}

#[test]
fn fixtures_hold_nothing_of_the_machine_that_made_them() {
    let mut found = Vec::new();
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let here = env!("CARGO_MANIFEST_DIR");
    for file in files(&logs()) {
        let values = match file.extension().and_then(|extension| extension.to_str()) {
            Some("sqlite") => values(&file),
            _ => vec![(file.display().to_string(), fs::read_to_string(&file).unwrap())],
        };
        for (place, text) in values {
            for folder in ["/root", "/home", "/tmp", "/work", "/Users", "/private", here] {
                if text.contains(folder) {
                    found.push(format!("{place} has {folder}"));
                }
            }
            for word in [host.trim(), "ansible_env"] {
                if !word.is_empty() && word != "localhost" && has_word(&text, word) {
                    found.push(format!("{place} has {word}"));
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn fixtures_are_small_and_complete() {
    let size: u64 = files(&logs()).iter().map(|file| fs::metadata(file).unwrap().len()).sum();
    assert!(size < MOST, "{size} bytes");
    for report in REPORTS {
        assert!(logs().join(report).join("ara-report/ansible.sqlite").is_file(), "{report}");
    }
    assert!(logs().join("nightly/2024-03-01/console.txt").is_file());
}

#[test]
fn fixtures_are_served_as_by_ara() {
    let ara = Ara::start(&Options { workers: 1, ..Options::of(logs()) });
    let (url, _aviary) = tests::aviary::start(&logs(), &[]);
    let mut ara = Connection::new(ara.address());
    let mut aviary = Connection::new(tests::aviary::address(&url));
    for report in REPORTS {
        for path in ["playbooks", "playbooks/1", "plays", "tasks", "hosts/1", "results?limit=3", "results/1", "files/1", "labels"]
        {
            let target = format!("/{report}/ara-report/api/v1/{path}");
            let (theirs, ours) = (ara.get(&target).unwrap(), aviary.get(&target).unwrap());
            assert_eq!(theirs.status, 200, "{target}");
            assert_eq!(theirs.text(), ours.text(), "{target}");
        }
    }
}

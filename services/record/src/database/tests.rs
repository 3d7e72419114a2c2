//! What is at a path while a report is written there, and afterwards.

use std::fs;

use rusqlite::OptionalExtension;

use super::*;

fn rows(began: &str) -> Rows {
    let label = vec![1.into(), began.into(), began.into(), "ci".into()];
    let columns = &["id", "created", "updated", "name"];
    Rows { tables: vec![Table { name: "labels", columns, rows: vec![label] }], began: began.to_owned() }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_report_is_a_sound_database_and_the_only_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ansible.sqlite");
    for began in ["2026-01-01 00:00:00", "2026-01-02 00:00:00"] {
        write(&path, &rows(began)).unwrap();
        assert_eq!(names(folder.path()), ["ansible.sqlite"]);
        let connection = Connection::open(&path).unwrap();
        let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
        let dangling = connection.query_row("PRAGMA foreign_key_check", [], |_| Ok(())).optional().unwrap();
        assert_eq!(dangling, None);
        let created: String = connection.query_row("SELECT created FROM labels", [], |row| row.get(0)).unwrap();
        assert_eq!(created, began);
    }
}

#[test]
fn what_cannot_be_written_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ansible.sqlite");
    fs::write(&path, "before").unwrap();
    let mut twice = rows("2026-01-01 00:00:00");
    let row = twice.tables[0].rows[0].clone();
    twice.tables[0].rows.push(row);
    let error = write(&path, &twice).unwrap_err();
    assert!(matches!(error, Error::Sqlite { .. }), "{error}");
    assert!(error.to_string().starts_with(&format!("failed to write the report {}: ", path.display())), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "before");
    assert_eq!(names(folder.path()), ["ansible.sqlite"]);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = write(&folder.path().join("none/ansible.sqlite"), &rows("2026-01-01 00:00:00")).unwrap_err();
    assert!(matches!(error, Error::File { .. }), "{error}");
    assert!(error.to_string().contains("none/ansible.sqlite"), "{error}");
}

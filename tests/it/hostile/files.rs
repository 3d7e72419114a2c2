//! Files that are no report, or that were made to do harm.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use gateway::error::Reason;
use rusqlite::Connection as Database;
use tests::corpus::{Set, corpus};
use tests::served::{Served, serve};
use tests::shelf::{Shelf, alter, gzip, ordinary, ordinary_file, rewrite, zlib, zstd};

use super::{refused, served_well};

const NOUNS: [&str; 9] = ["labels", "playbooks", "plays", "tasks", "hosts", "latesthosts", "results", "files", "records"];

fn list(folder: &str, noun: &str) -> String {
    format!("/{folder}/ara-report/api/v1/{noun}")
}

/// All lists of the report are as those of the good one.
#[track_caller]
fn as_good(served: &Served, folder: &str) {
    for noun in NOUNS {
        let mut rows = served_well(served, &list(folder, noun));
        let mut expected = served_well(served, &list("good", noun));
        let results = |value: &mut serde_json::Value| value["results"].take();
        assert_eq!(results(&mut rows), results(&mut expected), "{folder}: {noun}");
    }
    let page = served.send("GET", &format!("/{folder}/ara-report/"), &[super::BROWSER]);
    assert_eq!(page.status, 200, "{folder}: {}", page.text());
}

#[test]
fn broken_files_of_the_corpus_have_each_their_row() {
    let corpus = corpus(389, Set::Small);
    let shelf = Shelf::new();
    shelf.put("good", ordinary());
    for report in corpus.of_kind("broken").filter(|report| report.file(&corpus.root).is_file()) {
        shelf.put(&report.folder, fs::read(report.file(&corpus.root)).unwrap());
    }
    shelf.settle();
    let served = serve(shelf.root(), &[]);
    for (kind, reason) in [
        ("empty", Reason::ReportDamaged),
        ("not-sqlite", Reason::ReportDamaged),
        ("truncated", Reason::ReportDamaged),
        ("no-tables", Reason::ReportNotAra),
        ("view-instead-of-table", Reason::ReportNotAra),
    ] {
        for noun in NOUNS {
            refused(&served, &list(&format!("broken/{kind}"), noun), reason);
        }
        refused(&served, &format!("/broken/{kind}/ara-report/"), reason);
        refused(&served, &list(&format!("broken/{kind}"), "playbooks/1"), reason);
    }
    as_good(&served, "broken/wal-header");
    for kind in ["bad-blob", "bad-number", "bad-text"] {
        for noun in NOUNS {
            served_well(&served, &list(&format!("broken/{kind}"), noun));
        }
    }
}

#[test]
fn what_a_schema_has_beside_aras_tables_does_nothing() {
    let shelf = Shelf::new();
    shelf.put("good", ordinary());
    shelf.change("trigger", "CREATE TRIGGER evil AFTER UPDATE ON playbooks BEGIN DELETE FROM results; END;");
    shelf.change("virtual-table", "CREATE VIRTUAL TABLE evil USING fts5(a); INSERT INTO evil VALUES ('x');");
    shelf.change("module", "PRAGMA writable_schema = ON; INSERT INTO sqlite_master VALUES ('table', 'evil', 'evil', 0, 'CREATE VIRTUAL TABLE evil USING nobody(''/etc/passwd'')');");
    shelf.change("view", "CREATE VIEW evil AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n;");
    shelf.change("generated", "ALTER TABLE playbooks ADD COLUMN evil AS (hex(zeroblob(100000000)));");
    shelf.change(
        "index",
        "CREATE INDEX evil ON results (hex(zeroblob(100))); CREATE INDEX evil_2 ON hosts (abs(id)) WHERE like('%a%', name);",
    );
    let columns: String = (0..200).map(|column| format!("ALTER TABLE labels ADD COLUMN c{column} TEXT DEFAULT 'x';")).collect();
    shelf.change("columns", &columns);
    let columns: Vec<String> = (0..200).map(|column| format!("c{column}")).collect();
    shelf.change("table", &format!("CREATE TABLE evil ({}); INSERT INTO evil DEFAULT VALUES;", columns.join(", ")));
    shelf.change("statistics", "ANALYZE; UPDATE sqlite_stat1 SET stat = '9999999999999999999 0 -1 x';");
    shelf.change("user-version", "PRAGMA user_version = -1; PRAGMA application_id = 2147483647;");
    shelf.settle();
    let served = serve(shelf.root(), &[]);
    for folder in
        ["trigger", "virtual-table", "module", "view", "generated", "index", "columns", "table", "statistics", "user-version"]
    {
        as_good(&served, folder);
    }
}

#[test]
fn what_stands_in_for_one_of_aras_tables_is_not_read() {
    let shelf = Shelf::new();
    shelf.put("good", ordinary());
    shelf.change("virtual-table", "DROP TABLE labels; CREATE VIRTUAL TABLE labels USING fts5(id, created, updated, name);");
    shelf.change("generated", "DROP TABLE labels; CREATE TABLE labels (id INTEGER PRIMARY KEY, created, updated, name AS (hex(zeroblob(100000000)))); INSERT INTO labels (id) VALUES (1);");
    shelf.change("stored", "DROP TABLE records; CREATE TABLE records (id INTEGER PRIMARY KEY, created, updated, key, value AS (zeroblob(9)) STORED, type, playbook_id);");
    shelf.change("missing", "DROP TABLE file_contents;");
    shelf.change("index", "DROP TABLE labels; CREATE INDEX labels ON hosts (id);");
    shelf.settle();
    let served = serve(shelf.root(), &[]);
    for folder in ["virtual-table", "generated", "stored", "missing", "index"] {
        for noun in ["labels", "playbooks", "records"] {
            refused(&served, &list(folder, noun), Reason::ReportNotAra);
        }
    }
    assert!(served.peak_memory() < 256 << 20, "{} bytes", served.peak_memory());
}

#[test]
fn every_page_size_and_encoding_that_sqlite_has_is_read() {
    let shelf = Shelf::new();
    shelf.put("good", ordinary());
    for size in [512, 1024, 65536] {
        shelf.change(&format!("page-{size}"), &format!("PRAGMA journal_mode = DELETE; PRAGMA page_size = {size}; VACUUM;"));
    }
    for encoding in ["UTF-16le", "UTF-16be"] {
        rewrite(&ordinary_file(), &shelf.file(encoding), &format!("PRAGMA encoding = '{encoding}';"));
    }
    shelf.change("auto-vacuum", "PRAGMA auto_vacuum = FULL; VACUUM;");
    shelf.settle();
    let served = serve(shelf.root(), &[]);
    for folder in ["page-512", "page-1024", "page-65536", "UTF-16le", "UTF-16be", "auto-vacuum"] {
        as_good(&served, folder);
    }
}

#[test]
fn a_page_that_is_overwritten_spoils_the_table_that_it_belongs_to_and_no_other() {
    let shelf = Shelf::new();
    shelf.put("good", ordinary());
    let spoil = |folder: &str, table: &str, bytes: &dyn Fn(u32) -> Vec<u8>| {
        let file = shelf.put(folder, ordinary());
        let database = Database::open(&file).unwrap();
        let number = |sql: &str| database.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap();
        let root = number(&format!("SELECT rootpage FROM sqlite_master WHERE name = '{table}'"));
        let size = number("PRAGMA page_size");
        database.close().unwrap();
        File::options()
            .write(true)
            .open(&file)
            .unwrap()
            .write_all_at(&bytes(root), u64::from(root - 1) * u64::from(size))
            .unwrap();
    };
    spoil("noise", "results", &|_| vec![0xaa; 4096]);
    spoil("zeros", "results", &|_| vec![0; 4096]);
    // An inner page that is its own child.
    spoil("ring", "results", &|root| {
        let mut page = vec![0; 4096];
        page[..8].copy_from_slice(&[5, 0, 0, 0, 0, 0x10, 0, 0]);
        page[8..12].copy_from_slice(&root.to_be_bytes());
        page
    });
    // The right kind of page, with cells that point anywhere.
    spoil("cells", "results", &|_| {
        let mut page = vec![0xff; 4096];
        page[..8].copy_from_slice(&[13, 0, 0, 0, 200, 0, 8, 0]);
        page
    });
    // One cell, a record of nulls, that begins inside the array of pointers to cells: only a look at the page as such finds that.
    spoil("overlap", "results", &|_| {
        let mut page = vec![0; 4096];
        page[..11].copy_from_slice(&[13, 0, 0, 0, 1, 0, 9, 0, 0, 9, 1]);
        page[11] = 9;
        page
    });
    shelf.settle();
    let served = serve(shelf.root(), &[]);
    for folder in ["noise", "zeros", "ring", "cells", "overlap"] {
        // SQLite looks at a page as such only once: a connection that has refused it must not be asked again.
        for _ in 0..20 {
            refused(&served, &list(folder, "results"), Reason::ReportDamaged);
        }
        served_well(&served, &list(folder, "labels"));
    }
}

#[test]
fn a_schema_that_cannot_be_read_is_damage() {
    let shelf = Shelf::new();
    shelf.put("good", ordinary());
    let schema = |sql: &str| format!("PRAGMA writable_schema = ON; UPDATE sqlite_master SET {sql} WHERE name = 'playbooks';");
    shelf.change("garbage", &schema("sql = 'garbage'"));
    shelf.change("null", &schema("sql = NULL"));
    shelf.change("page", &schema("rootpage = 99999999"));
    shelf.change("sibling", &schema("rootpage = 1"));
    shelf.change("negative", &schema("rootpage = -1"));
    shelf.change("blob", &schema("sql = x'ff00ff'"));
    shelf.settle();
    let served = serve(shelf.root(), &[]);
    for folder in ["garbage", "null", "page", "sibling", "negative", "blob"] {
        let answer = served.get(&list(folder, "playbooks"));
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        let reason = body["reason"].as_str().unwrap_or_default();
        assert!(["REPORT_DAMAGED", "REPORT_NOT_ARA"].contains(&reason), "{folder}: {} {}", answer.status, answer.text());
        super::still_answers(&served);
    }
}

#[test]
fn files_that_unpack_to_more_than_is_allowed_are_refused_before_they_fill_the_disk() {
    let shelf = Shelf::new();
    shelf.put("good", ordinary());
    let zeros = vec![0; 256 << 20];
    shelf.put("zlib", zlib(&zeros));
    shelf.put("gzip", gzip(&zeros));
    shelf.put("zstd", zstd(&zeros));
    drop(zeros);
    shelf.settle();
    let scratch = tempfile::tempdir().unwrap();
    let served = serve(shelf.root(), &["--max-unpacked", "4M", "--cache", scratch.path().to_str().unwrap()]);
    for folder in ["zlib", "gzip", "zstd"] {
        refused(&served, &list(folder, "playbooks"), Reason::ReportTooLarge);
        refused(&served, &format!("/{folder}/ara-report/"), Reason::ReportTooLarge);
    }
    assert!(served.peak_memory() < 128 << 20, "{} bytes", served.peak_memory());
    let copies = |folder: fs::DirEntry| fs::read_dir(folder.path().join("")).into_iter().flatten().flatten();
    let is_database = |entry: &fs::DirEntry| entry.path().extension().is_some_and(|extension| extension == "sqlite");
    let work = fs::read_dir(scratch.path().join("work")).unwrap().flatten().flat_map(copies);
    assert_eq!(work.filter(is_database).count(), 0, "copies that are of no use");
}

#[test]
fn packed_files_that_are_no_report_are_damage() {
    let shelf = Shelf::new();
    shelf.put("good", ordinary());
    let packed = gzip(&ordinary());
    shelf.put("cut", &packed[..packed.len() / 2]);
    shelf.put("text", gzip(b"<html>not found</html>"));
    shelf.put("nothing", gzip(b""));
    shelf.put("twice", gzip(&packed));
    shelf.put("head", b"\x1f\x8b\x08");
    shelf.put("zlib-head", b"\x78\x9c");
    shelf.put("zstd-head", b"\x28\xb5\x2f\xfd");
    let mut flipped = zstd(&ordinary());
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0xff;
    shelf.put("flipped", flipped);
    shelf.put("magic", b"SQLite format 3\0");
    shelf.put("magic-and-zeros", [&b"SQLite format 3\0"[..], &[0; 4080]].concat());
    File::create(shelf.file("sparse")).unwrap().set_len(1 << 40).unwrap();
    shelf.settle();
    let served = serve(shelf.root(), &[]);
    for folder in
        ["cut", "text", "nothing", "twice", "head", "zlib-head", "zstd-head", "flipped", "magic", "magic-and-zeros", "sparse"]
    {
        refused(&served, &list(folder, "playbooks"), Reason::ReportDamaged);
    }
}

#[test]
fn old_schemas_that_were_made_to_do_harm_are_not_copied() {
    let corpus = corpus(389, Set::Small);
    let shelf = Shelf::new();
    shelf.put("good", ordinary());
    let old = |folder: &str, statements: &str| {
        let file = shelf.put(folder, fs::read(corpus.root.join("legacy/0005/ara-report/ansible.sqlite")).unwrap());
        alter(&file, |database| database.execute_batch(statements).unwrap());
    };
    old("trigger", "CREATE TRIGGER evil AFTER INSERT ON playbooks BEGIN DELETE FROM results; END;");
    old(
        "view",
        "DROP TABLE records; CREATE VIEW records AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS id, i AS created, i AS updated, i AS key, i AS value, i AS type, i AS playbook_id FROM n;",
    );
    old(
        "generated",
        "DROP TABLE labels; CREATE TABLE labels (id INTEGER PRIMARY KEY, created, updated, name AS (hex(zeroblob(100000000)))); INSERT INTO labels (id) VALUES (1), (2), (3);",
    );
    old(
        "rows",
        "DELETE FROM labels; INSERT INTO labels (id, created, updated, name) SELECT NULL, x'00', 1.5, x'ff' || id FROM results;",
    );
    old(
        "nulls",
        "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '') WHERE name = 'labels'; PRAGMA writable_schema = RESET; INSERT INTO labels (id) VALUES (100);",
    );
    shelf.settle();
    let served = serve(shelf.root(), &[]);
    served_well(&served, &list("trigger", "results"));
    for folder in ["view", "generated"] {
        refused(&served, &list(folder, "labels"), Reason::ReportNotAra);
    }
    for folder in ["rows", "nulls"] {
        let answer = served.get(&list(folder, "labels"));
        assert!([200, 502].contains(&answer.status), "{folder}: {}", answer.text());
        super::still_answers(&served);
    }
}

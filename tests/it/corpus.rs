//! The corpus is sound: real ARA renders every one of its pages and endpoints over the healthy part of it.
//!
//! Whether Aviary does is for `conformance`.

use rusqlite::Connection as Database;
use tests::ara::{Ara, Options};
use tests::corpus::{Corpus, Report, Set, corpus};
use tests::http::Connection;

use crate::conformance::urls::encode;

const SEED: u64 = 389;

/// Every list, and the details and pages of the first, a middle and the last row of each kind.
fn targets(corpus: &Corpus, report: &Report) -> Vec<String> {
    let base = format!("/{}/{}", encode(&report.folder), report.prefix);
    let database = Database::open(report.file(&corpus.root)).unwrap();
    let mut out: Vec<String> =
        ["/api/", "/api/v1/", "/api/v1/latesthosts?limit=5"].into_iter().map(|path| format!("{base}{path}")).collect();
    let pages = report.kind == "healthy";
    if pages {
        out.extend(["", "/", "/hosts", "/hosts?latest=false", "/tasks"].into_iter().map(|path| format!("{base}{path}")));
    }
    for table in ["labels", "playbooks", "plays", "tasks", "hosts", "results", "files", "records"] {
        out.push(format!("{base}/api/v1/{table}?limit=20"));
        let ids: Vec<i64> = database
            .prepare(&format!("select id from {table} order by id"))
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let mut chosen: Vec<i64> =
            [0, ids.len() / 2, ids.len().saturating_sub(1)].into_iter().filter_map(|index| ids.get(index).copied()).collect();
        chosen.dedup();
        for id in chosen {
            out.push(format!("{base}/api/v1/{table}/{id}"));
            if pages && ["playbooks", "hosts", "results", "files", "records"].contains(&table) {
                out.push(format!("{base}/{table}/{id}.html"));
            }
        }
    }
    out
}

#[test]
fn ara_renders_every_page_and_endpoint_over_the_healthy_reports() {
    let corpus = corpus(SEED, Set::Small);
    let ara = Ara::start(&Options::of(&corpus.root));
    let targets: Vec<String> = corpus
        .reports
        .iter()
        .filter(|report| report.prefix == "ara-report" && ["healthy", "odd", "legacy-migrated"].contains(&report.kind.as_str()))
        // ARA cuts their paths at the first place where the prefix occurs.
        .filter(|report| !report.folder.contains("ara-report"))
        .flat_map(|report| targets(&corpus, report))
        .collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let failed = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut connection = Connection::new(ara.address());
                while let Some(target) = targets.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    let status = connection.get(target).unwrap().status;
                    if status != 200 {
                        failed.lock().unwrap().push(format!("{status} {target}"));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} of {} answers of ARA:\n{}", failed.len(), targets.len(), failed.join("\n"));
}

#[test]
fn the_same_seed_writes_the_same_rows() {
    let python = tests::ara::python();
    let generator = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/generate.py");
    let folder = tempfile::tempdir().unwrap();
    let status = std::process::Command::new(python)
        .arg("-B")
        .arg(generator)
        .arg(folder.path().join("again"))
        .args(["--seed", &SEED.to_string()])
        .output()
        .unwrap()
        .status;
    assert!(status.success());
    let first = corpus(SEED, Set::Small);
    let kinds = ["healthy", "odd", "non-ascii", "legacy", "legacy-migrated"];
    for report in first.reports.iter().filter(|report| {
        // Runs of Ansible take the time they take.
        kinds.contains(&report.kind.as_str()) && !report.folder.starts_with("recorded/")
    }) {
        assert_eq!(rows(&report.file(&first.root)), rows(&report.file(&folder.path().join("again"))), "{}", report.folder);
    }
}

/// Every row of every table of ARA's, as text.
fn rows(file: &std::path::Path) -> Vec<String> {
    let database = Database::open(file).unwrap();
    let tables: Vec<String> = database
        .prepare("select name from sqlite_master where type = 'table' and name not like 'sqlite_%' and name not like 'auth_%' and name not like 'django_%' order by name")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut out = Vec::new();
    for table in tables {
        let mut statement = database.prepare(&format!("select * from {table}")).unwrap();
        let columns = statement.column_count();
        let mut found = statement.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            out.push(format!(
                "{table}: {:?}",
                (0..columns).map(|column| row.get_unwrap::<_, rusqlite::types::Value>(column)).collect::<Vec<_>>()
            ));
        }
    }
    out
}

//! What a server needs besides processors: memory after many reports, and time until its first answer.

use std::fs::{self, File};
use std::path::Path;
use std::time::Instant;

use serde::Serialize;
use tests::corpus::Corpus;
use tests::http::Connection;
use tests::{aviary, target_dir};

use crate::criterion::median;
use crate::machine;

/// How many reports are touched.
pub(crate) const REPORTS: usize = 1000;
/// Clients that touch them, each its share.
const CLIENTS: usize = 4;
/// Larger files are no small reports.
const SMALL_BYTES: u64 = 1 << 20;
/// How often a start is timed.
const STARTS: usize = 10;

/// Resident memory of Aviary in MiB.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Memory {
    pub(crate) reports: usize,
    /// Before the first request.
    pub(crate) at_rest: f64,
    /// When all reports have been touched.
    pub(crate) touched: f64,
    /// The most on the way.
    pub(crate) peak: f64,
}

/// Touches many reports, each a file of its own.
pub(crate) fn many_reports(corpus: &Corpus) -> Memory {
    let small: Vec<_> = corpus
        .of_kind("healthy")
        .filter(|report| report.prefix == "ara-report")
        .map(|report| report.file(&corpus.root))
        .filter(|file| fs::metadata(file).is_ok_and(|file| file.len() <= SMALL_BYTES))
        .collect();
    let parent = target_dir().join("bench");
    fs::create_dir_all(&parent).unwrap();
    let folder = tempfile::tempdir_in(parent).unwrap();
    for (index, file) in small.iter().cycle().take(REPORTS).enumerate() {
        copy(file, &folder.path().join(format!("{index:04}/ara-report")));
    }
    let (url, process) = aviary::start(folder.path(), &[]);
    let at_rest = machine::resident(process.id());
    let address = aviary::address(&url);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || {
                let mut connection = Connection::new(address);
                for index in (client..REPORTS).step_by(CLIENTS) {
                    for noun in ["playbooks", "results", "hosts"] {
                        let target = format!("/{index:04}/ara-report/api/v1/{noun}");
                        assert_eq!(connection.get(&target).unwrap().status, 200, "{target}");
                    }
                }
            });
        }
    });
    Memory { reports: REPORTS, at_rest, touched: machine::resident(process.id()), peak: machine::resident_peak(process.id()) }
}

/// A copy that is as old as the original, so that nobody takes it for one that is being written.
fn copy(file: &Path, folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let target = folder.join("ansible.sqlite");
    fs::copy(file, &target).unwrap();
    let modified = fs::metadata(file).unwrap().modified().unwrap();
    let copy = File::options().write(true).open(target).unwrap();
    copy.set_modified(modified).unwrap();
}

/// Milliseconds from the start of the program to the end of its first answer.
pub(crate) fn start(root: &Path, target: &str) -> f64 {
    median((0..STARTS).map(|_| {
        let start = Instant::now();
        let (url, _process) = aviary::start(root, &[]);
        let answer = Connection::new(aviary::address(&url)).get(target).unwrap();
        let time = start.elapsed();
        assert_eq!(answer.status, 200, "{target}");
        time.as_secs_f64() * 1e3
    }))
}

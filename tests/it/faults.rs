//! Stores that fail in the middle: whatever they do, no answer has a wrong byte, what is kept goes on being served and says
//! that it is stale, and all is well again when the store is, without a restart.

mod answers;
mod outages;
mod processes;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tests::faulty::Faulty;
use tests::http::Response;
use tests::served::{Serve, Served, serve};
use tests::shelf::{Shelf, alter, ordinary};
use tests::stores::Bucket;

/// Short times, so that tests see them pass: the store is asked again often, and nobody waits long.
const TIMES: [(&str, &str); 3] = [("AVIARY_REVALIDATE", "0.3"), ("AVIARY_NEGATIVE", "0.2"), ("AVIARY_WAIT", "3")];
/// What is asked of a report: a short answer, and a long one.
const QUESTIONS: [&str; 2] = ["playbooks", "results?limit=100000"];
/// How long a store that is well again may take to be noticed.
const PATIENCE: Duration = Duration::from_secs(20);
/// What a store that fails may do to a report of which nothing is kept.
const TEMPORARY: [&str; 3] = ["STORE_UNAVAILABLE", "REPORT_BEING_FETCHED", "OVERLOADED"];

/// Contents of reports, and the answers that are right for each, as a folder of this machine gives them.
struct Truth {
    shelf: Shelf,
    served: Served,
    known: Mutex<BTreeMap<(String, &'static str), Vec<u8>>>,
}

impl Truth {
    /// This many contents that differ in every answer, but not in their size.
    fn of(versions: usize) -> Truth {
        let shelf = Shelf::new();
        for version in 0..versions {
            let file = shelf.put(&name(version), ordinary());
            alter(&file, |database| {
                let change = format!(
                    "UPDATE playbooks SET name = 'version {version:03}', ansible_version = '2.{version:03}.0';
                     UPDATE results SET status = 'version{version:03}';"
                );
                database.execute_batch(&change).unwrap();
            });
        }
        shelf.settle();
        let served = serve(shelf.root(), &[]);
        Truth { shelf, served, known: Mutex::default() }
    }

    fn bytes(&self, version: usize) -> Vec<u8> {
        fs::read(self.shelf.file(&name(version))).unwrap()
    }

    /// The right answer; nothing in it says where the report lies.
    fn answer(&self, version: usize, question: &'static str) -> Vec<u8> {
        let mut known = self.known.lock().unwrap();
        known
            .entry((name(version), question))
            .or_insert_with(|| {
                let answer = self.served.get(&target(&name(version), question));
                assert_eq!(answer.status, 200, "{}", answer.text());
                answer.body
            })
            .clone()
    }

    /// The version that an answer is of; fails the test when it is of none.
    #[track_caller]
    fn version_of(&self, versions: usize, question: &'static str, answer: &Response) -> usize {
        let version = (0..versions).find(|version| self.answer(*version, question) == answer.body);
        version.unwrap_or_else(|| panic!("{question}: of no version: {:.300}", answer.text()))
    }
}

fn name(version: usize) -> String {
    format!("v{version}")
}

fn target(report: &str, question: &str) -> String {
    format!("/{report}/ara-report/api/v1/{question}")
}

/// A bucket, a proxy before it, and the product reading through it.
struct Scene {
    proxy: Faulty,
    served: Served,
}

impl Scene {
    fn of(bucket: &dyn Bucket, args: &[&str]) -> Scene {
        let proxy = Faulty::before(bucket.server().unwrap().address());
        let served = through(&proxy, bucket, args);
        Scene { proxy, served }
    }
}

fn through(proxy: &Faulty, bucket: &dyn Bucket, args: &[&str]) -> Served {
    start(&bucket.url_at(proxy.address(), "").unwrap(), args)
}

/// The product on a store's URL, with [`TIMES`] unless the arguments say otherwise.
fn start(url: &str, args: &[&str]) -> Served {
    let serve = TIMES.iter().fold(Serve::of(Path::new(url)), |serve, (name, value)| serve.env(name, value));
    serve.args(args).watched().start()
}

/// The reason of an answer that is none; it has all that an error has to have.
#[track_caller]
fn reason(answer: &Response) -> String {
    assert!(answer.status >= 400, "{}", answer.status);
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{error}: {:.300}", answer.text()));
    assert!(answer.header("x-request-id").is_some());
    body["reason"].as_str().unwrap_or_else(|| panic!("no reason in {}", answer.text())).to_owned()
}

/// How long ago the store vouched for an answer, if that is too long.
fn stale(answer: &Response) -> Option<u64> {
    answer.header("aviary-stale").map(|seconds| seconds.parse().expect("seconds"))
}

/// The report is answered as it is now, and nothing marks it.
#[track_caller]
fn becomes_well(served: &Served, truth: &Truth, report: &str, version: usize) {
    let mut last = String::new();
    let mut is_well = || {
        QUESTIONS.iter().all(|question| {
            let answer = served.get(&target(report, question));
            last = format!("{} {:?} {:.300}", answer.status, stale(&answer), answer.text());
            answer.status == 200 && stale(&answer).is_none() && answer.body == truth.answer(version, question)
        })
    };
    let end = Instant::now() + PATIENCE;
    while !is_well() {
        assert!(Instant::now() < end, "{report} is not answered as of version {version}, but {last}\n{}", served.output());
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// Asks for the reports with so many readers while `change` runs. Every answer is of one of the versions, or a temporary
/// error; which errors came, by reason.
fn while_reading(
    served: &Served,
    truth: &Truth,
    readers: usize,
    reports: &[String],
    versions: usize,
    change: impl FnOnce(),
) -> BTreeMap<String, usize> {
    let (stop, errors) = (AtomicBool::new(false), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for reader in 0..readers {
            let (stop, errors) = (&stop, &errors);
            scope.spawn(move || {
                let mut connection = served.connect();
                for round in reader.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let question = QUESTIONS[round % QUESTIONS.len()];
                    let report = &reports[round / 2 % reports.len()];
                    let answer = connection.get(&target(report, question)).unwrap();
                    if answer.status == 200 {
                        truth.version_of(versions, question, &answer);
                    } else {
                        *errors.lock().unwrap().entry(reason(&answer)).or_default() += 1;
                    }
                }
            });
        }
        let end = Stop(&stop);
        change();
        drop(end);
    });
    errors.into_inner().unwrap()
}

/// Readers stop too when the change fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// All files below a folder, by their paths from there.
fn files(root: &Path) -> BTreeSet<PathBuf> {
    let (mut files, mut folders) = (BTreeSet::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path => {
                    files.insert(path.strip_prefix(root).unwrap().to_owned());
                }
            }
        }
    }
    files
}

/// Something in a cache's folder outlasts the process.
fn is_kept(cache: &Path) -> bool {
    files(cache).iter().any(|file| file.extension().is_some_and(|known| known == "json"))
}

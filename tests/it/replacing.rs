//! Reports that are replaced, overwritten and written to while they are read: each answer is wholly of one content, or one
//! of the temporary errors that the table of errors has for this.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection as Database;
use serde_json::Value;
use tests::served::{Served, serve, wait_until};
use tests::shelf::{Shelf, alter, ordinary};

/// Readers at a time.
const READERS: usize = 64;
/// What they ask; nothing of it says which report it is about.
const QUESTIONS: [&str; 5] =
    ["playbooks?limit=100000", "results?limit=100000", "hosts?limit=100000", "tasks?limit=100000", "results/1"];
const REVALIDATE: Duration = Duration::from_millis(300);
/// How much longer a busy machine may take.
const PATIENCE: Duration = Duration::from_secs(5);

fn start(shelf: &Shelf) -> Served {
    serve(shelf.root(), &["--revalidate", &REVALIDATE.as_secs_f64().to_string()])
}

fn target(folder: &str, question: &str) -> String {
    format!("/{folder}/ara-report/api/v1/{question}")
}

/// What readers saw: bodies of each question, and how often each error.
#[derive(Default)]
struct Seen {
    bodies: Mutex<HashMap<&'static str, Vec<Vec<u8>>>>,
    errors: Mutex<BTreeMap<String, usize>>,
    answers: std::sync::atomic::AtomicUsize,
}

impl Seen {
    fn add(&self, question: &'static str, body: Vec<u8>) {
        let mut bodies = self.bodies.lock().unwrap();
        let known = bodies.entry(question).or_default();
        if !known.contains(&body) {
            known.push(body);
        }
    }

    /// Every body is that of one of the copies, and more than one content was seen.
    fn check(self, what: &str, served: &Served, copies: &[String]) {
        let bodies = self.bodies.into_inner().unwrap();
        let errors = self.errors.into_inner().unwrap();
        println!("{what}: {} answers, of them errors: {errors:?}", self.answers.into_inner());
        for (question, bodies) in bodies {
            let expected: Vec<Vec<u8>> = copies
                .iter()
                .map(|copy| {
                    let answer = served.get(&target(copy, question));
                    assert_eq!(answer.status, 200, "{copy}: {}", answer.text());
                    answer.body
                })
                .collect();
            for body in bodies {
                assert!(
                    expected.contains(&body),
                    "{what}: {question} is of no single content: {}",
                    String::from_utf8_lossy(&body[..body.len().min(300)])
                );
            }
        }
    }
}

/// Reads `live` with all readers while `change` runs.
fn while_reading(served: &Served, change: impl FnOnce()) -> Seen {
    let seen = Seen::default();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for reader in 0..READERS {
            let (seen, stop) = (&seen, &stop);
            scope.spawn(move || {
                let mut connection = served.connect();
                let mut question = reader;
                while !stop.load(Ordering::Relaxed) {
                    question += 1;
                    let asked = QUESTIONS[question % QUESTIONS.len()];
                    let answer = connection.get(&target("live", asked)).unwrap();
                    seen.answers.fetch_add(1, Ordering::Relaxed);
                    match answer.status {
                        200 => seen.add(asked, answer.body),
                        status => {
                            let body: Value = serde_json::from_slice(&answer.body).unwrap();
                            let reason = body["reason"].as_str().unwrap_or_default().to_owned();
                            let temporary = status == 503
                                && ["REPORT_BEING_WRITTEN", "GENERATION_GONE", "OVERLOADED"].contains(&reason.as_str());
                            assert!(temporary, "{asked}: {status} {}", answer.text());
                            assert!(answer.header("retry-after").is_some());
                            *seen.errors.lock().unwrap().entry(reason).or_default() += 1;
                        }
                    }
                }
            });
        }
        let end = StopAtEnd(&stop);
        change();
        drop(end);
    });
    seen
}

/// Readers stop too when the change fails.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Settled copies `v0` to `v3` that differ in every table, but neither in size nor in the counter of their commits.
fn versions(shelf: &Shelf) -> Vec<String> {
    let names: Vec<String> = (0..4).map(|version| format!("v{version}")).collect();
    for (version, name) in names.iter().enumerate() {
        shelf.change(
            name,
            &format!(
                "BEGIN;
                 UPDATE playbooks SET name = 'version {version}', ansible_version = '2.{version}.0';
                 UPDATE results SET duration = 1000{version}, status = 'version{version}';
                 UPDATE hosts SET ok = 1{version}, changed = 2{version};
                 UPDATE tasks SET lineno = 3{version};
                 COMMIT;"
            ),
        );
    }
    let identity = |name: &String| {
        let bytes = fs::read(shelf.file(name)).unwrap();
        (bytes.len(), bytes[24..28].to_vec(), bytes[92..96].to_vec())
    };
    assert!(names.iter().all(|name| identity(name) == identity(&names[0])));
    fs::copy(shelf.file("v0"), shelf.file("live")).unwrap();
    shelf.settle();
    names
}

/// The live report shows what the copy has, within the time of revalidation.
fn shows(served: &Served, copy: &str) {
    let started = Instant::now();
    for question in QUESTIONS {
        let expected = served.get(&target(copy, question)).body;
        wait_until("the new content shows", || {
            let answer = served.get(&target("live", question));
            answer.status == 200 && answer.body == expected
        });
    }
    let taken = started.elapsed();
    assert!(taken < REVALIDATE + PATIENCE, "{taken:?}");
}

/// Puts the versions in place one after another, by `put`, while all read.
fn replaced_by(what: &str, rounds: usize, pause: Duration, put: impl Fn(&Path, &Path)) {
    let shelf = Shelf::new();
    let copies = versions(&shelf);
    let served = start(&shelf);
    let live = shelf.file("live");
    let seen = while_reading(&served, || {
        for round in 1..=rounds {
            put(&shelf.file(&copies[round % copies.len()]), &live);
            std::thread::park_timeout(pause);
        }
    });
    shows(&served, &copies[rounds % copies.len()]);
    seen.check(what, &served, &copies);
}

fn by_rename(new: &Path, live: &Path) {
    let beside = live.with_extension("new");
    fs::copy(new, &beside).unwrap();
    fs::rename(&beside, live).unwrap();
}

fn by_cp(new: &Path, live: &Path) {
    assert!(Command::new("cp").arg(new).arg(live).status().unwrap().success());
}

/// Neither its size nor its counter of commits changes at any moment.
fn in_place(new: &Path, live: &Path) {
    let bytes = fs::read(new).unwrap();
    File::options().write(true).open(live).unwrap().write_all(&bytes).unwrap();
}

#[test]
fn a_report_that_is_replaced_by_renaming_is_the_old_or_the_new_one() {
    replaced_by("renamed", 20, Duration::from_millis(100), by_rename);
}

#[test]
fn a_report_that_is_overwritten_by_cp_is_the_old_or_the_new_one_or_being_written() {
    replaced_by("copied over", 20, Duration::from_millis(100), by_cp);
}

#[test]
fn a_report_that_is_overwritten_by_one_of_the_same_size_and_counter_is_the_old_or_the_new_one() {
    replaced_by("overwritten in place", 20, Duration::from_millis(100), in_place);
}

#[test]
#[ignore = "a minute of readers for each way to replace a report"]
fn reports_that_are_replaced_all_the_time_are_never_mixed() {
    for (pause, rounds) in [(1, 2000), (30, 600)] {
        replaced_by("renamed", rounds, Duration::from_millis(pause), by_rename);
        replaced_by("copied over", rounds, Duration::from_millis(pause), by_cp);
        replaced_by("overwritten in place", rounds, Duration::from_millis(pause), in_place);
    }
    // Slower than the time after which a file counts as settled.
    replaced_by("overwritten now and then", 6, Duration::from_millis(2500), in_place);
}

/// A real ARA adds playbooks while all read.
fn written_by_ara(journal: &str, count: usize) {
    let shelf = Shelf::new();
    let live = shelf.put("live", ordinary());
    shelf.settle();
    let served = start(&shelf);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/replacing.py");
    let seen = while_reading(&served, || {
        let output = Command::new(tests::ara::python())
            .arg("-B")
            .arg(script)
            .args([&live, &shelf.root().join("copies")])
            .args([&count.to_string(), journal])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    });
    let copies: Vec<String> = (0..=count).map(|number| format!("copies/{number}")).collect();
    shows(&served, copies.last().unwrap());
    let contents = seen.bodies.lock().unwrap()["playbooks?limit=100000"].len();
    assert!(contents > 1, "nothing was seen of what was written");
    seen.check(&format!("written by ARA with journal {journal}"), &served, &copies);
}

#[test]
fn a_running_ara_is_followed_transaction_by_transaction() {
    written_by_ara("delete", 20);
}

#[test]
fn a_running_ara_with_a_write_ahead_log_is_followed_too() {
    written_by_ara("wal", 20);
}

/// Lists of the folder are those of the copy.
#[track_caller]
fn same(served: &Served, folder: &str, copy: &str) {
    for question in QUESTIONS {
        let answer = served.get(&target(folder, question));
        assert_eq!(answer.status, 200, "{folder}: {question}: {}", answer.text());
        assert!(answer.body == served.get(&target(copy, question)).body, "{folder}: {question}");
    }
}

/// Copies a report and what lies beside it, as after a crash.
fn crash(from: &Path, to: &Path, beside: &str) -> PathBuf {
    let with = |path: &Path| PathBuf::from(format!("{}{beside}", path.display()));
    fs::copy(from, to).unwrap();
    fs::copy(with(from), with(to)).unwrap();
    with(to)
}

#[test]
fn a_report_whose_writer_was_killed_is_served_as_before_its_transaction() {
    let shelf = Shelf::new();
    shelf.put("good", ordinary());
    let written = shelf.put("written", ordinary());
    let database = Database::open(&written).unwrap();
    // So little memory that changed pages reach the file before the commit.
    database
        .execute_batch("PRAGMA foreign_keys = OFF; PRAGMA cache_size = 5; BEGIN; UPDATE results SET status = 'evil', content = zeroblob(3000); DELETE FROM playbooks;")
        .unwrap();
    crash(&written, &shelf.file("fresh"), "-journal");
    let journal = crash(&written, &shelf.file("settled"), "-journal");
    assert!(fs::metadata(journal).unwrap().len() > 10_000);
    assert!(fs::read(shelf.file("settled")).unwrap() != ordinary(), "the journal is needed");
    database.execute_batch("ROLLBACK").unwrap();
    drop(database);
    let hour_ago = std::time::SystemTime::now() - Duration::from_secs(3600);
    File::options().append(true).open(shelf.file("settled")).unwrap().set_modified(hour_ago).unwrap();
    let bytes = fs::read(shelf.file("fresh")).unwrap();
    let served = start(&shelf);
    for folder in ["fresh", "settled"] {
        same(&served, folder, "good");
    }
    assert!(fs::read(shelf.file("fresh")).unwrap() == bytes, "the report was written to");
}

#[test]
fn a_journal_that_names_another_file_does_not_get_it_deleted() {
    let shelf = Shelf::new();
    shelf.put("good", ordinary());
    let written = shelf.put("written", ordinary());
    let database = Database::open(&written).unwrap();
    database
        .execute_batch("PRAGMA foreign_keys = OFF; PRAGMA cache_size = 5; BEGIN; UPDATE results SET content = zeroblob(3000);")
        .unwrap();
    let journal = crash(&written, &shelf.file("evil"), "-journal");
    database.execute_batch("ROLLBACK").unwrap();
    let victim = shelf.root().join("victim");
    fs::write(&victim, "precious").unwrap();
    // What SQLite writes at the end of each journal of a transaction over several databases.
    let name = victim.to_str().unwrap().as_bytes();
    let sum: u32 = name.iter().map(|byte| u32::from(*byte)).sum();
    let mut end = vec![0; 4];
    end.extend_from_slice(name);
    end.extend_from_slice(&(name.len() as u32).to_be_bytes());
    end.extend_from_slice(&sum.to_be_bytes());
    end.extend_from_slice(&[0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]);
    File::options().append(true).open(journal).unwrap().write_all(&end).unwrap();
    let served = start(&shelf);
    let answer = served.get(&target("evil", "playbooks"));
    assert!([502, 503].contains(&answer.status), "{}", answer.text());
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
    same(&served, "good", "good");
}

#[test]
fn a_write_ahead_log_whose_writer_was_killed_is_read() {
    let shelf = Shelf::new();
    let written = shelf.put("written", ordinary());
    let database = Database::open(&written).unwrap();
    let change = "UPDATE playbooks SET name = 'after'; UPDATE results SET status = 'after'; DELETE FROM tasks WHERE id > 3;";
    database.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;").unwrap();
    database.execute_batch(change).unwrap();
    crash(&written, &shelf.file("killed"), "-wal");
    drop(database);
    alter(&shelf.put("expected", ordinary()), |database| database.execute_batch(change).unwrap());
    let folder = shelf.file("killed").with_file_name("");
    let files = || fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect::<BTreeSet<_>>();
    let before = files();
    let served = start(&shelf);
    same(&served, "killed", "expected");
    assert_eq!(files(), before, "nothing is made in the store");
}

#[test]
fn a_report_with_a_write_ahead_log_is_followed() {
    let shelf = Shelf::new();
    let database = Database::open(shelf.put("live", ordinary())).unwrap();
    database.execute_batch("PRAGMA journal_mode = WAL;").unwrap();
    let served = start(&shelf);
    let name = || {
        let answer = served.get(&target("live", "playbooks"));
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        body["results"][0]["name"].as_str().map(str::to_owned)
    };
    for number in 0..5 {
        let new = format!("run {number}");
        database.execute("UPDATE playbooks SET name = ?1", [&new]).unwrap();
        wait_until("the change shows", || name().as_deref() == Some(&new));
    }
    database.execute_batch("PRAGMA wal_checkpoint(TRUNCATE);").unwrap();
    assert_eq!(name().as_deref(), Some("run 4"));
    database.execute("UPDATE playbooks SET name = 'last'", []).unwrap();
    drop(database);
    wait_until("the last change shows", || name().as_deref() == Some("last"));
}

#[test]
fn a_writer_that_holds_the_lock_makes_readers_wait_or_say_so() {
    let shelf = Shelf::new();
    shelf.put("good", ordinary());
    let database = Database::open(shelf.put("live", ordinary())).unwrap();
    let served = start(&shelf);
    database.execute_batch("BEGIN EXCLUSIVE; UPDATE playbooks SET name = 'never';").unwrap();
    let answer = served.get(&target("live", "playbooks"));
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((answer.status, body["reason"].as_str()), (503, Some("REPORT_BEING_WRITTEN")));
    assert_eq!(answer.header("retry-after").as_deref(), Some("1"));
    database.execute_batch("ROLLBACK").unwrap();
    same(&served, "live", "good");
}

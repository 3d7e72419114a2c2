//! Reports that chance has spoiled: whatever their bytes, each answer comes in bounded time and memory, as an answer or as
//! one of the errors that the table has for such files, and the process lives on.
//!
//! All of it follows from the seed and the number of the case, both of which a failure names; `AVIARY_FUZZ=SEED:NUMBER` asks
//! for that case alone.

mod mutations;

use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

use tests::served::{Served, serve};
use tests::shelf::{Shelf, alter, gzip, ordinary, zstd};

use super::{refused, served_well};
use crate::conformance::random::Random;
use gateway::error::Reason;
use mutations::mutate;

const SEED: u64 = 20_240_229;
/// The longest that a question may take, by the server's own bound and by this clock.
const QUERY_TIMEOUT: &str = "5";
const LONGEST: Duration = Duration::from_secs(15);
/// The most memory that the server may have had at its end.
const MEMORY: u64 = 768 << 20;
/// What a spoiled file may be answered with.
const REASONS: [&str; 4] = ["REPORT_DAMAGED", "REPORT_NOT_ARA", "REPORT_TOO_LARGE", "DEADLINE_EXCEEDED"];
const QUESTIONS: [&str; 16] = [
    "api/v1/playbooks",
    "api/v1/plays?limit=1000000",
    "api/v1/tasks?limit=1000000",
    "api/v1/hosts?limit=1000000&order=-name",
    "api/v1/latesthosts?limit=1000000",
    "api/v1/results?limit=1000000",
    "api/v1/results?status=failed&order=-duration",
    "api/v1/files?limit=1000000",
    "api/v1/records",
    "api/v1/labels",
    "api/v1/playbooks/1",
    "api/v1/results/1",
    "api/v1/files/1",
    "api/v1/hosts/1",
    "api/v1/tasks/1",
    "",
];

/// What an answer says of the file: its status, or why there is none.
fn judged(served: &Served, target: &str) -> Result<String, String> {
    let begun = Instant::now();
    let answer = match served.connect().send("GET", target, &[("Accept", "application/json")]) {
        Ok(answer) => answer,
        // A long answer that turns out to be damaged in its middle ends like this.
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok("broken off".to_owned()),
        Err(error) => return Err(format!("no answer: {error}")),
    };
    let elapsed = begun.elapsed();
    if elapsed > LONGEST {
        return Err(format!("{} after {elapsed:?}", answer.status));
    }
    if answer.status < 400 {
        let is_json = target.contains("/api/");
        let sound = !is_json || serde_json::from_slice::<serde_json::Value>(&answer.body).is_ok();
        return if sound { Ok(answer.status.to_string()) } else { Err(format!("not JSON: {:.300}", answer.text())) };
    }
    let body: serde_json::Value =
        serde_json::from_slice(&answer.body).map_err(|error| format!("{error}: {:.300}", answer.text()))?;
    match body["reason"].as_str() {
        Some(reason) if REASONS.contains(&reason) => Ok(reason.to_owned()),
        // ARA's own words for a row that is not there.
        None if answer.status == 404 => Ok("404".to_owned()),
        _ if answer.status == 404 => Ok("404".to_owned()),
        _ => Err(format!("{} {:.300}", answer.status, answer.text())),
    }
}

/// These cases of a seed, several at a time; tells how often each outcome was.
fn fuzz(seed: u64, cases: std::ops::Range<usize>) {
    let shelf = Shelf::new();
    let good = ordinary();
    shelf.put("good", &good);
    shelf.settle();
    let args = ["--query-timeout", QUERY_TIMEOUT, "--max-unpacked", "64M", "--max-value", "8M", "--revalidate", "0"];
    let served = serve(shelf.root(), &args);
    let outcomes = std::sync::Mutex::new(std::collections::BTreeMap::<String, usize>::new());
    let next = std::sync::atomic::AtomicUsize::new(cases.start);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if number >= cases.end {
                        return;
                    }
                    let mut random = Random::new(seed.wrapping_mul(0x1_0000_0001).wrapping_add(number as u64));
                    let (bytes, told) = mutate(&good, &mut random);
                    let folder = format!("case-{number}");
                    let file = shelf.put(&folder, &bytes);
                    // As files at rest, and a few as files that may still be written, which are waited for.
                    if random.below(60) > 0 {
                        fs::File::options()
                            .append(true)
                            .open(&file)
                            .unwrap()
                            .set_modified(std::time::SystemTime::now() - Duration::from_secs(60))
                            .unwrap();
                    }
                    for _ in 0..3 {
                        let target = format!("/{folder}/ara-report/{}", random.pick(&QUESTIONS));
                        match judged(&served, &target) {
                            Ok(outcome) => *outcomes.lock().unwrap().entry(outcome).or_default() += 1,
                            Err(problem) => panic!(
                                "AVIARY_FUZZ={seed}:{number} ({}): {target}: {problem}\n{}",
                                told.join(", "),
                                served.output()
                            ),
                        }
                    }
                    fs::remove_dir_all(file.parent().unwrap().parent().unwrap()).unwrap();
                }
            });
        }
    });
    super::still_answers(&served);
    let memory = served.peak_memory();
    let _ =
        writeln!(std::io::stderr(), "fuzz: {} files, {:?}, {} MiB", cases.len(), outcomes.into_inner().unwrap(), memory >> 20);
    assert!(memory < MEMORY, "{memory} bytes");
}

#[test]
fn a_few_hundred_spoiled_reports_do_no_harm() {
    match std::env::var("AVIARY_FUZZ").ok().as_deref().and_then(|case| case.split_once(':')) {
        Some((seed, number)) => {
            let number: usize = number.parse().expect("the number of a case");
            fuzz(seed.parse().expect("a seed"), number..number + 1);
        }
        None => fuzz(SEED, 0..400),
    }
}

#[test]
#[ignore = "minutes: tests/run fuzz"]
fn ten_thousand_spoiled_reports_do_no_harm() {
    fuzz(SEED, 400..10_400);
}

#[test]
fn a_file_of_ten_thousand_tables_is_read_in_time() {
    let shelf = Shelf::new();
    shelf.put("good", ordinary());
    let file = shelf.put("tables", ordinary());
    alter(&file, |database| {
        database.execute_batch("BEGIN").unwrap();
        for number in 0..10_000 {
            database
                .execute_batch(&format!("CREATE TABLE t{number} (a, b, c); CREATE INDEX i{number} ON t{number} (a, b);"))
                .unwrap();
        }
        database.execute_batch("COMMIT").unwrap();
    });
    shelf.settle();
    let served = serve(shelf.root(), &[]);
    let begun = Instant::now();
    assert_eq!(served_well(&served, "/tables/ara-report/api/v1/playbooks")["count"], 1);
    assert!(begun.elapsed() < Duration::from_secs(5), "after {:?}", begun.elapsed());
    assert!(served.peak_memory() < 256 << 20, "{} bytes", served.peak_memory());
}

#[test]
fn views_that_never_end_and_triggers_on_all_tables_are_never_run() {
    const NOUNS: [&str; 8] = ["playbooks", "plays", "tasks", "hosts", "results", "files", "records", "labels"];
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)";
    let shelf = Shelf::new();
    shelf.put("good", ordinary());
    for noun in NOUNS {
        shelf.change(
            &format!("view-{noun}"),
            &format!("ALTER TABLE {noun} RENAME TO real_{noun}; CREATE VIEW {noun} AS {endless} SELECT real_{noun}.* FROM real_{noun}, n;"),
        );
    }
    let triggers: String = NOUNS
        .iter()
        .flat_map(|noun| {
            ["INSERT", "UPDATE", "DELETE"].map(|event| {
                format!("CREATE TRIGGER evil_{noun}_{event} AFTER {event} ON {noun} BEGIN DELETE FROM results; SELECT hex(zeroblob(1000000000)); END;")
            })
        })
        .collect();
    shelf.change("triggers", &triggers);
    shelf.settle();
    let served = serve(shelf.root(), &["--query-timeout", "20"]);
    let begun = Instant::now();
    for noun in NOUNS {
        refused(&served, &format!("/view-{noun}/ara-report/api/v1/{noun}"), Reason::ReportNotAra);
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "after {:?}", begun.elapsed());
    for noun in NOUNS {
        let rows = served_well(&served, &format!("/triggers/ara-report/api/v1/{noun}"))["results"].take();
        assert_eq!(rows, served_well(&served, &format!("/good/ara-report/api/v1/{noun}"))["results"].take());
    }
}

#[test]
fn blobs_of_hundreds_of_megabytes_cost_no_memory() {
    let shelf = Shelf::new();
    shelf.put("good", ordinary());
    // As texts that are packed, as what they unpack to, and in columns that are numbers.
    shelf.change("stored", "UPDATE results SET content = zeroblob(300000000) WHERE id = 1;");
    shelf.change("number", "UPDATE playbooks SET started = zeroblob(300000000), name = zeroblob(300000000);");
    let bomb = tests::shelf::zlib(&vec![b' '; 400 << 20]);
    let file = shelf.put("packed", ordinary());
    alter(&file, |database| {
        database.execute("UPDATE results SET content = ?1", [&bomb]).unwrap();
        database.execute("UPDATE file_contents SET contents = ?1", [&bomb]).unwrap();
    });
    drop(bomb);
    shelf.settle();
    let served = serve(shelf.root(), &["--max-value", "4M"]);
    for folder in ["stored", "number", "packed"] {
        for question in ["results/1", "results?limit=100000", "playbooks", "files/1", "playbooks/1"] {
            let begun = Instant::now();
            let outcome = judged(&served, &format!("/{folder}/ara-report/api/v1/{question}"));
            assert!(outcome.is_ok(), "{folder} {question}: {outcome:?}");
            assert!(begun.elapsed() < Duration::from_secs(10), "{folder} {question}: {:?}", begun.elapsed());
        }
        super::still_answers(&served);
    }
    assert!(served.peak_memory() < 512 << 20, "{} MiB", served.peak_memory() >> 20);
}

#[test]
fn packings_within_packings_and_windows_of_gigabytes_are_refused_cheaply() {
    let shelf = Shelf::new();
    shelf.put("good", ordinary());
    let mut nested = vec![0; 64 << 20];
    for _ in 0..4 {
        nested = gzip(&nested);
    }
    shelf.put("nested", nested);
    // A frame whose head asks its reader for a window of two gigabytes.
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(31).unwrap();
    encoder.long_distance_matching(true).unwrap();
    encoder.write_all(&ordinary()).unwrap();
    shelf.put("window", encoder.finish().unwrap());
    // A thousand members, each of which is sound.
    shelf.put("members", [gzip(&vec![0; 1 << 20]), gzip(b"x")].concat().repeat(500));
    shelf.put("frames", zstd(&vec![0; 1 << 20]).repeat(1000));
    shelf.settle();
    let served = serve(shelf.root(), &["--max-unpacked", "16M"]);
    for folder in ["nested", "window", "members", "frames"] {
        let begun = Instant::now();
        let outcome = judged(&served, &format!("/{folder}/ara-report/api/v1/playbooks")).unwrap();
        let expected: &[&str] = if folder == "window" {
            &["200", "REPORT_DAMAGED", "REPORT_TOO_LARGE"]
        } else {
            &["REPORT_DAMAGED", "REPORT_TOO_LARGE"]
        };
        assert!(expected.contains(&outcome.as_str()), "{folder}: {outcome}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{folder}: {:?}", begun.elapsed());
    }
    assert!(served.peak_memory() < 256 << 20, "{} MiB", served.peak_memory() >> 20);
    super::still_answers(&served);
}

//! Real servers that stop, end and come back while reports are read.

use std::time::{Duration, SystemTime};

use tests::served::{Served, binary, wait_until};
use tests::stores::{Bucket, Nginx, Versitygw};

use super::{QUESTIONS, Truth, becomes_well, is_kept, stale, start, target, while_reading};

const READERS: usize = 8;
const BEHIND: Duration = Duration::from_millis(50);

fn serve(bucket: &dyn Bucket) -> Served {
    start(&bucket.url(), &["--wait", "1"])
}

/// The store's process is stopped and killed under load, in turn, and comes back with other contents.
fn outages(bucket: &dyn Bucket, rounds: usize) {
    const VERSIONS: usize = 4;
    let truth = Truth::of(VERSIONS);
    let reports: Vec<String> = (0..4).map(|number| format!("r{number}")).collect();
    for report in &reports {
        bucket.put_report(report, &truth.bytes(0));
    }
    let served = serve(bucket);
    for report in &reports {
        becomes_well(&served, &truth, report, 0);
    }
    let mut written = SystemTime::now();
    let server = bucket.server().unwrap();
    let is_stale = || {
        wait_until("what is kept is served and says that it is stale", || {
            let answer = served.get(&target("r0", QUESTIONS[0]));
            assert_eq!(answer.status, 200, "{}", answer.text());
            stale(&answer).is_some()
        });
    };
    let errors = while_reading(&served, &truth, READERS, &reports, VERSIONS, || {
        for round in 0..rounds {
            let version = (round + 1) % VERSIONS;
            server.pause();
            is_stale();
            server.resume();
            becomes_well(&served, &truth, "r0", round % VERSIONS);

            server.kill();
            is_stale();
            server.restart();
            // To servers whose times are whole seconds, two contents of one second and one size are the same. The clock of
            // files is a little behind.
            wait_until("the next second", || second(SystemTime::now() - BEHIND) > second(written));
            for report in &reports {
                bucket.put_report(report, &truth.bytes(version));
            }
            written = SystemTime::now();
            for report in &reports {
                becomes_well(&served, &truth, report, version);
            }
        }
    });
    assert!(errors.is_empty(), "all of it was kept, and yet: {errors:?}");
}

fn second(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn a_file_server_that_stops_and_ends_under_load_is_missed_by_nobody() {
    outages(&Nginx::start(), 1);
}

#[test]
#[ignore = "needs versitygw, and a minute: tests/run faults"]
fn an_s3_server_that_stops_and_ends_under_load_is_missed_by_nobody() {
    let gateway = Versitygw::start();
    outages(&gateway.bucket(), 5);
}

#[test]
fn a_store_that_is_not_there_at_the_start_is_told_at_once_unless_something_is_kept() {
    let truth = Truth::of(1);
    let store = Nginx::start();
    store.put_report("r0", &truth.bytes(0));
    let server = store.server().unwrap();
    let cache = tempfile::tempdir().unwrap();
    let args = ["--cache", cache.path().to_str().unwrap()];
    server.kill();
    let refused = std::process::Command::new(binary())
        .args(["serve", &store.url(), "--listen", "127.0.0.1:0", "--admin-listen", "off"])
        .args(args)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(
        !refused.status.success() && told.contains("Connection refused") && told.contains(store.url().trim_end_matches('/')),
        "{told}"
    );
    server.restart();
    let first = start(&store.url(), &args);
    becomes_well(&first, &truth, "r0", 0);
    wait_until("it is kept for good", || is_kept(cache.path()));
    drop(first);
    server.kill();
    let second = start(&store.url(), &args);
    let answer = second.get(&target("r0", QUESTIONS[0]));
    assert!(answer.body == truth.answer(0, QUESTIONS[0]), "{} {:.300}", answer.status, answer.text());
    server.restart();
    becomes_well(&second, &truth, "r0", 0);
}

#[test]
fn a_server_that_hangs_keeps_nobody_waiting_longer_than_was_said() {
    let truth = Truth::of(1);
    let store = Nginx::start();
    store.put_report("kept", &truth.bytes(0));
    store.put_report("new", &truth.bytes(0));
    let served = serve(&store);
    becomes_well(&served, &truth, "kept", 0);
    let server = store.server().unwrap();
    server.pause();
    let begun = std::time::Instant::now();
    let answer = served.get(&target("new", QUESTIONS[0]));
    assert_eq!(super::reason(&answer), "REPORT_BEING_FETCHED");
    assert_eq!(answer.status, 503);
    assert!(answer.header("retry-after").is_some());
    assert!(begun.elapsed() < Duration::from_secs(3), "after {:?}", begun.elapsed());
    let begun = std::time::Instant::now();
    let answer = served.get(&target("kept", QUESTIONS[0]));
    assert!(answer.body == truth.answer(0, QUESTIONS[0]));
    assert!(begun.elapsed() < Duration::from_secs(3), "after {:?}", begun.elapsed());
    server.resume();
    becomes_well(&served, &truth, "new", 0);
}

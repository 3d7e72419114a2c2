//! Processes of ours that end in the middle, and several on one cache folder: the folder is sound whatever happens.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use tests::faulty::{Fault, Faulty, Kind, Rule};
use tests::served::wait_until;
use tests::stores::{Bucket, Moto};

use super::{QUESTIONS, Truth, becomes_well, files, is_kept, target, through};

const REPORTS: usize = 6;

fn reports() -> Vec<String> {
    (0..REPORTS).map(|number| format!("r{number}")).collect()
}

/// A process is killed while it downloads, again and again, each time a little later.
fn kills(rounds: usize) {
    let truth = Truth::of(2);
    let bucket = Moto::shared().bucket();
    let cache = tempfile::tempdir().unwrap();
    let folder = cache.path().to_str().unwrap().to_owned();
    let proxy = Faulty::before(bucket.server().unwrap().address());
    let size = truth.bytes(0).len() as u64;
    for round in 0..rounds {
        for report in reports() {
            bucket.put_report(&report, &truth.bytes(round % 2));
        }
        proxy.only(Fault::Trickle(4_000_000));
        proxy.forget();
        let served = through(&proxy, &bucket, &["--cache", &folder]);
        std::thread::scope(|scope| {
            for report in reports() {
                let served = &served;
                // Killed in the middle, it does not answer.
                scope.spawn(move || served.connect().get(&target(&report, QUESTIONS[0])).is_ok());
            }
            // From the first bytes to the last report.
            let bytes = size * REPORTS as u64 * round as u64 / rounds as u64;
            wait_until("the downloads have come so far", || {
                let asked = proxy.asked();
                asked.bytes >= bytes || (asked.requests() > 0 && asked.open == 0 && asked.bytes >= size)
            });
            served.signal("KILL");
        });
    }
    proxy.heal();
    let last = (rounds - 1) % 2;
    let served = through(&proxy, &bucket, &["--cache", &folder]);
    for report in reports() {
        becomes_well(&served, &truth, &report, last);
    }
    wait_until("nothing is left over", || {
        let files = files(cache.path());
        let count = |ending: &str| files.iter().filter(|file| file.extension().is_some_and(|known| known == ending)).count();
        let works: BTreeSet<_> =
            files.iter().filter(|file| file.starts_with("work")).filter_map(|file| file.components().nth(1)).collect();
        count("sqlite") == REPORTS && count("json") == REPORTS && works.len() <= 1
    });
    drop(served);

    // What the next process finds is what it may use, without the store.
    proxy.refuse();
    let served = through(&proxy, &bucket, &["--cache", &folder]);
    for report in reports() {
        let answer = served.get(&target(&report, QUESTIONS[1]));
        assert_eq!(answer.status, 200, "{report}: {}", answer.text());
        assert!(answer.body == truth.answer(last, QUESTIONS[1]), "{report} is wrong");
    }
}

#[test]
fn a_process_that_is_killed_during_downloads_leaves_a_sound_cache() {
    kills(10);
}

#[test]
#[ignore = "half a minute: tests/run faults"]
fn a_process_that_is_killed_fifty_times_during_downloads_leaves_a_sound_cache() {
    kills(50);
}

#[test]
fn two_processes_on_one_cache_folder_fetch_each_report_once_together() {
    let truth = Truth::of(2);
    let bucket = Moto::shared().bucket();
    for report in reports() {
        bucket.put_report(&report, &truth.bytes(0));
    }
    let cache = tempfile::tempdir().unwrap();
    let args = ["--cache", cache.path().to_str().unwrap(), "--wait", "20", "--revalidate", "60"];
    let proxy = Faulty::before(bucket.server().unwrap().address());
    proxy.add(Rule::of(Fault::Latency(Duration::from_millis(300))).only(&[Kind::Get]));
    let both = [through(&proxy, &bucket, &args), through(&proxy, &bucket, &args)];
    std::thread::scope(|scope| {
        for served in &both {
            for report in reports() {
                let truth = &truth;
                scope.spawn(move || {
                    let answer = served.get(&target(&report, QUESTIONS[1]));
                    assert_eq!(answer.status, 200, "{}", answer.text());
                    assert!(answer.body == truth.answer(0, QUESTIONS[1]));
                });
            }
        }
    });
    let asked = proxy.asked();
    assert!(
        asked.gets.iter().filter(|(path, _)| path.ends_with("ansible.sqlite")).all(|(_, count)| *count == 1),
        "{:?}",
        asked.gets
    );
    let fetched: f64 = both.iter().map(|served| served.metric("aviary_query_fetched_total")).sum();
    assert_eq!(fetched, REPORTS as f64);
}

#[test]
fn what_one_process_has_kept_the_next_one_serves_at_once() {
    let truth = Truth::of(1);
    let bucket = Moto::shared().bucket();
    bucket.put_report("r0", &truth.bytes(0));
    let cache = tempfile::tempdir().unwrap();
    let args = ["--cache", cache.path().to_str().unwrap()];
    let proxy = Faulty::before(bucket.server().unwrap().address());
    let first = through(&proxy, &bucket, &args);
    becomes_well(&first, &truth, "r0", 0);
    wait_until("it is kept for good", || is_kept(cache.path()));
    drop(first);
    proxy.forget();
    let second = through(&proxy, &bucket, &args);
    becomes_well(&second, &truth, "r0", 0);
    wait_until("the store is asked whether it is still the same", || {
        assert_eq!(second.get(&target("r0", QUESTIONS[0])).status, 200);
        proxy.asked().count(Kind::Conditional) > 0
    });
    let asked = proxy.asked();
    assert_eq!(asked.gets.values().sum::<usize>(), 0, "{:?}", asked.gets);

    // And when one byte of it has changed, it is not believed.
    drop(second);
    let database = files(cache.path()).into_iter().find(|file| file.extension().is_some_and(|known| known == "sqlite")).unwrap();
    let database = cache.path().join(database);
    let mut bytes = fs::read(&database).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    fs::write(&database, bytes).unwrap();
    let third = through(&proxy, &bucket, &args);
    let begun = Instant::now();
    becomes_well(&third, &truth, "r0", 0);
    println!("well after {:?}", begun.elapsed());
}

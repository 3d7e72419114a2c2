//! What it costs that reports are in a store: first answers beside the store's own, two processes beside one, how much is
//! fetched beside how much would have to be, and memory while very much is fetched.
//!
//! The store is nginx with plain files behind a proxy that counts, so that its own part is as small as it can be.

mod cold;
mod listing;
mod output;
mod replicas;
mod working_set;

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use tests::corpus::{Set, corpus};
use tests::served::{Serve, wait_until};
use tests::stores::Nginx;

use crate::Settings;
use crate::criterion::{self, Criterion};
use crate::docs;
use crate::machine::{self, Machine};
use crate::reports::load::{self, Server};
use cold::Cold;
use listing::Listing;
use replicas::Moved;
use working_set::WorkingSet;

const SEED: u64 = 389;
/// A first answer may take so much longer than the store's own GET, in milliseconds.
const COLD_MS: f64 = 50.0;
/// Two processes must reach this part of what one does.
const PART_OF_ONE_PROCESS: f64 = 0.6;
/// Fetched, in times of what a cache that knows nothing of the future would fetch.
const TIMES_IDEAL: f64 = 1.15;
/// What may be fetched again after a replica came, in times of its share.
const TIMES_SHARE: f64 = 1.35;
/// The first page of a large folder may take so much longer than the store's own, in milliseconds.
const LISTING_MS: f64 = 200.0;
const MEMORY_MIB: f64 = 256.0;

/// Everything that was measured.
#[derive(Debug, Serialize)]
struct Measured {
    machine: Machine,
    cold: Cold,
    /// Requests per second of one process, and of gateway and query.
    one_process: f64,
    two_processes: f64,
    working_set: WorkingSet,
    moved: Vec<Moved>,
    /// Reports that were fetched again after a replica had ended and started with its folder.
    after_restart: f64,
    crowd: cold::Crowd,
    listing: Listing,
    criteria: Vec<Criterion>,
}

/// Measures, prints, and leaves the figures in `target/bench/storage.json`.
pub(crate) fn run(settings: &Settings, write: bool) -> Vec<Criterion> {
    let machine = Machine::look();
    let (small, large) = samples();
    println!("first answers ...");
    let cold = cold::first_answers(&large);
    println!("two processes beside one ...");
    let (one_process, two_processes) = processes(settings, &large);
    println!("more reports than the cache holds ...");
    let working_set = working_set::run(&small);
    println!("replicas that come and restart ...");
    let moved = [1, 3].into_iter().map(|before| replicas::add_one(&small, before)).collect::<Vec<_>>();
    let after_restart = replicas::restart(&small);
    println!("a folder with very many children ...");
    let listing = listing::first_page();
    println!("a crowd of first questions ...");
    let crowd = cold::crowd(&large);

    let mut criteria = vec![
        Criterion::at_most("first answer beyond the store's own GET", cold.first_ms - cold.get_ms, COLD_MS, "ms"),
        Criterion::at_most("GETs for 64 first questions at once", cold.gets as f64, 1.0, "GET"),
        Criterion::at_least("two processes", two_processes / one_process, PART_OF_ONE_PROCESS, "times one process"),
        Criterion::at_most("fetched with a cache of a tenth", working_set.times_ideal(), TIMES_IDEAL, "times the ideal"),
        Criterion::at_most("fetched again after a restart", after_restart, 0.0, "reports"),
        Criterion::at_most(
            format!("first page of {} children beyond the store's own", listing.children),
            listing.page_ms - listing.store_ms,
            LISTING_MS,
            "ms",
        ),
        Criterion::at_most("memory of query under a crowd", crowd.query_mib, MEMORY_MIB, "MiB"),
        Criterion::at_most("memory of gateway under a crowd", crowd.gateway_mib, MEMORY_MIB, "MiB"),
    ];
    criteria.extend(moved.iter().map(|moved| {
        let what = format!("fetched again when a replica joins {}", moved.before);
        Criterion::at_most(what, moved.share * (moved.before + 1) as f64, TIMES_SHARE, "times its share")
    }));
    let measured =
        Measured { machine, cold, one_process, two_processes, working_set, moved, after_restart, crowd, listing, criteria };
    criterion::print(&measured.criteria);
    docs::save("storage", &measured);
    if write {
        docs::write("storage", &output::markdown(&measured));
    }
    measured.criteria
}

/// A small report, and the one of 13 MB.
fn samples() -> (PathBuf, PathBuf) {
    let corpus = corpus(SEED, Set::Full);
    let mut files: Vec<PathBuf> = corpus.of_kind("healthy").map(|report| report.file(&corpus.root)).collect();
    files.sort_by_key(|file| fs::metadata(file).unwrap().len());
    (files.first().unwrap().clone(), files.last().unwrap().clone())
}

/// Puts `count` copies of a report into a store, without filling the disk with them.
fn fill(nginx: &Nginx, count: usize, file: &Path) {
    let one = nginx.root().join("one.sqlite");
    fs::copy(file, &one).unwrap();
    for number in 0..count {
        let folder = nginx.root().join(format!("{number}/ara-report"));
        fs::create_dir_all(&folder).unwrap();
        fs::hard_link(&one, folder.join("ansible.sqlite")).unwrap();
    }
}

/// Where the playbooks of a report are.
fn target(number: usize) -> String {
    format!("/{number}/ara-report/api/v1/playbooks?limit=1")
}

/// Rates of the same warm answers from one process and from two.
fn processes(settings: &Settings, file: &Path) -> (f64, f64) {
    use tests::stores::Bucket;
    let nginx = Nginx::start();
    fill(&nginx, 1, file);
    let url = nginx.url();
    let target = "/0/ara-report/api/v1/results?limit=100";
    let one = Serve::of(Path::new(&url)).start();
    let query = Serve::query(Path::new(&url)).start();
    let gateway = Serve::gateway(&query.url).watched().start();
    wait_until("the gateway is ready", || gateway.is_ready());
    let rate = |name, served: &tests::served::Served| {
        assert_eq!(served.get(target).status, 200);
        let server = Server { name, address: served.address, process: served.id() };
        load::load(&server, target, settings.seconds).rate
    };
    (rate("one process", &one), rate("two processes", &gateway))
}

/// The most memory that a process had, in MiB.
fn peak(process: u32) -> f64 {
    machine::resident_peak(process)
}

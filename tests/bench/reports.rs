//! Aviary, the real ARA and nginx with the same bytes as static files, at the same URLs, on one machine.
//!
//! Only one server is under load at a time, and all take turns URL by URL, so that whatever else the machine does is the
//! same for all of them.

pub(crate) mod load;
mod memory;
pub(crate) mod nginx;
mod output;
mod urls;

use std::time::Instant;

use serde::Serialize;
use tests::ara::{Ara, Options};
use tests::aviary;
use tests::corpus::{Corpus, Set, corpus};
use tests::http::Connection;

use crate::Settings;
use crate::criterion::{Criterion, median};
use crate::docs;
use crate::machine::{self, Machine};
use load::{Load, Server};
use memory::Memory;
use nginx::Nginx;
use urls::Url;

const SEED: u64 = 389;
/// What is wanted on every URL that reads the database: rendered answers kept, so many times ARA ...
const WARM_TIMES_ARA: f64 = 100.0;
/// ... or this part of nginx, whichever is less; and nothing kept, so many times ARA.
const WARM_PART_OF_NGINX: f64 = 0.5;
const OFF_TIMES_ARA: f64 = 20.0;
const MEMORY_MIB: f64 = 100.0;
const START_MS: f64 = 100.0;
/// A slow server is loaded until it has answered about so often.
const SLOW_ANSWERS: f64 = 100.0;

/// The figures of one server at one URL: medians of all rounds.
#[derive(Clone, Copy, Debug, Serialize)]
struct Figures {
    requests_per_second: f64,
    p99_ms: f64,
    /// Time on a processor for one request.
    work_us: f64,
    /// Time of an answer when there is one client with one request at a time.
    alone_ms: f64,
}

/// All figures of one URL.
#[derive(Clone, Debug, Serialize)]
struct Row {
    url: String,
    bytes: usize,
    reads_database: bool,
    nginx: Figures,
    warm: Figures,
    off: Figures,
    ara: Figures,
}

impl Row {
    fn warm_times_ara(&self) -> f64 {
        self.warm.requests_per_second / self.ara.requests_per_second
    }

    fn warm_times_nginx(&self) -> f64 {
        self.warm.requests_per_second / self.nginx.requests_per_second
    }

    fn off_times_ara(&self) -> f64 {
        self.off.requests_per_second / self.ara.requests_per_second
    }

    fn off_times_ara_alone(&self) -> f64 {
        self.ara.alone_ms / self.off.alone_ms
    }

    fn criteria(&self) -> Vec<Criterion> {
        if !self.reads_database {
            return Vec::new();
        }
        let warm = (WARM_TIMES_ARA * self.ara.requests_per_second).min(WARM_PART_OF_NGINX * self.nginx.requests_per_second);
        let off = format!("rendered cache off {}", self.url);
        vec![
            Criterion::at_least(format!("warm {}", self.url), self.warm.requests_per_second, warm, "requests/s"),
            // Under load requests share readings, so one client alone must see the same.
            Criterion::at_least(off, self.off_times_ara(), OFF_TIMES_ARA, "times ARA"),
        ]
    }
}

/// Resident memory of ARA in MiB after one report.
#[derive(Clone, Copy, Debug, Serialize)]
struct AraMemory {
    /// Sum over its workers.
    workers: f64,
    /// All its processes, with shared pages counted once.
    share: f64,
}

/// Everything that was measured.
#[derive(Debug, Serialize)]
struct Measured {
    machine: Machine,
    settings: Settings,
    rows: Vec<Row>,
    memory: Memory,
    ara_memory: AraMemory,
    start_ms: f64,
    ara_start_ms: f64,
    criteria: Vec<Criterion>,
}

/// Measures, prints, and leaves the figures in `target/bench/reports.json`.
pub(crate) fn run(settings: &Settings, write: bool) -> Vec<Criterion> {
    let machine = Machine::look();
    let corpus = corpus(SEED, Set::Full);
    let urls = urls::urls(&settings.only);
    let first = &urls.last().expect("no URL contains that").target;

    println!("starts and memory ...");
    let start_ms = memory::start(&corpus.root, first);
    let memory = memory::many_reports(&corpus);
    let began = Instant::now();
    let ara = Ara::start(&Options::of(&corpus.root));
    Connection::new(ara.address()).get(first).unwrap();
    let ara_start_ms = began.elapsed().as_secs_f64() * 1e3;
    let ara_memory = ara_memory(&ara, first);

    let rows = rows(settings, &corpus, &ara, &urls);
    let mut criteria: Vec<Criterion> = rows.iter().flat_map(Row::criteria).collect();
    let what = format!("resident memory after {} reports", memory.reports);
    criteria.push(Criterion::at_most(what, memory.touched, MEMORY_MIB, "MiB"));
    criteria.push(Criterion::at_most("start to first answer", start_ms, START_MS, "ms"));
    let measured = Measured { machine, settings: settings.clone(), rows, memory, ara_memory, start_ms, ara_start_ms, criteria };
    output::print(&measured);
    docs::save("reports", &measured);
    println!("\nfigures: target/bench/reports.json");
    if write {
        docs::write("reports", &output::markdown(&measured));
    }
    measured.criteria
}

/// Touches one report until every worker has seen it.
fn ara_memory(ara: &Ara, target: &str) -> AraMemory {
    for _ in 0..32 {
        Connection::new(ara.address()).get(target).unwrap();
    }
    let family = machine::family(ara.id());
    AraMemory {
        workers: family[1..].iter().map(|id| machine::resident(*id)).sum(),
        share: family.iter().map(|id| machine::resident_share(*id)).sum(),
    }
}

fn rows(settings: &Settings, corpus: &Corpus, ara: &Ara, urls: &[Url]) -> Vec<Row> {
    let (warm_url, warm) = aviary::start(&corpus.root, &[]);
    let (off_url, off) = aviary::start(&corpus.root, &["--cache-rendered", "0"]);
    let server = |name, address, process| Server { name, address, process };
    let warm = server("Aviary", aviary::address(&warm_url), warm.id());
    let off = server("Aviary with its cache off", aviary::address(&off_url), off.id());
    let ara = server("ARA", ara.address(), ara.id());
    let answers: Vec<Answer> = urls.iter().map(|url| answer(url, &ara, &warm, &off)).collect();
    let paths = urls.iter().map(Url::as_path);
    let nginx = Nginx::start(paths.zip(answers.iter().map(|answer| answer.body.as_slice())));
    let nginx = server("nginx", nginx.address(), nginx.id());

    for (url, answer) in urls.iter().zip(&answers) {
        let path = url.as_path();
        let served = Connection::new(nginx.address).get(&path).unwrap();
        assert!(served.status == 200 && served.body == answer.body, "{path}");
    }

    let mut loads = vec![[const { Vec::<Load>::new() }; 4]; urls.len()];
    for round in 0..settings.rounds {
        for (index, url) in urls.iter().enumerate() {
            println!("round {}: {}", round + 1, url.target);
            let path = url.as_path();
            let seconds = (answers[index].seconds_of_ara).min(settings.slow_seconds).max(settings.seconds);
            let target = url.target.as_str();
            let turns = [
                (&nginx, path.as_str(), settings.seconds),
                (&warm, target, settings.seconds),
                (&off, target, settings.seconds),
                (&ara, target, seconds),
            ];
            for (which, (server, target, seconds)) in turns.into_iter().enumerate() {
                loads[index][which].push(load::load(server, target, seconds));
            }
        }
    }
    let figures = |server: &Server, target: &str, loads: &[Load]| Figures {
        requests_per_second: median(loads.iter().map(|load| load.rate)),
        p99_ms: median(loads.iter().map(|load| load.p99)),
        work_us: median(loads.iter().map(|load| load.work)),
        alone_ms: load::alone(server, target),
    };
    let row = |((url, answer), loads): ((&Url, Answer), [Vec<Load>; 4])| Row {
        url: url.target.clone(),
        bytes: answer.body.len(),
        reads_database: url.reads_database,
        nginx: figures(&nginx, &url.as_path(), &loads[0]),
        warm: figures(&warm, &url.target, &loads[1]),
        off: figures(&off, &url.target, &loads[2]),
        ara: figures(&ara, &url.target, &loads[3]),
    };
    urls.iter().zip(answers).zip(loads).map(row).collect()
}

/// What every server has to answer.
struct Answer {
    body: Vec<u8>,
    /// How long ARA has to be loaded for a stable figure.
    seconds_of_ara: u64,
}

/// Asks ARA, and requires that Aviary answers with the same bytes.
fn answer(url: &Url, ara: &Server, warm: &Server, off: &Server) -> Answer {
    let get = |server: &Server| {
        let answer = Connection::new(server.address).get(&url.target).unwrap();
        assert_eq!(answer.status, 200, "{} at {}", server.name, url.target);
        answer.body
    };
    get(ara);
    let start = Instant::now();
    let body = get(ara);
    let time = start.elapsed().as_secs_f64();
    for server in [warm, off] {
        let same = get(server) == body;
        assert!(same, "{} answers otherwise at {}", server.name, url.target);
    }
    let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_ne!(json["count"], 0, "nothing is found at {}", url.target);
    Answer { body, seconds_of_ara: (time * SLOW_ANSWERS).ceil() as u64 }
}

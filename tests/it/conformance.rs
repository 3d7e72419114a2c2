//! Aviary answers as ARA 1.8.0 does: the same requests to both, every answer the same or covered by one row of `differences.toml`.
//!
//! What the schemas before 1.8 answer is compared in `legacy`.

pub(crate) mod compare;
pub(crate) mod differences;
mod objects;
pub(crate) mod random;
pub(crate) mod requests;
pub(crate) mod urls;
mod values;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tests::ara::{Ara, Options};
use tests::corpus::{Corpus, Set, corpus};
use tests::http::{Connection, Response};

use differences::Differences;
use random::Random;
use urls::{Data, Request, encode};

const CLIENTS: usize = 8;
const SHOWN: usize = 20;
/// Fixed, so that the default tier asks the same on every machine.
const SEED: u64 = 389;
const SAMPLE: usize = 3000;

/// What came out of comparing many answers.
#[derive(Default)]
pub(crate) struct Outcome {
    pub identical: usize,
    pub compared: usize,
    pub by_row: BTreeMap<String, usize>,
    pub mismatches: Vec<String>,
    pub elapsed: Duration,
}

impl Outcome {
    pub(crate) fn add(&mut self, other: Outcome) {
        self.identical += other.identical;
        self.compared += other.compared;
        self.elapsed += other.elapsed;
        self.mismatches.extend(other.mismatches);
        for (row, count) in other.by_row {
            *self.by_row.entry(row).or_default() += count;
        }
    }

    /// One line to the terminal, also when the test passes; then the first mismatches, if any.
    pub(crate) fn report(&self, name: &str) {
        let rows: Vec<String> = self.by_row.iter().map(|(row, count)| format!("{row} {count}")).collect();
        let rate = self.compared as f64 / self.elapsed.as_secs_f64().max(0.001);
        let rows = if rows.is_empty() { "none".to_owned() } else { rows.join(", ") };
        let _ = writeln!(
            std::io::stderr(),
            "{name}: identical {} / compared {}, differences by row: {rows} ({:.0} s, {rate:.0}/s)",
            self.identical,
            self.compared,
            self.elapsed.as_secs_f64()
        );
        assert!(
            self.mismatches.is_empty(),
            "{} answers differ; the first:\n{}",
            self.mismatches.len(),
            self.mismatches[..self.mismatches.len().min(SHOWN)].join("\n")
        );
    }
}

/// How a pair of answers is judged beyond byte equality.
pub(crate) type Tolerance<'a> = &'a (dyn Fn(&Request, &Response, &Response) -> bool + Sync);

/// Ask both sides everything, over several kept connections.
pub(crate) fn compare_all(
    oracle: SocketAddr,
    subject: SocketAddr,
    requests: &[Request],
    differences: &Differences,
    tolerance: Tolerance,
) -> Outcome {
    let start = Instant::now();
    let next = AtomicUsize::new(0);
    let total = Mutex::new(Outcome::default());
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let (mut oracle, mut subject) = (Connection::new(oracle), Connection::new(subject));
                let mut outcome = Outcome::default();
                while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                    judge(request, &mut oracle, &mut subject, differences, tolerance, &mut outcome);
                }
                total.lock().unwrap().add(outcome);
            });
        }
    });
    let mut outcome = total.into_inner().unwrap();
    outcome.elapsed = start.elapsed();
    outcome.mismatches.sort();
    outcome
}

fn judge(
    request: &Request,
    oracle: &mut Connection,
    subject: &mut Connection,
    differences: &Differences,
    tolerance: Tolerance,
    outcome: &mut Outcome,
) {
    let headers: Vec<(&str, &str)> = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut mismatch = |lines: String| {
        outcome.mismatches.push(format!("  {} {} {:?}\n    {lines}", request.method, request.target, request.headers))
    };
    outcome.compared += 1;
    let theirs = oracle
        .send(request.method, &request.target, &headers)
        .unwrap_or_else(|error| panic!("ARA does not answer {request:?}: {error}"));
    let ours = match subject.send(request.method, &request.target, &headers) {
        Ok(response) => response,
        Err(error) => return mismatch(format!("no answer: {error}")),
    };
    let parting = compare::compare(&theirs, &ours);
    if parting.lines.is_empty() || tolerance(request, &theirs, &ours) {
        let mut unknown = Vec::new();
        for header in &parting.added {
            match differences.allowing(header) {
                Some(row) => *outcome.by_row.entry(row.id.clone()).or_default() += 1,
                None => unknown.push(header.as_str()),
            }
        }
        return if unknown.is_empty() {
            outcome.identical += 1
        } else {
            mismatch(format!("added headers: {}", unknown.join(", ")))
        };
    }
    match differences.covering(request, &theirs, &ours).as_slice() {
        [row] => *outcome.by_row.entry(row.id.clone()).or_default() += 1,
        [] => mismatch(parting.lines.join("\n    ")),
        rows => mismatch(format!(
            "covered by several rows: {}",
            rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>().join(", ")
        )),
    }
}

/// One way to run both servers, and what to ask them.
struct Setup {
    options: Options,
    requests: Vec<Request>,
}

/// The whole corpus at the root, and the documentation's tree with its own prefix under a base path.
fn setups(corpus: &Corpus, seed: u64) -> Vec<Setup> {
    let mut random = Random::new(seed);
    let mut requests = Vec::new();
    for (index, report) in corpus.reports.iter().filter(|report| report.prefix == "ara-report").enumerate() {
        let base = format!("/{}/{}", encode(&report.folder), report.prefix);
        let part = match (report.kind.as_str(), report.folder.as_str()) {
            ("healthy", "3/prod") | ("odd", "odd/values") => 0.45,
            ("healthy", "odd/no-rows") | ("odd", _) => 0.12,
            ("healthy", "integration") => 0.05,
            ("healthy", _) => 0.02,
            ("broken", "broken/view-instead-of-table") => {
                // ARA would count for ever.
                requests.extend([Request::get(format!("{base}/api/")), Request::get(format!("{base}/api/v1/labels"))]);
                continue;
            }
            ("legacy" | "legacy-migrated", _) => continue,
            _ => {
                requests.extend(requests::few(&base));
                continue;
            }
        };
        requests.extend(requests::few(&base));
        let mut found = urls::of_report(&base, &mut Data::open(&report.file(&corpus.root), seed + index as u64));
        if report.folder == "integration" {
            // ARA needs minutes for these.
            found.retain(|request| !request.target.contains("limit=1000000") && !request.target.contains("limit=9223"));
        }
        found.iter_mut().for_each(|request| spare_ara(request, &mut random));
        requests.extend(sample(found, part, &mut random));
    }
    for report in ["/3/prod/ara-report", "/2/some/path/ara-report"] {
        requests.extend(requests::pages(report));
        requests.extend(requests::methods("", report));
    }
    requests.extend(requests::paths("", "2/some/path", "ara-report"));
    requests.extend(requests::formats("/3/prod/ara-report"));
    requests.extend(requests::headers("/3/prod/ara-report"));

    let mut documented = Vec::new();
    for (index, report) in corpus.reports.iter().filter(|report| report.folder.starts_with("docs/")).enumerate() {
        let folder = report.folder.trim_start_matches("docs/");
        let base = format!("/logs/{folder}/ara-api");
        documented.extend(requests::few(&base));
        documented.extend(sample(
            urls::of_report(&base, &mut Data::open(&report.file(&corpus.root), seed + 1000 + index as u64)),
            0.02,
            &mut random,
        ));
    }
    documented.extend(requests::pages("/logs/2/some/path/ara-api"));
    documented.extend(requests::methods("/logs", "/logs/2/some/path/ara-api"));
    documented.extend(requests::paths("/logs", "2/some/path", "ara-api"));
    documented.extend(requests::paths("", "2/some/path", "ara-api"));
    for escape in ["/..", "/1/../..", "/%2e%2e", "/..%2f../logs/.."] {
        documented.push(Request::get(format!("/logs{escape}/docs-private/1/ara-api/api/v1/labels")));
    }
    let mut options = Options::of(corpus.root.join("docs"));
    options.prefix = "ara-api".into();
    options.base_path = "/logs".into();
    vec![
        Setup { options: Options::of(&corpus.root), requests: unique(requests) },
        Setup { options, requests: unique(documented) },
    ]
}

/// ARA asks the database eleven times for each of the latest hosts: few of those requests may ask for all.
fn spare_ara(request: &mut Request, random: &mut Random) {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    if path.ends_with("/latesthosts") && !query.contains("limit") && random.below(12) > 0 {
        request.target.push_str(if query.is_empty() { "?limit=4" } else { "&limit=4" });
    }
}

fn unique(mut requests: Vec<Request>) -> Vec<Request> {
    requests.sort();
    requests.dedup();
    // Neighbours are alike; apart, they load both servers evenly.
    Random::new(SEED).shuffle(&mut requests);
    requests
}

/// At most so many of them, chosen by chance.
pub(crate) fn sampled(mut requests: Vec<Request>, most: usize, seed: u64) -> Vec<Request> {
    Random::new(seed).shuffle(&mut requests);
    requests.truncate(most);
    requests
}

fn sample(mut requests: Vec<Request>, part: f64, random: &mut Random) -> Vec<Request> {
    random.shuffle(&mut requests);
    requests.truncate((requests.len() as f64 * part).ceil() as usize);
    requests
}

/// Both servers over each setup; `most` requests at most.
fn aviary_against_ara(seed: u64, set: Set, most: usize, differences: &Differences) -> Outcome {
    let mut outcome = Outcome::default();
    let setups = setups(&corpus(seed, set), seed);
    let all: usize = setups.iter().map(|setup| setup.requests.len()).sum();
    for Setup { options, requests } in setups {
        let share = requests.len().min((most as f64 * requests.len() as f64 / all as f64).ceil() as usize);
        let ara = Ara::start(&options);
        let arguments: &[&str] =
            if options.base_path.is_empty() { &[] } else { &["--prefix", &options.prefix, "--base-path", &options.base_path] };
        let (url, _aviary) = tests::aviary::start(&options.root, arguments);
        outcome.add(compare_all(ara.address(), tests::aviary::address(&url), &requests[..share], differences, &|_, _, _| false));
    }
    outcome
}

#[test]
fn a_sample_of_answers_is_the_same_as_those_of_ara() {
    aviary_against_ara(SEED, Set::Small, SAMPLE, &Differences::read()).report("conformance");
}

#[test]
#[ignore = "minutes: tests/run conformance"]
fn every_answer_on_two_seeds_is_the_same_as_those_of_ara_and_no_difference_is_obsolete() {
    let differences = Differences::read();
    let mut outcome = aviary_against_ara(SEED, Set::Full, usize::MAX, &differences);
    outcome.add(aviary_against_ara(SEED + 1, Set::Small, usize::MAX, &differences));
    let unused: Vec<&str> = differences
        .rows
        .iter()
        .filter(|row| row.test == "conformance" && !outcome.by_row.contains_key(&row.id))
        .map(|row| row.id.as_str())
        .collect();
    outcome.report("conformance, all");
    assert!(unused.is_empty(), "rows of differences.toml that nothing needs any more: {}", unused.join(", "));
}

#[test]
fn ara_answers_as_itself_and_another_page_size_is_noticed() {
    let corpus = corpus(SEED, Set::Small);
    let Setup { options, mut requests } = setups(&corpus, SEED).remove(0);
    // Pages for people hold the time of day.
    requests.retain(|request| request.target.contains("/api/"));
    requests.truncate(200);
    requests.push(Request::get("/3/prod/ara-report/api/v1/results"));
    let one_worker = Options { workers: 1, ..options };
    let (ara, other) = (Ara::start(&one_worker), Ara::start(&Options { page_size: Some(7), ..one_worker.clone() }));
    let none = Differences::none();
    compare_all(ara.address(), ara.address(), &requests, &none, &|_, _, _| false).report("ARA against itself");
    let outcome = compare_all(ara.address(), other.address(), &requests, &none, &|_, _, _| false);
    assert!(
        outcome.mismatches.iter().any(|mismatch| mismatch.contains("/3/prod/ara-report/api/v1/results ")),
        "a page of 7 results went for one of 100"
    );
}

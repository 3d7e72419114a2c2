//! Databases of older schemas answer like their copies that ARA itself has migrated.
//!
//! The requests and the judgement are those of `conformance`; here is only what a migration may change without changing the answer.

use serde_json::Value;
use tests::ara::{Ara, Options};
use tests::corpus::{Corpus, Report, Set, corpus};
use tests::http::Response;

use crate::conformance::differences::Differences;
use crate::conformance::urls::{self, Data, Request};
use crate::conformance::{Outcome, compare_all, sampled};

const SEED: u64 = 389;
/// Requests per schema.
const SAMPLE: usize = 150;
/// The migration that made the table of latest hosts.
const LATEST_HOSTS: &str = "0009";

fn requests(corpus: &Corpus, report: &Report, most: usize) -> Vec<Request> {
    let level = report.folder.trim_start_matches("legacy-migrated/");
    let base = format!("/{level}/ara-report");
    let mut found = urls::of_report(&base, &mut Data::open(&report.file(&corpus.root), SEED));
    // In old files the migration writes the time at which it ran; what is found by that time says nothing.
    found.retain(|request| {
        level >= LATEST_HOSTS
            || !(request.target.contains("/latesthosts")
                && ["created", "updated"].iter().any(|word| request.target.contains(word)))
    });
    let plain: Vec<Request> = found.iter().filter(|request| !request.target.contains('?')).cloned().collect();
    let mut chosen = sampled(found, most, SEED);
    chosen.extend(plain);
    chosen.sort();
    chosen.dedup();
    chosen
}

/// The same rows in another order where ARA names none, and the time of the migration, are no difference.
fn tolerable(request: &Request, oracle: &Response, subject: &Response) -> bool {
    if oracle.status != subject.status || oracle.status != 200 {
        return false;
    }
    let (Ok(mut oracle), Ok(mut subject)) =
        (serde_json::from_slice::<Value>(&oracle.body), serde_json::from_slice::<Value>(&subject.body))
    else {
        return false;
    };
    let level = request.target.split('/').nth(1).unwrap_or_default();
    for body in [&mut oracle, &mut subject] {
        if request.target.contains("/latesthosts") && level < LATEST_HOSTS {
            forget_times(body);
        }
        if order_is_open(&request.target)
            && let Some(rows) = body.get_mut("results").and_then(Value::as_array_mut)
        {
            rows.sort_by_key(Value::to_string);
        }
    }
    oracle == subject
}

fn forget_times(body: &mut Value) {
    let rows: Vec<&mut Value> = match body.get_mut("results").is_some() {
        true => body["results"].as_array_mut().map(|rows| rows.iter_mut().collect()).unwrap_or_default(),
        false => vec![body],
    };
    for row in rows {
        row["created"] = Value::Null;
        row["updated"] = Value::Null;
    }
}

/// Lists that ARA does not order come as the indexes of the file have it, and old files have fewer.
fn order_is_open(target: &str) -> bool {
    let list = ["/hosts", "/latesthosts", "/files", "/records", "/labels"]
        .iter()
        .any(|name| target.split('?').next().unwrap_or_default().ends_with(name));
    let ties = [
        "order=duration",
        "order=-duration",
        "order=changed",
        "order=ok",
        "order=ended",
        "order=-ended",
        "order=updated",
        "order=-updated",
    ]
    .iter()
    .any(|order| target.contains(order));
    list || ties
}

fn old_against_migrated(most: usize) -> Outcome {
    let corpus = corpus(SEED, Set::Small);
    let requests: Vec<Request> = corpus.of_kind("legacy-migrated").flat_map(|report| requests(&corpus, report, most)).collect();
    let ara = Ara::start(&Options::of(corpus.root.join("legacy-migrated")));
    let (url, _aviary) = tests::aviary::start(&corpus.root.join("legacy"), &[]);
    compare_all(ara.address(), tests::aviary::address(&url), &requests, &Differences::read(), &tolerable)
}

#[test]
fn a_sample_of_answers_from_old_schemas_is_the_same_as_those_of_migrated_copies() {
    old_against_migrated(SAMPLE).report("legacy");
}

#[test]
#[ignore = "minutes: tests/run conformance"]
fn every_answer_from_old_schemas_is_the_same_as_those_of_migrated_copies() {
    old_against_migrated(1500).report("legacy, all");
}

//! Many more reports than the cache holds, asked for as people do: some very often, most hardly ever. What is fetched is
//! compared with what a cache of the same size that takes away the least recently used would fetch.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;

use serde::Serialize;
use tests::served::Serve;
use tests::stores::{Bucket, Nginx};

const REPORTS: usize = 1000;
const KEPT: usize = 100;
const QUESTIONS: usize = 6000;

/// Figures of one run.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct WorkingSet {
    pub(super) reports: usize,
    pub(super) kept: usize,
    pub(super) questions: usize,
    pub(super) fetched: usize,
    pub(super) fetched_mebibytes: f64,
    /// What the ideal would fetch.
    pub(super) ideal: usize,
}

impl WorkingSet {
    pub(super) fn times_ideal(&self) -> f64 {
        self.fetched as f64 / self.ideal as f64
    }

    pub(super) fn hit_rate(&self) -> f64 {
        1.0 - self.fetched as f64 / self.questions as f64
    }
}

pub(super) fn run(file: &Path) -> WorkingSet {
    let nginx = Nginx::start();
    super::fill(&nginx, REPORTS, file);
    let bytes = fs::metadata(file).unwrap().len();
    let size = (bytes * KEPT as u64).to_string();
    // Rendered answers would answer most of the questions, and comparing reports with the store is not what is measured.
    let arguments = ["--cache-size", size.as_str(), "--cache-rendered", "0", "--revalidate", "3600"];
    let served = Serve::of(Path::new(&nginx.url())).args(&arguments).watched().start();
    let questions = questions();
    let mut connection = served.connect();
    for report in &questions {
        assert_eq!(connection.get(&super::target(*report)).unwrap().status, 200, "{}", served.output());
    }
    WorkingSet {
        reports: REPORTS,
        kept: KEPT,
        questions: QUESTIONS,
        fetched: served.metric("aviary_query_fetched_total") as usize,
        fetched_mebibytes: served.metric("aviary_query_fetched_bytes_total") / 1024.0 / 1024.0,
        ideal: least_recently_used(&questions),
    }
}

/// Reports by Zipf's law, the same in each run.
fn questions() -> Vec<usize> {
    let weights: Vec<f64> = (1..=REPORTS).map(|rank| 1.0 / rank as f64).collect();
    let total: f64 = weights.iter().sum();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let pick = |_| {
        let mut left = random() * total;
        let rank = weights.iter().position(|weight| {
            left -= weight;
            left <= 0.0
        });
        // Spread, so that popular reports are not those with small numbers.
        rank.unwrap_or(REPORTS - 1) * 379 % REPORTS
    };
    (0..QUESTIONS).map(pick).collect()
}

/// How often the ideal has to fetch.
fn least_recently_used(questions: &[usize]) -> usize {
    let mut kept = VecDeque::new();
    let mut fetched = 0;
    for report in questions {
        match kept.iter().position(|other| other == report) {
            Some(at) => {
                kept.remove(at);
            }
            None => {
                fetched += 1;
                if kept.len() == KEPT {
                    kept.pop_front();
                }
            }
        }
        kept.push_back(*report);
    }
    fetched
}

//! Reports that nobody has asked for yet: one of them, many questions about one, and questions about very many.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;
use tests::faulty::{Faulty, Kind};
use tests::http::Connection;
use tests::served::{Serve, wait_until};
use tests::stores::{Bucket, Nginx};

use crate::criterion::median;

/// How often a first answer is timed, each time with an empty cache.
const TIMES: usize = 7;
/// Questions at once about one report.
const AT_ONCE: usize = 64;
/// Reports that are asked for at once.
const CROWD: usize = 200;

/// First answers from one report.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Cold {
    pub(super) mebibytes: f64,
    /// The store's own GET.
    pub(super) get_ms: f64,
    /// The first answer.
    pub(super) first_ms: f64,
    /// GETs of the report while 64 clients asked for it for the first time.
    pub(super) gets: usize,
}

/// Very many first answers.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Crowd {
    pub(super) reports: usize,
    pub(super) seconds: f64,
    pub(super) query_mib: f64,
    pub(super) gateway_mib: f64,
}

pub(super) fn first_answers(file: &Path) -> Cold {
    let nginx = Nginx::start();
    super::fill(&nginx, 1, file);
    let address = nginx.server().expect("nginx is a server").address();
    let object =
        format!("{}/0/ara-report/ansible.sqlite", nginx.url().split_once(&address.to_string()).unwrap().1.trim_end_matches('/'));
    let mut gets = Vec::new();
    let mut firsts = Vec::new();
    for _ in 0..TIMES {
        let begun = Instant::now();
        assert_eq!(Connection::new(address).get(&object).unwrap().status, 200);
        gets.push(begun.elapsed().as_secs_f64() * 1e3);
        let served = Serve::of(Path::new(&nginx.url())).start();
        let begun = Instant::now();
        let answer = served.get(&super::target(0));
        assert_eq!(answer.status, 200, "{}", answer.text());
        firsts.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    let proxy = Faulty::before(address);
    let url = nginx.url_at(proxy.address(), "").unwrap();
    let served = Serve::of(Path::new(&url)).start();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| assert_eq!(served.get(&super::target(0)).status, 200));
        }
    });
    let asked = proxy.asked();
    let mebibytes = std::fs::metadata(file).unwrap().len() as f64 / 1024.0 / 1024.0;
    Cold { mebibytes, get_ms: median(gets), first_ms: median(firsts), gets: asked.count(Kind::Get) }
}

pub(super) fn crowd(file: &Path) -> Crowd {
    let nginx = Nginx::start();
    super::fill(&nginx, CROWD, file);
    let query = Serve::query(Path::new(&nginx.url())).args(&["--wait", "120", "--query-timeout", "120"]).start();
    let gateway = Serve::gateway(&query.url).args(&["--timeout", "120"]).watched().start();
    wait_until("the gateway is ready", || gateway.is_ready());
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for number in 0..CROWD {
            let gateway = &gateway;
            scope.spawn(move || {
                let mut connection = Connection::new(gateway.address).with_timeout(Duration::from_secs(150));
                assert_eq!(connection.get(&super::target(number)).unwrap().status, 200);
            });
        }
    });
    let seconds = begun.elapsed().as_secs_f64();
    Crowd { reports: CROWD, seconds, query_mib: super::peak(query.id()), gateway_mib: super::peak(gateway.id()) }
}

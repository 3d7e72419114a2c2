//! Load: wrk for many clients at once, a plain connection for one client alone.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tests::http::{Connection, HOST};

use crate::criterion::median;
use crate::machine;

/// Clients at once.
pub(crate) const CONNECTIONS: usize = 16;
/// Longest that one answer may take.
const TIMEOUT: &str = "30s";
/// Nobody is so slow that load has to last longer.
const MOST_SECONDS: u64 = 60;
/// Requests of the client that is alone, and how long it may go on.
const ALONE_REQUESTS: usize = 200;
const ALONE_TIME: Duration = Duration::from_secs(2);

/// A server to be loaded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    pub(crate) process: u32,
}

/// What a server did under load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Requests per second.
    pub(crate) rate: f64,
    /// Of a hundred answers, how long the slowest but one took, in milliseconds.
    pub(crate) p99: f64,
    /// Time on a processor for one request, in microseconds.
    pub(crate) work: f64,
}

#[derive(Deserialize)]
struct Figures {
    requests: u64,
    micros: f64,
    p99: f64,
    errors: u64,
    refused: u64,
}

/// Warms a server up, loads it for some seconds, and waits until it has come to rest.
pub(crate) fn load(server: &Server, target: &str, seconds: u64) -> Load {
    wrk(server, target, 1);
    let mut seconds = seconds;
    let (before, figures) = loop {
        machine::wait_until_idle(server.process);
        let before = machine::processor_time(server.process);
        let figures = wrk(server, target, seconds);
        // With fewer answers, those that were not finished at the end would count for too much.
        if figures.requests >= CONNECTIONS as u64 || seconds > MOST_SECONDS {
            break (before, figures);
        }
        seconds *= 2;
    };
    let work = machine::processor_time(server.process) - before;
    machine::wait_until_idle(server.process);
    assert!(
        figures.errors == 0 && figures.refused == 0 && figures.requests > 0,
        "{} does not stand the load at {target}: {} answers, {} errors, {} other statuses",
        server.name,
        figures.requests,
        figures.errors,
        figures.refused
    );
    let requests = figures.requests as f64;
    Load { rate: requests / (figures.micros / 1e6), p99: figures.p99 / 1e3, work: work.as_secs_f64() * 1e6 / requests }
}

fn wrk(server: &Server, target: &str, seconds: u64) -> Figures {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/reports/done.lua");
    let output = Command::new("wrk")
        .args(["-t1", "-c", &CONNECTIONS.to_string()])
        .args(["-d", &format!("{seconds}s"), "--timeout", TIMEOUT])
        .args(["-H", &format!("Host: {HOST}"), "-s"])
        .arg(script)
        .arg(format!("http://{}{target}", server.address))
        .output()
        .expect("failed to start wrk: tests/run bench installs it");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("figures "));
    let line = line.unwrap_or_else(|| panic!("wrk gave no figures:\n{text}{}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_str(line).expect("wrk's figures are JSON")
}

/// How long an answer takes, in milliseconds, when nobody else asks.
pub(crate) fn alone(server: &Server, target: &str) -> f64 {
    let mut connection = Connection::new(server.address);
    let mut times = Vec::new();
    let end = Instant::now() + ALONE_TIME;
    // The first one opens the connection.
    for _ in 0..=ALONE_REQUESTS {
        let start = Instant::now();
        assert_eq!(connection.get(target).unwrap().status, 200, "{target}");
        times.push(start.elapsed().as_secs_f64() * 1e3);
        if times.len() > 3 && Instant::now() > end {
            break;
        }
    }
    median(times.into_iter().skip(1))
}

//! A client that runs as a pod, since only there a Service is what clients of the cluster see: a port-forward is bound to
//! one pod and ends with it. It is told by its standard input what to ask and answers on its standard output; what an
//! answer means for a test is not its business.
//!
//! ```text
//! client URL CONNECTIONS PER_SECOND     first lines: DIGEST STATUS TARGET, then an empty one; then NAME ends a phase
//! client reach ADDRESS                  whether a TCP connection can be made
//! client wait                           does nothing, for `kubectl exec`
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tests::http::Connection;
use tests::load::{Expected, Phase, digest};

/// Longer than any deadline of the servers, so that a failure is theirs.
const PATIENCE: Duration = Duration::from_secs(45);

/// A connection is given up after so many requests, as balancers of connections see new ones in practice.
const PER_CONNECTION: usize = 100;

const KEPT_EXAMPLES: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["wait"] => loop {
            std::thread::park();
        },
        ["reach", address] => {
            let address = address.to_socket_addrs().expect("a name that resolves").next().expect("an address");
            let reached = TcpStream::connect_timeout(&address, Duration::from_secs(3)).is_ok();
            println!("{}", if reached { "reached" } else { "not reached" });
        }
        [host, connections, rate] => load(host, connections.parse().unwrap(), rate.parse().unwrap()),
        _ => panic!("client HOST:PORT CONNECTIONS PER_SECOND, client reach ADDRESS, or client wait"),
    }
}

struct Load {
    host: String,
    wanted: Vec<Expected>,
    next: AtomicUsize,
    done: AtomicBool,
    phase: Mutex<Phase>,
}

fn load(host: &str, connections: u32, rate: u32) {
    let mut lines = std::io::stdin().lock().lines();
    let wanted: Vec<Expected> =
        lines.by_ref().map(Result::unwrap).take_while(|line| !line.is_empty()).map(|line| line.parse().unwrap()).collect();
    let load = Arc::new(Load {
        host: host.to_owned(),
        wanted,
        next: AtomicUsize::new(0),
        done: AtomicBool::new(false),
        phase: Mutex::default(),
    });
    let pause = Duration::from_secs(1) * connections / rate;
    let askers: Vec<_> = (0..connections)
        .map(|_| {
            let load = Arc::clone(&load);
            std::thread::spawn(move || load.ask(pause))
        })
        .collect();
    for name in lines.map_while(Result::ok) {
        let phase = std::mem::take(&mut *load.phase.lock().unwrap());
        println!("{}", serde_json::to_string(&BTreeMap::from([(name, phase)])).unwrap());
    }
    load.done.store(true, Ordering::Relaxed);
    askers.into_iter().for_each(|asker| asker.join().unwrap());
}

impl Load {
    /// Asks for one target after the other, at its own pace, until it is told to end.
    fn ask(&self, pause: Duration) {
        let mut due = Instant::now();
        while !self.done.load(Ordering::Relaxed) {
            // Resolved again for each connection, as clients of a Service do.
            let Some(address) = self.host.to_socket_addrs().ok().and_then(|mut addresses| addresses.next()) else {
                self.note(Instant::now(), "", Outcome::Failed("the name does not resolve".to_owned()));
                std::thread::park_timeout(pause);
                continue;
            };
            let mut connection = Connection::new(address).with_timeout(PATIENCE);
            for _ in 0..PER_CONNECTION {
                if self.done.load(Ordering::Relaxed) {
                    return;
                }
                due = (due + pause).max(Instant::now());
                while let Some(left) = due.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
                    std::thread::park_timeout(left);
                }
                let wanted = &self.wanted[self.next.fetch_add(1, Ordering::Relaxed) % self.wanted.len()];
                let start = Instant::now();
                let answer = connection.send("GET", &wanted.target, &[("Accept", "application/json")]);
                let outcome = match &answer {
                    Err(error) => Outcome::Failed(error.to_string()),
                    Ok(answer) if answer.status == wanted.status && digest(answer) == wanted.digest => Outcome::Right,
                    Ok(answer) if matches!(answer.status, 502..=504) => {
                        Outcome::Failed(format!("{}: {}", answer.status, shortened(&answer.text())))
                    }
                    Ok(answer) => Outcome::Wrong(format!("{}: {}", answer.status, shortened(&answer.text()))),
                };
                self.note(start, &wanted.target, outcome);
                if answer.is_err() {
                    break;
                }
            }
        }
    }

    fn note(&self, start: Instant, target: &str, outcome: Outcome) {
        let mut phase = self.phase.lock().unwrap();
        phase.requests += 1;
        phase.slowest_ms = phase.slowest_ms.max(start.elapsed().as_millis() as u64);
        let example = match outcome {
            Outcome::Right => return,
            Outcome::Failed(what) => {
                phase.failed += 1;
                what
            }
            Outcome::Wrong(what) => {
                phase.wrong += 1;
                what
            }
        };
        if phase.examples.len() < KEPT_EXAMPLES {
            phase.examples.push(format!("{target} -> {example}"));
        }
    }
}

enum Outcome {
    Right,
    /// No answer, or one that says that there is none now.
    Failed(String),
    /// Another answer than the right one.
    Wrong(String),
}

fn shortened(text: &str) -> String {
    text.chars().take(300).collect()
}

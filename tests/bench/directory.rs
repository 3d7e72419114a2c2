//! What directories cost on one host: `aviary-ds389` beside dscreate and dsconf of lib389, each as whole processes, as people
//! and playbooks start them, on installations of their own.

mod aviary;
mod lib389;
mod output;
mod wanted;

use serde::Serialize;

use crate::Settings;
use crate::criterion::{self, Criterion, median};
use crate::docs;
use crate::machine::Machine;

/// An instance may take so long until it answers, in seconds.
const CREATE_S: f64 = 3.0;
/// A run that finds nothing to do may take so long, in milliseconds.
const NOTHING_MS: f64 = 150.0;
/// How many times faster than dsconf many objects must be made.
const TIMES_DSCONF: f64 = 5.0;
/// Facts may take so long, in milliseconds.
const FACTS_MS: f64 = 50.0;

/// How often what takes milliseconds is timed.
const SHORT: usize = 21;
/// Backends of the instance for short runs, and indexes of each.
const SMALL: (usize, usize) = (10, 10);
/// Backends of the instance for the long run, indexes of each, and agreements of all.
const LARGE: (usize, usize, usize) = (50, 2, 20);

/// Everything that was measured. Medians, where there are several.
#[derive(Debug, Serialize)]
struct Measured {
    machine: Machine,
    /// Version of the server.
    server: String,
    rounds: usize,
    /// From nothing to a server that answers.
    create_s: f64,
    dscreate_s: f64,
    nothing_ms: f64,
    facts_ms: f64,
    /// From an empty instance to all backends, indexes, replicas and agreements.
    many_s: f64,
    dsconf_s: f64,
    criteria: Vec<Criterion>,
}

/// Measures, prints, and leaves the figures in `target/bench/directory.json`.
pub(crate) fn run(settings: &Settings, write: bool) -> Vec<Criterion> {
    let machine = Machine::look();
    let rounds = settings.rounds;
    println!("creating instances ...");
    let (create_s, dscreate_s) = creations(rounds);
    println!("runs that have nothing to do ...");
    let (nothing_ms, facts_ms) = short_runs();
    println!("many objects ...");
    let (many_s, dsconf_s) = many_objects(rounds);
    let criteria = vec![
        Criterion::at_most("creating an instance", create_s, CREATE_S, "s"),
        Criterion::at_most(format!("nothing to do on {} backends × {} indexes", SMALL.0, SMALL.1), nothing_ms, NOTHING_MS, "ms"),
        Criterion::at_most("facts of the same", facts_ms, FACTS_MS, "ms"),
        Criterion::at_least(
            format!("{} backends with indexes, {} agreements", LARGE.0, LARGE.2),
            dsconf_s / many_s,
            TIMES_DSCONF,
            "times as fast as dsconf",
        ),
    ];
    let server = tests::installation::version();
    let measured = Measured { machine, server, rounds, create_s, dscreate_s, nothing_ms, facts_ms, many_s, dsconf_s, criteria };
    criterion::print(&measured.criteria);
    docs::save("directory", &measured);
    if write {
        docs::write("directory", &output::markdown(&measured));
    }
    measured.criteria
}

/// Seconds until a new instance answers: ours and dscreate's, in turns.
fn creations(rounds: usize) -> (f64, f64) {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let host = aviary::Host::new();
        ours.push(host.apply(&wanted::instance()).as_secs_f64());
        drop(host);
        theirs.push(lib389::Host::new().create().as_secs_f64());
    }
    (median(ours), median(theirs))
}

/// Milliseconds of an apply that finds everything as it should be, and of facts.
fn short_runs() -> (f64, f64) {
    let host = aviary::Host::new();
    let wanted = wanted::with_backends(SMALL.0, SMALL.1, 0);
    host.apply(&wanted);
    let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
    let nothing = (0..SHORT).map(|_| ms(host.apply(&wanted)));
    let nothing = median(nothing.collect::<Vec<_>>());
    (nothing, median((0..SHORT).map(|_| ms(host.facts()))))
}

/// Seconds from an empty instance to all backends, indexes, replicas and agreements.
fn many_objects(rounds: usize) -> (f64, f64) {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let host = aviary::Host::new();
        host.apply(&wanted::instance());
        ours.push(host.apply(&wanted::with_backends(LARGE.0, LARGE.1, LARGE.2)).as_secs_f64());
        drop(host);
        let host = lib389::Host::new();
        host.create();
        theirs.push(host.make(LARGE.0, LARGE.1, LARGE.2).as_secs_f64());
    }
    (median(ours), median(theirs))
}

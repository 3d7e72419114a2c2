//! What the operator costs with a full namespace: hundreds of instances and agreements in a real API server, and agents that say what
//! those of pods would. The pods themselves never run.

mod agents;
mod cluster;
mod output;
mod process;

use std::thread::park_timeout;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::criterion::{self, Criterion, median};
use crate::docs;
use crate::machine::Machine;
use agents::Agents;
use cluster::Cluster;
use process::Operator;

/// Instances, each with one supplier, and how many of these share a suffix.
const INSTANCES: usize = 200;
const GROUP: usize = 4;
/// Agreements of each instance, with the next ones of its group.
const OF_EACH: usize = 2;

/// Requests to the API server in a second, when nothing happens.
const REQUESTS_S: f64 = 1.0;
/// Memory of the process.
const MEMORY_MIB: f64 = 64.0;

/// Seconds without more than a few requests after which nothing happens any more, and how many that are.
const CALM: (Duration, f64) = (Duration::from_secs(10), 12.0);
/// How long rest is looked at, and how often what is timed happens.
const REST: Duration = Duration::from_secs(120);
const TIMES: usize = 5;

/// Everything that was measured. Medians, where there are several.
#[derive(Debug, Serialize)]
struct Measured {
    machine: Machine,
    instances: usize,
    agreements: usize,
    /// Seconds in which the resources were created, and from their beginning until all were ready and in sync.
    created_s: f64,
    burst_s: f64,
    burst_requests: f64,
    burst_cpu_s: f64,
    /// At rest.
    requests_s: f64,
    cpu_percent: f64,
    memory_mib: f64,
    most_memory_mib: f64,
    /// Milliseconds from the deletion of an object until it is there again.
    object_ms: f64,
    /// The same from what an agent says until the resource says so.
    said_ms: f64,
    /// What a kubectl takes that only asks for the resource, of which both have one or two.
    kubectl_ms: f64,
    criteria: Vec<Criterion>,
}

/// Measures, prints, and leaves the figures in `target/bench/operator.json`.
pub(crate) fn run(write: bool) -> Vec<Criterion> {
    let machine = Machine::look();
    let cluster = Cluster::new();
    let names: Vec<String> = (0..INSTANCES).map(|number| format!("bench-{number}")).collect();
    let mut agents = Agents::new(&cluster.namespace, &names);
    let operator = Operator::start(&cluster.namespace, &agents.hosts());

    println!("{INSTANCES} instances and {} agreements at once ...", INSTANCES * OF_EACH);
    let began = Instant::now();
    cluster.apply(&resources(&names));
    let created_s = began.elapsed().as_secs_f64();
    agents.serve(&cluster);
    cluster.wait("Ready", "dsi");
    cluster.wait("InSync", "dsa");
    let burst_s = began.elapsed().as_secs_f64();
    let (burst_requests, burst_cpu_s) = (operator.requests(), operator.cpu_s());

    println!("at rest ...");
    calm(&operator);
    let (requests, cpu, since) = (operator.requests(), operator.cpu_s(), Instant::now());
    park_timeout(REST);
    let passed = since.elapsed().as_secs_f64();
    let requests_s = (operator.requests() - requests) / passed;
    let cpu_percent = (operator.cpu_s() - cpu) / passed * 100.0;
    let memory_mib = operator.memory_mib();

    println!("what is otherwise ...");
    let object_ms = median(names[..TIMES].iter().map(|name| cluster.until_restored(name)));
    let said_ms = median((0..TIMES).map(|number| {
        let since = Instant::now();
        agents.stop_serving(number);
        cluster.until_said(&names[number], "Serving=False");
        since.elapsed().as_secs_f64() * 1000.0
    }));
    let kubectl_ms = median((0..TIMES).map(|number| cluster.time_of_asking(&names[number])));
    let most_memory_mib = operator.most_memory_mib();

    let criteria = vec![
        Criterion::at_most("requests to the API server at rest", requests_s, REQUESTS_S, "per second"),
        Criterion::at_most("memory of the operator at rest", memory_mib, MEMORY_MIB, "MiB"),
        Criterion::at_most("the most that it had", most_memory_mib, MEMORY_MIB, "MiB"),
    ];
    let measured = Measured {
        machine,
        instances: INSTANCES,
        agreements: INSTANCES * OF_EACH,
        created_s,
        burst_s,
        burst_requests,
        burst_cpu_s,
        requests_s,
        cpu_percent,
        memory_mib,
        most_memory_mib,
        object_ms,
        said_ms,
        kubectl_ms,
        criteria,
    };
    criterion::print(&measured.criteria);
    docs::save("operator", &measured);
    if write {
        docs::write("operator", &output::markdown(&measured));
    }
    measured.criteria
}

/// Waits until the operator has next to nothing to do.
fn calm(operator: &Operator) {
    let end = Instant::now() + Duration::from_secs(600);
    let mut before = operator.requests();
    loop {
        park_timeout(CALM.0);
        let now = operator.requests();
        if now - before <= CALM.1 {
            return;
        }
        assert!(Instant::now() < end, "the operator does not come to rest: {} requests in {:?}", now - before, CALM.0);
        before = now;
    }
}

/// All resources. No node is ever right for the pods.
fn resources(names: &[String]) -> String {
    let mut all = String::new();
    for (number, name) in names.iter().enumerate() {
        let suffix = format!("dc=bench{},dc=example,dc=com", number / GROUP);
        all.push_str(&format!(
            "---\napiVersion: ds389.aviary.dev/v1alpha1\nkind: DS389Instance\nmetadata: {{name: {name}}}\nspec:\n  backends:\n  - \
             {{name: userroot, suffix: '{suffix}', replicaRole: supplier}}\n  scheduling: {{nodeSelector: {{aviary.dev/bench: none}}}}\n"
        ));
        for step in 1..=OF_EACH {
            let target = &names[number / GROUP * GROUP + (number + step) % GROUP];
            all.push_str(&format!(
                "---\napiVersion: ds389.aviary.dev/v1alpha1\nkind: DS389Agreement\nmetadata: {{name: {name}-{step}}}\nspec:\n  \
                 instance: {name}\n  targets: [{target}]\n"
            ));
        }
    }
    all
}

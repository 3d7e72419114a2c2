//! The machine and its processes, as `/proc` has them.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Serialize;

/// What figures depend on.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) cores: usize,
    pub(crate) processor: String,
    pub(crate) memory_gib: f64,
    pub(crate) kernel: String,
    /// Program and version of each.
    pub(crate) versions: Vec<(String, String)>,
}

impl Machine {
    pub(crate) fn look() -> Machine {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap();
        let processor = cpuinfo
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
            .map_or_else(|| "unknown".to_owned(), |(_, name)| name.to_owned());
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        Machine {
            cores: std::thread::available_parallelism().unwrap().get(),
            processor,
            memory_gib: kib("/proc/meminfo", "MemTotal:") / 1024.0 / 1024.0,
            kernel: format!("Linux {}", kernel.trim()),
            versions: versions(),
        }
    }
}

fn versions() -> Vec<(String, String)> {
    let python = tests::ara::python();
    let of_python = "import importlib.metadata as m, platform\n\
        print(m.version('ara'), 'on Python', platform.python_version() + ', Django', m.version('django') + ', gunicorn', m.version('gunicorn'))";
    let aviary = tests::target_dir().join("release/aviary");
    vec![
        ("Aviary".to_owned(), said(Command::new(aviary).arg("--version")).replace("aviary ", "")),
        ("ARA".to_owned(), said(Command::new(python).args(["-c", of_python]))),
        ("nginx".to_owned(), said(Command::new(super::reports::nginx::PROGRAM).arg("-v")).replace("nginx version: nginx/", "")),
        ("wrk".to_owned(), said(Command::new("wrk").arg("-v")).split_whitespace().nth(1).unwrap_or_default().to_owned()),
    ]
}

/// The first line that a program says.
fn said(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| {
        panic!("failed to start {}: {error}; tests/run bench installs it", command.get_program().display())
    });
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// A process and all that it started.
pub(crate) fn family(id: u32) -> Vec<u32> {
    let mut all = vec![id];
    let mut next = 0;
    while let Some(id) = all.get(next).copied() {
        next += 1;
        let Ok(threads) = fs::read_dir(format!("/proc/{id}/task")) else {
            continue;
        };
        for thread in threads.flatten() {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            all.extend(children.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
        }
    }
    all
}

/// Time that a process and all that it started have been on a processor.
pub(crate) fn processor_time(id: u32) -> Duration {
    /// Linux counts for programs in hundredths of a second, whatever its own clock.
    const TICK: Duration = Duration::from_millis(10);
    let ticks = |id: u32| -> Option<u32> {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name stands in brackets and may hold anything.
        let (_, fields) = stat.rsplit_once(") ")?;
        let mut fields = fields.split(' ').skip(11);
        let mut next = || fields.next()?.parse::<u32>().ok();
        Some(next()? + next()?)
    };
    TICK * family(id).into_iter().filter_map(ticks).sum::<u32>()
}

/// Waits until a server has finished what it still does for clients that have gone.
pub(crate) fn wait_until_idle(id: u32) {
    const LOOK: Duration = Duration::from_millis(200);
    const DEADLINE: Duration = Duration::from_secs(300);
    let end = Instant::now() + DEADLINE;
    let mut before = processor_time(id);
    loop {
        std::thread::park_timeout(LOOK);
        let now = processor_time(id);
        if now - before <= LOOK / 20 {
            return;
        }
        assert!(Instant::now() < end, "process {id} does not come to rest");
        before = now;
    }
}

/// Resident memory of a process in MiB.
pub(crate) fn resident(id: u32) -> f64 {
    kib(&format!("/proc/{id}/status"), "VmRSS:") / 1024.0
}

/// The most that it ever was.
pub(crate) fn resident_peak(id: u32) -> f64 {
    kib(&format!("/proc/{id}/status"), "VmHWM:") / 1024.0
}

/// Resident memory in MiB with shared pages counted once between those who share them.
pub(crate) fn resident_share(id: u32) -> f64 {
    kib(&format!("/proc/{id}/smaps_rollup"), "Pss:") / 1024.0
}

fn kib(file: &str, name: &str) -> f64 {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"));
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok())
        .unwrap_or_else(|| panic!("{file} has no {name}"))
}

//! The figures of the process itself in Prometheus text, under the names that all Prometheus clients use, and the
//! version. They are read from `/proc` when asked for; where there is none they are left out.

use std::fmt::{Display, Write as _};
use std::fs;

/// Ticks per second in `/proc/self/stat`: part of the kernel's interface, and 100 on every platform we build for.
const TICKS_PER_SECOND: f64 = 100.0;

/// The metrics as text, each with its help and type.
pub(super) fn render() -> String {
    let mut text = Text(String::new());
    text.put(
        "aviary_build_info",
        "gauge",
        "The version of this program.",
        concat!("{version=\"", env!("CARGO_PKG_VERSION"), "\"}"),
        Some(1),
    );
    let stat = fs::read_to_string("/proc/self/stat").ok();
    text.put(
        "process_cpu_seconds_total",
        "counter",
        "User and system CPU time spent, in seconds.",
        "",
        stat.as_deref().and_then(cpu_seconds),
    );
    text.put(
        "process_start_time_seconds",
        "gauge",
        "Start time of the process since the Unix epoch, in seconds.",
        "",
        stat.as_deref().and_then(start_seconds),
    );
    text.put("process_resident_memory_bytes", "gauge", "Resident memory, in bytes.", "", resident_bytes());
    text.put("process_open_fds", "gauge", "Number of open file descriptors.", "", open_files());
    text.0
}

struct Text(String);

impl Text {
    fn put(&mut self, name: &str, kind: &str, help: &str, labels: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            let Self(text) = self;
            // Writing to a string does not fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name}{labels} {value}\n");
        }
    }
}

/// Field `number` of `/proc/self/stat`, counted from 1 as proc(5) does.
///
/// The second field is the program's name, which may hold spaces and parentheses, so counting begins behind it.
fn field(stat: &str, number: usize) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    Some((field(stat, 14)? + field(stat, 15)?) / TICKS_PER_SECOND)
}

fn start_seconds(stat: &str) -> Option<f64> {
    let system = fs::read_to_string("/proc/stat").ok()?;
    let boot = system.lines().find_map(|line| line.strip_prefix("btime "))?;
    let boot: f64 = boot.trim().parse().ok()?;
    Some(boot + field(stat, 22)? / TICKS_PER_SECOND)
}

fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let size = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = size.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// The folder that is listed is itself open meanwhile, and does not count.
fn open_files() -> Option<usize> {
    let listed = fs::read_dir("/proc/self/fd").ok()?.count();
    listed.checked_sub(1)
}

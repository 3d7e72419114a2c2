//! The operator as a process beside the cluster, which finds the agents at addresses of this machine: it has a file of hosts of its own.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;
use tests::fleet::free_port;
use tests::http::Connection;
use tests::process::Process;

use crate::machine;

pub(super) struct Operator {
    process: Process,
    admin: SocketAddr,
    _hosts: NamedTempFile,
}

fn file() -> PathBuf {
    tests::target_dir().join("release/aviary-operator")
}

/// The program, not started yet.
pub(super) fn program() -> Command {
    Command::new(file())
}

impl Operator {
    /// Starts it for a namespace, and waits until it leads.
    pub(super) fn start(namespace: &str, hosts: &str) -> Self {
        let hosts_file = NamedTempFile::new().unwrap();
        let known = fs::read_to_string("/etc/hosts").unwrap_or_default();
        fs::write(hosts_file.path(), format!("{known}\n{hosts}")).unwrap();
        let admin = free_port();
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", "mount --bind \"$0\" /etc/hosts && exec \"$@\""]).arg(hosts_file.path()).arg(file());
        command.args(["run", "--namespaces", namespace, "--own-namespace", namespace, "--identity", "bench"]);
        command.args(["--agent-image", "localhost/none", "--admin-listen", &admin.to_string()]);
        let operator = Self { process: Process::start(command, Duration::ZERO), admin, _hosts: hosts_file };
        operator.process.wait_for("lease", Duration::from_secs(60), |line| line.contains("has the lease").then_some(()));
        operator
    }

    /// Requests to the API server so far.
    pub(super) fn requests(&self) -> f64 {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            match Connection::new(self.admin).get("/metrics") {
                Ok(answer) => {
                    let text = answer.text();
                    let lines = text.lines().filter(|line| line.starts_with("aviary_operator_api_requests_total"));
                    return lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum();
                }
                Err(error) => assert!(Instant::now() < end, "{error}; output:\n{}", self.process.output()),
            }
        }
    }

    /// Seconds of processors so far.
    pub(super) fn cpu_s(&self) -> f64 {
        machine::processor_time(self.process.id()).as_secs_f64()
    }

    /// Memory that it has.
    pub(super) fn memory_mib(&self) -> f64 {
        machine::resident(self.process.id())
    }

    /// The most that it had.
    pub(super) fn most_memory_mib(&self) -> f64 {
        machine::resident_peak(self.process.id())
    }
}

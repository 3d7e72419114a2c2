//! The subject under test: the one-machine command, as a user starts it.
//!
//! Services in the test's own process are not started here.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::process::Process;

/// `aviary serve ROOT` with these further arguments; returns the URL that it printed and the guard that ends it.
pub fn start(root: &Path, args: &[&str]) -> (String, Process) {
    start_with(root, args, &[])
}

/// As `start`, with these variables in its environment.
pub fn start_with(root: &Path, args: &[&str], environment: &[(&str, &str)]) -> (String, Process) {
    let binary = crate::target_dir().join("release/aviary");
    assert!(binary.exists(), "{} is missing: cargo build --release --workspace", binary.display());
    let mut command = Command::new(binary);
    command
        .arg("serve")
        .arg(root)
        .args(["--listen", "127.0.0.1:0", "--admin-listen", "off"])
        .args(args)
        .envs(environment.iter().copied());
    let process = Process::start(command, Duration::ZERO);
    let url = process.wait_for("URL of aviary", Duration::from_secs(30), |line| {
        let (_, rest) = line.rsplit_once("http://")?;
        let end = rest.find(|c: char| c.is_whitespace() || "\"',;)".contains(c)).unwrap_or(rest.len());
        Some(format!("http://{}", rest[..end].trim_end_matches(['/', '.'])))
    });
    (url, process)
}

/// The socket address in a URL that `start` returned.
pub fn address(url: &str) -> std::net::SocketAddr {
    let authority = url.trim_start_matches("http://").split('/').next().unwrap_or_default();
    authority.parse().unwrap_or_else(|error| panic!("not an address in {url}: {error}"))
}

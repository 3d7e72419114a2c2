//! A running program that a test may load, watch and end: its answers, its metrics, its memory, its exit code. Mostly that
//! is `aviary serve`.
//!
//! `aviary` starts one for the comparison with ARA; this one is for tests of the program itself.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::http::{Connection, Response};

const KEPT_LINES: usize = 200;
const DEADLINE: Duration = Duration::from_secs(20);

/// How to start it.
pub struct Serve {
    command: Command,
    admin: Option<SocketAddr>,
}

/// The running program; dropping it ends it.
pub struct Served {
    /// As it was printed, without the slash at its end.
    pub url: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// How long after its start it printed its URL.
    pub first_line_after: Duration,
    admin: Option<SocketAddr>,
    child: Child,
    tail: Arc<Mutex<VecDeque<String>>>,
}

/// The program under test.
pub fn binary() -> PathBuf {
    program("aviary")
}

/// A program that was built beside the tests. With `DS389_PROGRAM` in the environment, that is the one for directories.
pub fn program(name: &str) -> PathBuf {
    let other = std::env::var_os("DS389_PROGRAM").filter(|_| name == "aviary-ds389");
    let binary = other.map_or_else(|| crate::target_dir().join("release").join(name), PathBuf::from);
    assert!(binary.exists(), "{} is missing: cargo build --release --workspace", binary.display());
    binary
}

/// Serves a folder or a file with further arguments.
pub fn serve(store: &Path, args: &[&str]) -> Served {
    Serve::of(store).args(args).start()
}

/// Waits until the condition holds; fails the test when it does not within twenty seconds.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < end, "not within {DEADLINE:?}: {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

impl Serve {
    /// `aviary serve STORE` on a port of its own, without an admin port.
    pub fn of(store: &Path) -> Serve {
        let mut serve = Serve::by(Command::new(binary()));
        serve.command.arg(store);
        serve
    }

    /// `COMMAND serve`, where the command may be another way to the program; the store comes from elsewhere.
    pub fn by(mut command: Command) -> Serve {
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        Serve { command, admin: None }
    }

    /// `aviary-query` over a folder, at an address that comes as an argument.
    pub fn query(store: &Path) -> Serve {
        let mut command = Command::new(program("aviary-query"));
        command.arg("--store").arg(store);
        Serve { command, admin: None }
    }

    /// `aviary-gateway` in front of these replicas, on a port of its own.
    pub fn gateway(targets: &str) -> Serve {
        let mut command = Command::new(program("aviary-gateway"));
        command.args(["--listen", "127.0.0.1:0", "--query", targets]);
        Serve { command, admin: None }
    }

    pub fn args(mut self, args: &[&str]) -> Serve {
        self.command.args(args);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Serve {
        self.command.env(name, value);
        self
    }

    /// With an admin port, for [`Served::metric`].
    pub fn watched(mut self) -> Serve {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        self.admin = Some(free.local_addr().unwrap());
        self
    }

    /// Starts it and waits for its URL.
    pub fn start(self) -> Served {
        let Serve { mut command, admin } = self;
        let listen = admin.map_or("off".to_owned(), |address| address.to_string());
        command.args(["--admin-listen", &listen]);
        let started = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("failed to start {}: {error}", command.get_program().display()));
        let tail = Arc::new(Mutex::new(VecDeque::new()));
        let stdout = follow(child.stdout.take().unwrap(), &tail);
        let _stderr = follow(child.stderr.take().unwrap(), &tail);
        let url = stdout.recv_timeout(DEADLINE).ok().and_then(|line| Some(format!("http://{}", line.rsplit_once("http://")?.1)));
        let first_line_after = started.elapsed();
        let url = url.unwrap_or_else(|| {
            let _ = child.kill();
            let _ = child.wait();
            panic!("no URL in its first line:\n{}", joined(&tail))
        });
        let url = url.trim_end_matches('/').to_owned();
        let address = url.trim_start_matches("http://").split('/').next().unwrap().parse().unwrap();
        Served { url, address, first_line_after, admin, child, tail }
    }
}

impl Served {
    /// A new connection to it.
    pub fn connect(&self) -> Connection {
        Connection::new(self.address).with_timeout(Duration::from_secs(60))
    }

    pub fn get(&self, target: &str) -> Response {
        self.send("GET", target, &[])
    }

    pub fn send(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> Response {
        self.connect()
            .send(method, target, headers)
            .unwrap_or_else(|error| panic!("no answer to {method} {}: {error}\n{}", shortened(target), self.output()))
    }

    /// Whether the admin port says that it is ready.
    pub fn is_ready(&self) -> bool {
        Connection::new(self.admin()).get("/readyz").unwrap().status == 200
    }

    fn admin(&self) -> SocketAddr {
        self.admin.expect("started without `watched`")
    }

    /// The sum of a metric over its labels, or its value with the labels that are given; 0 when nothing has been counted
    /// yet.
    pub fn metric(&self, name: &str) -> f64 {
        let answer = Connection::new(self.admin()).get("/metrics").unwrap();
        let value = |line: &str| -> Option<f64> {
            let rest = line.strip_prefix(name)?;
            let rest = match rest.strip_prefix('{') {
                Some(labels) => labels.split_once('}')?.1,
                None => rest,
            };
            rest.strip_prefix(' ')?.parse().ok()
        };
        answer.text().lines().filter_map(value).sum()
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The most memory that it has had, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux tells the peak");
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        kib * 1024
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success(), "kill -s {name}");
    }

    /// As `signal`, if it has not ended.
    pub fn signal_if_running(&mut self, name: &str) {
        if self.ended().is_none() {
            self.signal(name);
        }
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        wait_until("it ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    /// The last lines that it wrote.
    pub fn output(&self) -> String {
        joined(&self.tail)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A target as it may stand in the message of a failure.
pub fn shortened(target: &str) -> String {
    match target.char_indices().nth(200) {
        Some((at, _)) => format!("{}… ({} bytes)", &target[..at], target.len()),
        None => target.to_owned(),
    }
}

fn follow(output: impl Read + Send + 'static, tail: &Arc<Mutex<VecDeque<String>>>) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    let tail = Arc::clone(tail);
    std::thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            let mut tail = tail.lock().unwrap();
            tail.push_back(line.clone());
            if tail.len() > KEPT_LINES {
                tail.pop_front();
            }
            drop(tail);
            let _ = sender.send(line);
        }
    });
    lines
}

fn joined(tail: &Arc<Mutex<VecDeque<String>>>) -> String {
    let tail = tail.lock().unwrap();
    tail.iter().cloned().collect::<Vec<_>>().join("\n")
}

//! The process of a store's server: started, stopped for a while, killed and started again on the same port.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::http::{Connection, Response};
use crate::process::Process;

const DEADLINE: Duration = Duration::from_secs(60);
/// Between two looks whether a port is open.
const LOOK: Duration = Duration::from_millis(10);

type Start = Box<dyn Fn(SocketAddr) -> Command + Send + Sync>;

/// A running server; dropping it ends it.
pub struct Server {
    address: SocketAddr,
    command: Start,
    process: Mutex<Option<Process>>,
}

/// An address at which nobody listens now.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

impl Server {
    /// Starts it on a free port, and waits until it accepts connections.
    pub fn start(command: impl Fn(SocketAddr) -> Command + Send + Sync + 'static) -> Server {
        let command: Start = Box::new(command);
        // Somebody else may take the port before the server does.
        let started = |_| {
            let address = free_address();
            let mut process = Process::start(command(address), Duration::ZERO);
            accepts(address, &mut process).map(|()| (address, process)).ok()
        };
        let (address, process) = (0..5).find_map(started).expect("a server that starts");
        Server { address, command, process: Mutex::new(Some(process)) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From its output, what `find` finds in a line.
    pub fn told<T>(&self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        self.process.lock().unwrap().as_ref().expect("a running server").wait_for(what, DEADLINE, find)
    }

    /// Stops it where it stands: connections are accepted by the kernel and never answered.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal("CONT");
    }

    /// Ends it without warning; what it had only in memory is gone.
    pub fn kill(&self) {
        if let Some(mut process) = self.process.lock().unwrap().take() {
            process.kill();
        }
    }

    /// Starts it again on the same port after [`Server::kill`], or instead of the running one.
    pub fn restart(&self) {
        self.kill();
        let end = Instant::now() + DEADLINE;
        let mut last = String::new();
        while Instant::now() < end {
            let mut process = Process::start((self.command)(self.address), Duration::ZERO);
            match accepts(self.address, &mut process) {
                Ok(()) => {
                    *self.process.lock().unwrap() = Some(process);
                    return;
                }
                Err(output) => last = output,
            }
        }
        panic!("does not start again on {}:\n{last}", self.address);
    }

    /// A request on a connection of its own; fails the test when there is no answer.
    #[track_caller]
    pub fn ask(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        let host = self.address.to_string();
        let headers = [&[("Host", host.as_str())], headers].concat();
        Connection::new(self.address)
            .upload(method, target, &headers, body)
            .unwrap_or_else(|error| panic!("no answer to {method} {target}: {error}\n{}", self.output()))
    }

    /// As [`Server::ask`]; the answer has to be a good one.
    #[track_caller]
    pub fn tell(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        let answer = self.ask(method, target, headers, body);
        assert!((200..300).contains(&answer.status), "{method} {target}: {} {}", answer.status, answer.text());
        answer
    }

    fn output(&self) -> String {
        self.process.lock().unwrap().as_ref().map(Process::output).unwrap_or_default()
    }

    fn signal(&self, name: &str) {
        let process = self.process.lock().unwrap();
        let id = process.as_ref().expect("a running server").id();
        let status = Command::new("kill").args(["-s", name, &id.to_string()]).status().expect("kill");
        assert!(status.success(), "kill -s {name} {id}");
    }
}

/// Waits until it accepts connections; its output when it ends instead.
fn accepts(address: SocketAddr, process: &mut Process) -> Result<(), String> {
    let end = Instant::now() + DEADLINE;
    while Instant::now() < end {
        let open = TcpStream::connect(address).is_ok();
        // Asked last: if it has ended, it was somebody else who accepted.
        if process.ended().is_some() {
            return Err(process.output());
        }
        if open {
            return Ok(());
        }
        std::thread::park_timeout(LOOK);
    }
    panic!("nobody listens on {address} after {DEADLINE:?}:\n{}", process.output());
}

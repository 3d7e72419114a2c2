//! A proxy before a real store that breaks what a test tells it to break, while it runs, and counts what is asked.
//!
//! It passes on bytes and heads as they are, the Host header too, so that signatures stay valid; each request gets a
//! connection of its own to the server behind it.

mod head;
mod relay;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::AbortHandle;

use head::Request;

/// What can go wrong with an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// It begins so much later.
    Latency(Duration),
    /// It never comes; the connection stays.
    Silence,
    /// It is this status instead, with a body as S3 writes it, and perhaps `Retry-After` in seconds.
    Status { status: u16, code: &'static str, retry_after: Option<u64> },
    /// The connection is reset instead.
    Reset,
    /// The connection is reset after so many bytes of its body.
    Cut(u64),
    /// Its `Content-Length` is wrong by so many bytes; one that is too long ends with the connection.
    Length(i64),
    /// It has an ETag that no answer had before.
    Etag,
    /// It is 304 if the request had a condition.
    NotModified,
    /// `Date` and `Last-Modified` are moved by so many seconds.
    Skew(i64),
    /// Its body comes at so many bytes each second.
    Trickle(u64),
}

/// What a request is for, as far as a look at it tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A folder or a page of one.
    List,
    /// A whole object.
    Get,
    /// A whole object unless it is the one that is known.
    Conditional,
    /// A part of an object.
    Range,
    /// What is known of an object without it.
    Head,
    /// Whatever is not reading.
    Write,
}

/// Which answers have the fault.
#[derive(Clone, Debug)]
pub struct Rule {
    fault: Fault,
    kinds: Vec<Kind>,
    target: Option<String>,
    left: Option<usize>,
}

impl Rule {
    /// All of them.
    pub fn of(fault: Fault) -> Rule {
        Rule { fault, kinds: Vec::new(), target: None, left: None }
    }

    /// Those to requests of these kinds.
    pub fn only(mut self, kinds: &[Kind]) -> Rule {
        self.kinds = kinds.to_vec();
        self
    }

    /// Those to requests with this in their target.
    pub fn to(mut self, part: &str) -> Rule {
        self.target = Some(part.to_owned());
        self
    }

    /// The next so many.
    pub fn times(mut self, times: usize) -> Rule {
        self.left = Some(times);
        self
    }

    fn fits(&self, request: &Request) -> bool {
        self.left != Some(0)
            && (self.kinds.is_empty() || self.kinds.contains(&request.kind))
            && self.target.as_ref().is_none_or(|part| request.target.contains(part))
    }
}

/// What was asked so far.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// How many requests of each kind.
    pub kinds: BTreeMap<Kind, usize>,
    /// How often each target was asked for as a whole object.
    pub gets: BTreeMap<String, usize>,
    /// Bytes of bodies that went to the client.
    pub bytes: u64,
    /// Requests that are being answered now.
    pub open: usize,
}

impl Asked {
    /// Requests of this kind.
    pub fn count(&self, kind: Kind) -> usize {
        self.kinds.get(&kind).copied().unwrap_or_default()
    }

    /// All requests.
    pub fn requests(&self) -> usize {
        self.kinds.values().sum()
    }
}

#[derive(Debug)]
struct State {
    server: SocketAddr,
    rules: Vec<Rule>,
    asked: Asked,
    /// How many ETags were made up.
    etags: u64,
    connections: Vec<AbortHandle>,
}

/// Shared by the connections; locked for moments only.
#[derive(Clone, Debug)]
struct Shared(Arc<Mutex<State>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Counts the request, and tells what its answer shall suffer.
    fn fault(&self, request: &Request) -> Option<Fault> {
        let mut state = self.lock();
        *state.asked.kinds.entry(request.kind).or_default() += 1;
        if request.kind == Kind::Get {
            *state.asked.gets.entry(request.path().to_owned()).or_default() += 1;
        }
        let rule = state.rules.iter_mut().find(|rule| rule.fits(request))?;
        rule.left = rule.left.map(|left| left - 1);
        Some(rule.fault.clone())
    }
}

/// The proxy; dropping it ends it.
pub struct Faulty {
    address: SocketAddr,
    shared: Shared,
    listening: Mutex<Option<AbortHandle>>,
    runtime: Option<Runtime>,
}

impl Faulty {
    /// Before the server at this address, faultless to begin with.
    pub fn before(server: SocketAddr) -> Faulty {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let state = State { server, rules: Vec::new(), asked: Asked::default(), etags: 0, connections: Vec::new() };
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let faulty =
            Faulty { address, shared: Shared(Arc::new(Mutex::new(state))), listening: Mutex::new(None), runtime: Some(runtime) };
        faulty.listen(listener);
        faulty
    }

    /// Where it listens, also while it refuses.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Adds a fault; of several that fit an answer, it has the one that was added first.
    pub fn add(&self, rule: Rule) {
        self.shared.lock().rules.push(rule);
    }

    /// This fault, and no other.
    pub fn only(&self, fault: Fault) {
        self.shared.lock().rules = vec![Rule::of(fault)];
    }

    /// No faults any more, and it listens again. Answers that have begun keep theirs.
    pub fn heal(&self) {
        self.shared.lock().rules.clear();
        if self.listening.lock().unwrap().is_none() {
            self.listen(bind_again(self.address));
        }
    }

    /// Connections are refused from now on, and those that are open are closed.
    pub fn refuse(&self) {
        if let Some(listening) = self.listening.lock().unwrap().take() {
            listening.abort();
        }
        let connections = std::mem::take(&mut self.shared.lock().connections);
        connections.iter().for_each(AbortHandle::abort);
        // The listener is closed by its task, a moment later.
        crate::served::wait_until("connections are refused", || std::net::TcpStream::connect(self.address).is_err());
    }

    /// What was asked so far.
    pub fn asked(&self) -> Asked {
        self.shared.lock().asked.clone()
    }

    /// Forgets what was asked.
    pub fn forget(&self) {
        let mut state = self.shared.lock();
        state.asked = Asked { open: state.asked.open, ..Asked::default() };
    }

    fn listen(&self, listener: std::net::TcpListener) {
        let runtime = self.runtime.as_ref().expect("a runtime until the end");
        listener.set_nonblocking(true).expect("a listener");
        let _inside = runtime.enter();
        let listener = TcpListener::from_std(listener).expect("a listener");
        let shared = self.shared.clone();
        let task = runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let connection = tokio::spawn(relay::serve(stream, shared.clone())).abort_handle();
                let mut state = shared.lock();
                state.connections.retain(|connection| !connection.is_finished());
                state.connections.push(connection);
            }
        });
        *self.listening.lock().unwrap() = Some(task.abort_handle());
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        // Waiting for it is not allowed where tests are async.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn bind_again(address: SocketAddr) -> std::net::TcpListener {
    let mut bound = None;
    crate::served::wait_until("the port is free again", || {
        bound = std::net::TcpListener::bind(address).ok();
        bound.is_some()
    });
    bound.expect("a listener")
}

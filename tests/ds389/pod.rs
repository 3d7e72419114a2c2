//! The agent of a pod as a process: it makes the instance of its file, keeps its server running whatever ends, and stops it at
//! the end. That it is fit for a container, the tests of a cluster see.

mod leave;
mod service;

use std::{
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Command, ExitStatus},
    sync::Arc,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tests::{http::Connection, process::Process, target_dir};

use crate::machine::{Machine, element, halt, until};

const SUFFIX: &str = ", backends: [{name: userroot, suffix: 'dc=x', create_suffix_entry: yes}]";

/// An agent with its file, in an installation of its own.
struct Agent {
    machine: Arc<Machine>,
    file: PathBuf,
    admin: SocketAddr,
    process: Process,
}

impl Agent {
    fn start(text: &str) -> Self {
        let machine = Arc::new(Machine::new());
        let file = PathBuf::from(machine.prefix.path()).join("instance.yaml");
        fs::write(&file, with_prefix(&machine, text)).unwrap();
        Self::with(machine, file, &[])
    }

    /// One with this file and further flags.
    fn with(machine: Arc<Machine>, file: PathBuf, flags: &[String]) -> Self {
        let admin = free_address();
        let mut command = Command::new(target_dir().join("release/aviary-agent"));
        command.args(["run", "--interval", "2", "--specification"]).arg(&file).args(["--admin-listen", &admin.to_string()]);
        command.args(flags);
        // As the first process of a container, it is not told when whoever started it ends.
        let process = Process::start(command, Duration::ZERO);
        Self { machine, file, admin, process }
    }

    fn write(&self, text: &str) {
        fs::write(&self.file, with_prefix(&self.machine, text)).unwrap();
    }

    fn get(&self, path: &str) -> String {
        Connection::new(self.admin).get(path).map_or_else(|error| error.to_string(), |response| response.text())
    }

    async fn until_ready(&self) {
        until(async || self.get("/readyz"), |told| told == "ok\n").await;
    }

    async fn until_told(&self, part: &str) {
        until(async || self.process.output(), |output| output.contains(part)).await;
    }

    /// The process that works, whose parent is the first.
    fn worker(&self) -> Option<Pid> {
        let is_agent = |id: &&i32| fs::read_to_string(format!("/proc/{id}/cmdline")).is_ok_and(|line| line.contains("\0serve\0"));
        self.children().iter().find(is_agent).copied().and_then(Pid::from_raw)
    }

    fn children(&self) -> Vec<i32> {
        let parent = self.process.id();
        let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
        children.split_whitespace().map(|id| id.parse().unwrap()).collect()
    }

    /// Processes that have ended and that nobody has collected.
    fn dead_children(&self) -> usize {
        let is_dead = |id: &&i32| fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| stat.contains(") Z "));
        self.children().iter().filter(is_dead).count()
    }

    /// Ends it as the kubelet does, and waits until it has.
    async fn terminate(&mut self) -> ExitStatus {
        self.tell_to_end();
        self.until_ended().await
    }

    fn tell_to_end(&self) {
        kill_process(Pid::from_raw(self.process.id().try_into().unwrap()).unwrap(), Signal::TERM).unwrap();
    }

    async fn until_ended(&mut self) -> ExitStatus {
        until(|| std::future::ready(self.process.ended()), Option::is_some).await.unwrap()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // Both: the first process would start the other again.
        let worker = self.worker();
        self.process.kill();
        if let Some(worker) = worker {
            let _ = kill_process(worker, Signal::KILL);
        }
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn with_prefix(machine: &Machine, text: &str) -> String {
    format!("ds389_prefix: {}\nds389_instances: [{text}]\n", machine.prefix.path())
}

#[tokio::test]
async fn an_agent_makes_its_instance_and_stops_the_server_at_the_end() {
    let mut agent = Agent::start(&element("one", SUFFIX));
    agent.until_ready().await;
    assert_eq!(agent.get("/livez"), "ok\n");
    assert!(agent.get("/metrics").contains("aviary_agent_serving 1"));
    assert!(agent.machine.has("one", "dc=x").await);
    // What the server logs comes out.
    agent.until_told("slapd_daemon - slapd started.").await;

    assert_eq!(agent.terminate().await.code(), Some(0), "{}", agent.process.output());
    assert!(!agent.machine.try_connect("one").await);
    agent.until_told("slapd stopped.").await;
}

#[tokio::test]
async fn a_server_that_ends_is_started_again_and_one_that_keeps_ending_less_and_less_often() {
    let agent = Agent::start(&element("one", SUFFIX));
    agent.until_ready().await;
    for _ in 0..3 {
        let first = agent.machine.process("one");
        agent.machine.kill("one");
        until(async || agent.machine.try_connect("one").await, |is_there| *is_there).await;
        agent.until_ready().await;
        assert_ne!(agent.machine.process("one"), first);
    }
    assert!(agent.get("/metrics").contains("aviary_agent_server_ends_total 3"));
    until(async || agent.dead_children(), |dead| *dead == 0).await;
}

#[tokio::test]
async fn a_server_that_has_no_room_for_strangers_is_not_ready_until_it_has() {
    let one =
        element("one", &format!(", nsslapd_maxdescriptors: 200{SUFFIX}")).replace("self_sign_cert: no", "self_sign_cert: yes");
    let agent = Agent::start(&one);
    agent.until_ready().await;
    let found = agent.machine.host.observe().await.unwrap();
    let port = u16::try_from(found.instances[0].settings.number("secure_port").unwrap()).unwrap();
    // Its administrator, who is connected already, is answered all the while.
    let crowd: Vec<TcpStream> = (0..180).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    until(async || agent.get("/readyz"), |told| told.contains("the server does not answer with TLS at its port")).await;
    drop(crowd);
    agent.until_ready().await;
}

#[tokio::test]
async fn a_server_outlives_its_agent_which_comes_back() {
    let mut agent = Agent::start(&element("one", SUFFIX));
    agent.until_ready().await;
    let (server, worker) = (agent.machine.process("one"), agent.worker());
    kill_process(worker.unwrap(), Signal::KILL).unwrap();
    agent.until_told("the agent was killed; starting it again").await;
    agent.until_ready().await;
    assert_ne!(agent.worker(), worker);
    assert_eq!(agent.machine.process("one"), server);
    assert_eq!(agent.terminate().await.code(), Some(0), "{}", agent.process.output());
    assert!(!agent.machine.try_connect("one").await);
}

#[tokio::test]
async fn a_server_whose_agent_is_killed_at_the_end_is_stopped_all_the_same() {
    let mut agent = Agent::start(&element("one", SUFFIX));
    agent.until_ready().await;
    let worker = agent.worker().unwrap();
    // It does not get to stop the server itself.
    halt(|| vec![worker.as_raw_nonzero().get()]);
    let first = Pid::from_raw(agent.process.id().try_into().unwrap()).unwrap();
    kill_process(first, Signal::TERM).unwrap();
    let status = format!("/proc/{}/status", worker.as_raw_nonzero());
    // Bits of pending signals, SIGTERM's the fifteenth.
    let is_told = |status: &String| {
        let pending = status.lines().find_map(|line| line.strip_prefix("ShdPnd:")).map(str::trim);
        pending.is_some_and(|bits| u64::from_str_radix(bits, 16).unwrap() & 1 << 14 != 0)
    };
    until(async || fs::read_to_string(&status).unwrap_or_default(), is_told).await;
    kill_process(worker, Signal::KILL).unwrap();
    let ended = until(|| std::future::ready(agent.process.ended()), Option::is_some).await.unwrap();
    assert_eq!(ended.code(), Some(1), "{}", agent.process.output());
    assert!(agent.machine.logs().contains("slapd stopped."), "{}", agent.machine.logs());
}

#[tokio::test]
async fn a_change_of_the_file_is_carried_out_and_a_broken_one_does_no_harm() {
    let one = element("one", SUFFIX);
    let agent = Agent::start(&one);
    agent.until_ready().await;
    let server = agent.machine.process("one");
    let more = one.replace(
        ", backends: [",
        ", nsslapd_sizelimit: 77, backends: [{name: second, suffix: 'dc=y', create_suffix_entry: yes}, ",
    );
    agent.write(&more);
    until(async || agent.machine.has("one", "dc=y").await, |is_there| *is_there).await;
    assert_eq!(agent.machine.process("one"), server, "nothing of it needs a restart");

    agent.write(&more.replace("nsslapd_sizelimit", "nsslapd_sizelimmit"));
    agent.until_told("nsslapd_sizelimmit").await;
    agent.machine.kill("one");
    until(async || agent.machine.try_connect("one").await, |is_there| *is_there).await;
    agent.until_ready().await;
}

#[tokio::test]
async fn what_somebody_else_changes_is_put_back() {
    let agent = Agent::start(&element("one", &format!(", nsslapd_sizelimit: 77{SUFFIX}")));
    agent.until_ready().await;
    let config = directory::layout::config();
    let mut connection = agent.machine.connect("one").await;
    connection.replace(&config, &[("nsslapd-sizelimit", vec!["78".to_owned()])], &[]).await.unwrap();
    let limit = async || {
        let entry = agent.machine.connect("one").await.entry(&config, &["nsslapd-sizelimit"]).await.unwrap().unwrap();
        entry.text("nsslapd-sizelimit").unwrap().to_owned()
    };
    until(limit, |limit| limit == "77").await;
}

#[tokio::test]
async fn an_agent_whose_file_says_nothing_it_can_do_lives_and_is_not_ready() {
    let mut agent = Agent::start("");
    agent.until_told("exactly one instance").await;
    assert_eq!((agent.get("/livez"), agent.get("/readyz")), ("ok\n".to_owned(), "not ready: starting\n".to_owned()));
    // The moment it says something, that is done.
    agent.write(&element("one", ""));
    agent.until_ready().await;
    assert_eq!(agent.terminate().await.code(), Some(0), "{}", agent.process.output());
}

#[tokio::test]
async fn an_instance_that_is_not_to_run_is_stopped_and_started_when_it_is() {
    let one = element("one", SUFFIX);
    let agent = Agent::start(&one);
    agent.until_ready().await;
    agent.write(&one.replacen('{', "{started: no, ", 1));
    until(async || agent.get("/readyz"), |told| told.contains("the instance is not to be started")).await;
    until(async || agent.machine.try_connect("one").await, |is_there| !*is_there).await;
    agent.write(&one);
    agent.until_ready().await;
}

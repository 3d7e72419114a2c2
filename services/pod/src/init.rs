//! The first process of a container: starts the agent, collects every process that ends without a parent, passes signals on, and
//! does not end before all others have. It knows nothing of servers, so that nothing which happens to them can end it.

use std::{
    collections::HashSet,
    ffi::OsString,
    process::{Command, ExitCode},
    time::Duration,
};

use anyhow::Context;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process, set_child_subreaper, wait};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{Instant, timeout_at},
};

/// How long to wait before an agent that was killed is started again.
const PAUSE: Duration = Duration::from_secs(1);
/// How long others may take to end when the agent has.
const PATIENCE: Duration = Duration::from_secs(300);

/// Runs this program again, with these arguments, until it ends by itself. One that is killed is started again: the server that
/// it looks after goes on meanwhile.
pub(crate) fn run(arguments: impl Iterator<Item = OsString>) -> anyhow::Result<ExitCode> {
    let arguments: Vec<OsString> = arguments.collect();
    // Alone, for nothing else may wait for processes here.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("failed to start the runtime")?;
    runtime.block_on(look_after(&arguments))
}

async fn look_after(arguments: &[OsString]) -> anyhow::Result<ExitCode> {
    // Where this is not the first process of all, it is still that of its own.
    set_child_subreaper(Some(getpid())).context("failed to become the parent of orphans")?;
    let mut ended = signal(SignalKind::child()).context("failed to listen for SIGCHLD")?;
    let mut terminate = signal(SignalKind::terminate()).context("failed to listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("failed to listen for SIGINT")?;
    let mut is_stopping = false;
    let mut agent = start(arguments)?;
    loop {
        let mut passed = None;
        tokio::select! {
            _ = ended.recv() => {}
            _ = terminate.recv() => passed = Some(Signal::TERM),
            _ = interrupt.recv() => passed = Some(Signal::INT),
        }
        if let Some(signal) = passed {
            is_stopping = true;
            // One that has ended meanwhile is collected next.
            let _ = kill_process(agent, signal);
        }
        let Some(status) = collect(agent) else { continue };
        if let Some(code) = code(status).or_else(|| is_stopping.then_some(1)) {
            end_all(&mut ended).await;
            return Ok(ExitCode::from(code));
        }
        eprintln!("aviary-agent: the agent was killed; starting it again");
        tokio::time::sleep(PAUSE).await;
        agent = start(arguments)?;
    }
}

fn start(arguments: &[OsString]) -> anyhow::Result<Pid> {
    let program = std::env::current_exe().context("failed to find this program")?;
    // Whoever ends is collected below, this one too.
    let child = Command::new(program).args(arguments).spawn().context("failed to start the agent")?;
    let number = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    number.context("the agent has no number")
}

/// Asks all that are left to end, and waits until they have: with this process the kernel would kill them. An agent that ended as
/// it should leaves none.
async fn end_all(ended: &mut tokio::signal::unix::Signal) {
    let (mut told, deadline) = (HashSet::new(), Instant::now() + PATIENCE);
    loop {
        while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
        let left = children();
        if left.is_empty() {
            return;
        }
        for process in left.into_iter().filter(|process| told.insert(*process)) {
            eprintln!("aviary-agent: asking process {process} to end, which the agent has left");
            let _ = kill_process(process, Signal::TERM);
        }
        if timeout_at(deadline, ended.recv()).await.is_err() {
            return;
        }
    }
}

/// The processes whose parent this one is, or has become.
fn children() -> Vec<Pid> {
    let this = getpid();
    let listed = std::fs::read_to_string(format!("/proc/{this}/task/{this}/children")).unwrap_or_default();
    listed.split_whitespace().filter_map(|number| Pid::from_raw(number.parse().ok()?)).collect()
}

/// Collects all that have ended. Gives how the agent did, if it was among them.
fn collect(agent: Pid) -> Option<WaitStatus> {
    let mut of_agent = None;
    while let Ok(Some((number, status))) = wait(WaitOptions::NOHANG) {
        if number == agent {
            of_agent = Some(status);
        }
    }
    of_agent
}

/// The code with which a process ended by itself; `None` if it was killed.
fn code(status: WaitStatus) -> Option<u8> {
    status.exit_status().map(|code| u8::try_from(code).unwrap_or(u8::MAX))
}

//! The agent at work: carries out what `supervisor` says, tells it what happens, and tells probes whether the server serves.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use agent::process;
use runtime::{Process, Readiness};
use tokio::{
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};

use crate::{
    args::Settings,
    logs::Logs,
    probe::Probe,
    settle::{self, Outcome, Settle},
    supervisor::{Command, Event, State},
    wanted::{self, Wanted},
};

/// Between two looks at the server and the file. Each puts a line or two into the log of accesses.
const LOOK: Duration = Duration::from_secs(2);

/// Why an instance that should not run is not ready.
const STOPPED: &str = "the instance is not to be started";

/// Serves until a signal comes and the server has stopped.
pub(crate) fn run(settings: Settings) -> anyhow::Result<()> {
    runtime::process::run(async {
        let process = Process::start(&settings.process, "aviary-agent").await?;
        describe_metrics();
        let agent = Agent::new(&settings, process.readiness().clone());
        let work = agent.run(process.stopping());
        Ok(process.work(work).await?)
    })
}

fn describe_metrics() {
    metrics::describe_gauge!("aviary_agent_serving", "1 while the server serves each suffix, 0 while it does not.");
    metrics::describe_counter!(
        "aviary_agent_settled_total",
        "How often the instance was compared, by outcome: settled or failed."
    );
    metrics::describe_counter!("aviary_agent_server_ends_total", "How often the server has ended without being asked to.");
}

/// One agent and its server.
struct Agent {
    file: PathBuf,
    interval: Duration,
    readiness: Readiness,
    state: State,
    logs: Arc<Logs>,
    /// What the file said when it was last understood.
    wanted: Option<Arc<Wanted>>,
    /// What was in the file when it was last read.
    seen: Option<Vec<u8>>,
    server: Option<process::Process>,
    probe: Probe,
    settling: Option<JoinHandle<Outcome>>,
    interrupt: Arc<AtomicBool>,
    stopping: Option<JoinHandle<()>>,
    due: Option<Instant>,
}

impl Agent {
    fn new(settings: &Settings, readiness: Readiness) -> Self {
        Self {
            file: settings.specification.clone(),
            interval: settings.interval,
            readiness,
            state: State::FIRST,
            logs: Arc::default(),
            wanted: None,
            seen: None,
            server: None,
            probe: Probe::default(),
            settling: None,
            interrupt: Arc::default(),
            stopping: None,
            due: None,
        }
    }

    /// Works until it was told to stop and has stopped.
    async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut is_told = false;
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.obey(Command::Settle);
        while self.state != State::Ended {
            let event = tokio::select! {
                () = &mut stop, if !is_told => {
                    is_told = true;
                    Some(Event::Terminate)
                }
                outcome = end_of(&mut self.settling) => {
                    self.settling = None;
                    Some(self.settled(outcome).await)
                }
                _ = end_of(&mut self.stopping) => {
                    self.stopping = None;
                    Some(Event::Stopped)
                }
                () = moment(self.due) => {
                    self.due = None;
                    Some(Event::Due)
                }
                _ = looks.tick() => self.look().await,
            };
            let Some(event) = event else { continue };
            let (state, command) = self.state.after(event);
            tracing::debug!(?event, ?state, "state");
            self.state = state;
            if let Some(command) = command {
                self.obey(command);
            }
        }
        let logs = Arc::clone(&self.logs);
        // Nothing is to be done about a thread that died.
        let _ = tokio::task::spawn_blocking(move || logs.end()).await;
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Settle => {
                self.due = None;
                let settle = Settle {
                    file: self.file.clone(),
                    last: self.wanted.clone(),
                    logs: Arc::clone(&self.logs),
                    interrupt: Arc::clone(&self.interrupt),
                };
                self.settling = Some(tokio::spawn(settle.run()));
            }
            Command::Interrupt => self.interrupt.store(true, Ordering::Relaxed),
            Command::Wait(time) => self.due = Some(Instant::now() + time.unwrap_or(self.interval)),
            Command::Stop => {
                self.due = None;
                self.probe = Probe::default();
                self.stopping = Some(tokio::spawn(settle::stop(self.wanted.clone())));
            }
            Command::End => {}
        }
    }

    /// Takes in what came of settling.
    async fn settled(&mut self, outcome: Option<Outcome>) -> Event {
        let Some(outcome) = outcome else {
            tracing::error!("the agent failed while it was changing the instance");
            return Event::Failed;
        };
        // Something else may have been seen since.
        if !matches!(self.state, State::Settling { again: true, .. }) {
            self.seen = outcome.seen.or(self.seen.take());
        }
        self.wanted = outcome.wanted.or(self.wanted.take());
        self.server = outcome.server.or(self.server.take());
        let is_settled = outcome.error.is_none();
        metrics::counter!("aviary_agent_settled_total", "outcome" => if is_settled { "settled" } else { "failed" }).increment(1);
        if let Some(error) = outcome.error {
            tracing::error!("{error}");
            return Event::Failed;
        }
        self.tell_readiness().await;
        Event::Settled
    }

    /// Looks at the file and the server.
    async fn look(&mut self) -> Option<Event> {
        if self.state == State::Stopping {
            return None;
        }
        self.tell_readiness().await;
        // One that cannot be read has not changed; whoever settles says so.
        if let (Some(seen), Ok(bytes)) = (&self.seen, wanted::bytes(&self.file).await)
            && *seen != bytes
        {
            tracing::info!(file = %self.file.display(), "something else is wanted");
            // That is seen now, whatever it says.
            self.seen = Some(bytes);
            return Some(Event::Changed);
        }
        if !matches!(self.state, State::Serving { .. }) || !self.should_run() || self.is_running().await {
            return None;
        }
        tracing::error!("the server has ended");
        metrics::counter!("aviary_agent_server_ends_total").increment(1);
        Some(Event::Gone)
    }

    fn should_run(&self) -> bool {
        self.wanted.as_ref().is_none_or(|wanted| wanted.instance.started != Some(false))
    }

    async fn is_running(&self) -> bool {
        let Some(server) = self.server.clone() else { return false };
        tokio::task::spawn_blocking(move || server.id().is_some()).await.unwrap_or(false)
    }

    async fn tell_readiness(&mut self) {
        let reason = match (&self.server, &self.wanted) {
            _ if !self.should_run() => Some(STOPPED),
            (Some(server), Some(wanted)) => self.probe.ask(server, &wanted.suffixes()).await,
            _ => None,
        };
        // There is a server from the first time on that the instance was as it should be.
        let serves = reason.is_none() && self.server.is_some();
        metrics::gauge!("aviary_agent_serving").set(f64::from(u8::from(serves)));
        if serves {
            self.readiness.set_ready();
        }
        if let Some(reason) = reason {
            self.readiness.set_not_ready(reason);
        }
    }
}

/// What a task gives at its end; never, if there is none. `None` if it was broken off.
async fn end_of<T>(task: &mut Option<JoinHandle<T>>) -> Option<T> {
    match task {
        Some(task) => task.await.ok(),
        None => std::future::pending().await,
    }
}

async fn moment(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

//! The agent at work: carries out what `supervisor` says, tells it what happens, and tells probes whether the server serves.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use aviary_proto::directory::v1::Activity;
use directory::dn::Dn;
use runtime::Readiness;
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};

use crate::{
    args::Settings,
    lag::Lags,
    leave,
    logs::Logs,
    probe::Probe,
    receive,
    replicas::{self, Replicas, Seen},
    reports::Reports,
    service::{Proposal, Refusal},
    settle::{self, Outcome, Server, Settle},
    status::Board,
    supervisor::{Command, Event, State},
    volume::{self, Volume},
    wanted::{self, Wanted},
};

/// Between two looks at the server and the file. Each puts a line or two into the log of accesses.
const LOOK: Duration = Duration::from_secs(2);

/// How soon numbers are cleaned once more that are known after all.
const CLEANED_AGAIN: Duration = Duration::from_secs(60);

/// Why an instance that should not run is not ready.
const STOPPED: &str = "the instance is not to be started";
/// Why there is nothing that serves.
const ABSENT: &str = "there is no instance yet";
/// Why a server does not that clients are kept away from.
const FENCED: &str = "the instance is fenced: clients are kept away";
/// Why a server does not that can write nothing.
const FULL: &str = "the volume is full: nothing can be written";
/// Why a server does not that is to be filled by another.
const UNFILLED: &str = "a suffix waits for its entries from another server";
/// Why nothing serves at the end.
const ENDING: &str = "the agent ends";

/// One agent and its server.
pub(crate) struct Agent {
    file: PathBuf,
    folder: Option<PathBuf>,
    listens: bool,
    interval: Duration,
    readiness: Readiness,
    board: Board,
    lags: Lags,
    /// What comes by gRPC.
    proposals: mpsc::Receiver<Proposal>,
    state: State,
    logs: Arc<Logs>,
    /// There is one from the time on when it is this agent's.
    volume: Option<Arc<Volume>>,
    /// What the instance should be, by what was understood last.
    wanted: Option<Arc<Wanted>>,
    /// The latest of the documents, once one has come by gRPC.
    given: Option<Arc<Wanted>>,
    /// What was in the file when it was last read.
    seen: Option<Vec<u8>>,
    server: Option<Server>,
    /// Whether it was to run by what was wanted last that was not only checked, or nothing is known of that.
    runs: bool,
    /// Why the last attempt failed.
    error: String,
    probe: Probe,
    replicas: Replicas,
    /// Numbers of suppliers that are gone, and that the server still knows.
    gone: Vec<(Dn, u16)>,
    /// When they were cleaned last, for nothing but their sake.
    cleaned: Option<Instant>,
    reports: Arc<Reports>,
    entering: Option<JoinHandle<Volume>>,
    settling: Option<JoinHandle<Outcome>>,
    interrupt: Arc<AtomicBool>,
    /// Set when something else is wanted than what is being settled.
    outdated: Arc<AtomicBool>,
    stopping: Option<JoinHandle<()>>,
    due: Option<Instant>,
}

impl Agent {
    pub(crate) fn new(
        settings: &Settings,
        readiness: Readiness,
        board: Board,
        lags: Lags,
        proposals: mpsc::Receiver<Proposal>,
        reports: Arc<Reports>,
    ) -> Self {
        Self {
            file: settings.specification.clone(),
            folder: settings.state.clone(),
            listens: settings.listen.is_some(),
            interval: settings.interval,
            readiness,
            board,
            lags,
            proposals,
            state: State::FIRST,
            logs: Arc::default(),
            volume: None,
            wanted: None,
            given: None,
            seen: None,
            server: None,
            runs: true,
            error: String::new(),
            probe: Probe::default(),
            replicas: Replicas::default(),
            gone: Vec::new(),
            cleaned: None,
            reports,
            entering: None,
            settling: None,
            interrupt: Arc::default(),
            outdated: Arc::default(),
            stopping: None,
            due: None,
        }
    }

    /// Works until it was told to stop and has stopped.
    pub(crate) async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut is_told = false;
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.obey(State::BEGIN);
        while self.state != State::Ended {
            let event = tokio::select! {
                () = &mut stop, if !is_told => {
                    is_told = true;
                    Some(Event::Terminate)
                }
                volume = end_of(&mut self.entering) => {
                    self.entering = None;
                    self.volume = volume.map(Arc::new);
                    Some(Event::Entered)
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
                Some(proposal) = self.proposals.recv() => self.consider(proposal).await,
                _ = looks.tick() => self.look().await,
            };
            let Some(event) = event else { continue };
            let (state, command) = self.state.after(event);
            tracing::debug!(?event, ?state, "state");
            self.state = state;
            self.tell();
            if let Some(command) = command {
                self.obey(command);
            }
        }
        if let Some(entering) = self.entering.take() {
            entering.abort();
        }
        let logs = Arc::clone(&self.logs);
        // Nothing is to be done about a thread that died.
        let _ = tokio::task::spawn_blocking(move || logs.end()).await;
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Enter => self.entering = Some(tokio::spawn(enter(self.folder.clone(), self.board.clone()))),
            Command::Settle => {
                self.due = None;
                let Some(volume) = self.volume.clone() else { return };
                self.outdated = Arc::default();
                let settle = Settle {
                    file: self.file.clone(),
                    may_lack_file: self.listens,
                    given: self.given.clone(),
                    last: self.wanted.clone(),
                    volume,
                    logs: Arc::clone(&self.logs),
                    board: self.board.clone(),
                    gone: self.gone.clone(),
                    reports: Arc::clone(&self.reports),
                    runs: self.runs,
                    interrupt: Arc::clone(&self.interrupt),
                    outdated: Arc::clone(&self.outdated),
                };
                self.settling = Some(tokio::spawn(settle.run()));
            }
            Command::Interrupt => self.interrupt.store(true, Ordering::Relaxed),
            Command::Wait(time) => self.due = Some(Instant::now() + time.unwrap_or(self.interval)),
            Command::Stop => {
                self.due = None;
                self.probe = Probe::default();
                self.board.replicate(None);
                self.lags.tell(&[]);
                let board = self.board.clone();
                let (wanted, server) = (self.wanted.clone(), self.server.take());
                self.stopping = Some(tokio::spawn(async move {
                    if let Some(server) = &server {
                        leave::leave(server).await;
                    }
                    board.serve(Some(ENDING));
                    settle::stop(wanted, server.map(|server| server.process)).await;
                }));
            }
            Command::End => {}
        }
    }

    /// Tells what is going on. Of its work, whoever does it tells.
    fn tell(&self) {
        match self.state {
            State::Outside | State::Settling { .. } => {}
            State::Serving { .. } if self.wanted.is_none() => self.board.tell(Activity::Idle, ""),
            State::Serving { .. } => self.board.tell(Activity::Settled, ""),
            State::Waiting { .. } => self.board.tell(Activity::Waiting, &self.error),
            State::Interrupted | State::Stopping | State::Ended => self.board.stop(),
        }
    }

    /// Takes in what came of settling.
    async fn settled(&mut self, outcome: Option<Outcome>) -> Event {
        let Some(outcome) = outcome else {
            "the agent failed while it was changing the instance".clone_into(&mut self.error);
            tracing::error!("{}", self.error);
            return Event::Failed;
        };
        // Something else may have been seen since.
        if !matches!(self.state, State::Settling { again: true, .. }) {
            self.seen = outcome.seen.or(self.seen.take());
        }
        self.wanted = outcome.wanted.or(self.wanted.take());
        // A file that was later than what came by gRPC is what files have to be later than from now on.
        if self.given.as_ref().is_some_and(|given| self.wanted.as_ref().is_some_and(|wanted| wanted.revision > given.revision)) {
            self.given.clone_from(&self.wanted);
        }
        self.server = outcome.server.or(self.server.take());
        if let Some(wanted) = self.wanted.as_ref().filter(|wanted| !wanted.check) {
            self.runs = wanted.instance.started != Some(false);
        }
        let is_settled = outcome.error.is_none();
        metrics::counter!("aviary_agent_settled_total", "outcome" => if is_settled { "settled" } else { "failed" }).increment(1);
        self.tell_readiness().await;
        let Some(error) = outcome.error else { return Event::Settled };
        self.error = error.to_string();
        tracing::error!("{error}");
        Event::Failed
    }

    /// Takes a document that came by gRPC, or does not, and says so.
    async fn consider(&mut self, proposal: Proposal) -> Option<Event> {
        let Proposal { wanted, revision, answer } = proposal;
        let taken = self.take(wanted, revision).await;
        let event = taken.as_ref().ok().copied().flatten();
        // Whoever does not wait for the answer asks again.
        let _ = answer.send(taken.map(|_| ()));
        event
    }

    async fn take(&mut self, wanted: Arc<Wanted>, revision: u64) -> Result<Option<Event>, Refusal> {
        if matches!(self.state, State::Interrupted | State::Stopping | State::Ended) {
            return Err(Refusal::NotNow(ENDING.to_owned()));
        }
        let Some(volume) = &self.volume else { return Err(Refusal::NotNow(self.board.error())) };
        volume::take(volume, revision).await.map_err(|error| match error {
            volume::Error::Older { .. } => Refusal::Older(error.to_string()),
            _ => Refusal::NotNow(error.to_string()),
        })?;
        if [&self.wanted, &self.given].into_iter().flatten().any(|known| known.revision == Some(revision)) {
            return Ok(None);
        }
        tracing::info!(revision, "another revision is wanted");
        self.given = Some(wanted);
        self.outdated.store(true, Ordering::Relaxed);
        Ok(Some(Event::Changed))
    }

    /// Looks at the file and the server.
    async fn look(&mut self) -> Option<Event> {
        if matches!(self.state, State::Outside | State::Stopping) {
            return None;
        }
        self.tell_readiness().await;
        // One that cannot be read has not changed; whoever settles says so.
        if let (Some(seen), Ok(bytes)) = (&self.seen, wanted::bytes(&self.file).await)
            && *seen != bytes
        {
            let is_known = self.is_known(&bytes);
            // That is seen now, whatever it says.
            self.seen = Some(bytes);
            if !is_known {
                tracing::info!(file = %self.file.display(), "something else is wanted");
                return Some(Event::Changed);
            }
            tracing::info!(file = %self.file.display(), "the file says nothing that is later");
        }
        if !matches!(self.state, State::Serving { .. }) || !self.is_kept() {
            return None;
        }
        if self.is_running().await {
            return self.is_to_clean().then_some(Event::Changed);
        }
        "the server has ended".clone_into(&mut self.error);
        tracing::error!("{}", self.error);
        metrics::counter!("aviary_agent_server_ends_total").increment(1);
        Some(Event::Gone)
    }

    /// Whether the file says nothing that is later than what came by gRPC. Files of Secrets are slower.
    fn is_known(&self, bytes: &[u8]) -> bool {
        let Some(given) = self.given.as_ref().and_then(|given| given.revision) else { return false };
        let read = wanted::read(&self.file.display().to_string(), bytes);
        read.ok().and_then(|wanted| wanted.revision).is_some_and(|revision| revision <= given)
    }

    /// Whether there are numbers to be cleaned. What was of no effect is not tried again at once.
    fn is_to_clean(&mut self) -> bool {
        let is_early = self.cleaned.is_some_and(|cleaned| cleaned.elapsed() < CLEANED_AGAIN);
        if self.gone.is_empty() || is_early {
            return false;
        }
        self.cleaned = Some(Instant::now());
        true
    }

    /// Whether there is a server that is started again when it ends, also while it is only checked.
    fn is_kept(&self) -> bool {
        let is_to_run = match &self.wanted {
            Some(wanted) if wanted.check => self.runs,
            _ => !self.is_stopped(),
        };
        self.server.is_some() && is_to_run
    }

    fn is_stopped(&self) -> bool {
        self.wanted.as_ref().is_some_and(|wanted| wanted.instance.started == Some(false) && !wanted.check)
    }

    async fn is_running(&self) -> bool {
        match &self.server {
            Some(server) => settle::is_running(&server.process).await,
            None => false,
        }
    }

    /// Tells whether the server serves, how its replicas are, and what there is to be fetched.
    async fn tell_readiness(&mut self) {
        self.tell_reports().await;
        let is_filled = self.tell_replicas().await;
        let reason = match &self.server {
            _ if self.is_stopped() => Some(STOPPED),
            _ if self.wanted.as_ref().is_some_and(|wanted| wanted.fenced) => Some(FENCED),
            _ if !is_filled => Some(UNFILLED),
            _ if self.is_full().await => Some(FULL),
            Some(server) => self.probe.ask(server).await,
            None => None,
        };
        // There is a server from the first time on that there is an instance.
        let serves = reason.is_none() && self.server.is_some();
        metrics::gauge!("aviary_agent_serving").set(f64::from(u8::from(serves)));
        self.board.serve((!serves).then(|| reason.unwrap_or(ABSENT)));
        if serves {
            self.readiness.set_ready();
        }
        if let Some(reason) = reason {
            self.readiness.set_not_ready(reason);
        }
    }

    async fn is_full(&self) -> bool {
        match &self.volume {
            Some(volume) => volume::is_full(volume).await,
            None => false,
        }
    }

    /// Tells which reports there are: one that was fetched may be gone.
    async fn tell_reports(&self) {
        let reports = Arc::clone(&self.reports);
        // Of a thread that died, what it would have said is told next time.
        if let Ok(reports) = tokio::task::spawn_blocking(move || reports.list()).await {
            self.board.report(reports);
        }
    }

    /// Tells how the replicas are, and what may be filled. False if there is anything that may, for what it holds is nobody's, or,
    /// where an operator tells what is wanted, that takes its entries from others alone and has none yet.
    async fn tell_replicas(&mut self) -> bool {
        let (Some(server), Some(volume)) = (&self.server, &self.volume) else { return true };
        let before = volume.consent();
        let mut kept = before.clone();
        // What has no part in replication any more is filled by nobody.
        kept.retain(|suffix, _| server.replicated.iter().any(|backend| backend.suffix.normal() == suffix));
        let mut known = if self.is_stopped() { None } else { self.replicas.look(server).await };
        let receives = self.wanted.as_ref().filter(|wanted| !wanted.check).map(|wanted| wanted.receives.as_slice());
        if let Some(seen) = &known {
            let gates = receive::gates(receives, &kept, seen);
            // What was written until then shows in another look.
            if !gates.is_empty() && self.replicas.gate(&gates).await {
                known = self.replicas.look(server).await;
            }
        }
        let is_known = known.is_some();
        let seen = known.unwrap_or_default();
        self.lags.tell(&seen);
        let mut consent = match receives {
            Some(receives) => receive::consent(receives, &kept, &seen),
            None => kept,
        };
        if consent != before
            && let Err(error) = volume::permit(volume, consent.clone()).await
        {
            // What is not on disk is not so.
            tracing::error!("{error}");
            consent = before;
        }
        let gone = self.wanted.iter().flat_map(|wanted| &wanted.gone);
        self.gone = gone.filter(|(suffix, id)| seen.iter().any(|seen| seen.can_forget(suffix, *id))).cloned().collect();
        let told = replicas::told(&seen, &consent, server);
        self.board.replicate(is_known.then_some(told));
        // One that somebody has made by hand may be reached, and so filled, only while it is ready.
        consent.is_empty() && !(self.listens && seen.iter().any(Seen::is_bare))
    }
}

/// Has the volume for this agent alone, as soon as nobody else has it.
async fn enter(folder: Option<PathBuf>, board: Board) -> Volume {
    let mut told = String::new();
    loop {
        let error = match volume::enter(folder.clone()).await {
            Ok(volume) => {
                board.tell(Activity::Idle, "");
                return volume;
            }
            Err(error) => error.to_string(),
        };
        if error != told {
            tracing::warn!("{error}");
            board.tell(Activity::Idle, &error);
            told = error;
        }
        tokio::time::sleep(volume::LOOK).await;
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

//! What happened in a run, taken down as it happens. How ARA would tell it is for `playbook`.

use std::{fmt::Display, time::SystemTime};

use directory::{
    action::Action,
    explain::{self, EntryChange, Item, Summary},
    facts, json,
    mask::Mask,
    observed::Host,
    setting::Secrets,
    specification::Specification,
};
use record::{Playbook, Time};
use serde_json::{Map, Value as Json};

use super::{listing::Listing, playbook};
use crate::host::Event;

/// Lines that are kept of what a server says of one action, and the characters of each.
const LINES: usize = 200;
const LINE: usize = 1000;

/// What a run is about.
#[derive(Debug, Clone)]
pub struct About {
    /// The file that says what should be, as it was named.
    pub file: String,
    /// The host.
    pub host: String,
    /// Whether nothing is to be changed, only told.
    pub check: bool,
    /// Options of the command line, without secrets.
    pub arguments: Map<String, Json>,
    /// This machine's name for itself.
    pub controller: Option<String>,
    /// Who started it.
    pub user: Option<String>,
}

/// What has become of an action.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum State {
    Waits,
    Runs,
    Done,
    /// And why.
    Failed(String),
}

/// An action of the plan and what has become of it.
pub(super) struct Entry {
    pub(super) item: Item,
    pub(super) entries: Vec<EntryChange>,
    pub(super) line: u32,
    pub(super) state: State,
    pub(super) said: Vec<String>,
    pub(super) started: Time,
    pub(super) ended: Option<Time>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Completed,
    Failed,
    Interrupted,
}

/// The minutes of a run. Nothing secret gets into them.
pub struct Minutes {
    pub(super) about: About,
    pub(super) listing: Listing,
    mask: Mask,
    pub(super) began: Time,
    /// When there was a plan.
    pub(super) planned: Option<Time>,
    pub(super) summary: Summary,
    pub(super) entries: Vec<Entry>,
    pub(super) ending: Ending,
    /// What failed that was no action.
    pub(super) problem: Option<String>,
    pub(super) before: Option<Json>,
    pub(super) after: Option<Json>,
}

impl Minutes {
    /// A run begins that makes a host what a specification says.
    pub fn begin(about: About, specification: &Specification, now: SystemTime) -> Self {
        // What a server says may repeat what it was told.
        let mut mask = Mask::new();
        mask.learn(&specification.write(Secrets::Revealed));
        Self {
            listing: Listing::of(specification, &about.file, &about.host),
            mask,
            about,
            began: now.into(),
            planned: None,
            summary: Summary::default(),
            entries: Vec::new(),
            ending: Ending::Completed,
            problem: None,
            before: None,
            after: None,
        }
    }

    /// The host is like this before anything is done.
    pub fn found(&mut self, host: &Host) {
        self.before = told(host);
    }

    /// The host is like this now.
    pub fn left(&mut self, host: &Host) {
        self.after = told(host);
    }

    /// This is going to be done.
    pub fn plan(&mut self, actions: &[Action], now: SystemTime) {
        let explanation = explain::explain(actions);
        let now = Time::from(now);
        self.planned = Some(now);
        self.summary = explanation.summary;
        let entry = |(item, action): (Item, &Action)| Entry {
            entries: explain::entries(std::slice::from_ref(action)),
            line: self.listing.line(&action.place),
            item,
            state: State::Waits,
            said: Vec::new(),
            started: now,
            ended: None,
        };
        self.entries = explanation.actions.into_iter().zip(actions).map(entry).collect();
    }

    /// This happens.
    pub fn hear(&mut self, event: Event<'_>, now: SystemTime) {
        let running = self.entries.iter_mut().find(|entry| entry.state == State::Runs);
        match (event, running) {
            (Event::Begins(_), _) => {
                if let Some(next) = self.entries.iter_mut().find(|entry| entry.state == State::Waits) {
                    (next.state, next.started) = (State::Runs, now.into());
                }
            }
            (Event::Says(_, text), Some(entry)) => {
                let masked = self.mask.text(text);
                let lines = masked.lines().map(|line| line.chars().take(LINE).collect());
                entry.said.extend(lines.take(LINES.saturating_sub(entry.said.len())));
            }
            (Event::Done(_), Some(entry)) => (entry.state, entry.ended) = (State::Done, Some(now.into())),
            (Event::Failed(_, error), Some(entry)) => {
                let problem = self.mask.text(&error.to_string());
                (entry.state, entry.ended) = (State::Failed(problem), Some(now.into()));
            }
            (Event::Says(..) | Event::Done(_) | Event::Failed(..), None) => {}
        }
    }

    /// It failed: what has been heard to fail, or else what was being done, or what would have been next.
    pub fn fail(&mut self, error: &dyn Display, now: SystemTime) {
        let problem = self.mask.text(&error.to_string());
        self.ending = Ending::Failed;
        if self.entries.iter().any(|entry| matches!(entry.state, State::Failed(_))) {
            return;
        }
        let left = self.entries.iter_mut().find(|entry| entry.state == State::Runs || entry.state == State::Waits);
        let Some(entry) = left else {
            self.problem = Some(problem);
            return;
        };
        if entry.state == State::Waits {
            entry.started = now.into();
        }
        (entry.state, entry.ended) = (State::Failed(problem), Some(now.into()));
    }

    /// Somebody had it stop between two actions.
    pub fn interrupt(&mut self) {
        self.ending = Ending::Interrupted;
    }

    /// It has ended. Tells it in ARA's words.
    pub fn end(self, now: SystemTime) -> Playbook {
        playbook::of(&self, now.into())
    }
}

/// The facts of a host, which have no secrets.
fn told(host: &Host) -> Option<Json> {
    serde_json::from_str(&json::write(&facts::facts(host).write(Secrets::Masked))).ok()
}

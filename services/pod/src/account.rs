//! What is done to the server for a document, taken down while it is done; at its end, whether it is worth a report. How a report
//! tells it is `agent`'s, and keeping it `reports`'.

use std::{path::Path, time::SystemTime};

use agent::{
    host::{self, Event, Host},
    report::{About, Minutes},
};
use directory::action::{Action, Step};
use record::Playbook;
use serde_json::{Map, Value, json};

use crate::wanted::Wanted;

/// What was done for a document so far.
pub(crate) struct Account {
    minutes: Minutes,
    revision: Option<u64>,
    /// Actions that there are.
    all: usize,
    /// The action that was begun last.
    begun: Option<String>,
    /// The first that failed.
    failed: Option<String>,
    done: usize,
    /// Of those that were done, the ones that have made anything else than before.
    changed: usize,
}

/// What is worth a report.
pub(crate) struct Worth {
    pub(crate) playbook: Playbook,
    /// At what it has failed, if it has. Errors tell times: of two that are the same, no two are.
    pub(crate) failure: Option<String>,
    /// Whether anything is other than before.
    pub(crate) is_change: bool,
}

impl Account {
    /// These actions are about to be carried out, which were planned since `began`.
    pub(crate) async fn begin(file: &Path, wanted: &Wanted, host: &Host, began: SystemTime, actions: &[Action]) -> Self {
        let mut minutes = Minutes::begin(about(file, wanted), &wanted.specification, began);
        // Whoever cannot look at it now is told by what comes next.
        if let Ok(found) = host.observe().await {
            minutes.found(&found);
        }
        minutes.plan(actions, SystemTime::now());
        Self { minutes, revision: wanted.revision, all: actions.len(), begun: None, failed: None, done: 0, changed: 0 }
    }

    /// This happens.
    pub(crate) fn hear(&mut self, event: Event<'_>) {
        match event {
            Event::Begins(action) => self.begun = Some(action.messages().join("; ")),
            Event::Says(..) => {}
            Event::Failed(action, _) => {
                self.failed.get_or_insert_with(|| action.messages().join("; "));
            }
            Event::Done(action) => {
                self.done += 1;
                self.changed += usize::from(action.step != Step::Start);
            }
        }
        self.minutes.hear(event, SystemTime::now());
    }

    /// That was it. `None` if nothing was begun, or the server was only started: its pod or its process had ended, which is no
    /// change of what it should be.
    pub(crate) async fn end(mut self, host: &Host, outcome: &Result<(), host::Error>) -> Option<Worth> {
        let begun = self.begun.filter(|_| outcome.is_err() || self.changed > 0)?;
        match outcome {
            Err(error) => self.minutes.fail(error, SystemTime::now()),
            Ok(()) if self.done < self.all => self.minutes.interrupt(),
            Ok(()) => {}
        }
        // What went wrong is told; that nobody can look now is not news.
        if let Ok(left) = host.observe().await {
            self.minutes.left(&left);
        }
        // Another document is another run, though it fails at the same.
        let failed = self.failed.unwrap_or(begun);
        let failure = outcome.as_ref().err().map(|_| format!("{:?} {failed}", self.revision));
        Some(Worth { playbook: self.minutes.end(SystemTime::now()), failure, is_change: self.changed > 0 })
    }
}

fn about(file: &Path, wanted: &Wanted) -> About {
    let revision = wanted.revision.map(|revision| ("revision".to_owned(), json!(revision)));
    let generation = (wanted.generation != 0).then(|| ("generation".to_owned(), json!(wanted.generation)));
    About {
        file: file.display().to_string(),
        host: wanted.instance.name.clone(),
        check: false,
        arguments: [revision, generation].into_iter().flatten().collect::<Map<String, Value>>(),
        controller: None,
        user: None,
    }
}

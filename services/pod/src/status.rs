//! What the agent tells of itself and its server, in the words of the contract: changed by whoever knows, seen by whoever watches.

use std::sync::Arc;

use agent::host::Event;
use aviary_proto::directory::v1::{Activity, Progress, Replica, Report, Status};
use directory::action::Action;
use tokio::sync::watch;

use crate::wanted::Wanted;

/// Messages of what was done that are kept.
const KEPT: usize = 200;

/// Where the status is told. It has ended for those who watch when the last of these is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Board(Arc<watch::Sender<Status>>);

impl Board {
    /// The status of a new agent.
    pub(crate) fn new() -> Self {
        let status = Status {
            activity: Activity::Idle.into(),
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            not_serving: "starting".to_owned(),
            ..Status::default()
        };
        Self(Arc::new(watch::Sender::new(status)))
    }

    /// The status now, and whenever it is another one.
    pub(crate) fn watch(&self) -> watch::Receiver<Status> {
        self.0.subscribe()
    }

    /// Another document, or none, is worked by from now on.
    pub(crate) fn begin(&self, wanted: Option<&Wanted>) {
        self.change(|status| {
            *status = Status {
                revision: wanted.and_then(|wanted| wanted.revision).unwrap_or_default(),
                generation: wanted.map(|wanted| wanted.generation).unwrap_or_default(),
                activity: if wanted.is_some() { Activity::Settling } else { Activity::Idle }.into(),
                error: String::new(),
                progress: None,
                planned: Vec::new(),
                changed: Vec::new(),
                serves: status.serves,
                not_serving: std::mem::take(&mut status.not_serving),
                server_version: std::mem::take(&mut status.server_version),
                agent_version: std::mem::take(&mut status.agent_version),
                replicas: std::mem::take(&mut status.replicas),
                replicas_known: status.replicas_known,
                reports: std::mem::take(&mut status.reports),
            };
        });
    }

    /// What is going on, and what keeps the instance from being what it should be.
    pub(crate) fn tell(&self, activity: Activity, error: &str) {
        self.change(|status| {
            status.activity = activity.into();
            error.clone_into(&mut status.error);
            status.progress = None;
        });
    }

    /// It is tried again; whatever was wrong still is.
    pub(crate) fn retry(&self) {
        self.change(|status| {
            if status.activity() == Activity::Waiting {
                status.activity = Activity::Settling.into();
            }
        });
    }

    /// The agent ends.
    pub(crate) fn stop(&self) {
        self.change(|status| status.activity = Activity::Stopping.into());
    }

    /// What was told to be wrong.
    pub(crate) fn error(&self) -> String {
        self.0.borrow().error.clone()
    }

    /// What would be done.
    pub(crate) fn plan(&self, actions: &[Action]) {
        self.change(|status| status.planned = actions.iter().flat_map(Action::messages).collect());
    }

    /// What is being done before the first of so many actions.
    pub(crate) fn prepare(&self, action: String, total: usize) {
        tracing::info!("{action}");
        self.change(|status| {
            status.activity = Activity::Settling.into();
            status.progress = Some(Progress { action, done: 0, total: u32::try_from(total).unwrap_or(u32::MAX) });
        });
    }

    /// What has happened while actions are carried out, of which there are so many, and so many were done before.
    pub(crate) fn hear(&self, event: Event<'_>, done: usize, total: usize) {
        let number = |count| u32::try_from(count).unwrap_or(u32::MAX);
        self.change(|status| match event {
            Event::Begins(action) => {
                status.activity = Activity::Settling.into();
                let action = action.messages().join(", ");
                status.progress = Some(Progress { action, done: number(done), total: number(total) });
            }
            Event::Says(..) | Event::Failed(..) => {}
            Event::Done(action) => {
                status.changed.extend(action.messages());
                let more = status.changed.len().saturating_sub(KEPT);
                status.changed.drain(..more);
            }
        });
    }

    /// Why the server does not serve, if so.
    pub(crate) fn serve(&self, reason: Option<&str>) {
        self.change(|status| {
            status.serves = reason.is_none();
            reason.unwrap_or_default().clone_into(&mut status.not_serving);
        });
    }

    /// How its replicas are; `None` if nobody knows.
    pub(crate) fn replicate(&self, replicas: Option<Vec<Replica>>) {
        self.change(|status| {
            status.replicas_known = replicas.is_some();
            status.replicas = replicas.unwrap_or_default();
        });
    }

    /// What reports there are.
    pub(crate) fn report(&self, reports: Vec<Report>) {
        self.change(|status| status.reports = reports);
    }

    /// The version of the server.
    pub(crate) fn version(&self, version: &str) {
        self.change(|status| version.clone_into(&mut status.server_version));
    }

    fn change(&self, change: impl FnOnce(&mut Status)) {
        self.0.send_if_modified(|status| {
            let before = status.clone();
            change(status);
            *status != before
        });
    }
}

#[cfg(test)]
mod tests {
    use directory::{action::Step, place::Place};

    use super::*;
    use crate::wanted;

    fn action(name: &str) -> Action {
        let actions = Action { place: Place::instance(name), step: Step::Restart };
        assert_eq!(actions.messages(), [format!("Restarting instance slapd-{name}")]);
        actions
    }

    #[test]
    fn what_is_the_same_is_not_told_again() {
        let board = Board::new();
        let mut watch = board.watch();
        board.serve(Some("starting"));
        board.tell(Activity::Idle, "");
        assert!(!watch.has_changed().unwrap());
        board.serve(None);
        assert!(watch.has_changed().unwrap());
        assert!(watch.borrow_and_update().serves);
        drop(board);
        assert!(watch.has_changed().is_err());
    }

    #[test]
    fn what_is_done_is_told_of_one_document_and_not_for_ever() {
        let board = Board::new();
        let watch = board.watch();
        let wanted = wanted::read("f", b"{revision: 4, generation: 2, ds389_instances: [{name: a}]}").unwrap();
        board.begin(Some(&wanted));
        let action = action("a");
        board.hear(Event::Begins(&action), 1, 3);
        let progress = Progress { action: "Restarting instance slapd-a".to_owned(), done: 1, total: 3 };
        assert_eq!(watch.borrow().progress, Some(progress));
        for _ in 0..250 {
            board.hear(Event::Done(&action), 1, 3);
        }
        let report = Report { id: "20261129T041503Z".to_owned(), succeeded: true };
        board.report(vec![report.clone()]);
        board.tell(Activity::Settled, "");
        let status = watch.borrow().clone();
        assert_eq!((status.revision, status.generation, status.changed.len()), (4, 2, KEPT));
        assert_eq!((status.activity(), status.progress), (Activity::Settled, None));
        board.begin(None);
        let status = watch.borrow().clone();
        assert_eq!((status.revision, status.generation, status.changed.len()), (0, 0, 0));
        assert_eq!(status.reports, [report], "what waits to be fetched is of no document");
        assert_eq!((status.activity(), status.agent_version.as_str()), (Activity::Idle, env!("CARGO_PKG_VERSION")));
    }
}

//! Reports of what was done to directories: fetched from the agents that have them, put into a store, and told in the status of the
//! instance and in an event. All of it beside the keeping of directories, which no slow or broken store delays: an agent has its
//! reports until they are where they belong.

mod fetch;
mod shelf;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use aviary_proto::directory::v1::Report;
use futures::StreamExt;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::runtime::reflector::ObjectRef;
use serde_json::json;
use tokio::time::{Instant, sleep_until, timeout};
use tonic::transport::Channel;

pub(crate) use shelf::Shelf;
use shelf::{Place, place};

use crate::{
    conditions::Told,
    crd::{DS389Instance, LastReport},
    instance::Context,
    objects, tell,
    topology::Concerned,
};

/// As whom statuses get their last report: whoever writes the rest of them has no part in it.
const MANAGER: &str = "aviary-operator-reports";
/// How long the store may take to have a report put into it, and to be rid of those that are too many.
const STORED_IN: Duration = Duration::from_secs(120);
/// Between attempts with an instance: the first, doubled up to the last.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Why a report is not where it belongs.
#[derive(Debug, thiserror::Error)]
enum Error {
    /// The agent does not give it.
    #[error(transparent)]
    Fetch(#[from] fetch::Error),
    /// The agent calls it by what is no time.
    #[error("the agent has a report without a time")]
    Nameless,
    /// The store has not taken it.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The store does not answer.
    #[error("the store has not answered within {} s", STORED_IN.as_secs())]
    Late,
    /// The status cannot be written.
    #[error(transparent)]
    Status(#[from] objects::Error),
}

/// An instance, whose agent has reports.
type Key = ObjectRef<DS389Instance>;

/// Whose reports are to be fetched, and where they go.
pub(crate) struct Reports {
    shelf: Shelf,
    /// Each instance once, however often its agent says so: no more of them wait than there are.
    waiting: Concerned,
}

impl Reports {
    /// None so far.
    pub(crate) fn new(shelf: Shelf) -> Self {
        Self { shelf, waiting: Concerned::default() }
    }

    /// The agent of an instance has these reports. Returns at once.
    pub(crate) fn offer(&self, key: &Key, reports: &[Report]) {
        if let (Some(namespace), false) = (&key.namespace, reports.is_empty()) {
            self.waiting.add(namespace, &key.name);
        }
    }
}

/// Brings the reports of all instances to where they belong, one after the other, for as long as it is let.
pub(crate) async fn run(context: Arc<Context>) {
    let Some(reports) = &context.reports else { return };
    let mut waiting = std::pin::pin!(reports.waiting.stream());
    let mut failures: HashMap<Key, Failure> = HashMap::new();
    loop {
        let key = tokio::select! {
            Some(key) = waiting.next() => key,
            key = due(&failures) => key,
        };
        // Its turn comes by itself.
        if failures.get(&key).is_some_and(|failure| failure.due > Instant::now()) {
            continue;
        }
        match bring(&context, reports, &key).await {
            Ok(()) => {
                failures.remove(&key);
            }
            Err(error) => {
                metrics::counter!("aviary_operator_report_failures_total").increment(1);
                let failure = Failure::after(failures.remove(&key), &error, Instant::now());
                if failure.is_new {
                    tracing::warn!(instance = %key, error = &error as &dyn std::error::Error, "failed to keep a report");
                    tell(&context, &key, Told::NotReported, &not_reported(&error)).await;
                }
                failures.insert(key, failure);
            }
        }
        failures.retain(|key, _| context.known.instances.get(key).is_some());
    }
}

/// What has failed with an instance.
#[derive(Debug, PartialEq, Eq)]
struct Failure {
    message: String,
    /// How long it was left alone since.
    pause: Duration,
    due: Instant,
    /// Whether it is another one than before, which was told.
    is_new: bool,
}

impl Failure {
    fn after(before: Option<Self>, error: &impl fmt::Display, now: Instant) -> Self {
        let message = error.to_string();
        let is_new = before.as_ref().is_none_or(|before| before.message != message);
        let pause = before.map_or(FIRST_PAUSE, |before| (before.pause * 2).min(LONGEST_PAUSE));
        Self { message, pause, due: now + pause, is_new }
    }
}

/// The first instance whose turn it is again, at that time; never, if none failed.
async fn due(failures: &HashMap<Key, Failure>) -> Key {
    match failures.iter().min_by_key(|(_, failure)| failure.due) {
        Some((key, failure)) => {
            sleep_until(failure.due).await;
            key.clone()
        }
        None => std::future::pending().await,
    }
}

/// Brings all reports of an instance to where they belong, the oldest first.
async fn bring(context: &Context, reports: &Reports, key: &Key) -> Result<(), Error> {
    // One that is silent is heard again before it is worth asking.
    let known = context.agents.known(key);
    let (Some(agent), Some(status)) = (context.agents.channel(key), known.status()) else { return Ok(()) };
    for report in &status.reports {
        let Some(place) = place(key, &report.id) else {
            refuse(context, key, &agent, &report.id, Error::Nameless).await?;
            continue;
        };
        match keep(&reports.shelf, &agent, key, &report.id, &place).await {
            Ok(true) => {}
            Ok(false) => continue,
            Err(Error::Fetch(error)) if error.is_final() => {
                refuse(context, key, &agent, &report.id, error.into()).await?;
                continue;
            }
            Err(error) => return Err(error),
        }
        note(context, key, report, &place, &reports.shelf.path(&place.location)).await?;
        // Told before, so that nobody has to tell it who does not know of it any more.
        fetch::forget(agent.clone(), &report.id).await?;
    }
    Ok(())
}

/// Puts a report where it belongs. False if its agent has it no more.
async fn keep(shelf: &Shelf, agent: &Channel, key: &Key, id: &str, place: &Place) -> Result<bool, Error> {
    let Some(database) = fetch::fetch(agent.clone(), id).await? else { return Ok(false) };
    let stored = async {
        shelf.put(&place.location, database).await?;
        shelf.thin(key).await
    };
    timeout(STORED_IN, stored).await.map_err(|_| Error::Late)??;
    metrics::counter!("aviary_operator_reports_total").increment(1);
    Ok(true)
}

/// Tells of a report that is of no use, and has it forgotten.
async fn refuse(context: &Context, key: &Key, agent: &Channel, id: &str, error: Error) -> Result<(), Error> {
    tracing::warn!(instance = %key, error = &error as &dyn std::error::Error, "a report is of no use");
    tell(context, key, Told::NotReported, &format!("a report is of no use: {error}")).await;
    Ok(fetch::forget(agent.clone(), id).await?)
}

/// Tells where a report is: in the status, unless that tells of a later one, and in an event.
async fn note(context: &Context, key: &Key, report: &Report, place: &Place, path: &str) -> Result<(), Error> {
    let Some(instance) = context.known.instances.get(key) else { return Ok(()) };
    let last = LastReport { location: path.to_owned(), time: Time(place.time), succeeded: report.succeeded };
    let told = instance.status.as_ref().and_then(|status| status.last_report.as_ref());
    // One that was told before the operator ended is told again by nobody.
    if told == Some(&last) {
        return Ok(());
    }
    if told.is_none_or(|told| told.time.0 <= last.time.0) {
        tell::status(&context.client, MANAGER, &*instance, &json!({"lastReport": last})).await?;
    }
    let outcome = if report.succeeded { "what was done" } else { "what was done and what failed" };
    tell(context, key, Told::Reported, &format!("{outcome} is told by the report {path}")).await;
    Ok(())
}

fn not_reported(error: &Error) -> String {
    format!("a report is not where it belongs, which is tried again: {error}")
}

async fn tell(context: &Context, key: &Key, told: Told, note: &str) {
    if let Some(instance) = context.known.instances.get(key) {
        tell::event(&context.recorder, &*instance, told, note).await;
    }
}

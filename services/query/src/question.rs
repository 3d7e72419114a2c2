//! One question from its start to its end: waits for its turn, opens a session, runs, and runs again when the report was
//! overwritten under it. What is read is the caller's affair.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use aviary_proto::{
    LongTexts,
    report::v1::{Header, ReportRef},
};
use http::HeaderMap;
use prost::Message;
use prost_types::Timestamp;
use store::Location;
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tonic::Status;

use crate::{
    database::Watch,
    error::Error,
    outbox::{Make, Outbox},
    report::{Report, Session},
    reports::{Near, Reports, Vouched},
};

/// Messages of an answer that may wait for a slow reader.
const MESSAGES_AHEAD: usize = 2;
/// How long a question waits for a report that is being written before it says so.
const PATIENCE: Duration = Duration::from_secs(3);
/// The pauses between tries, each longer than the one before.
const PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// Which report, which content, and until when.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) location: Location,
    /// Only this content will do.
    pub(crate) generation: Option<String>,
    pub(crate) deadline: Instant,
    /// The call's headers, for the trace that it belongs to.
    pub(crate) headers: HeaderMap,
}

impl Question {
    /// Reads the wire's form.
    pub(crate) fn new(report: Option<ReportRef>, deadline: Instant, headers: HeaderMap) -> Result<Self, Error> {
        let report = report.unwrap_or_default();
        let location = Location::parse(&report.location)?;
        Ok(Self { location, generation: Some(report.generation).filter(|generation| !generation.is_empty()), deadline, headers })
    }
}

/// What all questions share.
pub(crate) struct Desk {
    pub(crate) reports: Reports,
    /// One permit for each question in hand.
    pub(crate) permits: Arc<Semaphore>,
    /// One permit for each folder that is listed: stores that are slow to list keep nobody from reading.
    pub(crate) listings: Arc<Semaphore>,
    /// How long a question waits for a store.
    pub(crate) wait: Duration,
}

/// What a question is read from.
pub(crate) struct Reading<'a> {
    pub(crate) location: &'a Location,
    pub(crate) session: &'a Session,
    pub(crate) vouched: Vouched,
}

/// Watches a channel to a caller.
struct Caller<M> {
    sender: mpsc::Sender<Result<M, Status>>,
    deadline: Instant,
}

impl<M: Send + 'static> Watch for Caller<M> {
    fn is_abandoned(&self) -> bool {
        self.sender.is_closed()
    }

    fn deadline(&self) -> Instant {
        self.deadline
    }
}

/// The stream of an answer's messages.
pub(crate) type Answer<M> = std::pin::Pin<Box<dyn futures::Stream<Item = Result<M, Status>> + Send>>;

impl Desk {
    /// Asks: `read` is given a session and the outbox, after the header was put into it by itself.
    pub(crate) async fn ask<R, M>(
        self: Arc<Self>,
        question: Question,
        make: Make<R, M>,
        mut read: impl FnMut(&Reading<'_>, &mut Outbox<R, M>) -> Result<(), Error> + Send + 'static,
    ) -> Result<Answer<M>, Status>
    where
        R: LongTexts + Message + 'static,
        M: Send + 'static,
    {
        // Whoever waits for a store must not take the place of those who need not.
        let near = self.near(&question.location, question.deadline).await?;
        let permit = turn(&self.permits, question.deadline).await?;
        let (sender, mut receiver) = mpsc::channel(MESSAGES_AHEAD + 1);
        // A place that no message takes: an answer that breaks off must say so, or it would pass for whole.
        let last = sender.clone().reserve_owned().await.map_err(|_| Error::Abandoned)?;
        let span = tracing::info_span!("sql", report.location = %question.location);
        runtime::trace_context::set_parent(&span, &question.headers);
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let _entered = span.enter();
            let mut outbox = Outbox::new(make, sender.clone(), question.deadline);
            let run = std::panic::AssertUnwindSafe(|| self.run(&question, near, &sender, &mut outbox, &mut read));
            let outcome =
                std::panic::catch_unwind(run).unwrap_or_else(|_| Err(Error::Internal("the question panicked".to_owned())));
            if let Err(error) = outcome {
                last.send(Err(error.into()));
            }
        });
        // The first message decides whether the call fails as a whole.
        let first = receiver
            .recv()
            .await
            .unwrap_or_else(|| Err(Error::Internal("the question ended without an answer".to_owned()).into()))?;
        Ok(Box::pin(tokio_stream::once(Ok(first)).chain(ReceiverStream::new(receiver))))
    }

    /// Runs something short that asks the store or a report, but sends no rows.
    pub(crate) async fn look<T: Send + 'static>(
        self: Arc<Self>,
        deadline: Instant,
        read: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Status> {
        let permit = turn(&self.permits, deadline).await?;
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            read(&self)
        });
        let answer = tokio::time::timeout_at(deadline.into(), task).await.map_err(|_| Error::DeadlineExceeded)?;
        Ok(answer.map_err(|error| Error::Internal(error.to_string()))??)
    }

    /// Brings a report near, as long as the question may wait.
    pub(crate) async fn near(&self, location: &Location, deadline: Instant) -> Result<Near, Error> {
        let left = deadline.saturating_duration_since(Instant::now());
        self.reports.near(location, self.wait.min(left)).await
    }

    /// Tries until the report holds still, or patience ends.
    pub(crate) fn patiently<T>(&self, deadline: Instant, mut attempt: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
        let end = deadline.min(Instant::now() + PATIENCE);
        let mut pause = PAUSE;
        loop {
            match attempt() {
                Err(Error::BeingWritten) if Instant::now() + pause < end => {
                    thread::sleep(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                other => return other,
            }
        }
    }

    fn run<R, M>(
        &self,
        question: &Question,
        near: Near,
        sender: &mpsc::Sender<Result<M, Status>>,
        outbox: &mut Outbox<R, M>,
        read: &mut impl FnMut(&Reading<'_>, &mut Outbox<R, M>) -> Result<(), Error>,
    ) -> Result<(), Error>
    where
        R: LongTexts + Message,
        M: Send + 'static,
    {
        let watch: Arc<dyn Watch> = Arc::new(Caller { sender: sender.clone(), deadline: question.deadline });
        let mut near = Some(near);
        self.patiently(question.deadline, || {
            let near = match near.take() {
                Some(near) => near,
                None => tokio::runtime::Handle::current().block_on(self.near(&question.location, question.deadline))?,
            };
            let report = self.reports.open(&question.location, &near)?;
            let session = report.session(Arc::clone(&watch))?;
            if question.generation.as_deref().is_some_and(|wanted| wanted != session.generation()) {
                return Err(Error::GenerationGone);
            }
            let reading = Reading { location: &question.location, session: &session, vouched: self.reports.vouch(&near) };
            let result = read(&reading, outbox).and_then(|()| outbox.finish(&session));
            match result {
                Ok(()) => Ok(()),
                Err(_) if watch.is_abandoned() => Err(Error::Abandoned),
                // Whatever went wrong, it was not of one content: it is only news if part of it is out.
                Err(_) if !session.is_consistent()? => {
                    Err(if outbox.has_sent() { Error::GenerationGone } else { Error::BeingWritten })
                }
                Err(error) => Err(match session.judge(error) {
                    Error::BeingWritten if outbox.has_sent() => Error::GenerationGone,
                    error => error,
                }),
            }
        })
    }
}

/// Waits for a place.
pub(crate) async fn turn(places: &Arc<Semaphore>, deadline: Instant) -> Result<tokio::sync::OwnedSemaphorePermit, Error> {
    let permit = tokio::time::timeout_at(deadline.into(), Arc::clone(places).acquire_owned()).await;
    permit.ok().and_then(Result::ok).ok_or_else(|| {
        metrics::counter!("aviary_query_overloaded_total").increment(1);
        Error::Overloaded
    })
}

impl Reading<'_> {
    /// The first message's header.
    pub(crate) fn header(&self, count: u64) -> Header {
        header(self.location, self.session.report(), self.session.generation(), self.vouched, count)
    }
}

/// What every answer says about itself.
pub(crate) fn header(location: &Location, report: &Report, generation: &str, vouched: Vouched, count: u64) -> Header {
    Header {
        location: location.to_string(),
        generation: generation.to_owned(),
        fresh_until: Some(Timestamp::from(vouched.fresh_until)),
        modified: report.modified().map(Timestamp::from),
        count,
        stale_seconds: vouched.stale.map(|age| age.as_secs()),
    }
}

//! An answer on its way back: what came of it already and what is still to come. When it cannot be finished it says so in
//! trailers, which gRPC clients of all kinds read, instead of just ending.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;
use http_body_util::BodyExt;
use tokio::sync::OwnedSemaphorePermit;
use tonic::{Code, Status, body::Body};
use tonic_types::StatusExt;

use super::{health::Replica, pool::Pool};
use crate::error::{DOMAIN, Error, Reason};

/// An answer that is one message is kept here until it is whole, if it is no larger.
const MAX_WHOLE_BYTES: usize = 4 << 20;

/// The beginning of an answer did not come.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// The connection broke, or the replica gave up.
    #[error("the answer broke off")]
    Off(#[source] Status),
    /// It ended without a word.
    #[error("the answer ended early")]
    Early,
    /// The replica does not serve.
    #[error("the replica does not serve: {0}")]
    NotServing(String),
}

/// The beginning of an answer, and the way to the rest.
pub(super) struct Begun {
    frames: VecDeque<Frame<Bytes>>,
    /// Absent when all is there.
    rest: Option<Body>,
}

impl Begun {
    /// An answer without a body: its headers say all.
    pub(super) fn empty() -> Self {
        Self { frames: VecDeque::new(), rest: None }
    }

    /// Waits for the first piece of an answer, or for the whole of one that is a `single` message.
    pub(super) async fn wait(mut body: Body, single: bool) -> Result<Self, Broken> {
        let (mut frames, mut bytes) = (VecDeque::new(), 0);
        loop {
            let frame = body.frame().await.ok_or(Broken::Early)?.map_err(Broken::Off)?;
            bytes += frame.data_ref().map_or(0, Bytes::len);
            let trailers = frame.trailers_ref().map(not_serving);
            if let Some(Some(status)) = trailers {
                return Err(Broken::NotServing(status.message().to_owned()));
            }
            frames.push_back(frame);
            if trailers.is_some() {
                return Ok(Self { frames, rest: None });
            }
            if bytes > 0 && (!single || bytes > MAX_WHOLE_BYTES) {
                return Ok(Self { frames, rest: Some(body) });
            }
        }
    }
}

/// Whether a replica says that the call was given up: servers say so of calls whose time is over, by their own clocks.
pub(super) fn is_given_up(headers: &HeaderMap) -> bool {
    Status::from_header_map(headers).is_some_and(|status| status.code() == Code::Cancelled)
}

/// A status that tells of the replica and not of the question: it is unavailable, and it is not the service that says so.
pub(super) fn not_serving(headers: &HeaderMap) -> Option<Status> {
    let status = Status::from_header_map(headers).filter(|status| status.code() == Code::Unavailable)?;
    let ours = status.get_details_error_info().is_some_and(|info| info.domain == DOMAIN);
    (!ours).then_some(status)
}

/// Done when an answer has to end, whatever is still to come, with why.
pub(super) type End = Pin<Box<dyn Future<Output = Error> + Send>>;

/// The body of an answer.
pub(super) struct Answer {
    begun: Begun,
    replica: Arc<Replica>,
    pool: Arc<Pool>,
    end: End,
    /// One of the calls in hand.
    _permit: OwnedSemaphorePermit,
}

impl Answer {
    pub(super) fn new(begun: Begun, replica: Arc<Replica>, pool: Arc<Pool>, end: End, permit: OwnedSemaphorePermit) -> Self {
        Self { begun, replica, pool, end, _permit: permit }
    }

    /// The replica is gone in the middle of its answer.
    fn broken(&mut self, error: &(dyn std::error::Error + 'static)) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        tracing::debug!(replica = self.replica.target.name, error, "an answer broke off");
        self.pool.failed(&self.replica);
        self.end(Error::new(Reason::ReplicasUnavailable, "the replica that had begun to answer is gone"))
    }

    fn end(&mut self, error: Error) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.begun.rest = None;
        let status = Status::from(error);
        let mut trailers = HeaderMap::new();
        match status.add_header(&mut trailers) {
            Ok(()) => Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
            Err(status) => Poll::Ready(Some(Err(status))),
        }
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(frame) = self.begun.frames.pop_front() {
            return Poll::Ready(Some(Ok(frame)));
        }
        let Some(rest) = &mut self.begun.rest else { return Poll::Ready(None) };
        match Pin::new(rest).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                let Some(trailers) = frame.trailers_ref() else { return Poll::Ready(Some(Ok(frame))) };
                if let Some(status) = not_serving(trailers) {
                    return self.broken(&status);
                }
                self.begun.rest = None;
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => self.broken(&error),
            Poll::Ready(None) => self.broken(&Broken::Early),
            Poll::Pending => {
                let why = ready!(self.end.as_mut().poll(context));
                self.end(why)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.begun.frames.is_empty() && self.begun.rest.is_none()
    }
}

//! The wire's `AgentService`: what comes by it is understood here and handed to the agent at work, whose answer and status go back.

use std::{sync::Arc, time::Duration};

use aviary_proto::directory::v1::{
    ApplyRequest, ApplyResponse, FetchReportRequest, ForgetReportRequest, ForgetReportResponse, LagRequest, LagResponse,
    ReportChunk, Status, WatchRequest, agent_service_server::AgentService,
};
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use tokio::sync::{mpsc, oneshot, watch};
use tonic::{Request, Response};

use crate::{
    reports::{self, Reports},
    wanted::{self, Wanted},
};

/// Documents that may wait to be taken.
const WAITING: usize = 8;

/// Between two statuses that one watcher is told.
const PAUSE: Duration = Duration::from_millis(200);

/// Bytes of a report that go in one message.
const CHUNK: usize = 64 * 1024;

/// A document that is to be worked by.
#[derive(Debug)]
pub(crate) struct Proposal {
    /// What it says.
    pub(crate) wanted: Arc<Wanted>,
    /// Its revision.
    pub(crate) revision: u64,
    /// Where to say whether it was taken.
    pub(crate) answer: oneshot::Sender<Result<(), Refusal>>,
}

/// Why a document is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// A later one was taken before.
    #[error("{0}")]
    Older(String),
    /// The agent cannot take any now.
    #[error("{0}")]
    NotNow(String),
}

/// Takes documents, tells the status and the lag, and gives reports away.
#[derive(Debug)]
pub(crate) struct Service {
    proposals: mpsc::Sender<Proposal>,
    status: watch::Receiver<Status>,
    lags: watch::Receiver<LagResponse>,
    reports: Arc<Reports>,
}

impl Service {
    /// The service, and where what it takes comes out.
    pub(crate) fn new(
        status: watch::Receiver<Status>,
        lags: watch::Receiver<LagResponse>,
        reports: Arc<Reports>,
    ) -> (Self, mpsc::Receiver<Proposal>) {
        let (proposals, receiver) = mpsc::channel(WAITING);
        (Self { proposals, status, lags, reports }, receiver)
    }
}

#[tonic::async_trait]
impl AgentService for Service {
    type WatchStream = BoxStream<'static, Result<Status, tonic::Status>>;
    type FetchReportStream = BoxStream<'static, Result<ReportChunk, tonic::Status>>;

    async fn apply(&self, request: Request<ApplyRequest>) -> Result<Response<ApplyResponse>, tonic::Status> {
        let document = request.into_inner().document;
        // A long one takes a while.
        let read = tokio::task::spawn_blocking(move || wanted::read(wanted::DOCUMENT, document.as_bytes()));
        let wanted = read.await.map_err(|_| ended())?.map_err(|error| tonic::Status::invalid_argument(error.to_string()))?;
        let Some(revision) = wanted.revision else {
            let message = format!("{} has no 'revision'; it wants a number that grows with each change", wanted::DOCUMENT);
            return Err(tonic::Status::invalid_argument(message));
        };
        let (answer, answered) = oneshot::channel();
        self.proposals.send(Proposal { wanted: Arc::new(wanted), revision, answer }).await.map_err(|_| ended())?;
        match answered.await.map_err(|_| ended())? {
            Ok(()) => Ok(Response::new(ApplyResponse {})),
            Err(Refusal::Older(message)) => Err(tonic::Status::failed_precondition(message)),
            Err(Refusal::NotNow(message)) => Err(tonic::Status::unavailable(message)),
        }
    }

    async fn watch(&self, _: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, tonic::Status> {
        Ok(Response::new(statuses(self.status.clone()).map(Ok).boxed()))
    }

    async fn lag(&self, _: Request<LagRequest>) -> Result<Response<LagResponse>, tonic::Status> {
        Ok(Response::new(self.lags.borrow().clone()))
    }

    async fn fetch_report(
        &self,
        request: Request<FetchReportRequest>,
    ) -> Result<Response<Self::FetchReportStream>, tonic::Status> {
        let id = request.into_inner().id;
        let found = self.with_reports(move |reports| reports.read(&id)).await?;
        let bytes = found.ok_or_else(|| tonic::Status::not_found("there is no such report any more"))?;
        let chunks: Vec<_> = bytes.chunks(CHUNK).map(|data| Ok(ReportChunk { data: data.to_vec() })).collect();
        Ok(Response::new(stream::iter(chunks).boxed()))
    }

    async fn forget_report(
        &self,
        request: Request<ForgetReportRequest>,
    ) -> Result<Response<ForgetReportResponse>, tonic::Status> {
        let id = request.into_inner().id;
        self.with_reports(move |reports| reports.forget(&id)).await?;
        Ok(Response::new(ForgetReportResponse {}))
    }
}

impl Service {
    /// Does something with files of reports where it holds nobody up.
    async fn with_reports<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Reports) -> Result<T, reports::Error> + Send + 'static,
    ) -> Result<T, tonic::Status> {
        let reports = Arc::clone(&self.reports);
        let done = tokio::task::spawn_blocking(move || work(&reports)).await.map_err(|_| ended())?;
        done.map_err(|error| tonic::Status::internal(error.to_string()))
    }
}

fn ended() -> tonic::Status {
    tonic::Status::unavailable("the agent ends")
}

/// The status now and whenever it is another one, but not too often; what changes meanwhile is left out. Ends with the agent.
fn statuses(mut status: watch::Receiver<Status>) -> impl futures::Stream<Item = Status> {
    status.mark_changed();
    futures::stream::unfold((status, None), async |(mut status, last): (watch::Receiver<Status>, Option<Status>)| {
        if last.is_some() {
            tokio::time::sleep(PAUSE).await;
        }
        loop {
            status.changed().await.ok()?;
            let now = status.borrow_and_update().clone();
            if last.as_ref() != Some(&now) {
                return Some((now.clone(), (status, Some(now))));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use aviary_proto::directory::v1::Activity;

    use std::time::SystemTime;

    use super::*;
    use crate::{lag::Lags, status::Board};

    #[tokio::test]
    async fn a_watcher_hears_the_first_and_the_last_and_of_those_between_only_some() {
        let board = Board::new();
        let mut heard = std::pin::pin!(statuses(board.watch()));
        let mut next = async || heard.next().await.map(|status| (status.activity(), status.error));
        assert_eq!(next().await, Some((Activity::Idle, String::new())));
        let tell = async {
            for number in 0..50 {
                board.tell(Activity::Settling, &number.to_string());
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            // What is taken back before anybody hears of it was not.
            board.tell(Activity::Waiting, "");
            board.tell(Activity::Settling, "49");
            tokio::time::sleep(PAUSE * 3).await;
            board.tell(Activity::Stopping, "");
            drop(board);
        };
        let hear = async {
            let mut all = Vec::new();
            while let Some(status) = next().await {
                all.push(status);
            }
            all
        };
        let ((), all) = tokio::join!(tell, hear);
        assert!((2..40).contains(&all.len()), "{all:?}");
        assert_eq!(all[all.len() - 2..], [(Activity::Settling, "49".to_owned()), (Activity::Stopping, String::new())]);
    }

    #[tokio::test]
    async fn a_report_is_given_away_in_pieces_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let reports = Arc::new(Reports::new(Some(folder.path())));
        let (service, _proposals) = Service::new(Board::new().watch(), Lags::default().watch(), Arc::clone(&reports));
        let fetch = async |id: &str| service.fetch_report(Request::new(FetchReportRequest { id: id.to_owned() })).await;
        assert_eq!(fetch("20261129T041503Z").await.err().unwrap().code(), tonic::Code::NotFound);

        reports.keep(&crate::reports::tests::done(), SystemTime::now()).unwrap();
        let id = reports.list().pop().unwrap().id;
        let chunks: Vec<_> = fetch(&id).await.unwrap().into_inner().collect().await;
        let chunks: Vec<Vec<u8>> = chunks.into_iter().map(|chunk| chunk.unwrap().data).collect();
        assert!(chunks.len() > 1 && chunks.iter().all(|chunk| (1..=CHUNK).contains(&chunk.len())));
        assert_eq!(Some(chunks.concat()), reports.read(&id).unwrap());

        for _ in 0..2 {
            service.forget_report(Request::new(ForgetReportRequest { id: id.clone() })).await.unwrap();
        }
        assert_eq!(fetch(&id).await.err().unwrap().code(), tonic::Code::NotFound);
    }
}

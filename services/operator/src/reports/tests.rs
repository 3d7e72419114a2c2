//! What becomes of what agents have: a fake agent on one side, a folder as the store on the other.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Mutex, PoisonError},
};

use aviary_proto::directory::v1::{
    ApplyRequest, ApplyResponse, FetchReportRequest, ForgetReportRequest, ForgetReportResponse, LagRequest, LagResponse,
    ReportChunk, Status, WatchRequest,
    agent_service_server::{AgentService, AgentServiceServer},
};
use futures::{
    FutureExt,
    stream::{self, BoxStream},
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    Request, Response,
    transport::{Endpoint, Server},
};

use super::*;

const ID: &str = "20261129T041503Z";

/// What an agent has, by id.
#[derive(Clone, Default)]
struct Agent(Arc<Mutex<BTreeMap<String, Vec<Vec<u8>>>>>);

impl Agent {
    fn has(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }
}

#[tonic::async_trait]
impl AgentService for Agent {
    type WatchStream = BoxStream<'static, Result<Status, tonic::Status>>;
    type FetchReportStream = BoxStream<'static, Result<ReportChunk, tonic::Status>>;

    async fn apply(&self, _: Request<ApplyRequest>) -> Result<Response<ApplyResponse>, tonic::Status> {
        Err(tonic::Status::unimplemented("it has only reports"))
    }

    async fn watch(&self, _: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, tonic::Status> {
        Err(tonic::Status::unimplemented("it has only reports"))
    }

    async fn lag(&self, _: Request<LagRequest>) -> Result<Response<LagResponse>, tonic::Status> {
        Err(tonic::Status::unimplemented("it has only reports"))
    }

    async fn fetch_report(
        &self,
        request: Request<FetchReportRequest>,
    ) -> Result<Response<Self::FetchReportStream>, tonic::Status> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let chunks = known.get(&request.into_inner().id).cloned().ok_or_else(|| tonic::Status::not_found("no such"))?;
        let chunks = chunks.into_iter().map(|data| match data.as_slice() {
            b"broken" => Err(tonic::Status::internal("the volume is broken")),
            _ => Ok(ReportChunk { data }),
        });
        Ok(Response::new(stream::iter(chunks.collect::<Vec<_>>()).boxed()))
    }

    async fn forget_report(
        &self,
        request: Request<ForgetReportRequest>,
    ) -> Result<Response<ForgetReportResponse>, tonic::Status> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&request.into_inner().id);
        Ok(Response::new(ForgetReportResponse {}))
    }
}

/// An agent with one report that comes in these pieces, and the way to it.
async fn agent(chunks: &[&[u8]]) -> (Agent, Channel) {
    let agent = Agent::default();
    let chunks = chunks.iter().map(|chunk| chunk.to_vec()).collect();
    agent.0.lock().unwrap().insert(ID.to_owned(), chunks);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = Server::builder().add_service(AgentServiceServer::new(agent.clone()));
    tokio::spawn(served.serve_with_incoming(TcpListenerStream::new(listener)));
    let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy();
    (agent, channel)
}

fn shelf(folder: &Path) -> Shelf {
    Shelf::open(&store::Source::folder(folder), &store::Options::default(), 50).unwrap()
}

fn key() -> Key {
    ObjectRef::new("ldap-1").within("people")
}

async fn kept(folder: &Path, agent: &Channel) -> Result<bool, Error> {
    keep(&shelf(folder), agent, &key(), ID, &place(&key(), ID).unwrap()).await
}

fn database(folder: &Path) -> Option<Vec<u8>> {
    fs::read(folder.join(format!("ds389/people/ldap-1/{ID}/ara-report/ansible.sqlite"))).ok()
}

#[tokio::test]
async fn a_report_is_put_into_the_store_before_its_agent_forgets_it() {
    let folder = tempfile::tempdir().unwrap();
    let (agent, channel) = agent(&[b"SQLite form", b"at 3\0", b"and all that follows"]).await;
    // Twice, as after an operator that ended before it could say that it has it.
    for _ in 0..2 {
        assert!(kept(folder.path(), &channel).await.unwrap());
        assert_eq!(database(folder.path()).unwrap(), b"SQLite format 3\0and all that follows");
    }
    assert_eq!(agent.has(), [ID]);
    fetch::forget(channel.clone(), ID).await.unwrap();
    assert_eq!(agent.has(), [""; 0]);
    fetch::forget(channel.clone(), ID).await.unwrap();
    assert!(!kept(folder.path(), &channel).await.unwrap(), "there is none to be kept any more");
    assert!(database(folder.path()).is_some());
}

#[tokio::test]
async fn what_is_no_report_gets_nowhere() {
    let large = vec![b'x'; 1 << 20];
    let mut pieces: Vec<&[u8]> = vec![b"SQLite format 3\0"];
    pieces.extend(vec![large.as_slice(); 16]);
    for (pieces, is_final) in [
        (vec![], true),
        (vec![b"SQLite format 2\0 and more".as_slice()], true),
        (vec![b"SQLite form".as_slice()], true),
        (pieces, true),
        (vec![b"SQLite format 3\0".as_slice(), b"broken".as_slice()], false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (_, channel) = agent(&pieces).await;
        let error = kept(folder.path(), &channel).await.unwrap_err();
        assert!(matches!(&error, Error::Fetch(error) if error.is_final() == is_final), "{error}");
        assert_eq!(database(folder.path()), None, "{error}");
    }
}

#[tokio::test]
async fn a_store_that_fails_is_told_and_the_agent_keeps_its_report() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ds389"), "in the way").unwrap();
    let (agent, channel) = agent(&[b"SQLite format 3\0"]).await;
    let error = kept(folder.path(), &channel).await.unwrap_err();
    assert!(matches!(error, Error::Store(_)), "{error}");
    assert_eq!(agent.has(), [ID]);
    fs::remove_file(folder.path().join("ds389")).unwrap();
    assert!(kept(folder.path(), &channel).await.unwrap());
}

#[tokio::test]
async fn an_agent_that_is_gone_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let channel = Endpoint::from_static("http://127.0.0.1:1").connect_lazy();
    let error = kept(folder.path(), &channel).await.unwrap_err();
    assert!(matches!(&error, Error::Fetch(error) if !error.is_final()), "{error}");
}

#[tokio::test]
async fn a_failure_is_told_once_and_tried_less_and_less_often() {
    let now = Instant::now();
    let mut failure = Failure::after(None, &"down", now);
    assert_eq!((failure.is_new, failure.due), (true, now + FIRST_PAUSE));
    let mut pauses = Vec::new();
    for _ in 0..9 {
        failure = Failure::after(Some(failure), &"down", now);
        assert!(!failure.is_new);
        pauses.push(failure.pause.as_secs());
    }
    assert_eq!(pauses, [4, 8, 16, 32, 64, 128, 256, 300, 300]);
    let other = Failure::after(Some(failure), &"refused", now);
    assert_eq!((other.is_new, other.pause), (true, LONGEST_PAUSE));
}

#[tokio::test]
async fn whoever_failed_first_is_due_first() {
    let now = Instant::now();
    let failure = |seconds| Failure { due: now + Duration::from_secs(seconds), ..Failure::after(None, &"down", now) };
    let failures = HashMap::from([(ObjectRef::new("later"), failure(9)), (ObjectRef::new("sooner"), failure(0))]);
    assert_eq!(due(&failures).await.name, "sooner");
}

#[tokio::test]
async fn instances_wait_once_however_often_their_agents_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let reports = Reports::new(shelf(folder.path()));
    let report = [Report { id: ID.to_owned(), succeeded: true }];
    for _ in 0..3 {
        reports.offer(&key(), &report);
        reports.offer(&ObjectRef::new("ldap-2").within("people"), &[]);
    }
    let mut waiting = std::pin::pin!(reports.waiting.stream::<DS389Instance>());
    assert_eq!(waiting.next().await, Some(key()));
    assert_eq!(waiting.next().now_or_never(), None, "nobody else waits");
}

#[test]
fn no_secret_of_the_store_is_told() {
    let url = "s3://bucket/logs?aws_secret_access_key=word&aws_access_key_id=word&unknown=word";
    let source: store::Source = url.parse().unwrap();
    let refused = Shelf::open(&source, &store::Options::default(), 1).unwrap_err();
    let told = not_reported(&refused.into());
    assert!(told.contains("s3://bucket/logs") && !told.contains("word"), "{told}");
}

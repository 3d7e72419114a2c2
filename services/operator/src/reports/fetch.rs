//! Fetching a report from the agent that has it, within bounds, and telling it that it need not have it any longer. A pod is not
//! believed: what comes has to look like a database.

use std::time::Duration;

use aviary_proto::directory::v1::{FetchReportRequest, ForgetReportRequest, agent_service_client::AgentServiceClient};
use tokio::time::timeout;
use tonic::{Code, transport::Channel};

/// Bytes of the largest report.
const LARGEST: usize = 16 << 20;
/// How long fetching one may take, and having it forgotten.
const FETCHED_IN: Duration = Duration::from_secs(30);
const FORGOTTEN_IN: Duration = Duration::from_secs(5);
/// What each database begins with.
const HEADER: &[u8] = b"SQLite format 3\0";

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The agent does not give it now.
    #[error("the agent does not give it: {0}")]
    Unreachable(String),
    /// It has more bytes than a report has.
    #[error("the agent has sent more than {LARGEST} bytes")]
    Large,
    /// It is something else.
    #[error("the agent has sent what is no database")]
    Strange,
}

impl Error {
    /// Whether asking again would give the same.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Large | Self::Strange)
    }
}

/// The database of a report; `None` if the agent has it no more.
pub(crate) async fn fetch(agent: Channel, id: &str) -> Result<Option<Vec<u8>>, Error> {
    let request = FetchReportRequest { id: id.to_owned() };
    let fetched = async {
        let mut stream = match AgentServiceClient::new(agent).fetch_report(request).await {
            Err(status) if status.code() == Code::NotFound => return Ok(None),
            answer => answer.map_err(unreachable)?.into_inner(),
        };
        let mut database = Vec::new();
        while let Some(chunk) = stream.message().await.map_err(unreachable)? {
            if database.len() + chunk.data.len() > LARGEST {
                return Err(Error::Large);
            }
            database.extend_from_slice(&chunk.data);
        }
        if database.starts_with(HEADER) { Ok(Some(database)) } else { Err(Error::Strange) }
    };
    let late = || Err(Error::Unreachable(format!("not within {} s", FETCHED_IN.as_secs())));
    timeout(FETCHED_IN, fetched).await.unwrap_or_else(|_| late())
}

/// Tells an agent that a report is kept elsewhere, or of no use.
pub(crate) async fn forget(agent: Channel, id: &str) -> Result<(), Error> {
    let request = ForgetReportRequest { id: id.to_owned() };
    match timeout(FORGOTTEN_IN, AgentServiceClient::new(agent).forget_report(request)).await {
        Ok(answer) => answer.map(|_| ()).map_err(unreachable),
        Err(_) => Err(Error::Unreachable(format!("not within {} s", FORGOTTEN_IN.as_secs()))),
    }
}

fn unreachable(status: tonic::Status) -> Error {
    Error::Unreachable(status.message().to_owned())
}

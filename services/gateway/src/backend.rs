//! The way to the query service: a client over whatever carries HTTP/2 there, be it a connection or a call in this process,
//! and rows put together again from messages and chunks.

use std::{collections::VecDeque, error::Error as StdError};

use aviary_proto::{
    LongTexts,
    report::v1::{Chunk, Header, report_service_client::ReportServiceClient},
};
use futures::StreamExt;
use tower::{Service, ServiceExt, util::BoxCloneSyncService};

use crate::{
    api::Parts,
    error::{Error, Reason},
};

/// The service behind could not be reached.
#[derive(Debug, thiserror::Error)]
#[error("failed to reach the service")]
pub struct Unreachable(#[source] Box<dyn StdError + Send + Sync>);

/// Carries gRPC requests to the query service, or to the operator.
pub type Backend = BoxCloneSyncService<http::Request<tonic::body::Body>, http::Response<tonic::body::Body>, Unreachable>;

/// Asks the query service.
pub(crate) type Client = ReportServiceClient<Backend>;

/// Makes a backend of anything that answers gRPC requests.
pub fn backend<S>(service: S) -> Backend
where
    S: Service<http::Request<tonic::body::Body>, Response = http::Response<tonic::body::Body>> + Clone + Send + Sync + 'static,
    S::Error: Into<Box<dyn StdError + Send + Sync>>,
    S::Future: Send + 'static,
{
    BoxCloneSyncService::new(service.map_err(|error| Unreachable(error.into())))
}

/// The rows of an answer, one at a time.
pub(crate) struct Rows<R> {
    parts: Parts<R>,
    waiting: VecDeque<R>,
    header: Header,
}

impl<R: LongTexts> Rows<R> {
    /// Waits for the first message.
    pub(crate) async fn open(mut parts: Parts<R>) -> Result<Self, Error> {
        let first = parts.next().await.ok_or_else(|| broken("it has no messages"))??;
        let header = first.header.ok_or_else(|| broken("it has no header"))?;
        Ok(Self { parts, waiting: first.rows.into(), header })
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// The next row, whole.
    pub(crate) async fn next(&mut self) -> Result<Option<R>, Error> {
        while self.waiting.is_empty() {
            match self.parts.next().await {
                None => return Ok(None),
                Some(part) => self.waiting.extend(part?.rows),
            }
        }
        let Some(mut row) = self.waiting.pop_front() else { return Ok(None) };
        let names = row.continued().map(std::mem::take).unwrap_or_default();
        for name in names {
            let text = self.text().await?;
            let mut text = Some(text);
            row.long_texts(&mut |field, value| {
                if field == name && text.is_some() {
                    *value = text.take();
                }
            });
        }
        Ok(Some(row))
    }

    /// A text that follows in chunks.
    async fn text(&mut self) -> Result<String, Error> {
        let mut whole = String::new();
        loop {
            let part = self.parts.next().await.ok_or_else(|| broken("a text is cut short"))??;
            let Chunk { text, last } = part.chunk.ok_or_else(|| broken("a text is cut short"))?;
            whole.push_str(&text);
            if last {
                return Ok(whole);
            }
        }
    }
}

fn broken(how: &str) -> Error {
    Error::new(Reason::Internal, format!("the query service's answer is broken: {how}"))
}

//! Where the rows of an answer come from, and that they are asked for again when they break off: from the start while
//! nothing of them is used, and behind the last one that is.

use std::future::Future;

use aviary_proto::report::v1::{Page, ReportRef};
use store::Location;

use crate::{
    Gateway,
    api::Resource,
    backend::{Client, Rows},
    cache::Unrendered,
    error::{Error, Reason},
    retries::Retries,
};

/// How often one answer is asked for.
const TRIES: usize = 3;

/// A list of one report.
pub(super) struct Source<R: Resource> {
    client: Client,
    location: String,
    filter: R::Filter,
    page: Page,
    retries: Retries,
}

impl<R: Resource> Source<R> {
    pub(super) fn new(gateway: &Gateway, location: &Location, filter: R::Filter, page: Page) -> Self {
        let (client, retries) = (gateway.client.clone(), gateway.retries.clone());
        Self { client, location: location.to_string(), filter, page, retries }
    }

    /// Asks for the rows, of a certain content if need be, without those that are there already.
    pub(super) async fn open(&self, generation: Option<&str>, had: u64) -> Result<Rows<R::Row>, Unrendered> {
        let report = ReportRef { location: self.location.clone(), generation: generation.unwrap_or_default().to_owned() };
        let mut page = self.page.clone();
        page.offset = page.offset.saturating_add(had);
        page.limit = page.limit.map(|limit| limit.saturating_sub(had));
        let parts = R::list(self.client.clone(), report, self.filter.clone(), page).await;
        Rows::open(parts.map_err(|status| Unrendered::Failed(status.into()))?).await.map_err(broken)
    }

    /// Asks for the rest of rows that broke off. What was sent is of this generation, so the rest must be, too.
    pub(super) async fn rest(&self, mut error: Error, generation: &str, had: u64) -> Result<Rows<R::Row>, Error> {
        for _ in 1..TRIES {
            if error.reason != Reason::ReplicasUnavailable || !self.retries.may_ask_again() {
                break;
            }
            tracing::debug!(error.detail = %error.detail, rows = had, "an answer goes on elsewhere");
            match self.open(Some(generation), had).await {
                Ok(rows) => return Ok(rows),
                Err(Unrendered::BrokeOff(again)) => error = again,
                Err(Unrendered::Failed(failed)) => return Err(failed),
                Err(Unrendered::Large) => break,
            }
        }
        Err(error)
    }
}

/// Rows that did not come to their end. The report may have changed under them, or whoever sent them is gone.
pub(super) fn broken(error: Error) -> Unrendered {
    match error.reason {
        Reason::GenerationGone | Reason::ReplicasUnavailable => Unrendered::BrokeOff(error),
        _ => Unrendered::Failed(error),
    }
}

/// Makes something of rows, from the start again when they break off.
pub(super) async fn again<T, F: Future<Output = Result<T, Unrendered>>>(
    gateway: &Gateway,
    make: impl Fn() -> F,
) -> Result<T, Unrendered> {
    gateway.retries.asked();
    for _ in 1..TRIES {
        match make().await {
            Err(Unrendered::BrokeOff(error)) if gateway.retries.may_ask_again() => {
                tracing::debug!(error.detail = %error.detail, "an answer broke off and is asked for again");
            }
            other => return other,
        }
    }
    make().await
}

//! What the gateway keeps and can lose: which generation each report has, for as long as the query service vouches for it,
//! and rendered answers, bounded by bytes. Bodies are kept without host names, so that no header can fill the cache.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use aviary_proto::report::v1::{GetReportRequest, Header, ReportRef, ReportView};
use bytes::Bytes;
use moka::{Expiry, future::Cache as Moka};
use store::Location;

use crate::{
    api::{traced, writer::Problems},
    backend::Client,
    compress::{self, Coding},
    error::{Error, Reason},
};

/// Locations whose generation is remembered.
const LOCATIONS: u64 = 20_000;
/// Questions remembered as too large to keep.
const LARGE: u64 = 4_096;
/// What an entry costs beside its bytes.
const ENTRY_BYTES: usize = 512;

/// Which question an answer answers: location, generation and the contract's form of the question.
pub(crate) type Question = Arc<[u8]>;

/// The content that a report has now.
#[derive(Debug, Clone)]
pub(crate) struct Current {
    pub(crate) generation: Arc<str>,
    pub(crate) modified: Option<SystemTime>,
    /// The store cannot be asked, and was heard of last so many seconds ago.
    pub(crate) stale: Option<u64>,
    fresh_until: Instant,
}

impl Current {
    pub(crate) fn new(header: &Header) -> Self {
        let wall = |time: prost_types::Timestamp| SystemTime::try_from(time).ok();
        let fresh = header.fresh_until.and_then(wall).and_then(|until| until.duration_since(SystemTime::now()).ok());
        Self {
            generation: header.generation.as_str().into(),
            modified: header.modified.and_then(wall),
            stale: header.stale_seconds,
            fresh_until: Instant::now() + fresh.unwrap_or_default(),
        }
    }
}

/// A rendered answer without anything that depends on who asked.
#[derive(Debug)]
pub(crate) struct Rendered {
    pub(crate) current: Current,
    /// For lists: how many rows match.
    pub(crate) count: Option<u64>,
    /// For lists, the rows in their brackets; otherwise the whole body.
    pub(crate) body: Bytes,
    pub(crate) problems: Problems,
    /// One compressed form for each coding: the last one that was asked for, with the head that it begins with.
    compressed: [Mutex<Option<(Bytes, Bytes)>>; Coding::COUNT],
}

impl Rendered {
    pub(crate) fn new(header: &Header, list: bool, body: Vec<u8>, problems: Problems) -> Self {
        Self {
            current: Current::new(header),
            count: list.then_some(header.count),
            body: body.into(),
            problems,
            compressed: Default::default(),
        }
    }

    /// The whole body, compressed: `head` and what is kept and `tail`.
    pub(crate) fn compressed(&self, coding: Coding, head: &Bytes, tail: &'static [u8]) -> Bytes {
        let Some(slot) = self.compressed.get(coding as usize) else { return self.body.clone() };
        if let Some((for_head, bytes)) = &*slot.lock().unwrap_or_else(PoisonError::into_inner)
            && for_head == head
        {
            return bytes.clone();
        }
        let bytes = compress::whole(coding, &[head, &self.body, tail]);
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some((head.clone(), bytes.clone()));
        bytes
    }
}

/// Why an answer was not rendered as a whole.
#[derive(Debug, Clone)]
pub(crate) enum Unrendered {
    /// It is too large to keep, so it has to be streamed.
    Large,
    Failed(Error),
    /// It had begun; nothing of it is used, so that it may be begun again.
    BrokeOff(Error),
}

/// Both caches.
pub(crate) struct Cache {
    current: Moka<Location, Current>,
    rendered: Moka<Question, Arc<Rendered>>,
    large: Moka<Question, ()>,
}

struct UntilStale;

impl Expiry<Location, Current> for UntilStale {
    fn expire_after_create(&self, _location: &Location, current: &Current, created_at: Instant) -> Option<Duration> {
        Some(current.fresh_until.saturating_duration_since(created_at))
    }

    fn expire_after_update(
        &self,
        _location: &Location,
        current: &Current,
        updated_at: Instant,
        _left: Option<Duration>,
    ) -> Option<Duration> {
        Some(current.fresh_until.saturating_duration_since(updated_at))
    }
}

impl Cache {
    /// Keeps up to `bytes` of rendered answers.
    pub(crate) fn new(bytes: u64) -> Self {
        // A compressed form or two come to less than the body that they stand for.
        let weigh = |question: &Question, rendered: &Arc<Rendered>| {
            u32::try_from(question.len() + rendered.body.len() * 3 / 2 + ENTRY_BYTES).unwrap_or(u32::MAX)
        };
        Self {
            current: Moka::builder().max_capacity(LOCATIONS).expire_after(UntilStale).build(),
            rendered: Moka::builder().max_capacity(bytes).weigher(weigh).build(),
            large: Moka::new(LARGE),
        }
    }

    /// The content that a report has now, asked for when nobody vouches for what is known. Many who ask at once ask once.
    pub(crate) async fn current(&self, client: &Client, location: &Location) -> Result<Current, Error> {
        if let Some(current) = self.current.get(location).await {
            return Ok(current);
        }
        let ask = async {
            let report = Some(ReportRef { location: location.to_string(), generation: String::new() });
            let request = traced(GetReportRequest { report, view: ReportView::Basic.into() });
            let answer = client.clone().get_report(request).await?.into_inner();
            let header = answer.header.ok_or_else(|| Error::new(Reason::Internal, "the query service sent no header"))?;
            Ok::<_, Error>(Current::new(&header))
        };
        self.current.try_get_with_by_ref(location, ask).await.map_err(|error| Error::clone(&error))
    }

    /// An answer, rendered by `render` unless it is kept. Many who ask at once render once.
    pub(crate) async fn rendered(
        &self,
        location: &Location,
        question: &Question,
        render: impl Future<Output = Result<Rendered, Unrendered>>,
    ) -> Result<Arc<Rendered>, Unrendered> {
        if let Some(rendered) = self.rendered.get(question).await {
            metrics::counter!("aviary_gateway_rendered_hits_total").increment(1);
            return Ok(rendered);
        }
        metrics::counter!("aviary_gateway_rendered_misses_total").increment(1);
        if self.large.contains_key(question) {
            return Err(Unrendered::Large);
        }
        let render = async {
            let rendered = render.await?;
            // What was just read is the latest that is known.
            self.current.insert(location.clone(), rendered.current.clone()).await;
            Ok(Arc::new(rendered))
        };
        let rendered =
            self.rendered.try_get_with_by_ref(question, render).await.map_err(|error: Arc<Unrendered>| Unrendered::clone(&error));
        if matches!(rendered, Err(Unrendered::Large)) {
            self.large.insert(Arc::clone(question), ()).await;
        }
        rendered
    }
}

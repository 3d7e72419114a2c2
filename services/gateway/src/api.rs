//! ARA's nouns: what can be asked of each, and how its rows look in JSON. One file a noun; how a request becomes an answer
//! is `answer`'s affair. Source of names, orders and field sequences: ARA 1.8.0's filters and serializers.

mod files;
mod hosts;
mod labels;
pub(crate) mod options;
mod playbooks;
mod plays;
mod records;
mod results;
mod tasks;
pub(crate) mod writer;

pub(crate) use files::Files;
pub(crate) use hosts::{Hosts, LatestHosts};
pub(crate) use labels::Labels;
pub(crate) use playbooks::Playbooks;
pub(crate) use plays::Plays;
pub(crate) use records::Records;
pub(crate) use results::Results;
pub(crate) use tasks::Tasks;

use aviary_proto::{
    LongTexts,
    report::v1::{self as wire, Bounds, DateRange, Header, OrderField, Page, ReportRef},
};
use prost_types::Timestamp;
use tonic::{Request, Status, Streaming};

use crate::{
    backend::Client,
    param::{self, Errors, query_string::QueryString},
};
use writer::Writer;

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Noun {
    Labels,
    Playbooks,
    Plays,
    Tasks,
    Hosts,
    LatestHosts,
    Results,
    Files,
    Records,
}

impl Noun {
    /// All of them, in the order of ARA's API root.
    pub(crate) const ALL: [Self; 9] = [
        Self::Labels,
        Self::Playbooks,
        Self::Plays,
        Self::Tasks,
        Self::Hosts,
        Self::LatestHosts,
        Self::Results,
        Self::Files,
        Self::Records,
    ];

    /// Its name in URLs.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Labels => "labels",
            Self::Playbooks => "playbooks",
            Self::Plays => "plays",
            Self::Tasks => "tasks",
            Self::Hosts => "hosts",
            Self::LatestHosts => "latesthosts",
            Self::Results => "results",
            Self::Files => "files",
            Self::Records => "records",
        }
    }

    /// The noun of a URL.
    pub(crate) fn from_path(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|noun| noun.path() == path)
    }

    /// Its name in ARA's messages.
    pub(crate) fn model(self) -> &'static str {
        match self {
            Self::Labels => "Label",
            Self::Playbooks => "Playbook",
            Self::Plays => "Play",
            Self::Tasks => "Task",
            Self::Hosts => "Host",
            Self::LatestHosts => "LatestHost",
            Self::Results => "Result",
            Self::Files => "File",
            Self::Records => "Record",
        }
    }

    /// Its name in ARA's metadata.
    pub(crate) fn title(self) -> &'static str {
        if self == Self::LatestHosts { "Latest Host" } else { self.model() }
    }
}

/// One message of an answer, whatever the noun.
pub(crate) struct Part<R> {
    pub(crate) header: Option<Header>,
    pub(crate) rows: Vec<R>,
    pub(crate) chunk: Option<wire::Chunk>,
}

/// The messages of an answer.
pub(crate) type Parts<R> = futures::stream::BoxStream<'static, Result<Part<R>, Status>>;

/// What the gateway knows of a noun.
pub(crate) trait Resource: Send + Sync + 'static {
    /// The contract's filter.
    type Filter: prost::Message + Clone + Default;
    /// The contract's row.
    type Row: LongTexts + Send + 'static;

    /// Which noun it is.
    const NOUN: Noun;
    /// What `order` knows.
    const ORDER: &'static [(&'static str, OrderField)];

    /// Reads ARA's filter parameters, in the order in which ARA declares them.
    fn filter(query: &QueryString, errors: &mut Errors) -> Self::Filter;

    /// What the query service could not read of a row.
    fn problems(row: &mut Self::Row) -> Vec<wire::Problem>;

    /// Writes a row of a list, or a single one.
    fn write(writer: &mut Writer, row: &Self::Row, single: bool);

    /// Asks for a list.
    fn list(
        client: Client,
        report: ReportRef,
        filter: Self::Filter,
        page: Page,
    ) -> impl Future<Output = Result<Parts<Self::Row>, Status>> + Send;

    /// Asks for a single one.
    fn get(
        client: Client,
        report: ReportRef,
        key: Key,
        filter: Self::Filter,
    ) -> impl Future<Output = Result<Parts<Self::Row>, Status>> + Send;
}

/// What tells one object of a noun from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    Id(i64),
    Name(String),
}

impl Key {
    fn id(self) -> i64 {
        match self {
            Self::Id(id) => id,
            Self::Name(_) => 0,
        }
    }

    fn name(self) -> String {
        match self {
            Self::Id(id) => id.to_string(),
            Self::Name(name) => name,
        }
    }
}

/// The two calls of a noun, and the one field that all rows have.
macro_rules! calls {
    ($list:ident($ListRequest:ident), $get:ident($GetRequest:ident, $key:ident)) => {
        fn problems(row: &mut Self::Row) -> Vec<wire::Problem> {
            std::mem::take(&mut row.problems)
        }

        async fn list(
            mut client: Client,
            report: ReportRef,
            filter: Self::Filter,
            page: Page,
        ) -> Result<Parts<Self::Row>, Status> {
            let request = crate::api::traced(wire::$ListRequest { report: Some(report), filter: Some(filter), page: Some(page) });
            let answer = client.$list(request).await?.into_inner();
            Ok(crate::api::parts(answer, |message| Part { header: message.header, rows: message.rows, chunk: message.chunk }))
        }

        async fn get(mut client: Client, report: ReportRef, key: Key, filter: Self::Filter) -> Result<Parts<Self::Row>, Status> {
            let request = crate::api::traced(wire::$GetRequest { report: Some(report), $key: key.$key(), filter: Some(filter) });
            let answer = client.$get(request).await?.into_inner();
            Ok(crate::api::parts(answer, |message| Part {
                header: message.header,
                rows: message.row.into_iter().collect(),
                chunk: message.chunk,
            }))
        }
    };
}
use calls;

fn parts<M: Send + 'static, R: 'static>(answer: Streaming<M>, part: fn(M) -> Part<R>) -> Parts<R> {
    use futures::StreamExt;
    answer.map(move |message| message.map(part)).boxed()
}

/// A request that carries the trace it belongs to.
pub(crate) fn traced<T>(message: T) -> Request<T> {
    let mut headers = http::HeaderMap::new();
    runtime::trace_context::inject(&tracing::Span::current(), &mut headers);
    let mut request = Request::new(message);
    if !headers.is_empty() {
        *request.metadata_mut() = tonic::metadata::MetadataMap::from_headers(headers);
    }
    request
}

/// Reads filter parameters into the contract's types.
pub(crate) struct Filters<'a> {
    query: &'a QueryString,
    errors: &'a mut Errors,
}

impl<'a> Filters<'a> {
    pub(crate) fn new(query: &'a QueryString, errors: &'a mut Errors) -> Self {
        Self { query, errors }
    }

    pub(crate) fn dates(&mut self, before: &'static str, after: &'static str) -> Option<DateRange> {
        let mut moment = |name| {
            let moment = self.errors.keep(name, param::datetime::parse(self.query.last(name)))?;
            Some(Timestamp { seconds: moment.seconds, nanos: i32::try_from(moment.micros).unwrap_or_default() * 1000 })
        };
        let range = DateRange { before: moment(before), after: moment(after) };
        (range != DateRange::default()).then_some(range)
    }

    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        self.errors.keep(name, param::text::parse(self.query.last(name))).map(str::to_owned)
    }

    pub(crate) fn number(&mut self, name: &'static str) -> Option<i64> {
        self.errors.keep(name, param::number::parse(self.query.last(name)))
    }

    pub(crate) fn lineno(&mut self, name: &'static str) -> Option<i64> {
        self.errors.keep(name, param::lineno::parse(self.query.last(name)))
    }

    pub(crate) fn bounds(&mut self, greater: &'static str, less: &'static str) -> Option<Bounds> {
        let bounds = Bounds { greater_than: self.number(greater), less_than: self.number(less) };
        (bounds != Bounds::default()).then_some(bounds)
    }

    pub(crate) fn flag(&mut self, name: &'static str) -> Option<bool> {
        param::boolean::parse(self.query.last(name))
    }

    pub(crate) fn uuid(&mut self, name: &'static str) -> Option<String> {
        self.errors.keep(name, param::uuid::parse(self.query.last(name)))
    }

    pub(crate) fn choices(&mut self, name: &'static str, choices: &[&'static str]) -> Vec<String> {
        let chosen = self.errors.keep(name, param::choice::parse(self.query.all(name), choices));
        chosen.into_iter().map(str::to_owned).collect()
    }
}

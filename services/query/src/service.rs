//! The wire's `ReportService`: translate, ask, translate. One line a call for lists and single objects; the two calls
//! about reports themselves are written out.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use aviary_proto::report::v1::{self as wire, report_service_server::ReportService};
use prost_types::Timestamp;
use store::{Location, encoding::Encoding};
use tokio::{runtime::Handle, sync::Semaphore};
use tonic::{Request, Response, Status};

use crate::{
    Config,
    cache::Times,
    database::{Param, Value, Watch},
    error::Error,
    outbox::Outbox,
    question::{Answer, Desk, Question, Reading, header, turn},
    reports::{Near, Reports, Shelf},
    rows::{
        Noun, Reader, fields::Fields, files::Files, hosts::Hosts, hosts::LatestHosts, labels::Labels, playbooks::Playbooks,
        plays::Plays, records::Records, results::Results, tasks::Tasks,
    },
    start::{self, NotStarted},
};

/// Longest time that a fetch is followed; it goes on by itself.
const MAX_FETCH: Duration = Duration::from_secs(3600);
/// How often a fetch tells how far it is.
const FETCH_STEP: Duration = Duration::from_millis(500);
/// Folders that are listed at the same time.
const MAX_LISTINGS: usize = 32;
/// Most entries of a folder's page.
const MAX_PAGE: usize = 1000;

/// Answers questions about the reports of its stores.
#[derive(Clone)]
pub struct Service {
    desk: Arc<Desk>,
    prefixes: Arc<[String]>,
    deadline: Duration,
    max_text: usize,
}

impl Service {
    /// Prepares to serve and sees whether all stores are there.
    ///
    /// # Errors
    /// When the cache's folder cannot be used, or a store is not there.
    pub async fn start(config: Config) -> Result<Self, NotStarted> {
        let Config { stores, prefixes, cache, deadline, max_open_reports, max_questions, max_text } = config;
        let shelf = Shelf { folder: cache.folder.as_deref(), bytes: cache.bytes, max_unpacked: cache.max_unpacked };
        let times = Times { revalidate: cache.revalidate, negative: cache.negative, in_place: cache.in_place };
        let reports = Reports::new(stores, &shelf, times, max_open_reports)?;
        start::probe(reports.stores(), reports.has_copies()).await?;
        let desk = Desk {
            reports,
            permits: Arc::new(Semaphore::new(max_questions)),
            listings: Arc::new(Semaphore::new(MAX_LISTINGS)),
            wait: cache.wait,
        };
        Ok(Self { desk: Arc::new(desk), prefixes: prefixes.into(), deadline, max_text })
    }

    /// The moment at which the answer to a request is of no more use: ours, or the caller's if that comes first.
    fn deadline<T>(&self, request: &Request<T>) -> Instant {
        let asked = runtime::grpc_timeout::read(request.metadata().as_ref());
        Instant::now() + asked.map_or(self.deadline, |asked| asked.min(self.deadline))
    }

    async fn list<N: Noun + 'static, M: Send + 'static>(
        &self,
        question: Question,
        filter: Option<N::Filter>,
        page: Option<wire::Page>,
        make: crate::outbox::Make<N::Row, M>,
    ) -> Result<Response<Answer<M>>, Status> {
        let max_text = self.max_text;
        let select = N::select(&filter.unwrap_or_default())?.checked()?;
        let page = page.unwrap_or_default();
        let mut rows = select.clone();
        if let Some(join) = N::ALWAYS_JOINED {
            rows.join(join);
        }
        let statement = rows.page(N::COLUMNS, &N::SORTING, N::SORTED_JOIN, &page)?;
        let read = move |reading: &Reading<'_>, outbox: &mut Outbox<N::Row, M>| {
            let session = reading.session;
            let connection = session.connection()?;
            let (sql, params) = select.count();
            let mut count = 0;
            connection.query(&sql, params, |row| {
                count = integer(row.value(0));
                Ok::<_, Error>(())
            })?;
            outbox.start(reading.header(count));
            // Saves the second statement where the first one tells all.
            if count == 0 || page.offset > count {
                return Ok(());
            }
            let reader = Reader::new(connection, max_text);
            let (sql, params) = &statement;
            connection.query(sql, params, |row| outbox.push(session, N::read(&reader, Fields::new(&reader, row), false)?))
        };
        Ok(Response::new(Arc::clone(&self.desk).ask(question, make, read).await?))
    }

    async fn get<N: Noun + 'static, M: Send + 'static>(
        &self,
        question: Question,
        key: Param,
        filter: Option<N::Filter>,
        make: crate::outbox::Make<N::Row, M>,
    ) -> Result<Response<Answer<M>>, Status> {
        let max_text = self.max_text;
        let mut select = N::select(&filter.unwrap_or_default())?.checked()?;
        if let Some(join) = N::ALWAYS_JOINED {
            select.join(join);
        }
        let (sql, params) = select.one(N::COLUMNS, N::KEY, key);
        let read = move |reading: &Reading<'_>, outbox: &mut Outbox<N::Row, M>| {
            let session = reading.session;
            let connection = session.connection()?;
            let reader = Reader::new(connection, max_text);
            let mut found = None;
            connection.query(&sql, &params, |row| {
                // A filter on a label may match twice.
                if found.is_none() {
                    found = Some(N::read(&reader, Fields::new(&reader, row), true)?);
                }
                Ok::<_, Error>(())
            })?;
            outbox.start(reading.header(1));
            outbox.push(session, found.ok_or(Error::RowNotFound(N::NAME))?)
        };
        Ok(Response::new(Arc::clone(&self.desk).ask(question, make, read).await?))
    }
}

/// The whole service: two calls written out as methods, and for each kind of row a list and a single one.
macro_rules! report_service {
    ($(
        $list:ident($ListRequest:ident) -> $ListStream:ident of $ListResponse:ident,
        $get:ident($GetRequest:ident, $key:ident: $Key:path) -> $GetStream:ident of $GetResponse:ident: $Noun:ty;
    )*) => {
        #[tonic::async_trait]
        impl ReportService for Service {
            async fn get_report(&self, request: Request<wire::GetReportRequest>) -> Result<Response<wire::GetReportResponse>, Status> {
                self.describe(request).await
            }

            type FetchReportStream = Answer<wire::FetchReportResponse>;

            async fn fetch_report(&self, request: Request<wire::FetchReportRequest>) -> Result<Response<Self::FetchReportStream>, Status> {
                self.fetch(request).await
            }

            async fn list_reports(&self, request: Request<wire::ListReportsRequest>) -> Result<Response<wire::ListReportsResponse>, Status> {
                self.browse(request).await
            }

            $(
                type $ListStream = Answer<wire::$ListResponse>;

                async fn $list(&self, request: Request<wire::$ListRequest>) -> Result<Response<Self::$ListStream>, Status> {
                    let deadline = self.deadline(&request);
                    let (metadata, _, wire::$ListRequest { report, filter, page }) = request.into_parts();
                    let make = |header, rows, chunk| wire::$ListResponse { header, rows, chunk };
                    self.list::<$Noun, _>(Question::new(report, deadline, metadata.into_headers())?, filter, page, make).await
                }

                type $GetStream = Answer<wire::$GetResponse>;

                async fn $get(&self, request: Request<wire::$GetRequest>) -> Result<Response<Self::$GetStream>, Status> {
                    let deadline = self.deadline(&request);
                    let (metadata, _, wire::$GetRequest { report, $key, filter }) = request.into_parts();
                    let make = |header, rows: Vec<_>, chunk| wire::$GetResponse { header, row: rows.into_iter().next(), chunk };
                    self.get::<$Noun, _>(Question::new(report, deadline, metadata.into_headers())?, $Key($key), filter, make).await
                }
            )*
        }
    };
}

report_service! {
    list_playbooks(ListPlaybooksRequest) -> ListPlaybooksStream of ListPlaybooksResponse,
    get_playbook(GetPlaybookRequest, id: Param::Integer) -> GetPlaybookStream of GetPlaybookResponse: Playbooks;

    list_plays(ListPlaysRequest) -> ListPlaysStream of ListPlaysResponse,
    get_play(GetPlayRequest, id: Param::Integer) -> GetPlayStream of GetPlayResponse: Plays;

    list_tasks(ListTasksRequest) -> ListTasksStream of ListTasksResponse,
    get_task(GetTaskRequest, id: Param::Integer) -> GetTaskStream of GetTaskResponse: Tasks;

    list_hosts(ListHostsRequest) -> ListHostsStream of ListHostsResponse,
    get_host(GetHostRequest, id: Param::Integer) -> GetHostStream of GetHostResponse: Hosts;

    list_latest_hosts(ListLatestHostsRequest) -> ListLatestHostsStream of ListLatestHostsResponse,
    get_latest_host(GetLatestHostRequest, name: Param::Text) -> GetLatestHostStream of GetLatestHostResponse: LatestHosts;

    list_results(ListResultsRequest) -> ListResultsStream of ListResultsResponse,
    get_result(GetResultRequest, id: Param::Integer) -> GetResultStream of GetResultResponse: Results;

    list_files(ListFilesRequest) -> ListFilesStream of ListFilesResponse,
    get_file(GetFileRequest, id: Param::Integer) -> GetFileStream of GetFileResponse: Files;

    list_records(ListRecordsRequest) -> ListRecordsStream of ListRecordsResponse,
    get_record(GetRecordRequest, id: Param::Integer) -> GetRecordStream of GetRecordResponse: Records;

    list_labels(ListLabelsRequest) -> ListLabelsStream of ListLabelsResponse,
    get_label(GetLabelRequest, id: Param::Integer) -> GetLabelStream of GetLabelResponse: Labels;
}

impl Service {
    async fn describe(&self, request: Request<wire::GetReportRequest>) -> Result<Response<wire::GetReportResponse>, Status> {
        let deadline = self.deadline(&request);
        let (metadata, _, wire::GetReportRequest { report, view }) = request.into_parts();
        let full = view == wire::ReportView::Full as i32;
        let question = Question::new(report, deadline, metadata.into_headers())?;
        let mut near = Some(self.desk.near(&question.location, deadline).await?);
        let look = move |desk: &Desk| {
            desk.patiently(deadline, || {
                let near = match near.take() {
                    Some(near) => near,
                    None => Handle::current().block_on(desk.near(&question.location, deadline))?,
                };
                describe(desk, &question, &near, full)
            })
        };
        Ok(Response::new(Arc::clone(&self.desk).look(deadline, look).await?))
    }

    /// Follows a report on its way here.
    async fn fetch(
        &self,
        request: Request<wire::FetchReportRequest>,
    ) -> Result<Response<Answer<wire::FetchReportResponse>>, Status> {
        let (metadata, _, wire::FetchReportRequest { report }) = request.into_parts();
        let end = Instant::now() + MAX_FETCH;
        let question = Question::new(report, end, metadata.into_headers())?;
        let desk = Arc::clone(&self.desk);
        let steps = futures::stream::try_unfold(Some((desk, question)), |state| async move {
            let Some((desk, question)) = state else { return Ok(None) };
            match desk.reports.near(&question.location, FETCH_STEP).await {
                Ok(near) => {
                    let last = Arc::clone(&desk).look(question.deadline, move |desk| arrived(desk, &question, &near)).await?;
                    Ok(Some((last, None)))
                }
                Err(Error::BeingFetched { received, total }) if Instant::now() < question.deadline => {
                    let step = wire::FetchReportResponse { received, total, header: None };
                    Ok(Some((step, Some((desk, question)))))
                }
                Err(error) => Err(Status::from(error)),
            }
        });
        Ok(Response::new(Box::pin(steps)))
    }

    async fn browse(&self, request: Request<wire::ListReportsRequest>) -> Result<Response<wire::ListReportsResponse>, Status> {
        let deadline = self.deadline(&request);
        let wire::ListReportsRequest { folder, page_size, page_token } = request.into_inner();
        let folder = Location::parse(&folder).map_err(Error::from)?;
        let limit = match usize::try_from(page_size).unwrap_or(MAX_PAGE) {
            0 => MAX_PAGE,
            size => size.min(MAX_PAGE),
        };
        let _turn = turn(&self.desk.listings, deadline).await?;
        let stores = self.desk.reports.stores();
        let listing = tokio::time::timeout_at(deadline.into(), stores.list(&folder, &self.prefixes, &page_token, limit))
            .await
            .map_err(|_| Error::DeadlineExceeded)?
            .map_err(Error::from)?;
        let entry = |entry: store::Entry| wire::FolderEntry {
            name: entry.name,
            report: entry.report.is_some(),
            modified: entry.report.and_then(|report| report.modified).map(Timestamp::from),
            size: entry.report.map_or(0, |report| report.size),
        };
        Ok(Response::new(wire::ListReportsResponse {
            entries: listing.entries.into_iter().map(entry).collect(),
            next_page_token: listing.next.unwrap_or_default(),
        }))
    }
}

/// A report without its rows.
fn describe(desk: &Desk, question: &Question, near: &Near, full: bool) -> Result<wire::GetReportResponse, Error> {
    let report = desk.reports.open(&question.location, near)?;
    let (generation, counts) = if full {
        let session = report.session(Arc::new(Until(question.deadline)))?;
        let counts = counts(&session).map_err(|error| session.judge(error))?;
        if !session.is_consistent()? {
            return Err(Error::BeingWritten);
        }
        (session.generation().to_owned(), Some(counts))
    } else {
        (report.generation()?, None)
    };
    if question.generation.as_ref().is_some_and(|wanted| *wanted != generation) {
        return Err(Error::GenerationGone);
    }
    let encoding = match report.encoding {
        Encoding::Raw => wire::Encoding::Raw,
        Encoding::Zlib => wire::Encoding::Zlib,
        Encoding::Gzip => wire::Encoding::Gzip,
        Encoding::Zstd => wire::Encoding::Zstd,
    };
    Ok(wire::GetReportResponse {
        header: Some(header(&question.location, &report, &generation, desk.reports.vouch(near), 1)),
        report: Some(wire::Report {
            location: question.location.to_string(),
            size: report.size(),
            encoding: encoding.into(),
            live: report.is_live(),
            schema_release: if full { report.release.clone() } else { String::new() },
            counts,
        }),
    })
}

/// The last step of fetching: it can be asked.
fn arrived(desk: &Desk, question: &Question, near: &Near) -> Result<wire::FetchReportResponse, Error> {
    let report = desk.reports.open(&question.location, near)?;
    let header = header(&question.location, &report, &report.generation()?, desk.reports.vouch(near), 1);
    Ok(wire::FetchReportResponse { received: report.size(), total: report.size(), header: Some(header) })
}

fn counts(session: &crate::report::Session) -> Result<wire::ReportCounts, Error> {
    let mut counts = wire::ReportCounts::default();
    session.connection()?.query(include_str!("../sql/counts.sql"), &[], |row| {
        let mut columns = (0..).map(|column| integer(row.value(column)));
        let mut next = || columns.next().unwrap_or_default();
        counts = wire::ReportCounts {
            playbooks: next(),
            plays: next(),
            tasks: next(),
            hosts: next(),
            latest_hosts: next(),
            results: next(),
            files: next(),
            records: next(),
            labels: next(),
        };
        Ok::<_, Error>(())
    })?;
    Ok(counts)
}

/// Watches nothing but the time.
struct Until(Instant);

impl Watch for Until {
    fn is_abandoned(&self) -> bool {
        false
    }

    fn deadline(&self) -> Instant {
        self.0
    }
}

fn integer(value: Value<'_>) -> u64 {
    match value {
        Value::Integer(value) => u64::try_from(value).unwrap_or_default(),
        _ => 0,
    }
}

//! The wire's `ReportService`: translate, ask, translate. One line a call for lists and single objects; the two calls
//! about reports themselves are written out.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use aviary_proto::report::v1::{self as wire, report_service_server::ReportService};
use store::{Location, encoding::Encoding};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};

use crate::{
    Config,
    database::{Param, Value, Watch},
    error::Error,
    outbox::Outbox,
    question::{Answer, Desk, Question, timestamp},
    reports::Reports,
    rows::{
        Noun, Reader, fields::Fields, files::Files, hosts::Hosts, hosts::LatestHosts, labels::Labels, playbooks::Playbooks,
        plays::Plays, records::Records, results::Results, tasks::Tasks,
    },
};

/// Most entries of a folder's page.
const MAX_PAGE: usize = 1000;

/// Answers questions about the reports of one store.
#[derive(Clone)]
pub struct Service {
    desk: Arc<Desk>,
    prefixes: Arc<[String]>,
    deadline: Duration,
    max_text: usize,
}

impl Service {
    /// Prepares to serve; nothing is read yet.
    ///
    /// # Errors
    /// When the folder for copies cannot be made.
    pub fn new(config: Config) -> std::io::Result<Self> {
        let Config { store, prefixes, scratch, max_open_reports, max_questions, deadline, revalidate, max_unpacked, max_text } =
            config;
        let reports = Reports::new(store, scratch, max_open_reports, max_unpacked)?;
        let desk = Desk { reports, permits: Arc::new(Semaphore::new(max_questions)), revalidate };
        Ok(Self { desk: Arc::new(desk), prefixes: prefixes.into(), deadline, max_text })
    }

    /// The moment at which the answer to a request is of no more use: ours, or the caller's if that comes first.
    fn deadline<T>(&self, request: &Request<T>) -> Instant {
        let asked = request.metadata().get("grpc-timeout").and_then(|value| value.to_str().ok()).and_then(grpc_timeout);
        Instant::now() + asked.map_or(self.deadline, |asked| asked.min(self.deadline))
    }

    async fn list<N: Noun + 'static, M: Send + 'static>(
        &self,
        question: Question,
        filter: Option<N::Filter>,
        page: Option<wire::Page>,
        make: crate::outbox::Make<N::Row, M>,
    ) -> Result<Response<Answer<M>>, Status> {
        let (desk, location, max_text) = (Arc::clone(&self.desk), question.location.clone(), self.max_text);
        let select = N::select(&filter.unwrap_or_default())?.checked()?;
        let page = page.unwrap_or_default();
        let mut rows = select.clone();
        if let Some(join) = N::ALWAYS_JOINED {
            rows.join(join);
        }
        let statement = rows.page(N::COLUMNS, &N::SORTING, N::SORTED_JOIN, &page)?;
        let read = move |session: &crate::report::Session, outbox: &mut Outbox<N::Row, M>| {
            let connection = session.connection()?;
            let (sql, params) = select.count();
            let mut count = 0;
            connection.query(&sql, params, |row| {
                count = integer(row.value(0));
                Ok::<_, Error>(())
            })?;
            outbox.start(desk.header(&location, session.report(), session.generation(), count));
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
        let (desk, location, max_text) = (Arc::clone(&self.desk), question.location.clone(), self.max_text);
        let mut select = N::select(&filter.unwrap_or_default())?.checked()?;
        if let Some(join) = N::ALWAYS_JOINED {
            select.join(join);
        }
        let (sql, params) = select.one(N::COLUMNS, N::KEY, key);
        let read = move |session: &crate::report::Session, outbox: &mut Outbox<N::Row, M>| {
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
            outbox.start(desk.header(&location, session.report(), session.generation(), 1));
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
        let answer = Arc::clone(&self.desk)
            .look(deadline, move |desk| desk.patiently(deadline, || describe(desk, &question, full)))
            .await?;
        Ok(Response::new(answer))
    }

    async fn browse(&self, request: Request<wire::ListReportsRequest>) -> Result<Response<wire::ListReportsResponse>, Status> {
        let deadline = self.deadline(&request);
        let wire::ListReportsRequest { folder, page_size, page_token } = request.into_inner();
        let folder = Location::parse(&folder).map_err(Error::from)?;
        let limit = match usize::try_from(page_size).unwrap_or(MAX_PAGE) {
            0 => MAX_PAGE,
            size => size.min(MAX_PAGE),
        };
        let prefixes = Arc::clone(&self.prefixes);
        let listing = Arc::clone(&self.desk)
            .look(deadline, move |desk| Ok(desk.reports.store().list(&folder, &prefixes, &page_token, limit)?))
            .await?;
        let next_page_token =
            listing.more.then(|| listing.entries.last().map(|entry| entry.name.clone())).flatten().unwrap_or_default();
        let entry = |entry: store::Entry| wire::FolderEntry {
            name: entry.name,
            report: entry.report.is_some(),
            modified: entry.report.map(|stat| timestamp(stat.modified_ns)),
            size: entry.report.map_or(0, |stat| stat.size),
        };
        Ok(Response::new(wire::ListReportsResponse {
            entries: listing.entries.into_iter().map(entry).collect(),
            next_page_token,
        }))
    }
}

/// A report without its rows.
fn describe(desk: &Desk, question: &Question, full: bool) -> Result<wire::GetReportResponse, Error> {
    let report = desk.reports.current(&question.location)?;
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
        header: Some(desk.header(&question.location, &report, &generation, 1)),
        report: Some(wire::Report {
            location: question.location.to_string(),
            size: report.found.stat.size,
            encoding: encoding.into(),
            live: report.is_live(),
            schema_release: if full { report.release.to_owned() } else { String::new() },
            counts,
        }),
    })
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

/// Reads gRPC's own header of at most eight digits and a unit.
fn grpc_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let count: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(count * 3600)),
        "M" => Some(Duration::from_secs(count * 60)),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callers_timeout_is_read_in_every_unit() {
        for (text, expected) in [
            ("2H", Some(Duration::from_secs(7200))),
            ("3M", Some(Duration::from_secs(180))),
            ("30S", Some(Duration::from_secs(30))),
            ("250m", Some(Duration::from_millis(250))),
            ("7u", Some(Duration::from_micros(7))),
            ("9n", Some(Duration::from_nanos(9))),
            ("", None),
            ("S", None),
            ("9x", None),
            ("é", None),
        ] {
            assert_eq!(grpc_timeout(text), expected, "{text}");
        }
    }
}

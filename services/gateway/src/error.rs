//! The closed table of errors: each reason with its HTTP status, whether asking again helps, and one line for people. The
//! reasons are the contract's, and a few that only HTTP has. The page of the documentation is made from this table.

use std::{collections::HashMap, time::Duration};

use aviary_proto::report::v1::ErrorReason;
use http::StatusCode;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// The domain of every `google.rpc.ErrorInfo` of ours.
pub(crate) const DOMAIN: &str = "aviary";

/// Why a request has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // Each has its line in `TABLE`.
pub enum Reason {
    LocationInvalid,
    ArgumentInvalid,
    ReportNotFound,
    RowNotFound,
    ReportOutsideStore,
    ReportDamaged,
    ReportNotAra,
    ReportTooLarge,
    ReportBeingWritten,
    GenerationGone,
    StoreUnavailable,
    DeadlineExceeded,
    Overloaded,
    Internal,
    ReportBeingFetched,
    StoreDenied,
    StoreMissing,
    StoreNotListed,
    CacheFull,
    ReplicasUnavailable,
    PageNotFound,
    MethodNotAllowed,
    NotAcceptable,
    HostInvalid,
    UriTooLong,
    HeadersTooLarge,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its key.
    pub reason: Reason,
    /// How it is written: in `reason` of a JSON body, and in the ErrorInfo of a gRPC status.
    pub name: &'static str,
    /// The HTTP status.
    pub status: StatusCode,
    /// The gRPC code; empty where only HTTP has the reason.
    pub grpc: &'static str,
    /// Seconds after which asking again may help.
    pub retry_after: Option<u32>,
    /// What it means and what to do.
    pub meaning: &'static str,
}

/// All rows.
pub const TABLE: &[Row] = &[
    row(
        Reason::LocationInvalid,
        "LOCATION_INVALID",
        StatusCode::NOT_FOUND,
        "INVALID_ARGUMENT",
        None,
        "The path cannot name a report: it leads out of the store, is not UTF-8, or has control characters or overlong segments. Correct the URL.",
    ),
    row(
        Reason::ArgumentInvalid,
        "ARGUMENT_INVALID",
        StatusCode::BAD_REQUEST,
        "INVALID_ARGUMENT",
        None,
        "A parameter is malformed; the body names it. Correct it.",
    ),
    row(
        Reason::ReportNotFound,
        "REPORT_NOT_FOUND",
        StatusCode::NOT_FOUND,
        "NOT_FOUND",
        None,
        "There is no report at this path. Check the path, or wait until the report has been uploaded.",
    ),
    row(
        Reason::RowNotFound,
        "ROW_NOT_FOUND",
        StatusCode::NOT_FOUND,
        "NOT_FOUND",
        None,
        "The report has no such object, or the object does not match the filters that were given with it.",
    ),
    row(
        Reason::ReportOutsideStore,
        "REPORT_OUTSIDE_STORE",
        StatusCode::FORBIDDEN,
        "PERMISSION_DENIED",
        None,
        "A symbolic link leads out of the store, and what lies there is not served. Move the report into the store, or serve the folder that it is in.",
    ),
    row(
        Reason::ReportDamaged,
        "REPORT_DAMAGED",
        StatusCode::BAD_GATEWAY,
        "DATA_LOSS",
        None,
        "The file is not a sound SQLite database: empty, cut short, or something else. Upload it again.",
    ),
    row(
        Reason::ReportNotAra,
        "REPORT_NOT_ARA",
        StatusCode::BAD_GATEWAY,
        "FAILED_PRECONDITION",
        None,
        "The file is a database, but not one that ARA 1.0 or later wrote.",
    ),
    row(
        Reason::ReportTooLarge,
        "REPORT_TOO_LARGE",
        StatusCode::BAD_GATEWAY,
        "FAILED_PRECONDITION",
        None,
        "Unpacked, the file would be larger than the server allows. Raise --max-unpacked, or look at who made it.",
    ),
    row(
        Reason::ReportBeingWritten,
        "REPORT_BEING_WRITTEN",
        StatusCode::SERVICE_UNAVAILABLE,
        "UNAVAILABLE",
        Some(1),
        "The file is being overwritten just now. Ask again.",
    ),
    row(
        Reason::GenerationGone,
        "GENERATION_GONE",
        StatusCode::SERVICE_UNAVAILABLE,
        "ABORTED",
        Some(0),
        "The report changed while the answer was being made. Ask again.",
    ),
    row(
        Reason::StoreUnavailable,
        "STORE_UNAVAILABLE",
        StatusCode::BAD_GATEWAY,
        "UNAVAILABLE",
        Some(5),
        "The store refused or failed: permissions or input/output. The server's log says more.",
    ),
    row(
        Reason::DeadlineExceeded,
        "DEADLINE_EXCEEDED",
        StatusCode::GATEWAY_TIMEOUT,
        "DEADLINE_EXCEEDED",
        None,
        "The question took longer than the server allows. Narrow it by filters or a smaller limit, or raise --query-timeout.",
    ),
    row(
        Reason::Overloaded,
        "OVERLOADED",
        StatusCode::SERVICE_UNAVAILABLE,
        "RESOURCE_EXHAUSTED",
        Some(1),
        "The server has as many questions in hand as it allows. Ask again.",
    ),
    row(
        Reason::Internal,
        "INTERNAL",
        StatusCode::INTERNAL_SERVER_ERROR,
        "INTERNAL",
        None,
        "A mistake of the server's. Its log has more under the request's id; please report it.",
    ),
    row(
        Reason::ReportBeingFetched,
        "REPORT_BEING_FETCHED",
        StatusCode::SERVICE_UNAVAILABLE,
        "UNAVAILABLE",
        Some(2),
        "The report is on its way from its store; it is large, or the store is slow. Ask again: it is fetched once, whoever asks.",
    ),
    row(
        Reason::StoreDenied,
        "STORE_DENIED",
        StatusCode::BAD_GATEWAY,
        "FAILED_PRECONDITION",
        None,
        "The store refuses the server: its credentials are missing, wrong, or have not enough rights. `aviary store check` says more.",
    ),
    row(
        Reason::StoreMissing,
        "STORE_MISSING",
        StatusCode::BAD_GATEWAY,
        "FAILED_PRECONDITION",
        None,
        "The bucket or container that the server was told to use does not exist. Correct --store, or make it.",
    ),
    row(
        Reason::StoreNotListed,
        "STORE_NOT_LISTED",
        StatusCode::NOT_FOUND,
        "UNIMPLEMENTED",
        None,
        "The store does not list its folders, so that there are no folder pages. Reports answer at their own URLs.",
    ),
    row(
        Reason::CacheFull,
        "CACHE_FULL",
        StatusCode::SERVICE_UNAVAILABLE,
        "RESOURCE_EXHAUSTED",
        Some(5),
        "The server's disk has no room for the report. Raise --cache-size, or give --cache a larger disk.",
    ),
    row(
        Reason::ReplicasUnavailable,
        "REPLICAS_UNAVAILABLE",
        StatusCode::SERVICE_UNAVAILABLE,
        "UNAVAILABLE",
        Some(1),
        "No replica of aviary-query could answer, or the one that had begun to is gone; of the fleet, no operator. Ask again; look at aviary_gateway_replicas and at --query, or at aviary_gateway_operators and at --operator.",
    ),
    row(
        Reason::PageNotFound,
        "PAGE_NOT_FOUND",
        StatusCode::NOT_FOUND,
        "",
        None,
        "There is no such page or endpoint. Mind that endpoints have no slash at their end, but `/api/` and `/api/v1/` do.",
    ),
    row(
        Reason::MethodNotAllowed,
        "METHOD_NOT_ALLOWED",
        StatusCode::METHOD_NOT_ALLOWED,
        "",
        None,
        "Reports are read-only: GET, HEAD and OPTIONS. To record, point ARA's callback at a database of its own.",
    ),
    row(
        Reason::NotAcceptable,
        "NOT_ACCEPTABLE",
        StatusCode::NOT_ACCEPTABLE,
        "",
        None,
        "The Accept header allows neither JSON nor HTML.",
    ),
    row(Reason::HostInvalid, "HOST_INVALID", StatusCode::BAD_REQUEST, "", None, "The Host header is missing or is no host name."),
    row(
        Reason::UriTooLong,
        "URI_TOO_LONG",
        StatusCode::URI_TOO_LONG,
        "",
        None,
        "The path has more than 8000 bytes, or the query more than 64 KiB.",
    ),
    row(
        Reason::HeadersTooLarge,
        "HEADERS_TOO_LARGE",
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        "",
        None,
        "The request's headers come to more than 64 KiB.",
    ),
];

impl Row {
    /// Its gRPC code. What only HTTP has comes from arguments that gRPC clients do not send.
    fn code(&self) -> Code {
        match self.grpc {
            "UNAVAILABLE" => Code::Unavailable,
            "RESOURCE_EXHAUSTED" => Code::ResourceExhausted,
            "DEADLINE_EXCEEDED" => Code::DeadlineExceeded,
            "NOT_FOUND" => Code::NotFound,
            "UNIMPLEMENTED" => Code::Unimplemented,
            "PERMISSION_DENIED" => Code::PermissionDenied,
            "DATA_LOSS" => Code::DataLoss,
            "FAILED_PRECONDITION" => Code::FailedPrecondition,
            "ABORTED" => Code::Aborted,
            "INTERNAL" => Code::Internal,
            _ => Code::InvalidArgument,
        }
    }
}

const fn row(
    reason: Reason,
    name: &'static str,
    status: StatusCode,
    grpc: &'static str,
    retry_after: Option<u32>,
    meaning: &'static str,
) -> Row {
    Row { reason, name, status, grpc, retry_after, meaning }
}

impl Reason {
    /// Its row of the table.
    pub fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.reason == self).unwrap_or(&INTERNAL)
    }

    fn from_name(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.name == name).map(|row| row.reason)
    }
}

const INTERNAL: Row = row(Reason::Internal, "INTERNAL", StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", None, "");

/// A request that has no answer, and why, for its sender.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{detail}")]
pub struct Error {
    /// Row of the table.
    pub reason: Reason,
    /// In words, for this request.
    pub detail: String,
    /// Of a report on its way: bytes that are here, and bytes in all, 0 while that is not known.
    pub progress: Option<(u64, u64)>,
}

impl Error {
    /// An error of this reason.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), progress: None }
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        let info = status.get_details_error_info();
        let named = info.as_ref().and_then(|info| Reason::from_name(&info.reason));
        let number = |name: &str| info.as_ref()?.metadata.get(name)?.parse().ok();
        let progress = number("received").zip(number("total"));
        let reason = named.unwrap_or(match status.code() {
            Code::Unavailable => Reason::StoreUnavailable,
            Code::DeadlineExceeded | Code::Cancelled => Reason::DeadlineExceeded,
            Code::ResourceExhausted => Reason::Overloaded,
            // A single row that is larger than a message may be.
            Code::OutOfRange => Reason::ReportDamaged,
            _ => Reason::Internal,
        });
        Self { progress, ..Self::new(reason, status.message()) }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let row = error.reason.row();
        let mut details = ErrorDetails::new();
        details.set_error_info(row.name, DOMAIN, HashMap::new());
        if let Some(seconds) = row.retry_after {
            details.set_retry_info(Some(Duration::from_secs(seconds.into())));
        }
        Self::with_error_details(row.code(), error.detail, details)
    }
}

/// Every reason of the contract has a row.
const _: () = {
    let last = ErrorReason::ReplicasUnavailable as i32;
    assert!(last == 20, "give the new reason a row of the table");
};

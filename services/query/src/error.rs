//! What can go wrong with a question about a report, and how the wire says it. Reasons are the contract's
//! ([`ErrorReason`]); their HTTP statuses are the gateway's.

use std::{collections::HashMap, time::Duration};

use aviary_proto::report::v1::ErrorReason;
use store::encoding;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::database;

/// The domain of every `google.rpc.ErrorInfo` that we send.
pub const DOMAIN: &str = "aviary";

/// A question that has no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The location is no location.
    #[error("failed to read the location: {0}")]
    Location(#[from] store::location::Error),
    /// The store has no such names.
    #[error("the store has no such names: {0}")]
    Name(String),
    /// A filter, an order or a page token is malformed.
    #[error("{field}: {problem}")]
    Argument {
        /// The field of the request.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// Nothing lies there.
    #[error("there is no report at this location")]
    ReportNotFound,
    /// The report has no such row.
    #[error("the report has no such {0}, or it does not match the filter")]
    RowNotFound(&'static str),
    /// A link leads out of the store.
    #[error("a link leads out of the store")]
    Outside,
    /// The object is no sound database.
    #[error("the report is damaged: {0}")]
    Damaged(String),
    /// The database is not ARA's.
    #[error("the database was not written by ARA 1.0 or later: {0}")]
    NotAra(String),
    /// The object is larger than allowed when unpacked.
    #[error("the report is larger than {limit} bytes when unpacked")]
    TooLarge {
        /// The bound in bytes.
        limit: u64,
    },
    /// The object is being overwritten.
    #[error("the report is being written just now")]
    BeingWritten,
    /// The content that was asked for is no longer there.
    #[error("the report has changed since; start again")]
    GenerationGone,
    /// The store failed.
    #[error("failed to read the store: {0}")]
    Store(String),
    /// It is on its way.
    #[error("the report is being fetched from its store: {received} of {total} bytes are here")]
    BeingFetched {
        /// Bytes of the stored object that are here.
        received: u64,
        /// Bytes of the stored object; 0 while that is not known.
        total: u64,
    },
    /// The store refuses us.
    #[error("the store refused: {0}")]
    StoreDenied(String),
    /// The store's bucket is not there.
    #[error("the store is not there: {0}")]
    StoreMissing(String),
    /// The store cannot be browsed.
    #[error("the store does not list its folders")]
    StoreNotListed,
    /// There is no room for a copy.
    #[error("the cache has no room for the report: {0}")]
    CacheFull(String),
    /// It took too long.
    #[error("the question took longer than allowed")]
    DeadlineExceeded,
    /// Nobody waits for the answer.
    #[error("the caller has gone away")]
    Abandoned,
    /// Too many questions at once.
    #[error("the server has as many questions in hand as it allows")]
    Overloaded,
    /// Our own mistake.
    #[error("internal error: {0}")]
    Internal(String),
}

impl Error {
    /// The contract's name for it.
    pub fn reason(&self) -> ErrorReason {
        match self {
            Self::Location(_) | Self::Name(_) => ErrorReason::LocationInvalid,
            Self::Argument { .. } => ErrorReason::ArgumentInvalid,
            Self::ReportNotFound => ErrorReason::ReportNotFound,
            Self::RowNotFound(_) => ErrorReason::RowNotFound,
            Self::Outside => ErrorReason::ReportOutsideStore,
            Self::Damaged(_) => ErrorReason::ReportDamaged,
            Self::NotAra(_) => ErrorReason::ReportNotAra,
            Self::TooLarge { .. } => ErrorReason::ReportTooLarge,
            Self::BeingWritten => ErrorReason::ReportBeingWritten,
            Self::GenerationGone => ErrorReason::GenerationGone,
            Self::Store(_) => ErrorReason::StoreUnavailable,
            Self::BeingFetched { .. } => ErrorReason::ReportBeingFetched,
            Self::StoreDenied(_) => ErrorReason::StoreDenied,
            Self::StoreMissing(_) => ErrorReason::StoreMissing,
            Self::StoreNotListed => ErrorReason::StoreNotListed,
            Self::CacheFull(_) => ErrorReason::CacheFull,
            Self::DeadlineExceeded | Self::Abandoned => ErrorReason::DeadlineExceeded,
            Self::Overloaded => ErrorReason::Overloaded,
            Self::Internal(_) => ErrorReason::Internal,
        }
    }

    fn code(&self) -> Code {
        match self {
            Self::Location(_) | Self::Name(_) | Self::Argument { .. } => Code::InvalidArgument,
            Self::ReportNotFound | Self::RowNotFound(_) => Code::NotFound,
            Self::Outside => Code::PermissionDenied,
            Self::Damaged(_) => Code::DataLoss,
            Self::NotAra(_) | Self::TooLarge { .. } | Self::StoreDenied(_) | Self::StoreMissing(_) => Code::FailedPrecondition,
            Self::StoreNotListed => Code::Unimplemented,
            Self::BeingWritten | Self::BeingFetched { .. } | Self::Store(_) => Code::Unavailable,
            Self::GenerationGone => Code::Aborted,
            Self::DeadlineExceeded => Code::DeadlineExceeded,
            Self::Abandoned => Code::Cancelled,
            Self::Overloaded | Self::CacheFull(_) => Code::ResourceExhausted,
            Self::Internal(_) => Code::Internal,
        }
    }

    /// When asking again may help.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::BeingWritten | Self::Overloaded => Some(Duration::from_secs(1)),
            Self::GenerationGone => Some(Duration::ZERO),
            Self::BeingFetched { .. } => Some(Duration::from_secs(2)),
            Self::Store(_) | Self::CacheFull(_) => Some(Duration::from_secs(5)),
            _ => None,
        }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::NotFound => Self::ReportNotFound,
            store::Error::Outside => Self::Outside,
            store::Error::Key(problem) => Self::Name(problem),
            store::Error::NotListed => Self::StoreNotListed,
            store::Error::Denied(problem) => Self::StoreDenied(problem),
            store::Error::Missing(problem) => Self::StoreMissing(problem),
            store::Error::Unavailable(problem) => Self::Store(problem),
            other => Self::Store(other.to_string()),
        }
    }
}

impl From<encoding::Error> for Error {
    fn from(error: encoding::Error) -> Self {
        match error {
            encoding::Error::Damaged(source) => Self::Damaged(format!("it cannot be unpacked: {source}")),
            encoding::Error::TooLarge { limit } => Self::TooLarge { limit },
            encoding::Error::Bomb => Self::Damaged(error.to_string()),
            encoding::Error::Write(source) => Self::Store(source.kind().to_string()),
        }
    }
}

impl From<database::Error> for Error {
    fn from(error: database::Error) -> Self {
        match error {
            database::Error::Damaged(source) => Self::Damaged(source.to_string()),
            database::Error::Shape(source) | database::Error::Denied(source) => Self::NotAra(source.to_string()),
            database::Error::NeedsRecovery => Self::Damaged("an interrupted write was not rolled back".to_owned()),
            database::Error::Busy => Self::BeingWritten,
            database::Error::Interrupted => Self::DeadlineExceeded,
            database::Error::TooLarge(_) => Self::Damaged("a value is larger than any report's".to_owned()),
            database::Error::Full => Self::CacheFull("its disk is full".to_owned()),
            database::Error::Io(source) => Self::Store(source.to_string()),
            database::Error::Statement(source) => Self::Internal(source.to_string()),
        }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let mut details = ErrorDetails::new();
        let mut metadata = HashMap::new();
        if let Error::BeingFetched { received, total } = &error {
            metadata.insert("received".to_owned(), received.to_string());
            metadata.insert("total".to_owned(), total.to_string());
        }
        details.set_error_info(error.reason().as_str_name(), DOMAIN, metadata);
        if let Error::Argument { field, problem } = &error {
            details.add_bad_request_violation(*field, problem);
        }
        if let Some(delay) = error.retry_after() {
            details.set_retry_info(Some(delay));
        }
        Status::with_error_details(error.code(), error.to_string(), details)
    }
}

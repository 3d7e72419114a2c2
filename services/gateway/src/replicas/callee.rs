//! Whose replicas are asked, and what differs because of that. Pure.

use crate::grpc::{FLEET, REPORTS};

/// Whose replicas they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callee {
    /// The query service's: each answers, and a report is asked of the one that has it.
    Query,
    /// The operator's: one answers, the one that works.
    Operator,
}

impl Callee {
    /// The service that they answer for.
    pub(super) fn service(self) -> &'static str {
        match self {
            Self::Query => REPORTS,
            Self::Operator => FLEET,
        }
    }

    /// The metric that counts them.
    pub(super) fn gauge(self) -> &'static str {
        match self {
            Self::Query => "aviary_gateway_replicas",
            Self::Operator => "aviary_gateway_operators",
        }
    }

    /// Whether an answer is one message, so that nothing of it need be passed on before all of it is there.
    pub(super) fn is_single(self, method: &str) -> bool {
        match self {
            Self::Query => matches!(method, "GetReport" | "ListReports"),
            Self::Operator => !self.is_endless(method),
        }
    }

    /// Whether an answer tells of something that takes long, until that is done.
    pub(super) fn is_followed(self, method: &str) -> bool {
        self == Self::Query && method == "FetchReport"
    }

    /// Whether an answer has no end of its own.
    pub(super) fn is_endless(self, method: &str) -> bool {
        self == Self::Operator && method == "Watch"
    }
}

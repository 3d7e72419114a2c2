//! One call as it goes out, as often as it has to: the question in memory, the report that it is about, and the time that
//! is left for it.

use std::time::Duration;

use aviary_proto::report::v1::{ListReportsRequest, ReportRef};
use bytes::{Buf, Bytes};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version,
    header::{CONNECTION, CONTENT_LENGTH, HOST, TE, TRANSFER_ENCODING},
};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use prost::Message;
use runtime::grpc_timeout;
use tokio::time::Instant;
use tonic::body::Body;

use super::callee::Callee;
use crate::error::{Error, Reason};

/// Longest question.
const MAX_QUESTION_BYTES: usize = 1 << 20;
/// What stands before a message: whether it is compressed, and its length.
const MESSAGE_HEAD_BYTES: usize = 5;
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static(grpc_timeout::NAME);
const TRAILERS: HeaderValue = HeaderValue::from_static("trailers");

/// A call.
pub(super) struct Call {
    path: Uri,
    headers: HeaderMap,
    question: Bytes,
    /// The location of the report, or the folder: what decides which replica is asked.
    pub(super) key: String,
    /// The answer is one message, so that nothing of it need be passed on before all of it is there.
    pub(super) single: bool,
    deadline: Instant,
}

/// Every question but the one about a folder begins with the report that it is about.
#[derive(Clone, PartialEq, Message)]
struct About {
    #[prost(message, optional, tag = "1")]
    report: Option<ReportRef>,
}

impl Call {
    /// Reads a call that may last until the deadline.
    pub(super) async fn read(callee: Callee, request: Request<Body>, deadline: Instant) -> Result<Self, Error> {
        let (head, body) = request.into_parts();
        let question = Limited::new(body, MAX_QUESTION_BYTES + MESSAGE_HEAD_BYTES).collect().await.map_err(|error| {
            let detail = match error.is::<LengthLimitError>() {
                true => "the question has more than 1 MiB",
                false => "the question was not sent as a whole",
            };
            Error::new(Reason::ArgumentInvalid, detail)
        })?;
        let question = question.to_bytes();
        let mut headers = head.headers;
        for name in [CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING, GRPC_TIMEOUT] {
            headers.remove(name);
        }
        headers.insert(TE, TRAILERS);
        let path = Uri::builder().path_and_query(head.uri.path()).build().unwrap_or_default();
        let method = head.uri.path().rsplit('/').next().unwrap_or_default();
        let key = match callee {
            Callee::Query => key(method, question.clone()).unwrap_or_default(),
            Callee::Operator => String::new(),
        };
        let single = callee.is_single(method);
        Ok(Self { path, headers, question, key, single, deadline })
    }

    /// The request for one replica. The replica is told how much time is left.
    pub(super) fn request(&self) -> Request<Body> {
        let mut request = Request::new(Body::new(Full::new(self.question.clone())));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.path.clone();
        *request.version_mut() = Version::HTTP_2;
        *request.headers_mut() = self.headers.clone();
        let left = self.deadline.saturating_duration_since(Instant::now());
        request.headers_mut().insert(GRPC_TIMEOUT, written(left));
        request
    }

    /// Its time is up.
    pub(super) fn is_late(&self) -> bool {
        Instant::now() >= self.deadline
    }
}

/// What the question is about; nothing where it is compressed or no question of ours.
fn key(method: &str, mut question: Bytes) -> Option<String> {
    if question.remaining() < MESSAGE_HEAD_BYTES || question.get_u8() != 0 {
        return None;
    }
    let length = usize::try_from(question.get_u32()).ok()?;
    if question.remaining() < length {
        return None;
    }
    let message = question.split_to(length);
    match method {
        "ListReports" => Some(ListReportsRequest::decode(message).ok()?.folder),
        _ => Some(About::decode(message).ok()?.report?.location),
    }
}

/// Rounded up, so that we notice first.
fn written(left: Duration) -> HeaderValue {
    let millis = left.as_micros().div_ceil(1000);
    let text = if millis < 100_000_000 { format!("{millis}m") } else { format!("{}S", (millis / 1000).min(99_999_999)) };
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("0m"))
}

#[cfg(test)]
mod tests {
    use aviary_proto::report::v1::{GetPlayRequest, GetReportRequest, ListHostsRequest, Page, ReportView};

    use super::*;

    fn framed(message: &impl Message) -> Bytes {
        let message = message.encode_to_vec();
        let length = u32::try_from(message.len()).unwrap();
        [&[0][..], &length.to_be_bytes(), &message].concat().into()
    }

    fn report() -> Option<ReportRef> {
        Some(ReportRef { location: "1/ara-report".to_owned(), generation: "g".to_owned() })
    }

    #[test]
    fn every_question_is_about_a_report_or_a_folder() {
        let here = Some("1/ara-report".to_owned());
        assert_eq!(key("GetReport", framed(&GetReportRequest { report: report(), view: ReportView::Full.into() })), here);
        assert_eq!(key("GetPlay", framed(&GetPlayRequest { report: report(), id: 3, filter: None })), here);
        let page = Some(Page { offset: 7, limit: Some(1), order: vec![] });
        assert_eq!(
            key("ListHosts", framed(&ListHostsRequest { report: report(), filter: Some(Default::default()), page })),
            here
        );
        let folder = ListReportsRequest { folder: "nightly".to_owned(), page_size: 3, page_token: "a".to_owned() };
        assert_eq!(key("ListReports", framed(&folder)), Some("nightly".to_owned()));
    }

    #[test]
    fn what_cannot_be_read_is_about_nothing() {
        let whole = framed(&GetReportRequest { report: report(), view: 0 });
        let mut compressed = whole.to_vec();
        compressed[0] = 1;
        for question in
            [Bytes::new(), whole.slice(..4), whole.slice(..9), compressed.into(), Bytes::from_static(&[0, 0, 0, 0, 2, 9, 9])]
        {
            assert_eq!(key("GetReport", question.clone()), None, "{question:?}");
        }
    }

    #[test]
    fn timeouts_are_written_as_grpc_has_them() {
        for (left, text) in
            [(0, "0m"), (1, "1m"), (1_000, "1m"), (1_001, "2m"), (30_000_000, "30000m"), (360_000_000_000, "360000S")]
        {
            assert_eq!(written(Duration::from_micros(left)), text);
        }
    }
}

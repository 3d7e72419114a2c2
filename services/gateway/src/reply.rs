//! Answers in the making: status, headers and bodies as ARA sends them, and errors in the form that the client reads.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
    header::{ALLOW, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS},
};
use http_body_util::{BodyExt, Either, combinators::UnsyncBoxBody};

use crate::{
    api::options::Endpoint,
    error::{Error, Reason},
    json,
    negotiate::{Format, PLAIN},
    ui,
};

/// A stream that could not be finished.
#[derive(Debug, thiserror::Error)]
#[error("failed to send the whole answer")]
pub(crate) struct CutShort(#[source] Box<dyn std::error::Error + Send + Sync>);

/// A body: bytes that are there, or a stream.
pub(crate) type Body = Either<Pieces, UnsyncBoxBody<Bytes, CutShort>>;

/// An answer.
pub(crate) type Reply = Response<Body>;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const BARE_HTML: HeaderValue = HeaderValue::from_static("text/html");
const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const SAME_ORIGIN: HeaderValue = HeaderValue::from_static("same-origin");
/// ARA's `Vary`, and what our codings add to it.
const VARY_API: HeaderValue = HeaderValue::from_static("Accept, origin, Accept-Encoding");
const VARY_PAGE: HeaderValue = HeaderValue::from_static("origin, Accept-Encoding");

/// What Django says where it knows no page.
const DJANGO_NOT_FOUND: &str = "\n<!doctype html>\n<html lang=\"en\">\n<head>\n  <title>Not Found</title>\n</head>\n<body>\n  <h1>Not Found</h1><p>The requested resource was not found on this server.</p>\n</body>\n</html>\n";
/// What ARA says to every other method.
const READ_ONLY: &str = "<h1>Method Not Allowed</h1><p>This endpoint is read only.</p>";

/// A body whose pieces are there: what is kept is sent without being copied together with what is not.
pub(crate) struct Pieces(std::array::IntoIter<Bytes, 3>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = CutShort;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<http_body::Frame<Bytes>, CutShort>>> {
        Poll::Ready(self.0.find(|piece| !piece.is_empty()).map(|piece| Ok(http_body::Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_slice().iter().all(Bytes::is_empty)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.0.as_slice().iter().map(|piece| piece.len() as u64).sum())
    }
}

/// A body of bytes.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    pieces([bytes.into(), Bytes::new(), Bytes::new()])
}

/// A body of three pieces, which may be empty.
pub(crate) fn pieces(pieces: [Bytes; 3]) -> Body {
    Either::Left(Pieces(pieces.into_iter()))
}

/// A body that comes piece by piece.
pub(crate) fn stream<B>(body: B) -> Body
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    Either::Right(body.map_err(|error| CutShort(Box::new(error))).boxed_unsync())
}

fn response(status: StatusCode, content_type: HeaderValue, body: Body) -> Reply {
    let mut reply = Response::new(body);
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, content_type);
    reply
}

/// The headers that Django's middleware puts on everything.
fn protect(headers: &mut HeaderMap) {
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, SAME_ORIGIN);
    headers.insert(CROSS_ORIGIN_OPENER_POLICY, SAME_ORIGIN);
}

/// An answer of an endpoint, with its own body.
pub(crate) fn endpoint(status: StatusCode, format: Format, endpoint: Endpoint, body: Body) -> Reply {
    let content_type = if format == Format::Html { HTML } else { JSON };
    let mut reply = response(status, content_type, body);
    let headers = reply.headers_mut();
    headers.insert(VARY, VARY_API);
    headers.insert(ALLOW, HeaderValue::from_static(endpoint.allow()));
    protect(headers);
    reply
}

/// An answer of an endpoint whose body is JSON that is there.
pub(crate) fn endpoint_json(status: StatusCode, format: Format, at: Endpoint, title: &str, json: &[u8]) -> Reply {
    endpoint(status, format, at, full(formatted(format, title, "", json)))
}

/// JSON in the form that was asked for.
pub(crate) fn formatted(format: Format, title: &str, query: &str, json: &[u8]) -> Bytes {
    match format {
        Format::Json { indent: None } => Bytes::copy_from_slice(json),
        Format::Json { indent: Some(width) } => {
            json::indent::readable(json, usize::from(width)).map_or_else(|| Bytes::copy_from_slice(json), Bytes::from)
        }
        Format::Html => ui::json_page(title, query, json).into(),
    }
}

/// A page of ours.
pub(crate) fn page(status: StatusCode, html: String) -> Reply {
    let mut reply = response(status, HTML, full(html));
    reply.headers_mut().insert(VARY, VARY_PAGE);
    protect(reply.headers_mut());
    reply
}

/// What search engines are told of a report, as ARA tells them.
pub(crate) fn robots() -> Reply {
    let mut reply = page(StatusCode::OK, "User-agent: *\nDisallow: /".to_owned());
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    reply.headers_mut().insert(VARY, HeaderValue::from_static("origin"));
    reply
}

/// JSON outside of the endpoints.
pub(crate) fn plain_json(status: StatusCode, body: String) -> Reply {
    response(status, JSON, full(body))
}

/// A path inside a report that ARA does not know.
pub(crate) fn unknown_page() -> Reply {
    page(StatusCode::NOT_FOUND, DJANGO_NOT_FOUND.to_owned())
}

/// Any method but GET, HEAD and OPTIONS.
pub(crate) fn read_only() -> Reply {
    response(StatusCode::METHOD_NOT_ALLOWED, BARE_HTML, full(READ_ONLY))
}

/// An error that ARA's API words itself: one `detail`.
pub(crate) fn detail(status: StatusCode, format: Format, at: Endpoint, detail: &str) -> Reply {
    let mut body = b"{\"detail\":".to_vec();
    json::push_str(&mut body, detail);
    body.push(b'}');
    endpoint_json(status, format, at, detail, &body)
}

/// Parameters that ARA refuses, each with its message.
pub(crate) fn invalid_parameters(format: Format, at: Endpoint, fields: &[(&str, &str)]) -> Reply {
    let mut body = b"{".to_vec();
    for (index, (field, message)) in fields.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        json::push_str(&mut body, field);
        body.extend_from_slice(b":[");
        json::push_str(&mut body, message);
        body.push(b']');
    }
    body.push(b'}');
    endpoint_json(StatusCode::BAD_REQUEST, format, at, "Bad Request", &body)
}

/// An error of ours: JSON for API clients, a page for browsers.
pub(crate) fn error(error: &Error, html: bool) -> Reply {
    let row = error.reason.row();
    let mut reply = if html {
        page(
            row.status,
            if error.reason == Reason::ReportBeingFetched { ui::waiting_page(error) } else { ui::error_page(row, &error.detail) },
        )
    } else {
        let mut body = b"{\"detail\":".to_vec();
        json::push_str(&mut body, &error.detail);
        body.extend_from_slice(b",\"reason\":");
        json::push_str(&mut body, row.name);
        body.extend_from_slice(b",\"help\":");
        json::push_str(&mut body, row.meaning);
        body.extend_from_slice(b",\"retryable\":");
        json::push_bool(&mut body, row.retry_after.is_some());
        if let Some((received, total)) = error.progress {
            body.extend_from_slice(format!(",\"progress\":{{\"received\":{received},\"total\":{total}}}").as_bytes());
        }
        body.push(b'}');
        let mut reply = response(row.status, JSON, full(formatted(PLAIN, "", "", &body)));
        reply.headers_mut().insert(VARY, VARY_API);
        protect(reply.headers_mut());
        reply
    };
    if let Some(seconds) = row.retry_after {
        reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if error.reason == Reason::MethodNotAllowed {
        reply.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS"));
    }
    reply
}

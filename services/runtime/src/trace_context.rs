//! The W3C trace context in and out of header maps: HTTP headers, and gRPC metadata as headers.
//!
//! Both functions do next to nothing where there is no header, no export of spans or no enabled span. Which spans there
//! are is left to the edges that call them.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";

/// Makes `span` a child of the span that the headers name, if they name one.
///
/// To be called before the span is entered for the first time; a span that has begun keeps its parent.
pub fn set_parent(span: &Span, headers: &HeaderMap) {
    if span.is_disabled() {
        return;
    }
    let Some(incoming) = Incoming::read(headers) else {
        return;
    };
    let parent = TraceContextPropagator::new().extract(&incoming);
    // Fails where spans are not exported, and there is nothing to be done about it.
    let _ = span.set_parent(parent);
}

/// Adds the headers that make the receiver's span a child of `span`.
pub fn inject(span: &Span, headers: &mut HeaderMap) {
    if span.is_disabled() {
        return;
    }
    TraceContextPropagator::new().inject_context(&span.context(), &mut Outgoing(headers));
}

struct Incoming<'a> {
    parent: &'a str,
    state: Option<Cow<'a, str>>,
}

impl<'a> Incoming<'a> {
    /// More than one parent is no parent; a state may be spread over several headers.
    fn read(headers: &'a HeaderMap) -> Option<Self> {
        let mut parents = headers.get_all(TRACEPARENT).iter();
        let parent = parents.next()?.to_str().ok()?;
        if parents.next().is_some() {
            return None;
        }
        let state = headers
            .get_all(TRACESTATE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .map(Cow::Borrowed)
            .reduce(|all, next| Cow::Owned(format!("{all},{next}")));
        Some(Self { parent, state })
    }
}

impl Extractor for Incoming<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            TRACEPARENT => Some(self.parent),
            TRACESTATE => self.state.as_deref(),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT, TRACESTATE]
    }
}

struct Outgoing<'a>(&'a mut HeaderMap);

impl Injector for Outgoing<'_> {
    /// An empty state is the same as none and would be sent with every request.
    fn set(&mut self, key: &str, value: String) {
        if value.is_empty() {
            return;
        }
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}

//! A collector of traces: an OTLP gRPC server on a port of its own that keeps the spans it is sent, in memory.
//!
//! It understands spans only, and of their attributes only the scalar ones.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span as WireSpan;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::task::AbortOnDropHandle;
use tonic::codec::CompressionEncoding;
use tonic::{Request, Response, Status};

const DEADLINE: Duration = Duration::from_secs(10);

/// A running collector; dropping it closes its port.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    spans: watch::Receiver<Vec<Span>>,
    _server: AbortOnDropHandle<()>,
}

/// A span as it arrived; the ids are lower-case hexadecimal, and empty where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The `service.name` of the sender.
    pub service: String,
    /// The name of the span.
    pub name: String,
    /// The trace that it belongs to.
    pub trace_id: String,
    /// Its own id.
    pub span_id: String,
    /// The id of the span that it is a child of.
    pub parent_span_id: String,
    /// The W3C trace state.
    pub trace_state: String,
    /// Its attributes, as text.
    pub attributes: BTreeMap<String, String>,
}

impl Collector {
    /// Starts a collector on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, spans) = watch::channel(Vec::new());
        let service = TraceServiceServer::new(Receiver { spans: sender }).accept_compressed(CompressionEncoding::Gzip);
        let server = tokio::spawn(async move {
            tonic::transport::Server::builder()
                .add_service(service)
                .serve_with_incoming(TcpListenerStream::new(listener))
                .await
                .unwrap();
        });
        Self { address, spans, _server: AbortOnDropHandle::new(server) }
    }

    /// What to set as the OTLP endpoint.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The spans that have arrived so far.
    pub fn spans(&self) -> Vec<Span> {
        self.spans.borrow().clone()
    }

    /// Waits until the spans that have arrived fulfil the condition, and returns them; fails the test after ten seconds.
    pub async fn wait_for(&self, what: &str, condition: impl Fn(&[Span]) -> bool) -> Vec<Span> {
        let mut spans = self.spans.clone();
        let fulfilled = spans.wait_for(|spans| condition(spans));
        match tokio::time::timeout(DEADLINE, fulfilled).await {
            Ok(arrived) => arrived.unwrap().clone(),
            Err(_) => panic!("no {what} within {DEADLINE:?}, but {:#?}", self.spans()),
        }
    }

    /// Waits for a span of this name and returns the first one.
    pub async fn wait_for_span(&self, name: &str) -> Span {
        let named = |spans: &[Span]| spans.iter().position(|span| span.name == name);
        let what = format!("span {name:?}");
        let spans = self.wait_for(&what, |spans| named(spans).is_some()).await;
        spans[named(&spans).unwrap()].clone()
    }
}

struct Receiver {
    spans: watch::Sender<Vec<Span>>,
}

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(&self, request: Request<ExportTraceServiceRequest>) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut arrived = Vec::new();
        for resource_spans in request.into_inner().resource_spans {
            let resource = resource_spans.resource.unwrap_or_default();
            let service = attributes(resource.attributes).remove("service.name").unwrap_or_default();
            for span in resource_spans.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                arrived.push(received(&service, span));
            }
        }
        self.spans.send_modify(|spans| spans.extend(arrived));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn received(service: &str, span: WireSpan) -> Span {
    Span {
        service: service.to_owned(),
        name: span.name,
        trace_id: hexadecimal(&span.trace_id),
        span_id: hexadecimal(&span.span_id),
        parent_span_id: hexadecimal(&span.parent_span_id),
        trace_state: span.trace_state,
        attributes: attributes(span.attributes),
    }
}

fn attributes(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |value| match value {
        Value::StringValue(text) => Some(text),
        Value::BoolValue(value) => Some(value.to_string()),
        Value::IntValue(value) => Some(value.to_string()),
        Value::DoubleValue(value) => Some(value.to_string()),
        _ => None,
    };
    attributes
        .into_iter()
        .filter_map(|attribute| {
            let value = attribute.value.and_then(|value| value.value);
            Some((attribute.key, value.and_then(text)?))
        })
        .collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

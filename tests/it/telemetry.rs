//! Telemetry as `runtime` builds it: what log lines look like and which spans reach a collector.

use std::error::Error as _;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use http::{HeaderMap, HeaderValue};
use runtime::telemetry::{self, LogFormat, Subscriber, TelemetryArgs};
use runtime::trace_context;
use serde_json::{Value, json};
use tests::collector::Collector;
use tracing::dispatcher::with_default;
use tracing::instrument::WithSubscriber;
use tracing::{debug, error, info, info_span, warn};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test]
async fn spans_with_a_traceparent_header_arrive_in_that_trace_below_that_span() {
    let collector = Collector::start().await;
    let (subscriber, _) = exporting_to(&collector, "info");
    with_default(&subscriber.dispatch, || {
        let span = info_span!("request", http.route = "/api/v1/playbooks");
        trace_context::set_parent(&span, &headers(&[("traceparent", TRACEPARENT)]));
        span.in_scope(|| info_span!("query").in_scope(|| {}));
    });
    subscriber.traces.unwrap().shutdown().await;

    let request = collector.wait_for_span("request").await;
    assert_eq!(request.trace_id, TRACE);
    assert_eq!(request.parent_span_id, PARENT);
    assert_eq!(request.service, "gateway");
    assert_eq!(request.attributes["http.route"], "/api/v1/playbooks");
    let query = collector.wait_for_span("query").await;
    assert_eq!(query.trace_id, TRACE);
    assert_eq!(query.parent_span_id, request.span_id);
}

#[tokio::test]
async fn injected_headers_continue_the_trace_and_its_state_at_the_receiver() {
    let collector = Collector::start().await;
    let (subscriber, _) = exporting_to(&collector, "info");
    with_default(&subscriber.dispatch, || {
        let sender = info_span!("sender");
        let incoming = headers(&[("traceparent", TRACEPARENT), ("tracestate", "one=1"), ("tracestate", "two=2")]);
        trace_context::set_parent(&sender, &incoming);
        let mut outgoing = HeaderMap::new();
        trace_context::inject(&sender, &mut outgoing);
        let receiver = info_span!(parent: None, "receiver");
        trace_context::set_parent(&receiver, &outgoing);
        receiver.in_scope(|| {});
    });
    subscriber.traces.unwrap().shutdown().await;

    let sender = collector.wait_for_span("sender").await;
    let receiver = collector.wait_for_span("receiver").await;
    assert_eq!(receiver.trace_id, TRACE);
    assert_eq!(receiver.parent_span_id, sender.span_id);
    assert_eq!(receiver.trace_state, "one=1,two=2");
}

#[tokio::test]
async fn a_trace_without_state_is_injected_without_a_tracestate_header() {
    let collector = Collector::start().await;
    let (subscriber, _) = exporting_to(&collector, "info");
    let mut outgoing = HeaderMap::new();
    with_default(&subscriber.dispatch, || {
        trace_context::inject(&info_span!("request"), &mut outgoing);
    });
    let names: Vec<_> = outgoing.keys().map(http::HeaderName::as_str).collect();
    assert_eq!(names, ["traceparent"]);
}

#[tokio::test]
async fn two_traceparent_headers_are_none() {
    let collector = Collector::start().await;
    let (subscriber, _) = exporting_to(&collector, "info");
    with_default(&subscriber.dispatch, || {
        let span = info_span!("request");
        let twice = headers(&[("traceparent", TRACEPARENT), ("traceparent", TRACEPARENT)]);
        trace_context::set_parent(&span, &twice);
    });
    subscriber.traces.unwrap().shutdown().await;
    assert_eq!(collector.wait_for_span("request").await.parent_span_id, "");
}

#[test]
fn without_an_endpoint_nothing_is_exported_or_injected() {
    let args = TelemetryArgs { otlp_endpoint: Some(" ".to_owned()), ..TelemetryArgs::default() };
    let subscriber = telemetry::subscriber(&args, "gateway", io::sink).unwrap();
    assert!(subscriber.traces.is_none());
    let mut outgoing = HeaderMap::new();
    with_default(&subscriber.dispatch, || {
        let span = info_span!("request");
        trace_context::set_parent(&span, &headers(&[("traceparent", TRACEPARENT)]));
        trace_context::inject(&span, &mut outgoing);
    });
    assert!(outgoing.is_empty());
}

#[tokio::test]
async fn log_directives_decide_about_lines_and_not_about_spans() {
    let collector = Collector::start().await;
    let (quiet, quiet_lines) = exporting_to(&collector, "off");
    let (verbose, verbose_lines) = exporting_to(&collector, "trace");
    for Subscriber { dispatch, traces } in [quiet, verbose] {
        // The sending itself runs under the same subscriber, and must not become spans.
        let work = async {
            info_span!("request").in_scope(|| debug!("inside"));
            traces.unwrap().shutdown().await;
        };
        work.with_subscriber(dispatch).await;
    }
    let spans = collector.wait_for("two requests", |spans| spans.len() >= 2).await;
    assert!(spans.iter().all(|span| span.name == "request"), "{spans:#?}");
    assert_eq!(quiet_lines.text(), "");
    assert!(verbose_lines.text().contains("inside"));
}

#[tokio::test]
async fn the_environment_names_the_service_before_the_program_does() {
    let collector = Collector::start().await;
    let args = TelemetryArgs {
        otlp_endpoint: Some("http://127.0.0.1:1".to_owned()),
        otlp_traces_endpoint: Some(collector.endpoint()),
        otlp_service_name: Some("reports-eu".to_owned()),
        ..TelemetryArgs::default()
    };
    let subscriber = telemetry::subscriber(&args, "gateway", io::sink).unwrap();
    with_default(&subscriber.dispatch, || drop(info_span!("request").entered()));
    subscriber.traces.unwrap().flush().await;
    assert_eq!(collector.wait_for_span("request").await.service, "reports-eu");
}

#[test]
fn a_json_line_is_one_flat_object_with_the_fields_of_its_spans() {
    let lines = logged(LogFormat::Json, || {
        let request = info_span!("request", http.route = "/api", attempt = 1);
        let _request = request.entered();
        let query = info_span!("query", attempt = 2, db.rows = tracing::field::Empty);
        let query = query.entered();
        query.record("db.rows", 7);
        warn!(report.location = "a/b \"c\"", duration_ms = 1.5, ok = true, "slow\nread");
    });
    let mut line = only_object(&lines);
    let timestamp = line.remove("timestamp").unwrap();
    assert!(timestamp.as_str().unwrap().ends_with('Z'), "{timestamp}");
    let expected = json!({
        "level": "WARN",
        "target": "it::telemetry",
        "message": "slow\nread",
        "span": "query",
        "http.route": "/api",
        "attempt": 2,
        "db.rows": 7,
        "report.location": "a/b \"c\"",
        "duration_ms": 1.5,
        "ok": true,
    });
    assert_eq!(Value::Object(line), expected);
}

#[test]
fn a_field_cannot_take_the_place_of_what_every_json_line_has() {
    let lines = logged(LogFormat::Json, || info!(level = "none", target = 3, "hello"));
    let line = only_object(&lines);
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["target"], "it::telemetry");
    assert_eq!(line["field.level"], "none");
    assert_eq!(line["field.target"], 3);
}

#[test]
fn an_error_is_logged_with_its_causes() {
    let args = TelemetryArgs { log: "a=b=c".to_owned(), ..TelemetryArgs::default() };
    let failure = telemetry::subscriber(&args, "gateway", io::sink).unwrap_err();
    let lines = logged(LogFormat::Json, || {
        error!(error = &failure as &(dyn std::error::Error + 'static), "failed to start");
    });
    let expected = format!("{failure}: {}", failure.source().unwrap());
    assert_eq!(only_object(&lines)["error"], expected);
    assert!(expected.starts_with("failed to parse the log filter \"a=b=c\": "), "{expected}");
}

#[tokio::test]
async fn a_json_line_inside_an_exported_span_names_its_trace() {
    let collector = Collector::start().await;
    let (subscriber, lines) = exporting_to(&collector, "info");
    with_default(&subscriber.dispatch, || {
        let span = info_span!("request");
        trace_context::set_parent(&span, &headers(&[("traceparent", TRACEPARENT)]));
        span.in_scope(|| info!("inside"));
    });
    subscriber.traces.unwrap().shutdown().await;
    let line = only_object(&lines.text());
    let span = collector.wait_for_span("request").await;
    assert_eq!(line["trace_id"], TRACE);
    assert_eq!(line["span_id"], span.span_id);
}

#[test]
fn a_text_line_has_level_target_message_and_fields() {
    let lines = logged(LogFormat::Text, || info!(report.location = "a/b", "served"));
    assert!(lines.contains("INFO it::telemetry: served report.location=\"a/b\""), "{lines}");
}

#[test]
fn an_endpoint_that_is_no_url_is_refused() {
    let args = TelemetryArgs { otlp_endpoint: Some("collector:4317".to_owned()), ..TelemetryArgs::default() };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let failure = runtime.block_on(async { telemetry::subscriber(&args, "gateway", io::sink) }).unwrap_err();
    assert!(matches!(failure, telemetry::Error::Endpoint { .. }), "{failure}");
}

#[tokio::test]
async fn an_https_endpoint_is_accepted() {
    let args = TelemetryArgs { otlp_endpoint: Some("https://127.0.0.1:1".to_owned()), ..TelemetryArgs::default() };
    let subscriber = telemetry::subscriber(&args, "gateway", io::sink).unwrap();
    assert!(subscriber.traces.is_some());
}

#[test]
fn the_name_of_a_histogram_decides_about_its_buckets() {
    let recorder = telemetry::recorder().unwrap();
    metrics::with_local_recorder(&recorder, || {
        metrics::histogram!("aviary_answer_duration_seconds").record(0.003);
        metrics::histogram!("aviary_answer_size_bytes").record(5000.0);
        metrics::histogram!("aviary_rows").record(3.0);
    });
    let text = recorder.handle().render();
    for line in [
        "# TYPE aviary_answer_duration_seconds histogram",
        "aviary_answer_duration_seconds_bucket{le=\"0.005\"} 1",
        "aviary_answer_size_bytes_bucket{le=\"16384\"} 1",
        "aviary_rows_bucket{le=\"5\"} 1",
    ] {
        assert!(text.lines().any(|known| known == line), "{line} in:\n{text}");
    }
}

fn exporting_to(collector: &Collector, log: &str) -> (Subscriber, Lines) {
    let args = TelemetryArgs {
        log_format: LogFormat::Json,
        log: log.to_owned(),
        otlp_endpoint: Some(collector.endpoint()),
        ..TelemetryArgs::default()
    };
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = telemetry::subscriber(&args, "gateway", move || writer.clone()).unwrap();
    (subscriber, lines)
}

fn logged(log_format: LogFormat, work: impl FnOnce()) -> String {
    let args = TelemetryArgs { log_format, ..TelemetryArgs::default() };
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = telemetry::subscriber(&args, "gateway", move || writer.clone()).unwrap();
    with_default(&subscriber.dispatch, work);
    lines.text()
}

fn only_object(lines: &str) -> serde_json::Map<String, Value> {
    let mut lines = lines.lines();
    let line = serde_json::from_str(lines.next().unwrap()).unwrap();
    assert_eq!(lines.next(), None);
    line
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_static(value));
    }
    headers
}

/// Log lines kept in memory; clones share them.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

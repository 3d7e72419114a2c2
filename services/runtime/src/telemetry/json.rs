//! A log event as one flat JSON object: `timestamp`, `level`, `target`, `message`, then the fields of the spans around
//! it from the outermost in, then its own fields, each under its dotted name. The inner value wins where names meet.

use std::error::Error;
use std::fmt::{self, Write as _};

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{FormatEvent, JsonFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// Names that every line may have; a field called so is written as `field.<name>`.
const OWN_NAMES: [&str; 7] = ["timestamp", "level", "target", "message", "span", "trace_id", "span_id"];

/// The format itself; it has no settings.
pub(super) struct FlatJson;

impl<S> FormatEvent<S, JsonFields> for FlatJson
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn format_event(&self, ctx: &FmtContext<'_, S, JsonFields>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields::default();
        let mut innermost = None;
        for span in ctx.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            let extensions = span.extensions();
            if let Some(formatted) = extensions.get::<FormattedFields<JsonFields>>() {
                fields.extend(formatted);
            }
            innermost = Some(span.name());
        }
        event.record(&mut fields);

        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let target = fields.log_target.as_deref();

        let mut line = Line::new();
        line.put("timestamp", &timestamp.into())?;
        line.put("level", &event.metadata().level().as_str().into())?;
        line.put("target", &target.unwrap_or(event.metadata().target()).into())?;
        if let Some(message) = &fields.message {
            line.put("message", message)?;
        }
        if let Some(name) = innermost {
            line.put("span", &name.into())?;
        }
        line.put_trace()?;
        for (name, value) in &fields.named {
            line.put(name, value)?;
        }
        writeln!(writer, "{}", line.close())
    }
}

/// A JSON object under construction.
struct Line(String);

impl Line {
    fn new() -> Self {
        Self("{".to_owned())
    }

    fn put(&mut self, name: &str, value: &Value) -> fmt::Result {
        let comma = if self.0.len() > 1 { "," } else { "" };
        write!(self.0, "{comma}{}:{value}", Value::from(name))
    }

    /// Lets a line be found from its trace and the other way round.
    fn put_trace(&mut self) -> fmt::Result {
        Context::map_current(|ctx| {
            let span = ctx.span();
            let span = span.span_context();
            if !span.is_valid() {
                return Ok(());
            }
            self.put("trace_id", &span.trace_id().to_string().into())?;
            self.put("span_id", &span.span_id().to_string().into())
        })
    }

    fn close(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// Collects fields in the order of their first appearance.
#[derive(Default)]
struct Fields {
    message: Option<Value>,
    log_target: Option<String>,
    named: Vec<(String, Value)>,
}

impl Fields {
    /// Takes the fields of a span, which the layer keeps as JSON text.
    fn extend(&mut self, formatted: &str) {
        let object: Map<String, Value> = serde_json::from_str(formatted).unwrap_or_default();
        for (name, value) in object {
            self.set(&name, value);
        }
    }

    fn set(&mut self, name: &str, value: Value) {
        let name = if OWN_NAMES.contains(&name) { format!("field.{name}") } else { name.to_owned() };
        match self.named.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.named.push((name, value)),
        }
    }

    fn record(&mut self, field: &Field, value: Value) {
        match field.name() {
            "message" => self.message = Some(value),
            // Records of the `log` crate arrive under one target and carry their own in fields.
            "log.target" => self.log_target = value.as_str().map(str::to_owned),
            "log.module_path" | "log.file" | "log.line" => {}
            name => self.set(name.trim_start_matches("r#"), value),
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.record(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.record(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.record(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.record(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record(field, value.into());
    }

    /// Messages of our errors name one step each, so the whole chain is what tells the cause. Errors of others may have
    /// their cause in their own message, which is then not said twice.
    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut text = value.to_string();
        let mut source = value.source();
        while let Some(cause) = source {
            let message = cause.to_string();
            if !text.ends_with(&message) {
                text.push_str(": ");
                text.push_str(&message);
            }
            source = cause.source();
        }
        self.record(field, text.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record(field, format!("{value:?}").into());
    }
}

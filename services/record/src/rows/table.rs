//! Tables of ARA 1.8.0 and values of their columns.

use serde_json::{Map, Value as Json};

use crate::{contents::packed, json::dumps, playbook::Span, time::Time};

/// A value of a column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
}

/// Rows of one table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [&'static str],
    pub(crate) rows: Vec<Vec<Value>>,
}

pub(super) fn integer(value: i64) -> Value {
    Value::Integer(value)
}

pub(super) fn boolean(value: bool) -> Value {
    Value::Integer(value.into())
}

pub(super) fn text(value: impl Into<String>) -> Value {
    Value::Text(value.into())
}

pub(super) fn optional(value: Option<String>) -> Value {
    value.map_or(Value::Null, Value::Text)
}

pub(super) fn blob(value: &str) -> Value {
    Value::Blob(packed(value))
}

pub(super) fn object(value: &Map<String, Json>) -> Value {
    blob(&dumps(value))
}

pub(super) fn moment(time: Time) -> Value {
    text(time.stored())
}

/// Microseconds, once it has ended.
pub(super) fn duration(span: Span) -> Value {
    span.ended.map_or(Value::Null, |ended| integer(ended.micros() - span.started.micros()))
}

pub(super) type Columns = (&'static str, &'static [&'static str]);

pub(super) const FILE_CONTENTS: Columns = ("file_contents", &["id", "created", "updated", "sha1", "contents"]);
pub(super) const LABELS: Columns = ("labels", &["id", "created", "updated", "name"]);
pub(super) const PLAYBOOKS: Columns = (
    "playbooks",
    &[
        "id",
        "created",
        "updated",
        "started",
        "ended",
        "name",
        "ansible_version",
        "status",
        "arguments",
        "path",
        "duration",
        "user",
        "client_version",
        "server_version",
        "python_version",
        "controller",
    ],
);
pub(super) const PLAYBOOKS_LABELS: Columns = ("playbooks_labels", &["id", "playbook_id", "label_id"]);
pub(super) const FILES: Columns = ("files", &["id", "created", "updated", "path", "content_id", "playbook_id"]);
pub(super) const HOSTS: Columns =
    ("hosts", &["id", "created", "updated", "name", "facts", "changed", "failed", "ok", "skipped", "unreachable", "playbook_id"]);
pub(super) const LATEST_HOSTS: Columns = ("latest_hosts", &["name", "created", "updated", "host_id"]);
pub(super) const PLAYS: Columns =
    ("plays", &["id", "created", "updated", "started", "ended", "name", "status", "playbook_id", "duration", "uuid"]);
pub(super) const RECORDS: Columns = ("records", &["id", "created", "updated", "key", "value", "type", "playbook_id"]);
pub(super) const TASKS: Columns = (
    "tasks",
    &[
        "id",
        "created",
        "updated",
        "started",
        "ended",
        "name",
        "action",
        "lineno",
        "tags",
        "handler",
        "status",
        "file_id",
        "play_id",
        "playbook_id",
        "duration",
        "uuid",
        "deprecations",
        "exceptions",
        "warnings",
    ],
);
pub(super) const RESULTS: Columns = (
    "results",
    &[
        "id",
        "created",
        "updated",
        "started",
        "ended",
        "status",
        "content",
        "host_id",
        "play_id",
        "playbook_id",
        "task_id",
        "changed",
        "ignore_errors",
        "duration",
    ],
);
pub(super) const DELEGATIONS: Columns = ("results_delegated_to", &["id", "result_id", "host_id"]);

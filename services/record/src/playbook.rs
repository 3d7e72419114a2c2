//! What a run did, in ARA's words. Only a description: that names agree with each other is for `rows` to see, and how it is
//! stored for `database`.

use serde_json::{Map, Value};

use crate::time::Time;

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct Playbook {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Path of the file that says what it does: one of the files, or what stands for one.
    pub path: String,
    /// What carried it out; for Ansible only its version.
    pub ansible_version: String,
    /// What recorded it.
    pub client_version: Option<String>,
    /// The Python that carried it out, if one did.
    pub python_version: Option<String>,
    /// The machine that it was started on.
    pub controller: Option<String>,
    /// Who started it.
    pub user: Option<String>,
    /// Options of the command line.
    pub arguments: Map<String, Value>,
    /// Words to find it by.
    pub labels: Vec<String>,
    /// What became of it.
    pub status: Status,
    /// When it was.
    pub span: Span,
    /// Its plays, in their order.
    pub plays: Vec<Play>,
    /// The files that it is made of, each path once.
    pub files: Vec<File>,
    /// The hosts that it is about, each name once.
    pub hosts: Vec<Host>,
    /// What else is to be kept of it, each key once.
    pub records: Vec<Record>,
}

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It goes on.
    Running,
    /// It did what it was for.
    Completed,
    /// Something failed.
    Failed,
    /// It was given up.
    Expired,
}

/// When something was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its beginning.
    pub started: Time,
    /// Its end; `None` if it has not ended.
    pub ended: Option<Time>,
}

/// A part of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Play {
    /// Its name.
    pub name: Option<String>,
    /// When it was.
    pub span: Span,
    /// Its tasks, in their order.
    pub tasks: Vec<Task>,
}

/// One thing that was done on some hosts. It has failed if one of its results has, and that was not to be ignored.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Its name.
    pub name: Option<String>,
    /// The module that does it.
    pub action: String,
    /// Path of the file that it is written in: one of the run's files.
    pub file: String,
    /// The line there, counted from 1.
    pub line: u32,
    /// Words to choose it by.
    pub tags: Vec<String>,
    /// It is done only when another task has changed something.
    pub handler: bool,
    /// When it was.
    pub span: Span,
    /// Warnings that it gave.
    pub warnings: Vec<String>,
    /// What it said is going to be removed, as Ansible describes it.
    pub deprecations: Vec<Value>,
    /// Traces of what went wrong in the program.
    pub exceptions: Vec<String>,
    /// What came out, at most once for each host.
    pub results: Vec<TaskResult>,
}

/// What came out of a task on a host.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskResult {
    /// Name of the host: one of the run's.
    pub host: String,
    /// How it went.
    pub outcome: Outcome,
    /// Something is other than before.
    pub changed: bool,
    /// Its failure was to be ignored.
    pub ignore_errors: bool,
    /// All that the module returned.
    pub content: Map<String, Value>,
    /// Hosts on which it was done instead: some of the run's.
    pub delegated_to: Vec<String>,
    /// When it was.
    pub span: Span,
}

/// How a task went on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Well.
    Ok,
    /// It failed.
    Failed,
    /// It was not done.
    Skipped,
    /// The host did not answer.
    Unreachable,
}

/// A file that a run is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path.
    pub path: String,
    /// What is in it.
    pub content: String,
}

/// A host that a run is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// What is known of it.
    pub facts: Map<String, Value>,
}

/// Something that is kept of a run under a name of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The name.
    pub key: String,
    /// How it is to be shown.
    pub kind: RecordKind,
    /// What is kept.
    pub value: Value,
}

/// How a record is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKind {
    /// As a text.
    Text,
    /// As a link.
    Url,
    /// As JSON.
    Json,
    /// As a list.
    List,
    /// As names and values.
    Dict,
}

//! From the description of a run to the rows of ARA's tables, with their ids, as ARA's own callback and server would have made
//! them. Pure.

mod table;

use std::collections::BTreeMap;

use crate::{
    contents::{sha1, uuid},
    json::dumps,
    playbook::{Outcome, Play, Playbook, RecordKind, Span, Status, Task, TaskResult},
    time::Time,
};
pub(crate) use table::{Table, Value};
use table::{blob, boolean, duration, integer, moment, object, optional, text};

/// The release of ARA whose schema this is.
const SERVER_VERSION: &str = "1.8.0";
/// ARA cuts names that have more characters than its columns, to one less.
const LONGEST_NAME: usize = 255;
/// A database has one run.
const PLAYBOOK: i64 = 1;

/// How a description contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Two things have the same name, or two that are the same as far as ARA keeps them.
    #[error("{noun} {name} is there twice")]
    Twice {
        /// The kind of thing.
        noun: &'static str,
        /// The name.
        name: String,
    },
    /// Something is named that is not there.
    #[error("task {task} names {noun} {name}, which is not one of the run's")]
    Unknown {
        /// The name or the action of the task.
        task: String,
        /// The kind of thing.
        noun: &'static str,
        /// The name.
        name: String,
    },
}

/// All rows, in an order in which rows refer only to rows that are already there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rows {
    pub(crate) tables: Vec<Table>,
    /// When the database began.
    pub(crate) began: String,
}

impl Rows {
    pub(crate) fn of(playbook: &Playbook) -> Result<Self, Error> {
        let mut writer = Writer::new(playbook)?;
        for (index, play) in playbook.plays.iter().enumerate() {
            writer.play(index, play)?;
        }
        Ok(Self { tables: writer.tables(), began: playbook.span.started.stored() })
    }
}

/// Names and the ids of what has them.
type Ids = BTreeMap<String, i64>;

/// What has been counted of a host's results.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    changed: i64,
    failed: i64,
    ok: i64,
    skipped: i64,
    unreachable: i64,
}

impl Counts {
    /// As Ansible counts: what is ignored went well.
    fn add(&mut self, result: &TaskResult) {
        match result.outcome {
            Outcome::Failed if !result.ignore_errors => self.failed += 1,
            Outcome::Ok | Outcome::Failed => {
                self.ok += 1;
                self.changed += i64::from(result.changed);
            }
            Outcome::Skipped => self.skipped += 1,
            Outcome::Unreachable => self.unreachable += 1,
        }
    }
}

struct Writer<'a> {
    playbook: &'a Playbook,
    files: Ids,
    hosts: Ids,
    counts: BTreeMap<i64, Counts>,
    plays: Vec<Vec<Value>>,
    tasks: Vec<Vec<Value>>,
    results: Vec<Vec<Value>>,
    delegations: Vec<Vec<Value>>,
}

impl<'a> Writer<'a> {
    fn new(playbook: &'a Playbook) -> Result<Self, Error> {
        let files = ids("file", playbook.files.iter().map(|file| file.path.clone()))?;
        let hosts = ids("host", playbook.hosts.iter().map(|host| short(&host.name)))?;
        ids("record", playbook.records.iter().map(|record| record.key.clone()))?;
        Ok(Self {
            playbook,
            files,
            hosts,
            counts: BTreeMap::new(),
            plays: Vec::new(),
            tasks: Vec::new(),
            results: Vec::new(),
            delegations: Vec::new(),
        })
    }

    fn play(&mut self, index: usize, play: &Play) -> Result<(), Error> {
        let id = next(&self.plays);
        let name = self.name_of(&format!("play {index}"));
        let mut row = self.dated(id, play.span);
        row.extend([optional(play.name.as_deref().map(short)), text(self.progress(play.span, false))]);
        row.extend([integer(PLAYBOOK), duration(play.span), text(uuid(&name))]);
        self.plays.push(row);
        for (index, task) in play.tasks.iter().enumerate() {
            self.task(id, index, task)?;
        }
        Ok(())
    }

    fn task(&mut self, play: i64, index: usize, task: &Task) -> Result<(), Error> {
        let id = next(&self.tasks);
        let name = self.name_of(&format!("play {play} task {index}"));
        let failed = task
            .results
            .iter()
            .any(|result| matches!(result.outcome, Outcome::Failed | Outcome::Unreachable) && !result.ignore_errors);
        let file = self.files.get(&task.file).copied().ok_or_else(|| unknown(task, "file", &task.file))?;
        let mut row = self.dated(id, task.span);
        row.extend([optional(task.name.clone()), text(&task.action), integer(task.line.into())]);
        row.extend([blob(&dumps(&task.tags)), boolean(task.handler), text(self.progress(task.span, failed))]);
        row.extend([integer(file), integer(play), integer(PLAYBOOK), duration(task.span), text(uuid(&name))]);
        row.extend([text(dumps(&task.deprecations)), text(dumps(&task.exceptions)), text(dumps(&task.warnings))]);
        self.tasks.push(row);
        let mut seen = Vec::new();
        for result in &task.results {
            let host = self.host(task, &result.host)?;
            if seen.contains(&host) {
                return Err(Error::Twice { noun: "the result of host", name: result.host.clone() });
            }
            seen.push(host);
            self.result(play, id, host, task, result)?;
        }
        Ok(())
    }

    fn result(&mut self, play: i64, id_of_task: i64, host: i64, task: &Task, result: &TaskResult) -> Result<(), Error> {
        let id = next(&self.results);
        let status = match result.outcome {
            Outcome::Ok => "ok",
            Outcome::Failed => "failed",
            Outcome::Skipped => "skipped",
            Outcome::Unreachable => "unreachable",
        };
        let mut row = self.dated(id, result.span);
        row.extend([text(status), object(&result.content), integer(host), integer(play), integer(PLAYBOOK)]);
        row.extend([integer(id_of_task), boolean(result.changed), boolean(result.ignore_errors), duration(result.span)]);
        self.results.push(row);
        self.counts.entry(host).or_default().add(result);
        let mut delegated = Vec::new();
        for name in &result.delegated_to {
            let host = self.host(task, name)?;
            if !delegated.contains(&host) {
                delegated.push(host);
                let row = vec![integer(next(&self.delegations)), integer(id), integer(host)];
                self.delegations.push(row);
            }
        }
        Ok(())
    }

    fn host(&self, task: &Task, name: &str) -> Result<i64, Error> {
        self.hosts.get(&short(name)).copied().ok_or_else(|| unknown(task, "host", name))
    }

    /// What something of the run has its UUID from.
    fn name_of(&self, part: &str) -> String {
        let Playbook { path, controller, span, .. } = self.playbook;
        format!("{path}\n{}\n{}\n{part}", controller.as_deref().unwrap_or_default(), span.started.micros())
    }

    /// The first columns of what has its own time: id, created, updated, started, ended.
    fn dated(&self, id: i64, span: Span) -> Vec<Value> {
        let ended = span.ended.map(Time::stored);
        let updated = ended.clone().unwrap_or_else(|| span.started.stored());
        vec![integer(id), moment(span.started), text(updated), moment(span.started), optional(ended)]
    }

    /// The first columns of what has none: id, created, updated.
    fn kept(&self, id: i64) -> Vec<Value> {
        let Span { started, ended } = self.playbook.span;
        vec![integer(id), moment(started), moment(ended.unwrap_or(started))]
    }

    /// Status of a play or a task.
    fn progress(&self, span: Span, failed: bool) -> &'static str {
        match span.ended {
            _ if failed => "failed",
            Some(_) => "completed",
            None if self.playbook.status == Status::Running => "running",
            None => "expired",
        }
    }

    fn tables(self) -> Vec<Table> {
        let (files, contents) = self.files_and_contents();
        let (labels, of_playbook) = self.labels();
        let (hosts, latest) = self.all_hosts();
        let (playbooks, records) = (vec![self.playbook_row()], self.records());
        let table = |(name, columns), rows| Table { name, columns, rows };
        vec![
            table(table::FILE_CONTENTS, contents),
            table(table::LABELS, labels),
            table(table::PLAYBOOKS, playbooks),
            table(table::PLAYBOOKS_LABELS, of_playbook),
            table(table::FILES, files),
            table(table::HOSTS, hosts),
            table(table::LATEST_HOSTS, latest),
            table(table::PLAYS, self.plays),
            table(table::RECORDS, records),
            table(table::TASKS, self.tasks),
            table(table::RESULTS, self.results),
            table(table::DELEGATIONS, self.delegations),
        ]
    }

    fn playbook_row(&self) -> Vec<Value> {
        let playbook = self.playbook;
        let status = match playbook.status {
            Status::Running => "running",
            Status::Completed => "completed",
            Status::Failed => "failed",
            Status::Expired => "expired",
        };
        let mut row = self.dated(PLAYBOOK, playbook.span);
        row.extend([optional(playbook.name.as_deref().map(short)), text(&playbook.ansible_version), text(status)]);
        row.extend([object(&playbook.arguments), text(&playbook.path), duration(playbook.span)]);
        row.extend([optional(playbook.user.clone()), optional(playbook.client_version.clone()), text(SERVER_VERSION)]);
        row.extend([optional(playbook.python_version.clone()), optional(playbook.controller.clone())]);
        row
    }

    /// Files, and their contents, each once.
    fn files_and_contents(&self) -> (Vec<Vec<Value>>, Vec<Vec<Value>>) {
        let (mut files, mut contents, mut known) = (Vec::new(), Vec::new(), Ids::new());
        for file in &self.playbook.files {
            let hash = sha1(&file.content);
            let content = *known.entry(hash.clone()).or_insert_with(|| {
                let id = next(&contents);
                let mut row = self.kept(id);
                row.extend([text(hash), blob(&file.content)]);
                contents.push(row);
                id
            });
            let mut row = self.kept(next(&files));
            row.extend([text(&file.path), integer(content), integer(PLAYBOOK)]);
            files.push(row);
        }
        (files, contents)
    }

    /// Labels, each once, and that the playbook has them.
    fn labels(&self) -> (Vec<Vec<Value>>, Vec<Vec<Value>>) {
        let (mut labels, mut of_playbook, mut known) = (Vec::new(), Vec::new(), Vec::new());
        for label in self.playbook.labels.iter().map(|label| short(label)) {
            if known.contains(&label) {
                continue;
            }
            let id = next(&labels);
            let mut row = self.kept(id);
            row.push(text(&label));
            labels.push(row);
            of_playbook.push(vec![integer(id), integer(PLAYBOOK), integer(id)]);
            known.push(label);
        }
        (labels, of_playbook)
    }

    /// Hosts, and that each is the latest of its name.
    fn all_hosts(&self) -> (Vec<Vec<Value>>, Vec<Vec<Value>>) {
        let (mut hosts, mut latest) = (Vec::new(), Vec::new());
        for host in &self.playbook.hosts {
            let id = next(&hosts);
            let Counts { changed, failed, ok, skipped, unreachable } = self.counts.get(&id).copied().unwrap_or_default();
            let name = text(short(&host.name));
            let mut row = self.kept(id);
            row.extend([name.clone(), object(&host.facts)]);
            row.extend([changed, failed, ok, skipped, unreachable].map(integer));
            row.push(integer(PLAYBOOK));
            hosts.push(row);
            let mut row = vec![name];
            row.extend(self.kept(id).into_iter().skip(1));
            row.push(integer(id));
            latest.push(row);
        }
        (hosts, latest)
    }

    fn records(&self) -> Vec<Vec<Value>> {
        let mut rows = Vec::new();
        for record in &self.playbook.records {
            let kind = match record.kind {
                RecordKind::Text => "text",
                RecordKind::Url => "url",
                RecordKind::Json => "json",
                RecordKind::List => "list",
                RecordKind::Dict => "dict",
            };
            let mut row = self.kept(next(&rows));
            row.extend([text(&record.key), blob(&dumps(&record.value)), text(kind), integer(PLAYBOOK)]);
            rows.push(row);
        }
        rows
    }
}

/// Ids from 1 for names that all differ.
fn ids(noun: &'static str, names: impl Iterator<Item = String>) -> Result<Ids, Error> {
    let mut ids = Ids::new();
    for (id, name) in (1..).zip(names) {
        if ids.insert(name.clone(), id).is_some() {
            return Err(Error::Twice { noun, name });
        }
    }
    Ok(ids)
}

fn unknown(task: &Task, noun: &'static str, name: &str) -> Error {
    Error::Unknown { task: task.name.clone().unwrap_or_else(|| task.action.clone()), noun, name: name.to_owned() }
}

/// The id of the row behind these.
fn next(rows: &[Vec<Value>]) -> i64 {
    i64::try_from(rows.len()).unwrap_or(i64::MAX).saturating_add(1)
}

/// A name, cut as ARA's callback cuts it.
fn short(name: &str) -> String {
    if name.chars().count() < LONGEST_NAME { name.to_owned() } else { name.chars().take(LONGEST_NAME - 1).collect() }
}

#[cfg(test)]
mod tests;

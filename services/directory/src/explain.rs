//! A plan as people and programs read it: what becomes of each object, from what to what, what is lost, and how much it is in
//! all. Secrets are masked. `text` lays it out in lines, `entries` tells the same of the server's entries,
//! and `replication` how replication is.

mod entries;
mod replication;
mod text;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value as Json;

pub use self::{
    entries::{EntryChange, entries},
    text::{Paint, Text},
};
use crate::{
    action::{Action, Filling, Part, Step},
    place::Place,
    secret::MASK,
    setting::{Setting, Settings},
};

/// A plan, explained.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The actions in their order.
    pub actions: Vec<Item>,
    /// How much it is in all.
    pub summary: Summary,
}

/// An action, explained.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Item {
    /// The names on the way to the object with dots between them, as modifiers have them.
    pub place: String,
    /// The same in words: `instance localhost, backend userroot`.
    pub object: String,
    /// What is done: `create_backend`, `set`, `restart` and so on.
    pub action: &'static str,
    /// What that is for the object.
    pub kind: Kind,
    /// What it does, in sentences.
    pub messages: Vec<String>,
    /// Options and what becomes of them.
    pub changes: Vec<Line>,
    /// Data is lost that nothing brings back.
    pub deletes_data: bool,
    /// The server stops and starts again.
    pub restarts: bool,
}

/// What an action is for its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The object is made.
    Create,
    /// It becomes different.
    Change,
    /// It goes.
    Delete,
    /// The server does something, such as starting or indexing, after which the object is what it was.
    Run,
}

/// An option and what becomes of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// Its name.
    pub option: String,
    /// What it is; `null` if it is not set or not known.
    pub before: Json,
    /// What it will be; `null` if it will not be set.
    pub after: Json,
}

/// How much a plan does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Objects that are made.
    pub create: usize,
    /// Objects that become different and were there before.
    pub change: usize,
    /// Objects that go.
    pub delete: usize,
    /// Starts of instances that were there before.
    pub start: usize,
    /// Stops of instances.
    pub stop: usize,
    /// Restarts.
    pub restart: usize,
}

/// Explains the actions of a plan.
pub fn explain(actions: &[Action]) -> Explanation {
    let items: Vec<Item> = actions.iter().map(item).collect();
    let of = |kind: Kind| -> BTreeSet<&str> {
        items.iter().filter(|item| item.kind == kind).map(|item| item.object.as_str()).collect()
    };
    let (created, changed, deleted) = (of(Kind::Create), of(Kind::Change), of(Kind::Delete));
    let count = |action: &str, counts_new: bool| {
        let is_it = |item: &&Item| item.action == action && (counts_new || !created.contains(item.object.as_str()));
        items.iter().filter(is_it).count()
    };
    let summary = Summary {
        create: created.len(),
        // What is made and then completed is not changed for anybody.
        change: changed.iter().filter(|object| !created.contains(*object) && !deleted.contains(*object)).count(),
        delete: deleted.len(),
        start: count("start", false),
        stop: count("stop", true),
        restart: count("restart", false),
    };
    Explanation { actions: items, summary }
}

impl Summary {
    /// The same of what was done.
    pub fn done(self) -> String {
        text::done(self)
    }
}

impl Explanation {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// Whether data is lost that nothing brings back.
    pub fn deletes_data(&self) -> bool {
        self.actions.iter().any(|item| item.deletes_data)
    }
}

fn item(action: &Action) -> Item {
    let (name, kind) = nature(&action.step);
    Item {
        place: action.place.dotted(),
        object: object(&action.place),
        action: name,
        kind,
        messages: action.messages(),
        changes: lines(&action.step),
        deletes_data: action.deletes_data(),
        restarts: matches!(action.step, Step::Restart),
    }
}

fn object(place: &Place) -> String {
    if place.scope().is_none() { "this host".to_owned() } else { place.to_string() }
}

fn nature(step: &Step) -> (&'static str, Kind) {
    match step {
        Step::CreateInstance(_) => ("create_instance", Kind::Create),
        Step::RemoveInstance => ("remove_instance", Kind::Delete),
        Step::Start => ("start", Kind::Run),
        Step::Stop => ("stop", Kind::Run),
        Step::Restart => ("restart", Kind::Run),
        Step::Set { .. } => ("set", Kind::Change),
        Step::ImportCertificate { .. } => ("import_certificate", Kind::Change),
        Step::TrustAuthorities { .. } => ("trust_authorities", Kind::Change),
        Step::CreateBackend { .. } => ("create_backend", Kind::Create),
        Step::MapBackend { .. } => ("map_backend", Kind::Change),
        Step::DeleteBackend { .. } => ("delete_backend", Kind::Delete),
        Step::Fill { .. } => ("fill", Kind::Run),
        Step::CreateIndex { .. } => ("create_index", Kind::Create),
        Step::DeleteIndex { .. } => ("delete_index", Kind::Delete),
        Step::Reindex { .. } => ("reindex", Kind::Run),
        Step::CreateManager { .. } => ("create_manager", Kind::Change),
        Step::DeleteManager { .. } => ("delete_manager", Kind::Change),
        Step::SetPassword { .. } => ("set_password", Kind::Change),
        Step::EnableReplica { .. } => ("enable_replica", Kind::Change),
        Step::ChangeRole { .. } => ("change_role", Kind::Change),
        Step::DisableReplica { .. } => ("disable_replica", Kind::Change),
        Step::Announce { .. } => ("announce", Kind::Run),
        Step::CleanRuv { .. } => ("clean_ruv", Kind::Run),
        Step::CreateAgreement { .. } => ("create_agreement", Kind::Create),
        Step::Initialise { .. } => ("initialise", Kind::Run),
        Step::DeleteAgreement { .. } => ("delete_agreement", Kind::Delete),
    }
}

fn lines(step: &Step) -> Vec<Line> {
    let text = |text: &dyn ToString| Json::String(text.to_string());
    let new = |option: &str, after: Json| Line { option: option.to_owned(), before: Json::Null, after };
    let old = |option: &str, before: Json| Line { option: option.to_owned(), before, after: Json::Null };
    match step {
        Step::CreateInstance(settings) | Step::CreateIndex { settings, .. } | Step::CreateAgreement { settings, .. } => {
            all(settings)
        }
        Step::CreateBackend { suffix, settings, .. } => {
            let mut lines = vec![new("suffix", text(suffix))];
            lines.extend(all(settings).into_iter().filter(|line| line.option != "suffix"));
            lines
        }
        Step::DeleteBackend { suffix } => vec![old("suffix", text(suffix))],
        Step::Set { changes, .. } => {
            let line = |change: &crate::action::Change| {
                let before = match &change.before {
                    // It has one that nobody can read.
                    _ if change.option.is_secret() => Json::String(MASK.to_owned()),
                    Some(before) => value(before),
                    None => Json::Null,
                };
                Line { option: change.option.spelling.to_owned(), before, after: value(&change.after) }
            };
            changes.iter().map(line).collect()
        }
        Step::ImportCertificate { certificate, key } => vec![new("tls_cert", text(certificate)), new("tls_key", text(key))],
        Step::TrustAuthorities { files } => vec![new("tls_ca", Json::from(files.clone()))],
        Step::MapBackend { suffix, .. } => vec![new("suffix", text(suffix))],
        Step::Fill { with: Filling::Ldif(file), .. } => vec![new("entries", text(file))],
        Step::CreateManager { dn, .. } => vec![new("ReplicaBindDN", text(dn)), new("ReplicaCredentials", text(&MASK))],
        Step::DeleteManager { dn } => vec![old("ReplicaBindDN", text(dn))],
        Step::SetPassword { dn, attribute, .. } => {
            vec![Line { option: format!("{attribute} of {dn}"), before: text(&MASK), after: text(&MASK) }]
        }
        Step::EnableReplica { part, settings, .. } => {
            let mut lines = vec![new("ReplicaRole", text(&part.role.name()))];
            lines.extend(part.id.map(|id| new("ReplicaId", Json::from(id))));
            lines.extend(all(settings));
            lines
        }
        Step::ChangeRole { from, to, .. } => {
            let id = |part: &Part| part.id.map_or(Json::Null, Json::from);
            let role = Line { option: "ReplicaRole".to_owned(), before: text(&from.role.name()), after: text(&to.role.name()) };
            let number = Line { option: "ReplicaId".to_owned(), before: id(from), after: id(to) };
            [role, number].into_iter().filter(|line| line.before != line.after).collect()
        }
        _ => Vec::new(),
    }
}

/// Everything that a new object gets.
fn all(settings: &Settings) -> Vec<Line> {
    let line = |(option, setting): (&crate::options::Definition, &Setting)| Line {
        option: option.spelling.to_owned(),
        before: Json::Null,
        after: value(setting),
    };
    settings.iter().map(line).collect()
}

/// A value as a program reads it. No value is one that takes the option away.
fn value(setting: &Setting) -> Json {
    match setting {
        Setting::Text(text) if text.is_empty() => Json::Null,
        Setting::Text(text) => Json::from(text.as_str()),
        Setting::Number(number) => Json::from(*number),
        Setting::Switch(on) => Json::from(*on),
        Setting::List(items) if items.is_empty() => Json::Null,
        Setting::List(items) => Json::from(items.clone()),
        Setting::Secret(_) => Json::from(MASK),
    }
}

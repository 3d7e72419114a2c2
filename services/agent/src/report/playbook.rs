//! From the minutes of a run to ARA's words: one play, a task for looking and planning, a task for each action. Pure.

use std::fmt::Write;

use directory::explain::EntryChange;
use record::{File, Host, Outcome, Play, Playbook, Span, Status, Task, TaskResult, Time};
use serde_json::{Map, Value as Json, json};

use super::minutes::{Ending, Entry, Minutes, State};

/// What carries out and what looks, named as the modules of the collection.
const CHANGES: &str = "ds389_server";
const LOOKS: &str = "ds389_info";
/// ARA asks for the version of Ansible.
const PROGRAM: &str = concat!("aviary ", env!("CARGO_PKG_VERSION"));

/// The run that minutes tell of.
pub(super) fn of(minutes: &Minutes, ended: Time) -> Playbook {
    let about = &minutes.about;
    let whole = Span { started: minutes.began, ended: Some(ended) };
    let mut tasks = vec![looking(minutes, ended)];
    tasks.extend(minutes.entries.iter().map(|entry| action(minutes, entry, ended)));
    let mut arguments = about.arguments.clone();
    arguments.insert("check".to_owned(), about.check.into());
    let mut facts = Map::new();
    // What was only told has changed nothing.
    let after = if about.check { &minutes.before } else { &minutes.after };
    for (when, host) in [("before", &minutes.before), ("after", after)] {
        facts.extend(host.clone().map(|host| (when.to_owned(), host)));
    }
    Playbook {
        name: Some(format!("389 DS on {}", about.host)),
        path: about.file.clone(),
        ansible_version: PROGRAM.to_owned(),
        client_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        python_version: None,
        controller: about.controller.clone(),
        user: about.user.clone(),
        arguments,
        // As ARA's callback labels playbooks.
        labels: vec!["ds389".to_owned(), format!("check:{}", if about.check { "True" } else { "False" })],
        status: match minutes.ending {
            Ending::Completed => Status::Completed,
            Ending::Failed => Status::Failed,
            Ending::Interrupted => Status::Expired,
        },
        span: whole,
        plays: vec![Play { name: Some(about.host.clone()), span: whole, tasks }],
        files: vec![File { path: about.file.clone(), content: minutes.listing.text.clone() }],
        hosts: vec![Host { name: about.host.clone(), facts: Map::from_iter([("ds389".to_owned(), Json::Object(facts))]) }],
        records: Vec::new(),
    }
}

/// Looking at the host and planning. What failed that was no action failed here.
fn looking(minutes: &Minutes, ended: Time) -> Task {
    let span = Span { started: minutes.began, ended: Some(minutes.planned.unwrap_or(ended)) };
    let (outcome, content) = match &minutes.problem {
        Some(problem) => (Outcome::Failed, json!({ "changed": false, "failed": true, "msg": problem })),
        None if minutes.entries.is_empty() => (Outcome::Ok, json!({ "changed": false, "msg": "There is nothing to do." })),
        None => {
            let actions = minutes.entries.len();
            let plural = if actions == 1 { "" } else { "s" };
            let msg = format!("{actions} action{plural} to be done");
            (Outcome::Ok, json!({ "changed": false, "msg": msg, "summary": minutes.summary }))
        }
    };
    let result = result(minutes, outcome, false, object(content), span);
    task(minutes, "Look at the servers and plan".to_owned(), LOOKS, 1, span, result)
}

fn action(minutes: &Minutes, entry: &Entry, ended: Time) -> Task {
    let name = entry.item.messages.join("; ");
    let mut content = serde_json::to_value(&entry.item).map(object).unwrap_or_default();
    content.remove("messages");
    let diff: Vec<Json> = entry.entries.iter().map(difference).collect();
    if !diff.is_empty() {
        content.insert("diff".to_owned(), diff.into());
    }
    if !entry.said.is_empty() {
        content.insert("stdout_lines".to_owned(), entry.said.clone().into());
    }
    let (outcome, more) = match &entry.state {
        State::Done => (Outcome::Ok, json!({ "changed": true, "msg": name })),
        State::Failed(problem) => (Outcome::Failed, json!({ "changed": false, "failed": true, "msg": problem })),
        State::Waits if minutes.about.check => (Outcome::Ok, json!({ "changed": true, "check_mode": true, "msg": name })),
        State::Waits | State::Runs => {
            let reason = match minutes.ending {
                Ending::Interrupted => "the run was interrupted",
                Ending::Failed => "what comes before it failed",
                Ending::Completed => "nothing was begun",
            };
            (Outcome::Skipped, json!({ "changed": false, "skipped": true, "skip_reason": reason }))
        }
    };
    content.extend(object(more));
    // What was not begun took no time.
    let ended = entry.ended.unwrap_or(if entry.state == State::Runs { ended } else { entry.started });
    let span = Span { started: entry.started, ended: Some(ended) };
    let changed = content.get("changed") == Some(&Json::Bool(true));
    let result = result(minutes, outcome, changed, content, span);
    task(minutes, name, CHANGES, entry.line, span, result)
}

fn task(minutes: &Minutes, name: String, action: &str, line: u32, span: Span, result: TaskResult) -> Task {
    Task {
        name: Some(name),
        action: action.to_owned(),
        file: minutes.about.file.clone(),
        line,
        tags: Vec::new(),
        handler: false,
        span,
        warnings: Vec::new(),
        deprecations: Vec::new(),
        exceptions: Vec::new(),
        results: vec![result],
    }
}

fn result(minutes: &Minutes, outcome: Outcome, changed: bool, content: Map<String, Json>, span: Span) -> TaskResult {
    let host = minutes.about.host.clone();
    TaskResult { host, outcome, changed, ignore_errors: false, content, delegated_to: Vec::new(), span }
}

/// An entry before and after, as Ansible's modules tell it.
fn difference(entry: &EntryChange) -> Json {
    let text = |values: &[(String, String)]| {
        values.iter().fold(String::new(), |mut text, (attribute, value)| {
            // A text takes whatever is written to it.
            let _ = writeln!(text, "{attribute}: {value}");
            text
        })
    };
    json!({
        "before_header": entry.dn,
        "after_header": entry.dn,
        "before": text(&entry.before),
        "after": text(&entry.after),
    })
}

fn object(value: Json) -> Map<String, Json> {
    match value {
        Json::Object(map) => map,
        _ => Map::new(),
    }
}

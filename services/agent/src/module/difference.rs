//! A plan as differences: of each action, what was and what will be, as Ansible shows it. Secrets are masked.

use directory::{
    action::{Action, Step},
    setting::Settings,
    value::{Map, Node, Value},
};

/// One for each action.
pub(super) fn differences(actions: &[Action]) -> Node {
    Node::new(Value::List(actions.iter().map(difference).collect()))
}

fn difference(action: &Action) -> Node {
    let (before, after) = sides(action);
    let text = |lines: Vec<String>| Node::text(lines.into_iter().map(|line| line + "\n").collect::<String>());
    let header = || Node::text(action.place.to_string());
    let parts = [("before_header", header()), ("after_header", header()), ("before", text(before)), ("after", text(after))];
    Node::new(Value::Map(parts.into_iter().map(|(key, node)| (key.to_owned(), node)).collect::<Map>()))
}

/// The lines of what was and of what will be.
fn sides(action: &Action) -> (Vec<String>, Vec<String>) {
    let one = |text: &str| vec![text.to_owned()];
    match &action.step {
        Step::Set { changes, .. } => {
            let shown = changes.iter().map(|change| {
                let (before, after) = change.shown();
                (format!("{}: {before}", change.option.spelling), format!("{}: {after}", change.option.spelling))
            });
            shown.unzip()
        }
        Step::Start => (one("started: false"), one("started: true")),
        Step::Stop => (one("started: true"), one("started: false")),
        Step::ChangeRole { from, to, .. } => (vec![format!("ReplicaRole: {from}")], vec![format!("ReplicaRole: {to}")]),
        Step::CreateInstance(settings) => (Vec::new(), created(action, settings)),
        Step::CreateBackend { settings, .. }
        | Step::CreateIndex { settings, .. }
        | Step::EnableReplica { settings, .. }
        | Step::CreateAgreement { settings, .. } => (Vec::new(), created(action, settings)),
        Step::RemoveInstance
        | Step::DeleteBackend { .. }
        | Step::DeleteIndex { .. }
        | Step::DisableReplica { .. }
        | Step::DeleteAgreement { .. } => (vec![format!("name: {}", action.object())], Vec::new()),
        _ => (Vec::new(), action.messages()),
    }
}

fn created(action: &Action, settings: &Settings) -> Vec<String> {
    let name = format!("name: {}", action.object());
    let options = settings.iter().map(|(option, setting)| format!("{}: {}", option.spelling, setting.shown()));
    std::iter::once(name).chain(options).collect()
}

//! A plan as differences: of each action, what was and what will be, as Ansible shows it. Secrets are masked.

use directory::{
    action::Action,
    explain::{self, Item},
    value::{Map, Node, Value},
};

/// One for each action.
pub(super) fn differences(actions: &[Action]) -> Node {
    let items = explain::explain(actions).actions;
    Node::new(Value::List(items.iter().map(difference).collect()))
}

fn difference(item: &Item) -> Node {
    let side = |value: &dyn Fn(&explain::Line) -> serde_json::Value| {
        let known = item.changes.iter().map(|line| (&line.option, value(line))).filter(|(_, value)| !value.is_null());
        known.map(|(option, value)| format!("{option}: {}\n", shown(&value))).collect::<String>()
    };
    let (before, mut after) = (side(&|line| line.before.clone()), side(&|line| line.after.clone()));
    if before.is_empty() && after.is_empty() {
        after = item.messages.iter().map(|message| format!("{message}\n")).collect();
    }
    let texts = [("before_header", &item.object), ("after_header", &item.object), ("before", &before), ("after", &after)];
    Node::new(Value::Map(texts.into_iter().map(|(key, text)| (key.to_owned(), Node::text(text))).collect::<Map>()))
}

/// A text without quotation marks; lists and numbers as JSON has them.
fn shown(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

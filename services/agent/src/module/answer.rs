//! The one object that a module answers: its keys, and that nothing in it is a secret.

use directory::{
    json,
    mask::Mask,
    value::{Map, Node, Value},
};

use super::log::Log;

/// What a run came to, in parts.
#[derive(Debug, Clone, Default)]
pub(super) struct Outcome {
    /// The input as it was received.
    pub(super) received: Option<Node>,
    /// The arguments of the subject, as they were received.
    pub(super) original: Option<Node>,
    /// The same as it was understood.
    pub(super) cooked: Option<Node>,
    /// What was changed, or would be.
    pub(super) changes: Vec<String>,
    /// The changes as what was and what will be, if that was asked for.
    pub(super) differences: Option<Node>,
    /// What the servers are, if that was asked for.
    pub(super) facts: Option<Node>,
    /// What went wrong, and what led there, the nearest first.
    pub(super) failure: Option<Failure>,
    /// What happened.
    pub(super) log: Log,
    /// How much is to be told.
    pub(super) verbosity: u8,
}

/// Why a run failed.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    /// What to tell a user.
    pub(super) message: String,
    /// In which step of a run.
    pub(super) step: &'static str,
}

/// What a process prints, and how it ends.
#[derive(Debug, Clone)]
pub struct Answer {
    /// One object of JSON, on one line.
    pub text: String,
    /// Whether the run failed.
    pub failed: bool,
}

impl Outcome {
    /// Puts the object together. Whatever the mask has learnt is nowhere in it.
    pub(super) fn answer(&self, mask: &Mask) -> Answer {
        let text = json::write(&self.compose(mask));
        Answer { text, failed: self.failure.is_some() }
    }

    fn compose(&self, mask: &Mask) -> Node {
        let mut keys: Vec<(&str, Node)> = Vec::new();
        let changes = texts(&self.changes);
        keys.push(("changed", Node::new(Value::Boolean(!self.changes.is_empty()))));
        keys.push(("msg", self.failure.as_ref().map_or_else(|| changes.clone(), |failure| Node::text(&failure.message))));
        if let Some(failure) = &self.failure {
            keys.push(("failed", Node::new(Value::Boolean(true))));
            keys.push(("exception", Node::text(format!("failed to {}: {}", failure.step, failure.message))));
            keys.push(("stderr", Node::text(self.log.errors().join("\n"))));
        }
        if let Some(facts) = &self.facts {
            keys.push(("ansible_facts", facts.clone()));
        }
        if let Some(differences) = &self.differences {
            keys.push(("diff", differences.clone()));
        }
        keys.push(("message", changes));
        let lines = self.log.lines(self.verbosity);
        if !lines.is_empty() {
            keys.push(("module_debug", Node::text(lines.join("\n"))));
        }
        keys.push(("debug", texts(&lines)));
        let made = keys.into_iter().map(|(key, node)| (key, mask.texts(&node)));
        let arguments = self.received.as_ref().and_then(Node::as_map).and_then(|map| map.get("ANSIBLE_MODULE_ARGS"));
        let invocation = mask.tree(arguments.unwrap_or(&Node::new(Value::Null)));
        let said = [
            ("invocation", Some(invocation.clone())),
            ("raw_invocation", Some(invocation)),
            ("original_message", self.original.as_ref().map(|node| mask.tree(node))),
            ("cooked_message", self.cooked.as_ref().map(|node| mask.tree(node))),
        ];
        let said = said.into_iter().map(|(key, node)| (key, node.unwrap_or(Node::new(Value::Null))));
        Node::new(Value::Map(made.chain(said).map(|(key, node)| (key.to_owned(), node)).collect::<Map>()))
    }
}

fn texts(items: &[String]) -> Node {
    Node::new(Value::List(items.iter().map(Node::text).collect()))
}

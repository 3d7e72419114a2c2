//! Builds the tree of values while serde_json reads: its own maps would forget the order of names and those that stand twice.

use std::{collections::HashSet, fmt};

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{UNSAFE, VAULT};
use crate::value::{Entry, Map, Node, Position, Value};

/// A text that is not the JSON of a tree of values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {problem}")]
pub struct Error {
    /// Where the problem was found.
    pub at: Position,
    /// What is wrong there.
    pub problem: String,
}

/// Reads a text. Values know no place: a program wrote them. A whole number beyond 64 bits without a sign is read as one with
/// a fraction, as JSON itself has but one kind.
pub fn parse(text: &str) -> Result<Node, Error> {
    match serde_json::from_str::<Read>(text) {
        Ok(Read(node)) => Ok(node),
        Err(error) => {
            let message = error.to_string();
            let place = format!(" at line {} column {}", error.line(), error.column());
            let problem = match message.strip_suffix(&place).unwrap_or(&message) {
                problem if problem.starts_with("EOF ") => format!("the text ends too early: {problem}"),
                problem => problem.to_owned(),
            };
            Err(Error { at: position(text, error.line(), error.column()), problem })
        }
    }
}

/// The place in characters, of which serde_json counts the bytes, and 0 before the first.
fn position(text: &str, line: usize, column: usize) -> Position {
    let line_text = text.split('\n').nth(line.saturating_sub(1)).unwrap_or("");
    let before = line_text.bytes().take(column).filter(|byte| byte & 0xc0 != 0x80).count();
    Position { line: line.max(1), column: before.max(1) }
}

struct Read(Node);

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Tree).map(Self)
    }
}

struct Tree;

impl<'de> Visitor<'de> for Tree {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::new(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::new(Value::Boolean(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::new(Value::Integer(value)))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Node, E> {
        i64::try_from(value).map(|value| Node::new(Value::Integer(value))).map_err(|_| {
            // Without the number, which may be a password.
            E::custom("a number here is larger than 64 bits may be; quote it to make it a string")
        })
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::new(Value::Float(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::text(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Node, E> {
        Ok(Node::text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(Read(node)) = values.next_element()? {
            list.push(node);
        }
        Ok(Node::new(Value::List(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut values: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        let mut keys = HashSet::new();
        while let Some(key) = values.next_key::<String>()? {
            if !keys.insert(key.clone()) {
                return Err(de::Error::custom(format_args!("key '{key}' is written twice in one object; remove one")));
            }
            let Read(node) = values.next_value()?;
            entries.push(Entry { key, at: None, node });
        }
        Ok(marked(entries))
    }
}

/// What an object stands for, which may be a text that Ansible marked.
fn marked(mut entries: Vec<Entry>) -> Node {
    if let [Entry { key, node: Node { value: Value::Text(text), .. }, .. }] = entries.as_mut_slice() {
        match key.as_str() {
            VAULT => return Node::new(Value::Vault(std::mem::take(text))),
            UNSAFE => return Node { is_literal: true, ..Node::text(std::mem::take(text)) },
            _ => {}
        }
    }
    Node::new(Value::Map(Map::from_distinct(entries)))
}

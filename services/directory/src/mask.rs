//! What of a tree of values may be shown, whoever wrote it and however wrong it is: secrets are masked by the name that they
//! stand under, and wherever else their text occurs.

use std::collections::BTreeSet;

use crate::{
    options::{self, Scope},
    secret::MASK,
    value::{Entry, Map, Node, Value},
    variables::nearest,
};

/// Shorter secrets are parts of too many words: they are masked only where nothing else stands.
const SHORTEST_PART: usize = 4;

/// What names of secrets have in them, where no option says what a name is.
const TELLTALES: [&str; 10] =
    ["passw", "passphrase", "pwd", "secret", "credential", "token", "symmetrickey", "private", "api_key", "vault_"];

/// Names that are no options and hold what may be seen.
const OPEN: [&str; 18] = [
    "ansible_module_args",
    "ds389",
    "ds389info",
    "instances",
    "ds389_instances",
    "ds389_server_instances",
    "backends",
    "indexes",
    "agmts",
    "ds389_agmts",
    "agreements",
    "prefix",
    "ds389_prefix",
    "ds389_server_prefix",
    "ds389_state",
    "target",
    "ansible_vars",
    "ds389_binary",
];

/// Hides secrets that it has learnt.
#[derive(Clone, Default)]
pub struct Mask {
    /// By their lengths, the longest first: one may be part of another.
    secrets: BTreeSet<(std::cmp::Reverse<usize>, String)>,
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mask").field("secrets", &self.secrets.len()).finish()
    }
}

impl Mask {
    /// Knows no secrets.
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers the secrets of a tree: what stands below names of secrets.
    pub fn learn(&mut self, node: &Node) {
        match &node.value {
            Value::Map(map) => {
                let aims_at_secret = aims_at_secret(map);
                for entry in map.entries() {
                    let hides = standing(&entry.key) == Standing::Secret || (aims_at_secret && is_change(&entry.key));
                    if hides { self.learn_all(&entry.node) } else { self.learn(&entry.node) }
                }
            }
            Value::List(items) => items.iter().for_each(|item| self.learn(item)),
            Value::Vault(text) => self.learn_text(text),
            _ => {}
        }
    }

    /// Remembers every value of a tree.
    pub fn learn_all(&mut self, node: &Node) {
        match &node.value {
            Value::Map(map) => map.entries().iter().for_each(|entry| self.learn_all(&entry.node)),
            Value::List(items) => items.iter().for_each(|item| self.learn_all(item)),
            Value::Text(text) | Value::Vault(text) => self.learn_text(text),
            Value::Integer(number) => self.learn_text(&number.to_string()),
            Value::Float(number) => self.learn_text(&number.to_string()),
            Value::Null | Value::Boolean(_) => {}
        }
    }

    fn learn_text(&mut self, text: &str) {
        // A text of several lines may be told line by line.
        for part in std::iter::once(text.trim()).chain(text.lines().map(str::trim)) {
            if !part.is_empty() && part != MASK {
                self.secrets.insert((std::cmp::Reverse(part.len()), part.to_owned()));
            }
        }
    }

    /// What was learnt and also stands in this tree where no name says that it is a secret: whoever gets the tree alone cannot
    /// know.
    pub fn strays(&self, node: &Node) -> Vec<String> {
        let mut found = BTreeSet::new();
        self.find_strays(node, &mut found);
        found.into_iter().collect()
    }

    fn find_strays(&self, node: &Node, found: &mut BTreeSet<String>) {
        let mut look = |text: &str| {
            let is_in = |secret: &str| secret == text.trim() || (is_part(secret) && text.contains(secret));
            found.extend(self.secrets.iter().map(|(_, secret)| secret).filter(|secret| is_in(secret)).cloned());
        };
        match &node.value {
            Value::Text(text) => look(text),
            Value::Integer(number) => look(&number.to_string()),
            Value::Float(number) => look(&number.to_string()),
            Value::List(items) => items.iter().for_each(|item| self.find_strays(item, found)),
            Value::Map(map) => {
                for entry in map.entries().iter().filter(|entry| standing(&entry.key) != Standing::Secret) {
                    self.find_strays(&entry.node, found);
                }
            }
            Value::Null | Value::Boolean(_) | Value::Vault(_) => {}
        }
    }

    /// The tree as it may be shown: masked by name, and by what was learnt.
    pub fn tree(&self, node: &Node) -> Node {
        self.node(node, true)
    }

    /// The tree with all that was learnt masked, whatever the names. For what was made here, whose names are not options.
    pub fn texts(&self, node: &Node) -> Node {
        self.node(node, false)
    }

    fn node(&self, node: &Node, by_name: bool) -> Node {
        let value = match &node.value {
            Value::Text(text) => Value::Text(self.text(text)),
            Value::Vault(_) => Value::Text(MASK.to_owned()),
            Value::Integer(number) if self.is_secret(&number.to_string()) => Value::Text(MASK.to_owned()),
            Value::Float(number) if self.is_secret(&number.to_string()) => Value::Text(MASK.to_owned()),
            Value::List(items) => Value::List(items.iter().map(|item| self.node(item, by_name)).collect()),
            Value::Map(map) => {
                let aims_at_secret = aims_at_secret(map);
                let mut shown = Map::new();
                for entry in map.entries() {
                    let may_be_seen = standing(&entry.key) == Standing::Open && !(aims_at_secret && is_change(&entry.key));
                    let node = match &entry.node.value {
                        Value::Null => entry.node.clone(),
                        _ if !by_name || may_be_seen => self.node(&entry.node, by_name),
                        _ => Node::text(MASK),
                    };
                    shown.insert(Entry { key: self.text(&entry.key), at: entry.at, node });
                }
                Value::Map(shown)
            }
            other => other.clone(),
        };
        Node { value, at: node.at, is_literal: node.is_literal }
    }

    fn is_secret(&self, text: &str) -> bool {
        self.secrets.iter().any(|(_, secret)| secret == text)
    }

    /// The text with all that was learnt masked.
    pub fn text(&self, text: &str) -> String {
        if self.is_secret(text.trim()) {
            return MASK.to_owned();
        }
        let parts = self.secrets.iter().map(|(_, secret)| secret).filter(|secret| is_part(secret));
        parts.fold(text.to_owned(), |text, secret| if text.contains(secret) { text.replace(secret, MASK) } else { text })
    }
}

/// Whether a secret is masked inside of other texts too.
fn is_part(secret: &str) -> bool {
    secret.chars().count() >= SHORTEST_PART
}

/// What a name says of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It may be seen.
    Open,
    /// It must not be seen, here or anywhere.
    Secret,
    /// Nothing is known of it: it is not shown, but its text may be anybody's.
    Unknown,
}

fn standing(name: &str) -> Standing {
    let name = name.to_lowercase();
    let options = Scope::ALL.iter().flat_map(|scope| scope.options());
    if options::is_secret(&name) {
        return Standing::Secret;
    }
    if Scope::ALL.iter().any(|scope| scope.option(&name).is_some()) || is_open(&name) {
        return Standing::Open;
    }
    if name.ends_with("pw") || TELLTALES.iter().any(|telltale| name.contains(telltale)) {
        return Standing::Secret;
    }
    // A slip of the pen makes a password none the less a secret.
    match nearest(&name, options.map(|option| option.name)) {
        Some(near) if options::is_secret(near) => Standing::Secret,
        _ => Standing::Unknown,
    }
}

fn is_open(name: &str) -> bool {
    let begins = ["ansible_host", "ansible_verbosity", "ansible_check_mode", "ansible_diff_mode", "_ansible_"];
    OPEN.contains(&name)
        || is_change(name)
        || begins.iter().any(|start| name.starts_with(start))
        || name.starts_with("ds389option")
        || name.starts_with("ds389_option")
}

/// Whether a name is that of what a modifier brings.
fn is_change(name: &str) -> bool {
    name.eq_ignore_ascii_case("merge") || name.eq_ignore_ascii_case("append")
}

/// Whether a map is a modifier that changes an option whose value must not be seen.
fn aims_at_secret(map: &Map) -> bool {
    let is_modifier = map.entries().iter().any(|entry| is_change(&entry.key));
    let name = map.entries().iter().find(|entry| entry.key.eq_ignore_ascii_case("name")).map(|entry| &entry.node);
    let names = name.and_then(Node::as_text).unwrap_or_default();
    is_modifier && names.split_whitespace().any(|name| standing(name.rsplit('.').next().unwrap_or_default()) == Standing::Secret)
}

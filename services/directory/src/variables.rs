//! The variables of one host that are about 389 DS, taken out of all that it has. Their names and all keys are in lower case
//! from here on; what is in them is for `modifiers` to change and for `specification` to understand.

use crate::{
    options::{self, Scope},
    place::{Place, Problems},
    value::{Entry, Map, Node, Value},
};

/// The variables of one host.
#[derive(Debug, Clone, PartialEq)]
pub struct Variables {
    /// `state`, which is said of one run, or else `ds389_state`.
    pub state: Option<Node>,
    /// `ds389_prefix`, or else `ds389_server_prefix`.
    pub prefix: Option<Node>,
    /// `ds389_instances`, or `ds389_server_instances`: a list.
    pub instances: Node,
    /// `ds389_agmts`: a list.
    pub agreements: Node,
    /// `ds389option*` and `ds389_option_*`, by name.
    pub modifiers: Vec<(String, Node)>,
}

impl Variables {
    /// Picks them out of a host's variables. Others are left alone, unless they look like one of ours that is not written right:
    /// left out without a word, it could have what it lists deleted.
    pub fn read(variables: &Node) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let root = Place::default();
        let mut found = Self {
            state: None,
            prefix: None,
            instances: Node::new(Value::List(Vec::new())),
            agreements: Node::new(Value::List(Vec::new())),
            modifiers: Vec::new(),
        };
        let empty = Map::new();
        let map = match &variables.value {
            Value::Map(map) => map,
            Value::Null => &empty,
            other => {
                problems.add(&root, variables.at, format!("wants variables with their names, not {}", other.kind()));
                &empty
            }
        };
        let mut instances = None;
        for entry in map.entries() {
            let name = entry.key.to_lowercase();
            let mut node = || lowered(&entry.node, &mut problems);
            match name.as_str() {
                "state" => found.state = Some(node()),
                "ds389_state" => found.state = found.state.or_else(|| Some(node())),
                "ds389_prefix" => found.prefix = Some(node()),
                "ds389_server_prefix" => found.prefix = found.prefix.or_else(|| Some(node())),
                "ds389_agmts" => found.agreements = node(),
                "ds389_instances" | "ds389_server_instances" => {
                    found.instances = node();
                    if let Some(other) = instances.replace(entry.key.clone()) {
                        let message = format!("'{}' and '{other}' mean the same: keep one of them", entry.key);
                        problems.add(&root, entry.at, message);
                    }
                }
                _ if name.starts_with("ds389option") || name.starts_with("ds389_option") => found.modifiers.push((name, node())),
                _ => {
                    if let Some(meant) = meant(&name) {
                        let message = format!("variable '{}' is unknown; did you mean '{meant}'?", entry.key);
                        problems.add(&root, entry.at, message);
                    }
                }
            }
        }
        // By name over both families, so that their order does not depend on that of files.
        found.modifiers.sort_by(|one, other| one.0.cmp(&other.0));
        problems.or(found)
    }

    /// The templates that nobody has rendered: where they are, and what they say.
    pub fn unrendered(&self) -> Problems {
        let mut problems = Problems::new();
        let modifiers = self.modifiers.iter().map(|(name, node)| (name.as_str(), node));
        let named = [("state", self.state.as_ref()), ("ds389_prefix", self.prefix.as_ref())];
        let named = named.into_iter().filter_map(|(name, node)| Some((name, node?)));
        let lists = [("ds389_instances", &self.instances), ("ds389_agmts", &self.agreements)];
        for (name, node) in named.chain(lists).chain(modifiers) {
            find_templates(name, name, node, &mut problems);
        }
        problems
    }
}

/// Whether a variable of this name is looked at here: it is ours, or begins as ours do.
pub fn is_ours(name: &str) -> bool {
    let name = name.to_lowercase();
    name == "state" || name.starts_with("ds389")
}

/// How names begin that may be meant for us.
const START: &str = "ds389";

/// How modifiers begin, after that.
const MODIFIER: &str = "_option_";

/// What follows in names of ours and in some that are taken for such, and the name that is meant.
const MEANT: [(&str, &str); 9] = [
    ("_instances", "ds389_instances"),
    ("_server_instances", "ds389_server_instances"),
    ("_agmts", "ds389_agmts"),
    ("_agreements", "ds389_agmts"),
    ("_server_agmts", "ds389_agmts"),
    ("_prefix", "ds389_prefix"),
    ("_server_prefix", "ds389_server_prefix"),
    ("_state", "ds389_state"),
    ("_server_state", "ds389_state"),
];

/// The variable of ours that one with a name like it was to be. What roles and users call `ds389_` something is farther off.
fn meant(name: &str) -> Option<&'static str> {
    let rest = name.strip_prefix(START)?;
    let is_near = |text: &str, known: &str| strsim::damerau_levenshtein(text, known) <= 1 + text.chars().count() / 8;
    let begins: String = rest.chars().take(MODIFIER.len()).collect();
    let known = MEANT.iter().find(|(known, _)| is_near(rest, known)).map(|(_, meant)| *meant);
    known.or_else(|| is_near(&begins, MODIFIER).then_some("ds389_option_"))
}

/// `; did you mean 'x'?`, for the known name that is nearest to one that is not, if one is near.
pub(crate) fn suggestion<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    nearest(name, known).map(|known| format!("; did you mean '{known}'?")).unwrap_or_default()
}

/// The known name that is nearest to one that is not, if one is near.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.map(|known| (strsim::damerau_levenshtein(name, known), known)).min();
    near.filter(|(distance, _)| *distance <= 1 + name.chars().count() / 4).map(|(_, known)| known)
}

/// The same with all keys in lower case.
fn lowered(node: &Node, problems: &mut Problems) -> Node {
    let value = match &node.value {
        Value::List(items) => Value::List(items.iter().map(|item| lowered(item, problems)).collect()),
        Value::Map(map) => {
            let mut keys = Map::new();
            for entry in map.entries() {
                let node = lowered(&entry.node, problems);
                let key = entry.key.to_lowercase();
                if let Some(first) = keys.insert(Entry { key, at: entry.at, node }) {
                    let also = first.at.map(|at| format!(", first at {at}")).unwrap_or_default();
                    problems.add(&Place::default(), entry.at, format!("key '{}' is written twice{also}", entry.key));
                }
            }
            Value::Map(keys)
        }
        other => other.clone(),
    };
    Node { value, at: node.at, is_literal: node.is_literal }
}

fn find_templates(path: &str, key: &str, node: &Node, problems: &mut Problems) {
    match &node.value {
        Value::Text(text) if is_template(node) => {
            // What is not known not to be a secret may be one, and only look like a template.
            let shown = if is_open(key) { format!(": {text}") } else { String::new() };
            let message =
                format!("{path} is a template that was not rendered{shown}; write its value: only Ansible renders templates");
            problems.add(&Place::default(), node.at, message);
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                find_templates(&format!("{path}[{index}]"), key, item, problems);
            }
        }
        Value::Map(map) => {
            for entry in map.entries() {
                find_templates(&format!("{path}.{}", entry.key), &entry.key, &entry.node, problems);
            }
        }
        _ => {}
    }
}

/// Whether it is a text that Ansible would render.
pub(crate) fn is_template(node: &Node) -> bool {
    !node.is_literal && node.as_text().is_some_and(|text| text.contains("{{") || text.contains("{%"))
}

/// Whether a key is that of an option that everybody may see.
fn is_open(key: &str) -> bool {
    !options::is_secret(key) && Scope::ALL.iter().any(|scope| scope.option(key).is_some())
}

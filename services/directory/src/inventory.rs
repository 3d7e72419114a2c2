//! Hosts and their variables, from what `ansible-inventory --list` prints or from a file with the variables of one host; and
//! which of the hosts this one is. What the variables mean is for `intent` to say.

use std::collections::BTreeMap;

use crate::{
    json,
    value::{Entry, Map, Node, Position, Value},
    yaml,
};

/// Hosts by their names in the inventory.
#[derive(Debug, Clone, PartialEq)]
pub struct Inventory {
    /// The variables of each.
    pub hosts: BTreeMap<String, Node>,
    /// The name of the host that is meant.
    pub host: String,
}

/// Why there are no variables of a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is neither YAML nor JSON.
    #[error("{problem}")]
    Syntax {
        /// Where it is not.
        at: Position,
        /// What is wrong there.
        problem: String,
    },
    /// What an inventory has for a host is no dictionary.
    #[error("host {host} has {kind} where its variables should be; write the inventory by ansible-inventory --list")]
    Variables {
        /// The host.
        host: String,
        /// What there is.
        kind: &'static str,
    },
    /// The host that was named is not there.
    #[error("host '{host}' is not in the inventory; it has {hosts}")]
    Unknown {
        /// The name.
        host: String,
        /// Those that are.
        hosts: String,
    },
    /// Nobody said which host this is.
    #[error("which host this is has to be said by --host: {reason} '{name}'; the inventory has {hosts}")]
    Unclear {
        /// Why its own name does not tell.
        reason: &'static str,
        /// Its own name.
        name: String,
        /// The hosts.
        hosts: String,
    },
}

/// Names that every host may have for itself.
const LOCAL: [&str; 2] = ["localhost", "127.0.0.1"];

/// How many hosts an error lists.
const LISTED: usize = 20;

/// Reads YAML or JSON. A text of JSON is told by its first character; YAML may begin with it too.
pub fn parse(text: &str) -> Result<Node, Error> {
    let as_yaml = || yaml::parse(text).map_err(|error| Error::Syntax { at: error.at, problem: error.problem.to_string() });
    let start = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if !start.starts_with(['{', '[']) {
        return as_yaml();
    }
    match json::parse(text) {
        // Where both readers read the same, YAML's also knows where each value stands.
        Ok(node) if is_inventory(&node) => Ok(node),
        Ok(node) => Ok(as_yaml().ok().filter(|placed| *placed == node).unwrap_or(node)),
        Err(error) => as_yaml().map_err(|_| Error::Syntax { at: error.at, problem: error.problem }),
    }
}

/// The hosts of an inventory, or the one host whose variables these are. `host` says which is meant, or else `own`, this
/// machine's name.
pub fn read(node: Node, host: Option<&str>, own: &str) -> Result<Inventory, Error> {
    let hosts = hosts(node, host.unwrap_or(own))?;
    let host = match host {
        Some(host) if hosts.contains_key(host) => host.to_owned(),
        Some(host) => return Err(Error::Unknown { host: host.to_owned(), hosts: listed(hosts.keys()) }),
        None => own_host(&hosts, own)?,
    };
    Ok(Inventory { hosts, host })
}

/// The hosts of an inventory, or the one host whose variables these are, which is called `own`.
pub fn hosts(node: Node, own: &str) -> Result<BTreeMap<String, Node>, Error> {
    let Some(variables) = hostvars(&node) else { return Ok(BTreeMap::from([(own.to_owned(), node)])) };
    let mut hosts = BTreeMap::new();
    for entry in variables.entries() {
        let mut node = entry.node.clone();
        match &mut node.value {
            // Of an inventory, this may be anything of anybody's: an address, say. Ours is `ds389_state`.
            Value::Map(map) => {
                let is_state = |entry: &&Entry| entry.key.eq_ignore_ascii_case("state");
                let states: Vec<String> = map.entries().iter().filter(is_state).map(|entry| entry.key.clone()).collect();
                states.iter().for_each(|state| drop(map.remove(state)));
            }
            Value::Null => {}
            other => return Err(Error::Variables { host: entry.key.clone(), kind: other.kind() }),
        }
        hosts.insert(entry.key.clone(), node);
    }
    Ok(hosts)
}

/// Whether a tree is what `ansible-inventory --list` prints.
pub fn is_inventory(node: &Node) -> bool {
    hostvars(node).is_some()
}

fn hostvars(node: &Node) -> Option<&Map> {
    node.as_map()?.get("_meta")?.as_map()?.get("hostvars")?.as_map()
}

/// The one host that has this machine's name: written the same, or with or without its domain, or as every machine calls
/// itself.
fn own_host(hosts: &BTreeMap<String, Node>, own: &str) -> Result<String, Error> {
    let label = |name: &str| name.split('.').next().unwrap_or(name).to_lowercase();
    let is_short = |name: &str| !name.contains('.');
    let is_near = |host: &str| (is_short(host) || is_short(own)) && label(host) == label(own);
    let found = |is_own: &dyn Fn(&str) -> bool| hosts.keys().filter(|host| is_own(host)).collect::<Vec<_>>();
    let mut names = found(&|host| host.eq_ignore_ascii_case(own));
    if names.is_empty() {
        names = found(&is_near);
    }
    if names.is_empty() {
        names = found(&|host| LOCAL.contains(&host));
    }
    let reason = match names.as_slice() {
        [name] => return Ok((*name).clone()),
        [] => "none has the name of this machine,",
        _ => "more than one has the name of this machine,",
    };
    Err(Error::Unclear { reason, name: own.to_owned(), hosts: listed(hosts.keys()) })
}

fn listed<'a>(hosts: impl ExactSizeIterator<Item = &'a String>) -> String {
    let count = hosts.len();
    if count == 0 {
        return "no hosts".to_owned();
    }
    let mut text = hosts.take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if count > LISTED {
        text.push_str(&format!(" and {} more", count - LISTED));
    }
    text
}

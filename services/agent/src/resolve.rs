//! What Ansible's plugin on the controller asks before anything moves: the variables of all hosts in, the arguments of one
//! host's module out. Nothing here touches a server, a file or a clock.

use std::collections::BTreeMap;

use directory::{
    dn::Dn,
    fleet::Member,
    intent::Intent,
    json,
    mask::Mask,
    place::Problems,
    setting::Secrets,
    specification::{Specification, State},
    value::{Entry, Map, Node, Value},
    variables::{self, Variables},
};

use crate::module::Answer;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Error {
    /// The input is no JSON.
    #[error("the input is not JSON: {0}")]
    Syntax(#[from] json::Error),
    /// The input lacks a part, or has one of the wrong kind.
    #[error("'{key}' of the input wants {wanted}")]
    Part {
        /// The part.
        key: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
    /// The task has an argument that means nothing.
    #[error("unexpected option '{key}' in plugin arguments: {advice}")]
    Argument {
        /// The argument.
        key: String,
        /// What may be there.
        advice: &'static str,
    },
    /// The host is not among the hosts.
    #[error("host '{0}' is not among the hosts of the input")]
    Host(String),
    /// What hosts should have makes no sense.
    #[error(transparent)]
    Problems(#[from] Problems),
}

/// What the plugin says.
struct Question {
    host: String,
    is_about_facts: bool,
    arguments: Map,
    hosts: BTreeMap<String, Node>,
    verbosity: i64,
    checks: bool,
    shows_differences: bool,
}

/// Answers one question of the plugin.
pub fn resolve(input: &str) -> Answer {
    let mut mask = Mask::new();
    let mut told = Map::new();
    let answered = json::parse(input).map_err(Error::from).and_then(|node| {
        mask.learn(&node);
        let question = Question::read(&node)?;
        question.answer(&mask, &mut told)
    });
    let failed = answered.is_err();
    let mut answer = answered.unwrap_or_else(|error| {
        let message = Node::text(mask.text(&error.to_string()));
        map([("failed", Node::new(Value::Boolean(true))), ("msg", message)])
    });
    insert(&mut answer, "result", Node::new(Value::Map(told)));
    Answer { text: json::write(&Node::new(Value::Map(answer))), failed }
}

impl Question {
    fn read(node: &Node) -> Result<Self, Error> {
        let empty = Map::new();
        let map = node.as_map().unwrap_or(&empty);
        let dictionary = |key: &'static str| match map.get(key).map(|node| &node.value) {
            Some(Value::Map(map)) => Ok(map.clone()),
            None | Some(Value::Null) => Ok(Map::new()),
            Some(_) => Err(Error::Part { key, wanted: "a dictionary" }),
        };
        let is_on = |key: &str| map.get(key).is_some_and(|node| node.value == Value::Boolean(true));
        let text = |key| map.get(key).and_then(Node::as_text);
        let verbosity = match map.get("verbosity").map(|node| &node.value) {
            Some(Value::Integer(number)) => *number,
            None | Some(Value::Null) => 0,
            Some(_) => return Err(Error::Part { key: "verbosity", wanted: "a whole number" }),
        };
        Ok(Self {
            host: text("host").ok_or(Error::Part { key: "host", wanted: "the name of a host" })?.to_owned(),
            is_about_facts: match text("action") {
                Some("server") => false,
                Some("info") => true,
                _ => return Err(Error::Part { key: "action", wanted: "'server' or 'info'" }),
            },
            arguments: dictionary("args")?,
            hosts: dictionary("hosts")?.into_iter().map(|entry| (entry.key, entry.node)).collect(),
            verbosity,
            checks: is_on("check_mode"),
            shows_differences: is_on("diff"),
        })
    }

    /// The module's arguments. What is told at this verbosity is put into `told` as soon as it is known, for the reader of an
    /// error needs it most.
    fn answer(&self, mask: &Mask, told: &mut Map) -> Result<Map, Error> {
        let mut tell = |verbosity: i64, key: &str, node: &dyn Fn() -> Node| {
            if self.verbosity >= verbosity {
                insert(told, key, node());
            }
        };
        tell(1, "plugin_args", &|| mask.tree(&Node::new(Value::Map(self.arguments.clone()))));
        tell(5, "inventory", &|| {
            let ours = self.hosts.iter().map(|(host, node)| (mask.text(host), mask.tree(&ours(node))));
            Node::new(Value::Map(ours.collect::<Map>()))
        });
        let hosts = self.overridden()?;
        let subject = if self.is_about_facts {
            self.subject("ds389info", prefix(hosts.get(&self.host))?, &[], mask)
        } else {
            let intent = Intent::read_rendered(&hosts).inspect_err(|_| {
                let alone = alone(&hosts);
                tell(3, "hosts", &|| described(mask, alone.iter().flat_map(|intent| intent.fleet().iter())));
                tell(4, "replicated_backends", &|| texts(mask, &alone.iter().flat_map(Intent::backends).collect::<Vec<_>>()));
                tell(5, "modifier_names", &|| {
                    let hosts = hosts.iter().map(|(host, node)| (mask.text(host), texts(mask, &names(host, node))));
                    Node::new(Value::Map(hosts.collect::<Map>()))
                });
            })?;
            tell(3, "hosts", &|| described(mask, intent.fleet().iter()));
            tell(4, "replicated_backends", &|| texts(mask, &intent.backends()));
            tell(5, "modifier_names", &|| {
                let names = self.hosts.keys().map(|host| (mask.text(host), texts(mask, intent.names(host))));
                Node::new(Value::Map(names.collect::<Map>()))
            });
            let resolved = self.resolved(&intent)?;
            self.subject("ds389", share(&resolved), &resolved.numbers, mask)
        };
        tell(1, "module_args", &|| mask.tree(&subject));
        Ok(map([("module_args", subject)]))
    }

    /// What this host should have, if there is nothing wrong with any: they are asked about one by one, and nothing is to move
    /// on one when another cannot follow.
    fn resolved(&self, intent: &Intent) -> Result<Specification, Problems> {
        let mut problems = Problems::new();
        let mut own = Specification::default();
        for (host, _) in intent.fleet().iter() {
            match intent.specification(host) {
                Ok(specification) if host == self.host => own = specification,
                Ok(_) => {}
                Err(found) => problems.extend(found),
            }
        }
        if self.is_to_go() {
            own.state = State::Absent;
        }
        problems.or(own)
    }

    /// Whether the task removes what this host has. It does not make the inventory wrong in which other hosts target it.
    fn is_to_go(&self) -> bool {
        let said = self.arguments.entries().iter().find(|entry| same_variable(&entry.key.to_lowercase()) == "state");
        said.and_then(|entry| entry.node.as_text()).is_some_and(|state| state.eq_ignore_ascii_case("absent"))
    }

    /// The hosts, where arguments stand in the place of the variables of this one.
    fn overridden(&self) -> Result<BTreeMap<String, Node>, Error> {
        let mut hosts = self.hosts.clone();
        for node in hosts.values_mut() {
            // Of an inventory, this may be anything of anybody's: ours is `ds389_state`.
            node.as_map_mut().map(|variables| variables.remove("state"));
        }
        let host = hosts.get_mut(&self.host).ok_or_else(|| Error::Host(self.host.clone()))?;
        let variables = host.as_map_mut().ok_or(Error::Part { key: "hosts", wanted: "a dictionary for each host" })?;
        for entry in self.arguments.entries() {
            let name = entry.key.to_lowercase();
            if name.starts_with('_') {
                continue;
            }
            let is_known = if self.is_about_facts { name.ends_with("_prefix") } else { variables::is_ours(&name) };
            if !is_known || !(name == "state" || name.starts_with("ds389")) {
                let advice = if self.is_about_facts {
                    "ds389_prefix may be there"
                } else {
                    "state may be there, and any variable whose name begins with ds389"
                };
                return Err(Error::Argument { key: entry.key.clone(), advice });
            }
            let others: Vec<String> = variables.entries().iter().map(|known| known.key.clone()).collect();
            if same_variable(&name) == "state" && self.is_to_go() {
                continue;
            }
            for other in others.into_iter().filter(|other| same_variable(&other.to_lowercase()) == same_variable(&name)) {
                variables.remove(&other);
            }
            variables.insert(Entry { key: name, at: None, node: entry.node.clone() });
        }
        Ok(hosts)
    }

    /// The arguments of a module, with what Ansible says of the run, the numbers of the suppliers of all hosts, and which of the
    /// texts in them are secrets that their names do not tell.
    fn subject(&self, key: &str, mut arguments: Map, numbers: &[(Dn, u16)], mask: &Mask) -> Node {
        let address = self.hosts.get(&self.host).and_then(Node::as_map).and_then(|variables| variables.get("ansible_host"));
        let address = address.and_then(Node::as_text).unwrap_or(&self.host);
        let suppliers = suppliers(numbers);
        let strays = mask.strays(&Node::new(Value::List(vec![Node::new(Value::Map(arguments.clone())), suppliers.clone()])));
        let mut run = map([
            ("ansible_host", Node::text(address)),
            ("ansible_verbosity", Node::new(Value::Integer(self.verbosity))),
            ("ansible_check_mode", Node::new(Value::Boolean(self.checks))),
            ("ansible_diff_mode", Node::new(Value::Boolean(self.shows_differences))),
        ]);
        if !numbers.is_empty() {
            insert(&mut run, "backends", suppliers);
        }
        if !strays.is_empty() {
            insert(&mut run, "secrets", Node::new(Value::List(strays.iter().map(Node::text).collect())));
        }
        insert(&mut arguments, "ansible_vars", Node::new(Value::Map(run)));
        Node::new(Value::Map(map([(key, Node::new(Value::Map(arguments)))])))
    }
}

/// Of hosts that make no sense together, those that do by themselves.
fn alone(hosts: &BTreeMap<String, Node>) -> Vec<Intent> {
    let alone = |(host, node): (&String, &Node)| Intent::read_rendered(&BTreeMap::from([(host.clone(), node.clone())])).ok();
    hosts.iter().filter_map(alone).collect()
}

/// The names that modifiers of a host may use. Where those that it has are wrong, they are what is being looked for: then those
/// that the first of them may use.
fn names(host: &str, node: &Node) -> Vec<String> {
    let read = |node: &Node| {
        let intent = Intent::read_rendered(&BTreeMap::from([(host.to_owned(), node.clone())])).ok()?;
        Some(intent.names(host).to_vec())
    };
    let entries = node.as_map().map(Map::entries).unwrap_or_default().iter();
    let is_modifier = |name: &str| name.starts_with("ds389option") || name.starts_with("ds389_option");
    let others = entries.filter(|entry| !is_modifier(&entry.key.to_lowercase())).cloned();
    let others = others.map(|entry| (entry.key, entry.node)).collect::<Map>();
    read(node).or_else(|| read(&Node::new(Value::Map(others)))).unwrap_or_default()
}

/// What each host should be.
fn described<'a>(mask: &Mask, hosts: impl Iterator<Item = (&'a str, &'a Member)>) -> Node {
    let described = hosts.map(|(host, member)| (mask.text(host), mask.tree(&member.specification.write(Secrets::Masked))));
    Node::new(Value::Map(described.collect::<Map>()))
}

/// A host's share: what it should have, under the names of the module's arguments.
fn share(specification: &Specification) -> Map {
    let mut written = match specification.write(Secrets::Revealed).value {
        Value::Map(map) => map,
        _ => Map::new(),
    };
    let names = [
        ("state", "state"),
        ("ds389_prefix", "prefix"),
        ("ds389_instances", "instances"),
        // All of them are agreements of backends by now.
        ("ds389_agmts", "agmts"),
    ];
    let mut share = Map::new();
    for (variable, argument) in names {
        if let Some(entry) = written.remove(variable) {
            insert(&mut share, argument, entry.node);
        }
    }
    share
}

/// Suppliers by their numbers, as the module reads them: it knows this host alone, and must not have a number forgotten that
/// another host has.
fn suppliers(numbers: &[(Dn, u16)]) -> Node {
    let supplier = |(suffix, id): &(Dn, u16)| {
        let id = Node::new(Value::Integer(i64::from(*id)));
        Node::new(Value::Map(map([("suffix", Node::text(suffix.as_str())), ("ReplicaId", id)])))
    };
    Node::new(Value::List(numbers.iter().map(supplier).collect()))
}

/// The prefix among a host's variables, as an argument.
fn prefix(variables: Option<&Node>) -> Result<Map, Problems> {
    let entries = variables.and_then(Node::as_map).map(Map::entries).unwrap_or_default();
    let is_prefix = |entry: &&Entry| same_variable(&entry.key.to_lowercase()) == "ds389_prefix";
    let alone: Map = entries.iter().filter(is_prefix).map(|entry| ("ds389_prefix".to_owned(), entry.node.clone())).collect();
    let variables = Variables::read(&Node::new(Value::Map(alone)))?;
    let prefix = Specification::read(&variables)?.prefix;
    Ok(prefix.map(|prefix| ("prefix".to_owned(), Node::text(prefix))).into_iter().collect())
}

/// Of the names of one variable, the same.
fn same_variable(name: &str) -> &str {
    match name {
        "ds389_server_instances" => "ds389_instances",
        "ds389_server_prefix" => "ds389_prefix",
        "ds389_state" => "state",
        name => name,
    }
}

/// Of a host's variables, those that are about 389 DS, and where it is reached.
fn ours(node: &Node) -> Node {
    let is_ours = |name: &str| {
        let name = name.to_lowercase();
        (name != "state" && variables::is_ours(&name)) || name == "ansible_host" || name.starts_with("vault_")
    };
    let entries = node.as_map().map(Map::entries).unwrap_or_default();
    let ours = entries.iter().filter(|entry| is_ours(&entry.key)).map(|entry| (entry.key.clone(), entry.node.clone()));
    Node::new(Value::Map(ours.collect::<Map>()))
}

fn insert(map: &mut Map, key: &str, node: Node) {
    map.insert(Entry { key: key.to_owned(), at: None, node });
}

fn map<const N: usize>(entries: [(&str, Node); N]) -> Map {
    entries.into_iter().map(|(key, node)| (key.to_owned(), node)).collect()
}

fn texts(mask: &Mask, items: &[String]) -> Node {
    Node::new(Value::List(items.iter().map(|item| Node::text(mask.text(item))).collect()))
}

#[cfg(test)]
mod tests;

//! From variables to a specification.

use std::collections::BTreeMap;

use crate::{
    codec::Codec,
    dn::Dn,
    options::{Definition, Scope},
    place::{Place, Problems},
    setting::{Setting, Settings},
    specification::{Backend, Child, Instance, Presence, Role, RoleWish, Specification, State, Targeted, is_instance_name},
    value::{Entry, Map, Node, Position, Value},
    variables::{Variables, suggestion},
};

/// The shortest password of an administrator, as dscreate has it.
const SHORTEST_PASSWORD: usize = 8;

pub(super) fn specification(variables: &Variables) -> Result<Specification, Problems> {
    let mut reader = Reader { problems: Problems::new() };
    let root = Place::default();
    let state = reader.state(variables.state.as_ref());
    let prefix = reader.prefix(variables.prefix.as_ref());
    let instances = reader.list(&root, "ds389_instances", Some(&variables.instances), Reader::instance);
    reader.unique(&root, instances.iter().map(|instance| (instance.name.as_str(), instance.at)));
    let targeted = reader.list(&root, "ds389_agmts", Some(&variables.agreements), Reader::targeted);
    reader.problems.or(Specification {
        state,
        prefix,
        instances,
        targeted,
        numbers: Vec::new(),
        gone: Vec::new(),
        identities: None,
    })
}

struct Reader {
    problems: Problems,
}

/// An object of any kind, as far as all kinds are the same.
struct Object {
    place: Place,
    name: String,
    presence: Presence,
    settings: Settings,
}

impl Reader {
    fn state(&mut self, node: Option<&Node>) -> State {
        let Some(node) = node else { return State::Present };
        let text = match &node.value {
            Value::Null => return State::Present,
            Value::Text(text) => text.to_lowercase(),
            other => other.kind().to_owned(),
        };
        match text.as_str() {
            "present" => State::Present,
            "updated" | "update" => State::Updated,
            "absent" => State::Absent,
            "started" => State::Started,
            "stopped" => State::Stopped,
            _ => {
                let message = format!("'state' wants one of present, updated, absent, started, stopped, not '{text}'");
                self.problems.add(&Place::default(), node.at, message);
                State::Present
            }
        }
    }

    fn prefix(&mut self, node: Option<&Node>) -> Option<String> {
        let node = node?;
        let shown = match &node.value {
            Value::Null => return None,
            Value::Text(text) if text.is_empty() || text.starts_with('/') => {
                return Some(text.trim_end_matches('/').to_owned()).filter(|prefix| !prefix.is_empty());
            }
            Value::Text(text) => format!("'{text}'"),
            other => other.kind().to_owned(),
        };
        self.problems.add(&Place::default(), node.at, format!("'ds389_prefix' wants an absolute path, not {shown}"));
        None
    }

    /// Reads each dictionary of a list.
    fn list<T>(
        &mut self,
        place: &Place,
        key: &str,
        node: Option<&Node>,
        mut read: impl FnMut(&mut Self, &Map, Option<Position>) -> Option<T>,
    ) -> Vec<T> {
        let items = match node.map(|node| (&node.value, node.at)) {
            None | Some((Value::Null, _)) => return Vec::new(),
            Some((Value::List(items), _)) => items,
            Some((other, at)) => {
                self.problems.add(place, at, format!("'{key}' wants a list, not {}", other.kind()));
                return Vec::new();
            }
        };
        let mut found = Vec::new();
        for (index, item) in items.iter().enumerate() {
            match &item.value {
                Value::Map(map) => found.extend(read(self, map, item.at)),
                other => {
                    let message = format!("'{key}[{index}]' wants a dictionary, not {}", other.kind());
                    self.problems.add(place, item.at, message);
                }
            }
        }
        found
    }

    /// Siblings have names of their own.
    fn unique<'a>(&mut self, place: &Place, names: impl Iterator<Item = (&'a str, Option<Position>)>) {
        let mut seen = BTreeMap::new();
        for (name, at) in names {
            if let Some(first) = seen.insert(name.to_lowercase(), at) {
                let also = first.map(|at| format!(", first at {at}")).unwrap_or_default();
                self.problems.add(place, at, format!("name '{name}' is used twice{also}"));
            }
        }
    }

    /// Name, state and options; `children` are the keys that hold other objects.
    fn object(&mut self, parent: &Place, scope: Scope, map: &Map, at: Option<Position>, children: &[&str]) -> Option<Object> {
        let is_name = |key: &str| scope.option(key).is_some_and(|option| option.name == "name");
        let named = map.entries().iter().find(|entry| is_name(&entry.key) && entry.node.value != Value::Null);
        let Some(named) = named else {
            self.problems.add(parent, at, format!("an {} has no 'name'", scope.noun()).replace("an backend", "a backend"));
            return None;
        };
        let name = match Codec::Name.read(&named.node) {
            Ok(Setting::Text(name)) => name,
            _ => "?".to_owned(),
        };
        let place = parent.child(scope, name);
        let mut settings = self.settings(&place, scope, map, children);
        let Some(Setting::Text(name)) = settings.remove("name") else { return None };
        let presence = match settings.remove("state") {
            Some(Setting::Text(state)) if state == "absent" => Presence::Absent,
            _ => Presence::Present,
        };
        if presence == Presence::Present {
            for option in scope.options().iter().filter(|option| option.required && option.name != "name") {
                let is_said = |entry: &Entry| entry.node.value != Value::Null && scope.option(&entry.key) == Some(option);
                let is_missing = match settings.get(option.name) {
                    Some(Setting::List(items)) => items.is_empty(),
                    Some(_) => false,
                    // What is wrong with one that could not be read has been told.
                    None => !map.entries().iter().any(is_said),
                };
                if is_missing {
                    self.problems.add(&place, at, format!("option '{}' is missing: {}", option.spelling, option.doc));
                }
            }
        }
        Some(Object { place, name, presence, settings })
    }

    fn settings(&mut self, place: &Place, scope: Scope, map: &Map, children: &[&str]) -> Settings {
        let mut settings = Settings::new();
        for entry in map.entries().iter().filter(|entry| !children.contains(&entry.key.as_str())) {
            let Some(option) = scope.option(&entry.key) else {
                let known = scope.options().iter().map(|option| option.name).chain(children.iter().copied());
                let message = format!("option '{}' is unknown{}", entry.key, suggestion(&entry.key, known));
                self.problems.add(place, entry.at, message);
                continue;
            };
            if settings.get(option.name).is_some() {
                self.problems.add(place, entry.at, format!("option '{}' is written under two of its names", option.spelling));
                continue;
            }
            match value(option, &entry.node) {
                Ok(Some(setting)) => settings.insert(option, setting),
                Ok(None) => {}
                Err(message) => self.problems.add(place, entry.node.at, format!("option '{}' {message}", option.spelling)),
            }
        }
        settings
    }

    fn instance(&mut self, map: &Map, at: Option<Position>) -> Option<Instance> {
        let object = self.object(&Place::default(), Scope::Instance, map, at, &["backends"])?;
        let Object { place, name, presence, mut settings } = object;
        let name = name.strip_prefix("slapd-").map(str::to_owned).unwrap_or(name);
        if !is_instance_name(&name) {
            let message =
                format!("'{name}' is no name for an instance: it may have up to 80 letters, digits and any of - _ # % : @");
            self.problems.add(&place, at, message);
        }
        if let Some(password) = settings.secret("rootpw").filter(|password| !password.is_hashed())
            && password.reveal().chars().count() < SHORTEST_PASSWORD
        {
            let is_password = |key: &str| Scope::Instance.option(key).is_some_and(|option| option.name == "rootpw");
            let at = map.entries().iter().find(|entry| is_password(&entry.key)).and_then(|entry| entry.node.at);
            self.problems.add(&place, at, format!("option 'rootpw' has fewer than {SHORTEST_PASSWORD} characters"));
        }
        for (one, other) in [("tls_cert", "tls_key"), ("tls_key", "tls_cert")] {
            if settings.get(one).is_some() && settings.get(other).is_none() {
                self.problems.add(&place, at, format!("option '{other}' is missing: '{one}' is of no use without it"));
            }
        }
        let started = match settings.remove("started") {
            Some(Setting::Switch(on)) => Some(on),
            _ => None,
        };
        let backends = self.list(&place, "backends", map.get("backends"), |reader, map, at| reader.backend(&place, map, at));
        self.unique(&place, backends.iter().map(|backend| (backend.name.as_str(), backend.at)));
        self.unique_suffixes(&place, &backends);
        Some(Instance { name, at, presence, started, settings, backends })
    }

    /// The server takes a second backend for a suffix without a word, and does not use it.
    fn unique_suffixes(&mut self, place: &Place, backends: &[Backend]) {
        let mut seen: BTreeMap<&Dn, &str> = BTreeMap::new();
        for backend in backends.iter().filter(|backend| backend.presence == Presence::Present) {
            let Some(suffix) = &backend.suffix else { continue };
            if let Some(other) = seen.insert(suffix, &backend.name) {
                let message = format!("suffix {suffix} is that of backend {other} already");
                self.problems.add(&place.child(Scope::Backend, &backend.name), backend.at, message);
            }
        }
    }

    fn backend(&mut self, parent: &Place, map: &Map, at: Option<Position>) -> Option<Backend> {
        let object = self.object(parent, Scope::Backend, map, at, &["indexes", "agmts", "agreements"])?;
        let Object { place, name, presence, mut settings } = object;
        let suffix = match settings.remove("suffix") {
            Some(Setting::Text(suffix)) => Dn::parse(&suffix).ok(),
            _ => None,
        };
        let role = match settings.remove("replicarole") {
            Some(Setting::Text(role)) => Role::named(&role).map_or(RoleWish::None, RoleWish::Role),
            _ => RoleWish::AsItIs,
        };
        let replica_id = match settings.remove("replicaid") {
            Some(Setting::Number(id)) => u16::try_from(id).ok(),
            _ => None,
        };
        let indexes =
            self.list(&place, "indexes", map.get("indexes"), |reader, map, at| reader.child(&place, Scope::Index, map, at));
        self.unique(&place, indexes.iter().map(|index| (index.name.as_str(), index.at)));
        if let (Some(_), Some(other)) = (map.get("agmts"), map.get("agreements")) {
            self.problems.add(&place, other.at, "'agmts' and 'agreements' mean the same: keep one of them");
        }
        let listed = map.get("agmts").or(map.get("agreements"));
        let agreements = self.list(&place, "agmts", listed, |reader, map, at| reader.child(&place, Scope::Agreement, map, at));
        self.unique(&place, agreements.iter().map(|agreement| (agreement.name.as_str(), agreement.at)));
        let lists_agreements = listed.is_some();
        Some(Backend { name, at, presence, suffix, role, replica_id, settings, indexes, agreements, lists_agreements })
    }

    fn child(&mut self, parent: &Place, scope: Scope, map: &Map, at: Option<Position>) -> Option<Child> {
        let Object { name, presence, settings, .. } = self.object(parent, scope, map, at, &[])?;
        Some(Child { name, at, presence, settings })
    }

    fn targeted(&mut self, map: &Map, at: Option<Position>) -> Option<Targeted> {
        let root = Place::default();
        let mut settings = self.settings(&root, Scope::Agreement, map, &["target"]);
        let name = match settings.remove("name") {
            Some(Setting::Text(name)) => Some(name),
            _ => None,
        };
        let targets = match map.get("target").map(|node| &node.value) {
            None | Some(Value::Null) => {
                self.problems.add(&root, at, "an element of 'ds389_agmts' has no 'target'");
                return None;
            }
            Some(Value::Text(target)) => vec![target.clone()],
            Some(Value::List(items)) if items.iter().all(|item| item.as_text().is_some()) => {
                items.iter().filter_map(Node::as_text).map(str::to_owned).collect()
            }
            Some(other) => {
                let message = format!("'target' wants a string or a list of strings, not {}", other.kind());
                self.problems.add(&root, at, message);
                return None;
            }
        };
        Some(Targeted { name, at, targets, settings })
    }
}

/// The value of an option; `None` for an explicit nothing, which is the same as not writing it.
fn value(option: &'static Definition, node: &Node) -> Result<Option<Setting>, String> {
    if node.value == Value::Null && !option.codec.is_list() {
        return Ok(None);
    }
    option.codec.read(node).map(Some)
}

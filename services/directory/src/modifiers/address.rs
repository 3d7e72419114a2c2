//! What a modifier can change, and by which names. What it does there is for `modifiers`.
//!
//! A name is components with dots between them. Components may have dots of their own, so names are not split and looked up:
//! all there are are listed, and a text is held against each.

use crate::{
    options::Scope,
    value::{Entry, Map, Node, Value},
    variables::Variables,
};

/// Names of the variable that holds instances.
const INSTANCES: [&str; 2] = ["ds389_instances", "ds389_server_instances"];

/// Name of the variable that holds targeted agreements.
const AGREEMENTS: &str = "ds389_agmts";

/// Something that a modifier can change.
#[derive(Debug, Clone)]
pub(super) struct Address {
    components: Vec<Component>,
    root: Root,
    steps: Vec<Step>,
    /// What it is.
    pub(super) holds: Holds,
    /// What kind of object it is, or belongs to. The variables belong to none.
    pub(super) scope: Option<Scope>,
}

/// What is at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// A dictionary: an object.
    Dictionary,
    /// A list, or nothing where a list can be.
    List,
    /// Any other value, in a user's words.
    Other(&'static str),
}

#[derive(Debug, Clone)]
struct Component {
    text: String,
    lower: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The name of an instance.
    Instance,
    /// The name of an object of an instance.
    Object,
    /// The name of an element of the agreements' variable.
    Element,
    /// The name of a variable or a key.
    Key,
}

#[derive(Debug, Clone, Copy)]
enum Root {
    Instances,
    Agreements,
}

#[derive(Debug, Clone)]
enum Step {
    Item(usize),
    Key(String),
}

/// All that modifiers of these variables can change.
pub(super) fn all(variables: &Variables) -> Vec<Address> {
    let mut found = Vec::new();
    let agreements = (AGREEMENTS, Root::Agreements, &variables.agreements);
    let variable = INSTANCES.map(|name| (name, Root::Instances, &variables.instances));
    for (name, root, node) in variable.into_iter().chain([agreements]) {
        let components = vec![Component::new(name, Kind::Key)];
        found.push(Address { components, root, steps: Vec::new(), holds: Holds::of(Some(node), true), scope: None });
    }
    for (root, node, scope) in
        [(Root::Instances, &variables.instances, Scope::Instance), (Root::Agreements, &variables.agreements, Scope::Agreement)]
    {
        let top = Address { components: Vec::new(), root, steps: Vec::new(), holds: Holds::List, scope: None };
        add_items(&mut found, &top, node, scope);
    }
    found
}

/// The addresses that a text with or without `*` stands for. Where a text can be read in several ways because names have
/// dots, that with the longest names from the left counts.
pub(super) fn matching<'a>(addresses: &'a [Address], text: &str, wanted: Holds) -> Vec<&'a Address> {
    let lower = text.to_lowercase();
    let parts: Vec<&str> = lower.split('.').collect();
    let found: Vec<(Vec<usize>, &Address)> =
        addresses.iter().filter_map(|address| Some((address.widths(&parts)?, address))).collect();
    // A key may be the name of an object as well: the modifier says which of the two it can change.
    let fits = found.iter().any(|(_, address)| address.holds == wanted);
    let found: Vec<_> = found.into_iter().filter(|(_, address)| !fits || address.holds == wanted).collect();
    let longest = found.iter().map(|(widths, _)| widths).max().cloned();
    found.into_iter().filter(|(widths, _)| Some(widths) == longest.as_ref()).map(|(_, address)| address).collect()
}

impl Address {
    /// Its name, as its parts are written.
    pub(super) fn name(&self) -> String {
        self.components.iter().map(|component| component.text.as_str()).collect::<Vec<_>>().join(".")
    }

    /// What a user calls it.
    pub(super) fn noun(&self) -> &'static str {
        match (self.holds, self.components.last().map(|component| component.kind), self.scope) {
            (Holds::Other(noun), ..) => noun,
            (Holds::List, ..) => "a list",
            (Holds::Dictionary, Some(Kind::Element), _) => "an element of ds389_agmts",
            (Holds::Dictionary, Some(Kind::Instance), _) => "an instance",
            (Holds::Dictionary, Some(Kind::Object), Some(Scope::Backend)) => "a backend",
            (Holds::Dictionary, Some(Kind::Object), Some(Scope::Index)) => "an index",
            (Holds::Dictionary, Some(Kind::Object), Some(Scope::Agreement)) => "an agreement",
            (Holds::Dictionary, ..) => "a dictionary",
        }
    }

    /// The value there; an empty list is put where a list can be and is not.
    pub(super) fn value<'a>(&self, variables: &'a mut Variables) -> Option<&'a mut Value> {
        let mut node = match self.root {
            Root::Instances => &mut variables.instances,
            Root::Agreements => &mut variables.agreements,
        };
        for step in &self.steps {
            node = match (step, &mut node.value) {
                (Step::Item(index), Value::List(items)) => items.get_mut(*index)?,
                (Step::Key(key), Value::Map(map)) => {
                    if map.get(key).is_none() {
                        map.insert(Entry { key: key.clone(), at: None, node: Node::new(Value::Null) });
                    }
                    map.get_mut(key)?
                }
                _ => return None,
            };
        }
        if self.holds == Holds::List && node.value == Value::Null {
            node.value = Value::List(Vec::new());
        }
        Some(&mut node.value)
    }

    /// How many parts of a text each component takes, if together they take them all.
    fn widths(&self, parts: &[&str]) -> Option<Vec<usize>> {
        let mut rest = parts;
        let mut widths = Vec::with_capacity(self.components.len());
        for component in &self.components {
            let width = component.width(rest)?;
            rest = &rest[width..];
            widths.push(width);
        }
        rest.is_empty().then_some(widths)
    }

    fn below(&self, step: Step, component: Component, holds: Holds, scope: Scope) -> Self {
        let mut address = self.clone();
        address.steps.push(step);
        address.components.push(component);
        address.holds = holds;
        address.scope = Some(scope);
        address
    }
}

impl Component {
    fn new(text: &str, kind: Kind) -> Self {
        Self { text: text.to_owned(), lower: text.to_lowercase(), kind }
    }

    /// How many of the parts it takes.
    fn width(&self, parts: &[&str]) -> Option<usize> {
        let any = matches!(self.kind, Kind::Instance | Kind::Object);
        if any && parts.first() == Some(&"*") {
            return Some(1);
        }
        let width = self.lower.split('.').count();
        let text = parts.get(..width)?.join(".");
        let text = if self.kind == Kind::Instance { bare(&text) } else { &text };
        (text == self.lower).then_some(width)
    }
}

impl Holds {
    /// What a value is, where a list may be or not.
    fn of(node: Option<&Node>, may_be_list: bool) -> Self {
        match node.map_or(&Value::Null, |node| &node.value) {
            Value::Null if may_be_list => Self::List,
            Value::List(_) => Self::List,
            Value::Map(_) => Self::Dictionary,
            other => Self::Other(other.kind()),
        }
    }
}

/// Keys of an object that hold others: under any of these names, of this kind.
fn children(scope: Scope) -> &'static [(&'static [&'static str], Scope)] {
    match scope {
        Scope::Instance => &[(&["backends"], Scope::Backend)],
        Scope::Backend => &[(&["indexes"], Scope::Index), (&["agmts", "agreements"], Scope::Agreement)],
        Scope::Index | Scope::Agreement => &[],
    }
}

/// Whether two keys of an object mean the same.
pub(super) fn are_same(scope: Scope, one: &str, other: &str) -> bool {
    let option = |key| scope.option(key);
    let both = |keys: &[&str]| keys.contains(&one) && keys.contains(&other);
    one == other || (option(one).is_some() && option(one) == option(other)) || children(scope).iter().any(|(keys, _)| both(keys))
}

fn add_items(found: &mut Vec<Address>, parent: &Address, node: &Node, scope: Scope) {
    for (index, item) in node.as_list().unwrap_or_default().iter().enumerate() {
        if let Some(map) = item.as_map() {
            add_object(found, parent, Step::Item(index), map, scope);
        }
    }
}

fn add_object(found: &mut Vec<Address>, parent: &Address, step: Step, map: &Map, scope: Scope) {
    // One without a name cannot be meant. That it has none is told when it is read.
    let Some(name) = name_of(map, scope) else { return };
    let kind = match parent.root {
        Root::Instances if scope == Scope::Instance => Kind::Instance,
        Root::Instances => Kind::Object,
        Root::Agreements => Kind::Element,
    };
    let name = if kind == Kind::Instance { bare(&name) } else { &name };
    let object = parent.below(step, Component::new(name, kind), Holds::Dictionary, scope);
    found.push(object.clone());
    let mut add_key = |spelling: &str, key: &str, is_list: bool| {
        let component = Component::new(spelling, Kind::Key);
        found.push(object.below(Step::Key(key.to_owned()), component, Holds::of(map.get(key), is_list), scope));
    };
    let lists = scope.options().iter().filter(|option| option.codec.is_list());
    let mut keys: Vec<Vec<&str>> = lists.map(|option| [&[option.name], option.aliases].concat()).collect();
    keys.extend(children(scope).iter().map(|(keys, _)| keys.to_vec()));
    if kind == Kind::Element {
        keys.push(vec!["target"]);
    }
    for spellings in &keys {
        let key = written(map, spellings);
        spellings.iter().for_each(|spelling| add_key(spelling, key, true));
    }
    for entry in map.entries().iter().filter(|entry| !keys.iter().any(|keys| keys.contains(&entry.key.as_str()))) {
        add_key(&entry.key, &entry.key, false);
    }
    for (keys, scope) in children(scope) {
        let key = written(map, keys);
        let mut list = object.clone();
        list.steps.push(Step::Key(key.to_owned()));
        if let Some(node) = map.get(key) {
            add_items(found, &list, node, *scope);
        }
    }
}

/// Of the names that a key has, the one that is written.
fn written<'a>(map: &Map, spellings: &[&'a str]) -> &'a str {
    let known = spellings.iter().find(|spelling| map.get(spelling).is_some());
    known.or(spellings.first()).copied().unwrap_or_default()
}

fn name_of(map: &Map, scope: Scope) -> Option<String> {
    let is_name = |key: &str| scope.option(key).is_some_and(|option| option.name == "name");
    let node = &map.entries().iter().find(|entry| is_name(&entry.key))?.node;
    let name = match &node.value {
        Value::Text(text) => text.trim().to_owned(),
        Value::Integer(number) => number.to_string(),
        _ => return None,
    };
    Some(name).filter(|name| !name.is_empty())
}

/// The name of an instance without what folders have before it.
fn bare(name: &str) -> &str {
    let prefix = name.get(..6).filter(|prefix| prefix.eq_ignore_ascii_case("slapd-"));
    prefix.map_or(name, |prefix| &name[prefix.len()..])
}

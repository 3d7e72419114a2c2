//! From a specification to variables.

use crate::{
    setting::{Secrets, Settings},
    specification::{Backend, Child, Instance, Presence, RoleWish, Specification, State, Targeted},
    value::{Map, Node, Value},
};

pub(super) fn specification(specification: &Specification, secrets: Secrets) -> Node {
    let state = match specification.state {
        State::Present => "present",
        State::Updated => "updated",
        State::Absent => "absent",
        State::Started => "started",
        State::Stopped => "stopped",
    };
    map([
        ("state", Some(Node::text(state))),
        ("ds389_prefix", specification.prefix.as_ref().map(Node::text)),
        ("ds389_instances", Some(list(&specification.instances, |item| instance(item, secrets)))),
        ("ds389_agmts", some_list(&specification.targeted, |item| targeted(item, secrets))),
    ])
}

fn instance(instance: &Instance, secrets: Secrets) -> Node {
    object(
        &instance.name,
        instance.presence,
        &instance.settings,
        secrets,
        [
            ("started", instance.started.map(|on| Node::new(Value::Boolean(on)))),
            ("backends", some_list(&instance.backends, |item| backend(item, secrets))),
        ],
    )
}

fn backend(backend: &Backend, secrets: Secrets) -> Node {
    let role = match backend.role {
        RoleWish::AsItIs => None,
        RoleWish::None => Some("None"),
        RoleWish::Role(role) => Some(role.name()),
    };
    let agreements = list(&backend.agreements, |item| child(item, secrets));
    // Those that come of a target were not written here.
    let has_agreements = backend.lists_agreements || !backend.agreements.is_empty();
    object(
        &backend.name,
        backend.presence,
        &backend.settings,
        secrets,
        [
            ("suffix", backend.suffix.as_ref().map(|suffix| Node::text(suffix.as_str()))),
            ("ReplicaRole", role.map(Node::text)),
            ("ReplicaId", backend.replica_id.map(|id| Node::new(Value::Integer(id.into())))),
            ("indexes", some_list(&backend.indexes, |item| child(item, secrets))),
            ("agmts", has_agreements.then_some(agreements)),
        ],
    )
}

fn child(child: &Child, secrets: Secrets) -> Node {
    object(&child.name, child.presence, &child.settings, secrets, [])
}

fn targeted(targeted: &Targeted, secrets: Secrets) -> Node {
    let target = Node::new(Value::List(targeted.targets.iter().map(Node::text).collect()));
    let named = [("name", targeted.name.as_ref().map(Node::text)), ("target", Some(target))];
    let mut entries = present(named);
    entries.extend(options(&targeted.settings, secrets));
    Node::new(Value::Map(entries.into_iter().collect()))
}

/// Name, state, options, and what only this kind of object has.
fn object<const N: usize>(
    name: &str,
    presence: Presence,
    settings: &Settings,
    secrets: Secrets,
    own: [(&str, Option<Node>); N],
) -> Node {
    let absent = (presence == Presence::Absent).then(|| Node::text("absent"));
    let mut entries = present([("name", Some(Node::text(name))), ("state", absent)]);
    let (lists, own): (Vec<_>, Vec<_>) = present(own).into_iter().partition(|(_, node)| node.as_list().is_some());
    entries.extend(own);
    entries.extend(options(settings, secrets));
    entries.extend(lists);
    Node::new(Value::Map(entries.into_iter().collect()))
}

fn options(settings: &Settings, secrets: Secrets) -> impl Iterator<Item = (String, Node)> {
    settings.iter().map(move |(option, setting)| (option.spelling.to_owned(), setting.node(secrets)))
}

fn present<const N: usize>(entries: [(&str, Option<Node>); N]) -> Vec<(String, Node)> {
    entries.into_iter().filter_map(|(key, node)| Some((key.to_owned(), node?))).collect()
}

fn map<const N: usize>(entries: [(&str, Option<Node>); N]) -> Node {
    Node::new(Value::Map(present(entries).into_iter().collect::<Map>()))
}

fn list<T>(items: &[T], write: impl Fn(&T) -> Node) -> Node {
    Node::new(Value::List(items.iter().map(write).collect()))
}

/// Nothing at all for an empty list.
fn some_list<T>(items: &[T], write: impl Fn(&T) -> Node) -> Option<Node> {
    (!items.is_empty()).then(|| list(items, write))
}

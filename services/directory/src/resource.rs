//! From what the hosts of a fleet should be to resources of a cluster that say the same. What the operator says by itself - ports,
//! certificates, passwords - is left out, and so is what no resource can say; whatever somebody could miss is told.

mod agreements;
mod external;
mod instance;
mod names;
mod seeds;

use std::collections::BTreeSet;

pub use self::names::{is_namespace, is_object_name};
use self::{names::Names, seeds::Seeds};
use crate::{
    fleet::Fleet,
    place::{Problem, Problems},
    specification::{Instance, Presence, State},
    value::{Node, Value},
    yaml,
};

/// The version of resources that is written.
pub const API_VERSION: &str = "ds389.aviary.dev/v1alpha1";

/// What is said of all resources alike.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    /// Their namespace.
    pub namespace: Option<String>,
    /// The Secret with the password of the administrator.
    pub directory_manager_secret: Option<String>,
    /// The host whose instances are meant, if not those of all.
    pub host: Option<String>,
}

/// Resources, and what is to be known of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resources {
    /// Instances by host, then agreements by who sends.
    pub resources: Vec<Resource>,
    /// What has no resource because it should not be there.
    pub absent: Problems,
    /// What should be and no resource can say.
    pub unsupported: Problems,
}

/// One resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// What it says.
    pub node: Node,
    /// What it was made of, where its name does not tell.
    pub origin: Option<String>,
    /// What it leaves out.
    pub notes: Problems,
}

/// What is told about resources while they are made.
#[derive(Debug, Default)]
struct Told {
    notes: Problems,
    unsupported: Problems,
}

impl Resources {
    /// What the resources leave out, and what has none.
    pub fn notes(&self) -> impl Iterator<Item = &Problem> {
        self.absent.iter().chain(self.resources.iter().flat_map(|resource| resource.notes.iter()))
    }

    /// All as one document of YAML each. What a resource leaves out stands before it.
    pub fn yaml(&self) -> String {
        let documents: Vec<String> = self.resources.iter().map(Resource::yaml).collect();
        documents.join("---\n")
    }

    /// All in one list, as `kubectl` takes it too.
    pub fn list(&self) -> Node {
        let items = self.resources.iter().map(|resource| resource.node.clone()).collect();
        map(vec![("apiVersion", Node::text("v1")), ("kind", Node::text("List")), ("items", Node::new(Value::List(items)))])
    }
}

impl Resource {
    fn yaml(&self) -> String {
        let notes = self.notes.iter().map(Problem::without_position);
        let comments = self.origin.iter().cloned().chain(notes);
        // The name of a host in an inventory may have any characters.
        let line = |comment: String| format!("# {}\n", comment.replace(char::is_control, " "));
        comments.map(line).chain([yaml::write(&self.node)]).collect()
    }
}

/// The resources that say what the hosts of a fleet should be, whose agreements by target are resolved.
pub fn resources(fleet: &Fleet, choices: &Choices) -> Resources {
    let names = Names::of(fleet);
    let seeds = Seeds::of(fleet);
    let are_several = fleet.iter().count() > 1;
    let of_host = |problems: Problems, host: &str| if are_several { problems.of_host(host) } else { problems };
    let is_meant = |host: &str| choices.host.as_deref().is_none_or(|meant| meant == host);
    let mut made = Resources::default();
    let mut agreements = Vec::new();
    let mut taken = BTreeSet::new();
    for (host, member, instance) in fleet.instances().filter(|(host, _, _)| is_meant(host)) {
        let name = names.get(host, &instance.name);
        let mut told = Told::default();
        let spec = instance::spec((host, member, instance), name, &seeds, choices, &mut told);
        let origin = (name != instance.name).then(|| format!("host {host}: {}", instance.place()));
        let node = object("DS389Instance", name, choices, spec);
        made.resources.push(Resource { node, origin, notes: of_host(told.notes, host) });
        made.unsupported.extend(of_host(told.unsupported, host));
    }
    for source in fleet.backends().filter(|source| is_meant(source.host)) {
        let host = source.host;
        let mut told = Told::default();
        for (spec, notes) in agreements::specs(fleet, &names, &source, &mut told) {
            let name = names::of_agreement(names.get(host, &source.instance.name), &source.backend.name, &mut taken);
            let node = object("DS389Agreement", &name, choices, spec);
            agreements.push(Resource { node, origin: None, notes: of_host(notes, host) });
        }
        made.absent.extend(of_host(told.notes, host));
        made.unsupported.extend(of_host(told.unsupported, host));
    }
    for (host, member) in fleet.iter().filter(|(host, _)| is_meant(host)) {
        let goes = |instance: &&Instance| instance.presence == Presence::Absent || member.specification.state == State::Absent;
        for instance in member.specification.instances.iter().filter(goes) {
            let mut absent = Problems::new();
            absent.add(&instance.place(), instance.at, ABSENT);
            made.absent.extend(of_host(absent, host));
        }
    }
    made.resources.extend(agreements);
    made
}

/// What is said of what should not be there.
const ABSENT: &str = "left out, for it should not be there";

fn object(kind: &str, name: &str, choices: &Choices, spec: Node) -> Node {
    let mut metadata = vec![("name", Node::text(name))];
    metadata.extend(choices.namespace.as_ref().map(|namespace| ("namespace", Node::text(namespace))));
    map(vec![("apiVersion", Node::text(API_VERSION)), ("kind", Node::text(kind)), ("metadata", map(metadata)), ("spec", spec)])
}

fn map<K: Into<String>>(entries: Vec<(K, Node)>) -> Node {
    Node::new(Value::Map(entries.into_iter().map(|(key, node)| (key.into(), node)).collect()))
}

//! All that is told at one time, as a function of what the operator knows.

use std::{collections::BTreeMap, sync::Arc};

use aviary_proto::directory::v1::{DeclaredAgreement, Instance, Replica, Topology};
use kube::runtime::reflector::ObjectRef;

use super::{resources, topology};
use crate::{crd::DS389Instance, topology as found, watches::Known};

/// By what it is and where. What has not changed since the snapshot before is shared with it.
pub(super) type Snapshot = BTreeMap<Key, Arc<Object>>;

/// What something is, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) kind: Kind,
    /// NAMESPACE/NAME, or a namespace alone of what is of all of it.
    pub(super) place: String,
}

/// What there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Instance,
    Agreement,
    Topology,
}

/// What is told of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Object {
    Instance(Instance),
    Agreement(DeclaredAgreement),
    Topology(Topology),
}

impl Object {
    /// The instance that it is.
    pub(super) fn instance(&self) -> Option<&Instance> {
        if let Self::Instance(instance) = self { Some(instance) } else { None }
    }

    /// The agreement that it is.
    pub(super) fn agreement(&self) -> Option<&DeclaredAgreement> {
        if let Self::Agreement(agreement) = self { Some(agreement) } else { None }
    }

    /// The topology that it is.
    pub(super) fn topology(&self) -> Option<&Topology> {
        if let Self::Topology(topology) = self { Some(topology) } else { None }
    }
}

impl Key {
    /// Whether it is in a namespace; all are in the empty one.
    pub(super) fn is_in(&self, namespace: &str) -> bool {
        namespace.is_empty() || self.place.strip_prefix(namespace).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// What there is now, by resources, by what agents say of their replicas, and by what follows from both in each namespace.
pub(super) fn take(
    known: &Known,
    heard: impl Fn(&ObjectRef<DS389Instance>) -> Option<Vec<Replica>>,
    topologies: &BTreeMap<String, Arc<found::Topology>>,
    before: &Snapshot,
) -> Snapshot {
    let mut snapshot = Snapshot::new();
    let mut add = |kind: Kind, place: String, object: Object| {
        let key = Key { kind, place };
        let same = before.get(&key).filter(|known| ***known == object).map(Arc::clone);
        snapshot.insert(key, same.unwrap_or_else(|| Arc::new(object)));
    };
    let mut by_namespace: BTreeMap<String, Vec<Instance>> = BTreeMap::new();
    for resource in known.instances.state() {
        let instance = resources::instance(&resource, heard(&ObjectRef::from_obj(&*resource)));
        by_namespace.entry(instance.namespace.clone()).or_default().push(instance.clone());
        add(Kind::Instance, place(&instance.namespace, &instance.name), Object::Instance(instance));
    }
    for resource in known.agreements.state() {
        let agreement = resources::agreement(&resource);
        add(Kind::Agreement, place(&agreement.namespace, &agreement.name), Object::Agreement(agreement));
    }
    for (namespace, found) in topologies {
        let instances = by_namespace.remove(namespace).unwrap_or_default();
        let topology = topology::topology(namespace, instances, found);
        if !topology.suffixes.is_empty() {
            add(Kind::Topology, namespace.clone(), Object::Topology(topology));
        }
    }
    snapshot
}

fn place(namespace: &str, name: &str) -> String {
    format!("{namespace}/{name}")
}

//! The statuses that were written last. What the API server tells of a resource may be older than what we have just written.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use kube::runtime::reflector::{ObjectRef, Store};

use crate::crd::{DS389Instance, InstanceStatus};

/// All of them.
pub(crate) struct Memory {
    instances: Store<DS389Instance>,
    written: Mutex<ByInstance>,
}

type ByInstance = HashMap<ObjectRef<DS389Instance>, Written>;

struct Written {
    /// Of the resource: there may have been one of the same name before.
    uid: Option<String>,
    status: InstanceStatus,
    /// What its agent had changed, and for which revision.
    changed: (u64, Vec<String>),
}

impl Memory {
    /// None so far. Those of instances that are gone are forgotten.
    pub(crate) fn new(instances: Store<DS389Instance>) -> Self {
        Self { instances, written: Mutex::default() }
    }

    /// The status of a resource: what was written last, or else what the resource has.
    pub(super) fn status(&self, instance: &DS389Instance) -> InstanceStatus {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        of(&written, instance).map(|known| &known.status).or(instance.status.as_ref()).cloned().unwrap_or_default()
    }

    /// Of what an agent has changed for a revision, what was not told yet.
    pub(super) fn untold(&self, instance: &DS389Instance, revision: u64, changed: &[String]) -> Vec<String> {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let told = of(&written, instance).filter(|known| known.changed.0 == revision).map(|known| known.changed.1.as_slice());
        changed.strip_prefix(told.unwrap_or_default()).unwrap_or(changed).to_vec()
    }

    /// Keeps what was written, and what an agent has changed.
    pub(super) fn keep(&self, instance: &DS389Instance, status: InstanceStatus, changed: (u64, Vec<String>)) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.retain(|known, _| self.instances.get(known).is_some());
        written.insert(ObjectRef::from_obj(instance), Written { uid: instance.metadata.uid.clone(), status, changed });
    }
}

/// What was written of this very resource.
fn of<'a>(written: &'a ByInstance, instance: &DS389Instance) -> Option<&'a Written> {
    written.get(&ObjectRef::from_obj(instance)).filter(|known| known.uid == instance.metadata.uid)
}

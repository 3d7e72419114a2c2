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
    written: Mutex<HashMap<ObjectRef<DS389Instance>, Written>>,
}

struct Written {
    /// Of the resource: there may have been one of the same name before.
    uid: Option<String>,
    status: InstanceStatus,
}

impl Memory {
    /// None so far. Those of instances that are gone are forgotten.
    pub(crate) fn new(instances: Store<DS389Instance>) -> Self {
        Self { instances, written: Mutex::default() }
    }

    /// The status of a resource: what was written last, or else what the resource has.
    pub(super) fn status(&self, instance: &DS389Instance) -> InstanceStatus {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let known = written.get(&ObjectRef::from_obj(instance)).filter(|known| known.uid == instance.metadata.uid);
        known.map(|known| &known.status).or(instance.status.as_ref()).cloned().unwrap_or_default()
    }

    /// Keeps what was written.
    pub(super) fn keep(&self, instance: &DS389Instance, status: InstanceStatus) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.retain(|known, _| self.instances.get(known).is_some());
        written.insert(ObjectRef::from_obj(instance), Written { uid: instance.metadata.uid.clone(), status });
    }
}

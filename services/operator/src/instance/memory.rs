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
    /// What its agent had changed when that was told last, and for which revision.
    told: Changed,
}

/// What an agent has changed, and for which revision.
pub(super) type Changed = (u64, Vec<String>);

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
    pub(super) fn untold(&self, instance: &DS389Instance, (revision, changed): &Changed) -> Vec<String> {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let told = of(&written, instance).filter(|known| known.told.0 == *revision).map(|known| known.told.1.as_slice());
        changed.strip_prefix(told.unwrap_or_default()).unwrap_or(changed).to_vec()
    }

    /// Keeps what was written, and what an agent has changed if that was told with it.
    pub(super) fn keep(&self, instance: &DS389Instance, status: InstanceStatus, told: Option<Changed>) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.retain(|known, _| self.instances.get(known).is_some());
        let told = told.or_else(|| of(&written, instance).map(|known| known.told.clone())).unwrap_or_default();
        written.insert(ObjectRef::from_obj(instance), Written { uid: instance.metadata.uid.clone(), status, told });
    }
}

/// What was written of this very resource.
fn of<'a>(written: &'a ByInstance, instance: &DS389Instance) -> Option<&'a Written> {
    written.get(&ObjectRef::from_obj(instance)).filter(|known| known.uid == instance.metadata.uid)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use kube::runtime::{reflector, watcher};
    use serde_json::json;

    use super::*;

    #[test]
    fn what_an_agent_has_changed_is_untold_until_it_is_told_whatever_is_written_meanwhile() {
        let resource = json!({
            "apiVersion": "ds389.aviary.dev/v1alpha1", "kind": "DS389Instance",
            "metadata": {"name": "a", "namespace": "test", "uid": "1"}, "spec": {},
        });
        let instance: DS389Instance = serde_json::from_value(resource).unwrap();
        let (store, mut writer) = reflector::store();
        writer.apply_watcher_event(&watcher::Event::Apply(instance.clone()));
        let memory = Memory::new(store);
        let changed = |texts: &[&str]| (3, texts.iter().map(|text| (*text).to_owned()).collect::<Vec<String>>());
        let keep = |told| memory.keep(&instance, InstanceStatus::default(), told);
        assert_eq!(memory.untold(&instance, &changed(&["x"])), ["x"]);
        keep(None);
        assert_eq!(memory.untold(&instance, &changed(&["x"])), ["x"]);
        keep(Some(changed(&["x"])));
        keep(None);
        assert_eq!(memory.untold(&instance, &changed(&["x", "y"])), ["y"]);
        assert_eq!(memory.untold(&instance, &(4, vec!["x".to_owned()])), ["x"], "of another revision");
    }
}

//! An object of the cluster as it is kept between two looks at it: its metadata, and the rest as text. As values of its types it takes
//! several times the memory, for these have room for all that an object may say, and ours say little of it.

use std::{borrow::Cow, marker::PhantomData};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::{Serialize, de::DeserializeOwned};

/// One of a kind.
#[derive(Debug)]
pub(crate) struct Compact<K> {
    metadata: ObjectMeta,
    /// All but the metadata, as JSON.
    rest: Box<str>,
    kind: PhantomData<fn() -> K>,
}

impl<K> Clone for Compact<K> {
    fn clone(&self) -> Self {
        Self { metadata: self.metadata.clone(), rest: self.rest.clone(), kind: PhantomData }
    }
}

impl<K: Resource<DynamicType = ()> + Serialize + DeserializeOwned> Compact<K> {
    /// The same object. What has no JSON is an error of whoever wants it whole.
    pub(crate) fn of(mut object: K) -> Self {
        let metadata = std::mem::take(object.meta_mut());
        let rest = serde_json::to_string(&object).unwrap_or_default().into_boxed_str();
        Self { metadata, rest, kind: PhantomData }
    }

    /// The object as it was.
    pub(crate) fn whole(&self) -> serde_json::Result<K> {
        let mut object: K = serde_json::from_str(&self.rest)?;
        *object.meta_mut() = self.metadata.clone();
        Ok(object)
    }
}

impl<K: Resource<DynamicType = ()>> Resource for Compact<K> {
    type DynamicType = ();
    type Scope = K::Scope;

    fn kind((): &()) -> Cow<'_, str> {
        K::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        K::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        K::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        K::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use k8s_openapi::api::{apps::v1::StatefulSet, core::v1::Service};
    use kube::ResourceExt;
    use serde_json::{Value, json};

    use super::*;

    #[track_caller]
    fn check<K>(object: Value)
    where
        K: Resource<DynamicType = ()> + Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
    {
        let read = || serde_json::from_value::<K>(object.clone()).unwrap();
        let compact = Compact::of(read());
        assert_eq!(compact.name_any(), "one");
        assert_eq!(compact.whole().unwrap(), read());
    }

    #[test]
    fn an_object_comes_back_as_it_was() {
        check::<Service>(json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "one", "labels": {"a": "b"}},
            "spec": {"ports": [{"port": 636, "targetPort": "ldaps"}]}, "status": {"loadBalancer": {}},
        }));
        check::<StatefulSet>(json!({
            "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "one", "generation": 7},
            "spec": {"replicas": 1, "selector": {}, "serviceName": "one", "template": {"spec": {"containers": [{"name": "agent"}]}}},
            "status": {"observedGeneration": 7, "replicas": 1},
        }));
    }
}

//! What the operator knows of the cluster without asking: its own objects, kept up to date by watching them, and which instance
//! a change is about.

use std::fmt::Debug;

use futures::StreamExt;
use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{PersistentVolumeClaim, Pod, Secret, Service},
};
use kube::{
    Api, Client, Resource, ResourceExt,
    core::{NamespaceResourceScope, PartialObjectMeta},
    runtime::{
        WatchStreamExt, reflector,
        reflector::{ObjectRef, Store, store::Writer},
        watcher,
    },
};
use serde::de::DeserializeOwned;
use tokio::{sync::mpsc, task::JoinSet};

use crate::{
    crd::{DS389Agreement, DS389Instance},
    objects::{INSTANCE_LABEL, MANAGED_BY_LABEL, MANAGER},
    topology::Concerned,
};

/// What is known.
pub(crate) struct Known {
    pub(crate) stateful_sets: Store<StatefulSet>,
    pub(crate) services: Store<Service>,
    pub(crate) claims: Store<PersistentVolumeClaim>,
    pub(crate) secrets: Store<Secret>,
    pub(crate) pods: Store<Pod>,
    /// All resources of the operator's kinds.
    pub(crate) instances: Store<DS389Instance>,
    pub(crate) agreements: Store<DS389Agreement>,
}

/// The tasks that watch. They end with it.
pub(crate) struct Watches {
    tasks: JoinSet<()>,
    client: Client,
    scope: Scope,
    told: mpsc::Sender<ObjectRef<DS389Instance>>,
    /// Agreements that are to be looked at, of namespaces without instances.
    concerned: Concerned,
}

impl Watches {
    /// None so far. The instances that changes are about are sent.
    pub(crate) fn new(client: Client, scope: Scope, told: mpsc::Sender<ObjectRef<DS389Instance>>, concerned: Concerned) -> Self {
        Self { tasks: JoinSet::new(), client, scope, told, concerned }
    }

    /// Watches the operator's own objects.
    pub(crate) async fn start(&mut self) -> Result<Known, reflector::store::WriterDropped> {
        let (agreements, writer) = reflector::store();
        let instances = self.instances(agreements.clone());
        self.agreements(writer, instances.clone());
        let known = Known {
            stateful_sets: self.own(),
            services: self.own(),
            claims: self.own(),
            secrets: self.own(),
            pods: self.own(),
            agreements,
            instances,
        };
        known.stateful_sets.wait_until_ready().await?;
        known.services.wait_until_ready().await?;
        known.claims.wait_until_ready().await?;
        known.secrets.wait_until_ready().await?;
        known.pods.wait_until_ready().await?;
        known.instances.wait_until_ready().await?;
        known.agreements.wait_until_ready().await?;
        Ok(known)
    }

    /// Objects that the operator has made, or that come of such: the instance that they were made for is told.
    fn own<K>(&mut self) -> Store<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
    {
        let (store, writer) = reflector::store();
        let config = watcher::Config::default().labels(&format!("{MANAGED_BY_LABEL}={MANAGER}"));
        self.watch(writer, config, instance_of);
        store
    }

    /// All instances. Of one that is gone, another of its namespace is told, for what they mean together is something else now.
    fn instances(&mut self, agreements: Store<DS389Agreement>) -> Store<DS389Instance> {
        let (others, writer) = reflector::store();
        let (store, concerned) = (others.clone(), self.concerned.clone());
        let about = move |instance: &DS389Instance| {
            let itself = ObjectRef::from_obj(instance);
            if others.get(&itself).is_some() {
                return Some(itself);
            }
            let other = neighbour(&others, instance.namespace());
            if let (None, Some(namespace)) = (&other, instance.namespace()) {
                for agreement in agreements.state().iter().filter(|one| one.namespace().as_ref() == Some(&namespace)) {
                    concerned.add(&namespace, &agreement.name_any());
                }
            }
            other
        };
        self.watch(writer, watcher::Config::default(), about);
        store
    }

    /// All agreements. An instance of the namespace is told.
    fn agreements(&mut self, writer: Writer<DS389Agreement>, instances: Store<DS389Instance>) {
        let about = move |agreement: &DS389Agreement| neighbour(&instances, agreement.namespace());
        self.watch(writer, watcher::Config::default(), about);
    }

    /// Keeps objects in a store, and tells the instance that each change is about once it is there.
    fn watch<K>(
        &mut self,
        writer: Writer<K>,
        config: watcher::Config,
        about: impl Fn(&K) -> Option<ObjectRef<DS389Instance>> + Send + 'static,
    ) where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
    {
        let events = watcher(self.scope.api(&self.client), config);
        let changed = events.default_backoff().reflect(writer).touched_objects();
        let told = self.told.clone();
        self.tasks.spawn(changed.for_each(move |changed| {
            let told = told.clone();
            let changed = changed.map(|object| about(&object));
            async move {
                match changed {
                    Ok(instance) => tell(instance, &told).await,
                    Err(error) => failed(&error),
                }
            }
        }));
    }

    /// All Secrets: the instances that refer to one are told when it changes. What is in them is not kept.
    pub(crate) fn secrets(&mut self, instances: Store<DS389Instance>) {
        let secrets = self.scope.api::<PartialObjectMeta<Secret>>(&self.client);
        let changed = watcher(secrets, watcher::Config::default()).default_backoff().touched_objects();
        let told = self.told.clone();
        self.tasks.spawn(changed.for_each(move |changed| {
            let (told, instances) = (told.clone(), instances.clone());
            async move {
                match changed {
                    Ok(secret) => {
                        for instance in instances.state().iter().filter(|instance| refers(instance, &secret)) {
                            tell(Some(ObjectRef::from_obj(&**instance)), &told).await;
                        }
                    }
                    Err(error) => failed(&error),
                }
            }
        }));
    }
}

/// The namespace that is watched, or all.
#[derive(Debug, Clone)]
pub(crate) struct Scope(pub(crate) Option<String>);

impl Scope {
    /// Those of the command line.
    pub(crate) fn of(namespaces: &[String]) -> Vec<Self> {
        let named = namespaces.iter().filter(|namespace| !namespace.is_empty());
        let named: Vec<_> = named.map(|namespace| Self(Some(namespace.clone()))).collect();
        if named.is_empty() { vec![Self(None)] } else { named }
    }

    /// Its objects of a kind.
    pub(crate) fn api<K>(&self, client: &Client) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        match &self.0 {
            Some(namespace) => Api::namespaced(client.clone(), namespace),
            None => Api::all(client.clone()),
        }
    }
}

/// The instance that an object was made for, as its label says.
fn instance_of<K: ResourceExt>(object: &K) -> Option<ObjectRef<DS389Instance>> {
    let name = object.labels().get(INSTANCE_LABEL)?;
    Some(ObjectRef::new(name).within(&object.namespace()?))
}

/// Any instance of a namespace.
fn neighbour(instances: &Store<DS389Instance>, namespace: Option<String>) -> Option<ObjectRef<DS389Instance>> {
    instances.find(|instance| instance.namespace() == namespace).map(|instance| ObjectRef::from_obj(&*instance))
}

fn refers(instance: &DS389Instance, secret: &PartialObjectMeta<Secret>) -> bool {
    let is_named = |name: &str| secret.metadata.name.as_deref() == Some(name);
    instance.metadata.namespace == secret.metadata.namespace
        && instance.spec.directory_manager.as_ref().is_some_and(|manager| is_named(&manager.secret_name))
}

async fn tell(instance: Option<ObjectRef<DS389Instance>>, told: &mpsc::Sender<ObjectRef<DS389Instance>>) {
    if let Some(instance) = instance {
        // Nobody is there to be told when the operator ends.
        let _ = told.send(instance).await;
    }
}

fn failed(error: &watcher::Error) {
    tracing::warn!(error = error as &dyn std::error::Error, "failed to watch; trying again");
}

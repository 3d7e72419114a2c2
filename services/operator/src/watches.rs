//! What the operator knows of the cluster without asking: its own objects, kept up to date by watching them, and which instance
//! a change is about.

use std::{convert::identity, fmt::Debug, sync::Arc};

use directory::targets::Pattern;
use futures::StreamExt;
use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{Container, PersistentVolumeClaim, Pod, PodSpec, Secret, Service},
    networking::v1::NetworkPolicy,
};
use kube::{
    Api, Client, Resource, ResourceExt,
    core::{NamespaceResourceScope, PartialObjectMeta},
    runtime::{
        WatchStreamExt, reflector,
        reflector::{ObjectRef, Store, store::Writer},
        watcher::{self, Event, watcher},
    },
};
use serde::de::DeserializeOwned;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use crate::{
    compact::Compact,
    crd::{DS389Agreement, DS389Instance},
    instance::SPECIFICATION,
    objects::{INSTANCE_LABEL, MANAGED_BY_LABEL, MANAGER},
    topology::Concerned,
};

/// What is known.
pub(crate) struct Known {
    pub(crate) stateful_sets: Store<Compact<StatefulSet>>,
    pub(crate) services: Store<Compact<Service>>,
    pub(crate) claims: Store<Compact<PersistentVolumeClaim>>,
    pub(crate) policies: Store<Compact<NetworkPolicy>>,
    pub(crate) secrets: Store<Secret>,
    pub(crate) pods: Store<Compact<Pod>>,
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
    /// Agreements that are to be looked at.
    concerned: Concerned,
    /// Whether instances or agreements are otherwise.
    resources: watch::Sender<()>,
}

impl Watches {
    /// None so far. The instances that changes are about are sent.
    pub(crate) fn new(client: Client, scope: Scope, told: mpsc::Sender<ObjectRef<DS389Instance>>, concerned: Concerned) -> Self {
        Self { tasks: JoinSet::new(), client, scope, told, concerned, resources: watch::Sender::new(()) }
    }

    /// Changes whenever instances or agreements are known to be otherwise.
    pub(crate) fn resources(&self) -> watch::Receiver<()> {
        self.resources.subscribe()
    }

    /// Watches the operator's own objects.
    pub(crate) async fn start(&mut self) -> Result<Known, reflector::store::WriterDropped> {
        let (agreements, writer) = reflector::store();
        let instances = self.instances(agreements.clone());
        self.agreements(writer, instances.clone());
        let known = Known {
            stateful_sets: self.own(&instances, Compact::of),
            services: self.own(&instances, Compact::of),
            claims: self.own(&instances, Compact::of),
            policies: self.own(&instances, Compact::of),
            secrets: self.own(&instances, without_specification),
            pods: self.own(&instances, image_and_status),
            agreements,
            instances,
        };
        known.stateful_sets.wait_until_ready().await?;
        known.services.wait_until_ready().await?;
        known.claims.wait_until_ready().await?;
        known.policies.wait_until_ready().await?;
        known.secrets.wait_until_ready().await?;
        known.pods.wait_until_ready().await?;
        known.instances.wait_until_ready().await?;
        known.agreements.wait_until_ready().await?;
        Ok(known)
    }

    /// Objects that the operator has made, or that come of such: the instance that they were made for is told; when that is gone,
    /// another one of its namespace. Of each object as much is kept as anybody asks for.
    fn own<K: Watched, T: Kept>(&mut self, instances: &Store<DS389Instance>, keep: fn(K) -> T) -> Store<T> {
        let (store, writer) = reflector::store();
        let config = watcher::Config::default().labels(&format!("{MANAGED_BY_LABEL}={MANAGER}"));
        let instances = instances.clone();
        let about = move |object: &T| {
            let instance = instance_of(object)?;
            if instances.get(&instance).is_some() { Some(instance) } else { neighbour(&instances, object.namespace()) }
        };
        self.watch(writer, config, keep, about);
        store
    }

    /// All instances. Of one that is gone, another of its namespace is told, for what they mean together is something else now.
    fn instances(&mut self, agreements: Store<DS389Agreement>) -> Store<DS389Instance> {
        let (others, writer) = reflector::store();
        let (store, concerned, resources) = (others.clone(), self.concerned.clone(), self.resources.clone());
        let about = move |instance: &DS389Instance| {
            resources.send_replace(());
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
        self.watch(writer, watcher::Config::default(), identity, about);
        store
    }

    /// All agreements. Each is told, and an instance of its namespace.
    fn agreements(&mut self, writer: Writer<DS389Agreement>, instances: Store<DS389Instance>) {
        let (resources, concerned) = (self.resources.clone(), self.concerned.clone());
        let about = move |agreement: &DS389Agreement| {
            resources.send_replace(());
            concerned.add(&agreement.namespace().unwrap_or_default(), &agreement.name_any());
            neighbour(&instances, agreement.namespace())
        };
        self.watch(writer, watcher::Config::default(), identity, about);
    }

    /// Keeps objects in a store, and tells the instance that each change is about once it is there.
    fn watch<K: Watched, T: Kept>(
        &mut self,
        writer: Writer<T>,
        config: watcher::Config,
        keep: fn(K) -> T,
        about: impl Fn(&T) -> Option<ObjectRef<DS389Instance>> + Send + 'static,
    ) {
        let events = watcher(self.scope.api(&self.client), config).default_backoff();
        let events = events.map(move |event| event.map(|event| of_event(event, keep)));
        let changed = events.reflect(writer).touched_objects();
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

    /// All Secrets: the instances and agreements that refer to one are told when it changes. What is in them is not kept.
    pub(crate) fn secrets(&mut self, instances: Store<DS389Instance>, agreements: Store<DS389Agreement>) {
        let secrets = self.scope.api::<PartialObjectMeta<Secret>>(&self.client);
        let changed = watcher(secrets, watcher::Config::default()).default_backoff().touched_objects();
        let (told, concerned) = (self.told.clone(), self.concerned.clone());
        self.tasks.spawn(changed.for_each(move |changed| {
            let (told, concerned, instances) = (told.clone(), concerned.clone(), instances.clone());
            let changed = changed.map(|secret| {
                let agreements = agreements.state().into_iter().filter(|agreement| connects(agreement, &secret));
                (agreements.collect::<Vec<_>>(), secret)
            });
            async move {
                match changed {
                    Ok((agreements, secret)) => {
                        for agreement in &agreements {
                            concerned.add(&agreement.namespace().unwrap_or_default(), &agreement.name_any());
                        }
                        let is_meant = |instance: &&Arc<DS389Instance>| {
                            refers(instance, &secret) || agreements.iter().any(|agreement| may_send(instance, agreement))
                        };
                        for instance in instances.state().iter().filter(is_meant) {
                            tell(Some(ObjectRef::from_obj(&**instance)), &told).await;
                        }
                    }
                    Err(error) => failed(&error),
                }
            }
        }));
    }
}

/// What can be watched in a namespace.
trait Watched:
    Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned + Send + 'static
{
}
impl<K> Watched for K where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned + Send + 'static
{
}

/// What can be kept of it.
trait Kept: Resource<DynamicType = ()> + Clone + Send + Sync + 'static {}
impl<T: Resource<DynamicType = ()> + Clone + Send + Sync + 'static> Kept for T {}

/// What is kept of what has happened. Who has written what of an object nobody asks.
fn of_event<K: Resource, T>(event: Event<K>, keep: fn(K) -> T) -> Event<T> {
    let keep = |mut object: K| {
        object.managed_fields_mut().clear();
        keep(object)
    };
    match event {
        Event::Apply(object) => Event::Apply(keep(object)),
        Event::Delete(object) => Event::Delete(keep(object)),
        Event::Init => Event::Init,
        Event::InitApply(object) => Event::InitApply(keep(object)),
        Event::InitDone => Event::InitDone,
    }
}

/// What an agent is told is asked for anew whenever it is needed.
fn without_specification(mut secret: Secret) -> Secret {
    if secret.metadata.name.as_ref().is_some_and(|name| name.ends_with(SPECIFICATION)) {
        secret.data = None;
    }
    secret
}

/// What a pod is made of stands in its StatefulSet too.
fn image_and_status(mut pod: Pod) -> Compact<Pod> {
    if let Some(spec) = &mut pod.spec {
        let image = |container: Container| Container { name: container.name, image: container.image, ..Container::default() };
        let containers = std::mem::take(&mut spec.containers).into_iter().map(image).collect();
        *spec = PodSpec { containers, ..PodSpec::default() };
    }
    Compact::of(pod)
}

/// The namespace that is watched, or all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope(pub(crate) Option<String>);

impl Scope {
    /// Those of the command line.
    pub(crate) fn of(namespaces: &[String]) -> Vec<Self> {
        let named = namespaces.iter().filter(|namespace| !namespace.is_empty());
        let named: Vec<_> = named.map(|namespace| Self(Some(namespace.clone()))).collect();
        if named.is_empty() { vec![Self(None)] } else { named }
    }

    /// Whether a namespace is in it.
    pub(crate) fn has(&self, namespace: &str) -> bool {
        self.0.as_deref().is_none_or(|own| own == namespace)
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
    let spec = &instance.spec;
    let tls = spec.tls.as_ref().and_then(|tls| tls.secret_name.as_ref());
    let mut names = spec.directory_manager.iter().map(|manager| &manager.secret_name).chain(tls);
    instance.metadata.namespace == secret.metadata.namespace && names.any(|name| is_named(name))
}

/// Whether an agreement takes from a Secret what reaches a server outside of the namespace.
fn connects(agreement: &DS389Agreement, secret: &PartialObjectMeta<Secret>) -> bool {
    let mut names = agreement.spec.external.iter().filter_map(|server| server.secret_name.as_ref());
    agreement.metadata.namespace == secret.metadata.namespace && names.any(|name| secret.metadata.name.as_ref() == Some(name))
}

/// Whether an instance may be one that sends by an agreement.
fn may_send(instance: &DS389Instance, agreement: &DS389Agreement) -> bool {
    let is_named = |pattern: &String| Pattern::new(pattern).matches(&instance.name_any());
    instance.metadata.namespace == agreement.metadata.namespace && agreement.spec.instance.as_ref().is_none_or(is_named)
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

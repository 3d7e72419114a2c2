//! What the instances and agreements of a namespace mean together: a function of what there is, in `compose`, reckoned anew whenever
//! one of them is looked at. Whoever it says something else about than before is looked at too. Beside the functions there is one
//! thing to keep, the records, in a ConfigMap of the namespace.

mod busy;
mod caught_up;
mod compose;
mod concerned;
mod external;
mod identities;
mod numbers;
mod pairs;
mod records;
mod removed;
mod states;
#[cfg(test)]
mod tests;
mod world;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use k8s_openapi::{
    api::core::v1::{ConfigMap, Secret},
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{
    Api, Client, ResourceExt,
    api::{Patch, PatchParams, PostParams},
    runtime::reflector::ObjectRef,
};
use tokio::sync::{Mutex, watch};

pub(crate) use busy::Busy;
pub(crate) use caught_up::ASKED_EVERY;
use caught_up::CaughtUp;
pub(crate) use compose::{BackendPart, Found, Part, Receiver, Sends, Topology};
pub(crate) use concerned::Concerned;
use records::Records;
#[cfg(test)]
pub(crate) use records::{Record, Seed};
pub(crate) use states::{PairState, State};
use world::{Member, World};

use crate::{
    agents::{self, Agents, Heard},
    authorities::{AUTHORITY, text, texts},
    crd::{DS389Agreement, DS389Instance},
    instance::{ANNOUNCED, ISSUER, Names, SALT},
    objects::{self, INSTANCE_LABEL, MANAGED_BY_LABEL, MANAGER},
    watches::Known,
};

/// The ConfigMap of a namespace with its records, and the key in it.
const RECORDS: &str = "aviary-ds389-suffixes";
const KEY: &str = "suffixes.json";

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The records cannot be read.
    #[error("failed to read the ConfigMap {RECORDS}: {}", objects::why(said))]
    Read {
        /// What the API server said.
        said: Box<kube::Error>,
    },
    /// The records are not what the operator has written.
    #[error(
        "failed to understand the ConfigMap {RECORDS}: delete it to have it made anew, once all instances of the namespace run"
    )]
    Understand(#[from] serde_json::Error),
    /// The records cannot be written.
    #[error(transparent)]
    Write(#[from] objects::Error),
}

/// The names of those that are otherwise than before, once the others are shared with that.
fn changed<'a, T>(
    before: &'a BTreeMap<String, Arc<T>>,
    now: &'a BTreeMap<String, Arc<T>>,
) -> impl Iterator<Item = &'a String> + use<'a, T> {
    let is_same = |name: &String, one: &Arc<T>| before.get(name).is_some_and(|known| Arc::ptr_eq(known, one));
    now.iter().filter(move |(name, one)| !is_same(name, one)).map(|(name, _)| name)
}

/// What tells the passwords of a Secret from others, by what they are called. Without its salt there are none yet.
fn hashes(secret: &Secret) -> BTreeMap<String, String> {
    let mut texts = texts(secret);
    let Some(salt) = texts.remove(SALT) else { return BTreeMap::new() };
    let hash = |(key, text)| (key, objects::short_hash(format!("{salt} {text}").as_bytes()));
    texts.into_iter().map(hash).collect()
}

/// Those of all namespaces.
pub(crate) struct Topologies {
    client: Client,
    domain: String,
    /// Instances and agreements about which something else is said than before.
    pub(crate) instances: Concerned,
    pub(crate) agreements: Concerned,
    known: Mutex<HashMap<String, Kept>>,
    caught_up: CaughtUp,
    /// For those who only look.
    told: watch::Sender<BTreeMap<String, Arc<Topology>>>,
}

/// What was said of a namespace last.
#[derive(Default)]
struct Kept {
    topology: Arc<Topology>,
    /// That of the ConfigMap; `None` if there is none yet.
    version: Option<String>,
    /// What it was said of, if nothing else would be said of the same.
    world: Option<World>,
}

impl Topologies {
    /// None so far.
    pub(crate) fn new(client: Client, domain: String, agreements: Concerned) -> Self {
        Self {
            client,
            domain,
            instances: Concerned::default(),
            agreements,
            known: Mutex::default(),
            caught_up: CaughtUp::default(),
            told: watch::Sender::default(),
        }
    }

    /// What was said last of each namespace. It changes whenever something else may be said of one than before.
    pub(crate) fn told(&self) -> watch::Receiver<BTreeMap<String, Arc<Topology>>> {
        self.told.subscribe()
    }

    /// That of a namespace, as it is now, having asked agents where it is not known otherwise whether all changes have come.
    pub(crate) async fn asked(&self, namespace: &str, known: &Known, agents: &Agents) -> Result<Arc<Topology>, Error> {
        let topology = self.of(namespace, known, agents).await?;
        match self.caught_up.ask(agents, namespace, &topology.unsure()).await {
            true => self.of(namespace, known, agents).await,
            false => Ok(topology),
        }
    }

    /// That of a namespace, as it is now.
    pub(crate) async fn of(&self, namespace: &str, known: &Known, agents: &Agents) -> Result<Arc<Topology>, Error> {
        let mut all = self.known.lock().await;
        // Whoever fails to write begins with what is there.
        let kept = match all.remove(namespace) {
            Some(kept) => kept,
            None => self.read(namespace).await?,
        };
        let world = self.world(namespace, known, agents);
        if kept.world.as_ref() == Some(&world) {
            let topology = Arc::clone(&kept.topology);
            all.insert(namespace.to_owned(), kept);
            return Ok(topology);
        }
        let Kept { topology: before, mut version, .. } = kept;
        let mut topology = compose::compose(&world, &before.records);
        topology.share(&before);
        let topology = Arc::new(topology);
        // What is not kept is not so.
        if topology.records != before.records {
            version = self.write(namespace, &topology.records, version).await?;
        }
        let is_empty = topology.parts.is_empty() && topology.agreements.is_empty();
        self.told.send_modify(|told| match is_empty {
            true => drop(told.remove(namespace)),
            false => drop(told.insert(namespace.to_owned(), Arc::clone(&topology))),
        });
        if !is_empty {
            let world = Some(world).filter(|_| topology.records == before.records);
            all.insert(namespace.to_owned(), Kept { topology: Arc::clone(&topology), version, world });
        }
        for name in changed(&before.parts, &topology.parts) {
            self.instances.add(namespace, name);
        }
        for name in changed(&before.agreements, &topology.agreements) {
            self.agreements.add(namespace, name);
        }
        Ok(topology)
    }

    fn world(&self, namespace: &str, known: &Known, all: &Agents) -> World {
        let is_here = |object: Option<String>| object.as_deref() == Some(namespace);
        let instances = known.instances.state().into_iter().filter(|instance| is_here(instance.namespace()));
        let member = |instance: Arc<DS389Instance>| {
            let names = Names::of(&instance, &self.domain)?;
            let heard = all.known(&names.key());
            let is_called = heard == Heard::NotYet;
            let heard = heard.status();
            let secret = known.secrets.get(&ObjectRef::new(&names.replication()).within(namespace));
            let passwords = secret.as_deref().map(hashes).unwrap_or_default();
            let tls = known.secrets.get(&ObjectRef::new(&names.tls()).within(namespace));
            let part = |key: &str| text(tls.as_deref()?, key);
            let member = Member {
                serves: heard.is_some_and(|heard| heard.serves),
                is_settled: heard.is_some_and(agents::is_settled),
                is_heard: heard.is_some(),
                is_called,
                heard: heard.filter(|heard| heard.replicas_known).map(|heard| heard.replicas.clone()),
                passwords,
                issuer: part(ISSUER),
                announced: part(ANNOUNCED),
                ..Member::of(&instance, &names)?
            };
            Some((member, tls))
        };
        let with_certificates: Vec<(Member, Option<Arc<Secret>>)> = instances.filter_map(member).collect();
        let announced: BTreeSet<String> = with_certificates.iter().filter_map(|(member, _)| member.announced.clone()).collect();
        let trusting = |(member, tls): (Member, Option<Arc<Secret>>)| {
            let all = tls.filter(|_| !announced.is_empty()).and_then(|secret| text(&secret, AUTHORITY)).unwrap_or_default();
            Member { trusts: announced.iter().filter(|one| all.contains(one.as_str())).cloned().collect(), ..member }
        };
        let mut members: Vec<Member> = with_certificates.into_iter().map(trusting).collect();
        members.sort_by(|one, other| one.name.cmp(&other.name));
        let agreements = known.agreements.state().into_iter();
        let is_there = |agreement: &Arc<DS389Agreement>| agreement.metadata.deletion_timestamp.is_none();
        let mut agreements: Vec<Arc<DS389Agreement>> =
            agreements.filter(|agreement| is_here(agreement.namespace()) && is_there(agreement)).collect();
        agreements.sort_by_key(|agreement| (agreement.creation_timestamp(), agreement.name_any()));
        let pods = known.pods.state().into_iter().filter(|pod| is_here(pod.namespace()));
        let with_pods = pods.filter_map(|pod| Some(pod.labels().get(INSTANCE_LABEL)?.to_lowercase())).collect();
        World { members, agreements, with_pods, caught_up: self.caught_up.known(namespace) }
    }

    async fn read(&self, namespace: &str) -> Result<Kept, Error> {
        let found = self.api(namespace).get_opt(RECORDS).await.map_err(|said| Error::Read { said: Box::new(said) })?;
        let Some(map) = found else { return Ok(Kept::default()) };
        let text = map.data.as_ref().and_then(|data| data.get(KEY));
        let records = text.map(|text| serde_json::from_str(text)).transpose()?.unwrap_or_default();
        let topology = Arc::new(Topology { records, ..Topology::default() });
        Ok(Kept { topology, version: map.resource_version(), world: None })
    }

    /// Writes the records, unless somebody has written others since.
    async fn write(&self, namespace: &str, records: &Records, version: Option<String>) -> Result<Option<String>, Error> {
        let labels = [(MANAGED_BY_LABEL.to_owned(), MANAGER.to_owned())].into();
        let metadata = ObjectMeta {
            name: Some(RECORDS.to_owned()),
            namespace: Some(namespace.to_owned()),
            labels: Some(labels),
            resource_version: version.clone(),
            ..ObjectMeta::default()
        };
        let data = [(KEY.to_owned(), serde_json::to_string_pretty(records)?)].into();
        let map = ConfigMap { metadata, data: Some(data), ..ConfigMap::default() };
        let api = self.api(namespace);
        let written = match version {
            None => {
                let params = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
                api.create(&params, &map).await
            }
            Some(_) => api.patch(RECORDS, &PatchParams::apply(MANAGER).force(), &Patch::Apply(&map)).await,
        };
        let written = written.map_err(|said| objects::failed(&map, said))?;
        tracing::info!(namespace, "noted numbers and seeds of suffixes");
        Ok(written.resource_version())
    }

    fn api(&self, namespace: &str) -> Api<ConfigMap> {
        Api::namespaced(self.client.clone(), namespace)
    }
}

//! What there is in a namespace that has a part in replication, as resources and agents say it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use aviary_proto::directory::v1::{Agreement, Replica};
use directory::{dn::Dn, specification::Role};
use kube::ResourceExt;
use serde_json::{Map, Value};

use super::caught_up::Way;
use crate::{
    conditions::Kind,
    crd::{DS389Agreement, DS389Instance},
    instance::Names,
};

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// By name.
    pub(crate) members: Vec<Member>,
    /// The oldest first.
    pub(crate) agreements: Vec<Arc<DS389Agreement>>,
    /// Instances, there or not, of which there is a pod; in small letters.
    pub(crate) with_pods: BTreeSet<String>,
    /// Who was said to have all changes of whom, whatever the agreement says between the two.
    pub(crate) caught_up: BTreeSet<Way>,
}

/// An instance.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Of the resource.
    pub(crate) generation: Option<i64>,
    /// Whether its agent was ever heard: there may be a server whose state nobody knows now.
    pub(crate) was_there: bool,
    /// Whether its server serves.
    pub(crate) serves: bool,
    /// Whether it also is what it should be.
    pub(crate) is_settled: bool,
    /// Whether its agent is heard.
    pub(crate) is_heard: bool,
    /// Whether that is being called for the first time.
    pub(crate) is_called: bool,
    /// Whether its user wants it left alone, stopped, or kept away from clients.
    pub(crate) rests: bool,
    /// Whether what it is told is carried out.
    pub(crate) obeys: bool,
    /// Where others reach it.
    pub(crate) fqdn: String,
    /// Those that have a part in replication.
    pub(crate) backends: Vec<Backend>,
    /// What its agent says of all that its server has, whatever the resource says; `None` while the server does not answer.
    pub(crate) heard: Option<Vec<Replica>>,
    /// The authority that has issued its certificate, if that is a user's, as PEM.
    pub(crate) issuer: Option<String>,
    /// The authority of its next certificate, if others are to trust that first.
    pub(crate) announced: Option<String>,
    /// Of the announced authorities those that it trusts.
    pub(crate) trusts: BTreeSet<String>,
    /// Tells the passwords with which others bind to it from other ones: their hashes, by what they are called.
    pub(crate) passwords: BTreeMap<String, String>,
}

/// A backend that has a part in replication.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Backend {
    pub(crate) name: String,
    /// With that of the instance before it, as others refer to it.
    pub(crate) full_name: String,
    pub(crate) suffix: Dn,
    pub(crate) role: Role,
    /// The number that the resource gives a supplier.
    pub(crate) id: Option<u16>,
}

/// A backend and its instance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Replicated<'a> {
    pub(crate) member: &'a Member,
    pub(crate) backend: &'a Backend,
}

impl PartialEq for World {
    fn eq(&self, other: &Self) -> bool {
        // What is said of an agreement changes nothing of what it says.
        let says = |one: &Self| {
            let metadata = one.agreements.iter().map(|agreement| &agreement.metadata);
            metadata.map(|metadata| (metadata.name.clone(), metadata.uid.clone(), metadata.generation)).collect::<Vec<_>>()
        };
        let is_same_of_others = self.with_pods == other.with_pods && self.caught_up == other.caught_up;
        self.members == other.members && is_same_of_others && says(self) == says(other)
    }
}

impl World {
    /// All backends.
    pub(crate) fn replicated(&self) -> impl Iterator<Item = Replicated<'_>> {
        self.members.iter().flat_map(|member| member.backends.iter().map(move |backend| Replicated { member, backend }))
    }

    /// Whether one was said to have all changes of another.
    pub(crate) fn has_caught_up(&self, source: &Replicated<'_>, target: &Replicated<'_>) -> bool {
        !self.caught_up.is_empty() && self.caught_up.contains(&source.way(target))
    }

    /// Those of a suffix, which is in its normal form.
    pub(crate) fn of_suffix(&self, normal: &str) -> Vec<Replicated<'_>> {
        self.replicated().filter(|replicated| replicated.backend.suffix.normal() == normal).collect()
    }

    /// The same by their keys.
    pub(crate) fn of_suffix_by_key(&self, normal: &str) -> BTreeMap<String, Replicated<'_>> {
        self.of_suffix(normal).into_iter().map(|replicated| (replicated.key(), replicated)).collect()
    }
}

impl Member {
    /// Whether a backend with this key is, or was, one of its.
    pub(crate) fn has(&self, key: &str) -> bool {
        key.strip_prefix(&self.name.to_lowercase()).is_some_and(|rest| rest.starts_with('.'))
    }

    /// An instance as its resource says; `None` if it goes.
    pub(crate) fn of(instance: &DS389Instance, names: &Names) -> Option<Self> {
        if instance.metadata.deletion_timestamp.is_some() {
            return None;
        }
        let backend = |backend: &Map<String, Value>| {
            let text = |field: &str| backend.get(field).and_then(Value::as_str);
            let name = text("name")?.to_owned();
            Some(Backend {
                full_name: format!("{}.{name}", instance.name_any()),
                name,
                suffix: Dn::parse(text("suffix")?).ok()?,
                role: Role::named(text("replicaRole")?)?,
                id: backend.get("replicaId").and_then(Value::as_u64).and_then(|id| u16::try_from(id).ok()),
            })
        };
        Some(Self {
            name: instance.name_any(),
            generation: instance.metadata.generation,
            was_there: instance.status.as_ref().is_some_and(|status| status.version.is_some()),
            serves: false,
            is_settled: false,
            is_heard: false,
            is_called: false,
            rests: instance.spec.suspend || !instance.spec.started || instance.spec.fenced,
            obeys: !instance.spec.suspend && !instance.spec.check && !is_refused(instance),
            fqdn: names.fqdn.clone(),
            backends: instance.spec.backends.iter().filter_map(backend).collect(),
            heard: None,
            issuer: None,
            announced: None,
            trusts: BTreeSet::new(),
            passwords: BTreeMap::new(),
        })
    }
}

/// Whether the resource was refused when it was last looked at.
fn is_refused(instance: &DS389Instance) -> bool {
    let conditions = instance.status.iter().flat_map(|status| &status.conditions);
    conditions.filter(|known| known.type_ == Kind::Accepted.name()).any(|known| known.status == "False")
}

impl Replicated<'_> {
    /// Instance and backend.
    pub(crate) fn name(&self) -> String {
        self.backend.full_name.clone()
    }

    /// The same for comparison.
    pub(crate) fn key(&self) -> String {
        self.backend.full_name.to_lowercase()
    }

    /// The way from it to another.
    pub(crate) fn way(&self, target: &Replicated<'_>) -> Way {
        (self.backend.suffix.normal().to_owned(), [self, target].map(|one| one.member.name.clone()))
    }

    /// Whether it is the same.
    pub(crate) fn is(&self, other: &Replicated<'_>) -> bool {
        self.member.name == other.member.name && self.backend.name.eq_ignore_ascii_case(&other.backend.name)
    }

    /// Whether it sends updates.
    pub(crate) fn sends(&self) -> bool {
        self.backend.role.sends()
    }

    /// What its agent says of it, while its server answers.
    pub(crate) fn heard(&self) -> Option<&Replica> {
        let replicas = self.member.heard.as_ref()?;
        replicas.iter().find(|replica| replica.backend.eq_ignore_ascii_case(&self.backend.name))
    }

    /// What its data is called, if that is known.
    pub(crate) fn generation(&self) -> Option<&str> {
        self.heard().map(|replica| replica.generation.as_str()).filter(|generation| !generation.is_empty())
    }

    /// Whether it has data that somebody may miss; `None` if that is not known.
    pub(crate) fn has_data(&self) -> Option<bool> {
        self.generation()?;
        self.heard().map(|replica| !replica.is_empty && replica.receives.is_empty())
    }

    /// Whether it was filled in part.
    pub(crate) fn is_partial(&self) -> bool {
        self.heard().is_some_and(|replica| !replica.is_empty && !replica.receives.is_empty())
    }

    /// What its agent says of an agreement with another.
    pub(crate) fn agreement(&self, target: &Replicated<'_>) -> Option<&Agreement> {
        self.agreement_named(&target.name())
    }

    /// What its agent says of an agreement.
    pub(crate) fn agreement_named(&self, name: &str) -> Option<&Agreement> {
        self.heard()?.agreements.iter().find(|agreement| agreement.name.eq_ignore_ascii_case(name))
    }
}

//! What there is in a namespace that has a part in replication, as resources and agents say it.

use std::sync::Arc;

use aviary_proto::directory::v1::{Agreement, Replica};
use directory::{dn::Dn, specification::Role};
use kube::ResourceExt;
use serde_json::{Map, Value};

use crate::{
    crd::{DS389Agreement, DS389Instance},
    instance::Names,
};

/// All of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    /// By name.
    pub(crate) members: Vec<Member>,
    /// The oldest first.
    pub(crate) agreements: Vec<Arc<DS389Agreement>>,
}

/// An instance.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Of the resource.
    pub(crate) generation: Option<i64>,
    /// Whether its agent was ever heard: there may be a server whose state nobody knows now.
    pub(crate) was_there: bool,
    /// Where others reach it.
    pub(crate) fqdn: String,
    /// Those that have a part in replication.
    pub(crate) backends: Vec<Backend>,
    /// What its agent says of them; `None` while it does not answer.
    pub(crate) heard: Option<Vec<Replica>>,
    /// Tells the password with which others bind to it from another one; `None` if there is none yet.
    pub(crate) password: Option<String>,
}

/// A backend that has a part in replication.
#[derive(Debug, Clone)]
pub(crate) struct Backend {
    pub(crate) name: String,
    pub(crate) suffix: Dn,
    pub(crate) role: Role,
    /// The number that the resource gives a supplier.
    pub(crate) id: Option<u16>,
    /// Whether it may be made without the entry of its suffix.
    pub(crate) may_be_bare: bool,
}

/// A backend and its instance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Replicated<'a> {
    pub(crate) member: &'a Member,
    pub(crate) backend: &'a Backend,
}

impl World {
    /// All backends.
    pub(crate) fn replicated(&self) -> impl Iterator<Item = Replicated<'_>> {
        self.members.iter().flat_map(|member| member.backends.iter().map(move |backend| Replicated { member, backend }))
    }

    /// Those of a suffix.
    pub(crate) fn of_suffix(&self, suffix: &Dn) -> Vec<Replicated<'_>> {
        self.replicated().filter(|replicated| replicated.backend.suffix == *suffix).collect()
    }
}

impl Member {
    /// An instance as its resource says; `None` if it goes.
    pub(crate) fn of(instance: &DS389Instance, names: &Names) -> Option<Self> {
        if instance.metadata.deletion_timestamp.is_some() {
            return None;
        }
        let is_lmdb = instance.spec.config.get("dbLib").is_some_and(|kind| kind == "mdb");
        let backend = |backend: &Map<String, Value>| {
            let text = |field: &str| backend.get(field).and_then(Value::as_str);
            Some(Backend {
                name: text("name")?.to_owned(),
                suffix: Dn::parse(text("suffix")?).ok()?,
                role: Role::named(text("replicaRole")?)?,
                id: backend.get("replicaId").and_then(Value::as_u64).and_then(|id| u16::try_from(id).ok()),
                may_be_bare: !is_lmdb,
            })
        };
        Some(Self {
            name: instance.name_any(),
            generation: instance.metadata.generation,
            was_there: instance.status.as_ref().is_some_and(|status| status.version.is_some()),
            fqdn: names.fqdn.clone(),
            backends: instance.spec.backends.iter().filter_map(backend).collect(),
            heard: None,
            password: None,
        })
    }
}

impl Replicated<'_> {
    /// Instance and backend.
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.member.name, self.backend.name)
    }

    /// The same for comparison.
    pub(crate) fn key(&self) -> String {
        self.name().to_lowercase()
    }

    /// Whether it is the same.
    pub(crate) fn is(&self, other: &Replicated<'_>) -> bool {
        self.member.name == other.member.name && self.backend.name.eq_ignore_ascii_case(&other.backend.name)
    }

    /// Whether it sends updates.
    pub(crate) fn sends(&self) -> bool {
        matches!(self.backend.role, Role::Supplier | Role::Hub)
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
        self.heard()?.agreements.iter().find(|agreement| agreement.name.eq_ignore_ascii_case(&target.name()))
    }
}

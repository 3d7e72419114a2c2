//! What the objects of an instance are called, where they are, and what labels them.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::{Resource, ResourceExt, runtime::reflector::ObjectRef};

use crate::{
    crd::{ClientService, DS389Instance, InstanceSpec},
    objects::{INSTANCE_LABEL, MANAGED_BY_LABEL, MANAGER, NAME, NAME_LABEL},
};

/// How the names of Secrets with what servers should be end.
pub(crate) const SPECIFICATION: &str = "-specification";

/// The names of one instance.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    /// Of the resource, and of its Service and StatefulSet.
    pub(crate) instance: String,
    /// Where all of it is.
    pub(crate) namespace: String,
    /// The name that the server is known by.
    pub(crate) fqdn: String,
    owner: Option<OwnerReference>,
}

impl Names {
    /// Those of a resource; `None` if it is in no namespace.
    pub(crate) fn of(instance: &DS389Instance, cluster_domain: &str) -> Option<Self> {
        let (name, namespace) = (instance.name_any(), instance.namespace()?);
        let fqdn = format!("{name}.{namespace}.svc.{cluster_domain}");
        Some(Self { instance: name, namespace, fqdn, owner: instance.controller_owner_ref(&()) })
    }

    /// The instance, among all.
    pub(crate) fn key(&self) -> ObjectRef<DS389Instance> {
        ObjectRef::new(&self.instance).within(&self.namespace)
    }

    /// The volume.
    pub(crate) fn claim(&self) -> String {
        format!("{}-data", self.instance)
    }

    /// The Secret with what the server should be.
    pub(crate) fn specification(&self) -> String {
        format!("{}{SPECIFICATION}", self.instance)
    }

    /// The Secret with the agent's certificate.
    pub(crate) fn agent(&self) -> String {
        format!("{}-agent", self.instance)
    }

    /// The Secret with the server's certificate.
    pub(crate) fn tls(&self) -> String {
        format!("{}-tls", self.instance)
    }

    /// The Secret with the password that the operator makes.
    pub(crate) fn directory_manager(&self) -> String {
        format!("{}-directory-manager", self.instance)
    }

    /// The Secret with the password that other servers bind with.
    pub(crate) fn replication(&self) -> String {
        self.replication_of(&self.instance)
    }

    /// The same of another instance of the namespace.
    pub(crate) fn replication_of(&self, instance: &str) -> String {
        format!("{instance}-replication")
    }

    /// The pod.
    pub(crate) fn pod(&self) -> String {
        format!("{}-0", self.instance)
    }

    /// All names by which the server can be called, the one that it is known by first.
    pub(crate) fn hosts(&self) -> Vec<String> {
        let Self { instance, namespace, fqdn, .. } = self;
        vec![
            fqdn.clone(),
            format!("{instance}.{namespace}.svc"),
            format!("{instance}.{namespace}"),
            format!("{}.{fqdn}", self.pod()),
            "localhost".to_owned(),
        ]
    }

    /// These, and the names that clients know it by.
    pub(crate) fn hosts_for_clients(&self, spec: &InstanceSpec) -> Vec<String> {
        let domain = self.fqdn.strip_prefix(&format!("{}.", self.instance)).unwrap_or_default();
        let of_service = |service: &ClientService| {
            let name = self.service(&service.name);
            [format!("{name}.{domain}"), format!("{name}.{}.svc", self.namespace), format!("{name}.{}", self.namespace)]
        };
        let further = spec.tls.iter().flat_map(|tls| tls.hosts.iter().cloned());
        let mut hosts = self.hosts();
        for host in spec.services.iter().flat_map(of_service).chain(further) {
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
        hosts
    }

    /// A Service for clients.
    pub(crate) fn service(&self, name: &str) -> String {
        format!("{}-{name}", self.instance)
    }

    /// The ConfigMap with the users of its pod, where that is another than the image's.
    pub(crate) fn accounts(&self) -> String {
        format!("{}-accounts", self.instance)
    }

    /// What labels its objects.
    pub(crate) fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.selector();
        labels.insert(MANAGED_BY_LABEL.to_owned(), MANAGER.to_owned());
        labels
    }

    /// What its pod is found by.
    pub(crate) fn selector(&self) -> BTreeMap<String, String> {
        let labels = [(NAME_LABEL, NAME), (INSTANCE_LABEL, &self.instance)];
        labels.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    /// Of an object that goes with the instance.
    pub(crate) fn owned(&self, name: String) -> ObjectMeta {
        ObjectMeta { owner_references: self.owner.clone().map(|owner| vec![owner]), ..self.kept(name) }
    }

    /// Of an object that stays.
    pub(crate) fn kept(&self, name: String) -> ObjectMeta {
        ObjectMeta {
            name: Some(name),
            namespace: Some(self.namespace.clone()),
            labels: Some(self.labels()),
            ..ObjectMeta::default()
        }
    }
}

//! The objects of an instance, as they should be: a function of its resource and of what there is already.

mod network;
mod overlay;
mod pod;

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::{
    ByteString,
    api::{
        apps::v1::{StatefulSet, StatefulSetSpec, StatefulSetUpdateStrategy},
        core::v1::{
            ConfigMap, PersistentVolumeClaim, PersistentVolumeClaimSpec, PodTemplateSpec, Secret, Service,
            VolumeResourceRequirements,
        },
        networking::v1::NetworkPolicy,
    },
    apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta},
};
use serde_json::{Map, Value, json};

use crate::{
    args::Settings,
    authorities::{AUTHORITY, CERTIFICATE, KEY, text},
    crd::{DS389Instance, WhenDeleted},
    instance::{
        Error,
        dereference::{self, Password, Referenced},
        interrupts::interrupts,
        names::Names,
        sizes,
        validate::Valid,
    },
    objects::short_hash,
};

pub(crate) use network::SERVICE_LABEL;
pub(crate) use overlay::overlay;

/// The key of the document in its Secret, and the name of its file in the pod.
pub(crate) const DOCUMENT: &str = "instance.json";
/// What says of a pod what it was made from.
const MADE_FROM: &str = "ds389.aviary.dev/made-from";
/// What says of a pod which entries for backends it brings.
const BRINGS: &str = "ds389.aviary.dev/brings";
/// Raised when pods have to be made anew for a new operator to work with them.
const LAYOUT: u32 = 1;

/// All of them.
pub(crate) struct Built {
    pub(crate) service: Service,
    pub(crate) client_services: Vec<Service>,
    /// If the operator is to make any.
    pub(crate) policy: Option<NetworkPolicy>,
    /// The users of its pod, where that runs as another one than the image's.
    pub(crate) accounts: Option<ConfigMap>,
    pub(crate) claim: PersistentVolumeClaim,
    /// What the agent is told, in a Secret that its pod has.
    pub(crate) specification: Secret,
    /// Its number.
    pub(crate) revision: u64,
    /// The document itself.
    pub(crate) document: String,
    /// Whether it restarts a server that goes by the last one.
    pub(crate) interrupts: bool,
    /// Whether its server is to serve nobody.
    pub(crate) is_kept_away: bool,
    /// Whether nothing is to be done, only told.
    pub(crate) only_checks: bool,
    /// The Secret with the password, if it was made just now.
    pub(crate) password: Option<Secret>,
    /// What is said of that Secret once there is one.
    pub(crate) password_metadata: ObjectMeta,
    /// The Secret with those that other servers bind with, if some were made just now.
    pub(crate) replication: Option<Secret>,
    pub(crate) stateful_set: StatefulSet,
    /// What the pod should be made from.
    pub(crate) origin: Origin,
}

/// What a pod is made from that a user can change. When it is something else, the pod is made anew; not when less is to be brought,
/// for that is needed once.
#[derive(Debug, PartialEq)]
pub(crate) struct Origin {
    made_from: String,
    brings: BTreeSet<String>,
}

impl Origin {
    fn of(instance: &DS389Instance, image: &str) -> Self {
        Self { made_from: made_from(instance, image), brings: pod::brings(instance) }
    }

    /// As it stands in a pod.
    fn annotations(&self) -> BTreeMap<String, String> {
        let brings = Vec::from_iter(self.brings.iter().map(String::as_str)).join(" ");
        let brings = (!brings.is_empty()).then(|| (BRINGS.to_owned(), brings));
        brings.into_iter().chain([(MADE_FROM.to_owned(), self.made_from.clone())]).collect()
    }

    /// Whether a pod with these annotations is made from that.
    pub(crate) fn is_that_of(&self, annotations: &BTreeMap<String, String>) -> bool {
        let has: BTreeSet<&str> = annotations.get(BRINGS).into_iter().flat_map(|brings| brings.split(' ')).collect();
        annotations.get(MADE_FROM) == Some(&self.made_from) && self.brings.iter().all(|one| has.contains(one.as_str()))
    }
}

/// Builds them.
pub(crate) fn build(
    instance: &DS389Instance,
    names: &Names,
    valid: &Valid,
    referenced: &Referenced,
    settings: &Settings,
) -> Result<Built, Error> {
    let image = image(instance, referenced, settings);
    let origin = Origin::of(instance, &image);
    let Numbered { document, revision, interrupts } = numbered(instance, valid, referenced)?;
    let mut specification = secret(names.owned(names.specification()), "Opaque", &[(DOCUMENT, &document)]);
    // Whoever has changed it since keeps it: the number would be given twice.
    specification.metadata.resource_version =
        referenced.specification.as_ref().and_then(|known| known.metadata.resource_version.clone());
    // It stays with the volume, whose server knows it.
    let password_metadata = staying(instance, names, names.directory_manager());
    let password = match &referenced.password {
        Password::Made(text) => Some(secret(password_metadata.clone(), "Opaque", &[(dereference::PASSWORD, text)])),
        _ => None,
    };
    let replication = referenced.replication.is_new.then(|| {
        let texts = referenced.replication.own.iter().map(|(key, text)| (key.as_str(), text.as_str()));
        let mut made = secret(names.owned(names.replication()), "Opaque", &texts.collect::<Vec<_>>());
        made.metadata.resource_version =
            referenced.replication.secret.as_ref().and_then(|known| known.metadata.resource_version.clone());
        made
    });
    let template = pod::template(instance, names, &valid.sizes, settings, &image, origin.annotations());
    let (template, accounts) = pod::finish(instance, names, template).map_err(Error::Overlay)?;
    Ok(Built {
        service: network::service(names),
        client_services: network::client_services(instance, names),
        policy: settings.network_policies.then(|| network::policy(names, &settings.own_namespace)),
        accounts,
        claim: claim(instance, names, referenced),
        specification,
        revision,
        document,
        interrupts,
        is_kept_away: !instance.spec.started || instance.spec.fenced,
        only_checks: instance.spec.check,
        password,
        password_metadata,
        replication,
        stateful_set: stateful_set(names, template),
        origin,
    })
}

/// The Secret of this name with a certificate.
pub(crate) fn certificate(names: &Names, name: String, certificate: &dereference::Certificate) -> Secret {
    let mut parts = vec![
        (CERTIFICATE, certificate.identity.certificate.as_str()),
        (KEY, certificate.identity.key.as_str()),
        (AUTHORITY, certificate.authority.as_str()),
    ];
    parts.extend(certificate.issuer.as_deref().map(|issuer| (dereference::ISSUER, issuer)));
    parts.extend(certificate.announced.as_deref().map(|announced| (dereference::ANNOUNCED, announced)));
    secret(names.owned(name), "kubernetes.io/tls", &parts)
}

/// The image of the resource, or the one that the pod has: a new operator brings another one for new instances only.
fn image(instance: &DS389Instance, referenced: &Referenced, settings: &Settings) -> String {
    let known = || {
        let pod = referenced.stateful_set.as_ref()?.spec.as_ref()?.template.spec.as_ref()?;
        pod.containers.first()?.image.clone()
    };
    instance.spec.image.clone().or_else(known).unwrap_or_else(|| settings.agent_image.clone())
}

fn made_from(instance: &DS389Instance, image: &str) -> String {
    let spec = &instance.spec;
    let mut parts = vec![json!(LAYOUT), json!(image), json!(spec.image_pull_secrets), json!(spec.resources)];
    parts.push(json!(spec.restart_requested_at));
    // What came to be said later does not have pods made anew that it says nothing of.
    parts.extend(spec.pod_template.as_ref().map(|template| json!(["template", template])));
    let parts = Value::Array(parts);
    short_hash(parts.to_string().as_bytes())
}

/// A document with its number.
struct Numbered {
    document: String,
    revision: u64,
    /// Whether it restarts a server that goes by the last one.
    interrupts: bool,
}

/// The document with its number: that of the last one if it says the same, a higher one if not, which is the time in seconds if
/// that is higher: a volume that was kept knows the numbers of the instance that it had.
fn numbered(instance: &DS389Instance, valid: &Valid, referenced: &Referenced) -> Result<Numbered, Error> {
    let last = referenced.specification.as_ref().and_then(|secret| text(secret, DOCUMENT));
    let known: Map<String, Value> = last.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let now = u64::try_from(referenced.now.unix_timestamp()).unwrap_or(0);
    let revision = known.get("revision").and_then(Value::as_u64).unwrap_or(0);
    // One who was away for a while may have seen less than whoever has written that.
    let owners = referenced.specification.as_ref().and_then(|secret| secret.metadata.owner_references.as_ref());
    let is_ours = owners.is_some_and(|owners| owners.iter().any(|owner| Some(&owner.uid) == instance.metadata.uid.as_ref()));
    if is_ours && known.get("generation").and_then(Value::as_i64) > instance.metadata.generation {
        return Err(Error::Outdated);
    }
    let mut said = known;
    said.retain(|key, _| !matches!(key.as_str(), "revision" | "generation"));
    match last {
        Some(document) if said == valid.document => Ok(Numbered { document, revision, interrupts: false }),
        _ => {
            let (mut document, next) = (valid.document.clone(), now.max(revision + 1));
            document.insert("revision".to_owned(), next.into());
            document.insert("generation".to_owned(), instance.metadata.generation.into());
            let interrupts = interrupts(&said, &valid.document);
            Ok(Numbered { document: serde_json::to_string(&document)?, revision: next, interrupts })
        }
    }
}

fn secret(metadata: ObjectMeta, kind: &str, texts: &[(&str, &str)]) -> Secret {
    let data = texts.iter().map(|(key, text)| ((*key).to_owned(), ByteString(text.as_bytes().to_vec())));
    Secret { metadata, data: Some(data.collect()), type_: Some(kind.to_owned()), ..Secret::default() }
}

fn claim(instance: &DS389Instance, names: &Names, referenced: &Referenced) -> PersistentVolumeClaim {
    let storage = &instance.spec.storage;
    // One that was kept may be larger, or of another class, than what the resource that takes it up says.
    let there = referenced.claim.as_ref().and_then(|claim| claim.spec.as_ref());
    let has = there.and_then(|spec| spec.resources.as_ref()?.requests.as_ref()?.get("storage"));
    let larger = has.filter(|has| sizes::bytes(has) > sizes::bytes(&storage.size));
    let requests = [("storage".to_owned(), larger.unwrap_or(&storage.size).clone())].into();
    let class = there.and_then(|spec| spec.storage_class_name.clone());
    let spec = PersistentVolumeClaimSpec {
        access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
        storage_class_name: class.or_else(|| storage.storage_class_name.clone()),
        resources: Some(VolumeResourceRequirements { requests: Some(requests), ..VolumeResourceRequirements::default() }),
        ..PersistentVolumeClaimSpec::default()
    };
    let metadata = staying(instance, names, names.claim());
    PersistentVolumeClaim { metadata, spec: Some(spec), ..PersistentVolumeClaim::default() }
}

/// Of an object that stays when the instance is deleted, if that is wanted.
fn staying(instance: &DS389Instance, names: &Names, name: String) -> ObjectMeta {
    match instance.spec.storage.when_deleted {
        WhenDeleted::Retain => names.kept(name),
        WhenDeleted::Delete => names.owned(name),
    }
}

fn stateful_set(names: &Names, template: PodTemplateSpec) -> StatefulSet {
    let spec = StatefulSetSpec {
        replicas: Some(1),
        service_name: Some(names.instance.clone()),
        selector: LabelSelector { match_labels: Some(names.selector()), ..LabelSelector::default() },
        template,
        // The operator decides when.
        update_strategy: Some(StatefulSetUpdateStrategy { type_: Some("OnDelete".to_owned()), rolling_update: None }),
        ..StatefulSetSpec::default()
    };
    StatefulSet { metadata: names.owned(names.instance.clone()), spec: Some(spec), ..StatefulSet::default() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &Value, now: &Value, expected: bool) {
        let origin = |data: &Value| {
            let instance = json!({
                "apiVersion": "ds389.aviary.dev/v1alpha1", "kind": "DS389Instance",
                "metadata": {"name": "ldap", "namespace": "test"}, "spec": {"initialData": data},
            });
            Origin::of(&serde_json::from_value(instance).unwrap(), "image")
        };
        assert_eq!(origin(now).is_that_of(&origin(before).annotations()), expected, "{before} {now}");
    }

    #[test]
    fn a_pod_is_made_anew_for_entries_that_it_does_not_bring_and_not_for_those_that_nobody_wants_any_more() {
        let map = |name: &str| json!({"backend": "a", "configMap": {"name": name, "key": "first.ldif"}});
        let store = |url: &str| json!({"backend": "b", "store": {"url": url}});
        let (none, one) = (json!([]), json!([map("one")]));
        check(&none, &none, true);
        check(&one, &one, true);
        check(&none, &one, false);
        check(&one, &none, true);
        check(&one, &json!([map("other")]), false);
        // What the agent fetches itself the pod has nothing of.
        check(&json!([store("s3://bucket/wrong.ldif")]), &json!([store("s3://bucket/right.ldif")]), true);
        check(&one, &json!([map("one"), store("s3://bucket/right.ldif")]), true);
    }
}

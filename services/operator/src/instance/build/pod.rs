//! The pod of an instance: one container, whose first process is the agent; its volume, and folders in memory for what is not to
//! be kept. It runs where pods are `restricted`.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::{
    api::core::v1::{
        Capabilities, ConfigMap, ConfigMapVolumeSource, Container, ContainerPort, EmptyDirVolumeSource, EnvVar, HTTPGetAction,
        KeyToPath, PersistentVolumeClaimVolumeSource, PodSecurityContext, PodSpec, PodTemplateSpec, Probe, ResourceRequirements,
        SeccompProfile, SecretVolumeSource, SecurityContext, Volume, VolumeMount,
    },
    apimachinery::pkg::{api::resource::Quantity, apis::meta::v1::ObjectMeta, util::intstr::IntOrString},
};
use serde_json::json;

use crate::{
    agents,
    args::Settings,
    crd::{DS389Instance, DataKey, InitialData},
    instance::{
        build::{DOCUMENT, overlay},
        document::{INITIAL_DIR, LDIF, SECURE_PORT, TLS_DIR},
        names::Names,
        sizes::{MEMORY, Sizes},
    },
    objects::short_hash,
};

/// Whom the image runs as.
const USER: i64 = 10389;
/// How long a server may take to stop.
const GRACE_SECONDS: i64 = 300;
/// The port of probes and metrics.
const ADMIN_PORT: u16 = 8001;
/// Where the pod has what its instance should be, and the agent's certificate.
const SPECIFICATION_DIR: &str = "/etc/aviary/instance";
const AGENT_DIR: &str = "/etc/aviary/agent";
/// Files that the server's group may read, and nobody else.
const GROUP_READS: i32 = 0o440;

/// The volumes by their names: what is in them, and where the container has it.
const SPECIFICATION: &str = "specification";
const AGENT: &str = "agent";
const TLS: &str = "tls";
const DATA: &str = "data";
const RUN: &str = "run";
const TMP: &str = "tmp";
const INITIAL: &str = "initial";
const ACCOUNTS: &str = "accounts";
/// The container.
pub(super) const CONTAINER: &str = "agent";
/// Whom the image calls its user and group, and the files below /etc that say so.
const ACCOUNT: &str = "ds389";
const USERS: &str = "passwd";
const GROUPS: &str = "group";

/// The pod.
pub(super) fn template(
    instance: &DS389Instance,
    names: &Names,
    sizes: &Sizes,
    settings: &Settings,
    image: &str,
    annotations: BTreeMap<String, String>,
) -> PodTemplateSpec {
    let metadata = ObjectMeta { labels: Some(names.labels()), annotations: Some(annotations), ..ObjectMeta::default() };
    let pull_secrets = &instance.spec.image_pull_secrets;
    let scheduling = instance.spec.scheduling.clone().unwrap_or_default();
    let mut spec = PodSpec {
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        termination_grace_period_seconds: Some(GRACE_SECONDS),
        node_selector: scheduling.node_selector,
        tolerations: scheduling.tolerations,
        affinity: scheduling.affinity,
        priority_class_name: scheduling.priority_class_name,
        image_pull_secrets: (!pull_secrets.is_empty()).then(|| pull_secrets.clone()),
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            run_as_user: Some(USER),
            run_as_group: Some(USER),
            fs_group: Some(USER),
            fs_group_change_policy: Some("OnRootMismatch".to_owned()),
            seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), localhost_profile: None }),
            ..PodSecurityContext::default()
        }),
        containers: vec![container(instance, settings, image)],
        volumes: Some(vec![
            secret(SPECIFICATION, names.specification(), &[DOCUMENT]),
            secret(AGENT, names.agent(), &[]),
            secret(TLS, names.tls(), &[]),
            Volume {
                name: DATA.to_owned(),
                persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource { claim_name: names.claim(), read_only: None }),
                ..Volume::default()
            },
            Volume { empty_dir: Some(in_memory(sizes.run)), name: RUN.to_owned(), ..Volume::default() },
            Volume { empty_dir: Some(EmptyDirVolumeSource::default()), name: TMP.to_owned(), ..Volume::default() },
        ]),
        ..PodSpec::default()
    };
    for (index, initial) in instance.spec.initial_data.iter().enumerate() {
        let Some((volume, mount)) = data(index, initial) else { continue };
        spec.volumes.get_or_insert_default().push(volume);
        spec.containers.iter_mut().for_each(|agent| agent.volume_mounts.get_or_insert_default().push(mount.clone()));
    }
    PodTemplateSpec { metadata: Some(metadata), spec: Some(spec) }
}

/// The same with what the user says of it, and with what that needs: a server runs only as somebody whom the system knows.
pub(super) fn finish(
    instance: &DS389Instance,
    names: &Names,
    template: PodTemplateSpec,
) -> Result<(PodTemplateSpec, Option<ConfigMap>), String> {
    let Some(user) = &instance.spec.pod_template else { return Ok((template, None)) };
    let mut template = overlay(template, user)?;
    let Some(spec) = &mut template.spec else { return Ok((template, None)) };
    let security = spec.security_context.clone().unwrap_or_default();
    let (user, group) = (security.run_as_user.unwrap_or(USER), security.run_as_group.unwrap_or(USER));
    if (user, group) == (USER, USER) {
        return Ok((template, None));
    }
    let lines =
        [(USERS, format!("{ACCOUNT}:x:{user}:{group}::/data:/usr/sbin/nologin\n")), (GROUPS, format!("{ACCOUNT}:x:{group}:\n"))];
    let data = lines.into_iter().map(|(key, line)| (key.to_owned(), line)).collect();
    let accounts = ConfigMap { metadata: names.owned(names.accounts()), data: Some(data), ..ConfigMap::default() };
    let source = ConfigMapVolumeSource { name: names.accounts(), ..ConfigMapVolumeSource::default() };
    let volume = Volume { name: ACCOUNTS.to_owned(), config_map: Some(source), ..Volume::default() };
    spec.volumes.get_or_insert_default().push(volume);
    let mount = |key: &str| VolumeMount {
        name: ACCOUNTS.to_owned(),
        mount_path: format!("/etc/{key}"),
        sub_path: Some(key.to_owned()),
        read_only: Some(true),
        ..VolumeMount::default()
    };
    if let Some(agent) = spec.containers.iter_mut().find(|container| container.name == CONTAINER) {
        agent.volume_mounts.get_or_insert_default().extend([USERS, GROUPS].map(mount));
    }
    Ok((template, Some(accounts)))
}

/// What tells the files of LDIF that a pod brings from others, and from those of another place.
pub(super) fn brings(instance: &DS389Instance) -> BTreeSet<String> {
    let all = instance.spec.initial_data.iter().enumerate();
    let volumes = all.filter_map(|(index, initial)| data(index, initial));
    volumes.map(|(volume, _)| short_hash(json!(volume).to_string().as_bytes())).collect()
}

/// The volume of an LDIF file, or of what lets us into the store that has it, and where the container has that.
fn data(index: usize, data: &InitialData) -> Option<(Volume, VolumeMount)> {
    if let Some(store) = &data.store
        && store.secret_name.is_none()
    {
        return None;
    }
    let name = format!("{INITIAL}-{index}");
    let item = |key: &DataKey| vec![KeyToPath { key: key.key.clone(), path: LDIF.to_owned(), mode: None }];
    let config_map = data.config_map.as_ref().map(|key| ConfigMapVolumeSource {
        name: key.name.clone(),
        items: Some(item(key)),
        // It is needed once: the agent says what is missing then, and nothing later depends on it.
        optional: Some(true),
        ..ConfigMapVolumeSource::default()
    });
    let of_store = data.store.as_ref().and_then(|store| Some((store.secret_name.clone()?, None)));
    let secret = data.secret.as_ref().map(|key| (key.name.clone(), Some(item(key)))).or(of_store);
    let secret = secret.map(|(name, items)| SecretVolumeSource {
        secret_name: Some(name),
        default_mode: Some(GROUP_READS),
        items,
        optional: Some(true),
    });
    let mount = VolumeMount {
        name: name.clone(),
        mount_path: format!("{INITIAL_DIR}/{index}"),
        read_only: Some(true),
        ..VolumeMount::default()
    };
    Some((Volume { name, config_map, secret, ..Volume::default() }, mount))
}

fn container(instance: &DS389Instance, settings: &Settings, image: &str) -> Container {
    let port = |name: &str, port: u16| ContainerPort {
        name: Some(name.to_owned()),
        container_port: port.into(),
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    };
    let set = |name: &str, value: String| EnvVar { name: name.to_owned(), value: Some(value), value_from: None };
    let mount = |name: &str, path: &str, read_only: Option<bool>| VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        read_only,
        ..VolumeMount::default()
    };
    let probe = |path: &str, period: i32, failures: i32| Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::String("admin".to_owned()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period),
        failure_threshold: Some(failures),
        ..Probe::default()
    };
    Container {
        name: CONTAINER.to_owned(),
        image: Some(image.to_owned()),
        image_pull_policy: Some(settings.agent_pull_policy.clone()),
        env: Some(vec![
            set("AVIARY_SPECIFICATION", format!("{SPECIFICATION_DIR}/{DOCUMENT}")),
            set("AVIARY_LISTEN", format!("[::]:{}", agents::PORT)),
            set("AVIARY_TLS_CERT", format!("{AGENT_DIR}/tls.crt")),
            set("AVIARY_TLS_KEY", format!("{AGENT_DIR}/tls.key")),
            set("AVIARY_TLS_CLIENT_CA", format!("{AGENT_DIR}/ca.crt")),
        ]),
        ports: Some(vec![port("ldaps", SECURE_PORT), port("agent", agents::PORT), port("admin", ADMIN_PORT)]),
        liveness_probe: Some(probe("/livez", 10, 6)),
        readiness_probe: Some(probe("/readyz", 2, 2)),
        resources: Some(instance.spec.resources.clone().unwrap_or_else(resources)),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            read_only_root_filesystem: Some(true),
            capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), add: None }),
            ..SecurityContext::default()
        }),
        volume_mounts: Some(vec![
            mount(SPECIFICATION, SPECIFICATION_DIR, Some(true)),
            mount(AGENT, AGENT_DIR, Some(true)),
            mount(TLS, TLS_DIR, Some(true)),
            mount(DATA, "/data", None),
            mount(RUN, "/run/ds", None),
            mount(TMP, "/tmp", None),
        ]),
        ..Container::default()
    }
}

fn secret(name: &str, secret: String, keys: &[&str]) -> Volume {
    let item = |key: &&str| KeyToPath { key: (*key).to_owned(), path: (*key).to_owned(), mode: None };
    let items: Vec<_> = keys.iter().map(item).collect();
    let source = SecretVolumeSource {
        secret_name: Some(secret),
        default_mode: Some(GROUP_READS),
        items: (!items.is_empty()).then_some(items),
        optional: None,
    };
    Volume { name: name.to_owned(), secret: Some(source), ..Volume::default() }
}

fn in_memory(bytes: u64) -> EmptyDirVolumeSource {
    EmptyDirVolumeSource { medium: Some("Memory".to_owned()), size_limit: Some(Quantity(bytes.to_string())) }
}

/// What a small directory needs.
fn resources() -> ResourceRequirements {
    let quantity = |text: &str| Quantity(text.to_owned());
    ResourceRequirements {
        requests: Some([("cpu".to_owned(), quantity("50m")), ("memory".to_owned(), quantity("256Mi"))].into()),
        limits: Some([("memory".to_owned(), quantity(MEMORY))].into()),
        ..ResourceRequirements::default()
    }
}

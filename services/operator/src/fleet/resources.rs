//! Instances and agreements in the words of the contract, from their resources and what agents say. Pure.

use aviary_proto::directory::v1::{Backend, Condition, DeclaredAgreement, HeldData, Instance, Pair, PairState, Replica};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition as Known, Time};
use kube::ResourceExt;
use prost_types::Timestamp;
use serde_json::{Map, Value};

use crate::{
    crd::{DS389Agreement, DS389Instance, PairStatus},
    topology::State,
};

/// An instance; what is `heard` of its replicas is absent while its agent is silent.
pub(super) fn instance(resource: &DS389Instance, heard: Option<Vec<Replica>>) -> Instance {
    let status = resource.status.clone().unwrap_or_default();
    let heard = heard.unwrap_or_default();
    Instance {
        namespace: resource.namespace().unwrap_or_default(),
        name: resource.name_any(),
        generation: resource.metadata.generation.unwrap_or_default(),
        observed_generation: status.observed_generation.unwrap_or_default(),
        conditions: status.conditions.iter().map(condition).collect(),
        host: status.fqdn.unwrap_or_default(),
        image: status.image.unwrap_or_default(),
        server_version: status.version.unwrap_or_default(),
        agent_version: status.agent_version.unwrap_or_default(),
        certificate_ends: status.certificate_not_after.as_ref().map(timestamp),
        is_going: resource.metadata.deletion_timestamp.is_some(),
        backends: resource.spec.backends.iter().map(|options| backend(options, &heard)).collect(),
    }
}

fn backend(options: &Map<String, Value>, heard: &[Replica]) -> Backend {
    let text = |field: &str| options.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let name = text("name");
    let held = heard.iter().find(|replica| replica.backend.eq_ignore_ascii_case(&name)).map(|replica| HeldData {
        id: replica.id,
        generation: replica.generation.clone(),
        is_empty: replica.is_empty,
        waits: !replica.receives.is_empty(),
    });
    Backend { name, suffix: text("suffix"), role: text("replicaRole"), held }
}

/// An agreement.
pub(super) fn agreement(resource: &DS389Agreement) -> DeclaredAgreement {
    let status = resource.status.clone().unwrap_or_default();
    let (in_sync, total) = status.in_sync.as_deref().and_then(|text| text.split_once('/')).unwrap_or_default();
    DeclaredAgreement {
        namespace: resource.namespace().unwrap_or_default(),
        name: resource.name_any(),
        generation: resource.metadata.generation.unwrap_or_default(),
        observed_generation: status.observed_generation.unwrap_or_default(),
        conditions: status.conditions.iter().map(condition).collect(),
        pairs_total: total.parse().unwrap_or_default(),
        pairs_in_sync: in_sync.parse().unwrap_or_default(),
        pairs: status.pairs.iter().map(pair).collect(),
        is_going: resource.metadata.deletion_timestamp.is_some(),
    }
}

fn pair(known: &PairStatus) -> Pair {
    Pair {
        source: known.source.clone(),
        target: known.target.clone(),
        state: State::named(&known.state).map_or(PairState::Unspecified, state).into(),
        since: known.since.as_ref().map(timestamp),
        message: known.message.clone().unwrap_or_default(),
        request_id: known.request_id.clone().unwrap_or_default(),
    }
}

/// How a pair is.
pub(super) fn state(state: State) -> PairState {
    match state {
        State::Unknown => PairState::Unknown,
        State::Configuring => PairState::Configuring,
        State::Waiting => PairState::Waiting,
        State::Initialising => PairState::Initialising,
        State::InSync => PairState::InSync,
        State::Behind => PairState::Behind,
        State::OtherData => PairState::OtherData,
        State::Failing => PairState::Failing,
        State::Paused => PairState::Paused,
    }
}

fn condition(known: &Known) -> Condition {
    Condition {
        r#type: known.type_.clone(),
        status: known.status.clone(),
        reason: known.reason.clone(),
        message: known.message.clone(),
        since: Some(timestamp(&known.last_transition_time)),
    }
}

fn timestamp(Time(time): &Time) -> Timestamp {
    Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() }
}

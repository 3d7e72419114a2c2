//! What a user says of the pod, laid over the pod that the operator builds: a function of both.

use k8s_openapi::api::core::v1::{PodSpec, PodTemplateSpec};
use serde_json::Value;

use super::pod::CONTAINER;
use crate::crd::PodTemplate;

/// What of the container of the agent is said elsewhere: more than the pod goes by it.
const ELSEWHERE: [(&str, &str); 2] = [("image", "spec.image"), ("resources", "spec.resources, by which caches are sized")];

/// Lays it over. The error says what of it pods do not have.
pub(crate) fn overlay(template: PodTemplateSpec, user: &PodTemplate) -> Result<PodTemplateSpec, String> {
    if let Some((field, place)) = said_elsewhere(user) {
        return Err(format!("spec.podTemplate.spec.containers: {field} of the container {CONTAINER} belongs into {place}"));
    }
    let mut template = template;
    let metadata = template.metadata.get_or_insert_default();
    // What selects its pods, and tells of what they were made, the operator says.
    let own = metadata.labels.take().into_iter().flatten();
    metadata.labels = Some(user.metadata.labels.clone().into_iter().chain(own).collect());
    let own = metadata.annotations.take().into_iter().flatten();
    metadata.annotations = Some(user.metadata.annotations.clone().into_iter().chain(own).collect());
    let mut spec = serde_json::to_value(&template.spec).map_err(|error| error.to_string())?;
    merge(&mut spec, &Value::Object(user.spec.clone()));
    let merged: PodSpec = serde_json::from_value(spec.clone()).map_err(|error| format!("spec.podTemplate.spec: {error}"))?;
    let known = serde_json::to_value(&merged).map_err(|error| error.to_string())?;
    if let Some(path) = unknown(&spec, &known, "spec.podTemplate.spec") {
        return Err(format!("{path}: pods have no such field"));
    }
    template.spec = Some(merged);
    Ok(template)
}

/// What it says that belongs elsewhere, and where.
fn said_elsewhere(user: &PodTemplate) -> Option<(&'static str, &'static str)> {
    let containers = user.spec.get("containers").and_then(Value::as_array).into_iter().flatten();
    let mut agents = containers.filter(|container| container.get("name").is_some_and(|name| name == CONTAINER));
    agents.find_map(|agent| ELSEWHERE.into_iter().find(|(field, _)| agent.get(field).is_some()))
}

/// Puts one value over another. Of lists, the items that have a name, or a path, are put over those that have the same.
fn merge(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, over) in over {
                match base.get_mut(key) {
                    Some(known) => merge(known, over),
                    None => drop(base.insert(key.clone(), over.clone())),
                }
            }
        }
        (Value::Array(base), Value::Array(over)) if over.iter().all(|item| identity(item).is_some()) => {
            for item in over {
                match base.iter_mut().find(|known| identity(known) == identity(item)) {
                    Some(known) => merge(known, item),
                    None => base.push(item.clone()),
                }
            }
        }
        (base, over) => *base = over.clone(),
    }
}

/// What tells an item of a list from others: where it is mounted, or its name.
fn identity(item: &Value) -> Option<(&str, &str)> {
    ["mountPath", "name"].into_iter().find_map(|key| Some((key, item.get(key)?.as_str()?)))
}

/// The path of the first field that a value has and the other, which was read from it, has not.
fn unknown(said: &Value, known: &Value, path: &str) -> Option<String> {
    match (said, known) {
        (Value::Object(said), Value::Object(known)) => said.iter().find_map(|(key, value)| match known.get(key) {
            Some(known) => unknown(value, known, &format!("{path}.{key}")),
            None if is_nothing(value) => None,
            None => Some(format!("{path}.{key}")),
        }),
        (Value::Array(said), Value::Array(known)) => {
            let mut pairs = said.iter().zip(known).enumerate();
            pairs.find_map(|(index, (said, known))| unknown(said, known, &format!("{path}[{index}]")))
        }
        _ => None,
    }
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template() -> PodTemplateSpec {
        serde_json::from_value(json!({
            "metadata": {"labels": {"app": "own"}, "annotations": {}},
            "spec": {
                "containers": [{
                    "name": "agent", "image": "i", "env": [{"name": "A", "value": "1"}],
                    "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                }],
                "volumes": [{"name": "data", "emptyDir": {}}],
                "securityContext": {"runAsUser": 1, "runAsNonRoot": true},
            },
        }))
        .unwrap()
    }

    fn laid(user: Value) -> Result<Value, String> {
        overlay(template(), &serde_json::from_value(user).unwrap()).map(|laid| serde_json::to_value(laid).unwrap())
    }

    #[test]
    fn what_a_user_says_wins_and_the_rest_stays() {
        let laid = laid(json!({
            "metadata": {"labels": {"app": "other", "team": "a"}, "annotations": {"b": "c"}},
            "spec": {
                "containers": [
                    {"name": "agent", "env": [{"name": "B", "value": "2"}], "volumeMounts": [{"name": "x", "mountPath": "/x"}]},
                    {"name": "sidecar", "image": "s"},
                ],
                "volumes": [{"name": "x", "emptyDir": {"medium": "Memory"}}],
                "securityContext": {"runAsUser": 7},
                "tolerations": [{"key": "k"}],
            },
        }))
        .unwrap();
        let agent = &laid["spec"]["containers"][0];
        assert_eq!((&agent["image"], &agent["env"][1]["value"]), (&json!("i"), &json!("2")));
        assert_eq!(agent["volumeMounts"].as_array().unwrap().len(), 2);
        assert_eq!(laid["spec"]["containers"][1]["name"], "sidecar");
        assert_eq!(laid["spec"]["volumes"].as_array().unwrap().len(), 2);
        assert_eq!(laid["spec"]["securityContext"], json!({"runAsUser": 7, "runAsNonRoot": true}));
        // What selects the pod is the operator's.
        assert_eq!(laid["metadata"], json!({"labels": {"app": "own", "team": "a"}, "annotations": {"b": "c"}}));
    }

    #[test]
    fn what_pods_do_not_have_is_told_with_its_place() {
        for (spec, expected) in [
            (json!({"tolerance": []}), None),
            (json!({"tolerance": 1}), Some("spec.podTemplate.spec.tolerance: pods have no such field")),
            (
                json!({"containers": [{"name": "agent", "evn": [{"name": "A"}]}]}),
                Some("spec.podTemplate.spec.containers[0].evn: pods have no such field"),
            ),
            (json!({"containers": 1}), Some("spec.podTemplate.spec: invalid type")),
        ] {
            let told = laid(json!({"spec": spec})).err();
            assert!(told.as_deref().unwrap_or_default().starts_with(expected.unwrap_or_default()), "{told:?}");
            assert_eq!(told.is_some(), expected.is_some());
        }
    }
}

//! The resources' definitions, as `kubectl apply` and the chart take them.

use kube::CustomResourceExt;
use serde_json::{Value, json};

use super::{DS389Agreement, DS389Instance};

/// What helm does with definitions when it uninstalls them: nothing, for all resources would go with them.
const KEPT: (&str, &str) = ("helm.sh/resource-policy", "keep");

/// All definitions, as YAML.
///
/// # Errors
/// When one cannot be written, which a test would have told.
pub(crate) fn print() -> anyhow::Result<String> {
    let mut text = "# Made by `aviary-operator crd`.\n".to_owned();
    for definition in [DS389Instance::crd(), DS389Agreement::crd()] {
        let mut definition = serde_json::to_value(definition)?;
        if let Some(metadata) = definition.get_mut("metadata").and_then(Value::as_object_mut) {
            let (name, value) = KEPT;
            metadata.insert("annotations".to_owned(), json!({name: value}));
        }
        text += "---\n";
        text += &serde_saphyr::to_string(&definition)?;
    }
    Ok(text)
}

//! Whether a document has a server restarted that went by another one until now: a function of both. What the server itself needs
//! a restart for is in the engine's table.

use directory::options::{Change, Scope};
use serde_json::{Map, Value};

/// Whether it does.
pub(super) fn interrupts(before: &Map<String, Value>, after: &Map<String, Value>) -> bool {
    let only_says = |document: &Map<String, Value>| document.get("check") == Some(&Value::Bool(true));
    if only_says(after) {
        return false;
    }
    // What was only said was not done.
    if only_says(before) {
        return true;
    }
    let tls = |document: &Map<String, Value>| document.get("tls").cloned();
    // A document of an older operator says nothing of it.
    let is_other_certificate = tls(before).is_some_and(|known| tls(after).is_some_and(|wanted| known != wanted));
    let (Some(before), Some(after)) = (instance(before), instance(after)) else { return false };
    let is_other_backend = |wanted: &Map<String, Value>| {
        let known = backends(before).find(|known| known.get("name") == wanted.get("name"));
        // Whoever gets a part in replication, or another one, opens or closes a changelog.
        let has_other_part =
            |known: &Map<String, Value>| ["replicarole", "replicaid"].iter().any(|key| known.get(*key) != wanted.get(*key));
        known.is_some_and(|known| has_other_part(known) || differ(Scope::Backend, known, wanted))
    };
    let stops = |instance: &Map<String, Value>| instance.get("started") == Some(&Value::Bool(false));
    is_other_certificate
        || stops(before) != stops(after)
        || differ(Scope::Instance, before, after)
        || backends(after).any(is_other_backend)
}

/// The one instance of a document.
fn instance(document: &Map<String, Value>) -> Option<&Map<String, Value>> {
    document.get("ds389_instances")?.get(0)?.as_object()
}

fn backends(instance: &Map<String, Value>) -> impl Iterator<Item = &Map<String, Value>> {
    instance.get("backends").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

/// Whether options differ that need a restart.
fn differ(scope: Scope, before: &Map<String, Value>, after: &Map<String, Value>) -> bool {
    let needing = scope.options().iter().filter(|option| option.change == Change::Restart);
    needing.map(|option| option.name).any(|name| before.get(name) != after.get(name))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_interrupts_a_server_by_what_it_restarts_for() {
        let document = |instance: Value| json!({"ds389_instances": [instance]}).as_object().cloned().unwrap();
        let before =
            json!({"nsslapd_sizelimit": 1, "nsslapd_dbcachesize": 1, "backends": [{"name": "a", "replicarole": "consumer"}]});
        let restarting = Scope::Instance.options().iter().find(|option| option.change == Change::Restart).unwrap().name;
        for (change, expected) in [
            (json!({}), false),
            (json!({"nsslapd_sizelimit": 2}), false),
            (json!({restarting: "other"}), true),
            (json!({"started": false}), true),
            (json!({"started": true}), false),
            (json!({"backends": [{"name": "a", "replicarole": "supplier", "replicaid": 1}]}), true),
            (json!({"backends": [{"name": "a", "replicarole": "consumer"}, {"name": "b", "replicarole": "hub"}]}), false),
        ] {
            let mut after = before.as_object().cloned().unwrap();
            after.extend(change.as_object().cloned().unwrap());
            let found = interrupts(&document(before.clone()), &document(Value::Object(after)));
            assert_eq!(found, expected, "{change}");
        }
        let checked = |check: bool| {
            let mut document = document(before.clone());
            document.insert("check".to_owned(), check.into());
            document
        };
        assert!(!interrupts(&checked(false), &checked(true)) && interrupts(&checked(true), &checked(false)));
        let with = |certificate: &str| {
            let mut document = document(before.clone());
            document.insert("tls".to_owned(), json!({"certificate": certificate, "authorities": ""}));
            document
        };
        assert!(!interrupts(&with("a"), &with("a")) && interrupts(&with("a"), &with("b")));
        assert!(!interrupts(&document(before.clone()), &with("a")), "nobody said which it was");
        assert!(!interrupts(&Map::new(), &document(before)), "a server that is made is interrupted by nothing");
    }
}

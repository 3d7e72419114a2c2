//! Whether what a resource says can be carried out: read by the engine itself, as the agent will read it.

use std::collections::BTreeMap;

use directory::{intent::Intent, json};
use k8s_openapi::{api::core::v1::PodTemplateSpec, apimachinery::pkg::api::resource::Quantity};
use serde_json::{Map, Value};
use store::Source;

use crate::{
    conditions::{Reason, Refused},
    crd::DS389Instance,
    instance::{
        build,
        dereference::{Certificate, Password, Referenced, Replication},
        document::document,
        names::Names,
        sizes::{self, Sizes},
    },
    topology::Part,
};

/// What the host is called in the engine's problems.
const HOST: &str = "localhost";

/// What can be carried out.
#[derive(Debug)]
pub(crate) struct Valid {
    /// What the agent is to be told.
    pub(crate) document: Map<String, Value>,
    /// How large everything may be.
    pub(crate) sizes: Sizes,
}

/// Checks all of it.
pub(crate) fn validate(instance: &DS389Instance, names: &Names, part: &Part, referenced: &Referenced) -> Result<Valid, Refused> {
    if let Some(refused) = &part.refused {
        return Err(refused.clone());
    }
    if let Some(refused) = &referenced.certificate_problem {
        return Err(refused.clone());
    }
    if let Some(problem) = &referenced.replication.problem {
        return Err(Refused { reason: Reason::NameTaken, message: problem.clone() });
    }
    let capacity = referenced.claim.as_ref().and_then(|claim| claim.status.as_ref()?.capacity.as_ref()?.get("storage"));
    check(instance, names, part, capacity, &referenced.password, &referenced.replication, &referenced.server)
}

fn check(
    instance: &DS389Instance,
    names: &Names,
    part: &Part,
    capacity: Option<&Quantity>,
    password: &Password,
    replication: &Replication,
    server: &Certificate,
) -> Result<Valid, Refused> {
    let invalid = |message: String| Refused { reason: Reason::Invalid, message };
    let spec = &instance.spec;
    let sizes = sizes(instance, capacity).map_err(invalid)?;
    let password = match password {
        Password::Missing(what) => {
            let message = format!("spec.directoryManager.secretName: {what}");
            return Err(Refused { reason: Reason::SecretMissing, message });
        }
        password => password.text().unwrap_or_default(),
    };
    if let Some(unknown) = spec.initial_data.iter().find(|data| !spec.has_backend(&data.backend)) {
        return Err(invalid(format!("spec.initialData: there is no backend {}", unknown.backend)));
    }
    for store in spec.initial_data.iter().filter_map(|data| data.store.as_ref()) {
        store.url.parse::<Source>().map_err(|error| invalid(format!("spec.initialData: {error}")))?;
    }
    if let Some(template) = &spec.pod_template {
        build::overlay(PodTemplateSpec::default(), template).map_err(invalid)?;
    }
    let document = document(instance, names, password, &sizes, part, replication, server);
    let text = Value::Object(document.clone()).to_string();
    let node = json::parse(&text).map_err(|error| invalid(error.to_string()))?;
    let intent = Intent::read_rendered(&BTreeMap::from([(HOST.to_owned(), node)]));
    intent.and_then(|intent| intent.specification(HOST)).map_err(|problems| invalid(problems.to_string()))?;
    Ok(Valid { document, sizes })
}

/// The sizes by the memory and the volume, which is as large as it has become: a server would look for more room in vain.
fn sizes(instance: &DS389Instance, capacity: Option<&Quantity>) -> Result<Sizes, String> {
    let spec = &instance.spec;
    let limits = spec.resources.as_ref().and_then(|resources| resources.limits.as_ref());
    let memory = limits.and_then(|limits| limits.get("memory").cloned()).unwrap_or_else(|| Quantity(sizes::MEMORY.to_owned()));
    let bytes = |field: &str, size: &Quantity| sizes::bytes(size).ok_or_else(|| format!("{field}: '{}' is no size", size.0));
    let memory = bytes("spec.resources.limits.memory", &memory)?;
    let volume = bytes("spec.storage.size", &spec.storage.size)?;
    let volume = capacity.and_then(sizes::bytes).map_or(volume, |capacity| capacity.min(volume));
    let sizes = Sizes::of(memory, volume, spec.backends.len());
    let cache = spec.config.get("nsslapdDbcachesize").and_then(Value::as_u64);
    let sized = cache.map_or(Ok(sizes), |cache| sizes.with_database_cache(cache));
    sized.map_err(|least| {
        format!("spec.config.nsslapdDbcachesize: a pod with such a cache needs {least} bytes of memory, of spec.resources.limits.memory")
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use directory::options::Scope;
    use serde_json::json;

    use super::*;
    use crate::{authority::Identity, topology::BackendPart};

    fn instance(spec: Value) -> DS389Instance {
        let resource = json!({
            "apiVersion": "ds389.aviary.dev/v1alpha1", "kind": "DS389Instance",
            "metadata": {"name": "ldap-1", "namespace": "test"}, "spec": spec,
        });
        serde_json::from_value(resource).unwrap()
    }

    fn checked(instance: &DS389Instance, password: &Password) -> Result<Valid, Refused> {
        checked_with(instance, &Part::default(), password)
    }

    fn checked_with(instance: &DS389Instance, part: &Part, password: &Password) -> Result<Valid, Refused> {
        let names = Names::of(instance, "cluster.local").unwrap();
        let identity = Identity { certificate: "certificate".to_owned(), key: "key".to_owned() };
        let authority = "authority".to_owned();
        let server = Certificate {
            identity,
            authority,
            issuer: None,
            announced: None,
            known: None,
            secret: None,
            is_new: false,
            is_to_go: false,
        };
        check(instance, &names, part, None, password, &Replication::default(), &server)
    }

    fn password() -> Password {
        Password::Known("secret12".to_owned())
    }

    #[track_caller]
    fn refused(spec: Value, expected: &str) {
        let refused = checked(&instance(spec), &password()).unwrap_err();
        assert_eq!(refused.reason, Reason::Invalid);
        assert!(refused.message.contains(expected), "{}", refused.message);
    }

    #[test]
    fn a_database_grows_when_its_volume_has_grown() {
        let lmdb = instance(json!({"storage": {"size": "10Gi"}, "config": {"dbLib": "mdb"}}));
        for (capacity, expected) in [(None, 8 << 30), (Some("5Gi"), 4 << 30), (Some("20Gi"), 8_u64 << 30)] {
            let capacity = capacity.map(|text| Quantity(text.to_owned()));
            assert_eq!(sizes(&lmdb, capacity.as_ref()).unwrap().map, expected);
        }
    }

    #[test]
    fn a_cache_has_to_fit_into_the_memory() {
        let spec = |memory: &str, cache: u64| {
            json!({"resources": {"limits": {"memory": memory}}, "config": {"nsslapdDbcachesize": cache},
                   "backends": [{"name": "root", "suffix": "dc=test"}]})
        };
        checked(&instance(spec("1Gi", 700 << 20)), &password()).unwrap();
        refused(spec("512Mi", 400 << 20), "needs 574619648 bytes of memory, of spec.resources.limits.memory");
    }

    #[test]
    fn agreements_that_go_are_named_unless_all_go_with_the_part_that_sends() {
        let told = |role: &str| {
            let backend = json!({"name": "root", "suffix": "dc=test", "replicaRole": role});
            let of_backend = BackendPart {
                id: (role == "supplier").then_some(1),
                removed: vec!["b.root".to_owned()],
                ..BackendPart::default()
            };
            let part = Part { backends: [("root".to_owned(), of_backend)].into(), ..Part::default() };
            let valid = checked_with(&instance(json!({"backends": [backend]})), &part, &password());
            valid.map(|valid| valid.document["ds389_instances"][0]["backends"][0]["agmts"].clone())
        };
        assert_eq!(told("supplier"), Ok(json!([{"name": "b.root", "state": "absent"}])));
        for role in ["consumer", "None"] {
            assert_eq!(told(role).map_err(|refused| refused.message), Ok(Value::Null), "{role}");
        }
    }

    #[test]
    fn what_a_resource_says_is_what_the_agent_is_told() {
        let instance = instance(json!({
            "policy": "Updated",
            "config": {"nsslapdSizelimit": 77, "nsslapdDbcachesize": 1_000_000},
            "backends": [{
                "name": "userroot", "suffix": "dc=example,dc=com", "sampleEntries": true, "replicaRole": "supplier", "replicaId": 1,
                "indexes": [{"name": "roomNumber", "indexType": ["eq", "pres"]}],
            }],
        }));
        let valid = checked(&instance, &password()).unwrap();
        // Its key is in a file of its own.
        assert_eq!(valid.document["tls"], json!({"certificate": "certificate", "authorities": "authority"}));
        assert_eq!(valid.document["ds389_state"], "updated");
        let told = &valid.document["ds389_instances"][0];
        for (option, expected) in [
            ("name", json!("ldap-1")),
            ("full_machine_name", json!("ldap-1.test.svc.cluster.local")),
            ("nsslapd_sizelimit", json!(77)),
            // What a resource says wins.
            ("nsslapd_dbcachesize", json!(1_000_000)),
            ("db_lib", json!("bdb")),
        ] {
            assert_eq!(told[option], expected, "{option}");
        }
        let backend = &told["backends"][0];
        for (option, expected) in [
            ("suffix", json!("dc=example,dc=com")),
            ("sample_entries", json!(true)),
            ("replicarole", json!("supplier")),
            ("replicaid", json!(1)),
            ("entry_cache_size", json!(64 << 20)),
            ("indexes", json!([{"name": "roomNumber", "indextype": ["eq", "pres"]}])),
        ] {
            assert_eq!(backend[option], expected, "{option}");
        }
    }

    #[test]
    fn a_server_is_told_nothing_of_databases_that_it_does_not_have() {
        for (kind, other) in [("bdb", "Mdb"), ("mdb", "Bdb")] {
            let valid = checked(&instance(json!({"config": {"dbLib": kind}})), &password()).unwrap();
            let told = valid.document["ds389_instances"][0].as_object().unwrap();
            let home = |option: &String| Scope::Instance.option(option).map(|option| format!("{:?}", option.home));
            let foreign = told.keys().filter(|option| home(option).is_some_and(|home| home.starts_with(other)));
            assert_eq!(foreign.collect::<Vec<_>>(), [""; 0], "{kind}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_what_and_where() {
        refused(json!({"storage": {"size": "much"}}), "spec.storage.size: 'much' is no size");
        refused(json!({"resources": {"limits": {"memory": "x"}}}), "spec.resources.limits.memory");
        refused(json!({"backends": [{"name": "a", "suffix": "no dn"}]}), "suffix");
        refused(json!({"initialData": [{"backend": "a", "secret": {"name": "x", "key": "y"}}]}), "there is no backend a");
        refused(
            json!({"backends": [{"name": "a", "suffix": "dc=x"}], "initialData": [{"backend": "a", "store": {"url": "s3:///first.ldif"}}]}),
            "spec.initialData: ",
        );
        refused(json!({"podTemplate": {"spec": {"nodeSelektor": {"a": "b"}}}}), "nodeSelektor: pods have no such field");
        let resources = json!({"containers": [{"name": "agent", "resources": {"limits": {"memory": "2Gi"}}}]});
        refused(json!({"podTemplate": {"spec": resources}}), "resources of the container agent belongs into spec.resources");
        refused(
            json!({"backends": [{"name": "a", "suffix": "dc=x"}, {"name": "b", "suffix": "DC=x"}]}),
            "suffix DC=x is that of backend a already",
        );
    }

    #[test]
    fn a_password_that_is_missing_is_waited_for() {
        let missing = Password::Missing("the Secret a is not there".to_owned());
        let refused = checked(&instance(json!({})), &missing).unwrap_err();
        let message = "spec.directoryManager.secretName: the Secret a is not there".to_owned();
        assert_eq!(refused, Refused { reason: Reason::SecretMissing, message });
    }
}

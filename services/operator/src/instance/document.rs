//! What the agent is told: the variables that say what the resource says, in the engine's words. What the pod decides - ports,
//! certificates, sizes of caches - is put in first, and what the resource says of it wins.

use directory::options::Scope;
use serde_json::{Map, Value, json};

use crate::{
    crd::{DS389Instance, InstanceSpec, Policy, spelled},
    instance::{dereference::Replication, names::Names, sizes::Sizes},
    topology::{BackendPart, MANAGER_DN, Part, Sends},
};

/// The server's ports. The first is for the pod itself.
pub(crate) const PORT: u16 = 3389;
/// The one for clients.
pub(crate) const SECURE_PORT: u16 = 3636;
/// Where the pod has the server's certificate.
pub(crate) const TLS_DIR: &str = "/etc/aviary/tls";

/// Seconds between attempts to reach another server at the most. The server's default is five minutes.
const BACKOFF: u32 = 10;

/// The document without its revision and generation.
pub(crate) fn document(
    instance: &DS389Instance,
    names: &Names,
    password: &str,
    sizes: &Sizes,
    part: &Part,
    replication: &Replication,
) -> Map<String, Value> {
    let spec = &instance.spec;
    let state = match spec.policy {
        Policy::Present => "present",
        Policy::Updated => "updated",
    };
    object(json!({
        "check": spec.check,
        "ds389_state": state,
        "receives": part.receives,
        "numbers": part.numbers,
        "ds389_instances": [instance_of(spec, names, password, sizes, part, replication)],
    }))
}

fn instance_of(
    spec: &InstanceSpec,
    names: &Names,
    password: &str,
    sizes: &Sizes,
    part: &Part,
    replication: &Replication,
) -> Value {
    let is_lmdb = spec.config.get("dbLib").is_some_and(|kind| kind == "mdb");
    let mut options = object(json!({
        "name": names.instance,
        "started": spec.started,
        "rootpw": password,
        "full_machine_name": names.fqdn,
        "port": PORT,
        "nsslapd_listenhost": "127.0.0.1",
        "secure_port": SECURE_PORT,
        "nsslapd_security": true,
        "nsslapd_require_secure_binds": true,
        "sslversionmin": "TLS1.2",
        "self_sign_cert": false,
        "tls_cert": format!("{TLS_DIR}/tls.crt"),
        "tls_key": format!("{TLS_DIR}/tls.key"),
        "tls_ca": [format!("{TLS_DIR}/ca.crt")],
        // An LMDB supplier that is killed loses changes that it has not sent.
        "db_lib": "bdb",
        "nsslapd_cache_autosize": 0,
    }));
    if is_lmdb {
        options.insert("mdb_max_size".to_owned(), sizes.map.into());
    } else {
        options.insert("nsslapd_dbcachesize".to_owned(), sizes.database_cache.into());
    }
    options.extend(renamed(Scope::Instance, &spec.config));
    let backends = spec.backends.iter().map(|backend| {
        let mut options = backend_of(backend, sizes);
        let name = backend.get("name").and_then(Value::as_str).unwrap_or_default();
        if let Some(part) = part.backend(name) {
            replicate(&mut options, part, replication);
        }
        Value::Object(options)
    });
    options.insert("backends".to_owned(), backends.collect());
    Value::Object(options)
}

/// What follows for a backend from its part in replication.
fn replicate(options: &mut Map<String, Value>, part: &BackendPart, replication: &Replication) {
    options.entry("replicabackoffmax").or_insert(BACKOFF.into());
    if let Some(id) = part.id {
        options.insert("replicaid".to_owned(), id.into());
    }
    if let (true, Some((password, _))) = (part.is_target, &replication.own) {
        let own = options.get("replicabinddn").and_then(Value::as_array).cloned().unwrap_or_default();
        let all = [vec![MANAGER_DN.into()], own].concat();
        options.insert("replicabinddn".to_owned(), all.into());
        options.insert("replicacredentials".to_owned(), password.as_str().into());
    }
    if part.is_bare {
        options.insert("create_suffix_entry".to_owned(), false.into());
        options.insert("sample_entries".to_owned(), false.into());
    }
    let agreement = |sends: &Sends| {
        let mut options = sends.options.clone();
        options.insert("replicacredentials".to_owned(), replication.targets.get(&sends.target)?.as_str().into());
        Some(Value::Object(options))
    };
    let agreements: Vec<Value> = part.agreements.iter().filter_map(agreement).collect();
    if !agreements.is_empty() {
        options.insert("agmts".to_owned(), agreements.into());
    }
}

fn backend_of(backend: &Map<String, Value>, sizes: &Sizes) -> Map<String, Value> {
    let mut options = object(json!({"entry_cache_size": sizes.entries, "dn_cache_size": sizes.names}));
    options.extend(renamed(Scope::Backend, backend));
    if let Some(Value::Array(indexes)) = backend.get("indexes") {
        let indexes = indexes.iter().filter_map(Value::as_object);
        let indexes = indexes.map(|index| Value::Object(renamed(Scope::Index, index).collect()));
        options.insert("indexes".to_owned(), indexes.collect());
    }
    options
}

/// Options in the engine's words. The API server lets no others through than those that are known.
fn renamed(scope: Scope, fields: &Map<String, Value>) -> impl Iterator<Item = (String, Value)> {
    fields.iter().filter_map(move |(field, value)| Some((spelled(scope, field)?.to_string(), value.clone())))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

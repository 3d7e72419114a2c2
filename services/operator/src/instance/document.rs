//! What the agent is told: the variables that say what the resource says, in the engine's words. What the pod decides - ports,
//! certificates, sizes of caches - is put in first, and what the resource says of it wins.

use directory::{options::Scope, specification::Role};
use serde_json::{Map, Value, json};

use crate::{
    crd::{DS389Instance, InitialData, InstanceSpec, Policy},
    instance::{
        dereference::{Certificate, Replication},
        names::Names,
        sizes::Sizes,
    },
    topology::{BackendPart, Part, Receiver, Sends},
};

/// The server's ports. The first is for the pod itself.
pub(crate) const PORT: u16 = 3389;
/// The one for clients.
pub(crate) const SECURE_PORT: u16 = 3636;
/// Where the pod has the server's certificate.
pub(crate) const TLS_DIR: &str = "/etc/aviary/tls";

/// Where the pod has the entries that backends begin with: a folder for each, and the name of the file.
pub(crate) const INITIAL_DIR: &str = "/etc/aviary/initial";
pub(crate) const LDIF: &str = "initial.ldif";
/// Where it has those that it fetches from stores, until they are read.
const FETCHED_DIR: &str = "/data/initial";

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
    server: &Certificate,
) -> Map<String, Value> {
    let spec = &instance.spec;
    let state = match spec.policy {
        Policy::Present => "present",
        Policy::Updated => "updated",
    };
    let identity = |(dn, key): (&String, &String)| Some((dn.clone(), Value::from(replication.own.get(key)?.as_str())));
    let identities: Map<String, Value> = part.identities.iter().filter_map(identity).collect();
    let mut document = object(json!({
        "check": spec.check,
        "fenced": spec.fenced,
        "identities": identities,
        // The pod gets it by another way, which takes longer.
        "tls": {"certificate": server.identity.certificate, "authorities": server.authority},
        "ds389_state": state,
        "receives": part.receives,
        "numbers": part.numbers,
        "gone": part.gone,
        "ds389_instances": [instance_of(spec, names, password, sizes, part, replication)],
    }));
    let initial = initial(spec);
    if !initial.is_empty() {
        document.insert("initial".to_owned(), initial.into());
    }
    document
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
    }));
    if is_lmdb {
        options.insert("mdb_max_size".to_owned(), sizes.map.into());
    } else {
        options.insert("nsslapd_dbcachesize".to_owned(), sizes.database_cache.into());
        options.insert("nsslapd_cache_autosize".to_owned(), 0.into());
    }
    options.extend(renamed(Scope::Instance, &spec.config));
    let backends = spec.backends.iter().map(|backend| {
        let mut options = backend_of(backend, sizes);
        let name = backend.get("name").and_then(Value::as_str).unwrap_or_default();
        let mut initial = spec.initial_data.iter().enumerate();
        if let Some((index, data)) = initial.find(|(_, data)| data.backend.eq_ignore_ascii_case(name)) {
            options.insert("ldif_file".to_owned(), ldif(index, data).into());
        }
        if let Some(part) = part.backend(name) {
            replicate(&mut options, part, spec.policy, replication);
            if part.is_bare {
                leave_bare(&mut options, is_lmdb);
            }
        }
        Value::Object(options)
    });
    options.insert("backends".to_owned(), backends.collect());
    Value::Object(options)
}

/// The file with the entries that a backend begins with.
fn ldif(index: usize, data: &InitialData) -> String {
    match data.store {
        Some(_) => format!("{FETCHED_DIR}/{index}.ldif"),
        None => format!("{INITIAL_DIR}/{index}/{LDIF}"),
    }
}

/// Those of them that are in stores, and what lets us in there.
fn initial(spec: &InstanceSpec) -> Vec<Value> {
    let initial = |(index, data): (usize, &InitialData)| {
        let store = data.store.as_ref()?;
        let secrets = store.secret_name.as_ref().map(|_| format!("{INITIAL_DIR}/{index}"));
        let mut told = object(json!({"file": ldif(index, data), "url": store.url}));
        told.extend(secrets.map(|secrets| ("secrets".to_owned(), secrets.into())));
        Some(Value::Object(told))
    };
    spec.initial_data.iter().enumerate().filter_map(initial).collect()
}

/// Has a backend begin without entries, for others have them.
fn leave_bare(options: &mut Map<String, Value>, is_lmdb: bool) {
    // One on LMDB is filled only where there is an entry.
    if !is_lmdb {
        options.insert("create_suffix_entry".to_owned(), false.into());
    }
    options.insert("sample_entries".to_owned(), false.into());
    options.remove("ldif_file");
}

/// What follows for a backend from its part in replication.
fn replicate(options: &mut Map<String, Value>, part: &BackendPart, policy: Policy, replication: &Replication) {
    options.entry("replicabackoffmax").or_insert(BACKOFF.into());
    if let Some(id) = part.id {
        options.insert("replicaid".to_owned(), id.into());
    }
    if part.is_target {
        let own = options.get("replicabinddn").and_then(Value::as_array).cloned().unwrap_or_default();
        let admitted = part.admits.iter().map(|dn| dn.as_str().into());
        let all: Vec<Value> = admitted.chain(own).collect();
        if !all.is_empty() {
            options.insert("replicabinddn".to_owned(), all.into());
        }
    }
    // Who sends no more has none: the engine removes them with that.
    if !sends(options) {
        return;
    }
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for sends in &part.agreements {
        match binding(sends, replication) {
            Ok(binds) => known.push(agreement(sends, binds)),
            Err(Unknown) => unknown.push(&sends.name),
        }
    }
    let removed = part.removed.iter().map(|name| json!({"name": name, "state": "absent"}));
    // Where what is not listed goes, it is listed.
    let kept = part.kept.iter().chain(unknown);
    let kept = kept.filter(|_| policy == Policy::Updated).map(|name| json!({"name": name}));
    let agreements: Vec<Value> = known.into_iter().chain(removed).chain(kept).collect();
    if !agreements.is_empty() {
        options.insert("agmts".to_owned(), agreements.into());
    }
}

/// Whether a backend is to send.
fn sends(options: &Map<String, Value>) -> bool {
    let role = options.get("replicarole").and_then(Value::as_str).and_then(Role::named);
    role.is_some_and(Role::sends)
}

/// There is not yet what an agreement with a server outside of the namespace needs. Until then it stays as it is.
struct Unknown;

/// The DN and the password that an agreement is told to bind with, if it is told any.
fn binding<'a>(sends: &'a Sends, replication: &'a Replication) -> Result<Option<(&'a str, &'a str)>, Unknown> {
    match &sends.to {
        Receiver::Instance { name, binds } => Ok(binds.as_ref().and_then(|binds| {
            let password = replication.targets.get(name)?.get(&binds.key)?;
            Some((binds.dn.as_str(), password.as_str()))
        })),
        Receiver::External { bind_dn, secret } => {
            let found = secret.as_ref().map(|name| replication.externals.get(name).ok_or(Unknown)).transpose()?;
            let password = || found.and_then(|found| found.password.as_deref()).ok_or(Unknown);
            bind_dn.as_deref().map(|dn| Ok((dn, password()?))).transpose()
        }
    }
}

fn agreement(sends: &Sends, binds: Option<(&str, &str)>) -> Value {
    let mut options = sends.options.clone();
    if let Some((dn, password)) = binds {
        options.insert("replicabinddn".to_owned(), dn.into());
        options.insert("replicacredentials".to_owned(), password.into());
    }
    Value::Object(options)
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
    fields.iter().filter_map(move |(field, value)| Some((scope.option_of_field(field)?.name.to_owned(), value.clone())))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

//! Options in resources: which rows of the engine's table a resource has, how they are called there, and their schema. What
//! belongs to the pod rather than to the directory - paths, users, ports, certificates, passwords - is not for users to say.

use directory::{
    codec::Codec,
    options::{Change, Definition, Home, Scope},
};
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// What the operator or the image says of instances, and what makes no sense in a pod.
const NOT_OF_INSTANCES: [&str; 16] = [
    "name",
    "state",
    "started",
    "port",
    "secure_port",
    "full_machine_name",
    "root_dn",
    "user",
    "group",
    "self_sign_cert",
    "self_sign_cert_valid_months",
    "selinux",
    "systemd",
    "strict_host_checking",
    "nsslapd_listenhost",
    "nsslapd_security",
];

/// The same of backends: agreements say how they connect.
const NOT_OF_BACKENDS: [&str; 1] = ["state"];

/// What the operator says of agreements, and what their resource has in words of its own.
const NOT_OF_AGREEMENTS: [&str; 17] = [
    "name",
    "state",
    "description",
    "replicahost",
    "replicaport",
    "replicatransportinfo",
    "replicabindmethod",
    "replicabinddn",
    "replicaenabled",
    "replicabootstrapbinddn",
    "replicabootstrapbindmethod",
    "replicabootstraptransportinfo",
    "replicaupdateschedule",
    "replicatedattributelist",
    "replicatedattributelisttotal",
    "initialise",
    "initialiserequest",
];

/// Backends of an instance, and indexes of a backend.
const MOST_BACKENDS: u32 = 64;
const MOST_INDEXES: u32 = 512;
/// Values of a list, and characters of a text.
const MOST_VALUES: u32 = 256;
const LONGEST_TEXT: u32 = 4096;
/// Characters of a name and of a suffix. The cost of rules is reckoned by these.
const LONGEST_NAME: u32 = 64;
const LONGEST_SUFFIX: u32 = 256;

/// Whether resources have an option.
pub(super) fn is_offered(scope: Scope, option: &Definition) -> bool {
    let is_of_host = matches!(option.codec, Codec::Path | Codec::Paths | Codec::Password);
    let is_said_elsewhere = match scope {
        Scope::Instance => NOT_OF_INSTANCES.contains(&option.name),
        Scope::Backend => NOT_OF_BACKENDS.contains(&option.name) || option.home == Home::Incoming,
        Scope::Index => option.name == "state",
        Scope::Agreement => NOT_OF_AGREEMENTS.contains(&option.name),
    };
    !is_of_host && !is_said_elsewhere
}

/// The name of an option in the engine, from a field of a resource.
pub(crate) fn spelled(scope: Scope, field: &str) -> Option<&'static str> {
    let mut options = scope.options().iter().filter(|option| is_offered(scope, option));
    options.find(|option| option.field() == field).map(|option| option.name)
}

/// The schema of the options of an instance.
pub(super) fn instance(_: &mut SchemaGenerator) -> Schema {
    let mut schema = object("Options of the server.", fields(Scope::Instance), &[]);
    rules(
        &mut schema,
        &[(
            "has(self.dbLib) == has(oldSelf.dbLib) && (!has(self.dbLib) || self.dbLib == oldSelf.dbLib)",
            "config.dbLib cannot be changed; make another instance and let it replicate",
        )],
    );
    schema_of(schema)
}

/// The schema of the backends of an instance.
pub(super) fn backends(_: &mut SchemaGenerator) -> Schema {
    let mut fields = fields(Scope::Backend);
    limit(&mut fields, "name", LONGEST_NAME);
    limit(&mut fields, "suffix", LONGEST_SUFFIX);
    if let Some(suffix) = fields.get_mut("suffix") {
        rules(
            suffix,
            &[("self == oldSelf", "the suffix of a backend cannot be changed; remove the backend and make another one")],
        );
    }
    let mut indexes = self::fields(Scope::Index);
    limit(&mut indexes, "name", LONGEST_NAME);
    let index = object("One index.", indexes, &["name", "indexType"]);
    fields.insert("indexes".to_owned(), list("Indexes, by the attribute that is indexed.", index, MOST_INDEXES));
    let mut backend = object("One database.", fields, &["name", "suffix"]);
    rules(
        &mut backend,
        &[(
            "!has(self.replicaId) || (has(self.replicaRole) && self.replicaRole == 'supplier')",
            "replicaId is given, but replicaRole is not supplier; only suppliers have a number",
        )],
    );
    let mut backends = list("The databases.", backend, MOST_BACKENDS);
    rules(
        &mut backends,
        &[(
            "self.all(one, self.exists_one(other, other.suffix.lowerAscii() == one.suffix.lowerAscii()))",
            "two backends have the same suffix; a suffix is in one database",
        )],
    );
    schema_of(backends)
}

/// The schema of the options of agreements.
pub(super) fn agreement(_: &mut SchemaGenerator) -> Schema {
    schema_of(object("Other options of the agreements.", fields(Scope::Agreement), &[]))
}

/// The schema of a list of texts.
pub(super) fn texts(_: &mut SchemaGenerator) -> Schema {
    schema_of(values(json!({"type": "string", "maxLength": LONGEST_TEXT})))
}

/// The schema of patterns.
pub(super) fn targets(_: &mut SchemaGenerator) -> Schema {
    let mut schema = values(json!({"type": "string", "minLength": 1, "maxLength": LONGEST_SUFFIX}));
    put(&mut schema, "minItems", 1.into());
    schema_of(schema)
}

/// The schema of the word of a request.
pub(super) fn word(_: &mut SchemaGenerator) -> Schema {
    schema_of(json!({"type": "string", "minLength": 1, "maxLength": LONGEST_NAME, "pattern": "^[A-Za-z0-9._:-]+$"}))
}

/// The schema of pairs: one of each source and target.
pub(super) fn pairs(_: &mut SchemaGenerator) -> Schema {
    let text = || json!({"type": "string", "maxLength": LONGEST_TEXT});
    let properties = json!({
        "source": text(), "target": text(), "state": text(), "message": text(), "requestId": text(),
        "since": {"type": "string", "format": "date-time"},
    });
    schema_of(json!({
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["source", "target"],
        "items": {"type": "object", "required": ["source", "target", "state"], "properties": properties},
    }))
}

/// The schema of conditions: one of each type.
pub(super) fn conditions(_: &mut SchemaGenerator) -> Schema {
    let text = |longest: u32| json!({"type": "string", "maxLength": longest});
    let time = json!({"type": "string", "format": "date-time"});
    let properties = json!({
        "type": text(316), "status": {"type": "string", "enum": ["True", "False", "Unknown"]}, "reason": text(1024),
        "message": text(32768), "lastTransitionTime": time, "observedGeneration": {"type": "integer", "format": "int64"},
    });
    schema_of(json!({
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "required": ["type", "status", "reason", "message", "lastTransitionTime"],
            "properties": properties,
        },
    }))
}

fn fields(scope: Scope) -> Map<String, Value> {
    let offered = scope.options().iter().filter(|option| is_offered(scope, option));
    offered.map(|option| (option.field(), field(option))).collect()
}

fn field(option: &Definition) -> Value {
    let text = json!({"type": "string", "maxLength": LONGEST_TEXT});
    let words =
        |words: &[&[&str]]| json!({"type": "string", "enum": words.iter().filter_map(|word| word.first()).collect::<Vec<_>>()});
    let mut schema = match option.codec {
        Codec::Number(least, i64::MAX) => json!({"type": "integer", "format": "int64", "minimum": least}),
        Codec::Number(least, most) => json!({"type": "integer", "format": "int64", "minimum": least, "maximum": most}),
        Codec::Switch | Codec::Truth => json!({"type": "boolean"}),
        Codec::Choice(choices) => words(choices),
        Codec::Choices(choices) => values(words(choices)),
        codec if codec.is_list() => values(text),
        _ => text,
    };
    let default = option.default.map(|default| format!(" The server's default: {default}.")).unwrap_or_default();
    let restart = if option.change == Change::Restart { " A change restarts the server." } else { "" };
    put(&mut schema, "description", format!("{}{default}{restart}", option.doc).into());
    schema
}

fn values(items: Value) -> Value {
    json!({"type": "array", "x-kubernetes-list-type": "set", "maxItems": MOST_VALUES, "items": items})
}

fn list(description: &str, item: Value, most: u32) -> Value {
    json!({
        "description": description, "type": "array", "maxItems": most, "items": item,
        "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
    })
}

fn object(description: &str, properties: Map<String, Value>, required: &[&str]) -> Value {
    let mut schema = json!({"description": description, "type": "object", "properties": properties});
    if !required.is_empty() {
        put(&mut schema, "required", json!(required));
    }
    schema
}

fn limit(fields: &mut Map<String, Value>, name: &str, longest: u32) {
    if let Some(field) = fields.get_mut(name) {
        put(field, "maxLength", longest.into());
        put(field, "minLength", 1.into());
    }
}

fn rules(schema: &mut Value, rules: &[(&str, &str)]) {
    let rules = rules.iter().map(|(rule, message)| json!({"rule": rule, "message": message}));
    put(schema, "x-kubernetes-validations", rules.collect());
}

fn put(schema: &mut Value, key: &str, value: Value) {
    if let Value::Object(map) = schema {
        map.insert(key.to_owned(), value);
    }
}

fn schema_of(value: Value) -> Schema {
    Schema::try_from(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(scope: Scope, field: &str, expected: Option<&str>) {
        assert_eq!(spelled(scope, field), expected, "{field}");
    }

    #[test]
    fn a_field_is_an_option_in_camel_case() {
        check(Scope::Instance, "nsslapdSizelimit", Some("nsslapd_sizelimit"));
        check(Scope::Instance, "dbLib", Some("db_lib"));
        check(Scope::Backend, "replicaRole", Some("replicarole"));
        check(Scope::Backend, "replicaBindDN", Some("replicabinddn"));
        check(Scope::Index, "indexType", Some("indextype"));
        check(Scope::Instance, "nsslapd_sizelimit", None);
    }

    #[test]
    fn what_is_the_pods_is_not_offered() {
        for field in ["rootpw", "port", "securePort", "certDir", "tlsKey", "user", "fullMachineName", "name"] {
            check(Scope::Instance, field, None);
        }
        for field in ["replicaCredentials", "replicaHost", "ldifFile", "state", "changelogSymetricKey"] {
            check(Scope::Backend, field, None);
        }
    }

    #[test]
    fn no_two_options_are_one_field() {
        for scope in Scope::ALL {
            let names: Vec<_> =
                scope.options().iter().filter(|option| is_offered(scope, option)).map(Definition::field).collect();
            let unique: std::collections::BTreeSet<_> = names.iter().collect();
            assert_eq!(unique.len(), names.len(), "{scope:?}");
        }
    }
}

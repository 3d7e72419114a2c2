//! Options in resources: their schema. Which rows of the engine's table a resource has, and how they are called there, is the
//! engine's own knowledge.

use directory::{
    codec::Codec,
    options::{
        Change, Definition, Scope,
        offered::{LONGEST_NAME, LONGEST_SUFFIX, LONGEST_TEXT, MOST_BACKENDS, MOST_INDEXES, MOST_VALUES},
    },
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::{ClientService, ExternalServer, InitialData};

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
    schema_of(values(json!({"type": "string", "minLength": 1, "maxLength": LONGEST_SUFFIX})))
}

/// The schema of a name.
pub(super) fn name(_: &mut SchemaGenerator) -> Schema {
    schema_of(json!({"type": "string", "minLength": 1, "maxLength": LONGEST_NAME}))
}

/// The schema of the end of a name of a Service, which has 63 characters at the most.
pub(super) fn label(_: &mut SchemaGenerator) -> Schema {
    schema_of(json!({"type": "string", "minLength": 1, "maxLength": 10, "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"}))
}

/// The schema of host names.
pub(super) fn hosts(generator: &mut SchemaGenerator) -> Schema {
    schema_of(values(Value::from(host(generator))))
}

/// The schema of a host name.
pub(super) fn host(_: &mut SchemaGenerator) -> Schema {
    schema_of(json!({"type": "string", "minLength": 1, "maxLength": 253, "pattern": "^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"}))
}

/// The schema of a DN.
pub(super) fn dn(_: &mut SchemaGenerator) -> Schema {
    schema_of(json!({"type": "string", "minLength": 3, "maxLength": LONGEST_SUFFIX}))
}

/// The schema of what an external server is called, which is never as a backend of an instance with a dot between them.
pub(super) fn external_name(_: &mut SchemaGenerator) -> Schema {
    let pattern = "^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$";
    schema_of(json!({"type": "string", "minLength": 1, "maxLength": LONGEST_NAME, "pattern": pattern}))
}

/// The schema of external servers, by name.
pub(super) fn external(generator: &mut SchemaGenerator) -> Schema {
    by_key::<ExternalServer>(generator, "name")
}

/// The schema of what somebody else has one of.
pub(super) fn anything(_: &mut SchemaGenerator) -> Schema {
    schema_of(json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}))
}

/// The schema of Services, by name.
pub(super) fn services(generator: &mut SchemaGenerator) -> Schema {
    by_key::<ClientService>(generator, "name")
}

/// The schema of the URL of an object in a store.
pub(super) fn store_url(_: &mut SchemaGenerator) -> Schema {
    let pattern = "^(s3|s3a|gs|az|abfs|abfss|http|https)://.+/.+$";
    schema_of(json!({"type": "string", "maxLength": 2048, "pattern": pattern}))
}

/// The schema of initial data, by backend.
pub(super) fn initial_data(generator: &mut SchemaGenerator) -> Schema {
    by_key::<InitialData>(generator, "backend")
}

fn by_key<T: JsonSchema>(generator: &mut SchemaGenerator, key: &str) -> Schema {
    let item = generator.subschema_for::<T>();
    schema_of(json!({
        "type": "array", "maxItems": MOST_BACKENDS, "items": item.as_value(),
        "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key],
    }))
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
    let text = |longest: usize| json!({"type": "string", "maxLength": longest});
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
    scope.offered().map(|option| (option.field(), field(option))).collect()
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

fn list(description: &str, item: Value, most: usize) -> Value {
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

fn limit(fields: &mut Map<String, Value>, name: &str, longest: usize) {
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

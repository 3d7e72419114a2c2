//! Variables as users write them, in JSON, for the tests of what is made of them.

use serde_json::Value as Json;

use crate::{
    fleet::{Fleet, Member},
    specification::Specification,
    value::{Node, Value},
    variables::Variables,
};

/// The value that YAML would give.
pub(super) fn node(json: &Json) -> Node {
    Node::new(match json {
        Json::Null => Value::Null,
        Json::Bool(on) => Value::Boolean(*on),
        Json::Number(number) => number.as_i64().map(Value::Integer).or(number.as_f64().map(Value::Float)).unwrap(),
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(node).collect()),
        Json::Object(map) => Value::Map(map.iter().map(|(key, value)| (key.clone(), node(value))).collect()),
    })
}

pub(super) fn variables(json: &Json) -> Variables {
    Variables::read(&node(json)).unwrap()
}

pub(super) fn specification(json: &Json) -> Specification {
    Specification::read(&variables(json)).unwrap()
}

/// Hosts with their variables; `ansible_host` is the address.
pub(super) fn fleet(json: &Json) -> Fleet {
    let member =
        |json: &Json| Member { address: json["ansible_host"].as_str().map(str::to_owned), specification: specification(json) };
    json.as_object().unwrap().iter().map(|(host, json)| (host.clone(), member(json))).collect()
}

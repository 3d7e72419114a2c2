//! Variables as users write them, in JSON, for the tests of what is made of them.

use serde_json::Value as Json;

use crate::{
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

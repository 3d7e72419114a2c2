//! Writes a tree of values. JSON has no NaN and no infinity: they are written as the texts `NaN`, `Infinity` and `-Infinity`.

use super::VAULT;
use crate::value::{Node, Value};

/// Writes a value on one line, without spaces.
pub fn write(node: &Node) -> String {
    let mut text = String::new();
    write_value(&mut text, &node.value, None);
    text
}

/// Writes a value with each of its parts on a line, two spaces deeper than what holds it.
pub fn write_pretty(node: &Node) -> String {
    let mut text = String::new();
    write_value(&mut text, &node.value, Some(0));
    text
}

/// Writes a value; with an indentation, lists and objects take several lines.
fn write_value(text: &mut String, value: &Value, indent: Option<usize>) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Boolean(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Integer(value) => text.push_str(&value.to_string()),
        Value::Float(value) if value.is_nan() => text.push_str("\"NaN\""),
        Value::Float(value) if value.is_infinite() => text.push_str(if *value > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" }),
        // With a point or an exponent, so that it is read as what it was.
        Value::Float(value) => text.push_str(&format!("{value:?}")),
        Value::Text(value) => write_text(text, value),
        Value::Vault(value) => {
            let entries = [(VAULT, value)];
            write_parts(text, ['{', '}'], &entries, indent, |text, (key, value), _| {
                write_key(text, key, indent);
                write_text(text, value);
            });
        }
        Value::List(list) => {
            write_parts(text, ['[', ']'], list, indent, |text, node, indent| write_value(text, &node.value, indent));
        }
        Value::Map(map) => write_parts(text, ['{', '}'], map.entries(), indent, |text, entry, indent| {
            write_key(text, &entry.key, indent);
            write_value(text, &entry.node.value, indent);
        }),
    }
}

fn write_parts<T>(
    text: &mut String,
    [open, close]: [char; 2],
    parts: &[T],
    indent: Option<usize>,
    write_part: impl Fn(&mut String, &T, Option<usize>),
) {
    let deeper = indent.map(|indent| indent + 2);
    text.push(open);
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        write_break(text, deeper);
        write_part(text, part, deeper);
    }
    if !parts.is_empty() {
        write_break(text, indent);
    }
    text.push(close);
}

fn write_break(text: &mut String, indent: Option<usize>) {
    if let Some(indent) = indent {
        text.push('\n');
        text.extend(std::iter::repeat_n(' ', indent));
    }
}

fn write_key(text: &mut String, key: &str, indent: Option<usize>) {
    write_text(text, key);
    text.push_str(if indent.is_some() { ": " } else { ":" });
}

fn write_text(text: &mut String, value: &str) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            c if c.is_control() => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => text.push(c),
        }
    }
    text.push('"');
}

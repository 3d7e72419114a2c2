//! Writes a tree of values in the block style, so that this crate and PyYAML read the same from it. Texts stand without quotes
//! where nothing else can be read from them.

use std::fmt::Write;

use super::{read, resolve};
use crate::value::{Map, Node, Value};

/// The longest key before its colon; a parser looks no further than 1024 characters for one.
const KEY: usize = 1000;

/// Writes a document.
pub fn write(node: &Node) -> String {
    let mut text = String::new();
    match &node.value {
        Value::Map(map) if !map.entries().is_empty() => write_map(&mut text, map, 0),
        Value::List(list) if !list.is_empty() => write_list(&mut text, list, 0),
        value => write_scalar(&mut text, value, 2),
    }
    text
}

/// Writes a map whose first line is already indented.
fn write_map(text: &mut String, map: &Map, indent: usize) {
    for (index, entry) in map.entries().iter().enumerate() {
        if index > 0 {
            write_indent(text, indent);
        }
        let key = inline(&entry.key);
        if key.chars().count() > KEY {
            text.push_str("? ");
            text.push_str(&key);
            text.push('\n');
            write_indent(text, indent);
        } else {
            text.push_str(&key);
        }
        text.push(':');
        match &entry.node.value {
            Value::Map(map) if !map.entries().is_empty() => {
                text.push('\n');
                write_indent(text, indent + 2);
                write_map(text, map, indent + 2);
            }
            Value::List(list) if !list.is_empty() => {
                text.push('\n');
                write_indent(text, indent + 2);
                write_list(text, list, indent + 2);
            }
            value => {
                text.push(' ');
                write_scalar(text, value, indent + 2);
            }
        }
    }
}

/// Writes a list whose first line is already indented.
fn write_list(text: &mut String, list: &[Node], indent: usize) {
    for (index, node) in list.iter().enumerate() {
        if index > 0 {
            write_indent(text, indent);
        }
        text.push_str("- ");
        match &node.value {
            Value::Map(map) if !map.entries().is_empty() => write_map(text, map, indent + 2),
            Value::List(list) if !list.is_empty() => write_list(text, list, indent + 2),
            value => write_scalar(text, value, indent + 2),
        }
    }
}

fn write_indent(text: &mut String, indent: usize) {
    text.extend(std::iter::repeat_n(' ', indent));
}

/// Writes a value that has no block of its own, and the end of its line; the lines of a long text are indented.
fn write_scalar(text: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Boolean(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Integer(value) => text.push_str(&value.to_string()),
        Value::Float(value) => text.push_str(&float(*value)),
        Value::List(_) => text.push_str("[]"),
        Value::Map(_) => text.push_str("{}"),
        Value::Text(value) if value.contains('\n') && fits_block(value) => return write_block(text, value, indent),
        Value::Text(value) => text.push_str(&inline(value)),
        Value::Vault(value) => {
            text.push_str("!vault ");
            if fits_block(value) {
                return write_block(text, value, indent);
            }
            text.push_str(&double_quoted(value));
        }
    }
    text.push('\n');
}

/// A number that YAML 1.1 takes for one with a fraction: it wants a point, and a sign in the exponent.
fn float(value: f64) -> String {
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let text = format!("{value:?}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let point = if digits.contains('.') { "" } else { ".0" };
            let sign = if exponent.starts_with('-') { "" } else { "+" };
            format!("{digits}{point}e{sign}{exponent}")
        }
        None => text,
    }
}

/// Whether a text can stand in a `|` block. Lines of spaces alone, and spaces at the very beginning, would have to be counted.
fn fits_block(value: &str) -> bool {
    !value.is_empty()
        && !value.starts_with([' ', '\t', '\n'])
        && value.chars().all(|c| c == '\n' || stands_for_itself(c))
        && value.split('\n').all(|line| line.is_empty() || !line.trim_matches([' ', '\t']).is_empty())
}

fn write_block(text: &mut String, value: &str, indent: usize) {
    text.push('|');
    if value.ends_with("\n\n") {
        text.push('+');
    } else if !value.ends_with('\n') {
        text.push('-');
    }
    text.push('\n');
    for line in value.strip_suffix('\n').unwrap_or(value).split('\n') {
        if !line.is_empty() {
            write_indent(text, indent);
            text.push_str(line);
        }
        text.push('\n');
    }
}

/// A text on one line.
fn inline(value: &str) -> String {
    if fits_plain(value) {
        value.to_owned()
    } else if value.chars().all(|c| c != '\t' && stands_for_itself(c)) {
        format!("'{}'", value.replace('\'', "''"))
    } else {
        double_quoted(value)
    }
}

/// Whether a character means itself inside a line, to YAML 1.1 as well as 1.2.
fn stands_for_itself(c: char) -> bool {
    read::is_allowed(c) && !matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

fn fits_plain(value: &str) -> bool {
    let mut chars = value.chars();
    let (Some(first), second) = (chars.next(), chars.next()) else {
        return false;
    };
    let begins_well = match first {
        '-' | '?' | ':' => second.is_some_and(|second| !matches!(second, ' ' | ',' | '[' | ']' | '{' | '}')),
        _ => !" ,[]{}#&*!|>'\"%@`".contains(first),
    };
    begins_well
        && !value.ends_with([' ', ':'])
        && !value.contains(": ")
        && !value.contains(" #")
        && !matches!(value.split(' ').next(), Some("---" | "..."))
        && value.chars().all(|c| c != '\t' && stands_for_itself(c))
        && resolve::is_text(value)
}

fn double_quoted(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('"');
    for c in value.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\r' => text.push_str("\\r"),
            c if stands_for_itself(c) => text.push(c),
            // Writing to a `String` does not fail.
            c if u32::from(c) < 0x100 => drop(write!(text, "\\x{:02x}", u32::from(c))),
            c => drop(write!(text, "\\u{:04x}", u32::from(c))),
        }
    }
    text.push('"');
    text
}

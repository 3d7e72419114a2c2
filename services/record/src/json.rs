//! JSON as Python's `json.dumps` writes it, which is what ARA stores: ASCII, with spaces behind commas and colons.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Serializer, ser::Formatter};

/// Writes a value.
pub(crate) fn dumps(value: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, Python);
    // Values of serde_json and texts always have a form in JSON, and a vector takes all bytes.
    let written = value.serialize(&mut serializer);
    debug_assert!(written.is_ok());
    String::from_utf8(bytes).unwrap_or_default()
}

struct Python;

impl Formatter for Python {
    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut units = [0; 2];
        for character in fragment.chars() {
            if character.is_ascii() && character != '\u{7f}' {
                write!(writer, "{character}")?;
            } else {
                for unit in character.encode_utf16(&mut units) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_written_as_python_writes_them() {
        let check = |value: serde_json::Value, expected: &str| assert_eq!(dumps(&value), expected);
        check(json!({}), "{}");
        check(json!([]), "[]");
        check(json!({"a": [1, 2.5, null], "b": {"c": true}}), r#"{"a": [1, 2.5, null], "b": {"c": true}}"#);
        check(json!("é 日 😀 \u{7f} \u{1} \" \\ / \n"), r#""\u00e9 \u65e5 \ud83d\ude00 \u007f \u0001 \" \\ / \n""#);
        check(json!({"é": 1}), r#"{"\u00e9": 1}"#);
    }

    #[test]
    fn what_is_written_is_read_as_what_it_was() {
        let value = json!({"text": "\u{10ffff}\u{0}\u{2028}", "number": -0.1, "large": u64::MAX});
        assert_eq!(serde_json::from_str::<serde_json::Value>(&dumps(&value)).unwrap(), value);
    }
}

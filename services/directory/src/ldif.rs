//! LDIF, the text form of entries (RFC 2849): reads and writes content records. Change records are refused, files that a value
//! names are not read, and what names and values mean is for others to say.

mod base64;
mod read;

pub use read::{Error, Problem, parse};

/// The columns of a line, after which RFC 2849 folds it.
const WIDTH: usize = 76;

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The line of its name; counts from 1.
    pub line: usize,
    /// Its distinguished name as written.
    pub dn: String,
    /// Its attributes as written, one by one: a name stands once for each of its values.
    pub attributes: Vec<(String, Vec<u8>)>,
}

/// Writes records, an empty line between them. What is not plain ASCII is written in base64.
pub fn write(records: &[Record]) -> String {
    let mut text = String::new();
    for record in records {
        if !text.is_empty() {
            text.push('\n');
        }
        write_line(&mut text, "dn", record.dn.as_bytes());
        for (attribute, value) in &record.attributes {
            write_line(&mut text, attribute, value);
        }
    }
    text
}

fn write_line(text: &mut String, attribute: &str, value: &[u8]) {
    let line = match str::from_utf8(value) {
        Ok("") => format!("{attribute}:"),
        Ok(value) if is_safe(value) => format!("{attribute}: {value}"),
        _ => format!("{attribute}:: {}", base64::encode(value)),
    };
    let mut column = 0;
    for c in line.chars() {
        if column == WIDTH {
            text.push_str("\n ");
            column = 1;
        }
        text.push(c);
        column += 1;
    }
    text.push('\n');
}

/// Whether a value can be written as it is: a SAFE-STRING without a space at its end.
fn is_safe(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii() && !matches!(byte, 0 | b'\n' | b'\r'))
        && !value.starts_with([' ', ':', '<'])
        && !value.ends_with(' ')
}

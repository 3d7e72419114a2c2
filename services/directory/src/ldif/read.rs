//! Reads content records: joins folded lines, leaves comments out, and takes every line apart.

use std::borrow::Cow;

use super::{Record, base64};

/// A text that is not the LDIF of entries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct Error {
    /// The line; counts from 1. Of a folded line the first.
    pub line: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a line of LDIF.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A line that begins with a space and has none before it.
    #[error("a line that begins with a space continues the line before it, but there is none")]
    NothingToContinue,
    /// A line without a colon.
    #[error("an attribute, ':' and a value must stand here")]
    NoColon,
    /// Something else than letters, digits, '-', '.', ';' and '_' before the colon.
    #[error("'{0}' is no attribute: it has letters, digits and '-', and options behind ';'")]
    BadAttribute(String),
    /// Another version than 1.
    #[error("the version of LDIF must be 1, not '{0}'")]
    BadVersion(String),
    /// A record that does not begin with its name.
    #[error("a record must begin with 'dn:', not with '{0}:'")]
    NoName(String),
    /// A name inside a record.
    #[error("an empty line must stand before the 'dn:' of the next record")]
    NoEmptyLine,
    /// A value in base64 that is none.
    #[error("the value of '{0}' is not base64")]
    BadBase64(String),
    /// A name whose bytes are no text.
    #[error("the name of the record is not UTF-8")]
    NotUtf8,
    /// A value that stands in a file.
    #[error("the value of '{0}' is the address of a file, and files are not read; write the value itself, in base64 behind '::'")]
    Address(String),
    /// A change record.
    #[error("'{0}' begins a change, and changes are no content; write the entry as it should be")]
    Change(String),
}

/// Reads the records of a text, in order.
pub fn parse(bytes: &[u8]) -> Result<Vec<Record>, Error> {
    let mut records = Vec::new();
    let mut open: Option<Record> = None;
    let mut may_be_version = true;
    for Line { number, bytes } in lines(bytes)? {
        let fail = |problem| Error { line: number, problem };
        if bytes.is_empty() {
            records.extend(open.take());
            continue;
        }
        let (attribute, value) = attribute_and_value(&bytes).map_err(fail)?;
        let is = |name: &str| attribute.eq_ignore_ascii_case(name);
        if std::mem::take(&mut may_be_version) && is("version") {
            if value != b"1" {
                return Err(fail(Problem::BadVersion(String::from_utf8_lossy(&value).into_owned())));
            }
            continue;
        }
        match &mut open {
            None if is("dn") => {
                let dn = String::from_utf8(value).map_err(|_| fail(Problem::NotUtf8))?;
                open = Some(Record { line: number, dn, attributes: Vec::new() });
            }
            None => return Err(fail(Problem::NoName(attribute))),
            Some(_) if is("dn") => return Err(fail(Problem::NoEmptyLine)),
            Some(record) if is("changetype") || (is("control") && record.attributes.is_empty()) => {
                return Err(fail(Problem::Change(attribute)));
            }
            Some(record) => record.attributes.push((attribute, value)),
        }
    }
    records.extend(open);
    Ok(records)
}

/// A line with those that continue it.
struct Line<'a> {
    number: usize,
    bytes: Cow<'a, [u8]>,
}

/// The lines without comments, each joined with those that continue it. A comment is joined before it is left out, because it
/// may be folded as well.
fn lines(bytes: &[u8]) -> Result<Vec<Line<'_>>, Error> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(continuation) = line.strip_prefix(b" ") else {
            lines.push(Line { number: index + 1, bytes: line.into() });
            continue;
        };
        match lines.last_mut().filter(|line| !line.bytes.is_empty()) {
            Some(line) => line.bytes.to_mut().extend_from_slice(continuation),
            None => return Err(Error { line: index + 1, problem: Problem::NothingToContinue }),
        }
    }
    lines.retain(|line| !line.bytes.starts_with(b"#"));
    Ok(lines)
}

fn attribute_and_value(line: &[u8]) -> Result<(String, Vec<u8>), Problem> {
    if line == b"-" {
        return Err(Problem::Change("-".to_owned()));
    }
    let colon = line.iter().position(|byte| *byte == b':').ok_or(Problem::NoColon)?;
    let (attribute, value) = (String::from_utf8_lossy(&line[..colon]).into_owned(), &line[colon + 1..]);
    if !is_attribute(&attribute) {
        return Err(Problem::BadAttribute(attribute));
    }
    let value = match value.split_first() {
        Some((b'<', _)) => return Err(Problem::Address(attribute)),
        Some((b':', encoded)) => match base64::decode(without_spaces(encoded)) {
            Some(value) => value,
            None => return Err(Problem::BadBase64(attribute)),
        },
        _ => without_spaces(value).to_vec(),
    };
    Ok((attribute, value))
}

/// RFC 2849 lets any number of spaces stand before a value.
fn without_spaces(value: &[u8]) -> &[u8] {
    let spaces = value.iter().take_while(|byte| **byte == b' ').count();
    &value[spaces..]
}

fn is_attribute(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b';' | b'_'))
}

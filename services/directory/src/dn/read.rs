//! Takes a name apart and says what of it counts when two are compared.

use super::{Error, Problem, escape};

/// One attribute of a component.
pub(super) struct Part {
    /// The byte at which it begins.
    pub(super) start: usize,
    /// The attribute type as written.
    pub(super) attribute: String,
    /// The value without escapes, or what is written in hexadecimal and is no string.
    pub(super) value: String,
    /// Whether the value is hexadecimal that is no string.
    binary: bool,
}

/// The components of a name, each with its attributes.
pub(super) fn components(text: &str) -> Result<Vec<Vec<Part>>, Error> {
    let mut reader = Reader { text, position: 0 };
    reader.skip_spaces();
    let mut components = Vec::new();
    if reader.peek().is_none() {
        return Ok(components);
    }
    let mut parts = Vec::new();
    loop {
        parts.push(reader.part()?);
        match reader.take() {
            Some('+') => {}
            Some(_) => components.push(std::mem::take(&mut parts)),
            None => {
                components.push(parts);
                return Ok(components);
            }
        }
    }
}

/// The normal form of a component.
pub(super) fn normal_component(parts: &[Part]) -> String {
    let mut normals: Vec<String> = parts
        .iter()
        .map(|part| {
            let value = if part.binary { part.value.clone() } else { escape::escaped(&normal_value(&part.value)) };
            format!("{}={value}", normal_attribute(&part.attribute))
        })
        .collect();
    normals.sort();
    normals.join("+")
}

/// The normal form of an attribute type.
pub(super) fn normal_attribute(attribute: &str) -> String {
    let attribute = attribute.to_ascii_lowercase();
    match attribute.strip_prefix("oid.") {
        Some(number) => number.to_owned(),
        None => attribute,
    }
}

/// The normal form of a value without escapes.
pub(super) fn normal_value(value: &str) -> String {
    // By character: `str::to_lowercase` writes the last sigma of a word in another way, and a name must not change with its end.
    let lower: String = value.chars().flat_map(char::to_lowercase).collect();
    lower.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

struct Reader<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.position..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.position += c.len_utf8();
        Some(c)
    }

    fn skip_spaces(&mut self) {
        self.position += self.rest().len() - self.rest().trim_start_matches(' ').len();
    }

    fn fail(&self, position: usize, problem: Problem) -> Error {
        Error { dn: self.text.to_owned(), character: self.text[..position].chars().count() + 1, problem }
    }

    /// Reads an attribute and its value up to the separator or the end.
    fn part(&mut self) -> Result<Part, Error> {
        self.skip_spaces();
        let start = self.position;
        let length = self.rest().find(['=', ',', ';', '+']).unwrap_or(self.rest().len());
        let attribute = self.rest()[..length].trim_end_matches(' ');
        if attribute.is_empty() {
            return Err(self.fail(start, Problem::NoAttribute));
        }
        if !is_attribute(attribute) {
            return Err(self.fail(start, Problem::BadAttribute(attribute.to_owned())));
        }
        self.position += length;
        if self.peek() != Some('=') {
            return Err(self.fail(self.position, Problem::NoEquals(attribute.to_owned())));
        }
        self.take();
        self.skip_spaces();
        let (value, binary) = match self.peek() {
            Some('"') => (self.quoted()?, false),
            Some('#') => self.hexadecimal()?,
            _ => (self.plain()?, false),
        };
        Ok(Part { start, attribute: attribute.to_owned(), value, binary })
    }

    fn plain(&mut self) -> Result<String, Error> {
        let start = self.position;
        let mut bytes = Vec::new();
        // Spaces at the end belong to the separator, unless a backslash makes them the value's.
        let mut kept = 0;
        while let Some(c) = self.peek() {
            match c {
                ',' | ';' | '+' => break,
                '\\' => {
                    bytes.push(self.escape()?);
                    kept = bytes.len();
                }
                '"' | '<' | '>' | '\0' => {
                    return Err(self.fail(self.position, Problem::Unescaped { character: c, code: c as u8 }));
                }
                _ => {
                    self.take();
                    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                    if c != ' ' {
                        kept = bytes.len();
                    }
                }
            }
        }
        bytes.truncate(kept);
        self.utf8(start, bytes)
    }

    fn quoted(&mut self) -> Result<String, Error> {
        let start = self.position;
        self.take();
        let mut bytes = Vec::new();
        loop {
            match self.peek() {
                None => return Err(self.fail(start, Problem::OpenQuote)),
                Some('"') => break,
                Some('\\') => bytes.push(self.escape()?),
                Some(c) => {
                    self.take();
                    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
        }
        self.take();
        self.skip_spaces();
        match self.peek() {
            None | Some(',' | ';' | '+') => self.utf8(start, bytes),
            Some(_) => Err(self.fail(self.position, Problem::AfterQuote)),
        }
    }

    /// Reads the byte that a backslash and what follows it stand for.
    fn escape(&mut self) -> Result<u8, Error> {
        let start = self.position;
        self.take();
        if let Some(byte) = self.rest().get(..2).and_then(hex_byte) {
            self.position += 2;
            return Ok(byte);
        }
        match self.take() {
            Some(c @ (',' | ';' | '+' | '=' | '<' | '>' | '#' | '"' | '\\' | ' ')) => Ok(c as u8),
            _ => Err(self.fail(start, Problem::BadEscape)),
        }
    }

    /// Reads `#` and the BER of a value. What is no string is left as it stands, in lower case.
    fn hexadecimal(&mut self) -> Result<(String, bool), Error> {
        let start = self.position;
        let length = self.rest().find([',', ';', '+']).unwrap_or(self.rest().len());
        let text = self.rest()[1..length].trim_end_matches(' ');
        self.position += length;
        let pairs: Option<Vec<u8>> = if text.is_ascii() {
            text.as_bytes().chunks(2).map(|pair| hex_byte(str::from_utf8(pair).ok()?)).collect()
        } else {
            None
        };
        let Some(bytes) = pairs.filter(|bytes| !bytes.is_empty()) else {
            return Err(self.fail(start, Problem::BadHex));
        };
        Ok(match ber_string(&bytes) {
            Some(value) => (value, false),
            None => (format!("#{}", text.to_ascii_lowercase()), true),
        })
    }

    fn utf8(&self, start: usize, bytes: Vec<u8>) -> Result<String, Error> {
        String::from_utf8(bytes).map_err(|_| self.fail(start, Problem::NotUtf8))
    }
}

fn is_attribute(text: &str) -> bool {
    let number = match text.get(..4) {
        Some(prefix) if prefix.eq_ignore_ascii_case("oid.") => &text[4..],
        _ => text,
    };
    let is_number = number.split('.').all(|arc| !arc.is_empty() && arc.bytes().all(|byte| byte.is_ascii_digit()));
    // RFC 4512 has no '_', but the server lets schemas have it.
    let is_name = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    is_number || is_name
}

fn hex_byte(pair: &str) -> Option<u8> {
    let digits = pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
    if digits { u8::from_str_radix(pair, 16).ok() } else { None }
}

/// The text of an OCTET STRING, UTF8String, PrintableString or IA5String.
fn ber_string(bytes: &[u8]) -> Option<String> {
    let (tag, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, content) = match length {
        0..=0x7f => (usize::from(*length), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    if !matches!(tag, 0x04 | 0x0c | 0x13 | 0x16) || length != content.len() {
        return None;
    }
    String::from_utf8(content.to_vec()).ok()
}

//! Reads the columns of one row from left to right, each as what it is meant to be.

use aviary_proto::report::v1::Problem;
use flate2::{FlushDecompress, Status};
use prost_types::{Duration, Timestamp};

use super::{Reader, time};
use crate::database::{Row, Value};

/// Longest text that travels with its row instead of in chunks, in bytes: a name, a path, a status. With all of them a row
/// stays below the 4 MiB that gRPC libraries accept.
const MAX_SHORT_BYTES: usize = 128 * 1024;

/// The columns of a row that are still to be read.
pub(crate) struct Fields<'reader, 'row> {
    reader: &'reader Reader<'reader>,
    row: &'row Row<'row>,
    next: usize,
    /// Values that could not be read.
    pub(crate) problems: Vec<Problem>,
}

impl<'reader, 'row> Fields<'reader, 'row> {
    pub(crate) fn new(reader: &'reader Reader<'_>, row: &'row Row<'_>) -> Self {
        Self { reader, row, next: 0, problems: Vec::new() }
    }

    fn value(&mut self) -> Value<'row> {
        let value = self.row.value(self.next);
        self.next += 1;
        value
    }

    fn problem(&mut self, field: &str, reason: impl Into<String>) {
        self.problems.push(Problem { field: field.to_owned(), reason: reason.into() });
    }

    /// A whole number; 0 when it is none.
    pub(crate) fn integer(&mut self, name: &'static str) -> i64 {
        match self.value() {
            Value::Integer(value) => value,
            _ => {
                self.problem(name, "not a whole number");
                0
            }
        }
    }

    /// ARA knows 1 as true and takes everything else for false.
    pub(crate) fn flag(&mut self) -> bool {
        self.value() == Value::Integer(1)
    }

    /// A text.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        let value = self.value();
        self.as_text(name, value, MAX_SHORT_BYTES)
    }

    /// A text that may be long.
    pub(crate) fn long_text(&mut self, name: &'static str) -> Option<String> {
        let value = self.value();
        self.as_text(name, value, self.reader.max_text)
    }

    fn as_text(&mut self, name: &'static str, value: Value<'_>, most: usize) -> Option<String> {
        match value {
            Value::Null => None,
            Value::Text(bytes) if bytes.len() > most => {
                self.problem(name, format!("longer than {most} bytes"));
                None
            }
            Value::Text(bytes) => {
                let text = std::str::from_utf8(bytes).map(str::to_owned).ok();
                if text.is_none() {
                    self.problem(name, "not UTF-8");
                }
                text
            }
            Value::Integer(value) => Some(value.to_string()),
            _ => {
                self.problem(name, "not text");
                None
            }
        }
    }

    /// A text that must be there.
    pub(crate) fn needed_text(&mut self, name: &'static str, missing: &'static str) -> Option<String> {
        let value = self.value();
        if value == Value::Null {
            self.problem(name, missing);
        }
        self.as_text(name, value, MAX_SHORT_BYTES)
    }

    /// A moment; as in ARA, text that is none counts as absent.
    pub(crate) fn time(&mut self) -> Option<Timestamp> {
        match self.value() {
            Value::Text(bytes) => time::from_stored(bytes),
            _ => None,
        }
    }

    /// A span, stored in microseconds.
    pub(crate) fn duration(&mut self) -> Option<Duration> {
        match self.value() {
            Value::Null => None,
            Value::Integer(micros) => {
                let nanos = i32::try_from(micros % 1_000_000).unwrap_or_default() * 1000;
                Some(Duration { seconds: micros / 1_000_000, nanos })
            }
            _ => {
                self.problem("duration", "not a number of microseconds");
                None
            }
        }
    }

    /// A UUID, stored as 32 hexadecimal digits, with its dashes.
    pub(crate) fn uuid(&mut self) -> Option<String> {
        let hex = self.text("uuid")?;
        let digits: String = hex.chars().filter(|character| *character != '-').collect::<String>().to_ascii_lowercase();
        let parts = (digits.get(..8), digits.get(8..12), digits.get(12..16), digits.get(16..20), digits.get(20..));
        match parts {
            (Some(a), Some(b), Some(c), Some(d), Some(e))
                if digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
            {
                Some(format!("{a}-{b}-{c}-{d}-{e}"))
            }
            _ => {
                self.problem("uuid", "not a UUID");
                None
            }
        }
    }

    /// A text that is stored as a zlib stream.
    pub(crate) fn packed(&mut self, name: &'static str) -> Option<String> {
        let Value::Blob(bytes) = self.value() else {
            self.problem(name, "not a zlib stream");
            return None;
        };
        match self.unpack(bytes) {
            Ok(text) => Some(text),
            Err(reason) => {
                self.problem(name, reason);
                None
            }
        }
    }

    fn unpack(&self, bytes: &[u8]) -> Result<String, String> {
        let max = self.reader.max_text;
        let mut inflate = self.reader.inflate.borrow_mut();
        inflate.reset(true);
        // Facts and results shrink to a quarter or less; a wrong guess costs a copy.
        let mut text = Vec::with_capacity((bytes.len() * 5).clamp(64, max));
        loop {
            let rest = bytes.get(usize::try_from(inflate.total_in()).unwrap_or(usize::MAX)..).unwrap_or_default();
            let before = (inflate.total_in(), inflate.total_out());
            match inflate.decompress_vec(rest, &mut text, FlushDecompress::Finish) {
                Ok(Status::StreamEnd) => break,
                Ok(_) if text.len() >= max => return Err(format!("longer than {max} bytes")),
                Ok(_) if text.len() == text.capacity() => text.reserve(text.len().min(max - text.len()).max(64)),
                Ok(_) if before == (inflate.total_in(), inflate.total_out()) => {
                    return Err("a zlib stream that is cut short".to_owned());
                }
                Ok(_) => {}
                Err(_) => return Err("not a zlib stream".to_owned()),
            }
        }
        String::from_utf8(text).map_err(|_| "not UTF-8".to_owned())
    }
}

//! Writes ARA's JSON: fields in the order in which they are called for, values as Python writes them. A stored value that
//! cannot be shown becomes null and is counted.

use prost_types::{Duration, Timestamp};

use crate::json;

/// JSON in the making.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    pub(crate) out: Vec<u8>,
    /// What could not be shown, the first few in words.
    pub(crate) problems: Problems,
}

/// Values that an answer lacks.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Problems {
    pub(crate) count: usize,
    pub(crate) first: Option<String>,
}

impl Problems {
    pub(crate) fn add(&mut self, field: &str, reason: &str) {
        self.count += 1;
        self.first.get_or_insert_with(|| format!("{field}: {reason}"));
    }
}

impl Writer {
    /// Begins an object.
    pub(crate) fn open(&mut self) {
        self.out.push(b'{');
    }

    /// Ends an object.
    pub(crate) fn close(&mut self) {
        self.out.push(b'}');
    }

    /// Begins a field; its value is to follow.
    pub(crate) fn key(&mut self, name: &'static str) {
        if self.out.last() != Some(&b'{') {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    pub(crate) fn integer(&mut self, name: &'static str, value: i64) {
        self.key(name);
        json::push_i64(&mut self.out, value);
    }

    pub(crate) fn flag(&mut self, name: &'static str, value: bool) {
        self.key(name);
        json::push_bool(&mut self.out, value);
    }

    pub(crate) fn text(&mut self, name: &'static str, value: Option<&str>) {
        self.key(name);
        match value {
            Some(text) => json::push_str(&mut self.out, text),
            None => json::push_null(&mut self.out),
        }
    }

    /// A JSON value as it is stored.
    pub(crate) fn stored(&mut self, name: &'static str, value: Option<&str>) {
        self.key(name);
        let Some(text) = value else { return json::push_null(&mut self.out) };
        if let Err(error) = json::normalise(text, &mut self.out) {
            self.problems.add(name, &error.to_string());
            json::push_null(&mut self.out);
        }
    }

    pub(crate) fn time(&mut self, name: &'static str, value: Option<&Timestamp>) {
        self.key(name);
        match value {
            Some(time) => {
                json::time::push_timestamp(&mut self.out, time.seconds, u32::try_from(time.nanos / 1000).unwrap_or_default())
            }
            None => json::push_null(&mut self.out),
        }
    }

    pub(crate) fn duration(&mut self, name: &'static str, value: Option<&Duration>) {
        self.key(name);
        match value {
            Some(duration) => {
                let micros = duration.seconds.saturating_mul(1_000_000).saturating_add(i64::from(duration.nanos / 1000));
                json::time::push_duration(&mut self.out, micros);
            }
            None => json::push_null(&mut self.out),
        }
    }

    /// An object, or null.
    pub(crate) fn object<T>(&mut self, name: &'static str, value: Option<&T>, write: impl FnOnce(&mut Self, &T)) {
        self.key(name);
        match value {
            Some(value) => write(self, value),
            None => json::push_null(&mut self.out),
        }
    }

    /// A list.
    pub(crate) fn list<T>(&mut self, name: &'static str, values: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.key(name);
        self.out.push(b'[');
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            write(self, value);
        }
        self.out.push(b']');
    }
}

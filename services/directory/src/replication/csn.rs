//! Change sequence numbers: which change, of which supplier, when.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::replication::Moment;

/// The number of a change. Changes come in the order of their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Csn {
    /// When, by the clock that suppliers agree on.
    pub at: Moment,
    /// Which of that second.
    pub sequence: u16,
    /// Number of the supplier that made it.
    pub id: u16,
    /// Which part of the change.
    pub part: u16,
}

impl Csn {
    /// Reads 20 hexadecimal digits; `None` if they are not that.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 20 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let number = |from, to| u32::from_str_radix(text.get(from..to)?, 16).ok();
        let short = |from, to| number(from, to).and_then(|number| u16::try_from(number).ok());
        Some(Self {
            at: Moment::from_seconds(number(0, 8)?.into()),
            sequence: short(8, 12)?,
            id: short(12, 16)?,
            part: short(16, 20)?,
        })
    }
}

impl fmt::Display for Csn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}{:04x}{:04x}{:04x}", self.at.seconds(), self.sequence, self.id, self.part)
    }
}

impl Serialize for Csn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

//! Times between the contract and the text that ARA's databases hold.

use prost_types::Timestamp;
use python::datetime::{self, Instant};

/// A time as it is stored; `None` outside the years 1 to 9999. Digits below the microsecond are dropped.
pub(crate) fn to_stored(value: &Timestamp) -> Option<String> {
    let micros = u32::try_from(value.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)? / 1000;
    datetime::to_stored(Instant { seconds: value.seconds, micros })
}

/// Reads a stored time; `None` when it is none.
pub(crate) fn from_stored(text: &[u8]) -> Option<Timestamp> {
    let instant = datetime::parse(std::str::from_utf8(text).ok()?).ok()?;
    Some(Timestamp { seconds: instant.seconds, nanos: i32::try_from(instant.micros).unwrap_or_default() * 1000 })
}

//! Moments and what lies between them, as ARA stores them.

use std::time::{SystemTime, UNIX_EPOCH};

use python::datetime::{self, Instant};

const MICROS: i64 = 1_000_000;
/// The first and the last moment that Python can hold, in microseconds since 1970.
const FIRST: i64 = -62_135_596_800 * MICROS;
const LAST: i64 = 253_402_300_800 * MICROS - 1;

/// A moment, to the microsecond, within Python's years 1 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(i64);

impl Time {
    /// So many microseconds after 1970 began, or as near as Python can come.
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(FIRST, LAST))
    }

    /// Microseconds since 1970.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// `YYYY-MM-DD HH:MM:SS[.ffffff]`, as Django stores it in SQLite.
    pub fn stored(self) -> String {
        let instant = Instant { seconds: self.0.div_euclid(MICROS), micros: self.0.rem_euclid(MICROS) as u32 };
        datetime::to_stored(instant).unwrap_or_default()
    }
}

impl From<SystemTime> for Time {
    fn from(time: SystemTime) -> Self {
        let micros = |span: std::time::Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(match time.duration_since(UNIX_EPOCH) {
            Ok(since) => micros(since),
            Err(before) => -micros(before.duration()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn moments_are_stored_as_django_stores_them() {
        let check = |micros: i64, expected: &str| assert_eq!(Time::from_micros(micros).stored(), expected, "{micros}");
        check(0, "1970-01-01 00:00:00");
        check(1, "1970-01-01 00:00:00.000001");
        check(-1, "1969-12-31 23:59:59.999999");
        check(1_795_614_004_672_104, "2026-11-25 13:40:04.672104");
        check(i64::MIN, "0001-01-01 00:00:00");
        check(i64::MAX, "9999-12-31 23:59:59.999999");
    }

    #[test]
    fn the_clocks_moments_are_kept_to_the_microsecond() {
        let time = UNIX_EPOCH + Duration::from_nanos(1_000_001_999);
        assert_eq!(Time::from(time).stored(), "1970-01-01 00:00:01.000001");
        assert_eq!(Time::from(UNIX_EPOCH - Duration::from_micros(1)).stored(), "1969-12-31 23:59:59.999999");
    }
}

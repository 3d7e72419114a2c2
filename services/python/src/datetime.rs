//! Datetimes as Django 5.2 reads and writes them on Python 3.11: what a database holds, and what clients ask for.
//!
//! Django lets CPython's `datetime.fromisoformat` try first (`iso`), then a pattern of its own (`pattern`). Text without an
//! offset is UTC, the zone of every report.

pub mod civil;
mod iso;
mod pattern;

use civil::Local;

const MICROS: i64 = 1_000_000;
const DAY: i64 = 86_400 * MICROS;

/// A moment in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant {
    /// Whole seconds since 1970, rounded down.
    pub seconds: i64,
    /// The microseconds within the second.
    pub micros: u32,
}

/// Why a text is no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is none of the forms, or there is no such day or time.
    #[error("not a date and time")]
    NotADatetime,
    /// In UTC it leaves the years 1 to 9999, which Python cannot hold.
    #[error("out of range in UTC")]
    OutOfRange,
}

/// Reads a text as `django.utils.dateparse.parse_datetime` does.
///
/// # Errors
/// When the text is no moment, or one that Python cannot hold.
pub fn parse(text: &str) -> Result<Instant, Error> {
    let local = iso::parse(text).or_else(|| pattern::parse(text)).ok_or(Error::NotADatetime)?;
    to_utc(local)
}

/// Python's `astimezone` fails outside of the years 1 to 9999.
fn to_utc(local: Local) -> Result<Instant, Error> {
    let micros = local.micros - local.offset;
    if !civil::is_day(micros.div_euclid(DAY)) {
        return Err(Error::OutOfRange);
    }
    Ok(Instant { seconds: micros.div_euclid(MICROS), micros: micros.rem_euclid(MICROS) as u32 })
}

/// Writes a moment as Django stores it in SQLite, `YYYY-MM-DD HH:MM:SS[.ffffff]`, which is also how it is compared there.
/// `None` outside of the years 1 to 9999.
pub fn to_stored(instant: Instant) -> Option<String> {
    let day = instant.seconds.div_euclid(86_400);
    if !civil::is_day(day) {
        return None;
    }
    let (year, month, day) = civil::date(day);
    let second = instant.seconds.rem_euclid(86_400);
    let text = format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    Some(if instant.micros == 0 { text } else { format!("{text}.{:06}", instant.micros) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, seconds: i64, micros: u32) {
        assert_eq!(parse(text), Ok(Instant { seconds, micros }), "{text:?}");
    }
    #[test]
    fn dates_are_read_in_every_form_of_iso_8601() {
        check("2030-01-01", 1_893_456_000, 0);
        check("20300101", 1_893_456_000, 0);
        check("2026-W47", 1_794_787_200, 0);
        check("2026-W47-2", 1_794_873_600, 0);
        check("2026W472", 1_794_873_600, 0);
        check("2030-1-1 1:2", 1_893_459_720, 0);
        check("1969-12-31T23:59:59.5", -1, 500_000);
        check("0001-01-01", -62_135_596_800, 0);
        check("9999-12-31T23:59:59.999999", 253_402_300_799, 999_999);
    }

    #[test]
    fn offsets_lead_to_utc() {
        check("2030-01-01T00:00:00Z", 1_893_456_000, 0);
        check("2030-01-01T02:00+02:00", 1_893_456_000, 0);
        check("2030-01-01 02:00 +0200", 1_893_456_000, 0);
        check("20300101T020000+02", 1_893_456_000, 0);
        check("2030-01-01T00:00:00-00:30", 1_893_457_800, 0);
        check("2030-01-01T12+01:00:00.5", 1_893_495_599, 500_000);
        check("2030-01-01T12+00:00:00.5", 1_893_499_200, 0);
    }

    #[test]
    fn accidents_of_python_are_repeated() {
        check("2024-03-01é08:00", 1_709_280_000, 0);
        check("2024-03-01 08:00:00x+02:00", 1_709_272_800, 0);
        check("2024-03-01T08:00:00.12  Z\n", 1_709_280_000, 120_000);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            " ",
            "now",
            "2030",
            "2030-01",
            "01/02/2030",
            "2030-01-01T24:00",
            "2016-12-31T23:59:60",
            "2030-02-29",
            "0000-01-01",
            "2021-W53",
            "9999-W52-6",
            "2030-01-01T00:00:00+24:00",
            "2030-01-01T00:00:00 02:00",
            "2024-3-1",
            "2024-03-01 8",
            "é€",
            "2024-03-01 08:00:00x",
            "2024-3-1 8:00:00.1234567890123",
        ] {
            assert_eq!(parse(text), Err(Error::NotADatetime), "{text:?}");
        }
    }

    #[test]
    fn a_moment_outside_of_pythons_years_has_its_own_error() {
        for text in ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+00:01"] {
            assert_eq!(parse(text), Err(Error::OutOfRange), "{text:?}");
        }
    }

    #[test]
    fn what_is_stored_is_read_back() {
        for seconds in (-62_135_596_800..253_402_300_800).step_by(86_399 * 997) {
            let instant = Instant { seconds, micros: 1 };
            assert_eq!(parse(&to_stored(instant).unwrap()), Ok(instant));
        }
        assert_eq!(to_stored(Instant { seconds: 253_402_300_800, micros: 0 }), None);
        assert_eq!(to_stored(Instant { seconds: 0, micros: 0 }).unwrap(), "1970-01-01 00:00:00");
    }
}

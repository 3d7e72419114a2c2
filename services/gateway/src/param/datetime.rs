//! Filters on dates: django-filter's `IsoDateTimeFilter` over Django's `parse_datetime`.
//!
//! Django lets CPython's `datetime.fromisoformat` try first (`iso`), then a pattern of its own (`pattern`). How SQLite
//! compares dates, as text, is left to the query.

mod civil;
mod iso;
mod pattern;

use self::civil::Local;
use super::{ParamError, python};

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

/// The moment to compare with. Without an offset it is UTC, our zone of every report. An empty value is no filter, a
/// blank one is not a date.
pub fn parse(value: Option<&str>) -> Result<Option<Instant>, ParamError> {
    let Some(text) = value.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let text = python::strip(text);
    let local = iso::parse(text)
        .or_else(|| pattern::parse(text))
        .ok_or_else(|| ParamError::invalid("Enter a valid date/time."))?;
    to_utc(local).map(Some)
}

/// ARA converts to UTC with Python's `astimezone`, which fails outside of the years 1 to 9999.
fn to_utc(local: Local) -> Result<Instant, ParamError> {
    let micros = local.micros - local.offset;
    let day = micros.div_euclid(DAY);
    if !civil::is_day(day) {
        return Err(ParamError::DateOutOfRange);
    }
    Ok(Instant {
        seconds: micros.div_euclid(MICROS),
        micros: micros.rem_euclid(MICROS) as u32,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, seconds: i64, micros: u32) {
        let expected = Ok(Some(Instant { seconds, micros }));
        assert_eq!(parse(Some(value)), expected, "{value:?}");
    }

    #[test]
    fn an_absent_or_empty_value_is_no_filter() {
        assert_eq!(parse(None), Ok(None));
        assert_eq!(parse(Some("")), Ok(None));
    }

    #[test]
    fn dates_are_read_in_every_form_of_iso_8601() {
        check("2030-01-01", 1_893_456_000, 0);
        check("20300101", 1_893_456_000, 0);
        check(" 2030-01-01\n", 1_893_456_000, 0);
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
    fn anything_else_is_refused() {
        let check = |value: &str| {
            let expected = Err(ParamError::invalid("Enter a valid date/time."));
            assert_eq!(parse(Some(value)), expected, "{value:?}");
        };
        check(" ");
        check("2030-01");
        check("01/02/2030");
        check("2030-01-01T24:00");
        check("2016-12-31T23:59:60");
        check("2030-02-29");
        check("0000-01-01");
        check("2021-W53");
        check("9999-W52-6");
        check("2030-01-01T00:00:00+24:00");
        check("2030-01-01T00:00:00 02:00");
        check("now");
    }

    #[test]
    fn a_moment_outside_of_pythons_years_has_its_own_error() {
        let check = |value: &str| {
            assert_eq!(
                parse(Some(value)),
                Err(ParamError::DateOutOfRange),
                "{value:?}"
            );
        };
        check("9999-12-31T23:59:59-12:00");
        check("0001-01-01T00:00:00+00:01");
    }
}

//! CPython 3.11's `datetime.fromisoformat`, the C one, with the slips that make it accept more than ISO 8601.
//!
//! The C code sees the end of the text as a NUL, so that a NUL in the text can pass for an end; and it reads a clock's
//! digits without regard to where the clock ends. Both are kept, since ARA then filters instead of answering 400.

use super::civil::{self, Local, Time};

/// The length of the shortest date, `2026W47`.
const SHORTEST: usize = 7;

pub(super) fn parse(text: &str) -> Option<Local> {
    if text.chars().count() < SHORTEST {
        return None;
    }
    let date_end = date_end(text.as_bytes())?;
    let day = date(text.get(..date_end)?.as_bytes())?;
    let mut rest = text.get(date_end..)?.chars();
    // Any character at all separates date and time.
    match rest.next() {
        None => civil::local(day, Time::default(), 0),
        Some(_) => {
            let (time, offset) = time(rest.as_str().as_bytes())?;
            civil::local(day, time, offset)
        }
    }
}

/// Where the date ends, which its fifth and sixth characters tell, except for weeks with or without a day.
fn date_end(text: &[u8]) -> Option<usize> {
    if text.len() == SHORTEST {
        return Some(SHORTEST);
    }
    let is_digit = |index: usize| at(text, index).is_ascii_digit();
    match (at(text, 4), at(text, 5)) {
        (b'-', b'W') if at(text, 8) != b'-' => Some(8),
        (b'-', b'W') if text.len() == 9 => None,
        // After yyyy-Www- either one digit of a weekday follows or an hour, and an hour is what CPython guesses.
        (b'-', b'W') if is_digit(10) => Some(8),
        (b'-', _) => Some(10),
        (b'W', _) => {
            let digits_end = (SHORTEST..text.len()).find(|index| !is_digit(*index)).unwrap_or(text.len());
            // Times come in pairs of digits, so an odd one out is the weekday, or the separator.
            match digits_end {
                ..9 => Some(digits_end),
                _ if digits_end % 2 == 0 => Some(7),
                _ => Some(8),
            }
        }
        _ => Some(8),
    }
}

/// Days since 1970 of a date without anything behind it.
fn date(text: &[u8]) -> Option<i64> {
    let year = digits(text, 0, 4)?;
    let dashed = at(text, 4) == b'-';
    let start = if dashed { 5 } else { 4 };
    if at(text, start) == b'W' {
        let week = digits(text, start + 1, 2)?;
        let weekday = match text.get(start + 3..)? {
            [] => 1,
            [b'-', ..] if dashed => digits(text, start + 4, 1)?,
            _ if dashed => return None,
            _ => digits(text, start + 3, 1)?,
        };
        return civil::week_day(year, week, weekday);
    }
    let month = digits(text, start, 2)?;
    let day_start = match (dashed, at(text, start + 2)) {
        (true, b'-') => start + 3,
        (true, _) => return None,
        (false, _) => start + 2,
    };
    civil::day(year, month, digits(text, day_start, 2)?)
}

/// A clock and its distance from UTC in microseconds, zero if none is written.
fn time(text: &[u8]) -> Option<(Time, i64)> {
    let zone = text.iter().position(|byte| matches!(byte, b'+' | b'-' | b'Z')).unwrap_or(text.len());
    let (time, leftover) = clock(text, zone)?;
    let offset = match text.get(zone) {
        None if leftover => return None,
        None => 0,
        Some(b'Z') if at(text, zone + 1) != 0 => return None,
        Some(b'Z') => 0,
        Some(sign) => {
            let zone = text.get(zone + 1..)?;
            let (ahead, leftover) = clock(zone, zone.len())?;
            if leftover {
                return None;
            }
            offset(*sign, ahead)
        }
    };
    Some((time, offset))
}

fn offset(sign: u8, ahead: Time) -> i64 {
    let micros = ahead.to_micros();
    match sign {
        // Less than a second is UTC.
        _ if micros < super::MICROS => 0,
        b'-' => -micros,
        _ => micros,
    }
}

/// A clock that is expected to end at `end`, and whether something is left over behind it.
///
/// A clock in front of an offset always has something behind it, and CPython does not ask what.
fn clock(text: &[u8], end: usize) -> Option<(Time, bool)> {
    let mut time = Time::default();
    let mut next = 0;
    let mut colons = false;
    for index in 0..3 {
        let field = match index {
            0 => &mut time.hour,
            1 => &mut time.minute,
            _ => &mut time.second,
        };
        *field = digits(text, next, 2)?;
        let separator = at(text, next + 2);
        if index == 0 {
            colons = separator == b':';
        }
        next += 3;
        if next >= end {
            return Some((time, separator != 0));
        }
        match separator {
            b':' if colons => {}
            b'.' | b',' => break,
            _ if colons => return None,
            _ => next -= 1,
        }
    }
    let places = (end - next).min(6);
    let missing = (places..6).map(|_| 10).product::<i64>();
    time.micros = digits(text, next, places)? * missing;
    let leftover = (next + places..).map(|index| at(text, index)).find(|byte| !byte.is_ascii_digit());
    Some((time, leftover != Some(0)))
}

/// So many digits, ASCII only.
fn digits(text: &[u8], start: usize, count: usize) -> Option<i64> {
    (start..start + count).try_fold(0, |value, index| {
        let byte = at(text, index);
        byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0'))
    })
}

/// Behind the end there is a NUL.
fn at(text: &[u8], index: usize) -> u8 {
    text.get(index).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(&str, i64)>) {
        let expected = expected.map(|(plain, offset)| {
            let micros = parse(plain).map(|local| local.micros);
            (micros.unwrap_or(i64::MIN), offset * crate::datetime::MICROS)
        });
        let found = parse(text).map(|local| (local.micros, local.offset));
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn any_character_separates_date_and_time() {
        check("2020-01-01x12", Some(("2020-01-01T12:00:00", 0)));
        check("2020-01-01é12", Some(("2020-01-01T12:00:00", 0)));
        check("2020-01-01😀12", Some(("2020-01-01T12:00:00", 0)));
        check("2020-01-01+01", Some(("2020-01-01T01:00:00", 0)));
        check("2020-01-01T", None);
        check("2020-01-01é", None);
        check("2020-01-01Z", None);
    }

    #[test]
    fn weeks_are_told_from_hours_by_counting_digits() {
        check("2020W01", Some(("2019-12-30T00:00:00", 0)));
        check("2020W017", Some(("2020-01-05T00:00:00", 0)));
        check("2020W0112", None);
        check("2020W01123", Some(("2019-12-30T23:00:00", 0)));
        check("2020-W01-1", Some(("2019-12-30T00:00:00", 0)));
        check("2020-W01-12", Some(("2019-12-30T12:00:00", 0)));
        check("2020-W01-1T12", Some(("2019-12-30T12:00:00", 0)));
        check("2020-W01-", None);
    }

    #[test]
    fn dashes_and_colons_stand_everywhere_or_nowhere() {
        check("2020-0101", None);
        check("202001-01", None);
        check("2020-01-01T12:3456", None);
        check("2020-01-01T1234:56", None);
        check("2020-01-01T1234.5", Some(("2020-01-01T12:34:00.500000", 0)));
    }

    #[test]
    fn the_slips_of_cpython_are_kept() {
        check("2020-01-01T12\0", Some(("2020-01-01T12:00:00", 0)));
        check("2020-01-01T12:34:56Z\0a", Some(("2020-01-01T12:34:56", 0)));
        check("2020-01-01T123+01", Some(("2020-01-01T12:00:00", 3600)));
        check("2020-01-01T12:34:56.+00:00", Some(("2020-01-01T12:34:56", 0)));
        check("2020-01-01T123456789", Some(("2020-01-01T12:34:56.789000", 0)));
        check("2020-01-01T12:34:56:78", Some(("2020-01-01T12:34:56.780000", 0)));
        check("2020-01-01T12+01:99", Some(("2020-01-01T12:00:00", 9540)));
        check("2020-01-01T123", None);
        check("2020-01-01T12:34:56.1\0", None);
        check("2020-01-01T12Z0", None);
    }

    #[test]
    fn fractions_are_cut_at_microseconds() {
        check("2020-01-01T12:34:56.123456789", Some(("2020-01-01T12:34:56.123456", 0)));
        check("2020-01-01T12:34:56,1", Some(("2020-01-01T12:34:56.100000", 0)));
        check("2020-01-01T12.5-01", Some(("2020-01-01T12:00:00.500000", -3600)));
        check("2020-01-01T12:34:56.1234567x", None);
    }
}

//! Timestamps and durations: from the text of an ARA database, and as ARA's API shows them.
//!
//! All times are in UTC, as seconds and microseconds since 1970. Zones other than fixed offsets are left out, since ARA
//! stores none.

mod iso;

use super::{push_i64, push_two};

const DAY: i64 = 86_400;
const MICROS: i64 = 1_000_000;

/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, the range of Python's `datetime`.
const FIRST: i64 = -62_135_596_800;
const LAST: i64 = 253_402_300_799;

/// Appends a time as a JSON string, such as `"2026-11-22T06:34:48.971025Z"`, with a fraction of six digits or none.
///
/// The rule is `DateTimeField.to_representation` of Django REST framework: `isoformat()` with `Z` for `+00:00`.
/// The years are those of Python, 0001 to 9999, which [`parse_stored`] keeps to.
pub fn push_timestamp(out: &mut Vec<u8>, seconds: i64, micros: u32) {
    let (year, month, day) = civil_from_days(seconds.div_euclid(DAY));
    out.push(b'"');
    push_two(out, year.unsigned_abs() / 100);
    push_two(out, year.unsigned_abs());
    out.push(b'-');
    push_two(out, month.unsigned_abs());
    out.push(b'-');
    push_two(out, day.unsigned_abs());
    out.push(b'T');
    push_clock(out, seconds.rem_euclid(DAY).unsigned_abs(), micros);
    out.extend_from_slice(b"Z\"");
}

/// Appends a duration as a JSON string, such as `"00:00:07.581509"` or `"-1 23:59:59.999999"`.
///
/// The rule is `django.utils.duration.duration_string`: only the days have a sign, and they are shown if there are any.
pub fn push_duration(out: &mut Vec<u8>, micros: i64) {
    let (days, rest) = (
        micros.div_euclid(DAY * MICROS),
        micros.rem_euclid(DAY * MICROS).unsigned_abs(),
    );
    out.push(b'"');
    if days != 0 {
        push_i64(out, days);
        out.push(b' ');
    }
    let second = MICROS.unsigned_abs();
    push_clock(out, rest / second, (rest % second) as u32);
    out.push(b'"');
}

/// Appends `HH:MM:SS`, and the fraction if there is one.
fn push_clock(out: &mut Vec<u8>, seconds: u64, micros: u32) {
    push_two(out, seconds / 3600);
    out.push(b':');
    push_two(out, seconds / 60 % 60);
    out.push(b':');
    push_two(out, seconds % 60);
    if micros != 0 {
        out.push(b'.');
        for shift in [10_000, 100, 1] {
            push_two(out, u64::from(micros) / shift);
        }
    }
}

/// Reads the text of a `datetime` column: seconds and microseconds in UTC. Text without an offset is taken as UTC.
///
/// The rule is `django.utils.dateparse.parse_datetime` of Django 5.2, which its SQLite backend applies: first
/// `datetime.fromisoformat`, then a pattern of Django's own. What Django reads as nothing and what makes it fail are both
/// `None`, and so are digits of other scripts, which its pattern allows.
pub fn parse_stored(text: &str) -> Option<(i64, u32)> {
    iso::parse(text)
        .and_then(Fields::instant)
        .or_else(|| django(text).and_then(Fields::instant))
}

/// A date and time that has been read and not yet checked.
#[derive(Debug, Default)]
struct Fields {
    year: i64,
    month: i64,
    day: i64,
    clock: Clock,
    /// What the clock is ahead of UTC.
    offset_micros: i64,
}

#[derive(Debug, Default)]
struct Clock {
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
}

impl Clock {
    fn in_micros(&self) -> i64 {
        (self.hour * 3600 + self.minute * 60 + self.second) * MICROS + self.micros
    }
}

impl Fields {
    /// The time in UTC, if Python's `datetime` and `timezone` accept the fields and it is still in their range.
    fn instant(self) -> Option<(i64, u32)> {
        let Self {
            year,
            month,
            day,
            clock,
            offset_micros,
        } = self;
        let valid = (1..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day)
            && clock.hour < 24
            && clock.minute < 60
            && clock.second < 60
            && offset_micros.abs() < DAY * MICROS;
        if !valid {
            return None;
        }
        let micros =
            days_from_civil(year, month, day) * DAY * MICROS + clock.in_micros() - offset_micros;
        let seconds = micros.div_euclid(MICROS);
        (FIRST..=LAST)
            .contains(&seconds)
            .then_some((seconds, micros.rem_euclid(MICROS) as u32))
    }
}

/// `datetime_re` of `django.utils.dateparse`: short fields, and white space before the offset.
fn django(text: &str) -> Option<Fields> {
    let mut rest = text;
    let year = number(&mut rest, 4, 4)?.0;
    literal(&mut rest, "-")?;
    let month = number(&mut rest, 1, 2)?.0;
    literal(&mut rest, "-")?;
    let day = number(&mut rest, 1, 2)?.0;
    literal(&mut rest, "T").or_else(|| literal(&mut rest, " "))?;
    let mut clock = Clock {
        hour: number(&mut rest, 1, 2)?.0,
        ..Clock::default()
    };
    literal(&mut rest, ":")?;
    clock.minute = number(&mut rest, 1, 2)?.0;
    if literal(&mut rest, ":").is_some() {
        clock.second = number(&mut rest, 1, 2)?.0;
        if literal(&mut rest, ".")
            .or_else(|| literal(&mut rest, ","))
            .is_some()
        {
            let (micros, count) = number(&mut rest, 1, 6)?;
            clock.micros = micros * 10_i64.pow(6 - count);
            let _ = number(&mut rest, 1, 6);
        }
    }
    // Python counts the four separators of ASCII as white space.
    rest =
        rest.trim_start_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c));
    let ahead = match rest.chars().next() {
        Some(sign @ ('+' | '-')) => {
            rest = &rest[1..];
            let hours = number(&mut rest, 2, 2)?.0;
            let minutes = match literal(&mut rest, ":") {
                Some(()) => number(&mut rest, 2, 2)?.0,
                None => number(&mut rest, 2, 2).map_or(0, |(minutes, _)| minutes),
            };
            (hours * 60 + minutes) * if sign == '-' { -1 } else { 1 }
        }
        _ => {
            let _ = literal(&mut rest, "Z");
            0
        }
    };
    // `$` matches before a newline at the end, too.
    let _ = literal(&mut rest, "\n");
    rest.is_empty().then_some(Fields {
        year,
        month,
        day,
        clock,
        offset_micros: ahead * 60 * MICROS,
    })
}

/// Takes as many digits as there are, at most `most`; gives the number and how many they were.
fn number(rest: &mut &str, least: usize, most: usize) -> Option<(i64, u32)> {
    let count = rest
        .bytes()
        .take(most)
        .take_while(u8::is_ascii_digit)
        .count();
    if count < least {
        return None;
    }
    let (found, left) = rest.split_at(count);
    *rest = left;
    Some((found.parse().ok()?, count as u32))
}

fn literal(rest: &mut &str, expected: &str) -> Option<()> {
    *rest = rest.strip_prefix(expected)?;
    Some(())
}

/// Days since 1970-01-01, by years that begin in March so that the leap day comes last
/// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = (shifted + 2) % 12 + 1;
    (
        era * 400 + year_of_era + i64::from(month <= 2),
        month,
        day_of_year - (153 * shifted + 2) / 5 + 1,
    )
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timestamp((seconds, micros): (i64, u32)) -> String {
        let mut out = Vec::new();
        push_timestamp(&mut out, seconds, micros);
        String::from_utf8_lossy(&out).into_owned()
    }

    fn check(stored: &str, expected: &str) {
        let read = parse_stored(stored).map(timestamp);
        assert_eq!(read, Some(format!("\"{expected}\"")), "{stored:?}");
    }

    fn refuses(stored: &str) {
        assert_eq!(parse_stored(stored), None, "{stored:?}");
    }

    #[test]
    fn times_have_a_fraction_of_six_digits_or_none() {
        let check = |seconds, micros, expected| assert_eq!(timestamp((seconds, micros)), expected);
        check(1_795_329_288, 971_025, r#""2026-11-22T06:34:48.971025Z""#);
        check(0, 0, r#""1970-01-01T00:00:00Z""#);
        check(-1, 1, r#""1969-12-31T23:59:59.000001Z""#);
        check(951_782_400, 0, r#""2000-02-29T00:00:00Z""#);
        check(FIRST, 0, r#""0001-01-01T00:00:00Z""#);
        check(LAST, 999_999, r#""9999-12-31T23:59:59.999999Z""#);
    }

    #[test]
    fn durations_show_days_if_there_are_any_and_give_only_them_a_sign() {
        let check = |micros, expected: &str| {
            let mut out = Vec::new();
            push_duration(&mut out, micros);
            assert_eq!(String::from_utf8_lossy(&out), format!("\"{expected}\""));
        };
        check(0, "00:00:00");
        check(7_581_509, "00:00:07.581509");
        check(86_400_000_000, "1 00:00:00");
        check(176_461_000_005, "2 01:01:01.000005");
        check(-1, "-1 23:59:59.999999");
        check(i64::MAX, "106751991 04:00:54.775807");
        check(i64::MIN, "-106751992 19:59:05.224192");
    }

    #[test]
    fn what_ara_stores_is_read() {
        check("2024-03-01 08:00:00.123456", "2024-03-01T08:00:00.123456Z");
        check("2024-03-01 08:00:00", "2024-03-01T08:00:00Z");
    }

    #[test]
    fn other_layouts_of_iso_8601_are_read() {
        check("2024-03-01T08:00:00Z", "2024-03-01T08:00:00Z");
        check("2024-03-01 08:00:00+02:00", "2024-03-01T06:00:00Z");
        check(
            "2024-03-01 00:30:00.5-01:30:30.25",
            "2024-03-01T02:00:30.750000Z",
        );
        check("2024-03-01 08:00:00,5", "2024-03-01T08:00:00.500000Z");
        check("2024-03-01 08:00:00.1234567", "2024-03-01T08:00:00.123456Z");
        check("2024-03-01", "2024-03-01T00:00:00Z");
        check("20240301T0800", "2024-03-01T08:00:00Z");
        check("2024-W09-5", "2024-03-01T00:00:00Z");
        check("2020W537", "2021-01-03T00:00:00Z");
    }

    #[test]
    fn what_only_the_pattern_of_django_reads_is_read() {
        check("2024-3-1 8:5", "2024-03-01T08:05:00Z");
        check("2024-03-01 08:00:00 +0200", "2024-03-01T06:00:00Z");
        check("2024-03-01T08:00:00.12  Z\n", "2024-03-01T08:00:00.120000Z");
        check("2024-03-01 8:00:00\t-01", "2024-03-01T09:00:00Z");
    }

    #[test]
    fn accidents_of_python_are_repeated() {
        check("2024-03-01é08:00", "2024-03-01T08:00:00Z");
        check("2024-03-01 08:00:00x+02:00", "2024-03-01T06:00:00Z");
        check("2024-03-01 08:00:00+00:00:00.5", "2024-03-01T08:00:00Z");
    }

    #[test]
    fn garbage_and_times_that_do_not_exist_are_nothing() {
        for stored in [
            "",
            "now",
            "2024",
            "2024-03",
            "2024-3-1",
            "2024-03-01 8",
            "é€",
            "2024-03-01 08:00:00x",
        ] {
            refuses(stored);
        }
        for stored in [
            "2023-02-29",
            "2024-13-01",
            "0000-01-01",
            "2024-03-01 24:00",
            "2024-03-01 08:60",
            "2021-W53-1",
        ] {
            refuses(stored);
        }
        refuses("2024-03-01 08:00:00+24:00");
        refuses("2024-3-1 8:00:00.1234567890123");
    }

    #[test]
    fn times_that_leave_the_calendar_in_utc_are_nothing() {
        refuses("0001-01-01 00:00:00+00:01");
        refuses("9999-12-31 23:59:59-00:01");
        check("9999-12-31 23:59:59.9", "9999-12-31T23:59:59.900000Z");
    }
}

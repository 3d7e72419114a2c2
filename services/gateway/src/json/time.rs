//! Timestamps and durations as ARA's API shows them. All times are in UTC, as seconds and microseconds since 1970.

use python::datetime::civil;

use super::{push_i64, push_two};

const DAY: i64 = 86_400;
const MICROS: i64 = 1_000_000;

/// Appends a time as a JSON string, such as `"2026-11-22T06:34:48.971025Z"`, with a fraction of six digits or none.
///
/// The rule is `DateTimeField.to_representation` of Django REST framework: `isoformat()` with `Z` for `+00:00`.
/// The years are those of Python, 0001 to 9999.
pub fn push_timestamp(out: &mut Vec<u8>, seconds: i64, micros: u32) {
    let (year, month, day) = civil::date(seconds.div_euclid(DAY));
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
    let (days, rest) = (micros.div_euclid(DAY * MICROS), micros.rem_euclid(DAY * MICROS).unsigned_abs());
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

#[cfg(test)]
mod tests {
    use super::*;

    fn timestamp((seconds, micros): (i64, u32)) -> String {
        let mut out = Vec::new();
        push_timestamp(&mut out, seconds, micros);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn times_have_a_fraction_of_six_digits_or_none() {
        let check = |seconds, micros, expected| assert_eq!(timestamp((seconds, micros)), expected);
        check(1_795_329_288, 971_025, r#""2026-11-22T06:34:48.971025Z""#);
        check(0, 0, r#""1970-01-01T00:00:00Z""#);
        check(-1, 1, r#""1969-12-31T23:59:59.000001Z""#);
        check(951_782_400, 0, r#""2000-02-29T00:00:00Z""#);
        check(-62_135_596_800, 0, r#""0001-01-01T00:00:00Z""#);
        check(253_402_300_799, 999_999, r#""9999-12-31T23:59:59.999999Z""#);
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
}

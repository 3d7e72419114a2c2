//! Times as ARA's databases hold them: text in UTC, microseconds where there are any. Source: Django's SQLite backend,
//! which writes `str()` of a datetime and reads back what its `parse_datetime` understands.

use prost_types::Timestamp;

const DAY: i64 = 86_400;

/// A time as it is stored; `None` outside the years 1 to 9999.
pub(crate) fn to_stored(value: &Timestamp) -> Option<String> {
    let nanos = u32::try_from(value.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    let (year, month, day) = civil(value.seconds.div_euclid(DAY));
    if !(1..=9999).contains(&year) {
        return None;
    }
    let second = value.seconds.rem_euclid(DAY);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let text = format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}");
    let micros = nanos / 1000;
    Some(if micros == 0 { text } else { format!("{text}.{micros:06}") })
}

/// Reads a stored time; `None` when it is none. Text that names a zone is brought to UTC; text without one is in UTC.
pub(crate) fn from_stored(text: &[u8]) -> Option<Timestamp> {
    let mut input = Input(text);
    let (year, month, day) = input.date()?;
    let days = days_from_civil(year, month, day)?;
    if input.0.is_empty() {
        return Some(Timestamp { seconds: days * DAY, nanos: 0 });
    }
    if !matches!(input.byte()?, b' ' | b'T' | b't') {
        return None;
    }
    let hour = input.digits(2)?;
    input.expect(b':')?;
    let minute = input.digits(2)?;
    let (mut second, mut nanos) = (0, 0);
    if input.0.first() == Some(&b':') {
        input.byte();
        second = input.digits(2)?;
        if matches!(input.0.first(), Some(b'.' | b',')) {
            input.byte();
            nanos = input.fraction()?;
        }
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let offset = input.zone()?;
    input.0.is_empty().then_some(())?;
    Some(Timestamp { seconds: days * DAY + hour * 3600 + minute * 60 + second - offset, nanos })
}

struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.byte()? == byte).then_some(())
    }

    fn digits(&mut self, count: usize) -> Option<i64> {
        let mut value = 0;
        for _ in 0..count {
            let digit = self.byte()?.checked_sub(b'0').filter(|digit| *digit < 10)?;
            value = value * 10 + i64::from(digit);
        }
        Some(value)
    }

    fn date(&mut self) -> Option<(i64, i64, i64)> {
        let year = self.digits(4)?;
        self.expect(b'-')?;
        let month = self.digits(2)?;
        self.expect(b'-')?;
        Some((year, month, self.digits(2)?))
    }

    /// Digits behind the point; those behind the sixth are dropped.
    fn fraction(&mut self) -> Option<i32> {
        let (mut micros, mut count) = (0i32, 0);
        while let Some(digit) = self.0.first().and_then(|byte| byte.checked_sub(b'0')).filter(|digit| *digit < 10) {
            self.byte();
            if count < 6 {
                micros = micros * 10 + i32::from(digit);
            }
            count += 1;
        }
        (count > 0).then_some(())?;
        for _ in count..6 {
            micros *= 10;
        }
        Some(micros * 1000)
    }

    /// Seconds east of UTC.
    fn zone(&mut self) -> Option<i64> {
        let sign = match self.0.first() {
            None => return Some(0),
            Some(b'Z' | b'z') => {
                self.byte();
                return Some(0);
            }
            Some(b'+') => 1,
            Some(b'-') => -1,
            Some(_) => return None,
        };
        self.byte();
        let hours = self.digits(2)?;
        if self.0.first() == Some(&b':') {
            self.byte();
        }
        let minutes = if self.0.is_empty() { 0 } else { self.digits(2)? };
        (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
    }
}

/// Days since 1970 of a date of the Gregorian calendar; `None` when there is no such day.
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    if year < 1 || !(1..=length).contains(&day) {
        return None;
    }
    // Years that begin in March, so that the leap day is the last of its year; in eras of 400 years.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468)
}

/// The date of a day that is counted from 1970.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(i64, i32)>) {
        assert_eq!(from_stored(text.as_bytes()).map(|time| (time.seconds, time.nanos)), expected, "{text}");
    }

    #[test]
    fn stored_times_are_read_to_the_microsecond() {
        check("1970-01-01 00:00:00", Some((0, 0)));
        check("2026-11-22 06:34:48.971025", Some((1_795_329_288, 971_025_000)));
        check("2024-02-29T12:00:00,5Z", Some((1_709_208_000, 500_000_000)));
        check("2024-02-29 12:00:00+02:00", Some((1_709_200_800, 0)));
        check("2024-02-29", Some((1_709_164_800, 0)));
        check("0001-01-01 00:00:00", Some((-62_135_596_800, 0)));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in ["", "yesterday", "2023-02-29", "2024-13-01", "2024-01-01 24:00:00", "2024-01-01 10", "2024-01-01 10:00:00 UTC"] {
            check(text, None);
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for seconds in (-62_135_596_800..253_402_300_800).step_by(86_399 * 997) {
            let time = Timestamp { seconds, nanos: 1000 };
            assert_eq!(from_stored(to_stored(&time).unwrap().as_bytes()), Some(time));
        }
        assert_eq!(to_stored(&Timestamp { seconds: 253_402_300_800, nanos: 0 }), None);
        assert_eq!(to_stored(&Timestamp { seconds: 0, nanos: 0 }).unwrap(), "1970-01-01 00:00:00");
    }
}

//! The pattern that Django's `parse_datetime` tries on what `fromisoformat` refused.
//!
//! It takes single digits (`2030-1-1 1:2`), digits of any script, and blanks in front of the offset, but wants a time.

use super::civil::{self, Local, Time};
use crate::text;

pub(super) fn parse(text: &str) -> Option<Local> {
    let mut rest = Rest(text);
    let year = rest.number(4, 4)?;
    rest.one_of(&['-'])?;
    let month = rest.number(1, 2)?;
    rest.one_of(&['-'])?;
    let day = rest.number(1, 2)?;
    rest.one_of(&['T', ' '])?;
    let mut time = Time { hour: rest.number(1, 2)?, ..Time::default() };
    rest.one_of(&[':'])?;
    time.minute = rest.number(1, 2)?;
    if rest.one_of(&[':']).is_some() {
        time.second = rest.number(1, 2)?;
        if rest.one_of(&['.', ',']).is_some() {
            time.micros = rest.fraction()?;
        }
    }
    rest.0 = rest.0.trim_start_matches(text::is_space);
    let offset = rest.offset()?;
    // A pattern's `$` matches before a line break at the end, too.
    if !matches!(rest.0, "" | "\n") {
        return None;
    }
    civil::local(civil::day(year, month, day)?, time, offset)
}

/// What is still to be read.
struct Rest<'t>(&'t str);

impl Rest<'_> {
    fn one_of(&mut self, allowed: &[char]) -> Option<char> {
        let first = self.0.chars().next().filter(|c| allowed.contains(c))?;
        self.0 = self.0.get(first.len_utf8()..)?;
        Some(first)
    }

    fn digit(&mut self) -> Option<i64> {
        let first = self.0.chars().next()?;
        let digit = text::digit(first)?;
        self.0 = self.0.get(first.len_utf8()..)?;
        Some(digit.into())
    }

    fn number(&mut self, min: usize, max: usize) -> Option<i64> {
        let mut value = 0;
        for count in 0..max {
            match self.digit() {
                Some(digit) => value = value * 10 + digit,
                None if count < min => return None,
                None => break,
            }
        }
        Some(value)
    }

    /// Microseconds from one to twelve digits, of which six count.
    fn fraction(&mut self) -> Option<i64> {
        let mut micros = self.digit()?;
        for place in 1..12 {
            let digit = self.digit();
            if place < 6 {
                micros = micros * 10 + digit.unwrap_or(0);
            }
        }
        Some(micros)
    }

    /// Microseconds ahead of UTC, zero if nothing is written.
    fn offset(&mut self) -> Option<i64> {
        let Some(sign) = self.one_of(&['Z', '+', '-']).filter(|sign| *sign != 'Z') else {
            return Some(0);
        };
        let mut ahead = Time { hour: self.number(2, 2)?, ..Time::default() };
        if self.one_of(&[':']).is_some() || !matches!(self.0, "" | "\n") {
            ahead.minute = self.number(2, 2)?;
        }
        let micros = ahead.to_micros();
        Some(if sign == '-' { -micros } else { micros })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loose_dates_are_read() {
        let check = |text: &str, expected: Option<(i64, i64)>| {
            let found = parse(text).map(|local| (local.micros, local.offset));
            assert_eq!(found, expected, "{text:?}");
        };
        let start = 1_893_456_000_000_000;
        let hour = 3_600_000_000;
        check("2030-1-1 0:0", Some((start, 0)));
        check("2030-01-01T00:00:0", Some((start, 0)));
        check("2030-1-1T0:0:0,12", Some((start + 120_000, 0)));
        check("2030-1-1T0:0:0.123456789012", Some((start + 123_456, 0)));
        check("2030-1-1T0:0:0.1234567890123", None);
        check("2030-1-1T0:0 \u{a0}Z", Some((start, 0)));
        check("2030-1-1T0:0+01", Some((start, hour)));
        check("2030-1-1T0:0-0130", Some((start, -hour * 3 / 2)));
        check("2030-1-1T0:0+01:3", None);
        check("2030-1-1T0:0+24:00", None);
        check("2030-1-1T24:00", None);
        check("\u{662}030-1-1T0:0", Some((start, 0)));
        check("2030-1-1", None);
        check("2030-1-1T0", None);
        check("2030-1-1T0:0:", None);
        check("2030-1-1T0:0Zx", None);
        check("2030-001-1T0:0", None);
    }
}

//! Python's `datetime.fromisoformat`, with all that CPython 3.11 to 3.13 lets pass.
//!
//! Only the layout is read here; whether there is such a day or hour is left to `time`.

use super::{Clock, Fields, MICROS, civil_from_days, days_from_civil};

/// `datetime_fromisoformat` of CPython's `Modules/_datetimemodule.c`, with what it lets pass by accident.
pub(super) fn parse(text: &str) -> Option<Fields> {
    if text.chars().take(7).count() < 7 {
        return None;
    }
    let text = text.as_bytes();
    let end = separator(text)?;
    let mut fields = date(text, end)?;
    if text.len() > end {
        // Any one character may stand between date and time.
        let width = match byte(text, end) {
            0..0x80 => 1,
            0xe0..0xf0 => 3,
            0xf0.. => 4,
            _ => 2,
        };
        (fields.clock, fields.offset_micros) = time(text.get(end + width..).unwrap_or_default())?;
    }
    Some(fields)
}

/// Where the date ends.
fn separator(text: &[u8]) -> Option<usize> {
    let is_digit = |at| byte(text, at).is_ascii_digit();
    match (byte(text, 4), byte(text, 5)) {
        _ if text.len() == 7 => Some(7),
        (b'-', b'W') if byte(text, 8) != b'-' => Some(8),
        (b'-', b'W') if text.len() == 9 => None,
        (b'-', b'W') => Some(if is_digit(10) { 8 } else { 10 }),
        (b'-', _) => Some(10),
        (b'W', _) => {
            let end = (7..text.len())
                .find(|&at| !is_digit(at))
                .unwrap_or(text.len());
            Some(if end < 9 { end } else { 7 + end % 2 })
        }
        _ => Some(8),
    }
}

fn date(text: &[u8], length: usize) -> Option<Fields> {
    let mut at = 0;
    let year = digits(text, &mut at, 4)?;
    let separated = byte(text, at) == b'-';
    at += usize::from(separated);
    let separator = |at: &mut usize| {
        let fits = !separated || byte(text, *at) == b'-';
        *at += usize::from(separated);
        fits.then_some(())
    };
    if byte(text, at) == b'W' {
        at += 1;
        let week = digits(text, &mut at, 2)?;
        let mut weekday = 1;
        if at < length {
            separator(&mut at)?;
            weekday = digits(text, &mut at, 1)?;
        }
        return week_date(year, week, weekday);
    }
    let month = digits(text, &mut at, 2)?;
    separator(&mut at)?;
    let day = digits(text, &mut at, 2)?;
    (at == length).then(|| Fields {
        year,
        month,
        day,
        ..Fields::default()
    })
}

fn week_date(year: i64, week: i64, weekday: i64) -> Option<Fields> {
    // Week 1 is the one with January 4; day 0 of our count was a Thursday.
    let monday = |year| {
        let fourth = days_from_civil(year, 1, 4);
        fourth - (fourth + 3).rem_euclid(7)
    };
    let weeks = (monday(year + 1) - monday(year)) / 7;
    if year < 1 || !(1..=weeks).contains(&week) || !(1..=7).contains(&weekday) {
        return None;
    }
    let (year, month, day) = civil_from_days(monday(year) + (week - 1) * 7 + weekday - 1);
    Some(Fields {
        year,
        month,
        day,
        ..Fields::default()
    })
}

/// Reads a time and its offset in microseconds.
fn time(text: &[u8]) -> Option<(Clock, i64)> {
    let zone = text
        .iter()
        .position(|byte| matches!(byte, b'+' | b'-' | b'Z'));
    let (clock, complete) = clock_until(text, zone.unwrap_or(text.len()))?;
    let Some(zone) = zone else {
        return complete.then_some((clock, 0));
    };
    // CPython does not ask here whether the clock was complete, so one stray byte before the offset does no harm.
    let offset = &text[zone + 1..];
    if text[zone] == b'Z' {
        return (byte(offset, 0) == 0).then_some((clock, 0));
    }
    let (ahead, complete) = clock_until(offset, offset.len())?;
    let sign = if text[zone] == b'-' { -1 } else { 1 };
    // CPython drops the fraction of an offset that has nothing else.
    let ahead = match ahead.in_micros() {
        ..MICROS => 0,
        micros => micros,
    };
    complete.then_some((clock, sign * ahead))
}

/// Reads `HH[:?MM[:?SS[.,fraction]]]` up to `end`, and says whether nothing is left over. Fields may run beyond `end`, as in C.
fn clock_until(text: &[u8], end: usize) -> Option<(Clock, bool)> {
    let mut at = 0;
    let mut fields = [0; 3];
    let mut separated = true;
    for (index, field) in fields.iter_mut().enumerate() {
        *field = digits(text, &mut at, 2)?;
        let next = byte(text, at);
        at += 1;
        if index == 0 {
            separated = next == b':';
        }
        if at >= end {
            let [hour, minute, second] = fields;
            return Some((
                Clock {
                    hour,
                    minute,
                    second,
                    micros: 0,
                },
                next == 0,
            ));
        }
        match next {
            b':' if separated => {}
            b'.' | b',' => break,
            _ if !separated => at -= 1,
            _ => return None,
        }
    }
    let count = (end - at).min(6);
    let micros = digits(text, &mut at, count)? * 10_i64.pow(6 - count as u32);
    while byte(text, at).is_ascii_digit() {
        at += 1;
    }
    let [hour, minute, second] = fields;
    Some((
        Clock {
            hour,
            minute,
            second,
            micros,
        },
        byte(text, at) == 0,
    ))
}

/// The byte at `at`, or the NUL that ends a string in C.
fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(0)
}

/// Reads exactly `count` digits and passes over them.
fn digits(text: &[u8], at: &mut usize, count: usize) -> Option<i64> {
    let found = text.get(*at..*at + count)?;
    *at += count;
    found.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + i64::from(byte - b'0'))
    })
}

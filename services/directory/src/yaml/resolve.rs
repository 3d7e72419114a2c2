//! What a scalar is: the rules of PyYAML's resolver for plain ones, and of its constructors for those with a tag.

use super::Problem;
use crate::value::Value;

/// What a plain scalar means without a tag.
pub(super) fn plain(text: &str) -> Result<Value, Problem> {
    if is_null(text) {
        Ok(Value::Null)
    } else if is_boolean(text) {
        boolean(text)
    } else if is_float(text) {
        float(text)
    } else if is_integer(text) {
        integer(text)
    } else {
        Ok(Value::Text(text.to_owned()))
    }
}

/// Whether PyYAML takes a plain scalar for the text that it is. Texts that it takes for dates, which we do not, are among
/// those that it takes for something else.
pub(super) fn is_text(text: &str) -> bool {
    let other = is_null(text) || is_boolean(text) || is_float(text) || is_integer(text) || is_timestamp(text);
    !other && text != "=" && text != "<<"
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

fn is_boolean(text: &str) -> bool {
    let word = text.to_ascii_lowercase();
    let title = word.get(..1).map(|first| first.to_ascii_uppercase() + &word[1..]);
    matches!(word.as_str(), "yes" | "no" | "true" | "false" | "on" | "off")
        && (text == word || text == word.to_ascii_uppercase() || Some(text) == title.as_deref())
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let Some(digits) = digits.strip_prefix("0b") {
        return has_only(digits, |byte| matches!(byte, b'0' | b'1' | b'_'));
    }
    if let Some(digits) = digits.strip_prefix("0x") {
        return has_only(digits, |byte| byte.is_ascii_hexdigit() || byte == b'_');
    }
    if let Some(digits) = digits.strip_prefix('0') {
        return digits.is_empty() || has_only(digits, |byte| matches!(byte, b'0'..=b'7' | b'_'));
    }
    let mut parts = digits.split(':');
    parts.next().is_some_and(is_decimal) && parts.all(is_sixtieth)
}

fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let Some((whole, fraction)) = unsigned.split_once('.') else {
        return false;
    };
    let underscored = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    if whole.contains(':') {
        let mut parts = whole.split(':');
        return parts.next().is_some_and(is_decimal) && parts.all(is_sixtieth) && underscored(fraction);
    }
    let (fraction, exponent) = match fraction.split_once(['e', 'E']) {
        Some((fraction, exponent)) => (fraction, Some(exponent)),
        None => (fraction, None),
    };
    let exponent_fits = exponent.is_none_or(|exponent| {
        exponent.strip_prefix(['-', '+']).is_some_and(|digits| has_only(digits, |byte| byte.is_ascii_digit()))
    });
    let digits_fit =
        if whole.is_empty() { unsigned == text && is_decimal(fraction) } else { is_decimal(whole) && underscored(fraction) };
    digits_fit && exponent_fits
}

/// Whether PyYAML takes a plain scalar for a date, with or without a time.
fn is_timestamp(text: &str) -> bool {
    fn date(text: &str, shortest: usize) -> Option<&str> {
        let month = digits(text, 4, 4)?.strip_prefix('-')?;
        let day = digits(month, shortest, 2)?.strip_prefix('-')?;
        digits(day, shortest, 2)
    }
    fn time(text: &str) -> Option<&str> {
        let hour =
            text.strip_prefix(['T', 't']).or_else(|| Some(text.trim_start_matches([' ', '\t'])).filter(|hour| *hour != text))?;
        let minute = digits(hour, 1, 2)?.strip_prefix(':')?;
        let second = digits(minute, 2, 2)?.strip_prefix(':')?;
        let rest = digits(second, 2, 2)?;
        let rest = rest.strip_prefix('.').map_or(rest, |fraction| fraction.trim_start_matches(|c: char| c.is_ascii_digit()));
        if rest.is_empty() {
            return Some(rest);
        }
        let zone = rest.trim_start_matches([' ', '\t']);
        if zone == "Z" {
            return Some("");
        }
        let rest = digits(zone.strip_prefix(['-', '+'])?, 1, 2)?;
        if rest.is_empty() { Some(rest) } else { digits(rest.strip_prefix(':')?, 2, 2) }
    }
    date(text, 2) == Some("") || date(text, 1).and_then(time) == Some("")
}

/// What follows a number of digits between two bounds.
fn digits(text: &str, shortest: usize, longest: usize) -> Option<&str> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    (shortest..=longest).contains(&(text.len() - rest.len())).then_some(rest)
}

/// A digit, then digits and underscores.
fn is_decimal(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && has_only(text, |byte| byte.is_ascii_digit() || byte == b'_')
}

/// What follows a colon in a number to the base of 60.
fn is_sixtieth(text: &str) -> bool {
    match text.as_bytes() {
        [digit] => digit.is_ascii_digit(),
        [b'0'..=b'5', digit] => digit.is_ascii_digit(),
        _ => false,
    }
}

fn has_only(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(allowed)
}

/// What a scalar means as a boolean.
pub(super) fn boolean(text: &str) -> Result<Value, Problem> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "on" => Ok(Value::Boolean(true)),
        "no" | "false" | "off" => Ok(Value::Boolean(false)),
        _ => Err(Problem::NotThat { text: text.to_owned(), kind: "a boolean" }),
    }
}

/// What a scalar means as a whole number.
pub(super) fn integer(text: &str) -> Result<Value, Problem> {
    let not_that = || Problem::NotThat { text: text.to_owned(), kind: "a whole number" };
    let too_large = || Problem::TooLarge(text.to_owned());
    let number = text.replace('_', "");
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", number.strip_prefix('+').unwrap_or(&number)),
    };
    // The sign goes with the digits: the smallest number has no positive counterpart.
    let read = |digits: &str, radix: u32| {
        if !digits.starts_with(|c: char| c.is_digit(radix)) {
            return Err(not_that());
        }
        i64::from_str_radix(&format!("{sign}{digits}"), radix).map_err(|error| match error.kind() {
            std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => too_large(),
            _ => not_that(),
        })
    };
    let value = if let Some(digits) = digits.strip_prefix("0b") {
        read(digits, 2)?
    } else if let Some(digits) = digits.strip_prefix("0x") {
        read(digits, 16)?
    } else if digits.starts_with('0') {
        read(digits, 8)?
    } else {
        let mut value: i64 = 0;
        for part in digits.split(':') {
            let part = read(part, 10)?;
            value = value.checked_mul(60).and_then(|value| value.checked_add(part)).ok_or_else(too_large)?;
        }
        value
    };
    Ok(Value::Integer(value))
}

/// What a scalar means as a number with a fraction.
pub(super) fn float(text: &str) -> Result<Value, Problem> {
    let not_that = || Problem::NotThat { text: text.to_owned(), kind: "a number" };
    let number = text.replace('_', "").to_ascii_lowercase();
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => (-1.0, digits),
        None => (1.0, number.strip_prefix('+').unwrap_or(&number)),
    };
    let magnitude = match digits {
        ".inf" => f64::INFINITY,
        ".nan" => f64::NAN,
        _ => {
            let mut value = 0.0;
            for part in digits.split(':') {
                let part: f64 = part.parse().map_err(|_| not_that())?;
                value = value * 60.0 + part;
            }
            value
        }
    };
    Ok(Value::Float(sign * magnitude))
}

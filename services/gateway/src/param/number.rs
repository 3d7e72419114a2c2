//! Filters on integers: django-filter's `NumberFilter` over Django's `DecimalField`.
//!
//! Decimals are read here as Python's `decimal` reads them, without arithmetic. Comparing is SQL's work.

use std::cmp::Ordering;

use super::ParamError;

/// The largest number that `NumberFilter` lets through: the float 1e50, which is a little more than 10^50.
const MAX: &str = "10000000000000000762976984109188700329496497094656";
/// One less than how many digits [`MAX`] has, with the zero at its end that is not written.
const MAX_ADJUSTED: i128 = 50;

/// The range of exponents of `decimal` on a 64-bit machine; beyond it, exact reading fails.
const MAX_ADJUSTED_EXPONENT: i128 = 999_999_999_999_999_999;
const MIN_EXPONENT: i128 = -1_999_999_999_999_999_997;
/// An exponent that stays beyond these whatever number of decimals a URL can hold.
const OUT_OF_RANGE: i128 = i64::MAX as i128;

/// A decimal number: `digits` times ten to the `exponent`.
struct Decimal {
    negative: bool,
    /// No leading zeros; empty for zero.
    digits: String,
    exponent: i128,
}

/// The integer to compare with, cut off towards zero, and at the ends of 64 bits. An empty value is no filter, a
/// blank one is not a number.
pub fn parse(value: Option<&str>) -> Result<Option<i64>, ParamError> {
    let Some(text) = value.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let number = Decimal::parse(text).ok_or_else(|| ParamError::invalid("Enter a number."))?;
    if number.exceeds_max() {
        return Err(ParamError::invalid("Ensure this value is less than or equal to 1e+50."));
    }
    Ok(Some(number.truncate()))
}

impl Decimal {
    /// `decimal.Decimal(text)`, without the numbers that are not finite: `DecimalField` refuses those with the same
    /// words as it refuses garbage.
    fn parse(text: &str) -> Option<Self> {
        // Underscores are dropped wherever they stand, unlike in `int()`.
        let ascii: String = python::strip(text)
            .chars()
            .filter(|c| *c != '_')
            .map(|c| if c.is_ascii() { Some(c) } else { python::digit(c).map(|digit| char::from(b'0' + digit)) })
            .collect::<Option<_>>()?;
        let unsigned = ascii.strip_prefix(['+', '-']).unwrap_or(&ascii);
        let (mantissa, power) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, parse_power(power)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let written = [whole, fraction].concat();
        if written.is_empty() || !written.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let exponent = power - i128::try_from(fraction.len()).ok()?;
        let number = Self { negative: ascii.starts_with('-'), digits: written.trim_start_matches('0').to_owned(), exponent };
        (number.adjusted() <= MAX_ADJUSTED_EXPONENT && exponent >= MIN_EXPONENT).then_some(number)
    }

    /// The power of ten of the first digit; a zero counts as a digit here.
    fn adjusted(&self) -> i128 {
        self.exponent + self.digits.len().max(1) as i128 - 1
    }

    fn exceeds_max(&self) -> bool {
        if self.negative || self.digits.is_empty() {
            return false;
        }
        match self.adjusted().cmp(&MAX_ADJUSTED) {
            Ordering::Less => false,
            // With the first digits at the same place, numbers sort as text does.
            Ordering::Equal => self.digits.trim_end_matches('0') > MAX,
            Ordering::Greater => true,
        }
    }

    fn truncate(&self) -> i64 {
        let integer_digits = self.adjusted() + 1;
        if self.digits.is_empty() || integer_digits <= 0 {
            return 0;
        }
        let limit = if self.negative { i64::MIN } else { i64::MAX };
        // 64 bits hold 19 digits at most, so one more is enough to see that they do not.
        let Some(places) = usize::try_from(integer_digits).ok().filter(|places| *places <= 20) else {
            return limit;
        };
        let digits: String = self.digits.chars().chain(std::iter::repeat('0')).take(places).collect();
        let sign = if self.negative { "-" } else { "" };
        format!("{sign}{digits}").parse().unwrap_or(limit)
    }
}

/// A power of any length, cut where it is out of every range.
fn parse_power(text: &str) -> Option<i128> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let magnitude = digits.parse().map_or(OUT_OF_RANGE, |magnitude: i128| magnitude.min(OUT_OF_RANGE));
    Some(if text.starts_with('-') { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expected: Result<Option<i64>, &str>) {
        let expected = expected.map_err(ParamError::invalid);
        assert_eq!(parse(Some(value)), expected, "{value:?}");
    }

    const NOT_A_NUMBER: Result<Option<i64>, &str> = Err("Enter a number.");
    const TOO_LARGE: Result<Option<i64>, &str> = Err("Ensure this value is less than or equal to 1e+50.");

    #[test]
    fn an_absent_or_empty_value_is_no_filter() {
        assert_eq!(parse(None), Ok(None));
        check("", Ok(None));
        check(" ", NOT_A_NUMBER);
    }

    #[test]
    fn decimals_are_cut_off_towards_zero() {
        check("1", Ok(Some(1)));
        check("1.9", Ok(Some(1)));
        check("-1.9", Ok(Some(-1)));
        check("1.", Ok(Some(1)));
        check("+.5", Ok(Some(0)));
        check("1e0", Ok(Some(1)));
        check("12.345E+2", Ok(Some(1234)));
        check("123e-2", Ok(Some(1)));
        check("1e-1999999999999999997", Ok(Some(0)));
        check("0e999999999999999999", Ok(Some(0)));
    }

    #[test]
    fn numbers_are_written_as_in_python() {
        check(" \x1c1\u{3000}", Ok(Some(1)));
        check("\u{661}\u{662}", Ok(Some(12)));
        check("_1__2_", Ok(Some(12)));
        check("1_e_1", Ok(Some(10)));
        check("-_1", Ok(Some(-1)));
        check("1 2", NOT_A_NUMBER);
        check("--1", NOT_A_NUMBER);
        check("1-", NOT_A_NUMBER);
        check(".", NOT_A_NUMBER);
        check("e5", NOT_A_NUMBER);
        check("1e", NOT_A_NUMBER);
        check("1e+", NOT_A_NUMBER);
        check("1\0", NOT_A_NUMBER);
        check("1.2.3", NOT_A_NUMBER);
        check("\u{661}\u{66b}\u{662}", NOT_A_NUMBER);
        check("abc", NOT_A_NUMBER);
    }

    #[test]
    fn numbers_that_are_not_finite_are_refused() {
        check("NaN", NOT_A_NUMBER);
        check("sNaN12", NOT_A_NUMBER);
        check("-Infinity", NOT_A_NUMBER);
        check("1e1000000000000000000", NOT_A_NUMBER);
        check("10e999999999999999999", NOT_A_NUMBER);
        check("1e-1999999999999999998", NOT_A_NUMBER);
        check("0e1000000000000000000", NOT_A_NUMBER);
        check("1e99999999999999999999999999999999999999999", NOT_A_NUMBER);
    }

    #[test]
    fn large_numbers_are_refused_and_the_rest_saturate() {
        check("9223372036854775807", Ok(Some(i64::MAX)));
        check("9223372036854775808", Ok(Some(i64::MAX)));
        check("-9223372036854775809", Ok(Some(i64::MIN)));
        check("1e50", Ok(Some(i64::MAX)));
        check("100000000000000007629769841091887003294964970946560", Ok(Some(i64::MAX)));
        check("100000000000000007629769841091887003294964970946560.0", Ok(Some(i64::MAX)));
        check("100000000000000007629769841091887003294964970946560.1", TOO_LARGE);
        check("100000000000000007629769841091887003294964970946561", TOO_LARGE);
        check("1e51", TOO_LARGE);
        check("1e999999999999999999", TOO_LARGE);
        check("-1e999999999999999999", Ok(Some(i64::MIN)));
    }
}

//! Numbers as Python reads and writes them: integers of any size, floats in their shortest form.
//!
//! What to do about a number that Python cannot serve is left to `normalise`.

use std::{fmt, io::Write};

use super::{NormaliseError, push_u64};

/// Python's default for `sys.set_int_max_str_digits`: longer integers are neither read nor written.
pub const MAX_INTEGER_DIGITS: usize = 4300;

/// With this many significant digits or fewer, a decimal without trailing zeros is what its own float prints.
const EXACT_DIGITS: usize = 15;

/// Appends a finite float as Python's `float.__repr__`: the fewest digits that read back as the same float, with an
/// exponent below 1e-4 and from 1e16 on. NaN and the infinities, which JSON has no word for, become `null`.
pub fn push_f64(out: &mut Vec<u8>, value: f64) {
    if !value.is_finite() {
        return super::push_null(out);
    }
    let mut buffer = [0; LONGEST];
    let mut decimal = Decimal::read(written(&mut buffer, format_args!("{value:e}")));
    let mut buffer = [0; LONGEST];
    if decimal.is_one_of_two(value) {
        // Of the two, Rust's shortest form takes the upper one. Python takes the even one, as Rust does for a given length.
        let digits = decimal.fraction.len();
        let even = written(&mut buffer, format_args!("{value:.digits$e}"));
        // Below a power of two, floats lie so close that the even one may read back as another float.
        if std::str::from_utf8(even).is_ok_and(|text| text.parse() == Ok(value)) {
            decimal = Decimal::read(even);
        }
    }
    let Decimal { sign, whole, fraction, exponent } = decimal;

    out.extend_from_slice(sign);
    match usize::try_from(exponent) {
        Ok(shift) if shift < 16 => {
            let (before, after) = fraction.split_at(shift.min(fraction.len()));
            out.extend_from_slice(whole);
            out.extend_from_slice(before);
            out.resize(out.len() + shift - before.len(), b'0');
            out.push(b'.');
            out.extend_from_slice(if after.is_empty() { b"0" } else { after });
        }
        Err(_) if exponent >= -4 => {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + exponent.unsigned_abs() as usize - 1, b'0');
            out.extend_from_slice(whole);
            out.extend_from_slice(fraction);
        }
        _ => {
            out.extend_from_slice(whole);
            if !fraction.is_empty() {
                out.push(b'.');
                out.extend_from_slice(fraction);
            }
            out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
            let exponent = u64::from(exponent.unsigned_abs());
            if exponent < 10 {
                out.push(b'0');
            }
            push_u64(out, exponent);
        }
    }
}

/// More bytes than the longest float has, which is like -1.2345678901234567e-308.
const LONGEST: usize = 32;

/// The parts of a float in Rust's exponent form.
struct Decimal<'a> {
    sign: &'a [u8],
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i32,
}

impl<'a> Decimal<'a> {
    fn read(text: &'a [u8]) -> Self {
        let (sign, text) = text.split_at(usize::from(text.starts_with(b"-")));
        let mark = text.iter().position(|&byte| byte == b'e').unwrap_or(text.len());
        let exponent = std::str::from_utf8(text.get(mark + 1..).unwrap_or_default());
        Self {
            sign,
            whole: text.get(..1).unwrap_or_default(),
            fraction: text.get(2..mark).unwrap_or_default(),
            exponent: exponent.ok().and_then(|digits| digits.parse().ok()).unwrap_or(0),
        }
    }

    /// Whether `value` lies in the very middle between this decimal and another one as short. That is so if one more digit
    /// would make it exact, and a float has as many decimal places as it has binary ones.
    fn is_one_of_two(&self, value: f64) -> bool {
        const IMPLICIT: u64 = 1 << 52;
        let mantissa = value.to_bits() & (IMPLICIT - 1) | IMPLICIT;
        let exponent = (value.to_bits() >> 52) & 0x7ff;
        // A subnormal float has more places than any shortest form comes near to.
        let binary_places = 1075 - exponent as i64 - i64::from(mantissa.trailing_zeros());
        let places = self.fraction.len() as i64 - i64::from(self.exponent);
        exponent != 0 && binary_places > 0 && binary_places == places + 1
    }
}

/// Writes what `arguments` say, without an allocation.
fn written<'b>(buffer: &'b mut [u8; LONGEST], arguments: fmt::Arguments<'_>) -> &'b [u8] {
    let mut rest = buffer.as_mut_slice();
    let _ = rest.write_fmt(arguments);
    let length = LONGEST - rest.len();
    &buffer[..length]
}

/// What becomes of a number of stored JSON.
#[derive(Debug, PartialEq)]
pub(super) enum Scanned {
    /// Python prints the very bytes that were read.
    AsIs,
    /// The integer `-0`, which Python prints as `0`.
    NegativeZero,
    /// A float that may need another spelling; not finite when the text is out of range.
    Float(f64),
}

/// Reads the number that starts at `start`, which is a digit or a minus sign; gives where it ends as well.
#[inline]
pub(super) fn scan(text: &str, start: usize) -> Result<(usize, Scanned), NormaliseError> {
    let bytes = text.as_bytes();
    let digits_from = |at: usize| {
        let rest = bytes.get(at..).unwrap_or_default();
        at + rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len())
    };
    let byte = |at: usize| bytes.get(at).copied();

    let negative = byte(start) == Some(b'-');
    let whole = start + usize::from(negative);
    let point = match byte(whole) {
        Some(b'0') => whole + 1,
        Some(b'1'..=b'9') => digits_from(whole),
        _ => return Err(NormaliseError::Value(start)),
    };

    let mut end = point;
    let mut fraction = 0..0;
    if byte(point) == Some(b'.') {
        end = digits_from(point + 1);
        fraction = point + 1..end;
        if fraction.is_empty() {
            return Err(NormaliseError::Value(start));
        }
    }
    let mut has_exponent = false;
    if matches!(byte(end), Some(b'e' | b'E')) {
        has_exponent = true;
        let sign = usize::from(matches!(byte(end + 1), Some(b'+' | b'-')));
        let digits = end + 1 + sign;
        end = digits_from(digits);
        if end == digits {
            return Err(NormaliseError::Value(start));
        }
    }

    if fraction.is_empty() && !has_exponent {
        if end - whole > MAX_INTEGER_DIGITS {
            return Err(NormaliseError::IntegerTooLong(start));
        }
        let zero = negative && byte(whole) == Some(b'0');
        return Ok((end, if zero { Scanned::NegativeZero } else { Scanned::AsIs }));
    }
    if !has_exponent && prints_as_it_reads(&bytes[whole..point], &bytes[fraction]) {
        return Ok((end, Scanned::AsIs));
    }
    match text.get(start..end).map(str::parse) {
        Some(Ok(value)) => Ok((end, Scanned::Float(value))),
        _ => Err(NormaliseError::Value(start)),
    }
}

/// Whether Python's repr of `whole.fraction` is certainly that same text. Two decimals of at most 15 digits never share a
/// float, so no other one can be shorter.
fn prints_as_it_reads(whole: &[u8], fraction: &[u8]) -> bool {
    if fraction == b"0" {
        return whole.len() <= EXACT_DIGITS;
    }
    whole.len() + fraction.len() <= EXACT_DIGITS
        && fraction.last() != Some(&b'0')
        && (whole != b"0" || !fraction.starts_with(b"0000"))
}

/// Appends what Python prints for a number that [`scan`] did not leave as it is.
pub(super) fn push_scanned(out: &mut Vec<u8>, scanned: &Scanned) {
    match scanned {
        Scanned::AsIs => {}
        Scanned::NegativeZero => push_u64(out, 0),
        Scanned::Float(value) => push_f64(out, *value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: f64, expected: &str) {
        let mut out = Vec::new();
        push_f64(&mut out, value);
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }

    #[test]
    fn floats_of_ordinary_size_have_a_point_and_no_exponent() {
        check(1.0, "1.0");
        check(-1.5, "-1.5");
        check(0.1 + 0.2, "0.30000000000000004");
        check(123_456_789.123_456_79, "123456789.12345679");
        check(9_007_199_254_740_993.0, "9007199254740992.0");
        check(1e15, "1000000000000000.0");
        check(120.0, "120.0");
    }

    #[test]
    fn of_two_decimals_that_are_equally_near_the_even_one_is_taken() {
        check(1e15 + 0.25, "1000000000000000.2");
        check(1e15 + 0.75, "1000000000000000.8");
        check(-562_949_953_421_312.0 - 0.125, "-562949953421312.1");
        check(2_f64.powi(-24), "5.960464477539063e-08");
        check(0.125, "0.125");
    }

    #[test]
    fn zero_keeps_its_sign() {
        check(0.0, "0.0");
        check(-0.0, "-0.0");
    }

    #[test]
    fn large_and_small_floats_have_a_signed_exponent_of_two_digits_or_more() {
        check(1e16, "1e+16");
        check(1e22, "1e+22");
        check(1.5e300, "1.5e+300");
        check(-1e-7, "-1e-07");
        check(0.0001, "0.0001");
        check(0.000_123, "0.000123");
        check(0.000_012_3, "1.23e-05");
        check(5e-324, "5e-324");
        check(f64::MAX, "1.7976931348623157e+308");
        check(-f64::MIN_POSITIVE, "-2.2250738585072014e-308");
    }

    #[test]
    fn what_json_has_no_word_for_is_null() {
        check(f64::NAN, "null");
        check(f64::INFINITY, "null");
    }

    fn scans(text: &str, expected: Scanned) {
        assert_eq!(scan(text, 0).ok(), Some((text.trim_end_matches(',').len(), expected)), "{text}");
    }

    #[test]
    fn numbers_that_python_prints_alike_are_left_alone() {
        for text in ["0", "-1,", "18446744073709551616", "0.5", "-0.0", "0.0001", "123456789012345.0", "7.581509,"] {
            scans(text, Scanned::AsIs);
        }
    }

    #[test]
    fn numbers_that_may_need_another_spelling_are_read() {
        scans("-0", Scanned::NegativeZero);
        scans("1.50", Scanned::Float(1.5));
        scans("0.00001", Scanned::Float(1e-5));
        scans("1E5", Scanned::Float(1e5));
        scans("1e400,", Scanned::Float(f64::INFINITY));
        scans("0.1000000000000000055", Scanned::Float(0.1));
    }

    #[test]
    fn half_numbers_are_refused() {
        for text in ["-", "-a", "1.", "1.e5", "1e", "1e+", "1.5e-"] {
            assert!(matches!(scan(text, 0), Err(NormaliseError::Value(0))), "{text}");
        }
    }

    #[test]
    fn integers_end_where_python_ends_them() {
        scans(&"9".repeat(MAX_INTEGER_DIGITS), Scanned::AsIs);
        scans(&format!("-{}", "9".repeat(MAX_INTEGER_DIGITS)), Scanned::AsIs);
        let longer = "9".repeat(MAX_INTEGER_DIGITS + 1);
        assert!(matches!(scan(&longer, 0), Err(NormaliseError::IntegerTooLong(0))));
    }
}

//! JSON exactly as ARA's server writes it: compact, ASCII only, numbers and times as Python spells them.
//!
//! Everything appends to a `Vec<u8>`. Which fields there are and in what order is left to the renderers of each noun;
//! this module knows values only.

pub mod indent;
mod members;
pub mod normalise;
pub mod number;
mod reader;
pub mod string;
pub mod time;

pub use normalise::{NormaliseError, normalise};
pub use string::push_str;

/// Appends an integer in decimal, as Python's `int.__repr__`.
pub fn push_i64(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    push_u64(out, value.unsigned_abs());
}

/// Appends `true` or `false`.
pub fn push_bool(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

/// Appends `null`, Python's `None`.
pub fn push_null(out: &mut Vec<u8>) {
    out.extend_from_slice(b"null");
}

fn push_u64(out: &mut Vec<u8>, mut value: u64) {
    // 20 digits are the most that a u64 has.
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[first..]);
}

/// Appends the last two decimal digits of `value`.
fn push_two(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&[b'0' + (value / 10 % 10) as u8, b'0' + (value % 10) as u8]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(push: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        push(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn integers_are_plain_decimal_up_to_both_ends_of_their_range() {
        let check = |value, expected| assert_eq!(written(|out| push_i64(out, value)), expected);
        check(0, "0");
        check(7, "7");
        check(-1, "-1");
        check(1_234_567_890, "1234567890");
        check(i64::MAX, "9223372036854775807");
        check(i64::MIN, "-9223372036854775808");
    }

    #[test]
    fn two_digits_are_two_digits() {
        let check = |value, expected| assert_eq!(written(|out| push_two(out, value)), expected);
        check(0, "00");
        check(7, "07");
        check(42, "42");
    }

    #[test]
    fn the_three_words_are_those_of_json() {
        assert_eq!(written(|out| push_bool(out, true)), "true");
        assert_eq!(written(|out| push_bool(out, false)), "false");
        assert_eq!(written(push_null), "null");
    }
}

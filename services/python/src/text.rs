//! How Python 3.11 reads text: what is blank, what is a digit, what `int()` accepts.
//!
//! Not an interpreter's whole grammar of numbers: `decimal` has its own, dates theirs in `datetime`.

/// The zero of each run of ten decimal digits (general category Nd) in Unicode 14, Python 3.11's version.
const ZEROS: [u32; 66] = [
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20, 0x1040,
    0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0,
    0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650,
    0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec,
    0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0,
];

/// CPython's `int_max_str_digits`: a decimal literal with more digits, leading zeros included, is a `ValueError`.
const MAX_DIGITS: usize = 4300;

/// `str.isspace` of one character: Unicode's White_Space and the four ASCII separators.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\x1c'..='\x1f')
}

/// `str.strip()`.
pub fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// The value of a decimal digit of any script.
pub fn digit(c: char) -> Option<u8> {
    let code = u32::from(c);
    let run = ZEROS.partition_point(|zero| *zero <= code).checked_sub(1)?;
    let value = code - ZEROS.get(run)?;
    u8::try_from(value).ok().filter(|value| *value < 10)
}

/// An integer of any size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integer {
    /// It has a minus.
    pub negative: bool,
    /// ASCII, in the radix of the literal, without leading zeros; `0` for zero.
    pub digits: String,
}

impl Integer {
    /// The value of a decimal literal, or the end of the range that it passes.
    pub fn saturate(&self) -> i64 {
        let magnitude: i128 = self.digits.parse().unwrap_or(i128::MAX);
        let value = if self.negative { -magnitude } else { magnitude };
        i64::try_from(value).unwrap_or(if self.negative { i64::MIN } else { i64::MAX })
    }
}

/// `int(text)`.
pub fn integer(text: &str) -> Option<Integer> {
    let literal = integer_literal(text, 10)?;
    (literal.1 <= MAX_DIGITS).then_some(literal.0)
}

/// `int(text, 16)`.
pub fn hexadecimal(text: &str) -> Option<Integer> {
    integer_literal(text, 16).map(|literal| literal.0)
}

/// The integer and how many digits it was written with.
fn integer_literal(text: &str, radix: u32) -> Option<(Integer, usize)> {
    let ascii: String = text.chars().map(to_ascii).collect::<Option<_>>()?;
    // The C locale's isspace, which is not Rust's: it has the vertical tab.
    let literal = ascii.trim_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
    let unsigned = literal.strip_prefix(['+', '-']).unwrap_or(literal);
    let body = match unsigned.get(..2) {
        Some("0x" | "0X") if radix == 16 => {
            let body = unsigned.get(2..)?;
            body.strip_prefix('_').unwrap_or(body)
        }
        _ => unsigned,
    };
    // An underscore stands between two digits, so that splitting there leaves no piece empty.
    if body.split('_').any(str::is_empty) || !body.chars().all(|c| c == '_' || c.is_digit(radix)) {
        return None;
    }
    let written = body.replace('_', "");
    let digits = match written.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    let integer = Integer { negative: literal.starts_with('-'), digits: digits.to_owned() };
    Some((integer, written.len()))
}

/// Blanks and digits of other scripts as ASCII. ASCII stays: there, `int()` does not take every `isspace` for blank.
fn to_ascii(c: char) -> Option<char> {
    if c.is_ascii() {
        Some(c)
    } else if is_space(c) {
        Some(' ')
    } else {
        digit(c).map(|value| char::from(b'0' + value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_python_reads_them() {
        let check = |text: &str, expected: Option<&str>| {
            let read = integer(text).map(|integer| {
                let sign = if integer.negative { "-" } else { "" };
                format!("{sign}{}", integer.digits)
            });
            assert_eq!(read.as_deref(), expected, "{text:?}");
        };
        check("0", Some("0"));
        check("007", Some("7"));
        check("+1", Some("1"));
        check("-0", Some("-0"));
        check(" \t\n\x0b\x0c\r1 ", Some("1"));
        check("\u{3000}1\u{85}", Some("1"));
        check("\x1c1", None);
        check("\x1c\u{661}", None);
        check("\u{661}\u{ff12}", Some("12"));
        check("1_0", Some("10"));
        check("0_0", Some("0"));
        check("_1", None);
        check("1_", None);
        check("1__0", None);
        check("+_1", None);
        check("- 1", None);
        check("1.0", None);
        check("0x1", None);
        check("1\0", None);
        check("", None);
        check("+", None);
        check("\u{b2}", None);
        check(&"1".repeat(4300), Some(&"1".repeat(4300)));
        check(&"1".repeat(4301), None);
        check(&"0".repeat(4301), None);
    }

    #[test]
    fn hexadecimal_integers_may_carry_a_prefix() {
        let check = |text: &str, expected: Option<&str>| {
            let read = hexadecimal(text).map(|integer| integer.digits);
            assert_eq!(read.as_deref(), expected, "{text:?}");
        };
        check("1f", Some("1f"));
        check("+0X1f", Some("1f"));
        check("0x_1", Some("1"));
        check("0x__1", None);
        check("0_x1", None);
        check("0x", None);
        check(" 1f\x0b", Some("1f"));
        check("\u{ff10}x1", Some("1"));
        check("g", None);
    }

    #[test]
    fn integers_saturate_at_64_bits() {
        let check = |text: &str, expected: i64| {
            assert_eq!(integer(text).map(|integer| integer.saturate()), Some(expected));
        };
        check("9223372036854775807", i64::MAX);
        check("9223372036854775808", i64::MAX);
        check("-9223372036854775808", i64::MIN);
        check("-9223372036854775809", i64::MIN);
        check(&"9".repeat(100), i64::MAX);
        check("-5", -5);
    }

    #[test]
    fn blanks_are_those_of_python() {
        assert_eq!(strip("\x1c\u{a0} a b\u{2028}\x1f"), "a b");
        assert_eq!(strip("\u{200b}a\0"), "\u{200b}a\0");
    }

    #[test]
    fn a_digit_belongs_to_its_run_of_ten() {
        let check = |c: char, expected: Option<u8>| assert_eq!(digit(c), expected, "{c:?}");
        check('9', Some(9));
        check(':', None);
        check('/', None);
        check('\u{1d7ff}', Some(9));
        check('\u{1d7d8}', Some(0));
        check('\u{bd}', None);
    }
}

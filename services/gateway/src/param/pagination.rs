//! `limit` and `offset`, and what the links to the neighbouring pages say, as Django REST framework's
//! `LimitOffsetPagination` with ARA's settings: pages of 100, no upper limit.
//!
//! URLs are left to the caller; `query_string` writes their query.

use python::Integer;

/// ARA's `PAGE_SIZE`.
pub const DEFAULT_LIMIT: i64 = 100;

/// Where a page starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offset {
    /// Python's integers have no end, and links show them in full.
    digits: String,
    rows: i64,
}

impl Offset {
    /// How many rows to skip: what was asked for, or the largest number of rows if it is larger.
    pub fn rows(&self) -> i64 {
        self.rows
    }

    /// `None` if the result is zero or less, else its digits.
    fn minus(&self, limit: i64) -> Option<String> {
        if self.rows < i64::MAX {
            let rows = self.rows - limit;
            return (rows > 0).then(|| rows.to_string());
        }
        let difference = subtract(&self.digits, limit);
        (difference != "0").then_some(difference)
    }
}

/// The links of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    /// The offset of the next page, if there is a next page.
    pub next: Option<i64>,
    /// The previous page, if there is one.
    pub previous: Option<Previous>,
}

/// The link to the previous page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous {
    /// The offset to write; `None` removes the parameter from the link.
    pub offset: Option<String>,
}

/// `limit`: Python's `int()`, and 100 for what that refuses and for what is not positive. Beyond 64 bits it is the largest
/// number of rows, where ARA fails as soon as there is a row to read.
pub fn limit(value: Option<&str>) -> i64 {
    match value.and_then(python::integer) {
        Some(integer) if is_positive(&integer) => integer.saturate(),
        _ => DEFAULT_LIMIT,
    }
}

/// `offset`: Python's `int()`, and 0 for what that refuses and for what is negative.
pub fn offset(value: Option<&str>) -> Offset {
    match value.and_then(python::integer) {
        Some(integer) if is_positive(&integer) => Offset { rows: integer.saturate(), digits: integer.digits },
        _ => Offset { rows: 0, digits: "0".to_owned() },
    }
}

/// Which neighbours a page has, as `get_next_link` and `get_previous_link`. Both links carry the page's own limit.
///
/// An offset past the end has a previous page all the same, `limit` rows before it.
pub fn links(count: i64, limit: i64, offset: &Offset) -> Links {
    let next = offset.rows.checked_add(limit).filter(|next| *next < count);
    let previous = (offset.rows > 0).then(|| Previous { offset: offset.minus(limit) });
    Links { next, previous }
}

fn is_positive(integer: &Integer) -> bool {
    !integer.negative && integer.digits != "0"
}

/// The digits of a difference that is not negative.
fn subtract(digits: &str, amount: i64) -> String {
    let mut rest = i128::from(amount);
    let mut reversed = String::with_capacity(digits.len());
    for digit in digits.bytes().rev() {
        let column = i128::from(digit - b'0') - rest % 10;
        rest /= 10;
        if column < 0 {
            rest += 1;
        }
        reversed.extend(char::from_digit(column.rem_euclid(10) as u32, 10));
    }
    let difference: String = reversed.chars().rev().collect();
    match difference.trim_start_matches('0') {
        "" => "0".to_owned(),
        difference => difference.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_positive_python_integers() {
        let check = |value: Option<&str>, expected: i64| {
            assert_eq!(limit(value), expected, "{value:?}");
        };
        check(None, 100);
        check(Some(""), 100);
        check(Some("abc"), 100);
        check(Some("0"), 100);
        check(Some("-1"), 100);
        check(Some("1.0"), 100);
        check(Some("+1"), 1);
        check(Some("1_0"), 10);
        check(Some("\u{3000}\u{665}\n"), 5);
        check(Some("9223372036854775807"), i64::MAX);
        check(Some("9223372036854775808"), i64::MAX);
        check(Some(&"9".repeat(4300)), i64::MAX);
        check(Some(&"9".repeat(4301)), 100);
    }

    #[test]
    fn offsets_have_no_upper_limit() {
        let check = |value: Option<&str>, expected: i64| {
            assert_eq!(offset(value).rows(), expected, "{value:?}");
        };
        check(None, 0);
        check(Some(""), 0);
        check(Some("-3"), 0);
        check(Some("-0"), 0);
        check(Some("x"), 0);
        check(Some(" +07 "), 7);
        check(Some("9223372036854775808"), i64::MAX);
        check(Some(&"9".repeat(4301)), 0);
    }

    #[test]
    fn neighbours_are_those_of_rest_framework() {
        type Neighbours<'a> = (Option<i64>, Option<Option<&'a str>>);
        let check = |count, limit, from: &str, expected: Neighbours| {
            let links = links(count, limit, &offset(Some(from)));
            let previous = links.previous.as_ref();
            let found = (links.next, previous.map(|previous| previous.offset.as_deref()));
            assert_eq!(found, expected, "{count} {limit} {from}");
        };
        check(0, 100, "0", (None, None));
        check(10, 10, "0", (None, None));
        check(11, 10, "0", (Some(10), None));
        check(25, 10, "10", (Some(20), Some(None)));
        check(25, 10, "3", (Some(13), Some(None)));
        check(25, 10, "11", (Some(21), Some(Some("1"))));
        check(25, 10, "15", (None, Some(Some("5"))));
        check(25, 10, "100", (None, Some(Some("90"))));
        check(0, 100, "5", (None, Some(None)));
        check(5, i64::MAX, "1", (None, Some(None)));
        check(5, i64::MAX, "9223372036854775807", (None, Some(None)));
        check(5, i64::MAX, "9223372036854775808", (None, Some(Some("1"))));
        check(5, 1, "10000000000000000000", (None, Some(Some("9999999999999999999"))));
    }
}

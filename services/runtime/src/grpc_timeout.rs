//! The time that a gRPC caller gives: the header `grpc-timeout`, at most eight digits and a unit, as gRPC over HTTP/2 has it.

use std::time::Duration;

use http::HeaderMap;

/// The header's name.
pub const NAME: &str = "grpc-timeout";
const MAX_DIGITS: usize = 8;

/// The time that is given; nothing when there is none, or none that can be read.
pub fn read(headers: &HeaderMap) -> Option<Duration> {
    parse(headers.get(NAME)?.to_str().ok()?)
}

fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > MAX_DIGITS {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callers_timeout_is_read_in_every_unit() {
        for (text, expected) in [
            ("2H", Some(Duration::from_secs(7200))),
            ("3M", Some(Duration::from_secs(180))),
            ("30S", Some(Duration::from_secs(30))),
            ("250m", Some(Duration::from_millis(250))),
            ("7u", Some(Duration::from_micros(7))),
            ("9n", Some(Duration::from_nanos(9))),
            ("99999999H", Some(Duration::from_secs(99_999_999 * 3600))),
            ("100000000S", None),
            ("", None),
            ("S", None),
            ("9x", None),
            ("é", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}

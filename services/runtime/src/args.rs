//! Values on the command line that several services take: sizes and spans of time. What they bound, the services know.

use std::{str::FromStr, time::Duration};

/// A number of bytes: on the command line with K, M or G for powers of 1024.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u64);

/// Why a text is no size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a size: give a number of bytes, or one with K, M or G behind it, such as 64M")]
pub struct NotASize;

impl FromStr for Size {
    type Err = NotASize;

    fn from_str(text: &str) -> Result<Self, NotASize> {
        let (digits, shift) = match text.as_bytes().last().map(u8::to_ascii_uppercase) {
            Some(b'K') => (text.get(..text.len() - 1), 10),
            Some(b'M') => (text.get(..text.len() - 1), 20),
            Some(b'G') => (text.get(..text.len() - 1), 30),
            _ => (Some(text), 0),
        };
        let number: u64 = digits.and_then(|digits| digits.parse().ok()).ok_or(NotASize)?;
        number.checked_mul(1 << shift).map(Self).ok_or(NotASize)
    }
}

/// Why a text is no span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a number of seconds")]
pub struct NotSeconds;

/// Reads a number of seconds, which may be a fraction.
///
/// # Errors
/// When the text is no number, or one that no clock can count.
pub fn seconds(text: &str) -> Result<Duration, NotSeconds> {
    text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).ok_or(NotSeconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, expected) in [
            ("0", Ok(Size(0))),
            ("512", Ok(Size(512))),
            ("64M", Ok(Size(64 << 20))),
            ("4g", Ok(Size(4 << 30))),
            ("", Err(NotASize)),
            ("M", Err(NotASize)),
            ("1.5G", Err(NotASize)),
            ("99999999999G", Err(NotASize)),
        ] {
            assert_eq!(text.parse(), expected, "{text}");
        }
    }

    #[test]
    fn spans_of_time_are_seconds() {
        for (text, expected) in [
            ("30", Ok(Duration::from_secs(30))),
            ("0.25", Ok(Duration::from_millis(250))),
            ("0", Ok(Duration::ZERO)),
            ("-1", Err(NotSeconds)),
            ("NaN", Err(NotSeconds)),
            ("1e300", Err(NotSeconds)),
            ("soon", Err(NotSeconds)),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}

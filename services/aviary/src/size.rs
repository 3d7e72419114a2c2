//! Sizes on the command line: a number of bytes, with K, M or G for powers of 1024.

use std::str::FromStr;

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

/// Why a text is no size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a size: give a number of bytes, or one with K, M or G behind it, such as 64M")]
pub(crate) struct NotASize;

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
}

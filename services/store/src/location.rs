//! The name of a place in a store: validated segments, whatever the store is. It does not say what lies there.

use std::fmt;

/// Longest location, in bytes: what object stores allow for a key, less room for the file's name.
pub const MAX_BYTES: usize = 1000;
/// Longest segment, in bytes: what file systems allow for a name.
pub const MAX_SEGMENT_BYTES: usize = 255;

/// A folder below a store's root, without a slash at either end; empty for the root itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Location(String);

/// Why a text cannot be a location.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Two slashes in a row, or one at an end.
    #[error("a location has no empty segments")]
    EmptySegment,
    /// `.` or `..`.
    #[error("a location has no segments `.` or `..`")]
    DotSegment,
    /// NUL, a line break or another control character.
    #[error("a location has no control characters")]
    ControlCharacter,
    /// A segment of more than [`MAX_SEGMENT_BYTES`] or a location of more than [`MAX_BYTES`].
    #[error("a location has at most {MAX_BYTES} bytes and {MAX_SEGMENT_BYTES} in a segment")]
    TooLong,
}

impl Location {
    /// The root of a store.
    pub fn root() -> Self {
        Self::default()
    }

    /// Reads `a/b/c`; the empty text is the root.
    ///
    /// # Errors
    /// When the text has an empty, dotted or overlong segment or a control character.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Ok(Self::root());
        }
        if text.len() > MAX_BYTES {
            return Err(Error::TooLong);
        }
        for segment in text.split('/') {
            match segment {
                "" => return Err(Error::EmptySegment),
                "." | ".." => return Err(Error::DotSegment),
                _ if segment.len() > MAX_SEGMENT_BYTES => return Err(Error::TooLong),
                _ if segment.chars().any(char::is_control) => return Err(Error::ControlCharacter),
                _ => {}
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// What has this name in this folder.
    ///
    /// # Errors
    /// As [`Location::parse`].
    pub fn join(&self, name: &str) -> Result<Self, Error> {
        if self.is_root() { Self::parse(name) } else { Self::parse(&format!("{self}/{name}")) }
    }

    /// The location as text, `/` between segments.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// It is the store's root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The segments, outermost first.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|segment| !segment.is_empty())
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, Location};

    fn check(text: &str, expected: Result<(), Error>) {
        assert_eq!(Location::parse(text).map(|location| assert_eq!(location.as_str(), text)), expected, "{text:?}");
    }

    #[test]
    fn ordinary_names_are_locations() {
        for text in ["", "1/ara-report", "a b/c+d/%41/#/~/é/ara-report", "...", "a/..b"] {
            check(text, Ok(()));
        }
    }

    #[test]
    fn names_that_could_lead_astray_are_refused() {
        check("/a", Err(Error::EmptySegment));
        check("a/", Err(Error::EmptySegment));
        check("a//b", Err(Error::EmptySegment));
        check("a/../b", Err(Error::DotSegment));
        check(".", Err(Error::DotSegment));
        check("a\0b", Err(Error::ControlCharacter));
        check("a\u{85}b", Err(Error::ControlCharacter));
        check(&"x".repeat(256), Err(Error::TooLong));
        check(&"x/".repeat(600), Err(Error::TooLong));
    }
}

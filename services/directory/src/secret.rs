//! A text that must not be seen: whatever prints it prints a mask.

use std::fmt;

/// What stands for a secret wherever something is shown.
pub const MASK: &str = "******";

/// A password, in clear or hashed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one who hands it to the server.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it is the hash of a password, as in `{PBKDF2-SHA512}…`, which no bind can compare.
    pub fn is_hashed(&self) -> bool {
        let Some((scheme, rest)) = self.0.strip_prefix('{').and_then(|text| text.split_once('}')) else { return false };
        !rest.is_empty() && !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

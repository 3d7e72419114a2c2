//! Versions of 389 Directory Server, and what differs between them.

use std::fmt;

/// A version such as 2.3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 2 of 2.3.1.
    pub major: u32,
    /// 3 of 2.3.1.
    pub minor: u32,
    /// 1 of 2.3.1.
    pub patch: u32,
}

impl Version {
    /// The oldest server that Aviary manages: the first with a changelog in each backend.
    pub const OLDEST: Self = Self::new(2, 0, 0);

    /// A version.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    /// Reads `2.3.1`, or `389-Directory/2.3.1 B2023.12`, as the root DSE's `vendorVersion` has it. What follows the numbers,
    /// as in `3.0.0.dev`, is not looked at.
    pub fn parse(text: &str) -> Option<Self> {
        let numbers = text.rsplit_once('/').map_or(text, |(_, numbers)| numbers);
        let mut parts = numbers.split(|c: char| !c.is_ascii_digit()).map(str::parse);
        let mut next = || parts.next().and_then(Result::ok);
        Some(Self { major: next()?, minor: next()?, patch: next().unwrap_or(0) })
    }

    /// The kind of database that a server of this version takes by itself.
    pub fn database(self) -> &'static str {
        if self < Self::new(3, 0, 0) { "bdb" } else { "mdb" }
    }

    /// Whether the server may crash when a replica's entry is deleted: it looks into a changelog that a consumer has not, and that
    /// others have no more (389 DS issue 5743; the first tags with the fix are 2.2.10, 2.3.5 and 2.4.1).
    pub fn crashes_when_a_replica_is_deleted(self) -> bool {
        match (self.major, self.minor) {
            (2, 2) => self.patch < 10,
            (2, 3) => self.patch < 5,
            (2, 4) => self.patch < 1,
            (major, minor) => (major, minor) < (2, 2),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_the_server_writes_them() {
        let check = |text: &str, expected: Option<(u32, u32, u32)>| {
            assert_eq!(Version::parse(text), expected.map(|(major, minor, patch)| Version::new(major, minor, patch)), "{text}");
        };
        check("389-Directory/2.3.1 B2023.031.1557", Some((2, 3, 1)));
        check("3.1", Some((3, 1, 0)));
        check("3.0.0.dev", Some((3, 0, 0)));
        check("389-Directory/", None);
        check("", None);
        check("2", None);
    }

    #[test]
    fn the_kind_of_database_changed_with_the_third_version() {
        for (text, expected) in [("2.3.1", "bdb"), ("2.9.9", "bdb"), ("3.0.0", "mdb"), ("3.1.2", "mdb")] {
            assert_eq!(Version::parse(text).unwrap().database(), expected, "{text}");
        }
    }

    #[test]
    fn the_crash_of_disabled_consumers_is_known_by_version() {
        for (text, crashes) in [
            ("1.4.4", true),
            ("2.1.9", true),
            ("2.2.9", true),
            ("2.2.10", false),
            ("2.3.1", true),
            ("2.3.5", false),
            ("2.4.0", true),
            ("2.4.1", false),
            ("2.5.0", false),
            ("3.1.2", false),
        ] {
            assert_eq!(Version::parse(text).unwrap().crashes_when_a_replica_is_deleted(), crashes, "{text}");
        }
    }
}

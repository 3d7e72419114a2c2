//! Certificates that an instance is to have and those that it has, by their fingerprints. Whoever plans finds them out first:
//! files are not read here.

use std::{collections::BTreeMap, fmt};

/// SHA-256 of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 32]);

/// How many of its bytes tell a certificate from others.
const SHORT: usize = 8;

impl Fingerprint {
    /// Its beginning.
    pub fn short(&self) -> String {
        self.0.iter().take(SHORT).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What was found out of an instance before planning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Certificates {
    /// The certificate of `tls_cert`, then those that are sent with it.
    pub offered: Vec<Fingerprint>,
    /// The certificates of `tls_ca`.
    pub authorities: Vec<Fingerprint>,
    /// The certificate that the instance shows, from its next start on.
    pub served: Option<Fingerprint>,
    /// All that the instance has, and whether it trusts what they issued.
    pub known: BTreeMap<Fingerprint, bool>,
    /// What is wrong with files: the option, and words that follow its name.
    pub problems: Vec<(&'static str, String)>,
}

impl Certificates {
    /// Whether the instance has the certificate that it is to show, and those that are sent with it.
    pub(crate) fn are_imported(&self) -> bool {
        match self.offered.split_first() {
            Some((first, chain)) => self.served == Some(*first) && chain.iter().all(|one| self.known.contains_key(one)),
            None => false,
        }
    }

    /// Whether the instance trusts all authorities.
    pub(crate) fn are_trusted(&self) -> bool {
        !self.authorities.is_empty() && self.authorities.iter().all(|one| self.known.get(one) == Some(&true))
    }
}

//! What the load client of the cluster's tests and those who start it say to each other: expected answers in, figures of a
//! phase out, both as lines of text.

use std::hash::{DefaultHasher, Hasher as _};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::http::Response;

/// A request and its right answer.
#[derive(Clone, Debug)]
pub struct Expected {
    pub target: String,
    pub status: u16,
    pub digest: u64,
}

/// What happened between two marks.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Phase {
    pub requests: u64,
    /// Without an answer, or with a 502, 503 or 504.
    pub failed: u64,
    /// Answered otherwise than expected.
    pub wrong: u64,
    pub slowest_ms: u64,
    /// Some of those that failed or were wrong.
    pub examples: Vec<String>,
}

/// Of what must be the same wherever a report lies: type and body. Tags and times of files are the store's.
pub fn digest(response: &Response) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(response.header("content-type").unwrap_or_default().as_bytes());
    hasher.write_u8(0);
    hasher.write(&response.body);
    hasher.finish()
}

impl std::fmt::Display for Expected {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:016x} {} {}", self.digest, self.status, self.target)
    }
}

impl FromStr for Expected {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let parts = || {
            let (digest, rest) = line.split_once(' ')?;
            let (status, target) = rest.split_once(' ')?;
            Some(Self { target: target.to_owned(), status: status.parse().ok()?, digest: u64::from_str_radix(digest, 16).ok()? })
        };
        parts().ok_or_else(|| format!("not DIGEST STATUS TARGET: {line}"))
    }
}

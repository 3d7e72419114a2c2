//! YAML as Ansible reads it: the syntax is saphyr's, the meaning of scalars, tags and merge keys is that of PyYAML, which is
//! YAML 1.1. What values mean to a server is for others to say.
//!
//! It is stricter than PyYAML in three things: a key stands once in a dictionary, a key is a scalar and stands for its text as
//! written, and whole numbers have 64 bits.

mod read;
mod resolve;
mod syntax;
mod write;

pub use read::parse;
pub use write::write;

use crate::value::Position;

/// The levels that lists and dictionaries may be nested.
const DEPTH: usize = 64;

/// The values that a file may hold once its aliases are followed.
const NODES: usize = 100_000;

/// The bytes of text that anchors and aliases may copy.
const COPIED: usize = 16 << 20;

/// A text that is not the YAML of one tree of values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {problem}")]
pub struct Error {
    /// Where the problem is.
    pub at: Position,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a text that should be YAML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The syntax is broken.
    #[error("{0}")]
    Syntax(String),
    /// A character that YAML does not allow.
    #[error("the character {0:?} is not allowed; write it as an escape in double quotes")]
    Character(char),
    /// A key stands twice.
    #[error("key '{key}' is written twice, first at {first}")]
    Twice {
        /// The key.
        key: String,
        /// Where it stands first.
        first: Position,
    },
    /// A list or a dictionary as a key.
    #[error("a key must be a string, not a list or a dictionary; quote a text that begins with '[' or '{{'")]
    KeyKind,
    /// A tag that means nothing here.
    #[error("the tag '{0}' is not known; remove it, or quote the value if it begins with '!'")]
    UnknownTag(String),
    /// A tag before a value of another kind.
    #[error("the tag '{tag}' cannot stand before {kind}")]
    TagKind {
        /// The tag.
        tag: String,
        /// What a user calls the value.
        kind: &'static str,
    },
    /// A scalar that is not what it looks like, or what its tag says.
    #[error("'{text}' is not {kind}; quote it to make it a string")]
    NotThat {
        /// The scalar.
        text: String,
        /// What it should be.
        kind: &'static str,
    },
    /// A number of more than 64 bits.
    #[error("'{0}' is larger than a number may be, which is 64 bits; quote it to make it a string")]
    TooLarge(String),
    /// A merge key with something else than dictionaries.
    #[error("'<<' takes a dictionary or a list of dictionaries, not {0}")]
    Merge(&'static str),
    /// An alias inside what it stands for.
    #[error("the alias stands inside the value that it repeats; move it out")]
    Recursion,
    /// Lists and dictionaries in each other, too often.
    #[error("lists and dictionaries are nested more than {DEPTH} times")]
    TooDeep,
    /// More values than a file may hold.
    #[error("the file has more than {NODES} values, those that aliases repeat included")]
    TooMany,
    /// More text than aliases may repeat.
    #[error("anchors and aliases repeat more than {COPIED} bytes of text")]
    TooMuch,
    /// More than one document.
    #[error("a second document begins here, but a file holds one; remove the '---' or '...'")]
    SecondDocument,
}

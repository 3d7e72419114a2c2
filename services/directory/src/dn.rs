//! Distinguished names: how they are read, compared and built. Which entries they name is for others to say.
//!
//! Two names are equal when their normal forms are: attribute types in lower case, values without their escapes, in lower
//! case and with single spaces, the parts of a `+` in order. The text that somebody wrote is kept beside it.

mod escape;
mod read;

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

/// A text that is no distinguished name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{dn}' is no distinguished name: {problem}, at character {character}")]
pub struct Error {
    /// The text.
    pub dn: String,
    /// Where the problem is; counts from 1. One more than the length when the text ends too early.
    pub character: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a text that should be a distinguished name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A separator or the end where an attribute type should be.
    #[error("an attribute type such as 'cn' must stand here")]
    NoAttribute,
    /// An attribute type of other characters than it may have.
    #[error("'{0}' is no attribute type: it has letters, digits and '-', or is a dotted number")]
    BadAttribute(String),
    /// An attribute type without a value.
    #[error("'=' and a value must follow '{0}'")]
    NoEquals(String),
    /// A backslash before something that needs none.
    #[error("a backslash must be followed by two hexadecimal digits or by one of , ; + = < > # \" \\ and space")]
    BadEscape,
    /// A character that a value holds only behind a backslash.
    #[error("{character:?} must be written '\\{code:02X}' in a value")]
    Unescaped {
        /// The character.
        character: char,
        /// Its code.
        code: u8,
    },
    /// A quotation that does not end.
    #[error("the quotation that begins here has no end")]
    OpenQuote,
    /// Text behind a quotation.
    #[error("after a quoted value only ',' ';' '+' or the end may follow")]
    AfterQuote,
    /// A value that begins with `#` and is not the BER of a string.
    #[error("a value that begins with '#' must be pairs of hexadecimal digits; write '\\23' for the character itself")]
    BadHex,
    /// A value whose escapes give bytes that are no text.
    #[error("the value that begins here is not UTF-8")]
    NotUtf8,
}

/// A distinguished name.
#[derive(Debug, Clone)]
pub struct Dn {
    text: String,
    normal: String,
    rdns: Vec<Rdn>,
}

/// One component: where it begins in both texts, and the first of its attributes.
#[derive(Debug, Clone)]
struct Rdn {
    text: usize,
    normal: usize,
    attribute: String,
    value: String,
}

impl Dn {
    /// Reads a name as RFC 4514 has it, and as RFC 2253 and RFC 1779 had: with quotations, `;` and spaces around separators.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut rdns = Vec::new();
        let mut normals = Vec::new();
        for parts in read::components(text)? {
            normals.push(read::normal_component(&parts));
            if let Some(first) = parts.into_iter().next() {
                rdns.push(Rdn { text: first.start, normal: 0, attribute: first.attribute, value: first.value });
            }
        }
        let mut start = 0;
        for (rdn, normal) in rdns.iter_mut().zip(&normals) {
            rdn.normal = start;
            start += normal.len() + 1;
        }
        Ok(Self { text: text.to_owned(), normal: normals.join(","), rdns })
    }

    /// The empty name.
    pub fn root() -> Self {
        Self { text: String::new(), normal: String::new(), rdns: Vec::new() }
    }

    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The form in which equal names are the same text. It is itself a name that can be read.
    pub fn normal(&self) -> &str {
        &self.normal
    }

    /// The name of the entry above; `None` for the empty name.
    pub fn parent(&self) -> Option<Self> {
        let (_, above) = self.rdns.split_first()?;
        let Some(first) = above.first() else {
            return Some(Self::root());
        };
        let rdns = above
            .iter()
            .map(|rdn| Rdn { text: rdn.text - first.text, normal: rdn.normal - first.normal, ..rdn.clone() })
            .collect();
        Some(Self { text: self.text[first.text..].to_owned(), normal: self.normal[first.normal..].to_owned(), rdns })
    }

    /// The name of an entry below, with its value escaped as 389 Directory Server prints it: `cn=dc\3Dexample\2Cdc\3Dcom`. The
    /// attribute must be a type, such as `cn`; the value may be any text.
    pub fn child(&self, attribute: &str, value: &str) -> Self {
        let own = format!("{attribute}={}", escape::escaped(value));
        let own_normal = format!("{}={}", read::normal_attribute(attribute), escape::escaped(&read::normal_value(value)));
        let comma = usize::from(!self.is_root());
        let (shift, normal_shift) = (own.len() + comma, own_normal.len() + comma);
        let mut rdns = vec![Rdn { text: 0, normal: 0, attribute: attribute.to_owned(), value: value.to_owned() }];
        rdns.extend(self.rdns.iter().map(|rdn| Rdn { text: rdn.text + shift, normal: rdn.normal + normal_shift, ..rdn.clone() }));
        let (text, normal) = if self.is_root() {
            (own, own_normal)
        } else {
            (format!("{own},{}", self.text), format!("{own_normal},{}", self.normal))
        };
        Self { text, normal, rdns }
    }

    /// The first component: its attribute type as written and its value without escapes. Of several joined by `+` the first;
    /// both empty for the empty name.
    pub fn rdn(&self) -> (&str, &str) {
        self.rdns.first().map_or(("", ""), |rdn| (&rdn.attribute, &rdn.value))
    }

    /// Whether this is the empty name, that of the root.
    pub fn is_root(&self) -> bool {
        self.rdns.is_empty()
    }

    /// The number of components.
    pub fn depth(&self) -> usize {
        self.rdns.len()
    }

    /// Whether the entry lies right below another one.
    pub fn is_child(&self, parent: &Self) -> bool {
        self.depth() == parent.depth() + 1 && self.is_below(parent)
    }

    /// Whether the entry lies below another one, at whatever depth. No entry lies below itself.
    pub fn is_below(&self, ancestor: &Self) -> bool {
        let Some(difference) = self.depth().checked_sub(ancestor.depth()).filter(|difference| *difference > 0) else {
            return false;
        };
        let above = self.rdns.get(difference).map_or("", |rdn| &self.normal[rdn.normal..]);
        above == ancestor.normal
    }
}

impl fmt::Display for Dn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Dn {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl PartialEq for Dn {
    fn eq(&self, other: &Self) -> bool {
        self.normal == other.normal
    }
}

impl Eq for Dn {}

impl PartialOrd for Dn {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Dn {
    fn cmp(&self, other: &Self) -> Ordering {
        self.normal.cmp(&other.normal)
    }
}

impl Hash for Dn {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.normal.hash(state);
    }
}

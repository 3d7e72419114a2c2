//! Kinds of values that options have: how a user may write them, how the server stores them, and when two are the same.

mod load;
mod read;

use std::collections::BTreeSet;

use crate::{dn::Dn, setting::Setting};

/// A kind of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// A text on one line.
    Text,
    /// Texts, each a value of its own.
    Texts,
    /// A name: text without `/` and control characters.
    Name,
    /// An absolute path.
    Path,
    /// Absolute paths, each a value of its own.
    Paths,
    /// A distinguished name.
    Dn,
    /// Distinguished names, each a value of its own.
    Dns,
    /// A whole number from the first to the second.
    Number(i64, i64),
    /// `on` or `off`.
    Switch,
    /// As `Switch`, stored as `true` or `false`.
    Truth,
    /// One of some words, in any case. Of each, the first spelling is stored, the others are read as well.
    Choice(&'static [&'static [&'static str]]),
    /// Some of some words, in any case, each a value of its own.
    Choices(&'static [&'static [&'static str]]),
    /// Permissions of files: three or four octal digits.
    Mode,
    /// When in the day, as `HHMM`.
    Clock,
    /// How long, as `7d`: a number and one of `s m h d w`; without it, seconds. `-1` is for ever.
    Age,
    /// A password, or its hash with the scheme before it in braces.
    Password,
    /// Attribute types, each a value of its own.
    Types,
    /// Attribute types, all in one value with spaces between them.
    Words,
    /// Attribute types that are not replicated, stored as `(objectclass=*) $ EXCLUDE a b`.
    Fraction,
    /// URLs, each a value of its own.
    Urls,
    /// When updates are sent: `HHMM-HHMM` and the days from 0, Sunday, to 6.
    Schedule,
}

/// What stands before the list of attributes that are not replicated.
const FRACTION: &str = "(objectclass=*) $ EXCLUDE";

impl Codec {
    /// Words for the documentation: what to write.
    pub fn describe(self) -> String {
        match self {
            Self::Text | Self::Name => "string".to_owned(),
            Self::Texts => "list of strings".to_owned(),
            Self::Path => "absolute path".to_owned(),
            Self::Paths => "list of absolute paths".to_owned(),
            Self::Dn => "DN".to_owned(),
            Self::Dns => "list of DNs".to_owned(),
            Self::Number(min, i64::MAX) => format!("integer, {min} or more"),
            Self::Number(min, max) => format!("integer from {min} to {max}"),
            Self::Switch | Self::Truth => "boolean".to_owned(),
            Self::Choice(words) => format!("one of {}", spellings(words)),
            Self::Choices(words) => format!("list of {}", spellings(words)),
            Self::Mode => "octal digits in quotes, such as '640'".to_owned(),
            Self::Clock => "time of day in quotes, such as '0800'".to_owned(),
            Self::Age => "duration such as 7d".to_owned(),
            Self::Password => "password".to_owned(),
            Self::Types | Self::Words | Self::Fraction => "list of attributes".to_owned(),
            Self::Urls => "list of LDAP URLs".to_owned(),
            Self::Schedule => "list of times such as 0800-1800 12345".to_owned(),
        }
    }

    /// Whether the value is a list.
    pub fn is_list(self) -> bool {
        matches!(
            self,
            Self::Texts
                | Self::Paths
                | Self::Dns
                | Self::Choices(_)
                | Self::Types
                | Self::Words
                | Self::Fraction
                | Self::Urls
                | Self::Schedule
        )
    }

    /// The attribute's values for a setting of this kind.
    pub fn store(self, setting: &Setting) -> Vec<String> {
        match (self, setting) {
            (Self::Truth, Setting::Switch(on)) => vec![on.to_string()],
            (Self::Words, Setting::List(items)) if !items.is_empty() => vec![items.join(" ")],
            (Self::Fraction, Setting::List(items)) if !items.is_empty() => vec![format!("{FRACTION} {}", items.join(" "))],
            (Self::Words | Self::Fraction, Setting::List(_)) => Vec::new(),
            (_, Setting::List(items)) => items.clone(),
            (_, Setting::Secret(secret)) => vec![secret.reveal().to_owned()],
            (_, setting) => vec![setting.shown()],
        }
    }

    /// Whether two settings of this kind mean the same. Secrets are the same only when their texts are.
    pub fn same(self, one: &Setting, other: &Setting) -> bool {
        match (self, one, other) {
            (Self::Dn, Setting::Text(one), Setting::Text(other)) => dn(one) == dn(other),
            (Self::Dns, Setting::List(one), Setting::List(other)) => set(one, dn) == set(other, dn),
            (Self::Age, Setting::Text(one), Setting::Text(other)) => seconds(one) == seconds(other),
            (Self::Mode, Setting::Text(one), Setting::Text(other)) => mode(one) == mode(other),
            (Self::Choices(_) | Self::Types | Self::Words | Self::Fraction, Setting::List(one), Setting::List(other)) => {
                set(one, |text| text.to_lowercase()) == set(other, |text| text.to_lowercase())
            }
            (_, Setting::List(one), Setting::List(other)) => set(one, str::to_owned) == set(other, str::to_owned),
            _ => one == other,
        }
    }
}

/// The first spelling of each word.
fn spellings(words: &[&[&str]]) -> String {
    words.iter().filter_map(|word| word.first().copied()).collect::<Vec<_>>().join(", ")
}

/// The word of which a text is a spelling, as it is stored.
fn word(words: &[&[&'static str]], text: &str) -> Option<&'static str> {
    let is_it = |word: &&&[&str]| word.iter().any(|spelling| spelling.eq_ignore_ascii_case(text));
    words.iter().find(is_it).and_then(|word| word.first().copied())
}

/// What a text says that is on or off.
fn is_on(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "on" | "true" | "yes" | "1" => Some(true),
        "off" | "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// A text that is no DN is equal to itself alone.
fn dn(text: &str) -> Result<Dn, String> {
    Dn::parse(text).map_err(|_| text.to_owned())
}

/// What permissions say; a text that says none is equal to itself alone.
fn mode(text: &str) -> Result<u32, String> {
    u32::from_str_radix(text.trim(), 8).map_err(|_| text.to_owned())
}

fn set<T: Ord>(items: &[String], normal: impl Fn(&str) -> T) -> BTreeSet<T> {
    items.iter().map(|item| normal(item)).collect()
}

/// How long an age is; `None` for ever.
fn seconds(age: &str) -> Option<i64> {
    let digits = age.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match age.chars().last().map(|c| c.to_ascii_lowercase()) {
        Some('m') => 60,
        Some('h') => 3600,
        Some('d') => 86_400,
        Some('w') => 604_800,
        _ => 1,
    };
    digits.parse::<i64>().ok().filter(|number| *number >= 0).and_then(|number| number.checked_mul(unit))
}

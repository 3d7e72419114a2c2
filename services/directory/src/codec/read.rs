//! Values as users write them. What is wrong with one is said in words that follow the option's name.

use crate::{
    codec::{Codec, FRACTION, is_on, seconds, spellings, word},
    dn::Dn,
    secret::Secret,
    setting::Setting,
    value::{Node, Value},
};

impl Codec {
    /// Reads a value as a user wrote it. The error says what is wanted, and what is there unless it is a secret.
    pub fn read(self, node: &Node) -> Result<Setting, String> {
        match self {
            Self::Number(min, max) => number(node, min, max).map(Setting::Number),
            Self::Switch | Self::Truth => switch(node).map(Setting::Switch),
            Self::Password => password(node).map(Setting::Secret),
            Self::Mode => mode(node).map(Setting::Text),
            Self::Clock => clock(node).map(Setting::Text),
            _ if self.is_list() => self.read_list(node).map(Setting::List),
            _ => self.read_text(&text(node)?).map(Setting::Text),
        }
    }

    fn read_list(self, node: &Node) -> Result<Vec<String>, String> {
        let items = match &node.value {
            Value::List(items) => items.iter().map(text).collect::<Result<Vec<_>, _>>()?,
            Value::Null => Vec::new(),
            _ => {
                let text = text(node)?;
                match self {
                    Self::Choices(_) | Self::Types | Self::Words | Self::Fraction => {
                        let names = text.strip_prefix(FRACTION).unwrap_or(&text);
                        names.split([',', ' ', '\t']).filter(|item| !item.is_empty()).map(str::to_owned).collect()
                    }
                    _ => vec![text],
                }
            }
        };
        items.into_iter().map(|item| self.read_item(item)).collect()
    }

    fn read_item(self, item: String) -> Result<String, String> {
        let sound = match self {
            Self::Dns => return Self::Dn.read_text(&item),
            Self::Texts => return Self::Text.read_text(&item),
            Self::Paths => return Self::Path.read_text(&item),
            Self::Choices(words) => return Self::Choice(words).read_text(&item),
            Self::Types | Self::Words | Self::Fraction => is_attribute(&item),
            Self::Urls => ["ldap://", "ldaps://", "ldapi://"].iter().any(|scheme| item.to_lowercase().starts_with(scheme)),
            Self::Schedule => is_schedule(&item),
            _ => true,
        };
        if sound {
            return Ok(item);
        }
        Err(match self {
            Self::Urls => format!("wants URLs that begin with ldap:// or ldaps://, not '{item}'"),
            Self::Schedule => format!("wants times such as '0800-1800 12345', not '{item}'"),
            _ => format!("wants names of attributes, not '{item}'"),
        })
    }

    fn read_text(self, text: &str) -> Result<String, String> {
        if text.is_empty() {
            return Err("is empty".to_owned());
        }
        match self {
            Self::Name if text.contains('/') => Err(format!("wants a name without slashes, not '{text}'")),
            Self::Path if !text.starts_with('/') => Err(format!("wants an absolute path, not '{text}'")),
            Self::Dn => match Dn::parse(text) {
                Ok(_) => Ok(text.to_owned()),
                Err(error) => Err(format!("wants a DN: {error}")),
            },
            Self::Choice(words) => {
                word(words, text).map(str::to_owned).ok_or_else(|| format!("wants one of {}, not '{text}'", spellings(words)))
            }
            Self::Age if text != "-1" && !is_age(text) => Err(format!("wants a duration such as 7d, 12h or 90, not '{text}'")),
            _ => Ok(text.to_owned()),
        }
    }
}

/// A text on one line. Numbers and switches are texts as well, for users do not quote what looks plain.
fn text(node: &Node) -> Result<String, String> {
    let text = match &node.value {
        Value::Text(text) => text.trim().to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(true) => "on".to_owned(),
        Value::Boolean(false) => "off".to_owned(),
        Value::Vault(_) => return Err("is vaulted, and no vault password was given".to_owned()),
        other => return Err(format!("wants a string, not {}", other.kind())),
    };
    if text.contains(char::is_control) { Err("wants one line without control characters".to_owned()) } else { Ok(text) }
}

fn number(node: &Node, min: i64, max: i64) -> Result<i64, String> {
    let wanted = || match max {
        i64::MAX => format!("wants a number, {min} or more"),
        _ => format!("wants a number from {min} to {max}"),
    };
    let number = match &node.value {
        Value::Integer(number) => *number,
        Value::Text(text) => text.trim().parse().map_err(|_| format!("{}, not '{text}'", wanted()))?,
        other => return Err(format!("{}, not {}", wanted(), other.kind())),
    };
    if (min..=max).contains(&number) { Ok(number) } else { Err(format!("{}, not {number}", wanted())) }
}

fn switch(node: &Node) -> Result<bool, String> {
    match &node.value {
        Value::Boolean(on) => Ok(*on),
        Value::Integer(1) => Ok(true),
        Value::Integer(0) => Ok(false),
        Value::Text(text) => is_on(text).ok_or_else(|| format!("wants true or false, not '{text}'")),
        other => Err(format!("wants true or false, not {}", other.kind())),
    }
}

/// No part of a secret may get into an error.
fn password(node: &Node) -> Result<Secret, String> {
    match &node.value {
        Value::Text(text) if text.is_empty() => Err("is empty".to_owned()),
        Value::Text(text) if text.contains(['\n', '\r', '\0']) => Err("wants a password on one line".to_owned()),
        Value::Text(text) => Ok(Secret::new(text)),
        Value::Vault(_) => Err("is vaulted, and no vault password was given".to_owned()),
        // What was written, 0123 or 1_000, is lost when YAML has read it as a number.
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => Err("wants a string: put quotes around it".to_owned()),
        other => Err(format!("wants a string, not {}", other.kind())),
    }
}

/// YAML takes 0640 for the number 416. What is left of numbers is what is written without a zero before it, as most write it, and
/// comes from no octal number that a file may have as its permissions.
fn mode(node: &Node) -> Result<String, String> {
    const WANTED: &str = "wants octal digits such as '640'";
    let text = match &node.value {
        Value::Integer(number @ 600..=777) => number.to_string(),
        Value::Integer(number) => return Err(format!("{WANTED}, not the number {number}: put quotes around it")),
        _ => text(node)?,
    };
    let is_mode = matches!(text.len(), 3 | 4) && text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    if is_mode { Ok(text) } else { Err(format!("{WANTED}, not '{text}'")) }
}

/// YAML takes 0730 for the number 472, and 20:15 for 1215.
fn clock(node: &Node) -> Result<String, String> {
    const WANTED: &str = "wants a time of day such as '0800'";
    if let Value::Integer(number) = node.value {
        return Err(format!("{WANTED}, not the number {number}: put quotes around it"));
    }
    let text = text(node)?;
    if is_clock(&text) { Ok(text) } else { Err(format!("{WANTED}, not '{text}'")) }
}

fn is_attribute(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ';' | '_'))
}

fn is_age(text: &str) -> bool {
    let digits = text.trim_end_matches(|c: char| "smhdwSMHDW".contains(c));
    text.len() - digits.len() <= 1 && digits.bytes().all(|b| b.is_ascii_digit()) && seconds(text).is_some()
}

fn is_schedule(text: &str) -> bool {
    let Some((hours, days)) = text.split_once(' ') else { return false };
    let Some((from, to)) = hours.split_once('-') else { return false };
    is_clock(from) && is_clock(to) && (1..=7).contains(&days.len()) && days.bytes().all(|b| (b'0'..=b'6').contains(&b))
}

fn is_clock(text: &str) -> bool {
    text.len() == 4
        && text.bytes().all(|b| b.is_ascii_digit())
        && text.get(..2).is_some_and(|hours| hours <= "23")
        && text.get(2..).is_some_and(|minutes| minutes <= "59")
}

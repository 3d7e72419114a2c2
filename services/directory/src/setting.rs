//! Values of options, read and checked, and collections of them by the option's name.

use std::collections::BTreeMap;

use crate::{
    options::Definition,
    secret::{MASK, Secret},
    value::{Node, Value},
};

/// The value of an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// A text, also a DN, a path or one of several choices.
    Text(String),
    /// A whole number.
    Number(i64),
    /// On or off.
    Switch(bool),
    /// Several texts.
    List(Vec<String>),
    /// A password.
    Secret(Secret),
}

impl Setting {
    /// As a person reads it; secrets are masked.
    pub fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Switch(on) => if *on { "on" } else { "off" }.to_owned(),
            Self::List(items) => items.join(" "),
            Self::Secret(secret) => secret.to_string(),
        }
    }
}

/// Whether secrets are written as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// A mask stands for each.
    Masked,
    /// As they are, for a reader who needs them.
    Revealed,
}

impl Setting {
    /// As a value that a specification may have.
    pub fn node(&self, secrets: Secrets) -> Node {
        match self {
            Self::Text(text) => Node::text(text),
            Self::Number(number) => Node::new(Value::Integer(*number)),
            Self::Switch(on) => Node::new(Value::Boolean(*on)),
            Self::List(items) => Node::new(Value::List(items.iter().map(Node::text).collect())),
            Self::Secret(secret) if secrets == Secrets::Revealed => Node::text(secret.reveal()),
            Self::Secret(_) => Node::text(MASK),
        }
    }
}

/// Percent of its memory that a server takes for caches when nothing is said.
const AUTOSIZE: i64 = 25;

/// Whether sizes of backends' caches are what somebody says, not what the server chooses. Of the instance's options the first that
/// say it count.
pub(crate) fn sizes_caches(instance: &[&Settings]) -> bool {
    // A server with LMDB chooses none.
    if instance.iter().any(|settings| settings.text("db_lib") == Some("mdb")) {
        return true;
    }
    let autosize = instance.iter().find_map(|settings| settings.number("nsslapd_cache_autosize"));
    autosize.unwrap_or(AUTOSIZE) == 0
}

/// Options and their values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<&'static str, (&'static Definition, Setting)>);

impl Settings {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of the option with this name.
    pub fn get(&self, name: &str) -> Option<&Setting> {
        self.0.get(name).map(|(_, setting)| setting)
    }

    /// The value of the option with this name, if that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Setting::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The value of the option with this name, if that is a number.
    pub fn number(&self, name: &str) -> Option<i64> {
        match self.get(name) {
            Some(Setting::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// The value of the option with this name, if that is a switch.
    pub fn switch(&self, name: &str) -> Option<bool> {
        match self.get(name) {
            Some(Setting::Switch(on)) => Some(*on),
            _ => None,
        }
    }

    /// The value of the option with this name, if that is a list.
    pub fn list(&self, name: &str) -> Option<&[String]> {
        match self.get(name) {
            Some(Setting::List(items)) => Some(items),
            _ => None,
        }
    }

    /// The value of the option with this name, if that is a secret.
    pub fn secret(&self, name: &str) -> Option<&Secret> {
        match self.get(name) {
            Some(Setting::Secret(secret)) => Some(secret),
            _ => None,
        }
    }

    /// Takes over what others say of options of which these say nothing.
    pub(crate) fn complete(&mut self, others: &Self) {
        for (option, setting) in others.iter() {
            if self.get(option.name).is_none() {
                self.insert(option, setting.clone());
            }
        }
    }

    /// Gives an option its value.
    pub fn insert(&mut self, definition: &'static Definition, setting: Setting) {
        self.0.insert(definition.name, (definition, setting));
    }

    /// Takes an option's value out.
    pub fn remove(&mut self, name: &str) -> Option<Setting> {
        self.0.remove(name).map(|(_, setting)| setting)
    }

    /// Keeps those options only.
    pub fn retain(&mut self, is_kept: impl Fn(&'static Definition) -> bool) {
        self.0.retain(|_, (definition, _)| is_kept(definition));
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Definition, &Setting)> {
        self.0.values().map(|(definition, setting)| (*definition, setting))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

//! Entries of a directory and the tree that they form, whether they came from `dse.ldif` or over LDAP.

use std::collections::BTreeMap;

use crate::{dn::Dn, ldif::Record};

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its name.
    pub dn: Dn,
    /// Values by attribute type in lower case, with the type as it was written.
    attributes: BTreeMap<String, (String, Vec<Vec<u8>>)>,
}

impl Entry {
    /// An entry without attributes.
    pub fn new(dn: Dn) -> Self {
        Self { dn, attributes: BTreeMap::new() }
    }

    /// The same with an attribute more.
    pub fn with(mut self, attribute: &str, values: &[&str]) -> Self {
        self.replace(attribute, values.iter().map(|value| value.as_bytes().to_vec()).collect());
        self
    }

    /// Adds a value.
    pub fn add(&mut self, attribute: &str, value: Vec<u8>) {
        let (_, values) = self.attributes.entry(attribute.to_lowercase()).or_insert_with(|| (attribute.to_owned(), Vec::new()));
        values.push(value);
    }

    /// Gives an attribute these values; without any, takes it away.
    pub fn replace(&mut self, attribute: &str, values: Vec<Vec<u8>>) {
        if values.is_empty() {
            self.attributes.remove(&attribute.to_lowercase());
        } else {
            self.attributes.insert(attribute.to_lowercase(), (attribute.to_owned(), values));
        }
    }

    /// The values that are text, in order.
    pub fn texts(&self, attribute: &str) -> Vec<&str> {
        let values = self.attributes.get(&attribute.to_lowercase()).map(|(_, values)| values.as_slice()).unwrap_or_default();
        values.iter().filter_map(|value| std::str::from_utf8(value).ok()).collect()
    }

    /// The first value, if it is text.
    pub fn text(&self, attribute: &str) -> Option<&str> {
        self.texts(attribute).first().copied()
    }

    /// Whether it is of an object class.
    pub fn is_a(&self, class: &str) -> bool {
        self.texts("objectclass").iter().any(|known| known.eq_ignore_ascii_case(class))
    }

    /// Whether it has every value that another one has.
    pub fn has_all_of(&self, other: &Self) -> bool {
        other.attributes.iter().all(|(attribute, (_, values))| {
            let own = self.attributes.get(attribute);
            own.is_some_and(|(_, own)| values.iter().all(|value| own.contains(value)))
        })
    }

    /// Attribute types as they were written, and their values.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &[Vec<u8>])> {
        self.attributes.values().map(|(name, values)| (name.as_str(), values.as_slice()))
    }
}

/// Entries by the normal forms of their names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tree(BTreeMap<String, Entry>);

impl Tree {
    /// No entry.
    pub fn new() -> Self {
        Self::default()
    }

    /// The entries of a file.
    pub fn from_records(records: Vec<Record>) -> Result<Self, crate::dn::Error> {
        let mut tree = Self::new();
        for record in records {
            let mut entry = Entry::new(Dn::parse(&record.dn)?);
            for (attribute, value) in record.attributes {
                entry.add(&attribute, value);
            }
            tree.insert(entry);
        }
        Ok(tree)
    }

    /// The entry of a name.
    pub fn get(&self, dn: &Dn) -> Option<&Entry> {
        self.0.get(dn.normal())
    }

    /// The entry of a name.
    pub fn get_mut(&mut self, dn: &Dn) -> Option<&mut Entry> {
        self.0.get_mut(dn.normal())
    }

    /// Puts an entry in the place of the one that has its name.
    pub fn insert(&mut self, entry: Entry) {
        self.0.insert(entry.dn.normal().to_owned(), entry);
    }

    /// Takes an entry out, and all below it.
    pub fn remove(&mut self, dn: &Dn) {
        self.0.retain(|_, known| known.dn != *dn && !known.dn.is_below(dn));
    }

    /// The entries right below a name.
    pub fn children<'a>(&'a self, dn: &'a Dn) -> impl Iterator<Item = &'a Entry> {
        self.0.values().filter(move |entry| entry.dn.is_child(dn))
    }

    /// All, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.0.values()
    }
}

//! Which object is meant, and what is wrong with it: the words in which users are told.

use std::fmt;

use crate::{options::Scope, value::Position};

/// The way to an object: an instance, a backend of it, an index or agreement of that.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(Vec<(Scope, String)>);

impl Place {
    /// An instance.
    pub fn instance(name: impl Into<String>) -> Self {
        Self(vec![(Scope::Instance, name.into())])
    }

    /// An object of this one.
    pub fn child(&self, scope: Scope, name: impl Into<String>) -> Self {
        let mut steps = self.0.clone();
        steps.push((scope, name.into()));
        Self(steps)
    }

    /// What the object belongs to.
    pub fn parent(&self) -> Self {
        Self(self.0.split_last().map(|(_, above)| above.to_vec()).unwrap_or_default())
    }

    /// The kind of object, unless it is the host itself.
    pub fn scope(&self) -> Option<Scope> {
        self.0.last().map(|(scope, _)| *scope)
    }

    /// The name of the object, empty for the host itself.
    pub fn name(&self) -> &str {
        self.0.last().map_or("", |(_, name)| name)
    }

    /// The name of the instance, empty for the host itself.
    pub fn instance_name(&self) -> &str {
        self.0.first().map_or("", |(_, name)| name)
    }

    /// The same with all names in lower case, for comparison.
    pub(crate) fn lowered(&self) -> Self {
        Self(self.0.iter().map(|(scope, name)| (*scope, name.to_lowercase())).collect())
    }

    /// The names on the way with dots between them, as modifiers have them.
    pub fn dotted(&self) -> String {
        self.0.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(".")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (scope, name)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{} {name}", scope.noun())?;
        }
        Ok(())
    }
}

/// One thing that is wrong with what a user wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// On which host, where there are several.
    pub host: Option<String>,
    /// With which object.
    pub place: Place,
    /// Where that is written.
    pub at: Option<Position>,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = self.at {
            write!(f, "{at}: ")?;
        }
        f.write_str(&self.without_position())
    }
}

impl Problem {
    /// All but where it is written, for whoever tells that in another way.
    pub fn without_position(&self) -> String {
        let host = self.host.as_ref().map(|host| format!("host {host}: ")).unwrap_or_default();
        let place = if self.place.0.is_empty() { String::new() } else { format!("{}: ", self.place) };
        format!("{host}{place}{}", self.message)
    }
}

/// All that is wrong, found in one go so that it can be mended in one go.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Nothing is wrong yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more.
    pub fn add(&mut self, place: &Place, at: Option<Position>, message: impl Into<String>) {
        self.0.push(Problem { host: None, place: place.clone(), at, message: message.into() });
    }

    /// Those of others too.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// The same, each said of this host.
    pub fn of_host(mut self, host: &str) -> Self {
        for problem in &mut self.0 {
            problem.host = Some(host.to_owned());
        }
        self
    }

    /// All, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `value`, if nothing is wrong.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let line = if index == 0 { "" } else { "\n" };
            write!(f, "{line}{problem}")?;
        }
        Ok(())
    }
}

//! What a module is asked for, read from its arguments: under our names and under those of ds389.ansible_ds. What the variables
//! in it mean is for `directory::intent`.

use directory::{
    dn::Dn,
    value::{Entry, Map, Node, Value},
};

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Request {
    /// The subject.
    pub(super) subject: Subject,
    /// How much is to be told, from 0 to 5.
    pub(super) verbosity: u8,
    /// Nothing is to be changed.
    pub(super) checks: bool,
    /// Each change is to be shown as what it was and what it will be.
    pub(super) shows_differences: bool,
    /// The arguments of the subject, as they were received.
    pub(super) original: Node,
}

/// What a request is about.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Subject {
    /// What the servers of this host should be.
    Servers {
        /// The host's name or address, as Ansible has it.
        host: String,
        /// The variables that say it.
        variables: Node,
        /// Numbers of suppliers of all hosts, by suffix.
        numbers: Vec<(Dn, u16)>,
    },
    /// What they are.
    Facts {
        /// Folder that 389 DS is installed below, if that is not the system's.
        prefix: Option<String>,
    },
}

/// Why arguments ask for nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Error {
    /// They are not what Ansible gives to a module.
    #[error("the input has no 'ANSIBLE_MODULE_ARGS': it has to be an object with the arguments of the module under that name")]
    NoArguments,
    /// Neither subject is there.
    #[error("the arguments have neither 'ds389' nor 'ds389info': one of them says what is to be done")]
    NoSubject,
    /// Both are.
    #[error("the arguments have both 'ds389' and 'ds389info': keep one of them")]
    TwoSubjects,
    /// A subject or another argument is of the wrong kind.
    #[error("'{key}' wants {wanted}, not {found}")]
    Kind {
        /// The argument.
        key: String,
        /// What it should be.
        wanted: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// There is no such argument.
    #[error("'{key}' is no argument of '{subject}', which has {known}")]
    Unknown {
        /// The argument.
        key: String,
        /// Of what.
        subject: &'static str,
        /// Those that are.
        known: &'static str,
    },
    /// Two arguments mean the same.
    #[error("'{key}' means what another argument means already: keep one of them")]
    Twice {
        /// The second of them.
        key: String,
    },
}

/// Where the arguments are.
const ARGUMENTS: &str = "ANSIBLE_MODULE_ARGS";

/// What Ansible says of a run, apart from what is asked for.
#[derive(Debug, Clone, Default)]
struct Run {
    host: Option<String>,
    verbosity: u8,
    checks: bool,
    shows_differences: bool,
}

impl Request {
    /// Reads what Ansible gives to a module.
    pub(super) fn read(input: &Node) -> Result<Self, Error> {
        let arguments = input.as_map().and_then(|map| map.get(ARGUMENTS)).and_then(Node::as_map).ok_or(Error::NoArguments)?;
        let subject = |key: &str| arguments.get(key).filter(|node| node.value != Value::Null);
        let (key, original) = match (subject("ds389"), subject("ds389info")) {
            (Some(servers), None) => ("ds389", servers),
            (None, Some(facts)) => ("ds389info", facts),
            (None, None) => return Err(Error::NoSubject),
            (Some(_), Some(_)) => return Err(Error::TwoSubjects),
        };
        let map = original.as_map().ok_or_else(|| kind(key, "a dictionary", original))?;
        let mut run = Run::default();
        for entry in arguments.entries() {
            run.read(&entry.key, &entry.node)?;
        }
        let (mut variables, mut numbers) = (Map::new(), Vec::new());
        for entry in map.entries() {
            let name = entry.key.to_lowercase();
            if name == "ansible_vars" {
                let said = entry.node.as_map().ok_or_else(|| kind("ansible_vars", "a dictionary", &entry.node))?;
                for entry in said.entries() {
                    if entry.key.eq_ignore_ascii_case("backends") {
                        numbers = suppliers(&entry.node)?;
                    } else {
                        run.read(&entry.key, &entry.node)?;
                    }
                }
            } else if !run.read(&name, &entry.node)? && !name.starts_with('_') && entry.node.value != Value::Null {
                let variable = variable(key, &name).ok_or_else(|| unknown(key, &entry.key))?;
                let entry = Entry { key: variable, at: entry.at, node: entry.node.clone() };
                if let Some(other) = variables.insert(entry) {
                    return Err(Error::Twice { key: other.key });
                }
            }
        }
        let subject = if key == "ds389" {
            let host = run.host.unwrap_or_else(|| "localhost".to_owned());
            Subject::Servers { host, variables: Node::new(Value::Map(variables)), numbers }
        } else {
            let prefix = match variables.get("ds389_prefix") {
                None => None,
                Some(node) => Some(node.as_text().ok_or_else(|| kind("prefix", "an absolute path", node))?.to_owned()),
            };
            Subject::Facts { prefix: prefix.filter(|prefix| !prefix.is_empty()) }
        };
        let Run { verbosity, checks, shows_differences, .. } = run;
        Ok(Self { subject, verbosity, checks, shows_differences, original: original.clone() })
    }
}

impl Run {
    /// Whether the argument says something of the run.
    fn read(&mut self, key: &str, node: &Node) -> Result<bool, Error> {
        match key.to_lowercase().as_str() {
            "ansible_host" => {
                if node.value != Value::Null {
                    self.host = Some(node.as_text().ok_or_else(|| kind(key, "a string", node))?.to_owned());
                }
            }
            "ansible_verbosity" | "_ansible_verbosity" => self.verbosity = self.verbosity.max(level(key, node)?),
            // Whoever asks in one place that nothing is changed means it.
            "ansible_check_mode" | "_ansible_check_mode" => self.checks |= is_on(key, node)?,
            "ansible_diff_mode" | "_ansible_diff" => self.shows_differences |= is_on(key, node)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// The suppliers of all hosts: suffixes, each with a number.
fn suppliers(node: &Node) -> Result<Vec<(Dn, u16)>, Error> {
    let wrong = || kind("backends", "a list of dictionaries, each with a suffix and its ReplicaId", node);
    let supplier = |item: &Node| {
        let map = item.as_map()?;
        let suffix = map.get("suffix").and_then(Node::as_text).and_then(|text| Dn::parse(text).ok())?;
        let Value::Integer(id) = map.get("ReplicaId")?.value else { return None };
        Some((suffix, u16::try_from(id).ok()?))
    };
    let items = if node.value == Value::Null { &[] } else { node.as_list().ok_or_else(wrong)? };
    items.iter().map(|item| supplier(item).ok_or_else(wrong)).collect()
}

/// The variable that an argument stands for.
fn variable(subject: &str, name: &str) -> Option<String> {
    let variable = match name {
        "prefix" | "ds389_prefix" | "ds389_server_prefix" => "ds389_prefix",
        _ if subject == "ds389info" => return None,
        "state" => "state",
        "instances" | "ds389_instances" | "ds389_server_instances" => "ds389_instances",
        "agmts" | "ds389_agmts" => "ds389_agmts",
        _ if name.starts_with("ds389option") || name.starts_with("ds389_option") => name,
        _ => return None,
    };
    Some(variable.to_owned())
}

fn unknown(subject: &str, key: &str) -> Error {
    match subject {
        "ds389" => {
            Error::Unknown { key: key.to_owned(), subject: "ds389", known: "state, instances, agmts, prefix, ansible_vars" }
        }
        _ => Error::Unknown { key: key.to_owned(), subject: "ds389info", known: "prefix, ansible_vars" },
    }
}

fn kind(key: &str, wanted: &'static str, node: &Node) -> Error {
    Error::Kind { key: key.to_owned(), wanted, found: node.value.kind() }
}

/// A verbosity; more than 5 is 5.
fn level(key: &str, node: &Node) -> Result<u8, Error> {
    let number = match &node.value {
        Value::Null => Some(0),
        Value::Integer(number) => Some(*number),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    let number = number.filter(|number| *number >= 0).ok_or_else(|| kind(key, "a number that is not negative", node))?;
    Ok(u8::try_from(number.min(5)).unwrap_or(5))
}

fn is_on(key: &str, node: &Node) -> Result<bool, Error> {
    match &node.value {
        Value::Null => Ok(false),
        Value::Boolean(on) => Ok(*on),
        Value::Text(text) if matches!(text.to_lowercase().as_str(), "true" | "yes" | "on" | "1") => Ok(true),
        Value::Text(text) if matches!(text.to_lowercase().as_str(), "false" | "no" | "off" | "0" | "") => Ok(false),
        _ => Err(kind(key, "a boolean", node)),
    }
}

#[cfg(test)]
mod tests;

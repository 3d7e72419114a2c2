//! From the variables of all hosts to what each of them should be: the way from `variables` over `modifiers` to `targets` and
//! `topology`, gone once for whoever starts from variables.

use std::collections::BTreeMap;

use crate::{
    fleet::{Fleet, Member},
    modifiers::{self, Name},
    place::{Place, Problems},
    specification::Specification,
    targets, topology,
    value::{Node, Value},
    variables::{Variables, is_template},
};

/// What all hosts should be, read and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    fleet: Fleet,
    names: BTreeMap<String, Vec<Name>>,
}

impl Intent {
    /// Reads the variables of hosts by their names in the inventory. Variables that are not ours are left alone, but for
    /// `ansible_host`, which is the address of a host that has instances. All that is wrong with any host is told at once.
    pub fn read(hosts: &BTreeMap<String, Node>) -> Result<Self, Problems> {
        Self::with(hosts, Templates::AreRefused)
    }

    /// The same of variables that Ansible has rendered: what looks like a template there is part of a value, such as a password.
    pub fn read_rendered(hosts: &BTreeMap<String, Node>) -> Result<Self, Problems> {
        Self::with(hosts, Templates::AreValues)
    }

    fn with(hosts: &BTreeMap<String, Node>, templates: Templates) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let mut fleet = Fleet::new();
        let mut names = BTreeMap::new();
        for (host, variables) in hosts {
            match member(variables, templates) {
                Ok((member, usable)) => {
                    fleet.insert(host, member);
                    names.insert(host.clone(), usable);
                }
                // Where there is but one host, nobody asks which.
                Err(found) if hosts.len() == 1 => problems.extend(found),
                Err(found) => problems.extend(found.of_host(host)),
            }
        }
        // Among some of the hosts only, much would look wrong that is not.
        let fleet = problems.or(fleet)?;
        topology::check(&fleet).or(Self { fleet, names })
    }

    /// The hosts and what is said of each, with agreements by target as they were written.
    pub fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// What a host should be, with every agreement by target resolved.
    pub fn specification(&self, host: &str) -> Result<Specification, Problems> {
        let resolved = targets::resolve(&self.fleet, host);
        resolved.map_err(|problems| if self.names.len() == 1 { problems } else { problems.of_host(host) })
    }

    /// What all hosts should be, with every agreement by target resolved.
    pub fn resolved(&self) -> Result<Fleet, Problems> {
        let mut problems = Problems::new();
        let mut resolved = Fleet::new();
        for (host, member) in self.fleet.iter() {
            match self.specification(host) {
                Ok(specification) => drop(resolved.insert(host, Member { address: member.address.clone(), specification })),
                Err(found) => problems.extend(found),
            }
        }
        problems.or(resolved)
    }

    /// The names that a further modifier of a host may use.
    pub fn names(&self, host: &str) -> &[Name] {
        self.names.get(host).map_or(&[], Vec::as_slice)
    }

    /// The backends among which targets are looked for: full name, suffix and role.
    pub fn backends(&self) -> Vec<String> {
        targets::backends(&self.fleet)
    }
}

/// What becomes of values that look like templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Templates {
    AreRefused,
    AreValues,
}

fn member(node: &Node, templates: Templates) -> Result<(Member, Vec<Name>), Problems> {
    let mut variables = Variables::read(node)?;
    if templates == Templates::AreRefused {
        variables.unrendered().or(())?;
    }
    let usable = modifiers::apply(&mut variables)?;
    let specification = Specification::read(&variables)?;
    // Who has no instances is no target, and its address may be whatever it is.
    let address = if specification.instances.is_empty() { None } else { address(node, templates)? };
    Ok((Member { address, specification }, usable))
}

/// Where a host is reached, if that is said.
fn address(variables: &Node, templates: Templates) -> Result<Option<String>, Problems> {
    let Some(node) = variables.as_map().and_then(|map| map.get("ansible_host")) else { return Ok(None) };
    let message = match &node.value {
        Value::Null => return Ok(None),
        Value::Text(text) if templates == Templates::AreRefused && is_template(node) => {
            format!("ansible_host is a template that was not rendered: {text}; write its value: only Ansible renders templates")
        }
        Value::Text(text) => return Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        other => format!("'ansible_host' wants a string, not {}", other.kind()),
    };
    let mut problems = Problems::new();
    problems.add(&Place::default(), node.at, message);
    Err(problems)
}

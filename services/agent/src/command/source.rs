//! The file that says what should be: read from disk or standard input, opened if it is vaulted, and understood as the
//! variables of one host or the inventory of many.

use std::collections::BTreeMap;

use clap::ValueEnum;
use directory::{
    fleet::Fleet,
    intent::Intent,
    inventory::{self, Inventory},
    specification::Specification,
    value::{Entry, Map, Node, Value},
    variables,
};

use super::{
    Error,
    console::Console,
    wire::{self, STDIN},
};
use crate::vault::{self, Passwords};

/// Where it is said what should be.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// YAML or JSON: the variables of one host (ds389_instances, ds389_agmts and so on), or what
    /// `ansible-inventory --list` prints; `-` is standard input
    pub(crate) file: String,

    /// Which host of the inventory this one is [default: the one that has this machine's name]
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Option<String>,

    /// File with the password of vaulted values, or program that prints it; with ID@ for one vault id. May be repeated
    #[arg(long = "vault-password-file", value_name = "[ID@]FILE")]
    vault_password_files: Vec<String>,

    /// What is asked of all instances together, instead of what the file says
    #[arg(long, value_enum, value_name = "STATE")]
    state: Option<State>,

    /// Folder that 389 DS is installed below, instead of what the file says
    #[arg(long, value_name = "FOLDER", value_parser = super::source::folder)]
    pub(crate) prefix: Option<String>,
}

/// What is asked of all instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    /// What is listed is there; nothing is deleted
    Present,
    /// What is listed is there, and what is not listed is deleted
    Updated,
    /// The instances that are listed are removed; if none are, all that Aviary manages
    Absent,
    /// The instances that are listed run
    Started,
    /// The instances that are listed do not run
    Stopped,
}

/// A prefix is a path from the root.
pub(crate) fn folder(text: &str) -> Result<String, String> {
    if text.starts_with('/') { Ok(text.to_owned()) } else { Err("it has to be an absolute path, such as /opt/ds".to_owned()) }
}

/// What was read.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// What the file is called in messages.
    pub(crate) name: String,
    /// The host that is meant.
    pub(crate) host: String,
    /// What it should be.
    pub(crate) specification: Specification,
}

impl Args {
    /// Reads the file and what it says of one host.
    pub(crate) fn read(&self, console: &Console) -> Result<Wanted, Error> {
        let passwords = self.passwords()?;
        let node = self.node(&passwords)?;
        let name = self.name();
        let of_inventory = |source| Error::Inventory { name: name.clone(), source };
        let is_inventory = inventory::is_inventory(&node);
        let Inventory { hosts, host } = inventory::read(node, self.host.as_deref(), &own_name()).map_err(of_inventory)?;
        let mut hosts = self.opened(hosts, &passwords)?;
        if let Some(node) = hosts.get_mut(&host) {
            self.check_subject(&host, node, is_inventory)?;
            self.overrule(node);
        }
        let intent = Intent::read(&hosts).map_err(|problems| Error::Problems { name: name.clone(), problems })?;
        let read = intent.specification(&host).map_err(|problems| Error::Problems { name: name.clone(), problems });
        let specification = read?;
        console.explain(1, format_args!("host {host}, {} in {name}", counted(hosts.len(), "host")));
        for backend in intent.backends() {
            console.explain(1, format_args!("replicated backend {backend}"));
        }
        for usable in intent.names(&host) {
            console.explain(2, format_args!("a modifier may name {usable}"));
        }
        Ok(Wanted { name, host, specification })
    }

    /// Reads the file and what it says of each host.
    pub(crate) fn read_all(&self) -> Result<(String, Fleet), Error> {
        let passwords = self.passwords()?;
        let node = self.node(&passwords)?;
        let name = self.name();
        let of_inventory = |source| Error::Inventory { name: name.clone(), source };
        let is_inventory = inventory::is_inventory(&node);
        let own = self.host.clone().unwrap_or_else(own_name);
        let hosts = match &self.host {
            Some(host) => inventory::read(node, Some(host), &own).map_err(of_inventory)?.hosts,
            None => inventory::hosts(node, &own).map_err(of_inventory)?,
        };
        let mut hosts = self.opened(hosts, &passwords)?;
        for (host, node) in &mut hosts {
            if !is_inventory {
                self.check_subject(host, node, is_inventory)?;
            }
            self.overrule(node);
        }
        let told = |problems| Error::Problems { name: name.clone(), problems };
        let fleet = Intent::read(&hosts).and_then(|intent| intent.resolved()).map_err(told)?;
        Ok((name, fleet))
    }

    /// The state that the command line asks for.
    pub(crate) fn state_name(&self) -> Option<String> {
        Some(self.state?.to_possible_value()?.get_name().to_owned())
    }

    fn name(&self) -> String {
        if self.file == STDIN { "standard input".to_owned() } else { self.file.clone() }
    }

    fn node(&self, passwords: &Passwords) -> Result<Node, Error> {
        let name = self.name();
        let text = self.text(passwords)?;
        inventory::parse(&text).map_err(|source| Error::Inventory { name, source })
    }

    fn text(&self, passwords: &Passwords) -> Result<String, Error> {
        let name = self.name();
        let text = wire::read(&self.file)?;
        if !vault::is_encrypted(&text) {
            return Ok(text);
        }
        vault::decrypt_file(&text, passwords).map_err(|problem| Error::Vault { name, problem })
    }

    /// Read once: a program that gives one may ask somebody for it.
    fn passwords(&self) -> Result<Passwords, Error> {
        Ok(Passwords::read(self.vault_password_files.iter().map(String::as_str))?)
    }

    /// The hosts with all that is vaulted and ours opened.
    fn opened(&self, mut hosts: BTreeMap<String, Node>, passwords: &Passwords) -> Result<BTreeMap<String, Node>, Error> {
        let mut problems = directory::place::Problems::new();
        let are_several = hosts.len() > 1;
        for (host, node) in &mut hosts {
            if let Err(found) = vault::decrypt(node, passwords) {
                problems.extend(if are_several { found.of_host(host) } else { found });
            }
        }
        problems.or(hosts).map_err(|problems| Error::Problems { name: self.name(), problems })
    }

    /// A file that is about something else is no wish to have nothing.
    fn check_subject(&self, host: &str, node: &Node, is_inventory: bool) -> Result<(), Error> {
        let entries = node.as_map().map(Map::entries).unwrap_or_default();
        let is_map = matches!(node.value, Value::Map(_) | Value::Null);
        if !is_map || self.state.is_some() || entries.iter().any(|entry| variables::is_ours(&entry.key)) {
            return Ok(());
        }
        let problem = if is_inventory {
            format!("has no variable for host {host} that is about 389 DS: give it ds389_instances, or name another by --host")
        } else if entries.iter().any(|entry| entry.key == "all") {
            "looks like the inventory itself: give what ansible-inventory --list prints of it".to_owned()
        } else {
            "has no variable that is about 389 DS: it needs ds389_instances at least".to_owned()
        };
        Err(Error::NothingOfOurs { name: self.name(), problem })
    }

    /// Puts what the command line says in the place of what the variables say.
    fn overrule(&self, node: &mut Node) {
        for (key, others, value) in
            [("state", &["ds389_state"][..], self.state_name()), ("ds389_prefix", &["ds389_server_prefix"], self.prefix.clone())]
        {
            let Some(value) = value else { continue };
            if node.value == Value::Null {
                node.value = Value::Map(Map::new());
            }
            let Some(map) = node.as_map_mut() else { continue };
            let is_it =
                |known: &str| known.eq_ignore_ascii_case(key) || others.iter().any(|other| known.eq_ignore_ascii_case(other));
            let said: Vec<String> = map.entries().iter().map(|entry| entry.key.clone()).filter(|known| is_it(known)).collect();
            for known in said {
                map.remove(&known);
            }
            map.insert(Entry { key: key.to_owned(), at: None, node: Node::text(value) });
        }
    }
}

/// The name of the user who runs this, or the number of one without.
pub(crate) fn user() -> Option<String> {
    let id = rustix::process::getuid().as_raw().to_string();
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let mut lines = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let named = lines.find(|fields| fields.get(2) == Some(&id.as_str())).and_then(|fields| Some((*fields.first()?).to_owned()));
    Some(named.unwrap_or(id))
}

/// The name that this machine has for itself.
pub(crate) fn own_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if name.trim().is_empty() { "localhost".to_owned() } else { name.trim().to_owned() }
}

/// `1 host`, `2 hosts`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 {
        ""
    } else if noun.ends_with('x') {
        "es"
    } else {
        "s"
    };
    format!("{count} {noun}{plural}")
}

//! The document that says what the instance should be, from the file or by gRPC, and what it says.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use directory::{
    dn::Dn,
    intent::Intent,
    inventory,
    place::Problems,
    specification::{Instance, Presence, Specification, State},
    value::{Node, Value},
    yaml,
};

use crate::{
    initial::{self, Initial},
    receive::{self, Receive},
};

/// What an agent calls the host that it is on.
const HOST: &str = "localhost";

/// What a document is called that came by gRPC.
pub(crate) const DOCUMENT: &str = "the document";

/// Why a document says nothing that an agent can do. No value of it is repeated that may be a secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It cannot be read.
    #[error("failed to read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not what it should be.
    #[error("failed to understand {name}: {problem}")]
    Syntax {
        /// What it is called.
        name: String,
        /// What is wrong, and where.
        problem: String,
    },
    /// What stands beside the variables is of the wrong kind.
    #[error("failed to understand {name}: '{key}' wants {wants}, not {kind}")]
    Kind {
        /// What it is called.
        name: String,
        /// The key.
        key: &'static str,
        /// What it takes.
        wants: &'static str,
        /// What there is.
        kind: &'static str,
    },
    /// It asks for what cannot be.
    #[error("failed to understand {name}: {problems}")]
    Problems {
        /// What it is called.
        name: String,
        /// All that is wrong.
        problems: Problems,
    },
    /// It is not about one instance that is to be there.
    #[error(
        "{name} has to list exactly one instance in ds389_instances, which is present, and no other ds389_state than present or \
         updated: a pod is one server"
    )]
    NotOne {
        /// What it is called.
        name: String,
    },
}

/// What the instance should be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wanted {
    /// Which of the documents about the instance this is: a later one has a higher number. `None` if nobody counts them.
    pub(crate) revision: Option<u64>,
    /// The generation of the resource that says so; 0 if there is none.
    pub(crate) generation: i64,
    /// Whether it is only to be said what would be done.
    pub(crate) check: bool,
    /// Whether clients are to be sent to other servers.
    pub(crate) fenced: bool,
    /// What the files of its certificate and of the authorities hold, which may come later than the document.
    pub(crate) tls: Option<Tls>,
    /// Entries to begin with that are in a store.
    pub(crate) initial: Vec<Initial>,
    /// Suffixes that another server may fill.
    pub(crate) receives: Vec<Receive>,
    /// Numbers of suppliers that are gone for good.
    pub(crate) gone: Vec<(Dn, u16)>,
    /// All that the variables say, and the numbers that are never cleaned.
    pub(crate) specification: Specification,
    /// The one instance of it.
    pub(crate) instance: Instance,
}

/// What files hold, as PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tls {
    pub(crate) certificate: String,
    pub(crate) authorities: String,
}

impl Wanted {
    /// The suffixes that its server serves.
    pub(crate) fn suffixes(&self) -> Vec<Dn> {
        let there = self.instance.backends.iter().filter(|backend| backend.presence == Presence::Present);
        there.filter_map(|backend| backend.suffix.clone()).collect()
    }
}

/// The bytes of the file.
pub(crate) async fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    tokio::fs::read(path).await.map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// What the bytes of a document say, which is called by this name.
pub(crate) fn read(name: &str, bytes: &[u8]) -> Result<Wanted, Error> {
    let problems = |problems| Error::Problems { name: name.to_owned(), problems };
    let node = parse(bytes).map_err(|problem| Error::Syntax { name: name.to_owned(), problem })?;
    let kind = |key, wants, kind| Error::Kind { name: name.to_owned(), key, wants, kind };
    let value = |key| node.as_map().and_then(|map| map.get(key)).map(|node| &node.value);
    let revision = match value("revision") {
        None => None,
        Some(Value::Integer(number)) if *number >= 0 => Some(number.unsigned_abs()),
        Some(Value::Integer(_)) => return Err(kind("revision", "a whole number from 0 on", "one below")),
        Some(other) => return Err(kind("revision", "a whole number from 0 on", other.kind())),
    };
    let generation = match value("generation") {
        None => 0,
        Some(Value::Integer(number)) => *number,
        Some(other) => return Err(kind("generation", "a whole number", other.kind())),
    };
    let truth = |key| match value(key) {
        None => Ok(false),
        Some(Value::Boolean(truth)) => Ok(*truth),
        Some(other) => Err(kind(key, "true or false", other.kind())),
    };
    let (check, fenced) = (truth("check")?, truth("fenced")?);
    let beside = |key| node.as_map().and_then(|map| map.get(key));
    let receives = beside("receives").map(receive::read).transpose();
    let receives = receives.map_err(|wants| kind("receives", wants, "something else"))?.unwrap_or_default();
    let numbers = beside("numbers").map(receive::numbers).transpose();
    let numbers = numbers.map_err(|wants| kind("numbers", wants, "something else"))?.unwrap_or_default();
    let gone = beside("gone").map(receive::numbers).transpose();
    let mut gone = gone.map_err(|wants| kind("gone", wants, "something else"))?.unwrap_or_default();
    let tls = beside("tls").map(|node| tls(node).ok_or_else(|| kind("tls", "certificate and authorities", "something else")));
    let tls = tls.transpose()?;
    let initial = beside("initial").map(initial::read).transpose();
    let initial = initial.map_err(|wants| kind("initial", wants, "something else"))?.unwrap_or_default();
    let identities = beside("identities").map(receive::identities).transpose();
    let identities = identities.map_err(|wants| kind("identities", wants, "something else"))?;
    let hosts = BTreeMap::from([(HOST.to_owned(), node)]);
    // A person may take us for Ansible, but not a program: what looks like a template there is a password.
    let intent = if revision.is_some() { Intent::read_rendered(&hosts) } else { Intent::read(&hosts) }.map_err(problems)?;
    let mut specification = intent.specification(HOST).map_err(problems)?;
    gone.retain(|gone| !numbers.contains(gone));
    specification.numbers.extend(numbers);
    specification.identities = identities;
    let is_kept = matches!(specification.state, State::Present | State::Updated);
    match specification.instances.as_slice() {
        [instance] if is_kept && instance.presence == Presence::Present => {
            let instance = instance.clone();
            Ok(Wanted { revision, generation, check, fenced, tls, initial, receives, gone, specification, instance })
        }
        _ => Err(Error::NotOne { name: name.to_owned() }),
    }
}

fn tls(node: &Node) -> Option<Tls> {
    let text = |key: &str| node.as_map()?.get(key)?.as_text().map(str::to_owned);
    Some(Tls { certificate: text("certificate")?, authorities: text("authorities")? })
}

/// The folder that 389 DS is installed below, as far as that can be told of a document that cannot be understood.
pub(crate) fn prefix(bytes: &[u8]) -> Option<String> {
    parse(bytes).ok()?.as_map()?.get("ds389_prefix")?.as_text().map(str::to_owned)
}

fn parse(bytes: &[u8]) -> Result<Node, String> {
    let text = String::from_utf8_lossy(bytes);
    inventory::parse(&text).map_err(|error| problem(&text, &error))
}

/// What is wrong with a text, without the value that it is wrong with: that may be a password.
fn problem(text: &str, error: &inventory::Error) -> String {
    let inventory::Error::Syntax { at, problem } = error else { return error.to_string() };
    match yaml::parse(text).map_err(|error| error.problem) {
        Err(yaml::Problem::NotThat { kind, .. }) => format!("{at}: a value is not {kind}; quote it to make it a string"),
        Err(yaml::Problem::TooLarge(_)) => {
            format!("{at}: a number is larger than it may be, which is 64 bits; quote it to make it a string")
        }
        Err(yaml::Problem::UnknownTag(_) | yaml::Problem::TagKind { .. }) => {
            format!("{at}: a tag is of no use; remove it, or quote the value if it begins with '!'")
        }
        _ => format!("{at}: {problem}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let read = read("f", text.as_bytes());
        let told = read.map(|wanted| wanted.instance.name).map_err(|error| error.to_string());
        match expected {
            Ok(name) => assert_eq!(told.as_deref(), Ok(name), "{text}"),
            Err(part) => assert!(told.as_ref().is_err_and(|error| error.contains(part)), "{text}: {told:?}"),
        }
    }

    #[test]
    fn what_looks_like_a_template_is_one_unless_a_program_wrote_it() {
        check("ds389_instances: [{name: a, rootpw: 'secret{{12'}]", Err("template"));
        check("{revision: 1, ds389_instances: [{name: a, rootpw: 'secret{{12'}]}", Ok("a"));
    }

    #[test]
    fn a_file_is_about_one_instance_that_is_there() {
        check("ds389_instances: [{name: a}]", Ok("a"));
        check("{ds389_state: updated, ds389_instances: [{name: a}]}", Ok("a"));
        check("ds389_instances: [{name: a}, {name: b}]", Err("exactly one instance"));
        check("ds389_instances: [{name: a, state: absent}]", Err("exactly one instance"));
        check("{ds389_state: absent, ds389_instances: [{name: a}]}", Err("exactly one instance"));
        check("{}", Err("exactly one instance"));
        check("ds389_instances: [{name: a, prot: 1}]", Err("prot"));
        check("ds389_instances: [", Err("failed to understand f"));
    }

    #[test]
    fn a_document_may_say_which_it_is() {
        let read = |text: &str| {
            let wanted = read("f", format!("{{{text}ds389_instances: [{{name: a}}]}}").as_bytes()).unwrap();
            (wanted.revision, wanted.generation, wanted.check)
        };
        assert_eq!(read(""), (None, 0, false));
        assert_eq!(read("revision: 7, generation: 3, check: yes, "), (Some(7), 3, true));
        assert_eq!(read("\"revision\": 0, \"generation\": -1, \"check\": false, "), (Some(0), -1, false));
        assert_eq!(read("revision: 9223372036854775807, "), (Some(i64::MAX.unsigned_abs()), 0, false));
        for (key, value, expected) in [
            ("revision", "'7'", "'revision' wants a whole number from 0 on, not a string"),
            ("revision", "-1", "'revision' wants a whole number from 0 on, not one below"),
            ("revision", "1.5", "'revision' wants a whole number from 0 on, not a number"),
            ("revision", "", "'revision' wants a whole number from 0 on, not nothing"),
            ("generation", "[1]", "'generation' wants a whole number, not a list"),
            ("check", "1", "'check' wants true or false, not a number"),
            ("fenced", "'no'", "'fenced' wants true or false, not a string"),
            ("initial", "[{file: a}]", "'initial' wants a list of file, url and secrets, not something else"),
            ("tls", "{certificate: a}", "'tls' wants certificate and authorities, not something else"),
        ] {
            check(&format!("{key}: {value}\nds389_instances: [{{name: a}}]"), Err(expected));
        }
    }

    #[test]
    fn a_value_that_cannot_be_read_is_not_repeated() {
        for text in [
            "ds389_instances: [{name: a, rootpw: !123456789123456789123}]",
            "ds389_instances: [{name: a, rootpw: !!int a123456789123456789123}]",
            "ds389_instances: [{name: a, rootpw: 123456789123456789123}]",
            "ds389_instances: [{name: a, rootpw: '{{ 123456789123456789123 }}'}]",
            "{\"ds389_instances\": [{\"name\": \"a\", \"rootpw\": a123456789123456789123}]",
            "{\"ds389_instances\": [{\"name\": \"a\", \"rootpw\": [\"123456789123456789123\"]}]}",
        ] {
            let told = read("f", text.as_bytes()).map(|_| ()).map_err(|error| error.to_string());
            assert!(told.as_ref().is_err_and(|told| !told.contains("123456789")), "{text}: {told:?}");
        }
    }

    #[test]
    fn where_it_is_installed_is_told_of_a_document_that_is_wrong() {
        assert_eq!(prefix(b"{ds389_prefix: /opt, ds389_instances: [{prot: 1}]}").as_deref(), Some("/opt"));
        assert_eq!(prefix(b"{ds389_prefix: /opt").as_deref(), None);
        assert_eq!(prefix(b"").as_deref(), None);
    }
}

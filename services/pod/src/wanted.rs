//! The file that says what the instance should be, and what it says.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use directory::{
    dn::Dn,
    intent::Intent,
    inventory,
    place::Problems,
    specification::{Instance, Presence, Specification, State},
};

/// What an agent calls the host that it is on.
const HOST: &str = "localhost";

/// Why a file says nothing that an agent can do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It cannot be read.
    #[error("failed to read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not what it should be.
    #[error("failed to understand {}: {source}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: inventory::Error,
    },
    /// It asks for what cannot be.
    #[error("failed to understand {}: {problems}", path.display())]
    Problems {
        /// The file.
        path: PathBuf,
        /// All that is wrong.
        problems: Problems,
    },
    /// It is not about one instance that is to be there.
    #[error(
        "{} has to list exactly one instance in ds389_instances, which is present, and no other ds389_state than present or \
         updated: a pod is one server",
        path.display()
    )]
    NotOne {
        /// The file.
        path: PathBuf,
    },
}

/// What the instance should be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wanted {
    /// All that the file says.
    pub(crate) specification: Specification,
    /// The one instance of it.
    pub(crate) instance: Instance,
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

/// What the bytes of the file at a path say.
pub(crate) fn read(path: &Path, bytes: &[u8]) -> Result<Wanted, Error> {
    let problems = |problems| Error::Problems { path: path.to_owned(), problems };
    let node = inventory::parse(&String::from_utf8_lossy(bytes));
    let node = node.map_err(|source| Error::Syntax { path: path.to_owned(), source })?;
    let intent = Intent::read(&BTreeMap::from([(HOST.to_owned(), node)])).map_err(problems)?;
    let specification = intent.specification(HOST).map_err(problems)?;
    let is_kept = matches!(specification.state, State::Present | State::Updated);
    match specification.instances.as_slice() {
        [instance] if is_kept && instance.presence == Presence::Present => {
            let instance = instance.clone();
            Ok(Wanted { specification, instance })
        }
        _ => Err(Error::NotOne { path: path.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let read = read(Path::new("f"), text.as_bytes());
        let told = read.map(|wanted| wanted.instance.name).map_err(|error| error.to_string());
        match expected {
            Ok(name) => assert_eq!(told.as_deref(), Ok(name), "{text}"),
            Err(part) => assert!(told.as_ref().is_err_and(|error| error.contains(part)), "{text}: {told:?}"),
        }
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
}

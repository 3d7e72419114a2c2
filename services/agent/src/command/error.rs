//! Why the command did not do what was asked: each problem in a line that says where and what to do.

use std::{fmt, io};

use directory::{
    inventory,
    place::{Problem, Problems},
};
use serde_json::{Value as Json, json};

use crate::{host, installation, report, transfer, vault};

/// Why the command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("failed to read {name}: {source}")]
    Read {
        /// The file as it was named.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// The file is too long.
    #[error("{name} has more than {limit} bytes, which is more than is read")]
    TooLong {
        /// The file.
        name: String,
        /// The limit.
        limit: u64,
    },
    /// The file is no text.
    #[error("{name} is no text in UTF-8: byte {byte} is the first that is none")]
    NoText {
        /// The file.
        name: String,
        /// Which byte, counted from 1.
        byte: usize,
    },
    /// The file is encrypted as a whole, and stays so.
    #[error("{name} {problem}")]
    Vault {
        /// The file.
        name: String,
        /// Why it stays so.
        problem: vault::Problem,
    },
    /// There is no vault password where one should be.
    #[error(transparent)]
    Passwords(#[from] vault::Error),
    /// The file is not what it should be.
    #[error("{}{source}", place(name, source))]
    Inventory {
        /// The file.
        name: String,
        /// What is wrong.
        source: inventory::Error,
    },
    /// The file is about something else.
    #[error("{name} {problem}")]
    NothingOfOurs {
        /// The file.
        name: String,
        /// What it lacks, and what to do.
        problem: String,
    },
    /// What the file says is wrong.
    #[error("{}", Lines { name, problems })]
    Problems {
        /// The file.
        name: String,
        /// What is wrong with it.
        problems: Problems,
    },
    /// Part of what the file says cannot be said by resources.
    #[error("{}\nnothing was printed: change this, or have it left out by --skip-unsupported", Lines { name, problems })]
    Unsupported {
        /// The file.
        name: String,
        /// What no resource can say.
        problems: Problems,
    },
    /// The servers could not be looked at or changed.
    #[error("{source}{}", rights(source))]
    Host {
        /// What went wrong.
        #[from]
        source: host::Error,
    },
    /// Data could not be taken out or put back.
    #[error(transparent)]
    Transfer(#[from] transfer::Error),
    /// There is no report, or not where it should be.
    #[error(transparent)]
    Report(#[from] report::Error),
    /// An action failed.
    #[error("{source}{}; {done} of {all} actions were done: when this is mended, apply again to go on", rights(source))]
    Action {
        /// What went wrong.
        source: Box<host::Error>,
        /// How many were done.
        done: usize,
        /// How many there were.
        all: usize,
    },
    /// A name that no instance has.
    #[error("there is no instance '{name}' on this host; it has {known}")]
    NoInstance {
        /// The name.
        name: String,
        /// What there is.
        known: String,
    },
    /// A server that cannot have a supplier forgotten.
    #[error("backend {backend} of instance {instance} cannot have supplier {id} forgotten: {problem}")]
    Forget {
        /// The instance.
        instance: String,
        /// The backend.
        backend: String,
        /// The number of the supplier.
        id: u16,
        /// Why, and what to do.
        problem: String,
    },
    /// Somebody has to say that data may be lost, and nobody can be asked.
    #[error("this deletes data, and there is no terminal to ask at: look at the plan, then add --yes")]
    NeedsYes,
    /// Somebody was asked and said no.
    #[error("nothing was changed")]
    Declined,
    /// While somebody thought about a plan, the servers have changed.
    #[error("the servers have changed meanwhile, and with them the plan; look at it and apply again")]
    Moved,
    /// A signal came between two actions.
    #[error("stopped after {done} of {all} actions; apply again to go on")]
    Interrupted {
        /// How many were done.
        done: usize,
        /// How many there were.
        all: usize,
    },
    /// The program itself could not start.
    #[error("failed to start: {0}")]
    Runtime(io::Error),
}

impl Error {
    /// The same for a program.
    pub fn json(&self) -> Json {
        let mut object = json!({ "error": self.to_string() });
        if let Self::Problems { name, problems } | Self::Unsupported { name, problems } = self {
            let problem = |problem: &Problem| {
                json!({
                    "file": name,
                    "line": problem.at.map(|at| at.line),
                    "column": problem.at.map(|at| at.column),
                    "host": problem.host,
                    "place": problem.place.dotted(),
                    "message": problem.message,
                })
            };
            object["problems"] = problems.iter().map(problem).collect();
        }
        object
    }
}

struct Lines<'a> {
    name: &'a str,
    problems: &'a Problems,
}

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let line = if index == 0 { "" } else { "\n" };
            write!(f, "{line}{}", Line { name: self.name, problem })?;
        }
        Ok(())
    }
}

/// What there is to say of an object in a file, and where that is.
pub(super) struct Line<'a> {
    pub(super) name: &'a str,
    pub(super) problem: &'a Problem,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.name)?;
        if let Some(at) = self.problem.at {
            write!(f, "{}:{}:", at.line, at.column)?;
        }
        write!(f, " {}", self.problem.without_position())
    }
}

/// Where a file is no YAML or JSON, or its name.
fn place(name: &str, error: &inventory::Error) -> String {
    match error {
        inventory::Error::Syntax { at, .. } => format!("{name}:{}:{}: ", at.line, at.column),
        _ => format!("{name}: "),
    }
}

/// What to do if the system did not let us.
fn rights(error: &host::Error) -> String {
    let is_root = rustix::process::geteuid().is_root();
    let is_told = matches!(error, host::Error::Installation(installation::Error::Read { .. }));
    let denied = io::Error::from_raw_os_error(rustix::io::Errno::ACCESS.raw_os_error()).to_string();
    if !is_root && !is_told && error.to_string().contains(&denied) {
        "; run this as root, or as the user whom the server runs as".to_owned()
    } else {
        String::new()
    }
}

//! The command `aviary-ds389`, as a user starts it, on servers of its own.

mod apply;
mod bad_input;
mod docs;
mod forget;
mod inventory;
mod report;
mod resources;
mod secrets;
mod vault;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value as Json;
use tests::{
    installation::{Prefix, ports},
    process::feed,
    served,
};

/// How a command ended, and what it wrote.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// An installation, and a folder for files.
pub(crate) struct Machine {
    pub(crate) prefix: Prefix,
    folder: tempfile::TempDir,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        // The server's user reads files from here too.
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        Self { prefix: Prefix::new(), folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file; gives its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Runs a subcommand on this installation.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        run(&[arguments, &["--prefix", self.prefix.path()]].concat(), "")
    }

    /// Runs it, and it has to work.
    #[track_caller]
    pub(crate) fn works(&self, arguments: &[&str]) -> String {
        let outcome = self.run(arguments);
        assert_eq!(outcome.code, 0, "{arguments:?}: {}\n{}", outcome.out, outcome.err);
        outcome.out
    }

    /// Runs it with JSON as its output.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Json {
        let outcome = self.run(&[arguments, &["--output", "json"]].concat());
        serde_json::from_str(&outcome.out).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {outcome:?}"))
    }
}

pub(crate) fn binary() -> PathBuf {
    served::program("aviary-ds389")
}

/// Runs the command with something on its standard input.
pub(crate) fn run(arguments: &[&str], input: &str) -> Outcome {
    let output = feed(Command::new(binary()).args(arguments), input);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Outcome { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

/// A program of the real Ansible.
pub(crate) fn ansible(program: &str) -> Command {
    let path = tests::target_dir().join("tools/ansible/bin").join(program);
    assert!(path.exists(), "{} is missing: tests/run installs it", path.display());
    let mut command = Command::new(path);
    command.env("ANSIBLE_LOCALHOST_WARNING", "0").env("LC_ALL", "C.UTF-8");
    command
}

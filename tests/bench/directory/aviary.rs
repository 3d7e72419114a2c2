//! Our way: one start of `aviary-ds389` for all that is wanted.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use tests::installation::Prefix;

/// An installation, and the command.
pub(super) struct Host {
    prefix: Prefix,
}

impl Host {
    pub(super) fn new() -> Self {
        Self { prefix: Prefix::new() }
    }

    /// How long it takes to make the host what is wanted.
    pub(super) fn apply(&self, wanted: &str) -> Duration {
        let file = std::path::Path::new(self.prefix.path()).join("wanted.yaml");
        std::fs::write(&file, wanted).unwrap();
        self.run(&["apply", file.to_str().unwrap()])
    }

    /// How long it takes to tell what the host is.
    pub(super) fn facts(&self) -> Duration {
        self.run(&["facts"])
    }

    fn run(&self, arguments: &[&str]) -> Duration {
        let program = tests::target_dir().join("release/aviary-ds389");
        let begun = Instant::now();
        let output = Command::new(program).args(arguments).args(["--prefix", self.prefix.path()]).output().unwrap();
        let time = begun.elapsed();
        assert_success(&output);
        time
    }
}

/// What a program says when it fails is what one wants to know.
pub(super) fn assert_success(output: &Output) {
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

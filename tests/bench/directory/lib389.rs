//! The way of lib389: dscreate for an instance, and dsconf for each object.

use std::process::Command;
use std::time::{Duration, Instant};

use tests::installation::Prefix;

use super::aviary::assert_success;
use super::wanted::{self, CONSUMER, NAME, PASSWORD, PORT, SECURE_PORT, attributes, suffix};

/// An installation, and the commands.
pub(super) struct Host {
    prefix: Prefix,
}

impl Host {
    pub(super) fn new() -> Self {
        Self { prefix: Prefix::new() }
    }

    /// How long it takes to create the instance.
    pub(super) fn create(&self) -> Duration {
        let file = std::path::Path::new(self.prefix.path()).join("wanted.inf");
        let text = format!(
            "[general]\nconfig_version = 2\nselinux = False\nsystemd = False\n[slapd]\ninstance_name = {NAME}\nport = {PORT}\n\
             secure_port = {SECURE_PORT}\nroot_password = {PASSWORD}\n"
        );
        std::fs::write(&file, text).unwrap();
        let begun = Instant::now();
        self.run("dscreate", &["from-file", file.to_str().unwrap()]);
        begun.elapsed()
    }

    /// How long it takes to make backends, with indexes, and replicas with agreements of the first of them.
    pub(super) fn make(&self, backends: usize, indexes: usize, agreements: usize) -> Duration {
        let begun = Instant::now();
        for number in 0..backends {
            let (name, suffix) = (format!("b{number}"), suffix(number));
            self.dsconf(&["backend", "create", "--suffix", &suffix, "--be-name", &name, "--create-suffix"]);
            for attribute in attributes(indexes) {
                let index = ["backend", "index", "add", "--attr", attribute, "--index-type", "eq", "--index-type", "pres", &name];
                self.dsconf(&index);
            }
            if number < agreements {
                self.replicate(number, &suffix);
            }
        }
        begun.elapsed()
    }

    fn replicate(&self, number: usize, suffix: &str) {
        const MANAGER: &str = "cn=manager,cn=config";
        let enable = ["replication", "enable", "--suffix", suffix, "--role", "supplier", "--replica-id", "1"];
        self.dsconf(&[enable.as_slice(), &["--bind-dn", MANAGER, "--bind-passwd", PASSWORD]].concat());
        let (port, name) = (CONSUMER.to_string(), format!("a{number}"));
        let create = ["repl-agmt", "create", "--suffix", suffix, "--host", "localhost", "--port", &port];
        let bind = ["--conn-protocol", "LDAP", "--bind-method", "SIMPLE", "--bind-dn", MANAGER, "--bind-passwd", PASSWORD, &name];
        self.dsconf(&[create.as_slice(), &bind].concat());
    }

    fn dsconf(&self, arguments: &[&str]) {
        self.run("dsconf", &[&[wanted::NAME], arguments].concat());
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let output = Command::new(program).args(arguments).env("PREFIX", self.prefix.path()).output();
        let output = output.unwrap_or_else(|error| panic!("failed to start {program}: {error}; tests/run bench installs it"));
        assert_success(&output);
    }
}

//! A client of a directory, over the way that `kubectl port-forward` makes to its pod.

use std::{
    collections::BTreeSet,
    fs::OpenOptions,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    process::{Command, Output},
};

use tempfile::TempDir;
use tests::process::feed;

use crate::fleet::Operator;

/// The suffix of the samples.
pub(crate) const SUFFIX: &str = "dc=example,dc=com";

/// A unit of this name below the suffix, as LDIF.
pub(crate) fn unit(name: &str) -> String {
    format!("dn: ou={name},{SUFFIX}\nobjectClass: organizationalUnit\nou: {name}\n\n")
}

/// A client of one server.
pub(crate) struct Client<'a> {
    operator: &'a Operator,
    instance: &'static str,
    folder: TempDir,
}

impl<'a> Client<'a> {
    pub(crate) fn new(operator: &'a Operator, instance: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.path().join("password")).unwrap();
        file.write_all(operator.secret(&format!("{instance}-directory-manager"), "password").as_bytes()).unwrap();
        Self { operator, instance, folder }
    }

    pub(crate) fn ldap(&self, program: &str, arguments: &[&str], input: &str) -> Output {
        self.try_ldap(program, arguments, input).unwrap()
    }

    /// The same of a server whose pod may not be there.
    pub(crate) fn try_ldap(&self, program: &str, arguments: &[&str], input: &str) -> Result<Output, String> {
        // It ends with the first client that goes.
        let (port, _forward) = self.operator.namespace.try_forward(&format!("pod/{}-0", self.instance), 3636)?;
        // It would wait for ever for an answer that got lost with its pod.
        let mut command = Command::new("timeout");
        command
            .args(["20", program])
            // The way to the server leads over this machine, whose name is not in the certificate.
            .env("LDAPTLS_REQCERT", "never")
            .args(["-x", "-H", &format!("ldaps://localhost:{}", port), "-D", "cn=Directory Manager", "-y"])
            .arg(self.folder.path().join("password"))
            .args(arguments);
        Ok(feed(&mut command, input))
    }

    /// Adds a unit of this name, if the server takes it.
    pub(crate) fn try_add(&self, name: &str) -> Result<Output, String> {
        self.try_ldap("ldapadd", &["-o", "nettimeout=5"], &unit(name))
    }

    /// The units whose names begin so; `None` while the server does not answer.
    pub(crate) fn try_units(&self, start: &str) -> Option<BTreeSet<String>> {
        self.values(&["-b", SUFFIX, &format!("(ou={start}*)")], "ou").map(|values| values.into_iter().collect())
    }

    /// A setting of the server, if it answers and has one.
    pub(crate) fn setting(&self, attribute: &str) -> Option<String> {
        self.values(&["-b", "cn=config", "-s", "base", "(objectClass=*)"], attribute)?.pop()
    }

    /// The names of its agreements, if it answers.
    pub(crate) fn agreements(&self) -> Option<Vec<String>> {
        self.values(&["-b", "cn=mapping tree,cn=config", "(objectClass=nsds5ReplicationAgreement)"], "cn")
    }

    fn values(&self, search: &[&str], attribute: &str) -> Option<Vec<String>> {
        let arguments = [&["-LLL", "-o", "nettimeout=5"], search, &[attribute]].concat();
        let output = self.try_ldap("ldapsearch", &arguments, "").ok().filter(|output| output.status.success())?;
        let start = format!("{attribute}: ");
        Some(
            String::from_utf8_lossy(&output.stdout)
                .lines()
                .filter_map(|line| line.strip_prefix(&start))
                .map(str::to_owned)
                .collect(),
        )
    }

    /// Adds a unit of this name.
    #[track_caller]
    pub(crate) fn add(&self, name: &str) {
        let output = self.try_add(name).unwrap();
        assert!(output.status.success(), "{}: {}", self.instance, String::from_utf8_lossy(&output.stderr));
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        let output = self.ldap("ldapsearch", &["-LLL", "-b", &format!("ou={name},{SUFFIX}"), "-s", "base", "ou"], "");
        output.status.success() && String::from_utf8_lossy(&output.stdout).contains(&format!("ou: {name}"))
    }

    #[track_caller]
    pub(crate) fn until_has(&self, name: &str) {
        self.operator.namespace.until(&format!("ou={name} at {}", self.instance), || self.has(name));
    }
}

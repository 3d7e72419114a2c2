//! The real `ansible-playbook` on hosts that are all this machine, each with an installation of 389 DS of its own.
//!
//! The programs come from `tests/run`, which installs them; nothing here downloads.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::{Value, json};

use crate::installation::Prefix;

/// A folder with an inventory, and the hosts in it.
pub struct Site {
    folder: tempfile::TempDir,
    programs: PathBuf,
    prefixes: BTreeMap<String, Prefix>,
    environment: Vec<(String, String)>,
}

/// What a run of a playbook came to.
pub struct Run {
    /// All that it printed.
    pub text: String,
    /// Whether it ended well.
    pub succeeded: bool,
    /// What each host answered, by its name, if the playbook tells.
    pub results: BTreeMap<String, Value>,
}

/// Opens what the site has vaulted.
pub const VAULT_PASSWORD: &str = "open-sesame-7";

/// A program of the Python that has Ansible installed.
pub fn program(name: &str) -> PathBuf {
    existing(crate::target_dir().join("tools/ansible/bin").join(name))
}

fn existing(program: PathBuf) -> PathBuf {
    assert!(program.exists(), "{} is missing: run tests/run once", program.display());
    program
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

impl Site {
    /// Makes hosts in the group `ldap`. Their variables are told the prefix of each.
    pub fn new(hosts: &[&str], variables: impl Fn(&str, &Prefix) -> Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let prefixes: BTreeMap<String, Prefix> = hosts.iter().map(|host| ((*host).to_owned(), Prefix::new())).collect();
        let programs = crate::target_dir().join("tools/ansible");
        let site = Self { folder, programs, prefixes, environment: Vec::new() };
        for (host, prefix) in &site.prefixes {
            let mut said = variables(host, prefix);
            said["ds389_prefix"] = json!(prefix.path());
            site.write(&format!("host_vars/{host}.json"), &said.to_string());
        }
        let hosts: Value = site.prefixes.keys().map(|host| (host.clone(), json!({}))).collect::<serde_json::Map<_, _>>().into();
        let all = json!({
            "ansible_connection": "local",
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "ds389_binary": crate::served::program("aviary-ds389"),
            "results": site.path("results"),
        });
        site.write("inventory.json", &json!({"ldap": {"hosts": hosts, "vars": all}}).to_string());
        site.write("vault-password", VAULT_PASSWORD);
        site.write("home/.keep", "");
        site
    }

    /// A variable of the environment of what is run.
    pub fn with_environment(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Has the real ARA record what is run, into a database that is not there yet.
    pub fn recorded(mut self, database: &Path) -> Self {
        self.programs = crate::target_dir().join("tools/ara");
        let python = existing(self.programs.join("bin/python"));
        let asked = Command::new(&python).args(["-m", "ara.setup.callback_plugins"]).output().unwrap();
        assert!(asked.status.success(), "{asked:?}");
        let callback = String::from_utf8(asked.stdout).unwrap().trim().to_owned();
        fs::create_dir_all(database.parent().unwrap()).unwrap();
        for (name, value) in [
            ("ANSIBLE_CALLBACK_PLUGINS", callback),
            ("ARA_BASE_DIR", self.path("home/ara").display().to_string()),
            ("ARA_SETTINGS", self.path("home/ara/none.yaml").display().to_string()),
            ("ARA_DATABASE_NAME", database.display().to_string()),
            ("ARA_TIME_ZONE", "UTC".to_owned()),
            ("ARA_LOG_LEVEL", "ERROR".to_owned()),
        ] {
            self.environment.push((name.to_owned(), value));
        }
        self
    }

    /// A file of the site.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of the site.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes variables of all hosts, as a file that is encrypted as a whole.
    pub fn write_vaulted(&self, name: &str, variables: &Value) {
        let name = format!("group_vars/ldap/{name}.json");
        self.write(&name, &variables.to_string());
        let output = self.command("ansible-vault").arg("encrypt").arg(self.path(&name)).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// The installation of a host.
    pub fn prefix(&self, host: &str) -> &Prefix {
        &self.prefixes[host]
    }

    /// All installations, by host.
    pub fn prefixes(&self) -> impl Iterator<Item = (&str, &Prefix)> {
        self.prefixes.iter().map(|(host, prefix)| (host.as_str(), prefix))
    }

    /// A program of Ansible's, to be run for this site.
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(existing(self.programs.join("bin").join(name)));
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap())
            .env("LANG", "C.UTF-8")
            .env("HOME", self.path("home"))
            .env("ANSIBLE_COLLECTIONS_PATH", repository().join("deploy/ansible"))
            .env("ANSIBLE_VAULT_PASSWORD_FILE", self.path("vault-password"))
            .env("ANSIBLE_LOCAL_TEMP", self.path("home/local-temp"))
            .env("ANSIBLE_REMOTE_TMP", self.path("home/remote-temp"))
            .env("ANSIBLE_NOCOLOR", "1")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// A playbook of `tests/ds389/ansible`, to be run.
    pub fn playbook_command(&self, playbook: &str, arguments: &[&str]) -> Command {
        let mut command = self.command("ansible-playbook");
        command.args(["-i", "inventory.json"]).args(arguments).arg(repository().join("tests/ds389/ansible").join(playbook));
        command
    }

    /// Runs a playbook of `tests/ds389/ansible`.
    pub fn run(&self, playbook: &str, arguments: &[&str]) -> Run {
        let _ = fs::remove_dir_all(self.path("results"));
        fs::create_dir_all(self.path("results")).unwrap();
        let output = self.playbook_command(playbook, arguments).output().unwrap();
        self.outcome(&output)
    }

    /// What a playbook that has ended came to.
    pub fn outcome(&self, output: &Output) -> Run {
        let text = [&output.stdout, &output.stderr].map(|part| String::from_utf8_lossy(part).into_owned()).concat();
        let mut results = BTreeMap::new();
        for entry in fs::read_dir(self.path("results")).unwrap() {
            let path = entry.unwrap().path();
            let host = path.file_stem().unwrap().to_str().unwrap().to_owned();
            results.insert(host, serde_json::from_slice(&fs::read(&path).unwrap()).unwrap());
        }
        Run { text, succeeded: output.status.success(), results }
    }
}

impl Run {
    /// The same, if it ended well.
    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert!(self.succeeded, "{}", self.text);
        self
    }

    /// What a host answered under a key.
    #[track_caller]
    pub fn get(&self, host: &str, key: &str) -> &Value {
        let result = self.results.get(host).unwrap_or_else(|| panic!("{host} told nothing:\n{}", self.text));
        &result[key]
    }

    /// Whether any host was changed, as Ansible counts it.
    pub fn changed(&self) -> bool {
        let recap = self.text.split("PLAY RECAP").nth(1).unwrap_or_default();
        recap.split_whitespace().any(|word| word.strip_prefix("changed=").is_some_and(|count| count != "0"))
    }
}

//! The installed 389 Directory Server: its version, its programs, and the folders that it takes for an instance when nothing
//! else is said. All of it stands in `defaults.inf`. What an instance made of that is for `paths` to say.
//!
//! Reads files where it is called: do so where blocking is allowed.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use directory::{specification::is_instance_name, version::Version};

use crate::dse;

/// Where the file lies, below a prefix.
const DEFAULTS: &str = "share/dirsrv/inf/defaults.inf";

/// What stands in the file for the name of an instance.
const NAME: &str = "{instance_name}";

/// How folders of instances begin.
const FOLDER: &str = "slapd-";

/// Why no installation can be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The host has no 389 Directory Server.
    #[error("389 Directory Server is not installed: there is no {path}; install the package 389-ds-base")]
    NotInstalled {
        /// The file that is missing.
        path: PathBuf,
    },
    /// The prefix leads to no 389 Directory Server.
    #[error("no 389 Directory Server is below the prefix {prefix}: there is no {path}; correct the prefix or leave it out")]
    WrongPrefix {
        /// The prefix as given.
        prefix: PathBuf,
        /// The file that is missing.
        path: PathBuf,
    },
    /// A file or folder of the installation cannot be read.
    #[error("failed to read {path}: {source}; run this as root, or as the user whom the server runs as")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file has not what it should have.
    #[error("{path} has no '{key}' in its section [slapd]; install 389-ds-base anew")]
    Incomplete {
        /// The file.
        path: PathBuf,
        /// What is missing, or is no version.
        key: &'static str,
    },
    /// The server is older than any that can be managed.
    #[error("389 Directory Server {found} is too old: {oldest} or newer is needed; upgrade 389-ds-base", oldest = Version::OLDEST)]
    TooOld {
        /// Its version.
        found: Version,
    },
}

/// An installed 389 Directory Server.
#[derive(Debug, Clone)]
pub struct Installation {
    version: Version,
    values: BTreeMap<String, String>,
}

impl Installation {
    /// Keys without which nothing works.
    const NEEDED: [&'static str; 21] = [
        "sbin_dir",
        "data_dir",
        "sysconf_dir",
        "config_dir",
        "run_dir",
        "ldapi",
        "pid_file",
        "inst_dir",
        "tmp_dir",
        "bin_dir",
        "schema_dir",
        "cert_dir",
        "lock_dir",
        "log_dir",
        "db_dir",
        "db_home_dir",
        "backup_dir",
        "ldif_dir",
        "user",
        "group",
        "root_dn",
    ];

    /// Finds what is installed below a prefix, or without one where packages install it.
    pub fn find(prefix: Option<&str>) -> Result<Self, Error> {
        let prefix = prefix.filter(|prefix| !prefix.is_empty()).map(Path::new);
        let places = match prefix {
            Some(prefix) => vec![prefix.join(DEFAULTS), prefix.join("usr").join(DEFAULTS)],
            None => vec![Path::new("/usr").join(DEFAULTS)],
        };
        for path in &places {
            match fs::read_to_string(path) {
                Ok(text) => return Self::read(&text, path),
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
                Err(source) => return Err(Error::Read { path: path.clone(), source }),
            }
        }
        let path = places.into_iter().next().unwrap_or_default();
        Err(match prefix {
            Some(prefix) => Error::WrongPrefix { prefix: prefix.to_owned(), path },
            None => Error::NotInstalled { path },
        })
    }

    fn read(text: &str, path: &Path) -> Result<Self, Error> {
        let values = section(text, "slapd");
        let incomplete = |key| Error::Incomplete { path: path.to_owned(), key };
        if let Some(key) = Self::NEEDED.into_iter().find(|key| values.get(*key).is_none_or(String::is_empty)) {
            return Err(incomplete(key));
        }
        let version = values.get("version").and_then(|text| Version::parse(text)).ok_or_else(|| incomplete("version"))?;
        if version < Version::OLDEST {
            return Err(Error::TooOld { found: version });
        }
        Ok(Self { version, values })
    }

    /// The version of the server.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The template of `dse.ldif`.
    pub fn template(&self) -> PathBuf {
        Path::new(self.value("data_dir")).join("dirsrv/data/template-dse.ldif")
    }

    /// The server's program.
    pub fn ns_slapd(&self) -> PathBuf {
        Path::new(self.value("sbin_dir")).join("ns-slapd")
    }

    /// The program that manages certificates: from the installation's programs, or from `PATH`.
    pub fn certutil(&self) -> PathBuf {
        self.program("certutil")
    }

    /// The program that imports keys, from the same places.
    pub fn pk12util(&self) -> PathBuf {
        self.program("pk12util")
    }

    /// Any program, from the same places.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        // By its name alone it is looked for where all programs are.
        Some(Path::new(self.value("bin_dir")).join(name)).filter(|file| file.is_file()).unwrap_or_else(|| PathBuf::from(name))
    }

    /// The folder whose `schema` and `config` hold the files that each new instance gets copies of.
    pub fn originals(&self) -> PathBuf {
        Path::new(self.value("sysconf_dir")).join("dirsrv")
    }

    /// The folder in which each instance has its own, `slapd-NAME`.
    pub fn configuration(&self) -> PathBuf {
        let config = Path::new(self.value("config_dir"));
        config.parent().map_or_else(|| self.originals(), Path::to_owned)
    }

    /// Where an instance's configuration is looked for: a folder, or a link to one.
    pub fn home(&self, name: &str) -> PathBuf {
        self.configuration().join(format!("{FOLDER}{name}"))
    }

    /// The names of the instances: of folders with a configuration, in order.
    pub fn instances(&self) -> Result<Vec<String>, Error> {
        let path = self.configuration();
        let failed = |source| Error::Read { path: path.clone(), source };
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let file = entry.file_name();
            let Some(name) = file.to_str().and_then(|file| file.strip_prefix(FOLDER)) else { continue };
            if is_instance_name(name) && dse::exists(&entry.path()).map_err(failed)? {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// The user that servers run as when nothing else is said.
    pub fn user(&self) -> &str {
        self.value("user")
    }

    /// The group of their files.
    pub fn group(&self) -> &str {
        self.value("group")
    }

    /// The DN of their administrator.
    pub fn root_dn(&self) -> &str {
        self.value("root_dn")
    }

    /// Whether systemd starts and stops the instances: it is the first process, and these are the system's packages.
    pub fn has_systemd(&self) -> bool {
        self.values.get("prefix").is_none_or(|prefix| prefix == "/usr") && Path::new("/run/systemd/system").is_dir()
    }

    /// The folder or file that an instance has when nothing else is said, such as `db_dir`.
    pub(crate) fn path(&self, key: &str, name: &str) -> PathBuf {
        PathBuf::from(self.value(key).replace(NAME, name))
    }

    /// All folders and files that it names, for an instance of this name.
    pub(crate) fn paths(&self, name: &str) -> impl Iterator<Item = PathBuf> {
        self.values.values().filter(|value| value.starts_with('/')).map(move |value| PathBuf::from(value.replace(NAME, name)))
    }

    fn value(&self, key: &str) -> &str {
        self.values.get(key).map_or("", String::as_str)
    }
}

/// The values of one section of an ini file.
fn section(text: &str, wanted: &str) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let mut is_inside = false;
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with([';', '#']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            is_inside = name.trim() == wanted;
        } else if let Some((key, value)) = line.split_once('=').filter(|_| is_inside) {
            values.insert(key.trim().to_lowercase(), value.trim().to_owned());
        }
    }
    values
}

#[cfg(test)]
pub(crate) mod tests;

//! The folders and files of one instance: as they will be when it is created, and as they are. Whether they are there is for
//! `create` and `remove`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use directory::{dn::Dn, entry::Tree, layout, setting::Settings};

use crate::{dse, installation::Installation};

/// Where an instance has its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// Configuration, with `dse.ldif`. What `ns-slapd -D` is given.
    pub config_dir: PathBuf,
    /// The schema that users add to.
    pub schema_dir: PathBuf,
    /// Certificates and keys.
    pub cert_dir: PathBuf,
    /// The database.
    pub db_dir: PathBuf,
    /// Shared memory of the database.
    pub db_home_dir: PathBuf,
    /// Backups.
    pub backup_dir: PathBuf,
    /// Files to import and export.
    pub ldif_dir: PathBuf,
    /// Lock files.
    pub lock_dir: PathBuf,
    /// Logs.
    pub log_dir: PathBuf,
    /// The file with the process's number, shared with other instances.
    pub run_dir: PathBuf,
    /// The instance's programs. Servers that can be managed have none, and do not need the folder.
    pub inst_dir: PathBuf,
    /// Temporary files, shared with others.
    pub tmp_dir: PathBuf,
    /// The socket for connections from the host itself.
    pub ldapi: PathBuf,
    /// The file with the process's number. What `ns-slapd -i` is given.
    pub pid_file: PathBuf,
}

impl Paths {
    /// Where a new instance will have its files: as options say, else as the installation does.
    pub fn planned(installation: &Installation, name: &str, settings: &Settings) -> Self {
        let config = settings.text("config_dir").map_or_else(|| config_dir(installation, name), PathBuf::from);
        Self::build(installation, name, &config, |key, _| settings.text(key).map(PathBuf::from))
    }

    /// Where an instance has its files if nobody says otherwise, so that policies of the system know them.
    pub fn usual(installation: &Installation, name: &str) -> Self {
        Self::build(installation, name, &installation.home(name), |_, _| None)
    }

    /// Where an instance has its files: as its `dse.ldif` says, else as the installation does.
    pub fn existing(installation: &Installation, name: &str, tree: &Tree) -> Self {
        let is_mdb = tree.get(&layout::ldbm_config()).and_then(|entry| entry.text("nsslapd-backend-implement")) == Some("mdb");
        // A server with LMDB writes an entry for BDB too, with what that would take by itself.
        let databases = if is_mdb { [layout::ldbm_config(), layout::bdb()] } else { [layout::bdb(), layout::ldbm_config()] };
        let value =
            |dn: &Dn, attribute: &str| tree.get(dn)?.text(attribute).filter(|text| text.starts_with('/')).map(PathBuf::from);
        Self::build(installation, name, &config_dir(installation, name), |key, attribute| match key {
            "db_dir" => value(&layout::ldbm_config(), attribute),
            "db_home_dir" => databases.iter().find_map(|dn| value(dn, attribute)),
            "log_dir" => value(&layout::config(), attribute)?.parent().map(Path::to_owned),
            _ => value(&layout::config(), attribute),
        })
    }

    /// Asks for each path by the option's name and the attribute's.
    fn build(
        installation: &Installation,
        name: &str,
        config: &Path,
        given: impl Fn(&'static str, &'static str) -> Option<PathBuf>,
    ) -> Self {
        let default = |key| installation.path(key, name);
        let path = |key, attribute| given(key, attribute).unwrap_or_else(|| default(key));
        let usual = default("config_dir");
        // What lies inside the folder of the configuration moves with it.
        let inside = |key, attribute| {
            given(key, attribute).unwrap_or_else(|| match default(key).strip_prefix(&usual) {
                Ok(rest) if rest.as_os_str().is_empty() => config.to_owned(),
                Ok(rest) => config.join(rest),
                Err(_) => default(key),
            })
        };
        let run_dir = path("run_dir", "nsslapd-rundir");
        let pid_file =
            if run_dir == default("run_dir") { default("pid_file") } else { run_dir.join(format!("slapd-{name}.pid")) };
        Self {
            config_dir: config.to_owned(),
            schema_dir: inside("schema_dir", "nsslapd-schemadir"),
            cert_dir: inside("cert_dir", "nsslapd-certdir"),
            db_dir: path("db_dir", "nsslapd-directory"),
            db_home_dir: path("db_home_dir", "nsslapd-db-home-directory"),
            backup_dir: path("backup_dir", "nsslapd-bakdir"),
            ldif_dir: path("ldif_dir", "nsslapd-ldifdir"),
            lock_dir: path("lock_dir", "nsslapd-lockdir"),
            log_dir: path("log_dir", "nsslapd-errorlog"),
            inst_dir: path("inst_dir", "nsslapd-instancedir"),
            tmp_dir: path("tmp_dir", "nsslapd-tmpdir"),
            ldapi: path("ldapi", "nsslapd-ldapifilepath"),
            run_dir,
            pid_file,
        }
    }

    /// The configuration itself, whose presence makes the instance exist.
    pub fn dse(&self) -> PathBuf {
        self.config_dir.join(dse::NAME)
    }

    /// The folders that the server writes to and shares with nobody.
    pub(crate) fn own(&self) -> [&Path; 9] {
        [
            &self.config_dir,
            &self.schema_dir,
            &self.cert_dir,
            &self.db_dir,
            &self.db_home_dir,
            &self.backup_dir,
            &self.ldif_dir,
            &self.lock_dir,
            &self.log_dir,
        ]
    }
}

/// The folder of the configuration; where that is a link, what it leads to.
fn config_dir(installation: &Installation, name: &str) -> PathBuf {
    let home = installation.home(name);
    fs::read_link(&home).map_or_else(|_| home, |target| installation.configuration().join(target))
}

#[cfg(test)]
mod tests {
    use directory::{entry::Entry, options::Scope, setting::Setting};

    use super::*;
    use crate::installation::tests::{installed, prefix};

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let mut settings = Settings::new();
        for (key, value) in pairs {
            settings.insert(Scope::Instance.option(key).unwrap(), Setting::Text((*value).to_owned()));
        }
        settings
    }

    #[test]
    fn options_come_before_the_installation() {
        let prefix = prefix("2.3.1");
        let root = prefix.path();
        let found = installed(&prefix);
        let paths = Paths::planned(&found, "a", &settings(&[("db_dir", "/data/db"), ("run_dir", "/run/ds")]));
        for (path, expected) in [
            (&paths.config_dir, root.join("etc/dirsrv/slapd-a")),
            (&paths.cert_dir, root.join("etc/dirsrv/slapd-a")),
            (&paths.schema_dir, root.join("etc/dirsrv/slapd-a/schema")),
            (&paths.log_dir, root.join("var/log/dirsrv/slapd-a")),
            (&paths.db_dir, "/data/db".into()),
            (&paths.run_dir, "/run/ds".into()),
            (&paths.pid_file, "/run/ds/slapd-a.pid".into()),
            (&paths.ldapi, root.join("run/slapd-a.socket")),
        ] {
            assert_eq!(path, &expected);
        }
        let moved = Paths::planned(&found, "a", &settings(&[("config_dir", "/data/config")]));
        assert_eq!(moved.cert_dir, Path::new("/data/config"));
        assert_eq!(moved.schema_dir, Path::new("/data/config/schema"));
    }

    #[test]
    fn the_configuration_comes_before_the_installation() {
        let prefix = prefix("2.3.1");
        let found = installed(&prefix);
        let mut tree = Tree::new();
        tree.insert(
            Entry::new(layout::config())
                .with("nsslapd-certdir", &["/run/ds/nss"])
                .with("nsslapd-errorlog", &["/data/logs/errors"])
                .with("nsslapd-bakdir", &["relative"]),
        );
        tree.insert(Entry::new(layout::ldbm_config()).with("nsslapd-directory", &["/data/db"]));
        tree.insert(Entry::new(layout::bdb()).with("nsslapd-db-home-directory", &["/run/ds/home"]));
        let paths = Paths::existing(&found, "a", &tree);
        assert_eq!(paths.cert_dir, Path::new("/run/ds/nss"));
        assert_eq!(paths.log_dir, Path::new("/data/logs"));
        assert_eq!(paths.db_dir, Path::new("/data/db"));
        assert_eq!(paths.db_home_dir, Path::new("/run/ds/home"));
        assert_eq!(paths.backup_dir, prefix.path().join("var/lib/dirsrv/slapd-a/bak"));
        assert_eq!(paths.pid_file, prefix.path().join("run/dirsrv/slapd-a.pid"));
        assert_eq!(Paths::planned(&found, "a", &Settings::new()), Paths::existing(&found, "a", &Tree::new()));
    }

    #[test]
    fn a_link_leads_to_the_configuration() {
        let prefix = prefix("2.3.1");
        let found = installed(&prefix);
        fs::create_dir_all(found.configuration()).unwrap();
        std::os::unix::fs::symlink("/data/config", found.home("a")).unwrap();
        assert_eq!(Paths::existing(&found, "a", &Tree::new()).schema_dir, Path::new("/data/config/schema"));
        assert_eq!(Paths::usual(&found, "a").schema_dir, found.home("a").join("schema"));
    }
}

//! What systemd is told of instances, where it is the first process: that it starts them with the host, and which folders in
//! `/run` it makes for them before. Starting and stopping is for `process`.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{installation::Installation, paths::Paths, tool};

/// Why systemd was not told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program could not be run, or refused.
    #[error("failed to {verb} the unit {unit} with {}: {problem}; set option 'systemd' to off to do without", program.display())]
    Systemctl {
        /// `enable` or `disable`.
        verb: &'static str,
        /// The unit.
        unit: String,
        /// The program.
        program: PathBuf,
        /// What it said.
        problem: String,
    },
}

/// The systemd of this host.
pub(crate) struct Systemd {
    systemctl: PathBuf,
}

impl Systemd {
    /// Finds it, if it looks after the servers of an installation.
    pub(crate) fn of(installation: &Installation) -> Option<Self> {
        installation.has_systemd().then(|| Self { systemctl: installation.program("systemctl") })
    }

    /// Has it start an instance with the host.
    pub(crate) fn enable(&self, name: &str) -> Result<(), Error> {
        self.run("enable", name)
    }

    /// Has it forget an instance. One that it does not know is no failure.
    pub(crate) fn disable(&self, name: &str) -> Result<(), Error> {
        self.run("disable", name)
    }

    fn run(&self, verb: &'static str, name: &str) -> Result<(), Error> {
        let unit = format!("dirsrv@{name}.service");
        let done = tool::run(Command::new(&self.systemctl).arg(verb).arg(&unit));
        done.map(drop).map_err(|problem| Error::Systemctl { verb, unit, program: self.systemctl.clone(), problem })
    }
}

/// The file that has folders in `/run` made when the host starts.
pub(crate) fn folders_file(installation: &Installation, name: &str) -> PathBuf {
    installation.path("tmpfiles_d", name).join(format!("dirsrv-{name}.conf"))
}

/// What that file says: that the folders belong to the server.
pub(crate) fn folders(paths: &Paths, user: &str, group: &str) -> String {
    let locks = paths.lock_dir.parent().unwrap_or(Path::new("/"));
    let line = |folder: &Path| format!("d {} 0770 {user} {group}\n", folder.display());
    [paths.run_dir.as_path(), locks, &paths.lock_dir].map(line).concat()
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;
    use crate::installation::tests::{installed, prefix};

    #[test]
    fn units_are_enabled_and_disabled_by_the_instances_name() {
        let folder = tempfile::tempdir().unwrap();
        let (program, calls) = (folder.path().join("systemctl"), folder.path().join("calls"));
        let script = format!(
            "#!/bin/sh\necho \"$@\" >>{}\n[ \"$2\" != dirsrv@bad.service ] || {{ echo no such unit >&2; exit 1; }}\n",
            calls.display()
        );
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let systemd = Systemd { systemctl: program };
        systemd.enable("one").unwrap();
        systemd.disable("one").unwrap();
        assert_eq!(fs::read_to_string(&calls).unwrap(), "enable dirsrv@one.service\ndisable dirsrv@one.service\n");
        let error = systemd.enable("bad").unwrap_err().to_string();
        assert!(error.starts_with("failed to enable the unit dirsrv@bad.service") && error.contains("no such unit"), "{error}");
        let missing = Systemd { systemctl: folder.path().join("none") };
        assert!(missing.enable("one").unwrap_err().to_string().contains("it is not installed"));
    }

    #[test]
    fn folders_are_listed_as_dscreate_lists_them() {
        let prefix = prefix("2.3.1");
        let found = installed(&prefix);
        let text = folders(&Paths::usual(&found, "a"), "dirsrv", "dirsrv");
        let expected = "d /run/dirsrv 0770 dirsrv dirsrv\nd /run/lock/dirsrv 0770 dirsrv dirsrv\n\
                        d /run/lock/dirsrv/slapd-a 0770 dirsrv dirsrv\n";
        assert_eq!(text.replace(prefix.path().to_str().unwrap(), ""), expected);
        assert_eq!(folders_file(&found, "a"), prefix.path().join("etc/tmpfiles.d/dirsrv-a.conf"));
    }
}

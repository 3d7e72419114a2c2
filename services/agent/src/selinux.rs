//! Labels of SELinux, where it is on: of the folders of an instance, so that the server may use them, and of its ports. Policies
//! know the usual folders and ports by themselves.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{installation::Installation, journal, paths::Paths, tool};

/// What the kernel shows where SELinux is on.
const ENFORCE: &str = "/sys/fs/selinux/enforce";

/// The label of ports that directories may listen on, and those that have it everywhere.
const PORT: &str = "ldap_port_t";
const KNOWN_PORTS: [u16; 5] = [389, 636, 3268, 3269, 7389];

/// Labels that say nothing of whose a port is.
const NOBODYS: [&str; 4] = ["hi_reserved_port_t", "unreserved_port_t", "reserved_port_t", "ephemeral_port_t"];

/// Why labels were not set.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program could not be run, or refused.
    #[error("failed to {step} with {}: {problem}; set option 'selinux' to off to do without", program.display())]
    Program {
        /// What it should have done.
        step: String,
        /// The program.
        program: PathBuf,
        /// What it said.
        problem: String,
    },
    /// A port is for something else.
    #[error("port {port} has the SELinux label {label}, so that a directory may not listen on it; choose another port")]
    Taken {
        /// The port.
        port: u16,
        /// Its label.
        label: String,
    },
}

/// The SELinux of this host.
pub(crate) struct Selinux {
    semanage: PathBuf,
    restorecon: PathBuf,
}

impl Selinux {
    /// Finds it, if it is on and this process may set labels.
    pub(crate) fn of(installation: &Installation) -> Option<Self> {
        let is_on = Path::new(ENFORCE).exists() && rustix::process::geteuid().is_root();
        is_on.then(|| Self { semanage: installation.program("semanage"), restorecon: installation.program("restorecon") })
    }

    /// The same for an instance that was not created to do without.
    pub(crate) fn of_instance(installation: &Installation, name: &str) -> Option<Self> {
        let does_without =
            || journal::read(&installation.home(name)).ok().flatten().is_some_and(|journal| journal.without_selinux);
        Self::of(installation).filter(|_| !does_without())
    }

    /// Labels the folders and ports of an instance. `usual` are its folders if nothing else had been said.
    pub(crate) fn label(&self, paths: &Paths, usual: &Paths, ports: &[u16]) -> Result<(), Error> {
        self.label_ports(ports)?;
        for (folder, label) in unusual(paths, usual) {
            let pattern = pattern(folder);
            self.semanage(&format!("label {}", folder.display()), &["fcontext", "-a", "-t", label, &pattern])?;
        }
        let folders = labelled(paths).map(|(folder, _)| folder.as_os_str().to_owned());
        let arguments =
            [OsString::from("-R"), OsString::from("--")].into_iter().chain(folders.filter(|path| Path::new(path).exists()));
        self.run(&self.restorecon, "label the folders of the instance", arguments.collect())
    }

    /// Labels ports, so that a directory may listen on them.
    pub(crate) fn label_ports(&self, ports: &[u16]) -> Result<(), Error> {
        for port in unknown(ports) {
            match self.port_label(port)? {
                Some(label) if label == PORT => {}
                Some(label) => return Err(Error::Taken { port, label }),
                None => {
                    let number = port.to_string();
                    self.semanage(&format!("label port {port}"), &["port", "-a", "-t", PORT, "-p", "tcp", &number])?;
                }
            }
        }
        Ok(())
    }

    /// Takes back what policies do not know by themselves.
    pub(crate) fn unlabel(&self, paths: &Paths, usual: &Paths, ports: &[u16]) -> Result<(), Error> {
        self.unlabel_ports(ports)?;
        let ours = self.list(&["fcontext", "-l", "-C"])?;
        for (folder, _) in unusual(paths, usual) {
            let pattern = pattern(folder);
            if ours.lines().any(|line| line.split_whitespace().next() == Some(&pattern)) {
                let step = format!("take the label of {} away", folder.display());
                self.semanage(&step, &["fcontext", "-d", &pattern])?;
            }
        }
        Ok(())
    }

    /// Takes the labels of ports back, as far as the policy does not have them by itself.
    pub(crate) fn unlabel_ports(&self, ports: &[u16]) -> Result<(), Error> {
        let ours = self.list(&["port", "-l", "-C"])?;
        for port in unknown(ports).filter(|port| labels(&ours, *port).any(|label| label == PORT)) {
            let number = port.to_string();
            self.semanage(&format!("take the label of port {port} away"), &["port", "-d", "-p", "tcp", &number])?;
        }
        Ok(())
    }

    /// The label of a port, if it is somebody's.
    fn port_label(&self, port: u16) -> Result<Option<String>, Error> {
        let all = self.list(&["port", "-l"])?;
        Ok(labels(&all, port).find(|label| !NOBODYS.contains(label)).map(str::to_owned))
    }

    fn list(&self, arguments: &[&str]) -> Result<String, Error> {
        self.output(&self.semanage, "list labels", arguments.iter().map(OsString::from).collect())
    }

    fn semanage(&self, step: &str, arguments: &[&str]) -> Result<(), Error> {
        self.run(&self.semanage, step, arguments.iter().map(OsString::from).collect())
    }

    fn run(&self, program: &Path, step: &str, arguments: Vec<OsString>) -> Result<(), Error> {
        self.output(program, step, arguments).map(drop)
    }

    fn output(&self, program: &Path, step: &str, arguments: Vec<OsString>) -> Result<String, Error> {
        let failed = |problem: String| Error::Program { step: step.to_owned(), program: program.to_owned(), problem };
        tool::run(Command::new(program).args(arguments)).map_err(failed)
    }
}

/// Ports that policies do not know as a directory's.
fn unknown(ports: &[u16]) -> impl Iterator<Item = u16> {
    ports.iter().copied().filter(|port| *port != 0 && !KNOWN_PORTS.contains(port))
}

/// The labels of a TCP port in a list such as `http_port_t  tcp  80, 443, 8000-8010`.
fn labels(list: &str, port: u16) -> impl Iterator<Item = &str> {
    list.lines().filter_map(move |line| {
        let mut words = line.split([' ', ',', '\t']).filter(|word| !word.is_empty());
        let label = words.next()?;
        let is_it = |range: &str| match range.split_once('-') {
            Some((from, to)) => from.parse().is_ok_and(|from: u16| from <= port) && to.parse().is_ok_and(|to: u16| port <= to),
            None => range.parse() == Ok(port),
        };
        (words.next() == Some("tcp") && words.any(is_it)).then_some(label)
    })
}

/// Folders that have labels, and which.
fn labelled(paths: &Paths) -> impl Iterator<Item = (&Path, &'static str)> {
    [
        (paths.config_dir.as_path(), "dirsrv_config_t"),
        (&paths.schema_dir, "dirsrv_config_t"),
        (&paths.cert_dir, "dirsrv_config_t"),
        (&paths.db_dir, "dirsrv_var_lib_t"),
        (&paths.backup_dir, "dirsrv_var_lib_t"),
        (&paths.ldif_dir, "dirsrv_var_lib_t"),
        (&paths.db_home_dir, "dirsrv_tmpfs_t"),
        (&paths.lock_dir, "dirsrv_var_lock_t"),
        (&paths.log_dir, "dirsrv_var_log_t"),
        (&paths.run_dir, "dirsrv_var_run_t"),
    ]
    .into_iter()
}

/// Those that are not where policies expect them, but for what lies in one of them and is labelled with it.
fn unusual<'a>(paths: &'a Paths, usual: &Paths) -> Vec<(&'a Path, &'static str)> {
    let mut found: Vec<(&Path, &str)> = Vec::new();
    for ((folder, label), (known, _)) in labelled(paths).zip(labelled(usual)) {
        let is_in = |(outer, its): &(&Path, &str)| folder.starts_with(outer) && *its == label;
        if folder != known && !found.iter().any(is_in) {
            found.push((folder, label));
        }
    }
    found
}

/// The folder and all in it, as an expression.
fn pattern(folder: &Path) -> String {
    let mut pattern = String::new();
    for c in folder.to_string_lossy().chars() {
        if !(c.is_alphanumeric() || matches!(c, '/' | '-' | '_')) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern + "(/.*)?"
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use directory::{
        options::Scope,
        setting::{Setting, Settings},
    };

    use super::*;
    use crate::installation::tests::{installed, prefix};

    /// Programs that note how they are called and tell these lists.
    fn fakes(folder: &Path, ports: &str, contexts: &str) -> Selinux {
        for name in ["semanage", "restorecon"] {
            let script = format!(
                "#!/bin/sh\necho {name} \"$@\" >>{0}/calls\ncase \"$1 $2\" in 'port -l') echo '{ports}';; 'fcontext -l') echo '{contexts}';; esac\n",
                folder.display()
            );
            fs::write(folder.join(name), script).unwrap();
            fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        Selinux { semanage: folder.join("semanage"), restorecon: folder.join("restorecon") }
    }

    /// The paths of an instance with a folder elsewhere, and the usual ones.
    fn paths(prefix: &tempfile::TempDir, option: &str, folder: &str) -> (Paths, Paths) {
        let found = installed(prefix);
        let mut settings = Settings::new();
        settings.insert(Scope::Instance.option(option).unwrap(), Setting::Text(folder.to_owned()));
        (Paths::planned(&found, "a", &settings), Paths::usual(&found, "a"))
    }

    fn calls(folder: &Path) -> String {
        fs::read_to_string(folder.join("calls")).unwrap()
    }

    #[test]
    fn what_a_policy_does_not_know_is_labelled() {
        let (folder, prefix) = (tempfile::tempdir().unwrap(), prefix("2.3.1"));
        let (paths, usual) = paths(&prefix, "db_dir", "/data/my.db");
        fs::create_dir_all(&paths.config_dir).unwrap();
        let selinux = fakes(folder.path(), "unreserved_port_t tcp 1024-65535", "");
        selinux.label(&paths, &usual, &[389, 0, 4389]).unwrap();
        let config = paths.config_dir.display();
        let expected = format!(
            "semanage port -l\nsemanage port -a -t ldap_port_t -p tcp 4389\n\
             semanage fcontext -a -t dirsrv_var_lib_t /data/my\\.db(/.*)?\nrestorecon -R -- {config} {config}\n"
        );
        assert_eq!(calls(folder.path()), expected);
    }

    #[test]
    fn a_folder_with_all_that_moves_with_it_is_labelled_and_taken_back_once() {
        let (folder, prefix) = (tempfile::tempdir().unwrap(), prefix("2.3.1"));
        let (paths, usual) = paths(&prefix, "config_dir", "/data/config");
        let selinux = fakes(folder.path(), "", "/data/config(/.*)? all files system_u:object_r:x:s0");
        selinux.label(&paths, &usual, &[]).unwrap();
        selinux.unlabel(&paths, &usual, &[]).unwrap();
        let contexts: String = calls(folder.path()).lines().filter(|call| call.contains("/data")).collect();
        assert_eq!(contexts, "semanage fcontext -a -t dirsrv_config_t /data/config(/.*)?semanage fcontext -d /data/config(/.*)?");
    }

    #[test]
    fn what_was_labelled_is_taken_back_and_nothing_else() {
        let (folder, prefix) = (tempfile::tempdir().unwrap(), prefix("2.3.1"));
        let (paths, usual) = paths(&prefix, "db_dir", "/data/my.db");
        let selinux =
            fakes(folder.path(), "ldap_port_t tcp 4389, 5000", "/data/my\\\\.db(/.*)? all files system_u:object_r:x:s0");
        selinux.unlabel(&paths, &usual, &[4389, 4636]).unwrap();
        let expected = "semanage port -l -C\nsemanage port -d -p tcp 4389\nsemanage fcontext -l -C\n\
                        semanage fcontext -d /data/my\\.db(/.*)?\n";
        assert_eq!(calls(folder.path()), expected);
    }

    #[test]
    fn a_port_of_others_is_refused() {
        let (folder, prefix) = (tempfile::tempdir().unwrap(), prefix("2.3.1"));
        let (paths, usual) = paths(&prefix, "db_dir", "/data/my.db");
        let selinux = fakes(folder.path(), "http_port_t tcp 80, 8000-8010", "");
        let error = selinux.label(&paths, &usual, &[8005]).unwrap_err();
        assert!(matches!(&error, Error::Taken { port: 8005, label } if label == "http_port_t"), "{error}");
        let known = fakes(folder.path(), "ldap_port_t tcp 389, 8005", "");
        known.label(&usual, &usual, &[8005]).unwrap();
    }
}

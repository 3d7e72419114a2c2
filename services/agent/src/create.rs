//! Makes the files of a new instance, as the installed version's template has them. Starting the server, and all that is done
//! over LDAP afterwards, is for others.
//!
//! Everything here waits for files and programs: call it where blocking is allowed.

mod certificates;
pub(crate) mod checks;
mod folders;
pub(crate) mod owner;
pub(crate) mod password;
mod template;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use directory::{ldif, setting::Settings};

use checks::Plan;
use folders::Made;
pub use folders::restore_folders;

use crate::{installation::Installation, paths::Paths, remove, selinux, selinux::Selinux, systemd, systemd::Systemd};

/// Why an instance was not created. Nothing is left of it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name can be none.
    #[error("'{name}' can be no instance's name: up to 80 letters, digits and -_#%:@ can; choose another name")]
    Name {
        /// The name.
        name: String,
    },
    /// An instance of this name is there.
    #[error("the instance '{name}' exists already: there is {path}; remove it first or choose another name")]
    Exists {
        /// Its name.
        name: String,
        /// Its configuration.
        path: PathBuf,
    },
    /// An option is wrong for this host.
    #[error("option '{option}' {problem}")]
    Option {
        /// The option.
        option: &'static str,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A port cannot be had.
    #[error("port {port} of option '{option}' cannot be used: {source}; choose another port or stop what uses it")]
    Port {
        /// The option.
        option: &'static str,
        /// The port.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// A disk is full.
    #[error("no space left: {path} has {free} bytes free, and an instance needs {needed}; make room or choose another folder")]
    Full {
        /// A folder of the instance, or the one that it will be made in.
        path: PathBuf,
        /// How many bytes it has.
        free: u64,
        /// How many it should have.
        needed: u64,
    },
    /// There is no such user or group.
    #[error("there is no {kind} '{name}' on this host; create it, or set option '{kind}' to one that exists")]
    Account {
        /// `user` or `group`.
        kind: &'static str,
        /// Its name or number.
        name: String,
    },
    /// A folder belongs to others.
    #[error("the user '{user}' may not write to {path}; change its owner, or set the option that names it to another folder")]
    NotWritable {
        /// The folder.
        path: PathBuf,
        /// The user.
        user: String,
    },
    /// Something is where the database has to be.
    #[error("the folder {path} is not empty, so a new database cannot be made in it; move away what is there")]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// The template has a key that nobody here knows.
    #[error("the template {path} has the unknown key '%{key}%': this version of 389 Directory Server is not supported yet")]
    Placeholder {
        /// The template.
        path: PathBuf,
        /// The key.
        key: String,
    },
    /// The template is not as every template is.
    #[error("the template {path} cannot be used: {problem}; install 389-ds-base anew")]
    Template {
        /// The template.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A file or folder could not be read or written.
    #[error("failed to {step} {path}: {source}; check permissions and free space there")]
    File {
        /// What was done.
        step: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A program failed.
    #[error("failed to {step} with {program} in {path}: {problem}; it must be installed, and free to work there")]
    Program {
        /// What it should have done.
        step: &'static str,
        /// The program.
        program: PathBuf,
        /// The folder that it works on.
        path: PathBuf,
        /// What it said.
        problem: String,
    },
    /// systemd was not told of it.
    #[error(transparent)]
    Systemd(#[from] systemd::Error),
    /// SELinux does not let the server use its files or ports.
    #[error(transparent)]
    Selinux(#[from] selinux::Error),
    /// The system has no random numbers.
    #[error("failed to get random numbers for {0} from the system; try again")]
    Random(&'static str),
}

impl Error {
    fn file(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { step, path: path.to_owned(), source }
    }
}

/// Says what would keep an instance from being created, as far as that can be told before; whether its ports are free only
/// `with_ports`.
pub fn foresee(installation: &Installation, name: &str, settings: &Settings, with_ports: bool) -> Result<(), Error> {
    let plan = checks::check(installation, name, settings)?;
    if with_ports { checks::ports(&plan, settings) } else { Ok(()) }
}

/// Creates an instance with these options. When it fails, all that it made is gone again, and nothing else.
pub fn create(installation: &Installation, name: &str, settings: &Settings) -> Result<(), Error> {
    let plan = checks::check(installation, name, settings)?;
    checks::ports(&plan, settings)?;
    if let Err(error) = remove::sweep(installation, name) {
        tracing::warn!(instance = name, %error, "the rest of a removed instance stays");
    }
    let records = template::records(installation, &plan, settings)?;

    let mut made = Made::new(name, plan.owner.clone());
    make_folders(&mut made, &plan.paths)?;
    copy_originals(&mut made, installation, &plan.paths)?;
    let wants_certificate = checks::signs_itself(settings);
    let months = wants_certificate.then(|| settings.number("self_sign_cert_valid_months").unwrap_or(24));
    certificates::make(&mut made, installation, &plan, months)?;
    made.link(&installation.home(name), &plan.paths.config_dir)?;
    let is_on = |option: &str| settings.switch(option).unwrap_or(true);
    let selinux = Selinux::of(installation).filter(|_| is_on("selinux"));
    let systemd = Systemd::of(installation).filter(|_| is_on("systemd"));
    let (usual, ports) = (Paths::usual(installation, name), [plan.port, plan.secure_port]);
    let mut introduce = || {
        if let Some(selinux) = &selinux {
            selinux.label(&plan.paths, &usual, &ports)?;
        }
        if let Some(systemd) = &systemd {
            list_folders(&mut made, installation, &plan, settings)?;
            systemd.enable(name)?;
        }
        publish(&mut made, &plan.paths, &ldif::write(&records))
    };
    if let Err(error) = introduce() {
        let forgotten = selinux.map_or(Ok(()), |selinux| selinux.unlabel(&plan.paths, &usual, &ports));
        if let Err(problem) = forgotten {
            tracing::warn!(instance = name, error = %problem, "labels of an instance that was not created stay");
        }
        if let Some(Err(problem)) = systemd.map(|systemd| systemd.disable(name)) {
            tracing::warn!(instance = name, error = %problem, "systemd still knows an instance that was not created");
        }
        return Err(error);
    }
    made.keep();
    Ok(())
}

/// Has systemd make folders in `/run` when the host starts. The file is read as root, so it is not the server's.
fn list_folders(made: &mut Made, installation: &Installation, plan: &Plan, settings: &Settings) -> Result<(), Error> {
    let file = systemd::folders_file(installation, &plan.name);
    made.clear(&file)?;
    let group = settings.text("group").unwrap_or(installation.group());
    let text = systemd::folders(&plan.paths, &plan.owner.user, group);
    fs::write(&file, text).map_err(Error::file("write", &file))
}

fn make_folders(made: &mut Made, paths: &Paths) -> Result<(), Error> {
    for path in paths.own() {
        made.folder(path)?;
    }
    for path in [&paths.run_dir, &paths.tmp_dir] {
        made.folder(path)?;
    }
    for file in [&paths.ldapi, &paths.pid_file] {
        made.folder(file.parent().unwrap_or(Path::new("/")))?;
    }
    Ok(())
}

fn copy_originals(made: &mut Made, installation: &Installation, paths: &Paths) -> Result<(), Error> {
    let originals = installation.originals();
    for (from, folder, name) in [
        ("schema", &paths.schema_dir, "99user.ldif"),
        ("config", &paths.config_dir, "certmap.conf"),
        ("config", &paths.config_dir, "slapd-collations.conf"),
    ] {
        let (from, to) = (originals.join(from).join(name), folder.join(name));
        if !to.exists() {
            let bytes = fs::read(&from).map_err(Error::file("read", &from))?;
            made.file(&to, 0o640, &bytes)?;
        }
    }
    Ok(())
}

/// Puts `dse.ldif` in its place, whole and for good. From then on the instance exists.
fn publish(made: &mut Made, paths: &Paths, text: &str) -> Result<(), Error> {
    made.file(&paths.dse(), 0o600, text.as_bytes())?;
    let synced = File::open(&paths.config_dir).and_then(|folder| folder.sync_all());
    synced.map_err(Error::file("sync", &paths.config_dir))
}

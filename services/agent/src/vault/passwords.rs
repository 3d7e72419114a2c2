//! The passwords with which vaults are opened: from files, or from programs that print them, as Ansible has it.

use std::{
    fmt, fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use directory::secret::Secret;

use super::envelope::{self, Envelope, Problem};

/// How the name of a program ends that is told which vault id is asked for.
const CLIENT: &str = "-client";

/// No password is longer.
const LONGEST: u64 = 1 << 20;

/// Why there is no password.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("failed to read the vault password file {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The program cannot be run.
    #[error("failed to run the vault password program {}: {source}; take away its execute permission if it is a text", path.display())]
    Run {
        /// The program.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The program failed.
    #[error("the vault password program {} failed: {status}", path.display())]
    Failed {
        /// The program.
        path: PathBuf,
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// There is nothing in it.
    #[error("the vault password file {} has no password", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// It is no password.
    #[error("the vault password file {} {problem}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What it is.
        problem: String,
    },
}

/// Passwords, some of which are for one vault id. The ones for the id that a vault names are tried first.
#[derive(Debug, Default)]
pub struct Passwords(Vec<(Option<String>, Secret)>);

impl Passwords {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads them from where a user says: `FILE` or `ID@FILE`.
    pub fn read<'a>(places: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let mut passwords = Self::new();
        for place in places {
            let (id, path) = match place.split_once('@') {
                // There may be an `@` in a path, but none before its first slash that anybody would mean so.
                Some((id, path)) if !id.is_empty() && !id.contains('/') => (Some(id), path),
                _ => (None, place),
            };
            let secret = passwords.read_path(Path::new(path), id)?;
            passwords.add(id, secret);
        }
        Ok(passwords)
    }

    /// One more.
    pub fn add(&mut self, id: Option<&str>, password: Secret) {
        self.0.push((id.map(str::to_owned), password));
    }

    /// Opens a vault with the first that fits.
    pub fn open(&self, envelope: &Envelope) -> Result<String, Problem> {
        let is_meant = |id: &Option<String>| id.is_some() && *id == envelope.id;
        let mut last = Problem::NoPassword;
        let (first, rest): (Vec<_>, Vec<_>) = self.0.iter().partition(|(id, _)| is_meant(id));
        for (_, password) in first.into_iter().chain(rest) {
            match envelope.open(password) {
                Err(wrong @ Problem::WrongPassword { .. }) => last = wrong,
                opened => return opened,
            }
        }
        Err(last)
    }

    fn read_path(&self, path: &Path, id: Option<&str>) -> Result<Secret, Error> {
        let unread = |source| Error::Read { path: path.to_owned(), source };
        let file = fs::metadata(path).map_err(unread)?;
        let unusable = |problem: &str| Error::Unusable { path: path.to_owned(), problem: problem.to_owned() };
        if file.is_dir() {
            return Err(unusable("is a folder"));
        }
        let (bytes, is_program) = if file.permissions().mode() & 0o111 == 0 {
            if file.len() > LONGEST {
                return Err(unusable("is longer than any password"));
            }
            (fs::read(path).map_err(unread)?, false)
        } else {
            (printed(path, id)?, true)
        };
        let text = String::from_utf8(bytes).map_err(|_| unusable("is no text in UTF-8"))?;
        // What a program prints ends with its line; around what a person has written there may be more.
        let mut password = if is_program { text.trim_matches(['\r', '\n']) } else { text.trim() }.to_owned();
        if !is_program && envelope::is_encrypted(&password) {
            let opened = Envelope::parse(&password).and_then(|envelope| self.open(&envelope));
            password = opened.map_err(|problem| unusable(&problem.to_string()))?.trim().to_owned();
        }
        if password.is_empty() {
            return Err(Error::Empty { path: path.to_owned() });
        }
        Ok(Secret::new(password))
    }
}

/// What a program prints. It may ask at the terminal.
fn printed(path: &Path, id: Option<&str>) -> Result<Vec<u8>, Error> {
    let full = fs::canonicalize(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let mut command = Command::new(&full);
    // The name says it, not where a link leads.
    if path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with(CLIENT)) {
        command.args(["--vault-id", id.unwrap_or("default")]);
    }
    let output = command.stdin(Stdio::inherit()).stdout(Stdio::piped()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|source| Error::Run { path: path.to_owned(), source })?;
    if !output.status.success() {
        return Err(Error::Failed { path: path.to_owned(), status: output.status });
    }
    Ok(output.stdout)
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope").field("id", &self.id).finish_non_exhaustive()
    }
}

//! Who will own the files: the user that the server runs as, and its group. Asks the system's name services.

use std::{
    fs::Metadata,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::Path,
    process::{Command, Stdio},
};

use directory::setting::Settings;
use rustix::fs::Access;

use super::Error;
use crate::{installation::Installation, whole::Rights};

/// A user and a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    /// The name of the user.
    pub(crate) user: String,
    /// Its number.
    pub(crate) uid: u32,
    /// The group's number.
    pub(crate) gid: u32,
}

impl Owner {
    /// The one that options name. Who is not root can only run servers as itself.
    pub(super) fn resolve(installation: &Installation, settings: &Settings) -> Result<Self, Error> {
        let (wanted, group) = (settings.text("user"), settings.text("group"));
        if is_root() {
            let user = wanted.unwrap_or(installation.user());
            let (user, uid) = account("user", user)?;
            let (_, gid) = account("group", group.unwrap_or(installation.group()))?;
            return Ok(Self { user, uid, gid });
        }
        let (user, uid) = account("user", &rustix::process::geteuid().as_raw().to_string())?;
        if let Some(wanted) = wanted.filter(|wanted| *wanted != user) {
            let problem = format!("is '{wanted}', but without root's rights a server runs as '{user}'; leave the option out");
            return Err(Error::Option { option: "user", problem });
        }
        let gid = match group {
            Some(group) => account("group", group)?.1,
            None => rustix::process::getegid().as_raw(),
        };
        Ok(Self { user, uid, gid })
    }

    /// The owner of a file.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self { user: metadata.uid().to_string(), uid: metadata.uid(), gid: metadata.gid() }
    }

    /// What it has to have of its files.
    pub(crate) fn rights(&self, mode: u32) -> Rights {
        Rights { uid: self.uid, gid: self.gid, mode }
    }

    /// Whether the server may do something with a file or folder that is there.
    pub(crate) fn may(&self, right: Right, path: &Path, metadata: &Metadata) -> bool {
        let (bits, access) = match right {
            Right::Read => (0o4, Access::READ_OK),
            Right::Write => (0o3, Access::WRITE_OK | Access::EXEC_OK),
            Right::Enter => (0o1, Access::EXEC_OK),
        };
        if !is_root() {
            return rustix::fs::access(path, access).is_ok();
        }
        let shift = match () {
            () if self.uid == 0 => return true,
            () if metadata.uid() == self.uid => 6,
            () if metadata.gid() == self.gid => 3,
            () => 0,
        };
        metadata.mode() >> shift & bits == bits
    }
}

/// What somebody may do.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Right {
    /// Read a file.
    Read,
    /// Make files in a folder.
    Write,
    /// Go through a folder.
    Enter,
}

/// Whether this process may do everything.
pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The name of a user or group and its number.
fn account(kind: &'static str, name: &str) -> Result<(String, u32), Error> {
    let program = Path::new("getent");
    let database = if kind == "user" { "passwd" } else { "group" };
    let output = Command::new(program).args([database, "--", name]).stdin(Stdio::null()).process_group(0).output();
    let output = output.map_err(|error| Error::Program {
        step: "look up an account",
        program: program.to_owned(),
        path: "/etc".into(),
        problem: error.to_string(),
    })?;
    let text = String::from_utf8_lossy(&output.stdout);
    read(&text).ok_or_else(|| Error::Account { kind, name: name.to_owned() })
}

/// Reads `name:password:number:…`.
fn read(line: &str) -> Option<(String, u32)> {
    let mut parts = line.lines().next()?.splitn(4, ':');
    let name = parts.next().filter(|name| !name.is_empty())?;
    let number = parts.nth(1)?.parse().ok()?;
    Some((name.to_owned(), number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_read() {
        assert_eq!(read("root:x:0:0:root:/root:/bin/sh\n"), Some(("root".to_owned(), 0)));
        assert_eq!(read(""), None);
        assert_eq!(read("root"), None);
    }

    #[test]
    fn accounts_are_looked_up() {
        assert_eq!(account("user", "root").unwrap().1, 0);
        assert_eq!(account("user", "0").unwrap().0, "root");
        assert!(matches!(account("group", "no-such-group"), Err(Error::Account { kind: "group", .. })));
        assert!(matches!(account("user", "--help"), Err(Error::Account { kind: "user", .. })));
    }
}

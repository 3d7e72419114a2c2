//! The server's database of certificates and keys, NSS's. It is read where it is. It is changed in a copy, which then takes its
//! place: the keys first, for they are those of before and one more, then the certificates. So there is a certificate with its
//! key in it at every moment, whatever is interrupted, and no file is written that a running server has open. Keys that no
//! certificate has any more stay.

use std::{
    ffi::OsStr,
    fs::{self, DirBuilder, File},
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::fs::{DirBuilderExt, MetadataExt},
    },
    path::{Path, PathBuf},
    process::Command,
};

use super::{Error, pem, x509::X509};
use crate::{
    tool,
    whole::{self, Rights},
};

/// The files of the database, in the order in which copies take their places.
const FILES: [&str; 2] = ["key4.db", "cert9.db"];

/// The folder of copies. Each attempt has its own: a program of one that was killed may still be at it.
pub(crate) const COPY: &str = ".aviary-certificates";

/// What an authority's certificate is trusted for: to have issued those of servers and of clients.
const TRUST: &str = "CT,,";

/// More certificates of one name than any database has, and more attempts than anything takes.
const MANY: usize = 20;

/// The programs that work on it.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    pub(super) certutil: PathBuf,
    pub(super) pk12util: PathBuf,
}

/// The database of an instance, or a copy of it.
pub(super) struct Database {
    folder: PathBuf,
    password: Password,
    programs: Programs,
}

/// A certificate as the database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) name: String,
    /// Flags of trust, for TLS, mail and code.
    pub(super) flags: String,
    pub(super) x509: X509,
}

impl Kept {
    /// Whether the database has its key.
    pub(super) fn has_key(&self) -> bool {
        self.flags.split(',').next().is_some_and(|flags| flags.contains('u'))
    }

    /// Whether those that it has issued are trusted.
    pub(super) fn is_trusted(&self) -> bool {
        self.flags.split(',').next().is_some_and(|flags| flags.contains('C') && flags.contains('T'))
    }
}

/// The password of the database, in a file.
enum Password {
    File(PathBuf),
    Memory(OwnedFd),
}

impl Password {
    fn path(&self) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Memory(file) => memory_path(file),
        }
    }
}

/// Memory that programs read like a file, and that is gone with this process.
pub(super) fn memory(bytes: &[u8]) -> Result<OwnedFd, Error> {
    let made = rustix::fs::memfd_create("aviary", rustix::fs::MemfdFlags::CLOEXEC).map_err(io::Error::from);
    let file = made.map(File::from).and_then(|mut file| io::Write::write_all(&mut file, bytes).map(|()| file));
    file.map(OwnedFd::from).map_err(Error::file("write", Path::new("memory")))
}

/// Where programs that this process starts find such memory.
pub(super) fn memory_path(file: &OwnedFd) -> PathBuf {
    format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()).into()
}

impl Database {
    /// The database in a folder.
    pub(super) fn open(folder: &Path, programs: Programs) -> Result<Self, Error> {
        for file in FILES {
            let path = folder.join(file);
            fs::metadata(&path).map_err(Error::file("find the database of certificates", &path))?;
        }
        Ok(Self { folder: folder.to_owned(), password: password(folder)?, programs })
    }

    /// All that it has.
    pub(super) fn list(&self) -> Result<Vec<Kept>, Error> {
        let text = self.certutil("list certificates", &["-L"])?;
        let mut rows: Vec<(&str, &str)> = text.lines().filter_map(row).collect();
        rows.sort_unstable();
        rows.dedup();
        let mut kept = Vec::new();
        for (name, flags) in rows {
            for x509 in self.named(name)? {
                kept.push(Kept { name: name.to_owned(), flags: flags.to_owned(), x509 });
            }
        }
        Ok(kept)
    }

    /// The certificates of a name. The tool tells all with the same subject.
    fn named(&self, name: &str) -> Result<Vec<X509>, Error> {
        let text = self.certutil("read a certificate", &["-L", "-a", "-n", name])?;
        let blocks = pem::read(text.as_bytes()).unwrap_or_default();
        Ok(blocks.iter().filter_map(|block| X509::read(&block.bytes)).collect())
    }

    /// Changes a copy, and puts it in the place of the database.
    pub(super) fn change(&self, work: impl FnOnce(&Self) -> Result<(), Error>) -> Result<(), Error> {
        let copies = self.folder.join(COPY);
        forget(&copies)?;
        let made = DirBuilder::new().mode(0o700).create(&copies).and_then(|()| tempfile::tempdir_in(&copies));
        let copy = made.map_err(Error::file("make", &copies))?;
        let done = self.change_copy(copy.path(), work);
        forget(&copies)?;
        done
    }

    fn change_copy(&self, folder: &Path, work: impl FnOnce(&Self) -> Result<(), Error>) -> Result<(), Error> {
        for file in FILES {
            let from = self.folder.join(file);
            fs::copy(&from, folder.join(file)).map_err(Error::file("copy", &from))?;
        }
        work(&Self { folder: folder.to_owned(), password: password(&self.folder)?, programs: self.programs.clone() })?;
        for file in FILES {
            let (from, to) = (folder.join(file), self.folder.join(file));
            let replaced = fs::metadata(&to).and_then(|metadata| {
                whole::hand_over(&from, Rights::of(&metadata, metadata.mode() & 0o777))?;
                File::open(&from)?.sync_all()?;
                fs::rename(&from, &to)?;
                File::open(&self.folder)?.sync_all()
            });
            replaced.map_err(Error::file("replace", &to))?;
        }
        Ok(())
    }

    /// Deletes all certificates of a name.
    pub(super) fn delete(&self, name: &str) -> Result<(), Error> {
        for _ in 0..MANY {
            let text = self.certutil("list certificates", &["-L"])?;
            if !text.lines().filter_map(row).any(|(known, _)| known == name) {
                break;
            }
            self.certutil("delete a certificate", &["-D", "-n", name])?;
        }
        Ok(())
    }

    /// Adds a certificate without a key.
    pub(super) fn add(&self, name: &str, flags: &str, x509: &X509) -> Result<(), Error> {
        let file = memory(&x509.der)?;
        let path = memory_path(&file);
        self.certutil("add a certificate", &["-A", "-n", name, "-t", flags, "-i", &path.to_string_lossy()]).map(|_| ())
    }

    /// Trusts a certificate, which may be there already.
    pub(super) fn trust(&self, kept: &[Kept], name: &str, x509: &X509) -> Result<(), Error> {
        match kept.iter().find(|kept| kept.x509.der == x509.der) {
            Some(kept) => self.certutil("trust a certificate", &["-M", "-n", &kept.name, "-t", TRUST]).map(|_| ()),
            None => self.add(name, TRUST, x509),
        }
    }

    /// Takes a parcel of a certificate and its key in.
    pub(super) fn import(&self, parcel: &[u8], password: &str) -> Result<(), Error> {
        let (parcel, password) = (memory(parcel)?, memory(password.as_bytes())?);
        let mut command = Command::new(&self.programs.pk12util);
        command.arg("-i").arg(memory_path(&parcel)).arg("-w").arg(memory_path(&password));
        command.arg("-k").arg(self.password.path());
        self.run("import the certificate and its key", command).map(|_| ())
    }

    fn certutil(&self, step: &'static str, arguments: &[&str]) -> Result<String, Error> {
        let mut command = Command::new(&self.programs.certutil);
        command.args(arguments).arg("-f").arg(self.password.path());
        self.run(step, command)
    }

    fn run(&self, step: &'static str, mut command: Command) -> Result<String, Error> {
        let program = PathBuf::from(command.get_program());
        let failed = |problem| Error::Program { step, program: program.clone(), path: self.folder.clone(), problem };
        let folder = [OsStr::new("sql:"), self.folder.as_os_str()].into_iter().collect::<std::ffi::OsString>();
        tool::run(command.arg("-d").arg(folder)).map_err(failed)
    }
}

/// The file with the password; one made in memory of what the server reads, if there is no other.
fn password(folder: &Path) -> Result<Password, Error> {
    let file = folder.join("pwdfile.txt");
    if file.is_file() {
        return Ok(Password::File(file));
    }
    let pin = folder.join("pin.txt");
    let text = match fs::read_to_string(&pin) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Error::file("read", &pin)(error)),
    };
    let line = text.lines().find_map(|line| line.rsplit_once("Token:").map(|(_, password)| password)).unwrap_or_default();
    memory(format!("{line}\n").as_bytes()).map(Password::Memory)
}

fn forget(copies: &Path) -> Result<(), Error> {
    for _ in 0..MANY {
        match fs::remove_dir_all(copies) {
            // Whatever was killed has written something meanwhile.
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::file("delete", copies)(error)),
            _ => return Ok(()),
        }
    }
    Err(Error::file("delete", copies)(io::ErrorKind::DirectoryNotEmpty.into()))
}

/// A row of the list, `NAME   FLAGS`.
fn row(line: &str) -> Option<(&str, &str)> {
    let (name, flags) = line.trim_end().rsplit_once(' ')?;
    let is_flags = flags.split(',').count() == 3 && flags.chars().all(|c| c == ',' || "pPcCTugw".contains(c));
    is_flags.then(|| (name.trim_end(), flags)).filter(|(name, _)| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_read_by_rows() {
        for (line, expected) in [
            ("Server-Cert                                                  u,u,u", Some(("Server-Cert", "u,u,u"))),
            ("My CA, of 2026                                               CT,, ", Some(("My CA, of 2026", "CT,,"))),
            ("no trust                                                     ,,   ", Some(("no trust", ",,"))),
            ("Certificate Nickname                                         Trust Attributes", None),
            ("                                                             SSL,S/MIME,JAR/XPI", None),
            ("", None),
        ] {
            assert_eq!(row(line), expected, "{line}");
        }
    }
}

//! Whether the server, which runs as a user of its own, gets at files that others name. Asked before anything is begun, so that
//! nobody has to look for the reason in the server's log.

use std::{
    fs::{self, File, Permissions},
    io::{self, BufRead, BufReader, Read},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use directory::dn::Dn;

use super::Error;
use crate::{
    create::owner::{Owner, Right},
    paths::Paths,
    whole::Rights,
};

/// How much of a line is looked at. No name is longer.
const LONGEST_LINE: u64 = 1 << 20;

/// The user that the server runs as.
pub(super) struct Account(pub(super) Owner);

impl Account {
    /// The owner of the instance's configuration.
    pub(super) fn of(paths: &Paths) -> Result<Self, Error> {
        let dse = paths.dse();
        Ok(Self(Owner::of(&fs::metadata(&dse).map_err(Error::file("read", &dse))?)))
    }

    /// What it has to have of its files.
    pub(super) fn rights(&self, mode: u32) -> Rights {
        self.0.rights(mode)
    }

    /// Whether it can read a file.
    pub(super) fn may_read(&self, file: &Path) -> Result<(), Error> {
        self.may_reach(file)?;
        let metadata = fs::metadata(file).map_err(Error::file("read", file))?;
        if !metadata.is_file() {
            return Err(denied(file, "it is no file".to_owned()));
        }
        self.check(file, Right::Read, "read it")
    }

    /// Whether it can make a file.
    pub(super) fn may_write_into(&self, file: &Path) -> Result<(), Error> {
        if file.is_dir() {
            return Err(denied(file, "it is a folder; name a file".to_owned()));
        }
        let folder = file.parent().unwrap_or(Path::new("/"));
        self.may_reach(file)?;
        self.check(folder, Right::Write, "write to it")
    }

    /// Whether it can go through all folders on the way.
    pub(super) fn may_reach(&self, path: &Path) -> Result<(), Error> {
        for folder in path.ancestors().skip(1).collect::<Vec<_>>().into_iter().rev() {
            let metadata = fs::metadata(folder).map_err(Error::file("enter", folder))?;
            if !metadata.is_dir() {
                return Err(denied(folder, "it is no folder".to_owned()));
            }
            self.check(folder, Right::Enter, "enter it")?;
        }
        Ok(())
    }

    fn check(&self, path: &Path, right: Right, what: &str) -> Result<(), Error> {
        let metadata = fs::metadata(path).map_err(Error::file("read", path))?;
        if self.0.may(right, path, &metadata) {
            return Ok(());
        }
        let problem = format!(
            "the server runs as user {}, which may not {what}; change its owner or permissions, or choose another place",
            self.0.uid
        );
        Err(denied(path, problem))
    }
}

fn denied(path: &Path, problem: String) -> Error {
    Error::Access { path: path.to_owned(), problem }
}

/// Whether there is an entry of this name in a file of LDIF. The file may be larger than memory.
pub(super) fn holds(file: &Path, name: &Dn) -> Result<(), Error> {
    let mut reader = BufReader::new(File::open(file).map_err(Error::file("read", file))?);
    let (mut line, mut dn) = (Vec::new(), String::new());
    loop {
        line.clear();
        // A line without an end would fill the memory.
        let length = reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(Error::file("read", file))?;
        let text = String::from_utf8_lossy(&line);
        if let Some(rest) = text.strip_prefix(' ').filter(|_| !dn.is_empty()) {
            dn.push_str(rest.trim_end_matches(['\r', '\n']));
            continue;
        }
        if is_name(&dn, name) {
            return Ok(());
        }
        dn.clear();
        if length == 0 {
            return Err(denied(file, format!("it has no entry {name}, the root of the backend; nothing was imported")));
        }
        if text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("dn:")) {
            dn.push_str(text.trim_end_matches(['\r', '\n']));
        }
    }
}

/// Whether a line, `dn: NAME` or `dn:: BASE64`, names an entry.
fn is_name(line: &str, name: &Dn) -> bool {
    let Some(value) = line.get(3..) else { return false };
    let text = match value.strip_prefix(':') {
        Some(encoded) => STANDARD.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok()),
        None => Some(value.trim().to_owned()),
    };
    text.and_then(|text| Dn::parse(&text).ok()).is_some_and(|dn| dn == *name)
}

/// Deletes a file, if it is there.
pub(super) fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::file("delete", path)(error)),
        _ => Ok(()),
    }
}

/// Keeps everybody but the owner out of a file that the server has written. Gives how many bytes it has. The server's user could
/// have put a link there to something else, of which nothing is changed.
pub(super) fn close(path: &Path) -> Result<u64, Error> {
    let flags = (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path).map_err(Error::file("open", path))?;
    let metadata = file.metadata().map_err(Error::file("read", path))?;
    if !metadata.is_file() || metadata.nlink() != 1 {
        return Err(denied(path, "it is not the file that the server was to write".to_owned()));
    }
    file.set_permissions(Permissions::from_mode(0o600)).map_err(Error::file("change the permissions of", path))?;
    Ok(metadata.len())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_the_file_that_was_written_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let [other, link, twin, written] = ["other", "link", "twin", "written"].map(|name| folder.path().join(name));
        for file in [&other, &written] {
            fs::write(file, "dn: ").unwrap();
            fs::set_permissions(file, Permissions::from_mode(0o644)).unwrap();
        }
        symlink(&other, &link).unwrap();
        fs::hard_link(&other, &twin).unwrap();
        for path in [&link, &twin, folder.path()] {
            assert!(close(path).is_err(), "{}", path.display());
        }
        let mode = |file: &Path| fs::metadata(file).unwrap().mode() & 0o777;
        assert_eq!(close(&written).unwrap(), 4);
        assert_eq!((mode(&other), mode(&written)), (0o644, 0o600));
    }

    #[test]
    fn a_file_is_searched_for_the_root_of_a_backend() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.ldif");
        for (text, expected) in [
            ("version: 1\n\ndn: DC=example, dc=com\ndc: example\n", true),
            ("dn: ou=x,dc=example,dc=com\nou: x\n\ndn: dc=exam\n ple,dc=com\n", true),
            ("dn:: ZGM9ZXhhbXBsZSxkYz1jb20=\r\n", true),
            ("dn: dc=example,dc=com", true),
            ("dn: dc=other\ndescription: dn: dc=example,dc=com\n", false),
            ("# dn: dc=example,dc=com\n", false),
            ("dn:: *\n", false),
            ("", false),
        ] {
            fs::write(&file, text).unwrap();
            assert_eq!(holds(&file, &Dn::parse("dc=example,dc=com").unwrap()).is_ok(), expected, "{text:?}");
        }
    }
}

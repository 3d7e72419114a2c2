//! Files that are written whole or not at all, in folders of the server's user. That one could put anything in the place of a
//! name, a link too, so rights are changed of files that are open, never by a name.

use std::{
    fs::{File, Metadata, Permissions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown},
    path::Path,
};

/// Whose a file is, and what others may do with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rights {
    /// The user.
    pub(crate) uid: u32,
    /// The group.
    pub(crate) gid: u32,
    /// The bits of permissions.
    pub(crate) mode: u32,
}

impl Rights {
    /// The owner of something, with other permissions.
    pub(crate) fn of(metadata: &Metadata, mode: u32) -> Self {
        Self { uid: metadata.uid(), gid: metadata.gid(), mode }
    }

    fn give(self, file: &File) -> io::Result<()> {
        fchown(file, Some(self.uid), Some(self.gid))?;
        file.set_permissions(Permissions::from_mode(self.mode))
    }
}

/// Puts a file in its place. It is on disk when this returns.
pub(crate) fn write(path: &Path, rights: Rights, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    rights.give(file.as_file())?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(folder)?.sync_all()
}

/// Gives a file or folder that is there to somebody. Of a link, nothing is changed, and that is an error.
pub(crate) fn hand_over(path: &Path, rights: Rights) -> io::Result<()> {
    let flags = (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits().cast_signed();
    rights.give(&File::options().read(true).custom_flags(flags).open(path)?)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn a_file_takes_the_place_of_another_with_its_rights() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let rights = Rights::of(&fs::metadata(folder.path()).unwrap(), 0o640);
        for text in ["one", "two"] {
            write(&path, rights, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_is_handed_over_to_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&file, "").unwrap();
        symlink(&file, &link).unwrap();
        let rights = Rights::of(&fs::metadata(&file).unwrap(), 0o600);
        assert!(hand_over(&link, Rights { mode: 0o666, ..rights }).is_err());
        assert_ne!(fs::metadata(&file).unwrap().mode() & 0o777, 0o666);
        hand_over(&file, rights).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    }
}

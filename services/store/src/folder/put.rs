//! Putting a report into a folder of this machine, never outside of it.

use std::{
    fs::{self, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
};

use super::Folder;
use crate::{Location, OBJECT_NAMES, error::Error};

impl Folder {
    /// As [`crate::Store::takes_reports`].
    pub(crate) fn takes_reports(&self) -> Result<(), Error> {
        if self.is_single() {
            return Err(Error::ReadOnly("it is one database; give the folder that reports are to be in".to_owned()));
        }
        Ok(())
    }

    /// As [`crate::Store::put`]; writing blocks. The report is on disk when this returns.
    pub(crate) fn put(&self, location: &Location, bytes: &[u8]) -> Result<(), Error> {
        let mut folder = self.root.clone();
        for segment in location.segments() {
            let inner = folder.join(segment);
            match fs::create_dir(&inner) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(refused(&error)),
            }
            folder = self.inside(&inner)?;
        }
        // As any other file that a program makes: what the user's mask leaves of this.
        let permissions = Permissions::from_mode(0o666);
        let written = || {
            let mut partial = tempfile::Builder::new().prefix(".report-").permissions(permissions).tempfile_in(&folder)?;
            partial.write_all(bytes)?;
            partial.as_file().sync_all()?;
            let [name, ..] = OBJECT_NAMES;
            partial.persist(folder.join(name))?;
            fs::File::open(&folder)?.sync_all()
        };
        written().map_err(|error: io::Error| refused(&error))
    }
}

fn refused(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Error::Denied("its folders may not be written to by this user".to_owned()),
        kind => Error::NotWritten(kind.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn put(folder: &Folder, location: &str) -> Result<(), Error> {
        folder.put(&Location::parse(location).unwrap(), b"bytes")
    }

    #[test]
    fn nothing_is_written_where_links_lead_out() {
        let place = tempfile::tempdir().unwrap();
        let (root, outside) = (place.path().join("logs"), place.path().join("outside"));
        fs::create_dir(&root).unwrap();
        fs::create_dir(&outside).unwrap();
        symlink(&outside, root.join("out")).unwrap();
        let folder = Folder::open(&root).unwrap();
        for location in ["out", "out/ara-report"] {
            assert!(matches!(put(&folder, location), Err(Error::Outside)), "{location}");
        }
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    }

    #[test]
    fn a_link_to_a_file_elsewhere_is_replaced_and_the_file_stays() {
        let place = tempfile::tempdir().unwrap();
        let (root, outside) = (place.path().join("logs"), place.path().join("precious"));
        fs::create_dir_all(root.join("1")).unwrap();
        fs::write(&outside, "precious").unwrap();
        symlink(&outside, root.join("1/ansible.sqlite")).unwrap();
        put(&Folder::open(&root).unwrap(), "1").unwrap();
        assert_eq!(fs::read(root.join("1/ansible.sqlite")).unwrap(), b"bytes");
        assert_eq!(fs::read(&outside).unwrap(), b"precious");
    }

    #[test]
    fn what_is_in_the_way_is_left_there_and_nothing_beside_it() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir_all(place.path().join("1/ansible.sqlite")).unwrap();
        fs::write(place.path().join("file"), "file").unwrap();
        let folder = Folder::open(place.path()).unwrap();
        for location in ["1", "file", "file/ara-report"] {
            assert!(matches!(put(&folder, location), Err(Error::NotWritten(_))), "{location}: {:?}", put(&folder, location));
        }
        assert_eq!(fs::read_dir(place.path().join("1")).unwrap().count(), 1);
        assert_eq!(fs::read_to_string(place.path().join("file")).unwrap(), "file");
    }

    #[test]
    fn a_store_that_is_one_database_takes_no_other() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(Folder::open(file.path()).unwrap().takes_reports(), Err(Error::ReadOnly(_))));
    }
}

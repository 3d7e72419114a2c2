//! Removing a report from a folder of this machine, and never anything outside of it.

use std::{fs, io};

use super::Folder;
use crate::{Location, OBJECT_NAMES, error::Error};

impl Folder {
    /// As [`crate::Store::remove`]; it blocks. Folders that are empty without it go too.
    pub(crate) fn remove(&self, location: &Location) -> Result<(), Error> {
        let folder = match self.resolve(location) {
            Err(Error::NotFound) => return Ok(()),
            folder => folder?,
        };
        for name in OBJECT_NAMES {
            match fs::remove_file(folder.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(refused(&error)),
                _ => {}
            }
        }
        // The first that is not empty is left, and all around it.
        for empty in folder.ancestors().take_while(|folder| *folder != self.root) {
            if fs::remove_dir(empty).is_err() {
                break;
            }
        }
        Ok(())
    }
}

fn refused(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Error::Denied("its folders may not be written to by this user".to_owned()),
        kind => Error::NotRemoved(kind.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn remove(folder: &Folder, location: &str) -> Result<(), Error> {
        folder.remove(&Location::parse(location).unwrap())
    }

    #[test]
    fn folders_that_are_empty_go_and_others_stay() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        for location in ["a/1/r", "a/2/r"] {
            folder.put(&Location::parse(location).unwrap(), b"bytes").unwrap();
        }
        fs::write(place.path().join("a/2/note"), "note").unwrap();
        remove(&folder, "a/1/r").unwrap();
        assert!(!place.path().join("a/1").exists());
        remove(&folder, "a/2/r").unwrap();
        assert!(place.path().join("a/2/note").exists() && !place.path().join("a/2/r").exists());
        fs::remove_file(place.path().join("a/2/note")).unwrap();
        remove(&folder, "a/2").unwrap();
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
        remove(&folder, "").unwrap();
        assert!(place.path().exists());
    }

    #[test]
    fn nothing_is_removed_where_links_lead_out_and_of_a_link_only_the_link() {
        let place = tempfile::tempdir().unwrap();
        let (root, outside) = (place.path().join("logs"), place.path().join("outside"));
        fs::create_dir_all(root.join("1")).unwrap();
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("ansible.sqlite"), "precious").unwrap();
        symlink(&outside, root.join("out")).unwrap();
        symlink(outside.join("ansible.sqlite"), root.join("1/ansible.sqlite")).unwrap();
        let folder = Folder::open(&root).unwrap();
        assert!(matches!(remove(&folder, "out"), Err(Error::Outside)));
        remove(&folder, "1").unwrap();
        assert!(!root.join("1").exists());
        assert_eq!(fs::read_to_string(outside.join("ansible.sqlite")).unwrap(), "precious");
    }
}

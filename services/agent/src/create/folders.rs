//! Folders and files of an instance that is being made: who owns them, and that they go again when the making fails.

use std::{
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, fchown, symlink},
    path::{Path, PathBuf},
};

use super::{Error, make_folders, owner::Owner};
use crate::{paths::Paths, whole};

/// Makes the folders of an instance that are missing: after a start of the host, those in `/run` and `/dev/shm` are. They
/// belong to the owner of its `dse.ldif`.
pub fn restore_folders(name: &str, paths: &Paths) -> Result<(), Error> {
    let dse = paths.dse();
    let owner = Owner::of(&fs::metadata(&dse).map_err(Error::file("read", &dse))?);
    let mut made = Made::new(name, owner);
    make_folders(&mut made, paths)?;
    made.keep();
    Ok(())
}

/// What was made so far. Goes when this is dropped, unless it is to be kept.
pub(super) struct Made {
    folder_name: String,
    owner: Owner,
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    is_kept: bool,
}

impl Made {
    /// Nothing, for an instance and its owner.
    pub(super) fn new(name: &str, owner: Owner) -> Self {
        Self { folder_name: format!("slapd-{name}"), owner, files: Vec::new(), folders: Vec::new(), is_kept: false }
    }

    /// Makes a folder for the owner alone, unless it is there. Folders above it that are missing can be entered by everybody,
    /// unless they are the instance's as well.
    pub(super) fn folder(&mut self, path: &Path) -> Result<(), Error> {
        let mut is_own = false;
        let mut folders: Vec<&Path> = path.ancestors().collect();
        folders.reverse();
        for folder in folders {
            is_own |= folder == path || folder.file_name().is_some_and(|name| name == self.folder_name.as_str());
            if folder.is_dir() {
                continue;
            }
            // Under its name there is never one that is not the owner's yet: whoever goes on after a kill would not know it.
            let mut name = folder.as_os_str().to_owned();
            name.push(".new");
            let new = PathBuf::from(name);
            match DirBuilder::new().mode(0o700).create(&new) {
                Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(Error::File { step: "make the folder", path: folder.to_owned(), source });
                }
                _ => self.folders.push(new.clone()),
            }
            let mode = if is_own { 0o770 } else { 0o755 };
            let result = match is_own {
                true => whole::hand_over(&new, self.owner.rights(mode)),
                false => fs::set_permissions(&new, Permissions::from_mode(mode)),
            };
            result.map_err(Error::file("hand over the folder", folder))?;
            match fs::rename(&new, folder) {
                // Another one has made it meanwhile.
                Err(_) if folder.is_dir() => continue,
                renamed => renamed.map_err(Error::file("make the folder", folder))?,
            }
            self.folders.push(folder.to_owned());
        }
        Ok(())
    }

    /// Writes a file of the owner's: whole, or not at all.
    pub(super) fn file(&mut self, path: &Path, mode: u32, bytes: &[u8]) -> Result<(), Error> {
        let mut name = path.as_os_str().to_owned();
        name.push(".new");
        let new = PathBuf::from(name);
        self.clear(&new)?;
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
            fchown(&file, Some(self.owner.uid), Some(self.owner.gid))?;
            file.set_permissions(Permissions::from_mode(mode))?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&new, path)
        };
        write().map_err(Error::file("write", path))?;
        self.files.push(path.to_owned());
        Ok(())
    }

    /// Makes room for a file that a program will write, and knows it as made.
    pub(super) fn clear(&mut self, path: &Path) -> Result<(), Error> {
        match fs::remove_file(path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(Error::File { step: "replace", path: path.to_owned(), source })
            }
            _ => {
                self.files.push(path.to_owned());
                Ok(())
            }
        }
    }

    /// Hands a file that a program wrote to the owner, and to nobody else.
    pub(super) fn hand_over(&self, path: &Path) -> Result<(), Error> {
        whole::hand_over(path, self.owner.rights(0o600)).map_err(Error::file("hand over", path))
    }

    /// Lets the place where an instance is looked for lead to its configuration, if that is elsewhere.
    pub(super) fn link(&mut self, from: &Path, to: &Path) -> Result<(), Error> {
        if from == to || fs::canonicalize(from).ok().is_some_and(|found| fs::canonicalize(to).ok() == Some(found)) {
            return Ok(());
        }
        if let Some(parent) = from.parent().filter(|parent| !parent.is_dir()) {
            self.folder(parent)?;
        }
        symlink(to, from).map_err(Error::file("make the link", from))?;
        self.files.push(from.to_owned());
        Ok(())
    }

    /// Lets everything stay.
    pub(super) fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        for path in self.files.iter().rev() {
            forget(path, fs::remove_file(path));
        }
        // A folder that holds what others put there since stays.
        for path in self.folders.iter().rev() {
            forget(path, fs::remove_dir(path));
        }
    }
}

fn forget(path: &Path, result: io::Result<()>) {
    if let Err(error) = result
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "this is left of an instance that was not created");
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::installation::tests::{installed, prefix};

    fn made(folder: &Path) -> Made {
        Made::new("a", Owner::of(&fs::metadata(folder).unwrap()))
    }

    #[test]
    fn what_was_made_goes_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let (folder, kept) = (root.path().join("lib/slapd-a/db"), root.path().join("kept"));
        fs::create_dir(&kept).unwrap();
        let mut made = made(root.path());
        made.folder(&folder).unwrap();
        made.folder(&kept).unwrap();
        made.file(&folder.join("x"), 0o600, b"1").unwrap();
        made.file(&kept.join("x"), 0o600, b"1").unwrap();
        fs::write(root.path().join("lib/other"), "").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&folder), 0o770);
        assert_eq!(mode(&root.path().join("lib/slapd-a")), 0o770);
        assert_eq!(mode(&root.path().join("lib")), 0o755);
        drop(made);
        assert!(!root.path().join("lib/slapd-a").exists());
        assert!(root.path().join("lib/other").exists());
        assert!(kept.is_dir() && !kept.join("x").exists());
    }

    #[test]
    fn a_link_is_made_only_to_another_place() {
        let root = tempfile::tempdir().unwrap();
        let (home, config) = (root.path().join("etc/slapd-a"), root.path().join("config"));
        fs::create_dir(&config).unwrap();
        let mut made = made(root.path());
        made.link(&home, &home).unwrap();
        assert!(!home.exists());
        made.link(&home, &config).unwrap();
        made.link(&home, &config).unwrap();
        made.keep();
        assert_eq!(fs::read_link(&home).unwrap(), config);
    }

    #[test]
    fn folders_that_a_start_of_the_host_took_come_back() {
        let prefix = prefix("2.3.1");
        let paths = Paths::usual(&installed(&prefix), "a");
        assert!(matches!(restore_folders("a", &paths), Err(Error::File { step: "read", .. })));
        fs::create_dir_all(&paths.config_dir).unwrap();
        fs::write(paths.dse(), "").unwrap();
        restore_folders("a", &paths).unwrap();
        assert!(paths.lock_dir.is_dir() && paths.db_home_dir.is_dir() && paths.run_dir.is_dir());
        assert!(paths.dse().exists());
    }
}

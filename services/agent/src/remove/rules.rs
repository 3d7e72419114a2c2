//! What may be deleted as a whole: folders that bear the instance's name, and neither hold nor are anything of another
//! instance or of the system. Of others, only files that are known to be the instance's.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Error, delete_file, delete_tree};
use crate::{installation::Installation, paths::Paths};

/// The bare name, without `slapd-`, makes a path the instance's only if it has more components than these, the root counted:
/// `/srv/NAME/db` has, `/NAME/db` has not.
const DEEP: usize = 3;

/// The rules for one instance.
pub(super) struct Rules<'a> {
    name: &'a str,
    folder: String,
    config: &'a Path,
    /// Folders and files of the system.
    system: Vec<PathBuf>,
    /// Folders of other instances.
    others: Vec<PathBuf>,
}

impl<'a> Rules<'a> {
    /// The rules for an instance beside others, where its configuration is, without links.
    pub(super) fn new(installation: &Installation, name: &'a str, config: &'a Path, others: &[Paths]) -> Self {
        // A name that no instance has: what is left are paths of the system.
        let mut system: Vec<PathBuf> = installation.paths(".").collect();
        system.extend([installation.configuration(), installation.originals().join("ssca")]);
        let others = others.iter().flat_map(Paths::own).map(Path::to_owned).collect();
        let folder = format!("slapd-{name}");
        Self { name, folder, config, system: with_real(system), others: with_real(others) }
    }

    /// Deletes a folder, or, if it is not the instance's alone, what is known in it. That of the configuration stays.
    pub(super) fn delete(&self, path: &Path, known: &[&str]) -> Result<(), Error> {
        match real(path) {
            Some(real) if real == self.config => Ok(()),
            Some(real) if self.is_own(&real) => delete_tree(&real),
            _ => self.delete_known(path, known),
        }
    }

    /// Deletes the files of a folder that are called so, unless another instance has that folder as well. A `*` at the end of
    /// a name stands for any text.
    pub(super) fn delete_known(&self, path: &Path, known: &[&str]) -> Result<(), Error> {
        let is_known = |name: &str| {
            let is_it = |known: &&str| known.strip_suffix('*').map_or(name == *known, |start| name.starts_with(start));
            known.iter().any(is_it)
        };
        self.delete_entries(path, |name, is_folder| !is_folder && is_known(name))
    }

    /// The same of folders, with all that is in them.
    pub(super) fn delete_folders(&self, path: &Path, known: &[&str]) -> Result<(), Error> {
        self.delete_entries(path, |name, is_folder| is_folder && known.contains(&name))
    }

    fn delete_entries(&self, path: &Path, is_meant: impl Fn(&str, bool) -> bool) -> Result<(), Error> {
        let is_folder = |path: &PathBuf| fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
        let Some(real) = real(path).filter(is_folder).filter(|real| !self.others.contains(real)) else { return Ok(()) };
        let failed = |source| Error::Delete { path: real.clone(), source };
        for entry in fs::read_dir(&real).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let is_folder = entry.file_type().map_err(failed)?.is_dir();
            match entry.file_name().to_str().is_some_and(|name| is_meant(name, is_folder)) {
                true if is_folder => delete_tree(&entry.path())?,
                true => delete_file(&entry.path())?,
                false => {}
            }
        }
        Ok(())
    }

    /// Deletes a folder that is empty and the instance's.
    pub(super) fn delete_empty(&self, path: Option<&Path>) {
        if let Some(real) = path.and_then(real).filter(|real| *real != self.config && self.is_own(real)) {
            // Whoever put something there keeps it.
            let _ = fs::remove_dir(real);
        }
    }

    /// Whether a folder is the instance's alone: it is inside that of the configuration, or it or the folder that it is in
    /// bears the name and holds nothing of the system; and it is in no folder of another instance and holds none.
    pub(super) fn is_own(&self, real: &Path) -> bool {
        let is_inside = real != self.config && real.starts_with(self.config);
        let is_named = || {
            let named = real.ancestors().take(2).find(|folder| self.bears_name(folder, real));
            named.is_some_and(|named| !self.system.iter().any(|path| path.starts_with(named)))
        };
        let is_shared = self.others.iter().any(|other| other.starts_with(real) || real.starts_with(other));
        let holds_config = real != self.config && self.config.starts_with(real);
        (is_inside || is_named()) && !is_shared && !holds_config
    }

    fn bears_name(&self, folder: &Path, whole: &Path) -> bool {
        let Some(name) = folder.file_name().and_then(|name| name.to_str()) else { return false };
        name == self.folder || name == self.name && whole.components().count() > DEEP
    }
}

/// Paths, and what they are without links.
fn with_real(mut paths: Vec<PathBuf>) -> Vec<PathBuf> {
    let found: Vec<PathBuf> = paths.iter().filter_map(|path| fs::canonicalize(path).ok()).collect();
    paths.extend(found);
    paths
}

/// A path whose folders are no links; `None` if there are none. The last component may be a link: it is the link that goes.
fn real(path: &Path) -> Option<PathBuf> {
    Some(fs::canonicalize(path.parent()?).ok()?.join(path.file_name()?))
}

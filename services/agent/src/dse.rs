//! The file of an instance's configuration, under whichever of its names it is found. The server writes a change to
//! `dse.ldif.tmp`, calls the file before it `dse.ldif.bak`, and gives the new one its name; `dse.ldif.startOK` is what its last
//! start began with. What is in the file is for others. Everything here waits for files.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use directory::{entry::Tree, layout, ldif};

/// Name of the file in the folder of the configuration.
pub(crate) const NAME: &str = "dse.ldif";

/// What its names end with: itself, and what stands for it where there is none, in the order in which the server would take it.
const ITSELF: &str = "";
const NEW: &str = ".tmp";
const BEFORE: &str = ".bak";
const AT_START: &str = ".startOK";

/// Why a file does not say what an instance is.
#[derive(Debug, thiserror::Error)]
#[error("failed to read {}: {problem}", path.display())]
pub struct Unreadable {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: String,
}

impl Unreadable {
    pub(crate) fn new(path: &Path, problem: &impl ToString) -> Self {
        Self { path: path.to_owned(), problem: problem.to_string() }
    }
}

/// Whether there is an instance in a folder. While the server exchanges the file, there is the one before.
pub(crate) fn exists(folder: &Path) -> io::Result<bool> {
    let path = folder.join(NAME);
    Ok(path.try_exists()? || named(&path, BEFORE).try_exists()?)
}

/// What the file says, also at the moment at which the server exchanges it.
pub(crate) fn tree(path: &Path) -> Result<Tree, Unreadable> {
    parse(path, &read(path).map_err(|error| Unreadable::new(path, &error))?)
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Tree, Unreadable> {
    let records = ldif::parse(bytes).map_err(|error| Unreadable::new(path, &error))?;
    Tree::from_records(records).map_err(|error| Unreadable::new(path, &error))
}

/// The file's bytes, also at the moment at which the server exchanges it.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut missing = None;
    // Between two looks it may have got its name.
    for ending in [ITSELF, NEW, ITSELF, BEFORE, ITSELF] {
        match fs::read(named(path, ending)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => missing = missing.or(Some(error)),
            done => return done,
        }
    }
    Err(missing.unwrap_or_else(|| io::ErrorKind::NotFound.into()))
}

/// Gives the file its name where a server was killed while it exchanged it. That would itself begin with the new one.
pub(crate) fn put_back(path: &Path) -> io::Result<()> {
    if path.try_exists()? {
        return Ok(());
    }
    let is_whole = |name: &Path| fs::read(name).is_ok_and(|bytes| ldif::parse(&bytes).is_ok_and(|records| !records.is_empty()));
    let Some(name) = [NEW, BEFORE].map(|ending| named(path, ending)).into_iter().find(|name| is_whole(name)) else {
        return Ok(());
    };
    fs::rename(name, path)?;
    File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
}

/// What the first of the files says that says anything, the server's own copies among them. `None` if there is none of them.
pub(crate) fn remains(folder: &Path) -> Result<Option<Tree>, Unreadable> {
    let mut first = None;
    for ending in [ITSELF, AT_START, BEFORE] {
        let path = named(&folder.join(NAME), ending);
        let found = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => Err(Unreadable::new(&path, &error)),
            Ok(bytes) if bytes.is_empty() => Err(Unreadable::new(&path, &"it is empty")),
            Ok(bytes) => parse(&path, &bytes),
        };
        match found {
            Ok(tree) if tree.get(&layout::config()).is_some() => return Ok(Some(tree)),
            Ok(_) => first.get_or_insert(Unreadable::new(&path, &"it has no entry cn=config")),
            Err(unreadable) => first.get_or_insert(unreadable),
        };
    }
    first.map_or(Ok(None), Err)
}

fn named(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "dn: cn=config\ncn: config\n";
    const OLDER: &str = "dn: cn=config\ncn: config\ndescription: older\n";
    const TORN: &str = "dn: cn=config\nno attribute";

    /// A folder with files by the ends of their names, and the path of the file.
    fn with(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        for (ending, text) in files {
            fs::write(folder.path().join(format!("{NAME}{ending}")), text).unwrap();
        }
        let path = folder.path().join(NAME);
        (folder, path)
    }

    #[test]
    fn a_configuration_that_was_between_two_names_gets_its_own_back() {
        let check = |files: &[(&str, &str)], expected: Option<&str>| {
            let (_folder, path) = with(files);
            put_back(&path).unwrap();
            assert_eq!(fs::read_to_string(&path).ok().as_deref(), expected, "{files:?}");
        };
        check(&[(".tmp", WHOLE), (".bak", OLDER)], Some(WHOLE));
        check(&[(".bak", OLDER)], Some(OLDER));
        // What was not written to its end is not begun with.
        check(&[(".tmp", TORN), (".bak", OLDER)], Some(OLDER));
        check(&[(".tmp", ""), (".bak", OLDER)], Some(OLDER));
        check(&[(".tmp", TORN)], None);
        // One that is in its place stays, whatever else is there.
        check(&[("", OLDER), (".tmp", WHOLE)], Some(OLDER));
        check(&[], None);
    }

    #[test]
    fn a_configuration_is_read_while_the_server_exchanges_it() {
        let check = |files: &[(&str, &str)], there: bool, expected: Option<&str>| {
            let (folder, path) = with(files);
            assert_eq!(exists(folder.path()).unwrap(), there, "{files:?}");
            assert_eq!(read(&path).ok().as_deref(), expected.map(str::as_bytes), "{files:?}");
        };
        check(&[("", WHOLE), (".tmp", OLDER), (".bak", OLDER)], true, Some(WHOLE));
        check(&[(".tmp", WHOLE), (".bak", OLDER)], true, Some(WHOLE));
        check(&[(".bak", OLDER), (".startOK", WHOLE)], true, Some(OLDER));
        // One that somebody has deleted is gone.
        check(&[(".startOK", WHOLE)], false, None);
        check(&[], false, None);
    }

    #[test]
    fn what_remains_of_a_configuration_says_where_the_files_of_an_instance_are() {
        let check = |files: &[(&str, &str)], expected: Option<&str>| {
            let (folder, _) = with(files);
            let text = |tree: Tree| tree.get(&layout::config()).unwrap().text("description").unwrap_or_default().to_owned();
            assert_eq!(remains(folder.path()).ok().flatten().map(text).as_deref(), expected, "{files:?}");
        };
        check(&[("", WHOLE), (".startOK", OLDER)], Some(""));
        check(&[("", TORN), (".startOK", OLDER)], Some("older"));
        check(&[("", ""), (".bak", OLDER)], Some("older"));
        check(&[("", TORN)], None);
        check(&[], None);
        let (folder, path) = with(&[("", ""), (".bak", TORN)]);
        // The file itself is the one to be repaired.
        assert_eq!(remains(folder.path()).unwrap_err().path, path);
    }
}

//! Objects that are files of a folder, for the stores that are folders: this machine's, and those that nginx serves.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::{Bucket, Server};

/// A folder of this machine as a store.
pub struct Folder {
    folder: tempfile::TempDir,
    root: PathBuf,
}

impl Default for Folder {
    fn default() -> Self {
        Folder::new()
    }
}

impl Folder {
    /// An empty one.
    pub fn new() -> Folder {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("the folder").join("logs");
        fs::create_dir(&root).expect("a folder");
        Folder { folder, root }
    }

    /// Its path.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

impl Bucket for Folder {
    fn url_at(&self, _: SocketAddr, prefix: &str) -> Option<String> {
        Some(self.root.join(prefix).display().to_string())
    }

    fn server(&self) -> Option<&Server> {
        None
    }

    fn put_as(&self, key: &str, bytes: &[u8], _: Option<&str>) {
        put(&self.root, key, bytes);
    }

    fn delete(&self, key: &str) {
        fs::remove_file(self.root.join(key)).expect("a file to delete");
    }

    fn can_hold(&self, key: &str) -> bool {
        can_be_a_path(key)
    }

    fn url_of_a_missing_one(&self) -> Option<String> {
        Some(self.folder.path().join("missing").display().to_string())
    }
}

/// Puts a file in place of the one before, by renaming, as one should.
pub(super) fn put(root: &Path, key: &str, bytes: &[u8]) {
    let file = root.join(key);
    let folder = file.parent().expect("a folder of the root");
    fs::create_dir_all(folder).expect("a folder");
    let mut partial = tempfile::NamedTempFile::new_in(root.parent().expect("a folder around the root")).expect("a file");
    partial.write_all(bytes).expect("a file");
    partial.persist(file).expect("a file in place");
}

pub(super) fn can_be_a_path(key: &str) -> bool {
    key.split('/').all(|segment| !segment.is_empty() && segment != "." && segment != ".." && segment.len() <= 255)
}

//! versitygw: S3 over a folder, whose objects outlive the process. It checks signatures.

use std::process::Command;
use std::sync::Arc;

use super::s3::{Key, S3Bucket};
use super::{Server, tool};

/// A running gateway and its folder.
pub struct Versitygw {
    server: Arc<Server>,
    key: Key,
    folder: tempfile::TempDir,
}

impl Versitygw {
    pub fn start() -> Versitygw {
        let folder = tempfile::tempdir().expect("a folder for objects");
        let key = Key { id: "aviary".to_owned(), secret: "only-for-tests".to_owned() };
        let (program, root, owner) = (tool("bin/versitygw"), folder.path().to_owned(), key.clone());
        let server = Server::start(move |address| {
            let mut command = Command::new(&program);
            command
                .args(["--port", &address.to_string(), "--quiet", "--keep-alive", "posix"])
                .arg(&root)
                .env("ROOT_ACCESS_KEY", &owner.id)
                .env("ROOT_SECRET_KEY", &owner.secret);
            command
        });
        Versitygw { server: Arc::new(server), key, folder }
    }

    /// Where its buckets are folders.
    pub fn root(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// A new bucket.
    pub fn bucket(&self) -> S3Bucket {
        S3Bucket::new(&self.server, &self.key, true, true)
    }
}

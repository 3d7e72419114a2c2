//! nginx: plain files of a folder with the pages that nginx makes of its folders.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use super::folder::{can_be_a_path, put};
use super::{Bucket, Server, encoded, fresh_name};

/// Where Debian has it, which is not in every user's path.
const PROGRAM: &str = "/usr/sbin/nginx";

/// A running server, one folder of which is the store.
pub struct Nginx {
    server: Arc<Server>,
    folder: tempfile::TempDir,
    name: String,
}

impl Default for Nginx {
    fn default() -> Self {
        Nginx::start()
    }
}

impl Nginx {
    pub fn start() -> Nginx {
        let folder = tempfile::tempdir().expect("a folder for nginx");
        let name = fresh_name();
        fs::create_dir_all(folder.path().join("www").join(&name)).expect("a folder");
        let root = folder.path().to_owned();
        let server = Server::start(move |address| {
            let file = root.join("nginx.conf");
            fs::write(&file, configuration(&root, address)).expect("its configuration");
            let mut command = Command::new(PROGRAM);
            command.args(["-e", "stderr", "-p"]).arg(&root).arg("-c").arg(file);
            command
        });
        Nginx { server: Arc::new(server), folder, name }
    }

    /// The folder that the store is.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("www").join(&self.name)
    }
}

impl Bucket for Nginx {
    fn url_at(&self, address: SocketAddr, prefix: &str) -> Option<String> {
        Some(format!("http://{address}/{}/{}", self.name, encoded(prefix)))
    }

    fn server(&self) -> Option<&Server> {
        Some(&self.server)
    }

    fn put_as(&self, key: &str, bytes: &[u8], _: Option<&str>) {
        put(&self.root(), key, bytes);
    }

    fn delete(&self, key: &str) {
        fs::remove_file(self.root().join(key)).expect("a file to delete");
    }

    fn can_hold(&self, key: &str) -> bool {
        can_be_a_path(key)
    }

    fn shows(&self, name: &str) -> bool {
        !name.starts_with('.')
    }

    fn takes_reports(&self) -> bool {
        false
    }

    fn url_of_a_missing_one(&self) -> Option<String> {
        Some(format!("http://{}/{}", self.server.address(), fresh_name()))
    }

    fn url_that_is_denied(&self) -> Option<String> {
        Some(format!("http://{}/-/private", self.server.address()))
    }
}

/// One process, so that a signal to it stops all of it.
fn configuration(folder: &Path, address: SocketAddr) -> String {
    let folder = folder.display();
    format!(
        "daemon off;
master_process off;
pid {folder}/pid;
error_log stderr warn;
events {{ worker_connections 768; }}
http {{
    access_log off;
    sendfile on;
    keepalive_requests 1000000000;
    types {{ }}
    default_type application/octet-stream;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {address};
        root {folder}/www;
        autoindex on;
        location /-/ {{ return 403; }}
    }}
}}
"
    )
}

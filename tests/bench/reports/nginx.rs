//! nginx with one static file for each URL, as Debian configures it but for what a bench needs.

use std::fmt::Write;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tests::process::Process;

/// Where Debian has it, which is not in every user's path.
pub(crate) const PROGRAM: &str = "/usr/sbin/nginx";

/// A running server; dropping it ends it.
pub(crate) struct Nginx {
    address: SocketAddr,
    process: Process,
    _folder: tempfile::TempDir,
}

impl Nginx {
    /// Serves each body at its path.
    pub(crate) fn start<'a>(bodies: impl Iterator<Item = (String, &'a [u8])>) -> Nginx {
        let folder = tempfile::tempdir().unwrap();
        // Its workers are another user when it is started by root.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut locations = String::new();
        for (index, (path, body)) in bodies.enumerate() {
            let file = folder.path().join(format!("{index}.json"));
            fs::write(&file, body).unwrap();
            writeln!(locations, "location = \"{path}\" {{ alias {}; }}", file.display()).unwrap();
        }
        // It cannot say which free port it took, so one is found for it.
        let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap();
        let file = folder.path().join("nginx.conf");
        fs::write(&file, configuration(folder.path(), address, &locations)).unwrap();
        let mut command = Command::new(PROGRAM);
        command.args(["-e", "stderr", "-p"]).arg(folder.path()).arg("-c").arg(&file);
        let process = Process::start(command, Duration::from_secs(10));
        process.wait_for("worker of nginx", Duration::from_secs(30), |line| line.contains("start worker process ").then_some(()));
        Nginx { address, process, _folder: folder }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Killed by force it would leave its workers behind.
        let _ = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status();
    }
}

fn configuration(folder: &Path, address: SocketAddr, locations: &str) -> String {
    let folder = folder.display();
    format!(
        "daemon off;
worker_processes 2;
pid {folder}/pid;
error_log stderr notice;
events {{ worker_connections 768; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    types {{ }}
    default_type application/json;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {address};
{locations}
    }}
}}
"
    )
}

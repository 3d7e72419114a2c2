//! A real ARA 1.8.0, served by gunicorn over distributed SQLite: the oracle.
//!
//! The program comes from `tests/run`, which installs it; nothing here downloads.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::http::Connection;
use crate::process::Process;

/// How to run it. `Options::of(root)` is ARA's own defaults with UTC and any host allowed.
#[derive(Clone, Debug)]
pub struct Options {
    pub root: PathBuf,
    pub prefix: String,
    pub base_path: String,
    pub page_size: Option<u32>,
    pub workers: u32,
    pub threads: u32,
    /// A database that is ARA's own, instead of all those below the root.
    pub database: Option<PathBuf>,
}

impl Options {
    pub fn of(root: impl Into<PathBuf>) -> Options {
        Options {
            root: root.into(),
            prefix: "ara-report".into(),
            base_path: String::new(),
            page_size: None,
            workers: 2,
            threads: 4,
            database: None,
        }
    }

    /// One database, which ARA writes to as well.
    pub fn own(database: impl Into<PathBuf>) -> Options {
        Options { database: Some(database.into()), ..Options::of("/nonexistent") }
    }
}

/// A running server; dropping it ends it.
pub struct Ara {
    address: SocketAddr,
    process: Process,
    /// ARA insists on a folder of its own.
    _home: tempfile::TempDir,
}

/// The Python that has ARA installed.
pub fn python() -> PathBuf {
    let python = crate::target_dir().join("tools/ara/bin/python");
    assert!(python.exists(), "{} is missing: run tests/run once", python.display());
    python
}

/// One of ARA's management commands on a database: whether it did well, and what it said.
pub fn manage(database: &Path, arguments: &[&str]) -> (bool, String) {
    let home = tempfile::tempdir().expect("a folder for ARA");
    let settings = home.path().join("settings.yaml");
    std::fs::write(&settings, "default: {}\n").expect("settings of ARA");
    let output = Command::new(python().with_file_name("ara-manage"))
        .args(arguments)
        .current_dir(home.path())
        .env("ARA_BASE_DIR", home.path())
        .env("ARA_SETTINGS", settings)
        .env("ARA_DATABASE_NAME", database)
        .env("ARA_SECRET_KEY", "oracle")
        .env("ARA_LOG_LEVEL", "CRITICAL")
        .env("ARA_TIME_ZONE", "UTC")
        .output()
        .expect("failed to start ara-manage");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

impl Ara {
    /// The process that started the workers.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    pub fn start(options: &Options) -> Ara {
        let home = tempfile::tempdir().expect("a folder for ARA");
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/gunicorn.conf.py");
        let mut command = Command::new(python());
        command
            .args([
                "-B",
                "-m",
                "gunicorn",
                "ara.server.wsgi:application",
                "--preload",
                "--bind",
                "127.0.0.1:0",
                "--keep-alive",
                "60",
                "--timeout",
                "120",
            ])
            .args(["--workers", &options.workers.to_string(), "--threads", &options.threads.to_string(), "--worker-tmp-dir"])
            .arg(home.path())
            .arg("--config")
            .arg(config)
            .current_dir(home.path())
            .env("ARA_BASE_DIR", home.path())
            .env("ARA_SETTINGS", home.path().join("none.yaml"))
            .env("ARA_ALLOWED_HOSTS", r#"["*"]"#)
            .env("ARA_SECRET_KEY", "oracle")
            .env("ARA_LOG_LEVEL", "CRITICAL")
            .env("ARA_TIME_ZONE", "UTC");
        match &options.database {
            Some(database) => command.env("ARA_DATABASE_NAME", database),
            None => command
                .env("ARA_DISTRIBUTED_SQLITE", "true")
                .env("ARA_DISTRIBUTED_SQLITE_ROOT", &options.root)
                .env("ARA_DISTRIBUTED_SQLITE_PREFIX", &options.prefix),
        };
        if !options.base_path.is_empty() {
            command.env("ARA_BASE_PATH", &options.base_path);
        }
        if let Some(size) = options.page_size {
            command.env("ARA_PAGE_SIZE", size.to_string());
        }
        let process = Process::start(command, Duration::from_secs(10));
        let address = process.wait_for("address of ARA", Duration::from_secs(60), |line| {
            line.split_once("Listening at: http://").and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok())
        });
        let ara = Ara { address, process, _home: home };
        // Workers start after the socket: the first answer says that one is there. Which status it has does not matter.
        Connection::new(address)
            .send("GET", "/healthy-or-not", &[])
            .unwrap_or_else(|error| panic!("ARA does not answer: {error}\n{}", ara.output()));
        ara
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn output(&self) -> String {
        self.process.output()
    }
}

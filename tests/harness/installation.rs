//! An installation of 389 DS in a temporary folder: the programs are the system's, everything else is its own. With
//! `DS389_ROOT` in the environment, they are those of another system in that folder, whose servers see only what is in it,
//! `/tmp` and what the kernel shows; root alone can have them so.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU16, Ordering},
    thread,
    time::{Duration, Instant},
};

/// Folders that are the system's in every installation.
const SYSTEM: [&str; 7] = ["bin_dir", "sbin_dir", "lib_dir", "data_dir", "plugin_dir", "system_schema_dir", "tmp_dir"];

/// What packages install.
const DEFAULTS: &str = "usr/share/dirsrv/inf/defaults.inf";

/// Starts the server of another system, in a view of files of its own.
const ELSEWHERE: &str = r#"#!/bin/sh
exec unshare --mount sh -c '
    root=$1
    shift
    for path in /tmp /proc /dev /dev/shm /etc/hosts; do mount --bind "$path" "$root$path" || exit 1; done
    exec chroot "$root" /usr/sbin/ns-slapd "$@"
' sh "ROOT" "$@"
"#;

/// How long servers that were killed may take to be gone.
const GONE: Duration = Duration::from_secs(10);

/// The system whose programs are used.
fn system() -> PathBuf {
    std::env::var_os("DS389_ROOT").map_or_else(|| PathBuf::from("/"), PathBuf::from)
}

fn defaults() -> String {
    let path = system().join(DEFAULTS);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}; install 389-ds-base", path.display()))
}

/// The installation. It is gone, and its servers with it, when this is dropped.
pub struct Prefix(tempfile::TempDir);

impl Prefix {
    /// Makes the folder. It needs no rights: without those of root, servers run as the user who runs the tests.
    pub fn new() -> Self {
        // A socket's path has to be short.
        let folder = tempfile::Builder::new().prefix("ds").tempdir_in("/tmp").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let system = system();
        let is_elsewhere = system != Path::new("/");
        let rewritten: Vec<String> = defaults()
            .lines()
            .map(|line| match line.split_once(" = ") {
                Some(("data_dir", value)) if is_elsewhere => format!("data_dir = {}{value}", system.display()),
                Some(("sbin_dir", _)) if is_elsewhere => format!("sbin_dir = {}/sbin", folder.path().display()),
                _ => rewritten(line, folder.path()),
            })
            .collect();
        if is_elsewhere {
            let program = folder.path().join("sbin/ns-slapd");
            fs::create_dir(folder.path().join("sbin")).unwrap();
            fs::write(&program, ELSEWHERE.replace("ROOT", &system.display().to_string())).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let inf = folder.path().join("share/dirsrv/inf");
        fs::create_dir_all(&inf).unwrap();
        fs::write(inf.join("defaults.inf"), rewritten.join("\n")).unwrap();
        for part in ["config", "schema"] {
            let own = folder.path().join("etc/dirsrv").join(part);
            fs::create_dir_all(&own).unwrap();
            for file in fs::read_dir(system.join("etc/dirsrv").join(part)).unwrap() {
                let file = file.unwrap();
                fs::copy(file.path(), own.join(file.file_name())).unwrap();
            }
        }
        let prefix = Self(folder);
        prefix.own();
        prefix
    }

    /// What to give as the prefix.
    pub fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    /// Files that are left of instances.
    pub fn left(&self) -> Vec<String> {
        let mut left = Vec::new();
        let mut folders = vec![self.0.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                }
                let name = entry.path().strip_prefix(self.0.path()).unwrap().display().to_string();
                if name.contains("slapd-") && !name.ends_with("slapd-collations.conf") {
                    left.push(name);
                }
            }
        }
        left.sort();
        left
    }

    /// The server's user may write wherever packages let it.
    fn own(&self) {
        let user = rustix::process::getuid().is_root().then(|| account("-u"));
        let group = user.map(|_| account("-g"));
        for folder in ["etc/dirsrv", "var/lib/dirsrv", "var/log/dirsrv", "run", "run/dirsrv", "run/lock/dirsrv", "dev/shm"] {
            let path = self.0.path().join(folder);
            fs::create_dir_all(&path).unwrap();
            chown(&path, user, group).unwrap();
        }
    }
}

/// The first port that tests give to servers. It is below those that systems give to clients: one that was free a moment ago
/// would be somebody's connection when the server listens.
const FIRST_PORT: u16 = 20_000;

/// How many ports tests may use.
const PORTS: u16 = 10_000;

/// Two free ports, which no other test of this process gets.
pub fn ports() -> (u16, u16) {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let next = || {
        let mut free = (0..PORTS).map(|_| FIRST_PORT + GIVEN.fetch_add(1, Ordering::Relaxed) % PORTS);
        free.find(|port| TcpListener::bind(("::", *port)).or_else(|_| TcpListener::bind(("0.0.0.0", *port))).is_ok()).unwrap()
    };
    (next(), next())
}

/// The version of the system's 389 DS.
pub fn version() -> String {
    let text = defaults();
    let version = text.lines().find_map(|line| line.strip_prefix("version = "));
    version.unwrap_or_else(|| panic!("{DEFAULTS} has no version")).to_owned()
}

/// The number of the server's user or group.
fn account(flag: &str) -> u32 {
    let output = Command::new("id").args([flag, "dirsrv"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

impl Default for Prefix {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Prefix {
    /// Kills what runs of it, and waits until that is gone: ports are free then.
    fn drop(&mut self) {
        let folder = format!("{}/", self.path());
        let is_ours = |process: &Path| {
            let command = fs::read(process.join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&command).split('\0').any(|argument| argument.starts_with(&folder))
        };
        let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
        let ours: Vec<PathBuf> = processes.filter(|process| is_ours(process)).collect();
        for process in &ours {
            if let Some(id) = process.file_name().and_then(|name| name.to_str()?.parse().ok()) {
                let _ = rustix::process::kill_process(rustix::process::Pid::from_raw(id).unwrap(), rustix::process::Signal::KILL);
            }
        }
        let deadline = Instant::now() + GONE;
        while ours.iter().any(|process| has_files(process)) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Whether a process still has files and ports: the last of its threads has not ended.
fn has_files(process: &Path) -> bool {
    let Ok(threads) = fs::read_dir(process.join("task")) else { return false };
    let has_ended = |thread: &Path| fs::read_to_string(thread.join("stat")).map_or(true, |stat| stat.contains(") Z "));
    threads.flatten().any(|thread| !has_ended(&thread.path()))
}

/// A line of the system's file with our paths.
fn rewritten(line: &str, folder: &Path) -> String {
    let Some((key, value)) = line.split_once(" = ") else { return line.to_owned() };
    // lib389 would ask systemd, which knows only what packages install.
    if key == "with_systemd" {
        return format!("{key} = 0");
    }
    if SYSTEM.contains(&key) || !value.starts_with('/') {
        return line.to_owned();
    }
    match key {
        "prefix" => format!("{key} = {}", folder.display()),
        _ => format!("{key} = {}{value}", folder.display()),
    }
}

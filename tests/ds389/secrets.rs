//! Secrets that are marked, in every place that takes one: in no output of the collection at any verbosity, in no argument and no
//! environment of a process while it runs, in no file afterwards, and in none that others can read while it runs.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};
use tests::playbook::{Run, Site};

use tests::installation::ports;

/// In every one of them.
const MARK: &str = "mArKeD";

/// Arguments of a run that makes servers.
const MAKES: [&str; 3] = ["--forks=2", "--diff", "-vvvvv"];

/// A host with a secret in every place, each by a variable that is vaulted.
fn host(name: &str, site_host: &str) -> Value {
    let (port, secure_port) = ports();
    let manager = "cn=replication manager,cn=config";
    json!({
        "ds389_instances": [{
            "name": format!("{name}_{site_host}"), "rootpw": "{{ vault_root }}", "port": port, "secure_port": secure_port,
            "backends": [{
                "name": "userroot", "suffix": "dc=example,dc=com", "ReplicaRole": "supplier",
                "ReplicaId": site_host[2..].parse::<u16>().unwrap(), "ReplicaBindDN": manager,
                "ReplicaCredentials": "{{ vault_manager }}",
                "agmts": [{
                    "name": "written", "ReplicaHost": "127.0.0.1", "ReplicaPort": 1, "ReplicaBindDN": manager,
                    "ReplicaCredentials": "{{ vault_agreement }}", "ReplicaBootstrapBindDN": "cn=boot,cn=config",
                    "ReplicaBootstrapCredentials": "{{ vault_bootstrap }}", "ReplicaEnabled": false,
                }],
            }],
        }],
        "ds389_agmts": [{"target": "*.*.userroot", "ReplicaCredentials": "{{ vault_manager }}", "ReplicaEnabled": false}],
        "ds389_option_1": [{"name": "*", "merge": {"rootpw": "{{ vault_modifier }}"}}],
    })
}

fn site(name: &str) -> Site {
    let site = Site::new(&["vm1", "vm2"], |site_host, _| host(name, site_host));
    let places = ["root", "manager", "agreement", "bootstrap", "modifier", "key", "unknown", "bad"];
    let vaulted: serde_json::Map<_, _> =
        places.iter().map(|place| (format!("vault_{place}"), json!(format!("{MARK}-{place}")))).collect();
    site.write_vaulted("vault", &Value::Object(vaulted));
    site
}

/// Runs a playbook and looks at all processes, and at all files that may be made for it, for as long as it takes.
fn watched(site: &Site, playbook: &str, arguments: &[&str]) -> Run {
    fs::create_dir_all(site.path("results")).unwrap();
    let mut child = site.playbook_command(playbook, arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let has_ended = AtomicBool::new(false);
    let (found, seen, status, texts) = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let (mut found, mut seen) = (BTreeSet::new(), BTreeSet::new());
            while !has_ended.load(Ordering::Relaxed) {
                look(site, &mut found, &mut seen);
            }
            (found, seen)
        });
        let readers = [scope.spawn(move || read(out)), scope.spawn(move || read(err))];
        let texts = readers.map(|reader| reader.join().unwrap());
        let status = child.wait().unwrap();
        has_ended.store(true, Ordering::Relaxed);
        let (found, seen) = watcher.join().unwrap();
        (found, seen, status, texts)
    });
    assert_eq!(found, BTreeSet::new(), "nobody else sees a secret while {playbook} runs");
    // Most are over in a moment. One that makes servers is not.
    assert!(!arguments.contains(&MAKES[0]) || seen.contains("module"), "the program was looked at: {seen:?}");
    let [stdout, stderr] = texts;
    site.outcome(&std::process::Output { status, stdout, stderr })
}

fn read(mut from: impl std::io::Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Where a secret is that others could see: arguments and environments of processes, files that more than their owner can read.
fn look(site: &Site, found: &mut BTreeSet<String>, seen: &mut BTreeSet<String>) {
    let own = std::process::id().to_string();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.bytes().all(|byte| byte.is_ascii_digit()) || name == own {
            continue;
        }
        for part in ["cmdline", "environ"] {
            let text = String::from_utf8_lossy(&fs::read(entry.path().join(part)).unwrap_or_default()).into_owned();
            if text.contains(MARK) {
                found.insert(format!("{part} of {text}"));
            }
            if part == "cmdline" && text.contains("aviary-ds389") {
                seen.extend(text.split('\0').filter(|word| ["module", "resolve", "backup"].contains(word)).map(str::to_owned));
            }
        }
    }
    for file in marked(&site.path("home")) {
        let is_private = fs::metadata(&file).map_or(true, |metadata| metadata.permissions().mode() & 0o077 == 0);
        if !is_private {
            found.insert(file.display().to_string());
        }
    }
}

/// The files below a folder that have the mark in them.
fn marked(folder: &Path) -> Vec<PathBuf> {
    let (mut marked, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                folders.push(entry.path());
            } else if !kind.is_socket() && !kind.is_symlink() && has_mark(&entry.path()) {
                marked.push(entry.path());
            }
        }
    }
    marked
}

fn has_mark(file: &Path) -> bool {
    fs::read(file).unwrap_or_default().windows(MARK.len()).any(|window| window == MARK.as_bytes())
}

/// Nothing that was printed or returned, and nothing that is left, has a secret.
#[track_caller]
fn is_clean(site: &Site, run: &Run) {
    assert!(!run.text.contains(MARK), "{}", run.text);
    for (host, result) in &run.results {
        assert!(!result.to_string().contains(MARK), "{host}: {result}");
    }
    assert_eq!(marked(&site.path("")), Vec::<PathBuf>::new());
    for (_, prefix) in site.prefixes() {
        assert_eq!(marked(Path::new(prefix.path())), Vec::<PathBuf>::new());
    }
}

#[test]
fn no_secret_is_seen_at_any_verbosity_while_servers_are_made_or_afterwards() {
    let site = site("secrets").with_environment("ANSIBLE_LOG_PATH", "ansible.log");
    for verbosity in ["-v", "-vv", "-vvv", "-vvvv", "-vvvvv"] {
        let run = watched(&site, "server.yml", &["--check", "--diff", verbosity]).succeeded();
        assert!(run.text.contains("******") && run.changed(), "{}", run.text);
        is_clean(&site, &run);
    }
    is_clean(&site, &watched(&site, "server.yml", &MAKES).succeeded());
    let again = watched(&site, "server.yml", &["-vvvvv"]).succeeded();
    assert!(!again.changed(), "{}", again.text);
    is_clean(&site, &again);
    is_clean(&site, &watched(&site, "info.yml", &["-vvvvv"]).succeeded());
    is_clean(&site, &watched(&site, "backup.yml", &["-vvvvv"]).succeeded());
}

#[test]
fn arguments_that_go_by_a_file_are_their_owners_alone() {
    let plugins = concat!(env!("CARGO_MANIFEST_DIR"), "/ds389/ansible/connection_plugins");
    let site = site("hidden").with_environment("ANSIBLE_CONNECTION_PLUGINS", plugins);
    let arguments = ["--check", "-vvvvv", "--extra-vars", "ansible_connection=without_pipelining"];
    is_clean(&site, &watched(&site, "server.yml", &arguments).succeeded());
}

#[test]
fn no_error_has_a_secret() {
    let site = site("erring");
    let wrong = [
        ("a list", json!({"ds389_instances": [{"name": "x", "rootpw": ["{{ vault_bad }}"]}]})),
        ("short", json!({"ds389_instances": [{"name": "x", "rootpw": "{{ vault_bad[:6] }}"}]})),
        ("a dictionary", json!({"ds389_instances": [{"name": "x", "rootpw": {"a": "{{ vault_bad }}"}}]})),
        (
            "an unknown option",
            json!({"ds389_instances": [{"name": "x", "rotpw": "{{ vault_unknown }}", "prot": "{{ vault_unknown }}"}]}),
        ),
        ("a secret elsewhere", json!({"ds389_instances": [{"name": "x/{{ vault_bad }}", "port": "{{ vault_bad }}"}]})),
        ("a list of one", json!({"ds389_instances": "{{ vault_bad }}"})),
        ("a modifier", json!({"ds389_option_2": [{"name": "nope {{ vault_bad }}", "merge": {"rootpw": "{{ vault_bad }}"}}]})),
        ("a target", json!({"ds389_agmts": [{"target": "{{ vault_bad }}", "ReplicaCredentials": "{{ vault_unknown }}"}]})),
        ("a state", json!({"state": "{{ vault_bad }}"})),
        ("a prefix", json!({"ds389_prefix": "/{{ vault_bad }}"})),
        ("an argument", json!({"content": "{{ vault_bad }}"})),
        (
            "a key",
            json!({"ds389_instances": [{"name": "x", "rootpw": "secret12", "{{ vault_bad }}": "{{ vault_bad }}",
            "backends": [{"name": "b", "suffix": "{{ vault_bad }}", "ChangelogSymetricKey": ["{{ vault_key }}"]}]}]}),
        ),
    ];
    for (what, arguments) in wrong {
        let run = watched(&site, "state.yml", &["-vvvvv", "--extra-vars", &json!({"arguments": arguments}).to_string()]);
        assert!(!run.succeeded, "{what}: {}", run.text);
        assert!(run.text.contains("failed=1"), "{what}: {}", run.text);
        is_clean(&site, &run);
    }
}

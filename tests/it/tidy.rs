//! The invariants of ARCHITECTURE.md that a program can check.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// What each crate may use of ours. A crate that is not here has no place yet.
const MAY_USE: &[(&str, &[&str])] = &[
    ("aviary-proto", &[]),
    ("python", &[]),
    ("directory", &[]),
    ("record", &["python"]),
    ("agent", &["directory", "record"]),
    ("pod", &["agent", "aviary-proto", "directory", "record", "runtime", "store"]),
    ("operator", &["aviary-proto", "directory", "runtime", "store"]),
    ("runtime", &[]),
    ("store", &[]),
    ("query", &["aviary-proto", "python", "runtime", "store"]),
    ("gateway", &["aviary-proto", "python", "runtime", "store"]),
    ("aviary", &["agent", "aviary-proto", "gateway", "query", "runtime", "store"]),
];

/// Foreign technologies, by the words that give them away in code, and the files in which they are at home.
const HOMES: &[(&str, &[&str])] = &[
    ("rusqlite", &["services/query/src/database.rs", "services/query/src/database/", "services/record/src/database"]),
    (
        "opentelemetry",
        &["services/runtime/src/telemetry.rs", "services/runtime/src/telemetry/", "services/runtime/src/trace_context.rs"],
    ),
    ("metrics_exporter_prometheus", &["services/runtime/src/"]),
    (
        "flate2",
        &[
            "services/store/src/encoding.rs",
            "services/gateway/src/compress.rs",
            "services/query/src/rows.rs",
            "services/query/src/rows/fields.rs",
            "services/record/src/contents.rs",
        ],
    ),
    ("zstd", &["services/store/src/encoding.rs", "services/gateway/src/compress.rs"]),
    ("brotli", &["services/gateway/src/compress.rs"]),
    ("moka", &["services/gateway/src/cache.rs"]),
    (
        "hyper_util",
        &[
            "services/gateway/src/server.rs",
            "services/gateway/src/replicas/channel.rs",
            "services/operator/src/agents.rs",
            "services/runtime/src/admin",
        ],
    ),
    ("kube", &["services/operator/src/"]),
    ("k8s_openapi", &["services/operator/src/"]),
    ("rcgen", &["services/operator/src/authority.rs"]),
    ("x509_parser", &["services/operator/src/authority.rs"]),
    ("object_store", &["services/store/src/objects"]),
    ("reqwest", &["services/store/src/objects", "services/aviary/src/check.rs"]),
    ("hickory_resolver", &["services/gateway/src/replicas/discovery.rs"]),
    ("rustls", &["services/runtime/src/tls", "services/runtime/src/telemetry/traces.rs"]),
    ("tokio_rustls", &["services/runtime/src/tls"]),
    ("ldap3", &["services/agent/src/ldap.rs"]),
    (
        "aws_lc_rs",
        &[
            "services/agent/src/certificates",
            "services/agent/src/create/",
            "services/agent/src/vault/",
            "services/operator/src/instance/dereference.rs",
            "services/operator/src/objects.rs",
            "services/record/src/contents.rs",
            "services/runtime/src/tls.rs",
            "services/runtime/src/telemetry/traces.rs",
        ],
    ),
    ("saphyr_parser", &["services/directory/src/yaml"]),
    ("strsim", &["services/directory/src/variables.rs"]),
    ("tonic_reflection", &["services/runtime/src/grpc_reflection.rs"]),
    (
        "tonic_health",
        &[
            "services/gateway/src/grpc.rs",
            "services/gateway/src/replicas/health.rs",
            "services/operator/src/fleet/tests.rs",
            "services/runtime/src/grpc_port.rs",
            "services/runtime/src/grpc_reflection.rs",
        ],
    ),
    (
        "clap",
        &[
            "services/agent/src/command",
            "services/agent/src/main.rs",
            "services/aviary/src/",
            "services/gateway/src/args.rs",
            "services/gateway/src/main.rs",
            "services/gateway/src/process.rs",
            "services/operator/src/args.rs",
            "services/operator/src/main.rs",
            "services/pod/src/args.rs",
            "services/pod/src/main.rs",
            "services/query/src/args.rs",
            "services/query/src/main.rs",
            "services/runtime/src/",
        ],
    ),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All files of the tree with this ending, relative to the root, and what is in them.
fn sources(ending: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root().join("proto"), root().join("services"), root().join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == ending) {
                let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// The part of a file that is not its unit tests.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

/// Code without comments.
fn code(text: &str) -> String {
    without_tests(text).lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn none(problems: Vec<String>) {
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn services_never_depend_on_each_other_and_nothing_depends_on_tests() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let ours: Vec<&str> = packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    let mut problems = Vec::new();
    for package in packages.iter().filter(|package| package["name"] != "tests") {
        let name = package["name"].as_str().unwrap();
        let Some((_, allowed)) = MAY_USE.iter().find(|(known, _)| *known == name) else {
            problems.push(format!("{name} has no place in MAY_USE"));
            continue;
        };
        for dependency in package["dependencies"].as_array().unwrap() {
            let used = dependency["name"].as_str().unwrap();
            if ours.contains(&used) && !allowed.contains(&used) {
                problems.push(format!("{name} must not use {used}"));
            }
        }
    }
    none(problems);
}

#[test]
fn every_foreign_technology_has_one_home() {
    let mut problems = Vec::new();
    for (file, text) in sources("rs").iter().filter(|(file, _)| file.starts_with("services/")) {
        let code = code(text);
        for (word, homes) in HOMES {
            if code.contains(&format!("{word}::")) && !homes.iter().any(|home| file.starts_with(home)) {
                problems.push(format!("{file} names {word}, which is at home in {}", homes.join(", ")));
            }
        }
    }
    none(problems);
}

#[test]
fn the_environment_is_read_by_clap_alone() {
    let reads = |text: &str| ["env::var", "env::vars", "env::set_var"].iter().any(|word| code(text).contains(word));
    none(
        sources("rs")
            .into_iter()
            .filter(|(file, text)| file.starts_with("services/") && reads(text))
            .map(|(file, _)| file)
            .collect(),
    );
}

#[test]
fn the_contract_and_the_pure_crates_do_no_input_or_output() {
    let words = ["std::fs", "std::net", "tokio", "std::process", "std::thread", "Instant::now", "SystemTime::now"];
    let pure = |file: &str| {
        file.starts_with("proto/src/")
            || file.starts_with("services/python/")
            || file.starts_with("services/directory/src/")
            || ["services/record/src/playbook.rs", "services/record/src/rows"].iter().any(|pure| file.starts_with(pure))
            || file.starts_with("services/gateway/src/param")
            || file.starts_with("services/gateway/src/json")
    };
    let mut problems = Vec::new();
    for (file, text) in sources("rs").iter().filter(|(file, _)| pure(file)) {
        problems.extend(words.iter().filter(|word| code(text).contains(*word)).map(|word| format!("{file} names {word}")));
    }
    none(problems);
}

#[test]
fn the_gateway_opens_no_file() {
    let words = ["std::fs", "tokio::fs", "File::open", "rusqlite", "store::Store", "Store::open"];
    let mut problems = Vec::new();
    for (file, text) in sources("rs").iter().filter(|(file, _)| file.starts_with("services/gateway/src/")) {
        problems.extend(words.iter().filter(|word| code(text).contains(*word)).map(|word| format!("{file} names {word}")));
    }
    none(problems);
}

#[test]
fn every_file_says_first_what_it_is() {
    none(sources("rs").into_iter().filter(|(_, text)| !text.starts_with("//!")).map(|(file, _)| file).collect());
}

#[test]
fn files_hold_one_idea() {
    let long = |(file, text): (String, String)| {
        let lines = without_tests(&text).lines().count();
        (file.starts_with("services/") && !file.contains("/src/tests/") && lines > 500)
            .then(|| format!("{file} has {lines} lines"))
    };
    none(sources("rs").into_iter().filter_map(long).collect());
}

#[test]
fn nothing_is_named_after_its_shape() {
    let dumping_ground = |file: &str| {
        file.split(['/', '.']).any(|part| matches!(part, "util" | "utils" | "common" | "helper" | "helpers" | "misc" | "types"))
    };
    none(sources("rs").into_keys().filter(|file| dumping_ground(file)).collect());
}

#[test]
fn every_statement_in_a_file_is_used() {
    let code: String = sources("rs").into_values().collect();
    let unused = |file: &String| !code.contains(file.rsplit('/').next().unwrap());
    none(sources("sql").into_keys().filter(unused).collect());
}

#[test]
fn mains_only_start_what_others_do() {
    let long = |(file, text): (String, String)| (file.ends_with("/src/main.rs") && text.lines().count() > 20).then_some(file);
    none(sources("rs").into_iter().filter_map(long).collect());
}

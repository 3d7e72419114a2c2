//! The documentation agrees with the program: two pages are made from its tables, every flag and metric has its line, and no
//! link leads nowhere.
//!
//! With UPDATE=1 in the environment pages that differ are written anew instead of being complained about.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gateway::error::TABLE;

use crate::conformance::differences::Differences;

/// Stands at the head of what is made here.
const GENERATED: &str = "<!-- Made by tests/it/docs.rs; to make it anew: UPDATE=1 cargo test --release -p tests docs:: -->";

#[test]
fn the_page_of_errors_is_that_of_the_table() {
    agree("docs/errors.md", &errors());
}

#[test]
fn the_page_of_differences_is_that_of_the_rows() {
    agree("docs/differences.md", &differences());
}

#[test]
fn the_definitions_of_resources_and_the_page_of_conditions_are_those_of_the_operator() {
    agree("charts/aviary/files/crds.yaml", &help("aviary-operator", &["crd"]));
    agree("docs/conditions.md", &format!("{GENERATED}\n{}", help("aviary-operator", &["reference"])));
}

#[test]
fn every_flag_and_variable_of_every_command_is_documented() {
    let serve = read("docs/serve.md");
    let two_services = [read("docs/two-services.md"), serve.clone()].concat();
    let kubernetes = [read("docs/kubernetes.md"), serve.clone()].concat();
    let instances = [read("docs/instances.md"), serve.clone()].concat();
    for (program, arguments, page, known) in [
        ("aviary", &["serve", "--help"][..], &serve, ("--listen", "AVIARY_LISTEN")),
        ("aviary-gateway", &["--help"], &two_services, ("--listen", "AVIARY_LISTEN")),
        ("aviary-query", &["--help"], &two_services, ("--listen", "AVIARY_LISTEN")),
        ("aviary-agent", &["run", "--help"], &kubernetes, ("--interval", "AVIARY_INTERVAL")),
        ("aviary-operator", &["run", "--help"], &instances, ("--namespaces", "AVIARY_NAMESPACES")),
    ] {
        let help = help(program, arguments);
        let flags: BTreeSet<&str> = words(&help, "-").filter(|word| word.starts_with("--") && word.len() > 2).collect();
        let variables: BTreeSet<&str> =
            words(&help, "_").filter(|word| word.starts_with("AVIARY_") || word.starts_with("OTEL_EXPORTER_")).collect();
        assert!(flags.contains(known.0), "no flags in the help:\n{help}");
        assert!(variables.contains(known.1), "no variables in the help:\n{help}");
        let missing: Vec<&str> = flags.into_iter().chain(variables).filter(|name| !page.contains(&format!("`{name}`"))).collect();
        assert!(missing.is_empty(), "the documentation of {program} lacks {missing:?}");
    }
}

#[test]
fn every_metric_is_documented() {
    let mut metrics = BTreeSet::new();
    for file in files(&root().join("services"), "rs") {
        let source = fs::read_to_string(&file).unwrap();
        metrics.extend(source.split('"').filter(|literal| is_metric(literal)).map(str::to_owned));
    }
    assert!(metrics.contains("aviary_build_info"), "found {metrics:?}");
    let page =
        [read("docs/serve.md"), read("docs/two-services.md"), read("docs/kubernetes.md"), read("docs/instances.md")].concat();
    let missing: Vec<&String> = metrics.iter().filter(|name| !page.contains(&format!("| `{name}` |"))).collect();
    assert!(missing.is_empty(), "the documentation lacks {missing:?}");
}

#[test]
fn no_link_leads_nowhere() {
    let root = root();
    let mut pages = ["README.md", "ARCHITECTURE.md", "charts/aviary/README.md"].map(|page| root.join(page)).to_vec();
    pages.extend(files(&root.join("docs"), "md"));
    assert!(pages.len() > 5, "found {pages:?}");
    let mut broken = Vec::new();
    for page in &pages {
        let text = fs::read_to_string(page).unwrap();
        for link in links(&text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link.as_str(), ""));
            let target = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            let found = target.exists() && (anchor.is_empty() || anchors(&target).contains(anchor));
            if !found {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

fn errors() -> String {
    let mut page = format!(
        "{GENERATED}\n\n# Errors\n\n\
         An error of Aviary's has a reason out of this closed list. API clients get it as JSON, browsers as a page, gRPC clients in the\n\
         `google.rpc.ErrorInfo` of the status, with domain `aviary`.\n\n\
         ```json\n\
         {{\"detail\":\"there is no report at this location\",\"reason\":\"REPORT_NOT_FOUND\",\"help\":\"There is no report at this path. ...\",\"retryable\":false}}\n\
         ```\n\n\
         What ARA has a body of its own for keeps that body and has no `reason`: parameters (400), missing objects and unknown pages\n\
         inside a report (404), other methods (405), forms that cannot be had (406).\n\n\
         Where asking again may help, `retryable` is true and `Retry-After` says after how many seconds; gRPC clients get a\n\
         `google.rpc.RetryInfo`.\n\n\
         | Reason | HTTP | gRPC | Ask again | Meaning |\n|---|---|---|---|---|\n"
    );
    for row in TABLE {
        let grpc = if row.grpc.is_empty() { String::new() } else { format!("`{}`", row.grpc) };
        let again = match row.retry_after {
            None => String::new(),
            Some(0) => "at once".to_owned(),
            Some(seconds) => format!("after {seconds} s"),
        };
        writeln!(page, "| `{}` | {} | {grpc} | {again} | {} |", row.name, row.status.as_u16(), cell(row.meaning)).unwrap();
    }
    page.push_str("\n[Troubleshooting](serve.md#troubleshooting) says where to look for each.\n");
    page
}

fn differences() -> String {
    let mut page = format!(
        "{GENERATED}\n\n# Differences\n\n\
         Aviary answers GET, HEAD and OPTIONS as ARA 1.8.0's server with the distributed SQLite backend does, byte for byte. The tests send\n\
         both the same requests and compare. What may differ stands here and nowhere else: these rows are in\n\
         [tests/differences.toml](../tests/differences.toml), from which both this page and the comparison are made.\n\n\
         | Name | Aviary | Why |\n|---|---|---|\n"
    );
    for row in Differences::read().rows {
        writeln!(page, "| `{}` | {} | {} |", row.id, cell(&row.what), cell(&row.why)).unwrap();
    }
    page
}

/// Text inside a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// Compares a page with what it should be, or makes it so.
#[track_caller]
pub(crate) fn agree(path: &str, expected: &str) {
    let file = root().join(path);
    let present = fs::read_to_string(&file).unwrap_or_default();
    if present == expected {
        return;
    }
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        fs::write(&file, expected).unwrap();
        return;
    }
    let line = present.lines().zip(expected.lines()).take_while(|(present, expected)| present == expected).count();
    panic!(
        "{path} differs at line {}: UPDATE=1 cargo test --release -p tests docs::\n  is:     {}\n  should: {}",
        line + 1,
        present.lines().nth(line).unwrap_or("(its end)"),
        expected.lines().nth(line).unwrap_or("(its end)"),
    );
}

fn help(program: &str, arguments: &[&str]) -> String {
    let binary = tests::served::program(program);
    let output = Command::new(&binary)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("failed to run {}: {error}", binary.display()));
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs of ASCII letters, digits and the characters in `also`.
fn words<'a>(text: &'a str, also: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(move |c: char| !(c.is_ascii_alphanumeric() || also.contains(c)))
}

fn is_metric(literal: &str) -> bool {
    let named = literal.starts_with("aviary_") || literal.starts_with("process_");
    named && literal.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') && !literal.contains("__")
}

/// Targets of `[text](target)`, outside of code.
fn links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    for line in prose(text) {
        let mut rest = line;
        while let Some((_, after)) = rest.split_once("](") {
            let Some((target, after)) = after.split_once(')') else {
                break;
            };
            links.push(target.to_owned());
            rest = after;
        }
    }
    links
}

/// What the headings of a page can be linked as.
fn anchors(page: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(page).unwrap_or_default();
    let heading = |line: &str| {
        line.starts_with('#').then(|| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect::<String>()
        })
    };
    prose(&text).filter_map(heading).collect()
}

/// The lines that are not inside a fence.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    })
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|name| name == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are a folder of the workspace").to_path_buf()
}

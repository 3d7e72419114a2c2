//! The chart agrees with the programs that it starts: every flag exists, every value has its line, and what helm makes of
//! it is what was meant. What a cluster makes of it, the tests of `e2e` see.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use crate::docs::{agree, read, root};

/// What `helm template` is told of the cluster.
const KUBERNETES: &str = "1.34.0";

#[test]
fn every_flag_and_variable_of_the_chart_is_one_of_the_program() {
    let shared = read("charts/aviary/templates/_names.tpl");
    for (program, arguments, template) in [
        ("aviary-gateway", &[][..], "gateway/deployment.yaml"),
        ("aviary-query", &[], "query/statefulset.yaml"),
        ("aviary", &["check"], "tests/check.yaml"),
    ] {
        let binary = tests::target_dir().join("release").join(program);
        let output = Command::new(&binary).args(arguments).arg("--help").output();
        let output = output.unwrap_or_else(|error| panic!("failed to run {}: {error}", binary.display()));
        let help = String::from_utf8(output.stdout).unwrap();
        let known: BTreeSet<&str> = names(&help).collect();
        assert!(known.contains("--help"), "no help of {program}: {help}");
        let mut text = read(&format!("charts/aviary/templates/{template}"));
        if text.contains("aviary.args") {
            text += &shared;
        }
        let unknown: Vec<&str> = names(&text).filter(|name| !known.contains(name)).collect();
        assert!(unknown.is_empty(), "{template} uses {unknown:?}, which {program} does not know");
    }
}

#[test]
fn every_value_of_the_chart_has_its_line() {
    let page = read("charts/aviary/README.md");
    let (head, _) = page.split_once("| Value |").unwrap_or((&page, ""));
    let mut page = format!("{head}| Value | Default | What it is |\n|---|---|---|\n");
    for value in values(&read("charts/aviary/values.yaml")) {
        let default = if value.default.is_empty() { String::new() } else { format!("`{}`", value.default) };
        page += &format!("| `{}` | {default} | {} |\n", value.name, value.meaning);
    }
    agree("charts/aviary/README.md", &page);
}

#[test]
#[ignore = "needs helm: tests/run runs it where helm is"]
fn helm_has_nothing_to_say_against_the_chart() {
    let output = helm(&["lint", "--strict"], &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
#[ignore = "needs helm: tests/run runs it where helm is"]
fn values_change_what_they_are_for_and_nothing_else() {
    let plain = template(&[]);
    for (values, has) in [
        (&["query.revalidate=0"][..], &["--revalidate=0"][..]),
        (
            &["gateway.basePath=/ci", "gateway.externalUrl=https://a.example"],
            &["--base-path=/ci", "--external-url=https://a.example"],
        ),
        (&["stores[0].url=s3://a?region=b"], &["--store=s3://a?region=b"]),
        (&["stores[0].url=s3://a", "stores[0].name=one"], &["--store=one=s3://a"]),
        (&["stores[0].url=s3://a", "query.replicas=3", "query.cache.persistent=true"], &["volumeClaimTemplates:", "replicas: 3"]),
        (&["credentials.environmentSecret=keys"], &["secretRef: {name: keys}"]),
        (&["credentials.fileSecret=keys"], &["/etc/aviary/credentials"]),
        (&["storeCa.configMap=authority"], &["--store-ca=/etc/aviary/store-ca/ca.crt", "configMap: {name: authority}"]),
        (
            &["tls.enabled=true", "tls.gatewaySecret=one", "tls.querySecret=other"],
            &[
                "--tls-client-ca=/etc/aviary/tls/ca.crt",
                "--query-tls-ca=/etc/aviary/tls/ca.crt",
                "secretName: one",
                "secretName: other",
            ],
        ),
        (&["ingress.enabled=true", "ingress.hosts[0]=a.example"], &["kind: Ingress", "host: \"a.example\""]),
        (&["podMonitor.enabled=true"], &["kind: PodMonitor"]),
        (&["gateway.trustedProxies={10.0.0.0/8,fd00::/8}"], &["--trusted-proxy=10.0.0.0/8,fd00::/8"]),
        (&["gateway.cors.allowAll=true", "gateway.maxLimit=1000"], &["--cors-allow-all", "--max-limit=1000"]),
        (&["otlpEndpoint=http://collector:4317"], &["--otlp-endpoint=http://collector:4317"]),
        (&["volume.existingClaim=mine", "query.replicas=2"], &["claimName: mine"]),
    ] {
        let made = template(values);
        for has in has {
            assert!(made.contains(has), "{values:?} do not make {has}:\n{made}");
            assert!(!plain.contains(has), "{has} is there without {values:?}");
        }
    }
    for kept in ["kind: NetworkPolicy", "kind: PersistentVolumeClaim", "readOnlyRootFilesystem: true", "--store=/reports"] {
        assert!(plain.contains(kept), "no {kept} in\n{plain}");
    }
    assert!(!template(&["stores[0].url=s3://a"]).contains("kind: PersistentVolumeClaim"));
    assert!(!template(&["volume.existingClaim=mine"]).contains("kind: PersistentVolumeClaim"));
    assert!(!template(&["networkPolicy.enabled=false"]).contains("kind: NetworkPolicy"));
}

/// Flags and our variables in a text.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c))).filter(|word| {
        let flag = word.strip_prefix("--").is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase()));
        flag || word.starts_with("AVIARY_")
    })
}

struct Line {
    name: String,
    default: String,
    meaning: String,
}

/// The values as they are written: keys below each other, comments above them.
fn values(text: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut path: Vec<&str> = Vec::new();
    let mut comment: Vec<&str> = Vec::new();
    for line in text.lines() {
        let depth = (line.len() - line.trim_start().len()) / 2;
        if let Some(words) = line.trim_start().strip_prefix('#') {
            comment.push(words);
            continue;
        }
        let Some((key, value)) = line.split_once(':') else {
            comment.clear();
            continue;
        };
        path.truncate(depth);
        path.push(key.trim());
        // What is indented in a comment is an example.
        let meaning: Vec<&str> = comment.drain(..).filter(|words| !words.starts_with("   ")).map(str::trim).collect();
        let default = value.trim().trim_matches('"').to_owned();
        if !default.is_empty() || !value.trim().is_empty() || !meaning.is_empty() {
            lines.push(Line { name: path.join("."), default, meaning: meaning.join(" ") });
        }
    }
    lines
}

#[track_caller]
fn template(values: &[&str]) -> String {
    let output = helm(&["template", "release", "--kube-version", KUBERNETES], values);
    assert!(output.status.success(), "{values:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn helm(arguments: &[&str], values: &[&str]) -> Output {
    let chart: PathBuf = root().join("charts/aviary");
    assert!(fs::exists(chart.join("Chart.yaml")).unwrap());
    let (command, rest) = arguments.split_first().unwrap();
    let mut helm = Command::new("helm");
    helm.arg(command);
    // The name of a release stands before its chart.
    let named = rest.iter().position(|argument| argument.starts_with("--")).unwrap_or(rest.len());
    helm.args(&rest[..named]).arg(chart).args(&rest[named..]);
    for value in values {
        helm.args(["--set", value]);
    }
    helm.output().expect("helm is in PATH")
}

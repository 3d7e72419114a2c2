//! The chart with nothing configured: reports in a volume, uploaded as its notes say; and values that it refuses.

use std::fs;
use std::process::Command;

use crate::answers::Reports;
use crate::cluster::{Namespace, chart, image, succeeded};
use crate::load::{self, Load};
use crate::release::{RELEASE, get, install};

#[test]
fn with_nothing_configured_a_report_uploaded_as_the_notes_say_is_served() {
    let namespace = Namespace::new("volume");
    install(&namespace, &[]);
    namespace.helm(&["test", RELEASE]);
    let nothing = get(&namespace, "/demo/1/ara-report/api/v1/playbooks");
    assert_eq!(nothing.status, 404, "{}", nothing.text());

    let reports = Reports::of_the_readme();
    let folder = tempfile::tempdir().unwrap();
    fs::copy(reports.folder().join("demo/1/ara-report/ansible.sqlite"), folder.path().join("ansible.sqlite")).unwrap();
    let notes = namespace.helm(&["get", "notes", RELEASE]);
    let (_, commands) = notes.split_once("Put a first report there\n").unwrap();
    let commands: String =
        commands.lines().take_while(|line| line.starts_with("  ")).map(|line| format!("{}\n", &line[2..])).collect();
    assert!(commands.contains("busybox:1.37") && commands.contains("delete pod"), "{commands}");
    // The one thing that a cluster without a registry lacks.
    let commands = commands.replace("busybox:1.37", &image("aviary-e2e"));
    let output = Command::new("bash").args(["-euxc", &commands]).current_dir(folder.path()).output().unwrap();
    succeeded("what the notes say", &output);

    load::pod(&namespace);
    let location = "/demo/1/ara-report/";
    let answers: Vec<_> = reports.answers().into_iter().filter(|answer| answer.target.starts_with(location)).collect();
    // What was missing a moment ago may be taken to be missing for a few seconds more.
    namespace.until("the uploaded report", || get(&namespace, &format!("{location}api/v1/playbooks")).status == 200);
    let mut load = Load::start(&namespace, &answers, 2, 500);
    let phase = load.requests(&namespace, "the uploaded report", answers.len() as u64 * 2);
    assert_eq!((phase.wrong, phase.failed), (0, 0), "{:?}", phase.examples);

    namespace.helm(&["uninstall", RELEASE, "--wait"]);
    let claims = namespace.kubectl(&["get", "pvc", "--output", "name"]);
    assert_eq!(claims.trim(), "persistentvolumeclaim/aviary-reports", "reports outlive the release");
}

#[test]
fn values_that_cannot_be_meant_are_refused_in_words() {
    let namespace = Namespace::new("values");
    let chart = chart();
    for (value, words) in [
        ("gateway.replica=3", "additional properties 'replica' not allowed"),
        ("stores[0].url=ftp://logs", "does not match pattern '^((s3|s3a|gs|az"),
        ("query.cache.size=10Gi", "at '/query/cache/size'"),
        ("log.format=xml", "value must be one of 'json', 'text'"),
        ("query.replicas=2", "the volume of reports can be mounted on one node only: set stores to a bucket"),
        ("stores[0].url=s3://a,stores[1].url=s3://b", "each needs a name"),
        ("tls.enabled=true", "a Secret with tls.crt, tls.key and ca.crt"),
        ("ingress.enabled=true", "needs ingress.hosts"),
    ] {
        let output = namespace.try_helm(&["install", RELEASE, chart.to_str().unwrap(), "--set", value]);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains(words), "{value}: {error}");
    }
}

//! The chart agrees with the programs that it starts: every flag exists, every value has its line, and what helm makes of
//! it is what was meant. What a cluster makes of it, the tests of `e2e` see.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use directory::value::Node;
use directory::yaml;

use crate::docs::{agree, read, root};

/// `helm template`, with what it is told of the cluster: a namespace too, which it takes from the context of `kubectl` else.
const TEMPLATE: &[&str] = &["template", "release", "--namespace", "default", "--kube-version", "1.34.0"];

#[test]
fn every_flag_and_variable_of_the_chart_is_one_of_the_program() {
    let shared = read("charts/aviary/templates/_names.tpl");
    for (program, arguments, template) in [
        ("aviary-gateway", &[][..], "gateway/deployment.yaml"),
        ("aviary-query", &[], "query/statefulset.yaml"),
        ("aviary", &["check"], "tests/check.yaml"),
        ("aviary-operator", &["run"], "operator/deployment.yaml"),
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
    for values in [
        &[][..],
        &[OPERATOR],
        &[OPERATOR, "reports.enabled=false", "operator.namespaces={one}"],
        &[OPERATOR, "operator.replicas=1", "operator.reports.volume=true"],
        &[OPERATOR, "operator.reports.store=s3://logs", "operator.reports.fileSecret=keys", "storeCa.secret=authority"],
    ] {
        let output = helm(&["lint", "--strict"], values);
        assert!(output.status.success(), "{values:?}: {}", String::from_utf8_lossy(&output.stdout));
    }
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

#[test]
#[ignore = "needs helm: tests/run runs it where helm is"]
fn the_operator_is_there_when_it_is_asked_for() {
    let plain = template(&[]);
    for absent in ["operator", "ds389", "ClusterRole", "CustomResourceDefinition"] {
        assert!(!plain.contains(absent), "{absent} is there unasked:\n{plain}");
    }
    let plain = objects(&[]);
    let both = objects(&[OPERATOR]);
    assert!(both.is_superset(&plain), "the operator takes away {:?}", plain.difference(&both));
    let added: BTreeSet<Object> = both.difference(&plain).cloned().collect();
    assert_eq!(added, set(&[&OWN[..], &CLUSTER_WIDE, &AGGREGATED, &DEFINITIONS]));

    let made = template(&[OPERATOR]);
    for has in [
        "aviary-operator:0.1.0",
        "aviary-agent:0.1.0",
        "automountServiceAccountToken: true",
        "{name: AVIARY_NAME, value: release-aviary-operator}",
        "helm.sh/resource-policy: keep",
    ] {
        assert!(made.contains(has), "no {has} in\n{made}");
    }
    assert!(!made.contains("AVIARY_NAMESPACES"), "{made}");
    assert!(!made.contains("\"*\"") && !made.contains("[*"), "a right to everything:\n{made}");
}

#[test]
#[ignore = "needs helm: tests/run runs it where helm is"]
fn values_change_what_the_operator_may_do_and_what_is_there_of_it() {
    const ALONE: [&str; 2] = [OPERATOR, "reports.enabled=false"];
    let alone = |values: &[&str]| objects(&[&ALONE[..], values].concat());
    assert_eq!(alone(&[]), set(&[&OWN[..], &CLUSTER_WIDE, &AGGREGATED, &DEFINITIONS]));
    assert_eq!(
        alone(&["operator.namespaces={one,other}", "operator.aggregatedRoles=false"]),
        set(&[
            &OWN[..],
            &DEFINITIONS,
            &[
                ("Role", "one", "release-aviary-operator"),
                ("RoleBinding", "one", "release-aviary-operator"),
                ("Role", "other", "release-aviary-operator"),
                ("RoleBinding", "other", "release-aviary-operator"),
            ]
        ])
    );
    assert_eq!(alone(&["operator.crds=false"]), set(&[&OWN[..], &CLUSTER_WIDE, &AGGREGATED]));
    for (values, absent) in [
        (&["operator.replicas=1"][..], ("PodDisruptionBudget", "", "release-aviary-operator")),
        (&["operator.pdb.enabled=false"], ("PodDisruptionBudget", "", "release-aviary-operator")),
        (&["networkPolicy.enabled=false"], ("NetworkPolicy", "", "release-aviary-operator")),
        (&["operator.fleet.enabled=false"], ("Service", "", "release-aviary-operator")),
        (
            &["operator.serviceAccount.create=false", "operator.serviceAccount.name=mine"],
            ("ServiceAccount", "", "release-aviary-operator"),
        ),
    ] {
        let gone: Vec<Object> = alone(&[]).difference(&alone(values)).cloned().collect();
        assert_eq!(gone, [object(absent)], "{values:?}");
    }
    let plain = template(&ALONE);
    for (value, has) in [
        ("operator.namespaces={one,other}", "{name: AVIARY_NAMESPACES, value: \"one,other\"}"),
        ("operator.agentImage=a.example/agent:1", "{name: AVIARY_AGENT_IMAGE, value: \"a.example/agent:1\"}"),
        ("image.pullPolicy=Always", "{name: AVIARY_AGENT_PULL_POLICY, value: Always}"),
        ("clusterDomain=a.example", "{name: AVIARY_CLUSTER_DOMAIN, value: \"a.example\"}"),
        ("operator.serviceAccount.name=mine", "serviceAccountName: mine"),
        ("operator.priorityClassName=high", "priorityClassName: high"),
        ("operator.extraArgs={--a=b}", "- --a=b"),
        ("podMonitor.enabled=true", "values: [operator]"),
        ("operator.reports.store=s3://logs/a?region=b", "--reports=s3://logs/a?region=b"),
    ] {
        let made = template(&[&ALONE[..], &[value]].concat());
        assert!(made.contains(has), "{value} does not make {has}:\n{made}");
        assert!(!plain.contains(has), "{has} is there without {value}");
    }
    assert!(template(&[OPERATOR, "podMonitor.enabled=true"]).contains("values: [gateway, query, operator]"));
}

#[test]
#[ignore = "needs helm: tests/run runs it where helm is"]
fn the_gateway_asks_the_operator_for_the_fleet_where_both_are() {
    const TARGET: &str = "--operator=srv://_grpc._tcp.release-aviary-operator.default.svc.cluster.local";
    let tls = ["tls.enabled=true", "tls.gatewaySecret=one", "tls.querySecret=other", "tls.operatorSecret=third"];
    let with_tls = [&[OPERATOR, "tls.operatorServerName=fleet"][..], &tls].concat();
    for (values, has, lacks) in [
        (&[OPERATOR][..], &[TARGET, "--listen=0.0.0.0:9090"][..], &["tls"][..]),
        (&[OPERATOR, "operator.fleet.enabled=false"], &[], &["--operator", "--listen=0.0.0.0:9090"]),
        (&[OPERATOR, "reports.enabled=false"], &["--listen=0.0.0.0:9090"], &["--operator"]),
        (&tls, &["secretName: one"], &["--operator", "third"]),
        (&with_tls, &[TARGET, "--operator-tls-ca=/etc/aviary/tls/ca.crt", "--operator-tls-name=fleet", "secretName: third"], &[]),
    ] {
        let made = template(values);
        // Query listens at that port too, and the definitions of resources speak of TLS.
        let parts = made.split("# Source: aviary/templates/");
        let parts = parts.filter(|part| ["operator/deployment", "gateway/deployment"].iter().any(|own| part.starts_with(own)));
        let found: String = parts.collect();
        for has in has {
            assert!(found.contains(has), "{values:?} do not make {has}:\n{found}");
        }
        for lacks in lacks {
            assert!(!found.contains(lacks), "{values:?} make {lacks}:\n{found}");
        }
    }
    let policies = template(&[OPERATOR]);
    let policy = policies.split("# Source:").find(|part| part.contains("operator/networkpolicy.yaml")).unwrap();
    assert!(policy.contains("component: gateway") && policy.contains("{port: grpc}"), "{policy}");
}

#[test]
#[ignore = "needs helm: tests/run runs it where helm is"]
fn reports_of_directories_go_where_they_are_to_and_nowhere_unasked() {
    const ALONE: [&str; 2] = [OPERATOR, "reports.enabled=false"];
    const STORE: &str = "operator.reports.store=s3://logs";
    let plain = template(&[OPERATOR, "credentials.environmentSecret=readers", "storeCa.configMap=authority"]);
    assert!(!plain.contains("--reports") && plain.matches("secretRef: {name: readers}").count() == 1, "{plain}");
    for (values, has) in [
        (&[STORE, "operator.reports.kept=7"][..], &["--reports=s3://logs", "--reports-kept=7"][..]),
        (&[STORE, "credentials.environmentSecret=readers"], &["secretRef: {name: readers}"]),
        (
            &[STORE, "credentials.environmentSecret=readers", "operator.reports.environmentSecret=writers"],
            &["secretRef: {name: writers}"],
        ),
        (&[STORE, "operator.reports.fileSecret=keys"], &["mountPath: /etc/aviary/credentials", "secretName: keys"]),
        (&[STORE, "storeCa.secret=authority"], &["--store-ca=/etc/aviary/store-ca/ca.crt", "secretName: authority"]),
    ] {
        let made = template(&[&ALONE[..], values].concat());
        for has in has {
            assert!(made.contains(has), "{values:?} do not make {has}:\n{made}");
        }
        assert_eq!(made.contains("readers"), has.iter().any(|has| has.contains("readers")), "{values:?}:\n{made}");
    }
    let made = template(&[OPERATOR, "operator.replicas=1", "operator.reports.volume=true"]);
    assert!(made.contains("--reports=/reports") && made.contains("{name: reports, mountPath: /reports}"), "{made}");
    assert_eq!(made.matches("claimName: release-aviary-reports").count(), 2, "{made}");
}

#[test]
#[ignore = "needs helm: tests/run runs it where helm is"]
fn values_that_mean_nothing_are_refused_in_words() {
    for (values, word) in [
        (&["reports.enabled=false"][..], "reports.enabled and operator.enabled are both false"),
        (&["operator.replica=1"], "additional properties 'replica' not allowed"),
        (&["reports.replicas=1"], "additional properties 'replicas' not allowed"),
        (&["operator.namespaces={one.other}"], "does not match pattern"),
        (&["operator.namespaces={one,one}"], "/operator/namespaces"),
        (&[OPERATOR, "operator.serviceAccount.create=false"], "operator.serviceAccount.name has to name one"),
        (&["query.replicas=2"], "query.replicas is more than 1"),
        (&[OPERATOR, "operator.reports.store=https://logs"], "/operator/reports/store"),
        (&[OPERATOR, "operator.reports.kept=0"], "/operator/reports/kept"),
        (&[OPERATOR, "operator.reports.store=s3://a", "operator.reports.volume=true"], "are both set"),
        (&[OPERATOR, "operator.reports.volume=true", "stores[0].url=s3://a"], "there is no volume of reports"),
        (&[OPERATOR, "operator.reports.volume=true"], "operator.replicas is more than 1"),
        (&["stores[0].url=s3://a", "stores[1].url=s3://b"], "each needs a name"),
        (&["ingress.enabled=true"], "ingress.enabled needs ingress.hosts"),
        (&[OPERATOR, "tls.enabled=true", "tls.gatewaySecret=a", "tls.querySecret=b"], "tls.enabled needs tls.operatorSecret"),
    ] {
        let output = helm(TEMPLATE, values);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(word), "{values:?}: {said}");
    }
}

const OPERATOR: &str = "operator.enabled=true";

/// What there is of the operator whatever it may do elsewhere: kind, namespace unless it is the release's, name.
const OWN: [(&str, &str, &str); 7] = [
    ("Deployment", "", "release-aviary-operator"),
    ("NetworkPolicy", "", "release-aviary-operator"),
    ("PodDisruptionBudget", "", "release-aviary-operator"),
    ("Role", "", "release-aviary-operator-own"),
    ("RoleBinding", "", "release-aviary-operator-own"),
    ("Service", "", "release-aviary-operator"),
    ("ServiceAccount", "", "release-aviary-operator"),
];
const CLUSTER_WIDE: [(&str, &str, &str); 2] =
    [("ClusterRole", "", "release-aviary-operator"), ("ClusterRoleBinding", "", "release-aviary-operator")];
const AGGREGATED: [(&str, &str, &str); 2] =
    [("ClusterRole", "", "release-aviary-ds389-edit"), ("ClusterRole", "", "release-aviary-ds389-view")];
const DEFINITIONS: [(&str, &str, &str); 2] = [
    ("CustomResourceDefinition", "", "ds389instances.ds389.aviary.dev"),
    ("CustomResourceDefinition", "", "ds389agreements.ds389.aviary.dev"),
];

/// Kind, namespace and name.
type Object = [String; 3];

fn object((kind, namespace, name): (&str, &str, &str)) -> Object {
    [kind, namespace, name].map(str::to_owned)
}

fn set(parts: &[&[(&str, &str, &str)]]) -> BTreeSet<Object> {
    parts.concat().into_iter().map(object).collect()
}

/// What the chart makes, each once.
#[track_caller]
fn objects(values: &[&str]) -> BTreeSet<Object> {
    let made = template(values);
    let mut found = BTreeSet::new();
    for document in made.split("\n---\n").map(|text| text.trim_start_matches("---\n")) {
        // What stands above the first definition.
        if document.lines().all(|line| line.is_empty() || line.starts_with('#')) {
            continue;
        }
        let node = yaml::parse(document).unwrap_or_else(|error| panic!("{error} in\n{document}"));
        let metadata = field(&node, "metadata");
        let text = |node: Option<&Node>, key| node.and_then(|node| field(node, key)?.as_text()).unwrap_or_default().to_owned();
        let object = [text(Some(&node), "kind"), text(metadata, "namespace"), text(metadata, "name")];
        assert!(!object[2].is_empty(), "no name in\n{document}");
        assert!(found.insert(object), "made twice:\n{document}");
    }
    found
}

fn field<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    node.as_map()?.get(key)
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
    let output = helm(TEMPLATE, values);
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

//! A new version of the release replaces every pod while clients ask, and nobody notices.

use crate::answers::Reports;
use crate::bucket::filled;
use crate::cluster::Namespace;
use crate::load::{self, Load};
use crate::release::{RELEASE, install, pods, until_replicas};

#[test]
fn an_upgrade_fails_no_request() {
    let namespace = Namespace::new("upgrade");
    let reports = Reports::of_the_readme();
    let answers = reports.answers();
    let mut values = filled(&namespace, &reports);
    values.extend(["query.replicas=2".to_owned(), "query.cache.persistent=true".to_owned()]);
    install(&namespace, &values.iter().map(String::as_str).collect::<Vec<_>>());
    load::pod(&namespace);
    let before = pods(&namespace, "gateway");
    let claims = namespace.kubectl(&["get", "pvc", "--output", "name"]);
    assert_eq!(claims.lines().count(), 2, "a volume for what each replica keeps: {claims}");

    let mut load = Load::start(&namespace, &answers, 8, 200);
    let phase = load.requests(&namespace, "before the upgrade", 500);
    assert_eq!((phase.wrong, phase.failed), (0, 0), "{:?}", phase.examples);

    values.extend(["gateway", "query"].map(|component| format!("{component}.podAnnotations.example\\.org/rolled=again")));
    install(&namespace, &values.iter().map(String::as_str).collect::<Vec<_>>());
    until_replicas(&namespace, 2);
    namespace.until("the end of the gateways that were there", || {
        let there = namespace.kubectl(&["get", "pods", "--output", "name"]);
        before.iter().all(|pod| !there.contains(pod.as_str()))
    });
    let phase = load.requests(&namespace, "the upgrade", 500);
    assert_eq!((phase.wrong, phase.failed), (0, 0), "{:?}", phase.examples);
    drop(load);
    namespace.helm(&["test", RELEASE]);
}

//! What is asked: lists, filters and single objects of a small report and of the large one.

/// The small report: one playbook, 24 results.
const SMALL: &str = "/1/ara-report/api/v1/";
/// The middle one: 12 playbooks, 720 results, records, delegation.
const MIDDLE: &str = "/3/prod/ara-report/api/v1/";
/// The large one: 13 MB, 415 playbooks, 12,456 tasks, 12,762 results.
const LARGE: &str = "/integration/ara-report/api/v1/";

/// One URL of the bench.
#[derive(Clone, Debug)]
pub(crate) struct Url {
    /// Path and query.
    pub(crate) target: String,
    /// Its answer depends on the rows of the report.
    pub(crate) reads_database: bool,
}

impl Url {
    /// The path at which nginx has the answer: about as long, but without a query and of a file.
    pub(crate) fn as_path(&self) -> String {
        let path = self.target.replace('?', ",");
        if path.ends_with('/') { path + "," } else { path }
    }
}

/// All URLs whose target contains `only`.
pub(crate) fn urls(only: &str) -> Vec<Url> {
    let reading = [
        (SMALL, "playbooks"),
        (SMALL, "playbooks/1"),
        (SMALL, "results?status=failed&status=ok"),
        (SMALL, "hosts/1"),
        (SMALL, "files/1"),
        (MIDDLE, "results?playbook=2"),
        (MIDDLE, "records/1"),
        (LARGE, "playbooks?order=-started&limit=50"),
        (LARGE, "playbooks?status=failed&label=ci"),
        (LARGE, "playbooks/1"),
        (LARGE, "plays?playbook=3"),
        (LARGE, "tasks?order=-started&limit=50"),
        (LARGE, "tasks?name=install&limit=20"),
        (LARGE, "tasks/1"),
        (LARGE, "results"),
        (LARGE, "results?limit=1000"),
        (LARGE, "results?changed=true&order=-started&limit=50"),
        (LARGE, "results/1"),
        (LARGE, "hosts?failed__gt=0&order=name"),
        (LARGE, "hosts/1"),
        (LARGE, "latesthosts"),
        (LARGE, "files?path=roles&limit=200"),
        (LARGE, "files/1"),
        (LARGE, "labels"),
    ];
    let url = |(report, rest): (&str, &str), reads_database| Url { target: format!("{report}{rest}"), reads_database };
    [url((SMALL, ""), false), url((LARGE, ""), false)]
        .into_iter()
        .chain(reading.map(|parts| url(parts, true)))
        .filter(|url| url.target.contains(only))
        .collect()
}

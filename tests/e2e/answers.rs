//! What is asked, and what the right answers are: those of `aviary serve` over the same reports on this machine, which
//! other tests hold against ARA.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tests::corpus::{Set, corpus};
use tests::http::Connection;
use tests::load::{Expected, digest};

const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'/');

/// So many objects of each noun are asked for one by one.
const DETAILS: usize = 12;

/// The prefix of all reports that are asked for.
const PREFIX: &str = "ara-report";

/// A folder of reports, and where in it they are.
pub(crate) struct Reports {
    folder: tempfile::TempDir,
    locations: Vec<String>,
}

impl Reports {
    /// Those of the corpus that have an answer: sound ones, odd ones, old schemas, packed ones.
    pub(crate) fn of_the_corpus() -> Self {
        let corpus = corpus(1, Set::Small);
        let kinds = ["healthy", "odd", "non-ascii", "legacy", "legacy-migrated", "encoded"];
        let wanted = |report: &&tests::corpus::Report| {
            // A URL ends at its first report, so one inside of another has none.
            let inside = report.folder.split('/').any(|segment| segment == PREFIX);
            kinds.contains(&report.kind.as_str()) && report.prefix == PREFIX && !inside
        };
        let location = |report: &tests::corpus::Report| format!("{}/{}", report.folder, report.prefix);
        Self::copied(&corpus.root, corpus.reports.iter().filter(wanted).map(location).collect())
    }

    /// The few that the README shows.
    pub(crate) fn of_the_readme() -> Self {
        let logs = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/logs");
        let locations = ["demo/1/ara-report", "demo/2/logs/ara-report", "nightly/2024-03-01/ara-report"];
        Self::copied(&logs, locations.map(str::to_owned).to_vec())
    }

    fn copied(root: &Path, locations: Vec<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for location in &locations {
            fs::create_dir_all(folder.path().join(location)).unwrap();
            let names = ["ansible.sqlite", "ansible.sqlite.gz", "ansible.sqlite.zst"].map(|name| Path::new(location).join(name));
            let file = names.iter().find(|name| root.join(name).exists()).unwrap_or_else(|| panic!("nothing in {location}"));
            fs::copy(root.join(file), folder.path().join(file)).unwrap();
        }
        assert!(locations.len() > 2, "found {locations:?}");
        Self { folder, locations }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Requests of every kind for every report, and their answers.
    pub(crate) fn answers(&self) -> Vec<Expected> {
        let (url, _aviary) = tests::aviary::start(self.folder(), &[]);
        let mut server = Connection::new(tests::aviary::address(&url));
        let mut answers = vec![ask(&mut server, "/nowhere/ara-report/api/v1/playbooks").0];
        for location in &self.locations {
            let base = format!("/{}", utf8_percent_encode(location, SEGMENT));
            answers.push(ask(&mut server, &format!("{base}/api/")).0);
            let (root, body) = ask(&mut server, &format!("{base}/api/v1/"));
            answers.push(root);
            let nouns: BTreeMap<String, Value> = serde_json::from_slice(&body).unwrap();
            assert!(nouns.contains_key("playbooks"), "no playbooks at {location}: {nouns:?}");
            for noun in nouns.keys() {
                let list = format!("{base}/api/v1/{noun}");
                answers.push(ask(&mut server, &list).0);
                answers.push(ask(&mut server, &format!("{list}?limit=2&offset=1&order=-id")).0);
                answers.push(ask(&mut server, &format!("{list}/1000000")).0);
                let (all, body) = ask(&mut server, &format!("{list}?limit=1000"));
                answers.push(all);
                let rows: Value = serde_json::from_slice(&body).unwrap_or_default();
                let ids = rows["results"].as_array().into_iter().flatten().filter_map(|row| row["id"].as_u64());
                answers.extend(ids.take(DETAILS).map(|id| ask(&mut server, &format!("{list}/{id}")).0));
            }
        }
        let right = answers.iter().filter(|answer| answer.status == 200).count();
        assert!(right > 10 * self.locations.len(), "only {right} of {} answers are good", answers.len());
        answers
    }
}

fn ask(server: &mut Connection, target: &str) -> (Expected, Vec<u8>) {
    let answer = server.send("GET", target, &[("Accept", "application/json")]).unwrap();
    (Expected { target: target.to_owned(), status: answer.status, digest: digest(&answer) }, answer.body)
}

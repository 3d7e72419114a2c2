//! The tree of ARA's documentation: reports beside console logs and archives, with a prefix of their own.
//!
//! `conformance` asks more of such a tree, below a base path; here is the tree as it is documented, also with two prefixes.

use std::fs;
use std::path::Path;

use tests::ara::{Ara, Options};
use tests::corpus::{Set, corpus};

use crate::conformance::compare_all;
use crate::conformance::differences::Differences;
use crate::conformance::requests;
use crate::conformance::urls::Request;

const SEED: u64 = 389;
const FOLDERS: [&str; 4] = ["1", "2/some/path", "3/dev", "3/prod"];
const BESIDE: [&str; 5] = ["1/console.txt", "1/logs.tar.gz", "2/some/path/console.txt", "3/builds.txt", "3/dev/console.txt"];
const KINDS: [&str; 9] = ["labels", "playbooks", "plays", "tasks", "hosts", "latesthosts", "results", "files", "records"];

/// The tree below `root`, with the reports of the corpus under each of the prefixes.
fn lay_out(root: &Path, prefixes: &[&str]) {
    let corpus = corpus(SEED, Set::Small);
    for folder in FOLDERS {
        let report = corpus.reports.iter().find(|report| report.folder == folder).unwrap();
        for prefix in prefixes {
            let folder = root.join(folder).join(prefix);
            fs::create_dir_all(&folder).unwrap();
            fs::copy(report.file(&corpus.root), folder.join("ansible.sqlite")).unwrap();
        }
    }
    for file in BESIDE {
        fs::write(root.join(file), file).unwrap();
    }
}

/// Every endpoint of every report, and what lies beside the reports.
fn all_requests(prefix: &str) -> Vec<Request> {
    let mut out: Vec<Request> = BESIDE.iter().map(|path| Request::get(format!("/{path}"))).collect();
    for folder in FOLDERS {
        let base = format!("/{folder}/{prefix}");
        out.extend(requests::few(&base));
        for kind in KINDS {
            let list = format!("{base}/api/v1/{kind}");
            out.push(Request::get(list.as_str()));
            out.push(Request::get(format!("{list}?limit=2&offset=1")));
            out.push(Request::get(format!("{list}/1")));
            out.push(Request::get(format!("{list}/999999")));
            out.push(Request::get(list).method("OPTIONS"));
        }
    }
    out
}

/// Aviary with these prefixes against an ARA for each of them, as ARA knows only one.
fn same_as_ara(prefixes: &[&str]) {
    let root = tempfile::tempdir().unwrap();
    lay_out(root.path(), prefixes);
    let arguments: Vec<&str> = prefixes.iter().flat_map(|prefix| ["--prefix", prefix]).collect();
    let (url, _aviary) = tests::aviary::start(root.path(), &arguments);
    for prefix in prefixes {
        let ara = Ara::start(&Options { prefix: (*prefix).to_owned(), ..Options::of(root.path()) });
        compare_all(ara.address(), tests::aviary::address(&url), &all_requests(prefix), &Differences::read(), &|_, _, _| false)
            .report(&format!("documented tree, {prefix} of {prefixes:?}"));
    }
}

#[test]
fn the_documented_tree_is_served_with_its_own_prefix() {
    same_as_ara(&["ara-api"]);
}

#[test]
fn reports_under_two_prefixes_are_served_side_by_side() {
    same_as_ara(&["ara-api", "ara-report"]);
}

//! The comparison out of a bucket: ARA reads the corpus from its folder, Aviary the same reports as objects of S3.

use std::fs;
use std::path::{Path, PathBuf};

use tests::ara::{Ara, Options};
use tests::corpus::{Set, corpus};
use tests::stores::{Bucket, Moto};

use super::differences::Differences;
use super::{Outcome, SEED, Setup, compare_all, setups};

/// What is asked in the default tier.
const SAMPLE: usize = 500;
const UPLOADS: usize = 4;

/// Every file below the root, by its path from there. Links are followed as long as they stay inside.
fn files(root: &Path) -> Vec<(String, PathBuf)> {
    let (mut files, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let Ok(real) = path.canonicalize() else { continue };
            if !real.starts_with(root) {
                continue;
            }
            let Some(key) = path.strip_prefix(root).unwrap().to_str().map(str::to_owned) else { continue };
            if real.is_dir() && real == path {
                folders.push(path);
            } else if real.is_file() && fs::File::open(&real).is_ok() {
                files.push((key, path));
            }
        }
    }
    files
}

fn upload(bucket: &dyn Bucket, root: &Path) {
    let files = files(root);
    std::thread::scope(|scope| {
        for part in 0..UPLOADS {
            let files = &files;
            scope.spawn(move || {
                for (key, path) in files.iter().skip(part).step_by(UPLOADS) {
                    bucket.put(key, &fs::read(path).unwrap());
                }
            });
        }
    });
}

/// Both servers over the corpus at the root; `most` requests at most.
fn s3_against_ara(set: Set, most: usize, differences: &Differences) -> Outcome {
    let corpus = corpus(SEED, set);
    let bucket = Moto::shared().bucket();
    upload(&bucket, &corpus.root);
    let Setup { options, requests } = setups(&corpus, SEED).remove(0);
    let ara = Ara::start(&Options { root: corpus.root, ..options });
    let (url, _aviary) = tests::aviary::start(Path::new(&bucket.url()), &["--wait", "20"]);
    let most = most.min(requests.len());
    compare_all(ara.address(), tests::aviary::address(&url), &requests[..most], differences, &|_, _, _| false)
}

#[test]
fn a_sample_of_answers_out_of_s3_is_the_same_as_those_of_ara() {
    s3_against_ara(Set::Small, SAMPLE, &Differences::read()).report("conformance, out of S3");
}

#[test]
#[ignore = "minutes: tests/run conformance"]
fn every_answer_out_of_s3_is_the_same_as_those_of_ara() {
    s3_against_ara(Set::Full, usize::MAX, &Differences::read()).report("conformance, out of S3, all");
}

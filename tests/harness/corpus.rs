//! The corpus: a tree of real ARA databases, made once per seed and kept until its generator changes.
//!
//! What is in it is decided by `tests/corpus/generate.py` alone.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

/// Which tree: the small one serves every test; the full one adds thousands of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    Small,
    Full,
}

/// One report of the tree.
#[derive(Clone, Debug, Deserialize)]
pub struct Report {
    /// Relative to the root, with `/` between folders; not encoded for URLs.
    pub folder: String,
    pub prefix: String,
    /// healthy, odd (ARA's API reads it), non-ascii, private, legacy, legacy-migrated, encoded or broken.
    pub kind: String,
}

impl Report {
    pub fn file(&self, root: &Path) -> PathBuf {
        root.join(&self.folder).join(&self.prefix).join("ansible.sqlite")
    }
}

/// A generated tree. Tests share it, so they only read.
#[derive(Clone, Debug)]
pub struct Corpus {
    pub root: PathBuf,
    pub reports: Vec<Report>,
}

impl Corpus {
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Report> {
        self.reports.iter().filter(move |report| report.kind == kind)
    }
}

#[derive(Deserialize)]
struct Manifest {
    reports: Vec<Report>,
}

/// The corpus of this seed, generated if it is not there yet.
pub fn corpus(seed: u64, set: Set) -> Corpus {
    let caches = crate::target_dir().join("corpus");
    fs::create_dir_all(&caches).expect("a folder for the corpus");
    let hash = generator_hash();
    let set = match set {
        Set::Small => "small",
        Set::Full => "full",
    };
    let root = caches.join(format!("{hash:016x}-{seed}-{set}"));
    let lock = File::create(caches.join("lock")).expect("the lock of the corpus");
    lock.lock().expect("the lock of the corpus");
    if !root.join("corpus.json").exists() {
        forget_others(&caches, hash);
        generate(&root, seed, set);
    }
    drop(lock);
    let manifest = fs::read(root.join("corpus.json")).expect("the corpus has a list");
    let manifest: Manifest = serde_json::from_slice(&manifest).expect("the list of the corpus is JSON");
    Corpus { root: root.canonicalize().expect("the corpus is there"), reports: manifest.reports }
}

fn generate(root: &Path, seed: u64, set: &str) {
    let partial = root.with_extension("partial");
    let _ = fs::remove_dir_all(&partial);
    let output = Command::new(crate::ara::python())
        .arg("-B")
        .arg(generator().join("generate.py"))
        .arg(&partial)
        .args(["--seed", &seed.to_string(), "--set", set])
        .output()
        .expect("failed to start the generator");
    assert!(output.status.success(), "failed to generate the corpus:\n{}", String::from_utf8_lossy(&output.stderr));
    fs::rename(&partial, root).expect("failed to put the corpus in place");
}

fn generator() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

fn generator_hash() -> u64 {
    let mut files: Vec<PathBuf> = fs::read_dir(generator())
        .expect("the generator")
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.file_name().hash(&mut hasher);
        fs::read(&file).expect("a file of the generator").hash(&mut hasher);
    }
    hasher.finish()
}

/// Trees of an older generator are of no use to anyone.
fn forget_others(caches: &Path, hash: u64) {
    let current = format!("{hash:016x}-");
    for entry in fs::read_dir(caches).expect("the corpora").flatten() {
        let name = entry.file_name();
        if name != "lock" && !name.to_string_lossy().starts_with(&current) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

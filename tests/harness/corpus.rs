//! The corpus: a tree of real ARA databases, made once per seed and kept until its generator changes.
//!
//! What is in it is decided by `tests/corpus/generate.py` alone; real runs of Ansible come from `record.py`, once for
//! all seeds.

use std::ffi::OsStr;
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
        let recorded = caches.join(format!("recorded-{:016x}", recorder_hash()));
        forget_others(&caches, hash, &recorded);
        if !recorded.exists() {
            produce(&recorded, "record.py", &[]);
        }
        let seed = seed.to_string();
        produce(
            &root,
            "generate.py",
            &["--seed".as_ref(), seed.as_ref(), "--set".as_ref(), set.as_ref(), "--recorded".as_ref(), recorded.as_os_str()],
        );
    }
    drop(lock);
    let manifest = fs::read(root.join("corpus.json")).expect("the corpus has a list");
    let manifest: Manifest = serde_json::from_slice(&manifest).expect("the list of the corpus is JSON");
    Corpus { root: root.canonicalize().expect("the corpus is there"), reports: manifest.reports }
}

/// Runs a script that writes a folder, which is there either whole or not at all.
fn produce(folder: &Path, script: &str, arguments: &[&OsStr]) {
    let partial = folder.with_extension("partial");
    let _ = fs::remove_dir_all(&partial);
    let output = Command::new(crate::ara::python())
        .arg("-B")
        .arg(generator().join(script))
        .arg(&partial)
        .args(arguments)
        .output()
        .expect("failed to start Python");
    assert!(output.status.success(), "{script} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    fs::rename(&partial, folder).expect("failed to put what the script wrote in place");
}

fn generator() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

fn generator_hash() -> u64 {
    let mut hasher = DefaultHasher::new();
    recorder_hash().hash(&mut hasher);
    files(&generator()).iter().for_each(|file| hash(file, &mut hasher));
    hasher.finish()
}

/// Recordings take long, so that they depend only on what they are made by.
fn recorder_hash() -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut folders = vec![generator().join("playbooks")];
    let mut found = vec![generator().join("record.py"), generator().join("requirements.txt")];
    while let Some(folder) = folders.pop() {
        found.extend(files(&folder));
        let entries = fs::read_dir(&folder).expect("a folder of playbooks");
        folders.extend(entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()));
    }
    found.sort();
    found.iter().for_each(|file| hash(file, &mut hasher));
    hasher.finish()
}

/// The files in this folder itself, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).expect("the generator").map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

fn hash(file: &Path, hasher: &mut DefaultHasher) {
    file.file_name().hash(hasher);
    fs::read(file).expect("a file of the generator").hash(hasher);
}

/// Trees of an older generator are of no use to anyone.
fn forget_others(caches: &Path, hash: u64, recorded: &Path) {
    let current = format!("{hash:016x}-");
    for entry in fs::read_dir(caches).expect("the corpora").flatten() {
        let name = entry.file_name();
        let used = name == "lock" || entry.path() == recorded || name.to_string_lossy().starts_with(&current);
        if !used {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

//! A report of what an apply did: an ARA database, which ARA and Aviary open. `minutes` takes down what happens and `playbook`
//! tells it in ARA's words; here is where it goes. How a store takes it is for whoever knows stores.

mod listing;
mod minutes;
mod playbook;

use std::{
    fs,
    future::Future,
    io,
    path::{Path, PathBuf},
    pin::Pin,
};

use percent_encoding::percent_decode_str;
use record::{Playbook, Time};

pub use minutes::{About, Minutes};

/// What comes of asking a store.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Unpublished>> + Send + 'a>>;

/// Puts reports into stores that have URLs.
pub trait Publish: Sync {
    /// Whether the store of a URL takes reports, as far as that can be told before there is one. Gives the store's name,
    /// without what may be secret in its URL.
    fn check<'a>(&'a self, url: &'a str) -> Answer<'a, String>;

    /// Puts a report's database at a location in it.
    fn publish<'a>(&'a self, url: &'a str, location: &'a str, database: Vec<u8>) -> Answer<'a, ()>;
}

/// Why a store has not got a report. Says nothing that may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unpublished(pub String);

/// For a program that knows no stores but folders.
#[derive(Debug, Clone, Copy)]
pub struct FoldersOnly;

impl Publish for FoldersOnly {
    fn check<'a>(&'a self, url: &'a str) -> Answer<'a, String> {
        let scheme = url.split("://").next().unwrap_or_default();
        let problem = format!(
            "this program writes reports to files and folders only, not to a store of kind {scheme}; `aviary ds389` does both"
        );
        Box::pin(async { Err(Unpublished(problem)) })
    }

    fn publish<'a>(&'a self, url: &'a str, _: &'a str, _: Vec<u8>) -> Answer<'a, ()> {
        Box::pin(async move { self.check(url).await.map(|_| ()) })
    }
}

/// Why there is no report, or not where it should be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be written where it should be.
    #[error("no report can be written to {}: {problem}", path.display())]
    Place {
        /// The file or folder as it was named.
        path: PathBuf,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// The store takes none.
    #[error("no report can be put into the store: {0}")]
    Store(Unpublished),
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] record::Error),
    /// It was written, but the store has not got it.
    #[error("the report was not put into {store}: {problem}; it is kept in {}", kept.display())]
    Kept {
        /// The store's name.
        store: String,
        /// Why.
        problem: Unpublished,
        /// Where it is.
        kept: PathBuf,
    },
    /// The thread for work on files was stopped.
    #[error("the program is being stopped")]
    Stopped,
}

/// Where a report goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A file of this machine.
    File(PathBuf),
    /// A folder of this machine, in which each report has one of its own.
    Folder(PathBuf),
    /// A store with a URL, and its name for people.
    Store {
        /// The URL, which may hold secrets.
        url: String,
        /// The name.
        name: String,
    },
}

/// What the name of a report's file ends with.
const SUFFIX: &str = ".sqlite";

impl Destination {
    /// Reads what a user wrote: a file that ends in `.sqlite`, a URL, or else a folder. Sees whether a report can be put there,
    /// so that nobody learns only after the work that nothing will tell of it.
    ///
    /// # Errors
    /// When the folder cannot be written to, or the store takes no reports.
    pub async fn prepare(text: &str, publish: &dyn Publish) -> Result<Self, Error> {
        let path = match text.split_once("://") {
            Some(("file", path)) => PathBuf::from(percent_decode_str(path).decode_utf8_lossy().into_owned()),
            Some(_) => {
                let name = publish.check(text).await.map_err(Error::Store)?;
                return Ok(Self::Store { url: text.to_owned(), name });
            }
            None => PathBuf::from(text),
        };
        blocking(move || {
            let wrong = |problem: String| Error::Place { path: path.clone(), problem };
            let is_file = path.to_string_lossy().ends_with(SUFFIX);
            if is_file && path.is_dir() {
                return Err(wrong("it is a folder, and its name is that of a database".to_owned()));
            }
            if !is_file && path.is_file() {
                return Err(wrong(format!("it is a file; name a folder, or a file that ends in {SUFFIX}")));
            }
            let folder = if is_file { parent(&path) } else { path.as_path() };
            if !is_file {
                fs::create_dir_all(folder).map_err(|error| wrong(error.to_string()))?;
            }
            tempfile::tempfile_in(folder).map_err(|error| wrong(error.to_string()))?;
            Ok(if is_file { Self::File(path) } else { Self::Folder(path) })
        })
        .await
    }

    /// Writes a report and puts it there. Tells where that is.
    ///
    /// # Errors
    /// When it could not be written, or the store did not take it; then it is kept on this machine.
    pub async fn deliver(&self, playbook: Playbook, publish: &dyn Publish) -> Result<String, Error> {
        match self {
            Self::File(path) => written(path.clone(), playbook).await,
            Self::Folder(folder) => written(folder.join(location(&playbook)).join("ansible.sqlite"), playbook).await,
            Self::Store { url, name } => {
                let location = location(&playbook);
                let (kept, database) = blocking(move || kept(&playbook)).await?;
                if let Err(problem) = publish.publish(url, &location, database).await {
                    // Nobody else has it.
                    let kept = kept.keep().join("ansible.sqlite");
                    return Err(Error::Kept { store: name.clone(), problem, kept });
                }
                Ok(format!("{}/{location}", name.trim_end_matches('/')))
            }
        }
    }
}

/// Writes a report to a file whose folders need not be there.
async fn written(path: PathBuf, playbook: Playbook) -> Result<String, Error> {
    blocking(move || {
        let wrong = |error: io::Error| Error::Place { path: path.clone(), problem: error.to_string() };
        fs::create_dir_all(parent(&path)).map_err(wrong)?;
        record::write(&path, &playbook)?;
        Ok(path.display().to_string())
    })
    .await
}

/// Writes a report into a folder that only this user reads. Gives the folder, and the report.
fn kept(playbook: &Playbook) -> Result<(tempfile::TempDir, Vec<u8>), Error> {
    let wrong = |error: io::Error| Error::Place { path: std::env::temp_dir(), problem: error.to_string() };
    let folder = tempfile::Builder::new().prefix("aviary-report-").tempdir().map_err(wrong)?;
    let path = folder.path().join("ansible.sqlite");
    record::write(&path, playbook)?;
    let database = fs::read(&path).map_err(wrong)?;
    Ok((folder, database))
}

/// Where a report is in a folder or a store: by host, then by time, so that no two are in the same place.
fn location(playbook: &Playbook) -> String {
    let host = playbook.hosts.first().map_or("", |host| host.name.as_str());
    format!("ds389/{}/{}/ara-report", segment(host), moment(playbook.span.started))
}

/// A name that any store can have.
fn segment(name: &str) -> String {
    const LONGEST: usize = 60;
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).take(LONGEST).collect();
    if name.chars().all(|c| c == '.') { format!("_{name}") } else { name }
}

/// `2026-11-25T13-40-04.672104Z`: names in order are times in order, and no name has a colon.
fn moment(time: Time) -> String {
    let stored = time.stored();
    let (second, micros) = stored.split_once('.').unwrap_or((&stored, "000000"));
    format!("{}.{micros}Z", second.replace(' ', "T").replace(':', "-"))
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Stopped)?
}

#[cfg(test)]
mod tests;

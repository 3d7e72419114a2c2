//! Reports of what was done to the server, on its volume until somebody has fetched them: the last few, within a bound of bytes. What
//! a report tells is `agent`'s; that one cannot be kept never keeps the server from being kept.

use std::{
    fs::{self, DirBuilder},
    io::{self, Read},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use aviary_proto::directory::v1::Report;
use record::{Playbook, Status, Time};

/// The folder below that of the agent.
const FOLDER: &str = "reports";
/// How many there are at most.
const MOST: usize = 16;
/// Bytes of one, and of all.
const LARGEST: u64 = 8 << 20;
const MOST_BYTES: u64 = 24 << 20;
/// What stands behind the id in the name of a file: one of these.
const SUCCEEDED: &str = "-succeeded.sqlite";
const FAILED: &str = "-failed.sqlite";

/// Why a report cannot be kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] record::Error),
    /// The folder or a file of it cannot be used.
    #[error("failed to use {}: {source}", path.display())]
    Use {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It would take too much of the volume.
    #[error("the report has {bytes} bytes, and at most {most} are kept")]
    Large {
        /// How many it has.
        bytes: u64,
        /// How many it may have.
        most: u64,
    },
}

/// The reports of this agent. Without a folder there are none.
#[derive(Debug)]
pub(crate) struct Reports {
    folder: Option<PathBuf>,
    /// Bytes of one.
    largest: u64,
    /// Held while files are looked at or changed.
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// The id that was given last.
    last: String,
    /// What has failed last time.
    failure: Option<String>,
}

impl Reports {
    /// Those below the folder of the agent. Nothing is touched yet.
    pub(crate) fn new(folder: Option<&Path>) -> Self {
        Self { folder: folder.map(|folder| folder.join(FOLDER)), largest: LARGEST, known: Mutex::default() }
    }

    /// Whether any are kept.
    pub(crate) fn are_kept(&self) -> bool {
        self.folder.is_some()
    }

    /// Whether it has failed in this way last time too. What lasts is tried again and again, and is one report.
    pub(crate) fn has_failed_so(&self, failure: Option<&str>) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = failure.is_some() && known.failure.as_deref() == failure;
        known.failure = failure.map(str::to_owned);
        is_known
    }

    /// Keeps a report, and lets go of the oldest that are too many.
    pub(crate) fn keep(&self, playbook: &Playbook, now: SystemTime) -> Result<(), Error> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|source| failed(folder, source))?;
        sweep(folder);
        let kept = list(folder).map_err(|source| failed(folder, source))?;
        let id = fresh(now, |id| *id == known.last || kept.iter().any(|file| file.report.id == *id));
        let succeeded = playbook.status == Status::Completed;
        let path = folder.join(format!("{id}{}", if succeeded { SUCCEEDED } else { FAILED }));
        record::write(&path, playbook)?;
        let bytes = fs::metadata(&path).map_err(|source| failed(&path, source))?.len();
        if bytes > self.largest {
            remove(&path)?;
            return Err(Error::Large { bytes, most: self.largest });
        }
        known.last = id;
        let mut kept = list(folder).map_err(|source| failed(folder, source))?;
        for file in kept.drain(..surplus(&kept)) {
            tracing::info!(report = file.report.id, "a report that nobody has fetched makes room for later ones");
            remove(&file.path)?;
        }
        Ok(())
    }

    /// Those that there are, the oldest first.
    pub(crate) fn list(&self) -> Vec<Report> {
        let Some(folder) = &self.folder else { return Vec::new() };
        let _known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // What cannot be looked at cannot be fetched either.
        list(folder).unwrap_or_default().into_iter().map(|file| file.report).collect()
    }

    /// The bytes of one; `None` if it is not there.
    pub(crate) fn read(&self, id: &str) -> Result<Option<Vec<u8>>, Error> {
        let Some(File { path, .. }) = self.find(id) else { return Ok(None) };
        let mut bytes = Vec::new();
        let read = fs::File::open(&path).and_then(|file| file.take(self.largest).read_to_end(&mut bytes));
        match read {
            Ok(_) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(failed(&path, source)),
        }
    }

    /// Lets go of one.
    pub(crate) fn forget(&self, id: &str) -> Result<(), Error> {
        let Some(File { path, .. }) = self.find(id) else { return Ok(()) };
        let _known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        remove(&path)
    }

    /// An id comes from elsewhere: it is only ever compared.
    fn find(&self, id: &str) -> Option<File> {
        let folder = self.folder.as_ref()?;
        let _known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        list(folder).ok()?.into_iter().find(|file| file.report.id == id)
    }
}

/// A report in its file.
#[derive(Debug)]
struct File {
    path: PathBuf,
    bytes: u64,
    report: Report,
}

/// Those of a folder, the oldest first; none if the folder is not there.
fn list(folder: &Path) -> io::Result<Vec<File>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        let Some(report) = entry.file_name().to_str().and_then(named) else { continue };
        files.push(File { path: entry.path(), bytes: entry.metadata()?.len(), report });
    }
    files.sort_by(|one, other| one.report.id.cmp(&other.report.id));
    Ok(files)
}

/// The report that a file is called after.
fn named(name: &str) -> Option<Report> {
    let report = |id: &str, succeeded| Report { id: id.to_owned(), succeeded };
    let succeeded = name.strip_suffix(SUCCEEDED).map(|id| report(id, true));
    succeeded.or_else(|| name.strip_suffix(FAILED).map(|id| report(id, false)))
}

/// How many of these, the oldest first, are too many. The last one stays.
fn surplus(files: &[File]) -> usize {
    let mut bytes = 0;
    let fitting = files.iter().rev().take(MOST).take_while(|file| {
        bytes += file.bytes;
        bytes <= MOST_BYTES
    });
    files.len() - fitting.count()
}

/// The id of a moment, or of the first second after it that has none.
fn fresh(mut now: SystemTime, is_taken: impl Fn(&String) -> bool) -> String {
    loop {
        let id = id(now.into());
        if !is_taken(&id) {
            return id;
        }
        now += Duration::from_secs(1);
    }
}

/// `20261129T041503Z`: names in order are times in order.
fn id(time: Time) -> String {
    let stored = time.stored();
    let second = stored.split('.').next().unwrap_or_default();
    format!("{}Z", second.replace(' ', "T").replace(['-', ':'], ""))
}

/// Removes what an agent left that was killed while it wrote.
fn sweep(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_str().is_none_or(|name| named(name).is_none())) {
        // It is of no use, and the next one tries again.
        let _ = fs::remove_file(entry.path());
    }
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path, error)),
        _ => Ok(()),
    }
}

fn failed(path: &Path, source: io::Error) -> Error {
    Error::Use { path: path.to_owned(), source }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{os::unix::fs::PermissionsExt, time::UNIX_EPOCH};

    use record::Span;

    use super::*;

    const FIRST: u64 = 1_795_925_703;

    fn at(second: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(FIRST + second)
    }

    fn playbook(status: Status) -> Playbook {
        let time = Time::from(at(0));
        Playbook {
            name: None,
            path: "/instance.yaml".to_owned(),
            ansible_version: "0".to_owned(),
            client_version: None,
            python_version: None,
            controller: None,
            user: None,
            arguments: serde_json::Map::new(),
            labels: Vec::new(),
            status,
            span: Span { started: time, ended: Some(time) },
            plays: Vec::new(),
            files: vec![record::File { path: "/instance.yaml".to_owned(), content: String::new() }],
            hosts: Vec::new(),
            records: Vec::new(),
        }
    }

    pub(crate) fn done() -> Playbook {
        playbook(Status::Completed)
    }

    fn ids(reports: &[Report]) -> Vec<(&str, bool)> {
        reports.iter().map(|report| (report.id.as_str(), report.succeeded)).collect()
    }

    #[test]
    fn reports_are_kept_by_their_times_until_they_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let reports = Reports::new(Some(folder.path()));
        assert_eq!(reports.list(), []);
        reports.keep(&done(), at(0)).unwrap();
        reports.keep(&playbook(Status::Expired), at(0)).unwrap();
        reports.keep(&playbook(Status::Failed), at(60)).unwrap();
        let expected = [("20261129T041503Z", true), ("20261129T041504Z", false), ("20261129T041603Z", false)];
        assert_eq!(ids(&reports.list()), expected);
        // The next agent knows them too.
        let next = Reports::new(Some(folder.path()));
        assert_eq!(ids(&next.list()), expected);
        assert!(next.read("20261129T041503Z").unwrap().unwrap().starts_with(b"SQLite format 3\0"));
        next.forget("20261129T041503Z").unwrap();
        next.forget("20261129T041503Z").unwrap();
        assert_eq!(next.read("20261129T041503Z").unwrap(), None);
        assert_eq!(ids(&next.list()), expected[1..]);
    }

    #[test]
    fn an_id_is_not_given_again_though_its_report_was_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let reports = Reports::new(Some(folder.path()));
        reports.keep(&done(), at(0)).unwrap();
        reports.forget("20261129T041503Z").unwrap();
        reports.keep(&done(), at(0)).unwrap();
        assert_eq!(ids(&reports.list()), [("20261129T041504Z", true)]);
    }

    #[test]
    fn an_id_that_is_none_leads_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("revision-failed.sqlite"), "7").unwrap();
        let reports = Reports::new(Some(folder.path()));
        reports.keep(&done(), at(0)).unwrap();
        for id in ["../revision", "", "20261129T041503Z-succeeded.sqlite", "/etc/passwd"] {
            assert_eq!(reports.read(id).unwrap(), None, "{id}");
            reports.forget(id).unwrap();
        }
        assert!(folder.path().join("revision-failed.sqlite").exists());
        assert_eq!(reports.list().len(), 1);
    }

    #[test]
    fn the_oldest_make_room_for_later_ones() {
        let folder = tempfile::tempdir().unwrap();
        let reports = Reports::new(Some(folder.path()));
        for second in 0..MOST as u64 + 3 {
            reports.keep(&done(), at(second)).unwrap();
            assert!(reports.list().len() <= MOST);
        }
        let kept = reports.list();
        assert_eq!((kept.len(), kept[0].id.as_str()), (MOST, "20261129T041506Z"));
    }

    #[test]
    fn so_many_are_too_many() {
        let check = |sizes: &[u64], expected: usize| {
            let file = |bytes: &u64| File { path: PathBuf::new(), bytes: *bytes, report: Report::default() };
            assert_eq!(surplus(&sizes.iter().map(file).collect::<Vec<_>>()), expected, "{sizes:?}");
        };
        check(&[], 0);
        check(&[1; MOST], 0);
        check(&[1; MOST + 2], 2);
        check(&[LARGEST; 3], 0);
        check(&[LARGEST, LARGEST, 1, LARGEST], 1);
        check(&[1, LARGEST, LARGEST, LARGEST], 1);
    }

    #[test]
    fn one_that_is_too_large_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let reports = Reports::new(Some(folder.path()));
        reports.keep(&done(), at(0)).unwrap();
        let large = Reports { largest: 1000, ..Reports::new(Some(folder.path())) }.keep(&done(), at(1)).unwrap_err();
        assert!(matches!(large, Error::Large { bytes, most: 1000 } if bytes > 1000), "{large}");
        assert_eq!(ids(&reports.list()), [("20261129T041503Z", true)]);
    }

    #[test]
    fn what_a_killed_agent_left_goes_with_the_next_report() {
        let folder = tempfile::tempdir().unwrap();
        let reports = Reports::new(Some(folder.path()));
        reports.keep(&done(), at(0)).unwrap();
        let left = folder.path().join("reports/.report-x1");
        fs::write(&left, "half").unwrap();
        assert_eq!(reports.list().len(), 1);
        reports.keep(&done(), at(1)).unwrap();
        assert!(!left.exists());
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_told_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FOLDER), "in the way").unwrap();
        let reports = Reports::new(Some(folder.path()));
        assert!(matches!(reports.keep(&done(), at(0)), Err(Error::Use { .. })));
        assert_eq!(reports.list(), []);
        assert!(reports.read("20261129T041503Z").unwrap().is_none());
    }

    #[test]
    fn without_a_folder_there_are_none() {
        let reports = Reports::new(None);
        assert!(!reports.are_kept());
        reports.keep(&done(), at(0)).unwrap();
        assert_eq!(reports.list(), []);
    }

    #[test]
    fn only_this_user_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        Reports::new(Some(folder.path())).keep(&done(), at(0)).unwrap();
        let mode = fs::metadata(folder.path().join(FOLDER)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn a_failure_that_lasts_is_known_until_something_else_happens() {
        let reports = Reports::new(None);
        let happened = [Some("a"), Some("a"), Some("b"), Some("b"), None, None, Some("b")];
        assert_eq!(happened.map(|failure| reports.has_failed_so(failure)), [false, true, false, true, false, false, false]);
    }
}

//! What the server logs into files, on standard output as it is, line by line. Each file has a thread, so that a reader who
//! stops holds up nobody else. The server exchanges the files as it likes.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// Between two looks at a file.
const LOOK: Duration = Duration::from_millis(200);

/// The longest line that is kept together.
const LINE: usize = 64 * 1024;

/// Where in a file to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// With all that is in it.
    Beginning,
    /// With what is written from now on.
    End,
}

/// The logs that are followed.
#[derive(Debug, Default)]
pub(crate) struct Logs {
    is_over: Arc<AtomicBool>,
    /// Held only to look or to begin.
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Logs {
    /// Follows these files, unless some are followed already.
    pub(crate) fn follow(&self, files: &[PathBuf], from: From) {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        if !threads.is_empty() {
            return;
        }
        for path in files.iter().cloned() {
            let mut file = Followed::new(path, from);
            let is_over = Arc::clone(&self.is_over);
            let follow = move || {
                loop {
                    // What was written before the end comes out too.
                    let is_last = is_over.load(Ordering::Acquire);
                    file.pass_on(&mut io::stdout());
                    if is_last {
                        return;
                    }
                    thread::sleep(LOOK);
                }
            };
            match thread::Builder::new().name("logs".to_owned()).spawn(follow) {
                Ok(thread) => threads.push(thread),
                Err(error) => tracing::error!(%error, "failed to follow a log"),
            }
        }
    }

    /// Passes the rest on, and ends. Waits for whoever reads it.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::Release);
        for thread in self.threads.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = thread.join();
        }
    }
}

/// A file, and how far it was passed on.
struct Followed {
    path: PathBuf,
    file: Option<File>,
    from: From,
    /// A line that has not ended.
    rest: Vec<u8>,
}

impl Followed {
    fn new(path: PathBuf, from: From) -> Self {
        let mut followed = Self { path, file: None, from, rest: Vec::new() };
        followed.open();
        // A file that comes later is new.
        followed.from = From::Beginning;
        followed
    }

    fn open(&mut self) {
        self.file = File::open(&self.path).ok();
        if let (From::End, Some(file)) = (self.from, &mut self.file) {
            let _ = file.seek(SeekFrom::End(0));
        }
    }

    /// Passes on what is new.
    fn pass_on(&mut self, out: &mut impl Write) {
        self.read(out);
        // Another file by now? What was written to the first before it went is read first.
        if !self.file.as_ref().is_some_and(|file| is_at(file, &self.path)) && self.path.exists() {
            self.read(out);
            self.open();
            self.read(out);
        }
    }

    fn read(&mut self, out: &mut impl Write) {
        let Some(file) = &mut self.file else { return };
        while let Ok(1..) = (&*file).take(LINE as u64).read_to_end(&mut self.rest) {
            let lines = self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            let whole = if lines == 0 && self.rest.len() >= LINE { self.rest.len() } else { lines };
            // Where nobody reads standard output there is nobody to tell.
            let _ = out.write_all(self.rest.get(..whole).unwrap_or_default());
            self.rest.drain(..whole);
        }
        let _ = out.flush();
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    let identity = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino());
    matches!((file.metadata(), fs::metadata(path)), (Ok(open), Ok(there)) if identity(&open) == identity(&there))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes out after each of these changes of a file.
    struct Log {
        folder: tempfile::TempDir,
        followed: Followed,
    }

    impl Log {
        fn with(text: Option<&str>, from: From) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("errors");
            if let Some(text) = text {
                fs::write(&path, text).unwrap();
            }
            Self { folder, followed: Followed::new(path, from) }
        }

        fn write(&self, text: &str) {
            let mut file = File::options().create(true).append(true).open(&self.followed.path).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }

        fn rotate(&self) {
            fs::rename(&self.followed.path, self.folder.path().join("errors.1")).unwrap();
        }

        #[track_caller]
        fn check(&mut self, expected: &str) {
            let mut out = Vec::new();
            self.followed.pass_on(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn lines_come_out_whole_and_once() {
        let mut log = Log::with(Some("one\ntw"), From::Beginning);
        log.check("one\n");
        log.check("");
        log.write("o\nthree\n");
        log.check("two\nthree\n");
    }

    #[test]
    fn what_was_logged_before_is_left_out_when_asked() {
        let mut log = Log::with(Some("old\n"), From::End);
        log.write("new\n");
        log.check("new\n");
    }

    #[test]
    fn a_file_that_comes_later_is_passed_on_from_its_beginning() {
        let mut log = Log::with(None, From::End);
        log.check("");
        log.write("first\n");
        log.check("first\n");
    }

    #[test]
    fn nothing_is_lost_when_the_server_exchanges_the_file() {
        let mut log = Log::with(Some("one\n"), From::Beginning);
        log.check("one\n");
        log.write("two\n");
        log.rotate();
        log.check("two\n");
        log.write("three\n");
        log.check("three\n");
    }

    #[test]
    fn a_line_without_an_end_is_not_kept_for_ever() {
        let long = "x".repeat(LINE);
        let mut log = Log::with(Some(&long), From::Beginning);
        log.check(&long);
    }
}

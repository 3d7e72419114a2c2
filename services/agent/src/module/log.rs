//! What happened during a run, by its weight, for whoever asked to be told.

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Why the run failed.
    Error,
    /// What its reader should know.
    Warning,
    /// What was done.
    Info,
    /// What was found.
    Debug,
}

/// The lines of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Log(Vec<(Level, String)>);

impl Level {
    /// As lines begin.
    fn name(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Warning => "WARNING",
            Self::Info => "INFO",
            Self::Debug => "DEBUG",
        }
    }

    /// The last level that is told at a verbosity.
    fn told_at(verbosity: u8) -> Self {
        match verbosity {
            0 => Self::Error,
            1 => Self::Warning,
            2 => Self::Info,
            _ => Self::Debug,
        }
    }
}

impl Log {
    /// One more line.
    pub(super) fn add(&mut self, level: Level, text: impl Into<String>) {
        self.0.push((level, text.into()));
    }

    /// The lines that are told at a verbosity.
    pub(super) fn lines(&self, verbosity: u8) -> Vec<String> {
        let told = self.0.iter().filter(|(level, _)| *level <= Level::told_at(verbosity));
        told.map(|(level, text)| format!("{}: {text}", level.name())).collect()
    }

    /// Only what went wrong.
    pub(super) fn errors(&self) -> Vec<&str> {
        self.0.iter().filter(|(level, _)| *level == Level::Error).map(|(_, text)| text.as_str()).collect()
    }
}

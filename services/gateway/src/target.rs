//! From the path of a URL to what it names: a folder of the store, a place inside a report, or one of our own pages. Pure;
//! whether anything is there, the store knows.

use percent_encoding::percent_decode_str;
use store::Location;

/// Longest path, in bytes, as it stands in the request.
pub(crate) const MAX_PATH_BYTES: usize = 8000;

/// How paths are read.
#[derive(Debug, Clone, Default)]
pub struct Mounts {
    /// Names of folders that are reports.
    pub prefixes: Vec<String>,
    /// What stands before everything, without a slash at its end; empty for nothing.
    pub base_path: String,
    /// The store's root is itself a report, so that a path without a prefix may be inside it.
    pub root_report: bool,
}

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A folder of the store, with a slash at the end of its path or without.
    Folder { location: Location, slash: bool },
    /// A place inside a report.
    Report {
        location: Location,
        /// The decoded path up to and with the report's folder, as it was asked for.
        script: String,
        /// The decoded rest; empty or beginning with a slash.
        inside: String,
    },
    /// A page of ours, below `/-/`.
    Own(String),
    /// Asked by load balancers that know ARA.
    Healthcheck,
}

/// Why a path names nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("the path is longer than {MAX_PATH_BYTES} bytes")]
    TooLong,
    #[error("the path is not UTF-8 when decoded")]
    NotText,
    #[error("the path cannot name a report")]
    NotALocation,
    #[error("the path is not below the base path")]
    OutsideBase,
}

impl Mounts {
    /// Reads a path as it stands in the request.
    pub(crate) fn target(&self, raw: &str) -> Result<Target, Error> {
        if raw.len() > MAX_PATH_BYTES {
            return Err(Error::TooLong);
        }
        let path = percent_decode_str(raw).decode_utf8().map_err(|_| Error::NotText)?;
        let path = path.strip_prefix(self.base_path.as_str()).ok_or(Error::OutsideBase)?;
        if !path.is_empty() && !path.starts_with('/') {
            return Err(Error::OutsideBase);
        }
        if path == "/healthcheck/" {
            return Ok(Target::Healthcheck);
        }
        if let Some(own) = path.strip_prefix("/-/") {
            return Ok(Target::Own(own.to_owned()));
        }
        if let Some(end) = self.prefix_end(path) {
            let (script, inside) = path.split_at(end);
            let script = format!("{}{script}", self.base_path);
            let mut location = resolve(path.get(..end).unwrap_or_default())?;
            if self.root_report && self.prefixes.iter().any(|prefix| prefix == location.as_str()) {
                location = Location::root();
            }
            return Ok(Target::Report { location, script, inside: inside.to_owned() });
        }
        if self.root_report && (path.is_empty() || path == "/" || is_inside(path)) {
            return Ok(Target::Report { location: Location::root(), script: self.base_path.clone(), inside: path.to_owned() });
        }
        Ok(Target::Folder { location: resolve(path)?, slash: path.ends_with('/') })
    }

    /// Where the first segment ends that is one of the prefixes.
    fn prefix_end(&self, path: &str) -> Option<usize> {
        let mut start = 0;
        for segment in path.split('/') {
            let end = start + segment.len();
            if self.prefixes.iter().any(|prefix| prefix == segment) {
                return Some(end);
            }
            start = end + 1;
        }
        None
    }
}

/// A path that a report without a prefix answers.
fn is_inside(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    matches!(
        first,
        "api" | "playbooks" | "plays" | "hosts" | "tasks" | "results" | "files" | "records" | "robots.txt" | "distributed"
    )
}

/// Brings a path to a location the way a file system would: several slashes are one, `.` is nothing, `..` goes up, but
/// never out of the store.
fn resolve(path: &str) -> Result<Location, Error> {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop().ok_or(Error::NotALocation)?;
            }
            _ => segments.push(segment),
        }
    }
    Location::parse(&segments.join("/")).map_err(|_| Error::NotALocation)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mounts() -> Mounts {
        Mounts { prefixes: vec!["ara-report".to_owned(), "ara-api".to_owned()], ..Mounts::default() }
    }

    fn report(location: &str, script: &str, inside: &str) -> Result<Target, Error> {
        Ok(Target::Report { location: Location::parse(location).unwrap(), script: script.to_owned(), inside: inside.to_owned() })
    }

    fn folder(location: &str, slash: bool) -> Result<Target, Error> {
        Ok(Target::Folder { location: Location::parse(location).unwrap(), slash })
    }

    #[track_caller]
    fn check(raw: &str, expected: Result<Target, Error>) {
        assert_eq!(mounts().target(raw), expected, "{raw}");
    }

    #[test]
    fn the_first_segment_that_is_a_prefix_names_the_report() {
        check("/1/ara-report/api/v1/hosts", report("1/ara-report", "/1/ara-report", "/api/v1/hosts"));
        check("/a/ara-api", report("a/ara-api", "/a/ara-api", ""));
        check("/a/ara-api/x/ara-report/", report("a/ara-api", "/a/ara-api", "/x/ara-report/"));
        check("/ara-report/", report("ara-report", "/ara-report", "/"));
    }

    #[test]
    fn only_whole_segments_are_prefixes() {
        check("/my-ara-report-x/ara-report/", report("my-ara-report-x/ara-report", "/my-ara-report-x/ara-report", "/"));
        check("/1/ara-reportfoo", folder("1/ara-reportfoo", false));
    }

    #[test]
    fn paths_are_decoded_once_and_resolved_as_a_file_system_would() {
        check("/%31/ara%2Dreport", report("1/ara-report", "/1/ara-report", ""));
        check("/1//ara-report", report("1/ara-report", "/1//ara-report", ""));
        check("/1/../2/ara-report/", report("2/ara-report", "/1/../2/ara-report", "/"));
        check("/%2531/ara-report", report("%31/ara-report", "/%31/ara-report", ""));
        check("/%C3%A9/ara-report", report("é/ara-report", "/é/ara-report", ""));
    }

    #[test]
    fn nothing_leads_out_of_the_store() {
        check("/../ara-report", Err(Error::NotALocation));
        check("/..%2Flogs-private/ara-report", Err(Error::NotALocation));
        check("/%2e%2e/%2e%2e/etc/passwd", Err(Error::NotALocation));
        check("/a%00b/ara-report", Err(Error::NotALocation));
        check("/%ff/ara-report", Err(Error::NotText));
        check(&"/x".repeat(4001), Err(Error::TooLong));
    }

    #[test]
    fn a_single_database_is_served_at_the_root_and_below_its_prefix() {
        let mounts = Mounts { root_report: true, ..mounts() };
        assert_eq!(mounts.target("/"), report("", "", "/"));
        assert_eq!(mounts.target("/api/v1/hosts"), report("", "", "/api/v1/hosts"));
        assert_eq!(mounts.target("/ara-report/api/"), report("", "/ara-report", "/api/"));
        assert_eq!(mounts.target("/other/"), folder("other", true));
    }

    #[test]
    fn a_base_path_stands_before_everything_and_in_links() {
        let mounts = Mounts { base_path: "/ci".to_owned(), ..mounts() };
        assert_eq!(mounts.target("/ci/1/ara-report/api/"), report("1/ara-report", "/ci/1/ara-report", "/api/"));
        assert_eq!(mounts.target("/ci"), folder("", false));
        assert_eq!(mounts.target("/1/ara-report/api/"), Err(Error::OutsideBase));
        assert_eq!(mounts.target("/cio/1"), Err(Error::OutsideBase));
    }
}

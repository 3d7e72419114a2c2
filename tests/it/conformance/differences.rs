//! The deliberate differences: reads `tests/differences.toml` and says which row covers an answer.
//!
//! The documentation's page is made from the same file.

use std::path::Path;

use serde::Deserialize;
use tests::http::Response;

use super::urls::Request;

/// One row of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub id: String,
    pub what: String,
    pub why: String,
    /// The test that shows it; rows of `conformance` have to occur in its full run.
    pub test: String,
    #[serde(rename = "match", default)]
    pub matches: Match,
    #[serde(default)]
    pub aviary: Expectation,
}

/// Which requests, and which answers of ARA. An empty list allows anything; `*` stands for any text.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Match {
    pub path: Vec<String>,
    pub not_path: Vec<String>,
    pub query: Vec<String>,
    pub not_query: Vec<String>,
    pub method: Vec<String>,
    /// `name: value`, name in lower case.
    pub header: Vec<String>,
    pub ara_status: Vec<u16>,
    pub ara_type: Vec<String>,
    pub ara_body: Vec<String>,
    /// Headers that Aviary may send where ARA sends none; a row with these has nothing else.
    pub added_headers: Vec<String>,
}

/// What Aviary answers instead.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Expectation {
    /// Empty: the status of ARA.
    pub status: Vec<u16>,
    #[serde(rename = "type")]
    pub media_type: Vec<String>,
    /// json or html, where it matters which of the two it really is.
    pub body: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    difference: Vec<Row>,
}

/// All rows, in the order of the file.
pub(crate) struct Differences {
    pub rows: Vec<Row>,
}

impl Differences {
    pub(crate) fn read() -> Differences {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("differences.toml");
        let text = std::fs::read_to_string(&path).expect("the differences");
        let file: File = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Differences { rows: file.difference }
    }

    pub(crate) fn none() -> Differences {
        Differences { rows: Vec::new() }
    }

    /// The rows that cover this pair of answers. Rows that another test shows cover none.
    pub(crate) fn covering(&self, request: &Request, oracle: &Response, subject: &Response) -> Vec<&Row> {
        self.rows
            .iter()
            .filter(|row| {
                row.test == "conformance"
                    && row.matches.added_headers.is_empty()
                    && row.matches.holds(request, oracle)
                    && row.aviary.holds(oracle, subject)
            })
            .collect()
    }

    /// The row that allows Aviary this header.
    pub(crate) fn allowing(&self, header: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.matches.added_headers.iter().any(|name| name == header))
    }
}

impl Match {
    pub(crate) fn holds(&self, request: &Request, oracle: &Response) -> bool {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let headers: Vec<String> =
            request.headers.iter().map(|(name, value)| format!("{}: {value}", name.to_lowercase())).collect();
        any(&self.path, path)
            && !self.not_path.iter().any(|pattern| glob(pattern, path))
            && any(&self.query, query)
            && !self.not_query.iter().any(|pattern| glob(pattern, query))
            && any(&self.method, request.method)
            && (self.header.is_empty() || headers.iter().any(|header| any(&self.header, header)))
            && (self.ara_status.is_empty() || self.ara_status.contains(&oracle.status))
            && any(&self.ara_type, &oracle.header("content-type").unwrap_or_default())
            && (self.ara_body.is_empty() || any(&self.ara_body, &oracle.text()))
    }
}

impl Expectation {
    fn holds(&self, oracle: &Response, subject: &Response) -> bool {
        let status = if self.status.is_empty() { oracle.status == subject.status } else { self.status.contains(&subject.status) };
        let body = match self.body.as_deref() {
            None => true,
            // HEAD has none to look at.
            Some(_) if subject.body.is_empty() => true,
            Some("json") => serde_json::from_slice::<serde::de::IgnoredAny>(&subject.body).is_ok(),
            Some("html") => subject.text().trim_start().to_lowercase().starts_with("<!doctype html"),
            Some(other) => panic!("differences.toml knows no body {other:?}"),
        };
        status && body && any(&self.media_type, &subject.header("content-type").unwrap_or_default())
    }
}

fn any(patterns: &[String], text: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| glob(pattern, text))
}

/// Does the whole text fit the pattern, in which only `*` is special?
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[test]
fn a_star_stands_for_any_text() {
    for (pattern, text, fits) in [
        ("*", "", true),
        ("a*", "abc", true),
        ("*c", "abc", true),
        ("a*c*e", "abcde", true),
        ("a*c*e", "abcd", false),
        ("abc", "abcd", false),
        ("*a*a*", "a", false),
        ("", "", true),
        ("", "x", false),
    ] {
        assert_eq!(glob(pattern, text), fits, "{pattern:?} {text:?}");
    }
}

#[test]
fn every_row_of_differences_says_what_and_why() {
    let rows = Differences::read().rows;
    for (index, row) in rows.iter().enumerate() {
        assert!(!row.id.is_empty() && !row.what.is_empty() && !row.why.is_empty() && !row.test.is_empty(), "{row:?}");
        assert!(rows[..index].iter().all(|other| other.id != row.id), "two rows are called {}", row.id);
    }
}

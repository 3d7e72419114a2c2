//! From what a person writes to a source: `[NAME=]` and a path or a URL, with options for S3-compatible servers and the like.
//! Reading it touches nothing; whether anything is there, the store tells.

use std::{fmt, path::PathBuf, str::FromStr};

use url::Url;

use crate::error::Error;

/// What all stores of a process share.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Certificates of authorities to trust besides the system's, in PEM.
    pub ca: Option<PathBuf>,
}

/// Where a store is, as it was given.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    /// The first segment of its reports' URLs, where there are several stores.
    pub name: Option<String>,
    pub(crate) place: Place,
}

/// The kinds of places.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Folder(PathBuf),
    Objects(Kind, Url),
}

/// The kinds of object stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    S3,
    Gcs,
    Azure,
    Http,
}

impl Source {
    /// A folder or a file of this machine.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self { name: None, place: Place::Folder(path.into()) }
    }
}

impl FromStr for Source {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (name, place) = match text.split_once('=') {
            Some((name, place)) if is_name(name) => (Some(name.to_owned()), place),
            _ => (None, text),
        };
        let Some((scheme, _)) = place.split_once("://") else {
            return Ok(Self { name, place: Place::Folder(PathBuf::from(place)) });
        };
        let kind = match scheme {
            "file" => {
                let url = parse(place)?;
                let path = url.to_file_path().map_err(|()| wrong(&url, "a file URL has three slashes and an absolute path"))?;
                return Ok(Self { name, place: Place::Folder(path) });
            }
            "s3" | "s3a" => Kind::S3,
            "gs" => Kind::Gcs,
            "az" | "azure" | "abfs" | "abfss" => Kind::Azure,
            "http" | "https" => Kind::Http,
            _ => {
                let problem = format!("unknown kind of store {scheme}; known are s3, gs, az, http, https and file, or a path");
                return Err(Error::Url { url: format!("{scheme}://…"), problem });
            }
        };
        let url = parse(place)?;
        if url.host_str().is_none_or(str::is_empty) {
            return Err(wrong(&url, "there is no bucket in it"));
        }
        Ok(Self { name, place: Place::Objects(kind, url) })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(formatter, "{name}=")?;
        }
        match &self.place {
            Place::Folder(path) => write!(formatter, "{}", path.display()),
            Place::Objects(_, url) => formatter.write_str(&shown(url)),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// What can stand before the `=`: it becomes a segment of URLs.
fn is_name(text: &str) -> bool {
    let good = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    !text.is_empty() && text.chars().all(good) && !text.starts_with(['.', '-'])
}

fn parse(text: &str) -> Result<Url, Error> {
    Url::parse(text).map_err(|error| {
        let scheme = text.split("://").next().unwrap_or_default();
        Error::Url { url: format!("{scheme}://…"), problem: error.to_string() }
    })
}

/// A URL without its user, password and options.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string().trim_end_matches('/').to_owned()
}

pub(crate) fn wrong(url: &Url, problem: impl Into<String>) -> Error {
    Error::Url { url: shown(url), problem: problem.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_places_are_told_apart() {
        for (text, name, shown) in [
            (".", None, "."),
            ("/srv/logs", None, "/srv/logs"),
            ("file:///srv/a%20b", None, "/srv/a b"),
            ("team-a=s3://bucket/path", Some("team-a"), "team-a=s3://bucket/path"),
            ("s3://bucket?endpoint=http://h:1&aws_secret_access_key=x", None, "s3://bucket"),
            ("https://me:word@host/logs/", None, "https://host/logs"),
            ("logs=/srv/logs", Some("logs"), "logs=/srv/logs"),
            ("./a=b", None, "./a=b"),
        ] {
            let source: Source = text.parse().unwrap();
            assert_eq!((source.name.as_deref(), source.to_string().as_str()), (name, shown), "{text}");
            assert_eq!(format!("{source:?}"), shown);
        }
    }

    #[test]
    fn what_is_no_store_is_told_without_repeating_it() {
        for text in ["ftp://user:word@host/x", "s3://", "http://[::1/word", "file://host/x"] {
            let error = text.parse::<Source>().unwrap_err().to_string();
            assert!(!error.contains("word"), "{error}");
        }
    }
}

//! Folders of a plain HTTP server, by the index pages that it makes for people: nginx, Apache, Caddy, lighttpd and Python's
//! own all link each sub-folder by its name and a slash. nginx's `autoindex_format json` is understood as well.

use std::collections::BTreeSet;

use futures::StreamExt;
use percent_encoding::percent_decode_str;
use reqwest::{Client, StatusCode, Url, header::CONTENT_TYPE};

use super::open::plain_client;
use crate::{Location, error::Error, url::Options};

/// Longest index page: some hundred thousand entries.
const MAX_INDEX_BYTES: usize = 64 << 20;

/// Reads index pages below a URL.
#[derive(Clone)]
pub(super) struct Index {
    client: Client,
    base: Url,
}

impl Index {
    pub(super) fn new(base: &Url, options: &Options) -> Result<Self, Error> {
        Ok(Self { client: plain_client(options)?, base: base.clone() })
    }

    /// The names of a folder's sub-folders.
    pub(super) async fn folders(&self, folder: &Location) -> Result<BTreeSet<String>, Error> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(folder.segments()).push("");
        }
        let unavailable = |error: reqwest::Error| Error::Unavailable(cause(&error));
        let answer = self.client.get(url).send().await.map_err(unavailable)?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::GONE if folder.is_root() => {
                return Err(Error::Missing("the server knows no such folder".to_owned()));
            }
            StatusCode::NOT_FOUND | StatusCode::GONE => return Err(Error::NotFound),
            StatusCode::UNAUTHORIZED => return Err(Error::Denied("401 Unauthorized".to_owned())),
            // What servers answer whose index pages are off.
            StatusCode::FORBIDDEN | StatusCode::METHOD_NOT_ALLOWED => return Err(Error::NotListed),
            status => return Err(Error::Unavailable(status.to_string())),
        }
        let is_json = answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        let mut body = answer.bytes_stream();
        let mut page = Vec::new();
        while let Some(bytes) = body.next().await {
            page.extend_from_slice(&bytes.map_err(unavailable)?);
            if page.len() > MAX_INDEX_BYTES {
                return Err(Error::Unavailable(format!("the index page is longer than {MAX_INDEX_BYTES} bytes")));
            }
        }
        let page = String::from_utf8_lossy(&page);
        if is_json { from_json(&page) } else { Ok(from_html(&page)) }
    }
}

/// An error's innermost cause; the outer ones repeat the URL.
fn cause(error: &reqwest::Error) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

fn from_json(page: &str) -> Result<BTreeSet<String>, Error> {
    #[derive(serde::Deserialize)]
    struct Item {
        name: String,
        #[serde(rename = "type")]
        kind: String,
    }
    let items: Vec<Item> = serde_json::from_str(page).map_err(|_| Error::NotListed)?;
    Ok(items.into_iter().filter(|item| item.kind == "directory").map(|item| item.name).collect())
}

/// The targets of links that are one segment and a slash.
fn from_html(page: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut rest = page;
    while let Some(at) = rest.find("href=") {
        rest = rest.get(at + "href=".len()..).unwrap_or_default();
        let Some(quote) = rest.chars().next().filter(|quote| matches!(quote, '"' | '\'')) else { continue };
        let Some((target, after)) = rest.get(1..).and_then(|rest| rest.split_once(quote)) else { break };
        rest = after;
        let target = target.strip_prefix("./").unwrap_or(target);
        let Some(segment) = target.strip_suffix('/').filter(|segment| !segment.is_empty()) else { continue };
        // Others lead elsewhere: up, to a query that sorts, to another server.
        if segment.contains(['/', '?', '#']) || matches!(segment, "." | "..") {
            continue;
        }
        if let Ok(name) = percent_decode_str(&segment.replace("&amp;", "&").replace("&#39;", "'")).decode_utf8() {
            names.insert(name.into_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sub_folders_are_found_in_the_pages_of_several_servers() {
        for (page, expected) in [
            (r#"<pre><a href="../">../</a>\n<a href="a%20b/">a b/</a> 01-Jan-2026<a href="x.txt">x.txt</a></pre>"#, vec!["a b"]),
            (r#"<a href="?C=N;O=D">Name</a><a href="/logs/">Parent</a><a href="1/">1/</a><a href='2/'>2/</a>"#, vec!["1", "2"]),
            (r#"<a href="./caddy/">caddy</a><a href="https://example.org/">x</a>"#, vec!["caddy"]),
            (r#"<a href="R%26D/">R&amp;D/</a><a href="a&amp;b/">a&amp;b</a><a href="50%25/">50%</a>"#, vec!["50%", "R&D", "a&b"]),
            ("no index", vec![]),
        ] {
            assert_eq!(from_html(page).into_iter().collect::<Vec<_>>(), expected, "{page}");
        }
    }

    #[test]
    fn an_index_in_json_is_read() {
        let page = r#"[{"name":"1","type":"directory","mtime":"x"},{"name":"f","type":"file","size":3}]"#;
        assert_eq!(from_json(page).unwrap().into_iter().collect::<Vec<_>>(), ["1"]);
        assert!(from_json("{}").is_err());
    }
}

//! The page of a folder: its sub-folders and reports, a page at a time.

use std::fmt::Write;

use aviary_proto::report::v1::{FolderEntry, ListReportsRequest};
use http::{HeaderValue, StatusCode, header::LOCATION};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use store::Location;

use super::{escape, page, size, time};
use crate::{
    Gateway,
    api::traced,
    error::{Error, Reason},
    json,
    negotiate::prefers_html,
    origin::Origin,
    param::query_string::QueryString,
    reply::{self, Reply},
};

/// What stays as it is in a segment of a link.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Entries on a page.
const PAGE_ENTRIES: u32 = 500;

/// Answers a folder.
pub(crate) async fn folder(
    gateway: &Gateway,
    location: &Location,
    slash: bool,
    query: &str,
    accept: Option<&str>,
    origin: &Origin,
) -> Result<Reply, Error> {
    let query = QueryString::parse(query).map_err(|error| Error::new(Reason::ArgumentInvalid, error.to_string()))?;
    let after = query.last("after").unwrap_or_default().to_owned();
    let request = ListReportsRequest { folder: location.to_string(), page_size: PAGE_ENTRIES, page_token: after };
    let answer = gateway.client.clone().list_reports(traced(request)).await?.into_inner();
    let wants_json = query.last("format") == Some("json") || !(prefers_html(accept) || matches!(accept, None | Some("*/*")));
    if wants_json {
        return Ok(reply::plain_json(StatusCode::OK, as_json(&answer.entries, &answer.next_page_token)));
    }
    let is_top = location.is_root() && gateway.config.mounts.base_path.is_empty();
    if !slash && !is_top {
        // Links on the page are relative to the folder.
        let base = gateway.config.mounts.base_path.rsplit('/').next().unwrap_or_default();
        let last = location.segments().last().unwrap_or(base);
        let mut reply = reply::page(StatusCode::MOVED_PERMANENTLY, String::new());
        if let Ok(target) = HeaderValue::try_from(format!("{}/", utf8_percent_encode(last, SEGMENT))) {
            reply.headers_mut().insert(LOCATION, target);
        }
        return Ok(reply);
    }
    Ok(reply::page(StatusCode::OK, as_page(gateway, location, &answer.entries, &answer.next_page_token, origin)))
}

fn as_json(entries: &[FolderEntry], next: &str) -> String {
    let mut out = b"{\"entries\":[".to_vec();
    for (index, entry) in entries.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"name\":");
        json::push_str(&mut out, &entry.name);
        out.extend_from_slice(b",\"report\":");
        json::push_bool(&mut out, entry.report);
        if let Some(modified) = &entry.modified {
            out.extend_from_slice(b",\"modified\":");
            json::time::push_timestamp(&mut out, modified.seconds, 0);
            out.extend_from_slice(b",\"size\":");
            json::push_i64(&mut out, i64::try_from(entry.size).unwrap_or(i64::MAX));
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"],\"after\":");
    json::push_str(&mut out, next);
    out.push(b'}');
    String::from_utf8_lossy(&out).into_owned()
}

fn as_page(gateway: &Gateway, location: &Location, entries: &[FolderEntry], next: &str, origin: &Origin) -> String {
    let base = format!("{}{}", origin.as_str(), gateway.config.mounts.base_path);
    let mut content = String::new();
    if !location.is_root() {
        let _ = write!(content, "<nav><a href=\"{}/\">{}</a>", escape(&base), escape(&gateway.config.title));
        let mut url = base;
        for segment in location.segments() {
            let _ = write!(url, "/{}", utf8_percent_encode(segment, SEGMENT));
            let _ = write!(content, " / <a href=\"{}/\">{}</a>", escape(&url), escape(segment));
        }
        content.push_str("</nav>\n");
    }
    let name = if location.is_root() { gateway.config.title.as_str() } else { location.as_str() };
    let _ = writeln!(content, "<h1>{}</h1>", escape(name));
    if entries.is_empty() {
        content.push_str("<p>Nothing here: no folder, and no report.</p>");
        return page(name, &content);
    }
    content.push_str(
        "<table>\n<thead><tr><th>Name</th><th>Kind</th><th>Changed</th><th class=\"n\">Size</th></tr></thead>\n<tbody>\n",
    );
    for entry in entries {
        let link = utf8_percent_encode(&entry.name, SEGMENT).to_string();
        let (kind, size) = if entry.report { ("report", size(entry.size)) } else { ("folder", String::new()) };
        let _ = writeln!(
            content,
            "<tr><td><a href=\"{link}/\">{}</a></td><td>{kind}</td><td>{}</td><td class=\"n\">{size}</td></tr>",
            escape(&entry.name),
            time(entry.modified.as_ref())
        );
    }
    content.push_str("</tbody>\n</table>\n");
    if !next.is_empty() {
        let _ = write!(content, "<p><a href=\"?after={}\">More</a></p>", utf8_percent_encode(next, SEGMENT));
    }
    page(name, &content)
}

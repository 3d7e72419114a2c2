//! Pages for people: plain, fast, without scripts. Everything that comes from a store or a report is escaped.

pub(crate) mod folder;
pub(crate) mod report;

use std::fmt::Write;

use crate::{error, json};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}\
a{text-underline-offset:.2em}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px solid #8884}\
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}pre{overflow-x:auto;padding:1rem;border:1px solid #8884;border-radius:.4rem;white-space:pre-wrap;overflow-wrap:anywhere}\
nav{margin-bottom:1rem}h1{font-size:1.4rem;overflow-wrap:anywhere}code{overflow-wrap:anywhere}";

/// A page around its content.
fn page(title: &str, content: &str) -> String {
    page_with("", title, content)
}

/// A page around its content, with more in its head.
fn page_with(head: &str, title: &str, content: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         {head}<title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{content}\n</body>\n</html>\n",
        escape(title)
    )
}

/// Text inside HTML, also inside an attribute's quotes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// An endpoint's JSON, readable, its links to be followed.
pub(crate) fn json_page(title: &str, query: &str, json: &[u8]) -> String {
    let indented = json::indent::readable(json, 2).unwrap_or_else(|| json.to_vec());
    let mut listing = String::with_capacity(indented.len() + 256);
    for line in String::from_utf8_lossy(&indented).lines() {
        let link = line.split_once(": \"").or_else(|| line.trim_start().strip_prefix('"').map(|rest| ("", rest)));
        let url = link
            .map(|(_, value)| value.trim_end_matches([',', '"']))
            .filter(|url| url.starts_with("http://") || url.starts_with("https://"));
        match url.filter(|url| !url.contains(['\\', ' '])).and_then(|url| line.split_once(url).map(|parts| (url, parts))) {
            Some((url, (before, after))) => {
                let _ = write!(listing, "{}<a href=\"{url}\">{url}</a>{}", escape(before), escape(after), url = escape(url));
            }
            None => listing.push_str(&escape(line)),
        }
        listing.push('\n');
    }
    // Of repeated parameters the last one counts.
    let and = if query.is_empty() { "" } else { "&amp;" };
    let json = format!("?{}{and}format=json", escape(query));
    page(title, &format!("<h1>{}</h1>\n<p><a href=\"{json}\">as JSON</a></p>\n<pre>{listing}</pre>", escape(title)))
}

/// An error, what it means and what to do.
pub(crate) fn error_page(row: &error::Row, detail: &str) -> String {
    let title = format!("{} {}", row.status.as_u16(), row.status.canonical_reason().unwrap_or_default());
    let content = format!(
        "<h1>{}</h1>\n<p>{}.</p>\n<p>{}</p>\n<p><small>{}</small></p>",
        escape(&title),
        escape(&capital(detail)),
        escape(row.meaning),
        row.name
    );
    page(&title, &content)
}

/// A report is on its way: a page that asks again by itself.
pub(crate) fn waiting_page(error: &error::Error) -> String {
    let (received, total) = error.progress.unwrap_or_default();
    let progress = match total {
        0 => "<progress></progress>".to_owned(),
        _ => format!("<progress value=\"{received}\" max=\"{total}\"></progress>\n<p>{} of {}</p>", size(received), size(total)),
    };
    let content = format!(
        "<h1>The report is on its way</h1>\n<p>It is fetched from its store. This page asks again by itself.</p>\n{progress}"
    );
    page_with("<meta http-equiv=\"refresh\" content=\"2\">\n", "On its way", &content)
}

/// A list that is too long for a page.
pub(crate) fn too_large_page(json: &str) -> String {
    let url = escape(json);
    page(
        "Too long for a page",
        &format!(
            "<h1>This list is too long for a page</h1>\n<p>Ask for fewer rows, or take it <a href=\"{url}\">as JSON</a>.</p>"
        ),
    )
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or(String::new(), |first| first.to_uppercase().chain(characters).collect())
}

/// A size for people.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// A time for people.
fn time(time: Option<&prost_types::Timestamp>) -> String {
    let Some(time) = time else { return String::new() };
    let mut quoted = Vec::new();
    json::time::push_timestamp(&mut quoted, time.seconds, 0);
    let text = String::from_utf8_lossy(&quoted);
    text.trim_matches('"').replace('T', " ").replace('Z', " UTC")
}

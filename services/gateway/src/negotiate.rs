//! Which form an answer takes: JSON, indented JSON, or a page. As Django REST framework decides it, whose choice ignores q
//! values and prefers the more specific media type, then JSON.

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Compact, or with this many spaces a level.
    Json { indent: Option<u8> },
    /// A page for people.
    Html,
}

/// Compact JSON: what everything falls back to.
pub(crate) const PLAIN: Format = Format::Json { indent: None };

/// Why there is no form for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// `?format=` or a suffix names none of ours: a 404.
    UnknownFormat,
    /// The Accept header allows none of ours: a 406.
    NotAcceptable,
}

/// Longest Accept header that is read, in bytes.
const MAX_ACCEPT_BYTES: usize = 8192;
/// Most media types that are read.
const MAX_TYPES: usize = 64;
/// Longest media type that is read, in bytes.
const MAX_TYPE_BYTES: usize = 256;

/// Decides by the Accept header, `*/*` when absent, and the format that the URL asks for.
pub(crate) fn negotiate(accept: Option<&str>, format: Option<&str>) -> Result<Format, Refusal> {
    let (json, html) = match format {
        None | Some("") => (true, true),
        Some("json") => (true, false),
        Some("api") => (false, true),
        Some(_) => return Err(Refusal::UnknownFormat),
    };
    // Nearly every API client sends one of these.
    if json && matches!(accept, None | Some("*/*" | "application/json")) {
        return Ok(PLAIN);
    }
    let types: Vec<MediaType<'_>> = media_types(accept.unwrap_or("*/*")).collect();
    for precedence in (0..=3).rev() {
        let here = || types.iter().filter(move |media| media.precedence() == precedence);
        if json && let Some(media) = here().find(|media| media.matches("application", "json")) {
            return Ok(Format::Json { indent: media.indent() });
        }
        if html && here().any(|media| media.matches("text", "html")) {
            return Ok(Format::Html);
        }
    }
    Err(Refusal::NotAcceptable)
}

/// The client is a browser: it asks for HTML before anything else.
pub(crate) fn prefers_html(accept: Option<&str>) -> bool {
    accept
        .is_some_and(|accept| media_types(accept).next().is_some_and(|media| media.matches("text", "html") && media.main != "*"))
}

fn media_types(accept: &str) -> impl Iterator<Item = MediaType<'_>> {
    let accept = if accept.len() <= MAX_ACCEPT_BYTES {
        accept
    } else {
        // A type that is cut through must not be read as another one.
        accept.get(..MAX_ACCEPT_BYTES).and_then(|head| head.rsplit_once(',')).map_or("", |(head, _)| head)
    };
    accept
        .split(',')
        .map(str::trim)
        .filter(|token| !token.is_empty() && token.len() <= MAX_TYPE_BYTES)
        .take(MAX_TYPES)
        .map(MediaType::parse)
}

struct MediaType<'a> {
    main: String,
    sub: String,
    params: Vec<(String, &'a str)>,
}

impl<'a> MediaType<'a> {
    fn parse(text: &'a str) -> Self {
        let mut parts = text.split(';');
        let full = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let (main, sub) = full.split_once('/').unwrap_or((&full, ""));
        let params = parts
            .filter(|part| !part.trim().is_empty())
            .map(|part| {
                let (name, value) = part.split_once('=').unwrap_or((part, ""));
                (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"'))
            })
            .collect();
        Self { main: main.to_owned(), sub: sub.to_owned(), params }
    }

    fn matches(&self, main: &str, sub: &str) -> bool {
        (self.sub == "*" || self.sub == sub) && (self.main == "*" || self.main == main)
    }

    fn precedence(&self) -> u8 {
        if self.main == "*" {
            0
        } else if self.sub == "*" {
            1
        } else if self.params.iter().all(|(name, _)| name == "q") {
            2
        } else {
            3
        }
    }

    /// Spaces a level: bounded to 8, and 0 means compact.
    fn indent(&self) -> Option<u8> {
        let (_, value) = self.params.iter().find(|(name, _)| name == "indent")?;
        let value: i64 = value.trim().parse().ok()?;
        u8::try_from(value.clamp(0, 8)).ok().filter(|indent| *indent > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

    #[track_caller]
    fn check(accept: Option<&str>, format: Option<&str>, expected: Result<Format, Refusal>) {
        assert_eq!(negotiate(accept, format), expected, "{accept:?} {format:?}");
    }

    #[test]
    fn json_is_the_default() {
        for accept in [
            None,
            Some("*/*"),
            Some("application/json"),
            Some("application/*"),
            Some("application/json;version=2"),
            Some("text/html;q=1, application/json;q=0.1"),
        ] {
            check(accept, None, Ok(PLAIN));
        }
    }

    #[test]
    fn browsers_get_a_page() {
        check(Some(BROWSER), None, Ok(Format::Html));
        check(Some("text/*"), None, Ok(Format::Html));
        check(Some("*/*, text/html"), None, Ok(Format::Html));
        assert!(prefers_html(Some(BROWSER)));
        assert!(!prefers_html(Some("*/*")));
        assert!(!prefers_html(Some("application/json, text/html")));
    }

    #[test]
    fn the_url_can_ask_for_a_format() {
        check(Some(BROWSER), Some("json"), Ok(PLAIN));
        check(None, Some("api"), Ok(Format::Html));
        check(None, Some(""), Ok(PLAIN));
        check(None, Some("JSON"), Err(Refusal::UnknownFormat));
        check(Some("text/html"), Some("json"), Err(Refusal::NotAcceptable));
    }

    #[test]
    fn what_nobody_can_render_is_refused() {
        check(Some("application/xml"), None, Err(Refusal::NotAcceptable));
        check(Some("garbage"), None, Err(Refusal::NotAcceptable));
    }

    #[test]
    fn json_can_be_indented() {
        check(Some("application/json; indent=4"), None, Ok(Format::Json { indent: Some(4) }));
        check(Some("application/json; indent=99"), None, Ok(Format::Json { indent: Some(8) }));
        check(Some("application/json; indent=0"), None, Ok(PLAIN));
        check(Some("application/json; indent=x"), None, Ok(PLAIN));
    }
}

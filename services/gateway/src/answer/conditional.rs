//! Validators, and answers to clients who have the answer already. A validator names all that an answer depends on: the
//! report's content, the question, the origin in its links, its form and the release that rendered it.

use std::time::{Duration, SystemTime};

use http::{
    HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED},
};

use super::Asked;
use crate::{
    api::options::Endpoint,
    cache::{Current, Question},
    compress::Coding,
    negotiate::Format,
    reply::{self, Reply},
};

/// Changes whenever the same rows are rendered differently.
const RENDERER: &str = concat!(env!("CARGO_PKG_VERSION"), "/1");
/// HTTP's times have seconds, so a second write within one cannot be told from the first; an older time can be relied on.
const RELIABLE_AGE: Duration = Duration::from_secs(2);

/// Names an answer but for the content of its report and its coding.
pub(super) struct Validator(u128);

impl Validator {
    pub(super) fn new(question: &Question, asked: &Asked<'_>, format: Format) -> Self {
        let mut hasher = xxhash_rust::xxh3::Xxh3::new();
        let form = match format {
            Format::Json { indent } => indent.unwrap_or_default(),
            Format::Html => u8::MAX,
        };
        let parts = [
            RENDERER.as_bytes(),
            question,
            asked.origin.as_str().as_bytes(),
            asked.script.as_bytes(),
            asked.inside.as_bytes(),
            asked.query.as_bytes(),
            &[form],
        ];
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(hasher.digest128())
    }

    /// The strong validator of the answer in a coding.
    pub(super) fn etag(&self, current: &Current, coding: Option<Coding>) -> HeaderValue {
        let tag = format!("\"{}{}\"", self.base(current), coding.map_or("", suffix));
        HeaderValue::try_from(tag).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
    }

    fn base(&self, current: &Current) -> String {
        let content = xxhash_rust::xxh3::xxh3_128(current.generation.as_bytes());
        format!("{:032x}", self.0 ^ content.rotate_left(1))
    }
}

fn suffix(coding: Coding) -> &'static str {
    match coding {
        Coding::Gzip => "-gzip",
        Coding::Brotli => "-br",
        Coding::Zstd => "-zstd",
    }
}

/// The answer to a client that has the present one.
pub(super) fn not_modified(asked: &Asked<'_>, validator: &Validator, current: &Current, at: Endpoint) -> Option<Reply> {
    let tag = match asked.header(IF_NONE_MATCH) {
        Some(tags) => matching(tags, &validator.base(current))?,
        None => {
            let since = httpdate::parse_http_date(asked.header(IF_MODIFIED_SINCE)?).ok()?;
            let modified = current
                .modified
                .filter(|modified| SystemTime::now().duration_since(*modified).is_ok_and(|age| age > RELIABLE_AGE))?;
            // A second's fraction is lost on the way.
            (modified < since + Duration::from_secs(1)).then(|| validator.etag(current, None))?
        }
    };
    let mut reply = reply::endpoint(StatusCode::NOT_MODIFIED, crate::negotiate::PLAIN, at, reply::full(""));
    let headers = reply.headers_mut();
    headers.remove(CONTENT_TYPE);
    headers.remove(CONTENT_LENGTH);
    headers.insert(ETAG, tag);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Some(modified) = current.modified.and_then(|time| HeaderValue::from_str(&httpdate::fmt_http_date(time)).ok()) {
        headers.insert(LAST_MODIFIED, modified);
    }
    Some(reply)
}

/// The tag of the list that names the answer in any coding.
fn matching(tags: &str, base: &str) -> Option<HeaderValue> {
    if tags.trim() == "*" {
        return HeaderValue::try_from(format!("\"{base}\"")).ok();
    }
    let tag = tags.split(',').map(str::trim).map(|tag| tag.strip_prefix("W/").unwrap_or(tag)).find(|tag| {
        let inner = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or_default();
        inner.strip_prefix(base).is_some_and(|rest| matches!(rest, "" | "-gzip" | "-br" | "-zstd"))
    })?;
    HeaderValue::try_from(tag).ok()
}

#[cfg(test)]
mod tests {
    use super::matching;

    #[test]
    fn a_tag_is_found_in_any_list_and_coding() {
        for tags in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc-gzip\"", "\"abc-br\",\"y\""] {
            assert!(matching(tags, "abc").is_some(), "{tags}");
        }
        for tags in ["", "abc", "\"abcd\"", "\"ab\"", "\"abc-lz\""] {
            assert!(matching(tags, "abc").is_none(), "{tags}");
        }
    }
}

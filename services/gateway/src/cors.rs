//! Cross-origin requests, as ARA's django-cors-headers answers them.

use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE,
        ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, X_FRAME_OPTIONS,
    },
};

use crate::reply::{self, Reply};

/// Which other origins may read answers.
#[derive(Debug, Clone, Default)]
pub struct Cors {
    /// Origins such as `http://localhost:3000`.
    pub origins: Vec<String>,
    /// Everybody.
    pub all: bool,
}

impl Cors {
    /// The answer to a question that a browser asks before the real one.
    pub(crate) fn preflight(method: &Method, headers: &HeaderMap) -> Option<Reply> {
        (method == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)).then(|| {
            let mut reply = reply::page(StatusCode::OK, String::new());
            // In ARA it is answered before the part that forbids frames.
            reply.headers_mut().remove(X_FRAME_OPTIONS);
            reply
        })
    }

    /// Adds what the asking origin may do.
    pub(crate) fn allow(&self, method: &Method, asked: &HeaderMap, answer: &mut HeaderMap) {
        let Some(origin) = asked.get(ORIGIN).filter(|origin| !origin.is_empty()) else { return };
        let known = || origin.to_str().is_ok_and(|origin| self.origins.iter().any(|known| same(known, origin)));
        if self.all {
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        } else if known() {
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        } else {
            return;
        }
        if method == Method::OPTIONS {
            let headers = "accept, authorization, content-type, user-agent, x-csrftoken, x-requested-with";
            answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(headers));
            answer.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("DELETE, GET, OPTIONS, PATCH, POST, PUT"));
            answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
        }
    }
}

/// Scheme and host are equal; whatever a client puts behind them does not count.
fn same(known: &str, origin: &str) -> bool {
    let split = |url: &str| {
        let (scheme, rest) = url.split_once("://")?;
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        Some((scheme.to_ascii_lowercase(), host.to_owned()))
    };
    match (split(known), split(origin)) {
        (Some(known), Some(origin)) => known == origin,
        (None, None) => known == "null" && origin == "null",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn origins_are_the_same_by_scheme_and_host() {
        assert!(same("http://localhost:3000", "http://localhost:3000"));
        assert!(same("http://localhost:3000", "HTTP://localhost:3000/path"));
        assert!(!same("http://localhost:3000", "https://localhost:3000"));
        assert!(!same("http://localhost:3000", "http://localhost:3001"));
        assert!(!same("http://localhost:3000", "null"));
        assert!(same("null", "null"));
    }
}

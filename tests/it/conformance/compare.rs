//! Are two answers the same? Status, body and every header that says something about them.
//!
//! It knows nothing of deliberate differences.

use tests::http::Response;

/// Headers of the connection and of the moment, not of the answer.
const IGNORED: &[&str] = &["date", "server", "connection", "keep-alive", "transfer-encoding", "content-length"];

/// Where two answers part.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parting {
    /// Headers that only the subject sends.
    pub added: Vec<String>,
    /// Everything else, one line each; empty when the answers are the same.
    pub lines: Vec<String>,
}

pub(crate) fn compare(oracle: &Response, subject: &Response) -> Parting {
    let mut parting = Parting::default();
    if oracle.status != subject.status {
        parting.lines.push(format!("status: {} became {}", oracle.status, subject.status));
    }
    headers(oracle, subject, &mut parting);
    if oracle.body != subject.body {
        parting.lines.push(body(&oracle.body, &subject.body));
    }
    parting
}

fn headers(oracle: &Response, subject: &Response, parting: &mut Parting) {
    let mut names: Vec<&str> = oracle.headers.iter().chain(&subject.headers).map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let (ours, theirs) = (value(subject, name), value(oracle, name));
        if name == "content-length" {
            // Without one on either side the body was chunked.
            if ours.is_some() && theirs.is_some() && ours != theirs {
                parting.lines.push(format!("content-length: {theirs:?} became {ours:?}"));
            }
        } else if IGNORED.contains(&name) || ours == theirs {
        } else if theirs.is_none() {
            parting.added.push(name.to_owned());
        } else {
            parting.lines.push(format!("{name}: {theirs:?} became {ours:?}"));
        }
    }
}

fn value(response: &Response, name: &str) -> Option<String> {
    let value = response.header(name)?;
    if name != "vary" {
        return Some(value);
    }
    // Who compresses has to say so.
    let kept: Vec<&str> = value.split(',').map(str::trim).filter(|part| !part.eq_ignore_ascii_case("accept-encoding")).collect();
    (!kept.is_empty()).then(|| kept.join(", "))
}

/// The place of the first difference with something around it.
fn body(oracle: &[u8], subject: &[u8]) -> String {
    let at = oracle.iter().zip(subject).position(|(a, b)| a != b).unwrap_or(oracle.len().min(subject.len()));
    let around = |body: &[u8]| {
        String::from_utf8_lossy(&body[at.saturating_sub(60).min(body.len())..(at + 60).min(body.len())]).into_owned()
    };
    format!(
        "body at byte {at} ({} became {} bytes):\n      ara    ...{}...\n      aviary ...{}...",
        oracle.len(),
        subject.len(),
        around(oracle),
        around(subject)
    )
}

#[test]
fn an_added_header_is_told_from_a_changed_one() {
    let response = |headers: &[(&str, &str)]| Response {
        status: 200,
        headers: headers.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect(),
        body: Vec::new(),
    };
    let oracle = response(&[("vary", "Accept, origin"), ("allow", "GET"), ("date", "now")]);
    let subject = response(&[("vary", "Accept, origin, Accept-Encoding"), ("allow", "POST"), ("etag", "\"1\"")]);
    let parting = compare(&oracle, &subject);
    assert_eq!(parting.added, ["etag"]);
    assert_eq!(parting.lines, ["allow: Some(\"GET\") became Some(\"POST\")"]);
}

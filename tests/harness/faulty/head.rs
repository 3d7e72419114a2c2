//! Heads of HTTP/1.1 messages as bytes: read whole, changed by single lines, written again.

use std::io;
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncRead, AsyncReadExt};

use super::Kind;

const LARGEST: usize = 64 << 10;

/// A head: its first line, and its header lines in their order.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub first: String,
    lines: Vec<(String, String)>,
}

/// A request's head, and what it is for.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub head: Head,
    pub method: String,
    pub target: String,
    pub kind: Kind,
}

impl Head {
    /// Reads one, and what came behind it with the same bytes; nothing when the other side closes before the first byte.
    pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin), rest: &mut Vec<u8>) -> io::Result<Option<Head>> {
        loop {
            if let Some(end) = rest.windows(4).position(|window| window == b"\r\n\r\n") {
                let bytes: Vec<u8> = rest.drain(..end + 4).collect();
                return Head::parse(&bytes[..end]).map(Some);
            }
            if rest.len() > LARGEST {
                return Err(io::ErrorKind::InvalidData.into());
            }
            if stream.read_buf(rest).await? == 0 {
                return if rest.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
        }
    }

    fn parse(bytes: &[u8]) -> io::Result<Head> {
        let text = std::str::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData)?;
        let mut lines = text.split("\r\n");
        let first = lines.next().unwrap_or_default().to_owned();
        let line = |line: &str| Some((line.split_once(':')?.0.to_owned(), line.split_once(':')?.1.trim().to_owned()));
        Ok(Head { first, lines: lines.filter_map(line).collect() })
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.lines.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Puts the line in place of those of the same name.
    pub(super) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.remove(name);
        self.lines.push((name.to_owned(), value.into()));
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.lines.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }

    pub(super) fn length(&self) -> Option<u64> {
        self.get("content-length")?.parse().ok()
    }

    pub(super) fn status(&self) -> u16 {
        self.first.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
    }

    /// Moves a date by so many seconds.
    pub(super) fn shift(&mut self, name: &str, seconds: i64) {
        let Some(time) = self.get(name).and_then(|value| httpdate::parse_http_date(value).ok()) else { return };
        let by = Duration::from_secs(seconds.unsigned_abs());
        let moved: SystemTime = if seconds < 0 { time - by } else { time + by };
        self.set(name, httpdate::fmt_http_date(moved));
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let lines: String = self.lines.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("{}\r\n{lines}\r\n", self.first).into_bytes()
    }
}

impl Request {
    pub(super) fn of(head: Head) -> io::Result<Request> {
        let mut words = head.first.split(' ').map(str::to_owned);
        let (Some(method), Some(target)) = (words.next(), words.next()) else { return Err(io::ErrorKind::InvalidData.into()) };
        let kind = kind(&head, &method, &target);
        Ok(Request { head, method, target, kind })
    }

    pub(super) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub(super) fn has_condition(&self) -> bool {
        ["if-none-match", "if-modified-since"].iter().any(|name| self.head.get(name).is_some())
    }
}

fn kind(head: &Head, method: &str, target: &str) -> Kind {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let lists = query
        .split('&')
        .any(|pair| ["list-type", "comp", "delimiter", "prefix"].contains(&pair.split('=').next().unwrap_or_default()));
    match method {
        "HEAD" => Kind::Head,
        "GET" if lists || path.ends_with('/') => Kind::List,
        "GET" if head.get("range").is_some() => Kind::Range,
        "GET" if head.get("if-none-match").is_some() || head.get("if-modified-since").is_some() => Kind::Conditional,
        "GET" => Kind::Get,
        _ => Kind::Write,
    }
}

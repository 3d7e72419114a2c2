//! How a client sees us: scheme, host and path, for links. Headers that a proxy sets count only when a proxy of ours sent
//! them.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, Uri, header::HOST};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::{Error, Reason};

/// A range of addresses, such as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// Why a text is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a network: give an address, or an address and a prefix length such as 10.0.0.0/8")]
pub struct NotANetwork;

impl std::str::FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| NotANetwork)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), str::parse).map_err(|_| NotANetwork)?;
        if bits > most { Err(NotANetwork) } else { Ok(Self { address, bits }) }
    }
}

impl Network {
    fn contains(self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let shift = 32 - u32::from(self.bits);
                u32::from(network).checked_shr(shift) == u32::from(address).checked_shr(shift)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let shift = 128 - u32::from(self.bits);
                u128::from(network).checked_shr(shift) == u128::from(address).checked_shr(shift)
            }
            _ => false,
        }
    }
}

/// What is believed about how clients reach us.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    /// Whose `X-Forwarded-Proto` counts, and the older `X-Forwarded-Protocol` and `X-Forwarded-Ssl`.
    pub trusted: Vec<Network>,
    /// Trusted proxies may also set `X-Forwarded-Host` and `X-Forwarded-Prefix`.
    pub forwarded_host: bool,
    /// What clients see in front of every path, whatever headers say: scheme and host, and maybe a path.
    pub external_url: Option<String>,
}

/// Scheme, host and the path in front of ours, ready for a link: `https://host/prefix`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Origin(String);

impl Proxies {
    /// The origin of a request.
    pub(crate) fn origin(&self, peer: SocketAddr, uri: &Uri, headers: &HeaderMap) -> Result<Origin, Error> {
        if let Some(url) = &self.external_url {
            return Ok(Origin(url.trim_end_matches('/').to_owned()));
        }
        let trusted = self.trusted.iter().any(|network| network.contains(peer.ip()));
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        // The three ways in which proxies say it, as gunicorn knows them.
        let says = |name, value| header(name).is_some_and(|said| said == value);
        let secure = trusted
            && (says("x-forwarded-proto", "https") || says("x-forwarded-protocol", "ssl") || says("x-forwarded-ssl", "on"));
        let forwarded = |name| Some(name).filter(|_| trusted && self.forwarded_host).and_then(header);
        let host = forwarded("x-forwarded-host").or_else(|| {
            headers.get(HOST).map_or_else(|| uri.authority().map(http::uri::Authority::as_str), |value| value.to_str().ok())
        });
        let host = host
            .filter(|host| is_host(host))
            .ok_or_else(|| Error::new(Reason::HostInvalid, "the Host header is missing or is no host name"))?;
        let prefix = forwarded("x-forwarded-prefix").map_or("", |prefix| prefix.trim_end_matches('/'));
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        let is_path = prefix.is_empty() || (prefix.starts_with('/') && prefix.bytes().all(plain));
        if !is_path {
            return Err(Error::new(Reason::HostInvalid, "X-Forwarded-Prefix is no path"));
        }
        Ok(Origin(format!("{}://{host}{prefix}", if secure { "https" } else { "http" })))
    }
}

/// What Django lets pass: letters, digits, dots, dashes, or an address in brackets; then a port.
fn is_host(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) if address.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte)) => (address, rest),
        Some(_) => return false,
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let named = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte));
    let ported = port.is_empty()
        || port.strip_prefix(':').is_some_and(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
    named && ported
}

/// What Django's `escape_uri_path` leaves as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b':')
    .remove(b'@')
    .remove(b'&')
    .remove(b'+')
    .remove(b'$')
    .remove(b',')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');
/// What Django leaves as it is when it makes the URL of an endpoint.
const REVERSED: &AsciiSet = &PATH.remove(b';').remove(b'=');

impl Origin {
    /// The origin as it stands before a path.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL of the path that was asked for.
    pub(crate) fn request_url(&self, path: &str) -> String {
        format!("{}{}", self.0, without_dots(&utf8_percent_encode(path, PATH).to_string()))
    }

    /// The URL of what lies `below` the path that was asked for, joined as Python's `urljoin` does: without empty segments.
    pub(crate) fn joined_url(&self, path: &str, below: &str) -> String {
        let path = without_dots(&utf8_percent_encode(path, PATH).to_string());
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        format!("{}/{}/{below}", self.0, segments.join("/"))
    }

    /// The URL of an endpoint below a report.
    pub(crate) fn endpoint_url(&self, script: &str, inside: &str) -> String {
        format!("{}{}{inside}", self.0, without_dots(&utf8_percent_encode(script, REVERSED).to_string()))
    }
}

/// Django joins the path to its origin by the rules of RFC 3986 where it has dots for segments, and only there.
fn without_dots(path: &str) -> String {
    if !path.contains("/./") && !path.contains("/../") {
        return path.to_owned();
    }
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "." => {}
            ".." => {
                if kept.len() > 1 {
                    kept.pop();
                }
            }
            _ => kept.push(segment),
        }
    }
    kept.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(proxies: &Proxies, peer: &str, headers: &[(&'static str, &'static str)]) -> Option<String> {
        let headers = headers
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), http::HeaderValue::from_static(value)))
            .collect();
        proxies.origin(peer.parse().unwrap(), &Uri::from_static("/"), &headers).ok().map(|origin| origin.0)
    }

    fn trusting() -> Proxies {
        Proxies { trusted: vec!["127.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()], ..Proxies::default() }
    }

    #[test]
    fn only_trusted_proxies_change_the_scheme() {
        let headers = [("host", "h:80"), ("x-forwarded-proto", "https")];
        assert_eq!(origin(&trusting(), "127.0.0.1:9", &headers).unwrap(), "https://h:80");
        assert_eq!(origin(&trusting(), "[::1]:9", &headers).unwrap(), "https://h:80");
        assert_eq!(origin(&trusting(), "[::1]:9", &[("host", "h"), ("x-forwarded-ssl", "on")]).unwrap(), "https://h");
        assert_eq!(origin(&trusting(), "[::1]:9", &[("host", "h"), ("x-forwarded-protocol", "ssl")]).unwrap(), "https://h");
        assert_eq!(origin(&trusting(), "[::ffff:127.0.0.1]:9", &headers).unwrap(), "https://h:80");
        assert_eq!(origin(&trusting(), "192.0.2.1:9", &headers).unwrap(), "http://h:80");
    }

    #[test]
    fn host_and_prefix_are_believed_only_when_that_was_asked_for() {
        let headers = [("host", "inner"), ("x-forwarded-host", "outer"), ("x-forwarded-prefix", "/ci/")];
        assert_eq!(origin(&trusting(), "127.0.0.1:9", &headers).unwrap(), "http://inner");
        let proxies = Proxies { forwarded_host: true, ..trusting() };
        assert_eq!(origin(&proxies, "127.0.0.1:9", &headers).unwrap(), "http://outer/ci");
        assert_eq!(origin(&proxies, "192.0.2.1:9", &headers).unwrap(), "http://inner");
    }

    #[test]
    fn an_external_url_wins_over_every_header() {
        let proxies = Proxies { external_url: Some("https://logs.example.org/ara/".to_owned()), ..trusting() };
        assert_eq!(origin(&proxies, "127.0.0.1:9", &[]).unwrap(), "https://logs.example.org/ara");
    }

    #[test]
    fn hosts_that_are_no_hosts_are_refused() {
        for host in ["", "a b", "a/b", "a\"b", "h:", "h:x", "[::1", "[x]:1", "é"] {
            assert!(!is_host(host), "{host}");
        }
        for host in ["localhost", "127.0.0.1:8000", "[::1]:8000", "a-b.c_d.example"] {
            assert!(is_host(host), "{host}");
        }
    }

    #[test]
    fn networks_are_read_and_compared_by_their_bits() {
        let network: Network = "10.1.0.0/16".parse().unwrap();
        assert!(network.contains("10.1.255.1".parse().unwrap()));
        assert!(!network.contains("10.2.0.1".parse().unwrap()));
        assert!("0.0.0.0/0".parse::<Network>().unwrap().contains("192.0.2.1".parse().unwrap()));
        for text in ["", "10.0.0.0/33", "10.0.0/8", "x/8", "::/129"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    #[test]
    fn dots_are_resolved_where_they_are_segments() {
        assert_eq!(without_dots("/1/../2/ara-report/api"), "/2/ara-report/api");
        assert_eq!(without_dots("/1//ara-report"), "/1//ara-report");
        assert_eq!(without_dots("/a..b/.c"), "/a..b/.c");
    }
}

//! Where replicas are, as a person writes it.

use std::net::{IpAddr, SocketAddr};

/// The port of a DNS server.
const DNS_PORT: u16 = 53;

/// Where replicas are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Targets {
    /// These.
    Fixed(Vec<Target>),
    /// Those that the SRV records of a name have.
    Service {
        /// The DNS server to ask, if it is not to be the system's.
        server: Option<SocketAddr>,
        /// The name.
        name: String,
    },
}

/// One replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What tells it from the others, wherever it runs.
    pub(crate) name: String,
    /// Host name or address, the latter in brackets if it has colons.
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// Why a text names no replicas.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing was given.
    #[error("{flag} wants http://HOST:PORT, comma-separated, or srv://NAME")]
    Empty {
        /// What it was to be given by.
        flag: &'static str,
    },
    /// It is neither of the two forms.
    #[error("{flag} wants http://HOST:PORT or srv://NAME, but it is {text}")]
    Form {
        /// What it was given by.
        flag: &'static str,
        /// As it was given.
        text: String,
    },
    /// A name for DNS stands beside something else.
    #[error("{flag} wants one srv://NAME and nothing beside it")]
    Mixed {
        /// What they were given by.
        flag: &'static str,
    },
}

impl Targets {
    /// Reads `http://host:port` as often as there are replicas, or one `srv://name` or `srv://server:port/name`.
    ///
    /// # Errors
    /// When the texts have another form.
    pub fn parse(flag: &'static str, texts: &[String]) -> Result<Self, Error> {
        let form = |text: &str| Error::Form { flag, text: text.to_owned() };
        if let Some(text) = texts.iter().map(|text| text.trim()).find(|text| text.starts_with("srv://")) {
            return if texts.len() == 1 { Self::service(text).ok_or_else(|| form(text)) } else { Err(Error::Mixed { flag }) };
        }
        let mut targets: Vec<Target> = Vec::new();
        for text in texts {
            let target = Target::parse(text).ok_or_else(|| form(text))?;
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
        if targets.is_empty() { Err(Error::Empty { flag }) } else { Ok(Self::Fixed(targets)) }
    }

    fn service(text: &str) -> Option<Self> {
        let text = text.strip_prefix("srv://")?;
        let (server, name) = match text.split_once('/') {
            Some((server, name)) => {
                let address = server.parse().or_else(|_| server.parse().map(|ip: IpAddr| SocketAddr::new(ip, DNS_PORT)));
                (Some(address.ok()?), name)
            }
            None => (None, text),
        };
        let good = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        (good && !name.is_empty()).then(|| Self::Service { server, name: name.to_owned() })
    }
}

impl Target {
    fn parse(text: &str) -> Option<Self> {
        let uri: http::Uri = text.trim().parse().ok()?;
        let (Some("http"), Some(host), Some(port), "" | "/") = (uri.scheme_str(), uri.host(), uri.port_u16(), uri.path()) else {
            return None;
        };
        let plain = uri.authority().is_some_and(|authority| !authority.as_str().contains('@')) && uri.query().is_none();
        plain.then(|| Self { name: format!("{host}:{port}"), host: host.to_owned(), port })
    }

    /// One that DNS has named.
    pub(crate) fn named(host: &str, port: u16) -> Self {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        Self { name: host.clone(), host, port }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAG: &str = "--query";

    fn parse(texts: &[&str]) -> Result<Targets, Error> {
        Targets::parse(FLAG, &texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn replicas_are_a_list_of_hosts_and_ports() {
        let target = |host: &str, port: u16| Target { name: format!("{host}:{port}"), host: host.to_owned(), port };
        assert_eq!(
            parse(&["http://a:9090", " http://[::1]:1/", "http://a:9090"]),
            Ok(Targets::Fixed(vec![target("a", 9090), target("[::1]", 1)]))
        );
    }

    #[test]
    fn replicas_are_those_of_a_name_in_dns() {
        let name = "_grpc._tcp.aviary-query.ci.svc.cluster.local".to_owned();
        assert_eq!(
            parse(&["srv://_grpc._tcp.aviary-query.ci.svc.cluster.local"]),
            Ok(Targets::Service { server: None, name: name.clone() })
        );
        for server in ["10.0.0.10:53", "10.0.0.10"] {
            assert_eq!(
                parse(&[&format!("srv://{server}/{name}")]),
                Ok(Targets::Service { server: Some("10.0.0.10:53".parse().unwrap()), name: name.clone() })
            );
        }
    }

    #[test]
    fn whatever_else_is_given_is_refused() {
        assert_eq!(parse(&[]), Err(Error::Empty { flag: FLAG }));
        assert_eq!(parse(&["srv://a", "http://b:1"]), Err(Error::Mixed { flag: FLAG }));
        for text in ["a:9090", "http://a", "https://a:1", "http://user@a:1", "http://a:1/x", "srv://", "srv://x/y", "srv://a b"] {
            assert_eq!(parse(&[text]), Err(Error::Form { flag: FLAG, text: text.to_owned() }), "{text}");
        }
    }
}

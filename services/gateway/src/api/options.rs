//! What OPTIONS says of each endpoint. The fields are those that ARA would take if it could be written to; they are kept
//! as ARA prints them, one file a noun.

use super::Noun;

/// The forms that every endpoint reads and writes, as ARA lists them.
const FORMS: &str = r#""renders":["application/json","text/html"],"parses":["application/json","application/x-www-form-urlencoded","multipart/form-data"]"#;

/// What an endpoint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// `/api/`
    Index,
    /// `/api/v1/`
    Root,
    List(Noun),
    /// Of an object, which may be missing.
    Detail {
        noun: Noun,
        exists: bool,
    },
}

impl Endpoint {
    /// The methods of ARA's `Allow` header.
    pub(crate) fn allow(self) -> &'static str {
        match self {
            Self::Index | Self::Root | Self::List(Noun::LatestHosts) | Self::Detail { noun: Noun::LatestHosts, .. } => {
                "GET, HEAD, OPTIONS"
            }
            Self::List(_) => "GET, POST, HEAD, OPTIONS",
            Self::Detail { .. } => "GET, PUT, PATCH, DELETE, HEAD, OPTIONS",
        }
    }

    /// The body of the answer.
    pub(crate) fn metadata(self) -> String {
        let (name, description) = match self {
            Self::Index => ("Api Index".to_owned(), ""),
            Self::Root => ("Api Root".to_owned(), "The default basic root view for DefaultRouter"),
            Self::List(noun) => (format!("{} List", noun.title()), ""),
            Self::Detail { noun, .. } => (format!("{} Instance", noun.title()), ""),
        };
        let actions = match self {
            Self::List(noun) => fields(noun).map(|fields| format!(r#","actions":{{"POST":{fields}}}"#)),
            Self::Detail { noun, exists: true } => fields(noun).map(|fields| format!(r#","actions":{{"PUT":{fields}}}"#)),
            _ => None,
        };
        format!(r#"{{"name":"{name}","description":"{description}",{FORMS}{}}}"#, actions.unwrap_or_default())
    }
}

fn fields(noun: Noun) -> Option<&'static str> {
    match noun {
        Noun::Labels => Some(include_str!("options/labels.json")),
        Noun::Playbooks => Some(include_str!("options/playbooks.json")),
        Noun::Plays => Some(include_str!("options/plays.json")),
        Noun::Tasks => Some(include_str!("options/tasks.json")),
        Noun::Hosts => Some(include_str!("options/hosts.json")),
        Noun::LatestHosts => None,
        Noun::Results => Some(include_str!("options/results.json")),
        Noun::Files => Some(include_str!("options/files.json")),
        Noun::Records => Some(include_str!("options/records.json")),
    }
}

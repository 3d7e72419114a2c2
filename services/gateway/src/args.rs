//! The flags of serving HTTP, for every command that does, and what they mean together. Where it listens and whom it asks
//! differs from command to command.

use runtime::args::Size;

use crate::{Config, Cors, Mounts, Network, Proxies};

/// The folders that are reports unless it is said otherwise.
const PREFIX: &str = "ara-report";
/// ARA's own.
const CORS_ORIGINS: [&str; 2] = ["http://127.0.0.1:8000", "http://localhost:3000"];

/// How reports are shown over HTTP.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Names of folders that are reports, comma-separated [default: ara-report]
    #[arg(long, env = "AVIARY_PREFIX", value_delimiter = ',')]
    pub prefix: Vec<String>,

    /// Path that stands before every other, such as /ci
    #[arg(long, env = "AVIARY_BASE_PATH")]
    pub base_path: Option<String>,

    /// What clients see in front of every path, such as https://logs.example.org, whatever their headers say
    #[arg(long, env = "AVIARY_EXTERNAL_URL")]
    pub external_url: Option<String>,

    /// Networks of proxies whose X-Forwarded-Proto is believed, comma-separated
    #[arg(long, env = "AVIARY_TRUSTED_PROXY", value_delimiter = ',', default_value = "127.0.0.0/8,::1")]
    pub trusted_proxy: Vec<Network>,

    /// Believe trusted proxies' X-Forwarded-Host and X-Forwarded-Prefix too
    #[arg(long, env = "AVIARY_FORWARDED_HOST", value_parser = clap::builder::BoolishValueParser::new())]
    pub forwarded_host: bool,

    /// Origins whose pages may read answers, comma-separated [default: those of ARA, http://127.0.0.1:8000 and http://localhost:3000]
    #[arg(long, env = "AVIARY_CORS_ORIGIN", value_delimiter = ',')]
    pub cors_origin: Option<Vec<String>>,

    /// Let pages of every origin read answers
    #[arg(long, env = "AVIARY_CORS_ALLOW_ALL", value_parser = clap::builder::BoolishValueParser::new())]
    pub cors_allow_all: bool,

    /// Most rows of one list, whatever limit a client asks for [default: no bound, as in ARA]
    #[arg(long, env = "AVIARY_MAX_LIMIT", value_parser = clap::value_parser!(i64).range(1..))]
    pub max_limit: Option<i64>,

    /// Memory for rendered answers; 0 keeps none
    #[arg(long, env = "AVIARY_CACHE_RENDERED", default_value = "32M")]
    pub cache_rendered: Size,

    /// What the folder pages call the whole
    #[arg(long, env = "AVIARY_TITLE", default_value = "Reports")]
    pub title: String,
}

/// A flag whose value cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A prefix is no folder's name.
    #[error("--prefix wants names of folders, but one is {0:?}")]
    Prefix(String),
    /// The base path is not a path from the root.
    #[error("--base-path must begin with a slash, but it is {0}")]
    BasePath(String),
    /// The external URL is no URL of ours.
    #[error("--external-url must begin with http:// or https://, but it is {0}")]
    ExternalUrl(String),
}

impl Args {
    /// Checks and completes.
    ///
    /// # Errors
    /// When a value cannot be used; the error says which.
    pub fn into_config(self) -> Result<Config, Error> {
        let Self {
            prefix,
            base_path,
            external_url,
            trusted_proxy,
            forwarded_host,
            cors_origin,
            cors_allow_all,
            max_limit,
            cache_rendered,
            title,
        } = self;
        let base_path = base_path.unwrap_or_default().trim_end_matches('/').to_owned();
        if !base_path.is_empty() && !base_path.starts_with('/') {
            return Err(Error::BasePath(base_path));
        }
        if let Some(url) = external_url.as_ref().filter(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
            return Err(Error::ExternalUrl(url.clone()));
        }
        Ok(Config {
            mounts: Mounts { prefixes: prefixes(prefix)?, base_path, root_report: false },
            proxies: Proxies { trusted: trusted_proxy, forwarded_host, external_url },
            cors: Cors { origins: cors_origin.unwrap_or_else(|| CORS_ORIGINS.map(str::to_owned).to_vec()), all: cors_allow_all },
            max_limit,
            cache_bytes: cache_rendered.0,
            title,
        })
    }
}

fn prefixes(given: Vec<String>) -> Result<Vec<String>, Error> {
    let given = if given.is_empty() { vec![PREFIX.to_owned()] } else { given };
    let name = |prefix: String| {
        let name = prefix.trim().trim_matches('/');
        let good = !name.is_empty() && !name.contains('/') && !matches!(name, "." | ".." | "-");
        if good { Ok(name.to_owned()) } else { Err(Error::Prefix(prefix)) }
    };
    given.into_iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_names_of_folders() {
        assert_eq!(prefixes(vec![]).unwrap(), ["ara-report"]);
        assert_eq!(prefixes(vec!["/a/".to_owned(), "b".to_owned()]).unwrap(), ["a", "b"]);
        for bad in ["", "a/b", "..", "-"] {
            assert!(prefixes(vec![bad.to_owned()]).is_err(), "{bad}");
        }
    }
}

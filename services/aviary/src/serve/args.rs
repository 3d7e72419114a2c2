//! The arguments of `aviary serve`, and what they mean together. Names that ARA's settings have in the environment are
//! taken where ours are not given.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, bail, ensure};
use gateway::{Cors, Mounts, Network, Proxies};
use runtime::{AdminArgs, ShutdownArgs, TelemetryArgs};
use store::Store;

use crate::size::Size;

/// What `aviary serve` can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A folder of reports, or one ansible.sqlite [default: the current folder]
    #[arg(env = "AVIARY_STORE")]
    store: Option<PathBuf>,

    /// Address and port to serve HTTP and gRPC on
    #[arg(long, env = "AVIARY_LISTEN", default_value = "127.0.0.1:8000")]
    listen: String,

    /// Names of folders that are reports, comma-separated [default: ara-report]
    #[arg(long, env = "AVIARY_PREFIX", value_delimiter = ',')]
    prefix: Vec<String>,

    /// Path that stands before every other, such as /ci
    #[arg(long, env = "AVIARY_BASE_PATH")]
    base_path: Option<String>,

    /// What clients see in front of every path, such as https://logs.example.org, whatever their headers say
    #[arg(long, env = "AVIARY_EXTERNAL_URL")]
    external_url: Option<String>,

    /// Networks of proxies whose X-Forwarded-Proto is believed, comma-separated
    #[arg(long, env = "AVIARY_TRUSTED_PROXY", value_delimiter = ',', default_value = "127.0.0.0/8,::1")]
    trusted_proxy: Vec<Network>,

    /// Believe trusted proxies' X-Forwarded-Host and X-Forwarded-Prefix too
    #[arg(long, env = "AVIARY_FORWARDED_HOST", value_parser = clap::builder::BoolishValueParser::new())]
    forwarded_host: bool,

    /// Origins whose pages may read answers, comma-separated [default: those of ARA, http://127.0.0.1:8000 and http://localhost:3000]
    #[arg(long, env = "AVIARY_CORS_ORIGIN", value_delimiter = ',')]
    cors_origin: Option<Vec<String>>,

    /// Let pages of every origin read answers
    #[arg(long, env = "AVIARY_CORS_ALLOW_ALL", value_parser = clap::builder::BoolishValueParser::new())]
    cors_allow_all: bool,

    /// Most rows of one list, whatever limit a client asks for [default: no bound, as in ARA]
    #[arg(long, env = "AVIARY_MAX_LIMIT", value_parser = clap::value_parser!(i64).range(1..))]
    max_limit: Option<i64>,

    /// Memory for rendered answers; 0 keeps none
    #[arg(long, env = "AVIARY_CACHE_RENDERED", default_value = "32M")]
    cache_rendered: Size,

    /// Folder for unpacked and rebuilt copies of reports, emptied at the end [default: the system's temporary folder]
    #[arg(long, env = "AVIARY_CACHE")]
    cache: Option<PathBuf>,

    /// Seconds for which an answer is used without looking at the file again
    #[arg(long, env = "AVIARY_REVALIDATE", default_value = "1", value_parser = seconds)]
    revalidate: Duration,

    /// Seconds that one question may take
    #[arg(long, env = "AVIARY_QUERY_TIMEOUT", default_value = "30", value_parser = seconds)]
    query_timeout: Duration,

    /// Questions that are read at the same time; more wait
    #[arg(long, env = "AVIARY_MAX_QUERIES", default_value = "64", value_parser = clap::value_parser!(u16).range(1..))]
    max_queries: u16,

    /// Reports kept open
    #[arg(long, env = "AVIARY_MAX_OPEN", default_value = "64", value_parser = clap::value_parser!(u16).range(1..))]
    max_open: u16,

    /// Largest database that a packed file may unpack to
    #[arg(long, env = "AVIARY_MAX_UNPACKED", default_value = "4G")]
    max_unpacked: Size,

    /// Longest stored value, such as a host's facts; longer ones are shown as null
    #[arg(long, env = "AVIARY_MAX_VALUE", default_value = "64M")]
    max_value: Size,

    /// What the folder pages call the whole
    #[arg(long, env = "AVIARY_TITLE", default_value = "Reports")]
    title: String,

    #[command(flatten)]
    ara: AraSettings,
    #[command(flatten)]
    telemetry: TelemetryArgs,
    #[command(flatten)]
    admin: AdminArgs,
    #[command(flatten)]
    shutdown: ShutdownArgs,
}

/// Settings of ARA's server that people have in their environment already.
#[derive(Debug, clap::Args)]
struct AraSettings {
    #[arg(long, hide = true, env = "ARA_DISTRIBUTED_SQLITE_ROOT")]
    ara_distributed_sqlite_root: Option<PathBuf>,
    #[arg(long, hide = true, env = "ARA_DISTRIBUTED_SQLITE_PREFIX")]
    ara_distributed_sqlite_prefix: Option<String>,
    #[arg(long, hide = true, env = "ARA_DATABASE_NAME")]
    ara_database_name: Option<PathBuf>,
    #[arg(long, hide = true, env = "ARA_BASE_PATH")]
    ara_base_path: Option<String>,
    #[arg(long, hide = true, env = "ARA_CORS_ORIGIN_WHITELIST")]
    ara_cors_origin_whitelist: Option<String>,
    #[arg(long, hide = true, env = "ARA_CORS_ORIGIN_ALLOW_ALL")]
    ara_cors_origin_allow_all: Option<String>,
}

/// The arguments, checked and complete.
pub(super) struct Config {
    pub(super) listen: String,
    pub(super) telemetry: TelemetryArgs,
    pub(super) admin: AdminArgs,
    pub(super) shutdown: ShutdownArgs,
    pub(super) query: query::Config,
    pub(super) gateway: gateway::Config,
}

impl Args {
    pub(super) fn into_config(self) -> anyhow::Result<Config> {
        let Self {
            store,
            listen,
            prefix,
            base_path,
            external_url,
            trusted_proxy,
            forwarded_host,
            cors_origin,
            cors_allow_all,
            max_limit,
            cache_rendered,
            cache,
            revalidate,
            query_timeout,
            max_queries,
            max_open,
            max_unpacked,
            max_value,
            title,
            ara,
            telemetry,
            admin,
            shutdown,
        } = self;
        let path = store.or(ara.ara_distributed_sqlite_root).or(ara.ara_database_name).unwrap_or_else(|| PathBuf::from("."));
        let store = Store::open(&path)?;
        let prefixes = prefixes(prefix, ara.ara_distributed_sqlite_prefix)?;
        let base_path = base_path.or(ara.ara_base_path).unwrap_or_default();
        let base_path = base_path.trim_end_matches('/').to_owned();
        ensure!(base_path.is_empty() || base_path.starts_with('/'), "--base-path must begin with a slash, but it is {base_path}");
        if let Some(url) = &external_url {
            ensure!(
                url.starts_with("http://") || url.starts_with("https://"),
                "--external-url must begin with http:// or https://, but it is {url}"
            );
        }
        if !listen.contains(':') {
            bail!("--listen wants an address and a port such as 127.0.0.1:8000, but it is {listen}");
        }
        let origins = cors_origin
            .or(ara.ara_cors_origin_whitelist.as_deref().map(settings_list))
            .unwrap_or_else(|| vec!["http://127.0.0.1:8000".to_owned(), "http://localhost:3000".to_owned()]);
        let all = cors_allow_all
            || ara
                .ara_cors_origin_allow_all
                .is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "true" | "1" | "yes" | "on"));
        let mounts = Mounts { prefixes: prefixes.clone(), base_path, root_report: store.has_root_report() };
        let max_text = usize::try_from(max_value.0).context("--max-value is too large for this machine")?;
        Ok(Config {
            listen,
            telemetry,
            admin,
            shutdown,
            query: query::Config {
                store,
                prefixes,
                scratch: cache,
                max_open_reports: usize::from(max_open),
                max_questions: usize::from(max_queries),
                deadline: query_timeout,
                revalidate,
                max_unpacked: max_unpacked.0,
                max_text,
            },
            gateway: gateway::Config {
                mounts,
                proxies: Proxies { trusted: trusted_proxy, forwarded_host, external_url },
                cors: Cors { origins, all },
                max_limit,
                cache_bytes: cache_rendered.0,
                title,
            },
        })
    }
}

fn prefixes(ours: Vec<String>, ara: Option<String>) -> anyhow::Result<Vec<String>> {
    let given = if ours.is_empty() { ara.map_or_else(|| vec!["ara-report".to_owned()], |prefix| vec![prefix]) } else { ours };
    given
        .into_iter()
        .map(|prefix| {
            let name = prefix.trim().trim_matches('/').to_owned();
            ensure!(
                !name.is_empty() && !name.contains('/') && name != "." && name != ".." && name != "-",
                "--prefix wants names of folders, but one is {prefix:?}"
            );
            Ok(name)
        })
        .collect()
}

/// Lists as ARA's settings have them: `["a", "b"]`, or a single value.
fn settings_list(text: &str) -> Vec<String> {
    let inner = text.trim().trim_start_matches('[').trim_end_matches(']');
    inner.split(',').map(|item| item.trim().trim_matches(['"', '\'']).to_owned()).filter(|item| !item.is_empty()).collect()
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_ara_settings_are_read() {
        assert_eq!(settings_list(r#"["http://a", 'http://b']"#), ["http://a", "http://b"]);
        assert_eq!(settings_list("http://a"), ["http://a"]);
        assert_eq!(settings_list("[]"), Vec::<String>::new());
    }

    #[test]
    fn prefixes_are_names_of_folders() {
        assert_eq!(prefixes(vec![], None).unwrap(), ["ara-report"]);
        assert_eq!(prefixes(vec![], Some("ara-api".to_owned())).unwrap(), ["ara-api"]);
        assert_eq!(prefixes(vec!["/a/".to_owned(), "b".to_owned()], Some("c".to_owned())).unwrap(), ["a", "b"]);
        for bad in ["", "a/b", "..", "-"] {
            assert!(prefixes(vec![bad.to_owned()], None).is_err(), "{bad}");
        }
    }
}

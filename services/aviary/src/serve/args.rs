//! The arguments of `aviary serve`, and what they mean together. Names that ARA's settings have in the environment are
//! taken where ours are not given.

use anyhow::bail;
use runtime::ProcessArgs;
use store::Source;

/// What `aviary serve` can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A folder of reports, one ansible.sqlite, or a URL such as s3://bucket/path; several need names: team-a=s3://bucket [default: the current folder]
    #[arg(env = "AVIARY_STORE", value_delimiter = ',')]
    store: Vec<Source>,

    /// Address and port to serve HTTP and gRPC on
    #[arg(long, env = "AVIARY_LISTEN", default_value = "127.0.0.1:8000")]
    listen: String,

    #[command(flatten)]
    gateway: gateway::Args,

    #[command(flatten)]
    query: query::Args,
    #[command(flatten)]
    ara: AraSettings,
    #[command(flatten)]
    process: ProcessArgs,
}

/// Settings of ARA's server that people have in their environment already.
#[derive(Debug, clap::Args)]
struct AraSettings {
    #[arg(long, hide = true, env = "ARA_DISTRIBUTED_SQLITE_ROOT")]
    ara_distributed_sqlite_root: Option<String>,
    #[arg(long, hide = true, env = "ARA_DISTRIBUTED_SQLITE_PREFIX")]
    ara_distributed_sqlite_prefix: Option<String>,
    #[arg(long, hide = true, env = "ARA_DATABASE_NAME")]
    ara_database_name: Option<String>,
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
    pub(super) process: ProcessArgs,
    pub(super) query: query::Config,
    pub(super) gateway: gateway::Config,
}

impl Args {
    pub(super) fn into_config(self) -> anyhow::Result<Config> {
        let Self { store, listen, mut gateway, query, ara, process } = self;
        let folder = || ara.ara_distributed_sqlite_root.or(ara.ara_database_name).unwrap_or_else(|| ".".to_owned());
        let sources = if store.is_empty() { vec![Source::folder(folder())] } else { store };
        if !listen.contains(':') {
            bail!("--listen wants an address and a port such as 127.0.0.1:8000, but it is {listen}");
        }
        if gateway.prefix.is_empty() {
            gateway.prefix.extend(ara.ara_distributed_sqlite_prefix);
        }
        gateway.base_path = gateway.base_path.or(ara.ara_base_path);
        gateway.cors_origin = gateway.cors_origin.or(ara.ara_cors_origin_whitelist.as_deref().map(settings_list));
        gateway.cors_allow_all |= ara
            .ara_cors_origin_allow_all
            .is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "true" | "1" | "yes" | "on"));
        let gateway = gateway.into_config()?;
        let query = query.into_config(&sources, gateway.mounts.prefixes.clone())?;
        Ok(Config { listen, process, query, gateway })
    }
}

/// Lists as ARA's settings have them: `["a", "b"]`, or a single value.
fn settings_list(text: &str) -> Vec<String> {
    let inner = text.trim().trim_start_matches('[').trim_end_matches(']');
    inner.split(',').map(|item| item.trim().trim_matches(['"', '\'']).to_owned()).filter(|item| !item.is_empty()).collect()
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
}

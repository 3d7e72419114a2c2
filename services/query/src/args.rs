//! The flags of reading reports, for every command that does, and those of `aviary-query` itself.

use std::{path::PathBuf, time::Duration};

use runtime::{
    ProcessArgs,
    args::{Size, seconds},
    tls::TlsServerArgs,
};
use store::{Options, Source, Stores};

use crate::{CacheConfig, Config};

/// Without `--revalidate`: a look at a file of this machine costs nothing, a request to a store something.
const IN_PLACE: Duration = Duration::from_secs(1);
const REVALIDATE: Duration = Duration::from_secs(10);

/// How reports are read and kept near.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Reading reports")]
#[group(skip)]
pub struct Args {
    /// PEM file of authorities that stores' certificates may come from, besides the system's
    #[arg(long, env = "AVIARY_STORE_CA", value_name = "FILE")]
    pub store_ca: Option<PathBuf>,

    /// Folder for copies of reports; kept over restarts and shared with other processes [default: one in the system's temporary folder, removed at the end]
    #[arg(long, env = "AVIARY_CACHE", value_name = "FOLDER")]
    pub cache: Option<PathBuf>,

    /// Most bytes of copies; those that were not used for longest go first
    #[arg(long, env = "AVIARY_CACHE_SIZE", value_name = "SIZE", default_value = "10G")]
    pub cache_size: Size,

    /// Seconds after which a store is asked whether a report has changed [default: 10, and 1 for files of this machine]
    #[arg(long, env = "AVIARY_REVALIDATE", value_name = "SECONDS", value_parser = seconds)]
    pub revalidate: Option<Duration>,

    /// Seconds for which a store is not asked again for a report that it did not have, or that was of no use
    #[arg(long, env = "AVIARY_NEGATIVE", value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub negative: Duration,

    /// Seconds that a question waits for a report on its way from its store, before it is told to come back
    #[arg(long, env = "AVIARY_WAIT", value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub wait: Duration,

    /// Seconds that one question may take
    #[arg(long, env = "AVIARY_QUERY_TIMEOUT", value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub query_timeout: Duration,

    /// Questions that are read at the same time; more wait
    #[arg(long, env = "AVIARY_MAX_QUERIES", default_value = "64", value_parser = clap::value_parser!(u16).range(1..))]
    pub max_queries: u16,

    /// Reports kept open
    #[arg(long, env = "AVIARY_MAX_OPEN", default_value = "64", value_parser = clap::value_parser!(u16).range(1..))]
    pub max_open: u16,

    /// Largest database that a packed file may unpack to
    #[arg(long, env = "AVIARY_MAX_UNPACKED", value_name = "SIZE", default_value = "4G")]
    pub max_unpacked: Size,

    /// Longest stored value, such as a host's facts; longer ones are shown as null
    #[arg(long, env = "AVIARY_MAX_VALUE", value_name = "SIZE", default_value = "64M")]
    pub max_value: Size,
}

/// Answers questions about ARA reports over gRPC, straight from where they lie.
#[derive(Debug, clap::Parser)]
#[command(name = "aviary-query", version)]
pub struct Command {
    /// A folder of reports, or a URL such as s3://bucket/path; several need names: team-a=s3://bucket
    #[arg(long, env = "AVIARY_STORE", value_delimiter = ',', required = true)]
    store: Vec<Source>,

    /// Address and port to serve gRPC on
    #[arg(long, env = "AVIARY_LISTEN", default_value = "0.0.0.0:9090")]
    listen: String,

    /// Names of folders that are reports, comma-separated
    #[arg(long, env = "AVIARY_PREFIX", value_delimiter = ',', default_value = "ara-report")]
    prefix: Vec<String>,

    #[command(flatten)]
    reading: Args,
    #[command(flatten)]
    tls: TlsServerArgs,
    #[command(flatten)]
    process: ProcessArgs,
}

/// The arguments of `aviary-query`, checked and complete.
pub(crate) struct Settings {
    pub(crate) listen: String,
    pub(crate) tls: TlsServerArgs,
    pub(crate) process: ProcessArgs,
    pub(crate) config: Config,
}

impl Command {
    /// Serves until a signal comes.
    ///
    /// # Errors
    /// When something that it needs cannot be had; the error says what, and what to do.
    pub fn run(self) -> anyhow::Result<()> {
        let Self { store, listen, prefix, reading, tls, process } = self;
        let config = reading.into_config(&store, prefix)?;
        runtime::process::run(crate::process::serve(Settings { listen, tls, process, config }))
    }
}

impl Args {
    /// Opens the stores and completes the configuration.
    ///
    /// # Errors
    /// When a store's URL or settings cannot be used, or a folder is not there.
    pub fn into_config(self, sources: &[Source], prefixes: Vec<String>) -> Result<Config, store::Error> {
        let stores = Stores::open(sources, &Options { ca: self.store_ca })?;
        Ok(Config {
            stores,
            prefixes,
            cache: CacheConfig {
                folder: self.cache,
                bytes: self.cache_size.0,
                max_unpacked: self.max_unpacked.0,
                revalidate: self.revalidate.unwrap_or(REVALIDATE),
                in_place: self.revalidate.unwrap_or(IN_PLACE),
                negative: self.negative,
                wait: self.wait,
            },
            max_open_reports: usize::from(self.max_open),
            max_questions: usize::from(self.max_queries),
            deadline: self.query_timeout,
            max_text: usize::try_from(self.max_value.0).unwrap_or(usize::MAX),
        })
    }
}

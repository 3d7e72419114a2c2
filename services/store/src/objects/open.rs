//! From a URL to a client: builders of the library, fed by the cloud's usual environment, a file of settings and the URL's
//! options, in this order; the last one wins.

use std::{sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, Certificate, ClientOptions, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey},
    azure::{AzureConfigKey, MicrosoftAzureBuilder},
    gcp::{GoogleCloudStorageBuilder, GoogleConfigKey},
    http::HttpBuilder,
    path::Path,
};
use percent_encoding::percent_decode_str;
use url::Url;

use super::{Objects, failure::failure, index::Index, list::Lister};
use crate::{
    error::Error,
    url::{Kind, Options, shown, wrong},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest silence while an answer comes. There is no bound on the whole: reports may have gigabytes.
const READ_TIMEOUT: Duration = Duration::from_secs(20);
/// Tries of a request after the first one; those that break off in the middle go on where they ended.
const MAX_RETRIES: usize = 3;
/// No more tries when a download has taken this long.
const RETRY_TIMEOUT: Duration = Duration::from_secs(3600);

impl Objects {
    pub(crate) fn open(kind: Kind, url: &Url, options: &Options) -> Result<Self, Error> {
        let settings = Settings::of(url, kind)?;
        let client = client(kind, url, options, &settings)?;
        let failed = |error: object_store::Error| wrong(url, reason(&error));
        let path = percent_decode_str(url.path()).decode_utf8().map_err(|_| wrong(url, "its path is not UTF-8"))?;
        let prefix = Path::parse(path).map_err(|error| wrong(url, error.to_string()))?;
        let place = without_path(url);
        let name = shown(url);
        let identity = settings.identity(&name);
        match kind {
            Kind::S3 => {
                let mut builder = AmazonS3Builder::from_env().with_url(place).with_retry(retry()).with_client_options(client);
                for (key, value) in settings.each::<AmazonS3ConfigKey>(url, "aws_")? {
                    builder = builder.with_config(key, value);
                }
                let store = Arc::new(builder.build().map_err(failed)?);
                Ok(Self { name, identity, prefix, objects: store.clone(), lister: Lister::Paginated(store), may_tear: false })
            }
            Kind::Gcs => {
                let mut builder =
                    GoogleCloudStorageBuilder::from_env().with_url(place).with_retry(retry()).with_client_options(client);
                for (key, value) in settings.each::<GoogleConfigKey>(url, "google_")? {
                    builder = builder.with_config(key, value);
                }
                let store = Arc::new(builder.build().map_err(failed)?);
                Ok(Self { name, identity, prefix, objects: store.clone(), lister: Lister::Paginated(store), may_tear: false })
            }
            Kind::Azure => {
                let mut builder =
                    MicrosoftAzureBuilder::from_env().with_url(place).with_retry(retry()).with_client_options(client);
                for (key, value) in settings.each::<AzureConfigKey>(url, "azure_")? {
                    builder = builder.with_config(key, value);
                }
                let store = Arc::new(builder.build().map_err(failed)?);
                Ok(Self { name, identity, prefix, objects: store.clone(), lister: Lister::Paginated(store), may_tear: false })
            }
            Kind::Http => {
                let index = Index::new(url, options)?;
                let builder = HttpBuilder::new().with_url(place).with_retry(retry()).with_client_options(client);
                let objects = Arc::new(builder.build().map_err(failed)?);
                Ok(Self { name, identity, prefix, objects, lister: Lister::Index(index), may_tear: true })
            }
        }
    }
}

/// Options by their names in the library, which are those of the environment variables in small letters.
struct Settings(Vec<(String, String)>);

impl Settings {
    fn of(url: &Url, kind: Kind) -> Result<Self, Error> {
        let mut settings = Vec::new();
        let given: Vec<(String, String)> = url.query_pairs().map(|(key, value)| (key.into_owned(), value.into_owned())).collect();
        if kind == Kind::Http && !given.is_empty() {
            return Err(wrong(url, "an HTTP store has no options"));
        }
        for (_, file) in given.iter().filter(|(key, _)| key == "credentials") {
            let text = std::fs::read_to_string(file)
                .map_err(|error| wrong(url, format!("failed to read its credentials from {file}: {error}")))?;
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
            for (number, line) in lines.enumerate() {
                // The line itself may be a secret.
                let (key, value) = line.split_once('=').ok_or_else(|| {
                    wrong(url, format!("line {} of {file} is not NAME=VALUE, such as AWS_ACCESS_KEY_ID=…", number + 1))
                })?;
                settings.push((key.trim().to_ascii_lowercase(), value.trim().trim_matches('"').to_owned()));
            }
        }
        settings.extend(given.into_iter().filter(|(key, _)| key != "credentials"));
        if kind == Kind::Gcs {
            for (key, _) in settings.iter_mut().filter(|(key, _)| key == "endpoint") {
                *key = "base_url".to_owned();
            }
        }
        Ok(Self(settings))
    }

    fn each<K: std::str::FromStr>(self, url: &Url, family: &str) -> Result<Vec<(K, String)>, Error> {
        let key = |name: &str| name.parse().or_else(|_| format!("{family}{name}").parse());
        let unknown = |name: &str| {
            wrong(
                url,
                format!("unknown option {name}; known are those of the environment, such as endpoint, region, credentials"),
            )
        };
        self.0.into_iter().map(|(name, value)| Ok((key(&name).map_err(|_: K::Err| unknown(&name))?, value))).collect()
    }

    /// The same bucket elsewhere is another store.
    fn identity(&self, name: &str) -> String {
        let place = |key: &str| key.contains("endpoint") || key.contains("account_name") || key == "base_url";
        self.0.iter().filter(|(key, _)| place(key)).fold(name.to_owned(), |text, (_, value)| format!("{text} {value}"))
    }

    /// The server is named by a URL without TLS.
    fn is_plain(&self) -> bool {
        self.0.iter().any(|(key, value)| (key.contains("endpoint") || key == "base_url") && value.starts_with("http://"))
    }
}

fn client(kind: Kind, url: &Url, options: &Options, settings: &Settings) -> Result<ClientOptions, Error> {
    let mut client = ClientOptions::new()
        .with_timeout_disabled()
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_read_timeout(READ_TIMEOUT)
        .with_user_agent(http::HeaderValue::from_static(concat!("aviary/", env!("CARGO_PKG_VERSION"))));
    // Who names a server by http:// means it.
    if url.scheme() == "http" || settings.is_plain() {
        client = client.with_allow_http(true);
    }
    if kind == Kind::Gcs {
        // Otherwise objects that are stored with `Content-Encoding: gzip` come unpacked and without their length.
        let headers = [(http::header::ACCEPT_ENCODING, http::HeaderValue::from_static("gzip"))];
        client = client.with_default_headers(headers.into_iter().collect());
    }
    for certificate in certificates(options)? {
        client = client.with_root_certificate(
            Certificate::from_pem(&certificate)
                .map_err(|error| wrong(url, format!("the certificates of --store-ca: {error}")))?,
        );
    }
    Ok(client)
}

/// The PEM blocks of the file of authorities.
fn certificates(options: &Options) -> Result<Vec<Vec<u8>>, Error> {
    const END: &str = "-----END CERTIFICATE-----";
    let Some(path) = &options.ca else { return Ok(Vec::new()) };
    let open = |problem: String| Error::Open { path: path.clone(), problem };
    let text = std::fs::read_to_string(path).map_err(|error| open(error.to_string()))?;
    let blocks: Vec<Vec<u8>> = text
        .split_inclusive(END)
        .filter_map(|block| block.find("-----BEGIN CERTIFICATE-----").and_then(|at| block.get(at..)))
        .map(|block| block.as_bytes().to_vec())
        .collect();
    if blocks.is_empty() { Err(open("there is no certificate in it".to_owned())) } else { Ok(blocks) }
}

/// For requests beside the library's: the same bounds.
pub(super) fn plain_client(options: &Options) -> Result<reqwest::Client, Error> {
    let failed = |error: reqwest::Error| Error::Unavailable(error.without_url().to_string());
    let mut builder = reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .user_agent(concat!("aviary/", env!("CARGO_PKG_VERSION")));
    for certificate in certificates(options)? {
        builder = builder.add_root_certificate(reqwest::Certificate::from_pem(&certificate).map_err(failed)?);
    }
    builder.build().map_err(failed)
}

fn retry() -> RetryConfig {
    let backoff = BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: Duration::from_secs(2), base: 2.0 };
    RetryConfig { backoff, max_retries: MAX_RETRIES, retry_timeout: RETRY_TIMEOUT }
}

/// The library wants the bucket alone.
fn without_path(url: &Url) -> String {
    let mut url = url.clone();
    url.set_path("");
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

/// What is wrong with the settings, without their values.
fn reason(error: &object_store::Error) -> String {
    match failure(error) {
        Error::Unavailable(text) | Error::Denied(text) => text,
        other => other.to_string(),
    }
}

//! `aviary store check`: tries what serving needs of a store, one thing after the other, and says what works.

use std::{io::Write, time::Instant};

use ::store::{self as store, Fetched, Location, Options, Source, Store};
use futures::StreamExt;

/// Folders that are looked into for a report to try with.
const MAX_FOLDERS: usize = 50;
/// Entries of a folder's page.
const PAGE: usize = 100;

/// What `aviary store` can do.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Say what works: list, get, range, conditional get. Ends with 1 when reports cannot be served from it.
    Check(Check),
}

/// What to check.
#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// A folder, or a URL such as s3://bucket/path
    store: Source,

    /// A report to try with, such as 1/ara-report [default: the first one found]
    #[arg(long)]
    report: Option<String>,

    /// Names of folders that are reports, comma-separated
    #[arg(long, env = "AVIARY_PREFIX", value_delimiter = ',', default_value = "ara-report")]
    prefix: Vec<String>,

    /// PEM file of authorities that the store's certificate may come from, besides the system's
    #[arg(long, env = "AVIARY_STORE_CA", value_name = "FILE")]
    store_ca: Option<std::path::PathBuf>,
}

/// Carries `aviary store` out.
pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    let Command::Check(check) = command;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = Store::open(&check.store, &Options { ca: check.store_ca.clone() })?;
        let mut report = Report { failed: false };
        report.say("store", &store.name())?;
        trial(&store, &check, &mut report).await?;
        anyhow::ensure!(!report.failed, "reports cannot be served from this store as it is");
        Ok(())
    })
}

/// Lines for people, and whether all went well.
struct Report {
    failed: bool,
}

impl Report {
    fn say(&self, what: &str, text: &str) -> std::io::Result<()> {
        writeln!(std::io::stdout().lock(), "{what:<18}{text}")
    }

    fn outcome<T>(
        &mut self,
        what: &str,
        started: Instant,
        outcome: Result<T, store::Error>,
        good: impl FnOnce(&T) -> String,
    ) -> std::io::Result<Option<T>> {
        let seconds = started.elapsed().as_secs_f64();
        match outcome {
            Ok(value) => {
                self.say(what, &format!("ok, {} ({:.0} ms)", good(&value), seconds * 1000.0))?;
                Ok(Some(value))
            }
            Err(error) => {
                self.failed = true;
                self.say(what, &format!("FAILED: {error} ({:.0} ms)", seconds * 1000.0))?;
                Ok(None)
            }
        }
    }
}

async fn trial(store: &Store, check: &Check, report: &mut Report) -> anyhow::Result<()> {
    let started = Instant::now();
    let root = match store.list(&Location::root(), &check.prefix, "", PAGE).await {
        Err(store::Error::NotListed) => {
            report.say("list", "no: the store does not list; there will be no folder pages")?;
            None
        }
        // An empty store of some kinds.
        Err(store::Error::NotFound) => Some(store::Listing::default()),
        listed => report.outcome("list", started, listed, |listing| format!("{} entries at the root", listing.entries.len()))?,
    };
    let location = match &check.report {
        Some(location) => Some(Location::parse(location)?),
        None if root.is_some() => first_report(store, &check.prefix).await,
        None => None,
    };
    let Some(location) = location else {
        report.say("get", "not tried: no report was found; name one by --report")?;
        return Ok(());
    };
    report.say("report", location.as_str())?;
    let started = Instant::now();
    let outcome = receive(store, &location).await;
    let Some((revision, head)) = report.outcome("get", started, outcome, |(revision, _)| format!("{} bytes", revision.size))?
    else {
        return Ok(());
    };
    let started = Instant::now();
    let length = u64::try_from(head.len()).unwrap_or_default();
    match store.range(&revision, 0..length).await {
        Ok(bytes) if bytes == head => report.say("range", "ok: broken downloads go on where they ended")?,
        Ok(_) => report.say("range", "wrong bytes: broken downloads may fail")?,
        Err(error) => report.say("range", &format!("no ({error}): broken downloads begin again"))?,
    }
    let again = store.fetch(&location, Some(&revision)).await;
    let conditional = |fetched: &Fetched| match fetched {
        Fetched::NotModified => "unchanged reports are not sent again".to_owned(),
        Fetched::Object(_) => "but an unchanged report is sent again each time".to_owned(),
    };
    report.outcome("conditional get", started, again, conditional)?;
    Ok(())
}

/// Fetches a report; gives its first bytes.
async fn receive(store: &Store, location: &Location) -> Result<(store::Revision, bytes::Bytes), store::Error> {
    let Fetched::Object(mut object) = store.fetch(location, None).await? else { return Err(store::Error::Changed) };
    let mut head = bytes::Bytes::new();
    while let Some(piece) = object.body.next().await {
        let piece = piece?;
        if head.is_empty() {
            head = piece.slice(..piece.len().min(16));
        }
    }
    Ok((object.revision, head))
}

/// The first report that is met, outermost folders first.
async fn first_report(store: &Store, prefixes: &[String]) -> Option<Location> {
    let mut folders = std::collections::VecDeque::from([Location::root()]);
    for _ in 0..MAX_FOLDERS {
        let folder = folders.pop_front()?;
        let Ok(listing) = store.list(&folder, prefixes, "", PAGE).await else { continue };
        for entry in listing.entries {
            let Ok(location) = folder.join(&entry.name) else { continue };
            if entry.report.is_some() {
                return Some(location);
            }
            folders.push_back(location);
        }
    }
    None
}

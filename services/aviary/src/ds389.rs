//! `aviary ds389`: the directory servers of this host. All of it is the agent's, but for stores, into which reports of it go.

use std::process::ExitCode;

use ::store::{self as store, Location, Options, Source, Store};
pub(crate) use agent::command::Args;
use agent::report::{Answer, Publish, Unpublished};

/// Carries the command out.
pub(crate) fn run(args: Args) -> ExitCode {
    args.run(&Stores)
}

/// All stores that reports are served from.
struct Stores;

impl Publish for Stores {
    fn check<'a>(&'a self, url: &'a str) -> Answer<'a, String> {
        Box::pin(async move {
            let store = open(url)?;
            store.takes_reports().map_err(refused)?;
            match store.probe().await {
                // Some that may write may not read.
                Ok(()) | Err(store::Error::Denied(_)) => Ok(store.name()),
                Err(error) => Err(refused(error)),
            }
        })
    }

    fn publish<'a>(&'a self, url: &'a str, location: &'a str, database: Vec<u8>) -> Answer<'a, ()> {
        Box::pin(async move {
            let location = Location::parse(location).map_err(|error| refused(error.into()))?;
            open(url)?.put(&location, database.into()).await.map_err(refused)
        })
    }
}

fn open(url: &str) -> Result<Store, Unpublished> {
    let source: Source = url.parse().map_err(refused)?;
    Store::open(&source, &Options::default()).map_err(refused)
}

fn refused(error: store::Error) -> Unpublished {
    Unpublished(error.to_string())
}

//! `aviary ds389`: the directory servers of this host. All of it is the agent's; the stores into which its reports go are ours.

use std::process::ExitCode;

use ::store::{self as store, Location, Options, Source, Store};
pub(crate) use agent::command::Args;
use agent::report::{Answer, Publish, Unpublished};

/// Carries the command out.
pub(crate) fn run(args: Args) -> ExitCode {
    args.run(&Stores)
}

/// Stores of every kind.
struct Stores;

impl Publish for Stores {
    fn check<'a>(&'a self, url: &'a str) -> Answer<'a, String> {
        Box::pin(async {
            let store = open(url)?;
            store.takes_reports().map_err(said)?;
            match store.probe().await {
                // Some that may write may not read.
                Ok(()) | Err(store::Error::Denied(_)) => Ok(store.name()),
                Err(error) => Err(said(error)),
            }
        })
    }

    fn publish<'a>(&'a self, url: &'a str, location: &'a str, database: Vec<u8>) -> Answer<'a, ()> {
        Box::pin(async move {
            let location = Location::parse(location).map_err(said)?;
            open(url)?.put(&location, database.into()).await.map_err(said)
        })
    }
}

fn open(url: &str) -> Result<Store, Unpublished> {
    let source: Source = url.parse().map_err(said)?;
    Store::open(&source, &Options::default()).map_err(said)
}

fn said(error: impl std::fmt::Display) -> Unpublished {
    Unpublished(error.to_string())
}

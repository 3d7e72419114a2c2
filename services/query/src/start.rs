//! What has to be there before anybody is served: a cache that can be written, and stores that answer and let us in. Who
//! has copies may start without its stores, as they may be back any time.

use std::time::Duration;

use store::Stores;

use crate::cache::Unusable;

/// How long a store may take to answer at the start.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why serving does not begin.
#[derive(Debug, thiserror::Error)]
pub enum NotStarted {
    /// The cache cannot be used.
    #[error(transparent)]
    Cache(#[from] Unusable),
    /// A store does not answer, or refuses; `aviary store check` says more.
    #[error("failed to open the store {store}: {source}")]
    Store {
        /// Its name, without anything secret.
        store: String,
        /// What is wrong with it.
        source: store::Error,
    },
}

/// Asks all stores for a small thing.
pub(crate) async fn probe(stores: &Stores, has_copies: bool) -> Result<(), NotStarted> {
    let probe = |named: &store::Named| {
        let store = named.store.clone();
        async move {
            let late = || store::Error::Unavailable(format!("no answer within {} s", PATIENCE.as_secs()));
            let outcome = tokio::time::timeout(PATIENCE, store.probe()).await.unwrap_or_else(|_| Err(late()));
            (store.name(), outcome)
        }
    };
    for (store, outcome) in futures::future::join_all(stores.iter().map(probe)).await {
        match outcome {
            Ok(()) => {}
            Err(error @ store::Error::Unavailable(_)) if has_copies => {
                tracing::error!(store, %error, "a store cannot be reached; what is kept of it is served meanwhile");
            }
            Err(source) => return Err(NotStarted::Store { store, source }),
        }
    }
    Ok(())
}

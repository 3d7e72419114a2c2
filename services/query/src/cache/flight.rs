//! Asking the store once for one report: is what is kept still what it has, and if not, bring it here. Readers are told as
//! soon as they can read; what makes the entry last comes after.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use futures::FutureExt;
use store::{Fetched, Object};
use tokio::sync::watch;

use super::{
    Gate, Inner,
    disk::{Disk, Entry, Key, KeyLock, Record, hash},
    download::{Failure, download},
    slot::{Known, Slot},
};
use crate::{error::Error, opening::SETTLE};

/// How long a store may take to begin an answer, with all tries.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long another process's fetching is waited for.
const LOCK_TIMEOUT: Duration = Duration::from_secs(60);
const LOCK_PAUSE: Duration = Duration::from_millis(20);
/// Tries to get an object in one piece.
const TRIES: u32 = 3;
const TRY_PAUSE: Duration = Duration::from_millis(200);
/// Objects of more bytes are large.
const LARGE: u64 = 64 << 20;
/// How long a store that did not answer is left alone.
const SILENCE: Duration = Duration::from_secs(1);

/// What became of it.
enum Landing {
    /// The store still has what is kept.
    Same,
    /// This is what it has.
    New(Arc<Entry>),
    /// It has nothing, or nothing of use.
    Nothing(Error),
    /// It refuses.
    Refused(Error),
    /// It did not answer, or not to the end.
    Unanswered(Error),
}

/// Runs to its end, whoever waits for it.
pub(super) async fn run(inner: Arc<Inner>, slot: Arc<Slot>, news: watch::Sender<u32>) {
    let flight = std::panic::AssertUnwindSafe(fly(&inner, &slot, &news)).catch_unwind().await;
    if flight.is_err() {
        settle(&inner, &slot, Landing::Refused(Error::Internal("fetching the report panicked".to_owned())));
    }
    slot.lock().flight = None;
    news.send_modify(|count| *count += 1);
}

async fn fly(inner: &Arc<Inner>, slot: &Arc<Slot>, news: &watch::Sender<u32>) {
    let Some(gate) = inner.gates.get(&slot.named.name) else { return };
    let Ok(_request) = gate.requests.acquire().await else { return };
    let _lock = key_lock(&inner.disk, &slot.key).await;
    if adopt(inner, slot).await {
        return;
    }
    let landing = ask(inner, slot, gate).await;
    let new = match &landing {
        Landing::New(entry) => Some(Arc::clone(entry)),
        _ => None,
    };
    let gone = matches!(landing, Landing::Nothing(_));
    let same = matches!(landing, Landing::Same);
    settle(inner, slot, landing);
    news.send_modify(|count| *count += 1);
    // What follows no reader waits for.
    let (disk, key) = (Arc::clone(&inner.disk), slot.key.clone());
    let kept = slot.lock().known.as_ref().map(|known| Arc::clone(&known.entry));
    let work = tokio::task::spawn_blocking(move || {
        if gone {
            disk.remove(&key);
        }
        if let Some(entry) = kept.filter(|_| same) {
            // It may have been evicted meanwhile.
            let _ = disk.confirm(&entry);
        }
        if let Some(entry) = new {
            if let Err(error) = disk.seal(&entry) {
                tracing::warn!(%error, "a report is served, but could not be kept beyond the end of this process");
            }
            if disk.is_over() {
                disk.evict(0);
            }
        }
    });
    let _ = work.await;
}

/// Takes what another process has fetched meanwhile.
async fn adopt(inner: &Arc<Inner>, slot: &Arc<Slot>) -> bool {
    let (disk, key) = (Arc::clone(&inner.disk), slot.key.clone());
    let Ok(Some((entry, checked))) = tokio::task::spawn_blocking(move || disk.read(&key)).await else { return false };
    let is_fresh = SystemTime::now().duration_since(checked).is_ok_and(|age| age < inner.times.revalidate / 2);
    let mut state = slot.lock();
    let is_newer = state.known.as_ref().is_none_or(|known| known.checked < checked);
    if is_newer {
        // Readers of what is the same go on with what they have open.
        let same = state.known.take().map(|known| known.entry).filter(|known| known.path == entry.path);
        state.known = Some(Known { entry: same.unwrap_or_else(|| Arc::new(entry)), checked, ask_again: None });
    }
    is_newer && is_fresh
}

fn settle(inner: &Inner, slot: &Slot, landing: Landing) {
    let mut state = slot.lock();
    let now = Instant::now();
    match landing {
        Landing::Same => {
            state.failure = None;
            if let Some(known) = &mut state.known {
                (known.checked, known.ask_again) = (SystemTime::now(), None);
            }
        }
        Landing::New(entry) => {
            state.failure = None;
            state.known = Some(Known { entry, checked: SystemTime::now(), ask_again: None });
        }
        Landing::Nothing(error) => {
            state.known = None;
            state.failure = Some((error, now + inner.times.negative));
        }
        Landing::Refused(error) => {
            tracing::warn!(store = slot.named.store.name(), report = %slot.inside, %error, "the store refused");
            state.failure = Some((error, now + inner.times.negative));
        }
        Landing::Unanswered(error) => {
            tracing::warn!(store = slot.named.store.name(), report = %slot.inside, %error, "the store did not answer");
            match &mut state.known {
                Some(known) => known.ask_again = Some(now + inner.times.revalidate / 2),
                None => state.failure = Some((error, now + SILENCE.min(inner.times.negative))),
            }
        }
    }
}

async fn ask(inner: &Arc<Inner>, slot: &Arc<Slot>, gate: &Gate) -> Landing {
    let known = slot.lock().known.as_ref().map(|known| known.entry.record.revision());
    let mut tries = 0;
    let mut made_room = false;
    loop {
        tries += 1;
        let fetched = within(slot.named.store.fetch(&slot.inside, known.as_ref())).await;
        let object = match fetched {
            Ok(Fetched::NotModified) if known.is_none() => {
                return Landing::Unanswered(Error::Store("it says that nothing has changed to who knows nothing".to_owned()));
            }
            Ok(Fetched::NotModified) => {
                metrics::counter!("aviary_query_store_requests_total", "outcome" => "unchanged").increment(1);
                return Landing::Same;
            }
            Ok(Fetched::Object(object)) => {
                metrics::counter!("aviary_query_store_requests_total", "outcome" => "object").increment(1);
                object
            }
            Err(error) => return failed(&error),
        };
        let size = object.revision.size;
        let age = object.revision.modified.and_then(|modified| SystemTime::now().duration_since(modified).ok());
        let is_young = age.is_some_and(|age| age < SETTLE);
        match bring(inner, slot, gate, object).await {
            Ok(entry) => return Landing::New(entry),
            // It may be half an upload.
            Err(Failure::Unfit(Error::Damaged(_) | Error::NotAra(_))) if is_young => {
                return Landing::Unanswered(Error::BeingWritten);
            }
            Err(Failure::Unfit(error)) => return Landing::Nothing(error),
            Err(Failure::Full) if made_room => {
                return Landing::Refused(Error::CacheFull("the disk is full, and nothing is left that could go".to_owned()));
            }
            Err(Failure::Full) => {
                made_room = true;
                let disk = Arc::clone(&inner.disk);
                let _ = tokio::task::spawn_blocking(move || disk.evict(size)).await;
            }
            Err(Failure::Broken(error)) if tries >= TRIES => return failed(&error),
            Err(Failure::Broken(_)) => tokio::time::sleep(TRY_PAUSE * tries).await,
        }
    }
}

fn failed(error: &store::Error) -> Landing {
    let outcome = match error {
        store::Error::NotFound => "not_found",
        store::Error::Denied(_) | store::Error::Missing(_) => "denied",
        _ => "failed",
    };
    metrics::counter!("aviary_query_store_requests_total", "outcome" => outcome).increment(1);
    match error {
        store::Error::NotFound | store::Error::Key(_) | store::Error::Outside => Landing::Nothing(error.clone().into()),
        store::Error::Denied(_) | store::Error::Missing(_) => Landing::Refused(error.clone().into()),
        _ => Landing::Unanswered(error.clone().into()),
    }
}

/// From the object to an entry that can be read.
async fn bring(inner: &Arc<Inner>, slot: &Arc<Slot>, gate: &Gate, object: Object) -> Result<Arc<Entry>, Failure> {
    let closed = |_| Failure::Unfit(Error::Internal("the cache is closed".to_owned()));
    if object.revision.size > inner.workshop.max_unpacked {
        return Err(Failure::Unfit(Error::TooLarge { limit: inner.workshop.max_unpacked }));
    }
    if !inner.disk.can_hold(object.revision.size) {
        return Err(Failure::Unfit(too_large(object.revision.size)));
    }
    let _large = match object.revision.size {
        size if size > LARGE => Some(gate.large.acquire().await.map_err(closed)?),
        _ => None,
    };
    let _download = gate.downloads.acquire().await.map_err(closed)?;
    let revision = object.revision.clone();
    let started = Instant::now();
    let (proved, encoding) = download(inner.workshop.clone(), object, &slot.progress).await?;
    if !inner.disk.can_hold(proved.bytes) {
        return Err(Failure::Unfit(too_large(proved.bytes)));
    }
    metrics::counter!("aviary_query_fetched_total").increment(1);
    metrics::counter!("aviary_query_fetched_bytes_total").increment(revision.size);
    let seconds = started.elapsed().as_secs_f64();
    metrics::histogram!("aviary_query_fetch_duration_seconds").record(seconds);
    tracing::debug!(report = %slot.inside, bytes = revision.size, seconds, "fetched");
    let (disk, key, origin) = (Arc::clone(&inner.disk), slot.key.clone(), slot.origin());
    let publish = move || {
        let content = if revision.settled { None } else { Some(hash(&proved.copy)?.1) };
        let record = Record::new(origin, &revision, encoding, proved.release, proved.bytes, content.as_deref());
        disk.publish(&key, proved.copy, record)
    };
    let published = tokio::task::spawn_blocking(publish).await;
    match published {
        Ok(Ok(entry)) => Ok(Arc::new(entry)),
        Ok(Err(error)) => Err(super::download::full_or(error)),
        Err(error) => Err(Failure::Unfit(Error::Internal(error.to_string()))),
    }
}

fn too_large(bytes: u64) -> Error {
    Error::CacheFull(format!("it has {bytes} bytes, and --cache-size is less"))
}

async fn within<T>(fetch: impl Future<Output = Result<T, store::Error>>) -> Result<T, store::Error> {
    let late = || store::Error::Unavailable(format!("no answer within {} s", HEAD_TIMEOUT.as_secs()));
    tokio::time::timeout(HEAD_TIMEOUT, fetch).await.unwrap_or_else(|_| Err(late()))
}

/// Waits for other processes that fetch the same report; not for ever, as one may hang.
async fn key_lock(disk: &Arc<Disk>, key: &Key) -> Option<KeyLock> {
    let end = Instant::now() + LOCK_TIMEOUT;
    loop {
        let (disk, key) = (Arc::clone(disk), key.clone());
        match tokio::task::spawn_blocking(move || disk.try_lock(&key)).await {
            Ok(Ok(Some(lock))) => return Some(lock),
            Ok(Ok(None)) if Instant::now() < end => tokio::time::sleep(LOCK_PAUSE).await,
            _ => return None,
        }
    }
}

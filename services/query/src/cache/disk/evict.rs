//! Keeping the cache within its bytes: the least recently used go first, down to a low mark, so that not every new report has
//! to make room. A database that is being read goes on being read: its bytes are freed by its last reader.

use std::{
    fs,
    path::PathBuf,
    sync::atomic::Ordering,
    time::{Instant, SystemTime},
};

use super::{Disk, Key, Record};

/// How much is left when there was too much, in percent of the limit.
const LOW_MARK: u64 = 90;

struct Candidate {
    key: Key,
    used: SystemTime,
    bytes: u64,
    path: PathBuf,
}

impl Disk {
    /// The databases are more than they may be.
    pub(crate) fn is_over(&self) -> bool {
        self.total.load(Ordering::Relaxed) > self.limit
    }

    /// A database of this size may be kept at all.
    pub(crate) fn can_hold(&self, bytes: u64) -> bool {
        bytes <= self.limit
    }

    /// Takes away what was used least recently, until the low mark is met and at least `wanted` bytes are free that were not:
    /// the disk may be smaller than the limit.
    pub(crate) fn evict(&self, wanted: u64) {
        let started = Instant::now();
        let mut candidates: Vec<Candidate> = self.records().filter_map(|key| self.candidate(key)).collect();
        candidates.sort_unstable_by_key(|candidate| candidate.used);
        let mut total: u64 = candidates.iter().map(|candidate| candidate.bytes).sum();
        let goal = (self.limit / 100 * LOW_MARK).min(total.saturating_sub(wanted));
        let mut gone = 0;
        for candidate in candidates {
            if total <= goal {
                break;
            }
            // Whoever fetches it at this moment knows better.
            let Ok(Some(_lock)) = self.try_lock(&candidate.key) else { continue };
            let _ = fs::remove_file(self.record_path(&candidate.key));
            if fs::remove_file(&candidate.path).is_ok() {
                total = total.saturating_sub(candidate.bytes);
                gone += 1;
            }
        }
        self.total.store(total, Ordering::Relaxed);
        metrics::counter!("aviary_query_cache_evicted_total").increment(gone);
        metrics::gauge!("aviary_query_cache_bytes").set(total as f64);
        tracing::debug!(gone, bytes = total, duration_ms = started.elapsed().as_millis() as u64, "made room in the cache");
    }

    fn candidate(&self, key: Key) -> Option<Candidate> {
        let record = Record::read(&self.record_path(&key))?;
        let path = self.database_path(&key, &record.generation);
        let used = fs::metadata(&path).and_then(|metadata| metadata.modified()).ok()?;
        Some(Candidate { key, used, bytes: record.bytes, path })
    }
}

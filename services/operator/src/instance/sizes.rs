//! How large the server's caches and database may be: parts of the pod's memory and of its volume. A server in a pod would look
//! at the memory of the node.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

/// The limit of memory of an instance that says nothing of it.
pub(crate) const MEMORY: &str = "512Mi";

const MIB: u64 = 1 << 20;
/// What a server works with at least.
const LEAST_CACHE: u64 = 8 * MIB;
/// Beside the database's cache in the folder that it is mapped from: certificates, sockets, tables.
const RUN: u64 = 48 * MIB;

/// Sizes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// The cache of a BDB database.
    pub(crate) database_cache: u64,
    /// The folder in memory that it is in.
    pub(crate) run: u64,
    /// Caches of entries and of DNs, of each backend.
    pub(crate) entries: u64,
    pub(crate) names: u64,
    /// An LMDB database.
    pub(crate) map: u64,
}

impl Sizes {
    /// For so much memory and such a volume, and so many backends. Another cache than the one that is a part of the memory has to fit
    /// in there too, for the folder stays as large as it was while the pod lives.
    pub(crate) fn of(memory: u64, volume: u64, backends: usize) -> Self {
        let backends = u64::try_from(backends.max(1)).unwrap_or(u64::MAX);
        let database_cache = (memory / 8).max(LEAST_CACHE);
        Self {
            database_cache,
            run: memory.max(least_run(database_cache)),
            entries: (memory / 8 / backends).max(LEAST_CACHE),
            names: (memory / 32 / backends).max(LEAST_CACHE / 4),
            map: volume / 5 * 4 / MIB * MIB,
        }
    }
}

impl Sizes {
    /// The same with a database's cache of this size; the memory that this needs if there is less.
    pub(crate) fn with_database_cache(self, bytes: u64) -> Result<Self, u64> {
        let least = least_run(bytes);
        if least > self.run { Err(least) } else { Ok(Self { database_cache: bytes, ..self }) }
    }
}

/// How large the folder has to be for such a cache of the database: a server does not start that finds less room.
fn least_run(database_cache: u64) -> u64 {
    database_cache.saturating_add(database_cache / 4).saturating_add(RUN)
}

/// A quantity in bytes; `None` if it is none.
pub(crate) fn bytes(quantity: &Quantity) -> Option<u64> {
    const UNITS: [(&str, f64); 13] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
        ("m", 1e-3),
        ("", 1.0),
    ];
    let text = quantity.0.trim();
    let (number, unit) = UNITS.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))?;
    let value = number.parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0)? * unit;
    // No volume comes near to where this is not exact.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Some(value as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_read_with_each_unit() {
        for (text, expected) in [
            ("512Mi", Some(512 * MIB)),
            ("1.5Gi", Some(1536 * MIB)),
            ("1G", Some(1_000_000_000)),
            ("1000", Some(1000)),
            ("1e3", Some(1000)),
            ("500m", Some(0)),
            ("", None),
            ("Gi", None),
            ("-1Gi", None),
            ("1 Gi x", None),
        ] {
            assert_eq!(bytes(&Quantity(text.to_owned())), expected, "{text}");
        }
    }

    #[test]
    fn caches_are_parts_of_the_memory_whatever_it_is() {
        let sizes = Sizes::of(512 * MIB, 1024 * MIB, 2);
        let expected = Sizes { database_cache: 64 * MIB, run: 512 * MIB, entries: 32 * MIB, names: 8 * MIB, map: 819 * MIB };
        assert_eq!(sizes, expected);
        assert_eq!(sizes.with_database_cache(300 * MIB).map(|sizes| sizes.run), Ok(sizes.run));
        assert_eq!(sizes.with_database_cache(400 * MIB), Err(548 * MIB));
        assert!(sizes.with_database_cache(u64::MAX).is_err());
        for memory in [0, 64, 512, 4096, 1 << 20] {
            let sizes = Sizes::of(memory * MIB, 0, 1);
            assert!(sizes.entries + sizes.names + sizes.database_cache <= (memory * MIB / 2).max(32 * MIB), "{sizes:?}");
        }
    }
}

//! What is known of a database in the cache, as JSON beside it. A record that cannot be read is none: the report is fetched
//! again.

use std::{
    fs,
    io::{self, Write},
    path::Path,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};
use store::{Revision, encoding::Encoding};

/// Grows when databases of older versions of this program are not to be used any more.
const VERSION: u32 = 1;
/// Longest record in bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// What a database is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    version: u32,
    /// Store and location, for people.
    pub(crate) origin: String,
    object: Object,
    /// Names the content.
    pub(crate) generation: String,
    encoding: Packed,
    /// Releases of ARA that write the schema which the object has.
    pub(crate) release: String,
    /// Size of the database in bytes.
    pub(crate) bytes: u64,
    /// The 128-bit XXH3 of the database, in hexadecimal digits; empty until it is written.
    pub(crate) hash: String,
}

/// [`Revision`] on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Object {
    key: String,
    etag: Option<String>,
    version: Option<String>,
    /// Nanoseconds since 1970.
    modified: Option<u64>,
    size: u64,
    settled: bool,
}

/// [`Encoding`] on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Packed {
    Raw,
    Zlib,
    Gzip,
    Zstd,
}

impl Record {
    /// `content` is the database's hash, needed where the revision alone does not name the content.
    pub(crate) fn new(
        origin: String,
        revision: &Revision,
        encoding: Encoding,
        release: &str,
        bytes: u64,
        content: Option<&str>,
    ) -> Self {
        let nanoseconds = |time: SystemTime| {
            u64::try_from(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos()).unwrap_or_default()
        };
        let object = Object {
            key: revision.key.clone(),
            etag: revision.etag.clone(),
            version: revision.version.clone(),
            modified: revision.modified.map(nanoseconds),
            size: revision.size,
            settled: revision.settled,
        };
        let encoding = match encoding {
            Encoding::Raw => Packed::Raw,
            Encoding::Zlib => Packed::Zlib,
            Encoding::Gzip => Packed::Gzip,
            Encoding::Zstd => Packed::Zstd,
        };
        let (generation, release) = (generation(revision, content), release.to_owned());
        Self { version: VERSION, origin, object, generation, encoding, release, bytes, hash: String::new() }
    }

    /// The object that the database was made of.
    pub(crate) fn revision(&self) -> Revision {
        Revision {
            key: self.object.key.clone(),
            etag: self.object.etag.clone(),
            version: self.object.version.clone(),
            modified: self.object.modified.map(|time| SystemTime::UNIX_EPOCH + Duration::from_nanos(time)),
            size: self.object.size,
            settled: self.object.settled,
        }
    }

    /// How the object is packed.
    pub(crate) fn encoding(&self) -> Encoding {
        match self.encoding {
            Packed::Raw => Encoding::Raw,
            Packed::Zlib => Encoding::Zlib,
            Packed::Gzip => Encoding::Gzip,
            Packed::Zstd => Encoding::Zstd,
        }
    }

    pub(super) fn read(path: &Path) -> Option<Self> {
        if fs::metadata(path).ok()?.len() > MAX_BYTES {
            return None;
        }
        let record: Self = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        // It becomes part of a file's name.
        let is_name = |text: &str| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        (record.version == VERSION && is_name(&record.generation)).then_some(record)
    }

    pub(super) fn write(&self, hash: String, target: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut *target, &Self { hash, ..self.clone() })?;
        target.flush()
    }
}

/// Names the content of an object. The same in every process, so that an answer of one is good for those who ask another.
fn generation(revision: &Revision, content: Option<&str>) -> String {
    let identity = format!("{} {}", revision.identity(), content.unwrap_or_default());
    format!("{:032x}", xxhash_rust::xxh3::xxh3_128(identity.as_bytes()))
}

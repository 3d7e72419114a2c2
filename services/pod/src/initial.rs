//! The entries that backends begin with, where they are in a store: each file is fetched when its backend is about to be made of it,
//! and removed afterwards. Where stores are and how they let us in is for `store` to know.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use directory::{
    action::{Action, Filling, Step},
    value::Node,
};
use futures::StreamExt;
use store::{Options, Source, Store, encoding};
use tokio::io::AsyncWriteExt;

/// What a user's Secret may have for a store: lines of its credentials, and the authority of its certificate.
const CREDENTIALS: &str = "credentials";
const AUTHORITY: &str = "ca.crt";

/// The largest file, in bytes. What is on its way to it is for the volume to bound.
const LARGEST: u64 = 1 << 40;

/// Bytes between two words of progress.
const STEP: u64 = 16 << 20;

/// Why entries cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The store is not as it should be, or has nothing there.
    #[error("failed to fetch the entries of {file} from {place}: {source}", file = file.display())]
    Store {
        /// Where they should be.
        file: PathBuf,
        /// The store, without anything secret.
        place: String,
        /// Why.
        source: store::Error,
    },
    /// The object cannot be unpacked.
    #[error("failed to unpack the entries from {place}: {source}")]
    Unpack {
        /// The store, without anything secret.
        place: String,
        /// Why.
        source: encoding::Error,
    },
    /// There is no room for them.
    #[error("failed to write {}: {source}", file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The agent is being stopped.
    #[error("the agent is being stopped")]
    Stopped,
}

/// A file whose entries are in a store until they are needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Initial {
    file: PathBuf,
    url: String,
    /// The folder with what is needed to get them, if anything is.
    secrets: Option<PathBuf>,
}

/// Reads them from a document. The error says what was wanted.
pub(crate) fn read(node: &Node) -> Result<Vec<Initial>, &'static str> {
    const WANTS: &str = "a list of file, url and secrets";
    let text = |node: &Node, key: &str| node.as_map()?.get(key)?.as_text().map(str::to_owned);
    let initial = |node: &Node| {
        let (file, url) = (text(node, "file")?.into(), text(node, "url")?);
        Some(Initial { file, url, secrets: text(node, "secrets").map(PathBuf::from) })
    };
    node.as_list().and_then(|list| list.iter().map(initial).collect()).ok_or(WANTS)
}

/// Of all, those that actions read.
pub(crate) fn needed<'a>(all: &'a [Initial], actions: &[Action]) -> Vec<&'a Initial> {
    all.iter().filter(|initial| actions.iter().any(|action| initial.is_read_by(action))).collect()
}

impl Initial {
    /// Whether an action reads it.
    fn is_read_by(&self, action: &Action) -> bool {
        matches!(&action.step, Step::Fill { with: Filling::Ldif(file), .. } if Path::new(file) == self.file)
    }

    /// Fetches it. `progress` hears how far that is.
    pub(crate) async fn fetch(&self, interrupt: &AtomicBool, progress: &mut (dyn FnMut(String) + Send)) -> Result<(), Error> {
        let packed = self.file.with_extension("part");
        let place = self.download(&packed, interrupt, progress).await?;
        let (from, to) = (packed.clone(), self.file.clone());
        let unpacked = tokio::task::spawn_blocking(move || unpack(&from, &to, &place)).await;
        let removed = tokio::fs::remove_file(&packed).await;
        unpacked.map_err(|_| Error::Stopped)??;
        removed.map_err(|source| Error::Write { file: packed, source })
    }

    async fn download(
        &self,
        to: &Path,
        interrupt: &AtomicBool,
        progress: &mut (dyn FnMut(String) + Send),
    ) -> Result<String, Error> {
        let failed = |place: &str, source| Error::Store { file: self.file.clone(), place: place.to_owned(), source };
        let unwritten = |source| Error::Write { file: to.to_owned(), source };
        let store = self.open().map_err(|source| failed("its store", source))?;
        let place = store.name();
        let object = store.fetch_itself().await.map_err(|source| failed(&place, source))?;
        let (mut body, size) = (object.body, object.revision.size);
        if let Some(folder) = to.parent() {
            tokio::fs::create_dir_all(folder).await.map_err(unwritten)?;
        }
        let mut file = tokio::fs::File::create(to).await.map_err(unwritten)?;
        let (mut done, mut told) = (0, None);
        while let Some(bytes) = body.next().await {
            let bytes = bytes.map_err(|source| failed(&place, source))?;
            if interrupt.load(Ordering::Relaxed) {
                return Err(Error::Stopped);
            }
            file.write_all(&bytes).await.map_err(unwritten)?;
            done += bytes.len() as u64;
            if told != Some(done / STEP) {
                told = Some(done / STEP);
                progress(format!("Fetching {place}: {} of {} MiB", done >> 20, size.div_ceil(1 << 20)));
            }
        }
        file.flush().await.map_err(unwritten)?;
        Ok(place)
    }

    fn open(&self) -> Result<Store, store::Error> {
        let there = |name: &str| self.secrets.as_ref().map(|folder| folder.join(name)).filter(|file| file.exists());
        let mut url = self.url.clone();
        if let Some(file) = there(CREDENTIALS) {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str("credentials=");
            url.push_str(&file.display().to_string());
        }
        let source: Source = url.parse()?;
        Store::open(&source, &Options { ca: there(AUTHORITY) })
    }

    /// Removes it. That it is there still is nothing but a waste.
    pub(crate) async fn remove(&self) {
        if let Err(error) = tokio::fs::remove_file(&self.file).await {
            tracing::warn!("failed to remove {}: {error}", self.file.display());
        }
    }
}

/// Makes a file of LDIF of what was fetched, which may be packed.
fn unpack(from: &Path, to: &Path, place: &str) -> Result<(), Error> {
    let unread = |source| Error::Write { file: from.to_owned(), source };
    let unwritten = |source| Error::Write { file: to.to_owned(), source };
    let mut head = Vec::new();
    let packed = File::open(from).map_err(unread)?;
    (&packed).take(encoding::SNIFF_BYTES as u64).read_to_end(&mut head).map_err(unread)?;
    let encoding = encoding::sniff(&head).unwrap_or(encoding::Encoding::Raw);
    let source = head.as_slice().chain(BufReader::new(packed));
    let mut target = BufWriter::new(File::create(to).map_err(unwritten)?);
    encoding::unpack(encoding, source, &mut target, LARGEST)
        .map_err(|source| Error::Unpack { place: place.to_owned(), source })?;
    target.flush().map_err(unwritten)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use directory::yaml;

    use super::*;

    #[test]
    fn a_document_says_where_entries_are() {
        let read = |text: &str| read(&yaml::parse(text).unwrap());
        let secrets = Some("/secrets/0".into());
        let expected = Initial { file: "/data/0.ldif".into(), url: "s3://bucket/0.ldif".to_owned(), secrets };
        assert_eq!(read("[{file: /data/0.ldif, url: 's3://bucket/0.ldif', secrets: /secrets/0}]"), Ok(vec![expected]));
        assert_eq!(read("[]"), Ok(Vec::new()));
        for text in ["{}", "[{file: a}]", "[{url: a}]", "[1]"] {
            assert_eq!(read(text), Err("a list of file, url and secrets"), "{text}");
        }
    }

    /// What a file of these bytes is unpacked to.
    fn unpacked(bytes: &[u8]) -> Result<Vec<u8>, String> {
        let folder = tempfile::tempdir().unwrap();
        let [from, to] = ["from", "to"].map(|name| folder.path().join(name));
        fs::write(&from, bytes).unwrap();
        unpack(&from, &to, "a store").map_err(|error| error.to_string())?;
        Ok(fs::read(to).unwrap())
    }

    #[test]
    fn entries_may_be_packed() {
        const LDIF: &[u8] = b"dn: dc=x\ndc: x\n";
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(LDIF).unwrap();
        let gzip = gzip.finish().unwrap();
        for bytes in [LDIF, &gzip] {
            assert_eq!(unpacked(bytes).as_deref(), Ok(LDIF));
        }
        assert_eq!(unpacked(b"").as_deref(), Ok(&b""[..]));
        let cut = unpacked(&gzip[..gzip.len() - 4]);
        assert!(cut.as_ref().is_err_and(|error| error.starts_with("failed to unpack the entries from a store: ")), "{cut:?}");
    }
}

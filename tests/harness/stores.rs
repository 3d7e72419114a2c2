//! Real stores for the tests: a server for each kind, started on a port of its own, and a bucket for each test.
//!
//! They are written to over plain HTTP by this client alone; how the product reads them is not its business. `tests/run`
//! installs the servers.

mod azurite;
mod folder;
mod gcs;
mod memory;
mod moto;
mod nginx;
mod s3;
mod server;
mod versitygw;

pub use azurite::Azurite;
pub use folder::Folder;
pub use gcs::{FakeGcs, XmlBucket};
pub use memory::Memory;
pub use moto::Moto;
pub use nginx::Nginx;
pub use s3::S3Bucket;
pub use server::{Server, free_address};
pub use versitygw::Versitygw;

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use store::{Options, Store};

/// Where nobody ever listens.
pub const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

/// A bucket, a container or a folder that belongs to one test.
pub trait Bucket: Send + Sync {
    /// What is opened as a store when its server is reached at this address; `prefix` is a folder in it, or empty. Nothing
    /// where there is no such URL.
    fn url_at(&self, address: SocketAddr, prefix: &str) -> Option<String>;

    /// The server, where there is one.
    fn server(&self) -> Option<&Server>;

    /// Puts an object there, in place of the one before.
    fn put_as(&self, key: &str, bytes: &[u8], content_encoding: Option<&str>);

    /// Takes an object away.
    fn delete(&self, key: &str);

    /// This kind of store can have an object of this name at all.
    fn can_hold(&self, _key: &str) -> bool {
        true
    }

    /// Its listings show a folder of this name.
    fn shows(&self, _name: &str) -> bool {
        true
    }

    /// Its listings come in pages of the size that is asked for.
    fn has_pages(&self) -> bool {
        true
    }

    /// Its listings can begin behind any name.
    fn lists_from_anywhere(&self) -> bool {
        true
    }

    /// Reports can be put into it as into a store.
    fn takes_reports(&self) -> bool {
        true
    }

    /// A bucket of the same server that is not there.
    fn url_of_a_missing_one(&self) -> Option<String>;

    /// The same bucket with credentials that the server does not accept.
    fn url_that_is_denied(&self) -> Option<String> {
        None
    }

    /// The store that is a folder of it, or all of it; nothing where there are no stores of folders.
    fn store(&self, prefix: &str) -> Option<Store> {
        let address = self.server().map_or(NOWHERE, Server::address);
        self.url_at(address, prefix).map(|url| open(&url).expect("a store"))
    }

    /// As [`Bucket::put_as`], as bytes that are only bytes.
    fn put(&self, key: &str, bytes: &[u8]) {
        self.put_as(key, bytes, None);
    }

    /// The report of a folder.
    fn put_report(&self, folder: &str, bytes: &[u8]) {
        self.put(&format!("{folder}/ara-report/ansible.sqlite"), bytes);
    }

    /// What is opened as a store.
    fn url(&self) -> String {
        self.url_of("")
    }

    /// As [`Bucket::url`], for a folder in it.
    fn url_of(&self, prefix: &str) -> String {
        self.url_at(self.server().map_or(NOWHERE, Server::address), prefix).expect("a store with a URL")
    }
}

/// The product's store of a URL or a path.
pub fn open(url: &str) -> Result<Store, store::Error> {
    Store::open(&url.parse()?, &Options::default())
}

/// What `tests/run` installed.
fn tool(path: &str) -> PathBuf {
    let file = crate::target_dir().join("tools/stores").join(path);
    assert!(file.exists(), "{} is missing: run tests/run stores once", file.display());
    file
}

/// A key as it stands in a URL: everything encoded but what RFC 3986 leaves alone, and the slashes.
fn encoded(key: &str) -> String {
    key.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

/// Names for buckets that all servers take, however clients encode them, each once.
fn fresh_name() -> String {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("bucket{}n{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

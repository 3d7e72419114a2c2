//! The product's own store in memory, filled by its writing end.

use std::net::SocketAddr;

use super::{Bucket, Server};

/// A store without a URL, and its writing end.
pub struct Memory {
    store: store::Store,
    writer: store::memory::Memory,
    runtime: tokio::runtime::Runtime,
}

impl Default for Memory {
    fn default() -> Self {
        Memory::new()
    }
}

impl Memory {
    pub fn new() -> Memory {
        let (store, writer) = store::memory::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        Memory { store, writer, runtime }
    }
}

impl Bucket for Memory {
    fn url_at(&self, _: SocketAddr, _: &str) -> Option<String> {
        None
    }

    fn server(&self) -> Option<&Server> {
        None
    }

    fn store(&self, prefix: &str) -> Option<store::Store> {
        prefix.is_empty().then(|| self.store.clone())
    }

    fn put_as(&self, key: &str, bytes: &[u8], _: Option<&str>) {
        self.runtime.block_on(self.writer.put(key, bytes.to_vec())).expect("an object");
    }

    fn delete(&self, key: &str) {
        self.runtime.block_on(self.writer.delete(key)).expect("an object to delete");
    }

    fn can_hold(&self, key: &str) -> bool {
        // Its writing end takes what can be a location, and no other.
        store::Location::parse(key).is_ok()
    }

    fn url_of_a_missing_one(&self) -> Option<String> {
        None
    }
}

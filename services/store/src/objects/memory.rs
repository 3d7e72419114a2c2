//! A store in memory, for tests of what stores do and of what is done with them.

use std::sync::Arc;

use bytes::Bytes;
use object_store::{ObjectStore, ObjectStoreExt, memory::InMemory, path::Path};

use super::{Objects, failure::failure, list::Lister};
use crate::{Store, error::Error};

/// The writing end of a store in memory.
#[derive(Debug, Clone)]
pub struct Memory(Arc<InMemory>);

/// A new store, and its writing end.
pub fn new() -> (Store, Memory) {
    let objects = Arc::new(InMemory::new());
    let store = Objects {
        name: "memory".to_owned(),
        identity: format!("memory {:p}", Arc::as_ptr(&objects)),
        prefix: Path::default(),
        objects: objects.clone(),
        lister: Lister::Whole(Arc::clone(&objects) as Arc<dyn ObjectStore>),
        may_tear: false,
    };
    (store.into(), Memory(objects))
}

impl Memory {
    /// Puts an object there, instead of the one before.
    ///
    /// # Errors
    /// When the key is none.
    pub async fn put(&self, key: &str, bytes: impl Into<Bytes>) -> Result<(), Error> {
        let path = Path::parse(key).map_err(|error| Error::Key(error.to_string()))?;
        self.0.put(&path, bytes.into().into()).await.map_err(|error| failure(&error))?;
        Ok(())
    }

    /// Takes an object away.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        let path = Path::parse(key).map_err(|error| Error::Key(error.to_string()))?;
        self.0.delete(&path).await.map_err(|error| failure(&error))
    }
}

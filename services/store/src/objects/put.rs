//! Putting a report into a store of objects: all of it or nothing is seen, however long it takes.

use bytes::Bytes;
use object_store::{MultipartUpload, ObjectStoreExt, WriteMultipart, path::Path};

use super::{Objects, failure::failure, list::Lister};
use crate::{Location, OBJECT_NAMES, error::Error};

/// Bytes that go in one request. The library waits for the answer to each as it waits for any other, so that requests must
/// not take long.
const PART_BYTES: usize = 8 << 20;
/// Parts of one object that are on their way at the same time.
const PARTS_AT_ONCE: usize = 4;
/// How often an object in parts is begun.
const BEGINNINGS: u8 = 3;

impl Objects {
    /// As [`crate::Store::takes_reports`].
    pub(crate) fn takes_reports(&self) -> Result<(), Error> {
        match self.lister {
            Lister::Index(_) => Err(Error::ReadOnly(
                "a web server is only read; put reports into a folder, or a bucket such as s3://bucket/path".to_owned(),
            )),
            _ => Ok(()),
        }
    }

    /// As [`crate::Store::put`].
    pub(crate) async fn put(&self, location: &Location, bytes: Bytes) -> Result<(), Error> {
        let [name, ..] = OBJECT_NAMES;
        let path = self.path(location, name)?;
        let put = async {
            if bytes.len() <= PART_BYTES {
                self.objects.put(&path, bytes.into()).await?;
                return Ok(());
            }
            let upload = self.begin(&path).await?;
            in_parts(WriteMultipart::new_with_chunk_size(upload, PART_BYTES), bytes).await
        };
        put.await.map_err(|error: object_store::Error| match failure(&error) {
            Error::Unavailable(problem) => Error::NotWritten(problem),
            Error::NotFound => Error::Missing("there is no such bucket or container".to_owned()),
            error => error,
        })
    }

    /// Begins an object that goes in parts. The library tries everything else again by itself when a connection is lost, but not
    /// this with Google. What was begun in vain, nobody sees.
    async fn begin(&self, path: &Path) -> object_store::Result<Box<dyn MultipartUpload>> {
        let mut left = BEGINNINGS;
        loop {
            left -= 1;
            match self.objects.put_multipart(path).await {
                Err(error) if left > 0 && matches!(failure(&error), Error::Unavailable(_)) => {}
                begun => return begun,
            }
        }
    }
}

async fn in_parts(mut upload: WriteMultipart, mut bytes: Bytes) -> object_store::Result<()> {
    while !bytes.is_empty() {
        if let Err(error) = upload.wait_for_capacity(PARTS_AT_ONCE).await {
            // What is left of it, nobody sees; that it could not be taken away is not what went wrong.
            let _ = upload.abort().await;
            return Err(error);
        }
        upload.put(bytes.split_to(bytes.len().min(PART_BYTES)));
    }
    upload.finish().await?;
    Ok(())
}

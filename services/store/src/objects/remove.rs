//! Removing a report from a store of objects.

use object_store::ObjectStoreExt;

use super::{Objects, failure::failure};
use crate::{Location, OBJECT_NAMES, error::Error};

impl Objects {
    /// As [`crate::Store::remove`].
    pub(crate) async fn remove(&self, location: &Location) -> Result<(), Error> {
        for name in OBJECT_NAMES {
            let path = self.path(location, name)?;
            let removed = self.objects.delete(&path).await;
            match removed.map_err(|error| failure(&error)) {
                Ok(()) | Err(Error::NotFound) => {}
                Err(Error::Unavailable(problem)) => return Err(Error::NotRemoved(problem)),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

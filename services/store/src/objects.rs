//! A store that is objects behind a URL: S3, Google Cloud Storage, Azure and plain HTTP servers. The one home of
//! `object_store`; credentials, signatures and retries are that library's.

mod failure;
mod index;
mod list;
pub mod memory;
mod open;
mod put;
mod remove;

use std::{
    ops::Range,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures::StreamExt;
use object_store::{GetOptions, GetRange, GetResult, ObjectStore, ObjectStoreExt, path::Path};

use crate::{
    Location, OBJECT_NAMES,
    error::Error,
    store::{Body, Fetched, Object},
};
use failure::failure;
use list::Lister;

/// Servers that tell times in whole seconds may write twice within one; an object as young as this is not taken for known.
const SETTLE: Duration = Duration::from_secs(2);

/// Which content of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The object's whole name in its bucket or folder.
    pub key: String,
    /// The entity tag, as the store writes it.
    pub etag: Option<String>,
    /// The version, where the store keeps several.
    pub version: Option<String>,
    /// When the object was written, as far as the store tells.
    pub modified: Option<SystemTime>,
    /// Size in bytes as it is stored.
    pub size: u64,
    /// Another content would look otherwise. Not so where the store tells contents apart by times alone and this one was
    /// just written: it has to be fetched again to be sure of it.
    pub settled: bool,
}

impl Revision {
    /// Names the content: two revisions with the same identity are the same bytes, whoever fetched them.
    pub fn identity(&self) -> String {
        match (&self.etag, &self.version) {
            (Some(etag), Some(version)) => format!("{} {etag} {version}", self.key),
            (Some(etag), None) => format!("{} {etag}", self.key),
            _ => {
                let modified = self.modified.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
                format!("{} {} {}", self.key, modified.unwrap_or_default().as_nanos(), self.size)
            }
        }
    }
}

/// Objects behind a URL.
#[derive(Debug)]
pub(crate) struct Objects {
    /// Without anything secret.
    name: String,
    /// Tells it from every other store.
    identity: String,
    /// What stands before every key.
    prefix: Path,
    objects: Arc<dyn ObjectStore>,
    lister: Lister,
    /// Objects are files that somebody may be writing, so that an answer may be half of one and half of another.
    may_tear: bool,
}

impl Objects {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn identity(&self) -> &str {
        &self.identity
    }

    /// One small request that needs all permissions that reading needs.
    pub(crate) async fn probe(&self) -> Result<(), Error> {
        match self.list(&Location::root(), &[], "", 1).await {
            // Nothing is there yet.
            Ok(_) | Err(Error::NotFound) => Ok(()),
            // Some that may read may not list: then what is not there must not be forbidden.
            Err(Error::NotListed) => match self.look(&Location::parse("aviary-probe")?).await {
                Ok(_) | Err(Error::NotFound) => Ok(()),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn fetch(&self, location: &Location, known: Option<&Revision>) -> Result<Fetched, Error> {
        for name in OBJECT_NAMES {
            let path = self.path(location, name)?;
            let known = known.filter(|known| known.key == path.as_ref() && known.settled);
            let mut options = GetOptions::default();
            if let Some(known) = known {
                options.if_none_match = known.etag.clone();
                options.if_modified_since = known.modified.filter(|_| known.etag.is_none()).map(Into::into);
            }
            match self.objects.get_opts(&path, options).await {
                // A server that has no conditional requests.
                Ok(found) if known.is_some_and(|known| known.identity() == self.revision(&path, &found).identity()) => {
                    return Ok(Fetched::NotModified);
                }
                Ok(found) => return Ok(Fetched::Object(self.object(path, found))),
                Err(object_store::Error::NotModified { .. }) => return Ok(Fetched::NotModified),
                Err(error) => match failure(&error) {
                    Error::NotFound => {}
                    error => return Err(error),
                },
            }
        }
        Err(Error::NotFound)
    }

    pub(crate) async fn fetch_itself(&self) -> Result<Object, Error> {
        let found = self.objects.get_opts(&self.prefix, GetOptions::default()).await.map_err(|error| failure(&error))?;
        Ok(self.object(self.prefix.clone(), found))
    }

    pub(crate) async fn look(&self, location: &Location) -> Result<Revision, Error> {
        for name in OBJECT_NAMES {
            let path = self.path(location, name)?;
            match self.objects.get_opts(&path, GetOptions { head: true, ..GetOptions::default() }).await {
                Ok(found) => return Ok(self.revision(&path, &found)),
                Err(error) => match failure(&error) {
                    Error::NotFound => {}
                    error => return Err(error),
                },
            }
        }
        Err(Error::NotFound)
    }

    pub(crate) async fn range(&self, revision: &Revision, range: Range<u64>) -> Result<Bytes, Error> {
        let path = Path::parse(&revision.key).map_err(|error| Error::Key(error.to_string()))?;
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        let found = self.objects.get_opts(&path, options).await.map_err(|error| failure(&error))?;
        found.bytes().await.map_err(|error| failure(&error))
    }

    /// The key of what has this name at a location; without a name, that of the folder itself.
    fn path(&self, location: &Location, name: &str) -> Result<Path, Error> {
        let parts = [self.prefix.as_ref(), location.as_str(), name];
        let key = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
        Path::parse(key).map_err(|error| Error::Key(error.to_string()))
    }

    fn revision(&self, path: &Path, found: &GetResult) -> Revision {
        let meta = &found.meta;
        // The library's word for a server that does not say.
        let modified = Some(SystemTime::from(meta.last_modified)).filter(|time| *time != SystemTime::UNIX_EPOCH);
        let now = SystemTime::now();
        let age =
            |modified: SystemTime| now.duration_since(modified).or_else(|_| modified.duration_since(now)).unwrap_or_default();
        let settled = !self.may_tear || modified.map_or(meta.e_tag.is_some(), |modified| age(modified) >= SETTLE);
        let (etag, version) = (meta.e_tag.clone(), meta.version.clone());
        Revision { key: path.as_ref().to_owned(), etag, version, modified, size: meta.size, settled }
    }

    fn object(&self, path: Path, found: GetResult) -> Object {
        let revision = self.revision(&path, &found);
        let body = found.into_stream().map(|bytes| bytes.map_err(|error| failure(&error)));
        if !self.may_tear {
            return Object { body: whole(body.boxed(), revision.size), revision };
        }
        let (objects, first) = (Arc::clone(&self.objects), revision.clone());
        let same = futures::stream::once(async move {
            let now = objects.head(&path).await.map_err(|error| failure(&error))?;
            let same = first.etag == now.e_tag && first.size == now.size && first.modified == Some(now.last_modified.into());
            if same { Ok(Bytes::new()) } else { Err(Error::Changed) }
        });
        let body = whole(body.boxed(), revision.size).chain(same);
        Object { revision, body: body.boxed() }
    }
}

/// The body, or an error at its end when it has fewer or more bytes than were promised.
fn whole(body: Body, size: u64) -> Body {
    futures::stream::try_unfold((body, 0u64), move |(mut body, seen)| async move {
        match body.next().await {
            Some(bytes) => {
                let bytes = bytes?;
                let seen = seen + bytes.len() as u64;
                if seen > size {
                    return Err(Error::Unavailable(format!("the store sent more than the {size} bytes it promised")));
                }
                Ok(Some((bytes, (body, seen))))
            }
            None if seen < size => Err(Error::Unavailable(format!("the store sent {seen} of {size} bytes"))),
            None => Ok(None),
        }
    })
    .boxed()
}

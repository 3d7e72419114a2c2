//! A store, whatever it is made of: a folder of this machine, or objects behind a URL. Callers list folders, fetch
//! objects, put reports there and remove them; those who read files in place ask for the folder itself.

use std::{fmt, sync::Arc, time::SystemTime};

use bytes::Bytes;
use futures::stream::BoxStream;

use crate::{
    Location,
    error::Error,
    folder::Folder,
    objects::{Objects, Revision},
    url::{Options, Place, Source},
};

/// Where reports lie. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
enum Inner {
    Folder(Folder),
    Objects(Objects),
}

/// One page of a folder.
#[derive(Debug, Default)]
pub struct Listing {
    /// Sub-folders and reports, in the store's own order.
    pub entries: Vec<Entry>,
    /// Asks for the page behind this one; absent on the last.
    pub next: Option<String>,
}

/// Something in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// For reports: what the listing tells of the object.
    pub report: Option<Summary>,
}

/// What can be told of an object without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Size in bytes, as it is stored.
    pub size: u64,
    /// When it was written.
    pub modified: Option<SystemTime>,
}

/// The outcome of a conditional fetch.
#[derive(Debug)]
pub enum Fetched {
    /// It is what it was.
    NotModified,
    /// It is this.
    Object(Object),
}

/// The bytes of an object, as they come.
pub type Body = BoxStream<'static, Result<Bytes, Error>>;

/// An object on its way.
pub struct Object {
    /// Which content it is.
    pub revision: Revision,
    /// Its bytes; a stream that ends without an error had all of them, and of one content.
    pub body: Body,
}

impl fmt::Debug for Object {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Object").field("revision", &self.revision).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens it. Of a folder this looks whether it is there; of others it only reads the settings: see [`Store::probe`].
    ///
    /// # Errors
    /// When the folder cannot be read, an option is unknown, or credentials are incomplete.
    pub fn open(source: &Source, options: &Options) -> Result<Self, Error> {
        Ok(match &source.place {
            Place::Folder(path) => Self::from(Folder::open(path)?),
            Place::Objects(kind, url) => Self::from(Objects::open(*kind, url, options)?),
        })
    }

    /// Whether it answers and lets us in.
    ///
    /// # Errors
    /// What a person has to put right: [`Error::Denied`], [`Error::Missing`], [`Error::Unavailable`].
    pub async fn probe(&self) -> Result<(), Error> {
        match &*self.0 {
            // Looked at when it was opened.
            Inner::Folder(_) => Ok(()),
            Inner::Objects(objects) => objects.probe().await,
        }
    }

    /// The folder of this machine that it is, if it is one: its files can be read where they are.
    pub fn folder(&self) -> Option<&Folder> {
        match &*self.0 {
            Inner::Folder(folder) => Some(folder),
            Inner::Objects(_) => None,
        }
    }

    /// The store as a person would name it, without anything secret.
    pub fn name(&self) -> String {
        match &*self.0 {
            Inner::Folder(folder) => folder.name(),
            Inner::Objects(objects) => objects.name().to_owned(),
        }
    }

    /// Tells the store from every other one, in all processes.
    pub fn identity(&self) -> String {
        match &*self.0 {
            Inner::Folder(folder) => folder.name(),
            Inner::Objects(objects) => objects.identity().to_owned(),
        }
    }

    /// Lists up to `limit` sub-folders and reports of a folder, behind the page that gave `token` (empty for the first
    /// page). A sub-folder is a report when its name is one of `prefixes` and a database lies in it. A page costs what
    /// the store's own page costs, however much the store holds; it may be short, or even empty, with others behind it.
    ///
    /// # Errors
    /// When the folder is not there, the token is not one of ours, the store does not list or fails.
    pub async fn list(&self, folder: &Location, prefixes: &[String], token: &str, limit: usize) -> Result<Listing, Error> {
        match &*self.0 {
            Inner::Objects(objects) => objects.list(folder, prefixes, token, limit).await,
            Inner::Folder(files) => {
                let (files, folder, prefixes, token) = (files.clone(), folder.clone(), prefixes.to_vec(), token.to_owned());
                blocking(move || files.list(&folder, &prefixes, &token, limit)).await
            }
        }
    }

    /// Fetches the object of a report, unless it still is what is `known`.
    ///
    /// # Errors
    /// When nothing is there, or the store refuses or fails.
    pub async fn fetch(&self, location: &Location, known: Option<&Revision>) -> Result<Fetched, Error> {
        match &*self.0 {
            Inner::Objects(objects) => objects.fetch(location, known).await,
            Inner::Folder(files) => {
                let (files, location, known) = (files.clone(), location.clone(), known.cloned());
                blocking(move || files.fetch(&location, known.as_ref())).await
            }
        }
    }

    /// Fetches the one object that its URL names, whatever that is.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it names none, as a folder of this machine does; when the store refuses or fails.
    pub async fn fetch_itself(&self) -> Result<Object, Error> {
        match &*self.0 {
            Inner::Objects(objects) => objects.fetch_itself().await,
            Inner::Folder(_) => Err(Error::NotFound),
        }
    }

    /// Whether it is of a kind that reports can be put into.
    ///
    /// # Errors
    /// [`Error::ReadOnly`] if not.
    pub fn takes_reports(&self) -> Result<(), Error> {
        match &*self.0 {
            Inner::Objects(objects) => objects.takes_reports(),
            Inner::Folder(folder) => folder.takes_reports(),
        }
    }

    /// Puts a report's database at a location, in place of the one before. Whoever reads meanwhile has all of the one or all of
    /// the other, and after an error that of before.
    ///
    /// # Errors
    /// As [`Store::takes_reports`]; when the store refuses or fails.
    pub async fn put(&self, location: &Location, database: Bytes) -> Result<(), Error> {
        self.takes_reports()?;
        match &*self.0 {
            Inner::Objects(objects) => objects.put(location, database).await,
            Inner::Folder(files) => {
                let (files, location) = (files.clone(), location.clone());
                blocking(move || files.put(&location, &database)).await
            }
        }
    }

    /// Removes the report at a location. That there is none is not an error.
    ///
    /// # Errors
    /// As [`Store::takes_reports`]; when the store refuses or fails.
    pub async fn remove(&self, location: &Location) -> Result<(), Error> {
        self.takes_reports()?;
        match &*self.0 {
            Inner::Objects(objects) => objects.remove(location).await,
            Inner::Folder(files) => {
                let (files, location) = (files.clone(), location.clone());
                blocking(move || files.remove(&location)).await
            }
        }
    }

    /// What can be told of a report's object without its bytes.
    ///
    /// # Errors
    /// As [`Store::fetch`].
    pub async fn look(&self, location: &Location) -> Result<Revision, Error> {
        match &*self.0 {
            Inner::Objects(objects) => objects.look(location).await,
            Inner::Folder(_) => match self.fetch(location, None).await? {
                Fetched::Object(object) => Ok(object.revision),
                Fetched::NotModified => Err(Error::Changed),
            },
        }
    }

    /// Fetches `range` of the bytes of a report's object.
    ///
    /// # Errors
    /// As [`Store::fetch`], or when the store has no ranges.
    pub async fn range(&self, revision: &Revision, range: std::ops::Range<u64>) -> Result<Bytes, Error> {
        match &*self.0 {
            Inner::Objects(objects) => objects.range(revision, range).await,
            Inner::Folder(files) => {
                let (files, revision) = (files.clone(), revision.clone());
                blocking(move || files.range(&revision, range)).await
            }
        }
    }
}

impl From<Folder> for Store {
    fn from(folder: Folder) -> Self {
        Self(Arc::new(Inner::Folder(folder)))
    }
}

impl From<Objects> for Store {
    fn from(objects: Objects) -> Self {
        Self(Arc::new(Inner::Objects(objects)))
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Unavailable(error.to_string()))?
}

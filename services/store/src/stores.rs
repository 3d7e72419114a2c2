//! All stores of a process: a single one at the root, or several, each below its name. It only finds the store of a
//! location.

use crate::{
    Location,
    error::Error,
    store::{Entry, Listing, Store},
    url::{Options, Source},
};

/// A store, and where in all URLs it is.
#[derive(Debug, Clone)]
pub struct Named {
    /// The first segment of its reports' locations; absent for a single store.
    pub name: Option<String>,
    /// The store.
    pub store: Store,
}

/// The stores, one at least.
#[derive(Debug, Clone)]
pub struct Stores(Vec<Named>);

impl Stores {
    /// Opens all of them.
    ///
    /// # Errors
    /// As [`Store::open`]; and when there are several that are not all named, each otherwise.
    pub fn open(sources: &[Source], options: &Options) -> Result<Self, Error> {
        let wrong = |problem: &str| {
            let url = sources.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            Err(Error::Url { url, problem: problem.to_owned() })
        };
        if sources.len() > 1 {
            let mut names: Vec<_> = sources.iter().map(|source| &source.name).collect();
            names.sort();
            if names.windows(2).any(|pair| pair.first() == pair.get(1)) || names.contains(&&None) {
                return wrong("several stores need a name each, such as team-a=s3://bucket");
            }
        }
        if sources.is_empty() {
            return wrong("give a store: a folder of reports or a URL such as s3://bucket/path");
        }
        let open = |source: &Source| Ok(Named { name: source.name.clone(), store: Store::open(source, options)? });
        Ok(Self(sources.iter().map(open).collect::<Result<_, Error>>()?))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Named> {
        self.0.iter()
    }

    /// The store that stands alone at the root.
    pub fn single(&self) -> Option<&Store> {
        match self.0.as_slice() {
            [Named { name: None, store }] => Some(store),
            _ => None,
        }
    }

    /// A report lies at the very root, so that paths without a prefix lead into it.
    pub async fn has_root_report(&self) -> bool {
        match self.single() {
            None => false,
            Some(store) => match store.folder() {
                Some(folder) => folder.has_root_report(),
                None => store.look(&Location::root()).await.is_ok(),
            },
        }
    }

    /// The store of a location, and the location in it.
    ///
    /// # Errors
    /// When no store has the name of its first segment.
    pub fn resolve(&self, location: &Location) -> Result<(&Named, Location), Error> {
        if let [named @ Named { name: None, .. }] = self.0.as_slice() {
            return Ok((named, location.clone()));
        }
        let (first, rest) = location.as_str().split_once('/').unwrap_or((location.as_str(), ""));
        let named = self.0.iter().find(|named| named.name.as_deref() == Some(first)).ok_or(Error::NotFound)?;
        Ok((named, Location::parse(rest)?))
    }

    /// Lists a folder, as [`Store::list`]; where stores have names, the root lists those.
    ///
    /// # Errors
    /// As [`Store::list`].
    pub async fn list(&self, folder: &Location, prefixes: &[String], token: &str, limit: usize) -> Result<Listing, Error> {
        if folder.is_root() && self.single().is_none() {
            let entry = |named: &Named| named.name.clone().map(|name| Entry { name, report: None });
            let mut entries: Vec<Entry> = self.0.iter().filter_map(entry).filter(|entry| entry.name.as_str() > token).collect();
            entries.sort_by(|one, other| one.name.cmp(&other.name));
            let more = entries.len() > limit;
            entries.truncate(limit);
            let next = entries.last().filter(|_| more).map(|entry| entry.name.clone());
            return Ok(Listing { entries, next });
        }
        let (named, folder) = self.resolve(folder)?;
        named.store.list(&folder, prefixes, token, limit).await
    }
}

impl From<Store> for Stores {
    fn from(store: Store) -> Self {
        Self(vec![Named { name: None, store }])
    }
}

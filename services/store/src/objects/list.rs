//! Folder pages of object stores: one listing with a delimiter for each page, behind the store's own continuation token, and
//! never a walk over what lies deeper.

use std::{borrow::Cow, collections::BTreeSet, sync::Arc};

use object_store::{
    ListResult, ObjectStore,
    list::{PaginatedListOptions, PaginatedListStore},
    path::Path,
};

use super::{Objects, failure::failure, index::Index};
use crate::{
    Location,
    error::Error,
    location::MAX_SEGMENT_BYTES,
    store::{Entry, Listing, Summary},
};

/// Pages of the store that one page of ours may cost: folders may hold thousands of plain objects.
const MAX_REQUESTS: usize = 8;
/// Entries that stores list at once.
const MAX_ENTRIES: usize = 1000;
/// Sorts behind every name that begins as it does.
const LAST: char = char::MAX;

/// How a kind of store lists.
#[derive(Clone)]
pub(super) enum Lister {
    /// Page by page.
    Paginated(Arc<dyn PaginatedListStore>),
    /// All at once.
    Whole(Arc<dyn ObjectStore>),
    /// By pages for people.
    Index(Index),
}

impl std::fmt::Debug for Lister {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Paginated(_) => "Paginated",
            Self::Whole(_) => "Whole",
            Self::Index(_) => "Index",
        })
    }
}

/// Where the next page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cursor {
    Start,
    /// The store's own token.
    Token(String),
    /// Behind this key, where there is no token: what was last could not be read.
    Behind(String),
}

impl Cursor {
    fn read(token: &str) -> Result<Self, Error> {
        match token.split_at_checked(1) {
            None => Ok(Self::Start),
            Some(("t", token)) => Ok(Self::Token(token.to_owned())),
            Some(("b", key)) => Ok(Self::Behind(key.to_owned())),
            Some(_) => Err(Error::Key("the page token is not one of this store's".to_owned())),
        }
    }

    fn write(self) -> Option<String> {
        match self {
            Self::Start => None,
            Self::Token(token) => Some(format!("t{token}")),
            Self::Behind(key) => Some(format!("b{key}")),
        }
    }
}

impl Objects {
    pub(crate) async fn list(&self, folder: &Location, prefixes: &[String], token: &str, limit: usize) -> Result<Listing, Error> {
        let limit = limit.clamp(1, MAX_ENTRIES);
        let (mut names, next, is_there) = match &self.lister {
            Lister::Paginated(store) => self.pages(store.as_ref(), folder, token, limit).await?,
            Lister::Whole(store) => {
                let path = self.folder_path(folder)?;
                let listed = store.list_with_delimiter(path.as_ref()).await.map_err(|error| failure(&error))?;
                let is_there = !listed.common_prefixes.is_empty() || !listed.objects.is_empty();
                let names = folders(&listed).collect();
                let (names, next) = cut(names, token, limit);
                (names, next, is_there)
            }
            Lister::Index(index) => {
                let (names, next) = cut(index.folders(folder).await?, token, limit);
                (names, next, true)
            }
        };
        // There are no empty folders; the root is there even when it holds nothing.
        if !is_there && !folder.is_root() {
            return Err(Error::NotFound);
        }
        names.retain(|name| name.len() <= MAX_SEGMENT_BYTES);
        let mut listing = Listing { entries: Vec::with_capacity(names.len()), next };
        for name in names {
            let Ok(location) = folder.join(&name) else { continue };
            let report = if prefixes.contains(&name) { self.summary(&location).await? } else { None };
            listing.entries.push(Entry { name, report });
        }
        Ok(listing)
    }

    /// What is told of a report; nothing when the folder only looks like one.
    async fn summary(&self, location: &Location) -> Result<Option<Summary>, Error> {
        match self.look(location).await {
            Ok(revision) => Ok(Some(Summary { size: revision.size, modified: revision.modified })),
            Err(Error::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Names of folders, where the next page begins, and whether anything is there at all.
    async fn pages(
        &self,
        store: &dyn PaginatedListStore,
        folder: &Location,
        token: &str,
        limit: usize,
    ) -> Result<(Vec<String>, Option<String>, bool), Error> {
        let prefix = self.folder_path(folder)?.map(|path| format!("{path}/"));
        let mut cursor = Cursor::read(token)?;
        let mut is_there = cursor != Cursor::Start;
        let mut names = Vec::new();
        let mut size = limit;
        for _ in 0..MAX_REQUESTS * 2 {
            let (offset, page_token) = match &cursor {
                Cursor::Start => (None, None),
                Cursor::Token(token) => (None, Some(token.clone())),
                Cursor::Behind(key) => (Some(key.clone()), None),
            };
            let options = PaginatedListOptions {
                offset,
                page_token,
                delimiter: Some(Cow::Borrowed("/")),
                max_keys: Some(size.min(limit - names.len())),
                ..PaginatedListOptions::default()
            };
            match store.list_paginated(prefix.as_deref(), options).await {
                Ok(page) => {
                    if let Cursor::Behind(key) = &cursor
                        && page.result.common_prefixes.iter().any(|name| name.as_ref() < key.as_str())
                    {
                        return Err(no_beginning(key));
                    }
                    is_there |= !page.result.common_prefixes.is_empty() || !page.result.objects.is_empty();
                    names.extend(folders(&page.result));
                    let Some(token) = page.page_token.filter(|token| !token.is_empty()) else {
                        return Ok((names, None, is_there));
                    };
                    cursor = Cursor::Token(token);
                    if names.len() >= limit {
                        break;
                    }
                }
                // One name that is no location spoils the library's whole page: what stands before it is read in smaller
                // pages, then it is left out.
                Err(object_store::Error::InvalidPath { source }) => {
                    is_there = true;
                    if size > 1 {
                        size = (size / 8).max(1);
                    } else {
                        let next = behind(&source, prefix.as_deref().unwrap_or_default())?;
                        if matches!(&cursor, Cursor::Behind(last) if *last >= next) {
                            return Err(no_beginning(&next));
                        }
                        cursor = Cursor::Behind(next);
                        size = limit;
                    }
                }
                Err(error) => return Err(failure(&error)),
            }
        }
        Ok((names, cursor.write(), is_there))
    }

    fn folder_path(&self, folder: &Location) -> Result<Option<Path>, Error> {
        let path = self.path(folder, "")?;
        Ok(Some(path).filter(|path| !path.as_ref().is_empty()))
    }
}

fn folders(page: &ListResult) -> impl Iterator<Item = String> {
    page.common_prefixes.iter().filter_map(|prefix| prefix.filename().map(str::to_owned))
}

/// For servers that begin where they always do: they would list the same names for ever.
fn no_beginning(key: &str) -> Error {
    Error::Key(format!(
        "there is a name like {} that is no location, and the store cannot list what is behind it",
        key.trim_end_matches(LAST).escape_debug()
    ))
}

/// The key behind which a listing goes on when `source` stopped it.
fn behind(source: &object_store::path::Error, prefix: &str) -> Result<String, Error> {
    use object_store::path::Error as Bad;
    match source {
        Bad::EmptySegment { path } | Bad::BadSegment { path, .. } if path.starts_with(prefix) => Ok(format!("{path}{LAST}")),
        other => Err(Error::Key(other.to_string())),
    }
}

/// A page of names that are all known.
fn cut(names: BTreeSet<String>, token: &str, limit: usize) -> (Vec<String>, Option<String>) {
    let mut rest = names.into_iter().filter(|name| name.as_str() > token);
    let names: Vec<String> = rest.by_ref().take(limit).collect();
    let next = names.last().filter(|_| rest.next().is_some()).cloned();
    (names, next)
}

//! Where reports are: stores by URL, the locations in them, their listings and objects, and how those are packed. It knows
//! nothing of what a report holds, and keeps nothing.

pub mod encoding;
mod error;
pub mod folder;
pub mod location;
mod objects;
mod store;
mod stores;
mod url;

pub use error::Error;
pub use folder::{Folder, Found, Stat};
pub use location::Location;
pub use objects::{Revision, memory};
pub use store::{Body, Entry, Fetched, Listing, Object, Store, Summary};
pub use stores::{Named, Stores};
pub use url::{Options, Source};

/// Names that a report's object can have, in order of preference.
const OBJECT_NAMES: [&str; 3] = ["ansible.sqlite", "ansible.sqlite.gz", "ansible.sqlite.zst"];

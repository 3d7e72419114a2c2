//! Where reports are: a store, the locations in it, its listings, and how its objects are packed. It knows nothing of
//! what a report holds.

pub mod encoding;
pub mod folder;
pub mod location;

pub use folder::{Entry, Error, Found, Listing, Stat, Store};
pub use location::Location;

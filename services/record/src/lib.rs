//! Writes what a run did as a database of ARA 1.8.0, which ARA itself and Aviary open. What was done, and what of it may be
//! seen, is decided by who describes the run: nothing is added to it here, and nothing masked.

mod contents;
mod database;
mod json;
mod playbook;
mod rows;
mod time;

use std::path::Path;

pub use database::Error as DatabaseError;
pub use playbook::{File, Host, Outcome, Play, Playbook, Record, RecordKind, Span, Status, Task, TaskResult};
pub use rows::Error as DescriptionError;
pub use time::Time;

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The run is described in a way that no run can be.
    #[error("failed to describe the run: {0}")]
    Description(#[from] rows::Error),
    /// The file could not be written.
    #[error(transparent)]
    Database(#[from] database::Error),
}

/// Writes the report of a run to a file, instead of the one that is there. Until it is whole it has another name, so that
/// nobody reads half of it. Blocking file work.
///
/// # Errors
/// When the description contradicts itself, or the file cannot be written.
pub fn write(path: &Path, playbook: &Playbook) -> Result<(), Error> {
    let rows = rows::Rows::of(playbook)?;
    Ok(database::write(path, &rows)?)
}

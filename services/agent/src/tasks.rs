//! Tasks of the server, such as indexing: each is an entry that is added, and read again until it says that it is done.

use std::time::Duration;

use directory::{dn::Dn, entry::Entry, layout};
use tokio::time::Instant;

use crate::ldap::{self, Connection};

/// Between two looks at a task.
const LOOK: Duration = Duration::from_millis(100);

/// How long a task is followed that the server goes on with by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// Seconds for which the server keeps the entry of a task that is done.
const KEPT: &str = "120";

/// How long a suffix may take to answer after an import.
const ANSWER: Duration = Duration::from_secs(60);

/// How long its entry may be missing then: until clients are let in, some versions answer as if there was none.
const MISSING: Duration = Duration::from_secs(10);

/// Why a task did not do what it is for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server could not be asked.
    #[error(transparent)]
    Ldap(#[from] ldap::Error),
    /// The task says that it failed.
    #[error("the server's task {kind} failed with {code}: {log}")]
    Failed {
        /// The kind of task.
        kind: &'static str,
        /// Its exit code.
        code: i64,
        /// What it has logged.
        log: String,
    },
    /// The entry is gone before it said how it ended.
    #[error("the server's task {kind} was lost, perhaps because the server was stopped; apply again")]
    Lost {
        /// The kind of task.
        kind: &'static str,
    },
}

/// Has the server do a task, and waits for its end; not for ever, when the server `goes_on` with it by itself, even after a
/// restart. `progress` hears what the task says of itself. Gives what it has logged.
pub async fn run(
    connection: &mut Connection,
    kind: &'static str,
    attributes: &[(&'static str, Vec<String>)],
    goes_on: bool,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<String, Error> {
    let started = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let name = format!("aviary {} {started}", std::process::id());
    let dn = layout::tasks(kind).child("cn", &name);
    let mut entry =
        Entry::new(dn.clone()).with("objectClass", &["top", "extensibleObject"]).with("cn", &[&name]).with("ttl", &[KEPT]);
    for (attribute, values) in attributes {
        entry.replace(attribute, values.iter().map(|value| value.as_bytes().to_vec()).collect());
    }
    connection.add(&entry, &[]).await?;
    let mut said = String::new();
    let mut looked = Instant::now();
    let deadline = looked + PATIENCE;
    loop {
        let Some(entry) = connection.entry(&dn, &["*"]).await? else { return Err(Error::Lost { kind }) };
        let status = entry.text("nsTaskStatus").unwrap_or_default();
        if status != said {
            status.clone_into(&mut said);
            progress(&said);
        }
        if let Some(code) = entry.text("nsTaskExitCode").and_then(|text| text.trim().parse::<i64>().ok()) {
            let log = entry.text("nsTaskLog").unwrap_or(status).trim();
            return if code == 0 { Ok(log.to_owned()) } else { Err(Error::Failed { kind, code, log: log.replace('\n', "; ") }) };
        }
        if goes_on && looked > deadline {
            progress(&format!("the server goes on with its task {kind} by itself: {said}"));
            return Ok(said);
        }
        looked += LOOK;
        tokio::time::sleep_until(looked).await;
    }
}

/// Waits until a suffix answers: an import is done a moment before the server lets clients in.
pub async fn wait_for(connection: &mut Connection, suffix: &Dn) -> Result<(), ldap::Error> {
    let begun = Instant::now();
    loop {
        match connection.entry(suffix, &["1.1"]).await {
            Ok(None) if begun.elapsed() < MISSING => {}
            Err(error) if error.is_busy() && begun.elapsed() < ANSWER => {}
            answered => return answered.map(drop),
        }
        tokio::time::sleep(LOOK).await;
    }
}

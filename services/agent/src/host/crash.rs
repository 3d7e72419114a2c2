//! Servers that die of what they are asked for: when a replica is deleted (389 DS issue 5743), or promoted after a crash has left
//! the vector of its updates without an address. They have not done it, and would die again. Whether one has died is looked at,
//! not guessed.

use std::time::Duration;

use directory::{
    action::{Action, Step},
    operation::Operation,
};
use tokio::time::Instant;

use crate::{
    host::{Error, Event, Progress, apply::Apply, mend, observe},
    ldap,
};

/// How long a server that has closed its connections may take to be gone.
const DEATH: Duration = Duration::from_secs(30);

/// Between two looks at whether it is gone.
const LOOK: Duration = Duration::from_millis(50);

impl Apply<'_> {
    /// Whether the server may have died of the action, which makes no other failure of it.
    pub(super) fn may_have_crashed(&self, action: &Action, error: &Error) -> bool {
        let is_lost = matches!(
            error,
            Error::Server { source: ldap::Error::Lost { .. } | ldap::Error::Silent { .. } | ldap::Error::Connect { .. }, .. }
        );
        is_lost && matches!(action.step, Step::DisableReplica { .. } | Step::ChangeRole { .. })
    }

    /// Does an operation that a server has died of in the configuration, and starts the server again.
    pub(super) async fn revive(
        &self,
        action: &Action,
        operation: &Operation,
        error: Error,
        progress: &mut Progress<'_>,
    ) -> Result<(), Error> {
        let name = action.place.instance_name();
        if !self.has_died(name).await? {
            return Err(error);
        }
        progress(Event::Says(action, "the server has died of it; it is done in the configuration before the next start"));
        let (instance, operation) = (name.to_owned(), operation.clone());
        let mended = self.blocking(move |installation| {
            let path = observe::stored(installation, &instance)?.0.dse();
            match operation {
                Operation::Delete(dn) => mend::take_out(&path, &dn).map(|()| true),
                Operation::Replace { dn, values, .. } => mend::replace(&path, &dn, &values).map(|()| true),
                _ => Ok(false),
            }
        });
        let is_done = mended.await?;
        self.start(name).await?;
        if is_done { Ok(()) } else { Err(error) }
    }

    /// Whether the process is gone, or will be in a moment.
    async fn has_died(&self, name: &str) -> Result<bool, Error> {
        let deadline = Instant::now() + DEATH;
        loop {
            if self.host.process(name).await?.id().is_none() {
                return Ok(true);
            }
            if Instant::now() > deadline {
                return Ok(false);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

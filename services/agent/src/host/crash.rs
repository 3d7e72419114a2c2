//! Servers that die of what they are asked for. Versions without the fix of 389 DS issue 5743 may do so when a replica is deleted,
//! and still have it when they are started again. Whether one has died is looked at, not guessed.

use std::time::Duration;

use directory::{
    action::{Action, Step},
    operation::Operation,
};
use tokio::time::Instant;

use crate::{
    host::{Error, Event, Progress, apply::Apply, change, mend, observe},
    ldap,
};

/// How long a server that has closed its connections may take to be gone.
const DEATH: Duration = Duration::from_secs(30);

/// Between two looks at whether it is gone.
const LOOK: Duration = Duration::from_millis(50);

impl Apply<'_> {
    /// Whether the server may have died of the action, which makes no other failure of it.
    pub(super) fn may_have_crashed(&self, action: &Action, error: &Error) -> bool {
        let is_lost = matches!(error, Error::Server { source: ldap::Error::Lost { .. } | ldap::Error::Connect { .. }, .. });
        is_lost && matches!(action.step, Step::DisableReplica { .. })
    }

    /// Starts a server again that has died of an operation, and does what the operation has not done yet: once more over LDAP,
    /// then in the configuration of the stopped server.
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
        progress(Event::Says(action, "the server has died of it, as unfixed versions may; it is started again"));
        self.start(name).await?;
        let Operation::Delete(dn) = operation else { return Err(error) };
        let mut connection = self.connect(action).await?;
        match change::delete(&mut connection, dn).await {
            Ok(()) => return Ok(()),
            Err(source) => {
                let error = Error::Server { message: action.messages().join(", "), source };
                if !self.may_have_crashed(action, &error) || !self.has_died(name).await? {
                    return Err(error);
                }
            }
        }
        progress(Event::Says(action, "the server has died again; the entry is taken out while it is stopped"));
        let (instance, dn) = (name.to_owned(), dn.clone());
        self.blocking(move |installation| mend::take_out(&observe::stored(installation, &instance)?.0.dse(), &dn)).await?;
        self.start(name).await
    }

    /// Whether the process is gone, or will be in a moment.
    async fn has_died(&self, name: &str) -> Result<bool, Error> {
        let deadline = Instant::now() + DEATH;
        loop {
            let instance = name.to_owned();
            let process = self.blocking(move |installation| Ok(observe::process(installation, &instance)?.id()));
            if process.await?.is_none() {
                return Ok(true);
            }
            if Instant::now() > deadline {
                return Ok(false);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

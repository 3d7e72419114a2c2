//! Operations on the entries of a server, and what the server is asked to do with its data.

use directory::{
    action::{Action, Step},
    dn::Dn,
    operation::Operation,
    secret::Secret,
};

use crate::{
    host::{Error, Event, Progress, apply::Apply, observe},
    initialise, journal,
    ldap::Connection,
    tasks,
};

impl Apply<'_> {
    /// Carries an operation out on a server that runs. The connection is made when there is none.
    pub(super) async fn change(
        &self,
        connection: &mut Option<Connection>,
        action: &Action,
        operation: &Operation,
        progress: &mut Progress<'_>,
    ) -> Result<(), Error> {
        let mut open = match connection.take() {
            Some(open) => open,
            None => self.connect(action).await?,
        };
        match change(&mut open, action, operation, progress).await {
            Err(error) if self.may_have_crashed(action, &error) => self.revive(action, operation, error, progress).await,
            done => {
                done?;
                *connection = Some(open);
                self.note(action, operation).await
            }
        }
    }

    /// Notes which secrets the server was given that it encrypts, and forgets those of entries that are gone.
    async fn note(&self, action: &Action, operation: &Operation) -> Result<(), Error> {
        let name = action.place.instance_name().to_owned();
        match operation {
            Operation::Add { entry, secrets } => self.note_secrets(name, entry.dn.clone(), secrets).await,
            Operation::Replace { dn, secrets, .. } => self.note_secrets(name, dn.clone(), secrets).await,
            Operation::Delete(dn) => {
                let gone = dn.clone();
                self.blocking(move |installation| {
                    let config_dir = installation.home(&name);
                    let Some(known) = journal::read(&config_dir)? else { return Ok(()) };
                    let mut left = known.clone();
                    left.forget(|dn| *dn == gone || dn.is_below(&gone));
                    if left != known { Ok(journal::write(&config_dir, &left)?) } else { Ok(()) }
                })
                .await
            }
            _ => Ok(()),
        }
    }

    async fn note_secrets(&self, name: String, dn: Dn, secrets: &[(&'static str, Secret)]) -> Result<(), Error> {
        if secrets.is_empty() {
            return Ok(());
        }
        let secrets = secrets.to_vec();
        self.blocking(move |installation| {
            let (paths, tree) = observe::stored(installation, &name)?;
            let Some(entry) = tree.get(&dn) else { return Ok(()) };
            let mut journal = journal::read(&paths.config_dir)?.unwrap_or_default();
            let known = journal.clone();
            for (attribute, secret) in &secrets {
                // A hash can be compared as it is.
                if let Some(stored) = entry.text(attribute).filter(|stored| stored.starts_with("{AES")) {
                    let noted = journal.note(&dn, attribute, stored, secret);
                    noted.map_err(|source| Error::Create { instance: name.clone(), source })?;
                }
            }
            if journal != known { Ok(journal::write(&paths.config_dir, &journal)?) } else { Ok(()) }
        })
        .await
    }
}

/// Changes entries, or has the server do so.
async fn change(
    connection: &mut Connection,
    action: &Action,
    operation: &Operation,
    progress: &mut Progress<'_>,
) -> Result<(), Error> {
    let message = || action.messages().join(", ");
    let failed = |source| Error::Server { message: message(), source };
    let mut says = |text: &str| progress(Event::Says(action, text));
    match operation {
        Operation::Add { entry, secrets } => match connection.add(entry, secrets).await {
            // An interrupted apply has added some of a backend's first entries.
            Err(error) if error.is_there_already() && matches!(action.step, Step::Fill { .. }) => Ok(()),
            added => added.map_err(failed),
        },
        Operation::Replace { dn, values, secrets } => connection.replace(dn, values, secrets).await.map_err(failed),
        Operation::Delete(dn) => connection.delete(dn).await.map_err(failed),
        Operation::Task { kind, attributes, goes_on } => {
            // An import takes all that is there away. That of an apply which was interrupted may have ended since, and what
            // has been written after it is nowhere else. One that did not end has left no entry, or nothing that answers.
            if let Step::Fill { suffix, .. } = &action.step
                && connection.entry(suffix, &["1.1"]).await.is_ok_and(|entry| entry.is_some())
            {
                says("there are entries already, over which nothing is imported");
                return Ok(());
            }
            let done = tasks::run(connection, kind, attributes, *goes_on, &mut says).await;
            done.map(drop).map_err(|source| Error::Task { message: message(), source })
        }
        Operation::AwaitAnswer { suffix } => tasks::wait_for(connection, suffix).await.map_err(failed),
        Operation::AwaitData { suffix } => {
            let done = initialise::wait_for_data(connection, suffix).await;
            done.map_err(|source| Error::Initialise { message: message(), source })
        }
        Operation::Initialise { suffix, agreement } => {
            let done = initialise::run(connection, suffix, agreement, &mut says).await;
            done.map_err(|source| Error::Initialise { message: message(), source })
        }
        // These are not of entries.
        Operation::Create(_)
        | Operation::Remove
        | Operation::Start
        | Operation::Stop
        | Operation::ImportCertificate { .. }
        | Operation::TrustAuthorities { .. } => Ok(()),
    }
}

//! Operations on the entries of a server, and what the server is asked to do with its data.

use directory::{
    action::{Action, Step},
    dn::Dn,
    entry::Entry,
    operation::Operation,
    secret::Secret,
};

use crate::{
    create::password,
    host::{
        Error, Event, Progress,
        apply::{Apply, Open},
    },
    initialise, journal,
    ldap::{self, Connection},
    tasks,
};

impl Apply<'_> {
    /// Carries an operation out on a server that runs, over the connection that is open, or a new one.
    pub(super) async fn change(
        &self,
        open: &mut Option<Open>,
        action: &Action,
        operation: &Operation,
        progress: &mut Progress<'_>,
    ) -> Result<(), Error> {
        let mut opened = self.connect(action, open.take()).await?;
        match change(&mut opened.connection, action, operation, progress).await {
            Err(error) if self.may_have_crashed(action, &error) => self.revive(action, operation, error, progress).await,
            done => {
                done?;
                self.note(&mut opened.connection, action, operation).await?;
                *open = Some(opened);
                Ok(())
            }
        }
    }

    /// Notes which secrets the server was given that nobody can compare with what it stores, and forgets those of entries that
    /// are gone.
    async fn note(&self, connection: &mut Connection, action: &Action, operation: &Operation) -> Result<(), Error> {
        match operation {
            Operation::Add { entry, secrets } => self.note_secrets(connection, action, &entry.dn, secrets).await,
            Operation::Replace { dn, secrets, .. } => self.note_secrets(connection, action, dn, secrets).await,
            Operation::Delete(dn) => {
                let (name, gone) = (action.place.instance_name().to_owned(), dn.clone());
                self.blocking(move |installation| {
                    journal::change(&installation.home(&name), |journal| {
                        journal.forget(|dn| *dn == gone || dn.is_below(&gone));
                        Ok(())
                    })
                })
                .await
            }
            _ => Ok(()),
        }
    }

    async fn note_secrets(
        &self,
        connection: &mut Connection,
        action: &Action,
        dn: &Dn,
        secrets: &[(&'static str, Secret)],
    ) -> Result<(), Error> {
        if secrets.is_empty() {
            return Ok(());
        }
        let attributes: Vec<&str> = secrets.iter().map(|(attribute, _)| *attribute).collect();
        let asked = connection.entry(dn, &attributes).await;
        let failed = |source| Error::Server { message: action.messages().join(", "), source };
        let Some(entry) = asked.map_err(failed)? else { return Ok(()) };
        let (name, secrets) = (action.place.instance_name().to_owned(), secrets.to_vec());
        self.blocking(move |installation| {
            journal::change(&installation.home(&name), |journal| {
                for (attribute, secret) in &secrets {
                    // Of most, the hash says whether it is the same.
                    if let Some(stored) = entry.text(attribute).filter(|stored| password::is_stored(secret, stored).is_none()) {
                        let noted = journal.note(&entry.dn, attribute, stored, secret);
                        noted.map_err(|source| Error::Create { instance: name.clone(), source })?;
                    }
                }
                Ok(())
            })
        })
        .await
    }
}

/// Gives an entry that has come by itself what it was to be added with, if it is the same but for that.
async fn complete(
    connection: &mut Connection,
    entry: &Entry,
    secrets: &[(&'static str, Secret)],
    error: ldap::Error,
) -> Result<(), ldap::Error> {
    let there = connection.entry(&entry.dn, &["*"]).await?;
    if !there.is_some_and(|there| there.has_all_of(entry)) {
        return Err(error);
    }
    if secrets.is_empty() { Ok(()) } else { connection.replace(&entry.dn, &[], secrets).await }
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
            // Its last request may have been carried out after the plan was made.
            Err(error) if error.is_there_already() => complete(connection, entry, secrets, error).await.map_err(failed),
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
        Operation::Initialise { suffix, agreement, anew } => {
            let done = initialise::run(connection, suffix, agreement, *anew, &mut says).await;
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

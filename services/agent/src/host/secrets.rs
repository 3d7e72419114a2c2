//! Compares the secrets that are wanted with those that the servers have: with what the configuration has of them, and where that
//! cannot tell, by binding with them.

use std::collections::{BTreeMap, btree_map};

use directory::{
    comparison::{self, Comparisons},
    dn::Dn,
    entry::Tree,
    observed,
    specification::Specification,
};

use crate::{
    create::password,
    host::{Error, Host, observe},
    installation::Installation,
    journal::{self, Journal},
    process::Process,
};

impl Host {
    /// Answers all questions about secrets that can be answered.
    pub(super) async fn compare(&self, wanted: &Specification, found: &observed::Host) -> Result<Comparisons, Error> {
        let mut comparisons = Comparisons::default();
        let mut read = BTreeMap::new();
        for question in comparison::questions(wanted) {
            let Some(instance) = found.instance(question.place.instance_name()) else { continue };
            let (process, stored, journal) = match read.entry(&instance.name) {
                btree_map::Entry::Occupied(known) => &*known.into_mut(),
                btree_map::Entry::Vacant(new) => {
                    let name = instance.name.clone();
                    &*new.insert(self.blocking(move |installation| stored(installation, &name)).await?)
                }
            };
            let known = stored.get(&question.dn).and_then(|entry| entry.text(question.attribute));
            if let Some(is_the_same) = known.and_then(|known| password::is_stored(&question.secret, known)) {
                comparisons.insert(&question, is_the_same);
                continue;
            }
            // The server encrypts what it has to send to others, and nobody can bind with it here. Hashes of other kinds are not known
            // here, nor can anybody bind at a server that does not run.
            if let Some(is_the_same) =
                known.and_then(|known| journal.is_given(&question.dn, question.attribute, known, &question.secret))
            {
                comparisons.insert(&question, is_the_same);
                continue;
            }
            let name = match question.attribute {
                "nsslapd-rootpw" => instance.settings.text("root_dn").unwrap_or("cn=Directory Manager"),
                "userPassword" => question.dn.as_str(),
                _ => continue,
            };
            if let (true, Ok(dn)) = (instance.is_running && !question.secret.is_hashed(), Dn::parse(name)) {
                let asked = process.is_password(&dn, &question.secret).await;
                let message = format!("failed to compare the password of {dn}");
                comparisons.insert(&question, asked.map_err(|source| Error::Server { message, source })?);
            }
        }
        Ok(comparisons)
    }
}

/// What the files of an instance say of it.
fn stored(installation: &Installation, name: &str) -> Result<(Process, Tree, Journal), Error> {
    let (paths, tree) = observe::stored(installation, name)?;
    let journal = journal::read(&paths.config_dir)?.unwrap_or_default();
    Ok((Process::of(installation, name, &paths), tree, journal))
}

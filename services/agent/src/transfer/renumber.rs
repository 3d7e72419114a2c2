//! Suppliers whose data an older copy took the place of. Others may know changes of such a one that it lacks. As its own it would
//! never get them back once it has made a newer change, and no server would tell (389 DS issue 6036). As another's it gets them: it is
//! a hub, which takes no changes from clients, until a plan gives it a number that it never had. Blocking file work.

use directory::{
    action::{Action, Part, Step},
    observed::{self, Unfinished},
    operation::{Operation, operations},
    options::Scope,
    place::Place,
    specification::Role,
};

use super::Error;
use crate::{
    dse,
    host::{self, mend},
    journal::{self, Journal},
    paths::Paths,
};

/// Makes hubs of the suppliers of a stopped instance that have sent changes to others, and notes which number each had. What is
/// done already is not done again.
pub(super) fn make_hubs(paths: &Paths) -> Result<(), Error> {
    let path = paths.dse();
    let tree = dse::tree(&path).map_err(host::Error::from)?;
    // The configuration of an instance that is not ours stays as it is.
    if journal::read(&paths.config_dir).map_err(host::Error::from)?.is_none() {
        return Ok(());
    }
    for backend in observed::Instance::read("", &tree).backends {
        let Some((id, action)) = demotion(&backend) else { continue };
        let note = |journal: &mut Journal| -> Result<(), host::Error> {
            let unfinished = Unfinished::Renumber { backend: backend.name.clone(), id };
            if !journal.unfinished.contains(&unfinished) {
                journal.unfinished.push(unfinished);
            }
            Ok(())
        };
        journal::change(&paths.config_dir, note)?;
        for operation in operations(&action) {
            if let Operation::Replace { dn, values, .. } = operation {
                mend::replace(&path, &dn, &values)?;
            }
        }
    }
    Ok(())
}

/// The backends that wait for another number, each with one that it had. There may be several of one.
pub(super) fn spent(paths: &Paths) -> Result<Vec<(String, u16)>, Error> {
    let journal = journal::read(&paths.config_dir).map_err(host::Error::from)?.unwrap_or_default();
    let spent = journal.unfinished.iter().filter_map(Unfinished::spent);
    Ok(spent.map(|(backend, id)| (backend.to_owned(), id)).collect())
}

/// How a supplier that has sent changes to others becomes a hub, and its number.
fn demotion(backend: &observed::Backend) -> Option<(u16, Action)> {
    let id = backend.replica_id.filter(|_| backend.role == Some(Role::Supplier) && !backend.agreements.is_empty())?;
    let (from, to) = (Part { role: Role::Supplier, id: Some(id) }, Part { role: Role::Hub, id: None });
    let place = Place::instance("").child(Scope::Backend, &backend.name);
    Some((id, Action { place, step: Step::ChangeRole { suffix: backend.suffix.clone(), from, to } }))
}

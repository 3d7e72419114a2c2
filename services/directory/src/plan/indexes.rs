//! Indexes. Those of the server stay as they are; those that new backends get are deleted only by name, and are as those have
//! them when nobody lists them any more.

use crate::{
    action::Step,
    layout,
    observed::{self, Index, IndexKind, Unfinished},
    options::{Definition, Scope},
    plan::{Planner, Server, backends::wanted_backend},
    setting::Setting,
    specification::{Backend, Child, Presence},
};

/// Indexes that the server makes for itself in every backend.
const SERVERS_OWN: [&str; 9] = [
    "aci",
    "entryrdn",
    "entryusn",
    "nscpEntryDN",
    "nsds5ReplConflict",
    "nsuniqueid",
    "numsubordinates",
    "objectclass",
    "parentid",
];

impl Planner<'_> {
    /// Deletes indexes that should not be there.
    pub(super) fn retire_indexes(&mut self, server: &mut Server<'_>) {
        for found in &mut server.found.backends {
            let Some(wanted) = wanted_backend(server.wanted, &found.name) else { continue };
            let backend = server.place.child(Scope::Backend, &found.name);
            found.indexes.retain(|index| {
                let listed = wanted.indexes.iter().find(|child| child.name.eq_ignore_ascii_case(&index.name));
                let goes = match listed {
                    Some(child) => child.presence == Presence::Absent,
                    None => {
                        self.prunes && index.kind == IndexKind::User && default(&server.found.default_indexes, index).is_none()
                    }
                };
                let place = backend.child(Scope::Index, &index.name);
                if goes && index.kind == IndexKind::System {
                    let at = listed.and_then(|child| child.at);
                    self.problems.add(&place, at, "the server needs this index: it cannot be deleted");
                } else if goes {
                    self.push(&place, Step::DeleteIndex { backend: found.name.clone() });
                }
                !goes
            });
        }
    }

    /// Creates and changes the indexes of a backend that is empty. Gives back those that it has touched.
    pub(super) fn indexes(&mut self, server: &mut Server<'_>, backend: &Backend, found: &observed::Backend) -> Vec<String> {
        let mut touched = Vec::new();
        for index in present(backend) {
            let place = server.place.child(Scope::Backend, &found.name).child(Scope::Index, &index.name);
            let Some(known) = found.index(&index.name) else {
                // A new backend has those of the server although nobody has seen them yet.
                if !SERVERS_OWN.iter().any(|name| name.eq_ignore_ascii_case(&index.name)) {
                    let step = Step::CreateIndex { backend: found.name.clone(), settings: index.settings.clone() };
                    self.push(&place, step);
                    touched.push(index.name.clone());
                }
                continue;
            };
            let is_set = |option: &Definition| option.home.attribute().is_some();
            let changes = self.changes(&place, index.at, &index.settings, &known.settings, is_set);
            if changes.is_empty() {
                continue;
            }
            if known.kind == IndexKind::System {
                self.problems.add(&place, index.at, "the server needs this index as it is: it cannot be changed");
                continue;
            }
            self.set(server, &place, layout::index(&found.name, &known.name), changes);
            touched.push(known.name.clone());
        }
        touched
    }

    /// The same for a backend that has data.
    pub(super) fn indexes_with_data(&mut self, server: &mut Server<'_>, backend: &Backend, found: &observed::Backend) {
        let mut stale = unfinished(server, found);
        stale.extend(self.indexes(server, backend, found));
        stale.extend(self.restore_indexes(server, backend, found));
        stale.sort_by_key(|attribute| attribute.to_lowercase());
        stale.dedup_by(|one, other| one.eq_ignore_ascii_case(other));
        if !stale.is_empty() {
            self.push(&server.place.child(Scope::Backend, &found.name), Step::Reindex { attributes: stale });
        }
    }

    /// Gives indexes that every backend has what they have in new backends, where they have something else that nobody lists any
    /// more. Gives back those that it has touched.
    fn restore_indexes(&mut self, server: &mut Server<'_>, backend: &Backend, found: &observed::Backend) -> Vec<String> {
        let mut touched = Vec::new();
        if !self.prunes {
            return touched;
        }
        let is_listed = |index: &Index| backend.indexes.iter().any(|child| child.name.eq_ignore_ascii_case(&index.name));
        for index in found.indexes.iter().filter(|index| index.kind == IndexKind::User && !is_listed(index)) {
            let Some(default) = default(&server.found.default_indexes, index) else { continue };
            let mut wanted = default.settings.clone();
            wanted.retain(|option| matches!(option.name, "indextype" | "matchingrule"));
            // The server leaves rules out in copies of some; whoever has set others wants them no more.
            if let (Some(_), None, Some(rule)) =
                (index.settings.get("matchingrule"), wanted.get("matchingrule"), Scope::Index.option("matchingrule"))
            {
                wanted.insert(rule, Setting::List(Vec::new()));
            }
            let place = server.place.child(Scope::Backend, &found.name).child(Scope::Index, &index.name);
            let changes = self.changes(&place, backend.at, &wanted, &index.settings, |_| true);
            if !changes.is_empty() {
                self.set(server, &place, layout::index(&found.name, &index.name), changes);
                touched.push(index.name.clone());
            }
        }
        touched
    }
}

/// The index that new backends get for the same attribute.
fn default<'a>(defaults: &'a [Index], index: &Index) -> Option<&'a Index> {
    defaults.iter().find(|default| default.name.eq_ignore_ascii_case(&index.name))
}

/// Indexes that an interrupted apply has changed.
fn unfinished(server: &Server<'_>, found: &observed::Backend) -> Vec<String> {
    let of_this = |unfinished: &Unfinished| match unfinished {
        Unfinished::Reindex { backend, attribute } if backend.eq_ignore_ascii_case(&found.name) => {
            found.index(attribute).map(|index| index.name.clone())
        }
        _ => None,
    };
    server.found.unfinished.iter().filter_map(of_this).collect()
}

fn present(backend: &Backend) -> impl Iterator<Item = &Child> {
    backend.indexes.iter().filter(|index| index.presence == Presence::Present)
}

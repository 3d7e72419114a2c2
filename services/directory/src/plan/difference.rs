//! Options that differ, and the entries in which they are changed.

use crate::{
    action::{Change, Step},
    dn::Dn,
    layout,
    options::{self, Definition, Home},
    place::Place,
    plan::{Planner, Server},
    setting::{Setting, Settings},
    value::Position,
};

impl Planner<'_> {
    /// Sets the instance's own options.
    pub(super) fn set_instance(&mut self, server: &mut Server<'_>) {
        let wanted = server.wanted;
        self.check_database(server);
        let is_set = |option: &Definition| !matches!(option.home, Home::Creation | Home::Nature | Home::Certificates);
        let is_new = self.found.instance(&wanted.name).is_none();
        let changes = if is_new {
            // It was created with them.
            Vec::new()
        } else {
            self.changes(&server.place, wanted.at, &wanted.settings, &server.found.settings, is_set)
        };
        let is_mdb = database(&server.found.settings) == Some("mdb");
        let homes = [
            (layout::config(), (|home| matches!(home, Home::Config(_))) as fn(Home) -> bool),
            (layout::encryption(), |home| matches!(home, Home::Encryption(_))),
            (layout::ldbm_config(), |home| matches!(home, Home::Ldbm(_))),
            (if is_mdb { layout::mdb() } else { layout::bdb() }, |home| matches!(home, Home::Bdb(_) | Home::Mdb(_))),
        ];
        for (dn, lives_here) in homes {
            let changes = changes.iter().filter(|change| lives_here(change.option.home)).cloned().collect();
            self.set(server, &server.place.clone(), dn, changes);
        }
    }

    /// Options of the database that the instance does not have.
    fn check_database(&mut self, server: &Server<'_>) {
        let Some(kind) = database(&server.found.settings) else { return };
        for (option, _) in server.wanted.settings.iter() {
            let other = match option.home {
                Home::Bdb(_) if kind == "mdb" => "BDB",
                Home::Mdb(_) if kind == "bdb" => "LMDB",
                _ => continue,
            };
            let message = format!("option '{}' is for {other}, and 'db_lib' of this instance is {kind}", option.spelling);
            self.problems.add(&server.place, server.wanted.at, message);
        }
    }

    /// Changes an entry, and remembers whether that works at once.
    pub(super) fn set(&mut self, server: &mut Server<'_>, place: &Place, dn: Dn, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        server.wants_restart |= changes.iter().any(|change| change.option.change == options::Change::Restart);
        self.push(place, Step::Set { dn, changes });
    }

    /// The options that `wanted` names, `is_set` lets through, and `found` has otherwise. One that cannot be changed is a
    /// problem.
    pub(super) fn changes(
        &mut self,
        place: &Place,
        at: Option<Position>,
        wanted: &Settings,
        found: &Settings,
        is_set: impl Fn(&Definition) -> bool,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        for (option, after) in wanted.iter().filter(|(option, _)| is_set(option)) {
            let before = found.get(option.name).cloned().or_else(|| option.default_setting());
            let is_the_same = match (&before, after) {
                (_, Setting::Secret(_)) => self.secrets.is_the_same(place, option.name),
                (Some(before), after) => option.codec.same(before, after),
                (None, Setting::List(items)) => items.is_empty(),
                (None, _) => false,
            };
            if is_the_same {
                continue;
            }
            if option.change == options::Change::Never {
                let is = before.as_ref().map_or_else(|| "not known".to_owned(), Setting::shown);
                let message = format!(
                    "option '{}' of an existing {} cannot be changed: it is {is}, not {}",
                    option.spelling,
                    place.scope().map_or("host", options::Scope::noun),
                    after.shown()
                );
                self.problems.add(place, at, message);
                continue;
            }
            changes.push(Change { option, before, after: after.clone() });
        }
        changes
    }
}

/// The kind of database, if it is known.
fn database(settings: &Settings) -> Option<&str> {
    settings.text("db_lib")
}

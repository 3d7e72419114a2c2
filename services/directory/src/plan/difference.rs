//! Options that differ, and the entries in which they are changed.

use crate::{
    action::{Change, Step},
    dn::Dn,
    options::{self, Definition, Home},
    place::Place,
    plan::{Planner, Server},
    setting::{self, Setting, Settings},
    value::Position,
};

/// The option that has the server work out sizes of caches.
const AUTOSIZE: &str = "nsslapd_cache_autosize";

impl Planner<'_> {
    /// Sets the instance's own options.
    pub(super) fn set_instance(&mut self, server: &mut Server<'_>) {
        let wanted = server.wanted;
        self.check_database(server);
        let is_set = |option: &Definition| option.home.instance_entry().is_some();
        let is_new = self.found.instance(&wanted.name).is_none();
        let mut changes = if is_new {
            // It was created with them.
            Vec::new()
        } else {
            self.changes(&server.place, wanted.at, &wanted.settings, &server.found.settings, is_set)
        };
        let mut entries: Vec<(Dn, Vec<Change>)> = Vec::new();
        // The homes are in the order in which they are set: whether plugins are switched at once is known before they are.
        changes.sort_by_key(|change| change.option.home);
        for change in changes {
            let Some(dn) = change.option.home.instance_entry() else { continue };
            match entries.iter_mut().find(|(known, _)| *known == dn) {
                Some((_, changes)) => changes.push(change),
                None => entries.push((dn, vec![change])),
            }
        }
        for (dn, mut changes) in entries {
            changes.sort_by_key(|change| change.option.name);
            // What the server checks against what it has, not against what it is about to get.
            let (first, changes): (Vec<_>, Vec<_>) = changes.into_iter().partition(|change| change.option.name == AUTOSIZE);
            for changes in [first, changes] {
                self.check_cache(server, &changes);
                self.set(server, &server.place.clone(), dn.clone(), changes);
            }
        }
    }

    /// The server refuses sizes of caches that it works out for itself.
    fn check_cache(&mut self, server: &Server<'_>, changes: &[Change]) {
        let is_automatic = !setting::sizes_caches(&[&server.wanted.settings, &server.found.settings]);
        if let Some(change) = changes.iter().find(|change| is_automatic && change.option.is_cache_size()) {
            let message =
                format!("option '{}' needs '{AUTOSIZE}' to be 0, for otherwise the server decides", change.option.spelling);
            self.problems.add(&server.place, server.wanted.at, message);
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
        let switch = |settings: &Settings| settings.switch("nsslapd_dynamic_plugins");
        let is_dynamic = switch(&server.wanted.settings).or(switch(&server.found.settings)).unwrap_or(false);
        let works_later =
            |option: &Definition| option.change == options::Change::Restart && !(option.home.is_dynamic_plugin() && is_dynamic);
        server.wants_restart |= changes.iter().any(|change| works_later(change.option));
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

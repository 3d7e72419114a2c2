//! Backends: those that go, and those that come or change, a suffix before those below it.

use crate::{
    action::{Change, Filling, Step},
    dn::Dn,
    layout,
    observed::{self, Unfinished},
    options::{Definition, Home, Scope},
    place::Place,
    plan::{Planner, Server},
    setting::{self, Setting},
    specification::{Backend, Instance, Presence, RoleWish},
};

impl Planner<'_> {
    /// Takes away what should not be there, children first.
    pub(super) fn retire(&mut self, server: &mut Server<'_>) {
        let goes = |planner: &Self, backend: &observed::Backend| match wanted_backend(server.wanted, &backend.name) {
            Some(wanted) => wanted.presence == Presence::Absent,
            None => planner.prunes,
        };
        let (mut gone, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut server.found.backends).into_iter().partition(|backend| goes(self, backend));
        server.found.backends = kept;
        self.retire_agreements(server, &gone);
        self.retire_replicas(server, &gone);
        // A suffix below another goes first.
        gone.sort_by_key(|backend| std::cmp::Reverse(backend.suffix.depth()));
        for backend in gone {
            let place = server.place.child(Scope::Backend, &backend.name);
            self.push(&place, Step::DeleteBackend { suffix: backend.suffix });
        }
        self.retire_indexes(server);
    }

    /// Creates and changes backends, with their indexes.
    pub(super) fn backends(&mut self, server: &mut Server<'_>) {
        let mut wanted: Vec<(&Backend, &Dn)> = present(server.wanted).collect();
        wanted.sort_by_key(|(_, suffix)| suffix.depth());
        for (backend, suffix) in wanted {
            match server.found.backend(&backend.name).cloned() {
                Some(found) => self.change_backend(server, backend, suffix, &found),
                None => self.create_backend(server, backend, suffix),
            }
        }
    }

    /// Sizes of caches that the server would choose itself: it refuses them, or takes others at its next start.
    fn check_caches(&mut self, server: &Server<'_>, backend: &Backend, is_the_same: impl Fn(&Definition, &Setting) -> bool) {
        if setting::sizes_caches(&[&server.wanted.settings, &server.found.settings]) {
            return;
        }
        for (option, _) in
            backend.settings.iter().filter(|(option, setting)| option.is_cache_size() && !is_the_same(option, setting))
        {
            let message = format!(
                "option '{}' needs the instance's 'nsslapd_cache_autosize' 0: otherwise the server chooses it",
                option.spelling
            );
            self.problems.add(&server.place.child(Scope::Backend, &backend.name), backend.at, message);
        }
    }

    fn create_backend(&mut self, server: &mut Server<'_>, backend: &Backend, suffix: &Dn) {
        let place = server.place.child(Scope::Backend, &backend.name);
        if let Some(other) = server.found.backends.iter().find(|other| other.suffix == *suffix) {
            let message = format!("suffix {suffix} is that of backend {} already", other.name);
            self.problems.add(&place, backend.at, message);
            return;
        }
        self.check_caches(server, backend, |_, _| false);
        let parent = parent(server, suffix);
        let mut settings = backend.settings.clone();
        settings.retain(|option| matches!(option.home, Home::Backend(_)) && !is_lock(option));
        self.push(&place, Step::CreateBackend { suffix: suffix.clone(), parent, settings: settings.clone() });
        let found = observed::Backend {
            name: backend.name.clone(),
            suffix: suffix.clone(),
            is_mapped: true,
            role: None,
            replica_id: None,
            settings,
            indexes: server.found.default_indexes.clone(),
            agreements: Vec::new(),
        };
        // Indexes are there before the first entry, so that nothing has to be indexed again.
        self.indexes(server, backend, &found);
        server.found.backends.push(found);
        self.fill(&place, backend, suffix);
    }

    /// Has backends refuse changes, last of all: they would refuse their first entries too, and being taken into replication.
    pub(super) fn locks(&mut self, server: &mut Server<'_>) {
        for (backend, _) in present(server.wanted) {
            let Some(found) = server.found.backend(&backend.name).cloned().filter(|_| locks(backend)) else { continue };
            let place = server.place.child(Scope::Backend, &found.name);
            let changes = self.changes(&place, backend.at, &backend.settings, &found.settings, is_lock);
            self.set(server, &place, layout::backend(&found.name), changes);
        }
    }

    /// Gives a backend its first entries.
    fn fill(&mut self, place: &Place, backend: &Backend, suffix: &Dn) {
        let is_on = |name: &str| backend.settings.switch(name) == Some(true);
        let with = match backend.settings.text("ldif_file") {
            Some(file) => Some(Filling::Ldif(file.to_owned())),
            None if is_on("sample_entries") => Some(Filling::SampleEntries),
            None if backend.settings.switch("create_suffix_entry") != Some(false) => Some(Filling::SuffixEntry),
            None => None,
        };
        if let Some(with) = with {
            self.push(place, Step::Fill { suffix: suffix.clone(), with });
        }
    }

    fn change_backend(&mut self, server: &mut Server<'_>, backend: &Backend, suffix: &Dn, found: &observed::Backend) {
        let place = server.place.child(Scope::Backend, &found.name);
        if found.suffix != *suffix {
            let message = format!("the suffix of an existing backend cannot be changed: it is {}, not {suffix}", found.suffix);
            self.problems.add(&place, backend.at, message);
        }
        if !found.is_mapped {
            self.push(&place, Step::MapBackend { suffix: suffix.clone(), parent: parent(server, suffix) });
        }
        self.check_caches(server, backend, |option, setting| {
            found.settings.get(option.name).is_some_and(|known| option.codec.same(known, setting))
        });
        let is_set = |option: &Definition| matches!(option.home, Home::Backend(_)) && !(locks(backend) && is_lock(option));
        let changes = self.changes(&place, backend.at, &backend.settings, &found.settings, is_set);
        self.set(server, &place, layout::backend(&found.name), changes);
        let is_unfilled = |unfinished: &Unfinished| matches!(unfinished, Unfinished::Fill { backend } if backend.eq_ignore_ascii_case(&found.name));
        let is_unfilled = server.found.unfinished.iter().any(is_unfilled);
        if is_unfilled || (found.role.is_none() && matches!(backend.role, RoleWish::Role(_))) {
            self.unlock(server, &place, backend, found);
        }
        self.indexes_with_data(server, backend, found);
        if is_unfilled {
            self.fill(&place, backend, suffix);
        }
    }

    /// Has a backend take changes until `locks`. Whether it is to refuse them afterwards has to be said: an apply that is
    /// interrupted in between would leave nothing that tells.
    fn unlock(&mut self, server: &mut Server<'_>, place: &Place, backend: &Backend, found: &observed::Backend) {
        if found.settings.switch("readonly") != Some(true) {
            return;
        }
        match backend.settings.switch("readonly") {
            Some(true) => {
                let Some(option) = Scope::Backend.option("readonly") else { return };
                let (before, after) = (Some(Setting::Switch(true)), Setting::Switch(false));
                let changes = vec![Change { option, before, after }];
                self.set(server, place, layout::backend(&found.name), changes);
                let known = server.found.backends.iter_mut().filter(|known| known.name == found.name);
                known.for_each(|known| drop(known.settings.remove("readonly")));
            }
            // It does so from now on.
            Some(false) => {}
            None => {
                let message = "option 'readonly' is missing: the backend is read-only, and has to take changes for this; say \
                               whether it is to be read-only afterwards";
                self.problems.add(place, backend.at, message);
            }
        }
    }
}

/// Whether a backend is to refuse changes.
fn locks(backend: &Backend) -> bool {
    backend.settings.switch("readonly") == Some(true)
}

/// Whether an option says that changes are refused.
fn is_lock(option: &Definition) -> bool {
    option.name == "readonly"
}

/// The nearest suffix above another.
fn parent(server: &Server<'_>, suffix: &Dn) -> Option<Dn> {
    let others = server.found.backends.iter().map(|other| &other.suffix);
    others.filter(|other| suffix.is_below(other)).max_by_key(|other| other.depth()).cloned()
}

/// The backend of a name that somebody listed.
pub(super) fn wanted_backend<'a>(instance: &'a Instance, name: &str) -> Option<&'a Backend> {
    instance.backends.iter().find(|backend| backend.name.eq_ignore_ascii_case(name))
}

/// The backends that should be there, and their suffixes.
pub(super) fn present(instance: &Instance) -> impl Iterator<Item = (&Backend, &Dn)> {
    let present = instance.backends.iter().filter(|backend| backend.presence == Presence::Present);
    present.filter_map(|backend| Some((backend, backend.suffix.as_ref()?)))
}

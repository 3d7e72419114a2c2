//! Agreements. They go before the part that sends goes, and come after it has come.

use crate::{
    action::{Change, Step},
    layout, observed,
    options::{Definition, Home, Scope},
    place::Place,
    plan::{Planner, Server, backends},
    setting::Setting,
    specification::{Backend, Child, Presence, Role, RoleWish},
    targets,
};

impl Planner<'_> {
    /// Deletes the agreements of backends that go or send no more, and those that should not be there.
    pub(super) fn retire_agreements(&mut self, server: &mut Server<'_>, gone: &[observed::Backend]) {
        for backend in gone {
            for agreement in &backend.agreements {
                self.delete(server, backend, &agreement.name);
            }
        }
        let mut kept = std::mem::take(&mut server.found.backends);
        for backend in &mut kept {
            let Some(wanted) = backends::wanted_backend(server.wanted, &backend.name) else { continue };
            let sends_no_more = match wanted.role {
                RoleWish::None => true,
                RoleWish::Role(role) => !role.sends(),
                RoleWish::AsItIs => false,
            };
            let goes = |name: &str| match listed(wanted, name) {
                Some(agreement) => agreement.presence == Presence::Absent,
                None => self.prunes,
            };
            let agreements = std::mem::take(&mut backend.agreements);
            let (gone, kept): (Vec<_>, Vec<_>) =
                agreements.into_iter().partition(|agreement| sends_no_more || goes(&agreement.name));
            backend.agreements = kept;
            for agreement in gone {
                self.delete(server, backend, &agreement.name);
            }
        }
        server.found.backends = kept;
    }

    /// Creates and changes agreements.
    pub(super) fn agreements(&mut self, server: &Server<'_>) {
        for (backend, suffix) in backends::present(server.wanted) {
            let Some(found) = server.found.backend(&backend.name) else { continue };
            for agreement in backend.agreements.iter().filter(|agreement| agreement.presence == Presence::Present) {
                let place = server.place.child(Scope::Backend, &found.name).child(Scope::Agreement, &agreement.name);
                if !found.role.is_some_and(Role::sends) {
                    let message = "the backend sends no updates: an agreement needs the 'ReplicaRole' supplier or hub";
                    self.problems.add(&place, agreement.at, message);
                    continue;
                }
                let known = found.agreement(&agreement.name);
                self.check_bind(&place, agreement, known);
                match known {
                    // It comes with what it has to do.
                    None if targets::initialises(&agreement.settings) => {}
                    None => {
                        let settings = agreement.settings.clone();
                        self.push(&place, Step::CreateAgreement { suffix: suffix.clone(), settings });
                    }
                    Some(known) => {
                        let is_set = |option: &Definition| matches!(option.home, Home::Agreement(_));
                        let mut changes = self.changes(&place, agreement.at, &agreement.settings, &known.settings, is_set);
                        changes.sort_by_key(rank);
                        if !changes.is_empty() {
                            self.push(&place, Step::Set { dn: layout::agreement(suffix, &known.name), changes });
                        }
                    }
                }
            }
        }
    }

    /// Nobody can read a password that the server has, so that only whoever makes an agreement, or has it bind by password from
    /// now on, needs to say it.
    fn check_bind(&mut self, place: &Place, agreement: &Child, known: Option<&observed::Agreement>) {
        let mut settings = agreement.settings.clone();
        if let Some(known) = known {
            if targets::needs_password(&known.settings) {
                return;
            }
            settings.complete(&known.settings);
        }
        for option in targets::missing_to_bind(&settings) {
            let method = settings.text("replicabindmethod").unwrap_or("SIMPLE");
            let message =
                format!("option '{option}' is missing: the agreement binds by {method}; add it, or bind by certificate");
            self.problems.add(place, agreement.at, message);
        }
    }

    fn delete(&mut self, server: &Server<'_>, backend: &observed::Backend, name: &str) {
        let place = server.place.child(Scope::Backend, &backend.name).child(Scope::Agreement, name);
        self.push(&place, Step::DeleteAgreement { suffix: backend.suffix.clone() });
    }
}

/// Where a change comes among those of its agreement. A server takes one after the other and may connect in between; where it
/// connects without TLS to a port that begins with it, it waits for ever, and nothing but its end ends that.
fn rank(change: &Change) -> u8 {
    match (change.option.name, &change.after) {
        ("replicatransportinfo", Setting::Text(transport)) if transport == "LDAPS" => 0,
        ("replicatransportinfo", _) => 2,
        _ => 1,
    }
}

fn listed<'a>(backend: &'a Backend, name: &str) -> Option<&'a Child> {
    backend.agreements.iter().find(|agreement| agreement.name.eq_ignore_ascii_case(name))
}

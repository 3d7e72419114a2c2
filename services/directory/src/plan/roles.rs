//! Parts in replication: who leaves it, who joins it, who changes, and the identities that others bind with.

use std::collections::BTreeSet;

use crate::{
    action::{Part, Step},
    dn::Dn,
    layout,
    observed::{self, Unfinished},
    options::{Definition, Home, Scope},
    place::Place,
    plan::{Planner, Server, backends},
    specification::{Backend, Role, RoleWish},
};

impl Planner<'_> {
    /// Takes the backends that go, and those that shall have no part, out of replication.
    pub(super) fn retire_replicas(&mut self, server: &mut Server<'_>, gone: &[observed::Backend]) {
        let leaves = |backend: &observed::Backend| {
            backends::wanted_backend(server.wanted, &backend.name).is_some_and(|wanted| wanted.role == RoleWish::None)
        };
        let kept = server.found.backends.iter().filter(|backend| leaves(backend));
        let leaving: Vec<observed::Backend> = gone.iter().chain(kept).filter(|backend| backend.role.is_some()).cloned().collect();
        let crashes = self.found.version.is_none_or(|version| version.crashes_when_a_replica_is_deleted());
        let mut restarts = false;
        for backend in leaving.iter().filter(|backend| crashes && backend.role == Some(Role::Consumer)) {
            // A hub has the changelog without which these servers crash.
            let (from, to) = (Part { role: Role::Consumer, id: None }, Part { role: Role::Hub, id: None });
            let place = server.place.child(Scope::Backend, &backend.name);
            self.push(&place, Step::ChangeRole { suffix: backend.suffix.clone(), from, to });
            restarts = true;
        }
        if restarts {
            self.push(&server.place, Step::Restart);
        }
        for backend in &leaving {
            let place = server.place.child(Scope::Backend, &backend.name);
            self.push(&place, Step::DisableReplica { suffix: backend.suffix.clone() });
        }
        if crashes && !leaving.is_empty() {
            // A supplier or hub of these may die of it a moment later, in the middle of whatever comes next.
            self.push(&server.place, Step::Restart);
        }
        for backend in server.found.backends.iter_mut().filter(|backend| leaving.iter().any(|gone| gone.name == backend.name)) {
            backend.role = None;
            backend.replica_id = None;
            backend.settings.retain(|option| matches!(option.home, Home::Backend(_)));
        }
    }

    /// Gives backends the part that they shall have.
    pub(super) fn roles(&mut self, server: &mut Server<'_>) {
        let wanted = server.wanted;
        for (backend, suffix) in backends::present(wanted) {
            let Some(found) = server.found.backend(&backend.name).cloned() else { continue };
            let place = server.place.child(Scope::Backend, &found.name);
            let role = match backend.role {
                RoleWish::Role(role) => Some(role),
                RoleWish::AsItIs => found.role,
                RoleWish::None => None,
            };
            let Some(role) = role else {
                self.check_unused(&place, backend);
                continue;
            };
            let to = Part { role, id: backend.replica_id.or(found.replica_id).filter(|_| role == Role::Supplier) };
            if role == Role::Supplier && to.id.is_none() {
                self.problems.add(&place, backend.at, "option 'ReplicaId' is missing: a supplier has a number of its own");
                continue;
            }
            let spent = spent(server, &found);
            if let Some(id) = to.id.filter(|id| found.role < Some(Role::Supplier) && spent.contains(id)) {
                let message = format!(
                    "option 'ReplicaId' is {id}, the number that {} had before it was restored: others may have changes of that number \
                     which the backup lacks, and these come only if it has another one",
                    found.name
                );
                self.problems.add(&place, backend.at, message);
                continue;
            }
            self.managers(server, &place, backend);
            match found.role {
                None => self.join(&place, backend, suffix, to),
                Some(role) => {
                    let from = Part { role, id: found.replica_id };
                    self.change_part(server, &place, suffix, from, to);
                    let changes = self.changes(&place, backend.at, &backend.settings, &found.settings, of_the_replica);
                    self.set(server, &place, layout::replica(suffix), changes);
                }
            }
            if let Some(id) = to.id.filter(|_| !spent.is_empty()) {
                self.push(&place, Step::Announce { suffix: suffix.clone(), id });
            }
            self.finish_cleaning(server, &place, suffix, &found, to);
            self.clean(server, &place, suffix, to);
            if role.sends() {
                let changes = self.changes(&place, backend.at, &backend.settings, &found.settings, of_the_changelog);
                self.set(server, &place, layout::changelog(&found.name), changes);
            }
            if let Some(found) = server.found.backends.iter_mut().find(|known| known.name == found.name) {
                found.role = Some(role);
            }
        }
    }

    fn join(&mut self, place: &Place, backend: &Backend, suffix: &Dn, part: Part) {
        let mut settings = backend.settings.clone();
        settings.retain(of_the_replica);
        self.push(place, Step::EnableReplica { suffix: suffix.clone(), part, settings });
    }

    /// A number is changed on the way over a hub: changed in place, the server loses what it knows of its own updates.
    fn change_part(&mut self, server: &mut Server<'_>, place: &Place, suffix: &Dn, from: Part, to: Part) {
        let hub = Part { role: Role::Hub, id: None };
        let renumbered = from.role == Role::Supplier && to.role == Role::Supplier && from.id != to.id;
        let way = if renumbered { vec![(from, hub), (hub, to)] } else { vec![(from, to)] };
        for (from, to) in way.into_iter().filter(|(from, to)| from != to) {
            self.push(place, Step::ChangeRole { suffix: suffix.clone(), from, to });
            // The server opens and closes a changelog at its start only.
            server.wants_restart |= from.role == Role::Consumer || to.role == Role::Consumer;
        }
        if let Some(id) = from.id.filter(|id| renumbered && !self.is_used(server, suffix, *id)) {
            self.push(place, Step::CleanRuv { suffix: suffix.clone(), id });
        }
    }

    /// Whether a supplier of this or another host has a number, or is to have it. Cleaned, its changes would be lost.
    fn is_used(&self, server: &Server<'_>, suffix: &Dn, id: u16) -> bool {
        let wanted = self.wanted.instances.iter().flat_map(backends::present);
        let wanted = wanted.filter_map(|(backend, suffix)| Some((suffix, backend.replica_id?)));
        let others = self.found.instances.iter().filter(|instance| instance.name != server.found.name);
        let found = others.flat_map(|instance| &instance.backends).filter_map(|known| Some((&known.suffix, known.replica_id?)));
        let elsewhere = self.wanted.numbers.iter().map(|(suffix, id)| (suffix, *id));
        wanted.chain(found).chain(elsewhere).any(|known| known == (suffix, id))
    }

    /// What an interrupted change of the number has left.
    fn finish_cleaning(&mut self, server: &Server<'_>, place: &Place, suffix: &Dn, found: &observed::Backend, to: Part) {
        for unfinished in &server.found.unfinished {
            if let Unfinished::CleanRuv { backend, id } = unfinished
                && backend.eq_ignore_ascii_case(&found.name)
                && to.id.is_some_and(|now| now != *id)
                && found.replica_id != Some(*id)
                && !self.is_used(server, suffix, *id)
            {
                self.push(place, Step::CleanRuv { suffix: suffix.clone(), id: *id });
            }
        }
    }

    /// Has all servers forget suppliers that are gone. The server lets suppliers alone do so.
    fn clean(&mut self, server: &Server<'_>, place: &Place, suffix: &Dn, to: Part) {
        if to.role != Role::Supplier {
            return;
        }
        for (_, id) in self.wanted.gone.iter().filter(|(known, _)| known == suffix) {
            let step = Step::CleanRuv { suffix: suffix.clone(), id: *id };
            let is_planned = self.actions.iter().any(|action| action.step == step && action.place == *place);
            if to.id != Some(*id) && !is_planned && !self.is_used(server, suffix, *id) {
                self.push(place, step);
            }
        }
    }

    /// Bind identities below `cn=config` belong to this server alone, so it has to make them.
    fn managers(&mut self, server: &mut Server<'_>, place: &Place, backend: &Backend) {
        let config = layout::config();
        let names = backend.settings.list("replicabinddn").unwrap_or_default();
        let password = backend.settings.secret("replicacredentials");
        for dn in names.iter().filter_map(|name| Dn::parse(name).ok()).filter(|dn| dn.is_below(&config)) {
            if layout::is_the_servers_own(&dn) {
                let message = format!(
                    "option 'ReplicaBindDN' names {dn}, an entry of the server itself: take another, such as \
                     cn=replication manager,cn=config"
                );
                self.problems.add(place, backend.at, message);
                continue;
            }
            let is_there = server.found.managers.contains(&dn);
            let is_of_program = layout::is_bind_identity(&dn);
            let own = self.wanted.identity(&dn);
            let Some(password) = (if is_of_program { own } else { own.or(password) }) else {
                // One that a program says no more of stays as it is, there or not.
                if !is_of_program && !is_there && !server.managers.contains_key(&dn) {
                    let message =
                        format!("option 'ReplicaCredentials' is missing: {dn} is to be created with it as its password");
                    self.problems.add(place, backend.at, message);
                }
                continue;
            };
            if let Some(other) = server.managers.insert(dn.clone(), password.clone()) {
                if other != *password {
                    let message = format!("option 'ReplicaCredentials' is another than that of {dn} in another backend");
                    self.problems.add(place, backend.at, message);
                }
                continue;
            }
            if !is_there {
                self.push(place, Step::CreateManager { dn, password: password.clone() });
            } else if !self.secrets.is_the_same_of(place, "replicacredentials", &dn) {
                self.push(place, Step::SetPassword { dn, attribute: "userPassword", password: password.clone() });
            }
        }
    }

    /// Deletes identities that were made for those who do not bind any more.
    pub(super) fn retire_identities(&mut self, server: &Server<'_>) {
        if self.wanted.identities.is_none() {
            return;
        }
        let lists = backends::present(server.wanted).filter_map(|(backend, _)| backend.settings.list("replicabinddn"));
        let used: BTreeSet<Dn> = lists.flatten().filter_map(|name| Dn::parse(name).ok()).collect();
        for dn in server.found.managers.iter().filter(|dn| layout::is_bind_identity(dn) && !used.contains(*dn)) {
            self.push(&server.place, Step::DeleteManager { dn: dn.clone() });
        }
    }

    /// Options of a replica that is not there would be lost without a word.
    fn check_unused(&mut self, place: &Place, backend: &Backend) {
        for (option, _) in backend.settings.iter() {
            if of_the_replica(option) || of_the_changelog(option) {
                let message =
                    format!("option '{}' needs a 'ReplicaRole': the backend has no part in replication", option.spelling);
                self.problems.add(place, backend.at, message);
            }
        }
        if backend.replica_id.is_some() {
            self.problems.add(place, backend.at, "option 'ReplicaId' needs the 'ReplicaRole' supplier");
        }
    }
}

/// The numbers that a backend had when it was restored.
fn spent(server: &Server<'_>, found: &observed::Backend) -> Vec<u16> {
    let spent = server.found.unfinished.iter().filter_map(Unfinished::spent);
    spent.filter(|(backend, _)| backend.eq_ignore_ascii_case(&found.name)).map(|(_, id)| id).collect()
}

fn of_the_replica(option: &Definition) -> bool {
    matches!(option.home, Home::Replica(_))
}

fn of_the_changelog(option: &Definition) -> bool {
    matches!(option.home, Home::Changelog(_))
}

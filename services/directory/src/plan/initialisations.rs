//! Consumers that are given all entries: only of agreements that say so, when they are made or asked once more, and at the very
//! end. Such an agreement is made once its server has data to pass on: whatever it says of the consumer's before that is about
//! something else. For the same reason one that is there is made anew when it is asked whether both have the same data: what it says
//! may be about a consumer that has lost all since, and a server that has nothing to send does not look again.

use crate::{
    action::{Action, Step},
    dn::Dn,
    observed::Unfinished,
    options::Scope,
    plan::{Planner, Server, backends},
    specification::{Presence, Role},
    targets,
};

/// One of them, and what tells which have to come before it.
pub(super) struct Initialisation {
    /// Makes the agreement, if it is not there or says nothing that counts.
    make: Vec<Action>,
    action: Action,
    suffix: Dn,
    /// Ports of the instance that sends.
    from: [i64; 2],
    /// Port of the one that receives.
    to: i64,
    role: Option<Role>,
}

impl Planner<'_> {
    /// The consumers of agreements that are made now, or were made by an apply that did not get to this.
    pub(super) fn initialisations(&mut self, server: &Server<'_>) -> Vec<Initialisation> {
        let mut initialisations = Vec::new();
        for (backend, suffix) in backends::present(server.wanted) {
            let Some(found) = server.found.backend(&backend.name) else { continue };
            for agreement in backend.agreements.iter().filter(|agreement| agreement.presence == Presence::Present) {
                let known = found.agreement(&agreement.name);
                let is_left = |unfinished: &Unfinished| matches!(unfinished, Unfinished::Initialise { backend, agreement: name } if backend.eq_ignore_ascii_case(&found.name) && name.eq_ignore_ascii_case(&agreement.name));
                let request = agreement.settings.text("initialiserequest");
                let met = server.found.initialised.iter().find(|met| met.is_of(&found.name, &agreement.name));
                let is_asked = request.is_some_and(|request| met.is_none_or(|met| met.request != request));
                let is_due = known.is_none() || is_asked || server.found.unfinished.iter().any(is_left);
                if !targets::initialises(&agreement.settings) || !is_due {
                    continue;
                }
                let place = server.place.child(Scope::Backend, &found.name).child(Scope::Agreement, &agreement.name);
                let stays_off = known.and_then(|known| known.settings.switch("replicaenabled"));
                if agreement.settings.switch("replicaenabled").or(stays_off) == Some(false) {
                    let message =
                        "option 'Initialise' needs an agreement that is enabled: leave 'ReplicaEnabled' out, or set it to on";
                    self.problems.add(&place, agreement.at, message);
                    continue;
                }
                let (host, to) = (agreement.settings.text("replicahost"), agreement.settings.number("replicaport").unwrap_or(0));
                let port = |option: &str, default: i64| {
                    let [wanted, found] = [&server.wanted.settings, &server.found.settings].map(|known| known.number(option));
                    wanted.or(found).unwrap_or(default)
                };
                let anew = agreement.settings.text("initialise") == Some("Anew");
                let step = Step::Initialise {
                    suffix: suffix.clone(),
                    consumer: format!("{}:{to}", host.unwrap_or_default()),
                    anew,
                    request: request.map(str::to_owned),
                };
                let mut settings = agreement.settings.clone();
                let mut make = Vec::new();
                if let Some(known) = known.filter(|_| is_asked && !anew) {
                    settings.complete(&known.settings);
                    for option in targets::missing_to_bind(&settings) {
                        let message = format!("option '{option}' is missing: 'InitialiseRequest' has the agreement made anew");
                        self.problems.add(&place, agreement.at, message);
                    }
                    make.push(Action { place: place.clone(), step: Step::DeleteAgreement { suffix: suffix.clone() } });
                }
                if known.is_none() || !make.is_empty() {
                    make.push(Action { place: place.clone(), step: Step::CreateAgreement { suffix: suffix.clone(), settings } });
                }
                initialisations.push(Initialisation {
                    make,
                    action: Action { place, step },
                    suffix: suffix.clone(),
                    from: [port("port", 389), port("secure_port", 636)],
                    to,
                    role: found.role,
                });
            }
        }
        initialisations
    }
}

/// Whoever passes entries on gets them first. Ports tell instances of this host apart; where they mean other hosts, the order
/// does not matter.
pub(super) fn in_order(mut waiting: Vec<Initialisation>) -> Vec<Action> {
    waiting.sort_by_key(|initialisation| std::cmp::Reverse(initialisation.role));
    let mut actions = Vec::new();
    while !waiting.is_empty() {
        let gets = |sender: &Initialisation| {
            waiting.iter().any(|other| other.suffix == sender.suffix && sender.from.contains(&other.to))
        };
        let next = waiting.iter().position(|initialisation| !gets(initialisation)).unwrap_or(0);
        let next = waiting.remove(next);
        actions.extend(next.make);
        actions.push(next.action);
    }
    actions
}

//! From what a host should be and what it is to the actions that lead there, in their order. Carried out and planned again,
//! nothing is left to do; interrupted anywhere and planned again, the rest is.

mod agreements;
mod backends;
mod certificates;
mod difference;
mod indexes;
mod roles;

use std::collections::BTreeMap;

use crate::{
    action::{Action, Step},
    comparison::Comparisons,
    dn::Dn,
    observed::{self, Unfinished},
    place::{Place, Problems},
    secret::Secret,
    specification::{Instance, Presence, Specification, State},
};

/// The actions that make a host what it should be. What no action can do is a problem, and then there is no plan.
pub fn plan(wanted: &Specification, found: &observed::Host, secrets: &Comparisons) -> Result<Vec<Action>, Problems> {
    let mut planner =
        Planner { found, secrets, prunes: wanted.state == State::Updated, actions: Vec::new(), problems: Problems::new() };
    match wanted.state {
        State::Absent if wanted.instances.is_empty() => planner.remove(|instance| instance.is_ours),
        State::Absent => planner.remove(|found| wanted.instances.iter().any(|instance| instance.is_called(&found.name))),
        State::Started => planner.run(wanted, true),
        State::Stopped => planner.run(wanted, false),
        State::Present | State::Updated => {
            let listed = |name: &str| wanted.instances.iter().find(|instance| instance.is_called(name));
            planner.remove(|found| match listed(&found.name) {
                Some(instance) => instance.presence == Presence::Absent,
                None => wanted.state == State::Updated && found.is_ours,
            });
            for instance in wanted.instances.iter().filter(|instance| instance.presence == Presence::Present) {
                planner.instance(instance);
            }
        }
    }
    planner.problems.or(planner.actions)
}

struct Planner<'a> {
    found: &'a observed::Host,
    secrets: &'a Comparisons,
    /// What is not listed is deleted.
    prunes: bool,
    actions: Vec<Action>,
    problems: Problems,
}

/// One instance while it is planned for.
struct Server<'a> {
    place: Place,
    wanted: &'a Instance,
    /// What it is; what it will be when it has just been created, if it is not there yet.
    found: observed::Instance,
    /// Whether something was planned that works after the next start.
    wants_restart: bool,
    /// Bind identities, each with the password that it is to have.
    managers: BTreeMap<Dn, Secret>,
}

impl Planner<'_> {
    fn push(&mut self, place: &Place, step: Step) {
        self.actions.push(Action { place: place.clone(), step });
    }

    fn remove(&mut self, is_to_go: impl Fn(&observed::Instance) -> bool) {
        for instance in self.found.instances.iter().filter(|instance| is_to_go(instance)) {
            self.push(&Place::instance(&instance.name), Step::RemoveInstance);
        }
    }

    /// Only starts or stops what is listed.
    fn run(&mut self, wanted: &Specification, runs: bool) {
        for instance in wanted.instances.iter().filter(|instance| instance.presence == Presence::Present) {
            match self.found.instance(&instance.name) {
                Some(found) if found.is_running == runs => {}
                Some(_) => self.push(&instance.place(), if runs { Step::Start } else { Step::Stop }),
                None if runs => {
                    let message = "there is no such instance to start: state 'present' creates it";
                    self.problems.add(&instance.place(), instance.at, message);
                }
                None => {}
            }
        }
    }

    fn instance(&mut self, wanted: &Instance) {
        let place = wanted.place();
        self.check_version(&place, wanted);
        let mut server = match self.found.instance(&wanted.name) {
            Some(found) => Server {
                place: Place::instance(&found.name),
                wanted,
                found: found.clone(),
                wants_restart: false,
                managers: BTreeMap::new(),
            },
            None => self.create(place, wanted),
        };
        let was_running = server.found.is_running;
        self.certificates(&mut server);
        let before = self.actions.len();
        // What was changed before an interruption has to work before anything builds on it.
        if server.found.unfinished.contains(&Unfinished::Restart) && was_running {
            self.push(&server.place, Step::Restart);
        }
        self.retire(&mut server);
        self.set_instance(&mut server);
        self.backends(&mut server);
        self.roles(&mut server);
        if std::mem::take(&mut server.wants_restart) {
            self.push(&server.place, Step::Restart);
        }
        self.agreements(&server);
        let should_run = wanted.started.unwrap_or(true);
        let has_work = self.actions.len() > before;
        if !was_running && (has_work || should_run) {
            self.actions.insert(before, Action { place: server.place.clone(), step: Step::Start });
        }
        if !should_run && (was_running || has_work) {
            self.push(&server.place, Step::Stop);
        }
    }

    fn create<'w>(&mut self, place: Place, wanted: &'w Instance) -> Server<'w> {
        if wanted.settings.secret("rootpw").is_none() {
            self.problems.add(
                &place,
                wanted.at,
                "option 'rootpw' is missing: a new instance needs a password for its administrator",
            );
        }
        self.push(&place, Step::CreateInstance(wanted.settings.clone()));
        let found = observed::Instance {
            name: wanted.name.clone(),
            is_ours: true,
            is_running: false,
            unfinished: Vec::new(),
            settings: wanted.settings.clone(),
            default_indexes: self.found.default_indexes.clone(),
            backends: Vec::new(),
            managers: Vec::new(),
        };
        Server { place, wanted, found, wants_restart: false, managers: BTreeMap::new() }
    }

    /// Options that the installed server does not have yet.
    fn check_version(&mut self, place: &Place, wanted: &Instance) {
        let Some(version) = self.found.version else { return };
        for (option, _) in wanted.settings.iter() {
            if let Some(since) = option.since.filter(|since| version < *since) {
                let message = format!("option '{}' needs 389 DS {since}; this is {version}", option.spelling);
                self.problems.add(place, wanted.at, message);
            }
        }
    }
}

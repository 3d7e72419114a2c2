//! From what a host should be and what it is to the actions that lead there, in their order. Carried out and planned again,
//! nothing is left to do; interrupted anywhere and planned again, the rest is.

mod agreements;
mod backends;
mod certificates;
mod difference;
mod indexes;
mod initialisations;
mod order;
mod roles;

use std::collections::BTreeMap;

use crate::{
    action::{Action, Step},
    comparison::Comparisons,
    dn::Dn,
    observed::{self, Unfinished},
    options::Scope,
    place::{Place, Problems},
    plan::initialisations::Initialisation,
    secret::Secret,
    setting::Setting,
    specification::{Instance, Presence, Specification, State},
};

/// The actions that make a host what it should be. What no action can do is a problem, and then there is no plan.
pub fn plan(wanted: &Specification, found: &observed::Host, secrets: &Comparisons) -> Result<Vec<Action>, Problems> {
    let mut planner = Planner {
        found,
        secrets,
        wanted,
        prunes: wanted.state == State::Updated,
        actions: Vec::new(),
        problems: Problems::new(),
    };
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
            planner.instances(wanted.instances.iter().filter(|instance| instance.presence == Presence::Present));
        }
    }
    planner.problems.or(planner.actions)
}

struct Planner<'a> {
    found: &'a observed::Host,
    secrets: &'a Comparisons,
    wanted: &'a Specification,
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

/// What is to be done for an instance.
struct Share {
    /// A restart that is left of before.
    restart: Option<Action>,
    /// What concerns no other.
    alone: Vec<Action>,
    /// Agreements that come and change.
    agreements: Vec<Action>,
    /// Consumers that get all entries.
    initialisations: Vec<Initialisation>,
    stop: Option<Action>,
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
                Some(found) => self.push(&Place::instance(&found.name), if runs { Step::Start } else { Step::Stop }),
                None if runs => {
                    let message = "there is no such instance to start: state 'present' creates it";
                    self.problems.add(&instance.place(), instance.at, message);
                }
                None => {}
            }
        }
    }

    /// First all that instances are by themselves, then what leads from one to another: the other end may be here too.
    fn instances<'w>(&mut self, wanted: impl Iterator<Item = &'w Instance>) {
        let wanted = self.in_order_of_ports(wanted.collect());
        let mut shares: Vec<Share> = wanted.into_iter().map(|instance| self.instance(instance)).collect();
        // What was changed before an interruption has to work before anything builds on it: a server that was told to leave a
        // port has it until then.
        self.actions.extend(shares.iter_mut().filter_map(|share| share.restart.take()));
        let (mut agreements, mut initialisations, mut stops) = (Vec::new(), Vec::new(), Vec::new());
        for share in shares {
            self.actions.extend(share.alone);
            agreements.extend(share.agreements);
            initialisations.extend(share.initialisations);
            stops.extend(share.stop);
        }
        self.actions.extend(agreements);
        self.actions.extend(initialisations::in_order(initialisations));
        self.actions.extend(stops);
    }

    fn instance(&mut self, wanted: &Instance) -> Share {
        let before = std::mem::take(&mut self.actions);
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
        let created = self.actions.len();
        let is_left = server.found.unfinished.contains(&Unfinished::Restart) && was_running;
        let restart = is_left.then(|| Action { place: server.place.clone(), step: Step::Restart });
        self.retire(&mut server);
        self.set_instance(&mut server);
        self.backends(&mut server);
        self.roles(&mut server);
        self.retire_identities(&server);
        self.locks(&mut server);
        if std::mem::take(&mut server.wants_restart) {
            self.push(&server.place, Step::Restart);
        }
        let mut alone = std::mem::take(&mut self.actions);
        self.agreements(&server);
        let agreements = std::mem::replace(&mut self.actions, before);
        let initialisations = self.initialisations(&server);
        let has_work = alone.len() > created || !agreements.is_empty() || !initialisations.is_empty();
        let should_run = wanted.started.unwrap_or(true);
        if !was_running && (has_work || should_run) {
            alone.insert(created, Action { place: server.place.clone(), step: Step::Start });
        }
        let stops = !should_run && (was_running || has_work);
        let stop = stops.then(|| Action { place: server.place.clone(), step: Step::Stop });
        Share { restart, alone, agreements, initialisations, stop }
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
        let mut settings = wanted.settings.clone();
        if let (None, Some(version), Some(option)) =
            (settings.get("db_lib"), self.found.version, Scope::Instance.option("db_lib"))
        {
            settings.insert(option, Setting::Text(version.database().to_owned()));
        }
        let found = observed::Instance {
            name: wanted.name.clone(),
            is_ours: true,
            is_running: false,
            unfinished: Vec::new(),
            initialised: Vec::new(),
            settings,
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

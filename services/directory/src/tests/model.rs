//! A model of a host with 389 DS: it carries operations out on entries in memory, does by itself what the server does by
//! itself, and refuses what the server refuses, or dies of.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    action::{self, Action, Part, Step},
    certificates::{Certificates, Fingerprint},
    comparison::{self, Comparisons},
    dn::Dn,
    entry::{Entry, Tree},
    layout,
    observed::{self, Unfinished},
    operation::{self, Operation},
    options::Scope,
    place::Place,
    setting::Settings,
    specification::{Role, Specification},
    version::Version,
};

/// A host.
#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) version: Version,
    pub(super) servers: BTreeMap<String, Server>,
}

/// A server of it.
#[derive(Debug, Clone)]
pub(super) struct Server {
    pub(super) is_ours: bool,
    pub(super) is_running: bool,
    pub(super) tree: Tree,
    secrets: BTreeMap<(Dn, String), String>,
    unfinished: BTreeSet<Unfinished>,
    met: Vec<observed::Initialised>,
    /// Backends whose changelog was opened or closed since the start, which the process does not know.
    confused: BTreeSet<Dn>,
    /// Indexes that do not cover what was there before them.
    stale: BTreeSet<Dn>,
    /// The certificate that the database has, and the one that the process shows.
    certificate: Option<Fingerprint>,
    shown: Option<Fingerprint>,
    /// Authorities that the database has, and those that the process trusts.
    authorities: BTreeSet<Fingerprint>,
    trusted: BTreeSet<Fingerprint>,
    /// Agreements whose consumer got all entries.
    pub(super) initialised: BTreeSet<Dn>,
}

impl Model {
    pub(super) fn new(version: Version) -> Self {
        Self { version, servers: BTreeMap::new() }
    }

    pub(super) fn observe(&self) -> observed::Host {
        let instances = self.servers.iter().map(|(name, server)| {
            let mut instance = observed::Instance::read(name, &server.tree);
            instance.is_ours = server.is_ours;
            instance.is_running = server.is_running;
            instance.unfinished = server.unfinished.iter().cloned().collect();
            instance.initialised = server.met.clone();
            instance
        });
        // What a new instance is like shows in the template of the installation.
        let new = observed::Instance::read("new", &Server::new(&Settings::new()).tree);
        observed::Host { version: Some(self.version), default_indexes: new.default_indexes, instances: instances.collect() }
    }

    /// What a bind would say of each secret, and files and database of each certificate. A file's content is its name.
    pub(super) fn compare(&self, wanted: &Specification) -> Comparisons {
        let mut comparisons = Comparisons::default();
        for question in comparison::questions(wanted) {
            let server = self.servers.get(&question.place.instance_name().to_lowercase());
            let known = server.and_then(|server| server.secrets.get(&(question.dn.clone(), question.attribute.to_lowercase())));
            comparisons.insert(&question, known.is_some_and(|known| known == question.secret.reveal()));
        }
        for instance in &wanted.instances {
            let server = self.servers.get(&instance.name.to_lowercase());
            let offered = instance.settings.text("tls_cert").map(fingerprint).into_iter().collect();
            let authorities = instance.settings.list("tls_ca").unwrap_or_default();
            let known = server.map(|server| server.authorities.iter().map(|one| (*one, true)).collect()).unwrap_or_default();
            let certificates = Certificates {
                offered,
                authorities: authorities.iter().map(|file| fingerprint(file)).collect(),
                served: server.and_then(|server| server.certificate),
                known,
                problems: Vec::new(),
            };
            comparisons.insert_certificates(&instance.place(), certificates);
        }
        comparisons
    }

    /// Carries out the first `count` actions.
    pub(super) fn carry_out(&mut self, actions: &[Action], count: usize) {
        for action in actions {
            if let Some(server) = self.servers.get_mut(&action.place.instance_name().to_lowercase()) {
                server.unfinished.extend(action.unfinished());
            }
        }
        for (done, action) in actions.iter().take(count).enumerate() {
            let name = action.place.instance_name().to_lowercase();
            for operation in operation::operations(action) {
                self.operate(&name, &operation);
            }
            let Some(server) = self.servers.get_mut(&name) else { continue };
            server.unfinished.retain(|unfinished| !action::finishes(actions, done, unfinished));
            action.note_request(&mut server.met);
            if matches!(action.step, Step::CreateInstance(_)) {
                // Written down as soon as there is where to write it.
                let of_this =
                    actions.iter().skip(done + 1).filter(|other| other.place.instance_name().eq_ignore_ascii_case(&name));
                server.unfinished.extend(of_this.flat_map(Action::unfinished));
            }
        }
    }

    /// Puts an older copy in the place of the data of a supplier, as those do who restore one.
    pub(super) fn restore(&mut self, name: &str, backend: &str, suffix: &str, id: u16) {
        let (from, to) = (Part { role: Role::Supplier, id: Some(id) }, Part { role: Role::Hub, id: None });
        let place = Place::instance(name).child(Scope::Backend, backend);
        let step = Step::ChangeRole { suffix: Dn::parse(suffix).unwrap(), from, to };
        for operation in operation::operations(&Action { place, step }) {
            self.operate(name, &operation);
        }
        let unfinished = Unfinished::Renumber { backend: backend.to_owned(), id };
        self.servers.get_mut(name).unwrap().unfinished.insert(unfinished);
    }

    /// Carries out the first `count` actions, and of the next the first `operations`.
    pub(super) fn interrupt(&mut self, actions: &[Action], count: usize, operations: usize) {
        self.carry_out(actions, count);
        let Some(action) = actions.get(count) else { return };
        for operation in operation::operations(action).iter().take(operations) {
            self.operate(&action.place.instance_name().to_lowercase(), operation);
        }
    }

    fn operate(&mut self, name: &str, operation: &Operation) {
        match operation {
            Operation::Create(settings) => {
                assert!(!self.servers.contains_key(name), "{name} is there already");
                self.servers.insert(name.to_owned(), Server::new(settings));
            }
            Operation::Remove => {
                self.servers.remove(name).expect("an instance to remove");
            }
            other => self.servers.get_mut(name).expect("an instance").operate(self.version, other),
        }
    }
}

impl Server {
    fn new(settings: &Settings) -> Self {
        let mut tree = Tree::new();
        for dn in [layout::config(), layout::encryption(), layout::ldbm(), layout::ldbm_config(), layout::mapping_trees()] {
            let (_, value) = dn.rdn();
            let value = value.to_owned();
            tree.insert(Entry::new(dn).with("cn", &[&value]));
        }
        let is_mdb = settings.text("db_lib") == Some("mdb");
        let database = if is_mdb { layout::mdb() } else { layout::bdb() };
        tree.insert(Entry::new(database.clone()));
        tree.insert(Entry::new(layout::default_indexes()));
        for (name, system, types) in [("aci", "true", "pres"), ("cn", "false", "eq"), ("uid", "false", "eq")] {
            tree.insert(index(layout::default_indexes().child("cn", name), name, system, types));
        }
        for dn in Scope::Instance.options().iter().filter(|option| option.home.is_plugin()) {
            tree.insert(Entry::new(dn.home.instance_entry().unwrap()));
        }
        let mut secrets = BTreeMap::new();
        for (option, setting) in settings.iter() {
            let Some(dn) = option.home.instance_entry() else { continue };
            let attribute = option.home.attribute().unwrap();
            let values = option.codec.store(setting);
            match option.is_secret() {
                true => drop(secrets.insert((dn, attribute.to_lowercase()), values.concat())),
                false => tree.get_mut(&dn).unwrap().replace(attribute, bytes(values)),
            }
        }
        let kind = if is_mdb { "mdb" } else { "bdb" };
        tree.get_mut(&layout::ldbm_config()).unwrap().replace("nsslapd-backend-implement", bytes(vec![kind.to_owned()]));
        let nothing = BTreeSet::new();
        Self {
            met: Vec::new(),
            is_ours: true,
            is_running: false,
            tree,
            secrets,
            unfinished: nothing,
            confused: BTreeSet::new(),
            stale: BTreeSet::new(),
            certificate: None,
            shown: None,
            authorities: BTreeSet::new(),
            trusted: BTreeSet::new(),
            initialised: BTreeSet::new(),
        }
    }

    fn operate(&mut self, version: Version, operation: &Operation) {
        match operation {
            Operation::Start => {
                assert!(!self.is_running, "it runs already");
                self.is_running = true;
                self.confused.clear();
                self.shown = self.certificate;
                self.trusted = self.authorities.clone();
            }
            Operation::Stop => {
                assert!(self.is_running, "it does not run");
                self.is_running = false;
            }
            Operation::ImportCertificate { certificate, .. } => self.certificate = Some(fingerprint(certificate)),
            Operation::TrustAuthorities { files } => self.authorities.extend(files.iter().map(|file| fingerprint(file))),
            other => {
                assert!(self.is_running, "{other:?} needs a server that runs");
                self.change(version, other);
            }
        }
    }

    fn change(&mut self, version: Version, operation: &Operation) {
        match operation {
            Operation::Add { entry, secrets } => {
                let is_configuration = entry.dn.is_below(&layout::config());
                let is_there = self.tree.get(&entry.dn).is_some();
                assert!(!is_configuration || !is_there, "{} is there already", entry.dn);
                let parent = entry.dn.parent().unwrap();
                assert!(!is_configuration || self.tree.get(&parent).is_some(), "{parent} is not there for {}", entry.dn);
                // A replica writes an entry of its own into its suffix.
                let written = if entry.is_a("nsds5Replica") {
                    Dn::parse(entry.text("nsDS5ReplicaRoot").unwrap()).unwrap()
                } else {
                    entry.dn.clone()
                };
                assert!(!self.is_locked(&written), "{written} is read-only");
                self.tree.insert(entry.clone());
                self.keep(&entry.dn, secrets);
                self.react(entry);
            }
            Operation::Replace { dn, values, secrets } => {
                let entry = self.tree.get_mut(dn).unwrap_or_else(|| panic!("{dn} is not there"));
                let was_consumer = is_consumer(entry);
                for (attribute, values) in values {
                    entry.replace(attribute, bytes(values.clone()));
                }
                let entry = entry.clone();
                self.keep(dn, secrets);
                if entry.is_a("nsds5Replica") && was_consumer != is_consumer(&entry) {
                    self.confused.insert(dn.clone());
                }
                if entry.is_a("nsds5Replica") {
                    assert!(!is_consumer(&entry) || self.tree.children(dn).next().is_none(), "a consumer with agreements");
                    self.react(&entry);
                }
                self.outdate(&entry);
            }
            Operation::Delete(dn) => self.delete(version, dn),
            Operation::Task { kind: "index", attributes, .. } => {
                let values = |wanted: &str| &attributes.iter().find(|(name, _)| *name == wanted).unwrap().1;
                for attribute in values("nsIndexAttribute") {
                    let dn = layout::index(&values("nsInstance")[0], attribute);
                    assert!(self.tree.get(&dn).is_some(), "there is no index {dn}");
                    self.stale.remove(&dn);
                }
            }
            Operation::Task { .. } | Operation::AwaitAnswer { .. } => {}
            Operation::AwaitData { suffix } => {
                assert!(self.tree.get(&layout::replica(suffix)).is_some(), "there is no replica of {suffix}");
            }
            Operation::Initialise { suffix, agreement, .. } => {
                let dn = layout::agreement(suffix, agreement);
                let entry = self.tree.get(&dn).unwrap_or_else(|| panic!("{dn} is not there"));
                assert_ne!(entry.text("nsDS5ReplicaEnabled"), Some("off"), "an agreement that is off initialises nobody");
                self.initialised.insert(dn);
            }
            other => panic!("{other:?} is not for a server"),
        }
    }

    /// Whether the backend of an entry refuses changes.
    fn is_locked(&self, dn: &Dn) -> bool {
        let suffix = |entry: &Entry| Dn::parse(entry.text("nsslapd-suffix").unwrap()).unwrap();
        let backends = self.tree.iter().filter(|entry| entry.is_a("nsBackendInstance"));
        let holds = backends.filter(|entry| suffix(entry) == *dn || dn.is_below(&suffix(entry)));
        holds.max_by_key(|entry| suffix(entry).depth()).is_some_and(|entry| entry.text("nsslapd-readonly") == Some("on"))
    }

    fn delete(&mut self, version: Version, dn: &Dn) {
        let Some(entry) = self.tree.get(dn).cloned() else { return };
        if entry.is_a("nsds5Replica") {
            assert!(self.tree.children(dn).next().is_none(), "a replica with agreements: not allowed on non-leaf");
            let crashes = version.crashes_when_a_replica_is_deleted() && is_consumer(&entry);
            assert!(!crashes, "the server crashes when a consumer is disabled");
            assert!(!self.confused.contains(dn), "the server crashes: its changelog is not open");
        }
        if entry.is_a("nsMappingTree") {
            assert!(self.tree.children(dn).next().is_none(), "a mapping tree with a replica");
        }
        if entry.is_a("nsBackendInstance") {
            let suffix = Dn::parse(entry.text("nsslapd-suffix").unwrap()).unwrap();
            assert!(self.tree.get(&layout::mapping_tree(&suffix)).is_none(), "a backend with a mapping tree");
            // Suffixes below it are in backends of their own.
            let has_own = |entry: &&Entry| self.tree.get(&layout::mapping_tree(&entry.dn)).is_some();
            let below = self.tree.iter().filter(|entry| entry.dn.is_below(&suffix));
            let others: Vec<Entry> = below.filter(has_own).cloned().collect();
            self.tree.remove(&suffix);
            for other in others {
                self.tree.insert(other);
            }
        }
        self.tree.remove(dn);
        self.stale.remove(dn);
        self.initialised.retain(|known| known != dn && !known.is_below(dn));
        self.secrets.retain(|(known, _), _| known != dn && !known.is_below(dn));
    }

    fn keep(&mut self, dn: &Dn, secrets: &[(&'static str, crate::secret::Secret)]) {
        for (attribute, secret) in secrets {
            self.secrets.insert((dn.clone(), attribute.to_lowercase()), secret.reveal().to_owned());
        }
    }

    /// What the server does by itself.
    fn react(&mut self, entry: &Entry) {
        if entry.is_a("nsBackendInstance") {
            let name = entry.text("cn").unwrap().to_owned();
            let suffix = Dn::parse(entry.text("nsslapd-suffix").unwrap()).unwrap();
            let taken = self.tree.iter().filter(|other| other.is_a("nsBackendInstance"));
            let taken = taken.filter(|other| Dn::parse(other.text("nsslapd-suffix").unwrap()).as_ref() == Ok(&suffix)).count();
            assert_eq!(taken, 1, "two backends for {suffix}");
            self.tree.insert(Entry::new(layout::indexes(&name)));
            let defaults: Vec<Entry> = self.tree.children(&layout::default_indexes()).cloned().collect();
            for default in defaults {
                let attribute = default.text("cn").unwrap().to_owned();
                let mut copy = default.clone();
                copy.dn = layout::index(&name, &attribute);
                self.tree.insert(copy);
            }
            self.tree.insert(index(layout::index(&name, "entryrdn"), "entryrdn", "true", "subtree"));
        }
        if entry.is_a("nsds5Replica") && !is_consumer(entry) {
            let suffix = entry.dn.parent().unwrap();
            let backend = self.tree.get(&suffix).unwrap().text("nsslapd-backend").unwrap();
            let dn = layout::changelog(backend);
            if self.tree.get(&dn).is_none() {
                self.tree.insert(Entry::new(dn));
            }
        }
        self.outdate(entry);
    }

    /// An index that changes does not cover what its backend holds.
    fn outdate(&mut self, entry: &Entry) {
        let backend = entry.dn.parent().and_then(|dn| dn.parent()).and_then(|dn| self.tree.get(&dn));
        let suffix = backend.and_then(|entry| entry.text("nsslapd-suffix")).and_then(|text| Dn::parse(text).ok());
        if entry.is_a("nsIndex") && suffix.is_some_and(|suffix| self.tree.get(&suffix).is_some()) {
            self.stale.insert(entry.dn.clone());
        }
    }

    /// Indexes that lack entries.
    pub(super) fn stale(&self) -> &BTreeSet<Dn> {
        &self.stale
    }

    /// Whether the process knows its changelogs and certificates.
    pub(super) fn is_sane(&self) -> bool {
        let knows_certificates = self.shown == self.certificate && self.trusted == self.authorities;
        self.confused.is_empty() && (knows_certificates || !self.is_running)
    }

    /// The suffixes of its backends that have no entry.
    pub(super) fn empty(&self) -> Vec<String> {
        let instance = observed::Instance::read("x", &self.tree);
        let empty = instance.backends.iter().filter(|backend| self.tree.get(&backend.suffix).is_none());
        empty.map(|backend| backend.name.clone()).collect()
    }
}

fn fingerprint(file: &str) -> Fingerprint {
    let mut bytes = [0; 32];
    bytes.iter_mut().zip(file.bytes()).for_each(|(to, from)| *to = from);
    Fingerprint(bytes)
}

fn is_consumer(entry: &Entry) -> bool {
    entry.text("nsDS5Flags") == Some("0")
}

fn index(dn: Dn, name: &str, system: &str, types: &str) -> Entry {
    Entry::new(dn)
        .with("objectClass", &["top", "nsIndex"])
        .with("cn", &[name])
        .with("nsSystemIndex", &[system])
        .with("nsIndexType", &[types])
}

fn bytes(values: Vec<String>) -> Vec<Vec<u8>> {
    values.into_iter().map(String::into_bytes).collect()
}

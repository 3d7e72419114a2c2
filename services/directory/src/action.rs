//! What a plan consists of: the actions, what they are called, and what of them may be seen. How each is done over LDAP is
//! in `operation`.

use std::fmt;

use crate::{
    dn::Dn,
    observed::{Initialised, Unfinished},
    options::Definition,
    place::Place,
    secret::{MASK, Secret},
    setting::{Setting, Settings},
    specification::Role,
};

/// Whether something unfinished is to be struck out when the action at `done` of a plan has been done: it did that, or made it
/// needless, and no later action has the same to finish.
pub fn finishes(plan: &[Action], done: usize, unfinished: &Unfinished) -> bool {
    let Some((action, later)) = plan.get(done..).and_then(<[Action]>::split_first) else { return false };
    let is_same_instance = |other: &&Action| other.place.instance_name().eq_ignore_ascii_case(action.place.instance_name());
    let is_ahead = later.iter().filter(is_same_instance).any(|later| later.unfinished().contains(unfinished));
    let is_needless = match (&action.step, unfinished) {
        // Whatever changed before works after any start.
        (Step::Start | Step::Stop, Unfinished::Restart) => true,
        (Step::DeleteBackend { .. }, other) => other.backend().is_some_and(|name| name.eq_ignore_ascii_case(action.object())),
        (Step::Announce { .. } | Step::DisableReplica { .. }, Unfinished::Renumber { backend, .. }) => {
            backend.eq_ignore_ascii_case(action.object())
        }
        (Step::DeleteAgreement { .. }, Unfinished::Initialise { backend, agreement }) => {
            agreement.eq_ignore_ascii_case(action.object()) && backend.eq_ignore_ascii_case(action.place.parent().name())
        }
        (Step::DeleteIndex { backend }, Unfinished::Reindex { backend: known, attribute }) => {
            known.eq_ignore_ascii_case(backend) && attribute.eq_ignore_ascii_case(action.object())
        }
        _ => false,
    };
    !is_ahead && (is_needless || action.unfinished().contains(unfinished))
}

/// One thing to do, and to which object.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// The object; its instance is the first name on the way.
    pub place: Place,
    /// What to do.
    pub step: Step,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Make an instance with these options. It does not run afterwards.
    CreateInstance(Settings),
    /// Stop an instance and delete all that is of it.
    RemoveInstance,
    /// Start an instance.
    Start,
    /// Stop an instance.
    Stop,
    /// Stop an instance and start it again.
    Restart,
    /// Give attributes of an entry other values.
    Set {
        /// The entry.
        dn: Dn,
        /// The attributes, at least one.
        changes: Vec<Change>,
    },
    /// Take a certificate with its key, and those that are sent with it, into what the instance has, in the place of the one
    /// that it shows.
    ImportCertificate {
        /// A file of PEM on the server's host.
        certificate: String,
        /// The file with the key.
        key: String,
    },
    /// Trust authorities.
    TrustAuthorities {
        /// Files of PEM on the server's host.
        files: Vec<String>,
    },
    /// Make a backend and lead its suffix to it.
    CreateBackend {
        /// Root of its entries.
        suffix: Dn,
        /// The nearest suffix above that one which the instance has too.
        parent: Option<Dn>,
        /// Its options.
        settings: Settings,
    },
    /// Lead a suffix to its backend, which is there already.
    MapBackend {
        /// Root of its entries.
        suffix: Dn,
        /// The nearest suffix above that one which the instance has too.
        parent: Option<Dn>,
    },
    /// Delete a backend and all its data.
    DeleteBackend {
        /// Root of its entries.
        suffix: Dn,
    },
    /// Give a new backend its first entries.
    Fill {
        /// Root of its entries.
        suffix: Dn,
        /// What they are.
        with: Filling,
    },
    /// Make an index.
    CreateIndex {
        /// The backend.
        backend: String,
        /// Its options.
        settings: Settings,
    },
    /// Delete an index.
    DeleteIndex {
        /// The backend.
        backend: String,
    },
    /// Index what a backend holds.
    Reindex {
        /// The attributes.
        attributes: Vec<String>,
    },
    /// Make the identity that other servers bind with.
    CreateManager {
        /// Its name.
        dn: Dn,
        /// Its password.
        password: Secret,
    },
    /// Delete the identity that another server has bound with.
    DeleteManager {
        /// Its name.
        dn: Dn,
    },
    /// Give an entry a password.
    SetPassword {
        /// The entry.
        dn: Dn,
        /// The attribute that holds it.
        attribute: &'static str,
        /// The password.
        password: Secret,
    },
    /// Take a suffix into replication.
    EnableReplica {
        /// The suffix.
        suffix: Dn,
        /// Its part.
        part: Part,
        /// Options of the replica.
        settings: Settings,
    },
    /// Change a suffix's part in replication.
    ChangeRole {
        /// The suffix.
        suffix: Dn,
        /// The part that it has.
        from: Part,
        /// The part that it gets.
        to: Part,
    },
    /// Take a suffix out of replication.
    DisableReplica {
        /// The suffix.
        suffix: Dn,
    },
    /// Have all servers forget a supplier's number.
    CleanRuv {
        /// The suffix.
        suffix: Dn,
        /// The number.
        id: u16,
    },
    /// Make the first change of a supplier's number, so that others look at what the server lacks.
    Announce {
        /// The suffix.
        suffix: Dn,
        /// The number.
        id: u16,
    },
    /// Make an agreement.
    CreateAgreement {
        /// The suffix.
        suffix: Dn,
        /// Its options.
        settings: Settings,
    },
    /// Delete an agreement.
    DeleteAgreement {
        /// The suffix.
        suffix: Dn,
    },
    /// Give an agreement's consumer all entries.
    Initialise {
        /// The suffix.
        suffix: Dn,
        /// Host and port of the consumer.
        consumer: String,
        /// Whether also if both have the same data to begin with.
        anew: bool,
        /// The word of the request that this meets, if there was one.
        request: Option<String>,
    },
}

/// Part in replication: a supplier has a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The role.
    pub role: Role,
    /// The number, of a supplier alone.
    pub id: Option<u16>,
}

/// First entries of a backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filling {
    /// That of the suffix.
    SuffixEntry,
    /// That of the suffix and those with which many directories begin.
    SampleEntries,
    /// Those of a file on the server's host.
    Ldif(String),
}

/// An attribute's change.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The option.
    pub option: &'static Definition,
    /// What it is, if it is known and anything at all.
    pub before: Option<Setting>,
    /// What it is to be.
    pub after: Setting,
}

impl Action {
    /// The name of its object.
    pub fn object(&self) -> &str {
        self.place.name()
    }

    /// Whether data is lost that nothing brings back.
    pub fn deletes_data(&self) -> bool {
        matches!(self.step, Step::RemoveInstance | Step::DeleteBackend { .. } | Step::Initialise { .. })
    }

    /// What would not show in the configuration if this were never done: to be written down before anything of its plan is
    /// done.
    pub fn unfinished(&self) -> Vec<Unfinished> {
        let backend = || self.object().to_owned();
        match &self.step {
            Step::Restart => vec![Unfinished::Restart],
            Step::Fill { .. } => vec![Unfinished::Fill { backend: backend() }],
            Step::CleanRuv { id, .. } => vec![Unfinished::CleanRuv { backend: backend(), id: *id }],
            Step::Initialise { .. } => {
                let backend = self.place.parent().name().to_owned();
                vec![Unfinished::Initialise { backend, agreement: self.object().to_owned() }]
            }
            Step::Reindex { attributes } => {
                let reindex = |attribute: &String| Unfinished::Reindex { backend: backend(), attribute: attribute.clone() };
                attributes.iter().map(reindex).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Notes among the requests that were met the one that this meets once it is done, and forgets those of what it deletes.
    pub fn note_request(&self, met: &mut Vec<Initialised>) {
        let (name, backend) = (self.object(), self.place.parent());
        match &self.step {
            Step::Initialise { request: Some(request), .. } => {
                met.retain(|known| !known.is_of(backend.name(), name));
                let (backend, agreement) = (backend.name().to_owned(), name.to_owned());
                met.push(Initialised { backend, agreement, request: request.clone() });
            }
            Step::DeleteAgreement { .. } => met.retain(|known| !known.is_of(backend.name(), name)),
            Step::DeleteBackend { .. } => met.retain(|known| !known.backend.eq_ignore_ascii_case(name)),
            _ => {}
        }
    }

    /// What it does, in the words of ds389.ansible_ds where that does it too. Secrets are masked.
    pub fn messages(&self) -> Vec<String> {
        let (name, path) = (self.object(), self.place.dotted());
        let text = match &self.step {
            Step::CreateInstance(_) => format!("Creating instance slapd-{name}"),
            Step::RemoveInstance => format!("Removing instance slapd-{name}"),
            Step::Start => format!("Starting instance slapd-{name}"),
            Step::Stop => format!("Stopping instance slapd-{name}"),
            Step::Restart => format!("Restarting instance slapd-{name}"),
            Step::Set { dn, changes } => return changes.iter().map(|change| change.message(dn)).collect(),
            Step::ImportCertificate { certificate, .. } => {
                format!("Importing certificate {certificate} into instance slapd-{name}")
            }
            Step::TrustAuthorities { files } => format!("Trusting authorities of {} in instance slapd-{name}", files.join(", ")),
            Step::CreateBackend { suffix, .. } => format!("Creating backend {name} on suffix {suffix}"),
            Step::MapBackend { suffix, .. } => format!("Leading suffix {suffix} to backend {name}"),
            Step::DeleteBackend { suffix } => format!("Deleting backend {name} on suffix {suffix}"),
            Step::Fill { suffix, with: Filling::SuffixEntry } => format!("Adding entry {suffix}"),
            Step::Fill { suffix, with: Filling::SampleEntries } => format!("Adding entry {suffix} and sample entries below it"),
            Step::Fill { with: Filling::Ldif(file), .. } => format!("Importing {file} into backend {name}"),
            Step::CreateIndex { backend, .. } => format!("Creating index {name} on backend {backend}"),
            Step::DeleteIndex { backend } => format!("Deleting index {name} on backend {backend}"),
            Step::Reindex { attributes } => format!("Indexing {} of backend {name}", attributes.join(", ")),
            Step::CreateManager { dn, .. } => format!("Adding entry {dn}"),
            Step::DeleteManager { dn } => format!("Deleting entry {dn}"),
            Step::SetPassword { dn, .. } => format!("Updating password on entry {dn}"),
            Step::EnableReplica { suffix, part, .. } => {
                format!("Configure replication as {part} for backend {name} on suffix {suffix}")
            }
            Step::ChangeRole { suffix, from, to } => {
                let verb = if from.role > to.role { "Demote" } else { "Promote" };
                format!("{verb} replica for suffix {suffix} from {from} to {to}")
            }
            Step::DisableReplica { suffix } => format!("Delete replica for suffix {suffix}"),
            Step::Announce { suffix, id } => format!("Announcing replica id {id} of suffix {suffix}"),
            Step::CleanRuv { suffix, id } => format!("Cleaning replica id {id} from suffix {suffix}"),
            Step::CreateAgreement { .. } => format!("Creating agreement {name} on backend {}", parent(&path, name)),
            Step::DeleteAgreement { .. } => format!("Deleting agreement {name} on backend {}", parent(&path, name)),
            Step::Initialise { consumer, .. } => {
                format!(
                    "Initialising {consumer} by agreement {name} of backend {}: what it holds is replaced",
                    parent(&path, name)
                )
            }
        };
        vec![text]
    }
}

impl Change {
    fn message(&self, dn: &Dn) -> String {
        let attribute = self.option.home.attribute().unwrap_or(self.option.spelling);
        match &self.after {
            Setting::Secret(_) => format!("Set {attribute} in {dn}"),
            after => format!("Set {attribute}:{} in {dn}", after.shown()),
        }
    }

    /// What it was and what it will be, for people. Secrets are masked.
    pub fn shown(&self) -> (String, String) {
        if self.option.is_secret() {
            return (MASK.to_owned(), MASK.to_owned());
        }
        let before = self.before.as_ref().map(Setting::shown).unwrap_or_default();
        (before, self.after.shown())
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.role.name())?;
        if let Some(id) = self.id { write!(f, " {id}") } else { Ok(()) }
    }
}

/// The way without the last name.
fn parent<'a>(path: &'a str, name: &str) -> &'a str {
    path.strip_suffix(name).and_then(|path| path.strip_suffix('.')).unwrap_or(path)
}

//! How actions are done: each as operations on entries and tasks of the server, or on its process. Who carries them out knows
//! nothing of plans.

mod fill;

use crate::{
    action::{Action, Filling, Part, Step},
    dn::Dn,
    entry::Entry,
    layout,
    options::Definition,
    secret::Secret,
    setting::{Setting, Settings},
    specification::Role,
    targets,
};

/// One operation. Secrets are kept apart from the rest, so that nothing shows them.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// Make the files of an instance with these options.
    Create(Settings),
    /// Stop the process and delete all files of the instance.
    Remove,
    /// Start the process and wait until it answers.
    Start,
    /// Stop the process and wait until it is gone.
    Stop,
    /// Take a certificate with its key into the database of certificates.
    ImportCertificate {
        /// A file of PEM on the server's host.
        certificate: String,
        /// The file with the key.
        key: String,
    },
    /// Have the database of certificates trust authorities.
    TrustAuthorities {
        /// Files of PEM on the server's host.
        files: Vec<String>,
    },
    /// Add an entry. One of a backend's first entries that an interrupted apply has added is no failure.
    Add {
        /// The entry, without its secrets.
        entry: Entry,
        /// Attributes that are secrets.
        secrets: Vec<(&'static str, Secret)>,
    },
    /// Replace all values of attributes; no values take the attribute away.
    Replace {
        /// The entry.
        dn: Dn,
        /// Attributes and their values.
        values: Vec<(&'static str, Vec<String>)>,
        /// Attributes that are secrets.
        secrets: Vec<(&'static str, Secret)>,
    },
    /// Delete an entry and all below it, the deepest first. One that an interrupted apply has deleted is no failure.
    Delete(Dn),
    /// Have the server do a task, and wait for its end.
    Task {
        /// The kind of task, as in `cn=index,cn=tasks,cn=config`.
        kind: &'static str,
        /// Its attributes.
        attributes: Vec<(&'static str, Vec<String>)>,
        /// Whether the server goes on with it by itself, so that nobody has to wait for its end.
        goes_on: bool,
    },
    /// Wait until a suffix that was imported can be read.
    AwaitAnswer {
        /// The suffix.
        suffix: Dn,
    },
    /// Wait until the server has data of a supplier. A hub gets it from others.
    AwaitData {
        /// The suffix.
        suffix: Dn,
    },
    /// Have the server give the consumer of an agreement all entries, unless both have the same data to begin with, and wait for
    /// the end.
    Initialise {
        /// The suffix.
        suffix: Dn,
        /// The agreement.
        agreement: String,
        /// Whether also if both have the same data.
        anew: bool,
    },
}

impl Operation {
    /// Whether it makes or ends a process, so that no connection to the instance is good for anything afterwards.
    pub fn is_of_process(&self) -> bool {
        matches!(self, Self::Create(_) | Self::Remove | Self::Start | Self::Stop)
    }
}

/// The operations of an action, in their order.
pub fn operations(action: &Action) -> Vec<Operation> {
    let name = action.object();
    match &action.step {
        Step::CreateInstance(settings) => vec![Operation::Create(settings.clone())],
        Step::RemoveInstance => vec![Operation::Remove],
        Step::Start => vec![Operation::Start],
        Step::Stop => vec![Operation::Stop],
        Step::Restart => vec![Operation::Stop, Operation::Start],
        Step::Set { dn, changes } => vec![replace(dn, changes.iter().map(|change| (change.option, &change.after)))],
        Step::ImportCertificate { certificate, key } => {
            vec![Operation::ImportCertificate { certificate: certificate.clone(), key: key.clone() }]
        }
        Step::TrustAuthorities { files } => vec![Operation::TrustAuthorities { files: files.clone() }],
        Step::CreateBackend { suffix, parent, settings } => {
            let backend = entry(layout::backend(name), &["top", "extensibleObject", "nsBackendInstance"])
                .with("cn", &[name])
                .with("nsslapd-suffix", &[suffix.as_str()]);
            vec![add(backend, settings), add(mapping_tree(suffix, parent.as_ref(), name), &Settings::new())]
        }
        Step::MapBackend { suffix, parent } => vec![add(mapping_tree(suffix, parent.as_ref(), name), &Settings::new())],
        Step::DeleteBackend { suffix } => {
            vec![Operation::Delete(layout::mapping_tree(suffix)), Operation::Delete(layout::backend(name))]
        }
        Step::Fill { suffix, with: Filling::SuffixEntry } => vec![add(fill::suffix_entry(suffix), &Settings::new())],
        Step::Fill { suffix, with: Filling::SampleEntries } => {
            fill::sample_entries(suffix).into_iter().map(|entry| add(entry, &Settings::new())).collect()
        }
        Step::Fill { suffix, with: Filling::Ldif(file) } => vec![
            task("import", &[("nsFilename", vec![file.clone()]), ("nsInstance", vec![name.to_owned()])]),
            Operation::AwaitAnswer { suffix: suffix.clone() },
        ],
        Step::CreateIndex { backend, settings } => {
            let system = settings.switch("systemindex").unwrap_or(false).to_string();
            let index =
                entry(layout::index(backend, name), &["top", "nsIndex"]).with("cn", &[name]).with("nsSystemIndex", &[&system]);
            vec![add(index, settings)]
        }
        Step::DeleteIndex { backend } => vec![Operation::Delete(layout::index(backend, name))],
        Step::Reindex { attributes } => {
            vec![task("index", &[("nsInstance", vec![name.to_owned()]), ("nsIndexAttribute", attributes.clone())])]
        }
        Step::CreateManager { dn, password } => {
            vec![Operation::Add { entry: fill::manager(dn), secrets: vec![("userPassword", password.clone())] }]
        }
        Step::DeleteManager { dn } => vec![Operation::Delete(dn.clone())],
        Step::SetPassword { dn, attribute, password } => {
            vec![Operation::Replace { dn: dn.clone(), values: Vec::new(), secrets: vec![(*attribute, password.clone())] }]
        }
        Step::EnableReplica { suffix, part, settings } => {
            let mut replica = entry(layout::replica(suffix), &["top", "nsds5Replica", "extensibleObject"])
                .with("cn", &["replica"])
                .with("nsDS5ReplicaRoot", &[suffix.as_str()]);
            for (attribute, value) in part_values(*part) {
                replica.add(attribute, value.into_bytes());
            }
            vec![add(replica, settings)]
        }
        Step::ChangeRole { suffix, from, to } => {
            // The server refuses to change its type to the one that it has.
            let differs = |(from, to): &((&str, String), (&str, String))| from != to;
            let pairs = part_values(*from).into_iter().zip(part_values(*to)).filter(differs);
            let values = pairs.map(|(_, (attribute, value))| (attribute, vec![value])).collect();
            vec![Operation::Replace { dn: layout::replica(suffix), values, secrets: Vec::new() }]
        }
        // A consumer sends those who write to its supplier, and goes on with that when it is none any more. Told before, for whoever
        // is killed in between would not know of it any more, and after, for a session may end with setting it again.
        Step::DisableReplica { suffix } => {
            vec![takes_writes(suffix), Operation::Delete(layout::replica(suffix)), takes_writes(suffix)]
        }
        // The entry that the server itself would make of a number that has long had nothing to send.
        Step::Announce { suffix, id } => {
            let name = format!("repl keep alive {id}");
            let entry = entry(layout::keep_alive(suffix, *id), &["top", "ldapsubentry", "extensibleObject"]).with("cn", &[&name]);
            vec![Operation::Add { entry, secrets: Vec::new() }]
        }
        Step::CleanRuv { suffix, id } => {
            let attributes = [
                ("replica-base-dn", vec![suffix.as_str().to_owned()]),
                ("replica-id", vec![id.to_string()]),
                ("replica-force-cleaning", vec!["no".to_owned()]),
            ];
            // It waits for servers that are behind, and is kept in the replica's entry until it is done.
            vec![Operation::Task { kind: "cleanallruv", attributes: attributes.to_vec(), goes_on: true }]
        }
        Step::CreateAgreement { suffix, settings } => {
            let agreement = entry(layout::agreement(suffix, name), &["top", "nsds5replicationagreement"])
                .with("cn", &[name])
                .with("nsDS5ReplicaRoot", &[suffix.as_str()])
                .with("nsDS5ReplicaTransportInfo", &["LDAP"])
                .with("nsDS5ReplicaBindMethod", &["SIMPLE"]);
            let wait = targets::initialises(settings).then(|| Operation::AwaitData { suffix: suffix.clone() });
            wait.into_iter().chain([add(agreement, settings)]).collect()
        }
        Step::DeleteAgreement { suffix } => vec![Operation::Delete(layout::agreement(suffix, name))],
        Step::Initialise { suffix, anew, .. } => {
            vec![Operation::Initialise { suffix: suffix.clone(), agreement: name.to_owned(), anew: *anew }]
        }
    }
}

fn entry(dn: Dn, classes: &[&str]) -> Entry {
    Entry::new(dn).with("objectClass", classes)
}

fn mapping_tree(suffix: &Dn, parent: Option<&Dn>, backend: &str) -> Entry {
    let tree = entry(layout::mapping_tree(suffix), &["top", "extensibleObject", "nsMappingTree"])
        .with("cn", &[suffix.normal()])
        .with("nsslapd-state", &["backend"])
        .with("nsslapd-backend", &[backend]);
    match parent {
        Some(parent) => tree.with("nsslapd-parent-suffix", &[parent.as_str()]),
        None => tree,
    }
}

/// Has the server take what is written below a suffix itself.
fn takes_writes(suffix: &Dn) -> Operation {
    let values = vec![("nsslapd-state", vec!["backend".to_owned()]), ("nsslapd-referral", Vec::new())];
    Operation::Replace { dn: layout::mapping_tree(suffix), values, secrets: Vec::new() }
}

/// Adds an entry with the options that have an attribute.
fn add(mut entry: Entry, settings: &Settings) -> Operation {
    let mut secrets = Vec::new();
    for (option, setting) in settings.iter() {
        let Some(attribute) = option.home.attribute() else { continue };
        match setting {
            Setting::Secret(secret) => secrets.push((attribute, secret.clone())),
            _ => entry.replace(attribute, option.codec.store(setting).into_iter().map(String::into_bytes).collect()),
        }
    }
    Operation::Add { entry, secrets }
}

fn replace<'a>(dn: &Dn, changes: impl Iterator<Item = (&'static Definition, &'a Setting)>) -> Operation {
    let (mut values, mut secrets) = (Vec::new(), Vec::new());
    for (option, setting) in changes {
        let Some(attribute) = option.home.attribute() else { continue };
        match setting {
            Setting::Secret(secret) => secrets.push((attribute, secret.clone())),
            _ => values.push((attribute, option.codec.store(setting))),
        }
    }
    Operation::Replace { dn: dn.clone(), values, secrets }
}

fn task(kind: &'static str, attributes: &[(&'static str, Vec<String>)]) -> Operation {
    Operation::Task { kind, attributes: attributes.to_vec(), goes_on: false }
}

/// The three attributes that make a part in replication. All but suppliers have the number that nobody else may have.
fn part_values(part: Part) -> [(&'static str, String); 3] {
    let (kind, flags) = match part.role {
        Role::Supplier => ("3", "1"),
        Role::Hub => ("2", "1"),
        Role::Consumer => ("2", "0"),
    };
    let id = part.id.map_or_else(|| "65535".to_owned(), |id| id.to_string());
    [("nsDS5ReplicaType", kind.to_owned()), ("nsDS5Flags", flags.to_owned()), ("nsDS5ReplicaId", id)]
}

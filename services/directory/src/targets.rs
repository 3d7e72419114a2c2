//! Agreements by what they target: which backends a target means, and the agreement that each of them gets. Whether the
//! outcome is sound is for `topology` to say.

mod pattern;

use std::collections::BTreeMap;

pub use self::pattern::Pattern;
use crate::{
    fleet::{BackendRef, Fleet},
    options::{Home, Scope},
    place::{Place, Problems},
    setting::{Setting, Settings},
    specification::{Child, Presence, Specification, State, Targeted},
};

/// What stands before the full name of the target in the name of an agreement, as ds389.ansible_ds has it.
pub const PREFIX: &str = "ansible-target: ";

/// What a host should have, with every element of `ds389_agmts` turned into agreements of its backends.
pub fn resolve(fleet: &Fleet, host: &str) -> Result<Specification, Problems> {
    let mut problems = Problems::new();
    let Some(member) = fleet.get(host) else {
        problems.add(&Place::default(), None, format!("host '{host}' is not known: nothing says what it should have"));
        return Err(problems);
    };
    let mut resolved = member.specification.clone();
    let targeted = std::mem::take(&mut resolved.targeted);
    resolved.numbers =
        fleet.replicated().filter_map(|backend| Some((backend.backend.suffix.clone()?, backend.backend.replica_id?))).collect();
    // What goes needs no agreements, and may be the last of its kind. Elements are written for a group of hosts, and those of
    // them that send no updates have no use for any.
    if resolved.state == State::Absent || locals(fleet, host).next().is_none() {
        return Ok(resolved);
    }
    let mut found = Vec::new();
    for (index, element) in targeted.iter().enumerate() {
        let label = label(index, element);
        let pairs = pairs(fleet, host, element);
        // In a group of one `*` finds the backend itself: it is the right target, on a host that has nobody to send to yet.
        if pairs.is_empty() {
            problems.add(&Place::default(), element.at, unresolved(fleet, host, &label, element));
        }
        for (local, target) in pairs.into_iter().filter(|(local, target)| !local.is(target)) {
            let name = format!("{PREFIX}{target}");
            match agreement(name, element, &target) {
                Ok(agreement) => found.push((local, agreement, label.clone())),
                Err(message) => problems.add(&local.place(), element.at, format!("{label} {message}")),
            }
        }
    }
    let mut first: BTreeMap<(String, String), &str> = BTreeMap::new();
    for (local, agreement, label) in &found {
        let is_same = |known: &&Child| known.name.eq_ignore_ascii_case(&agreement.name);
        if let Some(known) = local.backend.agreements.iter().find(is_same) {
            let at = known.at.map(|at| format!(" at {at}")).unwrap_or_default();
            let message = format!("{label} makes agreement '{}', which is written out{at}: keep one of them", agreement.name);
            problems.add(&local.place(), agreement.at, message);
        }
        let key = (local.to_string().to_lowercase(), agreement.name.to_lowercase());
        if let Some(other) = first.insert(key, label) {
            let message = format!("{label} makes agreement '{}', as {other} does: keep one of them", agreement.name);
            problems.add(&local.place(), agreement.at, message);
        }
    }
    for (local, agreement, _) in found {
        let instances = resolved.instances.iter_mut().filter(|instance| instance.name == local.instance.name);
        let mut backends = instances.flat_map(|instance| &mut instance.backends);
        if let Some(backend) = backends.find(|backend| backend.name == local.backend.name) {
            backend.agreements.push(agreement);
        }
    }
    problems.or(resolved)
}

/// All replicated backends: full name, suffix and role.
pub fn backends(fleet: &Fleet) -> Vec<String> {
    let mut lines: Vec<String> = fleet
        .replicated()
        .map(|backend| {
            let suffix = backend.backend.suffix.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{backend} {suffix} {}", backend.role().map_or("", |role| role.name()))
        })
        .collect();
    lines.sort();
    lines
}

/// Who is to initialise whom.
pub(crate) fn initialisations(fleet: &Fleet) -> Vec<(BackendRef<'_>, BackendRef<'_>)> {
    let elements =
        fleet.iter().flat_map(|(host, member)| member.specification.targeted.iter().map(move |element| (host, element)));
    let initialising = elements.filter(|(_, element)| initialises(&element.settings));
    initialising.flat_map(|(host, element)| pairs(fleet, host, element)).filter(|(local, target)| !local.is(target)).collect()
}

/// What a message calls an element.
fn label(index: usize, element: &Targeted) -> String {
    match &element.name {
        Some(name) => format!("ds389_agmts[{index}] ('{name}')"),
        None => format!("ds389_agmts[{index}]"),
    }
}

/// Backends of the host that pass updates on.
fn locals<'a>(fleet: &'a Fleet, host: &'a str) -> impl Iterator<Item = BackendRef<'a>> {
    fleet.replicated().filter(move |backend| backend.host == host && backend.passes_on())
}

/// Whether two backends hold the same entries.
fn share_suffix(local: &BackendRef<'_>, target: &BackendRef<'_>) -> bool {
    local.backend.suffix.is_some() && local.backend.suffix == target.backend.suffix
}

/// Who sends and who receives by one element; a backend that is meant itself is on both sides.
fn pairs<'a>(fleet: &'a Fleet, host: &'a str, element: &Targeted) -> Vec<(BackendRef<'a>, BackendRef<'a>)> {
    let patterns: Vec<Pattern> = element.targets.iter().map(|target| Pattern::new(target)).collect();
    let is_meant = |target: &BackendRef<'_>| {
        let name = target.to_string();
        patterns.iter().any(|pattern| pattern.matches(&name))
    };
    let targets: Vec<BackendRef<'_>> = fleet.replicated().filter(is_meant).collect();
    locals(fleet, host)
        .flat_map(|local| targets.iter().map(move |target| (local, *target)))
        .filter(|(local, target)| share_suffix(local, target))
        .collect()
}

/// Only names, for the element and the backends have passwords.
fn unresolved(fleet: &Fleet, host: &str, label: &str, element: &Targeted) -> String {
    let targets = element.targets.iter().map(|target| format!("'{target}'")).collect::<Vec<_>>().join(", ");
    let mut names: Vec<String> = fleet
        .replicated()
        .filter(|target| locals(fleet, host).any(|local| share_suffix(&local, target) && !local.is(target)))
        .map(|target| target.to_string())
        .collect();
    names.sort();
    let candidates = match names.as_slice() {
        [] => "no other backend replicates a suffix of this host's suppliers and hubs".to_owned(),
        names => format!("it could be {}", names.join(", ")),
    };
    format!("unable to resolve target {targets} of {label}: {candidates}")
}

/// The agreement with a target, as the element says, and for the rest as the target says.
fn agreement(name: String, element: &Targeted, target: &BackendRef<'_>) -> Result<Child, String> {
    let mut settings = element.settings.clone();
    let presence = match settings.remove("state") {
        Some(Setting::Text(state)) if state == "absent" => Presence::Absent,
        _ => Presence::Present,
    };
    let child = |settings| Child { name, at: element.at, presence, settings };
    if presence == Presence::Absent {
        return Ok(child(settings));
    }
    inherit(&mut settings, target);
    let instance = &target.instance.settings;
    let address = instance.text("full_machine_name").or(target.member.address.as_deref()).unwrap_or(target.host);
    add(&mut settings, "replicahost", Setting::Text(address.to_owned()));
    if settings.get("replicaport").is_none() {
        let (option, default) = match settings.text("replicatransportinfo") {
            Some("LDAPS") => ("secure_port", 636),
            _ => ("port", 389),
        };
        let port = instance.number(option).unwrap_or(default);
        if port == 0 {
            return Err(format!("needs '{option}' of {target}, which is 0: there is none to connect to"));
        }
        add(&mut settings, "replicaport", Setting::Number(port));
    }
    add(&mut settings, "description", Setting::Text(target.to_string()));
    check_bind(&settings, target)?;
    Ok(child(settings))
}

/// Takes over what the target's backend says of agreements that target it.
fn inherit(settings: &mut Settings, target: &BackendRef<'_>) {
    // What else there is to take over depends on it.
    if let Some(method) = target.backend.settings.get("replicabindmethod") {
        add(settings, "replicabindmethod", method.clone());
    }
    let by_password = needs_password(settings);
    for (definition, setting) in target.backend.settings.iter() {
        let setting = match (definition.name, setting) {
            ("replicabinddn", Setting::List(dns)) => match dns.as_slice() {
                [dn] if by_password => Setting::Text(dn.clone()),
                _ => continue,
            },
            ("replicabootstrapcredentials", Setting::Secret(secret)) if secret.is_hashed() => continue,
            ("replicacredentials", Setting::Secret(secret)) if !by_password || secret.is_hashed() => continue,
            _ if definition.home == Home::Incoming => setting.clone(),
            _ => continue,
        };
        add(settings, definition.name, setting);
    }
}

/// An agreement by target is always made from what is said, so that all of it has to be said.
fn check_bind(settings: &Settings, target: &BackendRef<'_>) -> Result<(), String> {
    let missing = missing_to_bind(settings);
    // A hash lets the target check a password, but nobody bind with it.
    if missing.contains(&"ReplicaCredentials") && target.backend.settings.secret("replicacredentials").is_some() {
        return Err(format!("needs ReplicaCredentials in clear, and those of {target} are hashed: add them to the element"));
    }
    match missing.as_slice() {
        [] => Ok(()),
        missing => {
            let method = settings.text("replicabindmethod").unwrap_or("SIMPLE");
            let missing = missing.join(" and ");
            Err(format!(
                "binds to {target} by {method} and has no {missing}: add it there or to the element, or bind by certificate"
            ))
        }
    }
}

/// What an agreement with these settings lacks to bind.
pub(crate) fn missing_to_bind(settings: &Settings) -> Vec<&'static str> {
    let needed = [
        ("ReplicaBindDN", settings.text("replicabinddn").is_none()),
        ("ReplicaCredentials", settings.secret("replicacredentials").is_none()),
    ];
    needed.into_iter().filter(|(_, is_missing)| *is_missing && needs_password(settings)).map(|(option, _)| option).collect()
}

/// Whether the consumer of an agreement with these settings is initialised at all.
pub(crate) fn initialises(settings: &Settings) -> bool {
    settings.text("initialise").is_some_and(|initialise| initialise != "Never")
}

/// Whether an agreement with these settings binds with a DN and a password, not with a certificate or a ticket.
pub(crate) fn needs_password(settings: &Settings) -> bool {
    !matches!(settings.text("replicabindmethod"), Some("SSLCLIENTAUTH" | "SASL/GSSAPI"))
}

/// Gives an option of an agreement its value, unless it has one.
fn add(settings: &mut Settings, name: &str, setting: Setting) {
    if settings.get(name).is_none()
        && let Some(definition) = Scope::Agreement.option(name)
    {
        settings.insert(definition, setting);
    }
}

//! An instance as a resource says it, with its backends and their indexes. Agreements are resources of their own.

use super::{ABSENT, Choices, Told, map, seeds::Seeds};
use crate::{
    dn::Dn,
    fleet::{BackendRef, Member},
    layout,
    options::{
        Definition, Home, Scope,
        offered::{LONGEST_NAME, LONGEST_SUFFIX, LONGEST_TEXT, MOST_BACKENDS, MOST_INDEXES, MOST_VALUES},
    },
    place::Place,
    setting::{Secrets, Setting, Settings},
    specification::{Child, Instance, Presence, RoleWish, State},
    value::{Node, Position, Value},
};

/// Who administers each server of a cluster.
const ADMINISTRATOR: &str = "cn=Directory Manager";

/// An address of the host that resources would take: no pod has it.
const ADDRESS: &str = "nsslapd_securelistenhost";

/// Options of an instance that are left out together, and why.
const OF_INSTANCES: [(&[&str], &str); 4] = [
    (
        &["port", "secure_port", "nsslapd_listenhost", ADDRESS, "nsslapd_security"],
        "the server listens for LDAPS at port 3636, and for plain LDAP inside its pod alone",
    ),
    (
        &["tls_cert", "tls_key", "tls_ca", "self_sign_cert", "self_sign_cert_valid_months"],
        "the operator issues certificates, and clients trust ca.crt of the Secret {name}-tls",
    ),
    (&["full_machine_name"], "the server is called {name}, as its Service is"),
    (&["root_dn"], "the administrator is cn=Directory Manager"),
];

/// The same of backends.
const OF_BACKENDS: [(&[&str], &str); 2] = [
    (&["ldif_file"], "it is a file of the host; import it once the pod runs"),
    (&["changelogsymetrickey"], "it is a secret, and resources have none"),
];

/// Why all others are.
const OF_PODS: &str = "it belongs to the pod";

/// What agreements that target a backend have from it, and their resources say.
const CARRIED: [&str; 2] = ["replicaupdateschedule", "replicawaitforasyncresults"];

/// Why the rest of that is left out.
const CONNECTED: &str = "servers of the cluster bind to each other over LDAPS, with a password that the operator makes";

/// The spec of an instance of a host.
pub(super) fn spec(
    (host, member, instance): (&str, &Member, &Instance),
    name: &str,
    seeds: &Seeds<'_>,
    choices: &Choices,
    told: &mut Told,
) -> Node {
    let state = member.specification.state;
    let place = instance.place();
    tell_password(instance, choices, told);
    let mut settings = instance.settings.clone();
    settings.remove("rootpw");
    if settings.text("root_dn").and_then(|dn| Dn::parse(dn).ok()) == Dn::parse(ADMINISTRATOR).ok() {
        settings.remove("root_dn");
    }
    let is_left = |option: &Definition| !Scope::Instance.offers(option) || option.name == ADDRESS;
    tell_left(&place, instance.at, &settings, is_left, &OF_INSTANCES, name, told);
    tell_sizes(instance, told);
    settings.remove(ADDRESS);
    let config = fields(Scope::Instance, &settings, &place, instance.at, told);
    let of_backend = |backend| self::backend(&BackendRef { host, member, instance, backend }, seeds, told);
    let backends: Vec<Node> = instance.backends.iter().filter_map(of_backend).collect();
    if backends.len() > MOST_BACKENDS {
        told.unsupported.add(&place, instance.at, format!("has more than {MOST_BACKENDS} backends"));
    }
    let started = match state {
        State::Started => Some(true),
        State::Stopped => Some(false),
        State::Present | State::Updated | State::Absent => instance.started,
    };
    let mut spec = Vec::new();
    let secret = choices.directory_manager_secret.as_ref();
    spec.extend(secret.map(|name| ("directoryManager", map(vec![("secretName", Node::text(name))]))));
    if state == State::Updated {
        spec.push(("policy", Node::text("Updated")));
    }
    spec.extend(started.map(|on| ("started", Node::new(Value::Boolean(on)))));
    if !config.is_empty() {
        spec.push(("config", map(config)));
    }
    if !backends.is_empty() {
        spec.push(("backends", Node::new(Value::List(backends.into_iter().take(MOST_BACKENDS).collect()))));
    }
    map(spec)
}

fn tell_password(instance: &Instance, choices: &Choices, told: &mut Told) {
    if instance.settings.get("rootpw").is_none() {
        return;
    }
    let advice = match &choices.directory_manager_secret {
        Some(name) => format!("put it into the key `password` of the Secret {name}"),
        None => "the operator makes another one; to keep it, make a Secret with it in the key `password`, and name that by \
                 --directory-manager-secret"
            .to_owned(),
    };
    told.notes.add(&instance.place(), instance.at, format!("rootpw left out, for it is a secret: {advice}"));
}

/// Sizes of caches are right for the memory that they were chosen for.
fn tell_sizes(instance: &Instance, told: &mut Told) {
    let is_size = |option: &Definition| option.is_cache_size() || option.name == "nsslapd_cache_autosize";
    let own = instance.settings.iter();
    let all = own.chain(instance.backends.iter().flat_map(|backend| backend.settings.iter()));
    let mut sizes: Vec<&str> =
        all.map(|(option, _)| option).filter(|option| is_size(option)).map(|option| option.spelling).collect();
    sizes.sort_unstable();
    sizes.dedup();
    if !sizes.is_empty() {
        let message = format!(
            "{} are for the memory of the host: give as much by spec.resources.limits.memory, or leave them to the operator",
            listed(&sizes)
        );
        told.notes.add(&instance.place(), instance.at, message);
    }
}

fn backend(one: &BackendRef<'_>, seeds: &Seeds<'_>, told: &mut Told) -> Option<Node> {
    let (place, backend, at) = (one.place(), one.backend, one.backend.at);
    if backend.presence == Presence::Absent {
        told.notes.add(&place, at, ABSENT);
        return None;
    }
    let suffix = backend.suffix.as_ref()?.as_str();
    for (what, text, longest) in [("name", backend.name.as_str(), LONGEST_NAME), ("suffix", suffix, LONGEST_SUFFIX)] {
        if text.chars().count() > longest {
            told.unsupported.add(&place, at, format!("has a {what} of more than {longest} characters"));
            return None;
        }
    }
    let mut settings = backend.settings.clone();
    tell_connected(&place, at, &mut settings, told);
    let is_left = |option: &Definition| !Scope::Backend.offers(option) && option.home != Home::Incoming;
    tell_left(&place, at, &settings, is_left, &OF_BACKENDS, "", told);
    let role = match backend.role {
        RoleWish::AsItIs => None,
        RoleWish::None => Some("None"),
        RoleWish::Role(role) => Some(role.name()),
    };
    let mut id = backend.replica_id;
    if !matches!(backend.role, RoleWish::Role(_)) {
        let needs_role = |option: &Definition| matches!(option.home, Home::Replica(_) | Home::Changelog(_));
        let mut left: Vec<&str> = id.take().map(|_| "ReplicaId").into_iter().collect();
        left.extend(settings.iter().map(|(option, _)| option).filter(|option| needs_role(option)).map(|option| option.spelling));
        settings.retain(|option| !needs_role(option));
        if !left.is_empty() {
            let message = format!("{} left out: no ReplicaRole is said, and a new server has none", listed(&left));
            told.notes.add(&place, at, message);
        }
    }
    if seeds.leaves(one) {
        settings.remove("sample_entries");
        told.notes.add(&place, at, "sample_entries left out: it gets its entries from another server");
    }
    let mut fields = vec![("name".to_owned(), Node::text(&backend.name)), ("suffix".to_owned(), Node::text(suffix))];
    fields.extend(role.map(|role| ("replicaRole".to_owned(), Node::text(role))));
    fields.extend(id.map(|id| ("replicaId".to_owned(), Node::new(Value::Integer(id.into())))));
    fields.extend(self::fields(Scope::Backend, &settings, &place, at, told));
    let indexes: Vec<Node> = backend.indexes.iter().filter_map(|one| index(&place, one, told)).collect();
    if indexes.len() > MOST_INDEXES {
        told.unsupported.add(&place, at, format!("has more than {MOST_INDEXES} indexes"));
    }
    if !indexes.is_empty() {
        fields.push(("indexes".to_owned(), Node::new(Value::List(indexes.into_iter().take(MOST_INDEXES).collect()))));
    }
    Some(map(fields))
}

/// Takes out and tells how others connect to a backend. Who binds by a DN below `cn=config` does so with a password.
fn tell_connected(place: &Place, at: Option<Position>, settings: &mut Settings, told: &mut Told) {
    let incoming = settings.iter().map(|(option, _)| option).filter(|option| option.home == Home::Incoming);
    let mut left: Vec<&str> = incoming.filter(|option| !CARRIED.contains(&option.name)).map(|option| option.spelling).collect();
    if let Some(option) = Scope::Backend.option("replicabinddn")
        && let Some(names) = settings.list(option.name).map(<[String]>::to_vec)
    {
        let is_managers = |name: &String| Dn::parse(name).is_ok_and(|dn| dn.is_below(&layout::config()));
        let (managers, others): (Vec<String>, Vec<String>) = names.into_iter().partition(is_managers);
        left.extend((!managers.is_empty()).then_some(option.spelling));
        settings.remove(option.name);
        if !others.is_empty() {
            settings.insert(option, Setting::List(others));
        }
    }
    if !left.is_empty() {
        told.notes.add(place, at, format!("{} left out: {CONNECTED}", listed(&left)));
    }
}

fn index(parent: &Place, index: &Child, told: &mut Told) -> Option<Node> {
    let place = parent.child(Scope::Index, &index.name);
    if index.presence == Presence::Absent {
        told.notes.add(&place, index.at, ABSENT);
        return None;
    }
    if index.name.chars().count() > LONGEST_NAME {
        told.unsupported.add(&place, index.at, format!("has a name of more than {LONGEST_NAME} characters"));
        return None;
    }
    let mut fields = vec![("name".to_owned(), Node::text(&index.name))];
    fields.extend(self::fields(Scope::Index, &index.settings, &place, index.at, told));
    Some(map(fields))
}

/// The options that a resource has, as its fields.
pub(super) fn fields(
    scope: Scope,
    settings: &Settings,
    place: &Place,
    at: Option<Position>,
    told: &mut Told,
) -> Vec<(String, Node)> {
    let mut fields = Vec::new();
    for (option, setting) in settings.iter().filter(|(option, _)| scope.offers(option)) {
        match value(setting) {
            Ok(node) => fields.push((option.field(), node)),
            Err(message) => told.unsupported.add(place, at, format!("option '{}' {message}", option.spelling)),
        }
    }
    fields
}

/// A value as a field has it: a list has each of its values once.
pub(super) fn value(setting: &Setting) -> Result<Node, String> {
    let texts = match setting {
        Setting::Text(text) => std::slice::from_ref(text),
        Setting::List(items) => items,
        _ => &[],
    };
    if texts.iter().any(|text| text.chars().count() > LONGEST_TEXT) {
        return Err(format!("has more than {LONGEST_TEXT} characters"));
    }
    let Setting::List(items) = setting else { return Ok(setting.node(Secrets::Masked)) };
    let mut once: Vec<String> = Vec::new();
    for item in items {
        if !once.contains(item) {
            once.push(item.clone());
        }
    }
    if once.len() > MOST_VALUES {
        return Err(format!("has more than {MOST_VALUES} values"));
    }
    Ok(Setting::List(once).node(Secrets::Masked))
}

/// Tells which options are left out, those with one reason together. `{name}` in a reason is the resource's.
fn tell_left(
    place: &Place,
    at: Option<Position>,
    settings: &Settings,
    is_left: impl Fn(&Definition) -> bool,
    reasons: &[(&[&str], &str)],
    name: &str,
    told: &mut Told,
) {
    let left: Vec<&Definition> = settings.iter().map(|(option, _)| option).filter(|option| is_left(option)).collect();
    let has_reason = |option: &Definition| reasons.iter().any(|(names, _)| names.contains(&option.name));
    let mut tell = |spellings: Vec<&str>, reason: &str| {
        if !spellings.is_empty() {
            told.notes.add(place, at, format!("{} left out: {}", listed(&spellings), reason.replace("{name}", name)));
        }
    };
    for (names, reason) in reasons {
        tell(left.iter().filter(|option| names.contains(&option.name)).map(|option| option.spelling).collect(), reason);
    }
    tell(left.iter().filter(|option| !has_reason(option)).map(|option| option.spelling).collect(), OF_PODS);
}

fn listed(names: &[&str]) -> String {
    names.join(", ")
}

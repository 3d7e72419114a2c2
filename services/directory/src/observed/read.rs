//! From the entries of `cn=config` to what an instance is.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    dn::Dn,
    entry::{Entry, Tree},
    layout,
    observed::{Agreement, Backend, Index, IndexKind, Instance},
    options::{Home, Scope},
    setting::{Setting, Settings},
    specification::Role,
};

pub(super) fn instance(name: &str, tree: &Tree) -> Instance {
    let ldbm_config = tree.get(&layout::ldbm_config());
    // Old servers keep the settings of the database with those of all backends; so does dse.ldif before its first start.
    let database = |dn: Dn| [tree.get(&dn), ldbm_config];
    let (config, encryption) = (tree.get(&layout::config()), tree.get(&layout::encryption()));
    let kind = ldbm_config.and_then(|entry| entry.text("nsslapd-backend-implement"));
    let (bdb, mdb) = match kind {
        Some("mdb") => ([None, None], database(layout::mdb())),
        _ => (database(layout::bdb()), [None, None]),
    };
    let settings = settings(Scope::Instance, |home| match home {
        Home::Config(_) => vec![config],
        Home::Encryption(_) => vec![encryption],
        Home::Ldbm(_) => vec![ldbm_config],
        Home::Bdb(_) => bdb.to_vec(),
        Home::Mdb(_) => mdb.to_vec(),
        home if home.is_plugin() => home.instance_entry().map(|dn| tree.get(&dn)).into_iter().collect(),
        _ => Vec::new(),
    });
    let default_indexes = default_indexes(tree);
    let defaults: BTreeMap<_, _> = default_indexes.iter().map(|index| (index.name.to_lowercase(), &index.settings)).collect();
    let ldbm = layout::ldbm();
    let found = tree.children(&ldbm).filter(|entry| entry.is_a("nsBackendInstance"));
    let mut backends: Vec<Backend> = found.filter_map(|entry| backend(entry, tree, &defaults)).collect();
    backends.sort_by_key(|backend| backend.name.to_lowercase());
    let binds = |entry: &&Entry| entry.is_a("netscapeServer") || entry.is_a("nsAccount") || entry.is_a("person");
    let config_dn = layout::config();
    let managers =
        tree.iter().filter(|entry| entry.dn.is_below(&config_dn)).filter(binds).map(|entry| entry.dn.clone()).collect();
    Instance {
        name: name.to_owned(),
        is_ours: false,
        is_running: false,
        unfinished: Vec::new(),
        initialised: Vec::new(),
        settings,
        default_indexes,
        backends,
        managers,
    }
}

/// The options that are written in the entries at their homes, the first that has it.
fn settings<'a>(scope: Scope, entries: impl Fn(Home) -> Vec<Option<&'a Entry>>) -> Settings {
    let mut settings = Settings::new();
    for option in scope.options() {
        let Some(attribute) = option.home.attribute() else { continue };
        let loaded = entries(option.home).into_iter().flatten().find_map(|entry| option.codec.load(&entry.texts(attribute)));
        // What is written and what is left out mean the same then; over LDAP servers tell their defaults too.
        let is_default = |setting: &Setting| option.default_setting().is_some_and(|default| option.codec.same(setting, &default));
        if let Some(setting) = loaded.filter(|setting| !is_default(setting)) {
            settings.insert(option, setting);
        }
    }
    settings
}

fn backend(entry: &Entry, tree: &Tree, defaults: &BTreeMap<String, &Settings>) -> Option<Backend> {
    let name = entry.text("cn")?.to_owned();
    // One that the server makes for itself is nobody's to list or to delete.
    let suffix = Dn::parse(entry.text("nsslapd-suffix")?).ok().filter(|suffix| *suffix != layout::retro_changelog())?;
    let mapping_tree = mapping_tree(tree, &suffix);
    let replica_dn = mapping_tree.map_or_else(|| layout::replica(&suffix), |entry| entry.dn.child("cn", "replica"));
    let replica = tree.get(&replica_dn);
    let changelog = tree.get(&layout::changelog(&name));
    let mut settings = settings(Scope::Backend, |home| match home {
        Home::Backend(_) => vec![Some(entry)],
        Home::Replica(_) => vec![replica],
        Home::Changelog(_) => vec![changelog],
        _ => Vec::new(),
    });
    settings.remove("suffix");
    let role = replica.and_then(role);
    let id = replica.and_then(|entry| entry.text("nsDS5ReplicaId")).and_then(|text| text.trim().parse().ok());
    let replica_id = id.filter(|_| role == Some(Role::Supplier));
    let index_parent = layout::indexes(&name);
    let indexes = tree.children(&index_parent).filter(|entry| entry.is_a("nsIndex"));
    let indexes = indexes.filter_map(|entry| index(entry, defaults)).collect();
    let agreements = tree.children(&replica_dn).filter(|entry| entry.is_a("nsds5replicationagreement"));
    let agreements = agreements.filter_map(agreement).collect();
    let is_mapped = mapping_tree.is_some();
    Some(Backend { name, suffix, is_mapped, role, replica_id, settings, indexes, agreements })
}

/// What leads from a suffix to its backend, however the suffix is written in its name.
fn mapping_tree<'a>(tree: &'a Tree, suffix: &Dn) -> Option<&'a Entry> {
    let leads = |entry: &Entry| Dn::parse(entry.dn.rdn().1).as_ref() == Ok(suffix);
    tree.get(&layout::mapping_tree(suffix)).or_else(|| {
        let parent = layout::mapping_trees();
        tree.iter().find(|entry| entry.dn.is_child(&parent) && leads(entry))
    })
}

/// Type 3 is a replica that clients may write to; flag 1 says that it has a changelog.
fn role(replica: &Entry) -> Option<Role> {
    let writes = replica.text("nsDS5ReplicaType")?.trim() == "3";
    let flags: u32 = replica.text("nsDS5Flags").and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    Some(match (writes, flags & 1 == 1) {
        (true, _) => Role::Supplier,
        (false, true) => Role::Hub,
        (false, false) => Role::Consumer,
    })
}

fn index(entry: &Entry, defaults: &BTreeMap<String, &Settings>) -> Option<Index> {
    let name = entry.text("cn")?.to_owned();
    let settings = settings(Scope::Index, |_| vec![Some(entry)]);
    let default = defaults.get(&name.to_lowercase());
    let kind = match settings.switch("systemindex") {
        Some(true) => IndexKind::System,
        _ if default.is_some_and(|default| indexes_the_same(default, &settings)) => IndexKind::Default,
        _ => IndexKind::User,
    };
    Some(Index { name, kind, settings })
}

fn default_indexes(tree: &Tree) -> Vec<Index> {
    let parent = layout::default_indexes();
    tree.children(&parent).filter_map(|entry| index(entry, &BTreeMap::new())).collect()
}

/// Types and matching rules are sets. The server leaves rules out when it copies some of its defaults (parentid's
/// integerOrderingMatch), which does not make them users' indexes.
fn indexes_the_same(default: &Settings, copy: &Settings) -> bool {
    let set = |settings: &Settings, name: &str| -> BTreeSet<String> {
        settings.list(name).unwrap_or_default().iter().map(|item| item.to_lowercase()).collect()
    };
    let rules = set(copy, "matchingrule");
    set(default, "indextype") == set(copy, "indextype") && (rules.is_empty() || rules == set(default, "matchingrule"))
}

fn agreement(entry: &Entry) -> Option<Agreement> {
    Some(Agreement { name: entry.text("cn")?.to_owned(), settings: settings(Scope::Agreement, |_| vec![Some(entry)]) })
}

//! What a host has, told in the words of specifications: what is wanted of it could be written so. Secrets and what is as it
//! is in every backend are left out.

use crate::{
    observed::{Backend, Host, IndexKind, Instance},
    options::{Definition, Home, Scope},
    setting::{Settings, sizes_caches},
    specification::{self, Child, Presence, Role, RoleWish, Specification, State},
    version::Version,
};

/// The specification that a host meets as it is.
pub fn facts(host: &Host) -> Specification {
    Specification {
        state: State::Present,
        prefix: None,
        instances: host.instances.iter().map(|found| instance(found, host.version)).collect(),
        targeted: Vec::new(),
        numbers: Vec::new(),
        gone: Vec::new(),
        identities: None,
    }
}

fn instance(found: &Instance, version: Option<Version>) -> specification::Instance {
    let is_mdb = found.settings.text("db_lib") == Some("mdb");
    let lives = |home| match home {
        Home::Bdb(_) => !is_mdb,
        Home::Mdb(_) => is_mdb,
        Home::Config(_) | Home::Encryption(_) | Home::Ldbm(_) => true,
        home => home.is_plugin(),
    };
    let sizes_caches = sizes_caches(&[&found.settings]);
    let mut settings = effective(Scope::Instance, &found.settings, lives);
    // What the server has chosen is nobody's wish, and what it does not know yet nobody's default.
    let is_known = |option: &Definition| option.since.is_none_or(|since| version.is_none_or(|version| since <= version));
    settings.retain(|option| is_known(option) && (sizes_caches || !option.is_cache_size()));
    specification::Instance {
        name: found.name.clone(),
        at: None,
        presence: Presence::Present,
        started: Some(found.is_running),
        settings,
        backends: found.backends.iter().map(|known| backend(known, sizes_caches)).collect(),
    }
}

fn backend(found: &Backend, sizes_caches: bool) -> specification::Backend {
    let replicates = found.role.is_some();
    let lives = |home| match home {
        Home::Backend(_) => true,
        Home::Replica(_) => replicates,
        Home::Changelog(_) => found.role.is_some_and(Role::sends),
        _ => false,
    };
    let users = found.indexes.iter().filter(|index| index.kind == IndexKind::User);
    let mut settings = effective(Scope::Backend, &found.settings, lives);
    settings.remove("suffix");
    // What the server has chosen is nobody's wish.
    settings.retain(|option| sizes_caches || !option.is_cache_size());
    specification::Backend {
        name: found.name.clone(),
        at: None,
        presence: Presence::Present,
        suffix: Some(found.suffix.clone()),
        role: found.role.map_or(RoleWish::None, RoleWish::Role),
        replica_id: found.replica_id,
        settings,
        indexes: users.map(|index| child(Scope::Index, &index.name, &index.settings)).collect(),
        agreements: found
            .agreements
            .iter()
            .map(|agreement| child(Scope::Agreement, &agreement.name, &agreement.settings))
            .collect(),
        lists_agreements: found.role.is_some_and(Role::sends),
    }
}

fn child(scope: Scope, name: &str, settings: &Settings) -> Child {
    Child { name: name.to_owned(), at: None, presence: Presence::Present, settings: effective(scope, settings, |_| true) }
}

/// What is set, and where nothing is, what the server takes.
fn effective(scope: Scope, found: &Settings, lives: impl Fn(Home) -> bool) -> Settings {
    let mut settings = found.clone();
    settings.retain(|option| lives(option.home));
    for option in scope.options().iter().filter(|option| option.home.attribute().is_some() && lives(option.home)) {
        if settings.get(option.name).is_none()
            && let Some(default) = option.default_setting()
        {
            settings.insert(option, default);
        }
    }
    settings
}

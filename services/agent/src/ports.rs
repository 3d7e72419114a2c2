//! The ports of instances: that a server will be able to listen on those that it is to have, and whose their labels are for
//! SELinux. Blocking work.

use directory::{
    action::{Action, Change, Step},
    entry::Tree,
    layout,
    setting::{Setting, Settings},
};

use crate::{
    create::{Error, checks},
    dse,
    installation::Installation,
    selinux::Selinux,
};

/// The options with the addresses at which a server listens.
const ADDRESSES: [&str; 2] = ["nsslapd_listenhost", "nsslapd_securelistenhost"];

/// The ports that an action changes, each by its option: those before, or those after.
pub(crate) fn changed(action: &Action, which: impl Fn(&Change) -> Option<&Setting>) -> Vec<(&'static str, u16)> {
    let Step::Set { changes, .. } = &action.step else { return Vec::new() };
    let port = |change: &Change| match (change.option.name, which(change)) {
        (option @ ("port" | "secure_port"), Some(Setting::Number(port))) => Some((option, u16::try_from(*port).ok()?)),
        _ => None,
    };
    changes.iter().filter_map(port).collect()
}

/// Whether an action changes where a server listens.
pub(crate) fn are_changed(action: &Action) -> bool {
    let Step::Set { changes, .. } = &action.step else { return false };
    changes.iter().any(|change| matches!(change.option.name, "port" | "secure_port") || ADDRESSES.contains(&change.option.name))
}

/// Sees that a server with these settings can listen on the ports and at the addresses that an action gives it, and that SELinux
/// lets it.
pub(crate) fn admit(installation: &Installation, name: &str, settings: &Settings, action: &Action) -> Result<(), Error> {
    let Step::Set { changes, .. } = &action.step else { return Ok(()) };
    let ports = changed(action, |change| Some(&change.after));
    let own = [checks::number(settings, "port", 389)?, checks::number(settings, "secure_port", 636)?];
    let mut settings = settings.clone();
    for change in changes.iter().filter(|change| ADDRESSES.contains(&change.option.name)) {
        settings.insert(change.option, change.after.clone());
        checks::is_of_host(&settings, change.option.name)?;
    }
    let is_used = |(option, _): &&(&str, u16)| *option == "port" || settings.switch("nsslapd_security") == Some(true);
    checks::are_free(&settings, &ports.iter().filter(is_used).copied().collect::<Vec<_>>(), &own)?;
    if let Some(selinux) = Selinux::of_instance(installation, name) {
        selinux.label_ports(&ports.iter().map(|(_, port)| *port).collect::<Vec<_>>())?;
    }
    Ok(())
}

/// Takes away the labels of ports on which a server listens no more.
pub(crate) fn leave(installation: &Installation, name: &str, ports: &[(&'static str, u16)]) {
    let Some(selinux) = Selinux::of_instance(installation, name) else { return };
    let used = used(installation, |_| true);
    let left: Vec<u16> = ports.iter().map(|(_, port)| *port).filter(|port| !used.contains(port)).collect();
    if let Err(error) = selinux.unlabel_ports(&left) {
        tracing::warn!(instance = name, %error, "labels of ports that an instance has left stay");
    }
}

/// Those of a server, by its configuration, that are no other server's too.
pub(crate) fn own(installation: &Installation, name: &str, tree: &Tree) -> Vec<u16> {
    let others = used(installation, |other| other != name);
    of(tree).filter(|port| !others.contains(port)).collect()
}

/// Those of servers of this host, as far as their configurations can be read.
fn used(installation: &Installation, of_whom: impl Fn(&str) -> bool) -> Vec<u16> {
    let names = installation.instances().unwrap_or_default();
    let trees = names.iter().filter(|name| of_whom(name)).map(|name| dse::remains(&installation.home(name)));
    trees.filter_map(|tree| tree.ok().flatten()).flat_map(|tree| of(&tree).collect::<Vec<_>>()).collect()
}

fn of(tree: &Tree) -> impl Iterator<Item = u16> {
    let entry = tree.get(&layout::config());
    ["nsslapd-port", "nsslapd-secureport"].into_iter().filter_map(move |attribute| entry?.text(attribute)?.parse().ok())
}

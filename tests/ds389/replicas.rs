//! Replicated suffixes of real servers: what tests of agreements and of replication have in common.

use directory::{options::Scope, replication::Colour, setting::Setting, specification::Specification};

use crate::machine::{Authority, Machine, instance, until};

pub(crate) const BIND: &str = "ReplicaBindDN: 'cn=replication manager,cn=config', ReplicaCredentials: secret34";

/// A host with one instance that has one replicated suffix.
pub(crate) fn host(name: &str, role: &str, more: &str, agmts: &str) -> String {
    let backend = format!(", backends: [{{name: root, suffix: 'dc=test', ReplicaRole: {role}, {BIND}{more}}}]");
    format!("{}\nds389_agmts: [{agmts}]", instance(name, &backend))
}

/// The host with other agreements; it is there already, so that its ports do not matter.
pub(crate) fn host_like(machine: &Machine, name: &str, role: &str, agmts: &str) -> String {
    let text = host(name, role, "", agmts);
    let configuration = &machine.configurations()[&format!("slapd-{name}")];
    let port = |attribute: &str| configuration.lines().find_map(|line| line.strip_prefix(attribute)).unwrap().trim().to_owned();
    let ports = format!("port: {}, secure_port: {}", port("nsslapd-port:"), port("nsslapd-securePort:"));
    let (before, after) = text.split_once("port: ").unwrap();
    format!("{before}{ports}{}", &after[after.find(", backends").unwrap()..])
}

/// Waits until an agreement has said that all is well.
pub(crate) async fn is_green(machine: &Machine, instance: &str, agreement: &str) {
    let look = || machine.agreement(instance, agreement);
    until(look, |agreement| agreement.colour == Colour::Green && agreement.update_ended.is_some()).await;
}

/// Waits until an entry has come.
pub(crate) async fn comes(machine: &Machine, instance: &str, dn: &str) {
    until(|| machine.has(instance, dn), |is_there| *is_there).await;
}

/// Adds a unit.
pub(crate) async fn unit(machine: &Machine, instance: &str, name: &str) {
    let attributes: [(&str, &[&str]); 2] = [("objectClass", &["top", "organizationalUnit"]), ("ou", &[name])];
    machine.add(instance, &format!("ou={name},dc=test"), &attributes).await;
}

/// A client that wants to write is sent to another server.
pub(crate) async fn sends_writers_away(machine: &Machine, instance: &str) {
    let attributes: [(&str, &[&str]); 2] = [("objectClass", &["organizationalUnit"]), ("ou", &["x"])];
    let refused = machine.try_add(instance, "ou=x,dc=test", &attributes).await.unwrap_err();
    assert!(matches!(refused, agent::ldap::Error::Refused { code: 10, .. }), "{refused}");
}

/// Waits until an entry is gone.
pub(crate) async fn goes(machine: &Machine, instance: &str, dn: &str) {
    until(|| machine.has(instance, dn), |is_there| !*is_there).await;
}

/// The name by which servers of this machine know each other.
pub(crate) fn machine_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim().to_owned()
}

/// Makes the files of a host's one instance, and gives it a certificate for a name. It does not run afterwards.
pub(crate) async fn prepare(machine: &Machine, wanted: &Specification, authority: &Authority, name: &str) {
    let mut files = wanted.clone();
    files.instances[0].started = Some(false);
    files.instances[0].backends.clear();
    machine.host.carry_out(&machine.host.plan(&files).await.unwrap().unwrap(), &mut |_| {}).await.unwrap();
    machine.certify(&wanted.instances[0].name, authority, name);
}

/// The same with TLS, host names checked, and agreements with this host.
pub(crate) fn secured(wanted: &Specification, host: &str) -> Specification {
    let mut wanted = wanted.clone();
    for option in ["nsslapd_security", "nsslapd_ssl_check_hostname"] {
        wanted.instances[0].settings.insert(Scope::Instance.option(option).unwrap(), Setting::Switch(true));
    }
    for agreement in &mut wanted.instances[0].backends[0].agreements {
        agreement.settings.insert(Scope::Agreement.option("replicahost").unwrap(), Setting::Text(host.to_owned()));
    }
    wanted
}

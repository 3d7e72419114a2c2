//! What both ways are asked for: an instance, and backends with indexes, of which some replicate.

/// Ports of the one instance that runs at a time. Bench servers are not found by chance: nobody else uses these.
pub(super) const PORT: u16 = 31_389;
pub(super) const SECURE_PORT: u16 = 31_636;
/// Where agreements lead: nowhere, so that nothing but making them is measured.
pub(super) const CONSUMER: u16 = 31_390;
/// The instance.
pub(super) const NAME: &str = "bench";
/// Passwords of the administrator and of the replication managers.
pub(super) const PASSWORD: &str = "a password for benches";

/// Attributes that no new backend has an index of.
const ATTRIBUTES: [&str; 10] =
    ["roomNumber", "l", "o", "ou", "title", "employeeNumber", "employeeType", "departmentNumber", "description", "street"];

/// The suffix of a backend.
pub(super) fn suffix(number: usize) -> String {
    format!("dc=s{number},dc=example")
}

/// The attributes that have indexes.
pub(super) fn attributes(count: usize) -> &'static [&'static str] {
    &ATTRIBUTES[..count]
}

/// A specification of the bare instance.
pub(super) fn instance() -> String {
    with_backends(0, 0, 0)
}

/// A specification of the instance with backends; the first `agreements` of them are suppliers with one agreement each.
pub(super) fn with_backends(backends: usize, indexes: usize, agreements: usize) -> String {
    let index = |name: &&str| format!("{{name: {name}, indextype: [eq, pres]}}");
    let indexes = attributes(indexes).iter().map(index).collect::<Vec<_>>().join(", ");
    let backend = |number: usize| {
        let replication = if number < agreements {
            format!(
                ", ReplicaRole: supplier, ReplicaId: 1, ReplicaBindDN: 'cn=manager,cn=config', ReplicaCredentials: '{PASSWORD}', \
                 agmts: [{{name: a{number}, ReplicaHost: localhost, ReplicaPort: {CONSUMER}, ReplicaBindDN: 'cn=manager,cn=config', \
                 ReplicaCredentials: '{PASSWORD}'}}]"
            )
        } else {
            String::new()
        };
        format!("{{name: b{number}, suffix: '{}', indexes: [{indexes}]{replication}}}", suffix(number))
    };
    let backends = (0..backends).map(backend).collect::<Vec<_>>().join(",\n  ");
    format!(
        "ds389_instances:\n- {{name: {NAME}, port: {PORT}, secure_port: {SECURE_PORT}, rootpw: '{PASSWORD}', backends: [{backends}]}}\n"
    )
}

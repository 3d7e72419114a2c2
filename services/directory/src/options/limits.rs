//! Options of an instance: limits, checks, and how it treats connections.

use crate::{
    codec::Codec,
    options::{COUNT, COUNT_OR_NONE, Definition, Home},
    version::Version,
};

/// A switch of `cn=config`.
const fn switch(name: &'static str, attribute: &'static str, default: &'static str, doc: &'static str) -> Definition {
    Definition::new(name, Codec::Switch, Home::Config(attribute), doc).default(default)
}

/// A number of `cn=config`.
const fn number(name: &'static str, attribute: &'static str, default: &'static str, doc: &'static str) -> Definition {
    Definition::new(name, COUNT, Home::Config(attribute), doc).default(default)
}

pub(super) const OPTIONS: &[Definition] = &[
    switch("nsslapd_schemacheck", "nsslapd-schemacheck", "on", "Whether entries have to be as the schema says."),
    switch("nsslapd_syntaxcheck", "nsslapd-syntaxcheck", "on", "Whether values have to be as their syntax says."),
    switch("nsslapd_dn_validate_strict", "nsslapd-dn-validate-strict", "off", "Whether names have to be as RFC 4514 says."),
    Definition::new(
        "nsslapd_verify_filter_schema",
        Codec::Choice(&[&["process-safe"], &["warn-invalid"], &["reject-invalid"], &["off"]]),
        Home::Config("nsslapd-verify-filter-schema"),
        "What becomes of a filter with attributes that the schema does not have.",
    )
    .default("process-safe"),
    switch("nsslapd_lastmod", "nsslapd-lastmod", "on", "Whether entries have who changed them, and when."),
    switch(
        "nsslapd_plugin_binddn_tracking",
        "nsslapd-plugin-binddn-tracking",
        "off",
        "Whether entries have for whom a plugin changed them.",
    ),
    switch(
        "nsslapd_entryusn_global",
        "nsslapd-entryusn-global",
        "off",
        "Whether numbers of the USN plugin are those of all backends.",
    ),
    Definition::new(
        "nsslapd_anonlimitsdn",
        Codec::Dn,
        Home::Config("nsslapd-anonlimitsdn"),
        "Entry with the limits of clients that do not bind.",
    ),
    Definition::new(
        "nsslapd_pagedsizelimit",
        COUNT_OR_NONE,
        Home::Config("nsslapd-pagedsizelimit"),
        "As nsslapd_sizelimit, for searches in pages; 0 is the same limit.",
    )
    .default("0"),
    Definition::new(
        "nsslapd_maxsimplepaged_per_conn",
        COUNT_OR_NONE,
        Home::Config("nsslapd-maxsimplepaged-per-conn"),
        "How many searches in pages a connection may have; -1 is no limit.",
    )
    .default("-1"),
    number(
        "nsslapd_max_filter_nest_level",
        "nsslapd-max-filter-nest-level",
        "40",
        "How deep filters may be nested; 0 is no limit.",
    ),
    number(
        "nsslapd_groupevalnestlevel",
        "nsslapd-groupevalnestlevel",
        "0",
        "How deep groups in access control are looked into; 0 is no limit.",
    ),
    number("nsslapd_maxsasliosize", "nsslapd-maxsasliosize", "2097152", "Bytes of the largest packet under SASL."),
    Definition::new(
        "nsslapd_maxthreadsperconn",
        Codec::Number(1, 4096),
        Home::Config("nsslapd-maxthreadsperconn"),
        "How many threads work for one connection.",
    )
    .default("5"),
    Definition::new(
        "nsslapd_listen_backlog_size",
        Codec::Number(64, 65535),
        Home::Config("nsslapd-listen-backlog-size"),
        "How many connections may wait to be taken.",
    )
    .default("128")
    .restart(),
    Definition::new(
        "nsslapd_numlisteners",
        Codec::Number(1, 4),
        Home::Config("nsslapd-numlisteners"),
        "How many threads look after connections.",
    )
    .default("1")
    .since(Version::new(3, 0, 0))
    .restart(),
    number(
        "nsslapd_outbound_ldap_io_timeout",
        "nsslapd-outbound-ldap-io-timeout",
        "300000",
        "Milliseconds that other servers have for an answer.",
    ),
    switch("nsslapd_nagle", "nsslapd-nagle", "off", "Whether small answers wait for more to be sent together."),
    switch("nsslapd_enable_turbo_mode", "nsslapd-enable-turbo-mode", "on", "Whether busy connections get a thread of their own."),
    switch("nsslapd_ndn_cache_enabled", "nsslapd-ndn-cache-enabled", "on", "Whether normalized names are kept in memory.")
        .restart(),
    number("nsslapd_ndn_cache_max_size", "nsslapd-ndn-cache-max-size", "20971520", "Bytes of that memory.").restart(),
    switch("nsslapd_return_exact_case", "nsslapd-return-exact-case", "on", "Whether attributes are spelled as in the schema.")
        .restart(),
    switch(
        "nsslapd_schema_ignore_trailing_spaces",
        "nsslapd-schema-ignore-trailing-spaces",
        "off",
        "Whether spaces after names of object classes are let pass.",
    )
    .restart(),
    switch(
        "nsslapd_force_sasl_external",
        "nsslapd-force-sasl-external",
        "off",
        "Whether clients with certificates are bound by them whatever they ask for.",
    ),
    switch(
        "nsslapd_ignore_time_skew",
        "nsslapd-ignore-time-skew",
        "off",
        "Whether replication goes on with servers whose clocks are far off.",
    ),
    // Who looks is started with the server, if at all.
    switch("nsslapd_disk_monitoring", "nsslapd-disk-monitoring", "off", "Whether the server looks after the space on its disks.")
        .restart(),
    Definition::new(
        "nsslapd_disk_monitoring_threshold",
        Codec::Number(4096, i64::MAX),
        Home::Config("nsslapd-disk-monitoring-threshold"),
        "Bytes of space below which it does something; below half of it, it stops.",
    )
    .default("2097152"),
    number(
        "nsslapd_disk_monitoring_grace_period",
        "nsslapd-disk-monitoring-grace-period",
        "60",
        "Minutes that it waits before it stops.",
    ),
    switch(
        "nsslapd_disk_monitoring_logging_critical",
        "nsslapd-disk-monitoring-logging-critical",
        "off",
        "Whether logs are kept before that.",
    ),
    switch(
        "nsslapd_disk_monitoring_readonly_on_threshold",
        "nsslapd-disk-monitoring-readonly-on-threshold",
        "off",
        "Whether nothing can be changed below the threshold, instead of stopping.",
    ),
    Definition::new(
        "nsslapd_db_locks",
        Codec::Number(10_000, 2_147_483_647),
        Home::Bdb("nsslapd-db-locks"),
        "How many locks the database has, where it is BDB.",
    )
    .default("10000")
    .restart(),
    Definition::new(
        "nsslapd_db_durable_transaction",
        Codec::Switch,
        Home::Bdb("nsslapd-db-durable-transaction"),
        "Whether each change is on disk before it is confirmed, where the database is BDB.",
    )
    .default("on")
    .fixed(),
    Definition::new(
        "nsslapd_db_checkpoint_interval",
        Codec::Number(10, 300),
        Home::Bdb("nsslapd-db-checkpoint-interval"),
        "Seconds between checkpoints of the database, where it is BDB.",
    )
    .default("60"),
];

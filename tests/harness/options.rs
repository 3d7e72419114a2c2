//! Every option that can be changed, and a value for it that is not its default.

use directory::{
    codec::Codec,
    options::{Change, Definition, Home, Scope},
    version::Version,
};

/// Values for options that have no other one that could be worked out, or one that would be of no use.
const VALUES: &[(&str, &str)] = &[
    ("full_machine_name", "other.example.com"),
    ("backup_dir", "/tmp/bak"),
    ("ldif_dir", "/tmp/ldif"),
    ("nsslapd_mode", "'640'"),
    ("nsslapd_listenhost", "127.0.0.1"),
    ("nsslapd_securelistenhost", "127.0.0.1"),
    ("nsslapd_certmap_basedn", "'dc=certificates'"),
    ("nsslapd_anonlimitsdn", "'cn=limits,dc=x'"),
    ("nsslapd_minssf", "1"),
    ("nsslapd_maxdescriptors", "5000"),
    ("nsslapd_threadnumber", "20"),
    // LMDB takes fewer for 100.
    ("nsslapd_pagedidlistscanlimit", "200"),
    ("nsslapd_cache_autosize", "0"),
    ("nsslapd_dbcachesize", "67108864"),
    ("mdb_max_size", "1073741824"),
    ("nsslapd_dynamic_plugins", "false"),
    ("nsslapd_accesslog_mode", "'640'"),
    ("nsslapd_errorlog_mode", "'640'"),
    ("nsslapd_auditlog_mode", "'640'"),
    // A certificate that signs itself is none that later servers would start with.
    ("nsslapd_validate_cert", "'off'"),
    ("passwordstoragescheme", "SSHA512"),
    ("nsslapd_rootpwstoragescheme", "SSHA512"),
    ("sslversionmin", "TLS1.2"),
    ("sslversionmax", "TLS1.3"),
    ("nsssl3ciphers", "+all"),
    ("memberof_attr", "seeAlso"),
    ("memberof_groupattr", "[member, uniqueMember]"),
    ("memberof_entryscope", "['ou=one,dc=x', 'ou=two,dc=x']"),
    ("memberof_entryscopeexclude", "['ou=three,dc=x']"),
    ("memberof_autoaddoc", "nsMemberOf"),
    ("referint_membership_attr", "[member, manager]"),
    ("referint_entryscope", "['ou=one,dc=x']"),
    ("referint_excludeentryscope", "['ou=two,dc=x']"),
    ("referint_containerscope", "'ou=three,dc=x'"),
    ("attruniq_attribute_name", "[uid, mail]"),
    ("attruniq_subtrees", "['ou=one,dc=x', 'ou=two,dc=x']"),
    ("attruniq_exclude_subtrees", "['ou=three,ou=two,dc=x']"),
    ("automember_configarea", "'cn=rules,dc=x'"),
    ("managed_entries_configarea", "'cn=managed,dc=x'"),
    ("account_policy_stateattrname", "lastLoginTime"),
    ("account_policy_altstateattrname", "createTimestamp"),
    ("account_policy_specattrname", "acctPolicySubentry"),
    ("account_policy_limitattrname", "accountInactivityLimit"),
    ("retro_changelog_trim_interval", "120"),
    ("retro_changelog_exclude_suffix", "['ou=one,dc=x', 'ou=two,dc=x']"),
    ("retro_changelog_exclude_attrs", "[userPassword]"),
    ("retro_changelog_attribute", "['nsuniqueid:targetUniqueId']"),
    ("rootdn_open_time", "'0000'"),
    ("rootdn_close_time", "'2359'"),
    ("rootdn_days_allowed", "'Mon, Tue, Wed, Thu, Fri, Sat, Sun'"),
    ("rootdn_allow_host", "['*']"),
    ("rootdn_deny_host", "[bad.example.com]"),
    ("rootdn_allow_ip", "['*']"),
    ("rootdn_deny_ip", "[192.0.2.1]"),
    ("entry_cache_size", "20000000"),
    ("entry_cache_number", "1000"),
    ("dn_cache_size", "10000000"),
    ("replicabinddn", "'cn=other,dc=x'"),
    ("replicabinddngroup", "'cn=group,dc=x'"),
    ("replicareferral", "['ldap://other.example.com:389/dc%3Dtest']"),
    ("changelogmaxentries", "1000"),
    ("description", "another"),
    ("replicahost", "other.example.com"),
    ("replicabootstrapbinddn", "'cn=boot,dc=x'"),
    // Longer than the server waits for one that is busy, or it takes another.
    ("replicasessionpausetime", "10"),
    ("replicastripattrs", "[modifiersName, modifyTimestamp]"),
    ("replicatedattributelist", "[memberOf, uid]"),
    ("replicatedattributelisttotal", "[memberOf]"),
    ("replicaupdateschedule", "['0100-0200 06', '0300-0400 12345']"),
];

/// Options that a server of this version, with this kind of database, has for such objects, and that can be changed.
pub fn changeable(scope: Scope, version: Version, kind: &str) -> impl Iterator<Item = &'static Definition> {
    let is_other = move |home| match home {
        Home::Bdb(_) => kind == "mdb",
        Home::Mdb(_) => kind == "bdb",
        _ => false,
    };
    scope.options().iter().filter(move |option| {
        option.home.attribute().is_some()
            && option.since.is_none_or(|since| since <= version)
            && option.change != Change::Never
            && !option.is_secret()
            && !is_other(option.home)
    })
}

/// A value that is not the default, as YAML.
pub fn other(option: &Definition, ports: (u16, u16)) -> String {
    let given = VALUES.iter().find(|(name, _)| *name == option.name).map(|(_, value)| (*value).to_owned());
    given.unwrap_or_else(|| match (option.codec, option.default) {
        _ if option.name == "port" => ports.0.to_string(),
        _ if option.name == "secure_port" => ports.1.to_string(),
        (Codec::Switch | Codec::Truth, default) => (default != Some("on")).to_string(),
        (Codec::Number(min, max), default) => {
            let default: i64 = default.and_then(|text| text.parse().ok()).unwrap_or(min);
            (if default < max { default + 1 } else { default - 1 }).to_string()
        }
        (Codec::Choice(words), default) => {
            let word = words.iter().map(|word| word[0]).find(|word| Some(*word) != default).unwrap();
            format!("'{word}'")
        }
        (Codec::Age, _) => "3d".to_owned(),
        _ => panic!("{} needs a value to test with", option.name),
    })
}

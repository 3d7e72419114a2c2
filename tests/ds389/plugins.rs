//! Every option of an instance that can be changed, plugins among them, set on a real server and read back.

use std::collections::BTreeMap;

use agent::ldap::Connection;
use directory::{
    codec::Codec,
    dn::Dn,
    entry::{Entry, Tree},
    layout, observed,
    options::{Change, Definition, Home, Scope},
    version::Version,
};

use tests::installation::ports;

use crate::machine::{Machine, instance, secure_instance};

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
];

/// Options of a server of this version, with this kind of database, that can be changed.
fn changeable(version: Version, kind: &str) -> impl Iterator<Item = &'static Definition> {
    let is_other = move |home| match home {
        Home::Bdb(_) => kind == "mdb",
        Home::Mdb(_) => kind == "bdb",
        _ => false,
    };
    let options = Scope::Instance.options().iter();
    options.filter(move |option| {
        option.home.instance_entry().is_some()
            && option.since.is_none_or(|since| since <= version)
            && option.change != Change::Never
            && !option.is_secret()
            && !is_other(option.home)
    })
}

/// A value that is not the default, as YAML.
fn other(option: &Definition, ports: (u16, u16)) -> String {
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

async fn tree(machine: &Machine, name: &str) -> Tree {
    let mut connection = Connection::open(format!("{}/run/slapd-{name}.socket", machine.prefix.path()).as_ref()).await.unwrap();
    let mut tree = Tree::new();
    for entry in connection.tree(&layout::config()).await.unwrap() {
        tree.insert(entry);
    }
    // An attribute of users too, which the server does not tell unless it is asked for it.
    let history = connection.entry(&layout::config(), &["passwordHistory"]).await.unwrap().unwrap();
    let values = history.texts("passwordHistory").into_iter().map(|text| text.as_bytes().to_vec()).collect();
    tree.get_mut(&layout::config()).unwrap().replace("passwordHistory", values);
    tree
}

#[tokio::test]
async fn every_option_that_can_be_changed_is_changed_and_read_back() {
    let machine = Machine::new();
    let plain = secure_instance("every");
    machine.apply(&plain).await;
    let mut host = machine.host.observe().await.unwrap();
    let (version, found) = (host.version.unwrap(), host.instances.remove(0));
    let kind = found.settings.text("db_lib").unwrap().to_owned();
    let free = ports();
    let values: BTreeMap<&str, String> = changeable(version, &kind).map(|option| (option.name, other(option, free))).collect();
    let text: String = values.iter().map(|(name, value)| format!("\n  {name}: {value}")).collect();
    let wanted = format!("ds389_instances:\n- name: every\n  rootpw: secret12{text}\n");
    let done = machine.apply(&wanted).await;
    assert_eq!(done.last().map(String::as_str), Some("Restarting instance slapd-every"));

    let specification = crate::machine::wanted(&wanted);
    let tree = tree(&machine, "every").await;
    let stored = machine.host.observe().await.unwrap().instances.remove(0);
    let live = observed::Instance::read("every", &tree);
    let mut wrong = Vec::new();
    for option in changeable(version, &kind) {
        let setting = specification.instances[0].settings.get(option.name).unwrap();
        for (found, whence) in [(&stored, "dse.ldif"), (&live, "LDAP")] {
            let found = found.settings.get(option.name).cloned().or_else(|| option.default_setting());
            if !found.as_ref().is_some_and(|found| option.codec.same(found, setting)) {
                wrong.push(format!("{} of {whence} is {found:?}, not {setting:?}", option.name));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert!(stored.backends.is_empty() && live.backends.is_empty(), "the changelog's backend is the server's own");
}

#[tokio::test]
async fn what_the_server_says_needs_a_restart_gets_one() {
    let machine = Machine::new();
    machine.apply(&instance("restarts", "")).await;
    let tree = tree(&machine, "restarts").await;
    let told = tree.get(&layout::config()).unwrap().texts("nsslapd-requiresrestart").into_iter();
    let told: Vec<String> = told.map(|text| text.to_lowercase()).collect();
    assert!(!told.is_empty());
    let mut checked = 0;
    for option in Scope::Instance.options() {
        let (dn, attribute) = match option.home {
            Home::Config(attribute) => ("cn=config", attribute),
            Home::Encryption(attribute) => ("cn=encryption,cn=config", attribute),
            Home::Ldbm(attribute) | Home::Bdb(attribute) | Home::Mdb(attribute) => ("cn=config,cn=ldbm", attribute),
            _ => continue,
        };
        if told.contains(&format!("{dn}:{}", attribute.to_lowercase())) {
            checked += 1;
            assert_ne!(option.change, Change::Live, "{}", option.name);
        }
    }
    assert!(checked > 8, "{checked}");
}

#[tokio::test]
async fn defaults_are_those_of_the_server() {
    let machine = Machine::new();
    machine.apply(&instance("fresh", "")).await;
    let tree = tree(&machine, "fresh").await;
    let mut wrong = Vec::new();
    for option in Scope::Instance.options().iter().filter(|option| !matches!(option.name, "port" | "secure_port")) {
        let (Some(dn), Some(attribute), Some(default)) =
            (option.home.instance_entry(), option.home.attribute(), option.default_setting())
        else {
            continue;
        };
        let told = tree.get(&dn).map(|entry| entry.texts(attribute)).and_then(|texts| option.codec.load(&texts));
        if told.as_ref().is_some_and(|told| !option.codec.same(told, &default)) {
            wrong.push(format!("{}: {default:?}, the server says {told:?}", option.name));
        }
    }
    // Minus one is as many as the host has processors, and the server tells how many that are.
    wrong.retain(|text| !text.starts_with("nsslapd_threadnumber"));
    assert_eq!(wrong, [""; 0]);
}

#[tokio::test]
async fn a_plugin_that_is_switched_works_at_once_or_after_the_restart_that_it_gets() {
    let machine = Machine::new();
    let backend = ", backends: [{name: userroot, suffix: 'dc=x', create_suffix_entry: true}]";
    let plain = instance("switched", backend);
    machine.apply(&plain).await;
    let more = "rootpw: secret12, nsslapd_dynamic_plugins: true, memberof_enabled: true";
    let switched = plain.replace("rootpw: secret12", more);
    let expected = [
        "Set nsslapd-dynamic-plugins:on in cn=config",
        "Set nsslapd-pluginEnabled:on in cn=MemberOf Plugin,cn=plugins,cn=config",
    ];
    assert_eq!(machine.apply(&switched).await, expected);
    let [one, group] = ["ou=one,dc=x", "cn=group,dc=x"].map(|text| Dn::parse(text).unwrap());
    let unit = Entry::new(one.clone()).with("objectClass", &["organizationalUnit"]).with("ou", &["one"]);
    let group = Entry::new(group).with("objectClass", &["groupOfNames"]).with("cn", &["group"]).with("member", &[one.as_str()]);
    let socket = format!("{}/run/slapd-switched.socket", machine.prefix.path());
    let mut connection = Connection::open(socket.as_ref()).await.unwrap();
    connection.add(&unit, &[]).await.unwrap();
    connection.add(&group, &[]).await.unwrap();
    assert_eq!(connection.entry(&one, &["memberOf"]).await.unwrap().unwrap().text("memberOf"), Some("cn=group,dc=x"));

    let numbered = switched.replace("memberof_enabled: true", "memberof_enabled: true, usn_enabled: true");
    let expected = ["Set nsslapd-pluginEnabled:on in cn=USN,cn=plugins,cn=config", "Restarting instance slapd-switched"];
    assert_eq!(machine.apply(&numbered).await, expected);
    let mut connection = Connection::open(socket.as_ref()).await.unwrap();
    let two = Dn::parse("ou=two,dc=x").unwrap();
    let unit = Entry::new(two.clone()).with("objectClass", &["organizationalUnit"]).with("ou", &["two"]);
    connection.add(&unit, &[]).await.unwrap();
    assert!(connection.entry(&two, &["entryusn"]).await.unwrap().unwrap().text("entryusn").is_some());
}

//! Every option that can be changed, those of plugins among them, set on a real server and read back.

use std::collections::BTreeMap;

use agent::ldap::Connection;
use directory::{
    dn::Dn,
    entry::{Entry, Tree},
    layout, observed,
    options::{Change, Definition, Home, Scope},
    setting::{Setting, Settings},
    yaml,
};

use tests::{
    installation::ports,
    options::{changeable, other},
};

use crate::{
    machine::{Machine, instance, secure_instance},
    replicas::BIND,
};

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
    let changeable = || changeable(Scope::Instance, version, &kind);
    let values: BTreeMap<&str, String> = changeable().map(|option| (option.name, other(option, free))).collect();
    let text: String = values.iter().map(|(name, value)| format!("\n  {name}: {value}")).collect();
    let wanted = format!("ds389_instances:\n- name: every\n  rootpw: secret12{text}\n");
    let done = machine.apply(&wanted).await;
    assert_eq!(done.last().map(String::as_str), Some("Restarting instance slapd-every"));

    let specification = crate::machine::wanted(&wanted);
    let tree = tree(&machine, "every").await;
    let stored = machine.host.observe().await.unwrap().instances.remove(0);
    let live = observed::Instance::read("every", &tree);
    for found in [&stored, &live] {
        assert_eq!(differing(changeable(), &specification.instances[0].settings, &found.settings), [""; 0]);
    }
    assert!(stored.backends.is_empty() && live.backends.is_empty(), "the changelog's backend is the server's own");
}

/// The options that are not as they should be.
fn differing(options: impl Iterator<Item = &'static Definition>, wanted: &Settings, found: &Settings) -> Vec<String> {
    let differs = |option: &'static Definition| {
        let setting = wanted.get(option.name).unwrap();
        let found = found.get(option.name).cloned().or_else(|| option.default_setting());
        let is_same = found.as_ref().is_some_and(|found| option.codec.same(found, setting));
        (!is_same).then(|| format!("{} is {found:?}, not {setting:?}", option.name))
    };
    options.filter_map(differs).collect()
}

#[tokio::test]
async fn every_option_of_a_backend_its_replica_and_an_agreement_is_changed_where_it_is_and_read_back() {
    let machine = Machine::new();
    let agreement = format!("{{name: next, ReplicaHost: localhost, ReplicaPort: 1, {BIND}}}");
    let backend = format!("{{name: root, suffix: 'dc=test', ReplicaRole: supplier, ReplicaId: 1, {BIND}, agmts: [{agreement}]}}");
    // Whoever encrypts a changelog needs a certificate.
    let plain = instance("inplace", &format!(", backends: [{backend}]")).replace("cert: no", "cert: yes");
    let mut wanted = crate::machine::wanted(&plain);
    machine.meet(&wanted).await;
    let found = machine.host.observe().await.unwrap();
    let (version, kind) = (found.version.unwrap(), found.instances[0].settings.text("db_lib").unwrap().to_owned());
    let changeable = |scope| changeable(scope, version, &kind);
    let change = |settings: &mut Settings, scope| {
        for option in changeable(scope) {
            let value = yaml::parse(&other(option, (0, 0))).unwrap();
            settings.insert(option, option.codec.read(&value).unwrap());
        }
    };
    // Whoever chooses sizes of caches chooses them all, where the server would otherwise.
    if !machine.has_lmdb().await {
        let autosize = Scope::Instance.option("nsslapd_cache_autosize").unwrap();
        wanted.instances[0].settings.insert(autosize, Setting::Number(0));
    }
    let backend = &mut wanted.instances[0].backends[0];
    change(&mut backend.settings, Scope::Backend);
    change(&mut backend.agreements[0].settings, Scope::Agreement);
    let done = machine.meet(&wanted).await;
    let is_in_place = |message: &String| ["Set ", "Restarting "].iter().any(|start| message.starts_with(start));
    assert!(done.iter().all(is_in_place), "{done:?}");
    let wanted = &wanted.instances[0].backends[0];
    let stored = machine.host.observe().await.unwrap().instances.remove(0);
    let live = observed::Instance::read("inplace", &tree(&machine, "inplace").await);
    for found in [stored, live] {
        let found = &found.backends[0];
        assert_eq!(differing(changeable(Scope::Backend), &wanted.settings, &found.settings), [""; 0]);
        let agreements = (&wanted.agreements[0].settings, &found.agreements[0].settings);
        assert_eq!(differing(changeable(Scope::Agreement), agreements.0, agreements.1), [""; 0]);
    }
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

//! Which agreements a host gets for what it targets.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::inventory::fleet;
use crate::{
    fleet::Fleet,
    setting::{Secrets, Setting, Settings},
    specification::{Child, Presence, Specification},
    targets::{PREFIX, backends, resolve},
    variables::Variables,
};

/// An instance with one backend for `dc=example,dc=com`.
fn instance(name: &str, backend: &str, role: &str) -> Json {
    let mut json = json!({"name": name, "backends": [{"name": backend, "suffix": "dc=example,dc=com", "ReplicaRole": role,
        "ReplicaBindDN": "cn=m,cn=config", "ReplicaCredentials": "secret"}]});
    if role == "supplier" {
        json["backends"][0]["ReplicaId"] = json!(1);
    }
    json
}

/// `h1`, which targets, and hosts that each have one instance `localhost` with a backend `userroot`.
fn hosts(targeted: Json, others: &[(&str, &str)]) -> Json {
    let own = json!({"ds389_instances": [instance("localhost", "userroot", "supplier")], "ds389_agmts": targeted});
    let mut hosts = json!({"h1": own});
    for (host, role) in others {
        hosts[*host] = json!({"ds389_instances": [instance("localhost", "userroot", role)]});
    }
    hosts
}

fn resolved(hosts: &Json, host: &str) -> Specification {
    resolve(&fleet(hosts), host).unwrap_or_else(|problems| panic!("{hosts}: {problems}"))
}

fn problems(hosts: &Json) -> String {
    resolve(&fleet(hosts), "h1").expect_err(&hosts.to_string()).to_string()
}

/// The agreements of a host as `instance.backend > target`.
fn arrows(specification: &Specification) -> BTreeSet<String> {
    let mut arrows = BTreeSet::new();
    for instance in &specification.instances {
        for backend in &instance.backends {
            for agreement in &backend.agreements {
                let target = agreement.name.strip_prefix(PREFIX).unwrap_or(&agreement.name);
                arrows.insert(format!("{}.{} > {target}", instance.name, backend.name));
            }
        }
    }
    arrows
}

fn check(hosts: Json, expected: &[&str]) {
    let found = arrows(&resolved(&hosts, "h1"));
    assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected, "{hosts}");
}

/// The only agreement of `h1`.
fn agreement(hosts: &Json) -> Child {
    let specification = resolved(hosts, "h1");
    let agreements: Vec<&Child> =
        specification.instances.iter().flat_map(|instance| &instance.backends).flat_map(|backend| &backend.agreements).collect();
    assert_eq!(agreements.len(), 1, "{hosts}");
    agreements[0].clone()
}

fn shown(settings: &Settings) -> Vec<(&'static str, String)> {
    settings.iter().map(|(definition, setting)| (definition.name, setting.shown())).collect()
}

#[test]
fn a_target_is_whole_components_that_follow_each_other() {
    let all = ["localhost.userroot > h2.localhost.userroot", "localhost.userroot > h3.localhost.userroot"];
    for (target, expected) in [
        (json!("h2"), &all[..1]),
        (json!("H2"), &all[..1]),
        (json!(["h2"]), &all[..1]),
        (json!(["h2", "h3"]), &all),
        (json!(["h2", "h2.localhost", "gone"]), &all[..1]),
        (json!("h2.localhost"), &all[..1]),
        (json!("h2.localhost.userroot"), &all[..1]),
        (json!("h2.*.userroot"), &all[..1]),
        (json!("h*"), &all),
        (json!("*2"), &all[..1]),
        (json!("userroot"), &all),
        (json!("localhost.userroot"), &all),
        (json!("*.userroot"), &all),
        (json!("*"), &all),
    ] {
        check(hosts(json!([{"target": target}]), &[("h2", "supplier"), ("h3", "consumer")]), expected);
    }
}

#[test]
fn a_target_that_means_nothing_is_told_with_what_there_is() {
    for target in ["user", "h2.userroot", "gone", "", "h2|h3", "h[23]", "h.", "^h2$", "h2*"] {
        let hosts = hosts(json!([{"target": target}]), &[("h2", "supplier"), ("h3", "hub")]);
        let expected = format!(
            "unable to resolve target '{target}' of ds389_agmts[0]: it could be h2.localhost.userroot, h3.localhost.userroot"
        );
        assert_eq!(problems(&hosts), expected);
    }
    let alone = hosts(json!([{"name": "all", "target": ["root", "x"]}]), &[]);
    let expected = "unable to resolve target 'root', 'x' of ds389_agmts[0] ('all'): \
        no other backend replicates a suffix of this host's suppliers and hubs";
    assert_eq!(problems(&alone), expected);
}

#[test]
fn all_elements_that_cannot_be_resolved_are_told() {
    let hosts = hosts(json!([{"target": "gone"}, {"target": "h2"}, {"target": "lost"}]), &[("h2", "supplier")]);
    let problems = problems(&hosts);
    let targets: Vec<&str> = problems.lines().map(|line| line.split('\'').nth(1).unwrap()).collect();
    assert_eq!(targets, ["gone", "lost"]);
}

#[test]
fn every_dot_of_a_host_ends_a_component() {
    let others = [("vm2.example.com", "supplier"), ("vm3.example.com", "supplier")];
    let all =
        ["localhost.userroot > vm2.example.com.localhost.userroot", "localhost.userroot > vm3.example.com.localhost.userroot"];
    for target in ["vm2", "vm2.example.com", "vm2.example.com.localhost", "VM2.example.com.*.userroot", "vm2.*", "*2"] {
        check(hosts(json!([{"target": target}]), &others), &all[..1]);
    }
    for target in ["example.com", "com.localhost", "vm*.example", "*.com"] {
        check(hosts(json!([{"target": target}]), &others), &all);
    }
    for target in ["vm2.example.com.userroot", "vm2.com", "vm2*com", "example.com."] {
        problems(&hosts(json!([{"target": target}]), &others));
    }
}

#[test]
fn a_host_that_sends_no_updates_takes_no_notice_of_targets() {
    for role in ["consumer", "None"] {
        let mut hosts = hosts(json!([{"target": "gone"}, {"target": "h2"}]), &[("h2", "supplier")]);
        hosts["h1"]["ds389_instances"] = json!([instance("localhost", "userroot", role)]);
        check(hosts, &[]);
    }
    let mut hosts = hosts(json!([{"target": "gone"}]), &[]);
    hosts["h1"]["ds389_instances"][0]["backends"][0]["state"] = json!("absent");
    check(hosts.clone(), &[]);
    hosts["h1"]["ds389_instances"] = json!([]);
    check(hosts, &[]);
}

#[test]
fn a_target_that_means_nobody_but_the_host_itself_is_no_mistake() {
    for target in ["*", "userroot", "h1", "h*"] {
        check(hosts(json!([{"target": target}]), &[]), &[]);
    }
    check(hosts(json!([{"target": "h1"}]), &[("h2", "supplier")]), &[]);
    let mut other = hosts(json!([{"target": "other"}]), &[]);
    other["h1"]["ds389_instances"][0]["backends"] = json!([
        {"name": "userroot", "suffix": "dc=example,dc=com", "ReplicaRole": "supplier", "ReplicaId": 1},
        {"name": "other", "suffix": "dc=other", "ReplicaRole": "consumer"}
    ]);
    assert!(problems(&other).starts_with("unable to resolve target 'other'"));
}

#[test]
fn only_present_backends_with_a_role_and_the_same_suffix_are_meant() {
    let mut hosts = hosts(json!([{"target": "*"}]), &[("h2", "supplier"), ("h3", "hub"), ("h4", "consumer"), ("h5", "None")]);
    hosts["h5"]["ds389_instances"][0]["backends"][0].as_object_mut().unwrap().remove("ReplicaId");
    for (host, suffix) in [("h6", "dc=other"), ("h7", "dc=sub,dc=example,dc=com")] {
        hosts[host] = json!({"ds389_instances": [instance("localhost", "userroot", "supplier")]});
        hosts[host]["ds389_instances"][0]["backends"][0]["suffix"] = json!(suffix);
    }
    hosts["h8"] = json!({"ds389_instances": [instance("localhost", "userroot", "supplier")], "state": "absent"});
    hosts["h9"] = json!({"ds389_instances": [instance("localhost", "userroot", "supplier")]});
    hosts["h9"]["ds389_instances"][0]["state"] = json!("absent");
    hosts["ha"] = json!({"ds389_instances": [instance("localhost", "userroot", "supplier")]});
    hosts["ha"]["ds389_instances"][0]["backends"][0]["state"] = json!("absent");
    hosts["hb"] = json!({"ds389_instances": [{"name": "localhost", "backends": [{"name": "b", "suffix": "dc=example,dc=com"}]}]});
    hosts["hc"] = json!({"ds389_instances": [instance("localhost", "userroot", "consumer")]});
    hosts["hc"]["ds389_instances"][0]["backends"][0]["suffix"] = json!("DC=Example,DC=com");
    check(
        hosts,
        &[
            "localhost.userroot > h2.localhost.userroot",
            "localhost.userroot > h3.localhost.userroot",
            "localhost.userroot > h4.localhost.userroot",
            "localhost.userroot > hc.localhost.userroot",
        ],
    );
}

#[test]
fn only_suppliers_and_hubs_get_agreements() {
    let mut hosts = hosts(json!([{"target": "h2"}]), &[("h2", "supplier")]);
    let own = |name: &str, role: &str| instance(name, "userroot", role);
    hosts["h1"]["ds389_instances"] = json!([own("a", "supplier"), own("b", "hub"), own("c", "consumer"), own("d", "None")]);
    check(hosts, &["a.userroot > h2.localhost.userroot", "b.userroot > h2.localhost.userroot"]);
}

#[test]
fn each_suffix_has_agreements_of_its_own() {
    let backend = |name: &str| {
        json!({"name": name, "suffix": format!("dc={name}"), "ReplicaRole": "supplier", "ReplicaId": 1,
            "ReplicaBindDN": "cn=m,cn=config", "ReplicaCredentials": "secret"})
    };
    let two = |name: &str| {
        let backends = [backend("a"), backend("b")];
        json!({"ds389_instances": [{"name": "localhost", "backends": backends}], "ds389_agmts": [{"target": name}]})
    };
    check(json!({"h1": two("h2"), "h2": two("h1")}), &["localhost.a > h2.localhost.a", "localhost.b > h2.localhost.b"]);
}

#[test]
fn an_instance_of_the_same_name_on_another_host_is_not_the_same() {
    check(hosts(json!([{"target": "h2"}]), &[("h2", "supplier")]), &["localhost.userroot > h2.localhost.userroot"]);
}

#[test]
fn an_instance_of_the_same_host_is_a_target_like_any() {
    let mut hosts = hosts(json!([{"target": "userroot"}]), &[]);
    hosts["h1"]["ds389_instances"] = json!([instance("one", "userroot", "supplier"), instance("two", "userroot", "supplier")]);
    check(hosts, &["one.userroot > h1.two.userroot", "two.userroot > h1.one.userroot"]);
}

#[test]
fn targets_whose_backends_have_the_same_name_get_an_agreement_each() {
    let hosts = hosts(json!([{"target": "h2"}, {"target": "h3"}]), &[("h2", "supplier"), ("h3", "supplier")]);
    check(hosts, &["localhost.userroot > h2.localhost.userroot", "localhost.userroot > h3.localhost.userroot"]);
}

#[test]
fn other_hosts_have_the_instances_that_they_themselves_say() {
    let hosts = json!({
        "h1": {"ds389_instances": [instance("one", "userroot", "supplier")], "ds389_agmts": [{"target": "h2"}]},
        "h2": {"ds389_instances": [instance("two", "data", "supplier")]}
    });
    check(hosts.clone(), &["one.userroot > h2.two.data"]);
    assert_eq!(
        backends(&fleet(&hosts)),
        ["h1.one.userroot dc=example,dc=com supplier", "h2.two.data dc=example,dc=com supplier"]
    );
}

#[test]
fn a_host_whose_address_is_not_its_name_is_there_once() {
    let mut hosts = hosts(json!([{"target": "*"}]), &[("h2", "supplier")]);
    hosts["h1"]["ansible_host"] = json!("192.0.2.1");
    hosts["h2"]["ansible_host"] = json!("192.0.2.2");
    check(hosts.clone(), &["localhost.userroot > h2.localhost.userroot"]);
    let mut fleet = fleet(&hosts);
    let again = fleet.get("h2").unwrap().clone();
    assert_eq!(fleet.insert("h2", again.clone()), Some(again));
    assert_eq!(fleet.replicated().count(), 2);
}

#[test]
fn an_agreement_takes_from_the_target_what_its_element_does_not_say() {
    let mut hosts = hosts(
        json!([{"target": "h2", "ReplicaTransportInfo": "StartTLS", "ReplicaTimeout": 60, "ReplicaCredentials": "from element"}]),
        &[("h2", "supplier")],
    );
    hosts["h2"]["ansible_host"] = json!("192.0.2.2");
    let target = &mut hosts["h2"]["ds389_instances"][0]["backends"][0];
    for (option, value) in [
        ("ReplicaBindDN", json!("cn=manager,cn=config")),
        ("ReplicaCredentials", json!("from target")),
        ("ReplicaTransportInfo", json!("LDAPS")),
        ("ReplicaUpdateSchedule", json!(["0800-1800 12345"])),
        ("ReplicaWaitForAsyncResults", json!(100)),
        ("ReplicaPurgeDelay", json!(7)),
        ("ReplicaReferral", json!(["ldap://h2"])),
    ] {
        target[option] = value;
    }
    let agreement = agreement(&hosts);
    assert_eq!(agreement.name, "ansible-target: h2.localhost.userroot");
    assert_eq!(agreement.settings.secret("replicacredentials").unwrap().reveal(), "from element");
    let expected = [
        ("description", "h2.localhost.userroot"),
        ("replicabinddn", "cn=manager,cn=config"),
        ("replicacredentials", "******"),
        ("replicahost", "192.0.2.2"),
        ("replicaport", "389"),
        ("replicatimeout", "60"),
        ("replicatransportinfo", "StartTLS"),
        ("replicaupdateschedule", "0800-1800 12345"),
        ("replicawaitforasyncresults", "100"),
    ];
    assert_eq!(shown(&agreement.settings), expected.map(|(name, value)| (name, value.to_owned())));
}

#[test]
fn a_target_says_how_it_is_reached_and_bound_to() {
    let mut hosts = hosts(json!([{"target": "h2", "ReplicaBootstrapTransportInfo": "LDAPS"}]), &[("h2", "supplier")]);
    hosts["h2"]["ds389_instances"][0]["full_machine_name"] = json!("h2.example.com");
    let target = &mut hosts["h2"]["ds389_instances"][0]["backends"][0];
    for (option, value) in [
        ("ReplicaHost", json!("vip.example.com")),
        ("ReplicaPort", json!(3636)),
        ("ReplicaBindMethod", json!("sslclientauth")),
        ("ReplicaBootstrapBindDN", json!("cn=b,cn=config")),
        ("ReplicaBootstrapBindMethod", json!("SIMPLE")),
        ("ReplicaBootstrapCredentials", json!("secret")),
        ("ReplicaBootstrapTransportInfo", json!("StartTLS")),
    ] {
        target[option] = value;
    }
    let expected = [
        ("description", "h2.localhost.userroot"),
        ("replicabindmethod", "SSLCLIENTAUTH"),
        ("replicabootstrapbinddn", "cn=b,cn=config"),
        ("replicabootstrapbindmethod", "SIMPLE"),
        ("replicabootstrapcredentials", "******"),
        ("replicabootstraptransportinfo", "LDAPS"),
        ("replicahost", "vip.example.com"),
        ("replicaport", "3636"),
    ];
    assert_eq!(shown(&agreement(&hosts).settings), expected.map(|(name, value)| (name, value.to_owned())));
    // What the element says counts: it binds by password then.
    hosts["h1"]["ds389_agmts"][0]["ReplicaBindMethod"] = json!("SIMPLE");
    assert!(agreement(&hosts).settings.secret("replicacredentials").is_some());
}

#[test]
fn the_port_and_the_host_are_those_of_the_target() {
    for (instance, element, expected) in [
        (json!({}), json!({}), ("h2", 389)),
        (json!({"port": 1389, "secure_port": 1636}), json!({}), ("h2", 1389)),
        (json!({"port": 1389, "secure_port": 1636}), json!({"ReplicaTransportInfo": "starttls"}), ("h2", 1389)),
        (json!({"port": 1389, "secure_port": 1636}), json!({"ReplicaTransportInfo": "ssl"}), ("h2", 1636)),
        (json!({}), json!({"ReplicaTransportInfo": "LDAPS"}), ("h2", 636)),
        (json!({"port": 0}), json!({"ReplicaTransportInfo": "LDAPS"}), ("h2", 636)),
        (json!({"port": 0}), json!({"ReplicaPort": 3389}), ("h2", 3389)),
        (json!({"full_machine_name": "h2.example.com"}), json!({}), ("h2.example.com", 389)),
        (json!({"full_machine_name": "h2.example.com"}), json!({"ReplicaHost": "vip"}), ("vip", 389)),
    ] {
        let mut hosts = hosts(json!([{"target": "h2"}]), &[("h2", "supplier")]);
        let add = |json: &mut Json, more: &Json| json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        add(&mut hosts["h1"]["ds389_agmts"][0], &element);
        add(&mut hosts["h2"]["ds389_instances"][0], &instance);
        let settings = agreement(&hosts).settings;
        let found = (settings.text("replicahost").unwrap(), settings.number("replicaport").unwrap());
        assert_eq!(found, expected, "{instance} {element}");
    }
}

#[test]
fn a_port_that_the_target_does_not_have_is_told() {
    for (option, transport) in [("port", "LDAP"), ("port", "StartTLS")] {
        let mut hosts = hosts(json!([{"target": "h2", "ReplicaTransportInfo": transport}]), &[("h2", "supplier")]);
        hosts["h2"]["ds389_instances"][0][option] = json!(0);
        let expected = format!(
            "instance localhost, backend userroot: \
             ds389_agmts[0] needs '{option}' of h2.localhost.userroot, which is 0: there is none to connect to"
        );
        assert_eq!(problems(&hosts), expected);
    }
}

#[test]
fn a_bind_dn_is_taken_over_when_there_is_one() {
    let lacks = "instance localhost, backend userroot: ds389_agmts[0] binds to h2.localhost.userroot by SIMPLE and has no \
                 ReplicaBindDN: add it there or to the element, or bind by certificate";
    for (dns, expected) in [
        (json!(["cn=a,cn=config"]), Ok("cn=a,cn=config")),
        (json!(["cn=a,cn=config", "cn=b,cn=config"]), Err(lacks)),
        (json!([]), Err(lacks)),
    ] {
        let mut hosts = hosts(json!([{"target": "h2"}]), &[("h2", "supplier")]);
        hosts["h2"]["ds389_instances"][0]["backends"][0]["ReplicaBindDN"] = dns;
        match expected {
            Ok(dn) => assert_eq!(agreement(&hosts).settings.text("replicabinddn"), Some(dn)),
            Err(expected) => assert_eq!(problems(&hosts), expected),
        }
    }
}

#[test]
fn an_agreement_by_target_has_what_its_way_to_bind_needs() {
    for (element, expected) in [
        (json!({}), Some("SIMPLE and has no ReplicaBindDN and ReplicaCredentials")),
        (json!({"ReplicaBindDN": "cn=m,cn=config"}), Some("SIMPLE and has no ReplicaCredentials")),
        (json!({"ReplicaCredentials": "secret", "ReplicaBindMethod": "simple"}), Some("SIMPLE and has no ReplicaBindDN")),
        (
            json!({"ReplicaBindDN": "cn=m", "ReplicaBindMethod": "SASL/DIGEST-MD5"}),
            Some("SASL/DIGEST-MD5 and has no ReplicaCredentials"),
        ),
        (json!({"ReplicaBindDN": "cn=m,cn=config", "ReplicaCredentials": "secret"}), None),
        (json!({"ReplicaBindMethod": "SSLCLIENTAUTH"}), None),
        (json!({"ReplicaBindMethod": "SASL/GSSAPI"}), None),
        (json!({"state": "absent"}), None),
    ] {
        let mut hosts = hosts(json!([{"target": "h2"}]), &[("h2", "supplier")]);
        hosts["h1"]["ds389_agmts"][0].as_object_mut().unwrap().extend(element.as_object().unwrap().clone());
        let target = hosts["h2"]["ds389_instances"][0]["backends"][0].as_object_mut().unwrap();
        target.remove("ReplicaBindDN");
        target.remove("ReplicaCredentials");
        let found = resolve(&fleet(&hosts), "h1").err().map(|problems| problems.to_string());
        let expected = expected.map(|lacks| {
            format!(
                "instance localhost, backend userroot: ds389_agmts[0] binds to h2.localhost.userroot by {lacks}: \
                 add it there or to the element, or bind by certificate"
            )
        });
        assert_eq!(found, expected, "{element}");
    }
}

#[test]
fn who_binds_by_certificate_gets_no_password() {
    for (method, expected) in [("SIMPLE", true), ("SASL/DIGEST-MD5", true), ("SSLCLIENTAUTH", false), ("SASL/GSSAPI", false)] {
        let mut hosts = hosts(json!([{"target": "h2", "ReplicaBindMethod": method}]), &[("h2", "supplier")]);
        let target = &mut hosts["h2"]["ds389_instances"][0]["backends"][0];
        target["ReplicaBindDN"] = json!("cn=a,cn=config");
        target["ReplicaCredentials"] = json!("secret");
        let settings = agreement(&hosts).settings;
        assert_eq!(settings.get("replicabinddn").is_some(), expected, "{method}");
        assert_eq!(settings.get("replicacredentials").is_some(), expected, "{method}");
    }
}

#[test]
fn what_was_resolved_is_written_with_its_agreements() {
    let resolved = resolved(&hosts(json!([{"target": "h2"}]), &[("h2", "consumer")]), "h1");
    let written = resolved.write(Secrets::Revealed);
    let read = Specification::read(&Variables::read(&written).unwrap()).unwrap();
    assert_eq!(read.instances[0].backends[0].agreements, resolved.instances[0].backends[0].agreements);
    assert_eq!(arrows(&read), arrows(&resolved));
}

#[test]
fn nobody_binds_with_a_hash() {
    let mut hosts = hosts(json!([{"target": "h2"}]), &[("h2", "supplier")]);
    hosts["h2"]["ds389_instances"][0]["backends"][0]["ReplicaCredentials"] = json!("{PBKDF2-SHA512}hunter2");
    let problems = problems(&hosts);
    assert!(problems.contains("needs ReplicaCredentials in clear, and those of h2.localhost.userroot are hashed"), "{problems}");
    hosts["h1"]["ds389_agmts"][0]["ReplicaCredentials"] = json!("clear");
    let settings = agreement(&hosts).settings;
    assert_eq!(settings.secret("replicacredentials").unwrap().reveal(), "clear");
}

#[test]
fn an_element_may_say_that_its_agreements_go() {
    let mut hosts = hosts(json!([{"target": "h2", "state": "absent"}]), &[("h2", "supplier")]);
    hosts["h2"]["ds389_instances"][0]["port"] = json!(0);
    let agreement = agreement(&hosts);
    assert_eq!((agreement.presence, agreement.settings), (Presence::Absent, Settings::new()));
}

#[test]
fn two_elements_for_one_agreement_are_told() {
    let hosts = hosts(json!([{"target": "h2"}, {"name": "again", "target": "h*"}]), &[("h2", "supplier"), ("h3", "hub")]);
    let expected = "instance localhost, backend userroot: \
        ds389_agmts[1] ('again') makes agreement 'ansible-target: h2.localhost.userroot', as ds389_agmts[0] does: keep one of them";
    assert_eq!(problems(&hosts), expected);
}

#[test]
fn an_agreement_that_is_written_out_is_not_made_again() {
    let mut hosts = hosts(json!([{"target": "h2"}]), &[("h2", "supplier")]);
    let written = json!([{"name": "ANSIBLE-TARGET: h2.localhost.userroot", "ReplicaHost": "x", "ReplicaPort": 1}]);
    hosts["h1"]["ds389_instances"][0]["backends"][0]["agmts"] = written;
    let expected = "instance localhost, backend userroot: \
        ds389_agmts[0] makes agreement 'ansible-target: h2.localhost.userroot', which is written out: keep one of them";
    assert_eq!(problems(&hosts), expected);
    hosts["h1"]["ds389_instances"][0]["backends"][0]["agmts"][0]["name"] = json!("mine");
    check(hosts, &["localhost.userroot > h2.localhost.userroot", "localhost.userroot > mine"]);
}

#[test]
fn what_goes_targets_nothing() {
    let mut hosts = hosts(json!([{"target": "gone"}]), &[]);
    hosts["h1"]["state"] = json!("absent");
    check(hosts, &[]);
}

#[test]
fn a_host_that_nobody_knows_is_told() {
    let problems = resolve(&Fleet::new(), "h1").unwrap_err();
    assert_eq!(problems.to_string(), "host 'h1' is not known: nothing says what it should have");
}

#[test]
fn no_secret_is_told() {
    let secret = "hunter2";
    for target in ["gone", "h2", "*"] {
        let mut hosts = hosts(
            json!([{"target": target, "ReplicaCredentials": secret, "ReplicaBootstrapCredentials": secret}, {"target": "h2"}]),
            &[("h2", "supplier")],
        );
        hosts["h1"]["ds389_instances"][0]["rootpw"] = json!("hunter2hunter2");
        hosts["h2"]["ds389_instances"][0]["backends"][0]["ReplicaCredentials"] = json!(secret);
        let problems = problems(&hosts);
        assert!(!problems.contains(secret), "{problems}");
        assert!(!backends(&fleet(&hosts)).concat().contains(secret));
        hosts["h1"]["ds389_agmts"].as_array_mut().unwrap().remove(0);
        let shown = format!("{:?}", resolved(&hosts, "h1"));
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// Everything that the host's backends get, however it is ordered.
fn as_sets(fleet: &Fleet, host: &str) -> Result<BTreeSet<String>, BTreeSet<String>> {
    let agreements = |specification: Specification| {
        let mut found = BTreeSet::new();
        for instance in specification.instances {
            for backend in instance.backends {
                for child in backend.agreements {
                    let settings: Vec<(&str, Setting)> =
                        child.settings.iter().map(|(definition, setting)| (definition.name, setting.clone())).collect();
                    found.insert(format!("{}.{} {} {settings:?}", instance.name, backend.name, child.name));
                }
            }
        }
        found
    };
    // Elements have their numbers in the problems, which change with their order.
    let lines = |text: String| text.lines().map(|line| line.replace(|c: char| c.is_ascii_digit(), "")).collect();
    resolve(fleet, host).map(agreements).map_err(|problems| lines(problems.to_string()))
}

fn any_host() -> impl Strategy<Value = Json> {
    let backend = (0..3usize, 0..4usize).prop_map(|(suffix, role)| {
        let role = ["supplier", "hub", "consumer", "None"][role];
        json!({"name": format!("b{suffix}"), "suffix": format!("dc={suffix}"), "ReplicaRole": role, "ReplicaBindDN": "cn=m",
            "ReplicaCredentials": "secret"})
    });
    let backends = prop::collection::vec(backend, 0..3).prop_map(|mut backends| {
        backends.sort_by_key(|backend| backend["name"].to_string());
        backends.dedup_by_key(|backend| backend["name"].to_string());
        backends
    });
    prop::collection::vec(backends, 0..3).prop_map(|instances| {
        let instance = |(index, backends): (usize, Vec<Json>)| json!({"name": format!("i{index}"), "port": 1000 + index, "backends": backends});
        json!(instances.into_iter().enumerate().map(instance).collect::<Vec<_>>())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn order_does_not_matter(
        hosts in prop::collection::vec(any_host(), 1..4),
        targets in prop::collection::vec("(h[0-3]|h\\*|b[0-2]|i0\\.\\*|\\*)", 0..3),
        seed in any::<u64>(),
    ) {
        let turn = |list: &mut Vec<Json>| {
            if !list.is_empty() {
                let by = seed as usize % list.len();
                list.rotate_left(by);
                if seed % 2 == 1 {
                    list.reverse();
                }
            }
        };
        let elements: Vec<Json> = targets.iter().map(|target| json!({"target": target})).collect();
        let mut json = json!({});
        let mut turned = json!({});
        for (index, instances) in hosts.iter().enumerate() {
            let host = format!("h{index}");
            json[&host] = json!({"ds389_instances": instances, "ds389_agmts": elements});
            let mut instances = instances.as_array().unwrap().clone();
            let mut elements = elements.clone();
            turn(&mut instances);
            turn(&mut elements);
            turned[&host] = json!({"ds389_instances": instances, "ds389_agmts": elements});
        }
        let one = fleet(&json);
        let mut other = Fleet::new();
        let turned = fleet(&turned);
        let mut members: Vec<_> = turned.iter().collect();
        members.reverse();
        for (host, member) in members {
            other.insert(host, member.clone());
        }
        prop_assert_eq!(as_sets(&one, "h0"), as_sets(&other, "h0"));
        prop_assert_eq!(backends(&one), backends(&other));
    }
}

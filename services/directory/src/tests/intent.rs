//! From the variables of hosts to what each should be, and to what is told when that cannot be.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::inventory::node;
use crate::{
    intent::Intent,
    inventory::{self, Inventory},
    specification::Specification,
    value::Node,
    yaml,
};

fn hosts(json: &Json) -> BTreeMap<String, Node> {
    json.as_object().unwrap().iter().map(|(host, json)| (host.clone(), node(json))).collect()
}

fn check(json: Json, expected: &[&str]) {
    let found = match Intent::read(&hosts(&json)) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    };
    assert_eq!(found, expected, "{json}");
}

fn supplier(id: u16, more: &Json) -> Json {
    let backend = json!({"name": "b", "suffix": "dc=x", "ReplicaRole": "supplier", "ReplicaId": id, "ReplicaBindDN": "cn=r,cn=config",
        "ReplicaCredentials": "secret12"});
    let mut host = json!({"ds389_instances": [{"name": "i", "backends": [backend]}]});
    host.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    host
}

#[test]
fn targets_are_resolved_after_modifiers_over_all_hosts() {
    let json = json!({
        "one": supplier(1, &json!({"ds389_agmts": [{"target": "*"}], "ds389_option_port": [{"name": "i", "merge": {"port": 3890}}]})),
        "two": supplier(2, &json!({"ansible_host": "10.0.0.2"})),
        "plain": {"ansible_host": "{{ nobody_asks }}"},
    });
    let intent = Intent::read(&hosts(&json)).unwrap();
    let specification: Specification = intent.specification("one").unwrap();
    let [instance] = specification.instances.as_slice() else { panic!("{specification:?}") };
    assert_eq!(instance.settings.number("port"), Some(3890));
    let [agreement] = instance.backends[0].agreements.as_slice() else { panic!("{specification:?}") };
    assert_eq!(agreement.settings.text("replicahost"), Some("10.0.0.2"));
    assert!(["i", "i.b", "i.b.indexes"].iter().all(|name| intent.names("two").iter().any(|known| known == name)));
    assert_eq!(intent.backends(), ["one.i.b dc=x supplier", "two.i.b dc=x supplier"]);
}

#[test]
fn all_that_is_wrong_is_told_at_once_and_of_which_host() {
    check(json!({"one": {}}), &[]);
    check(json!({"one": {"ds389_instance": []}}), &["variable 'ds389_instance' is unknown; did you mean 'ds389_instances'?"]);
    check(
        json!({"one": {"ds389_instances": [{"name": "i", "prot": 1}]}, "two": {"ds389_instances": [{"name": "i", "port": "{{ p }}"}]}}),
        &[
            "host one: instance i: option 'prot' is unknown; did you mean 'port'?",
            "host two: ds389_instances[0].port is a template that was not rendered: {{ p }}; write its value: only Ansible renders templates",
        ],
    );
    check(
        json!({"one": supplier(1, &json!({"ansible_host": "{{ ip }}"}))}),
        &["ansible_host is a template that was not rendered: {{ ip }}; write its value: only Ansible renders templates"],
    );
    check(
        json!({"one": supplier(1, &json!({})), "two": supplier(1, &json!({}))}),
        &["instance i, backend b: backend two.i.b has the ReplicaId 1 of one.i.b, and both have suffix dc=x"],
    );
}

#[test]
fn what_was_rendered_may_look_like_a_template() {
    let secret = "{{hush}} {% hush";
    let json = json!({"one": {"ansible_host": "{{x}}", "ds389_instances": [{"name": "i", "rootpw": secret}]}});
    assert!(Intent::read(&hosts(&json)).unwrap_err().to_string().contains("rootpw is a template that was not rendered"));
    let specification = Intent::read_rendered(&hosts(&json)).unwrap().specification("one").unwrap();
    assert_eq!(specification.instances[0].settings.secret("rootpw").unwrap().reveal(), secret);
}

#[test]
fn what_ansible_would_not_render_is_taken_as_it_stands() {
    let secret = "pa{{ss{%";
    for text in [
        "ds389_instances: [{name: i, rootpw: !unsafe 'pa{{ss{%'}]",
        "ds389_instances: !unsafe [{name: i, rootpw: 'pa{{ss{%'}]",
        "other: &other !unsafe 'pa{{ss{%'\nds389_instances: [{name: i, rootpw: *other}]",
        "{ds389_instances: [{name: i}], ds389_option_1: {name: i, merge: {rootpw: !unsafe 'pa{{ss{%'}}}",
        r#"{"ds389_instances": [{"name": "i", "rootpw": {"__ansible_unsafe": "pa{{ss{%"}}]}"#,
        r#"{"_meta": {"hostvars": {"one": {"ds389_instances": [{"name": "i", "rootpw": {"__ansible_unsafe": "pa{{ss{%"}}]}}}}"#,
    ] {
        let hosts = inventory::hosts(inventory::parse(text).unwrap(), "one").unwrap();
        let specification = Intent::read(&hosts).unwrap().specification("one").unwrap();
        assert_eq!(specification.instances[0].settings.secret("rootpw").unwrap().reveal(), secret, "{text}");
    }
    let beside = yaml::parse("ds389_instances: [{name: !unsafe 'i', rootpw: 'pa{{ss'}]").unwrap();
    let problems = Intent::read(&[("one".to_owned(), beside)].into()).unwrap_err().to_string();
    assert!(problems.contains("rootpw is a template that was not rendered") && !problems.contains("pa{{ss"), "{problems}");
}

#[test]
fn who_cannot_be_resolved_is_told_with_the_host() {
    let json = json!({"one": supplier(1, &json!({"ds389_agmts": [{"target": "three.*"}]})), "two": supplier(2, &json!({}))});
    let problems = Intent::read(&hosts(&json)).unwrap().specification("one").unwrap_err().to_string();
    assert!(problems.starts_with("host one: unable to resolve target 'three.*'"), "{problems}");
}

fn listed(own: &str, host: Option<&str>, hosts: &[&str]) -> Result<String, String> {
    let hostvars: serde_json::Map<String, Json> = hosts.iter().map(|host| ((*host).to_owned(), json!({}))).collect();
    let node = node(&json!({"_meta": {"hostvars": hostvars}, "all": {"children": ["ungrouped"]}}));
    inventory::read(node, host, own).map(|inventory| inventory.host).map_err(|error| error.to_string())
}

#[test]
fn which_host_this_is_is_told_by_name_or_by_the_machine() {
    for (own, host, hosts, expected) in [
        ("vm1", Some("vm2"), &["vm1", "vm2"][..], Ok("vm2")),
        ("vm1", None, &["vm1", "vm2"], Ok("vm1")),
        ("VM1", None, &["vm1", "vm2"], Ok("vm1")),
        ("vm1", None, &["vm1.example.org", "vm2.example.org"], Ok("vm1.example.org")),
        ("vm1.example.org", None, &["vm1", "vm2"], Ok("vm1")),
        ("vm1", None, &["vm1", "vm1.example.org"], Ok("vm1")),
        ("build", None, &["localhost"], Ok("localhost")),
        ("localhost", None, &["localhost", "127.0.0.1"], Ok("localhost")),
        ("vm1", Some("vm3"), &["vm1", "vm2"], Err("host 'vm3' is not in the inventory; it has vm1, vm2")),
        ("vm1", Some("vm3"), &[], Err("host 'vm3' is not in the inventory; it has no hosts")),
        (
            "vm1.one.org",
            None,
            &["vm1.two.org"],
            Err(
                "which host this is has to be said by --host: none has the name of this machine, 'vm1.one.org'; the inventory has vm1.two.org",
            ),
        ),
        (
            "vm1",
            None,
            &["vm1.one.org", "vm1.two.org"],
            Err(
                "which host this is has to be said by --host: more than one has the name of this machine, 'vm1'; the inventory has vm1.one.org, vm1.two.org",
            ),
        ),
    ] {
        assert_eq!(listed(own, host, hosts), expected.map(str::to_owned).map_err(str::to_owned), "{own} {host:?} {hosts:?}");
    }
}

#[test]
fn the_state_of_an_inventory_is_somebody_elses() {
    let node = node(&json!({"_meta": {"hostvars": {"one": {"state": "Bavaria", "State": "BY", "ds389_state": "absent"}}}}));
    let Inventory { hosts, .. } = inventory::read(node, None, "one").unwrap();
    assert_eq!(hosts["one"], super::inventory::node(&json!({"ds389_state": "absent"})));
}

#[test]
fn a_file_of_variables_is_one_host() {
    for (host, expected) in [(None, "own"), (Some("said"), "said")] {
        let node = yaml::parse("ds389_instances: []").unwrap();
        let found = inventory::read(node.clone(), host, "own").unwrap();
        assert_eq!((found.host.as_str(), &found.hosts), (expected, &BTreeMap::from([(expected.to_owned(), node)])));
    }
}

#[test]
fn json_is_read_with_the_places_of_yaml_and_yaml_that_looks_like_json_too() {
    let at = |text: &str| {
        let node = inventory::parse(text).unwrap();
        node.as_map().unwrap().get("ds389_prefix").unwrap().at.map(|at| (at.line, at.column))
    };
    assert_eq!(at("{\n  \"ds389_prefix\": \"/opt\"}"), Some((2, 19)));
    assert_eq!(at("{ds389_prefix: /opt}"), Some((1, 16)));
    assert_eq!(at("{\"ds389_prefix\": \"/opt\", \"x\": {\"__ansible_vault\": \"v\"}}"), None);
    let error = |text: &str| inventory::parse(text).unwrap_err().to_string();
    assert_eq!(error("{\"a\": 1, \"a\": 2}"), "key 'a' is written twice in one object; remove one");
    assert_eq!(error("a: 1\na: 2\n"), "key 'a' is written twice, first at line 1, column 1");
}

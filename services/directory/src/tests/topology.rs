//! What is told of backends that do not fit each other.

use serde_json::{Value as Json, json};

use super::inventory::fleet;
use crate::{
    fleet::{Fleet, Member},
    topology::check as problems,
};

/// A host with the instance `i` and one backend `b`, which has these options besides.
fn host(options: Json) -> Json {
    let mut backend = json!({"name": "b", "suffix": "dc=example,dc=com"});
    backend.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    json!({"ds389_instances": [{"name": "i", "backends": [backend]}]})
}

fn check(hosts: Json, expected: &[&str]) {
    let found: Vec<String> = problems(&fleet(&hosts)).iter().map(|problem| problem.message.clone()).collect();
    assert_eq!(found, expected, "{hosts}");
}

#[test]
fn a_backend_has_what_its_role_needs_and_no_more() {
    for (options, expected) in [
        (json!({}), vec![]),
        (json!({"ReplicaRole": "supplier", "ReplicaId": 1}), vec![]),
        (json!({"ReplicaRole": "supplier", "ReplicaId": 1, "agmts": []}), vec![]),
        (json!({"ReplicaRole": "hub", "agmts": []}), vec![]),
        (json!({"ReplicaRole": "consumer"}), vec![]),
        (json!({"ReplicaRole": "None"}), vec![]),
        (json!({"ReplicaRole": null, "agmts": []}), vec![]),
        (json!({"ReplicaId": 1}), vec![]),
        (
            json!({"ReplicaRole": "supplier"}),
            vec!["backend h.i.b is a supplier but has no ReplicaId: give it one from 1 to 65534"],
        ),
        (
            json!({"ReplicaRole": "hub", "ReplicaId": 1}),
            vec!["backend h.i.b is a hub but has a ReplicaId: only suppliers have one"],
        ),
        (
            json!({"ReplicaRole": "consumer", "ReplicaId": 1}),
            vec!["backend h.i.b is a consumer but has a ReplicaId: only suppliers have one"],
        ),
        (
            json!({"ReplicaRole": "None", "ReplicaId": 1}),
            vec!["backend h.i.b has no role but a ReplicaId: only suppliers have one"],
        ),
        (
            json!({"ReplicaRole": "consumer", "agmts": []}),
            vec!["backend h.i.b is a consumer but has agreements: remove its 'agmts', or make it a hub or a supplier"],
        ),
        (
            json!({"ReplicaRole": "consumer", "agmts": [{"name": "a", "state": "absent"}]}),
            vec!["backend h.i.b is a consumer but has agreements: remove its 'agmts', or make it a hub or a supplier"],
        ),
        (json!({"ReplicaRole": "None", "agmts": [{"name": "a", "state": "absent"}]}), vec![]),
        (
            json!({"ReplicaRole": "None", "agmts": [
                {"name": "a", "ReplicaHost": "h", "ReplicaPort": 1, "ReplicaBindMethod": "SSLCLIENTAUTH"}
            ]}),
            vec!["backend h.i.b has no role but agreements: make it a hub or a supplier, or remove its 'agmts'"],
        ),
    ] {
        check(json!({"h": host(options)}), &expected);
    }
}

#[test]
fn a_role_is_of_a_suffix() {
    let hosts = fleet(&json!({"h": host(json!({"ReplicaRole": "hub"}))}));
    let mut specification = hosts.get("h").unwrap().specification.clone();
    specification.instances[0].backends[0].suffix = None;
    let mut without = Fleet::new();
    without.insert("h", Member { address: None, specification });
    assert_eq!(problems(&without).to_string(), "instance i, backend b: backend h.i.b is a hub but has no suffix");
}

#[test]
fn two_suppliers_of_a_suffix_have_different_numbers() {
    let supplier = |id: u16, suffix: &str| host(json!({"ReplicaRole": "supplier", "ReplicaId": id, "suffix": suffix}));
    for (hosts, expected) in [
        (json!({"h1": supplier(1, "dc=a"), "h2": supplier(2, "dc=a")}), vec![]),
        (json!({"h1": supplier(1, "dc=a"), "h2": supplier(1, "dc=b")}), vec![]),
        (
            json!({"h1": supplier(1, "dc=a"), "h2": supplier(1, "DC=A")}),
            vec!["backend h2.i.b has the ReplicaId 1 of h1.i.b, and both have suffix DC=A"],
        ),
        (
            json!({"h1": supplier(7, "dc=a"), "h2": supplier(7, "dc=a"), "h3": supplier(7, "dc=a")}),
            vec![
                "backend h2.i.b has the ReplicaId 7 of h1.i.b, and both have suffix dc=a",
                "backend h3.i.b has the ReplicaId 7 of h1.i.b, and both have suffix dc=a",
            ],
        ),
    ] {
        check(hosts, &expected);
    }
    let one = |name: &str| {
        let mut one = supplier(1, "dc=a")["ds389_instances"][0].clone();
        one["name"] = json!(name);
        one
    };
    check(
        json!({"h": {"ds389_instances": [one("i"), one("j")]}}),
        &["backend h.j.b has the ReplicaId 1 of h.i.b, and both have suffix dc=a"],
    );
}

#[test]
fn a_host_whose_address_is_not_its_name_has_its_numbers_once() {
    let mut one = host(json!({"ReplicaRole": "supplier", "ReplicaId": 1}));
    one["ansible_host"] = json!("192.0.2.1");
    let mut other = host(json!({"ReplicaRole": "supplier", "ReplicaId": 2}));
    other["ansible_host"] = json!("192.0.2.2");
    check(json!({"h1": one, "h2": other}), &[]);
}

#[test]
fn passwords_that_only_a_server_knows_are_not_asked_for() {
    let agreement = json!({"name": "a", "ReplicaHost": "h2", "ReplicaPort": 389, "ReplicaBindDN": "cn=m,cn=config"});
    let options = json!({"ReplicaRole": "hub", "ReplicaBindDN": "cn=m,cn=config", "agmts": [agreement]});
    check(json!({"h": host(options)}), &[]);
}

#[test]
fn what_goes_need_not_fit() {
    for key in ["/state", "/ds389_instances/0/state", "/ds389_instances/0/backends/0/state"] {
        let mut hosts = json!({"h": host(json!({"ReplicaRole": "supplier", "agmts": []}))});
        let (parent, state) = key.rsplit_once('/').unwrap();
        hosts["h"].pointer_mut(parent).unwrap()[state] = json!("absent");
        check(hosts, &[]);
    }
}

#[test]
fn all_problems_are_told_with_their_places() {
    let hosts = json!({
        "h1": host(json!({"ReplicaRole": "supplier"})),
        "h2": host(json!({"ReplicaRole": "consumer", "ReplicaId": 3, "agmts": []})),
    });
    let expected = "instance i, backend b: backend h1.i.b is a supplier but has no ReplicaId: give it one from 1 to 65534\n\
        instance i, backend b: backend h2.i.b is a consumer but has a ReplicaId: only suppliers have one\n\
        instance i, backend b: backend h2.i.b is a consumer but has agreements: \
        remove its 'agmts', or make it a hub or a supplier";
    assert_eq!(problems(&fleet(&hosts)).to_string(), expected);
}

#[test]
fn data_has_one_source() {
    let member = |role: &str, id: u64, targets: Json| {
        let mut one = host(json!({"ReplicaRole": role, "ReplicaBindDN": "cn=m,cn=config", "ReplicaCredentials": "s"}));
        if id > 0 {
            one["ds389_instances"][0]["backends"][0]["ReplicaId"] = id.into();
        }
        one["ds389_agmts"] = targets;
        one
    };
    let to = |target: &str, initialise: &str| json!([{"target": target, "Initialise": initialise}]);
    check(
        json!({
            "one": member("supplier", 1, to("two", "OnCreate")),
            "two": member("hub", 0, to("three", "OnCreate")),
            "three": member("consumer", 0, json!([])),
        }),
        &[],
    );
    check(json!({"one": member("supplier", 1, to("*", "OnCreate")), "two": member("supplier", 2, to("*", "Never"))}), &[]);
    check(
        json!({"one": member("supplier", 1, to("*", "OnCreate")), "two": member("supplier", 2, to("*", "OnCreate"))}),
        &[
            "backend two.i.b is initialised by one.i.b and initialises one.i.b itself: keep 'Initialise: OnCreate' on the supplier that has the data",
            "backend one.i.b is initialised by two.i.b and initialises two.i.b itself: keep 'Initialise: OnCreate' on the supplier that has the data",
        ],
    );
    check(
        json!({
            "one": member("supplier", 1, to("three", "OnCreate")),
            "two": member("supplier", 2, to("three", "OnCreate")),
            "three": member("consumer", 0, json!([])),
        }),
        &["backend three.i.b is initialised by one.i.b and by two.i.b: leave 'Initialise: OnCreate' to one of them"],
    );
}

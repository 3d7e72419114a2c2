//! Resources of a cluster: that they say what hosts should be, that the committed definitions take them, and what is told of the
//! rest.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::inventory::{node, specification};
use crate::{
    codec::Codec,
    dn::Dn,
    fleet::Fleet,
    intent::Intent,
    json, layout,
    options::{Definition, Scope, offered::MOST_VALUES},
    place::Problem,
    resource::{Choices, Resources, resources},
    setting::{Setting, Settings},
    specification::{Backend, Instance, Presence, RoleWish},
    targets::Pattern,
    yaml,
};

/// The definitions as they are committed.
const DEFINITIONS: &str = include_str!("../../../../charts/aviary/files/crds.yaml");

fn fleet(hosts: &Json) -> Fleet {
    let hosts = hosts.as_object().unwrap().iter().map(|(host, json)| (host.clone(), node(json))).collect();
    Intent::read(&hosts).and_then(|intent| intent.resolved()).unwrap_or_else(|problems| panic!("{problems}"))
}

fn made(hosts: &Json) -> Resources {
    resources(&fleet(hosts), &Choices::default())
}

/// One host with these instances.
fn host(instances: Json) -> Json {
    json!({"vm1": {"ds389_instances": instances}})
}

/// An instance with a backend of a role.
fn replicated(name: &str, role: &str, id: Option<u16>, more: &Json) -> Json {
    let mut backend = json!({"name": "userroot", "suffix": "dc=x", "ReplicaRole": role,
        "ReplicaBindDN": "cn=m,cn=config", "ReplicaCredentials": "secret-of-m"});
    let map = backend.as_object_mut().unwrap();
    map.extend(id.map(|id| ("ReplicaId".to_owned(), json!(id))));
    map.extend(more.as_object().unwrap().clone());
    json!({"name": name, "backends": [backend]})
}

/// The documents as a program reads them that is told nothing else.
fn documents(made: &Resources) -> Vec<Json> {
    let text = made.yaml();
    text.split("---\n").map(as_json).collect()
}

fn as_json(document: &str) -> Json {
    serde_json::from_str(&json::write(&yaml::parse(document).unwrap())).unwrap()
}

fn lines<'a>(problems: impl Iterator<Item = &'a Problem>) -> Vec<String> {
    problems.map(Problem::without_position).collect()
}

#[track_caller]
fn notes(hosts: &Json, expected: &[&str]) {
    assert_eq!(lines(made(hosts).notes()), expected, "{hosts}");
}

#[track_caller]
fn unsupported(hosts: &Json, expected: &[&str]) {
    assert_eq!(lines(made(hosts).unsupported.iter()), expected, "{hosts}");
}

#[test]
fn an_instance_is_a_resource_and_what_sends_alike_another() {
    let supplier = json!({"name": "main", "rootpw": "secret-of-root", "started": false, "nsslapd_sizelimit": 77,
        "backends": [{"name": "userroot", "suffix": "dc=x", "ReplicaRole": "supplier", "ReplicaId": 1, "sample_entries": true,
            "indexes": [{"name": "uid", "IndexType": ["eq", "eq", "pres"]}]}]});
    let hosts = json!({
        "vm1": {"ds389_instances": [supplier], "ds389_state": "updated", "ds389_agmts": [{"target": "*", "Initialise": "OnCreate"}]},
        "vm2": {"ds389_instances": [replicated("other", "consumer", None, &json!({}))]},
    });
    let choices =
        Choices { namespace: Some("ldap".to_owned()), directory_manager_secret: Some("root".to_owned()), ..Choices::default() };
    let expected = "\
# host vm1: instance main: rootpw left out, for it is a secret: put it into the key `password` of the Secret root
apiVersion: ds389.aviary.dev/v1alpha1
kind: DS389Instance
metadata:
  name: main
  namespace: ldap
spec:
  directoryManager:
    secretName: root
  policy: Updated
  started: false
  config:
    nsslapdSizelimit: 77
  backends:
    - name: userroot
      suffix: dc=x
      replicaRole: supplier
      replicaId: 1
      sampleEntries: true
      indexes:
        - name: uid
          indexType:
            - eq
            - pres
---
# host vm2: instance other, backend userroot: ReplicaCredentials, ReplicaBindDN left out: servers of the cluster bind to each other over LDAPS, with a password that the operator makes
apiVersion: ds389.aviary.dev/v1alpha1
kind: DS389Instance
metadata:
  name: other
  namespace: ldap
spec:
  directoryManager:
    secretName: root
  backends:
    - name: userroot
      suffix: dc=x
      replicaRole: consumer
---
apiVersion: ds389.aviary.dev/v1alpha1
kind: DS389Agreement
metadata:
  name: main-userroot
  namespace: ldap
spec:
  instance: main
  backend: userroot
  targets:
    - other.userroot
";
    let made = resources(&fleet(&hosts), &choices);
    assert_eq!(made.yaml(), expected);
    let listed: Json = serde_json::from_str(&json::write(&made.list())).unwrap();
    assert_eq!((&listed["kind"], &listed["items"]), (&json!("List"), &json!(documents(&made))));
    assert!(!made.yaml().contains("secret-of"));
    let of_one = resources(&fleet(&hosts), &Choices { host: Some("vm2".to_owned()), ..choices });
    assert_eq!(documents(&of_one).iter().map(|one| one["metadata"]["name"].clone()).collect::<Vec<_>>(), ["other"]);
}

#[test]
fn what_a_name_does_not_tell_stands_before_the_resource() {
    let hosts = json!({"vm1": {"ds389_instances": [{"name": "a"}]}, "vm2\nx: y": {"ds389_instances": [{"name": "A"}]}});
    let text = made(&hosts).yaml();
    assert!(text.contains("# host vm1: instance a\napiVersion") && text.contains("# host vm2 x: y: instance A\napi"), "{text}");
    assert!(text.contains("name: vm1-a\nspec: {}\n") && text.contains("name: vm2-x--y-a\n"), "{text}");
}

#[test]
fn what_is_left_to_the_operator_is_told() {
    let rootpw = "the operator makes another one; to keep it, make a Secret with it in the key `password`, and name that by \
                  --directory-manager-secret";
    notes(&host(json!([{"name": "a", "nsslapd_sizelimit": 1, "root_dn": "CN=directory manager"}])), &[]);
    notes(
        &host(
            json!([{"name": "a", "rootpw": "secret12", "port": 1, "secure_port": 2, "tls_cert": "/c", "tls_key": "/k", "user": "u",
            "full_machine_name": "h", "root_dn": "cn=root", "db_dir": "/d", "nsslapd_securelistenhost": "192.0.2.1"}]),
        ),
        &[
            &format!("instance a: rootpw left out, for it is a secret: {rootpw}"),
            "instance a: nsslapd_securelistenhost, port, secure_port left out: the server listens for LDAPS at port 3636, and for \
             plain LDAP inside its pod alone",
            "instance a: tls_cert, tls_key left out: the operator issues certificates, and clients trust ca.crt of the Secret a-tls",
            "instance a: full_machine_name left out: the server is called a, as its Service is",
            "instance a: root_dn left out: the administrator is cn=Directory Manager",
            "instance a: db_dir, user left out: it belongs to the pod",
        ],
    );
    let backend = |backend: Json| host(json!([{"name": "a", "backends": [backend]}]));
    notes(
        &backend(json!({"name": "b", "suffix": "dc=x", "ldif_file": "/f", "directory": "/d", "ReplicaTransportInfo": "LDAPS",
            "ReplicaUpdateSchedule": "0800-1800 1"})),
        &[
            "instance a, backend b: ReplicaTransportInfo left out: servers of the cluster bind to each other over LDAPS, with a \
             password that the operator makes",
            "instance a, backend b: ldif_file left out: it is a file of the host; import it once the pod runs",
            "instance a, backend b: directory left out: it belongs to the pod",
        ],
    );
    notes(
        &backend(
            json!({"name": "b", "suffix": "dc=x", "ReplicaId": 1, "ReplicaPurgeDelay": 5, "ChangelogSymetricKey": "secret"}),
        ),
        &[
            "instance a, backend b: ChangelogSymetricKey left out: it is a secret, and resources have none",
            "instance a, backend b: ReplicaId, ChangelogSymetricKey, ReplicaPurgeDelay left out: no ReplicaRole is said, and a new \
             server has none",
        ],
    );
    notes(
        &host(json!([{"name": "a", "nsslapd_cache_autosize": 0, "nsslapd_dbcachesize": 9, "backends": [
            {"name": "b", "suffix": "dc=b", "entry_cache_size": 9}, {"name": "c", "suffix": "dc=c", "entry_cache_size": 9}]}])),
        &[
            "instance a: entry_cache_size, nsslapd_cache_autosize, nsslapd_dbcachesize are for the memory of the host: give as much by \
           spec.resources.limits.memory, or leave them to the operator",
        ],
    );
}

#[test]
fn what_should_not_be_there_has_no_resource() {
    let absent = json!([{"name": "a", "state": "absent"}, {"name": "b", "backends": [{"name": "c", "state": "absent"},
        {"name": "d", "suffix": "dc=d", "indexes": [{"name": "e", "state": "absent"}]}]}]);
    let hosts = json!({"vm1": {"ds389_instances": absent}, "vm2": {"state": "absent", "ds389_instances": [{"name": "f"}]}});
    notes(
        &hosts,
        &[
            "host vm1: instance a: left out, for it should not be there",
            "host vm2: instance f: left out, for it should not be there",
            "host vm1: instance b, backend c: left out, for it should not be there",
            "host vm1: instance b, backend d, index e: left out, for it should not be there",
        ],
    );
    let found = documents(&made(&hosts));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["spec"], json!({"backends": [{"name": "d", "suffix": "dc=d"}]}));
}

#[test]
fn the_state_of_all_counts_more_than_that_of_one() {
    for (state, expected) in [
        ("present", json!({"started": true})),
        ("updated", json!({"policy": "Updated", "started": true})),
        ("started", json!({"started": true})),
        ("stopped", json!({"started": false})),
    ] {
        let hosts = json!({"vm1": {"state": state, "ds389_instances": [{"name": "a", "started": true}]}});
        assert_eq!(documents(&made(&hosts))[0]["spec"], expected, "{state}");
    }
}

#[test]
fn one_server_of_a_suffix_begins_with_sample_entries() {
    let samples = json!({"sample_entries": true});
    let supplier = |name: &str, id| replicated(name, "supplier", Some(id), &samples);
    let check = |hosts: Json, expected: &[&str]| {
        let begins = |one: &Json| one["spec"]["backends"][0]["sampleEntries"] == true;
        let made = made(&hosts);
        let found: Vec<Json> = documents(&made).into_iter().filter(begins).map(|one| one["metadata"]["name"].clone()).collect();
        assert_eq!(found, expected, "{hosts}");
    };
    let agreements = json!([{"target": "*", "Initialise": "OnCreate"}]);
    let consumer = replicated("c", "consumer", None, &samples);
    check(json!({"vm1": {"ds389_instances": [supplier("a", 1)]}, "vm2": {"ds389_instances": [supplier("b", 2)]}}), &["a"]);
    check(
        json!({"vm1": {"ds389_instances": [supplier("a", 1)]},
            "vm2": {"ds389_instances": [supplier("b", 2)], "ds389_agmts": agreements}, "vm3": {"ds389_instances": [consumer]}}),
        &["b"],
    );
    // Who gets its entries from one without any has none.
    let bare = replicated("a", "supplier", Some(1), &json!({}));
    check(
        json!({"vm1": {"ds389_instances": [bare], "ds389_agmts": agreements}, "vm2": {"ds389_instances": [supplier("b", 2)]}}),
        &[],
    );
    check(json!({"vm1": {"ds389_instances": [consumer]}}), &["c"]);
    check(host(json!([{"name": "d", "backends": [{"name": "b", "suffix": "dc=x", "sample_entries": true}]}])), &["d"]);
}

/// The specs of agreements of `vm1`, which is a supplier beside those of two other hosts.
fn agreements(targeted: Json, listed: Option<Json>) -> Resources {
    let own = replicated("one", "supplier", Some(1), &listed.map_or(json!({}), |listed| json!({"agmts": listed})));
    made(&json!({
        "vm1": {"ds389_instances": [own], "ds389_agmts": targeted},
        "vm2": {"ansible_host": "192.0.2.2", "ds389_instances": [replicated("two", "supplier", Some(2), &json!({}))]},
        "vm3": {"ds389_instances": [replicated("three", "consumer", None, &json!({"ReplicaUpdateSchedule": "0800-1800 1"}))]},
    }))
}

#[track_caller]
fn check_agreements(made: &Resources, expected: &[Json]) {
    let found = documents(made).into_iter().filter(|one| one["kind"] == "DS389Agreement").map(|mut one| {
        let name = one["metadata"]["name"].take();
        let mut spec = one["spec"].take();
        assert_eq!((spec["instance"].take(), spec["backend"].take()), (json!("one"), json!("userroot")));
        spec.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        json!({name.as_str().unwrap(): spec})
    });
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

#[test]
fn agreements_with_the_same_options_are_one_resource() {
    let schedule = json!(["0800-1800 1"]);
    check_agreements(
        &agreements(json!([{"target": "*", "ReplicaUpdateSchedule": schedule}]), None),
        &[json!({"one-userroot": {"targets": ["two.userroot", "three.userroot"], "schedule": schedule}})],
    );
    check_agreements(
        &agreements(json!([{"target": "*"}]), None),
        &[
            json!({"one-userroot": {"targets": ["two.userroot"]}}),
            json!({"one-userroot-2": {"targets": ["three.userroot"], "schedule": schedule}}),
        ],
    );
    let options = json!({"target": "two", "ReplicaEnabled": false, "ReplicatedAttributeList": "memberOf a", "Initialise": "Never",
        "ReplicaTimeout": 9, "ReplicaBindMethod": "SSLCLIENTAUTH", "InitialiseRequest": "x"});
    let made = agreements(json!([options]), None);
    check_agreements(
        &made,
        &[json!({"one-userroot": {"targets": ["two.userroot"], "paused": true, "excludedAttributes": ["memberOf", "a"],
            "initialise": {"policy": "Never"}, "config": {"replicaTimeout": 9}}})],
    );
    let place = "host vm1: instance one, backend userroot, agreement ansible-target: vm2.two.userroot";
    let notes = lines(made.resources.last().unwrap().notes.iter());
    assert_eq!(
        notes,
        [
            format!("{place}: InitialiseRequest left out: ask in the cluster, by spec.initialise.requestId"),
            format!("{place}: ReplicaBindMethod SSLCLIENTAUTH left out: servers of the cluster bind by password"),
        ]
    );
    for (initialise, told) in [("OnCreate", 0), ("Anew", 1)] {
        let made = agreements(json!([{"target": "two", "Initialise": initialise}]), None);
        check_agreements(&made, &[json!({"one-userroot": {"targets": ["two.userroot"]}})]);
        assert_eq!(made.resources.last().unwrap().notes.iter().count(), told, "{initialise}");
    }
}

#[test]
fn an_agreement_that_is_written_out_is_with_the_server_that_it_reaches() {
    let listed = |host: &str, port: u16| json!([{"name": "x", "ReplicaHost": host, "ReplicaPort": port}]);
    for (host, port) in [("192.0.2.2", 389), ("192.0.2.2", 636), ("VM2", 389)] {
        let made = agreements(json!([]), Some(listed(host, port)));
        check_agreements(&made, &[json!({"one-userroot": {"targets": ["two.userroot"]}})]);
        assert!(made.unsupported.is_empty(), "{}", made.unsupported);
    }
    for (host, port) in [("192.0.2.2", 1389), ("vm4", 389), ("vm1", 389)] {
        let made = agreements(json!([]), Some(listed(host, port)));
        check_agreements(&made, &[]);
        assert_eq!(
            lines(made.unsupported.iter()),
            [format!(
                "host vm1: instance one, backend userroot, agreement x: sends to {host}:{port}, which is no replicated backend of a \
                 host that is known here, without TLS; a resource has ReplicaTransportInfo LDAPS or StartTLS"
            )]
        );
    }
    let twice = json!([{"name": "x", "ReplicaHost": "vm2", "ReplicaPort": 389, "ReplicaTimeout": 1},
        {"name": "y", "ReplicaHost": "vm2", "ReplicaPort": 636}, {"name": "z", "state": "absent"}]);
    let made = agreements(json!([]), Some(twice));
    let place = "host vm1: instance one, backend userroot, agreement";
    assert_eq!(
        lines(made.unsupported.iter()),
        [format!("{place} y: sends to two.userroot, as another agreement of this backend does")]
    );
    assert_eq!(lines(made.absent.iter()), [format!("{place} z: left out, for it should not be there")]);
}

#[test]
fn an_agreement_with_a_server_of_no_known_host_has_it_as_an_external_one() {
    let place = "host vm1: instance one, backend userroot, agreement To.Legacy";
    let secret = "ReplicaCredentials left out, for it is a secret: put it into the key `password` of the Secret \
                  one-userroot-to-legacy";
    let asked = "Initialise left out: what the server holds is not looked at; ask in the cluster, by spec.initialise.requestId";
    let simple = json!({"name": "to-legacy", "host": "ldap.example.org", "port": 636, "transport": "LDAPS",
        "bindDn": "cn=m,cn=config", "secretName": "one-userroot-to-legacy"});
    let certificate = json!({"name": "to-legacy", "host": "ldap.example.org", "port": 636, "transport": "StartTLS",
        "bindMethod": "Certificate"});
    for (more, expected, notes) in [
        (json!({"ReplicaTransportInfo": "SSL", "ReplicaBindDN": "cn=m,cn=config"}), Ok(&simple), vec![secret]),
        (
            json!({"ReplicaTransportInfo": "LDAPS", "ReplicaBindDN": "cn=m,cn=config", "Initialise": "OnCreate"}),
            Ok(&simple),
            vec![secret, asked],
        ),
        (json!({"ReplicaTransportInfo": "TLS", "ReplicaBindMethod": "SSLCLIENTAUTH"}), Ok(&certificate), vec![]),
        (json!({"ReplicaTransportInfo": "LDAPS"}), Err("without a ReplicaBindDN"), vec![]),
        (
            json!({"ReplicaTransportInfo": "TLS", "ReplicaBindMethod": "SASL/GSSAPI"}),
            Err("by SASL/GSSAPI; a resource has ReplicaBindMethod SIMPLE or SSLCLIENTAUTH"),
            vec![],
        ),
    ] {
        let mut listed = json!({"name": "To.Legacy", "ReplicaHost": "ldap.example.org", "ReplicaPort": 636, "ReplicaTimeout": 9});
        listed.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = agreements(json!([]), Some(json!([listed])));
        accepted(&made);
        let spec = expected.map(|server| json!({"one-userroot": {"external": [server], "config": {"replicaTimeout": 9}}}));
        check_agreements(&made, &Vec::from_iter(spec.ok()));
        let refused = expected.err().map(|why| {
            format!("{place}: sends to ldap.example.org:636, which is no replicated backend of a host that is known here, {why}")
        });
        assert_eq!(lines(made.unsupported.iter()), Vec::from_iter(refused));
        let notes: Vec<String> = notes.into_iter().map(|note| format!("{place}: {note}")).collect();
        let noted = lines(made.notes()).into_iter().filter(|note| note.starts_with(place));
        assert_eq!(noted.collect::<Vec<_>>(), notes);
    }
    let long = |end: &str| {
        json!({"name": format!("{}{end}", "n".repeat(60)), "ReplicaHost": format!("{end}.example.org"), "ReplicaPort": 636,
            "ReplicaTransportInfo": "LDAPS", "ReplicaBindDN": "cn=m"})
    };
    let made = agreements(json!([]), Some(json!([long("a"), long("b")])));
    accepted(&made);
    let mut secrets = BTreeSet::new();
    for server in documents(&made).iter().flat_map(|one| one["spec"]["external"].as_array().cloned().unwrap_or_default()) {
        secrets.insert(server["secretName"].as_str().unwrap().to_owned());
    }
    assert_eq!(secrets.len(), 2, "a Secret for each: {secrets:?}");
    let [one, two] = ["a", "b"].map(|name| {
        json!({"name": name, "ReplicaHost": "ldap.example.org", "ReplicaPort": 636, "ReplicaTransportInfo": "LDAPS",
            "ReplicaBindDN": "cn=m"})
    });
    let made = agreements(json!([{"target": "two"}]), Some(json!([one, two])));
    let external = json!([{"name": "a", "host": "ldap.example.org", "port": 636, "transport": "LDAPS", "bindDn": "cn=m",
        "secretName": "one-userroot-a"}]);
    check_agreements(&made, &[json!({"one-userroot": {"targets": ["two.userroot"], "external": external}})]);
    let twice = "host vm1: instance one, backend userroot, agreement b: sends to ldap.example.org:636, as another agreement of this \
                 backend does";
    assert_eq!(lines(made.unsupported.iter()), [twice]);
}

#[test]
fn what_no_resource_can_say_is_told() {
    let backend = |more: Json| {
        let mut backend = json!({"name": "b", "suffix": "dc=x"});
        backend.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        host(json!([{"name": "a", "backends": [backend]}]))
    };
    let (name, text) = ("n".repeat(65), "t".repeat(4097));
    let many: Vec<String> = (0..=MOST_VALUES).map(|number| format!("a{number}")).collect();
    let indexes: Vec<Json> = (0..513).map(|number| json!({"name": format!("a{number}"), "indextype": "eq"})).collect();
    let backends: Vec<Json> =
        (0..65).map(|number| json!({"name": format!("b{number}"), "suffix": format!("dc=b{number}")})).collect();
    for (hosts, expected) in [
        (host(json!([{"name": "a", "nsssl3ciphers": text}])), "instance a: option 'nsSSL3Ciphers' has more than 4096 characters"),
        (
            host(json!([{"name": "a", "memberof_groupattr": many}])),
            "instance a: option 'memberof_groupattr' has more than 256 values",
        ),
        (host(json!([{"name": "a", "backends": backends}])), "instance a: has more than 64 backends"),
        (backend(json!({"name": name})), &format!("instance a, backend {name}: has a name of more than 64 characters")),
        (backend(json!({"suffix": format!("dc={text}")})), "instance a, backend b: has a suffix of more than 256 characters"),
        (backend(json!({"indexes": indexes})), "instance a, backend b: has more than 512 indexes"),
        (
            backend(json!({"indexes": [{"name": name, "indextype": "eq"}]})),
            &format!("instance a, backend b, index {name}: has a name of more than 64 characters"),
        ),
        (
            backend(json!({"agmts": [{"name": "x", "ReplicaHost": "h", "ReplicaPort": 1}]})),
            "instance a, backend b, agreement x: is of a backend of which no ReplicaRole is said: make that a supplier or a hub",
        ),
    ] {
        unsupported(&hosts, &[expected]);
        accepted(&made(&hosts));
    }
    let place = "host vm1: instance one, backend userroot, agreement ansible-target: vm2.two.userroot";
    for (total, is_said) in
        [(json!("memberOf"), true), (json!("MEMBEROF"), true), (json!("memberOf a"), false), (json!([]), false)]
    {
        let options = json!({"target": "two", "ReplicatedAttributeList": "memberOf", "ReplicatedAttributeListTotal": total});
        let told = lines(agreements(json!([options]), None).unsupported.iter());
        let message = format!(
            "{place}: has a ReplicatedAttributeListTotal that differs from its ReplicatedAttributeList; a resource has one for both"
        );
        assert_eq!(told, if is_said { vec![] } else { vec![message] }, "{total}");
    }
}

/// A value that an option may have.
fn example(option: &Definition) -> Json {
    match option.codec {
        Codec::Number(least, most) => json!(least.max(most.min(7))),
        Codec::Switch | Codec::Truth => json!(true),
        Codec::Choice(words) => json!(words[words.len() - 1][0]),
        Codec::Choices(words) => json!(words.iter().map(|word| word[0]).collect::<Vec<_>>()),
        Codec::Path => json!("/x"),
        Codec::Paths => json!(["/x"]),
        Codec::Dn => json!("cn=x,dc=x"),
        Codec::Dns => json!(["cn=x,dc=x", "cn=m,cn=config"]),
        Codec::Mode => json!("640"),
        Codec::Clock => json!("0800"),
        Codec::Age => json!("90"),
        Codec::Urls => json!(["ldap://x"]),
        Codec::Schedule => json!(["0800-1800 12345"]),
        Codec::Types | Codec::Words | Codec::Fraction => json!(["a", "b", "a"]),
        Codec::Texts => json!(["yes", "1", "#"]),
        Codec::Text | Codec::Name | Codec::Password => json!("0640 on: it"),
    }
}

/// An object with every option of its kind, but for what says what it is.
fn everything(scope: Scope, own: Json) -> Json {
    let mut object: Map<String, Json> = scope
        .options()
        .iter()
        .filter(|option| option.name != "state")
        .map(|option| (option.name.to_owned(), example(option)))
        .collect();
    object.extend(own.as_object().unwrap().clone());
    json!(object)
}

/// Hosts of which one has all that can be said.
fn all() -> Json {
    let index = everything(Scope::Index, json!({"name": "uid"}));
    let reached = everything(Scope::Agreement, json!({"name": "x", "replicahost": "vm3", "replicaport": 389}));
    let backend = |name: &str, suffix: &str, role: &str, more: Json| {
        let mut backend =
            everything(Scope::Backend, json!({"name": name, "suffix": suffix, "replicarole": role, "indexes": [index]}));
        let map = backend.as_object_mut().unwrap();
        if role != "supplier" {
            map.remove("replicaid");
        }
        map.extend(more.as_object().unwrap().clone());
        backend
    };
    let instance = everything(
        Scope::Instance,
        json!({"name": "Main", "backends": [
            backend("a", "dc=a", "supplier", json!({"replicaid": 1})),
            backend("b.c", "dc=b", "hub", json!({"agmts": [reached]})),
            {"name": "plain", "suffix": "dc=plain", "ReplicaRole": "None"},
        ]}),
    );
    let other = |name: &str, role: &str, id: Option<u16>| {
        let mut a = json!({"name": "a", "suffix": "dc=a", "ReplicaRole": role, "ReplicaBindDN": "cn=m,cn=config",
            "ReplicaCredentials": "secret"});
        a.as_object_mut().unwrap().extend(id.map(|id| ("ReplicaId".to_owned(), json!(id))));
        json!([{"name": name, "backends": [a, {"name": "b", "suffix": "dc=b", "ReplicaRole": "consumer"}]}])
    };
    json!({
        "vm1.example.com": {"ds389_instances": [instance], "ds389_agmts": [{"target": "a", "ReplicaTimeout": 5}]},
        "vm2": {"ds389_instances": other("main", "supplier", Some(2)), "ds389_agmts": [{"target": "vm3.*.a"}]},
        "vm3": {"ds389_instances": other("third", "consumer", None)},
    })
}

/// What a schema does not take of a value.
fn refusals(schema: &Json, value: &Json, path: &str) -> Vec<String> {
    // The definitions have bounds of numbers with a point.
    let bound = |name: &str| schema[name].as_f64();
    let is_outside = |count: f64, least: &str, most: &str| {
        bound(least).is_some_and(|least| count < least) || bound(most).is_some_and(|most| count > most)
    };
    let mut found = Vec::new();
    let mut refuse = |is_so: bool, what: &str| {
        if is_so {
            found.push(format!("{path}: {what}"));
        }
    };
    let length = |count: usize| f64::from(u32::try_from(count).unwrap());
    match (schema["type"].as_str().unwrap_or_default(), value) {
        ("object", Json::Object(map)) => {
            for required in schema["required"].as_array().into_iter().flatten() {
                refuse(!map.contains_key(required.as_str().unwrap()), &format!("{required} is missing"));
            }
            for (key, value) in map {
                match schema["properties"].get(key) {
                    Some(schema) => found.extend(refusals(schema, value, &format!("{path}.{key}"))),
                    None => found.push(format!("{path}: {key} is unknown")),
                }
            }
        }
        ("array", Json::Array(items)) => {
            refuse(is_outside(length(items.len()), "minItems", "maxItems"), "too many or too few");
            let keys = schema["x-kubernetes-list-map-keys"].as_array();
            let key = |item: &Json| match keys {
                Some(keys) => keys.iter().map(|key| item[key.as_str().unwrap()].to_string()).collect(),
                None => item.to_string(),
            };
            let unique: BTreeSet<String> = items.iter().map(key).collect();
            refuse(schema["x-kubernetes-list-type"].is_string() && unique.len() < items.len(), "two are the same");
            for (index, item) in items.iter().enumerate() {
                found.extend(refusals(&schema["items"], item, &format!("{path}[{index}]")));
            }
        }
        ("string", Json::String(text)) => {
            refuse(is_outside(length(text.chars().count()), "minLength", "maxLength"), "too long or too short");
            let words = schema["enum"].as_array();
            refuse(words.is_some_and(|words| !words.contains(value)), "none of the words");
        }
        ("integer", Json::Number(number)) => {
            refuse(!number.is_i64() || is_outside(number.as_f64().unwrap(), "minimum", "maximum"), "too large or too small");
        }
        ("boolean", Json::Bool(_)) => {}
        (kind, value) => refuse(true, &format!("wants {kind}, not {value}")),
    }
    found
}

fn schemas() -> BTreeMap<String, Json> {
    let definitions = DEFINITIONS.split("---\n").skip(1).map(as_json);
    let schema = |definition: Json| {
        let version = &definition["spec"]["versions"][0];
        let kind = definition["spec"]["names"]["kind"].as_str().unwrap().to_owned();
        (kind, version["schema"]["openAPIV3Schema"]["properties"]["spec"].clone())
    };
    definitions.map(schema).collect()
}

/// The definitions take all of it, and so do those of their rules that are about resources which are there for the first time.
#[track_caller]
fn accepted(made: &Resources) {
    let schemas = schemas();
    for document in documents(made) {
        let (kind, name) = (document["kind"].as_str().unwrap(), document["metadata"]["name"].as_str().unwrap());
        assert_eq!(refusals(&schemas[kind], &document["spec"], name), [""; 0]);
        assert_eq!(document["apiVersion"], "ds389.aviary.dev/v1alpha1");
        assert!(name.len() <= if kind == "DS389Instance" { 52 } else { 253 } && !name.contains('.'), "{name}");
        for backend in document["spec"]["backends"].as_array().into_iter().flatten() {
            assert!(backend["replicaId"].is_null() || backend["replicaRole"] == "supplier", "{backend}");
        }
    }
}

#[test]
fn the_definitions_take_what_is_made() {
    let made = made(&all());
    assert_eq!(documents(&made).len(), 6);
    accepted(&made);
}

#[test]
fn the_definitions_refuse_what_is_wrong() {
    let schema = &schemas()["DS389Instance"];
    for (spec, expected) in [
        (json!({"backend": []}), "x: backend is unknown"),
        (json!({"config": {"port": 1}}), "x.config: port is unknown"),
        (json!({"started": "yes"}), "x.started: wants boolean, not \"yes\""),
        (json!({"policy": "updated"}), "x.policy: none of the words"),
        (json!({"config": {"nsslapdMinssf": 72}}), "x.config.nsslapdMinssf: too large or too small"),
        (json!({"backends": [{"name": "a"}]}), "x.backends[0]: \"suffix\" is missing"),
        (json!({"backends": [{"name": "", "suffix": "dc=x"}]}), "x.backends[0].name: too long or too short"),
        (json!({"backends": [{"name": "a", "suffix": "b"}, {"name": "a", "suffix": "c"}]}), "x.backends: two are the same"),
    ] {
        assert_eq!(refusals(schema, &spec, "x"), [expected]);
    }
}

/// The options of an object that a resource is to say, in words.
fn said(scope: Scope, settings: &Settings) -> BTreeMap<&'static str, String> {
    let is_managers = |name: &&String| Dn::parse(name).is_ok_and(|dn| dn.is_below(&layout::config()));
    let mut said = BTreeMap::new();
    for (option, setting) in settings.iter().filter(|(option, _)| scope.offers(option)) {
        match (option.name, setting) {
            // An address of the host.
            ("nsslapd_securelistenhost", _) => {}
            ("replicabinddn", Setting::List(names)) if names.iter().all(|name| is_managers(&name)) => {}
            (_, Setting::List(items)) => {
                let kept = items.iter().filter(|name| option.name != "replicabinddn" || !is_managers(name));
                said.insert(option.name, format!("{:?}", kept.collect::<BTreeSet<_>>()));
            }
            (name, setting) => drop(said.insert(name, setting.shown())),
        }
    }
    said
}

/// All that resources are to say of an instance.
fn summary(instance: &Instance) -> Json {
    let backend = |backend: &Backend| {
        let role = if let RoleWish::Role(role) = backend.role { role.name() } else { "None" };
        let indexes: Vec<_> = backend.indexes.iter().map(|index| (&index.name, said(Scope::Index, &index.settings))).collect();
        let mut options = said(Scope::Backend, &backend.settings);
        // One of all begins with these, which has a test of its own.
        options.remove("sample_entries");
        json!([backend.name, backend.suffix.as_ref().unwrap().as_str(), role, backend.replica_id, options, indexes])
    };
    let present = instance.backends.iter().filter(|backend| backend.presence == Presence::Present);
    json!([said(Scope::Instance, &instance.settings), instance.started, present.map(backend).collect::<Vec<_>>()])
}

/// What a resource says, as variables.
fn variables(document: &Json) -> Json {
    let renamed = |scope: Scope, fields: &Json| -> Map<String, Json> {
        let fields = fields.as_object().into_iter().flatten().filter(|(field, _)| *field != "indexes");
        fields.map(|(field, value)| (scope.option_of_field(field).expect(field).name.to_owned(), value.clone())).collect()
    };
    let backend = |backend: &Json| {
        let mut options = renamed(Scope::Backend, backend);
        let indexes = backend["indexes"].as_array().into_iter().flatten();
        options.insert("indexes".to_owned(), indexes.map(|index| json!(renamed(Scope::Index, index))).collect());
        json!(options)
    };
    let spec = &document["spec"];
    let mut instance = renamed(Scope::Instance, &spec["config"]);
    instance.insert("name".to_owned(), document["metadata"]["name"].clone());
    instance.insert("started".to_owned(), spec["started"].clone());
    instance.insert("backends".to_owned(), spec["backends"].as_array().into_iter().flatten().map(backend).collect());
    json!({"ds389_instances": [instance]})
}

/// Who sends to whom, as the operator finds it, and with which options.
fn pairs(documents: &[Json]) -> Vec<(String, String, Json)> {
    let of_kind = |kind: &'static str| documents.iter().filter(move |one| one["kind"] == kind);
    let replicated = || {
        of_kind("DS389Instance").flat_map(|one| {
            let backends = one["spec"]["backends"].as_array().unwrap().iter();
            backends.filter(|backend| backend["replicaRole"] != "None").map(move |backend| (&one["metadata"]["name"], backend))
        })
    };
    let full =
        |(instance, backend): (&Json, &Json)| format!("{}.{}", instance.as_str().unwrap(), backend["name"].as_str().unwrap());
    let mut found = Vec::new();
    for agreement in of_kind("DS389Agreement") {
        let mut options = agreement["spec"].clone();
        let own = ["instance", "backend", "targets"].map(|field| options[field].take());
        options.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let is_source = |(instance, backend): &(&Json, &Json)| **instance == own[0] && backend["name"] == own[1];
        let patterns: Vec<Pattern> = own[2].as_array().unwrap().iter().map(|text| Pattern::new(text.as_str().unwrap())).collect();
        for source in replicated().filter(is_source) {
            let is_target = |target: &(&Json, &Json)| {
                target.1["suffix"] == source.1["suffix"]
                    && full(*target) != full(source)
                    && patterns.iter().any(|pattern| pattern.matches(&full(*target)))
            };
            found.extend(replicated().filter(is_target).map(|target| (full(source), full(target), options.clone())));
        }
    }
    found.sort_by_key(|(source, target, _)| (source.clone(), target.clone()));
    found
}

#[test]
fn resources_say_what_the_hosts_should_be() {
    let fleet = fleet(&all());
    let documents = documents(&made(&all()));
    let instances: Vec<&Json> = documents.iter().filter(|one| one["kind"] == "DS389Instance").collect();
    assert_eq!(instances.len(), fleet.instances().count());
    for ((_, _, wanted), document) in fleet.instances().zip(&instances) {
        let read = specification(&variables(document));
        assert_eq!(summary(&read.instances[0]), summary(wanted));
    }
    let found = pairs(&documents);
    let words: Vec<(&str, &str)> = found.iter().map(|(source, target, _)| (source.as_str(), target.as_str())).collect();
    let (first, hub) = ("vm1-example-com-main.a", "vm1-example-com-main.b.c");
    assert_eq!(words, [(first, "third.a"), (first, "vm2-main.a"), (hub, "third.b"), ("vm2-main.a", "third.a")]);
    let of_hub = fleet.backends().find(|one| one.backend.name == "b.c").unwrap();
    let offered = said(Scope::Agreement, &of_hub.backend.agreements[0].settings);
    let renamed = |field: &String| Scope::Agreement.option_of_field(field).unwrap().name;
    let config: Vec<&str> = found[2].2["config"].as_object().unwrap().keys().map(renamed).collect();
    assert_eq!(config, offered.keys().copied().collect::<Vec<_>>());
    assert_eq!(found[2].2["excludedAttributes"], json!(["a", "b"]));
    assert_eq!(found[2].2["schedule"], json!(["0800-1800 12345"]));
    for (index, options) in [(0, json!({"config": {"replicaTimeout": 5}})), (3, json!({}))] {
        assert_eq!(found[index].2, options);
    }
}

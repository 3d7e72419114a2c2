//! Sixteen things that ds389.ansible_ds gets wrong, each named for what is right, by the wire that Ansible uses: `module` on real
//! servers, `resolve` where no server is asked.

use serde_json::{Value, json};
use tests::installation::Prefix;

use crate::{
    machine::Machine,
    module::{ask, instance, keys, module, servers, texts},
};

/// What a host's module is told to make, by name of the host.
fn resolved(host: &str, arguments: Value, hosts: Value) -> Result<Value, String> {
    let question = json!({"host": host, "action": "server", "args": arguments, "verbosity": 0, "check_mode": false,
        "diff": false, "hosts": hosts});
    let (_, answer) = ask(&["resolve"], &question.to_string());
    match answer["msg"].as_str() {
        Some(message) => Err(message.to_owned()),
        None => Ok(answer["module_args"]["ds389"].clone()),
    }
}

/// Variables of a host with one instance `localhost` and one replicated backend `userroot`.
fn host(role: &str, id: Option<u16>) -> Value {
    let mut backend = json!({"name": "userroot", "suffix": "dc=example,dc=com", "ReplicaRole": role,
        "ReplicaBindDN": "cn=manager,cn=config", "ReplicaCredentials": "s3cret-of-replication"});
    if let Some(id) = id {
        backend["ReplicaId"] = json!(id);
    }
    json!({"ds389_instances": [{"name": "localhost", "rootpw": "s3cret-of-root", "backends": [backend]}]})
}

fn with(mut object: Value, more: Value) -> Value {
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

fn agreements(share: &Value) -> Vec<&str> {
    let agreements = share["instances"][0]["backends"][0]["agmts"].as_array().map(Vec::as_slice).unwrap_or_default();
    agreements.iter().map(|agreement| agreement["name"].as_str().unwrap()).collect()
}

/// A server in an installation of its own.
struct Server {
    machine: Machine,
    wanted: Value,
}

impl Server {
    fn new(name: &str) -> Self {
        Self { machine: Machine::new(), wanted: instance(name) }
    }

    fn apply(&self, more: Value) -> Value {
        let answer = module(&servers(&self.machine.prefix, &json!([self.wanted]), more));
        assert_eq!(answer.get("failed"), None, "{answer}");
        answer
    }

    fn messages(&self) -> Vec<String> {
        let done = self.apply(json!({}));
        assert_eq!(self.apply(json!({}))["changed"], false, "a second run has nothing to do");
        texts(&done["msg"]).into_iter().map(str::to_owned).collect()
    }

    fn backend(&mut self) -> &mut Value {
        &mut self.wanted["backends"][0]
    }

    fn facts(&self) -> Value {
        facts(&self.machine.prefix)["ds389_instances"][0].clone()
    }

    fn dse(&self) -> String {
        self.machine.configurations().into_values().next().unwrap()
    }
}

fn facts(prefix: &Prefix) -> Value {
    module(&json!({"ds389info": {"prefix": prefix.path()}}))["ansible_facts"]["ds389"].clone()
}

#[test]
fn b01_attributes_of_entries_that_exist_are_changed() {
    let mut server = Server::new("bug01");
    server.backend()["indexes"] = json!([{"name": "description", "indextype": ["eq"]}]);
    server.messages();
    server.wanted["nsslapd_sizelimit"] = json!(77);
    server.backend()["readonly"] = json!(true);
    server.backend()["indexes"] = json!([{"name": "description", "indextype": ["eq", "sub"]}]);
    let messages = server.messages().join("\n");
    assert!(messages.contains("Set nsslapd-sizelimit:77 in cn=config"), "{messages}");
    assert!(messages.contains("Set nsslapd-readonly:on in cn=userroot,"), "{messages}");
    assert!(messages.contains("Set nsIndexType:eq sub in cn=description,"), "{messages}");
    assert!(server.dse().contains("nsslapd-sizelimit: 77\n"));
}

#[test]
fn b02_an_index_of_several_types_is_made_and_told() {
    let mut server = Server::new("bug02");
    server.backend()["indexes"] = json!([{"name": "description", "indextype": ["eq", "pres"]}]);
    server.messages();
    let told = &server.facts()["backends"][0]["indexes"];
    assert_eq!(told, &json!([{"name": "description", "IndexType": ["eq", "pres"], "SystemIndex": false}]));
}

#[test]
fn b03_an_index_that_every_backend_has_is_told_when_it_differs() {
    let mut server = Server::new("bug03");
    server.messages();
    assert_eq!(server.facts()["backends"][0].get("indexes"), None);
    server.backend()["indexes"] = json!([{"name": "uid", "indextype": ["eq", "pres", "sub"]}]);
    assert!(!server.messages().is_empty());
    assert_eq!(server.facts()["backends"][0]["indexes"][0]["name"], "uid");
}

#[test]
fn b04_instances_of_the_same_name_on_other_hosts_are_targets() {
    let hosts = json!({"vm1": with(host("supplier", Some(1)), json!({"ds389_agmts": [{"target": "*.localhost"}]})),
        "vm2": host("supplier", Some(2))});
    assert_eq!(agreements(&resolved("vm1", json!({}), hosts).unwrap()), ["ansible-target: vm2.localhost.userroot"]);
}

#[test]
fn b05_targets_whose_backends_have_the_same_name_get_an_agreement_each() {
    let hosts = json!({"vm1": with(host("supplier", Some(1)), json!({"ds389_agmts": [{"target": "userroot"}]})),
        "vm2": host("supplier", Some(2)), "vm3": host("consumer", None)});
    let expected = ["ansible-target: vm2.localhost.userroot", "ansible-target: vm3.localhost.userroot"];
    assert_eq!(agreements(&resolved("vm1", json!({}), hosts).unwrap()), expected);
}

#[test]
fn b06_instances_of_other_hosts_are_those_that_they_say_themselves() {
    let mut other = host("consumer", None);
    other["ds389_instances"][0]["name"] = json!("elsewhere");
    let hosts = json!({"vm1": with(host("supplier", Some(1)), json!({"ds389_agmts": [{"target": "vm2.*.*"}]})), "vm2": other});
    assert_eq!(agreements(&resolved("vm1", json!({}), hosts).unwrap()), ["ansible-target: vm2.elsewhere.userroot"]);
}

#[test]
fn b07_a_host_is_there_once_whatever_its_address() {
    let hosts = json!({"vm1": with(host("supplier", Some(1)), json!({"ansible_host": "192.0.2.1"})),
        "vm2": with(host("supplier", Some(2)), json!({"ansible_host": "192.0.2.2"}))});
    assert!(resolved("vm1", json!({}), hosts).is_ok(), "no number is there twice");
}

#[test]
fn b08_names_with_capitals_are_found_by_modifiers() {
    let mut one = host("supplier", Some(1));
    one["ds389_instances"][0]["name"] = json!("LocalHost");
    one["ds389_instances"][0]["backends"][0]["name"] = json!("UserRoot");
    let one = with(one, json!({"ds389_option_01": {"name": "LocalHost.UserRoot", "merge": {"ReplicaId": 7}}}));
    let share = resolved("vm1", json!({}), json!({"vm1": one})).unwrap();
    assert_eq!(share["instances"][0]["backends"][0]["ReplicaId"], 7);
}

#[test]
fn b09_states_that_find_nothing_to_do_change_nothing() {
    let server = Server::new("bug09");
    server.messages();
    let again = server.apply(json!({"state": "updated"}));
    assert_eq!((&again["changed"], &again["msg"]), (&json!(false), &json!([])));
    assert_eq!(server.apply(json!({"state": "absent"}))["changed"], true);
    let again = server.apply(json!({"state": "absent"}));
    assert_eq!((&again["changed"], &again["msg"]), (&json!(false), &json!([])));
}

#[test]
fn b10_options_of_backends_and_changelogs_are_written_where_the_server_reads_them() {
    let mut server = Server::new("bug10");
    server.wanted["nsslapd_cache_autosize"] = json!(0);
    let options = json!({"readonly": true, "entry_cache_number": 500, "require_index": true, "ReplicaRole": "supplier",
        "ReplicaId": 1, "ChangelogMaxAge": "3d", "ChangelogMaxEntries": 1000, "ChangelogTrimInterval": 60});
    server.backend().as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    server.messages();
    let stored = server.dse();
    for line in [
        "nsslapd-readonly: on",
        "nsslapd-cachesize: 500",
        "nsslapd-require-index: on",
        "nsslapd-changelogmaxage: 3d",
        "nsslapd-changelogmaxentries: 1000",
        "nsslapd-changelogtrim-interval: 60",
    ] {
        assert!(stored.contains(&format!("\n{line}\n")), "{line}\n{stored}");
    }
    let told = &server.facts()["backends"][0];
    assert_eq!((&told["ChangelogTrimInterval"], &told["entry_cache_number"]), (&json!(60), &json!(500)));
}

#[test]
fn b11_check_mode_starts_stops_and_makes_nothing() {
    let server = Server::new("bug11");
    let check = || json!({"ansible_vars": {"ansible_check_mode": true}});
    let expected = texts(&server.apply(check())["msg"]).iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    assert_eq!(server.machine.prefix.left(), [""; 0], "no instance, and none to look at either");
    assert_eq!(server.messages(), expected);
    let (id, stored) = (server.machine.process("bug11"), server.dse());
    assert_eq!(server.apply(with(check(), json!({"state": "stopped"})))["msg"], json!(["Stopping instance slapd-bug11"]));
    assert_eq!(server.apply(with(check(), json!({"state": "absent"})))["msg"], json!(["Removing instance slapd-bug11"]));
    assert_eq!((server.machine.process("bug11"), server.dse()), (id, stored), "it runs as it did");
}

#[test]
fn b12_facts_make_nothing() {
    let prefix = Prefix::new();
    assert_eq!(facts(&prefix)["ds389_instances"], json!([]));
    assert_eq!(prefix.left(), [""; 0]);
    assert!(!std::path::Path::new(prefix.path()).join("etc/dirsrv/dse-ansible-default.ldif").exists());
}

#[test]
fn b13_no_answer_has_a_secret() {
    let hosts = json!({"vm1": with(host("supplier", Some(1)),
        json!({"ds389_agmts": [{"target": "nobody", "ReplicaCredentials": "s3cret-of-element"}]})), "vm2": host("consumer", None)});
    let message = resolved("vm1", json!({}), hosts).unwrap_err();
    assert!(message.contains("unable to resolve target 'nobody'") && !message.contains("s3cret"), "{message}");

    let mut server = Server::new("bug13");
    server.wanted["rootpw"] = json!("s3cret-of-root");
    let replica = json!({"ReplicaRole": "supplier", "ReplicaId": 1, "ReplicaBindDN": "cn=manager,cn=config",
        "ReplicaCredentials": "s3cret-of-replica", "agmts": [{"name": "a", "ReplicaHost": "localhost", "ReplicaPort": 1,
        "ReplicaBindDN": "cn=manager,cn=config", "ReplicaCredentials": "s3cret-of-agreement"}]});
    server.backend().as_object_mut().unwrap().extend(replica.as_object().unwrap().clone());
    let done = server.apply(json!({"ansible_vars": {"ansible_verbosity": 5, "ansible_diff_mode": true}})).to_string();
    assert!(!done.contains("s3cret"), "{done}");
    let told = server.facts().to_string();
    for hidden in ["s3cret", "{PBKDF2", "{AES", "rootpw", "ReplicaCredentials"] {
        assert!(!told.contains(hidden), "{hidden}: {told}");
    }
}

#[test]
fn b14_the_name_of_the_administrator_is_no_other_options_value() {
    let mut server = Server::new("bug14");
    server.wanted["root_dn"] = json!("cn=boss");
    server.wanted["nsslapd_timelimit"] = json!(1234);
    server.messages();
    let told = server.facts();
    assert_eq!((&told["root_dn"], &told["nsslapd_timelimit"]), (&json!("cn=boss"), &json!(1234)));
    let stored = server.dse();
    let values: Vec<&str> = stored.lines().filter(|line| line.contains("cn=boss") && !line.contains("sName: ")).collect();
    assert_eq!(values, ["nsslapd-rootdn: cn=boss", "nsslapd-ldapimaprootdn: cn=boss"], "but for who made entries");
}

#[test]
fn b15_facts_have_one_type_and_one_spelling_for_each_option() {
    let mut server = Server::new("bug15");
    server.backend()["ReplicaRole"] = json!("consumer");
    server.messages();
    let told = server.facts();
    assert_eq!(told["port"], server.wanted["port"], "a number, whether it is the default or not");
    assert_eq!(told["nsslapd_sizelimit"], 2000);
    let backend = &told["backends"][0];
    assert_eq!(backend["ReplicaRole"], "consumer");
    let mut lower: Vec<String> = keys(backend).iter().map(|key| key.to_lowercase()).collect();
    lower.dedup();
    assert_eq!(lower.len(), keys(backend).len());
    // They are a file that asks for what is there.
    let again = module(&json!({"ds389": with(json!({"prefix": server.machine.prefix.path()}), json!({"instances": [told]}))}));
    assert_eq!((&again["changed"], again.get("failed")), (&json!(false), None), "{again}");
}

#[tokio::test]
async fn b16_what_follows_of_a_change_is_done_with_it() {
    // A number that is none is refused, not taken for nothing.
    let told = resolved("vm1", json!({}), json!({"vm1": host("supplier", Some(0))})).unwrap_err();
    assert!(told.contains("option 'ReplicaId' wants a number from 1 to 65534, not 0"), "{told}");
    // The prefix is one of the variables that an argument may say.
    let share = resolved("vm1", json!({"ds389_prefix": "/opt/ds"}), json!({"vm1": host("supplier", Some(1))})).unwrap();
    assert_eq!(share["prefix"], "/opt/ds");

    let mut server = Server::new("bug16");
    server.messages();
    let suffix = "dc=example,dc=com";
    server
        .machine
        .add(
            "bug16",
            "ou=found,dc=example,dc=com",
            &[("objectClass", &["organizationalUnit"]), ("ou", &["found"]), ("description", &["found"])],
        )
        .await;
    server.machine.log_searches("bug16").await;
    // An index has what was there before it, and again when its types change.
    server.backend()["indexes"] = json!([{"name": "description", "indextype": ["eq"]}]);
    let messages = server.messages();
    assert!(messages.contains(&"Indexing description of backend userroot".to_owned()), "{messages:?}");
    assert!(server.machine.is_indexed("bug16", suffix, "(description=found)").await);
    assert_eq!(server.machine.search("bug16", suffix, "(description=found)").unwrap().len(), 1);
    assert!(!server.machine.is_indexed("bug16", suffix, "(description=*oun*)").await);
    server.backend()["indexes"] = json!([{"name": "description", "indextype": ["eq", "sub"]}]);
    let messages = server.messages();
    assert!(messages.contains(&"Indexing description of backend userroot".to_owned()), "{messages:?}");
    assert!(server.machine.is_indexed("bug16", suffix, "(description=*oun*)").await);
    assert_eq!(server.machine.search("bug16", suffix, "(description=*oun*)").unwrap().len(), 1);
    // A number that a supplier has no more is cleaned from the others.
    server
        .backend()
        .as_object_mut()
        .unwrap()
        .extend(json!({"ReplicaRole": "supplier", "ReplicaId": 1}).as_object().unwrap().clone());
    server.messages();
    server.backend()["ReplicaId"] = json!(2);
    let messages = server.messages().join("\n");
    assert!(messages.contains("Cleaning replica id 1 from suffix dc=example,dc=com"), "{messages}");
}

//! The module that Ansible runs on a host, as it is called: one object in, one object out, with the keys that are documented and
//! no others.

use std::process::Command;

use directory::entry::Entry;
use serde_json::{Value, json};
use tests::{installation::Prefix, process::feed, served};

use tests::installation::ports;

use crate::machine::Machine;

/// What the program answers to arguments, and its exit code.
pub(crate) fn module(arguments: &Value) -> Value {
    let input = json!({"ANSIBLE_MODULE_ARGS": arguments}).to_string();
    let (code, output) = ask(&["module"], &input);
    assert_eq!(code == 0, output.get("failed").is_none(), "{output}");
    output
}

/// What the program answers to an input.
pub(crate) fn ask(arguments: &[&str], input: &str) -> (i32, Value) {
    let output = feed(Command::new(served::program("aviary-ds389")).args(arguments), input);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "all that is told is in the object");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.matches('\n').count(), 1, "one line: {text}");
    (output.status.code().unwrap(), serde_json::from_str(&text).unwrap())
}

/// An instance with a backend, with ports of its own. Its name is that of no other test, for servers share semaphores by it.
pub(crate) fn instance(name: &str) -> Value {
    let (port, secure_port) = ports();
    json!({"name": name, "rootpw": "secret12", "port": port, "secure_port": secure_port,
        "backends": [{"name": "userroot", "suffix": "dc=example,dc=com"}]})
}

pub(crate) fn servers(prefix: &Prefix, instances: &Value, more: Value) -> Value {
    let mut subject = json!({"prefix": prefix.path(), "instances": instances});
    subject.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "ds389": subject })
}

pub(crate) fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

pub(crate) fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap_or_else(|| panic!("{value}")).iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn check_mode_foretells_what_is_done_and_a_second_run_does_nothing() {
    let prefix = Prefix::new();
    let wanted = json!([instance("module")]);
    let check = json!({"ansible_vars": {"ansible_check_mode": true, "ansible_diff_mode": true}});
    let foretold = module(&servers(&prefix, &wanted, check.clone()));
    assert_eq!(prefix.left(), [""; 0]);
    let always = ["changed", "cooked_message", "debug", "invocation", "message", "msg", "original_message", "raw_invocation"];
    assert_eq!(keys(&foretold), [&always[..3], &["diff"], &always[3..]].concat());
    assert_eq!(foretold["diff"][0]["after_header"], "instance module");
    assert_eq!(foretold["diff"][0]["before"], "");
    assert!(foretold["diff"][0]["after"].as_str().unwrap().contains("rootpw: ******\n"), "{}", foretold["diff"][0]);

    let done = module(&servers(&prefix, &wanted, json!({})));
    assert_eq!(keys(&done), always);
    assert_eq!((&done["changed"], &done["msg"], &done["message"]), (&json!(true), &foretold["msg"], &foretold["msg"]));
    assert_eq!(done["raw_invocation"], done["invocation"]);
    assert_eq!(done["invocation"]["ds389"], done["original_message"]);
    assert_eq!(done["original_message"]["instances"][0]["rootpw"], "******");
    assert_eq!(done["cooked_message"]["ds389_instances"][0]["backends"][0]["suffix"], "dc=example,dc=com");

    let again = module(&servers(&prefix, &wanted, json!({"ansible_vars": {"ansible_verbosity": 3}})));
    assert_eq!((&again["changed"], &again["msg"]), (&json!(false), &json!([])));
    assert!(texts(&again["debug"]).contains(&"DEBUG: instance module runs, with backends [userroot]"), "{}", again["debug"]);
    assert_eq!(again["module_debug"], texts(&again["debug"]).join("\n"));

    // Each in the other collection's words.
    let theirs = json!({"ds389": {"ds389_prefix": prefix.path(), "ds389_server_instances": wanted, "state": "present",
        "ansible_verbosity": 0, "ansible_check_mode": false}, "ds389info": null});
    assert_eq!(module(&theirs)["msg"], json!([]));

    let stopped = module(&servers(&prefix, &wanted, json!({"state": "stopped", "ansible_vars": {"ansible_verbosity": 2}})));
    assert_eq!(stopped["debug"], json!(["INFO: Stopping instance slapd-module"]));
    assert_eq!(module(&servers(&prefix, &wanted, json!({"state": "started"})))["msg"], json!(["Starting instance slapd-module"]));
    let absent = module(&servers(&prefix, &wanted, json!({"state": "absent", "ansible_vars": {"ansible_verbosity": 1}})));
    assert_eq!(absent["debug"], json!(["WARNING: Removing instance slapd-module: its data goes with it"]));
    assert_eq!(prefix.left(), [""; 0]);
}

/// What a server and its files tell, apart from what it counts: its process, its configuration, and all entries.
async fn told(machine: &Machine, instance: &str) -> (i32, Vec<(String, String)>, Vec<Entry>) {
    let mut connection = machine.connect(instance).await;
    let mut entries = Vec::new();
    for base in ["cn=config", "dc=example,dc=com", "dc=two"] {
        entries.extend(connection.tree(&base.parse().unwrap()).await.unwrap());
    }
    let counts = |entry: &Entry| ["cn=monitor,", "cn=database,"].iter().any(|start| entry.dn.normal().starts_with(start));
    entries.retain(|entry| !counts(entry));
    (machine.process(instance), machine.configurations().into_iter().collect(), entries)
}

#[tokio::test]
async fn check_mode_leaves_servers_and_their_entries_as_they_are() {
    let machine = Machine::new();
    let mut wanted = instance("checked");
    wanted["backends"][0]["sample_entries"] = json!(true);
    wanted["backends"].as_array_mut().unwrap().push(json!({"name": "two", "suffix": "dc=two", "create_suffix_entry": true}));
    module(&servers(&machine.prefix, &json!([wanted]), json!({})));
    machine.add("checked", "ou=kept,dc=example,dc=com", &[("objectClass", &["organizationalUnit"]), ("ou", &["kept"])]).await;
    let before = told(&machine, "checked").await;
    assert!(before.2.iter().any(|entry| entry.text("ou") == Some("kept")), "{:?}", before.2.len());

    wanted["nsslapd_sizelimit"] = json!(77);
    wanted["nsslapd_listen_backlog_size"] = json!(77);
    wanted["rootpw"] = json!("secret56");
    let more = json!({"ReplicaRole": "supplier", "ReplicaId": 1, "ReplicaBindDN": "cn=manager,cn=config",
        "ReplicaCredentials": "secret34", "indexes": [{"name": "description", "IndexType": ["eq"]}]});
    wanted["backends"][0].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    wanted["backends"].as_array_mut().unwrap().push(json!({"name": "three", "suffix": "dc=three", "sample_entries": true}));
    wanted["backends"][1]["state"] = json!("absent");
    for state in ["present", "updated", "stopped", "absent"] {
        let run = json!({"state": state, "ansible_vars": {"ansible_check_mode": true, "ansible_diff_mode": true}});
        let foretold = module(&servers(&machine.prefix, &json!([wanted]), run));
        assert_eq!(foretold["changed"], true, "{state}");
        assert_eq!(told(&machine, "checked").await, before, "{state}");
    }
}

#[test]
fn facts_are_the_same_from_standard_input_and_from_a_file() {
    let prefix = Prefix::new();
    let input =
        json!({"ANSIBLE_MODULE_ARGS": {"ds389info": {"ds389_prefix": prefix.path(), "ansible_verbosity": 0}}}).to_string();
    let (code, found) = ask(&["module"], &input);
    let documented = [
        "ansible_facts",
        "changed",
        "cooked_message",
        "debug",
        "invocation",
        "message",
        "msg",
        "original_message",
        "raw_invocation",
    ];
    assert_eq!((code, keys(&found)), (0, documented.to_vec()));
    assert_eq!(found["ansible_facts"]["ds389"]["ds389_instances"], json!([]));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &input).unwrap();
    assert_eq!(ask(&["module", file.path().to_str().unwrap()], ""), (code, found));
    assert_eq!(prefix.left(), [""; 0], "and nothing is made for it");
}

#[test]
fn a_failure_says_what_and_where_in_the_keys_for_it() {
    fn check(input: &str, step: &str, message: &str) {
        let (code, output) = ask(&["module"], input);
        let documented = [
            "changed",
            "cooked_message",
            "debug",
            "exception",
            "failed",
            "invocation",
            "message",
            "module_debug",
            "msg",
            "original_message",
            "raw_invocation",
            "stderr",
        ];
        assert_eq!((code, keys(&output)), (1, documented.to_vec()), "{output}");
        assert_eq!((&output["changed"], &output["failed"]), (&json!(false), &json!(true)));
        let told = output["msg"].as_str().unwrap();
        assert!(told.contains(message), "{told}");
        assert_eq!(output["exception"], format!("failed to {step}: {told}"));
        assert_eq!((&output["stderr"], &output["debug"]), (&json!(told), &json!([format!("ERROR: {told}")])));
    }
    let arguments = |subject: Value| json!({ "ANSIBLE_MODULE_ARGS": subject }).to_string();
    check("{", "read the arguments", "the arguments are not JSON: line 1, column 1");
    check("{}", "read the arguments", "the input has no 'ANSIBLE_MODULE_ARGS'");
    check(&arguments(json!({"ds389": {"instances": [{"name": "x", "prot": 1}]}})), "read the arguments", "did you mean 'port'?");
    check(
        &arguments(json!({"ds389info": {"prefix": "/nowhere"}})),
        "find 389 Directory Server",
        "no 389 Directory Server is below",
    );
    let prefix = Prefix::new();
    check(&arguments(servers(&prefix, &json!([{"name": "x"}]), json!({}))), "plan", "option 'rootpw' is missing");
    let taken = std::net::TcpListener::bind(("0.0.0.0", 0)).unwrap();
    let mut wanted = instance("refused");
    wanted["port"] = json!(taken.local_addr().unwrap().port());
    check(&arguments(servers(&prefix, &json!([wanted]), json!({}))), "plan", "failed to create instance slapd-refused");
    assert_eq!(prefix.left(), [""; 0]);
}

#[test]
fn a_number_that_another_host_has_is_not_cleaned() {
    let prefix = Prefix::new();
    let mut own = instance("numbered");
    let role = |id: u16| {
        json!({"ReplicaRole": "supplier", "ReplicaId": id, "ReplicaBindDN": "cn=manager,cn=config",
            "ReplicaCredentials": "secret34"})
    };
    let with = |mut instance: Value, id: u16| {
        instance["backends"][0].as_object_mut().unwrap().extend(role(id).as_object().unwrap().clone());
        instance
    };
    own = with(own, 1);
    module(&servers(&prefix, &json!([own]), json!({})));
    let own = with(own, 3);
    for (other, is_cleaned) in [(1, false), (2, true)] {
        let hosts = json!({"vm1": {"ds389_prefix": prefix.path(), "ds389_instances": [own]},
            "vm2": {"ds389_instances": [with(instance("elsewhere"), other)]}});
        let question = json!({"host": "vm1", "action": "server", "check_mode": true, "hosts": hosts});
        let (_, answer) = ask(&["resolve"], &question.to_string());
        let foretold = module(&answer["module_args"]);
        let changes = texts(&foretold["msg"]);
        assert!(!changes.is_empty());
        let cleans = changes.contains(&"Cleaning replica id 1 from suffix dc=example,dc=com");
        assert_eq!(cleans, is_cleaned, "the other host has {other}: {changes:?}");
    }
}

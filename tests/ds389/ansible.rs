//! The collection, run by the real `ansible-playbook` over three hosts of which each has an installation of its own: a supplier, a
//! hub and a consumer, with agreements by target, modifiers and vaulted passwords.

use std::{collections::BTreeMap, net::TcpListener};

use agent::host::Host;
use serde_json::{Value, json};
use tests::playbook::Site;

const HOSTS: [&str; 3] = ["vm1", "vm2", "vm3"];

/// Free ports.
fn ports<const N: usize>() -> [u16; N] {
    let listeners = [0; N].map(|port: u16| TcpListener::bind(("127.0.0.1", port)).unwrap());
    listeners.each_ref().map(|listener| listener.local_addr().unwrap().port())
}

/// Three hosts. The names of instances begin with `name`: servers share semaphores by name.
fn site(name: &str) -> Site {
    let site = Site::new(&HOSTS, |host, _| host_variables(name, host));
    site.write_vaulted("vault", &json!({"vault_root": "s3cret-of-root", "vault_replication": "s3cret-of-replication"}));
    let group = json!({
        // By name over both families: the second finds what the first has added.
        "ds389option1": [{"name": "*", "merge": {"nsslapd_sizelimit": 777}}],
        "ds389_option_02": [
            {"name": "*.userroot.indexes", "append": [{"name": "description", "indextype": ["eq", "pres"]}]},
            {"name": "*.userroot.description", "merge": {"indextype": ["eq", "sub", "pres"]}},
        ],
    });
    site.write("group_vars/ldap/main.json", &group.to_string());
    site
}

fn host_variables(name: &str, host: &str) -> Value {
    let [port, secure_port] = ports();
    let (role, id) = match host {
        "vm1" => ("supplier", json!(1)),
        "vm2" => ("hub", Value::Null),
        _ => ("consumer", Value::Null),
    };
    let mut backend = json!({
        "name": "userroot",
        "suffix": "dc=example,dc=com",
        "ReplicaRole": role,
        "ReplicaBindDN": "cn=replication manager,cn=config",
        "ReplicaCredentials": "{{ vault_replication }}",
    });
    if !id.is_null() {
        backend["ReplicaId"] = id;
    }
    let instance = json!({
        "name": format!("{name}_{host}"),
        "rootpw": "{{ vault_root }}",
        "port": port,
        "secure_port": secure_port,
        "backends": [backend],
    });
    let targets = match host {
        "vm1" => json!([{"name": "down", "target": ["vm2.*.userroot", "*.*_vm3.userroot"]}]),
        "vm2" => json!([{"target": "vm3.*.*"}]),
        _ => json!([]),
    };
    // The same address for all: hosts are told apart by their names.
    json!({"ansible_host": "127.0.0.1", "ds389_instances": [instance], "ds389_agmts": targets})
}

/// What is in the installations of all hosts.
fn snapshot(site: &Site) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (host, prefix) in site.prefixes() {
        for file in prefix.left().into_iter().filter(|file| file.ends_with("dse.ldif")) {
            let text = std::fs::read_to_string(format!("{}/{file}", prefix.path())).unwrap();
            found.insert(format!("{host} {file}"), text);
        }
    }
    found
}

fn messages(value: &Value) -> Vec<String> {
    value.as_array().unwrap_or_else(|| panic!("{value}")).iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn three_hosts_become_what_the_inventory_says_as_check_mode_foretold() {
    let site = site("ansible");
    let foretold = site.run("server.yml", &["--check", "--diff"]).succeeded();
    for (host, prefix) in site.prefixes() {
        assert_eq!(prefix.left(), [""; 0], "check mode leaves {host} as it is");
        assert_eq!(foretold.get(host, "changed"), true);
        let headers: Vec<&str> =
            foretold.get(host, "diff").as_array().unwrap().iter().filter_map(|part| part["after_header"].as_str()).collect();
        assert!(headers.contains(&&*format!("instance ansible_{host}, backend userroot")), "{headers:?}");
    }
    assert!(
        foretold.text.contains("+name: userroot") || foretold.text.contains("+suffix: dc=example,dc=com"),
        "{}",
        foretold.text
    );

    let applied = site.run("server.yml", &[]).succeeded();
    for host in HOSTS {
        assert_eq!(messages(applied.get(host, "msg")), messages(foretold.get(host, "msg")), "{host} is changed as was foretold");
    }
    let agreements: Vec<String> =
        HOSTS.iter().flat_map(|host| messages(applied.get(host, "msg"))).filter(|text| text.contains("agreement")).collect();
    assert_eq!(agreements.len(), 3, "the supplier has two and the hub one: {agreements:?}");

    let before = snapshot(&site);
    let again = site.run("server.yml", &[]).succeeded();
    assert!(!again.changed(), "{}", again.text);
    assert_eq!(snapshot(&site), before);

    let informed = site.run("info.yml", &[]).succeeded();
    for (host, prefix) in site.prefixes() {
        let facts = &informed.get(host, "info")["ansible_facts"]["ds389"];
        assert_eq!(facts, &informed.get(host, "facts")["ds389"], "facts are known to what follows");
        let instance = &facts["ds389_instances"][0];
        assert_eq!(instance["name"], format!("ansible_{host}"));
        assert_eq!(instance["nsslapd_sizelimit"], 777, "a modifier gave every instance its limit");
        let index = &instance["backends"][0]["indexes"][0];
        assert_eq!(index["name"], "description");
        assert_eq!(index["IndexType"].as_array().unwrap().len(), 3, "{index}");
        assert_eq!(informed.get(host, "after")["changed"], false, "facts are not taken for what should be");
        assert_eq!(facts["ds389_prefix"], prefix.path());
    }
}

#[test]
fn each_verbosity_tells_its_keys() {
    let site = site("verbose");
    // Ansible keeps 'invocation' from variables.
    let documented = ["changed", "cooked_message", "debug", "failed", "message", "msg", "original_message", "raw_invocation"];
    let by_verbosity: [&[&str]; 6] = [
        &[],
        &["module_args", "plugin_args"],
        &["module_args", "plugin_args"],
        &["hosts", "module_args", "module_debug", "plugin_args"],
        &["hosts", "module_args", "module_debug", "plugin_args", "replicated_backends"],
        &["hosts", "inventory", "module_args", "module_debug", "modifier_names", "plugin_args", "replicated_backends"],
    ];
    for (verbosity, own) in by_verbosity.into_iter().enumerate() {
        let flag = format!("-{}", "v".repeat(verbosity));
        let arguments: &[&str] = if verbosity == 0 { &["--check"] } else { &["--check", &flag] };
        let run = site.run("server.yml", arguments).succeeded();
        assert!(!run.text.contains("s3cret"), "{}", run.text);
        for host in HOSTS {
            let mut expected: Vec<&str> = documented.iter().chain(own).copied().collect();
            expected.sort_unstable();
            let result = &run.results[host];
            assert_eq!(keys(result), expected, "{host} at verbosity {verbosity}");
            assert!(!result.to_string().contains("s3cret"), "{result}");
            assert_eq!(result["debug"].as_array().unwrap().is_empty(), verbosity < 3, "{}", result["debug"]);
        }
        if verbosity == 5 {
            let result = &run.results["vm1"];
            assert!(messages(&result["modifier_names"]["vm1"]).contains(&"verbose_vm1.userroot.description".to_owned()));
            assert_eq!(messages(&result["replicated_backends"])[1], "vm2.verbose_vm2.userroot dc=example,dc=com hub");
        }
    }
}

#[tokio::test]
async fn instances_are_stopped_started_updated_and_removed_by_the_argument() {
    let site = site("states");
    site.run("server.yml", &[]).succeeded();
    let state = |arguments: Value| {
        let run = site.run("state.yml", &["--extra-vars", &json!({"arguments": arguments}).to_string()]).succeeded();
        HOSTS.map(|host| messages(run.get(host, "msg")))
    };
    let of_each = |message: &str| HOSTS.map(|host| vec![message.replace("HOST", host)]);
    assert_eq!(state(json!({"state": "stopped"})), of_each("Stopping instance slapd-states_HOST"));
    assert_eq!(state(json!({"state": "stopped"})), HOSTS.map(|_| Vec::<String>::new()));
    assert_eq!(state(json!({"state": "started"})), of_each("Starting instance slapd-states_HOST"));
    assert_eq!(
        state(json!({"state": "updated"})),
        HOSTS.map(|_| Vec::<String>::new()),
        "what is listed is there, and nothing else"
    );
    let alone = json!({"state": "updated", "ds389_instances": [], "ds389option1": [], "ds389_option_02": [], "ds389_agmts": []});
    assert_eq!(state(alone), of_each("Removing instance states_HOST"), "what is not listed goes");
    site.run("server.yml", &[]).succeeded();
    assert_eq!(state(json!({"state": "absent"})), of_each("Removing instance states_HOST"));
    for (host, prefix) in site.prefixes() {
        assert_eq!(prefix.left(), [""; 0], "nothing is left on {host}");
        assert!(Host::find(Some(prefix.path())).unwrap().observe().await.unwrap().instances.is_empty());
    }
}

#[test]
fn what_is_wrong_with_any_host_is_told_before_anything_moves() {
    fn check(change: impl Fn(&mut Value), expected: &str) {
        let site = Site::new(&HOSTS, |host, _| {
            let mut variables = host_variables("wrong", host);
            let text =
                variables.to_string().replace("{{ vault_root }}", "s3cret-r").replace("{{ vault_replication }}", "s3cret-c");
            variables = serde_json::from_str(&text).unwrap();
            if host == "vm2" {
                change(&mut variables);
            }
            variables
        });
        let run = site.run("state.yml", &["--extra-vars", "{\"arguments\": {}}", "-vvvvv"]);
        assert!(!run.succeeded, "{}", run.text);
        let told = run.text.replace("\\'", "'").replace("\\\"", "\"");
        assert!(told.contains(expected), "{expected}\n{}", run.text);
        assert!(!told.contains("s3cret"), "{}", run.text);
        for (host, prefix) in site.prefixes() {
            assert_eq!(prefix.left(), [""; 0], "{host} is as it was");
        }
    }
    let backend = |variables: &mut Value, option: &str, value: Value| {
        variables["ds389_instances"][0]["backends"][0][option] = value;
    };
    check(|variables| backend(variables, "ReplicaId", json!(7)), "backend vm2.wrong_vm2.userroot is a hub but has a ReplicaId");
    check(
        |variables| backend(variables, "ReplicaRool", json!("s3cret-x")),
        "option 'replicarool' is unknown; did you mean 'replicarole'?",
    );
    check(|variables| variables["ds389_agmts"] = json!([{"target": "nobody"}]), "unable to resolve target 'nobody'");
    check(|variables| variables["ds389_option_1"] = json!({"name": "nope.x", "merge": {"rootpw": "s3cret-y"}}), {
        "ds389_option_1 finds nothing that is called 'nope.x'"
    });
    check(|variables| variables["ds389_instances"][0]["port"] = json!("{{ undefined_port }}"), "undefined_port");
}

/// A connection that hands nothing on to commands: the arguments go by a file.
#[test]
fn arguments_go_by_a_file_where_the_connection_hands_nothing_on() {
    let plugins = concat!(env!("CARGO_MANIFEST_DIR"), "/ds389/ansible/connection_plugins");
    let site = site("byfile").with_environment("ANSIBLE_CONNECTION_PLUGINS", plugins);
    let run = site.run("server.yml", &["--check", "-vvvvv", "--extra-vars", "ansible_connection=without_pipelining"]).succeeded();
    assert!(run.text.contains("arguments.json"), "{}", run.text);
    assert!(!run.text.contains("s3cret"), "{}", run.text);
    for host in HOSTS {
        assert_eq!(run.get(host, "changed"), true);
    }
    let left = std::fs::read_dir(site.path("home/.ansible/tmp")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "no file is left");
}

//! What the plugin is answered: overriding, what is told at which verbosity, errors, and no secrets but where they are needed.

use directory::{
    json,
    value::{Map, Node, Value},
};

use super::resolve;

fn answer(input: &str) -> Map {
    let answer = resolve(input);
    match json::parse(&answer.text).unwrap().value {
        Value::Map(map) => {
            assert_eq!(map.get("failed").is_some(), answer.failed, "{}", answer.text);
            map
        }
        other => panic!("{other:?}"),
    }
}

fn at<'a>(map: &'a Map, path: &str) -> Option<&'a Node> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let node = map.get(first)?;
    rest.map_or(Some(node), |rest| at(node.as_map()?, rest))
}

fn show(map: &Map, path: &str) -> String {
    at(map, path).map(json::write).unwrap_or_default()
}

/// Two hosts: a supplier that targets all others, and a consumer.
const HOSTS: &str = r#"{
    "vm1": {"ansible_host": "10.0.0.1", "state": "of somebody else", "vault_pw": "hush-hush", "other": "hush-hush",
        "DS389_Server_Instances": [{"name": "one", "rootpw": "hush-hush-1", "backends": [{"name": "userroot",
            "suffix": "dc=example,dc=com", "ReplicaRole": "supplier", "ReplicaId": 1}]}],
        "ds389_agmts": [{"target": "vm2.*.userroot", "ReplicaBindDN": "cn=manager,cn=config", "ReplicaCredentials": "hush-hush"}]},
    "vm2": {"ds389_instances": [{"name": "two", "rootpw": "hush-hush-2", "backends": [{"name": "userroot",
            "suffix": "dc=example,dc=com", "ReplicaRole": "consumer", "ReplicaBindDN": "cn=manager,cn=config",
            "ReplicaCredentials": "hush-hush"}]}]}}"#;

fn question(host: &str, action: &str, args: &str, verbosity: u8) -> String {
    let head = format!("{{\"host\": \"{host}\", \"action\": \"{action}\", \"args\": {args}, \"verbosity\": {verbosity}");
    format!("{head}, \"check_mode\": true, \"diff\": false, \"hosts\": {HOSTS}}}")
}

#[test]
fn a_host_gets_its_share_with_its_agreements() {
    let answer = answer(&question("vm1", "server", "{}", 0));
    assert_eq!(show(&answer, "module_args.ds389.state"), "\"present\"");
    let run = r#"{"ansible_host":"10.0.0.1","ansible_verbosity":0,"ansible_check_mode":true,"ansible_diff_mode":false"#;
    let vars = format!(r#"{run},"backends":[{{"suffix":"dc=example,dc=com","ReplicaId":1}}]}}"#);
    assert_eq!(show(&answer, "module_args.ds389.ansible_vars"), vars);
    let instances = show(&answer, "module_args.ds389.instances");
    assert!(instances.contains("\"agmts\":[{\"name\":\"ansible-target: vm2.two.userroot\""), "{instances}");
    assert!(instances.contains("\"rootpw\":\"hush-hush-1\"") && !instances.contains("hush-hush-2"), "{instances}");
    assert_eq!(show(&answer, "module_args.ds389.agmts"), "");
    assert_eq!(show(&answer, "result"), "{}");
}

#[test]
fn what_looks_like_a_template_after_rendering_is_part_of_a_password() {
    let args = r#"{"ds389_agmts": [], "ds389_instances": [{"name": "one", "rootpw": "hush{{-{%hush"}]}"#;
    let instances = show(&answer(&question("vm1", "server", args, 0)), "module_args.ds389.instances");
    assert!(instances.contains(r#""rootpw":"hush{{-{%hush""#), "{instances}");
}

#[test]
fn each_host_is_told_the_numbers_of_the_suppliers_of_all_hosts() {
    let host = |id: u16| {
        format!(
            r#"{{"ds389_instances": [{{"name": "one", "backends": [{{"name": "root", "suffix": "dc=hush", "ReplicaRole": "supplier",
                "ReplicaId": {id}, "ReplicaBindDN": "cn=x,dc=hush"}}]}}], "vault_suffix": "dc=hush"}}"#
        )
    };
    let hosts = format!(r#"{{"vm1": {}, "vm2": {}}}"#, host(3), host(1));
    let answer = answer(&format!(r#"{{"host": "vm1", "action": "server", "hosts": {hosts}, "verbosity": 1}}"#));
    let suppliers = r#"[{"suffix":"dc=hush","ReplicaId":3},{"suffix":"dc=hush","ReplicaId":1}]"#;
    assert_eq!(show(&answer, "module_args.ds389.ansible_vars.backends"), suppliers);
    assert!(!show(&answer, "result").contains("hush"), "{}", show(&answer, "result"));
}

#[test]
fn an_argument_stands_in_the_place_of_the_variable_whatever_its_spelling() {
    fn check(args: &str, path: &str, expected: &str) {
        assert_eq!(show(&answer(&question("vm1", "server", args, 0)), path), expected, "{args}");
    }
    check(r#"{"state": "absent"}"#, "module_args.ds389.state", "\"absent\"");
    check(r#"{"ds389_state": "absent", "_own": 1}"#, "module_args.ds389.state", "\"absent\"");
    check(r#"{"ds389_instances": [{"name": "x"}]}"#, "module_args.ds389.instances", r#"[{"name":"x"}]"#);
    check(r#"{"ds389_server_instances": [{"name": "x"}]}"#, "module_args.ds389.instances", r#"[{"name":"x"}]"#);
    check(r#"{"DS389_prefix": "/p"}"#, "module_args.ds389.prefix", "\"/p\"");
    check(
        r#"{"ds389_instances": [{"name": "x"}], "ds389_option_1": {"name": "x", "merge": {"port": 1}}}"#,
        "module_args.ds389.instances",
        r#"[{"name":"x","port":1}]"#,
    );
}

#[test]
fn facts_need_the_prefix_alone() {
    let answer = answer(&question("vm1", "info", r#"{"ds389_prefix": "/p"}"#, 1));
    assert_eq!(show(&answer, "module_args.ds389info.prefix"), "\"/p\"");
    assert_eq!(show(&answer, "result.plugin_args"), r#"{"ds389_prefix":"/p"}"#);
}

#[test]
fn the_module_is_told_of_secrets_that_it_could_not_know() {
    let answer = answer(&question("vm1", "info", r#"{"ds389_prefix": "/hush-hush"}"#, 1));
    assert_eq!(show(&answer, "module_args.ds389info.ansible_vars.secrets"), r#"["hush-hush"]"#);
    assert_eq!(show(&answer, "result.module_args.ds389info.prefix"), "\"/******\"");
}

#[test]
fn each_verbosity_tells_its_keys_and_no_secret() {
    fn check(verbosity: u8, expected: &[&str]) {
        let answer = answer(&question("vm1", "server", r#"{"ds389_prefix": "/p"}"#, verbosity));
        let told = at(&answer, "result").unwrap();
        let keys: Vec<&str> = told.as_map().unwrap().entries().iter().map(|entry| entry.key.as_str()).collect();
        assert_eq!(keys, expected, "verbosity {verbosity}");
        let text = json::write(told);
        assert!(!text.contains("hush"), "{text}");
    }
    check(0, &[]);
    check(1, &["plugin_args", "module_args"]);
    check(2, &["plugin_args", "module_args"]);
    check(3, &["plugin_args", "hosts", "module_args"]);
    check(4, &["plugin_args", "hosts", "replicated_backends", "module_args"]);
    check(5, &["plugin_args", "inventory", "hosts", "replicated_backends", "modifier_names", "module_args"]);
    let answer = answer(&question("vm1", "server", "{}", 5));
    let backends = r#"["vm1.one.userroot dc=example,dc=com supplier","vm2.two.userroot dc=example,dc=com consumer"]"#;
    assert_eq!(show(&answer, "result.replicated_backends"), backends);
    assert_eq!(show(&answer, "result.inventory.vm1.vault_pw"), "\"******\"");
    assert_eq!(show(&answer, "result.inventory.vm1.other"), "", "only what is about 389 DS is told");
    assert!(
        show(&answer, "result.modifier_names.vm2").contains("\"two.userroot.replicareferral\""),
        "{}",
        show(&answer, "result.modifier_names.vm2")
    );
}

#[test]
fn what_is_wrong_is_told_before_anything_moves_and_without_secrets() {
    fn check(input: &str, message: &str) {
        let answer = answer(input);
        assert_eq!(at(&answer, "msg").and_then(Node::as_text), Some(message), "{input}");
        assert_eq!(answer.get("module_args"), None);
    }
    check(&question("vm1", "server", r#"{"content": {}}"#, 0), {
        "unexpected option 'content' in plugin arguments: state may be there, and any variable whose name begins with ds389"
    });
    check(&question("vm1", "info", r#"{"state": "absent"}"#, 0), {
        "unexpected option 'state' in plugin arguments: ds389_prefix may be there"
    });
    check(&question("vm3", "server", "{}", 0), "host 'vm3' is not among the hosts of the input");
    check(&question("vm2", "server", r#"{"ds389_instances": [{"name": "x", "rotpw": "hush-hush-3"}]}"#, 0), {
        "host vm2: instance x: option 'rotpw' is unknown; did you mean 'rootpw'?"
    });
    check(&question("vm2", "server", r#"{"ds389_agmts": [{"target": "hush-hush-2"}], "ds389_instances": "hush-hush-2"}"#, 0), {
        "host vm2: 'ds389_instances' wants a list, not a string"
    });
    check(&question("vm2", "server", r#"{"ds389_instances": []}"#, 0), {
        "host vm1: unable to resolve target 'vm2.*.userroot' of ds389_agmts[0]: no other backend replicates a suffix of this host's suppliers and hubs"
    });
    check(&question("vm1", "delete", "{}", 0), "'action' of the input wants 'server' or 'info'");
    check("{", "the input is not JSON: line 1, column 1: the text ends too early: EOF while parsing an object");
    let broken = answer(&question("vm1", "server", r#"{"ds389_instances": [{}], "rootpw": "hush-hush-4"}"#, 1));
    assert_eq!(show(&broken, "result.plugin_args"), r#"{"ds389_instances":[{}],"rootpw":"******"}"#);
}

#[test]
fn with_an_error_as_much_is_told_as_is_known() {
    let args = r#"{"ds389_option_1": {"name": "one.userrot", "merge": {"readonly": true}}}"#;
    let wrong = answer(&question("vm1", "server", args, 5));
    let message = at(&wrong, "msg").and_then(Node::as_text).unwrap();
    assert!(message.contains("finds nothing that is called 'one.userrot'"), "{message}");
    let told = at(&wrong, "result").unwrap();
    let keys: Vec<&str> = told.as_map().unwrap().entries().iter().map(|entry| entry.key.as_str()).collect();
    assert_eq!(keys, ["plugin_args", "inventory", "hosts", "replicated_backends", "modifier_names"]);
    assert!(show(&wrong, "result.modifier_names.vm1").contains("\"one.userroot\""), "what it may be called is told");
    assert!(show(&wrong, "result.modifier_names.vm2").contains("\"two.userroot\""));
    assert_eq!(show(&wrong, "result.hosts.vm1"), "", "what a host should be is not known while its modifiers are wrong");
    assert!(show(&wrong, "result.hosts.vm2").contains("\"name\":\"two\""));
    assert_eq!(show(&wrong, "result.replicated_backends"), r#"["vm2.two.userroot dc=example,dc=com consumer"]"#);
    assert!(!json::write(told).contains("hush"), "{}", json::write(told));
}

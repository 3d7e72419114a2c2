//! The collection, run by the real `ansible-playbook` over three hosts of which each has an installation of its own: a supplier, a
//! hub and a consumer, with agreements by target, modifiers and vaulted passwords.

use std::{
    collections::BTreeMap,
    io::Write,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
};

use agent::host::Host;
use serde_json::{Value, json};
use tests::{http::Connection, playbook::Site, served::wait_until};

use tests::installation::ports;

const HOSTS: [&str; 3] = ["vm1", "vm2", "vm3"];

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
    let (port, secure_port) = ports();
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
        "vm1" => json!([{"name": "down", "target": ["vm2.*.userroot", "*.*_vm3.userroot"], "Initialise": "OnCreate"}]),
        "vm2" => json!([{"target": "vm3.*.*"}]),
        _ => json!([]),
    };
    // The same address for all: hosts are told apart by their names.
    json!({"ansible_host": "127.0.0.1", "ds389_instances": [instance], "ds389_agmts": targets})
}

/// What the installation below a prefix has.
fn observed(prefix: &str) -> directory::observed::Host {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(Host::find(Some(prefix)).unwrap().observe()).unwrap()
}

/// What all hosts have.
fn snapshot(site: &Site) -> BTreeMap<String, directory::observed::Host> {
    site.prefixes().map(|(host, prefix)| (host.to_owned(), observed(prefix.path()))).collect()
}

/// Runs one of OpenLDAP's programs as the administrator of an instance of the host of that name.
fn ldap(site: &Site, instance: &str, program: &str, arguments: &[&str], input: &str) -> (bool, String) {
    let host = instance.rsplit('_').next().unwrap();
    let socket = format!("{}/run/slapd-{instance}.socket", site.prefix(host).path());
    let mut child = Command::new(program)
        .args(["-Q", "-Y", "EXTERNAL", "-H", &format!("ldapi://{}", socket.replace('/', "%2F"))])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
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

    // Consumers first: the supplier initialises them.
    let applied = site.run("server.yml", &["--extra-vars", "batch=1"]).succeeded();
    for host in HOSTS {
        assert_eq!(messages(applied.get(host, "msg")), messages(foretold.get(host, "msg")), "{host} is changed as was foretold");
    }
    let agreements: Vec<String> = HOSTS
        .iter()
        .flat_map(|host| messages(applied.get(host, "msg")))
        .filter(|text| text.starts_with("Creating agreement"))
        .collect();
    assert_eq!(agreements.len(), 3, "the supplier has two and the hub one: {agreements:?}");

    let before = snapshot(&site);
    let again = site.run("server.yml", &[]).succeeded();
    assert!(!again.changed(), "{}", again.text);
    assert_eq!(snapshot(&site), before);

    let entry = "dn: ou=replicated,dc=example,dc=com\nobjectClass: organizationalUnit\nou: replicated\n";
    assert!(ldap(&site, "ansible_vm1", "ldapadd", &[], entry).0);
    let search = ["-LLL", "-b", "dc=example,dc=com", "ou=replicated", "1.1"];
    wait_until("the consumer has what the supplier got", || {
        ldap(&site, "ansible_vm3", "ldapsearch", &search, "").1.contains("ou=replicated")
    });

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
    // The role has one of them; of the other the program is asked.
    site.write(
        "group_vars/ldap/others.json",
        &json!({"ds389_server_packages": [], "ds389_server_of_nobody_that_is_known": 1}).to_string(),
    );
    // Ansible keeps 'invocation' from variables.
    let documented = ["changed", "cooked_message", "debug", "failed", "message", "msg", "original_message", "raw_invocation"];
    let by_verbosity: [&[&str]; 6] = [
        &[],
        &["module_args", "plugin_args"],
        &["module_args", "plugin_args"],
        &["hosts", "module_args", "plugin_args"],
        &["hosts", "module_args", "plugin_args", "replicated_backends"],
        &["hosts", "inventory", "module_args", "modifier_names", "plugin_args", "replicated_backends"],
    ];
    for (verbosity, own) in by_verbosity.into_iter().enumerate() {
        let flag = format!("-{}", "v".repeat(verbosity));
        let arguments: &[&str] = if verbosity == 0 { &["--check"] } else { &["--check", &flag] };
        let run = site.run("server.yml", arguments).succeeded();
        assert!(!run.text.contains("s3cret"), "{}", run.text);
        for host in HOSTS {
            let result = &run.results[host];
            let lines = messages(&result["debug"]);
            let text: &[&str] = if lines.is_empty() { &[] } else { &["module_debug"] };
            let mut expected: Vec<&str> = documented.iter().chain(own).chain(text).copied().collect();
            expected.sort_unstable();
            assert_eq!(keys(result), expected, "{host} at verbosity {verbosity}");
            assert!(!result.to_string().contains("s3cret"), "{result}");
            let levels: &[&str] = match (host, verbosity) {
                (_, 3..) => &["DEBUG", "WARNING"],
                ("vm1", 1..) => &["WARNING"],
                _ => &[],
            };
            let is_told = |level: &&&str| lines.iter().any(|line| line.starts_with(&format!("{level}: ")));
            let expected: Vec<&&str> = levels.iter().filter(|level| **level != "WARNING" || host == "vm1").collect();
            assert_eq!(["DEBUG", "INFO", "WARNING"].iter().filter(is_told).collect::<Vec<_>>(), expected, "{lines:?}");
        }
        if verbosity == 5 {
            let result = &run.results["vm1"];
            let variables = keys(&result["inventory"]["vm1"]);
            assert!(variables.contains(&"ds389_server_of_nobody_that_is_known"), "{variables:?}");
            assert!(!variables.contains(&"ds389_server_packages"), "{variables:?}");
            assert!(messages(&result["modifier_names"]["vm1"]).contains(&"verbose_vm1.userroot.description".to_owned()));
            assert_eq!(messages(&result["replicated_backends"])[1], "vm2.verbose_vm2.userroot dc=example,dc=com hub");
        }
    }
}

#[test]
fn instances_are_stopped_started_updated_and_removed_by_the_argument() {
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
    for host in HOSTS {
        // The modifiers of the group find nothing then.
        let nothing = json!({"ds389_prefix": site.prefix(host).path()});
        site.write(&format!("host_vars/{host}.json"), &nothing.to_string());
    }
    assert_eq!(state(json!({"state": "present"})), HOSTS.map(|_| Vec::<String>::new()), "what is not listed stays");
    assert_eq!(state(json!({"state": "updated"})), of_each("Removing instance slapd-states_HOST"), "what is not listed goes");
    for (host, prefix) in site.prefixes() {
        let mut variables = host_variables("states", host);
        variables["ds389_prefix"] = json!(prefix.path());
        site.write(&format!("host_vars/{host}.json"), &variables.to_string());
    }
    site.run("server.yml", &[]).succeeded();
    assert_eq!(state(json!({"state": "absent"})), of_each("Removing instance slapd-states_HOST"));
    for (host, prefix) in site.prefixes() {
        assert_eq!(prefix.left(), [""; 0], "nothing is left on {host}");
        assert!(observed(prefix.path()).instances.is_empty());
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
    let left = std::fs::read_dir(site.path("home/remote-temp")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "no file is left");
}

/// Where a password may be asked for, this connection takes a terminal, which has no end, unless pipelining is on.
#[test]
fn arguments_arrive_whoever_is_become_and_whether_a_password_is_asked_for() {
    let plugins = concat!(env!("CARGO_MANIFEST_DIR"), "/ds389/ansible/become_plugins");
    let site =
        site("becoming").with_environment("ANSIBLE_BECOME_PLUGINS", plugins).with_environment("ANSIBLE_TASK_TIMEOUT", "60");
    let check = |method: &str, password: Option<&str>, pipelining: bool, is_by_file: bool| {
        let mut said = json!({"ansible_become": true, "ansible_become_method": method, "ansible_become_user": "root",
            "ansible_pipelining": pipelining});
        if let Some(password) = password {
            said["ansible_become_password"] = json!(password);
        }
        let run = site.run("server.yml", &["--check", "-vvvvv", "--extra-vars", &said.to_string()]).succeeded();
        assert_eq!(run.text.contains("arguments.json"), is_by_file, "{said}\n{}", run.text);
        assert!(!run.text.contains("s3cret"), "{}", run.text);
        for host in HOSTS {
            assert_eq!(run.get(host, "changed"), true, "{said}");
        }
    };
    check("asking", Some("of-the-user"), false, true);
    check("asking", Some("of-the-user"), true, false);
    if rustix::process::getuid().is_root() {
        check("su", None, false, true);
        check("su", Some("of-the-user"), true, true);
    }
    let left = std::fs::read_dir(site.path("home/remote-temp")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "no file is left");
}

#[test]
fn logins_may_print_what_they_like() {
    let plugins = concat!(env!("CARGO_MANIFEST_DIR"), "/ds389/ansible/connection_plugins");
    let site = site("banner").with_environment("ANSIBLE_CONNECTION_PLUGINS", plugins);
    let connection = ["--extra-vars", "ansible_connection=with_banner"];
    let run = site.run("server.yml", &[&["--check"], &connection[..]].concat()).succeeded();
    for host in HOSTS {
        assert_eq!(run.get(host, "changed"), true);
    }
    site.run("info.yml", &connection).succeeded();
}

#[test]
fn the_program_is_copied_to_a_host_once_and_again_when_it_is_another() {
    let site = Site::new(&["vm1"], |_, _| json!({}));
    let kept = || -> Vec<std::path::PathBuf> {
        std::fs::read_dir(site.path("kept")).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    let said = json!({"ds389_binary_cache": site.path("kept"), "arguments": {"ds389_instances": []}}).to_string();
    let copies = || {
        let run = site.run("state.yml", &["-vvv", "--extra-vars", &said]).succeeded();
        run.text.lines().filter(|line| line.contains(" PUT ") && line.contains("aviary-ds389")).count()
    };
    assert_eq!(copies(), 1);
    let program = std::fs::read(tests::served::program("aviary-ds389")).unwrap();
    let [copy] = kept().try_into().unwrap();
    assert!(std::fs::read(&copy).unwrap() == program, "it is whole");
    assert_eq!(copies(), 0, "it is there");
    std::fs::write(&copy, "damaged").unwrap();
    assert_eq!(copies(), 1, "what is there is another");
    assert!(std::fs::read(&copy).unwrap() == program, "it is whole again");
    assert_eq!(kept(), [copy], "and nothing else is left there");
}

#[test]
fn a_backup_is_fetched_and_restored_from_where_it_was_fetched_to() {
    let site = site("kept");
    for host in HOSTS {
        // Under the name that ds389.ansible_ds has for it.
        let name = format!("host_vars/{host}.json");
        let said = std::fs::read_to_string(site.path(&name)).unwrap().replace("\"ds389_prefix\"", "\"ds389_Server_prefix\"");
        site.write(&name, &said);
    }
    site.run("server.yml", &[]).succeeded();
    let entry = "dn: ou=kept,dc=example,dc=com\nobjectClass: organizationalUnit\nou: kept\n";
    let ldap = |program: &str, arguments: &[&str], input: &str| ldap(&site, "kept_vm1", program, arguments, input);
    assert!(ldap("ldapadd", &[], entry).0);
    let folder = site.path("fetched");
    let said = json!({"ds389_backup_to_controller": true, "ds389_backup_keep_on_host": false, "ds389_backup_suffix": "one",
        "ds389_backup_controller_folder": folder});
    let foretold = site.run("backup.yml", &["--check", "--extra-vars", &said.to_string()]).succeeded();
    assert!(foretold.changed() && !folder.exists(), "{}", foretold.text);
    site.run("backup.yml", &["--extra-vars", &said.to_string()]).succeeded();
    for host in HOSTS {
        for (path, expected) in [(host.to_owned(), 0o700), (format!("{host}/kept_{host}-one.tar.gz"), 0o600)] {
            let mode = std::fs::metadata(folder.join(&path)).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, expected, "nobody else reads {path}");
        }
    }
    let backups = format!("{}/var/lib/dirsrv/slapd-kept_vm1/bak", site.prefix("vm1").path());
    let left = || std::fs::read_dir(&backups).unwrap().count();
    assert_eq!(left(), 0, "nothing stays on the host");

    assert!(ldap("ldapdelete", &["ou=kept,dc=example,dc=com"], "").0);
    let archive = folder.join("vm1/kept_vm1-one.tar.gz");
    let said =
        json!({"ds389_restore_instance": "kept_vm1", "ds389_restore_from": archive, "ds389_restore_from_controller": true});
    let restore = |said: &Value, more: &[&str]| {
        site.run("restore.yml", &[&["--limit", "vm1", "--extra-vars", &said.to_string()], more].concat())
    };
    let foretold = restore(&said, &["--check"]).succeeded();
    assert!(foretold.changed() && left() == 0, "{}", foretold.text);
    // Another of that name, which somebody wants to keep.
    std::fs::create_dir(format!("{backups}/kept_vm1-one")).unwrap();
    restore(&said, &[]).succeeded();
    assert_eq!(left(), 1, "what was unpacked is gone, and nothing else");
    std::fs::remove_dir(format!("{backups}/kept_vm1-one")).unwrap();
    let found = ldap("ldapsearch", &["-LLL", "-b", "dc=example,dc=com", "ou=kept", "1.1"], "");
    assert!(found.1.contains("dn: ou=kept,dc=example,dc=com"), "{found:?}");
    let archive = site.path("other.tar.gz");
    site.write("other/file", "no backup");
    let packed = Command::new("tar").arg("-czf").arg(&archive).arg("-C").arg(site.path("")).arg("other").status().unwrap();
    assert!(packed.success());
    let said =
        json!({"ds389_restore_instance": "kept_vm1", "ds389_restore_from": archive, "ds389_restore_from_controller": true});
    let refused = restore(&said, &[]);
    assert!(!refused.succeeded && refused.text.contains("it holds no backup"), "{}", refused.text);
    assert_eq!(left(), 0, "what was unpacked is gone when it cannot be restored, too");
    let refused = restore(&json!({"ds389_restore_instance": "nobody", "ds389_restore_from": "/nowhere"}), &[]);
    assert!(!refused.succeeded && refused.text.contains("the host has no instance nobody"), "{}", refused.text);
}

#[test]
fn a_run_is_recorded_by_ara_and_shown_by_aviary() {
    let reports = tempfile::tempdir().unwrap();
    let site = site("recorded").recorded(&reports.path().join("run/ara-report/ansible.sqlite"));
    let run = site.run("server.yml", &["--diff", "-vv"]).succeeded();
    let (url, _aviary) = tests::aviary::start(reports.path(), &[]);
    let mut connection = Connection::new(tests::aviary::address(&url));
    let mut get = |path: &str| -> Value {
        let response = connection.get(&format!("/run/ara-report/api/v1/{path}")).unwrap();
        assert_eq!(response.status, 200, "{path}: {}", response.text());
        serde_json::from_slice(&response.body).unwrap()
    };
    let playbook = get("playbooks")["results"][0].clone();
    assert_eq!((&playbook["status"], &playbook["items"]["hosts"]), (&json!("completed"), &json!(3)), "{}", run.text);
    let results = get("results?changed=true")["results"].clone();
    assert_eq!(results.as_array().unwrap().len(), 3);
    for result in results.as_array().unwrap() {
        let whole = get(&format!("results/{}", result["id"]));
        let text = whole.to_string();
        assert!(text.contains("Creating instance slapd-recorded_vm") && text.contains("module_args"), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
}

#[test]
fn the_examples_of_the_collection_are_understood() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/ansible/ansible_collections/aviary/ds389/examples");
    let site = Site::new(&["unused"], |_, _| json!({}));
    let copied = Command::new("cp").arg("-r").arg(examples).arg(site.path("examples")).status().unwrap();
    assert!(copied.success());
    let vault = "examples/group_vars/ldap/vault.yml";
    std::fs::rename(site.path(&format!("{vault}.example")), site.path(vault)).unwrap();
    let here = json!({"ansible_connection": "local", "ansible_become": false, "ds389_prefix": site.prefix("unused").path(),
        "ds389_binary": tests::served::program("aviary-ds389")});
    let run = |playbook: &str| {
        let mut command = site.command("ansible-playbook");
        command.current_dir(site.path("examples")).args(["-i", "inventory.yml", playbook, "--check", "--diff", "-v"]);
        let output = command.args(["--extra-vars", &here.to_string()]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
        text
    };
    let text = run("site.yml");
    for expected in [
        "Creating agreement ansible-target: vm2.localhost.userroot on backend localhost.userroot",
        "Creating agreement ansible-target: vm3.localhost.userroot on backend localhost.userroot",
        "Configure replication as hub for backend userroot on suffix dc=example,dc=com",
        "Creating index departmentNumber on backend userroot",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    assert!(!text.contains("choose-"), "{text}");
    run("info.yml");
    run("backup.yml");
}

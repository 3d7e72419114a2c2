//! Specifications as users write them, and what is said about those that are wrong.

use crate::{
    options::Scope,
    place::Problems,
    setting::Setting,
    specification::{Presence, Role, RoleWish, Specification, State},
    variables::Variables,
    yaml,
};

fn read(text: &str) -> Result<Specification, Problems> {
    Specification::read(&Variables::read(&yaml::parse(text).unwrap())?)
}

#[track_caller]
fn refused(text: &str, expected: &[&str]) {
    let problems = read(text).unwrap_err();
    assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
}

#[test]
fn names_are_read_in_any_case_and_by_their_other_names() {
    let text = "
ds389_server_instances:
- NAME: One
  Root_Password: secret12
  Backends:
  - {name: root, SUFFIX: 'dc=test', replicaROLE: Supplier, REPLICAID: '3', ChangelogMaxAge: 1d}
";
    let specification = read(text).unwrap();
    let instance = &specification.instances[0];
    assert_eq!((instance.name.as_str(), specification.state), ("One", State::Present));
    assert_eq!(instance.settings.secret("rootpw").unwrap().reveal(), "secret12");
    let backend = &instance.backends[0];
    assert_eq!((backend.role, backend.replica_id), (RoleWish::Role(Role::Supplier), Some(3)));
    assert_eq!(backend.settings.text("changelogmaxage"), Some("1d"));
}

#[test]
fn a_backend_may_be_written_in_the_names_of_dscreate() {
    let text = "{ds389_instances: [{name: i, backends: [{name: b, suffix: o=b, replica_role: supplier, replica_id: 7, \
                replica_binddn: 'cn=m,cn=config', replica_bindpw: secret12, replica_bindgroup: 'cn=g,o=b'}]}]}";
    let specification = read(text).unwrap();
    let backend = &specification.instances[0].backends[0];
    assert_eq!((backend.role, backend.replica_id), (RoleWish::Role(Role::Supplier), Some(7)));
    assert_eq!(backend.settings.list("replicabinddn").unwrap(), ["cn=m,cn=config"]);
    assert_eq!(backend.settings.text("replicabinddngroup").unwrap(), "cn=g,o=b");
    assert_eq!(backend.settings.secret("replicacredentials").unwrap().reveal(), "secret12");
    assert!(!format!("{:?}", yaml::parse(text)).contains("secret12"));
    refused(
        "ds389_instances: [{name: i, backends: [{name: b, suffix: o=b, replica_id: 7, ReplicaId: 8}]}]",
        &["line 1, column 78: instance i, backend b: option 'ReplicaId' is written under two of its names"],
    );
}

#[test]
fn states_are_those_of_the_design_and_of_the_peer() {
    for (text, state) in [
        ("{}", State::Present),
        ("state: Present", State::Present),
        ("state: updated", State::Updated),
        ("state: update", State::Updated),
        ("state: ABSENT", State::Absent),
        ("state: started", State::Started),
        ("state: stopped", State::Stopped),
    ] {
        assert_eq!(read(text).unwrap().state, state, "{text}");
    }
    refused("state: gone", &["line 1, column 8: 'state' wants one of present, updated, absent, started, stopped, not 'gone'"]);
}

#[test]
fn the_order_of_variables_does_not_say_which_of_two_counts() {
    for text in [
        "state: absent\nds389_state: updated\nds389_prefix: /a\nds389_server_prefix: /b",
        "ds389_server_prefix: /b\nds389_prefix: /a\nds389_state: updated\nstate: absent",
    ] {
        let specification = read(text).unwrap();
        assert_eq!((specification.state, specification.prefix.as_deref()), (State::Absent, Some("/a")), "{text}");
    }
}

#[test]
fn a_role_may_be_left_as_it_is_or_taken_away() {
    let role = |line: &str| {
        let text = format!("ds389_instances: [{{name: i, backends: [{{name: b, suffix: o=b{line}}}]}}]");
        read(&text).unwrap().instances[0].backends[0].role
    };
    assert_eq!(role(""), RoleWish::AsItIs);
    assert_eq!(role(", ReplicaRole: None"), RoleWish::None);
    // A variable that is empty by mistake is no wish.
    assert_eq!(role(", ReplicaRole: null"), RoleWish::AsItIs);
    assert_eq!(role(", ReplicaRole: "), RoleWish::AsItIs);
    assert_eq!(role(", ReplicaRole: hub"), RoleWish::Role(Role::Hub));
    assert_eq!(role(", ReplicaRole: master"), RoleWish::Role(Role::Supplier));
}

#[test]
fn what_should_not_be_there_needs_a_name_and_no_more() {
    let text = "ds389_instances: [{name: i, backends: [{name: b, state: absent, indexes: [{name: x, state: absent}]}]}]";
    let backend = &read(text).unwrap().instances[0].backends[0];
    assert_eq!((backend.presence, backend.suffix.as_ref()), (Presence::Absent, None));
}

#[test]
fn all_that_is_wrong_is_said_with_its_place_and_its_way_out() {
    refused(
        "ds389_instances:
- name: i
  prot: 389
  rootpw: short
  backends:
  - name: b
    suffix: nonsense
    replicaid: 70000
    require_index: perhaps
    indexes: [{name: x}, {name: y, indextype: [eq, equ]}]
  - suffix: o=c
- name: I
",
        &[
            "line 3, column 3: instance i: option 'prot' is unknown; did you mean 'port'?",
            "line 4, column 11: instance i: option 'rootpw' has fewer than 8 characters",
            "line 7, column 13: instance i, backend b: option 'suffix' wants a DN: 'nonsense' is no distinguished name: '=' and a value must follow 'nonsense', at character 9",
            "line 8, column 16: instance i, backend b: option 'ReplicaId' wants a number from 1 to 65534, not 70000",
            "line 9, column 20: instance i, backend b: option 'require_index' wants true or false, not 'perhaps'",
            "line 10, column 15: instance i, backend b, index x: option 'IndexType' is missing: What is indexed: pres, eq, sub, approx. The backend's data is indexed again when this changes.",
            "line 10, column 47: instance i, backend b, index y: option 'IndexType' wants one of pres, eq, sub, approx, none, not 'equ'",
            "line 11, column 5: instance i: a backend has no 'name'",
            "line 12, column 3: name 'I' is used twice, first at line 2, column 3",
        ],
    );
}

#[test]
fn nothing_that_is_needed_may_be_left_empty() {
    refused(
        "ds389_instances:
- name:
- name: i
  backends:
  - {name: b, suffix: }
  - name: c
    suffix: o=c
    indexes: [{name: x, indextype: }, {name: y, indextype: []}]
    agmts: [{name: z, replicahost: , replicaport: 389}]
  - {name: ~, suffix: o=d}
",
        &[
            "line 2, column 3: an instance has no 'name'",
            "line 5, column 5: instance i, backend b: option 'suffix' is missing: Root of the entries that the backend holds.",
            "line 8, column 15: instance i, backend c, index x: option 'IndexType' is missing: What is indexed: pres, eq, sub, approx. The backend's data is indexed again when this changes.",
            "line 8, column 39: instance i, backend c, index y: option 'IndexType' is missing: What is indexed: pres, eq, sub, approx. The backend's data is indexed again when this changes.",
            "line 9, column 13: instance i, backend c, agreement z: option 'ReplicaHost' is missing: Host of the consumer, as its certificate names it.",
            "line 10, column 5: instance i: a backend has no 'name'",
        ],
    );
}

#[test]
fn agreements_are_listed_under_one_of_their_names() {
    refused(
        "ds389_instances: [{name: i, backends: [{name: b, suffix: o=b, agmts: [], agreements: [{name: a}]}]}]",
        &["line 1, column 86: instance i, backend b: 'agmts' and 'agreements' mean the same: keep one of them"],
    );
}

#[test]
fn a_name_that_is_a_number_is_told_as_it_is() {
    refused(
        "ds389_instances: [{name: 1, prot: 2}]",
        &["line 1, column 29: instance 1: option 'prot' is unknown; did you mean 'port'?"],
    );
}

#[test]
fn a_suffix_belongs_to_one_backend() {
    refused(
        "ds389_instances: [{name: i, backends: [{name: a, suffix: 'o=A,c=x'}, {name: b, suffix: 'O=a, C=X'}]}]",
        &["line 1, column 70: instance i, backend b: suffix O=a, C=X is that of backend a already"],
    );
}

#[test]
fn what_yaml_makes_of_permissions_and_times_is_not_taken_for_what_was_written() {
    let said = |option: &str, value: &str| match read(&format!("ds389_instances: [{{name: i, {option}: {value}}}]")) {
        Ok(specification) => Ok(specification.instances[0].settings.text(option).unwrap().to_owned()),
        Err(problems) => Err(problems.iter().next().unwrap().message.clone()),
    };
    for (value, expected) in [
        ("'640'", Ok("640")),
        ("'0640'", Ok("0640")),
        ("640", Ok("640")),
        ("600", Ok("600")),
        ("777", Ok("777")),
        ("0640", Err("not the number 416: put quotes around it")),
        ("0600", Err("not the number 384: put quotes around it")),
        ("0o640", Err("not '0o640'")),
        ("440", Err("not the number 440: put quotes around it")),
        ("689", Err("not '689'")),
        ("'64'", Err("not '64'")),
        ("rw", Err("not 'rw'")),
    ] {
        for option in ["nsslapd_mode", "nsslapd_accesslog_mode", "nsslapd_errorlog_mode", "nsslapd_auditlog_mode"] {
            let expected = expected.map_err(|end| format!("option '{option}' wants octal digits such as '640', {end}"));
            assert_eq!(said(option, value), expected.map(str::to_owned), "{value}");
        }
    }
    for (value, expected) in [
        ("'0730'", Ok("0730")),
        ("0800", Ok("0800")),
        ("0730", Err("not the number 472: put quotes around it")),
        ("1800", Err("not the number 1800: put quotes around it")),
        ("20:15", Err("not the number 1215: put quotes around it")),
        ("'2460'", Err("not '2460'")),
        ("'800'", Err("not '800'")),
    ] {
        for option in ["rootdn_open_time", "rootdn_close_time"] {
            let expected = expected.map_err(|end| format!("option '{option}' wants a time of day such as '0800', {end}"));
            assert_eq!(said(option, value), expected.map(str::to_owned), "{value}");
        }
    }
    let option = Scope::Instance.option("nsslapd_mode").unwrap();
    let same = |one: &str, other: &str| option.codec.same(&Setting::Text(one.to_owned()), &Setting::Text(other.to_owned()));
    assert!(same("0600", "600") && !same("600", "640") && !same("x", "y"));
}

#[test]
fn a_password_is_never_repeated_in_an_error() {
    for wrong in ["12345678", "[secret12]", "{a: secret12}", "\"secret12\\nmore\"", "secret1"] {
        let problems = read(&format!("ds389_instances: [{{name: i, rootpw: {wrong}}}]")).unwrap_err().to_string();
        assert!(problems.contains("rootpw") && !problems.contains("secret") && !problems.contains("1234"), "{problems}");
    }
}

#[test]
fn a_template_that_nobody_rendered_is_named() {
    let variables =
        Variables::read(&yaml::parse("other: '{{ x }}'\nds389_instances: [{name: '{{ inventory_hostname }}'}]").unwrap())
            .unwrap();
    let problems: Vec<String> = variables.unrendered().iter().map(ToString::to_string).collect();
    let expected = "line 2, column 26: ds389_instances[0].name is a template that was not rendered: {{ inventory_hostname }}; \
                    write its value: only Ansible renders templates";
    assert_eq!(problems, [expected]);
}

#[test]
fn a_secret_that_looks_like_a_template_is_not_told() {
    let text = "ds389_option_1: {name: i, merge: {RootPW: 'hunter2{{ x }}'}}\n\
                ds389_instances: [{name: '{{ i }}', rootpw: 'hunter2{{', root_pasword: 'hunter2{{', \
                backends: [{ReplicaCredentials: 'hunter2{%'}]}]";
    let variables = Variables::read(&yaml::parse(text).unwrap()).unwrap();
    let problems = variables.unrendered().to_string();
    assert_eq!(problems.lines().count(), 5, "{problems}");
    assert!(problems.contains("backends[0].replicacredentials") && problems.contains("{{ i }}"), "{problems}");
    assert!(!problems.contains("hunter2"), "{problems}");
}

#[test]
fn variables_show_no_secret() {
    let text = "ds389_option_1: {name: i, merge: {RootPW: hunter2}}\n\
                ds389_instances: [{name: i, root_password: hunter2, backends: [{ReplicaCredentials: [hunter2]}]}]";
    let node = yaml::parse(text).unwrap();
    let shown = format!("{node:?} {:?}", Variables::read(&node).unwrap());
    assert!(shown.contains("RootPW") && shown.contains("******") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_variable_that_looks_like_ours_is_not_ignored() {
    refused("ds389_instance: []", &["line 1, column 1: variable 'ds389_instance' is unknown; did you mean 'ds389_instances'?"]);
    refused(
        "ds389_instances: []\nDS389_server_instances: []",
        &["line 2, column 1: 'DS389_server_instances' and 'ds389_instances' mean the same: keep one of them"],
    );
}

#[test]
fn a_variable_that_nearly_has_a_name_of_ours_is_told() {
    for (name, meant) in [
        ("ds389_server_instance", "ds389_server_instances"),
        ("ds389_sever_instances", "ds389_server_instances"),
        ("ds389_instnaces", "ds389_instances"),
        ("ds389instances", "ds389_instances"),
        ("ds389_agmt", "ds389_agmts"),
        ("ds389_agreements", "ds389_agmts"),
        ("ds389_server_agmts", "ds389_agmts"),
        ("ds389_prefx", "ds389_prefix"),
        ("ds389_server_prefiks", "ds389_server_prefix"),
        ("ds389_server_state", "ds389_state"),
        ("ds389_optoin_replication", "ds389_option_"),
    ] {
        refused(&format!("{name}: []"), &[&format!("line 1, column 1: variable '{name}' is unknown; did you mean '{meant}'?")]);
    }
}

#[test]
fn variables_of_roles_and_of_users_are_left_alone() {
    for name in [
        "ds389_facts",
        "ds389_status",
        "ds389_version",
        "ds389",
        "ds389_server",
        "ds389_server_packages",
        "ds389_server_result",
        "ds389_info_result",
        "ds389_binary",
        "ds389_binary_cache",
        "ds389_backup_instance",
        "ds389_backup_instances",
        "ds389_backup_archive",
        "ds389_backup_chosen",
        "ds389_backup_controller_folder",
        "ds389_backup_folder",
        "ds389_backup_found",
        "ds389_backup_keep_on_host",
        "ds389_backup_made",
        "ds389_backup_name",
        "ds389_backup_result",
        "ds389_backup_suffix",
        "ds389_backup_to_controller",
        "ds389_restore_instance",
        "ds389_restore_found",
        "ds389_restore_from",
        "ds389_restore_from_archive",
        "ds389_restore_from_controller",
        "ds389_restore_from_folder",
        "ds389_restore_known",
        "ds389_restore_name",
        "ds389_restore_unpacked",
    ] {
        assert_eq!(read(&format!("{name}: []")), Ok(Specification::default()), "{name}");
    }
}

#[test]
fn every_option_has_a_name_of_its_own_and_a_default_that_it_may_have() {
    for scope in Scope::ALL {
        let mut names = std::collections::BTreeSet::new();
        for option in scope.options() {
            for name in [option.name].iter().chain(option.aliases) {
                assert_eq!(*name, name.to_lowercase());
                assert!(names.insert(*name), "{scope:?} {name} twice");
            }
            assert_eq!(option.spelling.to_lowercase(), option.name);
            assert!(option.doc.ends_with('.') && !option.doc.contains('\n'), "{}", option.name);
            assert_eq!(option.default.is_some(), option.default_setting().is_some(), "{}", option.name);
        }
    }
}

#[test]
fn fields_of_resources_are_named_in_camel_case() {
    for (scope, name, field) in [
        (Scope::Instance, "secure_port", "securePort"),
        (Scope::Backend, "replicabinddn", "replicaBindDN"),
        (Scope::Backend, "changelogmaxage", "changelogMaxAge"),
        (Scope::Index, "indextype", "indexType"),
    ] {
        assert_eq!(scope.option(name).unwrap().field(), field);
    }
}

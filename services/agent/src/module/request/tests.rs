//! Which arguments ask for what, and what is wrong with others.

use directory::{dn::Dn, json, value::Node};

use super::{Error, Request, Subject};

fn read(arguments: &str) -> Result<Request, Error> {
    Request::read(&json::parse(&format!("{{\"ANSIBLE_MODULE_ARGS\": {arguments}}}")).unwrap())
}

fn node(text: &str) -> Node {
    json::parse(text).unwrap()
}

#[test]
fn variables_are_read_under_our_names_and_under_those_of_the_other_collection() {
    fn check(arguments: &str) {
        let request = read(arguments).unwrap();
        let expected = r#"{"state": "updated", "ds389_instances": [{"name": "one"}], "ds389_agmts": [], "ds389_prefix": "/p"}"#;
        let (host, variables, numbers) = ("vm1".to_owned(), node(expected), Vec::new());
        assert_eq!(request.subject, Subject::Servers { host, variables, numbers }, "{arguments}");
        assert_eq!((request.verbosity, request.checks, request.shows_differences), (3, true, false), "{arguments}");
    }
    check(
        r#"{"ds389": {"state": "updated", "instances": [{"name": "one"}], "agmts": [], "prefix": "/p",
            "ansible_vars": {"ansible_host": "vm1", "ansible_verbosity": 3, "ansible_check_mode": true}}}"#,
    );
    check(
        r#"{"ds389": {"state": "updated", "ds389_server_instances": [{"name": "one"}], "ds389_agmts": [], "ds389_prefix": "/p",
            "ansible_host": "vm1", "ansible_verbosity": "3", "ansible_check_mode": "True"}, "ds389info": null}"#,
    );
    check(
        r#"{"_ansible_check_mode": true, "_ansible_verbosity": 3, "_ansible_remote_tmp": "x",
            "ds389": {"State": "updated", "DS389_Instances": [{"name": "one"}], "agmts": [], "ds389_server_prefix": "/p",
            "ansible_vars": {"ansible_host": "vm1"}, "_own": 1}}"#,
    );
}

#[test]
fn suppliers_of_other_hosts_are_known_by_their_numbers() {
    let suppliers = r#"[{"suffix": "dc=test", "ReplicaId": 1}, {"suffix": "DC=Test", "ReplicaId": 65534}]"#;
    let request = read(&format!(r#"{{"ds389": {{"ansible_vars": {{"backends": {suppliers}}}}}}}"#)).unwrap();
    let suffix = Dn::parse("dc=test").unwrap();
    let Subject::Servers { numbers, .. } = request.subject else { panic!("{:?}", request.subject) };
    assert_eq!(numbers, [(suffix.clone(), 1), (suffix, 65534)]);
}

#[test]
fn facts_need_no_argument() {
    let request = read(r#"{"ds389info": {}}"#).unwrap();
    assert_eq!((request.subject, request.verbosity, request.checks), (Subject::Facts { prefix: None }, 0, false));
    let request = read(r#"{"ds389info": {"ds389_prefix": "/p", "ansible_verbosity": 9}, "_ansible_diff": true}"#).unwrap();
    assert_eq!((request.subject, request.verbosity), (Subject::Facts { prefix: Some("/p".to_owned()) }, 5));
}

#[test]
fn check_mode_in_one_place_is_check_mode() {
    let request = read(r#"{"_ansible_check_mode": true, "ds389": {"ansible_vars": {"ansible_check_mode": false}}}"#).unwrap();
    assert!(request.checks);
}

#[test]
fn what_asks_for_nothing_is_refused() {
    fn check(arguments: &str, message: &str) {
        assert_eq!(read(arguments).unwrap_err().to_string(), message, "{arguments}");
    }
    check("1", "the input has no 'ANSIBLE_MODULE_ARGS': it has to be an object with the arguments of the module under that name");
    check("{}", "the arguments have neither 'ds389' nor 'ds389info': one of them says what is to be done");
    check(r#"{"ds389": {}, "ds389info": {}}"#, "the arguments have both 'ds389' and 'ds389info': keep one of them");
    check(r#"{"ds389": [1]}"#, "'ds389' wants a dictionary, not a list");
    check(
        r#"{"ds389": {"instnces": []}}"#,
        "'instnces' is no argument of 'ds389', which has state, instances, agmts, prefix, ansible_vars",
    );
    check(r#"{"ds389info": {"state": "absent"}}"#, "'state' is no argument of 'ds389info', which has prefix, ansible_vars");
    check(
        r#"{"ds389": {"instances": [], "ds389_instances": []}}"#,
        "'ds389_instances' means what another argument means already: keep one of them",
    );
    check(r#"{"ds389": {"ansible_vars": {"ansible_verbosity": -1}}}"#, {
        "'ansible_verbosity' wants a number that is not negative, not a number"
    });
    for wrong in [r#"[{"suffix": "dc=test"}]"#, r#"[{"suffix": "dc=test", "ReplicaId": 70000}]"#, "[1]"] {
        check(&format!(r#"{{"ds389": {{"ansible_vars": {{"backends": {wrong}}}}}}}"#), {
            "'backends' wants a list of dictionaries, each with a suffix and its ReplicaId, not a list"
        });
    }
    check(r#"{"ds389": {"ansible_check_mode": "perhaps"}}"#, "'ansible_check_mode' wants a boolean, not a string");
}

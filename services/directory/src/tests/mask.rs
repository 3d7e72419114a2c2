//! What is masked, by name and by text, and what stays to be seen.

use proptest::prelude::*;

use crate::{json, mask::Mask, tests::tree};

fn shown(input: &str) -> String {
    let node = json::parse(input).unwrap();
    let mut mask = Mask::new();
    mask.learn(&node);
    json::write(&mask.tree(&node))
}

#[test]
fn a_secret_is_masked_under_every_name_that_it_can_have() {
    fn check(key: &str) {
        assert_eq!(shown(&format!("{{\"{key}\":\"hush-hush\"}}")), format!("{{\"{key}\":\"******\"}}"));
    }
    for key in ["rootpw", "RootPW", "root_password", "ReplicaCredentials", "replicabootstrapcredentials"] {
        check(key);
    }
    for key in ["ChangelogSymetricKey", "changelogsymmetrickey", "userPassword", "ReplicationManagerPassword"] {
        check(key);
    }
    for key in ["rotpw", "rootpwd", "my_secret", "vault_ds389", "ReplicaCredential", "whatever"] {
        check(key);
    }
}

#[test]
fn a_secret_is_masked_wherever_else_it_stands() {
    fn check(input: &str, expected: &str) {
        assert_eq!(shown(input), expected);
    }
    check(
        r#"{"instances":[{"name":"one","rootpw":"hush-hush","root_dn":"cn=hush-hush,cn=x"}]}"#,
        r#"{"instances":[{"name":"one","rootpw":"******","root_dn":"cn=******,cn=x"}]}"#,
    );
    check(r#"{"rootpw":12345678,"port":12345678}"#, r#"{"rootpw":"******","port":"******"}"#);
    check(r#"{"rootpw":["hush-hush"],"name":"hush-hush"}"#, r#"{"rootpw":"******","name":"******"}"#);
    check(r#"{"rootpw":{"a":"hush-hush"},"hush-hush":1}"#, r#"{"rootpw":"******","******":"******"}"#);
    // What is short is part of other words.
    check(r#"{"rootpw":"us","user":"us","name":"user"}"#, r#"{"rootpw":"******","user":"******","name":"user"}"#);
    // The longer one first, of which the shorter is a part.
    check(r#"{"rootpw":"hush","replicacredentials":"hush-hush","name":"hush-hush!"}"#, {
        r#"{"rootpw":"******","replicacredentials":"******","name":"******!"}"#
    });
}

#[test]
fn what_modifiers_bring_is_masked_by_what_they_change() {
    fn check(input: &str, expected: &str) {
        assert_eq!(shown(input), expected);
    }
    check(
        r#"{"ds389_option_1":{"name":"one","merge":{"rootpw":"hush-hush","port":1}}}"#,
        r#"{"ds389_option_1":{"name":"one","merge":{"rootpw":"******","port":1}}}"#,
    );
    check(
        r#"{"ds389option1":[{"name":"one.userroot.replicacredentials","append":["hush-hush"]}]}"#,
        r#"{"ds389option1":[{"name":"one.userroot.replicacredentials","append":"******"}]}"#,
    );
    check(
        r#"{"ds389option1":[{"name":"one.replicareferral","append":["ldap://a"]}]}"#,
        r#"{"ds389option1":[{"name":"one.replicareferral","append":["ldap://a"]}]}"#,
    );
}

#[test]
fn what_is_no_secret_stays() {
    let input = concat!(
        r#"{"ANSIBLE_MODULE_ARGS":{"_ansible_check_mode":false,"ds389":{"state":"present","prefix":null,"#,
        r#""ansible_vars":{"ansible_host":"vm1","ansible_verbosity":5},"instances":[{"name":"localhost","port":389,"#,
        r#""passwordstoragescheme":"PBKDF2-SHA512","rootpw":null,"backends":[{"name":"userroot","suffix":"dc=example,dc=com","#,
        r#""agmts":[],"indexes":[{"name":"mail","indextype":["eq"]}]}]}],"agmts":[{"target":"*.userroot"}]}}}"#
    );
    assert_eq!(shown(input), input);
}

#[test]
fn a_secret_that_no_name_tells_is_found() {
    let mut mask = Mask::new();
    mask.learn(&json::parse(r#"{"vault_a":"hush-hush","vault_b":"quiet!","vault_c":"us"}"#).unwrap());
    let share = json::parse(r#"{"rootpw":"quiet!","prefix":"/hush-hush","name":["us","user"]}"#).unwrap();
    assert_eq!(mask.strays(&share), ["hush-hush", "us"]);
}

#[test]
fn what_is_vaulted_is_never_shown() {
    assert_eq!(shown(r#"{"name":{"__ansible_vault":"$ANSIBLE_VAULT;1.1;AES256\n61\n"}}"#), r#"{"name":"******"}"#);
}

proptest! {
    #[test]
    fn no_tree_shows_a_secret(node in tree::node(), secret in "[a-z0-9]{8}#[A-Z]{4}") {
        let mut map = crate::value::Map::new();
        for (key, node) in [("x", node), ("rootpw", crate::value::Node::text(&secret)), ("name", crate::value::Node::text(&secret))] {
            map.insert(crate::value::Entry { key: key.to_owned(), at: None, node });
        }
        let node = crate::value::Node::new(crate::value::Value::Map(map));
        let mut mask = Mask::new();
        mask.learn(&node);
        prop_assert!(!json::write(&mask.tree(&node)).contains(&secret));
        prop_assert!(!json::write(&mask.texts(&node)).contains(&secret));
    }
}

//! Distinguished names: what is read, what is equal, what is refused, and how names are built.

use proptest::prelude::*;

use crate::dn::{Dn, Problem};

fn dn(text: &str) -> Dn {
    Dn::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_name_has_a_normal_form() {
    fn check(text: &str, normal: &str) {
        let dn = dn(text);
        assert_eq!(dn.normal(), normal, "{text}");
        assert_eq!(dn.as_str(), text);
        assert_eq!(dn.to_string(), text);
    }
    check("", "");
    check("   ", "");
    check("dc=example,dc=com", "dc=example,dc=com");
    check("DC=Example,dc=COM", "dc=example,dc=com");
    check(" dc = example , dc = com ", "dc=example,dc=com");
    check("dc=example;dc=com", "dc=example,dc=com");
    check("cn=Directory  \u{20}Manager", "cn=directory manager");
    check("cn=\"dc=example,dc=com\",cn=mapping tree,cn=config", "cn=dc\\3Dexample\\2Cdc\\3Dcom,cn=mapping tree,cn=config");
    check("cn=\"dc=example, dc=com\" , cn=config", "cn=dc\\3Dexample\\2C dc\\3Dcom,cn=config");
    check("cn=dc\\3dexample\\2cdc\\3Dcom,cn=config", "cn=dc\\3Dexample\\2Cdc\\3Dcom,cn=config");
    check("cn=dc\\=example\\,dc\\=com,cn=config", "cn=dc\\3Dexample\\2Cdc\\3Dcom,cn=config");
    check("cn=dc=example\\,dc=com,cn=config", "cn=dc\\3Dexample\\2Cdc\\3Dcom,cn=config");
    check("cn=a\\ ,dc=x", "cn=a,dc=x");
    check("cn=\\ a \\20 ,dc=x", "cn=a,dc=x");
    check("cn=\"  a  \"", "cn=a");
    check("cn=\"say \\\"a\\\"\"", "cn=say \\22a\\22");
    check("cn=\\23one", "cn=\\23one");
    check("cn=a#b", "cn=a#b");
    check("cn=", "cn=");
    check("cn=,dc=x", "cn=,dc=x");
    check("cn=\"\",dc=x", "cn=,dc=x");
    check("sn=B+cn=A,dc=x", "cn=a+sn=b,dc=x");
    check("OU=Sales + CN=J.  Smith,DC=example,DC=net", "cn=j. smith+ou=sales,dc=example,dc=net");
    check("OID.2.5.4.3=a", "2.5.4.3=a");
    check("1.3.6.1.4.1.1466.0=#04024869,DC=example", "1.3.6.1.4.1.1466.0=hi,dc=example");
    check("cn=#0C81025A6f", "cn=zo");
    check("cn=#0500", "cn=#0500");
    check("cn=#30030101FF ,dc=x", "cn=#30030101ff,dc=x");
    check("cn=Lu\\C4\\8Di\\C4\\87", "cn=lučić");
    check("cn=ΑΣ", "cn=ασ");
    check("cn=a\\00b", "cn=a\\00b");
}

#[test]
fn names_are_equal_however_they_are_written() {
    for (one, other) in [
        ("cn=\"dc=example,dc=com\",cn=mapping tree,cn=config", "CN=dc\\3Dexample\\2Cdc\\3dcom, CN=Mapping  Tree, CN=Config"),
        ("cn=a+sn=b", "SN=B+CN=A"),
        ("cn=#04024869", "cn=hi"),
        ("", " "),
    ] {
        assert_eq!(dn(one), dn(other));
        assert_eq!(dn(one).cmp(&dn(other)), std::cmp::Ordering::Equal);
        assert_eq!(std::collections::HashSet::from([dn(one), dn(other)]).len(), 1);
    }
    for (one, other) in
        [("cn=a,cn=b", "cn=a\\,cn\\=b"), ("cn=#0500", "cn=\\230500"), ("cn=a+cn=b", "cn=a\\+cn\\=b"), ("dc=x", "")]
    {
        assert_ne!(dn(one), dn(other));
    }
}

#[test]
fn what_is_no_name_is_refused_with_the_place_and_the_reason() {
    fn check(text: &str, character: usize, problem: Problem) {
        let error = Dn::parse(text).unwrap_err();
        assert_eq!((error.character, &error.problem), (character, &problem), "{error}");
    }
    check("x", 2, Problem::NoEquals("x".into()));
    check("Directory Manager", 1, Problem::BadAttribute("Directory Manager".into()));
    check("cn=a,manager,dc=x", 13, Problem::NoEquals("manager".into()));
    check("cn=a,", 6, Problem::NoAttribute);
    check("cn=a,,dc=x", 6, Problem::NoAttribute);
    check(",cn=a", 1, Problem::NoAttribute);
    check("=a", 1, Problem::NoAttribute);
    check("cn=a+", 6, Problem::NoAttribute);
    check("c n=a", 1, Problem::BadAttribute("c n".into()));
    check("1.=a", 1, Problem::BadAttribute("1.".into()));
    check("-a=b", 1, Problem::BadAttribute("-a".into()));
    check("é=b", 1, Problem::BadAttribute("é".into()));
    check("cn=é\\g", 5, Problem::BadEscape);
    check("cn=a\\", 5, Problem::BadEscape);
    check("cn=a\\é", 5, Problem::BadEscape);
    check("cn=a\"b", 5, Problem::Unescaped { character: '"', code: 0x22 });
    check("cn=<name>", 4, Problem::Unescaped { character: '<', code: 0x3c });
    check("cn=\"a,dc=x", 4, Problem::OpenQuote);
    check("cn=\"a\"b,dc=x", 7, Problem::AfterQuote);
    check("cn=#", 4, Problem::BadHex);
    check("cn=#0", 4, Problem::BadHex);
    check("cn=#+1,dc=x", 4, Problem::BadHex);
    check("cn=#name", 4, Problem::BadHex);
    check("cn=#é", 4, Problem::BadHex);
    check("cn=\\ff", 4, Problem::NotUtf8);
}

#[test]
fn an_error_reads_well() {
    for (text, message) in [
        ("manager,dc=x", "'manager,dc=x' is no distinguished name: '=' and a value must follow 'manager', at character 8"),
        ("cn=<a>", "'cn=<a>' is no distinguished name: '<' must be written '\\3C' in a value, at character 4"),
    ] {
        assert_eq!(Dn::parse(text).unwrap_err().to_string(), message);
    }
}

#[test]
fn the_parent_is_what_stands_behind_the_first_component() {
    let entry = dn("cn=\"a,b\" , ou=People;dc=x");
    assert_eq!((entry.depth(), entry.rdn()), (3, ("cn", "a,b")));
    let parent = entry.parent().unwrap();
    assert_eq!((parent.as_str(), parent.depth(), parent.rdn()), ("ou=People;dc=x", 2, ("ou", "People")));
    assert_eq!(parent, dn("ou=people,dc=x"));
    let suffix = parent.parent().unwrap();
    assert_eq!((suffix.as_str(), suffix.normal(), suffix.rdn()), ("dc=x", "dc=x", ("dc", "x")));
    let root = suffix.parent().unwrap();
    assert!(root.is_root());
    assert_eq!((root.as_str(), root.depth(), root.rdn()), ("", 0, ("", "")));
    assert!(root.parent().is_none());
}

#[test]
fn a_child_is_written_as_the_server_writes_it() {
    let tree = dn("cn=mapping tree,cn=config");
    let suffix = tree.child("cn", "dc=example,dc=com");
    assert_eq!(suffix.as_str(), "cn=dc\\3Dexample\\2Cdc\\3Dcom,cn=mapping tree,cn=config");
    assert_eq!(suffix.rdn(), ("cn", "dc=example,dc=com"));
    assert_eq!(suffix.child("cn", "replica").as_str(), "cn=replica,cn=dc\\3Dexample\\2Cdc\\3Dcom,cn=mapping tree,cn=config");
    assert_eq!(dn("").child("dc", "x").as_str(), "dc=x");
}

#[test]
fn an_entry_is_below_those_whose_names_end_its_own() {
    let ancestor = dn("dc=Example,dc=com");
    for (name, below) in [
        ("cn=a,dc=example,dc=com", true),
        ("cn=a,cn=b, DC=EXAMPLE,dc=com", true),
        ("dc=example,dc=com", false),
        ("dc=com", false),
        ("", false),
        ("xdc=example,dc=com", false),
        ("cn=a,dc=example,dc=net", false),
        ("cn=a\\,dc=example,dc=com", false),
        ("cn=\"a,dc=example,dc=com\"", false),
    ] {
        assert_eq!(dn(name).is_below(&ancestor), below, "{name}");
    }
    assert!(dn("dc=x").is_below(&dn("")));
    assert!(!dn("").is_below(&dn("")));
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof!["[ a-zA-Z#,=+\"\\\\<>;\u{0}éΣİß]{0,12}", any::<String>(), Just("dc=example,dc=com".to_owned()),]
}

fn name() -> impl Strategy<Value = Dn> {
    prop::collection::vec(("[a-zA-Z][a-zA-Z0-9-]{0,5}|[0-9](\\.[0-9]{1,3}){1,3}", value()), 0..5)
        .prop_map(|rdns| rdns.iter().rev().fold(dn(""), |parent, (attribute, value)| parent.child(attribute, value)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_name_that_is_written_is_read_as_the_same(name in name()) {
        let read = dn(name.as_str());
        prop_assert_eq!(&read, &name);
        prop_assert_eq!(read.rdn(), name.rdn());
        prop_assert_eq!(read.depth(), name.depth());
    }

    #[test]
    fn the_normal_form_is_its_own(name in name()) {
        let normal = dn(name.normal());
        prop_assert_eq!(normal.normal(), name.normal());
        prop_assert_eq!(normal, name);
    }

    #[test]
    fn the_parent_of_a_child_is_the_name_itself(name in name(), value in value()) {
        let child = name.child("cn", &value);
        let parent = child.parent().unwrap();
        prop_assert_eq!(&parent, &name);
        prop_assert_eq!(parent.as_str(), name.as_str());
        prop_assert_eq!(child.rdn(), ("cn", value.as_str()));
        prop_assert!(child.is_below(&name) && child.is_child(&name));
        prop_assert!(!child.child("cn", "x").is_child(&name));
        prop_assert!(!name.is_below(&child));
    }

    #[test]
    fn whatever_is_read_has_a_normal_form_and_a_parent(text in "([a-cA-C=,;+#\"\\\\<> 0-9é]|cn=){0,20}") {
        if let Ok(name) = Dn::parse(&text) {
            prop_assert_eq!(dn(name.normal()), name.clone());
            if let Some(parent) = name.parent() {
                prop_assert_eq!(dn(parent.as_str()), parent.clone());
                prop_assert!(name.is_below(&parent));
            }
        }
    }
}

//! What modifiers do to variables.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::inventory::{node, variables};
use crate::{
    modifiers::apply,
    options::Scope,
    value::{Node, Position, Value},
    variables::Variables,
};

/// Two instances; one has two backends with an index and an agreement.
fn base() -> Json {
    json!({
        "ds389_instances": [
            {"name": "localhost", "backends": [
                {
                    "name": "userRoot", "suffix": "dc=example,dc=com", "ReplicaReferral": ["ldap://a"],
                    "indexes": [{"name": "myattr", "IndexType": ["eq"]}],
                    "agmts": [{"name": "to2", "ReplicaHost": "h2", "ReplicaPort": 389}]
                },
                {"name": "second", "suffix": "dc=second", "indexes": [{"name": "myattr", "IndexType": ["eq"]}]}
            ]},
            {"name": "other"}
        ],
        "ds389_agmts": [{"name": "all", "target": ["*.userroot"]}]
    })
}

fn with(mut variables: Json, modifiers: Json) -> Json {
    variables.as_object_mut().unwrap().extend(modifiers.as_object().unwrap().clone());
    variables
}

/// The value at a JSON pointer below `instances` and `agreements`, after the modifiers.
fn found(variables: &Variables, pointer: &str) -> Option<Node> {
    let mut steps = pointer.split('/');
    let mut node = match steps.next().unwrap() {
        "instances" => &variables.instances,
        _ => &variables.agreements,
    };
    for step in steps {
        node = match &node.value {
            Value::List(items) => items.get(step.parse::<usize>().unwrap())?,
            Value::Map(map) => map.get(step)?,
            _ => return None,
        };
    }
    Some(node.clone())
}

fn check(modifiers: Json, pointer: &str, expected: Json) {
    let mut variables = variables(&with(base(), modifiers.clone()));
    if let Err(problems) = apply(&mut variables) {
        panic!("{modifiers}: {problems}");
    }
    assert_eq!(found(&variables, pointer), Some(node(&expected)), "{modifiers} {pointer}");
}

fn check_problem(modifiers: Json, expected: &str) {
    let original = variables(&with(base(), modifiers.clone()));
    let mut changed = original.clone();
    let problems = apply(&mut changed).expect_err(&modifiers.to_string());
    assert_eq!(problems.to_string(), expected, "{modifiers}");
    assert_eq!(changed, original, "{modifiers} changed something");
}

#[test]
fn a_dictionary_is_merged_key_by_key_and_not_deeper() {
    for (name, merge, pointer, expected) in [
        ("localhost.userroot", json!({"ReplicaId": 1}), "instances/0/backends/0/replicaid", json!(1)),
        ("localhost.userroot", json!({"ReplicaId": 1}), "instances/0/backends/0/suffix", json!("dc=example,dc=com")),
        ("localhost.userroot", json!({"indexes": []}), "instances/0/backends/0/indexes", json!([])),
        ("localhost", json!({"PORT": 1389}), "instances/0/port", json!(1389)),
        (
            "localhost.userroot.myattr",
            json!({"indextype": ["sub"]}),
            "instances/0/backends/0/indexes/0/indextype",
            json!(["sub"]),
        ),
        ("localhost.userroot.to2", json!({"ReplicaPort": 636}), "instances/0/backends/0/agmts/0/replicaport", json!(636)),
        ("all", json!({"target": "h2"}), "agreements/0/target", json!("h2")),
    ] {
        check(json!({"ds389_option_01": {"name": name, "merge": merge}}), pointer, expected);
    }
}

#[test]
fn values_are_appended_to_lists() {
    for (name, append, pointer, expected) in [
        ("ds389_agmts", json!({"target": "vm2"}), "agreements/1", json!({"target": "vm2"})),
        ("ds389_instances", json!({"name": "i"}), "instances/2", json!({"name": "i"})),
        ("ds389_server_instances", json!({"name": "i"}), "instances/2", json!({"name": "i"})),
        ("localhost.backends", json!({"name": "b"}), "instances/0/backends/2", json!({"name": "b"})),
        ("localhost.userroot.indexes", json!({"name": "cn"}), "instances/0/backends/0/indexes/1", json!({"name": "cn"})),
        ("localhost.userroot.agmts", json!({"name": "x"}), "instances/0/backends/0/agmts/1", json!({"name": "x"})),
        ("localhost.userroot.agreements", json!({"name": "x"}), "instances/0/backends/0/agmts/1", json!({"name": "x"})),
        ("localhost.userroot.ReplicaReferral", json!("ldap://b"), "instances/0/backends/0/replicareferral/1", json!("ldap://b")),
        ("localhost.userroot.myattr.indextype", json!("sub"), "instances/0/backends/0/indexes/0/indextype", json!(["eq", "sub"])),
        ("all.target", json!("h3"), "agreements/0/target", json!(["*.userroot", "h3"])),
    ] {
        check(json!({"ds389_option_01": {"name": name, "append": append}}), pointer, expected);
    }
}

#[test]
fn each_element_of_a_list_is_appended() {
    let modifier = json!({"name": "localhost.userroot.myattr.indextype", "append": ["sub", "pres"]});
    check(json!({"ds389_option_01": modifier}), "instances/0/backends/0/indexes/0/indextype", json!(["eq", "sub", "pres"]));
}

#[test]
fn a_list_is_made_where_one_can_be() {
    for (name, pointer) in [
        ("other.backends", "instances/1/backends"),
        ("localhost.second.agmts", "instances/0/backends/1/agmts"),
        ("localhost.second.replicareferral", "instances/0/backends/1/replicareferral"),
        ("localhost.second.myattr.matchingrule", "instances/0/backends/1/indexes/0/matchingrule"),
    ] {
        check(json!({"ds389_option_01": {"name": name, "append": "x"}}), pointer, json!(["x"]));
    }
    let mut unset = variables(&json!({"ds389_option_01": {"name": "ds389_agmts", "append": [{"target": "vm2"}]}}));
    apply(&mut unset).unwrap();
    assert_eq!(unset.agreements, node(&json!([{"target": "vm2"}])));
    let empty = json!({"ds389_agmts": null, "ds389_option_01": {"name": "ds389_agmts", "append": {"target": "vm2"}}});
    let mut empty = variables(&empty);
    apply(&mut empty).unwrap();
    assert_eq!(empty.agreements, node(&json!([{"target": "vm2"}])));
}

#[test]
fn one_modifier_may_have_several_targets() {
    for (name, changed) in [
        ("localhost other", vec!["localhost", "other"]),
        ("*", vec!["localhost", "other"]),
        ("localhost.*", vec!["localhost.userRoot", "localhost.second"]),
        ("*.*", vec!["localhost.userRoot", "localhost.second"]),
        ("*.second", vec!["localhost.second"]),
        ("localhost.*.myattr", vec!["localhost.userRoot.myattr", "localhost.second.myattr"]),
        ("*.*.*", vec!["localhost.userRoot.myattr", "localhost.userRoot.to2", "localhost.second.myattr"]),
        ("  other   localhost.*.to2  ", vec!["other", "localhost.userRoot.to2"]),
    ] {
        let modifiers = json!({"ds389_option_01": {"name": name, "merge": {"Mark": 1}}});
        let mut variables = variables(&with(base(), modifiers));
        apply(&mut variables).unwrap();
        let mut marks = Vec::new();
        find_marks("", &variables.instances, &mut marks);
        find_marks("", &variables.agreements, &mut marks);
        marks.sort();
        let mut changed = changed;
        changed.sort();
        assert_eq!(marks, changed, "{name}");
    }
}

#[test]
fn whatever_there_is_may_be_nothing() {
    for name in ["*", "*.userroot", "other.*", "localhost.*.nope", "*.*.nope *.nope", "*.backends"] {
        for change in ["merge", "append"] {
            for before in [base(), json!({})] {
                let change = json!({"name": name, change: {}});
                let mut variables = variables(&with(before, json!({"ds389_option_01": change})));
                if let Err(problems) = apply(&mut variables) {
                    assert!(!problems.to_string().contains("finds nothing"), "{name} {problems}");
                }
            }
        }
    }
    let hosts = json!({"ds389_option_01": [{"name": "*.userroot", "merge": {"ReplicaRole": "hub"}}]});
    assert_eq!(
        apply(&mut variables(&hosts)),
        Ok(["ds389_agmts", "ds389_instances", "ds389_server_instances"].map(str::to_owned).to_vec())
    );
}

fn find_marks(path: &str, node: &Node, marks: &mut Vec<String>) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| find_marks(path, item, marks)),
        Value::Map(map) => {
            let name = map.get("name").and_then(Node::as_text).unwrap_or("?");
            let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            if map.get("mark").is_some() {
                marks.push(path.clone());
            }
            map.entries().iter().for_each(|entry| find_marks(&path, &entry.node, marks));
        }
        _ => {}
    }
}

#[test]
fn every_backend_of_an_instance_gets_what_is_appended() {
    let modifiers = json!({"ds389_option_01": {"name": "*.*.indexes", "append": {"name": "cn"}}});
    check(modifiers.clone(), "instances/0/backends/0/indexes/1", json!({"name": "cn"}));
    check(modifiers, "instances/0/backends/1/indexes/1", json!({"name": "cn"}));
}

#[test]
fn names_may_have_dots_and_spaces() {
    let variables_of = |name: &str| {
        variables(&json!({
            "ds389_instances": [
                {"name": "slapd-a.b", "backends": [{"name": "user.root", "agmts": [{"name": "to the other"}]}]},
                {"name": "a", "backends": [{"name": "b"}]}
            ],
            "ds389_option_01": {"name": name, "merge": {"mark": 1}}
        }))
    };
    for (name, pointer) in [
        ("a.b", "instances/0/mark"),
        ("slapd-a.b", "instances/0/mark"),
        ("a.b.user.root", "instances/0/backends/0/mark"),
        ("*.user.root", "instances/0/backends/0/mark"),
        ("A.B.*", "instances/0/backends/0/mark"),
        ("slapd-a", "instances/1/mark"),
        ("*.b", "instances/1/backends/0/mark"),
        ("a.b.user.root.to the other", "instances/0/backends/0/agmts/0/mark"),
    ] {
        let mut variables = variables_of(name);
        if let Err(problems) = apply(&mut variables) {
            panic!("{name}: {problems}");
        }
        assert_eq!(found(&variables, pointer), Some(node(&json!(1))), "{name}");
    }
}

#[test]
fn names_with_capitals_are_found() {
    for name in ["localhost.userRoot", "localhost.userroot", "LOCALHOST.USERROOT"] {
        check(
            json!({"ds389_option_01": {"name": name, "merge": {"ReplicaId": 1}}}),
            "instances/0/backends/0/replicaid",
            json!(1),
        );
    }
}

#[test]
fn modifiers_work_in_the_order_of_their_names_over_both_families() {
    let merge = |id: i64| json!({"name": "localhost.userroot", "merge": {"ReplicaId": id}});
    for (modifiers, expected) in [
        (json!({"ds389_option_01": merge(1), "ds389_option_02": merge(2)}), 2),
        (json!({"ds389_option_02": merge(2), "ds389_option_01": merge(1)}), 2),
        (json!({"ds389option_01": merge(1), "ds389_option_02": merge(2)}), 1),
        (json!({"ds389_option_1": [merge(2), merge(1)]}), 1),
    ] {
        check(modifiers, "instances/0/backends/0/replicaid", json!(expected));
    }
}

#[test]
fn a_modifier_sees_what_those_before_it_added() {
    let modifiers = json!({
        "ds389_option_01": {"name": "other", "merge": {"backends": [{"name": "b", "suffix": "dc=b"}]}},
        "ds389_option_02": {"name": "other.b.indexes", "append": {"name": "cn"}},
        "ds389_option_03": [
            {"name": "other.b.cn", "merge": {"IndexType": ["eq"]}},
            {"name": "ds389_agmts", "append": {"name": "new"}},
            {"name": "new", "merge": {"target": "vm2"}}
        ]
    });
    check(modifiers.clone(), "instances/1/backends/0/indexes/0/indextype", json!(["eq"]));
    check(modifiers, "agreements/1", json!({"name": "new", "target": "vm2"}));
}

#[test]
fn a_key_takes_the_place_of_one_that_means_the_same() {
    let variables_of = |merge: Json| {
        let mut variables = variables(&json!({
            "ds389_instances": [{"instance_name": "i", "root_password": "old", "backends": [{"name": "b", "agreements": []}]}],
            "ds389_option_01": {"name": "i", "merge": merge}
        }));
        apply(&mut variables).unwrap();
        variables.instances
    };
    let backends = json!([{"name": "b", "agreements": []}]);
    let expected = json!([{"instance_name": "i", "rootpw": "new", "backends": backends}]);
    let found = variables_of(json!({"rootpw": "new"}));
    let map = |node: &Node| node.as_list().unwrap()[0].as_map().unwrap().clone();
    for key in ["instance_name", "rootpw", "root_password", "backends"] {
        assert_eq!(map(&found).get(key), map(&node(&expected)).get(key), "{key}");
    }
    let mut appended = variables(&json!({
        "ds389_instances": [{"name": "i", "backends": backends}],
        "ds389_option_01": {"name": "i.b.agmts", "append": {"name": "a"}}
    }));
    apply(&mut appended).unwrap();
    let expected = json!([{"name": "i", "backends": [{"name": "b", "agreements": [{"name": "a"}]}]}]);
    assert_eq!(appended.instances, node(&expected));
}

#[test]
fn what_cannot_be_done_is_told() {
    for (modifier, expected) in [
        (json!({"name": "nope.x", "merge": {"a": 1}}), "ds389_option_01 finds nothing that is called 'nope.x'"),
        (json!({"name": "nope.x", "append": 1}), "ds389_option_01 finds nothing that is called 'nope.x'"),
        (
            json!({"name": "localhost.userrot", "merge": {"a": 1}}),
            "ds389_option_01 finds nothing that is called 'localhost.userrot'; did you mean 'localhost.userRoot'?",
        ),
        (
            json!({"name": "localhost.user*", "merge": {"a": 1}}),
            "ds389_option_01 finds nothing that is called 'localhost.user*'; did you mean 'localhost.userRoot'?",
        ),
        (json!({"name": "*.b nope", "merge": {"a": 1}}), "ds389_option_01 finds nothing that is called 'nope'"),
        (
            json!({"name": "localhost..x", "merge": {"a": 1}}),
            "ds389_option_01 finds nothing that is called 'localhost..x'; did you mean 'localhost'?",
        ),
        (json!({"name": "localhost.userroot"}), "ds389_option_01 needs either 'merge' or 'append'"),
        (
            json!({"name": "localhost", "merge": {"a": 1}, "append": 1}),
            "ds389_option_01 has both 'merge' and 'append': make two modifiers of it",
        ),
        (json!({"merge": {"a": 1}}), "ds389_option_01 has no 'name' that says what to change"),
        (json!({"name": " ", "merge": {"a": 1}}), "ds389_option_01 has no 'name' that says what to change"),
        (json!({"name": ["a"], "merge": {"a": 1}}), "ds389_option_01 wants a string as its 'name', not a list"),
        (json!({"name": "localhost", "merge": [1]}), "ds389_option_01 wants a dictionary to merge, not a list"),
        (json!({"name": "localhost", "merge": "x"}), "ds389_option_01 wants a dictionary to merge, not a string"),
        (json!({"name": "localhost", "merge": null}), "ds389_option_01 wants a dictionary to merge, not nothing"),
        (
            json!({"name": "localhost", "append": 1}),
            "ds389_option_01 cannot append to 'localhost': it is an instance, not a list",
        ),
        (
            json!({"name": "localhost.userroot", "append": 1}),
            "ds389_option_01 cannot append to 'localhost.userRoot': it is a backend, not a list",
        ),
        (
            json!({"name": "localhost.userroot.myattr", "append": 1}),
            "ds389_option_01 cannot append to 'localhost.userRoot.myattr': it is an index, not a list",
        ),
        (
            json!({"name": "all", "append": 1}),
            "ds389_option_01 cannot append to 'all': it is an element of ds389_agmts, not a list",
        ),
        (
            json!({"name": "localhost.userroot.suffix", "append": 1}),
            "ds389_option_01 cannot append to 'localhost.userRoot.suffix': it is a string, not a list",
        ),
        (
            json!({"name": "ds389_agmts", "merge": {"a": 1}}),
            "ds389_option_01 cannot merge into 'ds389_agmts': it is a list, not a dictionary",
        ),
        (
            json!({"name": "localhost.backends", "merge": {"a": 1}}),
            "ds389_option_01 cannot merge into 'localhost.backends': it is a list, not a dictionary",
        ),
        (
            json!({"name": "localhost", "merge": {}, "apend": 1}),
            "ds389_option_01 has an unknown key 'apend'; did you mean 'append'?",
        ),
        (json!("x"), "ds389_option_01 wants a dictionary or a list of dictionaries, not a string"),
        (json!(["x"]), "ds389_option_01[0] wants a dictionary, not a string"),
    ] {
        check_problem(json!({"ds389_option_01": modifier}), expected);
    }
}

#[test]
fn all_problems_are_told_with_the_element_they_are_in() {
    let modifiers = json!({
        "ds389_option_01": [{"name": "localhost", "merge": {"a": 1}}, {"name": "nope"}, {"name": "nope gone", "append": 1}],
        "ds389_option_02": {"name": "ds389_agmts"}
    });
    let expected = "ds389_option_01[1] needs either 'merge' or 'append'\n\
        ds389_option_01[2] finds nothing that is called 'nope'\n\
        ds389_option_01[2] finds nothing that is called 'gone'\n\
        ds389_option_02 needs either 'merge' or 'append'";
    check_problem(modifiers, expected);
}

#[test]
fn a_problem_stands_where_its_modifier_does() {
    let mut variables = variables(&with(base(), json!({"ds389_option_01": [{"name": "nope", "merge": {}}]})));
    let at = Some(Position { line: 7, column: 3 });
    match &mut variables.modifiers[0].1.value {
        Value::List(items) => items[0].at = at,
        other => panic!("{other:?}"),
    }
    let problems = apply(&mut variables).unwrap_err();
    assert_eq!(problems.iter().map(|problem| problem.at).collect::<Vec<_>>(), [at]);
}

#[test]
fn a_name_that_means_two_things_is_refused() {
    let mut variables = variables(&json!({
        "ds389_instances": [{"name": "i", "backends": [{"name": "b", "indexes": [{"name": "cn"}], "agmts": [{"name": "CN"}]}]}],
        "ds389_option_01": {"name": "i.b.cn", "merge": {"a": 1}}
    }));
    let problems = apply(&mut variables).unwrap_err();
    let expected = "ds389_option_01 finds an index and an agreement that are called 'i.b.cn': rename one of them";
    assert_eq!(problems.to_string(), expected);
}

#[test]
fn no_problem_tells_a_value() {
    for modifier in [
        json!({"name": "nope", "merge": {"rootpw": "hunter2"}}),
        json!({"name": "localhost", "append": "hunter2"}),
        json!({"name": "localhost", "merge": "hunter2"}),
        json!({"name": {"a": "hunter2"}, "merge": {}}),
        json!("hunter2"),
    ] {
        let mut variables = variables(&with(base(), json!({"ds389_option_01": modifier})));
        let problems = apply(&mut variables).unwrap_err();
        assert!(!problems.to_string().contains("hunter2"), "{problems}");
    }
}

#[test]
fn the_names_that_a_modifier_may_use_are_told_in_order() {
    let mut variables = variables(&json!({
        "ds389_instances": [{"name": "i", "port": 389, "backends": [{"name": "Be", "suffix": "dc=a"}]}],
        "ds389_agmts": [{"name": "all", "target": "x"}],
        "ds389_option_01": {"name": "i.be.indexes", "append": {"name": "cn", "IndexType": "eq"}}
    }));
    let names = apply(&mut variables).unwrap();
    for name in
        ["all", "ds389_agmts", "ds389_instances", "ds389_server_instances", "i", "i.Be", "i.Be.agmts", "i.Be.cn", "i.backends"]
    {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
    for name in ["i.port", "i.Be.suffix", "all.name", "i.Be.cn.indextype"] {
        assert!(!names.iter().any(|known| known == name), "{name}");
    }
    let lists = Scope::Backend.options().iter().filter(|option| option.codec.is_list());
    for option in lists {
        assert!(names.contains(&format!("i.Be.{}", option.name)), "{}", option.name);
    }
    assert!(names.is_sorted());
}

/// Instances with backends that have indexes, as [`base`] but of any shape.
fn any_instances() -> impl Strategy<Value = Json> {
    let index = "[a-c]{1,2}".prop_map(|name| json!({"name": name, "IndexType": ["eq"]}));
    let backend = ("[a-cA-C.]{1,3}", prop::collection::vec(index, 0..3))
        .prop_map(|(name, indexes)| json!({"name": name, "suffix": "dc=a", "indexes": indexes}));
    let instance = ("[a-c]{1,2}", prop::collection::vec(backend, 0..3))
        .prop_map(|(name, backends)| json!({"name": name, "backends": backends}));
    prop::collection::vec(instance, 0..4).prop_map(|instances| json!({"ds389_instances": instances}))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn nothing_changes_without_modifiers(instances in any_instances()) {
        let before = variables(&instances);
        let mut after = before.clone();
        apply(&mut after).unwrap();
        prop_assert_eq!(after, before);
    }

    #[test]
    fn merging_twice_is_merging_once(instances in any_instances(), name in r"[a-c*]{1,2}(\.[a-c*]{1,2}){0,2}", id in 1..9i64) {
        let modifier = json!({"name": name, "merge": {"Mark": id}});
        let mut once = variables(&with(instances.clone(), json!({"ds389_option_01": modifier})));
        let mut twice = variables(&with(instances, json!({"ds389_option_01": [modifier, modifier]})));
        prop_assert_eq!(apply(&mut once).is_ok(), apply(&mut twice).is_ok());
        prop_assert_eq!(once.instances, twice.instances);
    }

    #[test]
    fn every_name_that_is_told_is_found(instances in any_instances()) {
        let mut before = variables(&instances);
        for name in apply(&mut before).unwrap() {
            let modifier = json!({"name": name, "append": 1});
            let mut after = variables(&with(instances.clone(), json!({"ds389_option_01": modifier})));
            if let Err(problems) = apply(&mut after) {
                prop_assert!(!problems.to_string().contains("finds nothing"), "{}", problems);
            }
        }
    }
}

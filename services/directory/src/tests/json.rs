//! JSON: what is read from what, what is refused, and that what is written is read as the same.

use proptest::prelude::*;

use crate::{
    json,
    tests::tree,
    value::{
        Map, Node,
        Value::{self, Boolean, Float, Integer, List, Null, Text, Vault},
    },
};

fn text(text: &str) -> Value {
    Text(text.to_owned())
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), Node::new(value))).collect::<Map>())
}

fn list<const N: usize>(values: [Value; N]) -> Value {
    List(values.into_iter().map(Node::new).collect())
}

#[test]
fn values_are_read_in_their_order() {
    fn check(input: &str, expected: Value) {
        match json::parse(input) {
            Ok(node) => assert_eq!((node.value, node.at), (expected, None), "{input}"),
            Err(error) => panic!("{input}: {error}"),
        }
    }
    check("null", Null);
    check(" true ", Boolean(true));
    check("-9223372036854775808", Integer(i64::MIN));
    check("9223372036854775807", Integer(i64::MAX));
    check("1.0", Float(1.0));
    check("1e3", Float(1000.0));
    check("-0", Float(-0.0));
    check("18446744073709551616", Float(18_446_744_073_709_551_616.0));
    check("\"a\\u00e9\\n\\ud83d\\ude00\"", text("aé\n😀"));
    check("[]", list([]));
    check("{}", map([]));
    check(
        "{\"z\": [1, \"yes\", {\"a\": null}], \"a\": \"1\"}",
        map([("z", list([Integer(1), text("yes"), map([("a", Null)])])), ("a", text("1"))]),
    );
    check("{\"__ansible_vault\": \"$ANSIBLE_VAULT;1.1;AES256\\n61\\n\"}", Vault("$ANSIBLE_VAULT;1.1;AES256\n61\n".to_owned()));
    check("[{\"__ansible_unsafe\": \"{{ a }}\"}]", list([text("{{ a }}")]));
    check("{\"__ansible_vault\": 1}", map([("__ansible_vault", Integer(1))]));
    check("{\"__ansible_vault\": \"a\", \"b\": 1}", map([("__ansible_vault", text("a")), ("b", Integer(1))]));
}

#[test]
fn what_is_refused_is_refused_with_the_place_and_the_reason() {
    fn check(input: &str, message: &str) {
        assert_eq!(json::parse(input).unwrap_err().to_string(), message, "{input}");
    }
    check("", "line 1, column 1: the text ends too early: EOF while parsing a value");
    check("{\"a\": 1,\n \"a\": 2}", "line 2, column 4: key 'a' is written twice in one object; remove one");
    check("[1 2]", "line 1, column 4: expected `,` or `]`");
    check("[\"éé\" 2]", "line 1, column 7: expected `,` or `]`");
    check("[1]\n]", "line 2, column 1: trailing characters");
    check("[\n", "line 2, column 1: the text ends too early: EOF while parsing a list");
    check("NaN", "line 1, column 1: expected value");
    check("9223372036854775808", "line 1, column 19: a number here is larger than 64 bits may be; quote it to make it a string");
    check(&"[".repeat(200), "line 1, column 128: recursion limit exceeded");
}

#[test]
fn a_tree_is_written_on_one_line_or_on_many() {
    let tree = Node::new(map([
        ("b", list([Null, Boolean(false), Integer(-1), Float(1.0), Float(1e300), Float(f64::NAN), Float(f64::NEG_INFINITY)])),
        ("a\n", map([("x", list([])), ("y", map([]))])),
        ("é\"\\\u{1}", Vault("v\n".to_owned())),
    ]));
    assert_eq!(
        json::write(&tree),
        "{\"b\":[null,false,-1,1.0,1e300,\"NaN\",\"-Infinity\"],\"a\\n\":{\"x\":[],\"y\":{}},\"é\\\"\\\\\\u0001\":{\"__ansible_vault\":\"v\\n\"}}",
    );
    assert_eq!(
        json::write_pretty(&Node::new(map([("a", list([Integer(1), map([])])), ("b", Vault("v".to_owned()))]))),
        "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": {\n    \"__ansible_vault\": \"v\"\n  }\n}",
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_written_is_read_as_the_same(node in tree::node()) {
        for text in [json::write(&node), json::write_pretty(&node)] {
            let read = json::parse(&text);
            prop_assert_eq!(read.as_ref(), Ok(&node), "{}", text);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "([\\[\\]{},:0-9.e\\-\n ]|\"a\"|\"b\"|null|true|é){0,30}") {
        let _ = json::parse(&text);
    }
}

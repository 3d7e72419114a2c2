//! YAML: what scalars mean, what tags, anchors and merge keys do, what is refused, and that what is written is read as the same.

use proptest::prelude::*;

use crate::{
    tests::tree,
    value::{
        Node,
        Value::{self, Boolean, Float, Integer, List, Null, Text, Vault},
    },
    yaml,
};

fn parse(text: &str) -> Node {
    yaml::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn text(text: &str) -> Value {
    Text(text.to_owned())
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), Node::new(value))).collect())
}

fn list<const N: usize>(values: [Value; N]) -> Value {
    List(values.into_iter().map(Node::new).collect())
}

fn check(input: &str, expected: Value) {
    assert_eq!(parse(input).value, expected, "{input}");
}

#[test]
fn plain_scalars_mean_what_they_mean_to_pyyaml() {
    for input in ["", "~", "null", "Null", "NULL", "# nothing", "---", "--- ~\n..."] {
        check(input, Null);
    }
    for input in ["yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"] {
        check(input, Boolean(true));
    }
    for input in ["no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"] {
        check(input, Boolean(false));
    }
    for (input, expected) in [
        ("0", 0),
        ("-0", 0),
        ("+12", 12),
        ("-12", -12),
        ("1_000", 1000),
        ("1__0_", 10),
        ("389", 389),
        ("0x1F", 31),
        ("-0x1f", -31),
        ("0x_f_", 15),
        ("0b101", 5),
        ("+0b1_1", 3),
        ("017", 15),
        ("-017", -15),
        ("0_7", 7),
        ("00", 0),
        ("0_", 0),
        ("1:30", 90),
        ("-1:30", -90),
        ("190:20:30", 685_230),
        ("1:5:9", 3909),
        ("1_0:30", 630),
        ("9223372036854775807", i64::MAX),
        ("-9223372036854775808", i64::MIN),
        ("-0x8000000000000000", i64::MIN),
    ] {
        check(input, Integer(expected));
    }
    for (input, expected) in [
        ("1.0", 1.0),
        ("1.", 1.0),
        ("-1.5", -1.5),
        ("+1.5", 1.5),
        (".5", 0.5),
        (".5_5", 0.55),
        ("1_0.5_", 10.5),
        ("08.5", 8.5),
        ("1.5e+3", 1500.0),
        ("1.5E-3", 0.0015),
        ("1.e+3", 1000.0),
        (".5e+1", 5.0),
        ("1:30.5", 90.5),
        ("-1:30.", -90.0),
        ("0:30.5", 30.5),
        (".inf", f64::INFINITY),
        ("+.Inf", f64::INFINITY),
        ("-.INF", f64::NEG_INFINITY),
        ("1.0e+400", f64::INFINITY),
    ] {
        check(input, Float(expected));
    }
    for input in [".nan", ".NaN", ".NAN"] {
        assert!(matches!(parse(input).value, Float(value) if value.is_nan()), "{input}");
    }
    let words = "\
        y n Y N yEs tRue oN nULL none None 1e3 1e+3 1.5e3 1.5e +.5 -.5 ._5 . + .. ._ .iNf +.nan -.nan inf nan 0o17 08 \
        09 0b2 0b 0x 0xg 0X1F 0B1 _1 1a 01:30 1:60 1:3:60 1:300 1:30.5e+3 1.5:30 1,000 2024-01-31 2024-01-31T10:20:30Z \
        1.2.3.4 1.2.3 ::1 12:34:56:78:9a:bc = << -a ?a :a a:b a#b dc=example,dc=com ٣ 1٣";
    for input in words.split_whitespace().chain(["1 000", "2024-01-31 10:20:30", "cn=Directory Manager"]) {
        check(input, text(input));
    }
    check("1__0:30", Integer(630));
    check("12:34:56", Integer(45_296));
}

#[test]
fn quoted_and_block_scalars_are_texts() {
    for (input, expected) in [
        ("'yes'", "yes"),
        ("\"12\"", "12"),
        ("''", ""),
        ("'it''s'", "it's"),
        ("\"a\\tb\\n\\x41\\u00e9\\\\\"", "a\tb\nAé\\"),
        ("'cn=dc\\3Dexample'", "cn=dc\\3Dexample"),
        ("|\n 12\n", "12\n"),
        ("|-\n 12\n", "12"),
        ("|+\n 12\n\n", "12\n\n"),
        ("|\n 12", "12"),
        ("|+\n 12", "12"),
        ("|\n 12 ", "12 "),
        ("|\n 12\n ", "12\n"),
        ("|\n 12\n# a", "12\n"),
        (">\n a\n b\n\n c\n", "a b\nc\n"),
        ("a\n b", "a b"),
        ("'a\n b'", "a b"),
    ] {
        check(input, text(expected));
    }
}

#[test]
fn lists_and_dictionaries_keep_their_order_and_the_text_of_their_keys() {
    check("{}", map([]));
    check("[]", list([]));
    check("b: 1\na: 2\n", map([("b", Integer(1)), ("a", Integer(2))]));
    check(
        "- 1\n- - a\n- k: v\n  l:\n  - b\n",
        list([Integer(1), list([text("a")]), map([("k", text("v")), ("l", list([text("b")]))])]),
    );
    check("{a: 1, b: [x, 'y']}", map([("a", Integer(1)), ("b", list([text("x"), text("y")]))]));
    check(
        "yes: 1\n0x1f: 2\n1:30: 3\n~: 4\n1.0: 5\n",
        map([("yes", Integer(1)), ("0x1f", Integer(2)), ("1:30", Integer(3)), ("~", Integer(4)), ("1.0", Integer(5))]),
    );
    check("? a\n: b\n'': c\n\"<<\": d\n", map([("a", text("b")), ("", text("c")), ("<<", text("d"))]));
    check("a:\nb:\n", map([("a", Null), ("b", Null)]));
    check("? |\n  a", map([("a", Null)]));
}

#[test]
fn tags_say_what_a_value_is() {
    for (input, expected) in [
        ("!!str 12", text("12")),
        ("!!str", text("")),
        ("!!str ~", text("~")),
        ("!!int '12'", Integer(12)),
        ("!!int 1:30", Integer(90)),
        ("!!int 010", Integer(8)),
        ("!!float 1", Float(1.0)),
        ("!!float 1e3", Float(1000.0)),
        ("!!bool 'Yes'", Boolean(true)),
        ("!!bool oFF", Boolean(false)),
        ("!!null whatever", Null),
        ("!!map {a: 1}", map([("a", Integer(1))])),
        ("!!seq [1]", list([Integer(1)])),
        ("!<tag:yaml.org,2002:str> 12", text("12")),
        ("! 12", Integer(12)),
        ("! '12'", Integer(12)),
        ("!unsafe 12", text("12")),
        ("!unsafe '{{ a }}'", text("{{ a }}")),
        ("!unsafe [1]", list([Integer(1)])),
        ("!vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n", Vault("$ANSIBLE_VAULT;1.1;AES256\n6162\n".to_owned())),
        ("!vault-encrypted 'x'", Vault("x".to_owned())),
        ("!!str 1: !!str 2", map([("1", text("2"))])),
    ] {
        check(input, expected);
    }
}

#[test]
fn aliases_repeat_and_merge_keys_fill_in() {
    let both = || map([("x", Integer(1)), ("y", Integer(2))]);
    check("a: &a {x: 1, y: 2}\nb: *a\n", map([("a", both()), ("b", both())]));
    check("a: &a 1\nb: &a 2\nc: *a\n", map([("a", Integer(1)), ("b", Integer(2)), ("c", Integer(2))]));
    check("&k 0x1: *k\nb: {*k : 2}\n", map([("0x1", Integer(1)), ("b", map([("0x1", Integer(2))]))]));
    let base = "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\n";
    let tail = |merge: &str| {
        let node = parse(&format!("{base}c:\n  {merge}\n"));
        node.as_map().and_then(|map| map.get("c")).unwrap().value.clone()
    };
    assert_eq!(tail("<<: *a"), both());
    assert_eq!(tail("<<: *a\n  y: 5"), map([("x", Integer(1)), ("y", Integer(5))]));
    assert_eq!(tail("y: 5\n  w: 0\n  <<: *a"), map([("x", Integer(1)), ("y", Integer(5)), ("w", Integer(0))]));
    assert_eq!(tail("<<: [*a, *b]"), map([("y", Integer(2)), ("z", Integer(4)), ("x", Integer(1))]));
    assert_eq!(tail("<<: *a\n  <<: *b"), map([("x", Integer(1)), ("y", Integer(3)), ("z", Integer(4))]));
    assert_eq!(tail("<<: {<<: *a, x: 6}"), map([("x", Integer(6)), ("y", Integer(2))]));
    assert_eq!(tail("<<: []"), map([]));
}

#[test]
fn every_value_and_key_knows_where_it_stands() {
    let node = parse("# head\na:\n  - é: x\n    b: 'y'\n");
    let at = |node: &Node| node.at.map(|at| (at.line, at.column)).unwrap();
    assert_eq!(at(&node), (2, 1));
    let list = node.as_map().unwrap().get("a").unwrap();
    assert_eq!(at(list), (3, 3));
    let map = list.as_list().unwrap()[0].as_map().unwrap();
    let places: Vec<_> = map.entries().iter().map(|entry| (entry.at.unwrap().to_string(), at(&entry.node))).collect();
    assert_eq!(places, [("line 3, column 5".to_owned(), (3, 8)), ("line 4, column 5".to_owned(), (4, 8))]);
}

#[test]
fn what_is_refused_is_refused_with_the_place_and_the_reason() {
    fn check(input: &str, message: &str) {
        assert_eq!(yaml::parse(input).unwrap_err().to_string(), message, "{input}");
    }
    check(
        "- a\n-   port: 1\n    host: a\n    port: 2\n",
        "line 4, column 5: key 'port' is written twice, first at line 2, column 5",
    );
    check("{a: 1, 'a': 2}", "line 1, column 8: key 'a' is written twice, first at line 1, column 2");
    check(
        "? [a]\n: b\n",
        "line 1, column 3: a key must be a string, not a list or a dictionary; quote a text that begins with '[' or '{'",
    );
    check(
        "a: {{ b }}\n",
        "line 1, column 5: a key must be a string, not a list or a dictionary; quote a text that begins with '[' or '{'",
    );
    check(
        "a: &a [b]\n*a : c\n",
        "line 2, column 1: a key must be a string, not a list or a dictionary; quote a text that begins with '[' or '{'",
    );
    check(
        "a: !secret x",
        "line 1, column 4: the tag '!secret' is not known; remove it, or quote the value if it begins with '!'",
    );
    check(
        "a: !!binary x",
        "line 1, column 4: the tag '!!binary' is not known; remove it, or quote the value if it begins with '!'",
    );
    check(
        "a: !secret [x]",
        "line 1, column 4: the tag '!secret' is not known; remove it, or quote the value if it begins with '!'",
    );
    check(
        "!secret a: x",
        "line 1, column 1: the tag '!secret' is not known; remove it, or quote the value if it begins with '!'",
    );
    check("a: !vault [x]", "line 1, column 4: the tag '!vault' cannot stand before a list");
    check("a: !!str {x: 1}", "line 1, column 4: the tag '!!str' cannot stand before a dictionary");
    check("a: !!seq x", "line 1, column 4: the tag '!!seq' cannot stand before a single value");
    check("!vault a: x", "line 1, column 1: the tag '!vault' cannot stand before a key");
    check("a: !!int x", "line 1, column 4: 'x' is not a whole number; quote it to make it a string");
    check("a: 0x_", "line 1, column 4: '0x_' is not a whole number; quote it to make it a string");
    check("a: !!float x", "line 1, column 4: 'x' is not a number; quote it to make it a string");
    check("a: !!bool 1", "line 1, column 4: '1' is not a boolean; quote it to make it a string");
    for large in ["9223372036854775808", "-9223372036854775809", "0x8000000000000000", "999999999999999999:00"] {
        check(
            large,
            &format!(
                "line 1, column 1: '{large}' is larger than a number may be, which is 64 bits; quote it to make it a string"
            ),
        );
    }
    check("<<: 1", "line 1, column 5: '<<' takes a dictionary or a list of dictionaries, not a number");
    check("<<:\n  - a: 1\n  - b\n", "line 2, column 3: '<<' takes a dictionary or a list of dictionaries, not a string");
    check("a: &a [*a]", "line 1, column 8: the alias stands inside the value that it repeats; move it out");
    check("a: &a\n  <<: *a", "line 2, column 7: the alias stands inside the value that it repeats; move it out");
    check(
        "a: 1\n---\nb: 2\n",
        "line 2, column 1: a second document begins here, but a file holds one; remove the '---' or '...'",
    );
    check("a: b\nc: é\u{1}", "line 2, column 5: the character '\\u{1}' is not allowed; write it as an escape in double quotes");
    check("a: b\0c", "line 1, column 5: the character '\\0' is not allowed; write it as an escape in double quotes");
}

#[test]
fn broken_syntax_is_told_in_plain_words() {
    fn check(input: &str, place: &str, words: &str) {
        let message = yaml::parse(input).unwrap_err().to_string();
        assert!(message.starts_with(&format!("{place}: ")) && message.contains(words), "{input:?}: {message}");
    }
    check("a:\n\t- b\n", "line 2, column 2", "a tab cannot stand here");
    check("a: 'b\n", "line 1, column 4", "a quotation has no end");
    check("a: 'b\nc: d\n", "line 1, column 4", "the quotation that begins here");
    check("a: b: c\n", "line 1, column 5", "':' cannot stand here");
    check("a: b\n  c: d\n", "line 2, column 4", "':' cannot stand here");
    check("a:\tb\n", "line 1, column 4", "a space must follow this ':'");
    check("a: *b\n", "line 1, column 4", "the alias names no anchor");
    check("a: *\n", "line 1, column 4", "a name must follow '&' or '*'");
    check("a: \"dc\\3D\"\n", "line 1, column 4", "write '\\\\' for a backslash");
    check("a: {b: c\n", "line 2, column 1", "',' or '}' must stand here");
    check("a: [b, c\n", "line 2, column 1", "',' or ']' must stand here");
    check("a: [b]]\n", "line 1, column 7", "this bracket closes nothing");
    check("a: b\nc\n", "line 3, column 1", "a key and ':' must stand here");
    check("a:\n  b: c\n d: e\n", "line 3, column 2", "a key must stand here");
    check("- a\nb: c\n", "line 2, column 1", "'-' must stand here");
    check("a: - b\n", "line 1, column 4", "a list cannot begin here");
    check("a: 'b' c\n", "line 1, column 8", "nothing may follow the end of a quotation");
    check("a: |x\n", "line 1, column 4", "a new line must begin");
    check("a: @b\n", "line 1, column 4", "this character cannot begin a value");
    check("a: %b\n", "line 1, column 4", "this character cannot begin a value");
    check("!a!b c\n", "line 1, column 1", "the tag is not known");
}

#[test]
fn a_file_cannot_grow_beyond_its_bounds() {
    fn check(input: &str, words: &str) {
        let message = yaml::parse(input).unwrap_err().to_string();
        assert!(message.ends_with(words), "{message}");
    }
    let mut laughs = "a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for (name, before) in ('b'..='i').zip('a'..) {
        let nine = [format!("*{before}"), format!("*{before}"), format!("*{before}")].join(", ");
        laughs.push_str(&format!("{name}: &{name} [{nine}, {nine}, {nine}]\n"));
    }
    check(&laughs, "the file has more than 100000 values, those that aliases repeat included");
    check(&format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), "*a, ".repeat(20)), "repeat more than 16777216 bytes of text");
    check(&"- a\n".repeat(100_001), "the file has more than 100000 values, those that aliases repeat included");
    for (levels, open, close) in
        [(65, "[", "]"), (100_000, "[", ""), (65, "- ", "a"), (100_000, "- ", "a"), (65, "{a: ", "}"), (100_000, "? ", "a")]
    {
        check_depth(&(open.repeat(levels) + &close.repeat(levels.min(1000))));
    }
    fn check_depth(input: &str) {
        let message = yaml::parse(input).unwrap_err().to_string();
        assert!(message.ends_with("nested more than 64 times") || message.contains("a key must be"), "{message}");
    }
    let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert!(yaml::parse(&deep(64)).is_ok());
    assert!(yaml::parse(&format!("- &a {}\n- [*a]\n", deep(62))).is_ok());
    check(&format!("- &a {}\n- [*a]\n", deep(63)), "nested more than 64 times");
}

#[test]
fn a_tree_is_written_in_blocks_with_few_quotes() {
    fn check(node: Value, expected: &str) {
        assert_eq!(yaml::write(&Node::new(node)), expected);
    }
    check(Null, "null\n");
    check(map([]), "{}\n");
    check(list([]), "[]\n");
    check(text("a\nb\n"), "|\n  a\n  b\n");
    check(
        map([
            ("suffix", text("dc=example,dc=com")),
            ("port", Integer(389)),
            ("text", text("389")),
            ("yes", Boolean(true)),
            ("on", text("on")),
            ("y", text("n")),
            ("empty", text("")),
            ("float", list([Float(1.0), Float(1e300), Float(1.5e-7), Float(f64::INFINITY), Float(f64::NAN)])),
            ("dn", text("cn=dc\\3Dx,cn=config")),
            (
                "quote",
                list([
                    text("it's"),
                    text("'it'"),
                    text("a: b"),
                    text("a:b"),
                    text("{{ a }}"),
                    text("# a"),
                    text("2024-01-31"),
                    text("a\tb"),
                ]),
            ),
            ("lines", text("a\n\n  b")),
            (
                "hosts",
                list([map([("name", text("a")), ("tags", list([text("x"), list([text("y"), text("z")])]))]), map([]), list([])]),
            ),
            ("secret", Vault("$ANSIBLE_VAULT;1.1;AES256\n6162\n".to_owned())),
            ("odd", Vault(" a".to_owned())),
        ]),
        "\
suffix: dc=example,dc=com
port: 389
text: '389'
'yes': true
'on': 'on'
y: n
empty: ''
float:
  - 1.0
  - 1.0e+300
  - 1.5e-7
  - .inf
  - .nan
dn: cn=dc\\3Dx,cn=config
quote:
  - it's
  - '''it'''
  - 'a: b'
  - a:b
  - '{{ a }}'
  - '# a'
  - '2024-01-31'
  - \"a\\tb\"
lines: |-
  a

    b
hosts:
  - name: a
    tags:
      - x
      - - y
        - z
  - {}
  - []
secret: !vault |
  $ANSIBLE_VAULT;1.1;AES256
  6162
odd: !vault \" a\"
",
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_written_is_read_as_the_same(node in tree::node()) {
        let text = yaml::write(&node);
        match yaml::parse(&text) {
            Ok(read) => prop_assert_eq!(read, node, "{}", text),
            Err(error) => prop_assert!(false, "{error}\n{text}"),
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = yaml::parse(&text);
    }

    #[test]
    fn anything_like_yaml_is_read_or_refused(text in "(a|b|: |- |\\? |:|\n|\n  |\n\n| |\t|\\[|\\]|\\{|\\}|,|&a |\\*a|!vault |!!int |!|<<|'|\"|#| #|\\||>|\\\\|---|\\.\\.\\.|%|é|1){0,40}") {
        if let Ok(node) = yaml::parse(&text) {
            let written = yaml::write(&node);
            let again = yaml::parse(&written);
            prop_assert!(again.is_ok_and(|again| again == node), "{text:?}: {written:?}");
        }
    }
}

//! Trees of values with every text that a syntax may trip over.

use proptest::prelude::*;

use crate::value::{Map, Node, Value};

/// Texts: what looks like something else, what means something to a syntax, and any characters.
pub(super) fn text() -> impl Strategy<Value = String> {
    let looks = [
        "",
        " ",
        "yes",
        "No",
        "~",
        "null",
        "0x1f",
        "1:30",
        "1e3",
        "1.5",
        ".inf",
        "2024-01-31",
        "=",
        "<<",
        "- a",
        "-",
        "?",
        ": ",
        ":",
        "#",
        "a #b",
        "a: b",
        "a:",
        "---",
        "--- a",
        "...",
        "!vault x",
        "&a",
        "*a",
        "[a]",
        "{a: b}",
        "{{ a }}",
        "%a",
        "@a",
        "`a`",
        "'a'",
        "\"a\"",
        "|",
        ">",
        "\\3D",
        "a\n",
        "a\n\n",
        "\na",
        "\n",
        " a\nb",
        "a\n b\n",
        "a\n\n\nb",
        "a\n  \nb",
        "a\n ",
        "a\t",
        "\ta",
        "a\tb",
        "a\r\nb",
        "\u{0}",
        "\u{7f}",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "\u{feff}a",
        "\u{ffff}",
        "\u{1f600}",
        "é",
        "a,b",
        "?a",
        "-[",
        "-,",
        ":a",
        "::",
        "a:b",
        "$ANSIBLE_VAULT;1.1;AES256\n6162\n",
        "# a\nb",
        "- a\n- b",
        "a: b\nc: d\n",
        "...\n",
        "---\na\n",
    ];
    prop_oneof![
        3 => prop::sample::select(looks.to_vec()).prop_map(str::to_owned),
        3 => "[-a-c0-2 :#'\"\\\\\n\t,\\[\\]{}?!&*|>%@`=<~.+_\r]{0,10}",
        2 => "[a-z =,]{0,20}",
        1 => any::<String>(),
        1 => "[a-z \n]{1000,1100}",
    ]
}

/// Trees in which every number can be compared.
pub(super) fn node() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Boolean),
        any::<i64>().prop_map(Value::Integer),
        any::<f64>().prop_filter("a number", |value| value.is_finite()).prop_map(Value::Float),
        text().prop_map(Value::Text),
        text().prop_map(Value::Text),
        text().prop_map(Value::Vault),
    ];
    let node = leaf.prop_map(Node::new);
    node.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|list| Node::new(Value::List(list))),
            prop::collection::vec((text(), inner), 0..4)
                .prop_map(|entries| Node::new(Value::Map(entries.into_iter().collect::<Map>()))),
        ]
    })
}

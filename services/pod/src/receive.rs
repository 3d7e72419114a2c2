//! Which suffixes another server may fill: of those that the document names, the ones that hold nothing and those that somebody
//! has asked for by a word. What a suffix holds that was filled in part is nobody's, until it has been filled. A supplier takes no
//! changes of clients from before it may be filled until it has been, so that none is taken and lost.

use std::collections::{BTreeMap, BTreeSet};

use directory::{
    dn::Dn,
    secret::Secret,
    specification::Role,
    value::{Entry, Node, Value},
};

use serde::{Deserialize, Serialize};

use crate::replicas::Seen;

/// A suffix that another server may fill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Receive {
    /// The suffix.
    pub(crate) suffix: Dn,
    /// What its data will be called.
    pub(crate) generation: String,
    /// The word of whoever asks for it, whatever the suffix holds.
    pub(crate) request: Option<String>,
}

/// By suffix, what it may be filled with.
pub(crate) type Consent = BTreeMap<String, Permit>;

/// That a suffix may be filled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Permit {
    /// With what: the generation, and the request behind a space if there is one.
    pub(crate) with: String,
    /// What it holds until then is called.
    pub(crate) held: String,
    /// What it held when it was permitted first was called.
    first: String,
    /// Whether it was filled in part: what it holds is nobody's.
    is_partial: bool,
}

impl Receive {
    /// What tells this from others of the suffix.
    fn key(&self) -> String {
        match &self.request {
            Some(request) => format!("{} {request}", self.generation),
            None => self.generation.clone(),
        }
    }
}

/// Reads the `receives` of a document; what is wrong is said without values.
pub(crate) fn read(node: &Node) -> Result<Vec<Receive>, &'static str> {
    const WANTS: &str = "a list of suffix, generation and request";
    let text = |node: &Node, key: &str| node.as_map()?.get(key)?.as_text().map(str::to_owned);
    let one = |node: &Node| {
        let suffix = Dn::parse(&text(node, "suffix")?).ok()?;
        Some(Receive { suffix, generation: text(node, "generation")?, request: text(node, "request") })
    };
    node.as_list().and_then(|items| items.iter().map(one).collect()).ok_or(WANTS)
}

/// Reads the `numbers` of a document, or what is `gone`.
pub(crate) fn numbers(node: &Node) -> Result<Vec<(Dn, u16)>, &'static str> {
    const WANTS: &str = "lists of numbers by suffix";
    let number = |node: &Node| match node.value {
        Value::Integer(number) => u16::try_from(number).ok(),
        _ => None,
    };
    let mut numbers = Vec::new();
    for entry in node.as_map().ok_or(WANTS)?.entries() {
        let suffix = Dn::parse(&entry.key).map_err(|_| WANTS)?;
        for node in entry.node.as_list().ok_or(WANTS)? {
            numbers.push((suffix.clone(), number(node).ok_or(WANTS)?));
        }
    }
    Ok(numbers)
}

/// Reads the `identities` of a document: passwords by name.
pub(crate) fn identities(node: &Node) -> Result<BTreeMap<Dn, Secret>, &'static str> {
    const WANTS: &str = "passwords by the names of entries";
    let one = |entry: &Entry| Some((Dn::parse(&entry.key).ok()?, Secret::new(entry.node.as_text()?)));
    node.as_map().and_then(|map| map.entries().iter().map(one).collect()).ok_or(WANTS)
}

/// What may be filled now, of what is asked for, what was so before, and how the suffixes are.
pub(crate) fn consent(asked: &[Receive], kept: &Consent, seen: &[Seen]) -> Consent {
    let suffixes = asked.iter().map(|asked| asked.suffix.normal()).chain(kept.keys().map(String::as_str));
    let suffixes: BTreeSet<&str> = suffixes.collect();
    let of_one = |suffix: &str| {
        let asked = asked.iter().find(|asked| asked.suffix.normal() == suffix);
        let seen = seen.iter().find(|seen| seen.replica.suffix.normal() == suffix);
        Some((suffix.to_owned(), filling(asked, kept.get(suffix), seen)?))
    };
    suffixes.into_iter().filter_map(of_one).collect()
}

/// The suppliers' suffixes that are to take no changes of clients any more, and those that are to take them again. While nothing is
/// known of what is asked for, what was permitted stays so.
pub(crate) fn gates(asked: Option<&[Receive]>, kept: &Consent, seen: &[Seen]) -> Vec<(Dn, bool)> {
    let of_one = |seen: &Seen| {
        let suffix = &seen.replica.suffix;
        let permit = kept.get(suffix.normal());
        let is_to_be = match asked {
            Some(asked) => {
                let shut = Seen { is_shut: true, ..seen.clone() };
                filling(asked.iter().find(|asked| asked.suffix == *suffix), permit, Some(&shut)).is_some()
            }
            None => permit.is_some() || seen.is_shut,
        };
        (is_to_be != seen.is_shut).then(|| (suffix.clone(), is_to_be))
    };
    let suppliers = seen.iter().filter(|seen| seen.replica.role == Role::Supplier && seen.generation().is_some());
    suppliers.filter_map(of_one).collect()
}

/// What one suffix may be filled with.
fn filling(asked: Option<&Receive>, kept: Option<&Permit>, seen: Option<&Seen>) -> Option<Permit> {
    let Some((seen, held)) = seen.and_then(|seen| Some((seen, seen.generation()?))) else {
        // What has begun to be filled is no longer what it was. Otherwise nothing is known of it now.
        let begins = |permit: &Permit| permit.is_partial || seen.is_some_and(|seen| seen.is_filling);
        return kept.map(|permit| Permit { is_partial: begins(permit), ..permit.clone() });
    };
    // What is called otherwise than when it was permitted, and not as it is to be, was filled in part. What somebody has written
    // since then is not.
    let is_partial = kept.is_some_and(|kept| (kept.is_partial || held != kept.first) && held != generation(&kept.with));
    let with = match asked {
        Some(asked) if asked.request.is_some() => Some(asked.key()),
        Some(asked) if held == asked.generation => None,
        Some(asked) => (seen.is_empty || is_partial).then(|| asked.key()),
        None => kept.filter(|_| is_partial).map(|kept| kept.with.clone()),
    };
    let first = kept.map_or(held, |kept| &kept.first);
    with.filter(|_| seen.is_shut || is_partial).map(|with| Permit {
        with,
        held: held.to_owned(),
        first: first.to_owned(),
        is_partial,
    })
}

/// What the data will be called, of a key.
fn generation(key: &str) -> &str {
    key.split(' ').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use directory::{
        json,
        replication::{Replica, Ruv},
    };

    use super::*;

    fn seen(generation: Option<&str>, is_empty: bool) -> Vec<Seen> {
        let ruv = generation.map(|generation| Ruv { generation: generation.to_owned(), elements: Vec::new() });
        let replica = Replica {
            instance: "a".to_owned(),
            backend: "root".to_owned(),
            suffix: Dn::parse("dc=test").unwrap(),
            role: Role::Consumer,
            id: None,
            is_running: true,
            ruv,
            cleaning: Vec::new(),
            agreements: Vec::new(),
        };
        vec![Seen { replica, is_empty, is_filling: false, is_shut: true, bind_dns: Vec::new(), binds: BTreeMap::new() }]
    }

    /// A supplier's, by whether it takes changes of clients.
    fn supplier(is_empty: bool, is_shut: bool) -> Vec<Seen> {
        let mut seen = seen(Some("own"), is_empty);
        (seen[0].replica.role, seen[0].is_shut) = (Role::Supplier, is_shut);
        seen
    }

    fn asked(key: &str) -> Vec<Receive> {
        let (generation, request) = key.split_once(' ').map_or((key, None), |(one, other)| (one, Some(other.to_owned())));
        let suffix = Dn::parse("dc=test").unwrap();
        let asked = Receive { suffix, generation: generation.to_owned(), request };
        if generation.is_empty() { Vec::new() } else { vec![asked] }
    }

    /// What may be filled after each look, of a suffix of which nothing was permitted before: who asks, how it is, what is expected.
    #[track_caller]
    fn check(looks: &[(&str, Vec<Seen>, &str)]) {
        let mut kept = Consent::new();
        for (asks, seen, expected) in looks {
            kept = consent(&asked(asks), &kept, seen);
            let with = kept.get("dc=test").map(|permit| permit.with.as_str());
            assert_eq!(with.unwrap_or_default(), *expected, "{asks}: {seen:?}");
        }
    }

    fn filling() -> Vec<Seen> {
        let mut seen = seen(Some("new"), false);
        seen[0].is_filling = true;
        seen
    }

    #[test]
    fn what_holds_nothing_may_be_filled_and_nothing_else_without_a_word() {
        let (empty, full) = (seen(Some("own"), true), seen(Some("own"), false));
        check(&[("g", empty.clone(), "g"), ("", empty.clone(), "")]);
        check(&[("g", full.clone(), "")]);
        check(&[("g word", full.clone(), "g word"), ("", full.clone(), "")]);
        check(&[("g word", seen(Some("g"), false), "g word"), ("", seen(Some("g"), false), "")]);
        check(&[("g", Vec::new(), ""), ("g", seen(None, true), "")]);
        // A word that is taken back permits nothing.
        check(&[("g word", full.clone(), "g word"), ("g", full.clone(), "")]);
        // What somebody writes before it is filled is theirs.
        check(&[("g", empty, "g"), ("g", full, "")]);
    }

    #[test]
    fn a_supplier_takes_no_changes_of_clients_from_before_it_may_be_filled_until_it_has_been() {
        let gate = |asks: &str, seen: &[Seen]| gates(Some(&asked(asks)), &Consent::new(), seen).pop().map(|(_, is_shut)| is_shut);
        for (asks, seen, expected) in [
            ("g", supplier(true, false), Some(true)),
            ("g word", supplier(false, false), Some(true)),
            ("g", supplier(true, true), None),
            ("g", supplier(false, false), None),
            // Somebody was faster, or nobody asks any more.
            ("g", supplier(false, true), Some(false)),
            ("", supplier(true, true), Some(false)),
            // The server opens what has been filled, and others take no changes at all.
            ("g", filling(), None),
            ("g", self::seen(Some("own"), true), None),
        ] {
            assert_eq!(gate(asks, &seen), expected, "{asks}: {seen:?}");
        }
        // A server that starts again takes them, whether or not it is known yet what is asked for.
        let permitted = consent(&asked("g"), &Consent::new(), &supplier(true, true));
        let gate = |seen: Vec<Seen>| gates(None, &permitted, &seen).pop().map(|(_, is_shut)| is_shut);
        assert_eq!((gate(supplier(true, false)), gate(supplier(true, true))), (Some(true), None));
        check(&[("g", supplier(true, false), ""), ("g", supplier(true, true), "g"), ("g", supplier(true, false), "")]);
        check(&[("g word", supplier(false, false), ""), ("g word", supplier(false, true), "g word")]);
    }

    #[test]
    fn what_was_filled_in_part_may_be_filled_until_it_is() {
        let (empty, partial, done) = (seen(Some("own"), true), seen(Some("new"), false), seen(Some("g"), false));
        check(&[("g", empty.clone(), "g"), ("g", Vec::new(), "g"), ("g", filling(), "g"), ("g", done, "")]);
        check(&[("g", empty.clone(), "g"), ("g", partial.clone(), "g"), ("g", partial.clone(), "g")]);
        check(&[("g", empty.clone(), "g"), ("g", partial.clone(), "g"), ("h", partial.clone(), "h")]);
        // Also when nobody asks any more, and when it was filled by the word.
        check(&[("g", empty.clone(), "g"), ("g", filling(), "g"), ("", partial.clone(), "g")]);
        check(&[("g word", seen(Some("own"), false), "g word"), ("g", filling(), "g word"), ("g", partial, "g")]);
        // What is held has another name when it was interrupted, and so has the next attempt.
        let first = consent(&asked("g"), &Consent::new(), &empty);
        let next = consent(&asked("g"), &first, &seen(Some("new"), false));
        assert_eq!([&first, &next].map(|consent| consent["dc=test"].held.as_str()), ["own", "new"]);
        assert_eq!(consent(&asked("g"), &next, &filling())["dc=test"].held, "new");
    }

    #[test]
    fn what_a_document_asks_is_read_or_told_to_be_wrong() {
        let read = |text: &str| super::read(&json::parse(text).unwrap());
        let suffix = Dn::parse("dc=test").unwrap();
        let expected = Receive { suffix: suffix.clone(), generation: "g".to_owned(), request: None };
        assert_eq!(read(r#"[{"suffix": "DC=test", "generation": "g"}]"#), Ok(vec![expected]));
        for wrong in [r#"[{"suffix": "x", "generation": "g"}]"#, r#"[{"suffix": "dc=test"}]"#, "{}", "1"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let numbers = |text: &str| super::numbers(&json::parse(text).unwrap());
        assert_eq!(numbers(r#"{"dc=test": [1, 2]}"#), Ok(vec![(suffix.clone(), 1), (suffix, 2)]));
        for wrong in [r#"{"dc=test": 1}"#, r#"{"dc=test": [65536]}"#, r#"{"x": []}"#, "[]"] {
            assert!(numbers(wrong).is_err(), "{wrong}");
        }
        let identities = |text: &str| super::identities(&json::parse(text).unwrap());
        let name = Dn::parse("cn=a,cn=config").unwrap();
        assert_eq!(identities(r#"{"CN=a,cn=config": "geheim"}"#), Ok([(name, Secret::new("geheim"))].into()));
        for wrong in [r#"{"cn=a": ["geheim"]}"#, r#"{"x": "geheim"}"#, r#"["cn=a"]"#] {
            assert!(identities(wrong).is_err_and(|told| !told.contains("geheim")), "{wrong}");
        }
    }
}

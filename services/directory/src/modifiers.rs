//! Modifiers: variables that change what other variables say of instances and agreements, before anything is read from them.
//! That the result makes sense is for `specification` to say.

mod address;

use std::collections::BTreeSet;

use self::address::{Address, Holds};
use crate::{
    options::Scope,
    place::{Place, Problems},
    value::{Entry, Map, Node, Value},
    variables::{Variables, suggestion},
};

/// A name that a modifier may use: components with dots between them, such as `localhost.userroot`.
pub type Name = String;

/// Changes the variables as their modifiers say, in the order of the modifiers' names. Each sees what those before it did.
/// When something is wrong, nothing is changed. Returns the names that a further modifier may use, in order.
pub fn apply(variables: &mut Variables) -> Result<Vec<Name>, Problems> {
    let mut changed = variables.clone();
    let mut problems = Problems::new();
    for (variable, node) in &variables.modifiers {
        match &node.value {
            Value::Null => {}
            Value::Map(_) => apply_element(variable, node, &mut changed, &mut problems),
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    apply_element(&format!("{variable}[{index}]"), item, &mut changed, &mut problems);
                }
            }
            other => {
                let message = format!("{variable} wants a dictionary or a list of dictionaries, not {}", other.kind());
                problems.add(&Place::default(), node.at, message);
            }
        }
    }
    let names = names(&changed);
    *variables = problems.or(changed)?;
    Ok(names)
}

/// What a modifier does.
#[derive(Debug, Clone, Copy)]
enum Change<'a> {
    Merge(&'a Node),
    Append(&'a Node),
}

fn apply_element(label: &str, element: &Node, variables: &mut Variables, problems: &mut Problems) {
    let mut complain = |message: String| problems.add(&Place::default(), element.at, format!("{label} {message}"));
    let Value::Map(map) = &element.value else {
        return complain(format!("wants a dictionary, not {}", element.value.kind()));
    };
    let known = ["name", "merge", "append"];
    for entry in map.entries().iter().filter(|entry| !known.contains(&entry.key.as_str())) {
        complain(format!("has an unknown key '{}'{}", entry.key, suggestion(&entry.key, known.into_iter())));
    }
    let change = match (map.get("merge"), map.get("append")) {
        (Some(value), None) => Some(Change::Merge(value)),
        (None, Some(value)) => Some(Change::Append(value)),
        (None, None) => {
            complain("needs either 'merge' or 'append'".to_owned());
            None
        }
        (Some(_), Some(_)) => {
            complain("has both 'merge' and 'append': make two modifiers of it".to_owned());
            None
        }
    };
    let targets = match map.get("name").map(|node| &node.value) {
        Some(Value::Text(text)) if !text.trim().is_empty() => text.trim(),
        Some(other) if !matches!(other, Value::Null | Value::Text(_)) => {
            return complain(format!("wants a string as its 'name', not {}", other.kind()));
        }
        _ => return complain("has no 'name' that says what to change".to_owned()),
    };
    let Some(change) = change else { return };
    if let Change::Merge(node) = change
        && node.as_map().is_none()
    {
        return complain(format!("wants a dictionary to merge, not {}", node.value.kind()));
    }
    // Agreements may have spaces in their names.
    let is_one = find(targets, change, &address::all(variables)).is_ok_and(|found| !found.is_empty());
    let targets = if is_one { vec![targets] } else { targets.split_whitespace().collect() };
    for target in targets {
        if let Err(message) = apply_change(target, change, variables) {
            complain(message);
        }
    }
}

fn apply_change(target: &str, change: Change<'_>, variables: &mut Variables) -> Result<(), String> {
    let addresses = address::all(variables);
    for address in find(target, change, &addresses)? {
        match (change, address.value(variables)) {
            (Change::Merge(Node { value: Value::Map(new), .. }), Some(Value::Map(map))) => merge(map, new, address.scope),
            (Change::Append(new), Some(Value::List(items))) => match &new.value {
                Value::List(several) => items.extend(several.iter().cloned()),
                _ => items.push(new.clone()),
            },
            (Change::Merge(_), _) => {
                return Err(format!("cannot merge into '{}': it is {}, not a dictionary", address.name(), address.noun()));
            }
            (Change::Append(_), _) => {
                return Err(format!("cannot append to '{}': it is {}, not a list", address.name(), address.noun()));
            }
        }
    }
    Ok(())
}

/// What a target stands for, all of one kind: at least one, unless it says that it means whatever there is.
fn find<'a>(target: &str, change: Change<'_>, addresses: &'a [Address]) -> Result<Vec<&'a Address>, String> {
    let wanted = match change {
        Change::Merge(_) => Holds::Dictionary,
        Change::Append(_) => Holds::List,
    };
    let found = address::matching(addresses, target, wanted);
    if found.is_empty() && !target.split('.').any(|component| component == "*") {
        let names: Vec<Name> = addresses.iter().map(Address::name).collect();
        let near = suggestion(target, names.iter().map(String::as_str));
        return Err(format!("finds nothing that is called '{target}'{near}"));
    }
    let is_same = |one: &Address, other: &Address| one.name().eq_ignore_ascii_case(&other.name()) && one.noun() != other.noun();
    for (index, one) in found.iter().enumerate() {
        if let Some(other) = found[index + 1..].iter().find(|other| is_same(one, other)) {
            let (one_noun, other_noun) = (one.noun(), other.noun());
            return Err(format!("finds {one_noun} and {other_noun} that are called '{}': rename one of them", one.name()));
        }
    }
    Ok(found)
}

/// Key by key. A key that is written under another of its names goes, or the option would be there twice.
fn merge(map: &mut Map, new: &Map, scope: Option<Scope>) {
    for entry in new.entries() {
        let is_other = |key: &str| key != entry.key && scope.is_some_and(|scope| address::are_same(scope, key, &entry.key));
        let others: Vec<String> =
            map.entries().iter().filter(|known| is_other(&known.key)).map(|known| known.key.clone()).collect();
        for other in others {
            map.remove(&other);
        }
        map.insert(Entry::clone(entry));
    }
}

/// Objects and lists by name, each once.
fn names(variables: &Variables) -> Vec<Name> {
    let addresses = address::all(variables);
    let usable = addresses.iter().filter(|address| !matches!(address.holds, Holds::Other(_)));
    usable.map(Address::name).collect::<BTreeSet<_>>().into_iter().collect()
}

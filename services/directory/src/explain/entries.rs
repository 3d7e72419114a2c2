//! What a plan does to the entries of a server, before and after. What tasks and processes do is not among it.

use serde::Serialize;

use crate::{
    action::{Action, Step},
    entry::Entry,
    layout,
    operation::{self, Operation},
    options::Home,
    secret::{MASK, Secret},
    setting::{Setting, Settings},
};

/// An entry and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryChange {
    /// Name of the instance.
    pub instance: String,
    /// Name of the entry.
    pub dn: String,
    /// Attributes and values that it has, as far as they are known and change.
    pub before: Vec<(String, String)>,
    /// Attributes and values that it gets.
    pub after: Vec<(String, String)>,
    /// The entry itself is new, or goes with all that is below it.
    pub is_whole: bool,
}

/// What the actions of a plan do to entries, in their order. Secrets are masked.
pub fn entries(actions: &[Action]) -> Vec<EntryChange> {
    actions.iter().flat_map(of_action).collect()
}

fn of_action(action: &Action) -> Vec<EntryChange> {
    let change = |dn: &str| EntryChange {
        instance: action.place.instance_name().to_owned(),
        dn: dn.to_owned(),
        before: Vec::new(),
        after: Vec::new(),
        is_whole: true,
    };
    let mut changes = Vec::new();
    for operation in operation::operations(action) {
        match &operation {
            Operation::Create(settings) => {
                changes.push(EntryChange { after: configured(settings), ..change(layout::config().as_str()) });
            }
            Operation::Remove => changes.push(change(layout::config().as_str())),
            Operation::Add { entry, secrets } => {
                let mut after = attributes(entry);
                after.extend(masked(secrets));
                changes.push(EntryChange { after, ..change(entry.dn.as_str()) });
            }
            Operation::Replace { dn, values, secrets } => {
                let each = |(attribute, values): &(&'static str, Vec<String>)| {
                    values.iter().map(|value| ((*attribute).to_owned(), value.clone())).collect::<Vec<_>>()
                };
                let mut after: Vec<_> = values.iter().flat_map(each).collect();
                after.extend(masked(secrets));
                changes.push(EntryChange { before: known(&action.step), after, is_whole: false, ..change(dn.as_str()) });
            }
            Operation::Delete(dn) => changes.push(change(dn.as_str())),
            _ => {}
        }
    }
    changes
}

/// What is known of the attributes that a step changes.
fn known(step: &Step) -> Vec<(String, String)> {
    let Step::Set { changes, .. } = step else { return Vec::new() };
    let known = changes.iter().filter(|change| !change.option.is_secret());
    let with_attribute = known.filter_map(|change| Some((change.option.home.attribute()?, change)));
    with_attribute
        .flat_map(|(attribute, change)| {
            let values = change.before.as_ref().map(|before| change.option.codec.store(before)).unwrap_or_default();
            values.into_iter().map(move |value| (attribute.to_owned(), value))
        })
        .collect()
}

fn masked(secrets: &[(&'static str, Secret)]) -> impl Iterator<Item = (String, String)> {
    secrets.iter().map(|(attribute, _)| ((*attribute).to_owned(), MASK.to_owned()))
}

fn attributes(entry: &Entry) -> Vec<(String, String)> {
    let of = |(name, values): (&str, &[Vec<u8>])| {
        values.iter().map(|value| (name.to_owned(), String::from_utf8_lossy(value).into_owned())).collect::<Vec<_>>()
    };
    entry.attributes().flat_map(of).collect()
}

/// What is said of the configuration of a new instance.
fn configured(settings: &Settings) -> Vec<(String, String)> {
    let of_config = settings.iter().filter_map(|(option, setting)| match option.home {
        Home::Config(attribute) => Some((option, attribute, setting)),
        _ => None,
    });
    of_config
        .flat_map(|(option, attribute, setting)| {
            let values = match setting {
                Setting::Secret(_) => vec![MASK.to_owned()],
                open => option.codec.store(open),
            };
            values.into_iter().map(move |value| (attribute.to_owned(), value))
        })
        .collect()
}

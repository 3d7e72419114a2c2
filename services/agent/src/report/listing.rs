//! What a host should be, written out as the file of its report: what the user's file says once modifiers and targets have done
//! their work, and nothing else of it. Secrets are masked by what they are, not by where they stand.

use std::collections::BTreeMap;

use directory::{options::Scope, place::Place, setting::Secrets, specification::Specification, value::Node, yaml};

/// A text, and in which line each object begins.
#[derive(Debug, Clone, Default)]
pub(super) struct Listing {
    pub(super) text: String,
    lines: BTreeMap<String, u32>,
}

impl Listing {
    /// Writes out what `host` should be, as `file` says.
    pub(super) fn of(specification: &Specification, file: &str, host: &str) -> Self {
        let named = |name: &str| name.replace(char::is_control, " ");
        let text = format!(
            "# What {} should be, as {} says. Secrets are masked.\n{}\n",
            named(host),
            named(file),
            yaml::write(&specification.write(Secrets::Masked)).trim_end()
        );
        let mut lines = BTreeMap::new();
        // The places are those of the text that was just written. It is no specification to be read: masks are no passwords.
        if let Ok(node) = yaml::parse(&text) {
            note(&node, "ds389_instances", None, &mut lines);
        }
        Self { text, lines }
    }

    /// The line in which an object begins, or else what it is of; the first line for what is not listed at all.
    pub(super) fn line(&self, place: &Place) -> u32 {
        let key = key(place);
        let mut rest = Some(key.as_str());
        while let Some(name) = rest {
            if let Some(line) = self.lines.get(name) {
                return *line;
            }
            rest = name.rsplit_once(", ").map(|(holder, _)| holder);
        }
        1
    }
}

/// Notes the lines of the objects that a dictionary lists under a name, and of what those list.
fn note(holder: &Node, list: &str, place: Option<&Place>, lines: &mut BTreeMap<String, u32>) {
    let listed = holder.as_map().and_then(|map| map.get(list)).and_then(Node::as_list);
    for object in listed.unwrap_or_default() {
        let Some(name) = object.as_map().and_then(|map| map.get("name")).and_then(Node::as_text) else { continue };
        let place = match (place, list) {
            (Some(place), "backends") => place.child(Scope::Backend, name),
            (Some(place), "indexes") => place.child(Scope::Index, name),
            (Some(place), _) => place.child(Scope::Agreement, name),
            (None, _) => Place::instance(name),
        };
        if let Some(line) = object.at.and_then(|at| u32::try_from(at.line).ok()) {
            lines.insert(key(&place), line);
        }
        for list in ["backends", "indexes", "agmts"] {
            note(object, list, Some(&place), lines);
        }
    }
}

/// Names in any case are the same.
fn key(place: &Place) -> String {
    place.to_string().to_lowercase()
}

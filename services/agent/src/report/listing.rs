//! What a host should be, written out as the file of its report: what the user's file says once modifiers and targets have done
//! their work, and nothing else of it. Secrets are masked by what they are, not by where they stand.

use std::collections::BTreeMap;

use directory::{
    options::Scope,
    place::Place,
    setting::Secrets,
    specification::{Child, Specification},
    value::Position,
    variables::Variables,
    yaml,
};

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
        // The places are those of the text that was just written.
        let read = yaml::parse(&text).ok().and_then(|node| Variables::read(&node).ok());
        let read = read.and_then(|variables| Specification::read(&variables).ok()).unwrap_or_default();
        let mut lines = BTreeMap::new();
        let mut add = |place: &Place, at: Option<Position>| {
            if let Some(line) = at.and_then(|at| u32::try_from(at.line).ok()) {
                lines.insert(key(place), line);
            }
        };
        for instance in &read.instances {
            add(&instance.place(), instance.at);
            for backend in &instance.backends {
                let place = instance.place().child(Scope::Backend, &backend.name);
                add(&place, backend.at);
                let mut children = |scope: Scope, children: &[Child]| {
                    children.iter().for_each(|child| add(&place.child(scope, &child.name), child.at));
                };
                children(Scope::Index, &backend.indexes);
                children(Scope::Agreement, &backend.agreements);
            }
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

/// Names in any case are the same.
fn key(place: &Place) -> String {
    place.to_string().to_lowercase()
}

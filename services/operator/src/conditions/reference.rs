//! The reference of conditions and events, made of their lists.

use super::{Kind, Reason, Told};

/// As tables of Markdown.
pub(crate) fn reference() -> String {
    let conditions = |kinds: &[Kind]| kinds.iter().map(|kind| (kind.name(), kind.doc())).collect::<Vec<_>>();
    let reasons = Reason::ALL.map(|reason| (reason.name(), reason.doc()));
    let events = Told::ALL.map(|told| (told.name(), told.doc()));
    [
        "# Conditions and events of directories\n".to_owned(),
        "What `kubectl describe` shows of a DS389Instance and of a DS389Agreement: [Directories by resources](instances.md).\n"
            .to_owned(),
        table("Conditions of instances", "Condition", "True means", &conditions(&Kind::OF_INSTANCES)),
        table("Conditions of agreements", "Condition", "True means", &conditions(&Kind::OF_AGREEMENTS)),
        "A condition that is Unknown is about what only the agent of the pod knows, while that does not answer.\n".to_owned(),
        table("Reasons", "Reason", "Means", &reasons),
        table("Events", "Event", "Means", &events),
    ]
    .join("\n")
}

fn table(title: &str, first: &str, second: &str, rows: &[(&str, &str)]) -> String {
    let rows: String = rows.iter().map(|(name, doc)| format!("| `{name}` | {doc} |\n")).collect();
    format!("## {title}\n\n| {first} | {second} |\n|---|---|\n{rows}")
}

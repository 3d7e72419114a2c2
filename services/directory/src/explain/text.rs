//! The lines in which a plan is shown. Colours are said by the caller, who knows whether anybody sees them.

use std::fmt;

use serde_json::Value as Json;

use super::{EntryChange, Explanation, Item, Kind, Line, Summary};

/// Whether lines have colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Paint {
    /// They have none.
    #[default]
    Plain,
    /// They have those of terminals.
    Colours,
}

/// Something, and how it is to look.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a, T>(pub &'a T, pub Paint);

pub(super) const GREEN: &str = "32";
pub(super) const YELLOW: &str = "33";
pub(super) const RED: &str = "31";
const CYAN: &str = "36";
const BOLD_RED: &str = "1;31";

/// The longest value that is shown whole.
const WIDTH: usize = 120;

impl Paint {
    /// A text in a colour of terminals.
    pub(super) fn dye(self, colour: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Colours => format!("\u{1b}[{colour}m{text}\u{1b}[0m"),
        }
    }
}

impl Kind {
    /// The sign before an object, and its colour.
    fn sign(self) -> (&'static str, &'static str) {
        match self {
            Self::Create => ("+", GREEN),
            Self::Change => ("~", YELLOW),
            Self::Delete => ("-", RED),
            Self::Run => (">", CYAN),
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Self::Create => "create ",
            Self::Change => "change ",
            Self::Delete => "delete ",
            Self::Run => "",
        }
    }
}

impl fmt::Display for Text<'_, Explanation> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(plan, paint) = self;
        for item in &plan.actions {
            write!(f, "{}", Text(item, *paint))?;
        }
        if !plan.is_empty() {
            writeln!(f)?;
        }
        write!(f, "{}", plan.summary)
    }
}

impl fmt::Display for Text<'_, Item> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(item, paint) = self;
        let (sign, colour) = item.kind.sign();
        let sign = paint.dye(colour, sign);
        match item.kind {
            Kind::Run => writeln!(f, "  {sign} {}", printable(&item.messages.join("; ")))?,
            _ => writeln!(f, "  {sign} {}{}", item.kind.verb(), printable(&item.object))?,
        }
        let width = item.changes.iter().map(|line| line.option.chars().count()).max().unwrap_or(0);
        for line in &item.changes {
            writeln!(f, "      {:width$}  {}", line.option, becomes(line, item.kind))?;
        }
        if item.deletes_data {
            let warning = match item.kind {
                // The object is an agreement, and the data another server's.
                Kind::Run => "all data of the consumer is replaced: nothing but a backup brings it back",
                _ => "all its data is lost: nothing but a backup brings it back",
            };
            writeln!(f, "      {}", paint.dye(BOLD_RED, warning))?;
        }
        Ok(())
    }
}

impl fmt::Display for Text<'_, EntryChange> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(change, paint) = self;
        writeln!(f, "dn: {}", printable(&change.dn))?;
        for (sign, colour, lines, others) in
            [("-", RED, &change.before, &change.after), ("+", GREEN, &change.after, &change.before)]
        {
            for (attribute, value) in lines.iter().filter(|line| !others.contains(line)) {
                writeln!(f, "{}", paint.dye(colour, &format!("{sign}{attribute}: {}", printable(value))))?;
            }
        }
        if change.is_whole && change.after.is_empty() {
            writeln!(f, "{}", paint.dye(RED, "-(this entry and all below it)"))?;
        }
        Ok(())
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::default() {
            return f.write_str("No changes: everything is as it should be.");
        }
        let Self { create, change, delete, .. } = self;
        write!(f, "Plan: {create} to create, {change} to change, {delete} to delete{}.", runs(*self))
    }
}

pub(super) fn done(summary: Summary) -> String {
    let Summary { create, change, delete, .. } = summary;
    format!("Done: {create} created, {change} changed, {delete} deleted{}.", runs(summary))
}

/// What the servers do besides.
fn runs(summary: Summary) -> String {
    let counts = [(summary.start, "start"), (summary.stop, "stop"), (summary.restart, "restart")];
    let some = counts.into_iter().filter(|(count, _)| *count > 0);
    some.map(|(count, noun)| format!(", {count} {noun}{}", if count == 1 { "" } else { "s" })).collect()
}

fn becomes(line: &Line, kind: Kind) -> String {
    match kind {
        Kind::Create | Kind::Run => shown(&line.after),
        Kind::Delete => shown(&line.before),
        Kind::Change => format!("{} → {}", shown(&line.before), shown(&line.after)),
    }
}

fn shown(value: &Json) -> String {
    let text = match value {
        Json::Null => "(not set)".to_owned(),
        Json::Bool(on) => if *on { "on" } else { "off" }.to_owned(),
        Json::String(text) => text.clone(),
        Json::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    let text = printable(&text);
    match text.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// A value in one line, and without what a terminal would obey.
pub(super) fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

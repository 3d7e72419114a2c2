//! Which texts of a row may follow it in chunks, by the names that the contract gives them. Both ends of the wire use this
//! one list; cutting and joining are theirs.

use crate::report::v1::{File, Host, Label, LatestHost, Play, Playbook, Record, Result, Task};

/// A row whose long texts travel in chunks.
pub trait LongTexts {
    /// Hands each text that may be long, with its name, to `each`, in the order in which they follow the row.
    fn long_texts(&mut self, each: &mut dyn FnMut(&'static str, &mut Option<String>));

    /// The row's `continued` field; `None` for rows that have no long texts.
    fn continued(&mut self) -> Option<&mut Vec<String>>;
}

macro_rules! long_texts {
    ($row:ty: $($name:literal => $($step:ident).+ ;)*) => {
        impl LongTexts for $row {
            fn long_texts(&mut self, each: &mut dyn FnMut(&'static str, &mut Option<String>)) {
                $(long_texts!(@visit self, each, $name, $($step).+);)*
            }

            fn continued(&mut self) -> Option<&mut Vec<String>> {
                Some(&mut self.continued)
            }
        }
    };
    (@visit $row:ident, $each:ident, $name:literal, $field:ident) => {
        $each($name, &mut $row.$field)
    };
    (@visit $row:ident, $each:ident, $name:literal, $outer:ident . $($inner:ident).+) => {
        if let Some(inner) = &mut $row.$outer {
            long_texts!(@visit inner, $each, $name, $($inner).+)
        }
    };
}

long_texts!(Playbook: "arguments" => arguments;);
long_texts!(Play: "playbook.arguments" => playbook.arguments;);
long_texts!(Task:
    "tags" => tags;
    "deprecations" => deprecations;
    "exceptions" => exceptions;
    "warnings" => warnings;
    "playbook.arguments" => playbook.arguments;
);
long_texts!(Host: "facts" => facts; "playbook.arguments" => playbook.arguments;);
long_texts!(LatestHost: "host.facts" => host.facts; "host.playbook.arguments" => host.playbook.arguments;);
long_texts!(Result:
    "content" => content;
    "playbook.arguments" => playbook.arguments;
    "task.tags" => task.tags;
    "task.deprecations" => task.deprecations;
    "task.exceptions" => task.exceptions;
    "task.warnings" => task.warnings;
);
long_texts!(File: "content" => content; "playbook.arguments" => playbook.arguments;);
long_texts!(Record: "value" => value; "playbook.arguments" => playbook.arguments;);

impl LongTexts for Label {
    fn long_texts(&mut self, _each: &mut dyn FnMut(&'static str, &mut Option<String>)) {}

    fn continued(&mut self) -> Option<&mut Vec<String>> {
        None
    }
}

//! What is being done, as it is done: a line for each action, with its seconds and what the server says of it.

use std::time::{Duration, Instant};

use directory::{action::Action, explain::Item};
use serde_json::{Value as Json, json};

use super::console::{self, Console};
use crate::host::Event;

/// Writes lines, and remembers what was done.
pub(crate) struct Progress<'a> {
    console: &'a Console,
    items: &'a [Item],
    began: Instant,
    done: Vec<Duration>,
}

/// Goes to the start of a line and clears it.
const REWRITE: &str = "\r\u{1b}[K";

/// As much of what a server says as stands in a line.
const WIDTH: usize = 100;

impl<'a> Progress<'a> {
    pub(crate) fn new(console: &'a Console, items: &'a [Item]) -> Self {
        Self { console, items, began: Instant::now(), done: Vec::new() }
    }

    /// Hears what happens.
    pub(crate) fn hear(&mut self, event: Event<'_>) {
        match event {
            Event::Begins(action) => {
                self.began = Instant::now();
                if self.console.is_watched() {
                    self.console.say(format_args!("  {} …", message(action)));
                }
            }
            Event::Says(action, text) => {
                let text: String =
                    text.lines().next_back().unwrap_or_default().chars().filter(|c| !c.is_control()).take(WIDTH).collect();
                if self.console.is_watched() {
                    self.console.say(format_args!("{REWRITE}  {} … {text}", message(action)));
                } else {
                    self.console.say(format_args!("    {text}\n"));
                }
            }
            Event::Done(action) => {
                let took = self.began.elapsed();
                self.done.push(took);
                let rewrite = if self.console.is_watched() { REWRITE } else { "" };
                self.console.say(format_args!("{rewrite}  {} ({:.1} s)\n", message(action), took.as_secs_f64()));
            }
        }
    }

    /// An action that had begun is not going to end.
    pub(crate) fn break_off(&self) {
        if self.console.is_watched() && self.done.len() < self.items.len() {
            self.console.say("\n");
        }
    }

    /// How many actions were done.
    pub(crate) fn count(&self) -> usize {
        self.done.len()
    }

    /// What was done and what was not, for programs.
    pub(crate) fn json(&self) -> Json {
        let done = self.items.iter().zip(&self.done).map(|(item, took)| {
            let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            console::with(console::to_json(item), &json!({ "milliseconds": millis }))
        });
        let left = self.items.get(self.done.len()..).unwrap_or_default();
        json!({ "done": done.collect::<Vec<_>>(), "left": left })
    }
}

fn message(action: &Action) -> String {
    action.messages().join("; ")
}

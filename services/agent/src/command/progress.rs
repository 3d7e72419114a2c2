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
    begun: usize,
    /// Which were done, and how long each took.
    done: Vec<(usize, Duration)>,
}

/// Goes to the start of a line and clears it.
const REWRITE: &str = "\r\u{1b}[K";

/// As much of what a server says as stands in a line.
const WIDTH: usize = 100;

impl<'a> Progress<'a> {
    pub(crate) fn new(console: &'a Console, items: &'a [Item]) -> Self {
        Self { console, items, began: Instant::now(), begun: 0, done: Vec::new() }
    }

    /// Hears what happens.
    pub(crate) fn hear(&mut self, event: Event<'_>) {
        match event {
            Event::Begins(action) => {
                self.began = Instant::now();
                self.begun += 1;
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
                self.done.push((self.begun.saturating_sub(1), took));
                let rewrite = self.rewrite();
                self.console.say(format_args!("{rewrite}  {} ({:.1} s)\n", message(action), took.as_secs_f64()));
            }
            Event::Failed(action, error) => {
                let (rewrite, took) = (self.rewrite(), self.began.elapsed());
                self.console.say(format_args!("{rewrite}  {} failed ({:.1} s)\n", message(action), took.as_secs_f64()));
                self.console.say(format_args!("    {error}\n"));
            }
        }
    }

    fn rewrite(&self) -> &'static str {
        if self.console.is_watched() { REWRITE } else { "" }
    }

    /// How many actions were done.
    pub(crate) fn count(&self) -> usize {
        self.done.len()
    }

    /// Those of all actions that were done.
    pub(crate) fn done(&self, actions: &[Action]) -> Vec<Action> {
        self.done.iter().filter_map(|(index, _)| actions.get(*index).cloned()).collect()
    }

    /// What was done and what was not, for programs.
    pub(crate) fn json(&self) -> Json {
        let done = self.done.iter().filter_map(|(index, took)| {
            let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            Some(console::with(console::to_json(self.items.get(*index)?), &json!({ "milliseconds": millis })))
        });
        let is_done = |index: usize| self.done.iter().any(|(done, _)| *done == index);
        let left = self.items.iter().enumerate().filter(|(index, _)| !is_done(*index)).map(|(_, item)| item);
        json!({ "done": done.collect::<Vec<_>>(), "left": left.collect::<Vec<_>>() })
    }
}

fn message(action: &Action) -> String {
    action.messages().join("; ")
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use directory::{action::Step, explain, options::Scope, place::Place};

    use super::*;
    use crate::{host::Error, process};

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        console: console::Args,
    }

    #[test]
    fn what_failed_between_two_that_were_done_is_left() {
        let console = Console::new(&Line::parse_from(["x", "--output", "json"]).console);
        let action = |name: &str| Action { place: Place::default().child(Scope::Instance, name), step: Step::Start };
        let actions = ["a", "b", "c", "d"].map(action);
        let items = explain::explain(&actions).actions;
        let mut progress = Progress::new(&console, &items);
        let error = Error::Process(process::Error::Start { instance: "b".to_owned(), reason: "it is ill".to_owned() });
        for (action, is_done) in actions.iter().zip([true, false, true]) {
            progress.hear(Event::Begins(action));
            progress.hear(if is_done { Event::Done(action) } else { Event::Failed(action, &error) });
        }
        let told = progress.json();
        let places = |key: &str| -> Vec<&str> {
            told[key].as_array().unwrap().iter().map(|item| item["place"].as_str().unwrap()).collect()
        };
        assert_eq!((places("done"), places("left")), (vec!["a", "c"], vec!["b", "d"]));
        assert!(told["done"][1]["milliseconds"].is_number() && told["left"][0].get("milliseconds").is_none(), "{told}");
        assert_eq!((progress.count(), progress.done(&actions)), (2, vec![actions[0].clone(), actions[2].clone()]));
    }
}

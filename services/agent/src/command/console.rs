//! Where the command's words go: text or JSON to standard output, what is wrong to standard error, colours where a person sees
//! them.

use std::{
    fmt::Display,
    io::{self, BufRead, IsTerminal, Write},
};

use clap::{ArgAction, ValueEnum};
use directory::explain::Paint;
use serde_json::{Value as Json, json};

use super::Error;

/// How much is said, and how.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// Text for people, or one JSON object for programs
    #[arg(long, global = true, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    output: Format,

    /// No colours; they are for terminals only in any case
    #[arg(long, global = true, env = "NO_COLOR", hide_env_values = true, action = ArgAction::SetTrue, value_parser = is_said)]
    no_color: bool,

    /// Say more on standard error: how the file was understood; twice, also what is done in detail
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// Who reads the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// People.
    Text,
    /// Programs.
    Json,
}

/// Whatever the variable holds, it is meant, unless it is empty.
fn is_said(text: &str) -> Result<bool, std::convert::Infallible> {
    Ok(!matches!(text, "" | "false"))
}

/// Where words go.
#[derive(Debug, Clone)]
pub(crate) struct Console {
    format: Format,
    paint: Paint,
    verbose: u8,
}

impl Console {
    pub(crate) fn new(args: &Args) -> Self {
        let has_colours = !args.no_color && io::stdout().is_terminal();
        let paint = if has_colours { Paint::Colours } else { Paint::Plain };
        Self { format: args.output, paint, verbose: args.verbose }
    }

    /// Whether one JSON object is all that standard output gets.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    pub(crate) fn paint(&self) -> Paint {
        self.paint
    }

    /// Whether lines may be written over, as a person watches.
    pub(crate) fn is_watched(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Text for people. Whoever has closed standard output wants no more of it.
    pub(crate) fn say(&self, text: impl Display) {
        if !self.is_json() {
            write(&mut io::stdout().lock(), text);
        }
    }

    /// The object for programs.
    pub(crate) fn tell(&self, object: &Json) {
        if self.is_json() {
            write(&mut io::stdout().lock(), format_args!("{object:#}\n"));
        }
    }

    /// What was asked for, as it is.
    pub(crate) fn print(&self, text: impl Display) {
        write(&mut io::stdout().lock(), text);
    }

    /// More than most want to know.
    pub(crate) fn explain(&self, level: u8, text: impl Display) {
        if self.verbose >= level {
            write(&mut io::stderr().lock(), format_args!("{text}\n"));
        }
    }

    /// What is wrong, and for programs that nothing else is to be had.
    pub(crate) fn fail(&self, error: &Error) {
        write(&mut io::stderr().lock(), format_args!("{error}\n"));
        self.tell(&error.json());
    }

    /// A note for whoever watches, beside the output.
    pub(crate) fn note(&self, text: impl Display) {
        write(&mut io::stderr().lock(), format_args!("{text}\n"));
    }

    /// Asks for a yes, where there is a person to give it.
    pub(crate) fn confirm(&self, question: &str) -> Result<(), Error> {
        if !io::stdin().is_terminal() || self.is_json() {
            return Err(Error::NeedsYes);
        }
        write(&mut io::stdout().lock(), format_args!("{question} "));
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer);
        if read.is_ok() && answer.trim().eq_ignore_ascii_case("yes") { Ok(()) } else { Err(Error::Declined) }
    }
}

fn write(to: &mut impl Write, text: impl Display) {
    let _ = write!(to, "{text}").and_then(|()| to.flush());
}

/// Puts members of one object into another.
pub(crate) fn with(mut object: Json, more: &Json) -> Json {
    if let (Some(object), Some(more)) = (object.as_object_mut(), more.as_object()) {
        object.extend(more.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    object
}

/// Something as JSON. What is written here has no keys but texts, so that nothing can go wrong.
pub(crate) fn to_json(value: &impl serde::Serialize) -> Json {
    serde_json::to_value(value).unwrap_or_else(|error| json!(error.to_string()))
}

//! `plan`: what apply would do.

use directory::{
    action::Action,
    explain::{self, Explanation, Text},
};
use serde_json::{Value as Json, json};

use super::{
    CHANGES, DONE, Error,
    console::{self, Console},
    source::{self, Wanted},
};
use crate::{host::Host, unmanaged};

/// Show what apply would do, and change nothing
///
/// `+` is created, `~` changed, `-` deleted, `>` done by the server. Secrets are shown as ******.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    source: source::Args,

    /// Also show entries before and after
    #[arg(long)]
    diff: bool,

    /// End with 3 when there is something to do
    #[arg(long)]
    detailed_exitcode: bool,
}

impl Args {
    pub(crate) async fn run(&self, console: &Console) -> Result<u8, Error> {
        let plan = Plan::make(self.source.read(console)?).await?;
        plan.show(console, self.diff);
        console.tell(&plan.json(self.diff));
        Ok(if self.detailed_exitcode && !plan.actions.is_empty() { CHANGES } else { DONE })
    }
}

/// What is to be done on which host.
pub(crate) struct Plan {
    pub(crate) wanted: Wanted,
    pub(crate) host: Host,
    pub(crate) actions: Vec<Action>,
    pub(crate) explained: Explanation,
    /// Instances that are left alone, though others would be removed.
    unmanaged: Vec<String>,
}

impl Plan {
    /// Looks at this host's servers and plans what makes them what is wanted.
    pub(crate) async fn make(wanted: Wanted) -> Result<Self, Error> {
        let host = Host::find(wanted.specification.prefix.as_deref())?;
        let planned = host.plan(&wanted.specification).await?;
        let actions = planned.map_err(|problems| Error::Problems { name: wanted.name.clone(), problems })?;
        host.foresee(&actions).await?;
        host.foresee_files(&actions).await?;
        let unmanaged = match unmanaged::removes(&wanted.specification) {
            true => unmanaged::names(&wanted.specification, &host.observe().await?),
            false => Vec::new(),
        };
        let explained = explain::explain(&actions);
        Ok(Self { wanted, host, actions, explained, unmanaged })
    }

    /// The plan as it is now that somebody has thought about it. If it is another, nothing is to be done.
    pub(crate) async fn made_again(self, console: &Console, with_entries: bool) -> Result<Self, Error> {
        let again = Self::make(self.wanted).await?;
        if again.actions == self.actions {
            return Ok(again);
        }
        again.show(console, with_entries);
        Err(Error::Moved)
    }

    /// For people.
    pub(crate) fn show(&self, console: &Console, with_entries: bool) {
        console.say(format_args!("{}\n", Text(&self.explained, console.paint())));
        if with_entries {
            for entry in explain::entries(&self.actions) {
                console.say(format_args!("\n{}", Text(&entry, console.paint())));
            }
        }
        if !console.is_json() {
            let note = |name: &String| unmanaged::note(&self.wanted.specification, name);
            self.unmanaged.iter().for_each(|name| console.note(format_args!("note: {}", note(name))));
        }
    }

    /// For programs, beside what else is told: instances that are left alone, if there are any.
    pub(crate) fn with_unmanaged(&self, object: Json) -> Json {
        if self.unmanaged.is_empty() { object } else { console::with(object, &json!({ "unmanaged": self.unmanaged })) }
    }

    /// For programs.
    pub(crate) fn json(&self, with_entries: bool) -> Json {
        let object = json!({
            "file": self.wanted.name,
            "host": self.wanted.host,
            "changed": !self.actions.is_empty(),
            "deletes_data": self.explained.deletes_data(),
        });
        let object = self.with_unmanaged(console::with(object, &console::to_json(&self.explained)));
        if with_entries {
            return console::with(object, &json!({ "entries": explain::entries(&self.actions) }));
        }
        object
    }
}

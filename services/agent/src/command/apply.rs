//! `apply`: shows what is to be done, asks before data is lost, does it, and says how it went.

use directory::explain;
use serde_json::json;

use super::{
    DONE, Error, FAILED,
    console::{self, Console},
    plan::Plan,
    progress::Progress,
    source,
    stop::Stop,
};

/// Make the servers of this host what the file says
///
/// Shows the plan first. Deleting data needs a yes, at the terminal or by --yes. Interrupted in any way, it goes on where it
/// was when it is run again; Ctrl-C ends it after the action that it is at.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    source: source::Args,

    /// Change nothing, only show the plan
    #[arg(long)]
    check: bool,

    /// Also show entries before and after
    #[arg(long)]
    diff: bool,

    /// Delete data without being asked
    #[arg(short, long)]
    yes: bool,
}

impl Args {
    pub(crate) async fn run(&self, console: &Console) -> Result<u8, Error> {
        let mut plan = Plan::make(self.source.read(console)?).await?;
        plan.show(console, self.diff);
        if self.check || plan.actions.is_empty() {
            console.tell(&console::with(plan.json(self.diff), &json!({ "check": self.check })));
            return Ok(DONE);
        }
        if plan.explained.deletes_data() && !self.yes {
            console.confirm("This deletes data, as the plan says. Type yes to go on:")?;
            plan = plan.made_again(console, self.diff).await?;
        }
        self.carry_out(console, &plan).await
    }

    async fn carry_out(&self, console: &Console, plan: &Plan) -> Result<u8, Error> {
        let stop = Stop::listen(console)?;
        let mut progress = Progress::new(console, &plan.explained.actions);
        console.say("\n");
        let is_enough = || stop.is_wanted();
        let carried_out = plan.host.carry_out_until(&plan.actions, &is_enough, &mut |event| progress.hear(event)).await;
        let count = progress.count();
        let error = match carried_out {
            Err(source) => Some(Error::from(source)),
            Ok(()) if count < plan.actions.len() => Some(Error::Interrupted { done: count, all: plan.actions.len() }),
            Ok(()) => None,
        };
        progress.break_off();
        let summary = explain::explain(plan.actions.get(..count).unwrap_or_default()).summary;
        let outcome = json!({
            "file": plan.wanted.name,
            "host": plan.wanted.host,
            "check": false,
            "changed": count > 0,
            "summary": summary,
            "error": error.as_ref().map(ToString::to_string),
        });
        console.tell(&console::with(outcome, &progress.json()));
        console.say(format_args!("\n{}\n", summary.done()));
        let Some(error) = error else { return Ok(DONE) };
        console.note(&error);
        if !matches!(error, Error::Interrupted { .. }) {
            console.note(format_args!(
                "{count} of {} actions were done; when this is mended, apply again to go on",
                plan.actions.len()
            ));
        }
        Ok(FAILED)
    }
}

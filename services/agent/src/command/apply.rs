//! `apply`: shows what is to be done, asks before data is lost, does it, and says how it went.

use directory::explain;
use serde_json::json;

use super::{
    DONE, Error, FAILED,
    console::{self, Console},
    plan::Plan,
    progress::Progress,
    recorder::Recorder,
    source::{self, Wanted},
    stop::Stop,
};
use crate::{
    host::Event,
    report::{About, Publish},
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

    /// Write what was done as a report, an ARA database: to a file that ends in .sqlite, or else into a folder or a store such
    /// as s3://bucket/path, as ds389/HOST/TIME/ara-report
    #[arg(long, value_name = "PLACE")]
    report: Option<String>,
}

impl Args {
    pub(crate) async fn run(&self, console: &Console, publish: &dyn Publish) -> Result<u8, Error> {
        let wanted = self.source.read(console)?;
        let mut recorder =
            Recorder::begin(self.report.as_deref(), publish, || self.about(&wanted), &wanted.specification).await?;
        let outcome = self.apply(console, wanted, &mut recorder).await;
        if let Err(error) = &outcome {
            recorder.fail(error);
        }
        let is_reported = recorder.end(console).await;
        outcome.map(|code| if is_reported { code } else { FAILED })
    }

    /// What a report says of the run itself.
    fn about(&self, wanted: &Wanted) -> About {
        let path = std::path::absolute(&wanted.name).map_or_else(|_| wanted.name.clone(), |path| path.display().to_string());
        let arguments = json!({
            "file": self.source.file,
            "host": wanted.host,
            "prefix": wanted.specification.prefix,
            "diff": self.diff,
            "yes": self.yes,
        });
        About {
            file: if self.source.is_stdin() { wanted.name.clone() } else { path },
            host: wanted.host.clone(),
            check: self.check,
            arguments: arguments.as_object().cloned().unwrap_or_default(),
            controller: Some(source::own_name()),
            user: rustix::process::geteuid().is_root().then(|| "root".to_owned()),
        }
    }

    async fn apply(&self, console: &Console, wanted: Wanted, recorder: &mut Recorder<'_>) -> Result<u8, Error> {
        let mut plan = Plan::make(wanted).await?;
        recorder.plan(&plan).await;
        plan.show(console, self.diff);
        if self.check || plan.actions.is_empty() {
            console.tell(&console::with(plan.json(self.diff), &json!({ "check": self.check })));
            return Ok(DONE);
        }
        if plan.explained.deletes_data() && !self.yes {
            console.confirm("This deletes data, as the plan says. Type yes to go on:")?;
            plan = plan.made_again(console, self.diff).await?;
        }
        self.carry_out(console, &plan, recorder).await
    }

    async fn carry_out(&self, console: &Console, plan: &Plan, recorder: &mut Recorder<'_>) -> Result<u8, Error> {
        let stop = Stop::listen(console)?;
        let mut progress = Progress::new(console, &plan.explained.actions);
        console.say("\n");
        let is_enough = || stop.is_wanted();
        let mut hear = |event: Event<'_>| {
            recorder.hear(event);
            progress.hear(event);
        };
        let carried_out = plan.host.carry_out_until(&plan.actions, &is_enough, &mut hear).await;
        let count = progress.count();
        let error = match carried_out {
            Err(source) => Some(Error::from(source)),
            Ok(()) if count < plan.actions.len() => Some(Error::Interrupted { done: count, all: plan.actions.len() }),
            Ok(()) => None,
        };
        match &error {
            Some(Error::Interrupted { .. }) => recorder.interrupt(),
            Some(error) => recorder.fail(error),
            None => {}
        }
        recorder.left(plan).await;
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

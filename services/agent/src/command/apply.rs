//! `apply`: shows what is to be done, asks before data is lost, does it, and says how it went, in a report too.

use std::time::SystemTime;

use directory::explain;
use serde_json::{Map, Value as Json, json};

use super::{
    DONE, Error, FAILED,
    console::{self, Console},
    plan::Plan,
    progress::Progress,
    source::{self, Wanted},
    stop::Stop,
};
use crate::{
    host::{self, Event, Host},
    report::{About, Destination, Minutes, Publish},
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

    /// Write what was done as a report that ARA and Aviary open: a file that ends in .sqlite, or a folder or a store, such as
    /// s3://bucket/path, in which each report has a place of its own
    #[arg(long, value_name = "FILE|FOLDER|URL")]
    report: Option<String>,
}

/// What is said of the first signal.
const STOPPING: &str = "stopping after this action; once more stops at once, and applying again goes on either way";

/// Where the report goes, and what is in it so far.
struct Report<'a> {
    destination: Destination,
    publish: &'a dyn Publish,
    minutes: Minutes,
}

impl Args {
    pub(crate) async fn run(&self, console: &Console, publish: &dyn Publish) -> Result<u8, Error> {
        let wanted = self.source.read(console)?;
        let mut report = match &self.report {
            None => None,
            Some(text) => {
                let destination = Destination::prepare(text, publish).await?;
                let minutes = Minutes::begin(self.about(&wanted), &wanted.specification, SystemTime::now());
                Some(Report { destination, publish, minutes })
            }
        };
        let outcome = self.apply(console, wanted, &mut report).await;
        let delivered = match report {
            None => None,
            Some(mut report) => {
                if let Err(error) = &outcome {
                    report.minutes.fail(error, SystemTime::now());
                }
                let playbook = report.minutes.end(SystemTime::now());
                Some(report.destination.deliver(playbook, report.publish).await)
            }
        };
        let (place, unwritten) = match delivered.transpose() {
            Ok(place) => (place, None),
            Err(error) => (None, Some(Error::Report(error))),
        };
        if let Some(place) = &place {
            console.say(format_args!("The report is {place}\n"));
        }
        if let Some(error) = &unwritten {
            console.note(error);
        }
        let Outcome { mut told, error } = outcome?;
        if self.report.is_some() {
            told["report"] = json!(place);
        }
        if let Some(error) = &error {
            console.note(error);
        }
        // What was done has to be told, whether or not there is a report of it.
        let error = error.or(unwritten);
        told["error"] = json!(error.as_ref().map(ToString::to_string));
        console.tell(&told);
        Ok(if error.is_none() { DONE } else { FAILED })
    }

    async fn apply(&self, console: &Console, wanted: Wanted, report: &mut Option<Report<'_>>) -> Result<Outcome, Error> {
        if let Some(report) = report {
            let found = Host::find(wanted.specification.prefix.as_deref())?.observe().await?;
            report.minutes.found(&found);
        }
        let mut plan = Plan::make(wanted).await?;
        let (mut tries, mut stop) = (host::TRIES, None);
        loop {
            if let Some(report) = report {
                report.minutes.plan(&plan.actions, SystemTime::now());
            }
            plan.show(console, self.diff);
            if self.check || plan.actions.is_empty() {
                let told = console::with(plan.json(self.diff), &json!({ "check": self.check }));
                return Ok(Outcome { told, error: None });
            }
            if plan.explained.deletes_data() && !self.yes {
                console.confirm("This deletes data, as the plan says. Type yes to go on:")?;
                plan = plan.made_again(console, self.diff).await?;
                return self.carry_out(console, &plan, report, &mut stop).await;
            }
            tries -= 1;
            match self.carry_out(console, &plan, report, &mut stop).await {
                // Nobody has agreed to this very plan.
                Err(Error::Moved) if tries > 0 => plan = Plan::make(plan.wanted).await?,
                outcome => return outcome,
            }
        }
    }

    async fn carry_out(
        &self,
        console: &Console,
        plan: &Plan,
        report: &mut Option<Report<'_>>,
        stop: &mut Option<Stop>,
    ) -> Result<Outcome, Error> {
        if stop.is_none() {
            *stop = Some(Stop::listen(console, STOPPING)?);
        }
        let mut progress = Progress::new(console, &plan.explained.actions);
        console.say("\n");
        let is_enough = || stop.as_ref().is_some_and(Stop::is_wanted);
        let mut hear = |event: Event<'_>| {
            if let Some(report) = report.as_mut() {
                report.minutes.hear(event, SystemTime::now());
            }
            progress.hear(event);
        };
        let carried_out = plan.host.carry_out_plan(&plan.wanted.specification, &plan.actions, &is_enough, &mut hear).await;
        if matches!(carried_out, Err(host::Error::Moved)) {
            return Err(Error::Moved);
        }
        let (count, all) = (progress.count(), plan.actions.len());
        if let Some(report) = report {
            match &carried_out {
                Err(error) => report.minutes.fail(error, SystemTime::now()),
                Ok(()) if count < all => report.minutes.interrupt(),
                Ok(()) => {}
            }
            // What went wrong has been told; that nobody can look now is not news.
            if let Ok(found) = plan.host.observe().await {
                report.minutes.left(&found);
            }
        }
        let error = match carried_out {
            Err(source) => Some(Error::Action { source: Box::new(source), done: count, all }),
            Ok(()) if count < all => Some(Error::Interrupted { done: count, all }),
            Ok(()) => None,
        };
        let summary = explain::explain(&progress.done(&plan.actions)).summary;
        console.say(format_args!("\n{}\n", summary.done()));
        let told = json!({
            "file": plan.wanted.name,
            "host": plan.wanted.host,
            "check": false,
            "changed": count > 0,
            "summary": summary,
        });
        Ok(Outcome { told: plan.with_unmanaged(console::with(told, &progress.json())), error })
    }

    fn about(&self, wanted: &Wanted) -> About {
        let state = self.source.state_name();
        let options = [
            ("host", self.source.host.clone().map(Json::from)),
            ("prefix", self.source.prefix.clone().map(Json::from)),
            ("state", state.map(Json::from)),
            ("check", self.check.then_some(Json::Bool(true))),
            ("yes", self.yes.then_some(Json::Bool(true))),
        ];
        let given = options.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        About {
            file: wanted.name.clone(),
            host: wanted.host.clone(),
            check: self.check,
            arguments: given.collect::<Map<_, _>>(),
            controller: Some(source::own_name()),
            user: source::user(),
        }
    }
}

/// How an apply went that came to a plan.
struct Outcome {
    /// For programs.
    told: Json,
    /// Why not all was done.
    error: Option<Error>,
}

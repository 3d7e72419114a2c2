//! Takes down what an apply does, if somebody wants a report of it, and sees that the report gets where it should.

use std::{fmt::Display, time::SystemTime};

use directory::specification::Specification;

use super::{Error, console::Console, plan::Plan};
use crate::{
    host::Event,
    report::{About, Destination, Minutes, Publish},
};

/// Nothing at all, if nobody wants a report.
pub(crate) struct Recorder<'a>(Option<Recording<'a>>);

struct Recording<'a> {
    destination: Destination,
    publish: &'a dyn Publish,
    minutes: Minutes,
}

impl<'a> Recorder<'a> {
    /// Begins a report for a place, after a look whether it can be put there.
    pub(crate) async fn begin(
        place: Option<&str>,
        publish: &'a dyn Publish,
        about: impl FnOnce() -> About,
        specification: &Specification,
    ) -> Result<Self, Error> {
        let Some(place) = place else { return Ok(Self(None)) };
        let destination = Destination::prepare(place, publish).await?;
        let minutes = Minutes::begin(about(), specification, SystemTime::now());
        Ok(Self(Some(Recording { destination, publish, minutes })))
    }

    /// There is a plan for a host as it is now.
    pub(crate) async fn plan(&mut self, plan: &Plan) {
        let Some(Recording { minutes, .. }) = &mut self.0 else { return };
        // The host has just been looked at for the plan. If that cannot be done again, the report is without its facts.
        if let Ok(host) = plan.host.observe().await {
            minutes.found(&host);
        }
        minutes.plan(&plan.actions, SystemTime::now());
    }

    /// Something happens.
    pub(crate) fn hear(&mut self, event: Event<'_>) {
        if let Some(Recording { minutes, .. }) = &mut self.0 {
            minutes.hear(event, SystemTime::now());
        }
    }

    /// It failed.
    pub(crate) fn fail(&mut self, error: &dyn Display) {
        if let Some(Recording { minutes, .. }) = &mut self.0 {
            minutes.fail(error, SystemTime::now());
        }
    }

    /// Somebody had it stop.
    pub(crate) fn interrupt(&mut self) {
        if let Some(Recording { minutes, .. }) = &mut self.0 {
            minutes.interrupt();
        }
    }

    /// The host of a plan is what it is after it.
    pub(crate) async fn left(&mut self, plan: &Plan) {
        let Some(Recording { minutes, .. }) = &mut self.0 else { return };
        if let Ok(host) = plan.host.observe().await {
            minutes.left(&host);
        }
    }

    /// Writes the report and says where it is. Whether nothing went wrong with it.
    pub(crate) async fn end(self, console: &Console) -> bool {
        let Some(Recording { destination, publish, minutes }) = self.0 else { return true };
        match destination.deliver(minutes.end(SystemTime::now()), publish).await {
            Ok(place) => console.note(format_args!("the report is {place}")),
            Err(error) => {
                console.note(&error);
                return false;
            }
        }
        true
    }
}

//! `forget`: has all servers forget a supplier that is gone for good. Whether it is, nobody but the user knows.

use directory::{
    action::{Action, Step},
    options::Scope,
    place::Place,
    replication::Replica,
    specification::Role,
};
use serde_json::json;

use super::{
    DONE, Error,
    console::{self, Console},
    progress::Progress,
    source,
    stop::Stop,
};
use crate::host::Host;

/// Have all servers of a suffix forget a supplier that is gone for good
///
/// The number of one that was removed, demoted or taken out of replication stays known to all others, which go on expecting its
/// changes. A supplier that stays cleans it from all that it reaches, and waits for those that are not up. Changes that the one
/// which is gone had sent to some of them only may be lost to the others: see by `status` that they have the same of it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// An instance of this host that is a supplier of the suffix, and stays
    instance: String,

    /// Its backend
    backend: String,

    /// The number of the supplier that is gone
    #[arg(value_parser = clap::value_parser!(u16).range(1..=65534))]
    id: u16,

    /// Forget it without being asked
    #[arg(short, long)]
    yes: bool,

    /// Folder that 389 DS is installed below
    #[arg(long, value_name = "FOLDER", value_parser = source::folder)]
    prefix: Option<String>,
}

/// What is said of the first signal.
const STOPPING: &str = "the servers go on with it by themselves; once more stops waiting at once";

impl Args {
    pub(crate) async fn run(&self, console: &Console) -> Result<u8, Error> {
        let host = Host::find(self.prefix.as_deref())?;
        let replica = self.supplier(&host).await?;
        let told = |changed: bool| json!({ "suffix": replica.suffix.to_string(), "id": self.id, "changed": changed });
        let is_known = replica.ruv.iter().flat_map(|ruv| &ruv.elements).any(|element| element.id == self.id);
        if !is_known && !replica.cleaning.contains(&self.id) {
            console
                .say(format_args!("{}.{} knows no supplier {}: nothing was to be done\n", self.instance, self.backend, self.id));
            console.tell(&told(false));
            return Ok(DONE);
        }
        if !self.yes {
            console.confirm(&format!(
                "Supplier {} of {} is forgotten by all servers, with what it has not sent to them. Type yes to go on:",
                self.id, replica.suffix
            ))?;
        }
        let _stop = Stop::listen(console, STOPPING)?;
        let place = Place::instance(&replica.instance).child(Scope::Backend, &replica.backend);
        let actions = [Action { place, step: Step::CleanRuv { suffix: replica.suffix.clone(), id: self.id } }];
        let items = directory::explain::explain(&actions).actions;
        let mut progress = Progress::new(console, &items);
        host.carry_out(&actions, &mut |event| progress.hear(event)).await?;
        console.tell(&console::with(told(true), &progress.json()));
        Ok(DONE)
    }

    /// The replica that is to clean.
    async fn supplier(&self, host: &Host) -> Result<Replica, Error> {
        let replicas = host.replication().await?.replicas;
        let is_meant = |replica: &Replica| {
            let instance = self.instance.strip_prefix("slapd-").unwrap_or(&self.instance);
            replica.instance == instance && replica.backend.eq_ignore_ascii_case(&self.backend)
        };
        let refuse = |problem: &str| {
            let (instance, backend, problem) = (self.instance.clone(), self.backend.clone(), problem.to_owned());
            Err(Error::Forget { instance, backend, id: self.id, problem })
        };
        match replicas.into_iter().find(is_meant) {
            None => refuse("there is no such backend that has a part in replication and answers: see status"),
            Some(replica) if !replica.is_running => refuse("the instance does not run: start it"),
            Some(replica) if replica.role != Role::Supplier => refuse("it is no supplier: ask one that is"),
            Some(replica) if replica.id == Some(self.id) => refuse("that is its own number: ask another supplier"),
            Some(replica) => Ok(replica),
        }
    }
}

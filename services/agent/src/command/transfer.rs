//! `backup`, `restore`, `export` and `import`: directories out of servers and back. What puts something in the place of data
//! asks first.

use std::path::PathBuf;

use serde_json::json;

use super::{DONE, Error, console::Console, source, stop::Stop};
use crate::{
    host::Host,
    transfer::{BackedUp, Exported, Imported, Restored},
};

/// Back an instance up, with all its backends, into a folder of this host
///
/// The instance may be running. Its configuration is kept beside, to be looked at; restoring puts back the data only.
#[derive(Debug, clap::Args)]
pub(crate) struct Backup {
    /// The instance
    instance: String,

    /// A folder that is not there yet, where the server's user may write
    folder: PathBuf,

    #[command(flatten)]
    place: Place,
}

/// Put a backup in the place of all data of an instance
#[derive(Debug, clap::Args)]
pub(crate) struct Restore {
    /// The instance
    instance: String,

    /// The folder of the backup
    folder: PathBuf,

    /// Replace the data without being asked
    #[arg(short, long)]
    yes: bool,

    #[command(flatten)]
    place: Place,
}

/// Write the entries of an instance to a file of LDIF
#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// The instance
    instance: String,

    /// The file, where the server's user may write
    file: PathBuf,

    /// Only this backend; may be repeated [default: all]
    #[arg(long = "backend", value_name = "NAME")]
    backends: Vec<String>,

    /// With the state of replicas, so that a server which imports it needs no initialisation
    #[arg(long)]
    replica_state: bool,

    #[command(flatten)]
    place: Place,
}

/// Put the entries of a file of LDIF in the place of all entries of a backend
#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    /// The instance
    instance: String,

    /// The backend
    backend: String,

    /// The file, which the server's user may read
    file: PathBuf,

    /// Replace the entries without being asked
    #[arg(short, long)]
    yes: bool,

    #[command(flatten)]
    place: Place,
}

#[derive(Debug, clap::Args)]
struct Place {
    /// Folder that 389 DS is installed below
    #[arg(long, value_name = "FOLDER", value_parser = source::folder)]
    prefix: Option<String>,
}

impl Place {
    fn host(&self) -> Result<Host, Error> {
        Ok(Host::find(self.prefix.as_deref())?)
    }
}

/// What is said of the first signal: half of it is of no use to anybody.
const STOPPING: &str = "this goes on to its end; once more stops at once";

const REINITIALISE: &str = "note: other servers replicate this data; initialise them anew, for they have another set of it now";

/// The same of a backup: others have what it lacks.
const RESTORED: &str = "note: other servers replicate this data and send what they have changed since; to have them go back to it, too, \
                        initialise them anew";

impl Backup {
    pub(crate) async fn run(&self, console: &Console) -> Result<u8, Error> {
        let _stop = Stop::listen(console, STOPPING)?;
        let mut says = |text: &str| says(console, text);
        let BackedUp { instance, backends, folder, bytes } =
            self.place.host()?.backup(&self.instance, &self.folder, &mut says).await?;
        let names = backends.join(", ");
        console.say(format_args!("instance {instance} ({names}) is backed up in {}: {bytes} bytes\n", folder.display()));
        console.tell(&json!({ "instance": instance, "backends": backends, "folder": folder, "bytes": bytes }));
        Ok(DONE)
    }
}

impl Restore {
    pub(crate) async fn run(&self, console: &Console) -> Result<u8, Error> {
        let host = self.place.host()?;
        if !self.yes {
            let question = "All data of instance {} is replaced by that of the backup. Type yes to go on:";
            console.confirm(&question.replace("{}", &self.instance))?;
        }
        let _stop = Stop::listen(console, STOPPING)?;
        let Restored { instance, backends, folder, is_running, is_replicated, renumber, other_schema } =
            host.restore(&self.instance, &self.folder, &mut |text| says(console, text)).await?;
        let (names, state) = (backends.join(", "), if is_running { "runs" } else { "is stopped, as it was" });
        console.say(format_args!("instance {instance} ({names}) is restored from {}, and {state}\n", folder.display()));
        for file in &other_schema {
            console.note(format_args!("note: {} of the backup is not what the instance has, and was left alone", file.display()));
        }
        if is_replicated {
            console.note(RESTORED);
        }
        for (backend, id) in &renumber {
            console.note(format_args!(
                "note: backend {backend} is a hub, and takes no changes from clients, until an apply gives it another replica id than {id}: \
                 others may have changes of that number which the backup lacks, and these come only so"
            ));
        }
        let renumber: Vec<_> = renumber.iter().map(|(backend, id)| json!({ "backend": backend, "replica_id": id })).collect();
        console.tell(&json!({
            "instance": instance, "backends": backends, "folder": folder, "running": is_running,
            "replicated": is_replicated, "renumber": renumber, "other_schema": other_schema,
        }));
        Ok(DONE)
    }
}

impl Export {
    pub(crate) async fn run(&self, console: &Console) -> Result<u8, Error> {
        let _stop = Stop::listen(console, STOPPING)?;
        let mut says = |text: &str| says(console, text);
        let export = self.place.host()?;
        let Exported { instance, backends, file, bytes } =
            export.export(&self.instance, &self.backends, &self.file, self.replica_state, &mut says).await?;
        let names = backends.join(", ");
        console.say(format_args!("instance {instance} ({names}) is exported to {}: {bytes} bytes\n", file.display()));
        console.tell(&json!({ "instance": instance, "backends": backends, "file": file, "bytes": bytes }));
        Ok(DONE)
    }
}

impl Import {
    pub(crate) async fn run(&self, console: &Console) -> Result<u8, Error> {
        let host = self.place.host()?;
        if !self.yes {
            let question = format!("All entries of {}.{} are replaced. Type yes to go on:", self.instance, self.backend);
            console.confirm(&question)?;
        }
        let _stop = Stop::listen(console, STOPPING)?;
        let Imported { instance, backend, file, entries, skipped, is_replicated } =
            host.import(&self.instance, &self.backend, &self.file, &mut |text| says(console, text)).await?;
        let count = entries.map(|count| format!(": {}", counted(count))).unwrap_or_default();
        console.say(format_args!("{} is imported into {instance}.{backend}{count}\n", file.display()));
        for entry in &skipped {
            console.note(format_args!("left out: {entry}"));
        }
        if is_replicated {
            console.note(REINITIALISE);
        }
        console.tell(&json!({
            "instance": instance, "backend": backend, "file": file, "entries": entries, "skipped": skipped,
            "replicated": is_replicated,
        }));
        Ok(DONE)
    }
}

fn counted(count: u64) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
}

/// What a server says on the way is for who wants to know.
fn says(console: &Console, text: &str) {
    for line in text.lines() {
        console.explain(1, line);
    }
}

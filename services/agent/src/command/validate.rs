//! `validate`: whether a file can be understood, for all hosts that it has. No server is asked.

use directory::specification::Specification;
use serde_json::json;

use super::{DONE, Error, console::Console, source};

/// Say whether a file is sound, without looking at any server
///
/// All hosts of an inventory are looked at, whichever this one is, and whether their backends fit each other. All that is
/// wrong is told at once, each with its line.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    source: source::Args,
}

impl Args {
    pub(crate) fn run(&self, console: &Console) -> Result<u8, Error> {
        let (name, fleet) = self.source.read_all()?;
        for (host, member) in fleet.iter() {
            console.say(format_args!("{name}: host {host}: {}\n", counts(&member.specification)));
        }
        let names: Vec<&str> = fleet.iter().map(|(host, _)| host).collect();
        console.tell(&json!({ "valid": true, "file": name, "hosts": names }));
        Ok(DONE)
    }
}

fn counts(specification: &Specification) -> String {
    let backends = || specification.instances.iter().flat_map(|instance| &instance.backends);
    let parts = [
        (specification.instances.len(), "instance"),
        (backends().count(), "backend"),
        (backends().map(|backend| backend.indexes.len()).sum(), "index"),
        (backends().map(|backend| backend.agreements.len()).sum(), "agreement"),
    ];
    parts.map(|(count, noun)| source::counted(count, noun)).join(", ")
}

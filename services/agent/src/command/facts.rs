//! `facts`: what is there, written as a file that would ask for it.

use directory::{facts, json, setting::Secrets, yaml};

use super::{DONE, Error, console::Console};
use crate::host::Host;

/// Tell what this host has, as a file that apply takes
///
/// Applying it changes nothing. Passwords are not in it, for nobody can read them: a host that is to be made from it needs
/// rootpw and ReplicaCredentials besides.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only these instances [default: all]
    instances: Vec<String>,

    /// Folder that 389 DS is installed below
    #[arg(long, value_name = "FOLDER", value_parser = super::source::folder)]
    prefix: Option<String>,
}

impl Args {
    pub(crate) async fn run(&self, console: &Console) -> Result<u8, Error> {
        let host = Host::find(self.prefix.as_deref())?;
        let mut found = facts::facts(&host.observe().await?);
        found.prefix.clone_from(&self.prefix);
        let known: Vec<String> = found.instances.iter().map(|instance| instance.name.clone()).collect();
        for name in &self.instances {
            if !known.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(Error::NoInstance { name: name.clone(), known });
            }
        }
        if !self.instances.is_empty() {
            found.instances.retain(|instance| self.instances.iter().any(|name| instance.is_called(name)));
        }
        let node = found.write(Secrets::Masked);
        if console.is_json() {
            console.print(format_args!("{}\n", json::write_pretty(&node)));
        } else {
            console.say(yaml::write(&node));
        }
        Ok(DONE)
    }
}

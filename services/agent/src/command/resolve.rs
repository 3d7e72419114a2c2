//! `resolve`: what Ansible's plugins ask on the controller.

use super::{DONE, Error, FAILED, console::Console, wire};
use crate::resolve;

/// Make a host's arguments of the variables of all hosts, for Ansible's collection
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(crate) struct Args {
    /// JSON with the hosts and what is asked; `-` is standard input
    #[arg(default_value = "-")]
    file: String,
}

impl Args {
    pub(crate) fn run(&self, console: &Console) -> Result<u8, Error> {
        let answer = resolve::resolve(&wire::read(&self.file)?);
        console.print(format_args!("{}\n", answer.text));
        Ok(if answer.failed { FAILED } else { DONE })
    }
}

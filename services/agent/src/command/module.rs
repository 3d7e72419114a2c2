//! `module`: what Ansible runs on a host, by its arguments in a file or from standard input. The answer is all that standard
//! output gets.

use super::{DONE, Error, FAILED, console::Console, wire};
use crate::module;

/// Do what Ansible's collection asks of this host
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(crate) struct Args {
    /// JSON with the arguments under ANSIBLE_MODULE_ARGS; `-` is standard input
    #[arg(default_value = "-")]
    file: String,
}

impl Args {
    pub(crate) async fn run(&self, console: &Console) -> Result<u8, Error> {
        let answer = module::run(&wire::read(&self.file)?).await;
        console.print(format_args!("{}\n", answer.text));
        Ok(if answer.failed { FAILED } else { DONE })
    }
}

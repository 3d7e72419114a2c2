//! `resources`: what a file says, as resources of a cluster. No server and no cluster is asked.

use directory::{
    json,
    resource::{self, Choices},
};

use super::{
    DONE, Error,
    console::Console,
    error::Line,
    source::{self, counted},
};

/// Print resources for Kubernetes that say what a file says
///
/// There is a DS389Instance for each instance of the file, or of all hosts of an inventory unless one is named, and a
/// DS389Agreement for what each backend sends to others. What the operator says by itself is left out: ports, paths, users,
/// certificates, passwords. Standard error tells what was.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    source: source::Args,

    /// Namespace that the resources say [default: none, so that it is that of kubectl]
    #[arg(long, value_name = "NAME", value_parser = namespace)]
    namespace: Option<String>,

    /// Secret that has the administrator's password of all instances in the key `password` [default: the operator makes one for
    /// each]
    #[arg(long, value_name = "NAME", value_parser = object)]
    directory_manager_secret: Option<String>,

    /// Leave out what no resource can say, such as an agreement without TLS with a server that the file does not
    /// have
    #[arg(long)]
    skip_unsupported: bool,
}

impl Args {
    pub(crate) fn run(self, console: &Console) -> Result<u8, Error> {
        let (name, fleet) = self.source.read_all()?;
        let choices = Choices {
            namespace: self.namespace,
            directory_manager_secret: self.directory_manager_secret,
            host: self.source.host,
        };
        let made = resource::resources(&fleet, &choices);
        if !made.unsupported.is_empty() && !self.skip_unsupported {
            return Err(Error::Unsupported { name, problems: made.unsupported });
        }
        for problem in made.notes().chain(made.unsupported.iter()) {
            console.note(Line { name: &name, problem });
        }
        if made.resources.is_empty() {
            let problem = "has no instance that should be there, so that there is nothing to print".to_owned();
            return Err(Error::NothingOfOurs { name, problem });
        }
        console.explain(1, counted(made.resources.len(), "resource"));
        if console.is_json() {
            console.print(format_args!("{}\n", json::write_pretty(&made.list())));
        } else {
            console.say(made.yaml());
        }
        Ok(DONE)
    }
}

fn namespace(text: &str) -> Result<String, String> {
    let is_one = resource::is_namespace(text);
    if is_one { Ok(text.to_owned()) } else { Err("it has to be up to 63 small letters, digits and -, such as ldap".to_owned()) }
}

fn object(text: &str) -> Result<String, String> {
    let is_one = resource::is_object_name(text);
    if is_one {
        Ok(text.to_owned())
    } else {
        Err("it has to be small letters, digits, - and dots, such as root-password".to_owned())
    }
}

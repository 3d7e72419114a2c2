//! `status`: which instances there are, whether they run, and how their replication is.

use directory::{explain::Text, observed, options::Scope, setting::Setting};
use serde_json::{Value as Json, json};

use super::{
    DONE, Error,
    console::{self, Console},
    source,
};
use crate::host::{Host, Replication};

/// Tell which instances run, and how replication is
///
/// Of each replicated backend: what it has of each supplier, and of each agreement how far its consumer is behind. Green is
/// well, amber may get well by itself, red needs somebody.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder that 389 DS is installed below
    #[arg(long, value_name = "FOLDER", value_parser = source::folder)]
    prefix: Option<String>,
}

impl Args {
    pub(crate) async fn run(&self, console: &Console) -> Result<u8, Error> {
        let host = Host::find(self.prefix.as_deref())?;
        let found = host.observe().await?;
        let version = found.version.map(|version| version.to_string());
        console.say(format_args!("389 Directory Server {}\n", version.as_deref().unwrap_or("of unknown version")));
        for instance in &found.instances {
            console.say(format_args!("\n{}", lines(instance)));
        }
        if found.instances.is_empty() {
            console.say("no instances\n");
        }
        let Replication { replicas, silent } = host.replication().await?;
        if !replicas.is_empty() || !silent.is_empty() {
            console.say("\nreplication\n");
        }
        for (instance, error) in &silent {
            console.say(format_args!("\ninstance {instance}: {error}\n"));
        }
        for replica in &replicas {
            console.say(format_args!("\n{}", Text(replica, console.paint())));
        }
        let instances: Vec<Json> = found.instances.iter().map(object).collect();
        let silent: Vec<Json> =
            silent.iter().map(|(name, error)| json!({ "instance": name, "error": error.to_string() })).collect();
        console.tell(&json!({ "version": version, "instances": instances, "replication": replicas, "silent": silent }));
        Ok(DONE)
    }
}

/// What an option is, set or not.
fn effective(instance: &observed::Instance, name: &str) -> Option<i64> {
    instance.settings.number(name).or_else(|| match Scope::Instance.option(name)?.default_setting()? {
        Setting::Number(number) => Some(number),
        _ => None,
    })
}

fn lines(instance: &observed::Instance) -> String {
    let port = |name| match effective(instance, name) {
        None | Some(0) => "none".to_owned(),
        Some(port) => port.to_string(),
    };
    let mut text = format!(
        "instance {}: {}, port {}, secure port {}{}\n",
        instance.name,
        if instance.is_running { "running" } else { "stopped" },
        port("port"),
        port("secure_port"),
        if instance.is_ours { "" } else { ", not managed: no apply has listed it" },
    );
    for backend in &instance.backends {
        let role = match (backend.role, backend.replica_id) {
            (None, _) => String::new(),
            (Some(role), None) => format!(", {}", role.name()),
            (Some(role), Some(id)) => format!(", {} {id}", role.name()),
        };
        text.push_str(&format!("  backend {}: {}{role}\n", backend.name, backend.suffix));
    }
    if !instance.unfinished.is_empty() {
        text.push_str("  an apply was interrupted: apply again to finish it\n");
    }
    text
}

fn object(instance: &observed::Instance) -> Json {
    let backend = |backend: &observed::Backend| {
        json!({
            "name": backend.name,
            "suffix": backend.suffix.to_string(),
            "role": backend.role.map(directory::specification::Role::name),
            "replica_id": backend.replica_id,
        })
    };
    json!({
        "name": instance.name,
        "running": instance.is_running,
        "managed": instance.is_ours,
        "port": effective(instance, "port"),
        "secure_port": effective(instance, "secure_port"),
        "backends": instance.backends.iter().map(backend).collect::<Vec<_>>(),
        "unfinished": console::to_json(&instance.unfinished),
    })
}

//! Somebody who compares what the resources say with what the servers do, all the time: the documentation says how long the one may
//! be behind the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::fleet::{ALL, Fleet};
use crate::{fleet::current, ldap::Client};

/// How long what is said may be behind what is so.
const DELAY: Duration = Duration::from_secs(15);
/// How long a change takes to everybody where all is well.
const ON_THE_WAY: Duration = Duration::from_secs(5);

/// What a server says for itself.
struct Seen {
    units: BTreeSet<String>,
    size_limit: Option<String>,
    /// Names of agreements.
    agreements: Vec<String>,
}

impl Seen {
    fn sends_to(&self, target: &str) -> bool {
        self.agreements.iter().any(|name| name == target)
    }
}

/// A condition, and whether the servers say otherwise.
struct Claim {
    what: String,
    is_untrue: bool,
}

pub(super) struct Witness<'a> {
    fleet: &'a Fleet,
    clients: [Client<'a>; 4],
    /// What is untrue, and since when.
    untrue: BTreeMap<String, Instant>,
    /// How long at most.
    longest: BTreeMap<String, Duration>,
    looks: usize,
}

impl<'a> Witness<'a> {
    pub(super) fn new(fleet: &'a Fleet) -> Self {
        let clients = ALL.map(|name| Client::new(&fleet.operator, name));
        Self { fleet, clients, untrue: BTreeMap::new(), longest: BTreeMap::new(), looks: 0 }
    }

    /// Looks until it is over, and tells what was untrue for longer than it may be.
    pub(super) fn watch(mut self) -> Vec<String> {
        while !self.fleet.is_over() {
            self.look();
        }
        println!("{} looks; untrue for at most, where for longer than one look: {:?}", self.looks, self.longest);
        let too_long = self.longest.iter().filter(|(_, time)| **time > DELAY);
        too_long.map(|(what, time)| format!("{what} was untrue for {:.1} s", time.as_secs_f64())).collect()
    }

    fn look(&mut self) {
        let (begun, kept, taken) = (Instant::now(), self.fleet.is_kept(), self.fleet.taken());
        let said = self.fleet.operator.namespace.try_kubectl(&["get", "dsi,dsa", "--output", "json"]);
        let seen = self.clients.each_ref().map(see);
        // Nobody says anything new where there is no operator or no API server.
        if kept.is_none() || self.fleet.is_kept() != kept || !said.status.success() {
            self.untrue.clear();
            return;
        }
        let said: Value = serde_json::from_slice(&said.stdout).unwrap();
        let known: BTreeSet<String> =
            taken.into_iter().filter(|(_, when)| *when + ON_THE_WAY < begun).map(|(name, _)| name).collect();
        self.looks += 1;
        for Claim { what, is_untrue } in claims(&said, &seen, &known) {
            if !is_untrue {
                self.untrue.remove(&what);
                continue;
            }
            let (now, since) = (Instant::now(), *self.untrue.entry(what.clone()).or_insert(begun));
            if since != begun {
                let longest = self.longest.entry(what).or_default();
                *longest = (*longest).max(now - since);
            }
        }
    }
}

fn see(client: &Client<'_>) -> Option<Seen> {
    let units = client.try_units("w")?;
    Some(Seen { units, size_limit: client.setting("nsslapd-sizelimit"), agreements: client.agreements()? })
}

/// The status of a condition, if it is about the resource as it is.
fn status<'a>(resource: &'a Value, kind: &str) -> &'a str {
    current(resource, kind).and_then(|condition| condition["status"].as_str()).unwrap_or_default()
}

/// What all resources say that a client can see.
fn claims(said: &Value, seen: &[Option<Seen>; 4], known: &BTreeSet<String>) -> Vec<Claim> {
    let items = said["items"].as_array().unwrap();
    let resource = |kind: &str, name: &str| {
        items.iter().find(|item| item["kind"] == kind && item["metadata"]["name"] == name).unwrap_or(&Value::Null)
    };
    let mut claims = Vec::new();
    let mut claim = |what: String, is_untrue| claims.push(Claim { what, is_untrue });
    for (name, seen) in ALL.into_iter().zip(seen) {
        let instance = resource("DS389Instance", name);
        let serves = status(instance, "Serving");
        claim(format!("{name} serves"), serves == "True" && seen.is_none());
        // What is full can still be read.
        let message = current(instance, "Serving").and_then(|said| said["message"].as_str()).unwrap_or_default();
        let is_full = message.starts_with("the volume is full");
        claim(format!("{name} does not serve"), serves == "False" && seen.is_some() && !is_full);
        let reached = status(instance, "AgentReachable");
        claim(format!("{name} has an agent"), reached == "False" && seen.is_some());
        let wanted = instance["spec"]["config"]["nsslapdSizelimit"].as_u64().map(|limit| limit.to_string());
        if let (Some(seen), Some(wanted)) = (seen, wanted) {
            let is_applied = status(instance, "ConfigurationApplied") == "True";
            claim(format!("{name} is configured"), is_applied && seen.size_limit != Some(wanted));
        }
    }
    for (name, seen) in ALL.into_iter().zip(seen) {
        for agreement in ["suppliers", "hubs"].map(|name| resource("DS389Agreement", name)) {
            let pairs = agreement["status"]["pairs"].as_array().into_iter().flatten();
            let of_source = pairs.filter(|pair| pair["source"] == format!("{name}.userroot"));
            let lacks = |pair: &Value| seen.as_ref().is_some_and(|seen| !seen.sends_to(pair["target"].as_str().unwrap()));
            let lacking = of_source.filter(|pair| lacks(pair)).count();
            claim(format!("{name} has its agreements"), status(agreement, "Configured") == "True" && lacking > 0);
        }
    }
    let in_sync = ["suppliers", "hubs"].map(|name| status(resource("DS389Agreement", name), "InSync") == "True");
    for ((name, seen), of) in ALL.into_iter().zip(seen).zip([&in_sync[..1], &in_sync[..1], &in_sync[..1], &in_sync]) {
        let lacks = seen.as_ref().is_some_and(|seen| !known.is_subset(&seen.units));
        claim(format!("{name} is in sync"), of.iter().all(|is| *is) && lacks);
    }
    claims
}

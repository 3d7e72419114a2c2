//! From the entries of a replica and of its agreements to how they are.

use crate::{
    entry::Entry,
    observed,
    replication::{Agreement, Colour, Csn, Moment, Outcome, Replica, Ruv, Sent},
};

impl Replica {
    /// What the entries of a replica and its agreements say. A server that does not run has none; of such a one the
    /// configuration is all that is known.
    pub fn read(instance: &str, backend: &observed::Backend, replica: Option<&Entry>, agreements: &[Entry]) -> Option<Self> {
        let ruv = replica.and_then(|entry| Ruv::read(entry.texts("nsds50ruv")));
        let cleaning = replica.map(|entry| entry.texts("nsds5ReplicaCleanRUV")).unwrap_or_default();
        let maxima = replica.map(|entry| entry.texts("nsds5AgmtMaxCSN")).unwrap_or_default();
        let known = |known: &observed::Agreement| {
            let found =
                agreements.iter().find(|entry| entry.text("cn").is_some_and(|name| name.eq_ignore_ascii_case(&known.name)));
            agreement(known, found, &maxima, ruv.as_ref())
        };
        Some(Self {
            instance: instance.to_owned(),
            backend: backend.name.clone(),
            suffix: backend.suffix.clone(),
            role: backend.role?,
            id: backend.replica_id,
            is_running: replica.is_some(),
            cleaning: cleaning.into_iter().filter_map(|value| value.split(':').next()?.trim().parse().ok()).collect(),
            agreements: backend.agreements.iter().map(known).collect(),
            ruv,
        })
    }
}

fn agreement(known: &observed::Agreement, found: Option<&Entry>, maxima: &[&str], own: Option<&Ruv>) -> Agreement {
    let text = |attribute: &str| found.and_then(|entry| entry.text(attribute));
    let moment = |attribute: &str| text(attribute).and_then(Moment::parse);
    let is_on = |attribute: &str| text(attribute).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"));
    let is_enabled = known.settings.switch("replicaenabled").unwrap_or(true);
    let update = Outcome::read(text("nsds5replicaLastUpdateStatusJSON"), text("nsds5replicaLastUpdateStatus"));
    let initialisation = Outcome::read(text("nsds5replicaLastInitStatusJSON"), text("nsds5replicaLastInitStatus"));
    let is_initialising = text("nsds5BeginReplicaRefresh").is_some();
    let colour = match &update {
        _ if !is_enabled => Colour::Amber,
        _ if is_initialising => Colour::Amber,
        Some(update) => update.colour,
        None => Colour::Red,
    };
    let update_ended = moment("nsds5replicaLastUpdateEnd");
    let newest = maxima.iter().find_map(|value| newest(value, &known.name));
    let changed = newest.or_else(|| own.and_then(Ruv::last)).map(|csn| csn.at);
    let has_other_data = update.as_ref().is_some_and(|update| update.code == Outcome::OTHER_DATA);
    let since = |ended: Moment| changed.map_or(0, |changed| changed.since(ended));
    let lag = update_ended.filter(|_| !has_other_data).map(since);
    Agreement {
        name: known.name.clone(),
        host: known.settings.text("replicahost").unwrap_or_default().to_owned(),
        port: known.settings.number("replicaport").and_then(|port| u16::try_from(port).ok()),
        is_enabled,
        colour,
        update,
        update_began: moment("nsds5replicaLastUpdateStart"),
        update_ended,
        is_updating: is_on("nsds5replicaUpdateInProgress"),
        initialisation,
        initialisation_began: moment("nsds5replicaLastInitStart"),
        initialisation_ended: moment("nsds5replicaLastInitEnd"),
        is_initialising,
        sent: text("nsds5replicaChangesSentSinceStartup").map(sent).unwrap_or_default(),
        newest,
        lag,
    }
}

/// Reads `2:3/0 1:1/0`: supplier, how many were sent and how many left out.
fn sent(text: &str) -> Vec<Sent> {
    let pair = |word: &str| {
        let (id, counts) = word.split_once(':')?;
        let (sent, skipped) = counts.split_once('/')?;
        Some(Sent { id: id.parse().ok()?, sent: sent.parse().ok()?, skipped: skipped.parse().ok()? })
    };
    text.split_whitespace().filter_map(pair).collect()
}

/// Reads `suffix;agreement;host;port;consumer;csn`, if it is of that agreement.
fn newest(value: &str, agreement: &str) -> Option<Csn> {
    let mut fields = value.rsplitn(5, ';');
    let csn = Csn::parse(fields.next()?.trim())?;
    let name = fields.nth(3)?.split_once(';')?.1;
    name.eq_ignore_ascii_case(agreement).then_some(csn)
}

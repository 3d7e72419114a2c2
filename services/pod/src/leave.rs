//! Before a server ends with its pod: a supplier takes no changes of clients any more, and those to whom it sends get what they lack of
//! it, for it may not come back. What does not get through is not waited for for long: the volume has it. One that is being given all
//! entries gets them, for it would not end in the middle of that.

use std::time::{Duration, Instant};

use directory::{
    dn::Dn,
    replication::{Agreement, Colour, Outcome},
    specification::Role,
};

use crate::{
    replicas::{Replicas, Seen},
    settle::{self, Server},
};

/// How long others have to get changes, and how long whoever is being given all entries. Stopping itself takes time too of what the
/// kubelet gives.
const PATIENCE: Duration = Duration::from_secs(20);
const LONGEST: Duration = Duration::from_secs(120);
/// Between two looks. Each puts some lines into the log of accesses.
const LOOK: Duration = Duration::from_millis(500);
/// Looks in a row at which nobody may lack anything: a session that is about to begin shows in the next one.
const LOOKS: u32 = 2;

/// What somebody lacks.
#[derive(Debug, PartialEq, Eq)]
struct Lack {
    /// What, in words.
    what: String,
    /// For how long it is waited for.
    limit: Duration,
}

/// Waits until others have all, as far as they get it.
pub(crate) async fn leave(server: &Server) {
    if server.replicated.is_empty() {
        return;
    }
    let (mut replicas, began, mut looks) = (Replicas::default(), Instant::now(), 0);
    while settle::is_running(&server.process).await {
        match look(&mut replicas, server).await {
            None if looks + 1 == LOOKS => return,
            None => looks += 1,
            Some(lack) if began.elapsed() >= lack.limit => {
                tracing::warn!("the server stops though {}", lack.what);
                return;
            }
            Some(lack) => {
                tracing::debug!("the server does not stop yet: {}", lack.what);
                looks = 0;
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What somebody lacks now, once clients change nothing any more.
async fn look(replicas: &mut Replicas, server: &Server) -> Option<Lack> {
    let waits = |what: &str| Some(Lack { what: what.to_owned(), limit: PATIENCE });
    let Some(seen) = replicas.look(server).await else { return waits("it does not answer") };
    let open: Vec<(Dn, bool)> =
        seen.iter().filter(|seen| is_open(seen)).map(|seen| (seen.replica.suffix.clone(), true)).collect();
    if open.is_empty() {
        return lacking(&seen);
    }
    replicas.gate(&open).await;
    waits("clients could change it until now")
}

/// Whether clients may change what others are to get.
fn is_open(seen: &Seen) -> bool {
    sends(seen).next().is_some() && !seen.is_shut
}

/// The agreements by which a supplier sends.
fn sends(seen: &Seen) -> impl Iterator<Item = &Agreement> {
    let agreements = seen.replica.agreements.iter();
    agreements.filter(|agreement| seen.replica.role == Role::Supplier && agreement.is_enabled)
}

/// What somebody lacks, first of all entries that are on their way.
fn lacking(seen: &[Seen]) -> Option<Lack> {
    let of_one = |agreement: &Agreement| {
        let update = agreement.update.as_ref();
        if agreement.is_initialising {
            return Some(Lack { what: format!("{} is being given all entries", agreement.name), limit: LONGEST });
        }
        // Nobody has changed anything here, or nothing is ever sent.
        if agreement.newest.is_none() || update.is_some_and(|update| update.code == Outcome::OTHER_DATA) {
            return None;
        }
        let is_well = update.is_some_and(|update| update.colour == Colour::Green);
        // What was changed in the second in which the last session ended that went well was sent with it, if there was none since.
        let is_sent = agreement.update_ended.zip(agreement.newest).is_some_and(|(ended, newest)| match is_well {
            true => newest.at <= ended,
            false => newest.at < ended,
        });
        let has_all = is_sent && !agreement.is_updating;
        let says = update.filter(|_| !is_well).map(|update| format!(": {}", update.text)).unwrap_or_default();
        (!has_all).then(|| Lack { what: format!("{} lacks changes{says}", agreement.name), limit: PATIENCE })
    };
    let filled = seen.iter().filter(|seen| seen.is_filling);
    let filled =
        filled.map(|seen| Lack { what: format!("{} is being given all its entries", seen.replica.suffix), limit: LONGEST });
    seen.iter().flat_map(sends).filter_map(of_one).chain(filled).max_by_key(|lack| lack.limit)
}

#[cfg(test)]
mod tests {
    use directory::replication::{Csn, Moment};

    use super::*;
    use crate::replicas::tests::{agreement, outcome, supplier};

    #[track_caller]
    fn check(agreements: Vec<Agreement>, expected: Option<(&str, Duration)>) {
        let found = lacking(&[supplier(agreements)]);
        assert_eq!(found.as_ref().map(|lack| (lack.what.as_str(), lack.limit)), expected);
    }

    #[test]
    fn whoever_lacks_changes_of_a_supplier_is_waited_for_and_longer_whoever_is_given_all_entries() {
        let newest = Csn::parse("5f0000000000000a0000");
        let at = |seconds: u64| Some(Moment::from_seconds(0x5f00_0000 + seconds));
        let done = Agreement { newest, update_ended: at(0), ..agreement() };
        let behind = Agreement { newest: Csn::parse("5f0000010000000a0000"), ..done.clone() };
        let filling = Agreement { is_initialising: true, ..agreement() };
        let lacks = Some(("b.root lacks changes", PATIENCE));
        check(vec![], None);
        check(vec![done.clone()], None);
        check(vec![done.clone(), behind.clone()], lacks);
        check(vec![Agreement { is_updating: true, ..done.clone() }], lacks);
        check(vec![Agreement { update_ended: None, ..done.clone() }], lacks);
        // Of one that is away, only what is older than the last session is known to be there.
        let away = Agreement { update: Some(outcome(-1)), ..done.clone() };
        check(vec![away.clone()], Some(("b.root lacks changes: code -1", PATIENCE)));
        check(vec![Agreement { update_ended: at(1), ..away }], None);
        check(vec![behind.clone(), filling], Some(("b.root is being given all entries", LONGEST)));
        // Nothing was changed here, nothing is to be sent, or nothing is ever taken.
        check(vec![Agreement { newest: None, update_ended: None, ..done.clone() }], None);
        check(vec![Agreement { is_enabled: false, ..behind.clone() }], None);
        check(vec![Agreement { update: Some(outcome(Outcome::OTHER_DATA)), update_ended: None, ..done }], None);
        let mut hub = supplier(vec![behind]);
        hub.replica.role = Role::Hub;
        assert_eq!(lacking(std::slice::from_ref(&hub)), None);
        hub.is_filling = true;
        assert_eq!(lacking(&[hub]).map(|lack| lack.limit), Some(LONGEST));
    }
}

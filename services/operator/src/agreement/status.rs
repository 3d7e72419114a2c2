//! How an agreement is, from the pairs that it means: the status of its resource, written only when it says something new, and
//! events for what has happened since it was written last.

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};

use crate::{
    conditions::{Kind, Reason, Said, Told, Truth, shortened},
    crd::{AgreementStatus, DS389Agreement, PairStatus},
    instance::{Context, Error},
    objects::MANAGER,
    tell,
    topology::{Found, PairState, State},
};

/// Of one that is ready.
const READY: &str = "All that receive have all entries.";
/// How many pairs a status lists.
const MOST_PAIRS: usize = 256;

/// Writes the status, if it is another one, and tells events. Who leads from now on has called nobody yet: what was written before
/// says more than that.
pub(super) async fn tell(agreement: &DS389Agreement, found: &Found, context: &Context) -> Result<(), Error> {
    if found.pairs.iter().any(|pair| pair.is_early) {
        return Ok(());
    }
    let before = agreement.status.clone().unwrap_or_default();
    let status = status(found, &before, Timestamp::now());
    if status == before {
        return Ok(());
    }
    for (told, note) in events(found, &before) {
        tell::event(&context.recorder, agreement, told, &note).await;
    }
    tell::status(&context.client, MANAGER, agreement, &status).await?;
    Ok(())
}

fn status(found: &Found, before: &AgreementStatus, now: Timestamp) -> AgreementStatus {
    let conditions = said(found);
    let in_sync = found.pairs.iter().filter(|pair| pair.state == State::InSync).count();
    AgreementStatus {
        observed_generation: found.generation,
        conditions: conditions.iter().map(|said| said.condition(&before.conditions, found.generation, now)).collect(),
        in_sync: Some(format!("{in_sync}/{}", found.pairs.len())),
        pairs: found.pairs.iter().take(MOST_PAIRS).map(|pair| of_pair(pair, before, now)).collect(),
    }
}

fn known<'a>(before: &'a AgreementStatus, pair: &PairState) -> Option<&'a PairStatus> {
    before.pairs.iter().find(|known| known.source == pair.source && known.target == pair.target)
}

fn of_pair(pair: &PairState, before: &AgreementStatus, now: Timestamp) -> PairStatus {
    let known = known(before, pair);
    let since = known.filter(|known| known.state == pair.state.name()).and_then(|known| known.since.clone());
    PairStatus {
        source: pair.source.clone(),
        target: pair.target.clone(),
        state: pair.state.name().to_owned(),
        since: Some(since.unwrap_or(Time(now))),
        message: Some(shortened(&pair.message)).filter(|message| !message.is_empty()),
        request_id: pair.request.clone().or_else(|| known.and_then(|known| known.request_id.clone())),
    }
}

/// The conditions, the summary first.
fn said(found: &Found) -> Vec<Said> {
    let accepted = match &found.refused {
        Some(refused) => Said::no(Kind::Accepted, refused.reason, &refused.message),
        None => Said::yes(Kind::Accepted),
    };
    let parts = [accepted, configured(found), in_sync(found)];
    let ready = match parts.iter().find(|said| said.truth != Truth::True) {
        Some(first) => Said { kind: Kind::Ready, ..first.clone() },
        None => Said { message: READY.to_owned(), ..Said::yes(Kind::Ready) },
    };
    [ready].into_iter().chain(parts).collect()
}

fn configured(found: &Found) -> Said {
    let first = |state: State| found.pairs.iter().find(|pair| pair.state == state);
    match (&found.refused, first(State::Configuring), first(State::Unknown)) {
        (Some(refused), ..) => Said::no(Kind::Configured, refused.reason, "what the resource says cannot be carried out"),
        (None, Some(pair), _) => Said::no(Kind::Configured, Reason::Applying, words(pair)),
        (None, None, Some(pair)) => Said::unknown(Kind::Configured, Reason::AgentUnreachable, words(pair)),
        (None, None, None) => Said::yes(Kind::Configured),
    }
}

/// By the pair that is worst.
fn in_sync(found: &Found) -> Said {
    if let Some(refused) = &found.refused {
        return Said::no(Kind::InSync, refused.reason, "what the resource says cannot be carried out");
    }
    let worst_first = [
        (State::OtherData, Reason::OtherData),
        (State::Failing, Reason::ReplicationFails),
        (State::Unknown, Reason::AgentUnreachable),
        (State::Configuring, Reason::Applying),
        (State::Initialising, Reason::Initialising),
        (State::Waiting, Reason::Waiting),
        (State::Behind, Reason::Behind),
        (State::Paused, Reason::Paused),
    ];
    for (state, reason) in worst_first {
        let all: Vec<&PairState> = found.pairs.iter().filter(|pair| pair.state == state).collect();
        let Some(first) = all.first() else { continue };
        let more = if all.len() > 1 { format!(", and {} more", all.len() - 1) } else { String::new() };
        let message = format!("{}{more}", words(first));
        return match state {
            State::Unknown => Said::unknown(Kind::InSync, reason, message),
            _ => Said::no(Kind::InSync, reason, message),
        };
    }
    Said::yes(Kind::InSync)
}

fn words(pair: &PairState) -> String {
    let message = if pair.message.is_empty() { pair.state.name() } else { &pair.message };
    format!("{} to {}: {message}", pair.source, pair.target)
}

/// What has happened since a status.
fn events(found: &Found, before: &AgreementStatus) -> Vec<(Told, String)> {
    let mut events = Vec::new();
    let knows = |message: &str| before.conditions.iter().any(|known| known.message == shortened(message));
    if let Some(refused) = found.refused.as_ref().filter(|refused| !knows(&refused.message)) {
        events.push((Told::Invalid, refused.message.clone()));
    }
    for pair in &found.pairs {
        let was = known(before, pair).map(|known| known.state.as_str());
        let told = match pair.state {
            State::Initialising => Told::Initialising,
            State::OtherData => Told::OtherData,
            State::Failing => Told::Failed,
            _ => continue,
        };
        if was != Some(pair.state.name()) {
            events.push((told, words(pair)));
        }
    }
    let is_in_sync = |kinds: &[k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition]| {
        kinds.iter().any(|known| known.type_ == Kind::InSync.name() && known.status == "True")
    };
    if in_sync(found).truth == Truth::True && !is_in_sync(&before.conditions) {
        events.push((Told::InSync, READY.to_owned()));
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conditions::Refused;

    fn pair(target: &str, state: State) -> PairState {
        let (source, target) = ("a.root".to_owned(), target.to_owned());
        PairState { source, target, state, message: String::new(), request: None, unsure: None, is_early: false }
    }

    fn found(states: &[State]) -> Found {
        let pairs = states.iter().enumerate().map(|(index, state)| pair(&format!("b{index}.root"), *state));
        Found { generation: Some(1), refused: None, pairs: pairs.collect() }
    }

    /// Conditions as `Type=Status/Reason`.
    #[track_caller]
    fn check(found: &Found, expected: [&str; 4], in_sync: &str) {
        let status = status(found, &AgreementStatus::default(), Timestamp::UNIX_EPOCH);
        let told: Vec<String> =
            status.conditions.iter().map(|known| format!("{}={}/{}", known.type_, known.status, known.reason)).collect();
        assert_eq!(told, expected);
        assert_eq!(status.in_sync.as_deref(), Some(in_sync));
    }

    #[test]
    fn an_agreement_is_in_sync_when_all_its_pairs_are() {
        let good =
            ["Ready=True/AsItShouldBe", "Accepted=True/AsItShouldBe", "Configured=True/AsItShouldBe", "InSync=True/AsItShouldBe"];
        check(&found(&[State::InSync, State::InSync]), good, "2/2");
        let with = |reason: &'static str, configured: &'static str, in_sync: &'static str| {
            [reason, "Accepted=True/AsItShouldBe", configured, in_sync]
        };
        let behind = with("Ready=False/Behind", "Configured=True/AsItShouldBe", "InSync=False/Behind");
        check(&found(&[State::InSync, State::Behind]), behind, "1/2");
        let unknown =
            with("Ready=Unknown/AgentUnreachable", "Configured=Unknown/AgentUnreachable", "InSync=Unknown/AgentUnreachable");
        check(&found(&[State::Unknown, State::InSync]), unknown, "1/2");
        let worst = with("Ready=False/Applying", "Configured=False/Applying", "InSync=False/OtherData");
        check(&found(&[State::Behind, State::OtherData, State::Configuring]), worst, "0/3");
    }

    #[test]
    fn one_that_means_nothing_says_why() {
        let refused = Some(Refused { reason: Reason::NotFound, message: "there is no x".to_owned() });
        let found = Found { refused, ..Found::default() };
        let expected = ["Ready=False/NotFound", "Accepted=False/NotFound", "Configured=False/NotFound", "InSync=False/NotFound"];
        check(&found, expected, "0/0");
        let events = events(&found, &AgreementStatus::default());
        assert_eq!(events, [(Told::Invalid, "there is no x".to_owned())]);
        let told = status(&found, &AgreementStatus::default(), Timestamp::UNIX_EPOCH);
        assert_eq!(super::events(&found, &told), []);
    }

    #[test]
    fn since_when_a_pair_is_so_and_what_was_asked_for_is_kept() {
        let (then, now) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH + std::time::Duration::from_secs(60));
        let mut first = found(&[State::InSync]);
        first.pairs[0].request = Some("word".to_owned());
        let before = status(&first, &AgreementStatus::default(), then);
        let same = status(&found(&[State::InSync]), &before, now);
        assert_eq!((same.pairs[0].since.clone(), same.pairs[0].request_id.as_deref()), (Some(Time(then)), Some("word")));
        let other = status(&found(&[State::Behind]), &before, now);
        assert_eq!(other.pairs[0].since, Some(Time(now)));
        assert_eq!(events(&first, &AgreementStatus::default()), [(Told::InSync, READY.to_owned())]);
        assert_eq!(events(&first, &before), []);
    }
}

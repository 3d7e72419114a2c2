//! By how much those to whom the server sends are behind, and what it has itself: kept for whoever asks, and the first told as a
//! metric. It changes with every change of an entry, so it is no part of the status.

use aviary_proto::directory::v1::{AgreementLag, LagResponse, SupplierChanges, UpdateVector};
use directory::replication::{Agreement, Csn, Element, Moment};
use prost_types::{Duration, Timestamp};
use tokio::sync::watch;

use crate::replicas::Seen;

/// What was seen last.
#[derive(Debug, Default)]
pub(crate) struct Lags(watch::Sender<LagResponse>);

impl Lags {
    /// For whoever asks.
    pub(crate) fn watch(&self) -> watch::Receiver<LagResponse> {
        self.0.subscribe()
    }

    /// This is what is so now.
    pub(crate) fn tell(&self, seen: &[Seen]) {
        let now = LagResponse { agreements: lags(seen), vectors: seen.iter().filter_map(vector).collect() };
        let before = self.0.send_replace(now.clone());
        for (lag, value) in values(&before.agreements, &now.agreements) {
            let labels = [("backend", lag.backend.clone()), ("agreement", lag.agreement.clone())];
            metrics::gauge!("aviary_agent_replication_lag_seconds", &labels).set(value);
        }
    }
}

/// Those of all agreements.
fn lags(seen: &[Seen]) -> Vec<AgreementLag> {
    let of = |seen: &Seen| {
        let backend = seen.replica.backend.clone();
        seen.replica.agreements.iter().map(move |agreement| lag(&backend, agreement)).collect::<Vec<_>>()
    };
    seen.iter().flat_map(of).collect()
}

fn lag(backend: &str, agreement: &Agreement) -> AgreementLag {
    let seconds = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX);
    let timestamp = |moment: Moment| Timestamp { seconds: seconds(moment.seconds()), nanos: 0 };
    AgreementLag {
        backend: backend.to_owned(),
        agreement: agreement.name.clone(),
        lag: agreement.lag.map(|lag| Duration { seconds: seconds(lag), nanos: 0 }),
        session_ended: agreement.update_ended.map(timestamp),
        newest_change: agreement.newest.map(|newest| timestamp(newest.at)),
    }
}

/// What a replica has; while it is being filled, it answers for another.
fn vector(seen: &Seen) -> Option<UpdateVector> {
    let ruv = seen.replica.ruv.as_ref().filter(|_| !seen.is_filling)?;
    let text = |csn: Option<Csn>| csn.map(|csn| csn.to_string()).unwrap_or_default();
    let changes = |element: &Element| SupplierChanges {
        supplier: element.id.into(),
        oldest: text(element.oldest),
        newest: text(element.newest),
    };
    Some(UpdateVector {
        suffix: seen.replica.suffix.to_string(),
        generation: ruv.generation.clone(),
        suppliers: ruv.elements.iter().map(changes).collect(),
    })
}

/// What the metric is to be. What is not a number is left out of what scrapers get: so it is with an agreement that is gone, and with
/// one of which it is not known.
fn values<'a>(before: &'a [AgreementLag], now: &'a [AgreementLag]) -> Vec<(&'a AgreementLag, f64)> {
    let is_same = |one: &AgreementLag, other: &AgreementLag| (&one.backend, &one.agreement) == (&other.backend, &other.agreement);
    let gone = before.iter().filter(|known| !now.iter().any(|lag| is_same(known, lag)));
    let value = |lag: &AgreementLag| lag.lag.as_ref().map_or(f64::NAN, |lag| lag.seconds as f64);
    now.iter().map(|lag| (lag, value(lag))).chain(gone.map(|known| (known, f64::NAN))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lag(agreement: &str, seconds: Option<i64>) -> AgreementLag {
        let lag = seconds.map(|seconds| Duration { seconds, nanos: 0 });
        AgreementLag { backend: "root".to_owned(), agreement: agreement.to_owned(), lag, ..AgreementLag::default() }
    }

    #[track_caller]
    fn check(before: &[AgreementLag], now: &[AgreementLag], expected: &[(&str, Option<f64>)]) {
        let values = values(before, now);
        let found: Vec<_> =
            values.iter().map(|(lag, value)| (lag.agreement.as_str(), Some(*value).filter(|value| !value.is_nan()))).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_metric_is_gone_with_its_agreement_and_while_nothing_is_known() {
        let (a, b) = (lag("a", Some(3)), lag("b", Some(0)));
        check(&[], &[a.clone(), b.clone()], &[("a", Some(3.0)), ("b", Some(0.0))]);
        check(&[a.clone(), b.clone()], std::slice::from_ref(&b), &[("b", Some(0.0)), ("a", None)]);
        check(std::slice::from_ref(&a), &[lag("a", None)], &[("a", None)]);
        check(&[a], &[], &[("a", None)]);
    }

    #[test]
    fn whoever_asks_hears_what_was_seen_last() {
        let lags = Lags::default();
        let asked = lags.watch();
        assert_eq!(*asked.borrow(), LagResponse::default());
        lags.0.send_replace(LagResponse { agreements: vec![lag("a", Some(3))], vectors: Vec::new() });
        assert_eq!(asked.borrow().agreements, [lag("a", Some(3))]);
        lags.tell(&[]);
        assert_eq!(*asked.borrow(), LagResponse::default());
    }
}

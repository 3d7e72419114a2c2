//! How an instance is, from what its agent says and what the cluster has of it: the status of its resource, written only when it
//! says something new, and events for what has happened since it was written last.

use aviary_proto::directory::v1::{Activity, Status};
use k8s_openapi::{api::core::v1::Pod, apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use kube::ResourceExt;

use crate::{
    agents::Heard,
    conditions::{Kind, Reason, Refused, Said, Told, Truth},
    crd::{DS389Instance, InstanceStatus},
    instance::{Context, Error, apply::Done, dereference::Referenced, names::Names},
    objects::MANAGER,
    tell,
};

/// How many of what was or would be done a status lists.
const MOST_PLANNED: usize = 100;
/// Of one that is ready.
const READY: &str = "The server is what the resource says, and serves.";

/// What is known, of which the rest is a function.
struct Facts<'a> {
    instance: &'a DS389Instance,
    done: &'a Result<Done, Refused>,
    heard: Option<&'a Status>,
    pod: Option<&'a Pod>,
}

/// Writes the status, if it is another one, and tells events.
pub(crate) async fn tell(
    instance: &DS389Instance,
    names: &Names,
    referenced: &Referenced,
    done: Result<Done, Refused>,
    context: &Context,
) -> Result<(), Error> {
    let facts = Facts { instance, done: &done, heard: referenced.heard.status(), pod: referenced.pod.as_ref() };
    let changed = facts.heard.map(|heard| (heard.revision, heard.changed.clone())).unwrap_or_default();
    let untold = context.memory.untold(instance, &changed);
    let before = context.memory.status(instance);
    let status = status(&facts, &before, names, referenced, Timestamp::now());
    let events = events(&facts, &before, &status, &untold);
    for (told, note) in &events {
        tell::event(&context.recorder, instance, *told, note).await;
    }
    // Whether the agent answers is known in a moment.
    if referenced.heard == Heard::NotYet || instance.status.as_ref().is_some_and(|known| is_told(known, &status)) {
        return Ok(());
    }
    if tell::status(&context.client, MANAGER, instance, &status).await? {
        let is_told = events.iter().any(|(told, _)| *told == Told::Changed);
        context.memory.keep(instance, status, is_told.then_some(changed));
    }
    Ok(())
}

fn status(facts: &Facts<'_>, before: &InstanceStatus, names: &Names, referenced: &Referenced, now: Timestamp) -> InstanceStatus {
    let generation = facts.instance.metadata.generation;
    let conditions = said(facts);
    let conditions = conditions.iter().map(|said| said.condition(&before.conditions, generation, now)).collect();
    let heard = facts.heard;
    let known = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let ends = referenced.server.known.as_ref().and_then(|known| Timestamp::from_second(known.ends.unix_timestamp()).ok());
    let image = facts.pod.and_then(|pod| pod.spec.as_ref()?.containers.first()?.image.clone());
    let waits = facts.done.as_ref().is_ok_and(|done| done.waits.is_some());
    let planned = planned(facts).into_iter().take(MOST_PLANNED).collect();
    InstanceStatus {
        observed_generation: generation,
        conditions,
        fqdn: Some(names.fqdn.clone()),
        image: image.or_else(|| before.image.clone()),
        version: heard.and_then(|heard| known(&heard.server_version)).or_else(|| before.version.clone()),
        agent_version: heard.and_then(|heard| known(&heard.agent_version)).or_else(|| before.agent_version.clone()),
        // Nothing is kept of one that is not wanted yet, or waits to be given to the server.
        certificate_not_after: match (facts.instance.spec.suspend || waits) && referenced.server.is_new {
            true => before.certificate_not_after.clone(),
            false => ends.map(Time),
        },
        planned,
        last_report: None,
    }
}

/// Whether a resource has this status. Its last report is somebody else's to tell.
fn is_told(known: &InstanceStatus, status: &InstanceStatus) -> bool {
    InstanceStatus { last_report: None, ..known.clone() } == *status
}

/// The conditions, the summary first.
fn said(facts: &Facts<'_>) -> Vec<Said> {
    let accepted = accepted(facts);
    let reachable = reachable(facts);
    let applied = applied(facts);
    let serving = serving(facts);
    let parts = [accepted, reachable, applied, serving];
    let ready = match parts.iter().find(|said| said.truth != Truth::True) {
        Some(first) => Said { kind: Kind::Ready, ..first.clone() },
        None => Said { message: READY.to_owned(), ..Said::yes(Kind::Ready) },
    };
    [ready].into_iter().chain(parts).collect()
}

fn accepted(facts: &Facts<'_>) -> Said {
    match facts.done {
        _ if facts.instance.spec.suspend => {
            Said::no(Kind::Accepted, Reason::Suspended, "spec.suspend is true: nothing is changed until it is false")
        }
        Ok(_) => Said::yes(Kind::Accepted),
        Err(Refused { reason, message }) => Said::no(Kind::Accepted, *reason, message),
    }
}

fn reachable(facts: &Facts<'_>) -> Said {
    if facts.heard.is_some() {
        return Said::yes(Kind::AgentReachable);
    }
    match facts.pod {
        Some(pod) if is_running(pod) => {
            let message = "the pod runs, but its agent does not answer; see its log, and network policies";
            Said::no(Kind::AgentReachable, Reason::AgentUnreachable, message)
        }
        Some(pod) => Said::no(Kind::AgentReachable, Reason::PodStarting, waiting_for(pod)),
        None => Said::no(Kind::AgentReachable, Reason::PodStarting, "there is no pod yet; see the events of the StatefulSet"),
    }
}

fn is_running(pod: &Pod) -> bool {
    let containers = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
    containers.is_some_and(|all| all.iter().all(|one| one.state.as_ref().is_some_and(|state| state.running.is_some())))
}

/// What a pod waits for, in the words of the kubelet or the scheduler.
fn waiting_for(pod: &Pod) -> String {
    let status = pod.status.as_ref();
    let containers = status.and_then(|status| status.container_statuses.as_deref()).unwrap_or_default();
    let waiting = containers.iter().find_map(|container| container.state.as_ref()?.waiting.as_ref());
    let conditions = status.and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    let unscheduled = conditions.iter().find(|condition| condition.type_ == "PodScheduled" && condition.status == "False");
    let words = |reason: Option<&String>, message: Option<&String>| {
        let words: Vec<&str> = [reason, message].into_iter().flatten().map(String::as_str).collect();
        words.join(": ")
    };
    match (waiting, unscheduled) {
        (Some(waiting), _) => format!("the pod waits: {}", words(waiting.reason.as_ref(), waiting.message.as_ref())),
        (None, Some(why)) => format!("the pod has no node: {}", words(why.reason.as_ref(), why.message.as_ref())),
        (None, None) => "the pod starts".to_owned(),
    }
}

fn applied(facts: &Facts<'_>) -> Said {
    let kind = Kind::ConfigurationApplied;
    let Some(heard) = facts.heard else {
        return Said::unknown(kind, Reason::AgentUnreachable, "the agent would know, but does not answer");
    };
    let Ok(done) = facts.done else {
        return Said::no(kind, Reason::Invalid, "what the resource says cannot be carried out; the server stays as it was");
    };
    if let Some(what) = &done.waits {
        return Said::no(kind, Reason::WaitingForTurn, format!("a restart waits for its turn: {what}"));
    }
    if let Some(distrusted_by) = &done.distrusted_by {
        let by = Vec::from_iter(distrusted_by.iter().map(String::as_str)).join(", ");
        let mut message = "the server shows its new certificate when those that send to it trust its authority".to_owned();
        if !by.is_empty() {
            message = format!("{message}; {by} not yet");
        }
        return Said::no(kind, Reason::WaitingForTrust, message);
    }
    if let Some(untold) = &done.untold {
        return Said::no(kind, Reason::Failed, untold.to_string());
    }
    if done.is_pod_outdated {
        return Said::no(kind, Reason::PodStarting, "the pod is being made anew");
    }
    if done.revision != 0 && heard.revision != done.revision {
        return Said::no(kind, Reason::Applying, "the agent is being told");
    }
    match heard.activity() {
        Activity::Settled if !planned(facts).is_empty() => {
            let planned = planned(facts);
            let message = format!("spec.check is true; {} would be done: {}", planned.len(), planned.join("; "));
            Said::no(kind, Reason::WouldChange, message)
        }
        Activity::Settled => Said::yes(kind),
        Activity::Waiting => Said::no(kind, Reason::Failed, &heard.error),
        Activity::Settling => Said::no(kind, Reason::Applying, progress(heard)),
        Activity::Idle => Said::no(kind, Reason::Applying, "the agent has not begun"),
        Activity::Stopping | Activity::Unspecified => Said::unknown(kind, Reason::PodStarting, "the pod is ending"),
    }
}

/// What would be done to an instance that is only checked: to its objects, and to its server.
fn planned(facts: &Facts<'_>) -> Vec<String> {
    let of_objects = facts.done.iter().flat_map(|done| &done.planned);
    of_objects.chain(facts.heard.iter().flat_map(|heard| &heard.planned)).cloned().collect()
}

fn progress(heard: &Status) -> String {
    match &heard.progress {
        Some(progress) if progress.total == 0 => progress.action.clone(),
        Some(progress) => format!("{} ({} of {})", progress.action, progress.done + 1, progress.total),
        None => "the server is compared with what the resource says".to_owned(),
    }
}

fn serving(facts: &Facts<'_>) -> Said {
    let kind = Kind::Serving;
    match facts.heard {
        None => Said::unknown(kind, Reason::AgentUnreachable, "the agent would know, but does not answer"),
        Some(heard) if heard.serves => Said::yes(kind),
        Some(_) if !facts.instance.spec.started => Said::no(kind, Reason::Stopped, "spec.started is false"),
        Some(_) if facts.instance.spec.fenced => Said::no(kind, Reason::Fenced, "spec.fenced is true: clients are kept away"),
        Some(heard) if heard.not_serving.is_empty() => Said::no(kind, Reason::NotServing, "the server does not run yet"),
        Some(heard) => Said::no(kind, Reason::NotServing, &heard.not_serving),
    }
}

/// What has happened between two statuses.
fn events(facts: &Facts<'_>, before: &InstanceStatus, after: &InstanceStatus, changed: &[String]) -> Vec<(Told, String)> {
    let of = |status: &InstanceStatus, kind: Kind| status.conditions.iter().find(|known| known.type_ == kind.name()).cloned();
    let came = |kind: Kind, truth: &str| {
        let now = of(after, kind).filter(|condition| condition.status == truth);
        now.filter(|_| of(before, kind).is_none_or(|condition| condition.status != truth))
    };
    let mut events = Vec::new();
    if let Ok(done) = facts.done {
        if done.is_certified {
            events.push((Told::CertificateIssued, format!("the server gets a certificate for {}", facts.instance.name_any())));
        }
        if done.is_pod_replaced {
            events.push((
                Told::PodReplaced,
                "the pod is made anew: another image, other resources, or a restart was asked for".to_owned(),
            ));
        }
    }
    let is_refused = |status: &InstanceStatus| of(status, Kind::Accepted).filter(|condition| condition.status == "False");
    if let Some(refused) = is_refused(after).filter(|refused| {
        let is_error = refused.reason != Reason::Suspended.name();
        is_error && is_refused(before).is_none_or(|known| known.message != refused.message)
    }) {
        events.push((Told::Invalid, refused.message));
    }
    if facts.heard.is_some() {
        if came(Kind::ConfigurationApplied, "True").is_some() && !changed.is_empty() {
            events.push((Told::Changed, changed.join("; ")));
        }
        if !after.planned.is_empty() && after.planned != before.planned {
            events.push((Told::Planned, after.planned.join("; ")));
        }
    }
    let failed =
        |status: &InstanceStatus| of(status, Kind::ConfigurationApplied).filter(|known| known.reason == Reason::Failed.name());
    if let Some(now) = failed(after).filter(|now| failed(before).is_none_or(|known| known.message != now.message)) {
        events.push((Told::Failed, now.message));
    }
    if came(Kind::Ready, "True").is_some() {
        events.push((Told::Ready, READY.to_owned()));
    }
    events
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use aviary_proto::directory::v1::Progress;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
    use serde_json::{Value, json};

    use super::*;

    fn instance(spec: Value) -> DS389Instance {
        let resource = json!({
            "apiVersion": "ds389.aviary.dev/v1alpha1", "kind": "DS389Instance",
            "metadata": {"name": "a", "namespace": "test", "generation": 2}, "spec": spec,
        });
        serde_json::from_value(resource).unwrap()
    }

    fn settled() -> Status {
        Status { revision: 3, activity: Activity::Settled.into(), serves: true, ..Status::default() }
    }

    fn told() -> Result<Done, Refused> {
        Ok(Done { revision: 3, ..Done::default() })
    }

    fn pod(state: Value) -> Pod {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a-0"},
            "status": {"containerStatuses": [{
                "name": "agent", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": state,
            }]},
        });
        serde_json::from_value(pod).unwrap()
    }

    /// Conditions as `Type=Status/Reason`.
    #[track_caller]
    fn check(
        spec: Value,
        done: Result<Done, Refused>,
        heard: Option<Status>,
        pod: Option<Pod>,
        expected: [&str; 5],
        message: &str,
    ) {
        let instance = instance(spec);
        let facts = Facts { instance: &instance, done: &done, heard: heard.as_ref(), pod: pod.as_ref() };
        let now = Timestamp::UNIX_EPOCH;
        let conditions: Vec<Condition> = said(&facts).iter().map(|said| said.condition(&[], Some(2), now)).collect();
        let told: Vec<String> =
            conditions.iter().map(|known| format!("{}={}/{}", known.type_, known.status, known.reason)).collect();
        assert_eq!(told, expected);
        assert!(conditions[0].message.contains(message), "{}", conditions[0].message);
    }

    #[test]
    fn an_instance_is_ready_when_all_is_as_it_should_be() {
        let expected = [
            "Ready=True/AsItShouldBe",
            "Accepted=True/AsItShouldBe",
            "AgentReachable=True/AsItShouldBe",
            "ConfigurationApplied=True/AsItShouldBe",
            "Serving=True/AsItShouldBe",
        ];
        check(json!({}), told(), Some(settled()), None, expected, "serves");
    }

    #[test]
    fn a_pod_that_does_not_come_up_is_told_in_the_kubelets_words() {
        let expected = [
            "Ready=False/PodStarting",
            "Accepted=True/AsItShouldBe",
            "AgentReachable=False/PodStarting",
            "ConfigurationApplied=Unknown/AgentUnreachable",
            "Serving=Unknown/AgentUnreachable",
        ];
        let waiting = pod(json!({"waiting": {"reason": "ErrImagePull", "message": "not found"}}));
        check(json!({}), told(), None, Some(waiting), expected, "ErrImagePull: not found");
        check(json!({}), told(), None, None, expected, "no pod");
    }

    #[test]
    fn an_agent_that_does_not_answer_leaves_the_rest_unknown() {
        let expected = [
            "Ready=False/AgentUnreachable",
            "Accepted=True/AsItShouldBe",
            "AgentReachable=False/AgentUnreachable",
            "ConfigurationApplied=Unknown/AgentUnreachable",
            "Serving=Unknown/AgentUnreachable",
        ];
        let running = pod(json!({"running": {}}));
        check(json!({}), told(), None, Some(running), expected, "its agent does not answer");
    }

    #[test]
    fn what_an_agent_does_is_told() {
        let conditions = |first: &'static str, applied: &'static str| {
            [first, "Accepted=True/AsItShouldBe", "AgentReachable=True/AsItShouldBe", applied, "Serving=True/AsItShouldBe"]
        };
        let applying = conditions("Ready=False/Applying", "ConfigurationApplied=False/Applying");
        let progress = Some(Progress { action: "Creating backend a".to_owned(), done: 2, total: 5 });
        let working = Status { activity: Activity::Settling.into(), progress, ..settled() };
        check(json!({}), told(), Some(working), None, applying, "Creating backend a (3 of 5)");
        let before = Status { revision: 2, ..settled() };
        check(json!({}), told(), Some(before), None, applying, "being told");
        let failed = Status { activity: Activity::Waiting.into(), error: "no space".to_owned(), ..settled() };
        let expected = conditions("Ready=False/Failed", "ConfigurationApplied=False/Failed");
        check(json!({}), told(), Some(failed), None, expected, "no space");
        let planned = Status { planned: vec!["Creating backend a".to_owned()], ..settled() };
        let expected = conditions("Ready=False/WouldChange", "ConfigurationApplied=False/WouldChange");
        check(json!({"check": true}), told(), Some(planned.clone()), None, expected, "Creating backend a");
        let done = Ok(Done { revision: 3, planned: vec!["Making the pod anew".to_owned()], ..Done::default() });
        check(
            json!({"check": true}),
            done,
            Some(planned),
            None,
            expected,
            "2 would be done: Making the pod anew; Creating backend a",
        );
    }

    #[test]
    fn a_pod_that_is_to_be_made_anew_is_not_what_the_resource_says() {
        let done = Ok(Done { revision: 3, is_pod_outdated: true, ..Done::default() });
        let expected = [
            "Ready=False/PodStarting",
            "Accepted=True/AsItShouldBe",
            "AgentReachable=True/AsItShouldBe",
            "ConfigurationApplied=False/PodStarting",
            "Serving=True/AsItShouldBe",
        ];
        check(json!({}), done, Some(settled()), None, expected, "made anew");
    }

    #[test]
    fn a_restart_that_waits_for_its_turn_says_what_for() {
        let done = Ok(Done { is_pod_outdated: true, waits: Some("b does not serve".to_owned()), ..Done::default() });
        let expected = [
            "Ready=False/WaitingForTurn",
            "Accepted=True/AsItShouldBe",
            "AgentReachable=True/AsItShouldBe",
            "ConfigurationApplied=False/WaitingForTurn",
            "Serving=True/AsItShouldBe",
        ];
        check(json!({}), done, Some(settled()), None, expected, "a restart waits for its turn: b does not serve");
    }

    #[test]
    fn a_certificate_that_waits_for_trust_says_whose() {
        let expected = [
            "Ready=False/WaitingForTrust",
            "Accepted=True/AsItShouldBe",
            "AgentReachable=True/AsItShouldBe",
            "ConfigurationApplied=False/WaitingForTrust",
            "Serving=True/AsItShouldBe",
        ];
        for (names, said) in [(&["a", "c"][..], "trust its authority; a, c not yet"), (&[], "trust its authority")] {
            let distrusted_by = Some(names.iter().map(|name| (*name).to_owned()).collect());
            let done = Ok(Done { distrusted_by, ..Done::default() });
            check(json!({}), done, Some(settled()), None, expected, said);
        }
    }

    #[test]
    fn what_is_refused_leaves_the_server_as_it_is() {
        let refused = Err(Refused { reason: Reason::Invalid, message: "suffix: no".to_owned() });
        let expected = [
            "Ready=False/Invalid",
            "Accepted=False/Invalid",
            "AgentReachable=True/AsItShouldBe",
            "ConfigurationApplied=False/Invalid",
            "Serving=True/AsItShouldBe",
        ];
        check(json!({}), refused, Some(settled()), None, expected, "suffix: no");
    }

    #[test]
    fn one_that_should_not_run_is_stopped_and_not_ready() {
        let stopped = Status { serves: false, not_serving: "x".to_owned(), ..settled() };
        let expected = [
            "Ready=False/Stopped",
            "Accepted=True/AsItShouldBe",
            "AgentReachable=True/AsItShouldBe",
            "ConfigurationApplied=True/AsItShouldBe",
            "Serving=False/Stopped",
        ];
        check(json!({"started": false}), told(), Some(stopped), None, expected, "spec.started is false");
    }

    #[test]
    fn a_report_that_was_told_is_no_other_status() {
        let status = InstanceStatus { fqdn: Some("a.test".to_owned()), ..InstanceStatus::default() };
        let last_report = Some(crate::crd::LastReport {
            location: "ds389/test/a/20261129T041503Z/ara-report".to_owned(),
            time: Time(Timestamp::UNIX_EPOCH),
            succeeded: true,
        });
        assert!(is_told(&InstanceStatus { last_report: last_report.clone(), ..status.clone() }, &status));
        assert!(!is_told(&InstanceStatus { last_report, ..InstanceStatus::default() }, &status));
        // Whoever writes all else takes it from nobody.
        assert_eq!(serde_json::to_value(&status).unwrap(), json!({"fqdn": "a.test"}));
    }

    #[test]
    fn since_when_it_is_so_stays_for_as_long_as_it_is_so() {
        let (then, now) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH + std::time::Duration::from_secs(60));
        let before = [Said::yes(Kind::Serving).condition(&[], Some(1), then)];
        assert_eq!(Said::yes(Kind::Serving).condition(&before, Some(2), now).last_transition_time, Time(then));
        let gone = Said::no(Kind::Serving, Reason::NotServing, "x").condition(&before, Some(2), now);
        assert_eq!(gone.last_transition_time, Time(now));
    }
}

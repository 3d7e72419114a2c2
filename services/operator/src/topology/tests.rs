//! What follows from what there is in a namespace.

mod authorities;
mod busy;
mod caught_up;
mod external;
mod gone;
mod identities;
mod pairs;
mod restored;

use std::sync::Arc;

use aviary_proto::directory::v1::{Agreement, AgreementState, Replica};
use kube::ResourceExt;
use serde_json::{Value, json};

use super::{
    compose::{Part, Receiver, Sends, Topology, compose},
    records::{Record, Records, Seed},
    states::State,
    world::{Member, World},
};
use crate::{
    conditions::Reason,
    crd::{DS389Agreement, DS389Instance},
    instance::Names,
};

const SUFFIX: &str = "dc=test";

/// An instance with one backend of a role, such as `supplier` or `supplier 7`.
fn instance(name: &str, role: &str) -> Member {
    let mut words = role.split(' ');
    let mut backend = json!({"name": "root", "suffix": SUFFIX, "replicaRole": words.next().unwrap()});
    if let Some(id) = words.next() {
        backend["replicaId"] = id.parse::<u16>().unwrap().into();
    }
    let resource: DS389Instance = serde_json::from_value(json!({
        "apiVersion": "ds389.aviary.dev/v1alpha1", "kind": "DS389Instance",
        "metadata": {"name": name, "namespace": "test", "generation": 1}, "spec": {"backends": [backend]},
    }))
    .unwrap();
    let names = Names::of(&resource, "cluster.local").unwrap();
    let passwords = ["a", "b", "c", "d", "h"].map(|name| (format!("{name}.root"), "hash".to_owned()));
    Member { passwords: passwords.into(), ..Member::of(&resource, &names).unwrap() }
}

/// The same, heard to have data of this name, `empty` or `partial` behind it if it is that.
fn heard(name: &str, role: &str, data: &str) -> Member {
    let mut member = Member { was_there: true, ..instance(name, role) };
    let (generation, how) = data.split_once(' ').unwrap_or((data, ""));
    let receives = how.strip_prefix("receives ").unwrap_or_default();
    member.heard = Some(vec![Replica {
        backend: "root".to_owned(),
        suffix: SUFFIX.to_owned(),
        generation: generation.to_owned(),
        is_empty: how == "empty",
        receives: receives.to_owned(),
        held: if receives.is_empty() { String::new() } else { format!("old-{name}") },
        ..Replica::default()
    }]);
    member
}

/// One that has an agreement with another, in a state.
fn with_agreement(mut member: Member, target: &str, state: AgreementState, initialised: &str) -> Member {
    let agreement = Agreement {
        name: if target.starts_with("outside") { target.to_owned() } else { format!("{target}.root") },
        state: state.into(),
        message: "words".to_owned(),
        initialised: initialised.to_owned(),
        bind_dn: String::new(),
    };
    member.heard.as_mut().unwrap()[0].agreements.push(agreement);
    member
}

/// One that serves and is what it should be.
fn settled(member: Member) -> Member {
    Member { is_heard: true, serves: true, is_settled: true, ..member }
}

fn agreement(name: &str, spec: Value) -> Arc<DS389Agreement> {
    let resource = json!({
        "apiVersion": "ds389.aviary.dev/v1alpha1", "kind": "DS389Agreement",
        "metadata": {"name": name, "namespace": "test", "generation": 1}, "spec": spec,
    });
    Arc::new(serde_json::from_value(resource).unwrap())
}

fn mesh() -> Arc<DS389Agreement> {
    agreement("mesh", json!({"suffix": SUFFIX, "targets": ["*"]}))
}

fn world(members: Vec<Member>, agreements: Vec<Arc<DS389Agreement>>) -> World {
    World { members, agreements, ..World::default() }
}

fn recorded(generation: &str) -> Records {
    let seed = Seed { source: "a.root".to_owned(), generation: generation.to_owned() };
    Records::from([(SUFFIX.to_owned(), Record { seed: Some(seed), ..Record::default() })])
}

fn seed(topology: &Topology) -> Option<(&str, &str)> {
    let seed = topology.records.get(SUFFIX)?.seed.as_ref()?;
    Some((seed.source.as_str(), seed.generation.as_str()))
}

fn part<'a>(topology: &'a Topology, name: &str) -> &'a Part {
    &topology.parts[name]
}

#[test]
fn what_is_as_it_was_is_kept_once() {
    let of = |generation| {
        let c = Member { generation: Some(generation), ..instance("c", "consumer") };
        compose(&world(vec![instance("a", "supplier"), c], vec![mesh()]), &Records::new())
    };
    let (before, mut same, mut other) = (of(1), of(1), of(2));
    same.share(&before);
    other.share(&before);
    let is_shared = |topology: &Topology, name: &str| Arc::ptr_eq(&topology.parts[name], &before.parts[name]);
    assert!(is_shared(&same, "a") && is_shared(&same, "c") && Arc::ptr_eq(&same.agreements["mesh"], &before.agreements["mesh"]));
    assert!(is_shared(&other, "a") && !is_shared(&other, "c"));
}

/// To whom an instance has agreements, and what each is told of initialising.
fn sends(topology: &Topology, name: &str) -> Vec<String> {
    let sends = &part(topology, name).backends["root"].agreements;
    let text = |options: &serde_json::Map<String, Value>, key: &str| options.get(key).and_then(Value::as_str).map(str::to_owned);
    let told = |options: &serde_json::Map<String, Value>| {
        let order = text(options, "initialise").zip(text(options, "initialiserequest"));
        order.map(|(how, word)| format!(" {how} {word}")).unwrap_or_default()
    };
    let target = |sends: &Sends| match &sends.to {
        Receiver::Instance { name, .. } => name.clone(),
        Receiver::External { .. } => format!("outside {}", sends.name),
    };
    sends.iter().map(|sends| format!("{}{}", target(sends), told(&sends.options))).collect()
}

fn receives(topology: &Topology, name: &str) -> Vec<Value> {
    part(topology, name).receives.clone()
}

fn states(topology: &Topology, name: &str) -> Vec<(String, State)> {
    let pairs = &topology.agreements[name].pairs;
    pairs.iter().map(|pair| (format!("{} {}", pair.source, pair.target), pair.state)).collect()
}

#[test]
fn what_is_not_known_yet_because_its_agent_is_being_called_is_told_from_what_nobody_answers() {
    for is_called in [true, false] {
        let members = vec![heard("a", "supplier", "g"), Member { is_called, ..instance("b", "consumer") }];
        let topology = compose(&world(members, vec![mesh()]), &Records::new());
        let pair = &topology.agreements["mesh"].pairs[0];
        assert_eq!((pair.state, pair.is_early), (State::Unknown, is_called));
    }
}

#[test]
fn suppliers_get_numbers_that_nobody_has_or_had() {
    let first = compose(
        &world(vec![instance("a", "supplier"), instance("b", "supplier 1"), instance("c", "hub")], vec![]),
        &Records::new(),
    );
    let id = |topology: &Topology, name: &str| part(topology, name).backends["root"].id;
    assert_eq!([id(&first, "a"), id(&first, "b"), id(&first, "c")], [Some(2), Some(1), None]);
    // Also when their instance is gone, or has another number now.
    let next = world(vec![instance("b", "supplier 7"), instance("d", "supplier")], vec![]);
    let next = compose(&next, &first.records);
    assert_eq!([id(&next, "b"), id(&next, "d")], [Some(7), Some(3)]);
    let back = compose(&world(vec![instance("a", "supplier"), instance("e", "supplier")], vec![]), &next.records);
    assert_eq!([id(&back, "a"), id(&back, "e")], [Some(2), Some(4)]);
    assert_eq!(part(&first, "c").numbers[SUFFIX], [1, 2].into());
}

#[test]
fn two_with_one_number_are_both_told_of_the_other() {
    let members = vec![instance("a", "supplier 3"), instance("b", "supplier 3"), instance("c", "supplier")];
    let topology = compose(&world(members, vec![]), &Records::new());
    for (name, other) in [("a", "b.root"), ("b", "a.root")] {
        let refused = part(&topology, name).refused.clone().unwrap();
        assert_eq!(refused.reason, Reason::Conflict);
        assert!(refused.message.contains(other), "{}", refused.message);
    }
    assert_eq!(part(&topology, "c").refused, None);
}

/// Whose data is chosen of two suppliers, by what each says.
#[track_caller]
fn chosen(a: Option<&str>, b: Option<&str>, known: Option<&str>, expected: Option<(&str, &str)>) {
    let member = |name: &str, data: Option<&str>| match data {
        Some(data) => heard(name, "supplier", data),
        None => instance(name, "supplier"),
    };
    let known = known.map(recorded).unwrap_or_default();
    let topology = compose(&world(vec![member("a", a), member("b", b)], vec![mesh()]), &known);
    assert_eq!(seed(&topology), expected);
}

#[test]
fn the_data_of_the_one_that_has_any_is_everybodys() {
    chosen(Some("ga"), Some("gb empty"), None, Some(("a.root", "ga")));
    chosen(Some("ga empty"), Some("gb"), None, Some(("b.root", "gb")));
    // Of several that have none, the first.
    chosen(Some("ga empty"), Some("gb empty"), None, Some(("a.root", "ga")));
    // The same data on both.
    chosen(Some("g"), Some("g"), None, Some(("a.root", "g")));
}

#[test]
fn nothing_is_chosen_that_is_not_known() {
    chosen(Some("ga"), None, None, None);
    chosen(None, Some("gb empty"), None, None);
    chosen(Some("ga"), Some(""), None, None);
    // Of two that have other data, none.
    chosen(Some("ga"), Some("gb"), None, None);
}

#[test]
fn what_was_chosen_stays_while_anybody_has_it_or_may_have_it() {
    chosen(Some("ga empty"), Some("g"), Some("g"), Some(("a.root", "g")));
    chosen(Some("ga empty"), None, Some("g"), Some(("a.root", "g")));
    chosen(Some("ga"), Some("g"), Some("g"), Some(("a.root", "g")));
    // Once all are heard and nobody has it, it is no more.
    chosen(Some("ga empty"), Some("gb empty"), Some("g"), Some(("a.root", "ga")));
    chosen(Some("ga empty"), Some("gb"), Some("g"), Some(("b.root", "gb")));
}

#[test]
fn who_holds_nothing_is_filled_once_it_has_said_that_it_may_be() {
    let filling = |b: Member| compose(&world(vec![heard("a", "supplier", "ga"), b], vec![mesh()]), &recorded("ga"));
    // First it is asked; whether it holds anything is for its agent to see.
    for data in ["gb empty", "gb"] {
        let asked = filling(heard("b", "supplier", data));
        assert_eq!(receives(&asked, "b"), [json!({"suffix": SUFFIX, "generation": "ga"})]);
        assert_eq!((sends(&asked, "a"), receives(&asked, "a")), (vec!["b".to_owned()], vec![]));
    }
    // Then the one that has the data is told, with a word that is another one if it has to be done once more.
    let agreed = filling(heard("b", "supplier", "gb receives ga"));
    assert_eq!(sends(&agreed, "a"), ["b OnCreate old-b"]);
    assert_eq!(sends(&agreed, "b"), ["a"]);
    // While it is filled it says nothing of what it holds.
    let under_way = filling(heard("b", "supplier", " receives ga"));
    assert_eq!((sends(&under_way, "a"), receives(&under_way, "b").len()), (vec!["b OnCreate old-b".to_owned()], 1));
    let done = filling(heard("b", "supplier", "ga"));
    assert_eq!((sends(&done, "a"), receives(&done, "b")), (vec!["b".to_owned()], vec![]));
    // Of one that is not heard nothing is guessed.
    let silent = filling(instance("b", "supplier"));
    assert_eq!((sends(&silent, "a"), receives(&silent, "b")), (vec!["b".to_owned()], vec![]));
    // With other data than was agreed to, nothing is given.
    let other = filling(heard("b", "supplier", "gb receives gx"));
    assert_eq!(sends(&other, "a"), ["b"]);
}

#[test]
fn nobody_gives_what_is_not_its_own_or_what_it_gets_itself() {
    let members = vec![
        heard("a", "supplier", "ga empty"),
        heard("b", "supplier", "gb receives g"),
        heard("c", "consumer", "gc receives g"),
    ];
    let topology = compose(&world(members, vec![mesh()]), &recorded("g"));
    assert!(["a", "b"].iter().all(|name| sends(&topology, name).iter().all(|told| !told.contains(' '))));
    // Nobody is known to have what was recorded: what has none of it is not asked for another's.
    assert_eq!(receives(&topology, "a"), [Value::Null; 0]);
}

#[test]
fn of_several_that_could_fill_one_only_one_does() {
    let members = vec![heard("a", "supplier", "g"), heard("b", "supplier", "g"), heard("c", "consumer", "gc receives g")];
    let topology = compose(&world(members, vec![mesh()]), &recorded("g"));
    assert_eq!(sends(&topology, "a"), ["b", "c OnCreate old-c"]);
    assert_eq!(sends(&topology, "b"), ["a", "c"]);
    assert_eq!(receives(&topology, "c").len(), 1);
}

#[test]
fn whoever_is_made_anew_where_there_is_data_begins_without_any() {
    let is_bare = |known: &Records| {
        let members = vec![heard("a", "supplier", "ga"), instance("b", "supplier"), instance("c", "consumer")];
        let one_way = agreement("one", json!({"instance": "a", "targets": ["b"]}));
        let topology = compose(&world(members, vec![one_way]), known);
        ["a", "b", "c"].map(|name| part(&topology, name).backends["root"].is_bare)
    };
    assert_eq!(is_bare(&Records::new()), [false; 3]);
    assert_eq!(is_bare(&recorded("ga")), [false, true, false]);
}

#[test]
fn what_was_permitted_stays_so_while_whoever_fills_it_is_not_heard() {
    let members = vec![instance("a", "supplier"), heard("b", "supplier", "gb receives g")];
    let topology = compose(&world(members, vec![mesh()]), &recorded("g"));
    assert_eq!((receives(&topology, "b").len(), sends(&topology, "a")), (1, vec!["b".to_owned()]));
}

#[test]
fn numbers_that_were_forgotten_are_those_that_servers_have() {
    let with_id = |name: &str, id: u32| {
        let mut member = heard(name, "supplier", "g");
        member.heard.as_mut().unwrap()[0].id = id;
        member
    };
    let silent = Member { was_there: true, ..instance("c", "supplier") };
    let topology =
        compose(&world(vec![with_id("a", 2), with_id("b", 1), silent, instance("d", "supplier")], vec![]), &Records::new());
    let id = |name: &str| part(&topology, name).backends["root"].id;
    assert_eq!([id("a"), id("b"), id("c"), id("d")], [Some(2), Some(1), None, Some(3)]);
    assert_eq!(part(&topology, "c").refused.as_ref().unwrap().reason, Reason::Waiting);
}

#[test]
fn what_nobody_has_any_more_is_not_waited_for() {
    let topology = compose(&world(vec![], vec![mesh()]), &recorded("g"));
    assert_eq!(seed(&topology), None);
}

fn asking(spec: &Value, word: &str) -> Arc<DS389Agreement> {
    let mut spec = spec.clone();
    spec["initialise"]["policy"] = "OnRequest".into();
    spec["initialise"]["requestId"] = word.into();
    agreement("one", spec)
}

#[test]
fn a_request_gives_data_to_whoever_holds_any_but_once_and_never_nothing() {
    let one_way = json!({"instance": "a", "targets": ["b"]});
    let asked = |a: Member, b: Member, known: &Records| compose(&world(vec![a, b], vec![asking(&one_way, "word")]), known);
    let first = asked(heard("a", "supplier", "ga"), heard("b", "supplier", "gb"), &recorded("gb"));
    // What was asked for is everybody's data now.
    assert_eq!(seed(&first), Some(("a.root", "ga")));
    assert_eq!(receives(&first, "b"), [json!({"suffix": SUFFIX, "generation": "ga", "request": "word"})]);
    assert_eq!(sends(&first, "a"), ["b"]);
    let agreed = asked(heard("a", "supplier", "ga"), heard("b", "supplier", "gb receives ga word"), &first.records);
    assert_eq!(sends(&agreed, "a"), ["b Anew word"]);
    // It is met when the server says so, and stays so when that has forgotten it.
    let met = with_agreement(heard("a", "supplier", "ga"), "b", AgreementState::InSync, "word");
    let met = asked(met, heard("b", "supplier", "ga"), &first.records);
    assert_eq!((sends(&met, "a"), receives(&met, "b")), (vec!["b".to_owned()], vec![]));
    assert_eq!(met.agreements["one"].pairs[0].request.as_deref(), Some("word"));
    let later = asked(heard("a", "supplier", "ga"), heard("b", "supplier", "gx"), &met.records);
    assert_eq!(receives(&later, "b"), [json!({"suffix": SUFFIX, "generation": "ga"})], "no more than of one that holds nothing");
    // Who has nothing gives nothing.
    let nothing = asked(heard("a", "supplier", "ga empty"), heard("b", "supplier", "gb"), &recorded("gb"));
    assert_eq!((seed(&nothing), receives(&nothing, "b")), (Some(("a.root", "gb")), vec![]));
    // A word that is taken back counts no more, also when it comes again.
    let taken_back = agreement("one", one_way.clone());
    let taken_back =
        compose(&world(vec![heard("a", "supplier", "ga"), heard("b", "supplier", "gb")], vec![taken_back]), &first.records);
    let again = asked(heard("a", "supplier", "ga"), heard("b", "supplier", "gb"), &taken_back.records);
    assert!(receives(&again, "b").iter().all(|told| told.get("request").is_none()));
    // And who was not asked does not do it.
    let never = agreement("one", json!({"instance": "a", "targets": ["b"], "initialise": {"policy": "Never"}}));
    let never =
        compose(&world(vec![heard("a", "supplier", "g"), heard("b", "supplier", "gx empty")], vec![never]), &recorded("g"));
    assert_eq!(receives(&never, "b"), [Value::Null; 0]);
}

#[test]
fn a_request_is_about_those_that_there_are_when_it_comes_and_from_one() {
    let members = || vec![heard("a", "supplier", "ga"), heard("b", "supplier", "gb")];
    let everybody = json!({"suffix": SUFFIX, "targets": ["*"]});
    let topology = compose(&world(members(), vec![asking(&everybody, "word")]), &Records::new());
    let refused = topology.agreements["one"].refused.as_ref().unwrap();
    assert!(refused.message.contains("say in initialise.from"), "{}", refused.message);

    let from_b = json!({"suffix": SUFFIX, "targets": ["*"], "initialise": {"from": "b"}});
    let topology = compose(&world(members(), vec![asking(&from_b, "word")]), &recorded("ga"));
    assert_eq!((seed(&topology), receives(&topology, "b")), (Some(("b.root", "gb")), vec![]));
    assert_eq!(receives(&topology, "a")[0]["request"], "word");
    // One that comes later keeps what it has.
    let later = [members(), vec![heard("c", "supplier", "gc")]].concat();
    let topology = compose(&world(later, vec![asking(&from_b, "word")]), &topology.records);
    assert_eq!(receives(&topology, "c"), [json!({"suffix": SUFFIX, "generation": "gb"})]);
    let nobody = json!({"suffix": SUFFIX, "targets": ["*"], "initialise": {"from": "x"}});
    let topology = compose(&world(members(), vec![asking(&nobody, "word")]), &Records::new());
    assert_eq!(topology.agreements["one"].refused.as_ref().unwrap().reason, Reason::Invalid);
}

#[test]
fn options_that_mean_nothing_are_the_agreements_own_problem() {
    for (spec, expected) in [
        (json!({"schedule": ["0100-0200"]}), "spec.schedule wants times such as"),
        (json!({"excludedAttributes": ["no name"]}), "spec.excludedAttributes"),
        (json!({"config": {"replicaTimeout": -1}}), "spec.config.replicaTimeout"),
    ] {
        let mut all = json!({"instance": "a", "targets": ["b"]});
        all.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        let members = vec![instance("a", "supplier"), instance("b", "supplier")];
        let topology = compose(&world(members, vec![agreement("one", all)]), &Records::new());
        let refused = topology.agreements["one"].refused.clone().unwrap();
        assert!(refused.reason == Reason::Invalid && refused.message.contains(expected), "{}", refused.message);
        assert_eq!((part(&topology, "a").refused.clone(), sends(&topology, "a").len()), (None, 0));
    }
}

#[test]
fn a_pair_is_as_both_say() {
    let state = |a: Member, b: Member| {
        let one = agreement("one", json!({"instance": "a", "targets": ["b"]}));
        let topology = compose(&world(vec![a, b], vec![one]), &recorded("g"));
        states(&topology, "one")[0].1
    };
    let sender = |state: AgreementState| with_agreement(heard("a", "supplier", "g"), "b", state, "");
    let good = || heard("b", "consumer", "g");
    assert_eq!(state(instance("a", "supplier"), good()), State::Unknown);
    assert_eq!(state(sender(AgreementState::InSync), instance("b", "consumer")), State::Unknown);
    assert_eq!(state(heard("a", "supplier", "g"), good()), State::Configuring);
    assert_eq!(state(sender(AgreementState::InSync), good()), State::InSync);
    // Two that were made in the same second may call their nothing the same.
    let nothing = with_agreement(heard("a", "hub", "gn empty"), "b", AgreementState::InSync, "");
    assert_eq!(state(nothing, heard("b", "consumer", "gn empty")), State::Waiting);
    assert_eq!(state(sender(AgreementState::OtherData), good()), State::InSync, "it had nothing to send since");
    assert_eq!(state(sender(AgreementState::Behind), good()), State::Behind);
    assert_eq!(state(sender(AgreementState::Failing), good()), State::Failing);
    assert_eq!(state(sender(AgreementState::Paused), good()), State::Paused);
    assert_eq!(state(sender(AgreementState::Initialising), heard("b", "consumer", "")), State::Initialising);
    assert_eq!(state(sender(AgreementState::OtherData), heard("b", "consumer", "gb receives g")), State::Initialising);
    assert_eq!(state(sender(AgreementState::OtherData), heard("b", "consumer", "gb empty")), State::Waiting);
    assert_eq!(state(sender(AgreementState::OtherData), heard("b", "consumer", "gb")), State::OtherData);
    let sends_nothing = with_agreement(heard("a", "supplier", "ga receives g"), "b", AgreementState::OtherData, "");
    assert_eq!(state(sends_nothing, good()), State::Waiting);
    // What the server that sends says may be of the time before the other one lost all it had.
    assert_eq!(state(sender(AgreementState::InSync), heard("b", "consumer", "gb")), State::OtherData);
}

#[test]
fn both_sides_of_a_conflict_of_data_are_named_with_the_way_out() {
    let members = || {
        vec![
            with_agreement(heard("a", "supplier", "ga"), "b", AgreementState::OtherData, ""),
            with_agreement(heard("b", "supplier", "gb"), "a", AgreementState::OtherData, ""),
        ]
    };
    let topology = compose(&world(members(), vec![mesh()]), &Records::new());
    let pair = &topology.agreements["mesh"].pairs[0];
    assert_eq!(pair.state, State::OtherData);
    for part in ["a.root (ga) and b.root (gb)", "OnRequest"] {
        assert!(pair.message.contains(part), "{}", pair.message);
    }
    assert!(["a", "b"].iter().all(|name| receives(&topology, name).is_empty()));
    assert_eq!(mesh().name_any(), "mesh");
}

//! What follows for each instance from all that there is in its namespace: its part. Nobody's data is ever given away by a guess: a
//! server is told to give its data to another when both have said what they hold, and the other has said that it holds nothing
//! or was asked for by its user.

use std::collections::{BTreeMap, BTreeSet};

use directory::{options::Scope, specification::Role};
use serde_json::{Map, Value, json};

use super::{
    pairs::{self, Pair},
    records::{self, Choice, Records},
    states::{self, PairState},
    world::{Member, Replicated, World},
};
use crate::{
    conditions::{Reason, Refused},
    crd::{AgreementSpec, InitialisePolicy, spelled},
    instance::SECURE_PORT,
};

/// As whom servers bind to each other.
pub(crate) const MANAGER_DN: &str = "cn=replication manager,cn=config";
/// Updates that may be under way. The server's default makes initialisations take ten times as long.
const WINDOW: u32 = 5000;

/// What follows from all that there is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Topology {
    /// By name of the instance.
    pub(crate) parts: BTreeMap<String, Part>,
    /// By name of the resource.
    pub(crate) agreements: BTreeMap<String, Found>,
    /// What is to be kept of the suffixes.
    pub(crate) records: Records,
}

/// What follows for an instance.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Part {
    /// Of the resource that was looked at.
    pub(crate) generation: Option<i64>,
    /// Why it cannot be what its resource says.
    pub(crate) refused: Option<Refused>,
    /// By name of the backend.
    pub(crate) backends: BTreeMap<String, BackendPart>,
    /// Suffixes that others may fill, as the agent is told.
    pub(crate) receives: Vec<Value>,
    /// Numbers of suppliers by suffix.
    pub(crate) numbers: BTreeMap<String, BTreeSet<u16>>,
}

/// What follows for a backend.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct BackendPart {
    /// The number of a supplier.
    pub(crate) id: Option<u16>,
    /// Whether others send to it.
    pub(crate) is_target: bool,
    /// Whether its entries are to come from others.
    pub(crate) is_bare: bool,
    /// Its agreements.
    pub(crate) agreements: Vec<Sends>,
}

/// One agreement: the instance that it binds to, what tells the password for that from another, and its options.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sends {
    pub(crate) target: String,
    pub(crate) password: String,
    pub(crate) options: Map<String, Value>,
}

/// What became of an agreement.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Found {
    /// Of the resource that was looked at.
    pub(crate) generation: Option<i64>,
    /// Why it means nothing.
    pub(crate) refused: Option<Refused>,
    /// The pairs that it means.
    pub(crate) pairs: Vec<PairState>,
}

impl Part {
    /// The instances that it sends to.
    pub(crate) fn targets(&self) -> BTreeSet<&str> {
        let sends = self.backends.values().flat_map(|backend| &backend.agreements);
        sends.map(|sends| sends.target.as_str()).collect()
    }

    /// Whether others send to it.
    pub(crate) fn is_target(&self) -> bool {
        self.backends.values().any(|backend| backend.is_target)
    }

    /// What follows for a backend.
    pub(crate) fn backend(&self, name: &str) -> Option<&BackendPart> {
        self.backends.get(&name.to_lowercase())
    }
}

/// Composes all of it.
pub(crate) fn compose(world: &World, known: &Records) -> Topology {
    let (pairs, refused) = pairs::resolve(world);
    let mut records = known.clone();
    records::number(world, &mut records);
    records::ask(&pairs, &mut records);
    let choices = choose(world, &pairs, &mut records);
    let mut topology = Topology { parts: parts(world, &records), ..Topology::default() };
    let mut filled = BTreeSet::new();
    for pair in &pairs {
        let choice = choice(&choices, &pair.target);
        connect(pair, choice, records::request(&records, pair), &mut filled, &mut topology.parts);
    }
    for agreement in &world.agreements {
        let name = agreement.metadata.name.clone().unwrap_or_default();
        let own = pairs.iter().filter(|pair| pair.agreement.metadata.name.as_deref() == Some(name.as_str()));
        let found = Found {
            generation: agreement.metadata.generation,
            refused: refused.get(&name).cloned(),
            pairs: own.map(|pair| states::of(pair, choice(&choices, &pair.target))).collect(),
        };
        topology.agreements.insert(name, found);
    }
    topology.records = records;
    topology
}

/// By suffix, in its normal form.
type Choices = BTreeMap<String, Choice>;

fn choice<'a>(choices: &'a Choices, one: &Replicated<'_>) -> Option<&'a Choice> {
    choices.get(one.backend.suffix.normal())
}

/// Whose data the suffixes are to have, of those that anybody sends; and notes it.
fn choose(world: &World, pairs: &[Pair<'_>], records: &mut Records) -> Choices {
    let mut choices = Choices::new();
    // What nobody has any more is not waited for.
    for (suffix, record) in records.iter_mut() {
        if !world.replicated().any(|one| one.backend.suffix.normal() == suffix) {
            record.seed = None;
        }
    }
    for pair in pairs {
        let suffix = &pair.source.backend.suffix;
        if choices.contains_key(suffix.normal()) {
            continue;
        }
        let of_suffix = || pairs.iter().filter(|pair| pair.source.backend.suffix == *suffix);
        let asked = of_suffix().find(|pair| records::request(records, pair).is_some()).map(|pair| pair.source);
        let record = records.entry(suffix.normal().to_owned()).or_default();
        let choice = records::choose(&world.of_suffix(suffix), record.seed.as_ref(), asked.as_ref());
        if let Choice::Seed(seed) = &choice {
            record.seed = Some(seed.clone());
        }
        choices.insert(suffix.normal().to_owned(), choice);
    }
    choices
}

/// What follows for instances before any pair is looked at.
fn parts(world: &World, records: &Records) -> BTreeMap<String, Part> {
    let id = |one: &Replicated<'_>| {
        let known = records::of(records, &one.backend.suffix)?.numbers.get(&one.key()).copied();
        known.filter(|_| one.backend.role == Role::Supplier)
    };
    // By suffix and number, who has it.
    let mut numbers: BTreeMap<&str, BTreeMap<u16, Vec<String>>> = BTreeMap::new();
    for (one, id) in world.replicated().filter_map(|one| Some((one, id(&one)?))) {
        numbers.entry(one.backend.suffix.normal()).or_default().entry(id).or_default().push(one.name());
    }
    let part = |member: &Member| {
        let mut part = Part { generation: member.generation, ..Part::default() };
        for one in member.backends.iter().map(|backend| Replicated { member, backend }) {
            let (suffix, id) = (one.backend.suffix.normal(), id(&one));
            let of_suffix = numbers.get(suffix);
            part.numbers.extend(of_suffix.map(|known| (suffix.to_owned(), known.keys().copied().collect())));
            if one.backend.role == Role::Supplier && id.is_none() {
                let message = format!("the number of {} is not known until its agent answers", one.name());
                part.refused = Some(Refused { reason: Reason::Waiting, message });
            }
            let who = id.and_then(|id| Some((id, of_suffix?.get(&id)?)));
            if let Some((id, twin)) = who.and_then(|(id, who)| Some((id, who.iter().find(|name| **name != one.name())?))) {
                let message = format!(
                    "backend {}: replicaId {id} is that of {twin} too, and both have suffix {}: give one of them another number",
                    one.backend.name, one.backend.suffix
                );
                part.refused = Some(Refused { reason: Reason::Conflict, message });
            }
            part.backends.insert(one.backend.name.to_lowercase(), BackendPart { id, ..BackendPart::default() });
        }
        (member.name.clone(), part)
    };
    world.members.iter().map(part).collect()
}

/// What follows for both of a pair. Of those that could fill a target, one does.
fn connect(
    pair: &Pair<'_>,
    choice: Option<&Choice>,
    request: Option<&str>,
    filled: &mut BTreeSet<String>,
    parts: &mut BTreeMap<String, Part>,
) {
    let Pair { agreement, source, target } = pair;
    let mut options = options(&agreement.spec, target);
    let filling = filling(pair, choice, request);
    if let Some(part) = parts.get_mut(&target.member.name) {
        if let Some(backend) = part.backends.get_mut(&target.backend.name.to_lowercase()) {
            backend.is_target = true;
            backend.is_bare |= is_bare(pair, choice);
        }
        let told = filling
            .as_ref()
            .map(|filling| filling.told(target))
            .filter(|told| part.receives.iter().all(|known| known.get("suffix") != told.get("suffix")));
        part.receives.extend(told);
    }
    let order = filling.filter(|filling| filling.gives).and_then(|filling| filling.order(target));
    if let Some((initialise, word)) = order.filter(|_| filled.insert(target.key())) {
        options.insert("initialise".to_owned(), initialise.into());
        options.insert("initialiserequest".to_owned(), word.into());
    }
    let part = parts.get_mut(&source.member.name);
    let backend = part.and_then(|part| part.backends.get_mut(&source.backend.name.to_lowercase()));
    // Without a password there is nothing yet to bind with.
    if let (Some(backend), Some(password)) = (backend, &target.member.password) {
        let (target, password) = (target.member.name.clone(), password.clone());
        backend.agreements.push(Sends { target, password, options });
    }
}

/// Whether the target of a pair, made anew, begins without any entries, so that nobody can write to it before it is filled: that is,
/// if there may be one to fill it. One that has its entries keeps them.
fn is_bare(pair: &Pair<'_>, choice: Option<&Choice>) -> bool {
    let Pair { agreement, source, target } = pair;
    let is_filled = !agreement.spec.paused && agreement.spec.initialise.policy != InitialisePolicy::Never;
    target.backend.may_be_bare && source.member.was_there && is_filled && matches!(choice, Some(Choice::Seed(_)))
}

/// That the target of a pair is to be given all entries of its source.
struct Filling {
    /// What they are called.
    generation: String,
    /// The word of the user who asks for it, whatever the target holds.
    request: Option<String>,
    /// Whether the source is known to have them, and to be at it for nobody else's sake.
    gives: bool,
}

impl Filling {
    /// What the target is told.
    fn told(&self, target: &Replicated<'_>) -> Value {
        let mut told = json!({"suffix": target.backend.suffix.to_string(), "generation": self.generation});
        if let (Some(request), Value::Object(told)) = (&self.request, &mut told) {
            told.insert("request".to_owned(), request.as_str().into());
        }
        told
    }

    /// What the source is told, once the target has said that it may be filled: how to do it, and a word of its own for each time.
    fn order(&self, target: &Replicated<'_>) -> Option<(&'static str, String)> {
        let heard = target.heard()?;
        match &self.request {
            Some(request) => (heard.receives == format!("{} {request}", self.generation)).then(|| ("Anew", request.clone())),
            // Filled in part it calls what it holds otherwise than before, and is filled once more.
            None => (heard.receives == self.generation).then(|| ("OnCreate", heard.held.clone())),
        }
    }
}

/// Whether the target of a pair is to be filled by its source, as far as both are heard.
fn filling(pair: &Pair<'_>, choice: Option<&Choice>, request: Option<&str>) -> Option<Filling> {
    let Pair { agreement, source, target } = pair;
    let Some(Choice::Seed(seed)) = choice else { return None };
    // Who is to get the data itself, or has other data, gives none.
    let gives = source.generation() == Some(&seed.generation) && source.heard().is_some_and(|known| known.receives.is_empty());
    if agreement.spec.paused {
        return None;
    }
    let generation = seed.generation.clone();
    if let Some(request) = request.filter(|_| gives) {
        return Some(Filling { generation, request: Some(request.to_owned()), gives });
    }
    if agreement.spec.initialise.policy == InitialisePolicy::Never {
        return None;
    }
    let heard = target.heard()?;
    let lacks = heard.generation != seed.generation && (!heard.generation.is_empty() || !heard.receives.is_empty());
    // What was permitted stays so while whoever was told to fill it is not heard: it may be at it.
    let is_permitted = heard.receives == seed.generation;
    (lacks && (gives || is_permitted)).then_some(Filling { generation, request: None, gives })
}

/// The options of an agreement with a target, but for the password.
fn options(spec: &AgreementSpec, target: &Replicated<'_>) -> Map<String, Value> {
    let options = json!({
        "name": target.name(),
        "replicahost": target.member.fqdn,
        "replicaport": SECURE_PORT,
        "replicatransportinfo": "LDAPS",
        "replicabindmethod": "SIMPLE",
        "replicabinddn": MANAGER_DN,
        "replicaenabled": !spec.paused,
        "replicaflowcontrolwindow": WINDOW,
    });
    let mut options = if let Value::Object(options) = options { options } else { Map::new() };
    if !spec.schedule.is_empty() {
        options.insert("replicaupdateschedule".to_owned(), json!(spec.schedule));
    }
    if !spec.excluded_attributes.is_empty() {
        options.insert("replicatedattributelist".to_owned(), json!(spec.excluded_attributes));
        options.insert("replicatedattributelisttotal".to_owned(), json!(spec.excluded_attributes));
    }
    let named =
        spec.config.iter().filter_map(|(field, value)| Some((spelled(Scope::Agreement, field)?.to_owned(), value.clone())));
    options.extend(named);
    options
}

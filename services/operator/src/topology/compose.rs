//! What follows for each instance from all that there is in its namespace: its part. Nobody's data is ever given away by a guess: a
//! server is told to give its data to another when both have said what they hold, and the other has said that it holds nothing
//! or was asked for by its user.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use directory::{options::Scope, specification::Role};
use serde_json::{Map, Value, json};

use super::{
    busy::{self, Busy},
    caught_up::Way,
    external,
    identities::{self, Binding},
    numbers,
    pairs::{self, Pair},
    records::{self, Choice, Records},
    removed,
    states::{self, PairState},
    world::{Member, Replicated, World},
};
use crate::{
    conditions::{Reason, Refused},
    crd::{AgreementSpec, DS389Agreement, InitialisePolicy},
    instance::SECURE_PORT,
};

/// Updates that may be under way. The server's default makes initialisations take ten times as long.
const WINDOW: u32 = 5000;

/// What follows from all that there is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Topology {
    /// By name of the instance.
    pub(crate) parts: BTreeMap<String, Arc<Part>>,
    /// By name of the resource.
    pub(crate) agreements: BTreeMap<String, Arc<Found>>,
    /// By suffix, in its normal form, what speaks against interrupting a server of it.
    pub(crate) busy: BTreeMap<String, Vec<Busy>>,
    /// Who may have changes that a restored supplier lacks, and that one.
    pub(crate) restored: BTreeSet<Way>,
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
    /// Authorities of users that have issued certificates of instances of the namespace, or others' next ones.
    pub(crate) authorities: BTreeSet<String>,
    /// The authority of its next certificate, if others are to trust that first.
    pub(crate) announced: Option<String>,
    /// Those that send to it and do not trust that authority yet.
    pub(crate) distrusted_by: BTreeSet<String>,
    /// What the passwords of those who send to it are called.
    pub(crate) senders: BTreeSet<String>,
    /// By the identities that these bind as, whose password each has.
    pub(crate) identities: BTreeMap<String, String>,
    /// Numbers of suppliers by suffix.
    pub(crate) numbers: BTreeMap<String, BTreeSet<u16>>,
    /// Numbers by suffix whose suppliers are gone, and that it is to clean from all servers.
    pub(crate) gone: BTreeMap<String, BTreeSet<u16>>,
}

/// What follows for a backend.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct BackendPart {
    /// Its suffix, in its normal form.
    pub(crate) suffix: String,
    /// The number of a supplier.
    pub(crate) id: Option<u16>,
    /// Whether others send to it.
    pub(crate) is_target: bool,
    /// The identities that are let in to send to it.
    pub(crate) admits: Vec<String>,
    /// Whether its entries are to come from others.
    pub(crate) is_bare: bool,
    /// Its agreements.
    pub(crate) agreements: Vec<Sends>,
    /// Those that it was told to have, and is to have no longer.
    pub(crate) removed: Vec<String>,
    /// Those that it was told to have and keeps, though nobody can say now how they should be.
    pub(crate) kept: Vec<String>,
}

/// One agreement: its name, whom it binds to and as whom, and its other options.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sends {
    pub(crate) name: String,
    pub(crate) to: Receiver,
    pub(crate) options: Map<String, Value>,
}

/// Who receives.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Receiver {
    /// An instance, and as whom it is bound to, if that can be said.
    Instance { name: String, binds: Option<Binds> },
    /// A server outside of the namespace; with a DN, by the password in the Secret.
    External { bind_dn: Option<String>, secret: Option<String> },
}

impl Receiver {
    /// The instance, and as whom it is bound to, if it is one.
    pub(super) fn instance(&self) -> Option<(&str, Option<&Binds>)> {
        match self {
            Self::Instance { name, binds } => Some((name, binds.as_ref())),
            Self::External { .. } => None,
        }
    }

    /// The Secret of a server outside of the namespace.
    fn secret(&self) -> Option<&str> {
        match self {
            Self::Instance { .. } => None,
            Self::External { secret, .. } => secret.as_deref(),
        }
    }
}

/// As whom an agreement binds: the identity, and what its password is called in the Secret of who receives.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Binds {
    pub(crate) dn: String,
    pub(crate) key: String,
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

impl Topology {
    /// Has what is as it was before in common with that: of a large namespace many are in use at a time, and of each little is new.
    pub(crate) fn share(&mut self, before: &Self) {
        share(&mut self.parts, &before.parts);
        share(&mut self.agreements, &before.agreements);
    }

    /// Those of which only the two can tell whether the one has all changes of the other.
    pub(crate) fn unsure(&self) -> BTreeSet<Way> {
        let pairs = self.agreements.values().flat_map(|found| &found.pairs);
        pairs.filter_map(|pair| pair.unsure.as_ref()).chain(&self.restored).cloned().collect()
    }
}

fn share<T: PartialEq>(all: &mut BTreeMap<String, Arc<T>>, before: &BTreeMap<String, Arc<T>>) {
    for (name, one) in all {
        if let Some(same) = before.get(name).filter(|known| *known == one) {
            *one = Arc::clone(same);
        }
    }
}

impl Part {
    /// The instances that it sends to.
    pub(crate) fn targets(&self) -> BTreeSet<&str> {
        self.receivers().filter_map(|to| Some(to.instance()?.0)).collect()
    }

    /// The Secrets of users with what reaches servers outside of the namespace.
    pub(crate) fn secrets(&self) -> BTreeSet<&str> {
        self.receivers().filter_map(Receiver::secret).collect()
    }

    fn receivers(&self) -> impl Iterator<Item = &Receiver> {
        self.backends.values().flat_map(|backend| &backend.agreements).map(|sends| &sends.to)
    }

    /// The suffixes that it has a part in replication of, each in its normal form.
    pub(crate) fn suffixes(&self) -> Vec<String> {
        self.backends.values().map(|backend| backend.suffix.clone()).collect()
    }

    /// Whether all that send to it trust an authority that it has announced.
    pub(crate) fn is_trusted(&self, authority: Option<&str>) -> bool {
        self.announced.as_deref() == authority && self.distrusted_by.is_empty()
    }

    /// What follows for a backend.
    pub(crate) fn backend(&self, name: &str) -> Option<&BackendPart> {
        self.backends.get(&name.to_lowercase())
    }
}

/// Composes all of it.
pub(crate) fn compose(world: &World, known: &Records) -> Topology {
    let meant = pairs::resolve(world);
    let (pairs, links) = (&meant.pairs, meant.links());
    let mut records = known.clone();
    numbers::take_back(world, &mut records);
    numbers::retire(world, &mut records);
    numbers::number(world, &mut records);
    records::ask(&links, &mut records);
    identities::note(pairs, &mut records);
    let choices = choose(world, pairs, &mut records);
    let mut parts = parts(world, &records);
    let mut filled = BTreeSet::new();
    for pair in pairs {
        let choice = choice(&choices, &pair.target);
        let binding = identities::binding(pair, &records);
        connect(pair, choice, records::request(&records, &pair.link()), binding, &mut filled, &mut parts);
    }
    for one in &meant.external {
        external::connect(one, choice(&choices, &one.source), records::request(&records, &one.link()), &mut parts);
    }
    identities::let_in_leaving(world, &records, &mut parts);
    removed::remove(world, &links, &meant.refused, &mut records, &mut parts);
    let mut agreements = BTreeMap::new();
    for agreement in &world.agreements {
        let name = agreement.metadata.name.clone().unwrap_or_default();
        let is_own = |of: &DS389Agreement| of.metadata.name.as_deref() == Some(name.as_str());
        let own = pairs.iter().filter(|pair| is_own(pair.agreement));
        let outside = meant.external.iter().filter(|one| is_own(one.agreement)).map(external::state);
        let found = Found {
            generation: agreement.metadata.generation,
            refused: meant.refused.get(&name).cloned(),
            pairs: own.map(|pair| states::of(pair, choice(&choices, &pair.target), &records, world)).chain(outside).collect(),
        };
        agreements.insert(name, found);
    }
    let busy = busy::of(world, &agreements);
    let restored = numbers::to_ask(world, &records);
    Topology { parts: shared(parts), agreements: shared(agreements), busy, restored, records }
}

fn shared<T>(all: BTreeMap<String, T>) -> BTreeMap<String, Arc<T>> {
    all.into_iter().map(|(name, one)| (name, Arc::new(one))).collect()
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
        let asked = of_suffix().find(|pair| records::request(records, &pair.link()).is_some()).map(|pair| pair.source);
        let record = records.entry(suffix.normal().to_owned()).or_default();
        let choice = records::choose(&world.of_suffix(suffix.normal()), record.seed.as_ref(), asked.as_ref());
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
    let mut cleaners = numbers::cleaners(world, records);
    let part = |member: &Member| {
        let issuers = world.members.iter().filter_map(|other| other.issuer.clone());
        // Its own next one comes with the certificate.
        let announced =
            world.members.iter().filter(|other| other.name != member.name).filter_map(|other| other.announced.clone());
        let mut part = Part {
            generation: member.generation,
            gone: cleaners.remove(&member.name).unwrap_or_default(),
            authorities: issuers.chain(announced).collect(),
            announced: member.announced.clone(),
            ..Part::default()
        };
        for one in member.backends.iter().map(|backend| Replicated { member, backend }) {
            let (suffix, id) = (one.backend.suffix.normal(), id(&one));
            let of_suffix = numbers.get(suffix);
            part.numbers.extend(of_suffix.map(|known| (suffix.to_owned(), known.keys().copied().collect())));
            if one.backend.role == Role::Supplier {
                let refused = numbers::why_not(&one, records::of(records, &one.backend.suffix), id);
                part.refused = refused.or(part.refused);
            }
            let who = id.and_then(|id| Some((id, of_suffix?.get(&id)?)));
            if let Some((id, twin)) = who.and_then(|(id, who)| Some((id, who.iter().find(|name| **name != one.name())?))) {
                let message = format!(
                    "backend {}: replicaId {id} is that of {twin} too, and both have suffix {}: give one of them another number",
                    one.backend.name, one.backend.suffix
                );
                part.refused = Some(Refused { reason: Reason::Conflict, message });
            }
            part.backends
                .insert(one.backend.name.to_lowercase(), BackendPart { suffix: suffix.to_owned(), id, ..BackendPart::default() });
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
    binding: Binding,
    filled: &mut BTreeSet<String>,
    parts: &mut BTreeMap<String, Part>,
) {
    let Pair { agreement, source, target } = pair;
    let connection = [
        ("replicahost", Value::from(target.member.fqdn.as_str())),
        ("replicaport", SECURE_PORT.into()),
        ("replicatransportinfo", "LDAPS".into()),
        ("replicabindmethod", "SIMPLE".into()),
    ];
    let mut options = options(&agreement.spec, &target.name(), connection);
    let filling = filling(pair, choice, request);
    if let Some(part) = parts.get_mut(&target.member.name) {
        let announced = target.member.announced.as_ref().filter(|_| source.member.obeys);
        let distrusts = announced.is_some_and(|authority| !source.member.trusts.contains(authority));
        part.distrusted_by.extend(distrusts.then(|| source.member.name.clone()));
        if let Some(backend) = part.backends.get_mut(&target.backend.name.to_lowercase()) {
            backend.is_target = true;
            backend.admits.extend(binding.admitted);
            backend.is_bare |= is_bare(pair, choice);
        }
        part.senders.insert(binding.key.clone());
        part.identities.extend(binding.current.clone().map(|dn| (dn, binding.key.clone())));
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
    if let (Some(backend), Some(_)) = (backend, binding.current) {
        let binds = binding.own.map(|dn| Binds { dn, key: binding.key });
        let to = Receiver::Instance { name: target.member.name.clone(), binds };
        backend.agreements.push(Sends { name: target.name(), to, options });
    }
}

/// Whether the target of a pair, made anew, begins without any entries, so that nobody can write to it before it is filled: that is,
/// if there may be one to fill it. One that has its entries keeps them.
fn is_bare(pair: &Pair<'_>, choice: Option<&Choice>) -> bool {
    let Pair { agreement, source, .. } = pair;
    let is_filled = !agreement.spec.paused && agreement.spec.initialise.policy != InitialisePolicy::Never;
    source.member.was_there && is_filled && matches!(choice, Some(Choice::Seed(_)))
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

/// The options of an agreement, but for as whom it binds.
pub(super) fn options(spec: &AgreementSpec, name: &str, connection: [(&str, Value); 4]) -> Map<String, Value> {
    let own = [("name", name.into()), ("replicaenabled", (!spec.paused).into()), ("replicaflowcontrolwindow", WINDOW.into())];
    let mut options: Map<String, Value> =
        own.into_iter().chain(connection).map(|(option, value)| (option.to_owned(), value)).collect();
    if !spec.schedule.is_empty() {
        options.insert("replicaupdateschedule".to_owned(), json!(spec.schedule));
    }
    if !spec.excluded_attributes.is_empty() {
        options.insert("replicatedattributelist".to_owned(), json!(spec.excluded_attributes));
        options.insert("replicatedattributelisttotal".to_owned(), json!(spec.excluded_attributes));
    }
    let option = |field: &str| Scope::Agreement.option_of_field(field);
    let named = spec.config.iter().filter_map(|(field, value)| Some((option(field)?.name.to_owned(), value.clone())));
    options.extend(named);
    options
}

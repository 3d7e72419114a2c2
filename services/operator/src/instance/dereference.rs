//! What an instance refers to and what there is of it already: objects, certificates, passwords, and what its agent says. What is
//! not there and the operator's to make is made up here, and kept by `apply`.

mod certificates;

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::Arc,
    time::Duration,
};

use aws_lc_rs::rand;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{PersistentVolumeClaim, Pod, Secret, Service},
    networking::v1::NetworkPolicy,
};
use kube::{
    Api, Resource, ResourceExt,
    runtime::reflector::{ObjectRef, Store},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use time::OffsetDateTime;

use crate::{
    agents::Heard,
    authorities::{text, texts},
    authority::Purpose,
    compact::Compact,
    conditions::Refused,
    crd::DS389Instance,
    externals::Credentials,
    instance::{
        Context, Error,
        build::{DOCUMENT, SERVICE_LABEL},
        names::Names,
    },
    objects,
    topology::Part,
    watches::Known,
};

pub(crate) use certificates::{ANNOUNCED, Certificate, ISSUER};

/// The key of a password in its Secret.
pub(crate) const PASSWORD: &str = "password";
/// The key of what is hashed with the passwords of a Secret, so that nobody can guess these by their hashes.
pub(crate) const SALT: &str = "salt";
/// Bytes that a password is made of.
const PASSWORD_BYTES: usize = 24;

/// All of it.
pub(crate) struct Referenced {
    /// When it was looked for.
    pub(crate) now: OffsetDateTime,
    pub(crate) stateful_set: Option<StatefulSet>,
    pub(crate) service: Option<Service>,
    /// Those for clients, wanted or not.
    pub(crate) client_services: Vec<Service>,
    pub(crate) policy: Option<NetworkPolicy>,
    pub(crate) claim: Option<PersistentVolumeClaim>,
    pub(crate) pod: Option<Pod>,
    /// What the agent was told last. It is asked for anew, for its number must not be given twice.
    pub(crate) specification: Option<Secret>,
    pub(crate) agent: Certificate,
    pub(crate) server: Certificate,
    /// Why the certificate of the user cannot be taken.
    pub(crate) certificate_problem: Option<Refused>,
    pub(crate) password: Password,
    /// The Secret that it is kept in, if that is the operator's.
    pub(crate) password_secret: Option<Arc<Secret>>,
    pub(crate) replication: Replication,
    /// What the agent says.
    pub(crate) heard: Heard,
}

/// The password of the administrator.
pub(crate) enum Password {
    /// From a Secret.
    Known(String),
    /// Made just now.
    Made(String),
    /// The Secret is not there and not ours to make, or has none in it: what is missing.
    Missing(String),
}

/// The passwords that servers bind to each other with.
#[derive(Default)]
pub(crate) struct Replication {
    /// Of those that send to this one, by what they are called.
    pub(crate) own: BTreeMap<String, String>,
    /// Whether some of them were made just now.
    pub(crate) is_new: bool,
    /// The Secret that they are kept in, if there is one.
    pub(crate) secret: Option<Secret>,
    /// The same of those that it sends to, by instance.
    pub(crate) targets: BTreeMap<String, BTreeMap<String, String>>,
    /// What reaches servers outside of the namespace, by Secret.
    pub(crate) externals: BTreeMap<String, Credentials>,
    /// Why none can be kept for this one.
    pub(crate) problem: Option<String>,
}

impl Password {
    /// The password.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Known(text) | Self::Made(text) => Some(text),
            Self::Missing(_) => None,
        }
    }
}

impl Referenced {
    /// How long until a certificate has to be made anew, or one of a user ends.
    pub(crate) fn until_renewal(&self) -> Duration {
        let known = [&self.agent, &self.server].into_iter().filter_map(|certificate| certificate.known.as_ref());
        until_first(known.flat_map(|known| [known.is_due(), known.ends]), self.now)
    }
}

/// How long until the first of these times that is still to come.
fn until_first(times: impl Iterator<Item = OffsetDateTime>, now: OffsetDateTime) -> Duration {
    times.filter_map(|time| Duration::try_from(time - now).ok()).filter(|left| !left.is_zero()).min().unwrap_or(Duration::MAX)
}

/// Finds all of it.
pub(crate) async fn dereference(
    instance: &DS389Instance,
    names: &Names,
    part: &Part,
    context: &Context,
) -> Result<Referenced, Error> {
    let known = &context.known;
    let secrets: Api<Secret> = Api::namespaced(context.client.clone(), &names.namespace);
    let now = OffsetDateTime::now_utc();
    let authorities = &context.authorities;
    let agent = certificates::issued(
        own(names.agent(), known, &secrets).await?,
        &authorities.agents,
        &[],
        &names.hosts(),
        Purpose::Server,
        now,
    )?;
    let kept = own(names.tls(), known, &secrets).await?;
    let externals = externals(part, &secrets).await?;
    let of_externals = externals.values().filter_map(|credentials| credentials.authority.as_ref());
    let others: BTreeSet<String> = part.authorities.iter().chain(of_externals).cloned().collect();
    let (tls, others) = (instance.spec.tls.clone().unwrap_or_default(), Vec::from_iter(others));
    let given = match &tls.secret_name {
        None => None,
        Some(name) => {
            let given = get_secret(&secrets, name.clone()).await?;
            let (kept, authority) = (kept.clone(), &authorities.directories);
            Some(certificates::given(name, given.as_ref(), kept, authority, &others, &names.fqdn, now))
        }
    };
    let shown = || certificates::kept(kept.clone(), &authorities.directories, &others);
    let issued = || {
        let hosts = names.hosts_for_clients(&instance.spec);
        certificates::issued(kept.clone(), &authorities.directories, &others, &hosts, Purpose::Both, now)
    };
    let (server, certificate_problem) = match given {
        Some(Ok(given)) => {
            let is_trusted = part.is_trusted(given.issuer.as_deref());
            (certificates::shown(given, shown(), is_trusted, now), None)
        }
        // It goes on with the one that it has; with none, nobody is told of any.
        Some(Err(refused)) => match shown() {
            Some(shown) => (shown, Some(refused)),
            None => (Certificate { known: None, ..issued()? }, Some(refused)),
        },
        None => (issued()?, None),
    };
    let server = if instance.spec.check { certificates::checked(server, shown()) } else { server };
    let specification = get_secret(&secrets, names.specification()).await?;
    Ok(Referenced {
        now,
        certificate_problem,
        stateful_set: whole(&known.stateful_sets, names, &names.instance)?,
        service: whole(&known.services, names, &names.instance)?,
        client_services: client_services(names, context)?,
        policy: whole(&known.policies, names, &names.instance)?,
        claim: whole(&known.claims, names, &names.claim())?,
        pod: whole(&known.pods, names, &names.pod())?,
        agent,
        server,
        password: password(instance, names, known, &secrets, specification.as_ref()).await?,
        password_secret: match instance.spec.directory_manager {
            Some(_) => None,
            None => own(names.directory_manager(), known, &secrets).await?,
        },
        specification,
        replication: Replication { externals, ..replication(names, part, context, &secrets).await? },
        heard: context.agents.heard(&names.key(), &names.fqdn),
    })
}

/// An object of the namespace, if there is one of this name.
fn whole<K>(kept: &Store<Compact<K>>, names: &Names, name: &str) -> Result<Option<K>, Error>
where
    K: Resource<DynamicType = ()> + Serialize + DeserializeOwned + Clone + 'static,
{
    let kept = kept.get(&ObjectRef::new(name).within(&names.namespace));
    kept.map(|kept| kept.whole()).transpose().map_err(Error::Kept)
}

fn client_services(names: &Names, context: &Context) -> Result<Vec<Service>, Error> {
    let all = context.known.services.state().into_iter();
    let of_instance = |service: &Arc<Compact<Service>>| {
        let label = |key: &str| service.labels().get(key);
        let is_here = service.namespace().as_ref() == Some(&names.namespace);
        is_here && label(objects::INSTANCE_LABEL) == Some(&names.instance) && label(SERVICE_LABEL).is_some()
    };
    all.filter(of_instance).map(|service| service.whole().map_err(Error::Kept)).collect()
}

/// A Secret that the operator may have made. What was made just now may not be known yet.
async fn own(name: String, known: &Known, secrets: &Api<Secret>) -> Result<Option<Arc<Secret>>, Error> {
    let namespace = secrets.namespace().unwrap_or_default();
    match known.secrets.get(&ObjectRef::new(&name).within(namespace)) {
        Some(secret) => Ok(Some(secret)),
        None => get_secret(secrets, name).await.map(|secret| secret.map(Arc::new)),
    }
}

/// A Secret, as it is now.
pub(crate) async fn get_secret(secrets: &Api<Secret>, name: String) -> Result<Option<Secret>, Error> {
    secrets.get_opt(&name).await.map_err(|said| Error::Read { kind: "Secret", name, said: Box::new(said) })
}

/// What reaches the servers outside of the namespace that it sends to.
async fn externals(part: &Part, secrets: &Api<Secret>) -> Result<BTreeMap<String, Credentials>, Error> {
    let mut externals = BTreeMap::new();
    for name in part.secrets() {
        if let Some(secret) = get_secret(secrets, name.to_owned()).await? {
            externals.insert(name.to_owned(), Credentials::of(&secret));
        }
    }
    Ok(externals)
}

/// The password of the user's Secret, or of our own. What is not known is asked for: another one must never be made while there is
/// one. Of an instance that is only checked, the server keeps the one that its agent was told.
async fn password(
    instance: &DS389Instance,
    names: &Names,
    known: &Known,
    secrets: &Api<Secret>,
    specification: Option<&Secret>,
) -> Result<Password, Error> {
    let given = instance.spec.directory_manager.as_ref().map(|given| given.secret_name.clone());
    let name = given.clone().unwrap_or_else(|| names.directory_manager());
    let Some(secret) = own(name.clone(), known, secrets).await? else {
        return match given {
            Some(name) => Ok(Password::Missing(format!("the Secret {name} is not there"))),
            None => {
                let has = specification.filter(|_| instance.spec.check).and_then(told_password);
                Ok(Password::Made(has.map_or_else(random, Ok)?))
            }
        };
    };
    let password = text(&secret, PASSWORD).map(|text| text.trim_end_matches('\n').to_owned());
    Ok(match password.filter(|password| !password.is_empty()) {
        Some(password) => Password::Known(password),
        None => Password::Missing(format!("the Secret {name} has no text in its key {PASSWORD}")),
    })
}

/// The password that an agent was told.
fn told_password(specification: &Secret) -> Option<String> {
    let document: Value = serde_json::from_str(&text(specification, DOCUMENT)?).ok()?;
    Some(document["ds389_instances"][0]["rootpw"].as_str()?.to_owned())
}

/// The passwords for replication. Where one is missing that the operator knows of, it is asked for anew: what was made just now may
/// not be known yet.
async fn replication(names: &Names, part: &Part, context: &Context, secrets: &Api<Secret>) -> Result<Replication, Error> {
    let known = |name: &str| context.known.secrets.get(&ObjectRef::new(name).within(&names.namespace));
    let of = |target: &str| Some((target.to_owned(), texts(&*known(&names.replication_of(target))?)));
    let targets = part.targets().into_iter().filter_map(of).collect();
    let mut keys = part.senders.clone();
    if !keys.is_empty() {
        keys.insert(SALT.to_owned());
    }
    let has_all = |own: &BTreeMap<String, String>| keys.iter().all(|key| own.contains_key(key));
    let mut secret = known(&names.replication()).map(Arc::unwrap_or_clone);
    let mut own = secret.as_ref().map(texts).unwrap_or_default();
    if has_all(&own) {
        return Ok(Replication { own, targets, secret, ..Replication::default() });
    }
    secret = get_secret(secrets, names.replication()).await?;
    if let Some(there) = &secret {
        let wanted = Secret { metadata: names.owned(names.replication()), ..Secret::default() };
        if let Err(foreign) = objects::check_owner(&wanted, there) {
            return Ok(Replication { targets, problem: Some(foreign.to_string()), ..Replication::default() });
        }
        own = texts(there);
    }
    let is_new = !has_all(&own);
    own.retain(|key, _| keys.contains(key));
    for key in keys {
        if let Entry::Vacant(missing) = own.entry(key) {
            missing.insert(random()?);
        }
    }
    Ok(Replication { own, is_new, secret, targets, ..Replication::default() })
}

fn random() -> Result<String, Error> {
    let mut bytes = [0; PASSWORD_BYTES];
    rand::fill(&mut bytes).map_err(|_| Error::Random)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_looked_again_when_a_certificate_is_due_or_ends_whichever_is_still_to_come() {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let at = |seconds: i64| now + time::Duration::seconds(seconds);
        for (times, expected) in [
            (vec![at(50), at(90)], Duration::from_secs(50)),
            // One of a user is due before it is given.
            (vec![at(-50), at(90)], Duration::from_secs(90)),
            (vec![at(-50), at(0)], Duration::MAX),
        ] {
            assert_eq!(until_first(times.into_iter(), now), expected);
        }
    }
}

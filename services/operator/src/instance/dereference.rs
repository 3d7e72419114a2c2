//! What an instance refers to and what there is of it already: objects, certificates, passwords, and what its agent says. What is
//! not there and the operator's to make is made up here, and kept by `apply`.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use aws_lc_rs::rand;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{PersistentVolumeClaim, Pod, Secret, Service},
};
use kube::{Api, runtime::reflector::ObjectRef};
use time::OffsetDateTime;

use crate::{
    agents::Heard,
    authorities::{AUTHORITY, CERTIFICATE, KEY, text},
    authority::{self, Authority, Identity, Known, Purpose, RENEWED_BEFORE, SERVER_LASTS},
    crd::DS389Instance,
    instance::{Context, Error, names::Names},
    objects,
    topology::Part,
};

/// The key of a password in its Secret.
pub(crate) const PASSWORD: &str = "password";
/// Bytes that a password is made of.
const PASSWORD_BYTES: usize = 24;

/// All of it.
pub(crate) struct Referenced {
    /// When it was looked for.
    pub(crate) now: OffsetDateTime,
    pub(crate) stateful_set: Option<Arc<StatefulSet>>,
    pub(crate) service: Option<Arc<Service>>,
    pub(crate) claim: Option<Arc<PersistentVolumeClaim>>,
    pub(crate) pod: Option<Arc<Pod>>,
    /// What the agent was told last. It is asked for anew, for its number must not be given twice.
    pub(crate) specification: Option<Secret>,
    pub(crate) agent: Certificate,
    pub(crate) server: Certificate,
    pub(crate) password: Password,
    pub(crate) replication: Replication,
    /// What the agent says.
    pub(crate) heard: Heard,
}

/// A certificate of an instance, with its authority's.
pub(crate) struct Certificate {
    pub(crate) identity: Identity,
    pub(crate) authority: String,
    pub(crate) known: Option<Known>,
    /// The Secret that it is kept in, if it is kept.
    pub(crate) secret: Option<Arc<Secret>>,
    /// Whether it was made just now.
    pub(crate) is_new: bool,
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
    /// Of this one, if others send to it; whether it was made just now.
    pub(crate) own: Option<(String, bool)>,
    /// Of those that it sends to, by instance.
    pub(crate) targets: BTreeMap<String, String>,
    /// Why there is none of this one, and none can be made.
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
    /// How long until a certificate has to be made anew.
    pub(crate) fn until_renewal(&self) -> Duration {
        let known = [&self.agent, &self.server].into_iter().filter_map(|certificate| certificate.known.as_ref());
        let due = known.map(|known| known.ends - RENEWED_BEFORE - self.now);
        due.filter_map(|due| Duration::try_from(due).ok()).min().unwrap_or(Duration::MAX)
    }
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
    let own = async |name: String| match known.secrets.get(&ObjectRef::new(&name).within(&names.namespace)) {
        Some(secret) => Ok(Some(secret)),
        // What was made just now may not be known yet.
        None => get(&secrets, name).await.map(|secret| secret.map(Arc::new)),
    };
    let now = OffsetDateTime::now_utc();
    let authorities = &context.authorities;
    let agent = certificate(own(names.agent()).await?, &authorities.agents, &names.hosts(), Purpose::Server, now)?;
    let server = certificate(own(names.tls()).await?, &authorities.directories, &names.hosts(), Purpose::Both, now)?;
    Ok(Referenced {
        now,
        stateful_set: known.stateful_sets.get(&ObjectRef::new(&names.instance).within(&names.namespace)),
        service: known.services.get(&ObjectRef::new(&names.instance).within(&names.namespace)),
        claim: known.claims.get(&ObjectRef::new(&names.claim()).within(&names.namespace)),
        pod: known.pods.get(&ObjectRef::new(&names.pod()).within(&names.namespace)),
        specification: get(&secrets, names.specification()).await?,
        agent,
        server,
        password: password(instance, names, &secrets).await?,
        replication: replication(names, part, context, &secrets).await?,
        heard: context.agents.heard(&names.key(), &names.fqdn),
    })
}

async fn get(secrets: &Api<Secret>, name: String) -> Result<Option<Secret>, Error> {
    secrets.get_opt(&name).await.map_err(|said| Error::Read { kind: "Secret", name, said: Box::new(said) })
}

/// The password of the user's Secret, or of our own. Both are asked for anew: another one must never be made while there is one.
async fn password(instance: &DS389Instance, names: &Names, secrets: &Api<Secret>) -> Result<Password, Error> {
    let given = instance.spec.directory_manager.as_ref().map(|given| given.secret_name.clone());
    let name = given.clone().unwrap_or_else(|| names.directory_manager());
    let Some(secret) = get(secrets, name.clone()).await? else {
        return match given {
            Some(name) => Ok(Password::Missing(format!("the Secret {name} is not there"))),
            None => Ok(Password::Made(random()?)),
        };
    };
    let password = text(&secret, PASSWORD).map(|text| text.trim_end_matches('\n').to_owned());
    Ok(match password.filter(|password| !password.is_empty()) {
        Some(password) => Password::Known(password),
        None => Password::Missing(format!("the Secret {name} has no text in its key {PASSWORD}")),
    })
}

/// The passwords for replication. The operator's own are all known, but for one that was made just now.
async fn replication(names: &Names, part: &Part, context: &Context, secrets: &Api<Secret>) -> Result<Replication, Error> {
    let known = |name: &str| {
        let secret = context.known.secrets.get(&ObjectRef::new(name).within(&names.namespace))?;
        text(&secret, PASSWORD)
    };
    let mut problem = None;
    let own = match (part.is_target(), known(&names.replication())) {
        (false, _) => None,
        (true, Some(password)) => Some((password, false)),
        (true, None) => match get(secrets, names.replication()).await? {
            None => Some((random()?, true)),
            Some(secret) => {
                let wanted = Secret { metadata: names.owned(names.replication()), ..Secret::default() };
                let password = match objects::check_owner(&wanted, &secret) {
                    Ok(()) => text(&secret, PASSWORD).ok_or_else(|| {
                        format!("the Secret {} has no text in its key {PASSWORD}: delete it", names.replication())
                    }),
                    Err(foreign) => Err(foreign.to_string()),
                };
                problem = password.as_ref().err().cloned();
                password.ok().map(|password| (password, false))
            }
        },
    };
    let of = |target: &str| Some((target.to_owned(), known(&names.replication_of(target))?));
    Ok(Replication { own, targets: part.targets().into_iter().filter_map(of).collect(), problem })
}

fn random() -> Result<String, Error> {
    let mut bytes = [0; PASSWORD_BYTES];
    rand::fill(&mut bytes).map_err(|_| Error::Random)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// The certificate that is kept, or a new one if there is none, or not for these names and this authority, or it ends soon.
fn certificate(
    secret: Option<Arc<Secret>>,
    authority: &Authority,
    hosts: &[String],
    purpose: Purpose,
    now: OffsetDateTime,
) -> Result<Certificate, Error> {
    let issuer = &authority.identity.certificate;
    let kept = secret.as_deref().and_then(|secret| {
        let identity = Identity { certificate: text(secret, CERTIFICATE)?, key: text(secret, KEY)? };
        let known = authority::read(identity.certificate.as_bytes())?;
        let is_good = text(secret, AUTHORITY).as_ref() == Some(issuer) && known.names == hosts && !known.is_to_be_renewed(now);
        is_good.then_some((identity, known))
    });
    let is_new = kept.is_none();
    let (identity, known) = match kept {
        Some((identity, known)) => (identity, Some(known)),
        None => {
            let identity = authority.issue(hosts, purpose, now, SERVER_LASTS)?;
            let known = authority::read(identity.certificate.as_bytes());
            (identity, known)
        }
    };
    Ok(Certificate { identity, authority: issuer.clone(), known, secret, is_new })
}

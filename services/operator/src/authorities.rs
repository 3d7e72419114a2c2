//! The operator's two authorities, each in a Secret of its own namespace. One vouches for agents and for the operator that calls
//! them; the other for directory servers. No certificate of the one is worth anything with the other: a server that can be
//! called by its clients cannot call an agent.

use std::collections::BTreeMap;

use k8s_openapi::{ByteString, api::core::v1::Secret, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use kube::{Api, Client, api::PostParams};
use time::OffsetDateTime;

use crate::authority::{self, Authority, Identity};

/// The keys of a Secret with a certificate.
pub(crate) const CERTIFICATE: &str = "tls.crt";
/// The same.
pub(crate) const KEY: &str = "tls.key";
/// The same.
pub(crate) const AUTHORITY: &str = "ca.crt";

/// Why there are none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The API server refuses.
    #[error("failed to read or make the Secret {name}")]
    Secret {
        /// Its name.
        name: String,
        /// What the API server said.
        source: Box<kube::Error>,
    },
    /// It is not what we have made.
    #[error("the Secret {0} has no {CERTIFICATE} and {KEY} of an authority; delete it to have another one made")]
    Spoiled(String),
    /// None can be made.
    #[error(transparent)]
    Make(#[from] authority::Error),
}

/// Both.
pub(crate) struct Authorities {
    pub(crate) agents: Authority,
    pub(crate) directories: Authority,
}

impl Authorities {
    /// Reads them, and makes those that are not there.
    pub(crate) async fn load(client: Client, namespace: &str, name: &str) -> Result<Self, Error> {
        let api: Api<Secret> = Api::namespaced(client, namespace);
        let agents = load(&api, &format!("{name}-agents-ca"), "Aviary agents").await?;
        let directories = load(&api, &format!("{name}-directories-ca"), "Aviary directories").await?;
        Ok(Self { agents, directories })
    }
}

async fn load(api: &Api<Secret>, name: &str, common_name: &str) -> Result<Authority, Error> {
    let failed = |source| Error::Secret { name: name.to_owned(), source: Box::new(source) };
    if let Some(secret) = api.get_opt(name).await.map_err(failed)? {
        return of(name, &secret);
    }
    let made = Authority::make(common_name, OffsetDateTime::now_utc())?;
    let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    let data = [(CERTIFICATE, &made.certificate), (KEY, &made.key)];
    let data = data.into_iter().map(|(key, text)| (key.to_owned(), ByteString(text.clone().into_bytes()))).collect();
    let secret = Secret { metadata, data: Some(data), type_: Some("kubernetes.io/tls".to_owned()), ..Secret::default() };
    match api.create(&PostParams::default(), &secret).await {
        Ok(secret) => of(name, &secret),
        // Somebody else was faster.
        Err(kube::Error::Api(status)) if status.code == 409 => of(name, &api.get(name).await.map_err(failed)?),
        Err(source) => Err(failed(source)),
    }
}

fn of(name: &str, secret: &Secret) -> Result<Authority, Error> {
    let spoiled = || Error::Spoiled(name.to_owned());
    let text = |key| text(secret, key).ok_or_else(spoiled);
    Authority::of(Identity { certificate: text(CERTIFICATE)?, key: text(KEY)? }).map_err(|_| spoiled())
}

/// A text of a Secret.
pub(crate) fn text(secret: &Secret, key: &str) -> Option<String> {
    let bytes = secret.data.as_ref()?.get(key)?;
    String::from_utf8(bytes.0.clone()).ok()
}

/// All texts in a Secret that say anything.
pub(crate) fn texts(secret: &Secret) -> BTreeMap<String, String> {
    let keys = secret.data.iter().flat_map(BTreeMap::keys);
    let texts = keys.filter_map(|key| Some((key.clone(), text(secret, key)?)));
    texts.filter(|(_, text)| !text.is_empty()).collect()
}

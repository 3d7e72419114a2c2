//! Servers outside of the namespace that receive.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::options;

/// A server outside of the namespace that receives. It has to be a consumer, hub or supplier of the suffix by itself, and to let
/// those in who send.
#[derive(KubeSchema, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("(has(self.bindMethod) && self.bindMethod == 'Certificate') || (has(self.bindDn) && has(self.secretName))")
        .message("bindMethod is Simple: give bindDn, and the name of a Secret with its password in secretName"),
    validation = Rule::new("!has(self.bindDn) || !has(self.bindMethod) || self.bindMethod == 'Simple'")
        .message("bindDn is given, but bindMethod is Certificate; the certificate says who binds")
)]
pub(crate) struct ExternalServer {
    /// What it is called here.
    #[schemars(schema_with = "options::external_name")]
    pub(crate) name: String,

    /// Its host, as its certificate names it.
    #[schemars(schema_with = "options::host")]
    pub(crate) host: String,

    /// Its port. Without it, that of the transport: 636 or 389.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub(crate) port: Option<u16>,

    /// How the connection is secured.
    #[serde(default)]
    pub(crate) transport: Transport,

    /// How to bind to it.
    #[serde(default)]
    pub(crate) bind_method: BindMethod,

    /// With Simple, the DN to bind with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "options::dn")]
    pub(crate) bind_dn: Option<String>,

    /// A Secret of the namespace: the password in its key `password`, and in `ca.crt`, if it is there, the authority of its
    /// certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "options::name")]
    pub(crate) secret_name: Option<String>,
}

/// How a connection is secured. Passwords never go over one that is not.
#[derive(JsonSchema, Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Transport {
    /// From the beginning.
    #[default]
    #[serde(rename = "LDAPS")]
    Ldaps,
    /// Before anything else is said.
    #[serde(rename = "StartTLS")]
    StartTls,
}

/// How to bind.
#[derive(JsonSchema, Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum BindMethod {
    /// With a DN and a password.
    #[default]
    Simple,
    /// With the certificate of the server that sends.
    Certificate,
}

impl ExternalServer {
    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.port.unwrap_or(match self.transport {
            Transport::Ldaps => 636,
            Transport::StartTls => 389,
        })
    }
}

impl Transport {
    /// As an agreement of the server says it.
    pub(crate) fn option(self) -> &'static str {
        match self {
            Self::Ldaps => "LDAPS",
            Self::StartTls => "StartTLS",
        }
    }
}

impl BindMethod {
    /// The same.
    pub(crate) fn option(self) -> &'static str {
        match self {
            Self::Simple => "SIMPLE",
            Self::Certificate => "SSLCLIENTAUTH",
        }
    }
}

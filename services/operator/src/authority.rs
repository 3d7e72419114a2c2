//! Certificate authorities of our own, and the certificates that they issue. Where those are kept, and when new ones are made,
//! is for others to say.

use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use time::OffsetDateTime;
use x509_parser::{
    extensions::GeneralName,
    pem::{Pem, parse_x509_pem},
};

use crate::objects::short_hash;

/// How long an authority lasts.
const AUTHORITY_LASTS: Duration = Duration::from_secs(10 * 365 * DAY);
/// How long a certificate of a server lasts.
pub(crate) const SERVER_LASTS: Duration = Duration::from_secs(90 * DAY);
/// How long before its end it is renewed.
const RENEWED_BEFORE: Duration = Duration::from_secs(30 * DAY);
/// The time before that within which it is renewed.
const RENEWED_WITHIN: Duration = Duration::from_secs(10 * DAY);
/// How far clocks may be apart.
const SKEW: Duration = Duration::from_secs(3600);
const DAY: u64 = 24 * 3600;
/// Longest common name there may be.
const LONGEST_COMMON_NAME: usize = 64;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It could not be made.
    #[error("failed to make a certificate")]
    Make(#[source] rcgen::Error),
    /// What was kept of the authority cannot be used.
    #[error("failed to use the certificate and key of the authority")]
    Authority(#[source] rcgen::Error),
}

/// A certificate and its key, as PEM.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be called, and nothing else.
    Server,
    /// To call, and nothing else.
    Client,
    /// Both: a directory server also connects to others.
    Both,
}

/// An authority.
pub(crate) struct Authority {
    pub(crate) identity: Identity,
    issuer: Issuer<'static, KeyPair>,
}

/// When a certificate ends, and whom it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) ends: OffsetDateTime,
    pub(crate) names: Vec<String>,
}

impl Authority {
    /// A new one.
    pub(crate) fn make(name: &str, now: OffsetDateTime) -> Result<Identity, Error> {
        let key = KeyPair::generate().map_err(Error::Make)?;
        let mut params = params(name, &[], now, AUTHORITY_LASTS)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(Error::Make)?;
        Ok(Identity { certificate: certificate.pem(), key: key.serialize_pem() })
    }

    /// The one that was made before.
    pub(crate) fn of(identity: Identity) -> Result<Self, Error> {
        let key = KeyPair::from_pem(&identity.key).map_err(Error::Authority)?;
        let issuer = Issuer::from_ca_cert_pem(&identity.certificate, key).map_err(Error::Authority)?;
        Ok(Self { identity, issuer })
    }

    /// A certificate for all of these names, the first of which it is called by.
    pub(crate) fn issue(
        &self,
        names: &[String],
        purpose: Purpose,
        now: OffsetDateTime,
        lasts: Duration,
    ) -> Result<Identity, Error> {
        let key = KeyPair::generate().map_err(Error::Make)?;
        let mut params = params(names.first().map_or("", String::as_str), names, now, lasts)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = match purpose {
            Purpose::Server => vec![ExtendedKeyUsagePurpose::ServerAuth],
            Purpose::Client => vec![ExtendedKeyUsagePurpose::ClientAuth],
            Purpose::Both => vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth],
        };
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer).map_err(Error::Make)?;
        Ok(Identity { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

fn params(common_name: &str, names: &[String], now: OffsetDateTime, lasts: Duration) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::new(names).map_err(Error::Make)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    // A longer one is among the other names only.
    if common_name.len() <= LONGEST_COMMON_NAME {
        params.distinguished_name.push(DnType::CommonName, common_name);
    } else {
        params.distinguished_name.push(DnType::CommonName, common_name.split('.').next().unwrap_or_default());
    }
    params.not_before = now - SKEW;
    params.not_after = now + lasts;
    Ok(params)
}

/// What a certificate says; `None` if it is none.
pub(crate) fn read(pem: &[u8]) -> Option<Known> {
    let (_, pem) = parse_x509_pem(pem).ok()?;
    let certificate = pem.parse_x509().ok()?;
    let names = certificate.subject_alternative_name().ok()??;
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        _ => None,
    };
    let names = names.value.general_names.iter().filter_map(name).collect();
    Some(Known { ends: certificate.validity().not_after.to_datetime(), names })
}

/// Whether a text is certificates, as PEM.
pub(crate) fn are_certificates(text: &str) -> bool {
    let all: Result<Vec<Pem>, _> = Pem::iter_from_buffer(text.as_bytes()).collect();
    all.is_ok_and(|all| !all.is_empty() && all.iter().all(|one| one.parse_x509().is_ok()))
}

impl Known {
    /// When it is time for another one. That restarts a server: of those that began together, not all at the same time.
    pub(crate) fn is_due(&self) -> OffsetDateTime {
        let hash = short_hash(self.names.first().map_or(&[][..], |name| name.as_bytes()));
        let number = u64::from_str_radix(&hash, 16).unwrap_or(0);
        self.ends - RENEWED_BEFORE - Duration::from_secs(number % RENEWED_WITHIN.as_secs())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn authority(now: OffsetDateTime) -> Authority {
        Authority::of(Authority::make("test", now).unwrap()).unwrap()
    }

    #[test]
    fn a_certificate_names_its_hosts_and_is_renewed_before_it_ends() {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let names = ["a.b.svc".to_owned(), "localhost".to_owned()];
        let issued = authority(now).issue(&names, Purpose::Server, now, SERVER_LASTS).unwrap();
        let known = read(issued.certificate.as_bytes()).unwrap();
        assert_eq!(known.names, names);
        assert_eq!(known.ends, now + SERVER_LASTS);
        let day = Duration::from_secs(DAY);
        assert!((now + 50 * day..now + 60 * day).contains(&known.is_due()), "{known:?}");
        let twin = Known { names: vec!["c.b.svc".to_owned()], ..known.clone() };
        assert_ne!(twin.is_due(), known.is_due());
    }

    #[test]
    fn a_name_that_is_too_long_for_a_subject_is_among_the_others() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let names = [format!("{}.example.svc.cluster.local", "a".repeat(52))];
        let issued = authority(now).issue(&names, Purpose::Both, now, SERVER_LASTS).unwrap();
        assert_eq!(read(issued.certificate.as_bytes()).unwrap().names, names);
    }

    #[test]
    fn what_is_no_certificate_is_none() {
        assert_eq!(read(b""), None);
        assert_eq!(read(b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"), None);
    }
}

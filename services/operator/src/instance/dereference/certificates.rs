//! The certificates of an instance: those that are kept, new ones where there are none or they end soon, and the one of a user.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use runtime::tls;
use time::OffsetDateTime;

use crate::{
    authorities::{AUTHORITY, CERTIFICATE, KEY, text},
    authority::{self, Authority, Identity, Known, Purpose, SERVER_LASTS},
    conditions::{Reason, Refused},
};

/// The key of the certificate of a user's authority in the Secret of the server's.
pub(crate) const ISSUER: &str = "issuer.crt";
/// The key of the authority of the server's next certificate, which others are to trust before it is shown.
pub(crate) const ANNOUNCED: &str = "announced.crt";

/// A certificate of an instance, with its authority's.
pub(crate) struct Certificate {
    pub(crate) identity: Identity,
    /// All authorities that are trusted, as PEM.
    pub(crate) authority: String,
    /// The authority that has issued it, if that is a user's.
    pub(crate) issuer: Option<String>,
    /// The authority of the certificate that takes its place once others trust that.
    pub(crate) announced: Option<String>,
    pub(crate) known: Option<Known>,
    /// The Secret that it is kept in, if it is kept.
    pub(crate) secret: Option<Arc<Secret>>,
    /// Whether it was made just now.
    pub(crate) is_new: bool,
    /// Whether another one would take its place, of an instance that is only checked.
    pub(crate) is_to_go: bool,
}

/// The certificate that is kept, or a new one if there is none, or not for these names and this authority, or it ends soon. The
/// other authorities are trusted too.
pub(super) fn issued(
    secret: Option<Arc<Secret>>,
    authority: &Authority,
    others: &[String],
    hosts: &[String],
    purpose: Purpose,
    now: OffsetDateTime,
) -> Result<Certificate, authority::Error> {
    let issuer = &authority.identity.certificate;
    let kept = secret.as_deref().and_then(|secret| {
        let identity = Identity { certificate: text(secret, CERTIFICATE)?, key: text(secret, KEY)? };
        let known = authority::read(identity.certificate.as_bytes())?;
        let is_ours = text(secret, ISSUER).is_none() && text(secret, AUTHORITY)?.starts_with(issuer.as_str());
        (is_ours && known.names == hosts && known.is_due() > now).then_some((identity, known))
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
    Ok(Certificate {
        identity,
        authority: bundle(issuer, others),
        issuer: None,
        announced: None,
        known,
        secret,
        is_new,
        is_to_go: false,
    })
}

/// The certificate that is kept, whoever has issued it and whether it has ended or not.
pub(super) fn kept(secret: Option<Arc<Secret>>, authority: &Authority, others: &[String]) -> Option<Certificate> {
    let part = |key: &str| text(secret.as_deref()?, key);
    let (identity, issuer) = (Identity { certificate: part(CERTIFICATE)?, key: part(KEY)? }, part(ISSUER));
    let known = Some(authority::read(identity.certificate.as_bytes())?);
    let authority = trusted(authority, others, issuer.as_deref());
    Some(Certificate { identity, authority, issuer, announced: None, known, secret, is_new: false, is_to_go: false })
}

/// The certificate that is shown: the one that a user gives, or, until the others of the namespace trust its authority, the one that
/// was shown until now. One that has ended nobody trusts anyway.
pub(super) fn shown(given: Certificate, kept: Option<Certificate>, is_trusted: bool, now: OffsetDateTime) -> Certificate {
    let lasts = |kept: &Certificate| kept.known.as_ref().is_some_and(|known| known.ends > now);
    match kept.filter(|kept| !is_trusted && kept.issuer != given.issuer && lasts(kept)) {
        Some(kept) => Certificate { announced: given.issuer, ..kept },
        None => given,
    }
}

/// The certificate of an instance that is only checked: the one that it has, with what it trusts, if it has any.
pub(super) fn checked(next: Certificate, kept: Option<Certificate>) -> Certificate {
    let trusts = kept.as_ref().and_then(|kept| text(kept.secret.as_deref()?, AUTHORITY));
    let is_the_same = !next.is_new && next.announced.is_none() && trusts.as_ref() == Some(&next.authority);
    match kept.zip(trusts).filter(|_| !is_the_same) {
        Some((kept, authority)) => Certificate { authority, is_to_go: true, ..kept },
        None => next,
    }
}

/// The certificate that a user gives, which has to be one for this host.
pub(super) fn given(
    name: &str,
    given: Option<&Secret>,
    kept: Option<Arc<Secret>>,
    authority: &Authority,
    others: &[String],
    host: &str,
    now: OffsetDateTime,
) -> Result<Certificate, Refused> {
    let missing = |what: &str| Refused { reason: Reason::SecretMissing, message: format!("spec.tls.secretName: {what}") };
    let invalid = |what: &str| {
        let message = format!("spec.tls.secretName: the certificate in the Secret {name} {what}");
        Refused { reason: Reason::Invalid, message }
    };
    let given = given.ok_or_else(|| missing(&format!("the Secret {name} is not there")))?;
    let part = |key: &str| {
        let text = text(given, key).filter(|text| !text.trim().is_empty());
        text.ok_or_else(|| missing(&format!("the Secret {name} has no text in its key {key}")))
    };
    let identity = Identity { certificate: part(CERTIFICATE)?, key: part(KEY)? };
    let issuer = part(AUTHORITY)?;
    let known = authority::read(identity.certificate.as_bytes()).ok_or_else(|| invalid("cannot be read, or names no host"))?;
    if !known.names.iter().any(|name| covers(name, host)) {
        return Err(invalid(&format!("is for {}, not for {host}", known.names.join(", "))));
    }
    if known.ends <= now {
        return Err(invalid(&format!("has ended at {}", known.ends)));
    }
    tls::Client::from_pem(&identity.certificate, &identity.key, &issuer)
        .map_err(|_| invalid("and its key, or its authority's certificate, do not go together or cannot be read"))?;
    let is_new = kept.as_deref().and_then(|kept| text(kept, CERTIFICATE)).as_ref() != Some(&identity.certificate);
    let authority = trusted(authority, others, Some(&issuer));
    let known = Some(known);
    Ok(Certificate { identity, authority, issuer: Some(issuer), announced: None, known, secret: kept, is_new, is_to_go: false })
}

/// Our authority and others, among them the one of a certificate.
fn trusted(authority: &Authority, others: &[String], issuer: Option<&str>) -> String {
    let mut all = others.to_vec();
    if let Some(issuer) = issuer.filter(|issuer| !all.iter().any(|other| other == issuer)) {
        all.push(issuer.to_owned());
        all.sort();
    }
    bundle(&authority.identity.certificate, &all)
}

/// One authority and others, each on lines of its own.
fn bundle(first: &str, others: &[String]) -> String {
    let mut all = first.to_owned();
    for other in others {
        if !all.ends_with('\n') {
            all.push('\n');
        }
        all.push_str(other);
    }
    all
}

/// Whether a name in a certificate is that of a host; a star stands for its first part.
fn covers(name: &str, host: &str) -> bool {
    let rest =
        name.strip_prefix("*.").map(|rest| host.split_once('.').is_some_and(|(_, of_host)| of_host.eq_ignore_ascii_case(rest)));
    rest.unwrap_or_else(|| name.eq_ignore_ascii_case(host))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use k8s_openapi::ByteString;

    use super::*;

    const HOST: &str = "ldap-1.test.svc.cluster.local";

    fn authority(now: OffsetDateTime) -> Authority {
        Authority::of(Authority::make("test", now).unwrap()).unwrap()
    }

    fn secret(parts: &[(&str, &str)]) -> Secret {
        let data = parts.iter().map(|(key, text)| ((*key).to_owned(), ByteString(text.as_bytes().to_vec())));
        Secret { data: Some(data.collect()), ..Secret::default() }
    }

    fn issue(authority: &Authority, host: &str, now: OffsetDateTime) -> Identity {
        authority.issue(&[host.to_owned()], Purpose::Both, now, SERVER_LASTS).unwrap()
    }

    #[test]
    fn a_certificate_of_a_user_is_taken_with_its_authority_beside_ours() {
        let now = OffsetDateTime::now_utc();
        let (ours, theirs) = (authority(now), authority(now));
        let ca = theirs.identity.certificate.clone();
        for name in [HOST, "*.test.svc.cluster.local"] {
            let identity = issue(&theirs, name, now);
            let user = secret(&[(CERTIFICATE, &identity.certificate), (KEY, &identity.key), (AUTHORITY, &ca)]);
            let taken = given("mine", Some(&user), None, &ours, &[], HOST, now).unwrap();
            assert!(taken.is_new && taken.issuer.as_ref() == Some(&ca));
            assert_eq!(taken.authority, format!("{}{ca}", ours.identity.certificate));
        }
    }

    #[test]
    fn a_certificate_of_a_user_that_is_of_no_use_is_refused_with_why() {
        let now = OffsetDateTime::now_utc();
        let (ours, theirs) = (authority(now), authority(now));
        let ca = theirs.identity.certificate.as_str();
        let (good, other) = (issue(&theirs, HOST, now), issue(&theirs, "other.test", now));
        let old = issue(&theirs, HOST, now - 2 * SERVER_LASTS);
        let with = |identity: &Identity, key: &str| secret(&[(CERTIFICATE, &identity.certificate), (KEY, key), (AUTHORITY, ca)]);
        for (user, expected) in [
            (None, "the Secret mine is not there"),
            (Some(secret(&[(CERTIFICATE, &good.certificate)])), "has no text in its key tls.key"),
            (Some(secret(&[(CERTIFICATE, &good.certificate), (KEY, &good.key)])), "has no text in its key ca.crt"),
            (Some(secret(&[(CERTIFICATE, "x"), (KEY, &good.key), (AUTHORITY, ca)])), "cannot be read"),
            (Some(with(&other, &other.key)), "is for other.test, not for ldap-1.test.svc.cluster.local"),
            (Some(with(&old, &old.key)), "has ended at"),
            (Some(with(&good, &other.key)), "do not go together"),
        ] {
            let refused = given("mine", user.as_ref(), None, &ours, &[], HOST, now).err().unwrap();
            assert!(refused.message.contains(expected), "{}", refused.message);
            assert!(!refused.message.contains("PRIVATE"), "{}", refused.message);
        }
    }

    #[test]
    fn a_certificate_of_another_authority_is_shown_when_that_is_trusted_or_the_one_until_now_has_ended() {
        let now = OffsetDateTime::now_utc();
        let (ours, theirs, others) = (authority(now), authority(now), authority(now));
        let certificate = |of: &Authority, made: OffsetDateTime| {
            let (identity, ca) = (issue(of, HOST, made), of.identity.certificate.clone());
            (secret(&[(CERTIFICATE, &identity.certificate), (KEY, &identity.key), (AUTHORITY, &ca)]), identity, ca)
        };
        let (user, next, ca) = certificate(&theirs, now);
        let in_use = |of: &Authority, made: OffsetDateTime| {
            let (mut kept, identity, ca) = certificate(of, made);
            kept.data.as_mut().unwrap().insert(ISSUER.to_owned(), ByteString(ca.into_bytes()));
            (Some(Arc::new(kept)), identity)
        };
        let check = |kept: Option<Arc<Secret>>, is_trusted: bool, expected: &Identity| {
            let given = given("mine", Some(&user), kept.clone(), &ours, &[], HOST, now).unwrap();
            let shown = shown(given, super::kept(kept, &ours, &[]), is_trusted, now);
            assert!(shown.identity.certificate == expected.certificate && shown.identity.key == expected.key);
            let waits = expected.certificate != next.certificate;
            assert_eq!((shown.announced.as_ref(), shown.is_new), (Some(&ca).filter(|_| waits), !waits));
        };
        let (kept, before) = in_use(&others, now);
        check(kept.clone(), false, &before);
        check(kept, true, &next);
        check(None, false, &next);
        // Another one of the same authority waits for nobody, nor does one that takes the place of one that has ended.
        check(in_use(&theirs, now).0, false, &next);
        check(in_use(&others, now - 2 * SERVER_LASTS).0, false, &next);
        // One of ours gives way as one of another user does.
        let of_ours = issued(None, &ours, &[], &[HOST.to_owned()], Purpose::Both, now).unwrap().identity;
        let kept = secret(&[(CERTIFICATE, &of_ours.certificate), (KEY, &of_ours.key), (AUTHORITY, &ca)]);
        check(Some(Arc::new(kept)), false, &of_ours);
    }

    #[test]
    fn another_authority_is_trusted_without_another_certificate() {
        let now = OffsetDateTime::now_utc();
        let ours = authority(now);
        let hosts = [HOST.to_owned()];
        let first = issued(None, &ours, &[], &hosts, Purpose::Both, now).unwrap();
        assert!(first.is_new);
        let parts =
            [(CERTIFICATE, first.identity.certificate.as_str()), (KEY, &first.identity.key), (AUTHORITY, &first.authority)];
        let kept = Arc::new(secret(&parts));
        let again = |others: &[String], hosts: &[String]| {
            issued(Some(Arc::clone(&kept)), &ours, others, hosts, Purpose::Both, now).unwrap()
        };
        let trusting = again(&["other\n".to_owned()], &hosts);
        assert!(!trusting.is_new && trusting.authority.ends_with("other\n") && trusting.authority.starts_with(&first.authority));
        assert!(again(&[], &[HOST.to_owned(), "more".to_owned()]).is_new);
    }

    #[test]
    fn whoever_is_only_checked_keeps_the_certificate_that_it_has() {
        let now = OffsetDateTime::now_utc();
        let ours = authority(now);
        let issue =
            |secret: Option<Arc<Secret>>, host: &str| issued(secret, &ours, &[], &[host.to_owned()], Purpose::Both, now).unwrap();
        let first = issue(None, HOST);
        let parts =
            [(CERTIFICATE, first.identity.certificate.as_str()), (KEY, &first.identity.key), (AUTHORITY, &first.authority)];
        let has = Some(Arc::new(secret(&parts)));
        let check = |host: &str, expected: bool| {
            let checked = checked(issue(has.clone(), host), kept(has.clone(), &ours, &["other".to_owned()]));
            assert!(checked.identity.certificate == first.identity.certificate && checked.authority == first.authority);
            assert_eq!(checked.is_to_go, expected);
        };
        check(HOST, false);
        check("another.test", true);
        assert!(!checked(issue(None, HOST), None).is_to_go, "the first has to be made");
    }
}

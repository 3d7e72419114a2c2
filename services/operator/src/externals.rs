//! What reaches servers outside of the namespace: from the Secret of a user that an agreement names.

use k8s_openapi::api::core::v1::Secret;

use crate::{
    authorities::{AUTHORITY, text},
    authority,
    conditions::{Reason, Refused},
    crd::{BindMethod, ExternalServer},
    instance::PASSWORD,
};

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Credentials {
    /// The password, if there is one.
    pub(crate) password: Option<String>,
    /// The authorities that such a server's certificate may come from, as PEM, if there are any.
    pub(crate) authority: Option<String>,
}

impl Credentials {
    /// What can be taken of a Secret.
    pub(crate) fn of(secret: &Secret) -> Self {
        let text = |key| text(secret, key).filter(|text| !text.trim().is_empty());
        let password = text(PASSWORD).map(|text| text.trim_end_matches('\n').to_owned());
        // What is none would keep the server from all others.
        let authority = text(AUTHORITY).filter(|text| authority::are_certificates(text));
        Self { password, authority }
    }
}

/// What is missing to reach a server, of which this is the Secret.
pub(crate) fn problem(server: &ExternalServer, secret: Option<&Secret>) -> Option<Refused> {
    let name = server.secret_name.as_deref()?;
    let refused = |reason: Reason, what: String| {
        Some(Refused { reason, message: format!("spec.external {}: secretName: {what}", server.name) })
    };
    let Some(secret) = secret else { return refused(Reason::SecretMissing, format!("the Secret {name} is not there")) };
    let found = Credentials::of(secret);
    if found.password.is_none() && server.bind_method == BindMethod::Simple {
        return refused(Reason::SecretMissing, format!("the Secret {name} has no text in its key {PASSWORD}"));
    }
    let has_authority = secret.data.as_ref().is_some_and(|data| data.contains_key(AUTHORITY));
    if has_authority && found.authority.is_none() {
        return refused(Reason::Invalid, format!("what the Secret {name} has in its key {AUTHORITY} is no certificate, as PEM"));
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use k8s_openapi::ByteString;
    use time::OffsetDateTime;

    use super::*;
    use crate::authority::Authority;

    fn secret(parts: &[(&str, &str)]) -> Secret {
        let data = parts.iter().map(|(key, text)| ((*key).to_owned(), ByteString(text.as_bytes().to_vec())));
        Secret { data: Some(data.collect()), ..Secret::default() }
    }

    fn server(bind_method: BindMethod) -> ExternalServer {
        let secret_name = Some("legacy-login".to_owned());
        ExternalServer { name: "legacy".to_owned(), bind_method, secret_name, ..ExternalServer::default() }
    }

    #[track_caller]
    fn check(bind_method: BindMethod, secret: Option<&Secret>, expected: Option<&str>) {
        let message = problem(&server(bind_method), secret).map(|refused| refused.message);
        let expected = expected.map(|expected| format!("spec.external legacy: secretName: {expected}"));
        assert_eq!(message, expected);
    }

    #[test]
    fn what_is_missing_to_reach_a_server_is_told() {
        let ca = Authority::make("test", OffsetDateTime::now_utc()).unwrap().certificate;
        check(BindMethod::Simple, None, Some("the Secret legacy-login is not there"));
        let empty = Some("the Secret legacy-login has no text in its key password");
        check(BindMethod::Simple, Some(&secret(&[("ca.crt", &ca)])), empty);
        check(BindMethod::Certificate, Some(&secret(&[("ca.crt", &ca)])), None);
        check(BindMethod::Simple, Some(&secret(&[("password", "secret\n"), ("ca.crt", &ca)])), None);
        let spoiled =
            secret(&[("password", "secret"), ("ca.crt", "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n")]);
        let no_certificate = Some("what the Secret legacy-login has in its key ca.crt is no certificate, as PEM");
        check(BindMethod::Simple, Some(&spoiled), no_certificate);
        assert_eq!(Credentials::of(&spoiled), Credentials { password: Some("secret".to_owned()), authority: None });
    }
}

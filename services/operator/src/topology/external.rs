//! Servers outside of the namespace that receive: what those who send to them are told, and how that goes. What such a server holds is
//! not known here: it is given all entries when a user asks for it, never by a guess, and only the server that sends says how
//! it is.

use std::collections::BTreeMap;

use aviary_proto::directory::v1::AgreementState;
use serde_json::Value;

use super::{
    compose::{self, Part, Receiver, Sends},
    pairs::Link,
    records::Choice,
    states::{PairState, State},
    world::Replicated,
};
use crate::crd::{BindMethod, DS389Agreement, ExternalServer};

/// One that sends, and such a server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct External<'a> {
    /// The resource that says so.
    pub(crate) agreement: &'a DS389Agreement,
    pub(crate) source: Replicated<'a>,
    pub(crate) server: &'a ExternalServer,
}

/// Whether an agreement of this name is with such a server: the names of others have a dot.
pub(super) fn is_called_so(name: &str) -> bool {
    !name.contains('.')
}

impl<'a> External<'a> {
    /// The agreement that the source is to have.
    pub(crate) fn link(&self) -> Link<'a> {
        Link { agreement: self.agreement, source: self.source, name: self.server.name.clone() }
    }

    /// Whether it is the same, or called the same.
    pub(crate) fn is_same(&self, other: &External<'_>) -> bool {
        let (one, another) = (self.server, other.server);
        let is_same_host = one.host.eq_ignore_ascii_case(&another.host) && one.port() == another.port();
        self.source.is(&other.source) && (is_same_host || one.name.eq_ignore_ascii_case(&another.name))
    }
}

/// Tells who sends of its agreement. A request is met by one that has entries of its own to give, which are those that everybody has.
pub(super) fn connect(
    external: &External<'_>,
    choice: Option<&Choice>,
    request: Option<&str>,
    parts: &mut BTreeMap<String, Part>,
) {
    let External { agreement, source, server } = external;
    let connection = [
        ("replicahost", Value::from(server.host.as_str())),
        ("replicaport", server.port().into()),
        ("replicatransportinfo", server.transport.option().into()),
        ("replicabindmethod", server.bind_method.option().into()),
    ];
    let mut options = compose::options(&agreement.spec, &server.name, connection);
    let is_common = match choice {
        None => true,
        Some(Choice::Seed(seed)) => source.generation() == Some(&seed.generation),
        Some(Choice::Waits(_) | Choice::Several(_)) => false,
    };
    if let Some(word) = request.filter(|_| is_common && source.has_data() == Some(true)) {
        options.insert("initialise".to_owned(), "Anew".into());
        options.insert("initialiserequest".to_owned(), word.into());
    }
    let bind_dn = server.bind_dn.clone().filter(|_| server.bind_method == BindMethod::Simple);
    let to = Receiver::External { bind_dn, secret: server.secret_name.clone() };
    let backend = parts.get_mut(&source.member.name);
    if let Some(backend) = backend.and_then(|part| part.backends.get_mut(&source.backend.name.to_lowercase())) {
        backend.agreements.push(Sends { name: server.name.clone(), to, options });
    }
}

/// How it goes, as the server that sends says.
pub(super) fn state(external: &External<'_>) -> PairState {
    let link = external.link();
    let (source, target) = (external.source.name(), link.name.clone());
    let heard = external.source.heard().map(|_| link.heard());
    let (state, message) = match heard {
        None => (State::Unknown, format!("nothing is heard of {source}")),
        Some(None) => (State::Configuring, format!("{source} has no agreement with it yet")),
        Some(Some(agreement)) => {
            let says = || agreement.message.clone();
            match agreement.state() {
                AgreementState::Paused => (State::Paused, String::new()),
                AgreementState::Initialising => (State::Initialising, says()),
                AgreementState::InSync => (State::InSync, String::new()),
                AgreementState::Behind => (State::Behind, says()),
                AgreementState::Failing => (State::Failing, says()),
                AgreementState::OtherData => (State::OtherData, other_data(&target)),
                AgreementState::Waiting | AgreementState::Unspecified => (State::Waiting, says()),
            }
        }
    };
    PairState { request: link.met(), source, target, state, message, unsure: None, is_early: external.source.member.is_called }
}

fn other_data(target: &str) -> String {
    format!(
        "what {target} holds is not of these servers; to have it replaced by theirs, set initialise.policy to OnRequest, with a word in \
         requestId"
    )
}

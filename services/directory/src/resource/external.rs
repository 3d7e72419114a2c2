//! Servers of no host that is known, as a resource of agreements names them: always over TLS, and with the password in a Secret.

use std::collections::BTreeSet;

use super::{Told, map, names};
use crate::{
    place::Place,
    setting::Settings,
    specification::Child,
    value::{Node, Value},
};

/// What a resource says of one, and what has to be known of it.
pub(super) struct External {
    pub(super) server: Node,
    /// Its host and port.
    pub(super) address: String,
}

/// Host and port that an agreement leads to.
pub(super) fn address(settings: &Settings) -> String {
    let (host, port) = (settings.text("replicahost").unwrap_or_default(), settings.number("replicaport").unwrap_or_default());
    format!("{host}:{port}")
}

/// The server that an agreement of a backend leads to, by a name that is not taken. One of which a resource cannot speak is told.
pub(super) fn external(
    (instance, backend): (&str, &str),
    place: &Place,
    agreement: &Child,
    taken: &mut BTreeSet<String>,
    told: &mut Told,
) -> Option<External> {
    let (settings, address) = (&agreement.settings, address(&agreement.settings));
    let mut refuse = |message: &str| {
        let known = "which is no replicated backend of a host that is known here";
        told.unsupported.add(place, agreement.at, format!("sends to {address}, {known}, {message}"));
    };
    let transport = match settings.text("replicatransportinfo") {
        Some(transport @ ("LDAPS" | "StartTLS")) => transport,
        _ => {
            refuse("without TLS; a resource has ReplicaTransportInfo LDAPS or StartTLS");
            return None;
        }
    };
    let method = settings.text("replicabindmethod").unwrap_or("SIMPLE");
    let bind_dn = settings.text("replicabinddn");
    let is_simple = match (method, bind_dn) {
        ("SIMPLE", Some(_)) => true,
        ("SIMPLE", None) => {
            refuse("without a ReplicaBindDN");
            return None;
        }
        ("SSLCLIENTAUTH", _) => false,
        _ => {
            refuse(&format!("by {method}; a resource has ReplicaBindMethod SIMPLE or SSLCLIENTAUTH"));
            return None;
        }
    };
    let name = names::of_server(&agreement.name, taken);
    let mut server = vec![("name", Node::text(&name)), ("host", Node::text(settings.text("replicahost")?))];
    server.extend(settings.number("replicaport").map(|port| ("port", Node::new(Value::Integer(port)))));
    server.push(("transport", Node::text(transport)));
    if is_simple {
        let secret = names::of_secret(instance, backend, &name, taken);
        let message =
            format!("ReplicaCredentials left out, for it is a secret: put it into the key `password` of the Secret {secret}");
        told.notes.add(place, agreement.at, message);
        server.extend(bind_dn.map(|dn| ("bindDn", Node::text(dn))));
        server.push(("secretName", Node::text(secret)));
    } else {
        server.push(("bindMethod", Node::text("Certificate")));
    }
    if settings.get("initialise").is_some() {
        let message =
            "Initialise left out: what the server holds is not looked at; ask in the cluster, by spec.initialise.requestId";
        told.notes.add(place, agreement.at, message);
    }
    Some(External { server: map(server), address })
}

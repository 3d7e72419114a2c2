//! Options of a replication agreement.

use crate::{
    codec::Codec,
    options::{BIND_METHOD, COUNT, Definition, Home, TRANSPORT, state},
};

/// Where a consumer listens.
pub(super) const PORT: Codec = Codec::Number(1, 65535);

pub(super) static OPTIONS: &[Definition] = &[
    Definition::new("name", Codec::Name, Home::Nature, "Name of the agreement.").required().fixed(),
    state("Whether the agreement is there."),
    Definition::new("description", Codec::Text, Home::Agreement("description"), "What the agreement is for.")
        .spelled("Description"),
    Definition::new(
        "replicahost",
        Codec::Text,
        Home::Agreement("nsDS5ReplicaHost"),
        "Host of the consumer, as its certificate names it.",
    )
    .spelled("ReplicaHost")
    .required(),
    Definition::new("replicaport", PORT, Home::Agreement("nsDS5ReplicaPort"), "Port of the consumer.")
        .spelled("ReplicaPort")
        .required(),
    Definition::new(
        "replicatransportinfo",
        TRANSPORT,
        Home::Agreement("nsDS5ReplicaTransportInfo"),
        "How the connection is secured.",
    )
    .spelled("ReplicaTransportInfo")
    .default("LDAP"),
    Definition::new("replicabindmethod", BIND_METHOD, Home::Agreement("nsDS5ReplicaBindMethod"), "How to bind to the consumer.")
        .spelled("ReplicaBindMethod")
        .default("SIMPLE"),
    Definition::new("replicabinddn", Codec::Dn, Home::Agreement("nsDS5ReplicaBindDN"), "DN to bind with.")
        .spelled("ReplicaBindDN"),
    Definition::new("replicacredentials", Codec::Password, Home::Agreement("nsDS5ReplicaCredentials"), "Password to bind with.")
        .spelled("ReplicaCredentials"),
    Definition::new("replicaenabled", Codec::Switch, Home::Agreement("nsDS5ReplicaEnabled"), "Whether updates are sent.")
        .spelled("ReplicaEnabled")
        .default("on"),
    Definition::new(
        "replicabootstrapbinddn",
        Codec::Dn,
        Home::Agreement("nsDS5ReplicaBootstrapBindDN"),
        "DN to bind with when the consumer refuses ReplicaBindDN.",
    )
    .spelled("ReplicaBootstrapBindDN"),
    Definition::new(
        "replicabootstrapbindmethod",
        BIND_METHOD,
        Home::Agreement("nsDS5ReplicaBootstrapBindMethod"),
        "How to bind with ReplicaBootstrapBindDN.",
    )
    .spelled("ReplicaBootstrapBindMethod"),
    Definition::new(
        "replicabootstrapcredentials",
        Codec::Password,
        Home::Agreement("nsDS5ReplicaBootstrapCredentials"),
        "Password of ReplicaBootstrapBindDN.",
    )
    .spelled("ReplicaBootstrapCredentials"),
    Definition::new(
        "replicabootstraptransportinfo",
        TRANSPORT,
        Home::Agreement("nsDS5ReplicaBootstrapTransportInfo"),
        "How the connection for ReplicaBootstrapBindDN is secured.",
    )
    .spelled("ReplicaBootstrapTransportInfo"),
    Definition::new(
        "replicabusywaittime",
        COUNT,
        Home::Agreement("nsDS5ReplicaBusyWaitTime"),
        "Seconds to wait after the consumer said that it is busy.",
    )
    .spelled("ReplicaBusyWaitTime"),
    Definition::new(
        "replicaflowcontrolpause",
        COUNT,
        Home::Agreement("nsDS5ReplicaFlowControlPause"),
        "Milliseconds to pause when ReplicaFlowControlWindow is full.",
    )
    .spelled("ReplicaFlowControlPause"),
    Definition::new(
        "replicaflowcontrolwindow",
        COUNT,
        Home::Agreement("nsDS5ReplicaFlowControlWindow"),
        "How many updates may be unacknowledged before there is a pause.",
    )
    .spelled("ReplicaFlowControlWindow"),
    Definition::new(
        "replicaignoremissingchange",
        Codec::Choice(&[&["never"], &["once"], &["always"], &["on"], &["off"]]),
        Home::Agreement("nsDS5ReplicaIgnoreMissingChange"),
        "Whether replication goes on when a change is missing from the changelog.",
    )
    .spelled("ReplicaIgnoreMissingChange"),
    Definition::new(
        "replicasessionpausetime",
        COUNT,
        Home::Agreement("nsDS5ReplicaSessionPauseTime"),
        "Seconds between two sessions, for other suppliers to have a turn.",
    )
    .spelled("ReplicaSessionPauseTime"),
    Definition::new(
        "replicastripattrs",
        Codec::Words,
        Home::Agreement("nsDS5ReplicaStripAttrs"),
        "Attributes whose change alone is not sent when ReplicatedAttributeList leaves the rest of an update out.",
    )
    .spelled("ReplicaStripAttrs"),
    Definition::new(
        "replicatedattributelist",
        Codec::Fraction,
        Home::Agreement("nsDS5ReplicatedAttributeList"),
        "Attributes that are not replicated.",
    )
    .spelled("ReplicatedAttributeList"),
    Definition::new(
        "replicatedattributelisttotal",
        Codec::Fraction,
        Home::Agreement("nsDS5ReplicatedAttributeListTotal"),
        "Attributes that are left out when the consumer is initialised.",
    )
    .spelled("ReplicatedAttributeListTotal"),
    Definition::new(
        "replicatimeout",
        COUNT,
        Home::Agreement("nsDS5ReplicaTimeout"),
        "Seconds after which an operation on the consumer has failed.",
    )
    .spelled("ReplicaTimeout")
    .default("120"),
    Definition::new(
        "replicaupdateschedule",
        Codec::Schedule,
        Home::Agreement("nsDS5ReplicaUpdateSchedule"),
        "When updates are sent: HHMM-HHMM and days from 0, Sunday, to 6. Always, if there is none.",
    )
    .spelled("ReplicaUpdateSchedule"),
    Definition::new(
        "replicawaitforasyncresults",
        COUNT,
        Home::Agreement("nsDS5ReplicaWaitForAsyncResults"),
        "Milliseconds to wait for the consumer's acknowledgements before asking again.",
    )
    .spelled("ReplicaWaitForAsyncResults"),
    Definition::new(
        "initialise",
        Codec::Choice(&[&["Never"], &["OnCreate"], &["Anew"]]),
        Home::Creation,
        "Whether a new agreement's consumer is given all entries: OnCreate unless both have the same data already, Anew also then. \
         What it held is lost.",
    )
    .spelled("Initialise")
    .alias(&["initialize"])
    .default("Never"),
    Definition::new(
        "initialiserequest",
        Codec::Name,
        Home::Creation,
        "A word that asks for Initialise once more where the agreement is there already. Another word asks again.",
    )
    .spelled("InitialiseRequest")
    .alias(&["initialize_request"]),
];

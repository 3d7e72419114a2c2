//! How replication is: what a replica and its agreements say of themselves, read into types and judged. Asking the servers is
//! for others.

mod clock;
mod csn;
mod moment;
mod read;
mod ruv;
mod status;

pub use clock::renumber_clock;
pub use csn::Csn;
pub use moment::Moment;
pub use ruv::{Element, Ruv};
pub use status::{Colour, Outcome};

use serde::{Serialize, Serializer};

use crate::{dn::Dn, specification::Role};

/// By how many seconds a consumer may be behind that is said to have all: where somebody writes there is always something on its way.
pub const IN_SYNC_WITHIN: u64 = 10;

/// One suffix of an instance that has a part in replication.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replica {
    /// The instance, without `slapd-`.
    pub instance: String,
    /// The backend.
    pub backend: String,
    /// Root of its entries.
    #[serde(serialize_with = "text")]
    pub suffix: Dn,
    /// Its part.
    #[serde(serialize_with = "role")]
    pub role: Role,
    /// Its number, if it is a supplier.
    pub id: Option<u16>,
    /// Whether the server runs. Of one that does not, nothing but the configuration is known.
    pub is_running: bool,
    /// What it has of each supplier's changes.
    pub ruv: Option<Ruv>,
    /// Numbers that it is about to forget, and to have others forget.
    pub cleaning: Vec<u16>,
    /// Those to whom it sends.
    pub agreements: Vec<Agreement>,
}

/// How one agreement is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    /// Its name.
    pub name: String,
    /// Host of the consumer.
    pub host: String,
    /// Port of the consumer.
    pub port: Option<u16>,
    /// Whether updates are sent.
    pub is_enabled: bool,
    /// How it is, in one word.
    pub colour: Colour,
    /// How the last sending of updates went.
    pub update: Option<Outcome>,
    /// When the last sending of updates began.
    pub update_began: Option<Moment>,
    /// When it ended.
    pub update_ended: Option<Moment>,
    /// Whether updates are being sent.
    pub is_updating: bool,
    /// How the last initialisation of the consumer went, since the server was started.
    pub initialisation: Option<Outcome>,
    /// When the last initialisation began.
    pub initialisation_began: Option<Moment>,
    /// When it ended.
    pub initialisation_ended: Option<Moment>,
    /// Whether the consumer is being initialised.
    pub is_initialising: bool,
    /// What was sent since the server was started.
    pub sent: Vec<Sent>,
    /// The newest change of the server's own that the consumer is to have.
    pub newest: Option<Csn>,
    /// By how many seconds the consumer is behind, as far as the server knows: those from the end of the last session that went
    /// well to the newest change. `None` if there was no such session since the server was started, or if the two do not have the
    /// same data to begin with.
    pub lag: Option<u64>,
}

/// Changes of one supplier that were sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// The supplier's number.
    pub id: u16,
    /// How many were sent.
    pub sent: u64,
    /// How many were left out, as the agreement says what is not replicated.
    pub skipped: u64,
}

impl Replica {
    /// The worst of its agreements; one that has none is green while it runs.
    pub fn colour(&self) -> Colour {
        let worst = self.agreements.iter().map(|agreement| agreement.colour).max().unwrap_or(Colour::Green);
        if self.is_running { worst } else { Colour::Red }
    }
}

fn text<S: Serializer>(value: &impl ToString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&value.to_string())
}

fn role<S: Serializer>(role: &Role, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(role.name())
}

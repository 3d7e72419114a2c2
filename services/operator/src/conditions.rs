//! What can be so of a resource, and why: the closed lists of conditions and of their reasons, each with the words for the reference.
//! When they are so is for `instance::status` and `agreement::status` to say.

mod reference;
mod told;

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};

pub(crate) use reference::reference;
pub(crate) use told::Told;

/// A type of condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// All others are met.
    Ready,
    /// What the resource says can be carried out.
    Accepted,
    /// The agent of the pod can be asked.
    AgentReachable,
    /// The server is what the resource says.
    ConfigurationApplied,
    /// The server answers for each suffix, and at its port.
    Serving,
    /// All servers that send have their agreements.
    Configured,
    /// All servers that receive have all entries.
    InSync,
}

impl Kind {
    /// Those of an instance, the summary first.
    pub(crate) const OF_INSTANCES: [Self; 5] =
        [Self::Ready, Self::Accepted, Self::AgentReachable, Self::ConfigurationApplied, Self::Serving];

    /// Those of an agreement, the summary first.
    pub(crate) const OF_AGREEMENTS: [Self; 4] = [Self::Ready, Self::Accepted, Self::Configured, Self::InSync];

    /// As it stands in the resource.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Accepted => "Accepted",
            Self::AgentReachable => "AgentReachable",
            Self::ConfigurationApplied => "ConfigurationApplied",
            Self::Serving => "Serving",
            Self::Configured => "Configured",
            Self::InSync => "InSync",
        }
    }

    /// What it means.
    pub(crate) fn doc(self) -> &'static str {
        match self {
            Self::Ready => "All of the others are True. The reason and the message are those of the first that is not.",
            Self::Accepted => "What the resource says can be carried out, and what it refers to is there.",
            Self::AgentReachable => "The agent of the pod answers the operator.",
            Self::ConfigurationApplied => "The server is what the resource says, in all that it says.",
            Self::Serving => "The server answers for each suffix that it has, and at its port.",
            Self::Configured => "Each server that sends has its agreement with each that receives.",
            Self::InSync => "Each server that receives has all entries, but for the changes of the last seconds.",
        }
    }
}

/// Why a condition is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// It is as it should be.
    AsItShouldBe,
    /// The resource asks for what cannot be.
    Invalid,
    /// A Secret that the resource refers to is not there, or lacks a key.
    SecretMissing,
    /// An object of a name that the instance needs is somebody else's.
    NameTaken,
    /// The API server does not take an object: a quota, a policy, a volume that cannot grow.
    ClusterRefuses,
    /// `suspend` is true.
    Suspended,
    /// The pod is not there or has not come up.
    PodStarting,
    /// The agent does not answer.
    AgentUnreachable,
    /// The agent is at it.
    Applying,
    /// The agent could not carry it out and tries again.
    Failed,
    /// `check` is true, and something would be done.
    WouldChange,
    /// The server does not answer, not for each suffix, or not at its port.
    NotServing,
    /// `started` is false.
    Stopped,
    /// `fenced` is true.
    Fenced,
    /// Another resource says something that cannot be so at the same time.
    Conflict,
    /// What the resource names is not there.
    NotFound,
    /// There was no session between two servers yet.
    Waiting,
    /// A restart waits until no other server of the suffix is interrupted.
    WaitingForTurn,
    /// The server's next certificate is of an authority that others do not trust yet.
    WaitingForTrust,
    /// A server is given all entries of another.
    Initialising,
    /// A server lacks changes.
    Behind,
    /// Two servers have data that began apart.
    OtherData,
    /// A server cannot send to another.
    ReplicationFails,
    /// `paused` is true.
    Paused,
}

impl Reason {
    /// All.
    pub(crate) const ALL: [Self; 24] = [
        Self::AsItShouldBe,
        Self::Invalid,
        Self::SecretMissing,
        Self::NameTaken,
        Self::ClusterRefuses,
        Self::Suspended,
        Self::PodStarting,
        Self::AgentUnreachable,
        Self::Applying,
        Self::Failed,
        Self::WouldChange,
        Self::NotServing,
        Self::Stopped,
        Self::Fenced,
        Self::Conflict,
        Self::NotFound,
        Self::Waiting,
        Self::WaitingForTurn,
        Self::WaitingForTrust,
        Self::Initialising,
        Self::Behind,
        Self::OtherData,
        Self::ReplicationFails,
        Self::Paused,
    ];

    /// As it stands in the resource.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AsItShouldBe => "AsItShouldBe",
            Self::Invalid => "Invalid",
            Self::SecretMissing => "SecretMissing",
            Self::NameTaken => "NameTaken",
            Self::ClusterRefuses => "ClusterRefuses",
            Self::Suspended => "Suspended",
            Self::PodStarting => "PodStarting",
            Self::AgentUnreachable => "AgentUnreachable",
            Self::Applying => "Applying",
            Self::Failed => "Failed",
            Self::WouldChange => "WouldChange",
            Self::NotServing => "NotServing",
            Self::Stopped => "Stopped",
            Self::Fenced => "Fenced",
            Self::Conflict => "Conflict",
            Self::NotFound => "NotFound",
            Self::Waiting => "Waiting",
            Self::WaitingForTurn => "WaitingForTurn",
            Self::WaitingForTrust => "WaitingForTrust",
            Self::Initialising => "Initialising",
            Self::Behind => "Behind",
            Self::OtherData => "OtherData",
            Self::ReplicationFails => "ReplicationFails",
            Self::Paused => "Paused",
        }
    }

    /// What it means and what to do.
    pub(crate) fn doc(self) -> &'static str {
        match self {
            Self::AsItShouldBe => "It is as it should be.",
            Self::Invalid => "The resource asks for what cannot be. The message says what; the server stays as it is.",
            Self::SecretMissing => {
                "A Secret that the resource refers to is not there or lacks a key. Once it is there the operator goes on."
            }
            Self::NameTaken => {
                "An object that the instance needs is there already and not the operator's. It is left alone; delete it or rename the \
                 instance."
            }
            Self::ClusterRefuses => {
                "The API server does not take an object of the instance: a quota, a policy, or a volume that cannot grow. The message \
                 has its words."
            }
            Self::Suspended => "suspend is true: the operator leaves everything as it is.",
            Self::PodStarting => "The pod is not there yet or has not come up. Its own events say why.",
            Self::AgentUnreachable => "The pod runs, but its agent does not answer. Its log and network policies may say why.",
            Self::Applying => "The agent is at it. The message says with what.",
            Self::Failed => "The agent could not carry it out. The message says why; it tries again, less and less often.",
            Self::WouldChange => {
                "check is true, and the server is not what the resource says. status.planned lists what would be done."
            }
            Self::NotServing => "The server does not answer, not for each suffix, or not at its port. The message says which.",
            Self::Stopped => "started is false: the server does not run, as it should.",
            Self::Fenced => {
                "fenced is true: the server runs and replicates, and its pod is not ready, so that Services leave it out."
            }
            Self::Conflict => {
                "Another resource, which the message names, says what cannot be so at the same time. What is there stays."
            }
            Self::NotFound => {
                "What the resource names is not there. The message says what there is; once it is there the operator goes on."
            }
            Self::Waiting => "Two servers have not spoken to each other yet. The message says what for.",
            Self::WaitingForTurn => {
                "A change restarts the server, which waits until the others of its suffixes run and have all changes: one at a time is \
                 restarted. The message says what for."
            }
            Self::WaitingForTrust => {
                "The new certificate is of another authority. The server shows it when all that send to it trust that authority; the \
                 message says who does not yet."
            }
            Self::Initialising => "A server is given all entries of another.",
            Self::Behind => "A server lacks changes of another, which it is about to get.",
            Self::OtherData => {
                "The entries of two servers began apart. Nobody's are replaced without a request; the message says how to ask."
            }
            Self::ReplicationFails => "A server cannot send to another. The message has its words.",
            Self::Paused => "paused is true: nothing is sent.",
        }
    }
}

/// Why a resource cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) reason: Reason,
    /// What is wrong and what to do.
    pub(crate) message: String,
}

/// Whether a condition is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Truth {
    True,
    False,
    /// Whoever would know cannot be asked.
    Unknown,
}

impl Truth {
    fn name(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// A condition without its times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) kind: Kind,
    pub(crate) truth: Truth,
    pub(crate) reason: Reason,
    pub(crate) message: String,
}

/// Longest message. Resources are for a glance; the log has the rest.
const LONGEST_MESSAGE: usize = 1024;
/// Stands where one was cut.
const CUT: &str = "…";

impl Said {
    /// One that is met.
    pub(crate) fn yes(kind: Kind) -> Self {
        Self { kind, truth: Truth::True, reason: Reason::AsItShouldBe, message: kind.doc().to_owned() }
    }

    /// One that is not.
    pub(crate) fn no(kind: Kind, reason: Reason, message: impl Into<String>) -> Self {
        Self { kind, truth: Truth::False, reason, message: message.into() }
    }

    /// One of which nothing is known.
    pub(crate) fn unknown(kind: Kind, reason: Reason, message: impl Into<String>) -> Self {
        Self { kind, truth: Truth::Unknown, reason, message: message.into() }
    }

    /// With times: since when it is so stays, as long as it is so.
    pub(crate) fn condition(&self, before: &[Condition], generation: Option<i64>, now: Timestamp) -> Condition {
        let same = before.iter().find(|known| known.type_ == self.kind.name() && known.status == self.truth.name());
        Condition {
            type_: self.kind.name().to_owned(),
            status: self.truth.name().to_owned(),
            reason: self.reason.name().to_owned(),
            message: shortened(&self.message),
            last_transition_time: same.map_or(Time(now), |known| known.last_transition_time.clone()),
            observed_generation: generation,
        }
    }
}

/// The beginning of a text that is too long for a message.
pub(crate) fn shortened(text: &str) -> String {
    if text.len() <= LONGEST_MESSAGE {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(LONGEST_MESSAGE - CUT.len());
    format!("{}{CUT}", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_never_longer_than_an_event_may_be() {
        for text in ["a".repeat(1024), "a".repeat(1025), "é".repeat(1000), "a".repeat(1023) + "é"] {
            let short = shortened(&text);
            assert!(short.len() <= LONGEST_MESSAGE && (short == text || short.ends_with(CUT)), "{}", short.len());
        }
    }
}

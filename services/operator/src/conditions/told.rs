//! What events tell: the closed list, with the words for the reference.

/// Why an event is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// The resource asks for what cannot be.
    Invalid,
    /// The server was changed.
    Changed,
    /// `check` is true: what would be done.
    Planned,
    /// It could not be changed.
    Failed,
    /// The pod is made anew.
    PodReplaced,
    /// There is a new certificate.
    CertificateIssued,
    /// The server serves.
    Ready,
    /// A server is given all entries of another.
    Initialising,
    /// All pairs are in sync.
    InSync,
    /// Two servers have data that began apart.
    OtherData,
    /// A report of what was done is in the store.
    Reported,
    /// One is not.
    NotReported,
}

impl Told {
    /// All.
    pub(crate) const ALL: [Self; 12] = [
        Self::Invalid,
        Self::Changed,
        Self::Planned,
        Self::Failed,
        Self::PodReplaced,
        Self::CertificateIssued,
        Self::Ready,
        Self::Initialising,
        Self::InSync,
        Self::OtherData,
        Self::Reported,
        Self::NotReported,
    ];

    /// As it stands in the event.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Invalid => "Invalid",
            Self::Changed => "Changed",
            Self::Planned => "Planned",
            Self::Failed => "Failed",
            Self::PodReplaced => "PodReplaced",
            Self::CertificateIssued => "CertificateIssued",
            Self::Ready => "Ready",
            Self::Initialising => "Initialising",
            Self::InSync => "InSync",
            Self::OtherData => "OtherData",
            Self::Reported => "Reported",
            Self::NotReported => "NotReported",
        }
    }

    /// What it means.
    pub(crate) fn doc(self) -> &'static str {
        match self {
            Self::Invalid => "What the resource says cannot be carried out, or what it refers to is not there.",
            Self::Changed => "The server was changed; the message lists what was done.",
            Self::Planned => "check is true; the message lists what would be done.",
            Self::Failed => "The server could not be changed; the message says why.",
            Self::PodReplaced => {
                "The pod is made anew: for another image, other resources, another template, entries that it does not bring, or a restart \
                 that was asked for."
            }
            Self::CertificateIssued => "The server got a certificate, its first one or one before the last one ends.",
            Self::Ready => "The server is what the resource says, and serves.",
            Self::Initialising => "A server is given all entries of another; the message names both.",
            Self::InSync => "All that receive by the agreement have all entries.",
            Self::OtherData => "The entries of two servers began apart; the message names both and says what to do.",
            Self::Reported => "What was done to the server is told by a report; the message says where that is.",
            Self::NotReported => {
                "A report of what was done is not in the store; the message says why, and whether it is tried again."
            }
        }
    }

    /// Whether somebody should look.
    pub(crate) fn is_warning(self) -> bool {
        matches!(self, Self::Invalid | Self::Failed | Self::OtherData | Self::NotReported)
    }
}

//! Initialises the consumer of an agreement: the server gives it all entries, and what it held is lost. Unless it is wanted anyway,
//! that happens when both do not have the same data to begin with, which the server finds out itself in its first session with the
//! consumer.

use std::time::Duration;

use directory::{
    dn::Dn,
    entry::Entry,
    layout,
    replication::{Moment, Outcome, Ruv},
};
use tokio::time::Instant;

use crate::ldap::{self, Connection};

/// Between two looks at how it goes.
const LOOK: Duration = Duration::from_millis(100);

/// How long a consumer may be out of reach. The server tries again after 3, 6, 12, 24 and 48 seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// Between two attempts with a consumer that has no replica yet.
const ASKED_AGAIN: Duration = Duration::from_secs(2);

/// How long a server may take to say how it ended.
const SETTLING: Duration = Duration::from_secs(10);

/// Why a consumer was not initialised.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server could not be asked.
    #[error(transparent)]
    Ldap(#[from] ldap::Error),
    /// There is no such agreement any more.
    #[error("the agreement is gone")]
    Gone,
    /// This server has no data of a supplier that it could pass on.
    #[error("this hub was not initialised itself within {} seconds; initialise it, then apply again", PATIENCE.as_secs())]
    Empty,
    /// No session with the consumer came about.
    #[error(
        "the consumer {consumer} could not be reached within {} seconds: {said}; see that it runs, that its replica is there and \
         that the agreement's name, password and schedule are right, then apply again, which goes on with this",
        PATIENCE.as_secs()
    )]
    Unreachable {
        /// Host and port.
        consumer: String,
        /// What the server said last.
        said: String,
    },
    /// It ended, and the server does not say how.
    #[error(
        "the server has ended the initialisation of the consumer {consumer} without a word, as it does when the suffix has no entry; \
         see its log of errors, then apply again, which begins anew"
    )]
    Ended {
        /// Host and port.
        consumer: String,
    },
    /// It began and failed.
    #[error("the consumer {consumer} was not initialised: {said}; apply again, which begins anew")]
    Failed {
        /// Host and port.
        consumer: String,
        /// What the server said.
        said: String,
    },
}

/// What the entry of an agreement says of it.
struct Look {
    consumer: String,
    /// The last session.
    session: Option<Outcome>,
    /// Whether it is over, so that what is said of it is all there is to say.
    is_over: bool,
    /// The last initialisation.
    initialisation: Option<Outcome>,
    began: Option<Moment>,
    ended: Option<Moment>,
    is_under_way: bool,
}

/// Sees to it that the consumer has the data of this server, and waits for the end. The agreement was made when the server had that
/// data already: before, it could have found the same on both sides, for replicas that nobody has initialised call what they have
/// by the second in which they were made.
pub async fn run(
    connection: &mut Connection,
    suffix: &Dn,
    agreement: &str,
    anew: bool,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<(), Error> {
    let dn = layout::agreement(suffix, agreement);
    if !look(connection, &dn).await?.is_under_way {
        if !anew && is_same_data(connection, &dn, progress).await? {
            progress("the consumer has the same data already");
            return Ok(());
        }
        connection.replace(&dn, &[("nsds5BeginReplicaRefresh", vec!["start".to_owned()])], &[]).await?;
    }
    follow(connection, &dn, progress).await
}

/// Waits until a server has data of a supplier: a hub has nothing to pass on before it was initialised itself.
pub async fn wait_for_data(connection: &mut Connection, suffix: &Dn) -> Result<(), Error> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let replica = connection.entry(&layout::replica(suffix), &["nsds50ruv"]).await?.ok_or(Error::Gone)?;
        let ruv = Ruv::read(replica.texts("nsds50ruv"));
        if ruv.is_some_and(|ruv| !ruv.elements.is_empty()) {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(Error::Empty);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Whether the consumer began with the same data, as the server's first session with it shows.
async fn is_same_data(connection: &mut Connection, dn: &Dn, progress: &mut (dyn FnMut(&str) + Send)) -> Result<bool, Error> {
    let deadline = Instant::now() + PATIENCE;
    let (mut heard, mut asked) = (String::new(), Instant::now());
    loop {
        let look = look(connection, dn).await?;
        let said = look.session.as_ref().map(|session| session.text.clone()).unwrap_or_default();
        match &look.session {
            Some(session) if session.code == Outcome::OTHER_DATA => return Ok(false),
            Some(session) if session.code == 0 && look.is_over => return Ok(true),
            // A server does not look again at one that has no replica yet, unless its agreement begins anew.
            Some(session) if session.code == Outcome::NO_REPLICA && asked.elapsed() > ASKED_AGAIN => {
                asked = Instant::now();
                for state in ["off", "on"] {
                    connection.replace(dn, &[("nsds5ReplicaEnabled", vec![state.to_owned()])], &[]).await?;
                }
            }
            _ => {}
        }
        if said != heard {
            heard.clone_from(&said);
            progress(&said);
        }
        if Instant::now() > deadline {
            return Err(Error::Unreachable { consumer: look.consumer, said });
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Waits until an initialisation that has been started ends.
async fn follow(connection: &mut Connection, dn: &Dn, progress: &mut (dyn FnMut(&str) + Send)) -> Result<(), Error> {
    let mut deadline = Instant::now() + PATIENCE;
    let (mut heard, mut over) = (String::new(), None);
    loop {
        let look = look(connection, dn).await?;
        let outcome = look.initialisation.as_ref();
        let said = outcome.map(|outcome| outcome.text.clone()).unwrap_or_default();
        let is_well = outcome.is_some_and(|outcome| outcome.code == 0);
        if said != heard {
            heard.clone_from(&said);
            progress(&said);
        }
        if !look.is_under_way {
            let is_done = is_well && look.ended.is_some_and(|ended| look.began.is_some_and(|began| ended >= began));
            let is_settled = !is_well || Instant::now() > *over.get_or_insert_with(|| Instant::now() + SETTLING);
            match (is_done, is_settled) {
                (true, _) => return Ok(()),
                (false, true) if is_well => return Err(Error::Ended { consumer: look.consumer }),
                (false, true) => return Err(Error::Failed { consumer: look.consumer, said }),
                // It is over, and the server has not written down yet how it ended.
                (false, false) => {}
            }
            tokio::time::sleep(LOOK).await;
            continue;
        }
        if is_well && look.began > look.ended {
            // It goes on for as long as there is data; the server ends it when the consumer does not answer.
            deadline = Instant::now() + PATIENCE;
        } else if Instant::now() > deadline {
            // Nobody would expect it hours later.
            connection.replace(dn, &[("nsds5BeginReplicaRefresh", vec!["stop".to_owned()])], &[]).await?;
            return Err(Error::Unreachable { consumer: look.consumer, said });
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn look(connection: &mut Connection, dn: &Dn) -> Result<Look, Error> {
    let entry = connection.entry(dn, &["*"]).await?.ok_or(Error::Gone)?;
    let moment = |attribute: &str| entry.text(attribute).and_then(Moment::parse);
    let outcome = |kind: &str| {
        let attribute = format!("nsds5replicaLast{kind}Status");
        Outcome::read(entry.text(&format!("{attribute}JSON")), entry.text(&attribute))
    };
    let (began, ended) = (moment("nsds5replicaLastUpdateStart"), moment("nsds5replicaLastUpdateEnd"));
    Ok(Look {
        consumer: consumer(&entry),
        session: outcome("Update"),
        is_over: entry.text("nsds5replicaUpdateInProgress").is_none_or(|value| !value.eq_ignore_ascii_case("true"))
            && ended.is_some()
            && ended >= began,
        initialisation: outcome("Init"),
        began: moment("nsds5replicaLastInitStart"),
        ended: moment("nsds5replicaLastInitEnd"),
        is_under_way: entry.text("nsds5BeginReplicaRefresh").is_some(),
    })
}

fn consumer(entry: &Entry) -> String {
    let text = |attribute: &str| entry.text(attribute).unwrap_or_default();
    format!("{}:{}", text("nsDS5ReplicaHost"), text("nsDS5ReplicaPort"))
}

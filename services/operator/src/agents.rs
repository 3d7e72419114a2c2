//! The agents of pods: a connection with each, over which the operator says what an instance should be and hears how it is.
//! What was heard is kept; whoever wants to know is told that it is something else.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aviary_proto::directory::v1::{
    Activity, ApplyRequest, LagRequest, LagResponse, Status, WatchRequest, agent_service_client::AgentServiceClient,
};
use hyper_util::rt::TokioIo;
use kube::runtime::reflector::{ObjectRef, Store};
use runtime::tls;
use time::OffsetDateTime;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;
use tonic::{
    Code,
    transport::{Channel, Endpoint},
};
use tower::service_fn;

use crate::{
    authorities::Authorities,
    authority::{self, Purpose},
    crd::DS389Instance,
};

/// The port of agents.
pub(crate) const PORT: u16 = 8002;
/// How long connecting may take, and saying what should be.
const CONNECTED_IN: Duration = Duration::from_secs(3);
const ANSWERED_IN: Duration = Duration::from_secs(5);
/// Between attempts to connect: the first, doubled up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How soon an agent that has vanished without a word is noticed: after both.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);
/// For how long the operator's own certificate is good, and for how long of that connections are begun with it.
const CERTIFICATE_LASTS: Duration = Duration::from_secs(24 * 3600);
const CERTIFICATE_SHOWN: Duration = Duration::from_secs(12 * 3600);
/// What the operator is called in its certificate.
const OPERATOR: &str = "aviary-operator";

/// Why an agent did not take what it was told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It does not answer, or cannot take it now.
    #[error("the agent has not taken it: {0}")]
    Unreachable(String),
    /// It refuses, for a reason that asking again does not change.
    #[error("the agent refuses: {0}")]
    Refused(String),
}

/// An agent that was asked and has not answered.
#[derive(Debug, thiserror::Error)]
#[error("the agent does not answer: {0}")]
pub(crate) struct NoAnswer(String);

/// Of an agent that was never called.
const UNHEARD: &str = "nobody listens to it";

/// An instance, for whom there is an agent.
type Key = ObjectRef<DS389Instance>;

/// All agents.
pub(crate) struct Agents {
    caller: Arc<Caller>,
    instances: Store<DS389Instance>,
    known: Mutex<HashMap<Key, Agent>>,
    told: mpsc::Sender<Key>,
}

/// What was heard of an agent last.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Heard {
    /// It is being called for the first time.
    #[default]
    NotYet,
    /// It does not answer.
    Silent,
    /// How it is.
    Status(Arc<Status>),
}

impl Heard {
    /// How it is, if it says so.
    pub(crate) fn status(&self) -> Option<&Status> {
        match self {
            Self::Status(status) => Some(status),
            Self::NotYet | Self::Silent => None,
        }
    }
}

/// Whether an instance is what its agent was told that it should be, and serves.
pub(crate) fn is_settled(status: &Status) -> bool {
    status.serves && status.activity() == Activity::Settled
}

struct Agent {
    channel: Channel,
    heard: Arc<Mutex<Heard>>,
    listening: AbortOnDropHandle<()>,
}

impl Agents {
    /// None so far. Whenever one is otherwise than before, its instance is sent. An instance that is gone is forgotten.
    pub(crate) fn new(authorities: Arc<Authorities>, instances: Store<DS389Instance>, told: mpsc::Sender<Key>) -> Self {
        let caller = Arc::new(Caller { authorities, shown: Mutex::default() });
        Self { caller, instances, known: Mutex::default(), told }
    }

    /// What the agent of an instance has said last. From the first time on it is listened to.
    pub(crate) fn heard(&self, key: &Key, host: &str) -> Heard {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, agent| !agent.listening.is_finished());
        let agent = known.entry(key.clone()).or_insert_with(|| self.listen(key.clone(), host));
        let heard = agent.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.clone()
    }

    /// What was heard of the agent of an instance last, if it is listened to.
    pub(crate) fn known(&self, key: &Key) -> Heard {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let heard = known.get(key).map(|agent| agent.heard.lock().unwrap_or_else(PoisonError::into_inner).clone());
        heard.unwrap_or_default()
    }

    /// The connection with the agent of an instance, if it is listened to.
    pub(crate) fn channel(&self, key: &Key) -> Option<Channel> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(key).map(|agent| agent.channel.clone())
    }

    /// Says what an instance should be.
    pub(crate) async fn apply(&self, key: &Key, document: &str) -> Result<(), Error> {
        let mut client = self.client(key).ok_or_else(|| Error::Unreachable(UNHEARD.to_owned()))?;
        let request = ApplyRequest { document: document.to_owned() };
        match timeout(ANSWERED_IN, client.apply(request)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(status)) if matches!(status.code(), Code::InvalidArgument | Code::FailedPrecondition) => {
                Err(Error::Refused(status.message().to_owned()))
            }
            Ok(Err(status)) => Err(Error::Unreachable(status.message().to_owned())),
            Err(_) => Err(Error::Unreachable(format!("not within {} s", ANSWERED_IN.as_secs()))),
        }
    }

    /// Asks by how much those to whom an instance sends are behind, and what it has itself.
    pub(crate) async fn lag(&self, key: &Key) -> Result<LagResponse, NoAnswer> {
        let mut client = self.client(key).ok_or_else(|| NoAnswer(UNHEARD.to_owned()))?;
        match client.lag(LagRequest {}).await {
            Ok(answer) => Ok(answer.into_inner()),
            // An agent of before the call says no more than its code.
            Err(status) if status.message().is_empty() => Err(NoAnswer(status.code().to_string())),
            Err(status) => Err(NoAnswer(status.message().to_owned())),
        }
    }

    /// A client of an agent that is listened to.
    fn client(&self, key: &Key) -> Option<AgentServiceClient<Channel>> {
        self.channel(key).map(AgentServiceClient::new)
    }

    fn listen(&self, key: Key, host: &str) -> Agent {
        let channel = channel(Arc::clone(&self.caller), host.to_owned());
        let heard = Arc::default();
        let listening = listen(key, self.instances.clone(), channel.clone(), Arc::clone(&heard), self.told.clone());
        Agent { channel, heard, listening: AbortOnDropHandle::new(tokio::spawn(listening)) }
    }
}

/// Listens to an agent for as long as there is its instance.
async fn listen(key: Key, instances: Store<DS389Instance>, channel: Channel, heard: Arc<Mutex<Heard>>, told: mpsc::Sender<Key>) {
    let mut pause = FIRST_PAUSE;
    while instances.get(&key).is_some() {
        match AgentServiceClient::new(channel.clone()).watch(WatchRequest {}).await {
            Ok(answer) => {
                let mut stream = answer.into_inner();
                loop {
                    match stream.message().await {
                        Ok(Some(status)) => {
                            pause = FIRST_PAUSE;
                            keep(&key, Heard::Status(Arc::new(status)), &heard, &told).await;
                        }
                        Ok(None) => break,
                        Err(status) => {
                            tracing::debug!(instance = %key, error = status.message(), "an agent is no longer heard");
                            break;
                        }
                    }
                }
            }
            Err(status) => tracing::debug!(instance = %key, error = status.message(), "an agent is not heard"),
        }
        keep(&key, Heard::Silent, &heard, &told).await;
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Keeps what was heard, and says so if it is something else.
async fn keep(key: &Key, now: Heard, heard: &Mutex<Heard>, told: &mpsc::Sender<Key>) {
    let is_new = {
        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = *heard != now;
        *heard = now;
        is_new
    };
    if is_new {
        // Nobody is there to be told when the operator ends.
        let _ = told.send(key.clone()).await;
    }
}

/// A connection that is made with the first call.
fn channel(caller: Arc<Caller>, host: String) -> Channel {
    let dial = move |_| {
        let (caller, host) = (Arc::clone(&caller), host.clone());
        async move { caller.connect(&host).await.map(TokioIo::new) }
    };
    // What is called is up to `connect`; the address is for those who read logs.
    Endpoint::from_static("http://agent")
        .connect_timeout(CONNECTED_IN)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .connect_with_connector_lazy(service_fn(dial))
}

/// A call that failed before anything was said.
#[derive(Debug, thiserror::Error)]
enum Unconnected {
    #[error("failed to connect with {host}")]
    Connect { host: String, source: io::Error },
    #[error(transparent)]
    Certificate(#[from] authority::Error),
    #[error(transparent)]
    Tls(#[from] tls::Error),
}

/// As whom the operator calls agents. All connections share what is shown to them.
struct Caller {
    authorities: Arc<Authorities>,
    shown: Mutex<Option<Shown>>,
}

/// A certificate of the operator's own.
struct Shown {
    client: tls::Client,
    since: OffsetDateTime,
}

impl Caller {
    async fn connect(&self, host: &str) -> Result<impl AsyncRead + AsyncWrite + Send + Unpin + use<>, Unconnected> {
        let client = self.client(OffsetDateTime::now_utc())?;
        let stream = TcpStream::connect((host, PORT)).await;
        let stream = stream.map_err(|source| Unconnected::Connect { host: host.to_owned(), source })?;
        // Small messages must not wait for more.
        let _ = stream.set_nodelay(true);
        Ok(client.connect(stream, host).await?)
    }

    fn client(&self, now: OffsetDateTime) -> Result<tls::Client, Unconnected> {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Shown { client, since }) = shown.as_ref()
            && now < *since + CERTIFICATE_SHOWN
        {
            return Ok(client.clone());
        }
        let authority = &self.authorities.agents;
        let own = authority.issue(&[OPERATOR.to_owned()], Purpose::Client, now, CERTIFICATE_LASTS)?;
        let client = tls::Client::from_pem(&own.certificate, &own.key, &authority.identity.certificate)?;
        *shown = Some(Shown { client: client.clone(), since: now });
        Ok(client)
    }
}

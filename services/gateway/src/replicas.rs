//! The query service, or the operator, as several replicas: which of them is asked, what happens when it does not answer, for
//! how long, and how many calls are in hand at a time. Calls are passed on as they are; what they ask, only their first field matters.

mod body;
mod call;
mod callee;
mod channel;
mod discovery;
mod health;
mod pool;
mod rendezvous;
mod target;

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response, StatusCode};
use runtime::tls;
use tokio::{sync::Semaphore, time::Instant};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tonic::{Status, body::Body};
use tower::{Service, ServiceExt};

use crate::{
    backend::{Backend, backend},
    error::{Error as NoAnswer, Reason},
    retries::Retries,
};
use body::{Answer, Begun, Broken, End};
use call::Call;
pub use callee::Callee;
use channel::Dialer;
pub use discovery::Error;
use discovery::Names;
use health::Replica;
use pool::Pool;
pub use target::{Error as NotATarget, Targets};

/// How long something is followed: a report on its way, or the fleet.
const MAX_FOLLOWED: Duration = Duration::from_secs(3600);

/// Bounds of what is asked.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long a call may take, from its question to the end of its answer.
    pub timeout: Duration,
    /// Calls in hand at a time; more are refused.
    pub max_requests: usize,
}

/// The way to the replicas.
pub struct Connected {
    /// Asks them.
    pub backend: Backend,
    /// Cancelled when one of them was well for the first time.
    pub any_healthy: CancellationToken,
}

/// Looks for the replicas, and after them, for as long as the backend lives. To be called inside the async runtime. Streams that
/// would go on for ever end when the gateway is `stopping`.
///
/// # Errors
/// When names are to be resolved by DNS and it cannot be set up.
pub fn connect(
    callee: Callee,
    targets: Targets,
    tls: Option<tls::Client>,
    limits: Limits,
    stopping: CancellationToken,
) -> Result<Connected, Error> {
    let names = Arc::new(Names::new(&targets)?);
    let dialer = Dialer { names: Arc::clone(&names), tls, max_requests: limits.max_requests };
    let pool = Arc::new(Pool::new(callee, dialer));
    if let Targets::Fixed(targets) = targets {
        pool.set(targets);
    }
    let discovery = tokio::spawn(discovery::follow(names, Arc::clone(&pool)));
    let any_healthy = pool.any_healthy();
    let replicas = Replicas(Arc::new(Shared {
        callee,
        pool,
        in_hand: Arc::new(Semaphore::new(limits.max_requests)),
        timeout: limits.timeout,
        // When one replica goes, all that it had in hand may be asked again.
        retries: Retries::new(limits.max_requests),
        stopping,
        _discovery: AbortOnDropHandle::new(discovery),
    }));
    Ok(Connected { backend: backend(replicas), any_healthy })
}

#[derive(Clone)]
struct Replicas(Arc<Shared>);

struct Shared {
    callee: Callee,
    pool: Arc<Pool>,
    /// One permit for each call in hand.
    in_hand: Arc<Semaphore>,
    timeout: Duration,
    retries: Retries,
    stopping: CancellationToken,
    _discovery: AbortOnDropHandle<()>,
}

/// Why one replica did not answer.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("failed to ask")]
    Transport(#[source] tonic::transport::Error),
    #[error("it does not serve: {0}")]
    NotServing(String),
    #[error("it answers by HTTP status {0}")]
    NotGrpc(StatusCode),
    #[error(transparent)]
    Broken(#[from] Broken),
    #[error("it is lost")]
    Lost,
}

impl Service<Request<Body>> for Replicas {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let shared = Arc::clone(&self.0);
        Box::pin(async move { Ok(shared.answer(request).await.unwrap_or_else(|error| Status::from(error).into_http())) })
    }
}

impl Shared {
    async fn answer(&self, request: Request<Body>) -> Result<Response<Body>, NoAnswer> {
        let Ok(permit) = Arc::clone(&self.in_hand).try_acquire_owned() else {
            metrics::counter!("aviary_gateway_shed_total").increment(1);
            return Err(NoAnswer::new(Reason::Overloaded, "the gateway has as many calls in hand as it allows"));
        };
        let method = request.uri().path().rsplit('/').next().unwrap_or_default();
        let is_endless = self.callee.is_endless(method);
        // Who follows something does so for longer than any question may take.
        let most = if is_endless || self.callee.is_followed(method) { MAX_FOLLOWED } else { self.timeout };
        let timeout = runtime::grpc_timeout::read(request.headers()).map_or(most, |asked| asked.min(most));
        let deadline = Instant::now() + timeout;
        let answer = async { self.ask(&Call::read(self.callee, request, deadline).await?).await };
        let answer = tokio::time::timeout_at(deadline, answer).await;
        let (response, replica) = answer.unwrap_or_else(|_| Err(late()))?;
        let end: End = Box::pin(end(deadline, is_endless.then(|| self.stopping.clone())));
        Ok(response.map(|begun| Body::new(Answer::new(begun, replica, Arc::clone(&self.pool), end, permit))))
    }

    /// Asks one replica after the other, each at most once.
    async fn ask(&self, call: &Call) -> Result<(Response<Begun>, Arc<Replica>), NoAnswer> {
        let order = self.pool.order(&call.key);
        self.retries.asked();
        for (tried, replica) in order.iter().enumerate() {
            if tried > 0 && !self.retries.may_ask_again() {
                break;
            }
            // Patience with the lost only where there is somebody else to ask.
            let elsewhere = order.get(tried + 1).is_some_and(|next| next.is_healthy());
            let answer = tokio::select! {
                answer = attempt(replica, call) => answer,
                () = replica.lost(), if elsewhere && replica.is_healthy() => Err(Failure::Lost),
            };
            match answer {
                Ok(response) if body::is_given_up(response.headers()) => return Err(late()),
                Ok(response) => return Ok((response, Arc::clone(replica))),
                Err(_) if call.is_late() => return Err(late()),
                Err(failure) => {
                    tracing::debug!(
                        replica = replica.target.name,
                        error = &failure as &dyn std::error::Error,
                        "a replica did not answer"
                    );
                    self.pool.failed(replica);
                }
            }
        }
        let detail = if order.is_empty() { "no replica is known" } else { "no replica could answer" };
        Err(NoAnswer::new(Reason::ReplicasUnavailable, detail))
    }
}

/// Asks one replica, up to where its answer has begun.
async fn attempt(replica: &Replica, call: &Call) -> Result<Response<Begun>, Failure> {
    let mut channel = replica.channel.clone();
    let channel = channel.ready().await.map_err(Failure::Transport)?;
    let response = channel.call(call.request()).await.map_err(Failure::Transport)?;
    if response.status() != StatusCode::OK {
        return Err(Failure::NotGrpc(response.status()));
    }
    if let Some(status) = body::not_serving(response.headers()) {
        return Err(Failure::NotServing(status.message().to_owned()));
    }
    let (head, body) = response.into_parts();
    let begun = match head.headers.contains_key(Status::GRPC_STATUS) {
        true => Begun::empty(),
        false => Begun::wait(body, call.single).await?,
    };
    Ok(Response::from_parts(head, begun))
}

/// When an answer has to end that has begun, and why.
async fn end(deadline: Instant, stopping: Option<CancellationToken>) -> NoAnswer {
    let stopped = async {
        match stopping {
            Some(stopping) => stopping.cancelled().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = tokio::time::sleep_until(deadline) => NoAnswer::new(Reason::DeadlineExceeded, "the answer took longer than allowed"),
        () = stopped => NoAnswer::new(Reason::ReplicasUnavailable, "the gateway ends"),
    }
}

fn late() -> NoAnswer {
    NoAnswer::new(Reason::DeadlineExceeded, "the question took longer than allowed")
}

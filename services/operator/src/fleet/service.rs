//! The contract's `Fleet`: takes a call, finds what is asked for in what is told, and answers.

use std::{sync::Arc, time::Duration};

use aviary_proto::directory::v1::{
    FleetChange, InstanceLag, ListAgreementsResponse, ListInstancesResponse, ListLagsResponse, ListRequest,
    ListTopologiesResponse, WatchFleetRequest, fleet_server::Fleet,
};
use futures::{StreamExt, stream::BoxStream};
use kube::runtime::reflector::ObjectRef;
use tokio::{
    sync::{Semaphore, watch},
    time::timeout,
};
use tonic::{Request, Response, Status};

use super::{Seen, Told, changes, page::page, snapshot::Kind};

/// Those who may watch at a time.
const MAX_WATCHES: usize = 256;
/// Agents that are asked at a time, and how long each may take.
const AT_A_TIME: usize = 16;
const ANSWERED_IN: Duration = Duration::from_secs(2);

/// Answers from what is told.
pub(super) struct Service {
    told: watch::Receiver<Told>,
    watches: Arc<Semaphore>,
}

/// What is said by an operator that does not work.
pub(super) fn idle() -> Status {
    Status::unavailable("this operator does not work now: another one does, or it has just begun and has not seen everything yet")
}

impl Service {
    pub(super) fn new(told: watch::Receiver<Told>) -> Self {
        Self { told, watches: Arc::new(Semaphore::new(MAX_WATCHES)) }
    }

    fn seen(&self) -> Result<Arc<Seen>, Status> {
        self.told.borrow().clone().ok_or_else(idle)
    }
}

#[tonic::async_trait]
impl Fleet for Service {
    type WatchStream = BoxStream<'static, Result<FleetChange, Status>>;

    async fn list_instances(&self, request: Request<ListRequest>) -> Result<Response<ListInstancesResponse>, Status> {
        let (seen, asked) = (self.seen()?, request.into_inner());
        let (instances, next_page_token) = page(&seen.snapshot, Kind::Instance, &asked, |object| object.instance().cloned());
        Ok(Response::new(ListInstancesResponse { instances, next_page_token }))
    }

    async fn list_agreements(&self, request: Request<ListRequest>) -> Result<Response<ListAgreementsResponse>, Status> {
        let (seen, asked) = (self.seen()?, request.into_inner());
        let (agreements, next_page_token) = page(&seen.snapshot, Kind::Agreement, &asked, |object| object.agreement().cloned());
        Ok(Response::new(ListAgreementsResponse { agreements, next_page_token }))
    }

    async fn list_topologies(&self, request: Request<ListRequest>) -> Result<Response<ListTopologiesResponse>, Status> {
        let (seen, asked) = (self.seen()?, request.into_inner());
        let (topologies, next_page_token) = page(&seen.snapshot, Kind::Topology, &asked, |object| object.topology().cloned());
        Ok(Response::new(ListTopologiesResponse { topologies, next_page_token }))
    }

    async fn list_lags(&self, request: Request<ListRequest>) -> Result<Response<ListLagsResponse>, Status> {
        let (seen, asked) = (self.seen()?, request.into_inner());
        let (instances, next_page_token) = page(&seen.snapshot, Kind::Instance, &asked, |object| {
            let instance = object.instance()?;
            let is_replicated = instance.backends.iter().any(|backend| !backend.role.is_empty());
            let (namespace, name) = (instance.namespace.clone(), instance.name.clone());
            is_replicated.then(|| InstanceLag { namespace, name, ..InstanceLag::default() })
        });
        let asked = instances.into_iter().map(|instance| lag(&seen, instance));
        let instances = futures::stream::iter(asked).buffered(AT_A_TIME).collect().await;
        Ok(Response::new(ListLagsResponse { instances, next_page_token }))
    }

    async fn watch(&self, request: Request<WatchFleetRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let Ok(permit) = Arc::clone(&self.watches).try_acquire_owned() else {
            return Err(Status::resource_exhausted(format!("{MAX_WATCHES} watch already, and more cannot")));
        };
        let mut told = self.told.clone();
        let seen = told.borrow_and_update().clone().ok_or_else(idle)?;
        Ok(Response::new(changes::stream(told, seen, request.into_inner().namespace, permit).boxed()))
    }
}

/// Asks the agent of an instance.
async fn lag(seen: &Seen, instance: InstanceLag) -> InstanceLag {
    let key = ObjectRef::new(&instance.name).within(&instance.namespace);
    let Some((_, ask)) = seen.asks.iter().find(|(scope, _)| scope.has(&instance.namespace)) else { return instance };
    match timeout(ANSWERED_IN, ask(key)).await {
        Ok(Ok(agreements)) => InstanceLag { agreements, ..instance },
        Ok(Err(unknown)) => InstanceLag { unknown, ..instance },
        Err(_) => InstanceLag { unknown: format!("the agent has not answered within {} s", ANSWERED_IN.as_secs()), ..instance },
    }
}

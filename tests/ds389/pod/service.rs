//! The gRPC of the agent of a pod: what it takes and what it tells, and that nobody else is told or heard.

use std::{fs, io, net::SocketAddr, path::PathBuf, sync::Arc};

use aviary_proto::directory::v1::{
    Activity, AgreementLag, ApplyRequest, FetchReportRequest, ForgetReportRequest, LagRequest, Replica, Report, Status,
    WatchRequest, agent_service_client::AgentServiceClient,
};
use hyper_util::rt::TokioIo;
use runtime::tls::TlsClientArgs;
use tests::certificates::Identity;
use tokio::net::TcpStream;
use tonic::{
    Code, Streaming,
    transport::{Channel, Endpoint},
};

use super::{Agent, free_address};
use crate::{
    machine::{Authority, Machine, element, until},
    replicas::{BIND, unit},
};

/// What the agent's certificate is for.
const HOST: &str = "agent";

/// A host for agents that are called, and those who call them.
struct Pod {
    machine: Arc<Machine>,
    folder: tempfile::TempDir,
    ours: Authority,
    server: Identity,
    operator: Identity,
}

/// An agent, and how it is called.
struct Called {
    agent: Agent,
    address: SocketAddr,
    client: AgentServiceClient<Channel>,
}

impl Pod {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ours = Authority::new(folder.path(), "ours");
        let (server, operator) = (ours.vouch(HOST, "server"), ours.vouch("operator", "operator"));
        Self { machine: Arc::new(Machine::new()), folder, ours, server, operator }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("instance.yaml")
    }

    /// What says that an instance should be so; `head` stands before the variables.
    fn document(&self, head: &str, instance: &str) -> String {
        format!("{{{head}, ds389_prefix: {}, ds389_instances: [{instance}]}}", self.machine.prefix.path())
    }

    fn write(&self, head: &str, instance: &str) {
        fs::write(self.file(), self.document(head, instance)).unwrap();
    }

    /// Starts an agent with the one folder of state of this host.
    async fn start(&self) -> Called {
        let address = free_address();
        let path = |path: PathBuf| path.display().to_string();
        let flags = [
            ("--state", path(self.folder.path().join("state"))),
            ("--listen", address.to_string()),
            ("--tls-cert", path(self.server.certificate.clone())),
            ("--tls-key", path(self.server.key.clone())),
            ("--tls-client-ca", path(self.ours.certificate())),
        ];
        let flags: Vec<String> = flags.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]).collect();
        let agent = Agent::with(Arc::clone(&self.machine), self.file(), &flags);
        let client = self.client(address, Some(&self.operator)).await;
        let called = Called { agent, address, client };
        until(async || called.try_status().await.map_err(|error| error.to_string()), Result::is_ok).await.unwrap();
        called
    }

    async fn client(&self, address: SocketAddr, identity: Option<&Identity>) -> AgentServiceClient<Channel> {
        let arguments = TlsClientArgs {
            query_tls_ca: Some(self.ours.certificate()),
            query_tls_cert: identity.map(|identity| identity.certificate.clone()),
            query_tls_key: identity.map(|identity| identity.key.clone()),
            query_tls_name: None,
        };
        let tls = arguments.load().await.unwrap().unwrap();
        let connect = tower::service_fn(move |_| {
            let tls = tls.clone();
            async move {
                let stream = TcpStream::connect(address).await?;
                Ok::<_, io::Error>(TokioIo::new(tls.connect(stream, HOST).await.map_err(io::Error::other)?))
            }
        });
        AgentServiceClient::new(Endpoint::from_static("http://agent").connect_with_connector_lazy(connect))
    }

    async fn size_limit(&self, instance: &str) -> String {
        let mut connection = self.machine.connect(instance).await;
        let entry = connection.entry(&directory::layout::config(), &["nsslapd-sizelimit"]).await.unwrap().unwrap();
        entry.text("nsslapd-sizelimit").unwrap().to_owned()
    }
}

impl Called {
    async fn apply(&self, document: &str) -> Result<(), (Code, String)> {
        let applied = self.client.clone().apply(ApplyRequest { document: document.to_owned() }).await;
        applied.map(|_| ()).map_err(|error| (error.code(), error.message().to_owned()))
    }

    async fn watch(&self) -> Streaming<Status> {
        self.client.clone().watch(WatchRequest {}).await.unwrap().into_inner()
    }

    async fn try_status(&self) -> Result<Status, tonic::Status> {
        let mut statuses = self.client.clone().watch(WatchRequest {}).await?.into_inner();
        Ok(statuses.message().await?.unwrap())
    }

    async fn lags(&self) -> Vec<AgreementLag> {
        self.client.clone().lag(LagRequest {}).await.unwrap().into_inner().agreements
    }

    async fn until(&self, is_so: impl Fn(&Status) -> bool) -> Status {
        until(async || self.try_status().await.unwrap(), is_so).await
    }

    /// The database of a report.
    async fn fetch(&self, id: &str) -> Result<Vec<u8>, Code> {
        let request = FetchReportRequest { id: id.to_owned() };
        let mut stream = self.client.clone().fetch_report(request).await.map_err(|status| status.code())?.into_inner();
        let mut database = Vec::new();
        while let Some(chunk) = stream.message().await.map_err(|status| status.code())? {
            database.extend(chunk.data);
        }
        Ok(database)
    }

    async fn until_reported(&self, count: usize) -> Vec<Report> {
        self.until(|status| status.reports.len() == count).await.reports
    }

    async fn until_settled(&self, revision: u64) -> Status {
        self.until(|status| status.revision == revision && status.activity() == Activity::Settled && status.serves).await
    }
}

fn limited(instance: &str, limit: u32) -> String {
    instance.replacen('{', &format!("{{nsslapd_sizelimit: {limit}, "), 1)
}

#[tokio::test]
async fn what_is_applied_is_made_and_whoever_watches_is_told_how_that_goes() {
    let pod = Pod::new();
    let mut called = pod.start().await;
    let mut statuses = called.watch().await;
    let first = statuses.message().await.unwrap().unwrap();
    assert_eq!((first.activity(), first.revision, first.serves), (Activity::Idle, 0, false), "{first:?}");
    assert_eq!(first.agent_version, env!("CARGO_PKG_VERSION"));

    called.apply(&pod.document("revision: 3, generation: 2", &element("applied", super::SUFFIX))).await.unwrap();
    let mut heard = Vec::new();
    let settled = loop {
        let status = statuses.message().await.unwrap().unwrap();
        assert_eq!(status.error, "");
        if status.activity() == Activity::Settled && status.serves {
            break status;
        }
        heard.push(status);
    };
    assert_eq!((settled.revision, settled.generation, settled.progress.as_ref()), (3, 2, None));
    assert_eq!(settled.changed.first().map(String::as_str), Some("Creating instance slapd-applied"));
    assert_eq!(settled.server_version, pod.machine.host.version().to_string());
    assert_eq!(settled.planned, [""; 0]);
    let progress =
        heard.iter().filter(|status| status.activity() == Activity::Settling).find_map(|status| status.progress.clone());
    let progress = progress.unwrap();
    assert!(progress.done < progress.total && settled.changed.iter().any(|done| progress.action.contains(done)), "{progress:?}");
    assert!(heard.windows(2).all(|pair| pair[0] != pair[1]));
    assert!(pod.machine.has("applied", "dc=x").await);

    assert_eq!(called.agent.terminate().await.code(), Some(0), "{}", called.agent.process.output());
    let mut last = settled;
    while let Ok(Some(status)) = statuses.message().await {
        last = status;
    }
    assert_eq!((last.activity(), last.serves), (Activity::Stopping, false));
}

#[tokio::test]
async fn nobody_is_heard_or_told_without_a_certificate_of_the_authority() {
    let pod = Pod::new();
    let called = pod.start().await;
    let others = Authority::new(pod.folder.path(), "others");
    let stranger = others.vouch("operator", "stranger");
    for identity in [None, Some(&stranger)] {
        let mut client = pod.client(called.address, identity).await;
        let document = pod.document("revision: 1", &element("strange", ""));
        client.apply(ApplyRequest { document }).await.unwrap_err();
        client.watch(WatchRequest {}).await.unwrap_err();
    }
    assert_eq!(called.try_status().await.unwrap().revision, 0);

    // And none listens who could not tell.
    let flags = ["--listen".to_owned(), free_address().to_string(), "--tls-cert".to_owned(), "x".to_owned()];
    let mut open = Agent::with(Arc::clone(&pod.machine), pod.file(), &flags);
    let status = until(|| std::future::ready(open.process.ended()), Option::is_some).await.unwrap();
    assert!(!status.success());
    open.until_told("--listen is given without --tls-key").await;
}

#[tokio::test]
async fn no_agent_goes_back_to_an_older_revision_but_its_server_is_started() {
    let pod = Pod::new();
    let instance = element("older", super::SUFFIX);
    pod.write("revision: 4", &limited(&instance, 44));
    let mut called = pod.start().await;
    called.until_settled(4).await;
    let five = pod.document("revision: 5", &limited(&instance, 55));
    called.apply(&five).await.unwrap();
    called.until_settled(5).await;
    assert_eq!(pod.size_limit("older").await, "55");
    let refused = called.apply(&pod.document("revision: 3", &instance)).await.unwrap_err();
    assert_eq!(refused, (Code::FailedPrecondition, "revision 3 is not taken: revision 5 was taken before".to_owned()));
    called.apply(&five).await.unwrap();
    // A file that lags behind says nothing.
    pod.write("revision: 4, generation: 9", &limited(&instance, 44));
    called.agent.until_told("the file says nothing that is later").await;
    assert_eq!(called.until_settled(5).await.generation, 0);
    assert_eq!(called.agent.terminate().await.code(), Some(0), "{}", called.agent.process.output());
    assert!(!pod.machine.try_connect("older").await);

    let mut called = pod.start().await;
    let status = called.until(|status| status.serves).await;
    assert_eq!((status.activity(), status.revision, status.error.as_str()), (Activity::Idle, 0, ""), "{status:?}");
    called.agent.until_ready().await;
    assert_eq!(pod.size_limit("older").await, "55");
    assert_eq!(called.apply(&pod.document("revision: 4", &instance)).await.unwrap_err().0, Code::FailedPrecondition);
    called.apply(&five).await.unwrap();
    assert_eq!(called.until_settled(5).await.changed, [""; 0]);
    // A file that is later counts.
    pod.write("revision: 6", &limited(&instance, 66));
    called.until_settled(6).await;
    assert_eq!(pod.size_limit("older").await, "66");
    assert_eq!(called.agent.terminate().await.code(), Some(0), "{}", called.agent.process.output());
}

#[tokio::test]
async fn a_check_tells_what_would_be_done_and_does_nothing() {
    let pod = Pod::new();
    let instance = element("checked", super::SUFFIX);
    pod.write("revision: 1", &instance);
    let called = pod.start().await;
    called.until_settled(1).await;
    let before = (pod.machine.configurations(), pod.machine.process("checked"));
    let more =
        limited(&instance, 77).replace("backends: [", "backends: [{name: second, suffix: 'dc=y', create_suffix_entry: yes}, ");
    called.apply(&pod.document("revision: 2, check: true", &more)).await.unwrap();
    let checked = called.until_settled(2).await;
    assert!(checked.planned.len() > 1 && checked.changed.is_empty(), "{checked:?}");
    assert_eq!((pod.machine.configurations(), pod.machine.process("checked")), before);
    assert_eq!(called.agent.get("/readyz"), "ok\n");
    // One that ends meanwhile is started again as it was.
    pod.machine.kill("checked");
    called.until(|status| !status.serves).await;
    called.until(|status| status.serves).await;
    assert_eq!(called.until_settled(2).await.planned, checked.planned);
    assert!(!pod.machine.has("checked", "dc=y").await);

    called.apply(&pod.document("revision: 3", &more)).await.unwrap();
    let settled = called.until_settled(3).await;
    assert_eq!((settled.changed, settled.planned), (checked.planned, Vec::new()));
    assert!(pod.machine.has("checked", "dc=y").await);
}

#[tokio::test]
async fn what_was_done_is_a_report_until_it_is_forgotten() {
    let pod = Pod::new();
    let instance = element("told", super::SUFFIX);
    let mut called = pod.start().await;
    called.apply(&pod.document("revision: 1, generation: 4", &instance)).await.unwrap();
    let settled = called.until_settled(1).await;
    let reports = called.until_reported(1).await;
    assert!(reports[0].succeeded, "{reports:?}");
    let file = pod.folder.path().join("report.sqlite");
    fs::write(&file, called.fetch(&reports[0].id).await.unwrap()).unwrap();
    let database = rusqlite::Connection::open(&file).unwrap();
    let rows = |sql: &str| -> Vec<String> {
        let mut statement = database.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let done = rows("SELECT name FROM tasks WHERE action = 'ds389_server' ORDER BY id");
    assert!(settled.changed.len() >= done.len() && done.len() > 2, "{done:?} {:?}", settled.changed);
    assert_eq!(done.join("; "), settled.changed.join("; "), "a task for each action");
    assert_eq!(rows("SELECT name FROM hosts"), ["told"]);
    assert_eq!(rows("SELECT status FROM playbooks"), ["completed"]);

    // Comparing makes none, nor does a check, nor starting a server that has ended.
    called.apply(&pod.document("revision: 2, check: true", &limited(&instance, 22))).await.unwrap();
    called.until_settled(2).await;
    called.apply(&pod.document("revision: 3", &instance)).await.unwrap();
    called.until_settled(3).await;
    pod.machine.kill("told");
    called.agent.until_told("the server has ended").await;
    called.until_settled(3).await;
    assert_eq!(called.until_reported(1).await, reports);

    called.apply(&pod.document("revision: 4", &limited(&instance, 44))).await.unwrap();
    called.until_settled(4).await;
    let both = called.until_reported(2).await;
    assert!(both[0] == reports[0] && both[0].id < both[1].id, "{both:?}");
    // The next agent has them too.
    assert_eq!(called.agent.terminate().await.code(), Some(0), "{}", called.agent.process.output());
    let called = pod.start().await;
    assert_eq!(called.until_reported(2).await, both);
    for _ in 0..2 {
        called.client.clone().forget_report(ForgetReportRequest { id: both[0].id.clone() }).await.unwrap();
    }
    assert_eq!(called.until_reported(1).await, both[1..]);
    assert_eq!(called.fetch(&both[0].id).await, Err(Code::NotFound));
    assert_eq!(called.fetch("../revision").await, Err(Code::NotFound));
}

#[tokio::test]
async fn what_fails_again_and_again_is_one_report_and_keeps_nobody_from_trying() {
    let pod = Pod::new();
    let instance = element("failing", super::SUFFIX);
    let called = pod.start().await;
    called.apply(&pod.document("revision: 1", &instance)).await.unwrap();
    called.until_settled(1).await;
    called.until_reported(1).await;
    // An address that is not this machine's: it cannot be listened at, and the server goes on as it is.
    let refused = instance.replacen('{', "{nsslapd_listenhost: 192.0.2.1, ", 1);
    called.apply(&pod.document("revision: 2", &refused)).await.unwrap();
    called.until(|status| status.revision == 2 && status.activity() == Activity::Waiting).await;
    // After one second, two and four.
    let tries = || called.agent.process.output().matches("Set nsslapd-listenhost:192.0.2.1 in cn=config: ").count();
    until(async || tries(), |tries| *tries >= 4).await;
    let failed = called.try_status().await.unwrap().reports.iter().filter(|report| !report.succeeded).count();
    assert_eq!(failed, 1, "of {} tries", tries());
    assert!(!called.agent.process.output().contains("Restarting instance"), "nothing was changed");
    assert!(pod.machine.try_connect("failing").await, "it runs as before");
    called.apply(&pod.document("revision: 3", &instance.replacen('{', "{nsslapd_listenhost: localhost, ", 1))).await.unwrap();
    called.until_settled(3).await;
    called.until(|status| status.reports.last().is_some_and(|report| report.succeeded)).await;
}

#[tokio::test]
async fn a_suffix_that_holds_nothing_may_be_filled_and_serves_nobody_until_then() {
    let pod = Pod::new();
    let replicated = ", backends: [{name: root, suffix: 'dc=test', ReplicaRole: supplier, ReplicaId: 1}]";
    let instance = element("holding", replicated);
    pod.write("revision: 1", &instance);
    let mut called = pod.start().await;
    called.until_settled(1).await;
    let status = called.until(|status| !status.replicas.is_empty()).await;
    let generation = status.replicas[0].generation.clone();
    let expected = Replica {
        backend: "root".to_owned(),
        suffix: "dc=test".to_owned(),
        role: "supplier".to_owned(),
        id: 1,
        generation: generation.clone(),
        is_empty: true,
        suppliers: vec![1],
        ..Replica::default()
    };
    assert_eq!(status.replicas, std::slice::from_ref(&expected));

    let receives = |revision: u32, request: &str| {
        let head = format!("revision: {revision}, receives: [{{suffix: 'dc=test', generation: other{request}}}]");
        pod.document(&head, &instance)
    };
    called.apply(&receives(2, "")).await.unwrap();
    let status = called.until(|status| status.replicas.iter().any(|replica| !replica.receives.is_empty())).await;
    let permitted = |with: &str| Replica { receives: with.to_owned(), held: generation.clone(), ..expected.clone() };
    assert_eq!(status.replicas, [permitted("other")]);
    let status = called.until(|status| !status.serves).await;
    assert_eq!(status.not_serving, "a suffix waits for its entries from another server");
    assert!(called.agent.get("/readyz").starts_with("not ready"));
    // What clients would write now would be replaced: they are sent away.
    let write = async || pod.machine.try_add("holding", "ou=lost,dc=test", &[("objectClass", &["organizationalUnit"])]).await;
    let refused = write().await.unwrap_err();
    assert!(refused.is_refused(), "{refused}");
    // The next agent knows it too, also before it is told what is wanted.
    assert_eq!(called.agent.terminate().await.code(), Some(0), "{}", called.agent.process.output());
    let called = pod.start().await;
    called.until(|status| status.replicas == [permitted("other")] && !status.serves).await;
    assert!(write().await.is_err());
    called.apply(&pod.document("revision: 3", &instance)).await.unwrap();
    called.until(|status| status.replicas == [expected.clone()] && status.serves).await;

    // What holds something may not, unless somebody asks for it.
    unit(&pod.machine, "holding", "mine").await;
    called.until(|status| status.replicas.iter().any(|replica| !replica.is_empty)).await;
    called.apply(&receives(4, "")).await.unwrap();
    let status = called.until_settled(4).await;
    assert_eq!(status.replicas, [Replica { is_empty: false, ..expected.clone() }]);
    called.apply(&receives(5, ", request: word")).await.unwrap();
    called.until(|status| status.replicas == [Replica { is_empty: false, ..permitted("other word") }] && !status.serves).await;
}

#[tokio::test]
async fn by_how_much_a_consumer_is_behind_is_told_while_it_is_known() {
    const METRIC: &str = "aviary_agent_replication_lag_seconds{backend=\"root\",agreement=\"next\"}";
    let consumer = Machine::new();
    let fields = |role: &str, more: &str| {
        format!(", backends: [{{name: root, suffix: 'dc=test', ReplicaRole: {role}, {BIND}, agmts: [{more}]}}]")
    };
    let behind = element("lagb", &fields("consumer", ""));
    consumer.apply(&format!("ds389_instances: [{behind}]")).await;
    let port = behind.split("port: ").nth(1).unwrap().split(',').next().unwrap();

    let pod = Pod::new();
    let agreement = format!("{{name: next, ReplicaHost: localhost, ReplicaPort: {port}, Initialise: OnCreate, {BIND}}}");
    let instance = element("laga", &fields("supplier, ReplicaId: 1", &agreement));
    pod.write("revision: 1", &instance);
    let mut called = pod.start().await;
    called.until_settled(1).await;
    unit(&pod.machine, "laga", "later").await;
    let lags = until(async || called.lags().await, |lags| lags.iter().any(|lag| lag.lag.is_some())).await;
    let [lag] = lags.as_slice() else { panic!("{lags:?}") };
    assert_eq!((lag.backend.as_str(), lag.agreement.as_str()), ("root", "next"));
    assert!(lag.session_ended.is_some() && lag.newest_change.is_some(), "{lag:?}");
    let vectors = called.client.clone().lag(LagRequest {}).await.unwrap().into_inner().vectors;
    let [vector] = vectors.as_slice() else { panic!("{vectors:?}") };
    assert_eq!((vector.suffix.as_str(), vector.suppliers[0].supplier, vector.suppliers[0].newest.len()), ("dc=test", 1, 20));
    until(async || called.agent.get("/metrics"), |metrics| metrics.contains(METRIC)).await;

    let without = instance.replace(&agreement, "{name: next, state: absent}");
    called.apply(&pod.document("revision: 2", &without)).await.unwrap();
    called.until_settled(2).await;
    until(async || called.lags().await, Vec::is_empty).await;
    until(async || called.agent.get("/metrics"), |metrics| !metrics.contains(METRIC)).await;
    assert_eq!(called.agent.terminate().await.code(), Some(0), "{}", called.agent.process.output());
}

#[tokio::test]
async fn a_document_that_cannot_be_understood_is_refused_and_changes_nothing() {
    let pod = Pod::new();
    let instance = element("broken", super::SUFFIX);
    pod.write("revision: 1", &instance);
    let mut called = pod.start().await;
    called.until_settled(1).await;
    let server = pod.machine.process("broken");
    for (document, expected) in [
        (pod.document("revision: 2", &instance.replace("port:", "prot:")), "prot"),
        (pod.document("revision: two", &instance), "'revision' wants a whole number from 0 on, not a string"),
        (pod.document("generation: 2", &instance), "the document has no 'revision'"),
        (pod.document("revision: 2", &format!("{instance}, {instance}")), "failed to understand"),
        (pod.document("revision: 2", &instance.replace("rootpw: ", "rootpw: !")), "failed to understand the document"),
    ] {
        let (code, message) = called.apply(&document).await.unwrap_err();
        assert!(code == Code::InvalidArgument && message.contains(expected), "{document}: {message}");
        assert!(!message.contains("secret12"), "{message}");
    }
    assert_eq!(called.until_settled(1).await.error, "");
    assert_eq!(pod.machine.process("broken"), server);
    assert_eq!(called.agent.terminate().await.code(), Some(0), "{}", called.agent.process.output());

    // Also an agent that has never understood its file starts its server, and stops it.
    pod.write("revision: 2", &instance.replace("port:", "prot:"));
    let mut called = pod.start().await;
    let status = called.until(|status| status.serves && status.activity() == Activity::Waiting).await;
    assert!(status.error.contains("prot"), "{status:?}");
    called.agent.until_ready().await;
    assert_eq!(called.agent.terminate().await.code(), Some(0), "{}", called.agent.process.output());
    assert!(!pod.machine.try_connect("broken").await);
}

#[tokio::test]
async fn an_agent_waits_until_no_other_has_the_volume() {
    let pod = Pod::new();
    pod.write("revision: 1", &element("shared", super::SUFFIX));
    let mut first = pod.start().await;
    first.until_settled(1).await;
    let server = pod.machine.process("shared");
    let second = pod.start().await;
    let status = second.until(|status| !status.error.is_empty()).await;
    assert_eq!((status.error.as_str(), status.activity()), ("another agent still has the volume", Activity::Idle));
    assert_eq!((second.agent.get("/livez").as_str(), second.agent.get("/readyz").as_str()), ("ok\n", "not ready: starting\n"));
    let refused = second.apply(&pod.document("revision: 2", &element("shared", ""))).await.unwrap_err();
    assert_eq!(refused, (Code::Unavailable, "another agent still has the volume".to_owned()));
    assert_eq!(pod.machine.process("shared"), server);

    assert_eq!(first.agent.terminate().await.code(), Some(0), "{}", first.agent.process.output());
    second.until_settled(1).await;
    second.agent.until_ready().await;
    assert_ne!(pod.machine.process("shared"), server);
}

//! The admin port of `runtime`, over real sockets.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use runtime::admin::{self, AdminListen};
use runtime::{AdminArgs, AdminState, Readiness, telemetry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const DEADLINE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_process_is_alive_whether_it_is_ready_or_not() {
    let admin = Admin::start().await;
    assert_eq!(admin.get("/livez").await, (200, "ok\n".to_owned()));
    admin.readiness.set_ready();
    assert_eq!(admin.get("/livez").await, (200, "ok\n".to_owned()));
}

#[tokio::test]
async fn readiness_is_told_with_the_reasons_against_it() {
    let admin = Admin::start().await;
    let not_ready = |reasons| (503, format!("not ready: {reasons}\n"));
    let ready = (200, "ok\n".to_owned());

    assert_eq!(admin.get("/readyz").await, not_ready("starting"));
    admin.readiness.set_ready();
    assert_eq!(admin.get("/readyz").await, ready);
    admin.readiness.set_not_ready("no store");
    admin.readiness.set_not_ready("disk full");
    assert_eq!(admin.get("/readyz").await, not_ready("disk full, no store"));
    admin.readiness.resolve("disk full");
    assert_eq!(admin.get("/readyz").await, not_ready("no store"));
    admin.readiness.resolve("no store");
    assert_eq!(admin.get("/readyz").await, ready);
    admin.readiness.set_stopping();
    admin.readiness.set_ready();
    assert_eq!(admin.get("/readyz").await, not_ready("stopping"));
}

#[tokio::test]
async fn metrics_hold_what_was_recorded_the_process_and_the_version() {
    let recorder = telemetry::recorder().unwrap();
    metrics::with_local_recorder(&recorder, || {
        metrics::counter!("aviary_answers_total", "route" => "/api").increment(3);
    });
    let admin = Admin::serving(AdminState { readiness: Readiness::new(), metrics: recorder.handle() }).await;

    let (status, body) = admin.get("/metrics").await;
    assert_eq!(status, 200);
    let value = |name: &str| -> f64 {
        let line = body.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} in:\n{body}")).parse().unwrap()
    };
    assert_eq!(value("aviary_answers_total{route=\"/api\"}"), 3.0);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(value(&format!("aviary_build_info{{version=\"{version}\"}}")), 1.0);
    assert!(value("process_resident_memory_bytes") > 1e6);
    assert!(value("process_cpu_seconds_total") >= 0.0);
    assert!(value("process_open_fds") > 3.0);
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
    let age = now - value("process_start_time_seconds");
    assert!((-2.0..3600.0).contains(&age), "started {age} s ago");
}

#[tokio::test]
async fn any_other_path_is_told_which_three_there_are() {
    let admin = Admin::start().await;
    let (status, body) = admin.get("/").await;
    assert_eq!(status, 404);
    for path in ["/livez", "/readyz", "/metrics"] {
        assert!(body.contains(path), "{body}");
    }
}

#[tokio::test]
async fn only_get_and_head_are_answered() {
    let admin = Admin::start().await;
    let head = admin.exchange("HEAD /livez HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("content-length: 3\r\n"), "{head}");
    assert!(head.ends_with("\r\n\r\n"), "{head}");
    let post = admin.exchange("POST /livez HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n").await;
    assert!(post.starts_with("HTTP/1.1 405 "), "{post}");
    assert!(post.contains("allow: GET, HEAD\r\n"), "{post}");
}

#[tokio::test]
async fn clients_that_send_nothing_do_not_keep_the_others_waiting_for_ever() {
    let admin = Admin::start().await;
    let mut silent = Vec::new();
    for _ in 0..64 {
        silent.push(TcpStream::connect(admin.address).await.unwrap());
    }
    assert_eq!(admin.get("/livez").await.0, 200);
}

#[tokio::test]
async fn the_port_is_closed_at_shutdown_even_if_a_client_lingers() {
    let admin = Admin::start().await;
    let _silent = TcpStream::connect(admin.address).await.unwrap();
    assert_eq!(admin.get("/livez").await.0, 200);
    admin.shutdown.cancel();
    tokio::time::timeout(DEADLINE, admin.server).await.unwrap().unwrap();
    assert!(TcpStream::connect(admin.address).await.is_err());
}

#[test]
fn the_admin_port_is_an_address_or_off() {
    let parse = |text: &str| text.parse::<AdminListen>();
    let address = "[::1]:8001".parse().unwrap();
    assert_eq!(parse("[::1]:8001").unwrap(), AdminListen::Address(address));
    assert_eq!(parse("off").unwrap(), AdminListen::Off);
    let failure = parse("8001").unwrap_err();
    assert_eq!(failure.to_string(), "failed to read \"8001\" as an address with a port, or `off`");
}

#[tokio::test]
async fn the_admin_port_is_bound_where_the_arguments_say() {
    let arguments = |listen| Arguments::parse_from(["child", "--admin-listen", listen]).admin;
    let bound = arguments("127.0.0.1:0").bind().await.unwrap().unwrap();
    assert!(arguments("off").bind().await.unwrap().is_none());

    let taken = bound.local_addr().unwrap().to_string();
    let failure = arguments(&taken).bind().await.unwrap_err();
    assert_eq!(failure.to_string(), format!("failed to bind the admin port to {taken}"));
    let default = Arguments::parse_from(["child"]).admin.admin_listen;
    assert_eq!(default.to_string(), "127.0.0.1:8001");
}

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    admin: AdminArgs,
}

struct Admin {
    address: SocketAddr,
    readiness: Readiness,
    shutdown: CancellationToken,
    server: JoinHandle<()>,
}

impl Admin {
    async fn start() -> Self {
        Self::serving(AdminState { readiness: Readiness::new(), metrics: telemetry::recorder().unwrap().handle() }).await
    }

    async fn serving(state: AdminState) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let readiness = state.readiness.clone();
        let shutdown = CancellationToken::new();
        let server = tokio::spawn(admin::serve(listener, state, shutdown.clone()));
        Self { address, readiness, shutdown, server }
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n");
        let response = self.exchange(&request).await;
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap();
        (status.parse().unwrap(), body.to_owned())
    }

    /// The whole answer, which ends with the connection.
    async fn exchange(&self, request: &str) -> String {
        let exchange = async {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut response = String::new();
            stream.read_to_string(&mut response).await.unwrap();
            response
        };
        tokio::time::timeout(DEADLINE, exchange).await.unwrap()
    }
}

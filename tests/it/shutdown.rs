//! The end of a process: signals sent to a process of its own, which is this test binary run again.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use clap::Parser;
use runtime::shutdown::{self, ShutdownArgs, drain, on_signal};
use runtime::telemetry::{self, TelemetryArgs};
use serde_json::Value;
use tests::collector::Collector;
use tokio_util::sync::CancellationToken;
use tracing::{info, info_span};

const DEADLINE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn the_first_signal_ends_a_process_in_order_with_its_last_spans_sent() {
    let collector = Collector::start().await;
    for signal in ["TERM", "INT"] {
        let mut process = Process::start("work_until_the_signal", &collector);
        process.wait_for_line("working");
        process.send(signal);
        process.wait_for_line("shutting down");
        assert_eq!(process.exit_code(), Some(0));
    }
    collector.wait_for("last span of both", |spans| spans.iter().filter(|span| span.name == "last").count() == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_signal_ends_a_process_at_once_with_code_130() {
    let collector = Collector::start().await;
    let mut process = Process::start("work_for_ever", &collector);
    process.wait_for_line("working");
    process.send("TERM");
    process.wait_for_line("shutting down");
    process.send("INT");
    process.wait_for_line("ending at once");
    assert_eq!(process.exit_code(), Some(130));
}

#[tokio::test]
async fn work_that_outlasts_the_drain_is_dropped_at_the_deadline() {
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    let endless = std::future::pending::<()>();
    let failure = drain(endless, &shutdown, Duration::from_millis(500)).await;
    let failure = failure.unwrap_err();
    assert!(matches!(failure, shutdown::Error::DeadlinePassed(_)));
    assert_eq!(failure.to_string(), "failed to finish the work that had begun within 0.5 s");
}

#[tokio::test]
async fn work_that_ends_by_itself_or_within_the_drain_keeps_its_result() {
    let shutdown = CancellationToken::new();
    assert_eq!(drain(async { 1 }, &shutdown, Duration::ZERO).await.unwrap(), 1);
    let work = async {
        shutdown.cancel();
        tokio::task::yield_now().await;
        2
    };
    assert_eq!(drain(work, &shutdown, DEADLINE).await.unwrap(), 2);
}

#[test]
fn the_deadline_of_the_drain_is_half_a_minute_unless_it_is_set() {
    let timeout = |arguments: &[&str]| {
        let arguments = Arguments::parse_from([&["child"], arguments].concat());
        arguments.shutdown.drain_timeout.as_secs()
    };
    assert_eq!(timeout(&[]), 30);
    assert_eq!(timeout(&["--drain-timeout", "5"]), 5);
}

#[tokio::test]
#[ignore = "a process for the tests above, which ends on a signal"]
async fn work_until_the_signal() {
    let telemetry = telemetry::init(&Arguments::of_the_environment().telemetry, "child").unwrap();
    let shutdown = on_signal();
    info!("working");
    shutdown.cancelled().await;
    drop(info_span!("last").entered());
    telemetry.shutdown().await;
}

#[tokio::test]
#[ignore = "a process for the tests above, which ends on two signals"]
async fn work_for_ever() {
    let _telemetry = telemetry::init(&Arguments::of_the_environment().telemetry, "child").unwrap();
    let _shutdown = on_signal();
    info!("working");
    std::future::pending::<()>().await;
}

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    telemetry: TelemetryArgs,
    #[command(flatten)]
    shutdown: ShutdownArgs,
}

impl Arguments {
    fn of_the_environment() -> Self {
        Self::parse_from(["child"])
    }
}

/// One of the ignored tests above in a process of its own, which is killed if the test fails.
struct Process {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Process {
    fn start(test: &str, collector: &Collector) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture"])
            .arg(format!("shutdown::{test}"))
            .env("AVIARY_LOG_FORMAT", "json")
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines }
    }

    fn wait_for_line(&mut self, message: &str) {
        loop {
            let line = self.lines.recv_timeout(DEADLINE);
            let line = line.unwrap_or_else(|_| panic!("no line {message:?}"));
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["message"] == message {
                return;
            }
        }
    }

    fn send(&self, signal: &str) {
        let command = format!("kill -{signal} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &command]).status();
        assert!(status.unwrap().success());
    }

    fn exit_code(&mut self) -> Option<i32> {
        let end = loop {
            if let Err(end) = self.lines.recv_timeout(DEADLINE) {
                break end;
            }
        };
        assert_eq!(end, mpsc::RecvTimeoutError::Disconnected, "it goes on");
        self.child.wait().unwrap().code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

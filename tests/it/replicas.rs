//! The gateway in front of replicas of the query service: the same answers, whatever happens to a replica.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::Value;
use tests::certificates::{Authority, Identity};
use tests::corpus::{Set, corpus};
use tests::dns::Dns;
use tests::fleet::{Fleet, free_port, healthy, replica};
use tests::http::{Connection, Response};
use tests::served::{Serve, Served, serve, wait_until};
use tests::shelf::{Shelf, alter, repeat_result};
use tests::silent::Silent;
use tests::wire::Wire;

const CLIENTS: usize = 16;
/// Rows of a list that no buffer on the way takes as a whole.
const MANY: usize = 80_000;

/// A small report that is part of the tree.
fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/logs/demo/1/ara-report/ansible.sqlite")
}

/// So many reports, all alike.
fn reports(count: usize) -> Shelf {
    let shelf = Shelf::new();
    let bytes = fs::read(fixture()).unwrap();
    for number in 0..count {
        shelf.put(&format!("r{number}"), &bytes);
    }
    shelf.settle();
    shelf
}

/// What is asked of them.
fn targets(count: usize) -> Vec<String> {
    let inside =
        ["/", "/api/v1/", "/api/v1/playbooks", "/api/v1/results?limit=40", "/api/v1/results/3", "/api/v1/hosts?order=name"];
    let inside =
        inside.iter().chain(&["/api/v1/tasks?limit=7&offset=5", "/api/v1/files/1", "/api/v1/labels", "/api/v1/plays/999"]);
    let mut targets: Vec<String> =
        (0..count).flat_map(|number| inside.clone().map(move |inside| format!("/r{number}/ara-report{inside}"))).collect();
    targets.push("/".to_owned());
    targets
}

/// What tells one answer from another.
fn essence(answer: &Response) -> (u16, Vec<u8>, Vec<(String, String)>) {
    let passing = ["date", "x-request-id"];
    let headers = answer.headers.iter().filter(|(name, _)| !passing.contains(&name.as_str())).cloned().collect();
    (answer.status, answer.body.clone(), headers)
}

fn reason(answer: &Response) -> String {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("not JSON: {}", answer.text()));
    body["reason"].as_str().unwrap_or_default().to_owned()
}

#[track_caller]
fn same_answers(root: &Path, targets: &[String]) {
    let one = serve(root, &["--cache-rendered", "0"]);
    let fleet = Fleet::start(root, 3, &[]);
    let (mut here, mut there) = (one.connect(), fleet.gateway.connect());
    for target in targets {
        let expected = essence(&here.get(target).unwrap());
        let found = essence(&there.get(target).unwrap());
        assert!(expected == found, "{target}:\n{expected:?}\n{found:?}");
    }
}

#[test]
fn replicas_answer_as_one_process_does() {
    same_answers(reports(4).root(), &targets(4));
}

#[test]
fn replicas_answer_as_one_process_does_for_every_report_of_the_corpus() {
    let corpus = corpus(389, Set::Small);
    let inside = ["", "/api/", "/api/v1/playbooks", "/api/v1/results?limit=1000", "/api/v1/tasks/1", "/api/v1/latesthosts"];
    let mut targets = vec!["/".to_owned(), "/3/".to_owned(), "/nowhere/".to_owned()];
    for report in corpus
        .reports
        .iter()
        .filter(|report| report.folder.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte)))
    {
        targets.extend(inside.iter().map(|inside| format!("/{}/{}{inside}", report.folder, report.prefix)));
    }
    assert!(targets.len() > 60, "{targets:?}");
    same_answers(&corpus.root, &targets);
}

/// Clients that ask and compare until they are told to stop.
struct Load {
    stop: AtomicBool,
    asked: AtomicUsize,
    wrong: Mutex<Vec<String>>,
}

impl Load {
    fn new() -> Load {
        Load { stop: AtomicBool::new(false), asked: AtomicUsize::new(0), wrong: Mutex::default() }
    }

    fn run(&self, client: usize, address: SocketAddr, expected: &BTreeMap<String, (u16, Vec<u8>)>) {
        let targets: Vec<&String> = expected.keys().collect();
        let mut connection = Connection::new(address);
        let mut number = client * 7919;
        while !self.stop.load(Ordering::Relaxed) {
            number += 31;
            let target = targets[number % targets.len()];
            match connection.get(target) {
                Ok(answer) if (answer.status, &answer.body) == (expected[target].0, &expected[target].1) => {}
                Ok(answer) => self.wrong.lock().unwrap().push(format!("{target}: {} {}", answer.status, answer.text())),
                Err(error) => self.wrong.lock().unwrap().push(format!("{target}: {error}")),
            }
            self.asked.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until so many more were answered.
    fn answer(&self, more: usize) {
        let enough = self.asked.load(Ordering::Relaxed) + more;
        wait_until("requests are answered", || self.asked.load(Ordering::Relaxed) >= enough);
    }
}

#[test]
fn no_request_fails_while_replicas_are_killed_stopped_ended_and_started_again() {
    let shelf = reports(12);
    let mut fleet = Fleet::start(shelf.root(), 3, &[]);
    let one = serve(shelf.root(), &[]);
    let expected: BTreeMap<String, (u16, Vec<u8>)> = targets(12)
        .into_iter()
        .map(|target| {
            let answer = one.get(&target);
            (target, (answer.status, answer.body))
        })
        .collect();
    let (load, address) = (Load::new(), fleet.gateway.address);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (load, expected) = (&load, &expected);
            scope.spawn(move || load.run(client, address, expected));
        }
        let all = |fleet: &Fleet| wait_until("all replicas are well", || healthy(&fleet.gateway) == 3.0);
        load.answer(500);
        fleet.replicas[0].signal("KILL");
        load.answer(500);
        fleet.restart(0);
        all(&fleet);
        fleet.replicas[1].signal("STOP");
        wait_until("a stopped replica is noticed", || healthy(&fleet.gateway) == 2.0);
        load.answer(500);
        fleet.replicas[1].signal("CONT");
        all(&fleet);
        fleet.replicas[2].signal("TERM");
        assert!(fleet.replicas[2].wait().success());
        load.answer(500);
        fleet.restart(2);
        all(&fleet);
        load.answer(500);
        load.stop.store(true, Ordering::Relaxed);
    });
    let wrong = load.wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {} went wrong:\n{}", wrong.len(), load.asked.into_inner(), wrong.join("\n"));
    assert!(fleet.gateway.metric("aviary_gateway_retries_total") > 0.0);

    for replica in &fleet.replicas {
        replica.signal("KILL");
    }
    let answer = fleet.gateway.get("/r0/ara-report/api/v1/labels");
    assert_eq!((answer.status, reason(&answer).as_str()), (503, "REPLICAS_UNAVAILABLE"));
    assert_eq!(answer.header("retry-after").as_deref(), Some("1"));
    fleet.restart(1);
    let target = "/r0/ara-report/api/v1/labels";
    wait_until("the one that is back answers", || fleet.gateway.get(target).body == expected[target].1);
}

/// A report with a list that is long on its way.
fn long_list() -> Shelf {
    let shelf = reports(1);
    repeat_result(&shelf.file("r0"), MANY as u64);
    shelf.settle();
    shelf
}

const LONG_LIST: &str = "/r0/ara-report/api/v1/results?limit=1000000";

/// Begins to read the list and, after something else has happened, kills whoever sends it.
fn kill_in_the_middle(fleet: &Fleet, before: impl FnOnce()) -> Wire {
    let mut wire = Wire::open(fleet.gateway.address);
    wire.send(format!("GET {LONG_LIST} HTTP/1.1\r\nHost: {}\r\n\r\n", tests::http::HOST)).unwrap();
    assert!(wire.begun().unwrap());
    before();
    let busy: Vec<&Served> =
        fleet.replicas.iter().filter(|replica| replica.metric("aviary_query_reports_opened_total") > 0.0).collect();
    assert_eq!(busy.len(), 1, "one replica answers for one report");
    busy[0].signal("KILL");
    wire
}

#[test]
fn a_long_list_goes_on_behind_its_last_row_when_its_replica_is_killed() {
    let shelf = long_list();
    let expected = serve(shelf.root(), &[]).get(LONG_LIST).body;
    assert!(expected.len() > 16 << 20, "{} bytes", expected.len());
    let fleet = Fleet::start(shelf.root(), 2, &[]);
    let answer = kill_in_the_middle(&fleet, || ()).answer().unwrap();
    assert_eq!(answer.status, 200);
    assert!(answer.body == expected, "{} and {} bytes", answer.body.len(), expected.len());
    assert!(fleet.gateway.metric("aviary_gateway_retries_total") >= 1.0);
}

#[test]
fn a_long_list_breaks_off_when_the_other_replica_has_other_content() {
    let shelf = long_list();
    let fleet = Fleet::start(shelf.root(), 2, &[]);
    let file = shelf.file("r0");
    let next = file.with_extension("next");
    fs::copy(&file, &next).unwrap();
    alter(&next, |database| {
        database.execute("UPDATE results SET status = 'failed'", []).unwrap();
    });
    let mut wire = kill_in_the_middle(&fleet, || fs::rename(&next, &file).unwrap());
    let error = wire.answer().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof, "{error}");
}

#[test]
fn replicas_are_those_that_dns_names_and_a_new_one_takes_its_share() {
    const REPORTS: usize = 48;
    let shelf = reports(REPORTS);
    let dns = Dns::start("_grpc._tcp.aviary-query.test");
    let mut replicas: Vec<Served> = (0..4).map(|_| replica(shelf.root(), free_port())).collect();
    let record =
        |replicas: &[Served], number: usize| (format!("query-{number}.aviary-query.test"), replicas[number].address.port());
    dns.set((0..3).map(|number| record(&replicas, number)).collect());
    let gateway = Serve::gateway(&dns.target()).args(&["--cache-rendered", "0"]).watched().start();
    wait_until("three replicas are well", || healthy(&gateway) == 3.0);

    let ask_all = || {
        let mut connection = gateway.connect();
        for number in 0..REPORTS {
            assert_eq!(connection.get(&format!("/r{number}/ara-report/api/v1/labels")).unwrap().status, 200);
        }
    };
    let opened = |replicas: &[Served]| -> Vec<f64> {
        replicas.iter().map(|replica| replica.metric("aviary_query_reports_opened_total")).collect()
    };
    ask_all();
    let before = opened(&replicas);
    assert_eq!(before.iter().sum::<f64>(), REPORTS as f64, "each report is opened by one replica: {before:?}");
    assert!(before[..3].iter().all(|&count| count >= REPORTS as f64 / 6.0), "{before:?}");

    dns.set((0..4).map(|number| record(&replicas, number)).collect());
    wait_until("the fourth replica is well", || healthy(&gateway) == 4.0);
    ask_all();
    let after = opened(&replicas);
    assert_eq!(after[..3], before[..3], "nothing moved between those that were there");
    let share = after[3] / REPORTS as f64;
    assert!((0.1..=0.4).contains(&share), "a quarter would be fair: {after:?}");

    // A replica that comes back elsewhere under its name is found, and keeps its reports.
    replicas[0].signal("KILL");
    replicas[0].wait();
    replicas[0] = replica(shelf.root(), free_port());
    dns.set((0..4).map(|number| record(&replicas, number)).collect());
    wait_until("it is found at its new address", || {
        healthy(&gateway) == 4.0 && gateway.output().matches("has gone").count() == 1
    });
    ask_all();
    assert_eq!(opened(&replicas)[1..], after[1..]);
    assert!((1.0..=before[0]).contains(&opened(&replicas)[0]), "{:?}", opened(&replicas));

    // What is known stays known while DNS says nothing, or nothing of use.
    dns.set_silent(true);
    wait_until("the silence is noticed", || gateway.output().contains("DNS does not name replicas"));
    ask_all();
    assert_eq!(healthy(&gateway), 4.0);
    dns.set_silent(false);
    dns.set(Vec::new());
    ask_all();

    // One that is not named any more gets no more questions.
    dns.set((1..4).map(|number| record(&replicas, number)).collect());
    wait_until("the first has gone", || healthy(&gateway) == 3.0);
    let at_rest = opened(&replicas)[0];
    ask_all();
    assert_eq!(opened(&replicas)[0], at_rest);
}

#[test]
fn a_gateway_is_ready_when_a_replica_is() {
    let shelf = reports(1);
    let address = free_port();
    let gateway = Serve::gateway(&format!("http://{address}")).watched().start();
    assert!(!gateway.is_ready());
    let answer = gateway.get("/r0/ara-report/api/v1/labels");
    assert_eq!((answer.status, reason(&answer).as_str()), (503, "REPLICAS_UNAVAILABLE"));
    let replica = replica(shelf.root(), address);
    assert!(replica.is_ready());
    wait_until("it is ready", || gateway.is_ready());
    assert_eq!(gateway.get("/r0/ara-report/api/v1/labels").status, 200);
}

/// Begins a request and leaves its answer to come.
fn begin(gateway: &Served) -> Wire {
    let mut wire = Wire::open(gateway.address);
    wire.send("GET /r0/ara-report/api/v1/labels HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    wire
}

fn before(silent: &Silent, arguments: &[&str]) -> Served {
    let gateway = Serve::gateway(&silent.url).args(arguments).watched().start();
    wait_until("the gateway is ready", || gateway.is_ready());
    gateway
}

#[test]
fn what_a_gateway_knows_and_somebody_vouches_for_it_answers_alone() {
    let shelf = reports(1);
    let mut query = Serve::query(shelf.root()).args(&["--revalidate", "600"]).start();
    let gateway = Serve::gateway(&query.url).watched().start();
    wait_until("the gateway is ready", || gateway.is_ready());
    let target = "/r0/ara-report/api/v1/playbooks";
    let before = gateway.get(target);
    assert_eq!(before.status, 200);
    query.signal("KILL");
    query.wait();
    assert_eq!(essence(&gateway.get(target)), essence(&before));
    let other = format!("{target}?limit=7");
    assert_eq!(reason(&gateway.get(&other)), "REPLICAS_UNAVAILABLE");
}

#[test]
fn calls_beyond_those_in_hand_are_refused_at_once() {
    let silent = Silent::start();
    let gateway = before(&silent, &["--max-requests", "2"]);
    // Different reports: questions about one are asked once.
    let in_hand: Vec<Wire> = (0..2)
        .map(|number| {
            let mut wire = Wire::open(gateway.address);
            wire.send(format!("GET /r{number}/ara-report/api/v1/labels HTTP/1.1\r\nHost: a\r\n\r\n")).unwrap();
            silent.asked();
            wire
        })
        .collect();
    let refused = gateway.get("/r2/ara-report/api/v1/labels");
    assert_eq!((refused.status, reason(&refused).as_str()), (503, "OVERLOADED"));
    assert_eq!(refused.header("retry-after").as_deref(), Some("1"));
    assert_eq!(gateway.metric("aviary_gateway_shed_total"), 1.0);
    assert!(silent.is_quiet(), "the refused call reached nobody");
    drop(in_hand);
    silent.abandoned();
    silent.abandoned();
    let _next = begin(&gateway);
    silent.asked();
}

#[test]
fn a_question_is_given_up_when_its_client_goes_away() {
    let silent = Silent::start();
    let gateway = before(&silent, &[]);
    let wire = begin(&gateway);
    silent.asked();
    assert!(silent.is_quiet());
    drop(wire);
    silent.abandoned();
}

/// Milliseconds that a replica is told to have.
fn millis(headers: &http::HeaderMap) -> u64 {
    let text = headers["grpc-timeout"].to_str().unwrap();
    text.strip_suffix('m').unwrap_or_else(|| panic!("not milliseconds: {text}")).parse().unwrap()
}

#[test]
fn deadlines_are_told_to_replicas_and_kept() {
    let silent = Silent::start();
    let gateway = before(&silent, &["--timeout", "0.5"]);
    let answer = gateway.get("/r0/ara-report/api/v1/labels");
    assert_eq!((answer.status, reason(&answer).as_str()), (504, "DEADLINE_EXCEEDED"));
    let told = millis(&silent.asked());
    assert!((300..=500).contains(&told), "{told}");
    silent.abandoned();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grpc_client_has_its_own_deadline_and_gets_reasons() {
    use aviary_proto::report::v1::{GetReportRequest, ReportRef, report_service_client::ReportServiceClient};
    use tonic_types::StatusExt;

    let silent = Silent::start();
    let gateway = before(&silent, &["--max-requests", "1"]);
    let channel = tonic::transport::Channel::from_shared(format!("http://{}", gateway.address)).unwrap().connect().await.unwrap();
    let question = || {
        let report = Some(ReportRef { location: "r0/ara-report".to_owned(), generation: String::new() });
        let mut request = tonic::Request::new(GetReportRequest { report, view: 0 });
        request.set_timeout(std::time::Duration::from_millis(700));
        request
    };
    let mut client = ReportServiceClient::new(channel).send_compressed(tonic::codec::CompressionEncoding::Gzip);
    let mut other = client.clone();
    let waiting = tokio::spawn(async move { client.get_report(question()).await });
    let told = millis(&tokio::task::block_in_place(|| silent.asked()));
    assert!((300..=700).contains(&told), "{told}");
    let refused = other.get_report(question()).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
    let info = refused.get_details_error_info().unwrap();
    assert_eq!((info.reason.as_str(), info.domain.as_str()), ("OVERLOADED", "aviary"));
    assert!(refused.get_details_retry_info().is_some());
    let late = waiting.await.unwrap().unwrap_err();
    assert!(matches!(late.code(), tonic::Code::DeadlineExceeded | tonic::Code::Cancelled), "{late:?}");
    tokio::task::block_in_place(|| silent.abandoned());
}

/// Paths as arguments.
fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn gateway_and_query_tell_each_other_who_they_are() {
    let shelf = reports(1);
    let folder = tempfile::tempdir().unwrap();
    let (ours, others) = (Authority::new(folder.path(), "ours"), Authority::new(folder.path(), "others"));
    let query = ours.vouch("aviary-query", "query");
    let (known, stranger) = (ours.vouch("aviary-gateway", "gateway"), others.vouch("aviary-gateway", "stranger"));
    let address = free_port();
    let server = ["--listen", &address.to_string(), "--tls-cert", &text(&query.certificate), "--tls-key", &text(&query.key)];
    let _replica =
        Serve::query(shelf.root()).args(&server).args(&["--tls-client-ca", &text(&ours.certificate())]).watched().start();
    let gateway = |authority: &Authority, name: &str, identity: Option<&Identity>| {
        let serve = Serve::gateway(&format!("http://{address}")).args(&[
            "--query-tls-ca",
            &text(&authority.certificate()),
            "--query-tls-name",
            name,
        ]);
        let serve = match identity {
            Some(us) => serve.args(&["--query-tls-cert", &text(&us.certificate), "--query-tls-key", &text(&us.key)]),
            None => serve,
        };
        serve.watched().start()
    };
    let target = "/r0/ara-report/api/v1/labels";
    let right = gateway(&ours, "aviary-query", Some(&known));
    wait_until("they know each other", || right.is_ready());
    assert_eq!(right.get(target).status, 200);

    let strangers = [
        ("a name that the certificate lacks", gateway(&ours, "another", Some(&known))),
        ("an authority that did not vouch for query", gateway(&others, "aviary-query", Some(&known))),
        ("a client without a certificate", gateway(&ours, "aviary-query", None)),
        ("a client that nobody of ours vouched for", gateway(&ours, "aviary-query", Some(&stranger))),
        ("a client without TLS", Serve::gateway(&format!("http://{address}")).watched().start()),
    ];
    for (who, stranger) in strangers {
        wait_until(who, || stranger.output().contains("a replica does not answer"));
        assert!(!stranger.is_ready(), "{who}");
        assert_eq!(reason(&stranger.get(target)), "REPLICAS_UNAVAILABLE", "{who}");
    }
}

#[test]
fn arguments_that_make_no_sense_are_refused_with_their_names() {
    let shelf = reports(1);
    let refused = |program: &str, arguments: &[&str]| {
        let output = std::process::Command::new(tests::served::program(program)).args(arguments).output().unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let root = text(shelf.root());
    let cases: BTreeSet<(&str, Vec<&str>, &str)> = BTreeSet::from([
        ("aviary-gateway", vec![], "--query"),
        ("aviary-gateway", vec!["--query", "a:1"], "--query wants"),
        ("aviary-gateway", vec!["--query", "srv://a,http://b:1"], "one srv://NAME"),
        ("aviary-gateway", vec!["--query", "http://a:1", "--query-tls-name", "a"], "--query-tls-ca"),
        ("aviary-gateway", vec!["--query", "http://a:1", "--query-tls-ca", "/nowhere"], "/nowhere"),
        ("aviary-gateway", vec!["--query", "http://a:1", "--base-path", "x"], "--base-path"),
        ("aviary-query", vec!["--store", &root, "--tls-cert", "/nowhere"], "--tls-key"),
        ("aviary-query", vec!["--store", &root, "--tls-client-ca", "/nowhere"], "--tls-cert"),
    ]);
    for (program, arguments, word) in cases {
        let mut all = arguments.clone();
        all.extend(["--admin-listen", "off", "--listen", "127.0.0.1:0"]);
        let message = refused(program, &all);
        assert!(message.contains(word), "{arguments:?}: {message}");
    }
}

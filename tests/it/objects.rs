//! Reports that are objects of a store, as users meet them: at the start of a server, while they are on their way, after they
//! were replaced, in several stores, and by `aviary store check`. What each kind of store promises is in `stores`, what
//! happens when one fails in `faults`.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use aviary_proto::report::v1::report_service_client::ReportServiceClient;
use aviary_proto::report::v1::{FetchReportRequest, ReportRef};
use serde_json::Value;
use tests::faulty::{Fault, Faulty, Kind, Rule};
use tests::served::{Serve, Served, binary, wait_until};
use tests::shelf::{Shelf, ordinary};
use tests::stores::{Bucket, Moto, Nginx};
use tokio_stream::StreamExt;
use tonic::transport::Channel;

const PLAYBOOKS: &str = "/1/ara-report/api/v1/playbooks";

async fn channel(served: &Served) -> Channel {
    Channel::from_shared(format!("http://{}", served.address)).unwrap().connect().await.unwrap()
}

fn over(url: &str, arguments: &[&str]) -> Served {
    Serve::of(Path::new(url)).args(arguments).start()
}

fn json(served: &Served, target: &str) -> Value {
    let answer = served.send("GET", target, &[("Accept", "application/json")]);
    serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{target}: {error}: {}", answer.text()))
}

/// nginx with one report, and a proxy that hands it out so slowly that it takes some seconds.
fn slow() -> (Nginx, Faulty, String) {
    let nginx = Nginx::start();
    nginx.put_report("1", &ordinary());
    let proxy = Faulty::before(nginx.server().unwrap().address());
    proxy.add(Rule::of(Fault::Trickle(ordinary().len() as u64 / 4)).only(&[Kind::Get]));
    let url = nginx.url_at(proxy.address(), "").unwrap();
    (nginx, proxy, url)
}

#[test]
fn who_asks_for_a_report_on_its_way_is_told_how_far_it_is() {
    let (_nginx, proxy, url) = slow();
    let served = over(&url, &["--wait", "0.3"]);
    let answer = served.get(PLAYBOOKS);
    assert_eq!((answer.status, answer.header("retry-after").as_deref()), (503, Some("2")), "{}", answer.text());
    let error: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((&error["reason"], &error["retryable"]), (&Value::from("REPORT_BEING_FETCHED"), &Value::from(true)));
    let total = ordinary().len() as u64;
    assert_eq!(error["progress"]["total"].as_u64(), Some(total));
    assert!(error["progress"]["received"].as_u64().unwrap() < total);
    let page = served.send("GET", "/1/ara-report/", &[("Accept", "text/html")]);
    assert_eq!(page.status, 503);
    assert!(page.text().contains("http-equiv=\"refresh\"") && page.text().contains("<progress"), "{}", page.text());
    wait_until("the report is here", || served.get(PLAYBOOKS).status == 200);
    assert_eq!(proxy.asked().count(Kind::Get), 1, "one download, whoever asked meanwhile");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grpc_client_follows_a_report_on_its_way() {
    let (_nginx, _proxy, url) = slow();
    let served = over(&url, &["--wait", "0.3"]);
    let mut client = ReportServiceClient::new(channel(&served).await);
    let report = || Some(ReportRef { location: "1/ara-report".to_owned(), generation: String::new() });
    let mut steps = client.fetch_report(FetchReportRequest { report: report() }).await.unwrap().into_inner();
    let (mut received, mut last, mut count) = (0, None, 0);
    while let Some(step) = steps.next().await {
        let step = step.unwrap();
        assert!(step.received >= received && last.is_none());
        (received, last, count) = (step.received, step.header, count + 1);
    }
    assert!(count > 2, "{count} steps");
    assert!(!last.expect("the last one has the header").generation.is_empty());
    assert_eq!(received, ordinary().len() as u64);
    let mut again = client.fetch_report(FetchReportRequest { report: report() }).await.unwrap().into_inner();
    assert!(again.next().await.unwrap().unwrap().header.is_some() && again.next().await.is_none(), "it is here");
    let missing = Some(ReportRef { location: "2/ara-report".to_owned(), generation: String::new() });
    let mut none = client.fetch_report(FetchReportRequest { report: missing }).await.unwrap().into_inner();
    assert_eq!(none.next().await.unwrap().unwrap_err().code(), tonic::Code::NotFound);
}

#[test]
fn a_replaced_report_is_seen_within_the_time_for_it_and_nobody_waits_for_the_store() {
    let nginx = Nginx::start();
    nginx.put_report("1", &ordinary());
    let proxy = Faulty::before(nginx.server().unwrap().address());
    let served = over(&nginx.url_at(proxy.address(), "").unwrap(), &["--revalidate", "1", "--cache-rendered", "0"]);
    let before = json(&served, PLAYBOOKS)["count"].clone();
    let shelf = Shelf::new();
    let changed = shelf.change("1", "DELETE FROM playbooks WHERE id = 1");
    nginx.put_report("1", &std::fs::read(changed).unwrap());
    // Each answer of the store now takes longer than any reader may.
    proxy.only(Fault::Latency(Duration::from_secs(3)));
    let replaced = Instant::now();
    let mut slowest = Duration::ZERO;
    while json(&served, PLAYBOOKS)["count"] == before {
        let asked = Instant::now();
        served.get(PLAYBOOKS);
        slowest = slowest.max(asked.elapsed());
        assert!(replaced.elapsed() < Duration::from_secs(60), "never seen");
    }
    assert!(slowest < Duration::from_secs(2), "somebody waited for {slowest:?}");
}

#[test]
fn contents_that_a_store_cannot_tell_apart_are_told_apart() {
    let nginx = Nginx::start();
    let shelf = Shelf::new();
    // Of one size, and written within one second: nginx has the same ETag for both.
    let one = std::fs::read(shelf.change("1", "UPDATE playbooks SET name = 'aaaa' WHERE id = 1")).unwrap();
    let other = std::fs::read(shelf.change("2", "UPDATE playbooks SET name = 'bbbb' WHERE id = 1")).unwrap();
    assert_eq!(one.len(), other.len());
    let served = over(&nginx.url(), &["--revalidate", "1"]);
    let target = "/1/ara-report/api/v1/playbooks/1";
    nginx.put_report("1", &one);
    assert_eq!(json(&served, target)["name"], "aaaa");
    nginx.put_report("1", &other);
    wait_until("the other content is seen", || json(&served, target)["name"] == "bbbb");
}

#[test]
fn a_report_that_was_missing_is_seen_after_the_time_for_it_and_one_that_is_deleted_goes() {
    let nginx = Nginx::start();
    let served = over(&nginx.url(), &["--negative", "0.5", "--revalidate", "0.5"]);
    assert_eq!(served.get(PLAYBOOKS).status, 404);
    nginx.put_report("1", &ordinary());
    wait_until("the upload is seen", || served.get(PLAYBOOKS).status == 200);
    nginx.delete("1/ara-report/ansible.sqlite");
    wait_until("the deletion is seen", || served.get(PLAYBOOKS).status == 404);
    assert_eq!(json(&served, PLAYBOOKS)["reason"], "REPORT_NOT_FOUND");
}

#[test]
fn several_stores_are_served_below_their_names() {
    let nginx = Nginx::start();
    nginx.put_report("1", &ordinary());
    let shelf = Shelf::new();
    shelf.put("a", ordinary());
    shelf.settle();
    let web = format!("web={}", nginx.url());
    let files = format!("files={}", shelf.root().display());
    let served = Serve::of(Path::new(&web)).args(&[&files]).start();
    let names = |target: &str| -> Vec<String> {
        let page = json(&served, target);
        page["entries"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("/"), ["files", "web"]);
    assert_eq!(names("/web/"), ["1"]);
    assert_eq!(served.get("/web/1/ara-report/api/v1/playbooks").body, served.get("/files/a/ara-report/api/v1/playbooks").body);
    for missing in
        ["/1/ara-report/api/v1/playbooks", "/other/1/ara-report/api/v1/playbooks", "/web/2/ara-report/api/v1/playbooks"]
    {
        assert_eq!(served.get(missing).status, 404, "{missing}");
    }
    let page = served.send("GET", "/", &[("Accept", "text/html")]).text();
    assert!(page.contains("href=\"web/\""), "{page}");
}

fn run(arguments: &[&str]) -> (Output, String) {
    let output = Command::new(binary()).args(arguments).output().unwrap();
    let text = [output.stdout.clone(), output.stderr.clone()].concat();
    (output, String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn a_server_that_cannot_use_its_store_says_why_and_ends() {
    let moto = Moto::strict();
    let bucket = moto.bucket();
    let nowhere: SocketAddr = "127.0.0.1:1".parse().unwrap();
    for (url, words) in [
        (bucket.url_that_is_denied().unwrap(), "the store refused"),
        (bucket.url_of_a_missing_one().unwrap(), "no such bucket"),
        (bucket.url_at(nowhere, "").unwrap(), "the store cannot be read"),
        ("s3://bucket?endpoint=http://127.0.0.1:1&colour=red".to_owned(), "unknown option colour"),
        ("ftp://host/folder".to_owned(), "unknown kind of store ftp"),
    ] {
        let (output, text) = run(&["serve", &url, "--listen", "127.0.0.1:0", "--admin-listen", "off"]);
        assert!(!output.status.success(), "{url} was served");
        assert!(text.contains(words), "{url}: {text}");
        assert!(!text.contains("not-the-secret"), "{text}");
    }
}

#[test]
fn a_server_with_copies_starts_without_its_store_and_marks_what_it_says() {
    let nginx = Nginx::start();
    nginx.put_report("1", &ordinary());
    let cache = tempfile::tempdir().unwrap();
    let arguments = ["--cache", cache.path().to_str().unwrap(), "--revalidate", "0.5"];
    let mut first = over(&nginx.url(), &arguments);
    let before = first.get(PLAYBOOKS);
    assert_eq!((before.status, before.header("aviary-stale")), (200, None));
    let is_record = |path: &Path| path.extension().is_some_and(|extension| extension == "json");
    wait_until("it is kept", || files(cache.path()).iter().any(|path| is_record(path)));
    first.signal("TERM");
    first.wait();
    nginx.server().unwrap().kill();
    let second = over(&nginx.url(), &arguments);
    // What the first one has just been told is good for half a second.
    wait_until("it is marked", || {
        let after = second.get(PLAYBOOKS);
        assert_eq!((after.status, &after.body), (200, &before.body), "{}", second.output());
        after.header("aviary-stale").is_some()
    });
    let page = second.send("GET", "/1/ara-report/", &[("Accept", "text/html")]);
    assert!(page.text().contains("Its store cannot be reached"), "{}", page.text());
    assert_eq!(json(&second, "/2/ara-report/api/v1/playbooks")["reason"], "STORE_UNAVAILABLE");
    nginx.server().unwrap().restart();
    wait_until("the store is back", || {
        let answer = second.get(PLAYBOOKS);
        assert_eq!(answer.status, 200, "{}", second.output());
        answer.header("aviary-stale").is_none()
    });
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries =
        |path: &Path| std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect::<Vec<_>>();
    entries(folder)
        .iter()
        .flat_map(|path| entries(path))
        .flat_map(|path| if path.is_dir() { entries(&path) } else { vec![path] })
        .collect()
}

#[test]
fn a_store_can_be_checked_by_hand() {
    let nginx = Nginx::start();
    nginx.put_report("1", &ordinary());
    let (output, text) = run(&["store", "check", &nginx.url()]);
    assert!(output.status.success(), "{text}");
    for line in [
        "list              ok",
        "report            1/ara-report",
        "get               ok",
        "range             ok",
        "conditional get   ok",
    ] {
        assert!(text.contains(line), "no line {line:?}:\n{text}");
    }
    let (output, text) = run(&["store", "check", &nginx.url_that_is_denied().unwrap(), "--report", "1/ara-report"]);
    assert!(!output.status.success() && text.contains("FAILED: the store refused"), "{text}");
    let (output, text) = run(&["store", "check", nginx.url_of_a_missing_one().unwrap().as_str()]);
    assert!(!output.status.success() && text.contains("FAILED: the store is not there"), "{text}");
}

#[test]
fn a_report_larger_than_the_cache_is_refused_and_others_are_served() {
    let nginx = Nginx::start();
    nginx.put_report("1", &ordinary());
    let size = (ordinary().len() / 2).to_string();
    let served = over(&nginx.url(), &["--cache-size", &size]);
    let answer = served.get(PLAYBOOKS);
    assert_eq!((answer.status, json(&served, PLAYBOOKS)["reason"].as_str()), (503, Some("CACHE_FULL")), "{}", answer.text());
    assert_eq!(served.get("/").status, 200);
}

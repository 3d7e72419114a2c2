//! The report service over the gateway's own port, as any gRPC client sees it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use aviary_proto::report::v1::report_service_client::ReportServiceClient;
use aviary_proto::report::v1::*;
use serde_json::Value;
use tests::collector::Collector;
use tests::corpus::{Set, corpus};
use tests::served::{Serve, Served, serve};
use tests::shelf::{Shelf, alter, ordinary, squeeze};
use tokio_stream::StreamExt;
use tonic::transport::Channel;
use tonic::{Code, Request, Status, Streaming};
use tonic_types::StatusExt;

type Client = ReportServiceClient<Channel>;

const REPORT: &str = "3/prod/ara-report";

async fn channel(served: &Served) -> Channel {
    Channel::from_shared(format!("http://{}", served.address)).unwrap().connect().await.unwrap()
}

async fn client(served: &Served) -> Client {
    Client::new(channel(served).await)
}

fn over(root: &Path) -> Served {
    serve(root, &[])
}

fn report(location: &str) -> Option<ReportRef> {
    Some(ReportRef { location: location.to_owned(), generation: String::new() })
}

/// All messages of an answer.
async fn all<M>(mut answer: Streaming<M>) -> std::result::Result<Vec<M>, Status> {
    let mut messages = Vec::new();
    while let Some(message) = answer.next().await {
        messages.push(message?);
    }
    Ok(messages)
}

fn json(served: &Served, question: &str) -> Value {
    let answer = served.get(&format!("/{REPORT}/api/v1/{question}"));
    assert_eq!(answer.status, 200, "{question}: {}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

/// A list by gRPC has the rows that the API's list has, and the header of the first message counts them.
macro_rules! same_list {
    ($served:expr, $client:expr, $call:ident($Request:ident { $($field:ident: $value:expr),* }), $question:expr, $key:ident, $json_key:expr) => {{
        let page = Some(Page { limit: Some(1_000_000), ..Page::default() });
        let request = $Request { report: report(REPORT), page, $($field: $value),* };
        let messages = all($client.$call(request).await.unwrap().into_inner()).await.unwrap();
        let header = messages[0].header.clone().expect("the first message has the header");
        assert!(messages[1..].iter().all(|message| message.header.is_none()));
        assert_eq!(header.location, REPORT);
        let rows: Vec<String> = messages.iter().flat_map(|message| &message.rows).map(|row| Value::from(row.$key.clone()).to_string()).collect();
        let separator = if $question.contains('?') { "&" } else { "?" };
        let list = json($served, &format!("{}{separator}limit=1000000", $question));
        let expected: Vec<String> = list["results"].as_array().unwrap().iter().map(|row| row[$json_key].to_string()).collect();
        assert_eq!(rows, expected, "{}", $question);
        assert_eq!(header.count, list["count"].as_u64().unwrap(), "{}", $question);
        header
    }};
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_has_the_rows_of_the_api_in_their_order() {
    let corpus = corpus(389, Set::Small);
    let served = over(&corpus.root);
    let client = &mut client(&served).await;
    let header = same_list!(&served, client, list_playbooks(ListPlaybooksRequest { filter: None }), "playbooks", id, "id");
    assert!(!header.generation.is_empty() && header.fresh_until.is_some() && header.modified.is_some());
    same_list!(&served, client, list_plays(ListPlaysRequest { filter: None }), "plays", id, "id");
    same_list!(&served, client, list_tasks(ListTasksRequest { filter: None }), "tasks", id, "id");
    same_list!(&served, client, list_hosts(ListHostsRequest { filter: None }), "hosts", id, "id");
    same_list!(&served, client, list_latest_hosts(ListLatestHostsRequest { filter: None }), "latesthosts", name, "name");
    same_list!(&served, client, list_results(ListResultsRequest { filter: None }), "results", id, "id");
    same_list!(&served, client, list_files(ListFilesRequest { filter: None }), "files", id, "id");
    same_list!(&served, client, list_records(ListRecordsRequest { filter: None }), "records", id, "id");
    same_list!(&served, client, list_labels(ListLabelsRequest { filter: None }), "labels", id, "id");
}

#[tokio::test(flavor = "multi_thread")]
async fn typed_filters_mean_what_the_parameters_of_the_api_mean() {
    let corpus = corpus(389, Set::Small);
    let served = over(&corpus.root);
    let client = &mut client(&served).await;
    let text = |text: &str| Some(text.to_owned());
    let status = |status: &str| vec![status.to_owned()];

    let filter = PlaybookFilter { status: status("failed"), ..Default::default() };
    same_list!(
        &served,
        client,
        list_playbooks(ListPlaybooksRequest { filter: Some(filter) }),
        "playbooks?status=failed",
        id,
        "id"
    );
    let filter = PlaybookFilter { label: text("CI"), controller: text("runner"), ..Default::default() };
    same_list!(
        &served,
        client,
        list_playbooks(ListPlaybooksRequest { filter: Some(filter) }),
        "playbooks?label=CI&controller=runner",
        id,
        "id"
    );
    let filter = PlayFilter { playbook: Some(2), ..Default::default() };
    same_list!(&served, client, list_plays(ListPlaysRequest { filter: Some(filter) }), "plays?playbook=2", id, "id");
    let filter = TaskFilter { handler: Some(true), name: text("install"), ..Default::default() };
    same_list!(
        &served,
        client,
        list_tasks(ListTasksRequest { filter: Some(filter) }),
        "tasks?handler=true&name=install",
        id,
        "id"
    );
    let filter = HostFilter { ok: Some(Bounds { greater_than: Some(5), less_than: Some(30) }), ..Default::default() };
    same_list!(
        &served,
        client,
        list_hosts(ListHostsRequest { filter: Some(filter.clone()) }),
        "hosts?ok__gt=5&ok__lt=30",
        id,
        "id"
    );
    let filter = LatestHostFilter { host: Some(filter), ..Default::default() };
    same_list!(
        &served,
        client,
        list_latest_hosts(ListLatestHostsRequest { filter: Some(filter) }),
        "latesthosts?ok__gt=5&ok__lt=30",
        name,
        "name"
    );
    let filter =
        ResultFilter { status: vec!["failed".to_owned(), "unreachable".to_owned()], changed: Some(false), ..Default::default() };
    same_list!(
        &served,
        client,
        list_results(ListResultsRequest { filter: Some(filter) }),
        "results?status=failed&status=unreachable&changed=false",
        id,
        "id"
    );
    let filter = FileFilter { path: text("roles"), ..Default::default() };
    same_list!(&served, client, list_files(ListFilesRequest { filter: Some(filter) }), "files?path=roles", id, "id");
    let filter = RecordFilter { key: text("branch"), ..Default::default() };
    same_list!(&served, client, list_records(ListRecordsRequest { filter: Some(filter) }), "records?key=branch", id, "id");
}

/// Every object that the API has, has gRPC, with the texts as they are stored.
#[tokio::test(flavor = "multi_thread")]
async fn single_objects_have_the_facts_of_the_api() {
    let corpus = corpus(389, Set::Small);
    let served = over(&corpus.root);
    let client = &mut client(&served).await;
    let stored = |text: &Option<String>| serde_json::from_str::<Value>(text.as_deref().expect("it is there")).unwrap();
    macro_rules! get {
        ($call:ident($Request:ident { $key:ident: $value:expr })) => {{
            let request = $Request { report: report(REPORT), $key: $value, filter: None };
            let messages = all(client.$call(request).await.unwrap().into_inner()).await.unwrap();
            assert_eq!(messages[0].header.as_ref().unwrap().count, 1);
            messages.into_iter().find_map(|message| message.row).expect("a row")
        }};
    }
    let playbook = get!(get_playbook(GetPlaybookRequest { id: 2 }));
    let expected = json(&served, "playbooks/2");
    assert_eq!(Value::from(playbook.path), expected["path"]);
    assert_eq!(stored(&playbook.arguments), expected["arguments"]);
    assert_eq!(Value::from(playbook.items.unwrap().tasks), expected["items"]["tasks"]);
    let play = get!(get_play(GetPlayRequest { id: 1 }));
    assert_eq!(Value::from(play.uuid), json(&served, "plays/1")["uuid"]);
    let task = get!(get_task(GetTaskRequest { id: 1 }));
    let expected = json(&served, "tasks/1");
    assert_eq!((Value::from(task.action), Value::from(task.lineno)), (expected["action"].clone(), expected["lineno"].clone()));
    assert_eq!(stored(&task.tags), expected["tags"]);
    assert_eq!(Value::from(task.file.unwrap().path), expected["file"]["path"]);
    let host = get!(get_host(GetHostRequest { id: 1 }));
    let expected = json(&served, "hosts/1");
    assert_eq!(stored(&host.facts), expected["facts"]);
    assert_eq!(Value::from(host.playbook.unwrap().id), expected["playbook"]["id"]);
    let name = host.name.unwrap();
    let latest = get!(get_latest_host(GetLatestHostRequest { name: name.clone() }));
    assert_eq!(Value::from(latest.host.unwrap().id), json(&served, &format!("latesthosts/{name}"))["host"]["id"]);
    let result = get!(get_result(GetResultRequest { id: 1 }));
    let expected = json(&served, "results/1");
    assert_eq!(stored(&result.content), expected["content"]);
    assert_eq!(Value::from(result.host.unwrap().name), expected["host"]["name"]);
    let file = get!(get_file(GetFileRequest { id: 1 }));
    assert_eq!(Value::from(file.content), json(&served, "files/1")["content"]);
    let record = get!(get_record(GetRecordRequest { id: 4 }));
    assert_eq!(stored(&record.value), json(&served, "records/4")["value"]);
    let label = get!(get_label(GetLabelRequest { id: 1 }));
    assert_eq!(Value::from(label.name), json(&served, "labels/1")["name"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_says_what_it_is() {
    let corpus = corpus(389, Set::Small);
    let served = over(&corpus.root);
    let client = &mut client(&served).await;
    let mut describe = async |location: &str| {
        let request = GetReportRequest { report: report(location), view: ReportView::Full.into() };
        client.get_report(request).await.unwrap().into_inner().report.unwrap()
    };
    let prod = describe(REPORT).await;
    assert_eq!((prod.schema_release.as_str(), prod.encoding(), prod.live), ("1.8.0", Encoding::Raw, false));
    let counts = prod.counts.unwrap();
    for (noun, count) in
        [("playbooks", counts.playbooks), ("hosts", counts.hosts), ("results", counts.results), ("records", counts.records)]
    {
        assert_eq!(json(&served, &format!("{noun}?limit=1"))["count"], count, "{noun}");
    }
    assert_eq!(describe("encoded/zlib/ara-report").await.encoding(), Encoding::Zlib);
    assert_eq!(describe("encoded/gzip/ara-report").await.encoding(), Encoding::Gzip);
    assert!(describe("legacy/0003/ara-report").await.schema_release.starts_with("1.0.0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_from_another_content_than_the_one_asked_for_is_none() {
    let corpus = corpus(389, Set::Small);
    let served = over(&corpus.root);
    let client = &mut client(&served).await;
    let described = client.get_report(GetReportRequest { report: report(REPORT), view: 0 }).await.unwrap().into_inner();
    let generation = described.header.unwrap().generation;
    let pinned = |generation: &str| ListHostsRequest {
        report: Some(ReportRef { location: REPORT.to_owned(), generation: generation.to_owned() }),
        ..Default::default()
    };
    let messages = all(client.list_hosts(pinned(&generation)).await.unwrap().into_inner()).await.unwrap();
    assert_eq!(messages[0].header.as_ref().unwrap().generation, generation);
    let gone = client.list_hosts(pinned("another")).await.unwrap_err();
    is_error(&gone, Code::Aborted, "GENERATION_GONE", Some(Duration::ZERO));
}

/// The status has this code, and the details that the contract promises.
#[track_caller]
fn is_error(status: &Status, code: Code, reason: &str, retry: Option<Duration>) {
    assert_eq!(status.code(), code, "{status:?}");
    let info = status.get_details_error_info().expect("an ErrorInfo");
    assert_eq!((info.domain.as_str(), info.reason.as_str()), ("aviary", reason));
    assert_eq!(status.get_details_retry_info().and_then(|info| info.retry_delay), retry, "{reason}");
    assert!(!status.message().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_have_their_reason_and_name_what_is_wrong() {
    let corpus = corpus(389, Set::Small);
    let served = over(&corpus.root);
    let client = &mut client(&served).await;
    for (location, code, reason) in [
        ("nothing/ara-report", Code::NotFound, "REPORT_NOT_FOUND"),
        ("../logs/ara-report", Code::InvalidArgument, "LOCATION_INVALID"),
        ("a//b", Code::InvalidArgument, "LOCATION_INVALID"),
        ("/a", Code::InvalidArgument, "LOCATION_INVALID"),
        ("a\0", Code::InvalidArgument, "LOCATION_INVALID"),
        ("broken/empty/ara-report", Code::DataLoss, "REPORT_DAMAGED"),
        ("broken/not-sqlite/ara-report", Code::DataLoss, "REPORT_DAMAGED"),
        ("broken/no-tables/ara-report", Code::FailedPrecondition, "REPORT_NOT_ARA"),
        ("broken/folder-for-file/ara-report", Code::NotFound, "REPORT_NOT_FOUND"),
    ] {
        let request = ListHostsRequest { report: report(location), ..Default::default() };
        is_error(&client.list_hosts(request).await.unwrap_err(), code, reason, None);
    }
    let missing = client.get_host(GetHostRequest { report: report(REPORT), id: 99_999, filter: None }).await.unwrap_err();
    is_error(&missing, Code::NotFound, "ROW_NOT_FOUND", None);

    let order = vec![Order { field: OrderField::Key.into(), descending: false }];
    let request = ListHostsRequest { report: report(REPORT), filter: None, page: Some(Page { order, ..Page::default() }) };
    let unknown = client.list_hosts(request).await.unwrap_err();
    is_error(&unknown, Code::InvalidArgument, "ARGUMENT_INVALID", None);
    let violations = unknown.get_details_bad_request().unwrap().field_violations;
    assert_eq!(violations[0].field, "page.order");
    assert!(violations[0].description.contains("NAME"), "{violations:?}");

    let filter = PlayFilter { uuid: Some("x".to_owned()), ..Default::default() };
    let bad = client.list_plays(ListPlaysRequest { report: report(REPORT), filter: Some(filter), page: None }).await.unwrap_err();
    assert_eq!(bad.get_details_bad_request().unwrap().field_violations[0].field, "filter.uuid");
}

#[tokio::test(flavor = "multi_thread")]
async fn long_texts_come_in_chunks_that_join_to_the_original() {
    let shelf = Shelf::new();
    let content = format!("{{\"stdout\": \"{}\"}}", "é配😀 0123456789 ".repeat(150_000));
    let facts = format!("{{\"facts\": \"{}\"}}", "x".repeat(1 << 20));
    alter(&shelf.put("long", ordinary()), |database| {
        database.execute("UPDATE results SET content = ?1 WHERE id = 1", [squeeze(&content)]).unwrap();
        database.execute("UPDATE playbooks SET arguments = ?1", [squeeze(&facts)]).unwrap();
    });
    shelf.settle();
    let served = over(shelf.root());
    let client = &mut client(&served).await;
    let request = GetResultRequest { report: report("long/ara-report"), id: 1, filter: None };
    let messages = all(client.get_result(request).await.unwrap().into_inner()).await.unwrap();
    let row = messages[0].row.clone().unwrap();
    assert_eq!(row.continued, ["content", "playbook.arguments"]);
    assert_eq!((row.content, row.playbook.unwrap().arguments), (None, None));
    let mut texts = vec![String::new()];
    for message in &messages[1..] {
        let chunk = message.chunk.clone().expect("chunks come behind the row");
        assert!(chunk.text.len() <= 1 << 20);
        texts.last_mut().unwrap().push_str(&chunk.text);
        if chunk.last {
            texts.push(String::new());
        }
    }
    assert!(texts == [content.clone(), facts.clone(), String::new()], "{:?}", texts.iter().map(String::len).collect::<Vec<_>>());
    // The same by HTTP, put together again.
    let answer = served.get("/long/ara-report/api/v1/results/1");
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body["content"], serde_json::from_str::<Value>(&content).unwrap());
    assert_eq!(body["playbook"]["arguments"], serde_json::from_str::<Value>(&facts).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_are_listed_page_by_page_without_gaps_or_repeats() {
    let corpus = corpus(389, Set::Small);
    let served = over(&corpus.root);
    let client = &mut client(&served).await;
    for folder in ["", "ci", "names", "builds/0000", "1"] {
        let mut list = async |page_size: u32| {
            let (mut entries, mut page_token) = (Vec::new(), String::new());
            loop {
                let request = ListReportsRequest { folder: folder.to_owned(), page_size, page_token };
                let answer = client.list_reports(request).await.unwrap().into_inner();
                assert!(page_size == 0 || answer.entries.len() <= page_size as usize);
                entries.extend(answer.entries);
                page_token = answer.next_page_token;
                if page_token.is_empty() {
                    return entries;
                }
            }
        };
        let at_once = list(0).await;
        assert_eq!(list(1).await, at_once, "{folder}");
        assert_eq!(list(3).await, at_once, "{folder}");
        assert!(at_once.windows(2).all(|pair| pair[0].name.as_bytes() < pair[1].name.as_bytes()), "{folder}");
        assert!(!at_once.is_empty(), "{folder}");
    }
    let request = |folder: &str| ListReportsRequest { folder: folder.to_owned(), ..Default::default() };
    let one = client.list_reports(request("1")).await.unwrap().into_inner().entries;
    assert!(one[0].report && one[0].name == "ara-report" && one[0].size > 0);
    is_error(&client.list_reports(request("nothing")).await.unwrap_err(), Code::NotFound, "REPORT_NOT_FOUND", None);
    is_error(&client.list_reports(request("..")).await.unwrap_err(), Code::InvalidArgument, "LOCATION_INVALID", None);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_told_once_and_watched() {
    use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
    let shelf = Shelf::new();
    let served = over(shelf.root());
    let mut health = HealthClient::new(channel(&served).await);
    for service in ["", "aviary.report.v1.ReportService"] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let checked = health.check(request.clone()).await.unwrap().into_inner();
        assert_eq!(checked.status(), ServingStatus::Serving, "{service:?}");
        let mut watched = health.watch(request).await.unwrap().into_inner();
        let first = watched.next().await.unwrap().unwrap();
        assert_eq!(first.status(), ServingStatus::Serving, "{service:?}");
    }
    let unknown = HealthCheckRequest { service: "nobody".to_owned() };
    assert_eq!(health.check(unknown).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_protocols_of_reflection_list_the_service() {
    let shelf = Shelf::new();
    let served = over(shelf.root());
    macro_rules! services {
        ($version:ident) => {{
            use tonic_reflection::pb::$version::*;
            let mut client = server_reflection_client::ServerReflectionClient::new(channel(&served).await);
            let message_request = Some(server_reflection_request::MessageRequest::ListServices(String::new()));
            let request = ServerReflectionRequest { host: String::new(), message_request };
            let mut answers = client.server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner();
            match answers.next().await.unwrap().unwrap().message_response {
                Some(server_reflection_response::MessageResponse::ListServicesResponse(list)) => {
                    list.service.into_iter().map(|service| service.name).collect::<Vec<_>>()
                }
                other => panic!("{other:?}"),
            }
        }};
    }
    for services in [services!(v1), services!(v1alpha)] {
        for name in ["aviary.report.v1.ReportService", "grpc.health.v1.Health"] {
            assert!(services.iter().any(|service| service == name), "{services:?}");
        }
    }
}

/// A report whose results take a while to sort.
fn slow() -> Shelf {
    let shelf = Shelf::new();
    alter(&shelf.put("slow", ordinary()), |database| {
        let columns = "created, updated, started, ended, status, content, host_id, play_id, playbook_id, task_id, changed, ignore_errors, duration";
        let many = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
             INSERT INTO results ({columns}) SELECT {columns} FROM n CROSS JOIN (SELECT * FROM results WHERE id = 1)"
        );
        database.execute_batch(&many).unwrap();
    });
    shelf.settle();
    shelf
}

fn all_results() -> ListResultsRequest {
    let order = vec![Order { field: OrderField::Duration.into(), descending: true }];
    ListResultsRequest { report: report("slow/ara-report"), filter: None, page: Some(Page { order, ..Page::default() }) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callers_timeout_is_kept() {
    let shelf = slow();
    let served = over(shelf.root());
    let client = &mut client(&served).await;
    let mut request = Request::new(all_results());
    // As a header only, so that it is the server that keeps it.
    request.metadata_mut().insert("grpc-timeout", "1m".parse().unwrap());
    let ended = match client.list_results(request).await {
        Err(status) => Err(status),
        Ok(answer) => all(answer.into_inner()).await.map(drop),
    };
    let status = ended.unwrap_err();
    assert!([Code::DeadlineExceeded, Code::Cancelled, Code::ResourceExhausted].contains(&status.code()), "{status:?}");
    let mut request = Request::new(all_results());
    request.set_timeout(Duration::from_secs(30));
    let messages = all(client.list_results(request).await.unwrap().into_inner()).await.unwrap();
    assert!(messages.iter().map(|message| message.rows.len()).sum::<usize>() > 50_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_cancelled_free_their_places() {
    let shelf = slow();
    let served = serve(shelf.root(), &["--max-queries", "2"]);
    let client = &mut client(&served).await;
    for _ in 0..10 {
        let mut answer = client.list_results(all_results()).await.unwrap().into_inner();
        answer.next().await.unwrap().unwrap();
        // Dropped with most of it unread.
    }
    let request = GetReportRequest { report: report("slow/ara-report"), view: ReportView::Full.into() };
    let answered = tokio::time::timeout(Duration::from_secs(10), client.get_report(request)).await;
    answered.expect("a place is free").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_by_http_is_one_trace_through_gateway_and_query() {
    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    let collector = Collector::start().await;
    let shelf = Shelf::new();
    shelf.put("a", ordinary());
    shelf.settle();
    let served = Serve::of(shelf.root()).env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint()).start();
    let traceparent = format!("00-{TRACE}-b7ad6b7169203331-01");
    let answer =
        tokio::task::block_in_place(|| served.send("GET", "/a/ara-report/api/v1/hosts", &[("traceparent", &traceparent)]));
    assert_eq!(answer.status, 200);
    let named = |spans: &[tests::collector::Span], name: &str| {
        spans.iter().find(|span| span.name == name && span.trace_id == TRACE).cloned()
    };
    let spans =
        collector.wait_for("spans of both", |spans| named(spans, "request").is_some() && named(spans, "sql").is_some()).await;
    let request = named(&spans, "request").unwrap();
    assert_eq!(request.parent_span_id, "b7ad6b7169203331");
    assert_eq!(request.attributes["http.path"], "/a/ara-report/api/v1/hosts");
    let by_id: BTreeMap<&str, &tests::collector::Span> = spans.iter().map(|span| (span.span_id.as_str(), span)).collect();
    let mut above = named(&spans, "sql").unwrap();
    assert_eq!(above.attributes["report.location"], "a/ara-report");
    while above.span_id != request.span_id {
        above = (*by_id.get(above.parent_span_id.as_str()).unwrap_or_else(|| panic!("no parent of {above:?}"))).clone();
    }
}

//! What clients and proxies may keep, what the program itself keeps, and how its arguments change what it says of itself.

use std::io::Read;
use std::time::{Duration, Instant};

use serde_json::Value;
use tests::http::{Connection, Response};
use tests::served::{Serve, Served, serve, wait_until};
use tests::shelf::{Shelf, alter, ordinary};

const LIST: &str = "/a/ara-report/api/v1/results";
const CODINGS: [&str; 3] = ["gzip", "br", "zstd"];

/// A store with one settled report, `a`.
fn store() -> Shelf {
    let shelf = Shelf::new();
    shelf.put("a", ordinary());
    shelf.settle();
    shelf
}

fn header(answer: &Response, name: &str) -> String {
    answer.header(name).unwrap_or_else(|| panic!("no {name}: {:?}", answer.headers))
}

fn etag(served: &Served, target: &str, headers: &[(&str, &str)]) -> String {
    header(&served.send("GET", target, headers), "etag")
}

fn decoded(answer: &Response) -> Vec<u8> {
    let packed = &answer.body[..];
    let mut body = Vec::new();
    match answer.header("content-encoding").as_deref() {
        Some("gzip") => flate2::read::GzDecoder::new(packed).read_to_end(&mut body).unwrap(),
        Some("br") => brotli::Decompressor::new(packed, 4096).read_to_end(&mut body).unwrap(),
        Some("zstd") => zstd::stream::read::Decoder::new(packed).unwrap().read_to_end(&mut body).unwrap(),
        None => {
            body = packed.to_vec();
            body.len()
        }
        other => panic!("{other:?}"),
    };
    body
}

#[test]
fn a_validator_is_strong_and_differs_with_all_that_the_answer_depends_on() {
    let shelf = store();
    let served = serve(shelf.root(), &[]);
    let first = etag(&served, LIST, &[]);
    assert!(first.starts_with('"') && first.ends_with('"') && first.len() > 20, "{first}");
    assert_eq!(etag(&served, LIST, &[]), first);
    let mut tags = vec![first];
    let mut differs = |target: &str, headers: &[(&str, &str)]| {
        let tag = etag(&served, target, headers);
        assert!(!tags.contains(&tag), "{target} {headers:?}: {tag}");
        tags.push(tag);
    };
    differs(LIST, &[("Host", "other.example.org")]);
    differs(LIST, &[("X-Forwarded-Proto", "https")]);
    differs(LIST, &[("Accept", "application/json; indent=4")]);
    differs(LIST, &[("Accept", "text/html")]);
    for coding in CODINGS {
        differs(LIST, &[("Accept-Encoding", coding)]);
    }
    differs(&format!("{LIST}?limit=2"), &[]);
    differs(&format!("{LIST}?limit=2&offset=1"), &[]);
    differs(&format!("{LIST}?status=ok"), &[]);
    differs(&format!("{LIST}?order=id"), &[]);
    differs(&format!("{LIST}/1"), &[]);
    differs("/a/ara-report/api/v1/tasks", &[]);
}

#[test]
fn a_client_that_has_the_answer_is_told_so_in_whatever_coding_it_has_it() {
    let shelf = store();
    let served = serve(shelf.root(), &[]);
    let tag = etag(&served, LIST, &[]);
    let ask = |method: &str, tags: &str| served.send(method, LIST, &[("If-None-Match", tags)]);
    let base = tag.trim_matches('"');
    for tags in [
        tag.clone(),
        format!("W/{tag}"),
        format!("\"x\", {tag}"),
        format!("\"{base}-gzip\""),
        format!("\"{base}-br\" , \"y\""),
        "*".to_owned(),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = ask(method, &tags);
            assert_eq!(answer.status, 304, "{tags}");
            assert!(answer.body.is_empty());
            for name in ["etag", "last-modified", "vary", "cache-control", "x-request-id"] {
                header(&answer, name);
            }
            assert_eq!(answer.header("content-type"), None);
        }
    }
    for tags in ["\"x\"", "", &format!("\"{base}-lz4\""), base] {
        assert_eq!(ask("GET", tags).status, 200, "{tags}");
    }
    for coding in CODINGS {
        let packed = etag(&served, LIST, &[("Accept-Encoding", coding)]);
        let answer = served.send("GET", LIST, &[("Accept-Encoding", coding), ("If-None-Match", &packed)]);
        assert_eq!((answer.status, header(&answer, "etag")), (304, packed));
    }
    let other = etag(&served, LIST, &[("Host", "other.example.org")]);
    assert_eq!(ask("GET", &other).status, 200);
}

#[test]
fn a_client_that_has_the_time_of_the_answer_is_told_so_too() {
    let shelf = store();
    let served = serve(shelf.root(), &[]);
    let modified = header(&served.get(LIST), "last-modified");
    let since = |since: &str| served.send("GET", LIST, &[("If-Modified-Since", since)]).status;
    assert_eq!(since(&modified), 304);
    assert_eq!(since("Fri, 31 Dec 2100 23:59:59 GMT"), 304);
    assert_eq!(since("Thu, 01 Jan 1970 00:00:00 GMT"), 200);
    assert_eq!(since("yesterday"), 200);
    // The tag has the last word.
    let both = [("If-Modified-Since", modified.as_str()), ("If-None-Match", "\"x\"")];
    assert_eq!(served.send("GET", LIST, &both).status, 200);
}

#[test]
fn a_changed_report_has_another_validator_and_time_within_the_time_of_revalidation() {
    let shelf = store();
    let served = serve(shelf.root(), &["--revalidate", "0.1"]);
    let before = served.get(LIST);
    let tag = header(&before, "etag");
    alter(&shelf.file("a"), |database| {
        database.execute_batch("DELETE FROM results WHERE id = 1").unwrap();
    });
    let mut after = before.clone();
    wait_until("the change shows", || {
        after = served.send("GET", LIST, &[("If-None-Match", &tag)]);
        after.status == 200
    });
    let count = |answer: &Response| serde_json::from_slice::<Value>(&answer.body).unwrap()["count"].as_u64().unwrap();
    assert_eq!(count(&after), count(&before) - 1);
    assert_ne!(header(&after, "etag"), tag);
    assert_ne!(header(&after, "last-modified"), header(&before, "last-modified"));
}

#[test]
fn every_coding_carries_the_same_body() {
    let shelf = store();
    let served = serve(shelf.root(), &[]);
    for (target, accept) in
        [(LIST, "*/*"), (LIST, "application/json; indent=2"), (LIST, "text/html"), ("/a/ara-report/api/v1/hosts/1", "*/*")]
    {
        let plain = served.send("GET", target, &[("Accept", accept)]);
        assert_eq!(plain.header("content-encoding"), None);
        for coding in CODINGS {
            // Twice: made, then kept.
            for _ in 0..2 {
                let packed = served.send("GET", target, &[("Accept", accept), ("Accept-Encoding", coding)]);
                assert_eq!(header(&packed, "content-encoding"), coding, "{target}");
                assert!(decoded(&packed) == plain.body, "{target} as {coding}");
                assert!(packed.body.len() < plain.body.len(), "{target} as {coding}");
                let vary = header(&packed, "vary").to_ascii_lowercase();
                assert!(vary.contains("accept-encoding") && vary.contains("origin"), "{vary}");
            }
        }
    }
    for accept in ["identity", "gzip;q=0", "deflate", "gzip;q=0.1, identity"] {
        let answer = served.send("GET", LIST, &[("Accept-Encoding", accept)]);
        assert_eq!(answer.header("content-encoding"), None, "{accept}");
    }
    // Links in a body that is kept packed are those of who asks.
    for host in ["one.example.org", "two.example.org", "one.example.org"] {
        let target = format!("{LIST}?limit=10");
        let packed = served.send("GET", &target, &[("Host", host), ("Accept-Encoding", "gzip")]);
        let body: Value = serde_json::from_slice(&decoded(&packed)).unwrap();
        assert!(body["next"].as_str().unwrap().starts_with(&format!("http://{host}/")), "{body}");
    }
}

#[test]
fn a_head_has_the_headers_of_a_get_and_no_body() {
    let shelf = store();
    let served = serve(shelf.root(), &[]);
    let own = ["x-request-id", "date"];
    for target in [
        LIST,
        "/a/ara-report/api/v1/results/1",
        "/a/ara-report/api/v1/",
        "/a/ara-report/api/",
        "/a/ara-report/",
        "/",
        "/?format=json",
        "/nothing/ara-report/",
        "/a/ara-report/api/v1/results/999",
        "/healthcheck/",
        "/a/ara-report/robots.txt",
    ] {
        for coding in ["identity", "gzip"] {
            let headers = [("Accept-Encoding", coding)];
            let of = |method: &str| {
                let mut answer = served.send(method, target, &headers);
                answer.headers.retain(|(name, _)| !own.contains(&name.as_str()));
                answer.headers.sort();
                answer
            };
            let (get, head) = (of("GET"), of("HEAD"));
            assert_eq!((head.status, &head.headers), (get.status, &get.headers), "{target}");
            assert!(head.body.is_empty());
        }
    }
}

#[test]
fn neither_hosts_nor_unknown_parameters_fill_the_cache() {
    let shelf = store();
    let served = Serve::of(shelf.root()).args(&["--revalidate", "60"]).watched().start();
    let misses = || served.metric("aviary_gateway_rendered_misses_total");
    let hits = || served.metric("aviary_gateway_rendered_hits_total");
    served.get(LIST);
    let (missed, hit) = (misses(), hits());
    assert_eq!(missed, 1.0);
    let mut connection = served.connect();
    for n in 0..50 {
        let host = format!("host-{n}.example.org");
        assert_eq!(connection.send("GET", LIST, &[("Host", &host)]).unwrap().status, 200);
        assert_eq!(connection.get(&format!("{LIST}?_={n}")).unwrap().status, 200);
        let agent = format!("agent/{n}");
        assert_eq!(connection.send("GET", LIST, &[("User-Agent", &agent), ("Accept-Encoding", "gzip")]).unwrap().status, 200);
    }
    assert_eq!(misses(), missed);
    assert_eq!(hits(), hit + 150.0);
    connection.get(&format!("{LIST}?limit=3")).unwrap();
    assert_eq!(misses(), missed + 1.0);
}

#[test]
fn nothing_is_kept_where_nothing_may_be() {
    let shelf = store();
    let served = Serve::of(shelf.root()).args(&["--cache-rendered", "0"]).watched().start();
    let first = served.get(LIST);
    for _ in 0..5 {
        assert!(served.get(LIST).body == first.body);
    }
    wait_until("every answer is a miss", || served.metric("aviary_gateway_rendered_misses_total") == 6.0);
}

#[test]
fn other_origins_read_answers_when_they_are_named() {
    let shelf = store();
    let allowed = |arguments: &[&str], origin: &str| {
        let served = serve(shelf.root(), arguments);
        let answer = served.send("GET", LIST, &[("Origin", origin)]);
        let asked = served.send("OPTIONS", LIST, &[("Origin", origin), ("Access-Control-Request-Method", "GET")]);
        assert_eq!(asked.status, 200);
        assert_eq!(asked.header("access-control-allow-origin"), answer.header("access-control-allow-origin"));
        assert_eq!(
            asked.header("access-control-allow-methods").is_some(),
            answer.header("access-control-allow-origin").is_some()
        );
        answer.header("access-control-allow-origin")
    };
    let ours = "https://dash.example.org";
    assert_eq!(allowed(&[], ours), None);
    assert_eq!(allowed(&[], "http://localhost:3000").as_deref(), Some("http://localhost:3000"));
    assert_eq!(allowed(&["--cors-origin", ours], ours).as_deref(), Some(ours));
    assert_eq!(allowed(&["--cors-origin", ours], "http://localhost:3000"), None);
    assert_eq!(allowed(&["--cors-allow-all"], "https://anyone.example.org").as_deref(), Some("*"));
}

#[test]
fn lists_have_an_upper_bound_when_one_is_given() {
    let shelf = store();
    let served = serve(shelf.root(), &["--max-limit", "5"]);
    for question in ["", "?limit=1000000", "?limit=6"] {
        let body: Value = serde_json::from_slice(&served.get(&format!("{LIST}{question}")).body).unwrap();
        assert_eq!(body["results"].as_array().unwrap().len(), 5, "{question}");
        let next = body["next"].as_str().unwrap();
        assert!(next.contains("limit=5&offset=5"), "{next}");
    }
    let body: Value = serde_json::from_slice(&served.get(&format!("{LIST}?limit=2")).body).unwrap();
    assert_eq!(body["results"].as_array().unwrap().len(), 2);
}

#[test]
fn links_are_those_of_whoever_stands_in_front() {
    let shelf = store();
    let next = |arguments: &[&str], headers: &[(&str, &str)]| {
        let served = serve(shelf.root(), arguments);
        let answer = served.send("GET", &format!("{LIST}?limit=1"), headers);
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let next = body["next"].as_str().unwrap_or_default();
        next.split_once("/a/ara-report").map_or(format!("{} {}", answer.status, answer.text()), |(origin, _)| origin.to_owned())
    };
    let behind = [
        ("Host", "inner"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "outer.example.org"),
        ("X-Forwarded-Prefix", "/logs"),
    ];
    assert_eq!(next(&[], &behind), "https://inner");
    assert_eq!(next(&["--forwarded-host"], &behind), "https://outer.example.org/logs");
    assert_eq!(next(&["--trusted-proxy", "192.0.2.0/24"], &behind), "http://inner");
    assert_eq!(next(&["--trusted-proxy", "192.0.2.0/24", "--forwarded-host"], &behind), "http://inner");
    assert_eq!(next(&["--trusted-proxy", "127.0.0.1", "--forwarded-host"], &behind), "https://outer.example.org/logs");
    assert_eq!(next(&["--external-url", "https://logs.example.org/ara/"], &behind), "https://logs.example.org/ara");
    assert_eq!(next(&["--external-url", "https://logs.example.org"], &[("Host", "a/b")]), "https://logs.example.org");
    for bad in [("X-Forwarded-Host", "a/b"), ("X-Forwarded-Prefix", "no-slash")] {
        let answer = next(&["--forwarded-host"], &[("Host", "inner"), bad]);
        assert!(answer.starts_with("400 "), "{answer}");
    }
}

#[test]
fn a_base_path_stands_before_all_paths_and_in_all_links() {
    let shelf = store();
    for served in [serve(shelf.root(), &["--base-path", "/ci/"]), Serve::of(shelf.root()).env("ARA_BASE_PATH", "/ci").start()] {
        assert!(served.url.ends_with("/ci"), "{}", served.url);
        assert_eq!(served.get(LIST).status, 404);
        let answer = served.get(&format!("/ci{LIST}?limit=1"));
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        let next = format!("http://{}/ci{LIST}?limit=1&offset=1", tests::http::HOST);
        assert_eq!(body["next"], next);
        let roots: Value = serde_json::from_slice(&served.get("/ci/a/ara-report/api/v1/").body).unwrap();
        assert!(roots["hosts"].as_str().unwrap().contains("/ci/a/ara-report/api/v1/hosts"), "{roots}");
    }
}

#[test]
fn a_single_file_is_served_at_the_root_and_below_its_prefix() {
    let shelf = store();
    let served = serve(&shelf.file("a"), &[]);
    let root = served.get("/api/v1/playbooks");
    assert_eq!(root.status, 200, "{}", root.text());
    let below = served.get("/ara-report/api/v1/playbooks");
    assert_eq!(root.body, below.body);
    assert_eq!(served.get("/").status, 200);
    assert_eq!(served.get("/playbooks/1.html").status, 302);
    assert_eq!(served.get("/other/ara-report/api/v1/playbooks").status, 404);
}

#[test]
fn the_names_that_aras_settings_have_in_the_environment_are_taken() {
    let shelf = store();
    let other = shelf.root().join("x/ara-api");
    std::fs::create_dir_all(&other).unwrap();
    std::fs::write(other.join("ansible.sqlite"), ordinary()).unwrap();
    let bare = || Serve::by(std::process::Command::new(tests::served::binary()));
    let served = bare().env("ARA_DISTRIBUTED_SQLITE_ROOT", shelf.root()).start();
    assert_eq!(served.get(LIST).status, 200);
    let served = bare().env("ARA_DISTRIBUTED_SQLITE_ROOT", shelf.root()).env("ARA_DISTRIBUTED_SQLITE_PREFIX", "ara-api").start();
    assert_eq!(served.get("/x/ara-api/api/v1/results").status, 200);
    assert_eq!(served.get(LIST).status, 404);
    let served = bare().env("ARA_DATABASE_NAME", shelf.file("a")).start();
    assert_eq!(served.get("/api/v1/results").status, 200);
    let served = Serve::of(shelf.root())
        .env("ARA_CORS_ORIGIN_WHITELIST", "['https://one.example.org', 'https://two.example.org']")
        .start();
    let answer = served.send("GET", LIST, &[("Origin", "https://two.example.org")]);
    assert_eq!(header(&answer, "access-control-allow-origin"), "https://two.example.org");
    // Ours win.
    let served =
        Serve::of(shelf.root()).args(&["--prefix", "ara-report"]).env("ARA_DISTRIBUTED_SQLITE_PREFIX", "ara-api").start();
    assert_eq!(served.get(LIST).status, 200);
}

#[test]
fn the_first_line_says_where_within_a_second() {
    let shelf = store();
    // A machine that is busy with other tests may be slow once.
    let best = (0..5).map(|_| serve(shelf.root(), &[]).first_line_after).min().unwrap();
    assert!(best < Duration::from_secs(1), "{best:?}");
}

#[test]
fn the_end_waits_for_what_is_in_hand_and_takes_nothing_new() {
    let shelf = store();
    let mut served = serve(shelf.root(), &[]);
    let started = Instant::now();
    let half = tests::wire::Wire::open(served.address);
    let mut busy = half;
    // In hand is what has begun: here, a head of which half is there, would not be; so a whole one whose answer is not read yet.
    busy.send(format!("GET {LIST} HTTP/1.1\r\nHost: a\r\n\r\n").repeat(200)).unwrap();
    busy.answer().unwrap();
    served.signal("TERM");
    wait_until("new connections are refused", || std::net::TcpStream::connect(served.address).is_err());
    let mut finished = 1;
    while busy.answer().is_ok() {
        finished += 1;
    }
    assert!(finished >= 1);
    assert_eq!(served.wait().code(), Some(0), "{}", served.output());
    assert!(started.elapsed() < Duration::from_secs(15));
}

#[test]
fn an_idle_connection_does_not_keep_the_program() {
    let shelf = store();
    let mut served = serve(shelf.root(), &[]);
    let mut idle: Vec<Connection> = (0..8).map(|_| served.connect()).collect();
    for connection in &mut idle {
        assert_eq!(connection.get(LIST).unwrap().status, 200);
    }
    served.signal("TERM");
    assert_eq!(served.wait().code(), Some(0));
}

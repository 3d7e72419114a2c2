//! Answers that are too large to keep: sent while they are read, in little memory, however slowly somebody reads.

use std::io::Read;

use serde_json::Value;
use tests::corpus::{Set, corpus};
use tests::served::{Served, serve, wait_until};
use tests::shelf::{Shelf, ordinary, repeat_result};
use tests::wire::Wire;

/// Copies of the ordinary report's results, until a list of them is too large to keep.
const RESULTS: u64 = 20_000;
const LIST: &str = "/large/ara-report/api/v1/results";

/// A report with many results; tests over the full corpus are left to `tests/run faults`.
fn store() -> Shelf {
    let shelf = Shelf::new();
    shelf.put("good", ordinary());
    repeat_result(&shelf.put("large", ordinary()), RESULTS);
    shelf.settle();
    shelf
}

/// The rows of a list, and how many there are, fetched by pages.
fn by_pages(served: &Served, list: &str) -> (u64, Vec<u8>) {
    let mut connection = served.connect();
    let mut rows = Vec::new();
    let mut offset = 0;
    loop {
        let page = connection.get(&format!("{list}?limit=1000&offset={offset}")).unwrap();
        let text = page.text();
        let (_, results) = text.split_once("\"results\":[").unwrap();
        let results = results.strip_suffix("]}").unwrap();
        if !rows.is_empty() && !results.is_empty() {
            rows.push(b',');
        }
        rows.extend_from_slice(results.as_bytes());
        offset += 1000;
        let body: Value = serde_json::from_slice(&page.body).unwrap();
        if body["next"].is_null() {
            return (body["count"].as_u64().unwrap(), rows);
        }
    }
}

/// What ARA answers for the whole list at once.
fn whole(served: &Served, list: &str) -> Vec<u8> {
    let (count, rows) = by_pages(served, list);
    [format!("{{\"count\":{count},\"next\":null,\"previous\":null,\"results\":[").as_bytes(), &rows, b"]}"].concat()
}

fn check_stream(served: &Served, list: &str) {
    let expected = whole(served, list);
    let target = format!("{list}?limit=1000000");
    for _ in 0..2 {
        let answer = served.get(&target);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("transfer-encoding").as_deref(), Some("chunked"));
        assert!(answer.body == expected, "{} and {} bytes", answer.body.len(), expected.len());
    }
    for coding in ["gzip", "br", "zstd"] {
        let answer = served.send("GET", &target, &[("Accept-Encoding", coding)]);
        assert_eq!(answer.header("content-encoding").as_deref(), Some(coding));
        assert!(answer.body.len() < expected.len() / 4, "{coding}: {} bytes", answer.body.len());
        let mut body = Vec::new();
        match coding {
            "gzip" => flate2::read::GzDecoder::new(&answer.body[..]).read_to_end(&mut body),
            "br" => brotli::Decompressor::new(&answer.body[..], 4096).read_to_end(&mut body),
            _ => zstd::stream::read::Decoder::new(&answer.body[..]).unwrap().read_to_end(&mut body),
        }
        .unwrap();
        assert!(body == expected, "{coding}");
    }
    let get = served.get(&target);
    let head = served.send("HEAD", &target, &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
    for name in ["etag", "last-modified", "content-type", "vary"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
    let tag = get.header("etag").unwrap();
    assert_eq!(served.send("GET", &target, &[("If-None-Match", &tag)]).status, 304);
    let page = served.send("GET", &target, &[("Accept", "text/html")]);
    assert_eq!(page.status, 200);
    assert!(page.text().contains("too long for a page"));
}

#[test]
fn a_streamed_list_has_the_bytes_of_its_pages_in_every_coding() {
    let shelf = store();
    check_stream(&serve(shelf.root(), &[]), LIST);
}

#[test]
#[ignore = "the full corpus, which takes minutes to make"]
fn every_list_of_the_report_of_thirteen_megabytes_is_streamed_like_its_pages() {
    let corpus = corpus(389, Set::Full);
    let served = serve(&corpus.root, &[]);
    for noun in ["results", "tasks", "hosts", "playbooks", "files"] {
        let list = format!("/integration/ara-report/api/v1/{noun}");
        let expected = whole(&served, &list);
        assert!(served.get(&format!("{list}?limit=1000000")).body == expected, "{noun}");
    }
    check_stream(&served, "/integration/ara-report/api/v1/tasks");
    slow_readers(&served, "/integration/ara-report/api/v1/tasks");
}

/// Sixteen readers that read a kilobyte and wait: they cost little, and others go on meanwhile.
fn slow_readers(served: &Served, list: &str) {
    let target = format!("{list}?limit=1000000");
    let whole = served.get(&target).body.len() as u64;
    let before = served.peak_memory();
    let mut readers: Vec<Wire> = (0..16).map(|_| Wire::open(served.address)).collect();
    for reader in &mut readers {
        reader.send(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")).unwrap();
        assert_eq!(reader.some(1024).unwrap().first(), Some(&b'H'));
    }
    for round in 0..5 {
        for reader in &mut readers {
            assert!(!reader.some(1024).unwrap().is_empty(), "round {round}");
        }
        let answer = served.get("/good/ara-report/api/v1/playbooks").status;
        assert!([200, 404].contains(&answer));
        let answer = served.get(&format!("{list}?limit=10&offset={}", round * 10));
        assert_eq!(answer.status, 200);
    }
    // However large the answer.
    let grown = served.peak_memory().saturating_sub(before);
    assert!(grown < 16 * (8 << 20), "{grown} bytes more for 16 answers of {whole}");
    assert!(served.peak_memory() < 256 << 20, "{} bytes", served.peak_memory());
}

#[test]
fn slow_readers_cost_little_and_keep_nobody_waiting() {
    let shelf = store();
    slow_readers(&serve(shelf.root(), &[]), LIST);
}

#[test]
fn a_reader_that_goes_away_frees_its_place() {
    let shelf = store();
    let served = serve(shelf.root(), &["--max-queries", "2", "--query-timeout", "20"]);
    let target = format!("{LIST}?limit=1000000");
    // Found to be too large to keep, so that from now on only the streams take places.
    served.get(&target);
    let hold = || {
        let mut reader = Wire::open(served.address);
        reader.send(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")).unwrap();
        assert!(!reader.some(1024).unwrap().is_empty());
        reader
    };
    for _ in 0..8 {
        let readers = [hold(), hold()];
        drop(readers);
    }
    let mut offset = 0;
    wait_until("the places are free", || {
        offset += 1;
        served.get(&format!("{LIST}?limit=1&offset={offset}")).status == 200
    });
}

#[test]
fn readers_who_take_all_places_leave_others_to_be_told_so() {
    let shelf = store();
    let served = serve(shelf.root(), &["--max-queries", "2", "--query-timeout", "3"]);
    let target = format!("{LIST}?limit=1000000");
    served.get(&target);
    let mut readers: Vec<Wire> = (0..2).map(|_| Wire::open(served.address)).collect();
    for reader in &mut readers {
        reader.send(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")).unwrap();
        reader.some(1024).unwrap();
    }
    let answer = served.get(&format!("{LIST}?limit=7"));
    assert!([200, 503, 504].contains(&answer.status), "{}", answer.status);
    if answer.status == 503 {
        assert_eq!(answer.header("retry-after").as_deref(), Some("1"));
        assert!(answer.text().contains("OVERLOADED"), "{}", answer.text());
    }
    drop(readers);
    wait_until("the places are free", || served.get(&format!("{LIST}?limit=8")).status == 200);
}

#[test]
fn a_question_that_takes_too_long_says_so() {
    let shelf = store();
    let served = serve(shelf.root(), &["--query-timeout", "0.001"]);
    let expensive = format!("{LIST}?task_name=a&host_name=b&order=-duration,started,ended&limit=1000000");
    let mut last = String::new();
    wait_until("the deadline passes", || {
        let answer = served.get(&expensive);
        last = answer.text();
        assert!([200, 503, 504].contains(&answer.status), "{last}");
        answer.status == 504 && last.contains("DEADLINE_EXCEEDED")
    });
    let page = served.send("GET", &expensive, &[("Accept", "text/html")]);
    assert!([200, 503, 504].contains(&page.status));
}

#[test]
fn a_stream_that_cannot_be_finished_is_not_taken_for_whole() {
    let shelf = store();
    let served = serve(shelf.root(), &["--revalidate", "0"]);
    let target = format!("{LIST}?limit=1000000");
    let file = shelf.file("large");
    let bytes = std::fs::read(&file).unwrap();
    // Whether the end gets lost may depend on who is faster.
    for round in 0..12 {
        std::fs::write(&file, &bytes).unwrap();
        shelf.settle();
        assert_eq!(served.get(&target).status, 200);
        let mut reader = Wire::open(served.address);
        reader.send(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")).unwrap();
        reader.some(1024).unwrap();
        // The file is overwritten in place while the answer waits for its reader.
        std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
        let mut rest = Vec::new();
        while let Ok(bytes) = reader.some(64 * 1024) {
            if bytes.is_empty() {
                break;
            }
            rest.extend(bytes);
            assert!(!rest.ends_with(b"\r\n0\r\n\r\n"), "round {round}: the last chunk came, after {} bytes", rest.len());
        }
    }
    assert_eq!(served.get("/good/ara-report/api/v1/playbooks").status, 200);
}

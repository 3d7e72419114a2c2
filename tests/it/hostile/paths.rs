//! Paths that lead elsewhere, and things in the store that are no report.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use gateway::error::Reason;
use tests::served::{Serve, binary, serve};
use tests::shelf::{Shelf, ordinary};

use super::{GOOD, header, refused, served_well, still_answers};

const LIST: &str = "ara-report/api/v1/playbooks";

/// `logs` with a good report, and beside it `logs-private` with one that nobody may see.
fn store() -> Shelf {
    let shelf = Shelf::new();
    shelf.put("good", ordinary());
    let private = shelf.root().with_file_name("logs-private").join("x/ara-report");
    fs::create_dir_all(&private).unwrap();
    fs::write(private.join("ansible.sqlite"), ordinary()).unwrap();
    shelf
}

#[test]
fn no_spelling_of_a_path_leads_out_of_the_store() {
    let shelf = store();
    let served = serve(shelf.root(), &[]);
    for way in [
        "/../logs-private/x/",
        "/good/../../logs-private/x/",
        "/%2e%2e/logs-private/x/",
        "/%2E%2E/logs-private/x/",
        "/.%2e/logs-private/x/",
        "/..%2flogs-private%2fx/",
        "/..%2Flogs-private/x/",
        "/good%2f..%2f..%2flogs-private/x/",
        "/./../logs-private/x/",
        "//../logs-private/x/",
        "/good/..//../logs-private/x/",
        "/..//logs-private/x/",
    ] {
        refused(&served, &format!("{way}{LIST}"), Reason::LocationInvalid);
        refused(&served, way, Reason::LocationInvalid);
    }
    // Decoded once: what is left is the name of a folder that is not there.
    for way in [
        "/%252e%252e/logs-private/x/",
        "/..%5clogs-private/x/",
        "/....//logs-private/x/",
        "/logs-private/x/",
        "/-private/x/",
        "/..-private/x/",
    ] {
        refused(&served, &format!("{way}{LIST}"), Reason::ReportNotFound);
    }
}

#[test]
fn names_that_no_store_can_have_are_refused() {
    let shelf = store();
    let served = serve(shelf.root(), &[]);
    for name in ["%00", "good%00", "a%0ab", "%0d", "%1b[31m", "%7f", "%c2%85", "%ff", "%c3%28", "%ed%a0%80"] {
        refused(&served, &format!("/{name}/{LIST}"), Reason::LocationInvalid);
    }
    refused(&served, &format!("/{}/{LIST}", "x".repeat(256)), Reason::LocationInvalid);
    refused(&served, &format!("/{}{LIST}", "y/".repeat(500)), Reason::LocationInvalid);
}

#[test]
fn several_slashes_are_one_and_dots_are_resolved_inside_the_store() {
    let shelf = store();
    let served = serve(shelf.root(), &[]);
    for way in ["//good/", "/good//", "/./good/./", "/good/../good/", "/x/../good/", "/%67ood/", "/good%2f"] {
        assert_eq!(served_well(&served, &format!("{way}{LIST}"))["count"], 1, "{way}");
    }
}

#[test]
fn paths_that_are_too_long_are_refused_however_long_they_are() {
    let shelf = store();
    let served = serve(shelf.root(), &[]);
    refused(&served, &format!("/{}", "x/".repeat(4000)), Reason::UriTooLong);
    refused(&served, &format!("/{}", "x/".repeat(30_000)), Reason::UriTooLong);
    // Still longer ones are refused before anything is read of them.
    for length in [70_000, 200_000] {
        let answer = served.get(&format!("/{}", "x".repeat(length)));
        assert!([414, 431].contains(&answer.status), "{}", answer.status);
        still_answers(&served);
    }
}

#[test]
fn links_that_lead_out_of_the_store_are_not_followed() {
    let shelf = store();
    let private = shelf.root().with_file_name("logs-private");
    symlink(private.join("x"), shelf.root().join("folder")).unwrap();
    symlink("../../../logs-private/x/ara-report/ansible.sqlite", shelf.file("file")).unwrap();
    symlink("/etc/passwd", shelf.file("passwd")).unwrap();
    symlink("/dev/zero", shelf.file("device")).unwrap();
    let served = serve(shelf.root(), &[]);
    for folder in ["folder", "file", "passwd", "device"] {
        refused(&served, &format!("/{folder}/{LIST}"), Reason::ReportOutsideStore);
    }
    refused(&served, "/folder/", Reason::ReportOutsideStore);
    // One that stays inside is followed.
    symlink("good", shelf.root().join("latest")).unwrap();
    assert_eq!(served_well(&served, &format!("/latest/{LIST}"))["count"], 1);
}

#[test]
fn links_that_lead_round_or_nowhere_name_nothing() {
    let shelf = store();
    symlink("loop", shelf.root().join("loop")).unwrap();
    symlink("../ring/ara-report", shelf.root().join("ring-a")).unwrap();
    symlink("ansible.sqlite", shelf.file("self")).unwrap();
    symlink("nothing.sqlite", shelf.file("dangling")).unwrap();
    let served = serve(shelf.root(), &[]);
    for folder in ["loop", "ring-a", "self", "dangling"] {
        refused(&served, &format!("/{folder}/{LIST}"), Reason::ReportNotFound);
    }
    assert_eq!(served.get("/?format=json").status, 200);
}

#[test]
fn what_is_no_file_is_no_report_and_nobody_waits_for_it() {
    let shelf = store();
    let made = Command::new("mkfifo").arg(shelf.file("fifo")).status().unwrap();
    assert!(made.success());
    fs::create_dir(shelf.file("directory")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(shelf.file("socket")).unwrap();
    let served = serve(shelf.root(), &[]);
    for folder in ["fifo", "directory", "socket", "nothing"] {
        refused(&served, &format!("/{folder}/{LIST}"), Reason::ReportNotFound);
        refused(&served, &format!("/{folder}/ara-report/"), Reason::ReportNotFound);
    }
}

#[test]
fn what_may_not_be_read_is_the_stores_failure_and_the_log_says_more() {
    let shelf = store();
    let forbid = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
    forbid(&shelf.put("file", ordinary()));
    shelf.put("folder", ordinary());
    forbid(&shelf.root().join("folder"));
    let served = as_nobody(&shelf);
    refused(&served, &format!("/file/{LIST}"), Reason::StoreUnavailable);
    refused(&served, &format!("/folder/{LIST}"), Reason::StoreUnavailable);
    assert!(served.output().contains("STORE_UNAVAILABLE"), "{}", served.output());
    let allow = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    allow(&shelf.root().join("folder"));
}

/// The program as a user to whom permissions matter; root, as tests often are in containers, reads everything.
fn as_nobody(shelf: &Shelf) -> tests::served::Served {
    let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    if !root {
        return serve(shelf.root(), &[]);
    }
    let above = shelf.root().parent().unwrap();
    fs::set_permissions(above, fs::Permissions::from_mode(0o755)).unwrap();
    // Where it was built may be closed to others.
    let copy = above.join("aviary");
    fs::copy(binary(), &copy).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(copy);
    let root = shelf.root().to_str().unwrap().to_owned();
    Serve::by(command).args(&[&root]).start()
}

#[test]
fn pages_that_are_not_there_are_said_not_to_be() {
    let shelf = store();
    let served = serve(shelf.root(), &[]);
    refused(&served, "/-/nothing", Reason::PageNotFound);
    refused(&served, "/-/", Reason::PageNotFound);
    refused(&served, "/nothing/", Reason::ReportNotFound);
    // Inside a report it is ARA's own page, whoever asks.
    for inside in ["api", "api/v1", "api/v1/hosts/", "api/v1/nothing", "api/v2/", "//api/v1/hosts", "..%2fapi"] {
        let answer = served.get(&format!("/good/ara-report/{inside}"));
        assert_eq!(answer.status, 404, "{inside}");
        assert!(header(&answer, "content-type").starts_with("text/html"), "{inside}");
    }
    still_answers(&served);
}

#[test]
fn nothing_can_be_written() {
    let shelf = store();
    let served = serve(shelf.root(), &[]);
    for method in ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "LOCK", "get"] {
        let answer = served.send(method, GOOD, &[]);
        assert_eq!(answer.status, 405, "{method}");
        assert!(!answer.body.is_empty(), "{method}");
        assert!(answer.header("x-request-id").is_some(), "{method}");
    }
    still_answers(&served);
}

//! What a report tells of a run, what it never tells, and where it goes.

use std::{
    sync::Mutex,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use directory::{
    action::Action, comparison::Comparisons, entry::Tree, observed, plan, specification::Specification, variables::Variables,
    yaml,
};
use record::{Outcome, Status, TaskResult};
use serde_json::{Map, Value as Json, json};

use super::*;
use crate::{
    host::{self, Event},
    initialise,
};

const ROOT: &str = "Root-Marker-1";
const CREDENTIALS: &str = "Credentials-Marker-2";

fn wanted() -> Specification {
    let text = format!(
        "ds389_instances:
- name: localhost
  rootpw: {ROOT}
  backends:
  - name: userroot
    suffix: dc=example
    ReplicaRole: supplier
    ReplicaId: 7
    ReplicaBindDN: cn=manager,cn=config
    ReplicaCredentials: {CREDENTIALS}
    indexes:
    - name: cn
      indextype: eq
"
    );
    Specification::read(&Variables::read(&yaml::parse(&text).unwrap()).unwrap()).unwrap()
}

fn actions() -> Vec<Action> {
    let actions = plan::plan(&wanted(), &observed::Host::default(), &Comparisons::default()).unwrap();
    assert!(actions.len() > 3, "{actions:?}");
    actions
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn about(check: bool) -> About {
    About {
        file: "/etc/aviary/directory.yml".to_owned(),
        host: "vm1".to_owned(),
        check,
        arguments: Map::from_iter([("yes".to_owned(), json!(true))]),
        controller: Some("vm1.example.org".to_owned()),
        user: Some("root".to_owned()),
    }
}

fn begun(check: bool) -> Minutes {
    Minutes::begin(about(check), &wanted(), at(10))
}

/// A run that was planned at 11 s and in which so many actions were done, each in a second.
fn run(done: usize) -> Minutes {
    let (mut minutes, actions) = (begun(false), actions());
    minutes.plan(&actions, at(11));
    for (action, second) in actions.iter().take(done).zip(11..) {
        minutes.hear(Event::Begins(action), at(second));
        minutes.hear(Event::Says(action, "first\nsecond"), at(second));
        minutes.hear(Event::Done(action), at(second + 1));
    }
    minutes
}

fn results(playbook: &Playbook) -> Vec<&TaskResult> {
    playbook.plays[0].tasks.iter().flat_map(|task| &task.results).collect()
}

fn outcomes(playbook: &Playbook) -> Vec<(Outcome, bool)> {
    results(playbook).iter().map(|result| (result.outcome, result.changed)).collect()
}

fn text(result: &TaskResult, key: &str) -> String {
    result.content.get(key).and_then(Json::as_str).unwrap_or_default().to_owned()
}

#[test]
fn a_task_for_each_action_tells_what_was_done_and_when() {
    let all = actions().len();
    let playbook = run(all).end(at(99));
    assert_eq!(playbook.status, Status::Completed);
    let tasks = &playbook.plays[0].tasks;
    assert_eq!((tasks.len(), tasks[0].action.as_str(), tasks[1].action.as_str()), (all + 1, "ds389_info", "ds389_server"));
    assert_eq!(tasks[1].name.as_deref(), Some("Creating instance slapd-localhost"));
    assert_eq!(tasks[1].span.started.stored(), "1970-01-01 00:00:11");
    assert_eq!(tasks[1].span.ended.unwrap().stored(), "1970-01-01 00:00:12");
    let mut expected = vec![(Outcome::Ok, true); all];
    expected.insert(0, (Outcome::Ok, false));
    assert_eq!(outcomes(&playbook), expected);
    let results = results(&playbook);
    assert_eq!(text(results[1], "msg"), "Creating instance slapd-localhost");
    assert_eq!(results[1].content["stdout_lines"], json!(["first", "second"]));
    let diff = &results[1].content["diff"][0];
    assert_eq!(diff["before"], "");
    assert!(diff["after"].as_str().unwrap().contains("nsslapd-rootpw: ******\n"), "{diff}");
}

#[test]
fn what_fails_is_told_with_its_error_and_what_comes_after_it_is_skipped() {
    let (mut minutes, actions) = (run(1), actions());
    minutes.hear(Event::Begins(&actions[1]), at(20));
    minutes.fail(&"the server does not answer", at(25));
    let playbook = minutes.end(at(26));
    assert_eq!(playbook.status, Status::Failed);
    let outcomes = outcomes(&playbook);
    assert_eq!(outcomes[..3], [(Outcome::Ok, false), (Outcome::Ok, true), (Outcome::Failed, false)]);
    assert!(outcomes[3..].iter().all(|outcome| *outcome == (Outcome::Skipped, false)), "{outcomes:?}");
    let results = results(&playbook);
    assert_eq!(text(results[2], "msg"), "the server does not answer");
    assert_eq!(results[2].span.ended.unwrap().stored(), "1970-01-01 00:00:25");
    assert_eq!(text(results[3], "skip_reason"), "what comes before it failed");
}

#[test]
fn what_fails_between_two_that_are_done_is_the_only_one_that_is_told_to_have_failed() {
    let (mut minutes, actions) = (run(1), actions());
    let consumer = || "c:389".to_owned();
    let error = host::Error::Initialise {
        message: "Initialising".to_owned(),
        source: initialise::Error::Unreachable { consumer: consumer(), said: format!("no answer to {ROOT}") },
    };
    minutes.hear(Event::Begins(&actions[1]), at(20));
    minutes.hear(Event::Failed(&actions[1], &error), at(22));
    minutes.hear(Event::Begins(&actions[2]), at(22));
    minutes.hear(Event::Done(&actions[2]), at(24));
    minutes.fail(&error, at(25));
    let playbook = minutes.end(at(26));
    assert_eq!(playbook.status, Status::Failed);
    let expected = [(Outcome::Ok, false), (Outcome::Ok, true), (Outcome::Failed, false), (Outcome::Ok, true)];
    let outcomes = outcomes(&playbook);
    assert_eq!(outcomes[..4], expected);
    assert!(outcomes[4..].iter().all(|outcome| *outcome == (Outcome::Skipped, false)), "{outcomes:?}");
    let result = results(&playbook)[2];
    assert!(text(result, "msg").starts_with("Initialising: ") && text(result, "msg").contains("no answer to ******"));
    assert_eq!(result.span.ended.unwrap().stored(), "1970-01-01 00:00:22");
}

#[test]
fn what_fails_before_anything_is_begun_is_told_of_what_would_have_been_next() {
    let mut minutes = run(0);
    minutes.fail(&"another apply is under way", at(12));
    let playbook = minutes.end(at(12));
    assert_eq!(outcomes(&playbook)[..3], [(Outcome::Ok, false), (Outcome::Failed, false), (Outcome::Skipped, false)]);

    let mut minutes = begun(false);
    minutes.fail(&"389 DS is not installed", at(12));
    let playbook = minutes.end(at(12));
    assert_eq!((playbook.status, outcomes(&playbook)), (Status::Failed, vec![(Outcome::Failed, false)]));
    assert_eq!(text(results(&playbook)[0], "msg"), "389 DS is not installed");
}

#[test]
fn a_run_that_is_interrupted_has_expired() {
    let mut minutes = run(2);
    minutes.interrupt();
    let playbook = minutes.end(at(30));
    assert_eq!(playbook.status, Status::Expired);
    let results = results(&playbook);
    assert_eq!(results[2].outcome, Outcome::Ok);
    assert_eq!((results[3].outcome, text(results[3], "skip_reason")), (Outcome::Skipped, "the run was interrupted".to_owned()));
}

#[test]
fn check_mode_tells_what_would_be_done_and_says_so() {
    let mut minutes = begun(true);
    minutes.found(&observed::Host::default());
    minutes.plan(&actions(), at(11));
    let playbook = minutes.end(at(12));
    assert_eq!(playbook.labels, ["ds389", "check:True"]);
    assert_eq!(playbook.arguments["check"], true);
    for result in results(&playbook).iter().skip(1) {
        assert_eq!((result.outcome, result.changed), (Outcome::Ok, true));
        assert_eq!(result.content["check_mode"], true);
    }
    let facts = &playbook.hosts[0].facts["ds389"];
    assert_eq!(facts["before"], facts["after"]);
    assert_eq!(run(0).end(at(12)).labels, ["ds389", "check:False"]);
}

#[test]
fn a_run_that_has_nothing_to_do_says_so() {
    let mut minutes = begun(false);
    minutes.plan(&[], at(11));
    let playbook = minutes.end(at(12));
    assert_eq!((playbook.status, outcomes(&playbook)), (Status::Completed, vec![(Outcome::Ok, false)]));
    assert_eq!(text(results(&playbook)[0], "msg"), "There is nothing to do.");
}

#[test]
fn each_task_leads_to_the_line_of_its_object() {
    let playbook = run(0).end(at(12));
    let lines: Vec<&str> = playbook.files[0].content.lines().collect();
    assert_eq!(lines[0], "# What vm1 should be, as /etc/aviary/directory.yml says. Secrets are masked.");
    let line_of = |name: &str| {
        let task = playbook.plays[0].tasks.iter().find(|task| task.name.as_deref().unwrap().starts_with(name));
        let task = task.unwrap_or_else(|| panic!("no task {name} in {:?}", playbook.plays[0].tasks));
        lines[task.line as usize - 1].trim()
    };
    assert_eq!(line_of("Creating instance"), "- name: localhost");
    assert_eq!(line_of("Creating backend"), "- name: userroot");
    assert_eq!(line_of("Creating index"), "- name: cn");
}

#[test]
fn the_facts_of_the_host_are_those_before_and_those_after() {
    let mut minutes = run(1);
    minutes.found(&observed::Host::default());
    let instance = observed::Instance::read("localhost", &Tree::default());
    minutes.left(&observed::Host { instances: vec![instance], ..observed::Host::default() });
    let playbook = minutes.end(at(30));
    let facts = &playbook.hosts[0].facts["ds389"];
    assert_eq!(facts["before"]["ds389_instances"], json!([]));
    assert_eq!(facts["after"]["ds389_instances"][0]["name"], "localhost");
}

#[test]
fn no_secret_is_in_it_not_even_one_that_a_server_repeats() {
    let (mut minutes, actions) = (run(actions().len() - 1), actions());
    let last = actions.last().unwrap();
    minutes.hear(Event::Begins(last), at(20));
    minutes.hear(Event::Says(last, &format!("got {ROOT} and {CREDENTIALS}")), at(21));
    minutes.fail(&format!("'{ROOT}' is too short"), at(22));
    let playbook = minutes.end(at(30));
    assert_eq!(text(results(&playbook).last().unwrap(), "msg"), "'******' is too short");
    assert_eq!(results(&playbook).last().unwrap().content["stdout_lines"], json!(["got ****** and ******"]));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ansible.sqlite");
    record::write(&path, &playbook).unwrap();
    let told = format!("{playbook:?}");
    assert!(told.contains("******"));
    for secret in [ROOT, CREDENTIALS] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
}

#[test]
fn what_a_server_says_is_kept_within_bounds() {
    let (mut minutes, actions) = (run(0), actions());
    minutes.hear(Event::Begins(&actions[0]), at(20));
    for _ in 0..1000 {
        minutes.hear(Event::Says(&actions[0], &"x".repeat(5000)), at(21));
    }
    let playbook = minutes.end(at(30));
    let lines = results(&playbook)[1].content["stdout_lines"].as_array().unwrap().clone();
    assert_eq!((lines.len(), lines[0].as_str().unwrap().len()), (200, 1000));
}

#[test]
fn reports_lie_by_host_and_time() {
    let check = |host: &str, micros: i64, expected: &str| {
        let mut playbook = run(0).end(at(12));
        host.clone_into(&mut playbook.hosts[0].name);
        playbook.span.started = Time::from_micros(micros);
        assert_eq!(location(&playbook), expected);
    };
    check("vm1", 0, "ds389/vm1/1970-01-01T00-00-00.000000Z/ara-report");
    check("db1.example.org", 1_795_614_004_672_104, "ds389/db1.example.org/2026-11-25T13-40-04.672104Z/ara-report");
    check("../../etc", 0, "ds389/.._.._etc/1970-01-01T00-00-00.000000Z/ara-report");
    check("..", 0, "ds389/_../1970-01-01T00-00-00.000000Z/ara-report");
    check("", 0, "ds389/_/1970-01-01T00-00-00.000000Z/ara-report");
    check("é b", 0, "ds389/__b/1970-01-01T00-00-00.000000Z/ara-report");
}

/// A store that remembers what it got, or refuses.
#[derive(Default)]
struct Fake {
    refuses: bool,
    got: Mutex<Vec<(String, usize)>>,
}

impl Publish for Fake {
    fn check<'a>(&'a self, _: &'a str) -> Answer<'a, String> {
        Box::pin(async { Ok("s3://bucket/logs".to_owned()) })
    }

    fn publish<'a>(&'a self, _: &'a str, location: &'a str, database: Vec<u8>) -> Answer<'a, ()> {
        Box::pin(async move {
            if self.refuses {
                return Err(Unpublished("the store refused: 403 Forbidden".to_owned()));
            }
            self.got.lock().unwrap().push((location.to_owned(), database.len()));
            Ok(())
        })
    }
}

#[tokio::test]
async fn a_file_is_written_under_its_name_and_a_folder_gets_a_folder_for_each_report() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_str().unwrap();
    for (text, expected) in [
        (format!("{root}/one.sqlite"), format!("{root}/one.sqlite")),
        (format!("file://{root}/t%77o.sqlite"), format!("{root}/two.sqlite")),
        (format!("{root}/new/logs"), format!("{root}/new/logs/ds389/vm1/1970-01-01T00-00-10.000000Z/ara-report/ansible.sqlite")),
    ] {
        let destination = Destination::prepare(&text, &FoldersOnly).await.unwrap();
        let told = destination.deliver(run(1).end(at(30)), &FoldersOnly).await.unwrap();
        assert_eq!(told, expected);
        assert!(fs::read(&told).unwrap().starts_with(b"SQLite format 3\0"), "{told}");
    }
}

#[tokio::test]
async fn a_place_that_takes_no_report_is_refused_before_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_str().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    fs::create_dir(folder.path().join("folder.sqlite")).unwrap();
    for (text, expected) in [
        (format!("{root}/none/one.sqlite"), "No such file or directory"),
        (format!("{root}/file"), "it is a file; name a folder, or a file that ends in .sqlite"),
        (format!("{root}/folder.sqlite"), "it is a folder, and its name is that of a database"),
        ("s3://bucket?aws_secret_access_key=word".to_owned(), "not to a store of kind s3; `aviary ds389` does both"),
    ] {
        let error = Destination::prepare(&text, &FoldersOnly).await.unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains("word"), "{text}: {error}");
    }
}

#[tokio::test]
async fn a_store_gets_the_report_and_one_that_it_refuses_is_kept() {
    let (store, url) = (Fake::default(), "s3://bucket/logs?aws_secret_access_key=word");
    let destination = Destination::prepare(url, &store).await.unwrap();
    let told = destination.deliver(run(1).end(at(30)), &store).await.unwrap();
    let location = "ds389/vm1/1970-01-01T00-00-10.000000Z/ara-report";
    assert_eq!(told, format!("s3://bucket/logs/{location}"));
    let got = store.got.lock().unwrap().clone();
    assert!(matches!(&got[..], [(place, size)] if place == location && *size > 100_000), "{got:?}");

    let refusing = Fake { refuses: true, ..Fake::default() };
    let error = destination.deliver(run(1).end(at(30)), &refusing).await.unwrap_err();
    let Error::Kept { kept, .. } = &error else { panic!("{error}") };
    assert!(fs::read(kept).unwrap().starts_with(b"SQLite format 3\0"));
    assert!(error.to_string().contains("403 Forbidden; it is kept in "), "{error}");
    fs::remove_dir_all(kept.parent().unwrap()).unwrap();
}

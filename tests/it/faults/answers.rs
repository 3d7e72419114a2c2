//! Single faults of a store's answers, one after the other, and many at once.

use std::time::{Duration, Instant};

use tests::faulty::{Fault, Kind, Rule};
use tests::served::wait_until;
use tests::stores::{Bucket, Moto};

use super::{QUESTIONS, Scene, TEMPORARY, Truth, becomes_well, reason, stale, target, while_reading};

const DAY: i64 = 86_400;

/// A fault, what else than the right answer may come of it, and whether the store cannot vouch for anything meanwhile.
struct Case {
    name: &'static str,
    fault: Fault,
    reasons: &'static [&'static str],
    is_outage: bool,
}

fn case(name: &'static str, fault: Fault, reasons: &'static [&'static str], is_outage: bool) -> Case {
    Case { name, fault, reasons, is_outage }
}

fn status(status: u16, code: &'static str, retry_after: Option<u64>) -> Fault {
    Fault::Status { status, code, retry_after }
}

fn cases() -> Vec<Case> {
    const DAMAGED: &[&str] = &["STORE_UNAVAILABLE", "REPORT_BEING_FETCHED", "REPORT_BEING_WRITTEN", "REPORT_DAMAGED"];
    vec![
        case("slow", Fault::Latency(Duration::from_millis(200)), &[], false),
        case("broken", status(500, "InternalError", None), &TEMPORARY, true),
        case("busy", status(503, "SlowDown", Some(1)), &TEMPORARY, true),
        case("throttled", status(429, "TooManyRequests", Some(1)), &TEMPORARY, true),
        case("denied", status(403, "AccessDenied", None), &["STORE_DENIED"], true),
        case("reset", Fault::Reset, &TEMPORARY, true),
        case("cut-early", Fault::Cut(10), &TEMPORARY, false),
        case("cut-late", Fault::Cut(50_000), &TEMPORARY, false),
        case("too-long", Fault::Length(10), &TEMPORARY, false),
        // Nothing but the database itself tells that something is missing.
        case("too-short", Fault::Length(-10), DAMAGED, false),
        case("new-etags", Fault::Etag, &[], false),
        case("unchanged", Fault::NotModified, &[], false),
        case("ahead", Fault::Skew(DAY), &[], false),
        case("behind", Fault::Skew(-DAY), &[], false),
        case("trickle", Fault::Trickle(100_000), &["REPORT_BEING_FETCHED"], false),
    ]
}

#[test]
fn no_fault_of_an_answer_spoils_a_report_and_none_outlasts_its_end() {
    let truth = Truth::of(1);
    let bucket = Moto::shared().bucket();
    bucket.put_report("kept", &truth.bytes(0));
    let scene = Scene::of(&bucket, &[]);
    becomes_well(&scene.served, &truth, "kept", 0);
    for Case { name, fault, reasons, is_outage } in cases() {
        let begun = Instant::now();
        let denied = name == "denied";
        bucket.put_report(name, &truth.bytes(0));
        scene.proxy.only(fault);
        for question in QUESTIONS {
            let answer = scene.served.get(&target(name, question));
            match answer.status {
                200 => assert_eq!(truth.version_of(1, question, &answer), 0),
                _ => assert!(reasons.contains(&reason(&answer).as_str()), "{name}: {} {}", answer.status, answer.text()),
            }
        }
        let kept = || scene.served.get(&target("kept", QUESTIONS[0]));
        if is_outage && !denied {
            wait_until("what is kept says that it is stale", || stale(&kept()).is_some());
        }
        let answer = kept();
        match answer.status {
            200 => assert_eq!(truth.version_of(1, QUESTIONS[0], &answer), 0, "{name}"),
            // Who may not read any more does not read what was kept either.
            _ => assert!(denied && reason(&answer) == "STORE_DENIED", "{name}: {}", answer.text()),
        }
        scene.proxy.heal();
        becomes_well(&scene.served, &truth, name, 0);
        becomes_well(&scene.served, &truth, "kept", 0);
        println!("{name}: {:.2} s", begun.elapsed().as_secs_f64());
    }
}

#[test]
fn a_store_that_refuses_connections_leaves_what_is_kept_and_is_asked_again_when_it_is_back() {
    let truth = Truth::of(2);
    let bucket = Moto::shared().bucket();
    bucket.put_report("kept", &truth.bytes(0));
    bucket.put_report("other", &truth.bytes(0));
    let scene = Scene::of(&bucket, &[]);
    becomes_well(&scene.served, &truth, "kept", 0);
    scene.proxy.refuse();
    wait_until("it says that it is stale", || {
        let answer = scene.served.get(&target("kept", QUESTIONS[0]));
        assert_eq!(truth.version_of(1, QUESTIONS[0], &answer), 0);
        stale(&answer).is_some()
    });
    let answer = scene.served.get(&target("other", QUESTIONS[0]));
    assert!(TEMPORARY.contains(&reason(&answer).as_str()), "{}", answer.text());
    assert!(answer.header("retry-after").is_some());
    bucket.put_report("kept", &truth.bytes(1));
    let first = scene.served.get(&target("kept", QUESTIONS[1]));
    assert!(first.body == truth.answer(0, QUESTIONS[1]), "not what is kept");
    scene.proxy.heal();
    becomes_well(&scene.served, &truth, "kept", 1);
    becomes_well(&scene.served, &truth, "other", 0);
}

#[test]
fn a_report_is_fetched_once_however_many_ask_for_it_first() {
    let truth = Truth::of(1);
    let bucket = Moto::shared().bucket();
    let reports: Vec<String> = (0..4).map(|number| format!("r{number}")).collect();
    for report in &reports {
        bucket.put_report(report, &truth.bytes(0));
    }
    let scene = Scene::of(&bucket, &["--revalidate", "60", "--wait", "20"]);
    // Long enough for all of them to come.
    scene.proxy.add(Rule::of(Fault::Latency(Duration::from_millis(700))).only(&[Kind::Get]));
    std::thread::scope(|scope| {
        for reader in 0..64 {
            let (scene, truth, report) = (&scene, &truth, &reports[reader % reports.len()]);
            scope.spawn(move || {
                let answer = scene.served.get(&target(report, QUESTIONS[1]));
                assert_eq!(answer.status, 200, "{}", answer.text());
                assert!(answer.body == truth.answer(0, QUESTIONS[1]));
            });
        }
    });
    let asked = scene.proxy.asked();
    for report in &reports {
        let gets: Vec<_> = asked.gets.iter().filter(|(path, _)| path.contains(&format!("/{report}/"))).collect();
        assert!(gets.len() == 1 && *gets[0].1 == 1, "{gets:?}");
    }
    assert_eq!(scene.served.metric("aviary_query_fetched_total"), reports.len() as f64);
}

#[test]
fn an_object_that_is_replaced_while_its_download_is_broken_off_is_never_put_together_of_two() {
    let truth = Truth::of(2);
    let bucket = Moto::shared().bucket();
    for round in 0..5 {
        let report = format!("r{round}");
        bucket.put_report(&report, &truth.bytes(0));
        let scene = Scene::of(&bucket, &[]);
        // The first answer is of the old object up to here; whatever goes on behind it finds the new one.
        scene.proxy.add(Rule::of(Fault::Cut(20_000 << round)).only(&[Kind::Get]).times(1));
        scene.proxy.add(Rule::of(Fault::Latency(Duration::from_millis(300))).only(&[Kind::Get, Kind::Range]).times(1));
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| scene.served.get(&target(&report, QUESTIONS[1])));
            wait_until("the first answer has been cut off", || scene.proxy.asked().requests() >= 2);
            bucket.put_report(&report, &truth.bytes(1));
            let answer = asked.join().unwrap();
            match answer.status {
                200 => println!("version {}", truth.version_of(2, QUESTIONS[1], &answer)),
                _ => assert!(TEMPORARY.contains(&reason(&answer).as_str()), "{}", answer.text()),
            }
        });
        becomes_well(&scene.served, &truth, &report, 1);
    }
}

#[test]
fn a_store_that_asks_to_be_left_alone_is_left_alone() {
    let truth = Truth::of(1);
    let bucket = Moto::shared().bucket();
    bucket.put_report("kept", &truth.bytes(0));
    let scene = Scene::of(&bucket, &[]);
    becomes_well(&scene.served, &truth, "kept", 0);
    scene.proxy.only(status(503, "SlowDown", Some(1)));
    wait_until("it is stale", || stale(&scene.served.get(&target("kept", QUESTIONS[0]))).is_some());
    scene.proxy.forget();
    let (begun, mut answers) = (Instant::now(), 0);
    while begun.elapsed() < Duration::from_secs(2) {
        let answer = scene.served.get(&target("kept", QUESTIONS[0]));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answers += 1;
    }
    let asked = scene.proxy.asked().requests();
    println!("{answers} answers, {asked} requests to the store");
    assert!(asked <= 40, "{asked} requests to a store that asked to be left alone for {answers} answers");
    scene.proxy.heal();
    becomes_well(&scene.served, &truth, "kept", 0);
}

#[test]
#[ignore = "a minute and a half: tests/run faults"]
fn faults_that_change_all_the_time_spoil_no_answer() {
    const VERSIONS: usize = 6;
    const REPORTS: usize = 12;
    let truth = Truth::of(VERSIONS);
    for version in 0..VERSIONS {
        QUESTIONS.into_iter().for_each(|question| drop(truth.answer(version, question)));
    }
    let bucket = Moto::own().bucket();
    let reports: Vec<String> = (0..REPORTS).map(|number| format!("r{number}")).collect();
    for report in &reports {
        bucket.put_report(report, &truth.bytes(0));
    }
    let scene = Scene::of(&bucket, &["--cache-size", "3M"]);
    let mut random = crate::conformance::random::Random::new(7);
    let errors = while_reading(&scene.served, &truth, 16, &reports, VERSIONS, || {
        let begun = Instant::now();
        let mut round = 0;
        while begun.elapsed() < Duration::from_secs(60) {
            scene.proxy.heal();
            // Truncated databases of the right length by their heads are another test's.
            let faults: Vec<Fault> =
                cases().into_iter().map(|case| case.fault).filter(|fault| *fault != Fault::Length(-10)).collect();
            for _ in 0..random.below(3) {
                scene.proxy.add(Rule::of(random.pick(&faults).clone()).times(1 + random.below(8)));
            }
            if random.below(8) == 0 {
                scene.proxy.refuse();
            }
            round += 1;
            bucket.put_report(&reports[random.below(REPORTS)], &truth.bytes(round % VERSIONS));
            std::thread::park_timeout(Duration::from_millis(100 + random.below(400) as u64));
        }
    });
    println!("errors: {errors:?}");
    let known =
        |reason: &String| TEMPORARY.contains(&reason.as_str()) || ["STORE_DENIED", "GENERATION_GONE"].contains(&reason.as_str());
    assert!(errors.keys().all(known), "{errors:?}");
    scene.proxy.heal();
    for report in &reports {
        bucket.put_report(report, &truth.bytes(3));
        becomes_well(&scene.served, &truth, report, 3);
    }
}

//! Replicas of query come and go under load: every answer stays right, and requests fail only while there is no replica.

use tests::load::Phase;

use crate::answers::Reports;
use crate::bucket::filled;
use crate::cluster::Namespace;
use crate::load::{self, Load};
use crate::release::{install, kill, scale, until_replicas};

#[track_caller]
fn all_right(phase: &Phase) {
    assert_eq!((phase.wrong, phase.failed), (0, 0), "{:?}", phase.examples);
}

#[test]
fn no_answer_is_wrong_while_replicas_come_and_go() {
    let namespace = Namespace::new("replicas");
    let reports = Reports::of_the_corpus();
    let answers = reports.answers();
    let values = filled(&namespace, &reports);
    install(&namespace, &values.iter().map(String::as_str).collect::<Vec<_>>());
    load::pod(&namespace);
    let mut load = Load::start(&namespace, &answers, 8, 200);
    all_right(&load.requests(&namespace, "one replica", 1000));

    scale(&namespace, 3);
    all_right(&load.requests(&namespace, "one to three replicas", 1000));

    kill(&namespace, "aviary-query-1");
    until_replicas(&namespace, 3);
    all_right(&load.requests(&namespace, "one of three killed", 1000));
    kill(&namespace, "aviary-query-0");
    kill(&namespace, "aviary-query-2");
    until_replicas(&namespace, 3);
    all_right(&load.requests(&namespace, "two of three killed", 1000));

    scale(&namespace, 2);
    all_right(&load.requests(&namespace, "three to two replicas", 1000));

    scale(&namespace, 1);
    all_right(&load.requests(&namespace, "two replicas to one", 1000));
    kill(&namespace, "aviary-query-0");
    until_replicas(&namespace, 1);
    let none = load.mark("the only one killed, and back");
    assert_eq!(none.wrong, 0, "{:?}", none.examples);
    assert!(none.failed < none.requests, "nothing was answered, neither before nor after: {:?}", none.examples);
    all_right(&load.requests(&namespace, "one replica again", 1000));
}

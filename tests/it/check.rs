//! `aviary check` where nobody is to be reached.

use std::process::Command;

use tests::{served, stores::NOWHERE};

/// What it says against a server that is not there.
fn against(arguments: &[&str]) -> String {
    let url = format!("http://{NOWHERE}/");
    let output = Command::new(served::program("aviary")).arg("check").args(arguments).arg(url).output().unwrap();
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_server_that_is_not_there_is_told_at_once_or_waited_for() {
    let told = against(&[]);
    assert!(told.contains("failed to reach"), "{told}");
    let told = against(&["--wait", "--timeout", "1"]);
    assert!(told.contains("no answer within 1 s"), "{told}");
}

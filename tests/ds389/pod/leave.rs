//! The end of a pod whose server sends to others: nothing that a client was told to be done is left behind that could be sent.

use rustix::process::{Pid, Signal, kill_process};

use super::Agent;
use crate::{
    machine::{Machine, element, halt, servers, until, wanted},
    replicas::{BIND, comes, sends_writers_away, unit},
};

/// A consumer, and an agent whose server sends to it.
async fn pair() -> (Agent, Machine) {
    let machine = Machine::new();
    let backend =
        |role: &str, more: &str| format!(", backends: [{{name: root, suffix: 'dc=test', ReplicaRole: {role}, {BIND}{more}}}]");
    let consumer = element("leavecon", &backend("consumer", ""));
    let port = consumer.split("port: ").nth(1).unwrap().split(',').next().unwrap().to_owned();
    machine.meet(&wanted(&format!("ds389_instances: [{consumer}]"))).await;
    let agreement = format!("{{name: next, ReplicaHost: localhost, ReplicaPort: {port}, Initialise: OnCreate, {BIND}}}");
    let more = format!(", ReplicaId: 1, create_suffix_entry: yes, agmts: [{agreement}]");
    let agent = Agent::start(&element("leavesup", &backend("supplier", &more)));
    agent.until_ready().await;
    comes(&machine, "leavecon", "dc=test").await;
    unit(&agent.machine, "leavesup", "first").await;
    comes(&machine, "leavecon", "ou=first,dc=test").await;
    (agent, machine)
}

#[tokio::test]
async fn a_supplier_that_is_to_end_takes_no_changes_and_sends_first_what_others_lack() {
    let (mut agent, consumer) = pair().await;
    halt(|| servers(&consumer.prefix, "leavecon"));
    unit(&agent.machine, "leavesup", "late").await;
    agent.tell_to_end();
    let is_shut = async || agent.machine.search("leavesup", "cn=mapping tree,cn=config", "(nsslapd-state=referral on update)");
    until(is_shut, |found| found.as_ref().is_ok_and(|found| !found.is_empty())).await.unwrap();
    sends_writers_away(&agent.machine, "leavesup").await;
    for server in servers(&consumer.prefix, "leavecon") {
        kill_process(Pid::from_raw(server).unwrap(), Signal::CONT).unwrap();
    }
    assert_eq!(agent.until_ended().await.code(), Some(0), "{}", agent.process.output());
    assert!(consumer.has("leavecon", "ou=late,dc=test").await, "{}", agent.process.output());
    assert!(!agent.process.output().contains("the server stops though"), "{}", agent.process.output());
}

#[tokio::test]
async fn a_consumer_that_does_not_come_back_is_not_waited_for_for_ever_and_gets_it_later() {
    let (mut agent, consumer) = pair().await;
    consumer.kill("leavecon");
    unit(&agent.machine, "leavesup", "late").await;
    agent.tell_to_end();
    agent.until_told("the server stops though next lacks changes").await;
    assert_eq!(agent.until_ended().await.code(), Some(0), "{}", agent.process.output());
    // The next agent's server takes changes again.
    let agent = Agent::with(std::sync::Arc::clone(&agent.machine), agent.file.clone(), &[]);
    agent.until_ready().await;
    unit(&agent.machine, "leavesup", "later").await;
    consumer.apply("ds389_instances: [{name: leavecon, started: yes}]").await;
    comes(&consumer, "leavecon", "ou=late,dc=test").await;
    comes(&consumer, "leavecon", "ou=later,dc=test").await;
}

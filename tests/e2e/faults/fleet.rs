//! The fleet that faults befall: a writer at both suppliers, and what is asked of the fleet after each fault.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use super::witness::Witness;
use crate::{
    cluster::until_within,
    fleet::{Operator, sample},
    ldap::Client,
};

/// How long something may take for which each server is restarted, one after the other.
pub(super) const FAR: Duration = Duration::from_secs(420);

pub(super) const ALL: [&str; 4] = ["supplier-1", "supplier-2", "hub-1", "consumer-1"];
pub(super) const AGREEMENTS: [&str; 2] = ["ds389agreement/suppliers", "ds389agreement/hubs"];

/// A fleet, and what was written to it.
pub(super) struct Fleet {
    pub(super) operator: Operator,
    /// Units that a supplier has taken, and when it had.
    taken: Mutex<BTreeMap<String, Instant>>,
    is_over: AtomicBool,
    /// How often it was, or was not any more, that nobody could keep what the resources say up to date.
    unkept: AtomicUsize,
}

impl Fleet {
    /// Of the sample, in sync, with this image or the operator's. Without policies, so that those of the tests can cut servers off, and
    /// with a volume that can be full.
    pub(super) fn new(purpose: &str, image: Option<&str>) -> Self {
        let operator = Operator::with(purpose, &["networkPolicy.enabled=false"]);
        let spec = image.map_or("spec:".to_owned(), |image| format!("spec:\n  image: {image}"));
        let consumer = "name: consumer-1\nspec:\n";
        let volume = format!("{consumer}  storage: {{size: 300Mi, storageClassName: sized}}\n");
        let sample = sample("replication.yaml").replace("spec:\n  backends:", &format!("{spec}\n  backends:"));
        operator.namespace.apply(&sample.replace(consumer, &volume));
        let fleet = Self { operator, taken: Mutex::default(), is_over: AtomicBool::new(false), unkept: AtomicUsize::new(0) };
        fleet.until_well();
        fleet
    }

    /// Lets faults befall it while somebody writes and somebody watches, and looks at what is left of it.
    #[track_caller]
    pub(super) fn endures(&self, faults: impl FnOnce(&Self)) {
        let untrue = std::thread::scope(|scope| {
            scope.spawn(|| self.write());
            let witness = scope.spawn(|| Witness::new(self).watch());
            // Both end with what is asserted here, too.
            let ends = End(&self.is_over);
            faults(self);
            drop(ends);
            witness.join().unwrap()
        });
        self.until_told_and_true("at the end");
        assert!(self.taken().len() > 100);
        assert_eq!(untrue, [""; 0]);
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    pub(super) fn taken(&self) -> BTreeMap<String, Instant> {
        self.taken.lock().unwrap().clone()
    }

    /// Which time it is that there is an operator and an API server, if there are.
    pub(super) fn is_kept(&self) -> Option<usize> {
        Some(self.unkept.load(Ordering::SeqCst)).filter(|times| times % 2 == 0)
    }

    /// Does something after which there is no operator or API server, until an operator leads again.
    #[track_caller]
    pub(super) fn unkept(&self, act: impl FnOnce()) {
        self.unkept.fetch_add(1, Ordering::SeqCst);
        act();
        let lease =
            |path: &str| self.kubectl(&["get", "lease", "aviary-operator", "--output", &format!("jsonpath={{.spec.{path}}}")]);
        let renewed = lease("renewTime");
        let leads = || lease("renewTime") != renewed && !self.uid(&lease("holderIdentity")).is_empty();
        self.operator.namespace.until_late("an operator that leads", leads);
        self.unkept.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn kubectl(&self, arguments: &[&str]) -> String {
        self.operator.namespace.kubectl(arguments)
    }

    pub(super) fn is(&self, resource: &str, kind: &str, expected: &str) -> bool {
        self.operator.condition(resource, kind).as_deref() == Some(expected)
    }

    pub(super) fn is_well(&self) -> bool {
        let instances = ALL.map(|name| format!("ds389instance/{name}"));
        let mut all = instances.iter().map(String::as_str).chain(AGREEMENTS);
        all.all(|resource| self.is(resource, "Ready", "True/AsItShouldBe"))
    }

    #[track_caller]
    pub(super) fn until_well(&self) {
        until_within(FAR, "a fleet that is well", || self.is_well());
    }

    /// Writes to one supplier and the other until it is over.
    pub(super) fn write(&self) {
        let clients = [Client::new(&self.operator, "supplier-1"), Client::new(&self.operator, "supplier-2")];
        for number in 0.. {
            if self.is_over() {
                break;
            }
            let name = format!("w{number:05}");
            if clients[number % 2].try_add(&name).is_ok_and(|output| output.status.success()) {
                self.taken.lock().unwrap().insert(name, Instant::now());
            }
        }
    }

    /// What was taken so far is everywhere as soon as the resources say so, but for the changes of the last seconds.
    #[track_caller]
    pub(super) fn until_told_and_true(&self, what: &str) {
        let (begun, taken): (_, BTreeSet<String>) = (Instant::now(), self.taken().into_keys().collect());
        self.until_well();
        let told = begun.elapsed();
        for name in ALL {
            let client = Client::new(&self.operator, name);
            let mut missing = BTreeSet::new();
            let is_complete = |missing: &mut BTreeSet<String>| {
                let has = client.try_units("w").unwrap_or_default();
                *missing = taken.difference(&has).cloned().collect();
                missing.is_empty()
            };
            let due = Instant::now() + Duration::from_secs(15);
            while !is_complete(&mut missing) {
                assert!(Instant::now() < due, "{what}: {name} lacks {missing:?} though all is said to be well");
            }
        }
        println!("{what}: well after {:.1} s, {} entries written so far", told.as_secs_f64(), taken.len());
    }

    /// What is done makes the fleet unwell, or has made another pod, before it ends well.
    #[track_caller]
    pub(super) fn befalls(&self, what: &str, act: impl FnOnce()) {
        let begun = Instant::now();
        act();
        println!("{what}: done in {:.1} s", begun.elapsed().as_secs_f64());
        self.until_told_and_true(what);
    }

    /// Forgets of what was written to the first supplier between two moments whatever the second does not have: it was on a volume
    /// that is lost, and nobody can be asked for it.
    pub(super) fn forgive(&self, from: Instant, to: Instant) {
        let has = Client::new(&self.operator, "supplier-2").try_units("w").unwrap();
        let mut taken = self.taken.lock().unwrap();
        let before = taken.len();
        let is_first = |name: &str| name[1..].parse::<usize>().unwrap() % 2 == 0;
        taken.retain(|name, when| has.contains(name) || !is_first(name) || *when < from || *when > to);
        println!("with the volume went {} entries", before - taken.len());
    }

    pub(super) fn uid(&self, pod: &str) -> String {
        self.kubectl(&["get", "pod", pod, "--ignore-not-found", "--output", "jsonpath={.metadata.uid}"])
    }

    #[track_caller]
    pub(super) fn until_another(&self, pod: &str, before: &str) {
        self.operator.namespace.until_late("another pod", || {
            let now = self.uid(pod);
            !now.is_empty() && now != before
        });
    }

    /// The processes of a pod by this name, as the node knows them.
    pub(super) fn processes(&self, pod: &str, name: &str) -> Vec<i32> {
        let uid = self.uid(pod);
        let known = [uid.clone(), uid.replace('-', "_")];
        let processes =
            fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse::<i32>().ok());
        let is_it = |process: &i32| {
            let read = |file: &str| fs::read_to_string(format!("/proc/{process}/{file}")).unwrap_or_default();
            read("comm").trim() == name && known.iter().any(|uid| read("cgroup").contains(uid))
        };
        processes.filter(is_it).collect()
    }

    pub(super) fn kill(&self, pod: &str, name: &str) {
        let processes = self.processes(pod, name);
        assert!(!processes.is_empty(), "{pod} has no process {name}");
        for process in processes {
            signal(process, rustix::process::Signal::KILL);
        }
    }

    pub(super) fn restarts(&self, pod: &str) -> String {
        self.kubectl(&["get", "pod", pod, "--output", "jsonpath={.status.containerStatuses[0].restartCount}"])
    }
}

pub(super) fn signal(process: i32, signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_raw(process).unwrap(), signal).unwrap();
}

/// Ends it when it goes.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

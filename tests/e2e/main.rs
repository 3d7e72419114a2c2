//! The tests that need a cluster, any cluster that KUBECONFIG leads to: the chart as a user installs it, over a bucket and
//! over a volume, while replicas come and go; and a directory in a pod. `tests/run e2e` makes the images that they need and
//! runs them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod answers;
mod apart;
mod bucket;
mod changes;
mod cluster;
mod directory;
mod external;
mod faults;
mod fleet;
mod fleet_service;
mod instances;
mod ldap;
mod load;
mod pods;
mod reinstall;
mod release;
mod replicas;
mod replication;
mod rules;
mod seeds;
mod tls;
mod upgrade;
mod volume;

//! The tests of the real 389 Directory Server: one binary, a module per subject. They need no cluster, and each has servers of
//! its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod agreements;
mod ansible;
mod backends;
mod bugs;
mod command;
mod documentation;
mod instances;
mod killed;
mod machine;
mod module;
mod plugins;
mod pod;
mod replicas;
mod replication;
mod roles;
mod secrets;
mod states;
mod systemd;
mod tls;
mod transfer;

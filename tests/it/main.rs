//! The tests that need no cluster: one binary, a module per subject.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod admin;
mod caching;
mod chart;
mod check;
mod clients;
mod conformance;
mod corpus;
mod docs;
mod documentation_tree;
mod faults;
mod fixtures;
mod grpc;
mod hostile;
mod legacy;
mod normaliser;
mod objects;
mod operators;
mod params;
mod record;
mod replacing;
mod replicas;
mod shutdown;
mod stores;
mod streaming;
mod telemetry;
mod tidy;
mod tls;

//! The tests that need no cluster: one binary, a module per subject.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod admin;
mod caching;
mod clients;
mod conformance;
mod corpus;
mod docs;
mod documentation_tree;
mod fixtures;
mod grpc;
mod hostile;
mod legacy;
mod normaliser;
mod params;
mod replacing;
mod shutdown;
mod streaming;
mod telemetry;
mod tidy;

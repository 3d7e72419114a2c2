//! The harness of the product's tests: servers to compare, the corpus, a client that sends what it is told.
//!
//! It holds no test; those are in `it`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![allow(missing_docs)]

pub mod ara;
pub mod aviary;
pub mod certificates;
pub mod collector;
pub mod corpus;
pub mod dns;
pub mod faulty;
pub mod fleet;
pub mod http;
pub mod installation;
pub mod load;
pub mod options;
pub mod playbook;
pub mod process;
pub mod served;
pub mod shelf;
pub mod silent;
pub mod stores;
pub mod wire;

use std::path::PathBuf;

/// The folder that cargo builds into; tools and caches of the tests live in it too.
pub fn target_dir() -> PathBuf {
    let workspace =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are a folder of the workspace").to_path_buf();
    workspace.join(option_env!("CARGO_TARGET_DIR").unwrap_or("target"))
}

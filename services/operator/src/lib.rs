//! The operator: keeps the directories of a cluster as its resources say. It says to the agent of each what its instance should
//! be; what has to be done for that, and doing it, is theirs.

mod agents;
mod agreement;
mod args;
mod authorities;
mod authority;
mod compact;
mod conditions;
mod crd;
mod externals;
mod fleet;
mod instance;
mod lease;
mod objects;
mod process;
mod reports;
mod tell;
mod topology;
mod turns;
mod watches;

pub use args::Command;

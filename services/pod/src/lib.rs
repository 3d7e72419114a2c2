//! The agent of a pod: keeps the one 389 Directory Server beside it as a file or the operator says, for as long as the pod lives. What has to be
//! done to a server, and doing it, is `agent`'s.

mod account;
mod args;
mod init;
mod initial;
mod lag;
mod leave;
mod logs;
mod probe;
mod receive;
mod replicas;
mod reports;
mod serve;
mod server;
mod service;
mod settle;
mod status;
mod supervisor;
mod volume;
mod wanted;
mod work;

pub use args::Command;

//! Administers the 389 Directory Servers of a host: finds out what is there, and carries out what `directory` has planned.

pub mod certificates;
pub mod command;
pub mod create;
pub mod dse;
pub mod host;
pub mod initialise;
pub mod installation;
pub mod journal;
pub mod ldap;
pub mod module;
pub mod paths;
mod ports;
pub mod process;
pub mod remove;
pub mod replication;
pub mod report;
pub mod resolve;
pub mod selinux;
pub mod systemd;
pub mod tasks;
mod tool;
pub mod transfer;
mod unmanaged;
pub mod vault;
mod whole;

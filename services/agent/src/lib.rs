//! Administers the 389 Directory Servers of a host: finds out what is there, and carries out what `directory` has planned.

pub mod certificates;
pub mod create;
pub mod host;
pub mod installation;
pub mod journal;
pub mod ldap;
pub mod paths;
pub mod process;
pub mod remove;
pub mod tasks;
pub mod transfer;

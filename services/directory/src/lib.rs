//! The domain of 389 Directory Server: what its instances should be, what they are, and the plan that leads from one to the
//! other. Everything here is a function of its arguments: no file, no process, no network, no clock.

pub mod action;
pub mod certificates;
pub mod codec;
pub mod comparison;
pub mod dn;
pub mod entry;
pub mod explain;
pub mod facts;
pub mod fleet;
pub mod intent;
pub mod inventory;
pub mod json;
pub mod layout;
pub mod ldif;
pub mod mask;
pub mod modifiers;
pub mod observed;
pub mod operation;
pub mod options;
pub mod place;
pub mod plan;
pub mod replication;
pub mod resource;
pub mod secret;
pub mod setting;
pub mod specification;
pub mod targets;
pub mod topology;
pub mod value;
pub mod variables;
pub mod version;
pub mod yaml;

#[cfg(test)]
mod tests;

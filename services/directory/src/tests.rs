//! What must hold for whatever is read, written and planned, and tables of examples.

mod dn;
mod explain;
mod intent;
mod inventory;
mod json;
mod ldif;
mod mask;
mod model;
mod modifiers;
mod observed;
mod plan;
mod replication;
mod resource;
mod specification;
mod targets;
mod topology;
mod tree;
mod yaml;

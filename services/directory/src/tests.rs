//! What must hold for whatever is read, written and planned, and tables of examples.

mod dn;
mod json;
mod ldif;
mod model;
mod plan;
mod specification;
mod tree;
mod yaml;

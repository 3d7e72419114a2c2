//! What must hold for whatever is read, written and planned, and tables of examples.

mod dn;
mod ldif;
mod model;
mod plan;
mod specification;

//! The syntaxes as tables of what is read from what, and what must hold for whatever is read or written.

mod dn;
mod json;
mod ldif;
mod tree;
mod yaml;

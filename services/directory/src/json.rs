//! JSON: what programs such as `ansible-inventory --list` print, read into a tree of values and written from one. What values
//! mean is for others to say.
//!
//! Ansible marks two kinds of texts by an object with one name: `__ansible_vault` is read as a vaulted text and written back as
//! such, `__ansible_unsafe` is read as a text that is no template, whatever it looks like.

mod read;
mod write;

pub use read::{Error, parse};
pub use write::{write, write_pretty};

/// The name by which Ansible marks a vaulted text.
const VAULT: &str = "__ansible_vault";

/// The name by which Ansible marks a text that is no template.
const UNSAFE: &str = "__ansible_unsafe";

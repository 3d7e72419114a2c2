//! The domain of 389 Directory Server: what its instances should be, what they are, and the plan that leads from one to the
//! other. Everything here is a function of its arguments: no file, no process, no network, no clock.

pub mod codec;
pub mod dn;
pub mod fleet;
pub mod modifiers;
pub mod options;
pub mod place;
pub mod secret;
pub mod setting;
pub mod specification;
pub mod targets;
pub mod topology;
pub mod value;
pub mod variables;
pub mod version;

#[cfg(test)]
mod tests;

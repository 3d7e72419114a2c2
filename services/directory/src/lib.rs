//! The domain of 389 Directory Server: what its instances should be, what they are, and the plan that leads from one to the
//! other. Everything here is a function of its arguments: no file, no process, no network, no clock.

pub mod dn;
pub mod json;
pub mod ldif;
pub mod value;
pub mod yaml;

#[cfg(test)]
mod tests;

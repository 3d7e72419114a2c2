//! What Python and Django make of text, as far as ARA's databases and clients show it: white space, digits and integers,
//! and datetimes. Pure; what the values mean is for others.

pub mod datetime;
mod text;

pub use text::{Integer, digit, hexadecimal, integer, is_space, strip};

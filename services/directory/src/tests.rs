//! The domain as tables of what comes of what, and what must hold for whatever a user writes.

mod inventory;
mod modifiers;
mod targets;
mod topology;

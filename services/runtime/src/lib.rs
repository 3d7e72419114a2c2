//! What every process needs and no domain: telemetry, the admin port, shutdown.
//!
//! A service flattens [`TelemetryArgs`], [`AdminArgs`] and [`ShutdownArgs`] into its own arguments, calls
//! [`telemetry::init`] first, serves [`admin`] beside its own port, and ends through [`shutdown`]. Whatever knows
//! about reports, directories or their protocols belongs to the services.

pub mod admin;
pub mod shutdown;
pub mod telemetry;
pub mod trace_context;

pub use admin::{AdminArgs, AdminState, Readiness};
pub use shutdown::ShutdownArgs;
pub use telemetry::{Telemetry, TelemetryArgs};

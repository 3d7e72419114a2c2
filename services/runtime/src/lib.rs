//! What every process needs and no domain: telemetry, the admin port, gRPC's port, TLS, shutdown.
//!
//! A service flattens [`ProcessArgs`] into its own arguments and puts its work into a [`Process`], which sets up
//! [`telemetry`], serves [`admin`] beside the service's own port, and ends through [`shutdown`]. Whatever knows about
//! reports, directories or their protocols belongs to the services.

pub mod admin;
pub mod args;
pub mod grpc_port;
pub mod grpc_reflection;
pub mod grpc_timeout;
pub mod process;
pub mod shutdown;
pub mod telemetry;
pub mod tls;
pub mod trace_context;

pub use admin::{AdminArgs, AdminState, Readiness};
pub use process::{Process, ProcessArgs};
pub use shutdown::ShutdownArgs;
pub use telemetry::{Telemetry, TelemetryArgs};

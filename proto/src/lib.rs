//! The wire contract: messages and services generated from `aviary/**.proto`, the descriptor sets of what clients call, and
//! the one list of texts that may travel in chunks. No other logic.

mod long_texts;

pub use long_texts::LongTexts;

/// `aviary.report.v1`: questions about reports and their answers.
pub mod report {
    /// Version 1; documented in the `.proto` files.
    #[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
    pub mod v1 {
        tonic::include_proto!("aviary.report.v1");
    }
}

/// `aviary.directory.v1`: what the operator says to the agents of pods, and what it tells its clients of the fleet.
pub mod directory {
    /// Version 1; documented in the `.proto` files.
    #[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
    pub mod v1 {
        tonic::include_proto!("aviary.directory.v1");
    }
}

/// The descriptors of `aviary.report.v1`, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The descriptors of the fleet's part of `aviary.directory.v1`, for gRPC reflection.
pub const FLEET_DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/fleet_descriptors.bin"));

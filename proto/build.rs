//! Compiles the contract with protox, so that no `protoc` is needed, and keeps the descriptor sets of what clients call,
//! for reflection.
use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=aviary");
    let descriptors = protox::compile(["aviary/report/v1/service.proto"], ["."])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    let mut config = tonic_prost_build::configure().build_transport(false);
    // Lists never fill these, and their rows should not have to carry the room for them.
    for field in [
        "Result.playbook",
        "Result.play",
        "Result.task",
        "Result.host",
        "Task.playbook",
        "Task.play",
        "Task.file",
        "Play.playbook",
        "Host.playbook",
        "LatestHost.host",
        "File.playbook",
        "Record.playbook",
    ] {
        config = config.boxed(format!(".aviary.report.v1.{field}"));
    }
    config.compile_fds(descriptors)?;
    let fleet = protox::compile(["aviary/directory/v1/fleet.proto"], ["."])?;
    fs::write(out.join("fleet_descriptors.bin"), fleet.encode_to_vec())?;
    // What agents are told is no business of clients.
    let directories = protox::compile(["aviary/directory/v1/agent.proto", "aviary/directory/v1/fleet.proto"], ["."])?;
    let mut config = tonic_prost_build::configure().build_transport(false);
    for field in ["FleetChange.about.instance", "FleetChange.about.agreement"] {
        config = config.boxed(format!(".aviary.directory.v1.{field}"));
    }
    config.compile_fds(directories)?;
    Ok(())
}

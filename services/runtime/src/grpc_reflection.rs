//! gRPC reflection: a stock client learns from the port itself which calls there are.

use tonic::service::Routes;
use tonic_reflection::server::Builder;

/// Adds both versions of it, for services of these descriptor sets, for health, and for the details of errors.
pub fn add(mut routes: Routes, descriptors: &[&'static [u8]]) -> Routes {
    let builder = || {
        let own = [tonic_health::pb::FILE_DESCRIPTOR_SET, tonic_types::pb::FILE_DESCRIPTOR_SET];
        let all = descriptors.iter().copied().chain(own);
        all.fold(Builder::configure(), Builder::register_encoded_file_descriptor_set)
    };
    if let Ok(service) = builder().build_v1() {
        routes = routes.add_service(service);
    }
    // Clients of the older protocol are still around.
    if let Ok(service) = builder().build_v1alpha() {
        routes = routes.add_service(service);
    }
    routes
}

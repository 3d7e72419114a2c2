//! What a store promises, kept by every kind of store alike: the promises are one set of functions, run on each. How the
//! product copes with stores that break theirs is in `faults`.

mod contract;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use tests::stores::{Azurite, Bucket, FakeGcs, Folder, Memory, Moto, Nginx, Versitygw, XmlBucket};

use contract::{PROMISES, Stand};

/// Runs every promise on a bucket of its own, and tells of all that are broken.
fn keeps_all_promises(bucket: impl Fn() -> Box<dyn Bucket>) {
    let mut broken = Vec::new();
    for (name, promise) in PROMISES {
        let begun = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| promise(&Stand::at(bucket()))));
        println!("{name}: {:.2} s", begun.elapsed().as_secs_f64());
        if let Err(panic) = outcome {
            let words =
                panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
            broken.push(format!("{name}: {}", words.unwrap_or_default()));
        }
    }
    assert!(broken.is_empty(), "{} of {} promises are broken:\n{}", broken.len(), PROMISES.len(), broken.join("\n"));
}

#[test]
fn a_folder_of_this_machine_keeps_all_promises() {
    keeps_all_promises(|| Box::new(Folder::new()));
}

#[test]
fn a_store_in_memory_keeps_all_promises() {
    keeps_all_promises(|| Box::new(Memory::new()));
}

#[test]
fn files_that_nginx_serves_keep_all_promises() {
    keeps_all_promises(|| Box::new(Nginx::start()));
}

#[test]
fn s3_keeps_all_promises() {
    keeps_all_promises(|| Box::new(Moto::shared().bucket()));
}

#[test]
fn s3_that_checks_signatures_tells_who_may_not_read() {
    let moto = Moto::strict();
    let stand = Stand::at(Box::new(moto.bucket()));
    contract::a_fetch_gives_the_bytes_their_size_and_a_revision(&stand);
    contract::what_is_wrong_with_a_store_is_told_apart(&stand);
}

#[test]
#[ignore = "needs versitygw: tests/run stores"]
fn s3_over_a_folder_keeps_all_promises() {
    let gateway = Versitygw::start();
    keeps_all_promises(|| Box::new(gateway.bucket()));
}

#[test]
#[ignore = "needs Azurite: tests/run stores"]
fn azure_keeps_all_promises() {
    let azurite = Azurite::start();
    keeps_all_promises(|| Box::new(azurite.bucket()));
}

#[test]
#[ignore = "needs fake-gcs-server: tests/run stores"]
fn google_cloud_storage_keeps_all_promises() {
    let server = FakeGcs::start();
    keeps_all_promises(|| Box::new(server.bucket()));
}

#[test]
fn what_google_has_in_common_with_s3_keeps_all_promises() {
    keeps_all_promises(|| Box::new(XmlBucket::of(Moto::shared().bucket())));
}

//! The first page of a folder with very many children, beside the store's own listing of it.

use std::fs;
use std::path::Path;
use std::time::Instant;

use serde::Serialize;
use tests::served::Serve;
use tests::stores::{Bucket, Versitygw};

use crate::criterion::median;

const CHILDREN: usize = 100_000;
/// Entries of a page of ours.
const PAGE: usize = 500;
const TIMES: usize = 5;

/// Milliseconds of one page.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Listing {
    pub(super) children: usize,
    pub(super) store_ms: f64,
    pub(super) page_ms: f64,
}

pub(super) fn first_page() -> Listing {
    let gateway = Versitygw::start();
    let bucket = gateway.bucket();
    let folder = gateway.root().join(bucket.name()).join("many");
    for child in 0..CHILDREN {
        let child = folder.join(format!("{child:06}"));
        fs::create_dir_all(&child).unwrap();
        fs::write(child.join("console.txt"), "").unwrap();
    }
    let served = Serve::of(Path::new(&bucket.url())).start();
    let (mut store, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        let begun = Instant::now();
        let page = bucket.first_page("many", PAGE).text();
        store.push(begun.elapsed().as_secs_f64() * 1e3);
        assert_eq!(page.matches("<CommonPrefixes>").count(), PAGE);
        let begun = Instant::now();
        let answer = served.get("/many/?format=json");
        ours.push(begun.elapsed().as_secs_f64() * 1e3);
        let page: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(page["entries"].as_array().unwrap().len(), PAGE);
    }
    Listing { children: CHILDREN, store_ms: median(store), page_ms: median(ours) }
}

//! The recorder of metrics and the buckets of its histograms; names and labels belong to those who record.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};

use super::Error;

/// From an answer out of memory to a download of a large report.
const SECONDS: [f64; 15] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// From 1 KiB to 4 GiB by fours.
const BYTES: [f64; 12] = [
    1024.0,
    4096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
    268_435_456.0,
    1_073_741_824.0,
    4_294_967_296.0,
];

/// Whatever is neither a time nor a size is a count.
const COUNT: [f64; 13] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 10_000.0, 100_000.0, 1_000_000.0];

/// Builds what [`super::init`] installs: a recorder with buckets by unit, which the end of a histogram's name tells
/// (`_seconds`, `_bytes`, anything else is a count).
pub fn recorder() -> Result<PrometheusRecorder, Error> {
    // Buckets and not quantiles, because only buckets can be added up over replicas.
    let builder = PrometheusBuilder::new()
        .set_buckets(&COUNT)
        .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS))
        .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_bytes".to_owned()), &BYTES))
        .map_err(Error::Buckets)?;
    Ok(builder.build_recorder())
}

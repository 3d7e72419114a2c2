//! The figures as a part of `docs/benchmarks.md`.

use super::Measured;
use crate::criterion::{number, table, verdict};
use crate::docs::filled;

const METHOD: &str = include_str!("method.md");

/// The part of the page.
pub(super) fn markdown(measured: &Measured) -> String {
    let values = [
        ("{instances}", measured.instances.to_string()),
        ("{agreements}", measured.agreements.to_string()),
        ("{created}", number(measured.created_s)),
        ("{burst}", number(measured.burst_s)),
        ("{burst_requests}", number(measured.burst_requests)),
        ("{burst_cpu}", number(measured.burst_cpu_s)),
        ("{rest}", super::REST.as_secs().to_string()),
        ("{cpu}", number(measured.cpu_percent)),
        ("{object}", number(measured.object_ms)),
        ("{said}", number(measured.said_ms)),
        ("{kubectl}", number(measured.kubectl_ms)),
        ("{times}", super::TIMES.to_string()),
        ("{verdict}", verdict(&measured.criteria)),
        ("{table}", table(&measured.criteria)),
    ];
    filled(METHOD, &measured.machine, &values)
}

//! The figures as a part of `docs/benchmarks.md`.

use super::Measured;
use crate::criterion::{number, table, verdict};
use crate::docs::filled;

const METHOD: &str = include_str!("method.md");

/// The part of the page.
pub(super) fn markdown(measured: &Measured) -> String {
    let values = [
        ("{server}", measured.server.clone()),
        ("{rounds}", measured.rounds.to_string()),
        ("{short}", super::SHORT.to_string()),
        ("{backends}", super::LARGE.0.to_string()),
        ("{indexes}", super::LARGE.1.to_string()),
        ("{agreements}", super::LARGE.2.to_string()),
        ("{create}", number(measured.create_s)),
        ("{dscreate}", number(measured.dscreate_s)),
        ("{many}", number(measured.many_s)),
        ("{dsconf}", number(measured.dsconf_s)),
        ("{verdict}", verdict(&measured.criteria)),
        ("{table}", table(&measured.criteria)),
    ];
    filled(METHOD, &measured.machine, &values)
}

//! The figures as a part of `docs/benchmarks.md`.

use super::Measured;
use crate::criterion::{number, table, verdict};
use crate::docs::filled;

const METHOD: &str = include_str!("method.md");

/// The part of the page.
pub(super) fn markdown(measured: &Measured) -> String {
    let Measured { cold, working_set: set, crowd, listing, .. } = measured;
    let values = [
        ("{mebibytes}", number(cold.mebibytes)),
        ("{get}", number(cold.get_ms)),
        ("{first}", number(cold.first_ms)),
        ("{reports}", set.reports.to_string()),
        ("{kept}", set.kept.to_string()),
        ("{questions}", set.questions.to_string()),
        ("{fetched}", set.fetched.to_string()),
        ("{fetched_mebibytes}", number(set.fetched_mebibytes)),
        ("{ideal}", set.ideal.to_string()),
        ("{hits}", number(set.hit_rate() * 100.0)),
        ("{children}", listing.children.to_string()),
        ("{store_page}", number(listing.store_ms)),
        ("{page}", number(listing.page_ms)),
        ("{crowd}", crowd.reports.to_string()),
        ("{crowd_seconds}", number(crowd.seconds)),
        ("{verdict}", verdict(&measured.criteria)),
        ("{table}", table(&measured.criteria)),
    ];
    filled(METHOD, &measured.machine, &values)
}

//! The figures for people: on the screen, as JSON, and as a part of `docs/benchmarks.md`.

use std::fmt::Write;
use std::fs;

use super::Measured;
use crate::criterion::number;

const METHOD: &str = include_str!("method.md");

/// Each criterion with its figure.
pub(super) fn print(measured: &Measured) {
    println!();
    for criterion in &measured.criteria {
        let met = if criterion.met { "ok    " } else { "missed" };
        println!("{met} {:<48} {:>16}  {}", criterion.what, criterion.got, criterion.wanted);
    }
}

/// All figures in `target/bench/storage.json`.
pub(super) fn save(measured: &Measured) {
    let folder = tests::target_dir().join("bench");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("storage.json"), serde_json::to_vec_pretty(measured).unwrap()).unwrap();
}

/// The part of the page.
pub(super) fn markdown(measured: &Measured) -> String {
    let Measured { machine, cold, working_set: set, crowd, listing, .. } = measured;
    let mut table = String::from("| What | Measured | Wanted |\n|---|---|---|\n");
    for criterion in &measured.criteria {
        writeln!(table, "| {} | {} | {} |", criterion.what, criterion.got, criterion.wanted).unwrap();
    }
    let missed = measured.criteria.iter().filter(|criterion| !criterion.met).count();
    let verdict = if missed == 0 { "All of it was reached.".to_owned() } else { format!("{missed} of these were missed.") };
    let values = [
        ("{cores}", format!("{} × {}", machine.cores, machine.processor)),
        ("{memory}", number(machine.memory_gib)),
        ("{kernel}", machine.kernel.clone()),
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
        ("{verdict}", verdict),
        ("{table}", table.trim().to_owned()),
    ];
    values.iter().fold(METHOD.to_owned(), |text, (name, value)| text.replace(name, value))
}

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
        println!("{met} {:<48} {:>26}  {}", criterion.what, criterion.got, criterion.wanted);
    }
}

/// All figures in `target/bench/directory.json`.
pub(super) fn save(measured: &Measured) {
    let folder = tests::target_dir().join("bench");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("directory.json"), serde_json::to_vec_pretty(measured).unwrap()).unwrap();
}

/// The part of the page.
pub(super) fn markdown(measured: &Measured) -> String {
    let machine = &measured.machine;
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
        ("{verdict}", verdict),
        ("{table}", table.trim().to_owned()),
    ];
    values.iter().fold(METHOD.to_owned(), |text, (name, value)| text.replace(name, value))
}

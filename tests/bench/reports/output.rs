//! The figures as a table for people, and as a part of the documentation.

use std::fmt::Write;

use super::{Figures, Measured, Row};
use crate::criterion::number;
use crate::docs::filled;

const METHOD: &str = include_str!("method.md");

/// Prints both tables and what else was measured.
pub(super) fn print(measured: &Measured) {
    let mut tables = [load_table(measured), alone_table(measured)];
    for table in &mut tables {
        align(table);
        println!();
        for line in table {
            println!("{}", line.join("  "));
        }
    }
    println!();
    for (what, aviary, ara) in needs(measured) {
        println!("{what}: Aviary {aviary}, ARA {ara}");
    }
}

/// The part of the documentation.
pub(super) fn markdown(measured: &Measured) -> String {
    let machine = &measured.machine;
    let versions: Vec<String> = machine.versions.iter().map(|(program, version)| format!("{program} {version}")).collect();
    let mut needs_table = String::from("| | Aviary | ARA |\n|---|--:|--:|\n");
    for (what, aviary, ara) in needs(measured) {
        writeln!(needs_table, "| {what} | {aviary} | {ara} |").unwrap();
    }
    let missed: Vec<String> = measured
        .criteria
        .iter()
        .filter(|criterion| !criterion.met)
        .map(|missed| format!("- {}: {}, wanted {}\n", missed.what, missed.got, missed.wanted))
        .collect();
    let verdict = if missed.is_empty() {
        format!("All {} were met.", measured.criteria.len())
    } else {
        let (missed_count, all) = (missed.len(), measured.criteria.len());
        format!("{missed_count} of {all} were missed:\n\n{}", missed.concat())
    };
    let values = [
        ("{seconds}", measured.settings.seconds.to_string()),
        ("{slow_seconds}", measured.settings.slow_seconds.to_string()),
        ("{rounds}", measured.settings.rounds.to_string()),
        ("{connections}", super::load::CONNECTIONS.to_string()),
        ("{load}", pipes(load_table(measured))),
        ("{alone}", pipes(alone_table(measured))),
        ("{needs}", needs_table),
        ("{verdict}", verdict.trim_end().to_owned()),
        ("{versions}", versions.join("; ")),
    ];
    filled(METHOD, machine, &values)
}

fn load_table(measured: &Measured) -> Vec<Vec<String>> {
    let heads = "URL|bytes|nginx|p99 ms|Aviary|p99 ms|cache off|p99 ms|ARA|p99 ms|Aviary / ARA|Aviary / nginx|off / ARA|met";
    let mut lines = vec![heads.split('|').map(str::to_owned).collect()];
    for row in &measured.rows {
        let mut line = vec![row.url.clone(), number(row.bytes as f64)];
        for figures in each(row) {
            line.push(number(figures.requests_per_second));
            line.push(number(figures.p99_ms));
        }
        line.push(number(row.warm_times_ara()));
        line.push(number(row.warm_times_nginx()));
        line.push(number(row.off_times_ara()));
        let criteria = row.criteria();
        line.push(match criteria.iter().all(|criterion| criterion.met) {
            _ if criteria.is_empty() => "–".to_owned(),
            true => "yes".to_owned(),
            false => "no".to_owned(),
        });
        lines.push(line);
    }
    lines
}

fn alone_table(measured: &Measured) -> Vec<Vec<String>> {
    let heads = "URL|nginx ms|Aviary ms|cache off ms|ARA ms|ARA / off|nginx µs|Aviary µs|cache off µs|ARA µs|ARA / off";
    let mut lines = vec![heads.split('|').map(str::to_owned).collect()];
    for row in &measured.rows {
        let mut line = vec![row.url.clone()];
        line.extend(each(row).map(|figures| number(figures.alone_ms)));
        line.push(number(row.off_times_ara_alone()));
        line.extend(each(row).map(|figures| number(figures.work_us)));
        line.push(number(row.ara.work_us / row.off.work_us));
        lines.push(line);
    }
    lines
}

fn each(row: &Row) -> [&Figures; 4] {
    [&row.nginx, &row.warm, &row.off, &row.ara]
}

/// What is measured once: of Aviary and of ARA.
fn needs(measured: &Measured) -> Vec<(String, String, String)> {
    let (memory, ara) = (&measured.memory, &measured.ara_memory);
    let none = || "–".to_owned();
    vec![
        (
            "Start to first answer".to_owned(),
            format!("{} ms", number(measured.start_ms)),
            format!("{} ms", number(measured.ara_start_ms)),
        ),
        ("Resident memory at rest".to_owned(), format!("{} MiB", number(memory.at_rest)), none()),
        (
            "Resident memory after one report".to_owned(),
            none(),
            format!("{} MiB (shared pages counted once: {} MiB)", number(ara.workers), number(ara.share)),
        ),
        (
            format!("Resident memory after {} reports", memory.reports),
            format!("{} MiB (most on the way: {} MiB)", number(memory.touched), number(memory.peak)),
            none(),
        ),
    ]
}

fn align(table: &mut [Vec<String>]) {
    let width = |column: usize, table: &[Vec<String>]| {
        let widths = table.iter().map(|line| line[column].chars().count());
        widths.max().unwrap_or_default()
    };
    for column in 0..table.first().map_or(0, Vec::len) {
        let width = width(column, table);
        for line in table.iter_mut() {
            line[column] = match column {
                0 => format!("{:<width$}", line[column]),
                _ => format!("{:>width$}", line[column]),
            };
        }
    }
}

/// A table of Markdown: names to the left, figures to the right.
fn pipes(table: Vec<Vec<String>>) -> String {
    let mut out = String::new();
    for (index, mut line) in table.into_iter().enumerate() {
        if index > 0 {
            line[0] = format!("`{}`", line[0]);
        }
        writeln!(out, "| {} |", line.join(" | ")).unwrap();
        if index == 0 {
            writeln!(out, "|---{}|", "|--:".repeat(line.len() - 1)).unwrap();
        }
    }
    out.trim_end().to_owned()
}

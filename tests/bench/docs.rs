//! Where figures are kept: in a file for each bench, and in `docs/benchmarks.md`, which has a part for each between two marks that the
//! bench rewrites.

use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::criterion::number;
use crate::machine::Machine;

const TITLE: &str = "# Benchmarks\n";

/// All figures in `target/bench`.
pub(crate) fn save(bench: &str, measured: &impl Serialize) {
    let folder = tests::target_dir().join("bench");
    fs::create_dir_all(&folder).unwrap();
    let json = serde_json::to_string_pretty(measured).unwrap();
    fs::write(folder.join(format!("{bench}.json")), json + "\n").unwrap();
}

/// A text with values in the place of their names, of the machine too.
pub(crate) fn filled(method: &str, machine: &Machine, values: &[(&str, String)]) -> String {
    let of_machine = [
        ("{cores}", format!("{} × {}", machine.cores, machine.processor)),
        ("{memory}", number(machine.memory_gib)),
        ("{kernel}", machine.kernel.clone()),
    ];
    let all = values.iter().chain(&of_machine);
    all.fold(method.to_owned(), |text, (name, value)| text.replace(name, value))
}

/// Puts `text` in the place of what the bench wrote there before.
pub(crate) fn write(bench: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/benchmarks.md");
    let before = fs::read_to_string(&file).unwrap_or_else(|_| TITLE.to_owned());
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, replaced(&before, bench, text)).expect("failed to write docs/benchmarks.md");
    println!("\nwritten: docs/benchmarks.md");
}

fn replaced(before: &str, bench: &str, text: &str) -> String {
    let open = format!("<!-- made by tests/run bench {bench} --write -->\n");
    let close = format!("<!-- end of {bench} -->\n");
    let part = format!("{open}\n{}\n\n{close}", text.trim());
    match before.split_once(&open) {
        Some((head, rest)) => {
            let tail = rest.split_once(&close).map_or("", |(_, tail)| tail);
            format!("{head}{part}{tail}")
        }
        None => format!("{before}\n{part}"),
    }
}

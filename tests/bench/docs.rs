//! `docs/benchmarks.md`: a part for each bench, between two marks, which the bench rewrites.

use std::fs;
use std::path::Path;

const TITLE: &str = "# Benchmarks\n";

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

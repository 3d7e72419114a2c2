//! What a bench must reach, and how figures are written.

use serde::Serialize;

/// One thing to reach.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Criterion {
    pub(crate) what: String,
    pub(crate) got: String,
    pub(crate) wanted: String,
    pub(crate) met: bool,
}

impl Criterion {
    /// The figure must not be smaller.
    pub(crate) fn at_least(what: impl Into<String>, got: f64, wanted: f64, unit: &str) -> Criterion {
        Criterion::new(what, got, wanted, unit, "at least", got >= wanted)
    }

    /// The figure must not be larger.
    pub(crate) fn at_most(what: impl Into<String>, got: f64, wanted: f64, unit: &str) -> Criterion {
        Criterion::new(what, got, wanted, unit, "at most", got <= wanted)
    }

    fn new(what: impl Into<String>, got: f64, wanted: f64, unit: &str, how: &str, met: bool) -> Criterion {
        Criterion {
            what: what.into(),
            got: format!("{} {unit}", number(got)),
            wanted: format!("{how} {} {unit}", number(wanted)),
            met,
        }
    }
}

/// Each criterion with its figure, on the screen.
pub(crate) fn print(criteria: &[Criterion]) {
    println!();
    for criterion in criteria {
        let met = if criterion.met { "ok    " } else { "missed" };
        println!("{met} {:<48} {:>26}  {}", criterion.what, criterion.got, criterion.wanted);
    }
}

/// The same as a table of a page.
pub(crate) fn table(criteria: &[Criterion]) -> String {
    let row = |criterion: &Criterion| format!("\n| {} | {} | {} |", criterion.what, criterion.got, criterion.wanted);
    let rows: String = criteria.iter().map(row).collect();
    format!("| What | Measured | Wanted |\n|---|---|---|{rows}")
}

/// Whether all was reached, in words.
pub(crate) fn verdict(criteria: &[Criterion]) -> String {
    match criteria.iter().filter(|criterion| !criterion.met).count() {
        0 => "All of it was reached.".to_owned(),
        missed => format!("{missed} of these were missed."),
    }
}

/// A figure with about three digits, and a comma between thousands.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        0.0..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => {
            let digits = format!("{value:.0}");
            let mut grouped = String::new();
            for (index, digit) in digits.char_indices() {
                if index > 0 && (digits.len() - index).is_multiple_of(3) {
                    grouped.push(',');
                }
                grouped.push(digit);
            }
            grouped
        }
    }
}

/// The middle one; of two middle ones their mean.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        length if length.is_multiple_of(2) => f64::midpoint(values[middle - 1], values[middle]),
        _ => values[middle],
    }
}

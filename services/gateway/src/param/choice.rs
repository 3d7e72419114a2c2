//! `status`: django-filter's `MultipleChoiceFilter`.
//!
//! Which choices an endpoint has is the caller's knowledge.

use super::ParamError;

/// The choices to look for, each once; none if the parameter is absent, and then there is no filter.
///
/// The first value that is not a choice is the one that the error names; an empty value is not a choice either.
/// Choosing everything is still a filter, since a report may hold a text that is no choice (`always_filter`).
pub fn parse<'v, 'c>(values: impl Iterator<Item = &'v str>, choices: &[&'c str]) -> Result<Vec<&'c str>, ParamError> {
    let mut chosen = Vec::new();
    for value in values {
        let choice = choices.iter().copied().find(|choice| *choice == value).ok_or_else(|| ParamError::invalid_choice(value))?;
        if !chosen.contains(&choice) {
            chosen.push(choice);
        }
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHOICES: [&str; 3] = ["ok", "failed", "skipped"];

    #[test]
    fn every_repeat_is_a_choice() {
        let check = |values: &[&str], expected: &[&str]| {
            let chosen = parse(values.iter().copied(), &CHOICES);
            assert_eq!(chosen, Ok(expected.to_vec()), "{values:?}");
        };
        check(&[], &[]);
        check(&["ok"], &["ok"]);
        check(&["failed", "ok", "failed"], &["failed", "ok"]);
        check(&CHOICES, &CHOICES);
    }

    #[test]
    fn the_first_bad_value_is_named_as_it_came() {
        let check = |values: &[&str], named: &str| {
            let text = format!("Select a valid choice. {named} is not one of the available choices.");
            let chosen = parse(values.iter().copied(), &CHOICES);
            assert_eq!(chosen, Err(ParamError::Invalid(text)), "{values:?}");
        };
        check(&[""], "");
        check(&["OK"], "OK");
        check(&["ok", " ok", "x"], " ok");
        check(&["ok,failed"], "ok,failed");
        check(&["<b>%(value)s</b>"], "<b>%(value)s</b>");
    }
}

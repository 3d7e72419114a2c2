//! The values of ARA's query parameters, read as Django 5.2, Django REST framework and django-filter read them.
//!
//! One module per kind of parameter; each has a pure `parse`. Which parameters an endpoint takes, what a value then
//! means in SQL, and how errors become an HTTP answer are left to the callers.

pub mod boolean;
pub mod choice;
pub mod datetime;
pub mod lineno;
pub mod number;
pub mod order;
pub mod pagination;
pub mod query_string;
pub mod text;
pub mod uuid;

/// Why a parameter was refused.
///
/// Only [`ParamError::Invalid`] is an answer of ARA's own. The other variants are the places where ARA answers 400 or
/// 500 without naming a field, so that the caller can choose a better answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParamError {
    /// A 400 that names the field. The text is the one that ARA prints, byte for byte.
    #[error("{0}")]
    Invalid(String),
    /// More `&`-separated pieces than Django's `DATA_UPLOAD_MAX_NUMBER_FIELDS`: a bare 400 from Django.
    #[error("failed to read the query string: more than {max} fields", max = query_string::MAX_FIELDS)]
    TooManyFields,
    /// A `lineno` that Python's `int()` refuses: ARA takes it for text until SQL is built, and answers 500.
    #[error("failed to read the line number: it is not an integer")]
    NotAnInteger,
    /// A date that leaves the years 1 to 9999 once it is converted to UTC: ARA answers 500.
    #[error("failed to read the date: it is out of range in UTC")]
    DateOutOfRange,
}

impl ParamError {
    fn invalid(message: &str) -> Self {
        Self::Invalid(message.to_owned())
    }

    /// The text of Django's `ChoiceField`. The value stands in it as it came, neither trimmed nor escaped.
    fn invalid_choice(value: &str) -> Self {
        Self::Invalid(format!("Select a valid choice. {value} is not one of the available choices."))
    }
}

/// The errors of one request, in the order in which its parameters were read.
///
/// Django validates every field of a filter form before it reports, and prints the fields in declaration order; read
/// the parameters in that order. No field of ARA's reports more than one message, so each prints as a list of one:
/// `{"host":["Enter a number."],"status":["Select a valid choice. ..."]}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Errors {
    fields: Vec<(&'static str, String)>,
    /// The first error that has no text of ARA's. Django meets these only after the whole form was found valid, so
    /// any text above wins over it.
    fault: Option<(&'static str, ParamError)>,
}

impl Errors {
    /// Passes a parsed value through; notes an error and stands in the type's empty value for it.
    pub fn keep<T: Default>(&mut self, field: &'static str, parsed: Result<T, ParamError>) -> T {
        match parsed {
            Ok(value) => return value,
            Err(ParamError::Invalid(message)) => self.fields.push((field, message)),
            Err(fault) => {
                self.fault.get_or_insert((field, fault));
            }
        }
        T::default()
    }

    /// `Ok` if everything that was kept was valid.
    pub fn into_result(self) -> Result<(), Self> {
        if self.fields.is_empty() && self.fault.is_none() { Ok(()) } else { Err(self) }
    }

    /// The body of ARA's 400: each bad field with its message. Empty if [`Errors::fault`] has the answer.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.fields.iter().map(|(field, message)| (*field, message.as_str()))
    }

    /// The first error for which ARA has no text, unless some field has one.
    pub fn fault(&self) -> Option<(&'static str, &ParamError)> {
        let (field, error) = self.fault.as_ref()?;
        self.fields.is_empty().then_some((*field, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_values_pass_through() {
        let mut errors = Errors::default();
        assert_eq!(errors.keep("playbook", number::parse(Some("7"))), Some(7));
        assert_eq!(errors.into_result(), Ok(()));
    }

    #[test]
    fn bad_fields_are_listed_in_the_order_of_reading() {
        let mut errors = Errors::default();
        errors.keep("host", number::parse(Some("abc")));
        errors.keep("task", number::parse(Some("1")));
        errors.keep("status", choice::parse(["OK"].into_iter(), &["ok"]));
        let listed: Vec<_> = errors.iter().collect();
        let expected =
            [("host", "Enter a number."), ("status", "Select a valid choice. OK is not one of the available choices.")];
        assert_eq!(listed, expected);
    }

    #[test]
    fn a_fault_counts_only_when_no_field_has_a_message() {
        let mut errors = Errors::default();
        errors.keep("lineno", lineno::parse(Some("abc")));
        errors.keep("created_before", datetime::parse(Some("9999-12-31T23:59:59-12:00")));
        assert_eq!(errors.fault(), Some(("lineno", &ParamError::NotAnInteger)));
        assert_eq!(errors.iter().count(), 0);
        errors.keep("playbook", number::parse(Some("abc")));
        assert_eq!(errors.fault(), None);
        assert!(errors.into_result().is_err());
    }
}

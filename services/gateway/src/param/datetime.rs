//! Filters on dates: django-filter's `IsoDateTimeFilter`.
//!
//! How SQLite compares dates, as text, is left to the query.

use python::datetime::{self, Instant};

use super::ParamError;

/// The moment to compare with. Without an offset it is UTC, our zone of every report. An empty value is no filter, a
/// blank one is not a date.
pub fn parse(value: Option<&str>) -> Result<Option<Instant>, ParamError> {
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    match datetime::parse(python::strip(value)) {
        Ok(instant) => Ok(Some(instant)),
        Err(datetime::Error::NotADatetime) => Err(ParamError::invalid("Enter a valid date/time.")),
        Err(datetime::Error::OutOfRange) => Err(ParamError::DateOutOfRange),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: Option<&str>, expected: Result<Option<i64>, ParamError>) {
        assert_eq!(parse(value).map(|instant| instant.map(|instant| instant.seconds)), expected, "{value:?}");
    }

    #[test]
    fn an_absent_or_empty_value_is_no_filter_and_a_blank_one_is_no_date() {
        check(None, Ok(None));
        check(Some(""), Ok(None));
        check(Some(" 2030-01-01\n"), Ok(Some(1_893_456_000)));
        check(Some(" "), Err(ParamError::invalid("Enter a valid date/time.")));
        check(Some("9999-12-31T23:59:59-12:00"), Err(ParamError::DateOutOfRange));
    }
}

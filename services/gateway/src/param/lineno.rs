//! `lineno` of tasks: a text filter that ARA declared on an integer column.

use super::{ParamError, text};

/// The line to look for, cut at the ends of 64 bits.
///
/// django-filter's `CharFilter` trims the text and refuses NUL; then Django's `IntegerField` takes Python's `int()` of
/// it while it builds SQL, where a failure is ARA's 500.
pub fn parse(value: Option<&str>) -> Result<Option<i64>, ParamError> {
    let Some(text) = text::parse(value)? else {
        return Ok(None);
    };
    let integer = python::integer(text).ok_or(ParamError::NotAnInteger)?;
    Ok(Some(integer.saturate()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_python_integers() {
        let check = |value: Option<&str>, expected: Result<Option<i64>, ParamError>| {
            assert_eq!(parse(value), expected, "{value:?}");
        };
        check(None, Ok(None));
        check(Some(" "), Ok(None));
        check(Some(" 6 "), Ok(Some(6)));
        check(Some("\x1c6"), Ok(Some(6)));
        check(Some("-1_0"), Ok(Some(-10)));
        check(Some("99999999999999999999"), Ok(Some(i64::MAX)));
        check(Some("6.0"), Err(ParamError::NotAnInteger));
        check(Some("abc"), Err(ParamError::NotAnInteger));
        check(Some("6\0"), Err(ParamError::invalid("Null characters are not allowed.")));
    }
}

//! Filters on text: django-filter's `CharFilter` over Django's `CharField`.
//!
//! Escaping for LIKE is the query's work.

use super::ParamError;

/// The text to look for, trimmed. ARA sets no lengths; only NUL is refused.
pub fn parse(value: Option<&str>) -> Result<Option<&str>, ParamError> {
    let text = value.map(python::strip).filter(|text| !text.is_empty());
    match text {
        Some(text) if text.contains('\0') => Err(ParamError::invalid("Null characters are not allowed.")),
        text => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_trimmed_and_never_empty() {
        let check = |value: Option<&str>, expected: Option<&str>| {
            assert_eq!(parse(value), Ok(expected), "{value:?}");
        };
        check(None, None);
        check(Some(""), None);
        check(Some(" \t\u{a0}\x1f"), None);
        check(Some(" a  b\n"), Some("a  b"));
        check(Some("\u{feff}a"), Some("\u{feff}a"));
    }

    #[test]
    fn nul_is_refused_and_not_blank() {
        let expected = Err(ParamError::invalid("Null characters are not allowed."));
        assert_eq!(parse(Some("a\0b")), expected);
        assert_eq!(parse(Some(" \0 ")), expected);
    }
}

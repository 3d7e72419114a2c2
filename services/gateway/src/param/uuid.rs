//! Filters on UUIDs: django-filter's `UUIDFilter` over Django's `UUIDField` and Python's `uuid.UUID`.

use super::ParamError;

/// The UUID as ARA stores it: 32 lower-case hexadecimal digits.
///
/// Python drops `urn:`, `uuid:` and dashes wherever they stand and braces at the ends, wants 32 characters to be left,
/// and hands them to `int(.., 16)`, which has a wide taste: `0x`, signs, blanks, underscores, digits of other scripts.
pub fn parse(value: Option<&str>) -> Result<Option<String>, ParamError> {
    let Some(text) = value.map(python::strip).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let bare = text.replace("urn:", "").replace("uuid:", "");
    let bare = bare.trim_matches(['{', '}']).replace('-', "");
    let integer = if bare.chars().count() == 32 { python::hexadecimal(&bare) } else { None };
    let integer = integer.ok_or_else(|| ParamError::invalid("Enter a valid UUID."))?;
    Ok(Some(format!("{:0>32}", integer.digits.to_ascii_lowercase())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_a_uuid_gives_its_digits() {
        let check = |value: &str, expected: &str| {
            assert_eq!(parse(Some(value)), Ok(Some(expected.to_owned())), "{value:?}");
        };
        let digits = "0123456789abcdef0123456789abcdef";
        check(digits, digits);
        check("01234567-89AB-CDEF-0123-456789ABCDEF", digits);
        check(" {01234567-89ab-cdef-0123-456789abcdef} ", digits);
        check("urn:uuid:01234567-89ab-cdef-0123-456789abcdef", digits);
        check("0-1-23456789abcdef0123456789abcdef-", digits);
        check("uuurn:id:0123456789abcdef0123456789abcdef", digits);
        check("0x123456789abcdef0123456789abcde", "00123456789abcdef0123456789abcde");
        check("+1_3456789abcdef0123456789abcdef", "0013456789abcdef0123456789abcdef");
        check("{ 123456789abcdef0123456789abcde }", "00123456789abcdef0123456789abcde");
        check("\u{661}123456789abcdef0123456789abcdef", "1123456789abcdef0123456789abcdef");
    }

    #[test]
    fn anything_else_is_refused() {
        let check = |value: &str| {
            let expected = Err(ParamError::invalid("Enter a valid UUID."));
            assert_eq!(parse(Some(value)), expected, "{value:?}");
        };
        check("0");
        check("0123456789abcdef0123456789abcdeg");
        check("URN:UUID:0123456789abcdef0123456789abcdef");
        check("0123456789abcdef0123456789abcde\0");
        check("0123456789abcdef0123456789abcdef0");
        check("--------------------------------");
    }

    #[test]
    fn an_absent_or_blank_value_is_no_filter() {
        assert_eq!(parse(None), Ok(None));
        assert_eq!(parse(Some("")), Ok(None));
        assert_eq!(parse(Some("\u{2003}")), Ok(None));
    }
}

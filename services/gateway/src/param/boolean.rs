//! Filters on booleans: django-filter's `BooleanFilter` over Django's `NullBooleanSelect`.

/// The value to look for. What the widget does not know, such as `1`, `yes` or `TRUE`, is no filter and no error.
///
/// ARA uses the plain `BooleanFilter`, not the one of `django_filters.rest_framework`, which knows other words.
pub fn parse(value: Option<&str>) -> Option<bool> {
    match value? {
        "true" | "True" | "2" => Some(true),
        "false" | "False" | "3" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_words_each_are_known() {
        let check = |value: Option<&str>, expected: Option<bool>| {
            assert_eq!(parse(value), expected, "{value:?}");
        };
        check(None, None);
        check(Some("true"), Some(true));
        check(Some("True"), Some(true));
        check(Some("2"), Some(true));
        check(Some("false"), Some(false));
        check(Some("False"), Some(false));
        check(Some("3"), Some(false));
        check(Some("1"), None);
        check(Some("0"), None);
        check(Some("TRUE"), None);
        check(Some(" true"), None);
        check(Some(""), None);
    }
}

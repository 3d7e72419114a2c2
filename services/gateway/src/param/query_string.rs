//! The query string of a URL as Django's `QueryDict` reads it and as REST framework writes it into links.
//!
//! What the parameters mean is left to the other modules of `param`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::ParamError;

/// Django's `DATA_UPLOAD_MAX_NUMBER_FIELDS`, which ARA leaves at its default.
pub const MAX_FIELDS: usize = 1000;

/// What Python's `quote_plus` escapes, but for the space, which becomes a `+`.
const QUOTED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~').remove(b' ');

/// The fields of a query string, decoded, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryString {
    fields: Vec<(String, String)>,
    /// The fields as links repeat them, where that differs from `fields`.
    mangled: Option<Vec<(String, String)>>,
}

impl QueryString {
    /// Reads what stands between `?` and `#`.
    ///
    /// Django `QueryDict` over `urllib.parse.parse_qsl`: `&` alone separates, empty pieces are dropped but count
    /// towards [`MAX_FIELDS`], a piece without `=` has an empty value, `+` is a space, a `%` that escapes nothing
    /// stays, and what is not UTF-8 becomes U+FFFD.
    pub fn parse(raw: &str) -> Result<Self, ParamError> {
        if raw.bytes().filter(|byte| *byte == b'&').count() >= MAX_FIELDS {
            return Err(ParamError::TooManyFields);
        }
        // WSGI hands the query string over as Latin-1. Django undoes that for the parameters, but not for the URL
        // from which links are made, so that there a raw `é` has become `Ã©`.
        let mangled = (!raw.is_ascii()).then(|| {
            let latin1: String = raw.bytes().map(char::from).collect();
            decode_fields(&latin1)
        });
        Ok(Self { fields: decode_fields(raw), mangled })
    }

    /// The value of a parameter; of repeated ones the last, as `QueryDict.get`.
    pub fn last(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().rev().find(|(key, _)| key == name)?;
        Some(&field.1)
    }

    /// All values of a parameter, as `QueryDict.getlist`.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether a parameter is there, be it empty.
    pub fn contains(&self, name: &str) -> bool {
        self.last(name).is_some()
    }

    /// The query string of a link to a neighbouring page; empty if no field is left, and then ARA writes no `?`.
    ///
    /// REST framework's `replace_query_param` (an override with a value, in place of all repeats) and
    /// `remove_query_param` (`None`): fields sorted by name, repeats in their order, everything quoted anew.
    pub fn link_query(&self, overrides: &[(&str, Option<String>)]) -> String {
        let mut fields: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, value) in self.mangled.as_ref().unwrap_or(&self.fields) {
            fields.entry(name).or_default().push(value);
        }
        for (name, value) in overrides {
            match value {
                Some(value) => fields.insert(name, vec![value]),
                None => fields.remove(name),
            };
        }
        let mut query = String::new();
        for (name, values) in fields {
            for value in values {
                if !query.is_empty() {
                    query.push('&');
                }
                quote_plus(name, &mut query);
                query.push('=');
                quote_plus(value, &mut query);
            }
        }
        query
    }
}

fn decode_fields(raw: &str) -> Vec<(String, String)> {
    raw.split('&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// Both Python's `errors="replace"` and Rust's lossy decoding put one U+FFFD per maximal broken sequence.
fn decode(piece: &str) -> String {
    let spaced: Cow<str> = if piece.contains('+') { piece.replace('+', " ").into() } else { piece.into() };
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

fn quote_plus(text: &str, query: &mut String) {
    for piece in utf8_percent_encode(text, QUOTED) {
        query.extend(piece.chars().map(|c| if c == ' ' { '+' } else { c }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_as_a_query_dict() {
        let check = |raw: &str, expected: &[(&str, &str)]| {
            let fields = QueryString::parse(raw).map(|query| query.fields);
            let expected = expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            assert_eq!(fields, Ok(expected), "{raw:?}");
        };
        check("", &[]);
        check("&&", &[]);
        check("a", &[("a", "")]);
        check("=", &[("", "")]);
        check("=x", &[("", "x")]);
        check("a=1&&a=2&", &[("a", "1"), ("a", "2")]);
        check("a=b=c", &[("a", "b=c")]);
        check("a=1;b=2", &[("a", "1;b=2")]);
        check("a+b=c+d%2B", &[("a b", "c d+")]);
        check("a=%c3%A9", &[("a", "é")]);
        check("a=é", &[("a", "é")]);
        check("a=%zz%4%", &[("a", "%zz%4%")]);
        check("a=%00", &[("a", "\0")]);
        check("a=%C3é%A9", &[("a", "\u{fffd}é\u{fffd}")]);
        check("a=%ED%A0%80%F0%9F%98", &[("a", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}")]);
    }

    #[test]
    fn a_thousand_pieces_are_read_and_one_more_is_refused() {
        assert!(QueryString::parse(&"&".repeat(999)).is_ok());
        assert_eq!(QueryString::parse(&"&".repeat(1000)), Err(ParamError::TooManyFields));
    }

    #[test]
    fn the_last_of_repeats_wins_and_all_are_kept() -> Result<(), ParamError> {
        let query = QueryString::parse("status=ok&b&status=failed")?;
        assert_eq!(query.last("status"), Some("failed"));
        assert_eq!(query.all("status").collect::<Vec<_>>(), ["ok", "failed"]);
        assert!(query.contains("b"));
        assert!(!query.contains("c"));
        assert_eq!(query.last("c"), None);
        Ok(())
    }

    #[test]
    fn links_carry_every_field_sorted_and_quoted_anew() -> Result<(), ParamError> {
        let check = |raw: &str, overrides: &[(&str, Option<String>)], expected: &str| {
            let query = QueryString::parse(raw)?;
            assert_eq!(query.link_query(overrides), expected, "{raw:?}");
            Ok(())
        };
        let next = [("limit", Some("2".to_owned())), ("offset", Some("5".to_owned()))];
        check("status=ok&foo=a+b&offset=3&foo=c&limit=2&limit=9", &next, "foo=a+b&foo=c&limit=2&offset=5&status=ok")?;
        check("b&a=", &next, "a=&b=&limit=2&offset=5")?;
        check("=x&&", &next, "=x&limit=2&offset=5")?;
        check("", &next, "limit=2&offset=5")?;
        check("offset=3", &[("offset", None)], "")?;
        check("t=10:00/*~_.-", &[], "t=10%3A00%2F%2A~_.-")?;
        check("B=1&a=2&A=3", &[], "A=3&B=1&a=2")?;
        check("a=%ff", &[], "a=%EF%BF%BD")?;
        check("a=%C3%A9", &[], "a=%C3%A9")?;
        check("a=é", &[], "a=%C3%83%C2%A9")
    }
}

//! Stored JSON into the bytes that ARA answers for it, in one pass and without a tree.
//!
//! This file has the grammar of arrays and objects. Single tokens are left to `reader`, duplicate keys to `members`, the
//! spelling of values to `string` and `number`.

use super::{members::Members, number::MAX_INTEGER_DIGITS, reader::Reader};

/// How deep arrays and objects may nest. Python gives up earlier, at a depth that depends on its version: 3.10 and 3.11
/// near 1000, 3.12 near 1500, 3.13 at 9999. Depth costs memory here, a few words a level, and no stack.
pub const MAX_DEPTH: usize = 10_000;

/// Why stored text cannot be served; offsets are in bytes from its start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NormaliseError {
    /// Neither a value of JSON nor one of the words that Python adds to it.
    #[error("expected a value at byte {0}")]
    Value(usize),
    /// An array or object that does not go on as it has to.
    #[error("expected {0} at byte {1}")]
    Expected(&'static str, usize),
    /// The text ends within a string.
    #[error("unfinished string that starts at byte {0}")]
    UnfinishedString(usize),
    /// Python reads strictly: below U+0020 everything has to be escaped.
    #[error("control character in a string at byte {0}")]
    ControlCharacter(usize),
    /// A backslash that no escape follows.
    #[error("invalid escape at byte {0}")]
    Escape(usize),
    /// Python limits the length of integers to keep their conversion from taking for ever.
    #[error("integer of more than {MAX_INTEGER_DIGITS} digits at byte {0}")]
    IntegerTooLong(usize),
    /// `NaN`, an infinity or a float that overflows, which the renderer refuses to write.
    #[error("number that is not finite at byte {0}")]
    NotFinite(usize),
    /// Nesting beyond [`MAX_DEPTH`].
    #[error("more than {MAX_DEPTH} levels of nesting at byte {0}")]
    TooDeep(usize),
    /// A document is followed by something other than white space.
    #[error("text behind the document at byte {0}")]
    Trailing(usize),
}

/// Appends what Python gives for
/// `json.dumps(json.loads(stored), ensure_ascii=True, allow_nan=False, separators=(",", ":"))`, byte for byte.
///
/// That is what ARA does with its JSON columns: `json.loads` in `CompressedObjectField.to_representation`, then Django REST
/// framework's `JSONRenderer` with its default settings. Where Python raises, this is an error and `out` is as it was.
pub fn normalise(stored: &str, out: &mut Vec<u8>) -> Result<(), NormaliseError> {
    let start = out.len();
    out.reserve(stored.len());
    let copied = copy(stored, out).and_then(|copy| copy.finish(out, start));
    if copied.is_err() {
        out.truncate(start);
    }
    copied
}

/// What is left to settle when the whole document has been read.
struct Copied<'a> {
    members: Members<'a>,
    /// Numbers that are not finite: where the copy has them, and where the stored text. Python minds them only when it
    /// writes, by which time a duplicate key may have dropped them.
    not_finite: Vec<(usize, usize)>,
}

impl Copied<'_> {
    fn finish(self, out: &mut Vec<u8>, start: usize) -> Result<(), NormaliseError> {
        let pieces = self.members.pieces(out.len() - start);
        let whole = 0..out.len() - start;
        for piece in pieces.as_deref().unwrap_or(&[whole]) {
            let next = self.not_finite.partition_point(|(place, _)| *place < piece.start);
            if let Some(&(_, at)) = self.not_finite.get(next).filter(|(place, _)| *place < piece.end) {
                return Err(NormaliseError::NotFinite(at));
            }
        }
        if let Some(pieces) = pieces {
            let copy = out.split_off(start);
            for piece in pieces {
                out.extend_from_slice(&copy[piece]);
            }
        }
        Ok(())
    }
}

/// An array or object that has not ended.
enum Open {
    Array,
    /// With the number of members that were open when it began.
    Object(usize),
}

fn copy<'a>(text: &'a str, out: &mut Vec<u8>) -> Result<Copied<'a>, NormaliseError> {
    let mut reader = Reader::new(text, out);
    let mut copied = Copied { members: Members::new(), not_finite: Vec::new() };
    let mut open = Vec::new();
    'value: loop {
        match reader.next() {
            Some(b'"') => {
                reader.string()?;
            }
            Some(bracket @ (b'{' | b'[')) => {
                if open.len() == MAX_DEPTH {
                    return Err(NormaliseError::TooDeep(reader.at()));
                }
                reader.pass();
                let next = reader.next();
                if bracket == b'{' && next != Some(b'}') {
                    open.push(Open::Object(copied.members.count()));
                    reader.key(&mut copied.members)?;
                    continue 'value;
                }
                if bracket == b'[' && next != Some(b']') {
                    open.push(Open::Array);
                    continue 'value;
                }
                reader.pass();
            }
            Some(b'0'..=b'9' | b'-') => {
                if let Some(place) = reader.number()? {
                    copied.not_finite.push(place);
                }
            }
            _ => {
                if let Some(place) = reader.word()? {
                    copied.not_finite.push(place);
                }
            }
        }
        loop {
            let next = reader.next();
            match (open.last(), next) {
                (None, None) => {
                    reader.flush();
                    return Ok(copied);
                }
                (None, Some(_)) => return Err(NormaliseError::Trailing(reader.at())),
                (Some(Open::Array), Some(b',')) => {
                    reader.pass();
                    continue 'value;
                }
                (Some(Open::Object(_)), Some(b',')) => {
                    reader.pass();
                    reader.next();
                    reader.key(&mut copied.members)?;
                    continue 'value;
                }
                (Some(Open::Array), Some(b']')) => {}
                (Some(Open::Object(first)), Some(b'}')) => copied.members.close(*first, reader.place()),
                (Some(Open::Array), _) => {
                    return Err(NormaliseError::Expected("a comma or ]", reader.at()));
                }
                (Some(Open::Object(_)), _) => {
                    return Err(NormaliseError::Expected("a comma or }", reader.at()));
                }
            }
            reader.pass();
            open.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stored: &str, expected: &str) {
        let mut out = b"before".to_vec();
        assert_eq!(normalise(stored, &mut out), Ok(()), "{stored}");
        assert_eq!(String::from_utf8_lossy(&out), format!("before{expected}"), "{stored}");
    }

    fn refuses(stored: &str, expected: NormaliseError) {
        let mut out = b"before".to_vec();
        assert_eq!(normalise(stored, &mut out), Err(expected), "{stored}");
        assert_eq!(out, b"before", "{stored}");
    }

    #[test]
    fn white_space_between_tokens_is_dropped() {
        check(" { \"a\" : [ 1 ,\t2 ] ,\r\n\"b\": {} }\n", r#"{"a":[1,2],"b":{}}"#);
        check("[ ]", "[]");
        check(r#""  kept  ""#, r#""  kept  ""#);
    }

    #[test]
    fn every_kind_of_value_may_be_the_document() {
        check("null", "null");
        check(" true ", "true");
        check("false", "false");
        check("-0", "0");
        check("12345678901234567890123", "12345678901234567890123");
        check("1E22", "1e+22");
        check(r#""""#, r#""""#);
    }

    #[test]
    fn escapes_get_the_one_spelling_that_python_has_for_them() {
        check(r#""\/\u002f\u0041\u000a\u0022\u005c""#, r#""//A\n\"\\""#);
        check(r#""\u00E9é\u007F""#, "\"\\u00e9\\u00e9\\u007f\"");
        check("\"\u{7f}\u{2028}😀\"", r#""\u007f\u2028\ud83d\ude00""#);
        check(r#""\uD83D\uDE00 \ud800 \udc00x""#, r#""\ud83d\ude00 \ud800 \udc00x""#);
    }

    #[test]
    fn duplicate_keys_are_compared_after_their_escapes() {
        check(r#"{"a": 1, "b": 2, "\u0061": 3}"#, r#"{"a":3,"b":2}"#);
        check(r#"{"é": [1], "\u00e9": {"x": 1, "x": 2}}"#, r#"{"\u00e9":{"x":2}}"#);
        check(r#"[{"a": {"b": 1, "b": 2}, "a": {"b": 3, "c": 4, "b": 5}}, 0]"#, r#"[{"a":{"b":5,"c":4}},0]"#);
    }

    #[test]
    fn a_number_that_is_not_finite_is_refused_unless_a_duplicate_key_drops_it() {
        check(r#"{"a": NaN, "a": 1}"#, r#"{"a":1}"#);
        check(r#"{"a": [1e400, -Infinity], "a": 1}"#, r#"{"a":1}"#);
        refuses(r#"{"a": 1, "a": NaN}"#, NormaliseError::NotFinite(14));
        refuses("[Infinity]", NormaliseError::NotFinite(1));
        refuses(" -Infinity", NormaliseError::NotFinite(1));
        refuses("-1e999", NormaliseError::NotFinite(0));
    }

    #[test]
    fn what_python_does_not_read_is_refused_with_its_place() {
        refuses("", NormaliseError::Value(0));
        refuses("\u{feff}1", NormaliseError::Value(0));
        refuses("[1,]", NormaliseError::Value(3));
        refuses("nul", NormaliseError::Value(0));
        refuses("01", NormaliseError::Trailing(1));
        refuses("{} {}", NormaliseError::Trailing(3));
        refuses("1\u{b}", NormaliseError::Trailing(1));
        refuses("[1", NormaliseError::Expected("a comma or ]", 2));
        refuses(r#"{"a":1]"#, NormaliseError::Expected("a comma or }", 6));
        refuses(r#"{"a" 1}"#, NormaliseError::Expected("a colon", 5));
        refuses(r#"{"a":1,}"#, NormaliseError::Expected("a key in double quotes", 7));
        refuses(r#""abc"#, NormaliseError::UnfinishedString(0));
        refuses("\"a\nb\"", NormaliseError::ControlCharacter(2));
        refuses(r#""\x""#, NormaliseError::Escape(1));
        refuses(r#""\u12""#, NormaliseError::Escape(1));
        refuses(r#""\u+123""#, NormaliseError::Escape(1));
        refuses(&"1".repeat(4301), NormaliseError::IntegerTooLong(0));
    }

    #[test]
    fn nesting_ends_at_the_limit_and_not_before() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        check(&nested(MAX_DEPTH), &nested(MAX_DEPTH));
        refuses(&nested(MAX_DEPTH + 1), NormaliseError::TooDeep(MAX_DEPTH));
    }

    #[test]
    fn duplicate_keys_at_every_level_cost_one_pass() {
        let levels = MAX_DEPTH - 1;
        let long = format!("\"{}\"", "x".repeat(4_000_000));
        let stored = format!("{}{long}{}", r#"{"a":0,"a":"#.repeat(levels), "}".repeat(levels));
        check(&stored, &format!("{}{long}{}", r#"{"a":"#.repeat(levels), "}".repeat(levels)));
    }
}

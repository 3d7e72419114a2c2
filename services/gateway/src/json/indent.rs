//! The layout of `Accept: application/json; indent=4`, made from the compact form.
//!
//! Which width a request asks for, and that 0 means compact, is left to the caller.

use super::string;

/// A layout may have this many bytes beside so many times those of the text: some thousand levels need no more.
const MAX_GROWTH_BYTES: usize = 16 << 20;
const MAX_GROWTH: usize = 16;

/// Appends `compact` laid out as Python's `json.dumps(indent=width, separators=(",", ": "))`: every member and element on a
/// line of its own, empty objects and arrays closed at once. The input must be compact JSON.
pub fn indent(compact: &[u8], width: usize, out: &mut Vec<u8>) {
    indent_within(compact, width, usize::MAX, out);
}

/// The layout as bytes of its own; `None` where deep nesting would make it many times as long as the text.
pub(crate) fn readable(compact: &[u8], width: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let most = MAX_GROWTH_BYTES.saturating_add(compact.len().saturating_mul(MAX_GROWTH));
    indent_within(compact, width, most, &mut out).then_some(out)
}

/// Says whether the layout came to no more than about `most` bytes; otherwise it is not finished.
fn indent_within(compact: &[u8], width: usize, most: usize, out: &mut Vec<u8>) -> bool {
    out.reserve(compact.len() + compact.len() / 2);
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(&byte) = compact.get(at) {
        if out.len() > most {
            return false;
        }
        let next = compact.get(at + 1);
        match byte {
            b'"' => {
                let end = string_end(compact, at);
                out.extend_from_slice(&compact[at..end]);
                at = end;
                continue;
            }
            b'{' | b'[' if matches!(next, Some(b'}' | b']')) => {
                out.extend_from_slice(&compact[at..at + 2]);
                at += 2;
                continue;
            }
            b'{' | b'[' => {
                out.push(byte);
                depth += 1;
                push_line(out, depth * width);
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                push_line(out, depth * width);
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                push_line(out, depth * width);
            }
            b':' => out.extend_from_slice(b": "),
            _ => out.push(byte),
        }
        at += 1;
    }
    true
}

fn push_line(out: &mut Vec<u8>, spaces: usize) {
    out.push(b'\n');
    out.resize(out.len() + spaces, b' ');
}

/// One past the closing quote of the string that opens at `start`, or the end of the text.
fn string_end(compact: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    loop {
        at += string::plain_len(compact.get(at..).unwrap_or_default());
        match compact.get(at) {
            None => return compact.len(),
            Some(b'"') => return at + 1,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(compact: &str, expected: &str) {
        let mut out = Vec::new();
        indent(compact.as_bytes(), 2, &mut out);
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }

    #[test]
    fn members_and_elements_stand_on_lines_of_their_own() {
        check(r#"{"a":1,"b":[1,{"c":null}]}"#, "{\n  \"a\": 1,\n  \"b\": [\n    1,\n    {\n      \"c\": null\n    }\n  ]\n}");
    }

    #[test]
    fn empty_objects_and_arrays_stay_closed() {
        check("{}", "{}");
        check("[[],{}]", "[\n  [],\n  {}\n]");
    }

    #[test]
    fn scalars_have_no_lines() {
        check("12", "12");
        check(r#""a b""#, r#""a b""#);
    }

    #[test]
    fn what_stands_in_strings_is_not_layout() {
        check(r#"["{,:\"]\\","\\\""]"#, "[\n  \"{,:\\\"]\\\\\",\n  \"\\\\\\\"\"\n]");
    }

    #[test]
    fn text_that_is_not_json_ends_without_harm() {
        check(r#"}"abc\"#, "\n}\"abc\\");
    }
}

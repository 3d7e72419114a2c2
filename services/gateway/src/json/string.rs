//! JSON strings in ASCII, as Python's `json.dumps(..., ensure_ascii=True)` writes them.
//!
//! Reading the escapes of stored JSON is left to `normalise`, which shares the spelling of single characters with this file.

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends `text` as a JSON string with its quotes.
///
/// The rule is `ascii_escape_unichar` of CPython's `Modules/_json.c`: space to `~` stay, except `"` and `\`; five control
/// characters have short forms; everything else is `\uXXXX` in lower case, as a surrogate pair above U+FFFF.
pub fn push_str(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text;
    loop {
        let (plain, other) = rest.split_at(plain_len(rest.as_bytes()));
        out.extend_from_slice(plain.as_bytes());
        let mut chars = other.chars();
        let Some(first) = chars.next() else { break };
        push_char(out, first);
        rest = chars.as_str();
    }
    out.push(b'"');
}

/// How many bytes at the start of `bytes` stand for themselves in a JSON string, here and in Python.
#[inline]
pub(super) fn plain_len(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let found = unusual(u64::from_le_bytes(*word));
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let tail = bytes.get(at..).unwrap_or_default();
    at + tail.iter().position(|&byte| !is_plain(byte)).unwrap_or(tail.len())
}

/// Marks with its high bit the first byte of `word` that is not plain. Bytes after it may be marked wrongly, because a
/// borrow or carry runs upwards only.
#[inline]
const fn unusual(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let quote = (word ^ (ONES * b'"' as u64)).wrapping_sub(ONES);
    let backslash = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    let control = word.wrapping_sub(ONES * 0x20);
    // Adding one lifts DEL into the range of bytes that are not ASCII.
    let beyond = word | word.wrapping_add(ONES);
    (quote | backslash | control | beyond) & HIGH
}

const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

/// Appends one character as it stands inside a JSON string.
#[inline]
pub(super) fn push_char(out: &mut Vec<u8>, character: char) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        push_unit(out, *unit);
    }
}

/// Appends one UTF-16 unit as it stands inside a JSON string; lone surrogates are written like any other.
pub(super) fn push_unit(out: &mut Vec<u8>, unit: u16) {
    match u8::try_from(unit) {
        Ok(byte) if is_plain(byte) => out.push(byte),
        Ok(byte) if short_form(byte).is_some() => out.extend([b'\\', short_form(byte).unwrap_or(byte)]),
        _ => {
            let digit = |shift: u32| HEX[usize::from(unit >> shift & 0xf)];
            out.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
        }
    }
}

/// The letter that follows the backslash, for the characters that Python writes with two bytes.
pub(super) const fn short_form(byte: u8) -> Option<u8> {
    match byte {
        b'"' | b'\\' => Some(byte),
        b'\n' => Some(b'n'),
        b'\r' => Some(b'r'),
        b'\t' => Some(b't'),
        0x08 => Some(b'b'),
        0x0c => Some(b'f'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let mut out = b"before".to_vec();
        push_str(&mut out, text);
        assert_eq!(String::from_utf8_lossy(&out), format!("before{expected}"), "{text:?}");
    }

    #[test]
    fn printable_ascii_stays_as_it_is() {
        check("", r#""""#);
        check("Gathering Facts </script> & 'more' ~", r#""Gathering Facts </script> & 'more' ~""#);
    }

    #[test]
    fn quotes_backslashes_and_five_control_characters_have_short_forms() {
        check("\"\\/", r#""\"\\/""#);
        check("\u{8}\u{c}\n\r\t", r#""\b\f\n\r\t""#);
    }

    #[test]
    fn other_control_characters_and_delete_are_written_in_hex() {
        check("\0\u{1}\u{b}\u{1f}\u{7f}", r#""\u0000\u0001\u000b\u001f\u007f""#);
    }

    #[test]
    fn text_beyond_ascii_is_lower_case_hex_with_pairs_above_the_basic_plane() {
        check("é\u{80}\u{2028}\u{fffd}", r#""\u00e9\u0080\u2028\ufffd""#);
        check("a😀b", r#""a\ud83d\ude00b""#);
    }

    #[test]
    fn a_plain_run_ends_at_the_first_unusual_byte_wherever_it_stands() {
        for unusual in (0..=u8::MAX).filter(|&byte| !is_plain(byte)) {
            for length in 0..40 {
                let mut bytes = vec![b'x'; 40];
                bytes[length] = unusual;
                assert_eq!(plain_len(&bytes), length, "byte {unusual:#x}");
                bytes.truncate(length);
                assert_eq!(plain_len(&bytes), length);
            }
        }
    }

    #[test]
    fn every_plain_byte_is_part_of_a_run() {
        let bytes: Vec<u8> = (0..=u8::MAX).filter(|&byte| is_plain(byte)).collect();
        assert_eq!(plain_len(&bytes), bytes.len());
    }
}

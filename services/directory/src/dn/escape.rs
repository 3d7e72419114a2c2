//! How the value of a name is written so that nothing in it is taken for a separator. Reading it back is for `read`.

/// The value with every character that means something written as `\XX`.
pub(super) fn escaped(value: &str) -> String {
    let last = value.chars().count().saturating_sub(1);
    let mut text = String::with_capacity(value.len());
    for (index, c) in value.chars().enumerate() {
        let escape = match c {
            ',' | '=' | '+' | '"' | '\\' | '<' | '>' | ';' | '\0' => true,
            '#' => index == 0,
            ' ' => index == 0 || index == last,
            _ => false,
        };
        if escape {
            text.push_str(&format!("\\{:02X}", u32::from(c)));
        } else {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_is_written_in_hexadecimal() {
        for (value, expected) in [
            ("dc=example,dc=com", "dc\\3Dexample\\2Cdc\\3Dcom"),
            ("a+b;c", "a\\2Bb\\3Bc"),
            ("<\"\\\">", "\\3C\\22\\5C\\22\\3E"),
            ("#1 #2", "\\231 #2"),
            ("  a  ", "\\20 a \\20"),
            (" ", "\\20"),
            ("", ""),
            ("a\0b", "a\\00b"),
            ("Zoë", "Zoë"),
        ] {
            assert_eq!(escaped(value), expected, "{value:?}");
        }
    }
}

//! What a user is told about broken syntax: the parser's findings in the words of somebody who writes YAML.

use saphyr_parser::ScanError;

use super::Problem;

/// The problem that the parser found.
pub(super) fn problem(error: &ScanError) -> Problem {
    let found = error.info();
    let (_, detail) = found.split_once(", ").filter(|(context, _)| context.starts_with("while ")).unwrap_or(("", found));
    let text = match detail {
        "recursion limit exceeded" => return Problem::TooDeep,
        "found unknown anchor" => "the alias names no anchor that stands before it",
        "found unexpected end of stream" => "a quotation has no end; close it, or quote a text that holds a quotation mark",
        "found unexpected document indicator" => "a quotation has no end before this document marker; close it",
        "found unknown escape character" => {
            "this escape means nothing in double quotes; write '\\\\' for a backslash, or put the text in single quotes"
        }
        "did not find expected hexadecimal number" => "hexadecimal digits must follow the escape in double quotes",
        "mapping values are not allowed in this context" | "illegal placement of ':' indicator" => {
            "':' cannot stand here; check the indentation, or quote a text that holds ': '"
        }
        "simple key expected" | "simple key expect ':'" => {
            "a key and ':' must stand here; check the indentation and the line above"
        }
        "did not find expected key" => "a key must stand here, below the other keys of its dictionary; check the indentation",
        "did not find expected '-' indicator" => "'-' must stand here, below the others of its list; check the indentation",
        "did not find expected ',' or '}'" => "',' or '}' must stand here",
        "expected ',' or ']'" => "',' or ']' must stand here",
        "did not find expected node content" => "a value must stand here; quote it if it is a text",
        "did not find expected <document start>" => "this stands behind the end of the value; check the indentation",
        "invalid indentation in quoted scalar" => {
            "the quotation that begins here goes on in a line without indentation; close it, or indent that line"
        }
        "invalid indentation" | "invalid indentation in flow construct" => {
            "the indentation is wrong; it must be deeper than that of what holds it"
        }
        "wrongly indented line in block scalar" => "this line must be indented as far as the first line of its block",
        "invalid trailing content after double-quoted scalar" => "nothing may follow the end of a quotation but ':' or a comment",
        "block sequence entries are not allowed in this context" => {
            "a list cannot begin here; put its first '-' on a line of its own, or quote the text"
        }
        "':' must be followed by a valid YAML whitespace" => "a space must follow this ':'",
        "'-' must be followed by a valid YAML whitespace" => "a space must follow this '-'",
        "did not find expected alphabetic or numeric character" => {
            "a name must follow '&' or '*'; quote a text that begins with one of them"
        }
        "did not find expected comment or line break" => "after '|' or '>' and their indicators a new line must begin",
        "the handle wasn't declared" => "the tag is not known; remove it, or quote the value if it begins with '!'",
        "misplaced bracket" => "this bracket closes nothing; quote it if it is a text",
        detail if detail.contains("tab") && !detail.contains("table") => {
            "a tab cannot stand here; indent with spaces, or quote a text that holds a tab"
        }
        detail if detail.starts_with("unexpected character") => "this character cannot begin a value; quote the value",
        detail => return Problem::Syntax(format!("the syntax is broken: {detail}")),
    };
    Problem::Syntax(text.to_owned())
}

//! `order`: django-filter's `OrderingFilter`.
//!
//! Which fields an endpoint can be ordered by, and their columns, is the caller's knowledge.

use super::ParamError;

/// The fields to order by, and whether each descends; `None` keeps the endpoint's own order.
///
/// Pieces between commas are not trimmed, and empty ones are dropped. A value of nothing but commas is therefore an
/// empty list, which takes the endpoint's own order away (`order_by()` without arguments).
pub fn parse<'f>(value: Option<&str>, fields: &[&'f str]) -> Result<Option<Vec<(&'f str, bool)>>, ParamError> {
    let Some(list) = value.filter(|list| !list.is_empty()) else {
        return Ok(None);
    };
    let pieces = list.split(',').filter(|piece| !piece.is_empty());
    let keys = pieces.map(|piece| {
        let name = piece.strip_prefix('-').unwrap_or(piece);
        let field = fields.iter().copied().find(|field| *field == name);
        let field = field.ok_or_else(|| ParamError::invalid_choice(piece))?;
        Ok((field, piece.starts_with('-')))
    });
    keys.collect::<Result<_, _>>().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [&str; 2] = ["id", "created"];

    #[test]
    fn a_list_of_fields_gives_the_order() {
        let check = |value: Option<&str>, expected: Option<&[(&str, bool)]>| {
            let order = parse(value, &FIELDS);
            assert_eq!(order, Ok(expected.map(<[_]>::to_vec)), "{value:?}");
        };
        check(None, None);
        check(Some(""), None);
        check(Some("id"), Some(&[("id", false)]));
        check(Some("-created,id"), Some(&[("created", true), ("id", false)]));
        check(Some(",id,,"), Some(&[("id", false)]));
        check(Some("id,-id"), Some(&[("id", false), ("id", true)]));
        check(Some(","), Some(&[]));
    }

    #[test]
    fn the_first_unknown_piece_is_named() {
        let check = |value: &str, named: &str| {
            let text = format!("Select a valid choice. {named} is not one of the available choices.");
            assert_eq!(parse(Some(value), &FIELDS), Err(ParamError::Invalid(text)));
        };
        check("bogus", "bogus");
        check("id, created,x", " created");
        check("--id", "--id");
        check("-", "-");
        check("ID", "ID");
    }
}

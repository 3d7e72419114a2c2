//! Values as the server stores them. It lets in much that a user may not write, so nothing is refused here that can be shown.

use std::collections::BTreeSet;

use crate::{
    codec::{Codec, is_on, word},
    setting::Setting,
};

impl Codec {
    /// Reads an attribute's values; `None` if there is none, or if this kind of value cannot be seen in them. Secrets are
    /// never read.
    pub fn load(self, values: &[&str]) -> Option<Setting> {
        let first = values.first().copied();
        match self {
            Self::Password => None,
            Self::Number(..) => first?.trim().parse().ok().map(Setting::Number),
            Self::Switch | Self::Truth => is_on(first?).map(Setting::Switch),
            Self::Choice(words) => first.map(|text| Setting::Text(word(words, text).unwrap_or(text).to_owned())),
            Self::Choices(words) => {
                let names: BTreeSet<&str> = values.iter().map(|text| word(words, text).unwrap_or(text)).collect();
                first.map(|_| list(names.into_iter()))
            }
            Self::Words => Some(list(first?.split(' '))),
            Self::Fraction => {
                let text = first?.trim();
                let names = text.rsplit_once('$').map_or(text, |(_, names)| names).trim();
                let excluded =
                    names.get(..7).filter(|word| word.eq_ignore_ascii_case("EXCLUDE")).map_or(names, |word| &names[word.len()..]);
                Some(list(excluded.split([' ', ','])))
            }
            // No value and one that is empty are the same. Servers give values in any order.
            _ if self.is_list() => {
                let sorted = || values.iter().copied().collect::<BTreeSet<_>>();
                first.filter(|text| values.len() > 1 || !text.is_empty()).map(|_| list(sorted().into_iter()))
            }
            _ => first.filter(|text| !text.is_empty()).map(|text| Setting::Text(text.to_owned())),
        }
    }
}

fn list<'a>(items: impl Iterator<Item = &'a str>) -> Setting {
    Setting::List(items.filter(|item| !item.is_empty()).map(str::to_owned).collect())
}

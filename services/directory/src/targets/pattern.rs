//! The text of a target, and the names it matches.

use std::{borrow::Cow, str::Chars};

/// The target of an agreement: one or more components of `host.instance.backend` that follow each other. Every dot ends a
/// component, also one within a name. `*` is a component or a part of one. Nothing else has a meaning of its own.
#[derive(Debug, Clone)]
pub struct Pattern(Vec<Vec<Sign>>);

/// What a component is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// This character.
    Is(char),
    /// Any one.
    Any,
    /// Any more.
    More,
}

impl Pattern {
    /// Reads a target. Case does not matter.
    pub fn new(target: &str) -> Self {
        Self(target.trim().to_lowercase().split('.').map(signs).collect())
    }

    /// Whether it matches whole components, wherever they stand.
    pub fn matches(&self, full_name: &str) -> bool {
        let has_capitals = full_name.chars().any(char::is_uppercase);
        let name = if has_capitals { Cow::from(full_name.to_lowercase()) } else { Cow::from(full_name) };
        let mut from = Some(name.as_ref());
        while let Some(rest) = from {
            let mut components = rest.split('.');
            if self.0.iter().all(|signs| components.next().is_some_and(|component| is_like(signs, component))) {
                return true;
            }
            from = rest.split_once('.').map(|(_, rest)| rest);
        }
        false
    }
}

/// A `*` is at least one character.
fn signs(component: &str) -> Vec<Sign> {
    let mut signs = Vec::with_capacity(component.len());
    for c in component.chars() {
        match c {
            '*' => signs.extend([Sign::Any, Sign::More]),
            c => signs.push(Sign::Is(c)),
        }
    }
    signs
}

/// Whether a component is as these signs say. No component is empty, so that a dot too many matches nothing.
fn is_like(signs: &[Sign], component: &str) -> bool {
    let (mut next, mut rest) = (0, component.chars());
    // Behind the last `More`, which takes one character more whenever what follows does not match.
    let mut again: Option<(usize, Chars<'_>)> = None;
    loop {
        let mut one_on = rest.clone();
        let fits = match (signs.get(next), one_on.next()) {
            (None, None) => return !component.is_empty(),
            (Some(Sign::More), _) => {
                next += 1;
                again = Some((next, rest.clone()));
                continue;
            }
            (Some(Sign::Any), Some(_)) => true,
            (Some(Sign::Is(sign)), Some(c)) => *sign == c,
            _ => false,
        };
        if fits {
            (next, rest) = (next + 1, one_on);
            continue;
        }
        let Some((behind, from)) = &mut again else { return false };
        if from.next().is_none() {
            return false;
        }
        (next, rest) = (*behind, from.clone());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same by all ways to take the signs.
    fn is_like_slowly(signs: &[char], name: &[char]) -> bool {
        match (signs, name) {
            ([], []) => true,
            (['*', signs @ ..], [_, name @ ..]) => is_like_slowly(signs, name) || is_like_slowly(&[&['*'], signs].concat(), name),
            ([sign, signs @ ..], [c, name @ ..]) => sign == c && is_like_slowly(signs, name),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn stars_match_whatever_some_way_of_taking_them_matches(pattern in "[ab*]{1,6}", name in "[ab]{1,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(Pattern::new(&pattern).matches(&name), is_like_slowly(&chars(&pattern), &chars(&name)));
        }
    }

    #[test]
    fn whole_components_that_follow_each_other_match() {
        let short = "vm2.localhost.userroot";
        let dotted = "vm2.example.com.slapd.a.user.root";
        for (target, name, expected) in [
            ("vm2", short, true),
            ("userroot", short, true),
            ("localhost.userroot", short, true),
            ("vm2.localhost", short, true),
            ("vm2.localhost.userroot", short, true),
            ("*.userroot", short, true),
            ("v*", short, true),
            ("v*2", short, true),
            ("*", short, true),
            ("*.*.*", short, true),
            ("VM2", short, true),
            ("vm2.*.USERroot", short, true),
            ("user", short, false),
            ("root", short, false),
            ("vm2.userroot", short, false),
            ("", short, false),
            (".", short, false),
            ("vm2.", short, false),
            ("*.*.*.*", short, false),
            ("vm2*", short, false),
            ("v*userroot", short, false),
            ("vm1|vm2", short, false),
            ("vm[12]", short, false),
            ("vm.", short, false),
            ("^vm2$", short, false),
            ("vm?", short, false),
            ("vm2.example.com", dotted, true),
            ("vm2.example.com.slapd.a", dotted, true),
            ("slapd.a.user.root", dotted, true),
            ("*.slapd.a.user.root", dotted, true),
            ("*.example.com", dotted, true),
            ("example.com", dotted, true),
            ("vm2", dotted, true),
            ("com.slapd", dotted, true),
            ("vm2.*.com", dotted, true),
            ("vm2.*.slapd", dotted, false),
            ("vm2*", dotted, false),
            ("vm*", dotted, true),
            ("vm2*com", dotted, false),
            ("vm2.com", dotted, false),
            ("xample.com", dotted, false),
            ("vm2..example", dotted, false),
        ] {
            assert_eq!(Pattern::new(target).matches(name), expected, "{target} {name}");
        }
    }

    #[test]
    fn many_stars_take_no_longer_than_one() {
        let name = "a".repeat(2000);
        assert!(!Pattern::new(&format!("{}b", "*".repeat(200))).matches(&format!("{name}.{name}.{name}")));
    }
}

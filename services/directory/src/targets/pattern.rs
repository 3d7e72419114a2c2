//! The text of a target, and the names it matches.

/// The target of an agreement: one or more components of `host.instance.backend` that follow each other. `*` is a component
/// or a part of one. Nothing else has a meaning of its own.
#[derive(Debug, Clone)]
pub(super) struct Pattern(Vec<char>);

/// What stands between components in the text that a pattern is held against. Components may have dots themselves, and no
/// name has this character.
const BOUNDARY: char = '\0';

impl Pattern {
    /// Reads a target. Case does not matter.
    pub(super) fn new(target: &str) -> Self {
        Self(target.trim().to_lowercase().chars().collect())
    }

    /// Whether it matches whole components, wherever they stand.
    pub(super) fn matches(&self, components: [&str; 3]) -> bool {
        let components = components.map(str::to_lowercase);
        (0..components.len()).any(|from| {
            (from + 1..=components.len()).any(|to| self.matches_all(&components[from..to].join(&*BOUNDARY.to_string())))
        })
    }

    fn matches_all(&self, text: &str) -> bool {
        // Which beginnings of the pattern match all characters so far. A `*` that has matched one may match more.
        let mut reached = vec![false; self.0.len() + 1];
        reached[0] = true;
        for c in text.chars() {
            let mut next = vec![false; reached.len()];
            for (index, sign) in self.0.iter().enumerate() {
                next[index + 1] = match sign {
                    '*' => c != BOUNDARY && (reached[index] || reached[index + 1]),
                    '.' => matches!(c, '.' | BOUNDARY) && reached[index],
                    sign => *sign == c && reached[index],
                };
            }
            reached = next;
        }
        reached.last() == Some(&true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_components_that_follow_each_other_match() {
        let short = ["vm2", "localhost", "userroot"];
        let dotted = ["vm2.example.com", "slapd.a", "user.root"];
        for (target, components, expected) in [
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
            ("example.com", dotted, false),
            ("vm2", dotted, false),
            ("com.slapd", dotted, false),
        ] {
            assert_eq!(Pattern::new(target).matches(components), expected, "{target} {components:?}");
        }
    }

    #[test]
    fn many_stars_take_no_longer_than_one() {
        let name = "a".repeat(2000);
        assert!(!Pattern::new(&format!("{}b", "*".repeat(200))).matches([&name, &name, &name]));
    }
}

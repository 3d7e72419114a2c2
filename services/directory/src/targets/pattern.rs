//! The text of a target, and the names it matches.

/// The target of an agreement: one or more components of `host.instance.backend` that follow each other. Every dot ends a
/// component, also one within a name. `*` is a component or a part of one. Nothing else has a meaning of its own.
#[derive(Debug, Clone)]
pub struct Pattern(Vec<Vec<char>>);

impl Pattern {
    /// Reads a target. Case does not matter.
    pub fn new(target: &str) -> Self {
        Self(target.trim().to_lowercase().split('.').map(|component| component.chars().collect()).collect())
    }

    /// Whether it matches whole components, wherever they stand.
    pub fn matches(&self, full_name: &str) -> bool {
        let name = full_name.to_lowercase();
        let components: Vec<&str> = name.split('.').collect();
        let follow = |names: &[&str]| self.0.iter().zip(names).all(|(signs, name)| is_like(signs, name));
        components.windows(self.0.len()).any(follow)
    }
}

/// Whether a component is as these signs say.
fn is_like(signs: &[char], component: &str) -> bool {
    // Which beginnings of the signs match all characters so far. A `*` that has matched one may match more.
    let mut reached = vec![false; signs.len() + 1];
    reached[0] = true;
    for c in component.chars() {
        let mut next = vec![false; reached.len()];
        for (index, sign) in signs.iter().enumerate() {
            next[index + 1] = match sign {
                '*' => reached[index] || reached[index + 1],
                sign => *sign == c && reached[index],
            };
        }
        reached = next;
    }
    // No component is empty, so that a dot too many matches nothing.
    !component.is_empty() && reached.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    use super::*;

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

//! Which replica answers for which report: the one whose name and the report's location have the highest hash together. So
//! every gateway sends a report's questions to the same replica, and when one comes or goes only its share moves. Pure.

use std::cmp::Reverse;

use xxhash_rust::xxh3::xxh3_64;

/// The replicas' places, best first. It depends on their names alone, not on where they stand in the slice.
pub(crate) fn order(names: &[&str], key: &str) -> Vec<usize> {
    let mut bytes = Vec::with_capacity(128);
    let mut ranked: Vec<(Reverse<u64>, &str, usize)> = Vec::with_capacity(names.len());
    for (place, name) in names.iter().enumerate() {
        bytes.clear();
        bytes.extend_from_slice(name.as_bytes());
        // Names have no such byte, so no two pairs read the same.
        bytes.push(0);
        bytes.extend_from_slice(key.as_bytes());
        ranked.push((Reverse(xxh3_64(&bytes)), name, place));
    }
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, _, place)| place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: usize = 12_000;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("aviary-query-{number}.aviary-query.ci.svc.cluster.local")).collect()
    }

    fn key(number: usize) -> String {
        format!("nightly/{}/run-{number}/ara-report", number % 7)
    }

    fn best<'a>(names: &'a [String], key: &str) -> &'a str {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        names[order(&names, key)[0]]
    }

    #[test]
    fn each_replica_has_its_share() {
        for count in [2, 3, 5, 8] {
            let names = names(count);
            for name in &names {
                let share = (0..KEYS).filter(|&number| best(&names, &key(number)) == name).count();
                let fair = KEYS / count;
                assert!(share.abs_diff(fair) < fair / 8, "{name} of {count} has {share}, and {fair} would be fair");
            }
        }
    }

    #[test]
    fn a_replica_that_goes_moves_only_its_own_share() {
        let before = names(4);
        let after: Vec<String> = before.iter().filter(|name| !name.contains("query-2")).cloned().collect();
        for number in 0..KEYS {
            let key = key(number);
            let (was, is) = (best(&before, &key), best(&after, &key));
            assert!(was == is || was.contains("query-2"), "{key} moved from {was} to {is}");
        }
    }

    #[test]
    fn a_replica_that_comes_takes_its_share_from_all() {
        let (before, after) = (names(3), names(4));
        let moved = (0..KEYS).filter(|&number| best(&before, &key(number)) != best(&after, &key(number))).count();
        assert!(moved.abs_diff(KEYS / 4) < KEYS / 32, "{moved} of {KEYS}");
    }

    #[test]
    fn the_order_is_that_of_the_names_whatever_their_places() {
        let names = names(5);
        let mut there: Vec<&str> = names.iter().map(String::as_str).collect();
        let ranked =
            |names: &[&str], key: &str| order(names, key).iter().map(|&place| names[place].to_owned()).collect::<Vec<_>>();
        let expected: Vec<Vec<String>> = (0..100).map(|number| ranked(&there, &key(number))).collect();
        there.reverse();
        there.swap(0, 3);
        for (number, expected) in expected.iter().enumerate() {
            assert_eq!(&ranked(&there, &key(number)), expected);
        }
    }

    #[test]
    fn nobody_is_asked_where_nobody_is() {
        assert!(order(&[], "a").is_empty());
    }

    #[test]
    fn the_hash_is_the_same_in_every_release() {
        let names = ["a:9090", "b:9090", "c:9090"];
        let orders: Vec<Vec<usize>> =
            ["", "1/ara-report", "2/ara-report", "3/ara-report"].iter().map(|key| order(&names, key)).collect();
        assert_eq!(orders, [[0, 2, 1], [1, 0, 2], [0, 1, 2], [1, 2, 0]]);
    }
}

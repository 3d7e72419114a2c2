//! What is put into parameters: values that match, values that do not, and values that nobody should send.
//!
//! Which parameter takes which of them is for `urls` to say.

use super::random::Random;
use super::urls::encode;

pub(crate) fn pages() -> Vec<String> {
    let mut out = Vec::new();
    let numbers = [
        "",
        "0",
        "1",
        "2",
        "3",
        "-1",
        "abc",
        "1.0",
        "%2B1",
        "+1",
        "1_0",
        "%D9%A2",
        "%20",
        "1e3",
        "99",
        "100",
        "101",
        "1000000",
        "9223372036854775807",
        "9223372036854775808",
        "0x1",
        "%00",
        "1%0A",
    ];
    for number in numbers {
        out.push(format!("limit={number}"));
        out.push(format!("limit=2&offset={number}"));
    }
    out.extend(owned(&[
        "offset=1",
        "offset=2",
        "limit=3&offset=1",
        "limit=3&offset=3",
        "limit=1&offset=2&limit=2",
        "limit=2&offset=1&offset=2",
        "foo=a+b&foo=c&limit=2&offset=5",
        "a=&b=&limit=1",
        "limit=1&z=%C3%A9&y=%3A%2F%3F&x=%26%3D%25",
        "limit=1&&=x&=&q",
        "limit=1&%zz=%zz",
        "limit=1&caf%E9=1",
        "limit=1&a=1;b=2",
        "limit=1&page=2",
        "page=2",
        "LIMIT=1",
        "limit=1&offset=1&format=json",
        "limit=1&a=%7E~-._*!'()",
        "limit=1&sp=%20+",
        "limit=1&plus=%2B",
        "limit=1&b=2&a=1&B=3&A=4",
        "limit=1&%C3%A9=1&e=2",
        "limit=1&x[]=1&x[0]=2",
        "limit=1&long=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "limit=1?x=1",
        "limit=1#f",
        "",
        "&",
        "=",
        "?",
        "limit",
        "offset",
        "search=x",
        "cursor=x",
    ]));
    out
}

pub(crate) fn owned(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| value.to_string()).collect()
}

pub(crate) fn texts(found: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = found.iter().map(|value| encode(value)).collect();
    for value in found.iter().filter(|value| !value.is_empty()) {
        let chars: Vec<char> = value.chars().collect();
        let middle: String = chars[chars.len() / 4..chars.len() - chars.len() / 4].iter().collect();
        out.push(encode(&middle));
        out.push(encode(&value.to_uppercase()));
        out.push(format!("%20{}+", encode(value)));
    }
    out.extend(owned(&[
        "no-such-thing",
        "%25",
        "_",
        "%5C",
        "%27",
        "%22",
        "%C3%A9",
        "%C3%89",
        "e",
        "A",
        ".",
        "%5C%25",
        "%5B",
        "*",
        "%3F",
        "%C3%A9%25",
    ]));
    out
}

pub(crate) fn numbers(found: Vec<String>) -> Vec<String> {
    let mut out = found;
    out.extend(owned(&[
        "0",
        "1",
        "-1",
        "999999",
        "1.5",
        "1e0",
        "%201%20",
        "+1",
        "%2B1",
        "abc",
        "NaN",
        "Infinity",
        "-inf",
        "1_0",
        "0x10",
        "1e50",
        "1e51",
        "-1e51",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775809",
        "%D9%A1",
        "1,2",
        "1.0",
        ".5",
        "5.",
        "-0",
        "2.9999999999999999999",
        "snan",
        "1e-400",
        "1e400",
    ]));
    out
}

pub(crate) fn moments(found: Vec<String>, random: &mut Random) -> Vec<String> {
    let mut out: Vec<String> = found
        .iter()
        .flat_map(|value| {
            [
                encode(value),
                encode(&value.replace(' ', "T")),
                encode(value.split(['.', ' ']).next().unwrap_or_default()),
                format!("{}Z", encode(value)),
            ]
        })
        .collect();
    let mut odd = owned(&[
        "2030-01-01",
        "2001-01-01T00:00:00Z",
        "20240301",
        "2024-W10",
        "2024-W10-5",
        "2024-061",
        "2024-03-01T08:00",
        "2024-03-01T08",
        "2024-03-01%2008:00:00",
        "2024-03-01T08:00:00,5",
        "2024-03-01T08:00:00.123456789",
        "2024-03-01T10:00:00%2B02:00",
        "2024-03-01T10:00:00+02:00",
        "2024-03-01T10:00:00-0200",
        "2024-03-01T10:00:00%2B02",
        "2024-03-01t08:00:00z",
        "2024-03-01T24:00:00",
        "2024-03-01T23:59:60",
        "2024-02-30",
        "2024-13-01",
        "2024-03",
        "2024",
        "01/02/2030",
        "now",
        "yesterday",
        "1709280000",
        "0001-01-01",
        "0000-01-01",
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00%2B14:00",
        "10000-01-01",
        "-2024-01-01",
        "2024-3-1",
        "2024-3-1T8:0:0",
        "20240301T080000",
        "20240301T080000Z",
        "2024-03-01T08:00:00+00:00:30",
        "2024-03-01T08:00:00%20Z",
        "2024-03-01T08:00:00%2B25:00",
        "%202024-03-01%20",
        "2024-03-01Z",
        "2024-03-01T08:00:00.",
        "%D9%A2024-03-01",
    ]);
    // All of them at every date filter would be most of the requests; chance takes other ones each time.
    random.shuffle(&mut odd);
    odd.truncate(14);
    out.extend(odd);
    out
}

pub(crate) fn uuids(found: Vec<String>) -> Vec<String> {
    let mut out = Vec::new();
    for value in found.iter().filter(|value| value.len() == 32) {
        let dashed = format!("{}-{}-{}-{}-{}", &value[..8], &value[8..12], &value[12..16], &value[16..20], &value[20..]);
        out.extend([
            value.clone(),
            dashed.clone(),
            dashed.to_uppercase(),
            format!("%7B{dashed}%7D"),
            format!("urn:uuid:{dashed}"),
            format!("%20{dashed}%20"),
            dashed[..35].to_owned(),
            dashed.replace('-', "--"),
        ]);
    }
    out.extend(owned(&["00000000-0000-0000-0000-000000000000", "abc", "1", "g0000000-0000-0000-0000-000000000000"]));
    out
}

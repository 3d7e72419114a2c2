//! Odd query parameters through `gateway::param` and through ARA's own filters, fields and paginator, in batches.
//!
//! `params.py` runs ARA's code in a child process. Which values have which meaning is spelled out by the unit tests of
//! `gateway::param`; here the two only have to agree.

use std::cell::RefCell;
use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use gateway::param::query_string::QueryString;
use gateway::param::{ParamError, boolean, choice, datetime, lineno, number, order, pagination, text, uuid};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{TestCaseError, TestError, TestRunner};
use serde_json::{Value, json};

const BATCHES: u32 = 12;
const BATCH: usize = 500;

type Outcome = Result<(), Box<dyn Error>>;

/// The Python that has ARA 1.8.0.
fn ara_python() -> std::path::PathBuf {
    tests::target_dir().join("tools/ara/bin/python")
}

/// ARA's code, running.
struct Ara {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Ara {
    fn start() -> Result<Self, Box<dyn Error>> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/it/params.py");
        let mut child = Command::new(ara_python()).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let requests = child.stdin.take().ok_or("no stdin")?;
        let answers = child.stdout.take().map(BufReader::new).ok_or("no stdout")?;
        Ok(Self { child, requests, answers })
    }

    fn ask(&mut self, parser: &str, cases: &[Value]) -> Result<Vec<Value>, Box<dyn Error>> {
        let request = json!({"parser": parser, "cases": cases});
        writeln!(self.requests, "{request}")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        serde_json::from_str(&line).map_err(|error| {
            // Answers would no longer belong to their requests while proptest shrinks.
            let _ = self.child.kill();
            format!("ARA's side said {line:?}: {error}").into()
        })
    }
}

impl Drop for Ara {
    fn drop(&mut self) {
        // Whether it was still running does not matter.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Generates batches of cases and holds our answers against ARA's. Shrinks the case that differs.
fn agree<C>(parser: &str, cases: impl Strategy<Value = C>, ours: impl Fn(&C) -> Value) -> Outcome
where
    C: std::fmt::Debug + Clone + serde::Serialize,
{
    let ara = RefCell::new(Ara::start()?);
    let config = ProptestConfig { cases: BATCHES, failure_persistence: None, max_shrink_iters: 500, ..ProptestConfig::default() };
    let batches = prop::collection::vec(cases, BATCH);
    let result = TestRunner::new(config).run(&batches, |batch| {
        let cases: Result<Vec<Value>, _> = batch.iter().map(serde_json::to_value).collect();
        let cases = cases.map_err(|error| TestCaseError::reject(error.to_string()))?;
        let theirs = ara.borrow_mut().ask(parser, &cases);
        let theirs = theirs.map_err(|error| TestCaseError::fail(error.to_string()))?;
        for (case, theirs) in batch.iter().zip(theirs) {
            prop_assert_eq!(ours(case), theirs, "{:?}", case);
        }
        Ok(())
    });
    // The reason names the case that differs; the batch around it says nothing more.
    match result {
        Err(TestError::Fail(reason, _)) => Err(reason.to_string().into()),
        result => Ok(result.map_err(|error| error.to_string())?),
    }
}

/// Our answer in the words of `params.py`.
fn show<T>(parsed: Result<T, ParamError>, value: impl Fn(T) -> Value) -> Value {
    match parsed {
        Ok(parsed) => json!({"ok": value(parsed)}),
        Err(ParamError::Invalid(message)) => json!({"invalid": [message]}),
        Err(ParamError::TooManyFields) => json!({"fault": "TooManyFieldsSent"}),
        Err(ParamError::NotAnInteger) => json!({"fault": "ValueError"}),
        Err(ParamError::DateOutOfRange) => json!({"fault": "OverflowError"}),
    }
}

/// Pieces one after another, and now and then any text at all between them.
fn pieced(pieces: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        24 => select(pieces).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => select(&BLANKS[..]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..=most).prop_map(|pieces| pieces.concat())
}

const BLANKS: [&str; 14] =
    [" ", "\t", "\n", "\x0b", "\x0c", "\r", "\x1c", "\x1f", "\u{85}", "\u{a0}", "\u{2003}", "\u{2028}", "\u{3000}", "\u{200b}"];

#[rustfmt::skip]
const INTEGERS: &[&str] = &[
    "0", "1", "7", "9", "00", "12", "_", "_", "+", "-", ".", "x", "٣", "９", "𝟘", "½", "\0",
    "9223372036854775807", "9223372036854775808", "18446744073709551616", "999999999999999999999999999999",
];

fn integers() -> impl Strategy<Value = String> {
    let long = (4200usize..4400, select(&["1", "0", "1_", "-1"][..])).prop_map(|(count, digit)| digit.repeat(count));
    prop_oneof![
        40 => pieced(INTEGERS, 5),
        20 => any::<i64>().prop_map(|value| value.to_string()),
        20 => (0..300i64).prop_map(|value| format!(" {value}")),
        1 => long,
    ]
}

#[test]
fn limits_agree() -> Outcome {
    agree("limit", integers(), |case| json!({"ok": pagination::limit(Some(case))}))
}

#[test]
fn offsets_agree() -> Outcome {
    agree("offset", integers(), |case| show(Ok(pagination::offset(Some(case))), |offset| json!(offset.rows())))
}

#[test]
fn line_numbers_agree() -> Outcome {
    agree("lineno", integers(), |case| show(lineno::parse(Some(case)), |line| json!(line)))
}

#[test]
fn numbers_agree() -> Outcome {
    #[rustfmt::skip]
    const PIECES: &[&str] = &[
        "0", "1", "9", "25", "000", "_", "+", "-", ".", ".", "e", "E", "e-", "e+", "nan", "inf", "NaN1",
        "Infinity", "٣", "９", "٫", "\0", "e50", "e51", "e18", "e999999999999999999", "e-1999999999999999997",
        "9223372036854775807", "1000000000000000000", "e9223372036854775807", "e18446744073709551616",
        "100000000000000007629769841091887003294964970946560",
        "10000000000000000762976984109188700329496497094656",
    ];
    let plain = (any::<i64>(), -60..60i32, select(&["e", "E", ".5e", ".e"][..]))
        .prop_map(|(value, power, e)| format!("{value}{e}{power}"));
    let at_the_end = (0..60usize, 0..70usize, select(&["", "1", ".1", "e1", "e-1"][..])).prop_map(|(cut, zeros, end)| {
        let digits = "100000000000000007629769841091887003294964970946560";
        format!("{}{}{end}", digits.get(..cut).unwrap_or(digits), "0".repeat(zeros))
    });
    let cases = prop_oneof![4 => pieced(PIECES, 6), 1 => plain, 1 => at_the_end];
    agree("number", cases, |case| show(number::parse(Some(case)), |number| json!(number)))
}

#[test]
fn booleans_agree() -> Outcome {
    const PIECES: &[&str] = &["true", "True", "false", "False", "2", "3", "1", "0", "TRUE", "t", "rue", "on"];
    agree("boolean", pieced(PIECES, 2), |case| show(Ok(boolean::parse(Some(case))), |value| json!(value)))
}

#[test]
fn texts_agree() -> Outcome {
    const PIECES: &[&str] = &["a", "é", "%", "_", "\\", "\0", " ", "\u{feff}", "\u{180e}"];
    let cases = prop_oneof![
        pieced(PIECES, 5),
        any::<String>(),
        (any::<char>(), any::<char>()).prop_map(|(first, last)| format!("{first}a{last}")),
    ];
    agree("text", cases, |case| show(text::parse(Some(case)), |text| json!(text)))
}

#[test]
fn uuids_agree() -> Outcome {
    #[rustfmt::skip]
    const PIECES: &[&str] = &[
        "-", "{", "}", "urn:", "uuid:", "uurn:uid:", "0x", "0X", "_", "+", " ", "٣", "９", "0", "F", "f", "a",
        "g", "\0", "\u{a0}",
    ];
    let hex = "[0-9a-fA-F]{26,32}";
    // Enough filling to reach the 32 characters more often than not.
    let cases = (pieced(PIECES, 5), hex, pieced(PIECES, 3), any::<prop::sample::Index>(), any::<bool>()).prop_map(
        |(front, hex, back, cut, fit)| {
            let at = cut.index(hex.len());
            let (left, right) = hex.split_at(at);
            let middle = if fit { "" } else { "-" };
            let written = format!("{front}{left}{middle}{right}{back}");
            let excess = written.replace(['-', '{', '}'], "").chars().count().saturating_sub(32);
            if fit { written.chars().skip(excess).collect() } else { written }
        },
    );
    let plain = any::<u128>().prop_map(|value| format!("{value:032X}"));
    let cases = prop_oneof![4 => cases, 1 => plain, 1 => pieced(PIECES, 34)];
    agree("uuid", cases, |case| show(uuid::parse(Some(case)), |uuid| json!(uuid)))
}

#[test]
fn choices_agree() -> Outcome {
    const STATUSES: [&str; 5] = ["completed", "expired", "failed", "running", "unknown"];
    #[rustfmt::skip]
    const PIECES: &[&str] = &[
        "ok", "failed", "FAILED", " ", ",", "%s", "%(value)s", "%", "null", "\0",
    ];
    let value = prop_oneof![9 => select(&STATUSES[..]).prop_map(str::to_owned), 1 => pieced(PIECES, 2)];
    agree("choice", prop::collection::vec(value, 0..7), |case| {
        let chosen = choice::parse(case.iter().map(String::as_str), &STATUSES);
        show(chosen, |chosen| json!(chosen))
    })
}

#[test]
fn orders_agree() -> Outcome {
    const FIELDS: [&str; 6] = ["id", "created", "updated", "started", "ended", "duration"];
    #[rustfmt::skip]
    const PIECES: &[&str] = &[
        "id", ",id", ",-id", "-created", ",updated", ",-started", ",ended", ",", ",", ",", "duration", "-",
        ",,", "bogus", "ID", "%s", "?", " ",
    ];
    agree("order", pieced(PIECES, 4), |case| show(order::parse(Some(case), &FIELDS), |order| json!(order)))
}

#[test]
fn dates_agree() -> Outcome {
    #[rustfmt::skip]
    const DAYS: &[&str] = &[
        "2030-01-01", "20300101", "2026-W47", "2026W47", "2026-W47-3", "2026W473", "2030-1-1", "2030-1-31",
        "2024-02-29", "2023-02-29", "0001-01-01", "9999-12-31", "2020-W53-7", "2021-W53-1", "9999-W52-7",
        "0000-W01-1", "٢٠٣٠-٠١-٠١", "2030-13-01", "2030-001", "2030001", "0000-01-01", "2030-01",
    ];
    const GAPS: &[&str] = &["T", "T", "T", " ", "t", "", "x", "é", "漢", "😀", "-", "+", "Z", "1", "12", "\0", "_"];
    #[rustfmt::skip]
    const TIMES: &[&str] = &[
        "", "00", "12", "12:34", "12:34:56", "1234", "123456", "12:34:56.7", "12:34:56,789012",
        "12:34:56.7890123", "12:34:56.7890123456789", "123456.5", "12.5", "12:34.5", "24:00", "24", "23:59:60",
        "23:59:59.999999", "1:2", "1:2:3", "12:3456", "123", "12:34:", "12:34:56.", "12:34:56:78", "1234567",
        "٠١:٠٢", "00:00:00",
    ];
    #[rustfmt::skip]
    const ZONES: &[&str] = &[
        "", "", "", "Z", "z", "+00:00", "+02:00", "-0130", "+02", "-12", " +02:00", " Z", "+24:00",
        "-23:59:59.5", "+1", "+01:99", "+99:00", "+00:00:00.5", "+00:00:01", "+02:0", "+020", "−02:00",
        " 02:00", "+٠٢:٠٠", "\0", "Z\0", "ZZ", "+02\0",
    ];
    let whole = (select(DAYS), select(GAPS), select(TIMES), select(ZONES))
        .prop_map(|(day, gap, time, zone)| format!("{day}{gap}{time}{zone}"));
    let valid = ("[0-2][0-9]{3}", 1..14u8, 1..33u8, 0..25u8, 0..61u8, "(:[0-6][0-9])?([.,][0-9]{1,7})?", select(ZONES)).prop_map(
        |(year, month, day, hour, minute, rest, zone)| format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}{rest}{zone}"),
    );
    let weeks = ("[0-9]{4}", select(&["-W", "W"][..]), 0..55u8, "-?[0-9]{0,6}", select(ZONES))
        .prop_map(|(year, week, number, rest, zone)| format!("{year}{week}{number:02}{rest}{zone}"));
    let days = prop_oneof![3 => whole, 2 => valid, 1 => weeks];
    let damage =
        (any::<prop::sample::Index>(), 0..4u8, select(&["0", "1", ":", "-", "W", ".", ",", "+", "Z", " ", "\0", "é", "٣"][..]));
    let damaged = (days, prop::option::of(damage)).prop_map(|(text, damage)| {
        let Some((at, kind, with)) = damage else {
            return text;
        };
        let mut pieces: Vec<String> = text.chars().map(String::from).collect();
        if !pieces.is_empty() {
            let at = at.index(pieces.len());
            match kind {
                0 => drop(pieces.remove(at)),
                1 => pieces.insert(at, with.to_owned()),
                2 => pieces.truncate(at),
                _ => pieces.splice(at..=at, [with.to_owned()]).for_each(drop),
            }
        }
        pieces.concat()
    });
    agree("datetime", prop_oneof![9 => damaged, 1 => any::<String>()], |case| {
        let parsed = datetime::parse(Some(case));
        show(parsed, |moment| json!(moment.map(|moment| (moment.seconds, moment.micros))))
    })
}

#[rustfmt::skip]
const QUERY: &[&str] = &[
    "&", "&", "&", "=", "=", "a", "b", "B", "status", "limit=2", "&limit=", "&offset=5", "&offset=", "offset",
    "10", "+", ";", "%", "%2", "%26", "%3D", "%00", "%ff", "%C3", "%A9", "%E2%82", "%F0%9F%98%80", "%ED%A0%80",
    "é", "😀", "'", "\"", "<", "|", "~", "*", "/", "?", ":", ",", "[", "\t", "\n", "٣",
];

/// A fragment never reaches a server.
fn queries() -> impl Strategy<Value = String> {
    pieced(QUERY, 12).prop_map(|raw| raw.replace('#', ""))
}

#[test]
fn query_strings_agree() -> Outcome {
    let many = (990usize..1010, select(&["&", "a=1&"][..])).prop_map(|(count, piece)| piece.repeat(count));
    agree("query_string", prop_oneof![200 => queries(), 1 => many], |case| {
        show(QueryString::parse(case), |query| {
            // The names, by first appearance, as `QueryDict` lists them.
            let mut names: Vec<String> = Vec::new();
            for piece in case.split('&').filter(|piece| !piece.is_empty()) {
                let name = piece.split('=').next().unwrap_or_default();
                let alone = QueryString::parse(&format!("x={name}"));
                let name = alone.ok().and_then(|alone| alone.last("x").map(str::to_owned));
                names.extend(name.filter(|name| !names.contains(name)));
            }
            let lists = names.iter().map(|name| json!([name, query.all(name).collect::<Vec<_>>()]));
            lists.collect()
        })
    })
}

#[test]
fn links_agree() -> Outcome {
    let pages = (queries(), integers(), integers(), select(&["&", "&x=1&"][..])).prop_map(|(raw, limit, offset, and)| {
        let numbers = format!("limit={limit}{and}offset={offset}").replace(['#', '+'], "%2B");
        format!("{raw}&{numbers}")
    });
    let count = prop_oneof![0..30i64, 0..400i64, Just(0), Just(i64::MAX)];
    agree("links", (prop_oneof![queries(), pages], count), |(raw, count)| {
        let query = match QueryString::parse(raw) {
            Ok(query) => query,
            Err(error) => return show(Err(error), |()| Value::Null),
        };
        let limit = pagination::limit(query.last("limit"));
        {
            let offset = pagination::offset(query.last("offset"));
            let links = pagination::links(*count, limit, &offset);
            let link = |offset| query.link_query(&[("limit", Some(limit.to_string())), ("offset", offset)]);
            let next = links.next.map(|offset| link(Some(offset.to_string())));
            let previous = links.previous.map(|previous| link(previous.offset));
            json!({"ok": [next, previous]})
        }
    })
}

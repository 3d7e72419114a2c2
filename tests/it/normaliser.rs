//! The gateway's JSON against Python's own: documents, strings, floats, durations and times, valid and broken.
//!
//! One `python3` process with nothing but its standard library answers all questions of a test; `normaliser.py` is what it
//! runs. Depth beyond what every version of Python serves is left to the unit tests.

#![allow(clippy::expect_used, reason = "without Python there is nothing to compare with")]

use std::{
    fmt::Write as _,
    io::{BufRead, BufReader, Write as _},
    process::{Child, Command, Stdio},
    thread,
};

use gateway::json;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use python::datetime::Instant;

const BATCH: usize = 500;

/// The child process that knows the answers; it ends when its input is closed.
struct Python {
    child: Child,
}

impl Python {
    fn start() -> Self {
        let child = Command::new("python3")
            .args(["-S", "-c", include_str!("normaliser.py")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is installed");
        Self { child }
    }

    /// Asks all of `questions`, and gives the bytes of each answer, or `None` where Python raises.
    fn ask(&mut self, kind: &str, questions: &[Vec<u8>]) -> Vec<Option<Vec<u8>>> {
        let stdin = self.child.stdin.as_mut().expect("stdin is piped");
        let stdout = self.child.stdout.as_mut().expect("stdout is piped");
        // Both pipes are served at once, since either may fill up before the other is read.
        thread::scope(|scope| {
            scope.spawn(move || {
                for question in questions {
                    writeln!(stdin, "{kind} {}", hex(question)).expect("python3 reads");
                }
            });
            let lines = BufReader::new(stdout).lines().take(questions.len());
            lines.map(|line| line.expect("python3 answers").strip_prefix('=').map(unhex)).collect()
        })
    }

    /// Holds what `ours` makes of `count` generated questions against what Python makes of them.
    fn compare(&mut self, kind: &str, strategy: &BoxedStrategy<Vec<u8>>, count: usize, ours: impl Fn(&[u8]) -> Option<Vec<u8>>) {
        let mut runner = TestRunner::new(Config::default());
        let mut served = 0;
        for _ in 0..count.div_ceil(BATCH) {
            let questions: Vec<_> = (0..BATCH).map(|_| strategy.new_tree(&mut runner).expect("no filters").current()).collect();
            let answers = self.ask(kind, &questions);
            assert_eq!(answers.len(), questions.len(), "python3 ended early");
            for (question, theirs) in questions.iter().zip(answers) {
                served += usize::from(theirs.is_some());
                let ours = ours(question);
                assert!(
                    ours == theirs,
                    "{kind} of {:?}\n  ours:   {}\n  Python: {}",
                    String::from_utf8_lossy(question),
                    shown(ours.as_deref()),
                    shown(theirs.as_deref()),
                );
            }
        }
        assert!(served > count / 5, "only {served} of {count} questions had an answer to compare");
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).expect("python3 answers in hexadecimal") as u8;
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn shown(answer: Option<&[u8]>) -> String {
    answer.map_or_else(|| "an error".to_owned(), |bytes| String::from_utf8_lossy(bytes).into_owned())
}

/// What `push` appends, which must not disturb what is there before.
fn appended(push: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = b"before".to_vec();
    push(&mut out);
    assert!(out.starts_with(b"before"));
    out.split_off(6)
}

fn normalised(stored: &[u8]) -> Option<Vec<u8>> {
    let stored = std::str::from_utf8(stored).ok()?;
    let mut served = true;
    let bytes = appended(|out| served = json::normalise(stored, out).is_ok());
    assert!(served || bytes.is_empty(), "a refused document left something behind");
    served.then_some(bytes)
}

fn space() -> BoxedStrategy<String> {
    prop_oneof![6 => Just(String::new()), 3 => Just(" ".to_owned()), 1 => "[ \t\r\n]{0,4}"].boxed()
}

fn integer() -> BoxedStrategy<String> {
    prop_oneof![
        Just("-0".to_owned()),
        any::<i64>().prop_map(|value| value.to_string()),
        "-?[1-9][0-9]{0,40}",
        (4290_usize..4310).prop_map(|digits| "7".repeat(digits)),
    ]
    .boxed()
}

fn float() -> BoxedStrategy<String> {
    prop_oneof![
        any::<u64>().prop_map(|bits| format!("{:e}", f64::from_bits(bits)).replace("inf", "1e999")),
        "-?(0|[1-9][0-9]{0,20})\\.[0-9]{1,20}",
        "-?(0|[1-9][0-9]{0,3})\\.0{0,6}[0-9]{1,3}0{0,2}",
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?[eE][+-]?[0-9]{1,2}",
        "-?[1-9]\\.[0-9]{1,17}[eE][+-]?(30[0-9]|32[0-9]|00[0-9])",
    ]
    .boxed()
}

/// A string as it stands in a document, with its quotes.
fn string() -> BoxedStrategy<String> {
    let part = prop_oneof![
        4 => "[ a-zA-Z0-9_/<>'.,:{}-]{0,20}",
        1 => any::<char>().prop_map(|c| if c < ' ' || c == '"' || c == '\\' { "\u{7f}".to_owned() } else { c.to_string() }),
        1 => prop::sample::select(vec!["\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t"]).prop_map(str::to_owned),
        1 => "\\\\u(00|20|d8|DC|dE)[0-9a-fA-F]{2}",
        1 => "\\\\u[0-9a-fA-F]{4}",
        1 => any::<char>().prop_map(|c| c.encode_utf16(&mut [0; 2]).iter().fold(String::new(), |mut text, unit| {
            let _ = write!(text, "\\u{unit:04X}");
            text
        })),
    ];
    prop::collection::vec(part, 0..6).prop_map(|parts| format!("\"{}\"", parts.concat())).boxed()
}

/// A key of so few that duplicates are common, in several spellings.
fn key() -> BoxedStrategy<String> {
    let few = vec!["\"a\"", "\"\\u0061\"", "\"b\"", "\"é\"", "\"\\u00e9\"", "\"\\u00E9\"", "\"\"", "\"ansible_a\""];
    prop_oneof![3 => prop::sample::select(few).prop_map(str::to_owned), 2 => string(), 2 => "\"[a-c]{1,2}\""].boxed()
}

fn document() -> BoxedStrategy<String> {
    let words = prop_oneof![
        30 => prop::sample::select(vec!["true", "false", "null"]),
        1 => prop::sample::select(vec!["NaN", "Infinity", "-Infinity", "1e400", "-2.5e309"]),
    ];
    let leaf = prop_oneof![2 => words.prop_map(str::to_owned), 2 => integer(), 2 => float(), 4 => string()];
    let joined = |open: char, close: char, parts: Vec<String>, inside: String| {
        let inside = if parts.is_empty() { inside } else { parts.join(",") };
        format!("{open}{inside}{close}")
    };
    let value = leaf.prop_recursive(5, 60, 8, move |inner| {
        let element = (space(), inner.clone(), space()).prop_map(|(a, value, b)| format!("{a}{value}{b}"));
        let member = (space(), key(), space(), space(), inner, space())
            .prop_map(|(a, key, b, c, value, d)| format!("{a}{key}{b}:{c}{value}{d}"));
        let many = prop_oneof![8 => 0_usize..6, 1 => 15_usize..40];
        let members = many.prop_flat_map(move |count| prop::collection::vec(member.clone(), count));
        prop_oneof![
            (prop::collection::vec(element, 0..6), space()).prop_map(move |(parts, inside)| joined('[', ']', parts, inside)),
            (members, space()).prop_map(move |(parts, inside)| joined('{', '}', parts, inside)),
        ]
    });
    let deep = (1_usize..400, any::<bool>(), leaf_or_empty()).prop_map(|(depth, object, inner)| {
        let (open, close) = if object { ("{\"a\":0,\"a\": ", "}") } else { ("[", "]") };
        format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
    });
    let value = prop_oneof![20 => value, 1 => deep];
    (space(), value, space()).prop_map(|(a, value, b)| format!("{a}{value}{b}")).boxed()
}

fn leaf_or_empty() -> BoxedStrategy<String> {
    prop_oneof![Just("[]".to_owned()), Just("{}".to_owned()), integer(), float()].boxed()
}

/// A document with one character taken out, put in or replaced, so that most are broken and some are not.
fn mutated() -> BoxedStrategy<String> {
    let characters: Vec<char> = "\"\\{}[],:0123456789.eE+-uxNI \t\n\u{0}\u{b}\u{7f}\u{a0}\u{feff}é😀".chars().collect();
    (document(), any::<prop::sample::Index>(), 0..3, prop::sample::select(characters))
        .prop_map(|(document, place, change, character)| {
            let mut text: Vec<char> = document.chars().collect();
            let at = place.index(text.len());
            match change {
                0 => text.insert(at, character),
                1 => text[at] = character,
                _ => drop(text.remove(at)),
            }
            text.into_iter().collect()
        })
        .boxed()
}

fn bytes(text: impl Strategy<Value = String> + 'static) -> BoxedStrategy<Vec<u8>> {
    text.prop_map(String::into_bytes).boxed()
}

#[test]
fn documents_are_normalised_and_refused_as_python_does() {
    let mut python = Python::start();
    python.compare("normalise", &bytes(document()), 6_000, normalised);
    python.compare("normalise", &bytes(mutated()), 6_000, normalised);
    python.compare("normalise", &bytes(prop_oneof![float(), integer()]), 6_000, normalised);
}

#[test]
fn compact_documents_are_indented_as_python_does() {
    let compact = document().prop_map(|stored| normalised(stored.as_bytes()).unwrap_or_else(|| b"{}".to_vec()));
    Python::start()
        .compare("indent", &compact.boxed(), 2_000, |compact| Some(appended(|out| json::indent::indent(compact, 3, out))));
}

#[test]
fn strings_are_written_as_python_does() {
    let text = prop_oneof![".*", prop::collection::vec(any::<char>(), 0..20).prop_map(|all| all.into_iter().collect())];
    Python::start().compare("string", &bytes(text), 3_000, |text| {
        let text = std::str::from_utf8(text).ok()?;
        Some(appended(|out| json::push_str(out, text)))
    });
}

#[test]
fn floats_are_written_as_python_does() {
    let near = |power: i32, step: i64| f64::from_bits(10_f64.powi(power).to_bits().wrapping_add_signed(step));
    let value = prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        (-30..30_i32, -3..4_i64).prop_map(move |(power, step)| near(power, step)),
        (any::<i32>(), 0..12_i32).prop_map(|(value, places)| f64::from(value) / 10_f64.powi(places)),
        (1_u64 << 47..1 << 53, 0..20_i32).prop_map(|(value, places)| value as f64 / 2_f64.powi(places)),
        (0..2047_u64).prop_map(|exponent| f64::from_bits(exponent << 52)),
        (1..2000_u64).prop_map(f64::from_bits),
    ];
    let value = value.prop_map(|value| if value.is_finite() { value } else { 0.0 });
    let value = value.prop_map(|value| value.to_le_bytes().to_vec()).boxed();
    Python::start().compare("number", &value, 15_000, |value| {
        let value = f64::from_le_bytes(value.try_into().ok()?);
        Some(appended(|out| json::number::push_f64(out, value)))
    });
}

#[test]
fn durations_are_written_as_django_does() {
    let day = 86_400_000_000;
    let micros = prop_oneof![any::<i64>(), -3 * day..3 * day, (-400..400_i64).prop_map(move |days| days * day)];
    let micros = micros.prop_map(|micros| micros.to_le_bytes().to_vec()).boxed();
    Python::start().compare("duration", &micros, 5_000, |micros| {
        let micros = i64::from_le_bytes(micros.try_into().ok()?);
        Some(appended(|out| json::time::push_duration(out, micros)))
    });
}

#[test]
fn timestamps_are_written_as_rest_framework_does() {
    let seconds = prop_oneof![-62_135_596_800..=253_402_300_799_i64, 1_500_000_000..2_000_000_000_i64];
    let micros = prop_oneof![Just(0), 0..1_000_000_u32, 0..20_u32];
    let moment = (seconds, micros).prop_map(|(s, m)| [s.to_le_bytes().as_slice(), &m.to_le_bytes()].concat()).boxed();
    Python::start().compare("timestamp", &moment, 5_000, |moment| {
        let (seconds, micros) = moment.split_at(8);
        let seconds = i64::from_le_bytes(seconds.try_into().ok()?);
        let micros = u32::from_le_bytes(micros.try_into().ok()?);
        Some(appended(|out| json::time::push_timestamp(out, seconds, micros)))
    });
}

#[test]
fn stored_times_are_read_as_django_does() {
    let date = "[0-2][0-9]{3}-(0?[1-9]|1[0-2])-([012]?[0-9]|3[01])";
    let clock = "[T ](1?[0-9]|2[0-3]):[0-5]?[0-9](:[0-5]?[0-9]([.,][0-9]{1,12})?)?";
    let zone = "(| {1,2})(|Z|[+-][01][0-9](:?[0-5][0-9])?)\n?";
    let text = (date, clock, zone).prop_map(|(date, clock, zone)| date + &clock + &zone);
    Python::start().compare("stored", &bytes(text), 5_000, |text| {
        let Instant { seconds, micros } = python::datetime::parse(std::str::from_utf8(text).ok()?).ok()?;
        Some(appended(|out| json::time::push_timestamp(out, seconds, micros)))
    });
}

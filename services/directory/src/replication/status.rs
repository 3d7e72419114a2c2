//! What servers say of the last sending of updates or the last initialisation, in JSON or in words.

use serde::Serialize;

use crate::replication::Moment;

/// How something is, in one word. The worst is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// All is well.
    Green,
    /// It may get well by itself, or it was made so.
    Amber,
    /// Somebody has to look.
    Red,
}

/// How something went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// What that means.
    pub colour: Colour,
    /// The server's code: 0 for success, below 0 those of the LDAP client.
    pub code: i64,
    /// The server's words.
    pub text: String,
    /// When that was, if the server says it.
    pub at: Option<Moment>,
}

/// Codes of the replication protocol that pass by themselves: the consumer is busy with another supplier, or asks to wait.
const PASSING: [i64; 3] = [1, 7, 8];

impl Outcome {
    /// Code of servers for a consumer that began with other data.
    pub const OTHER_DATA: i64 = 19;
    /// The same for a consumer that has no such replica, or not yet.
    pub const NO_REPLICA: i64 = 6;

    /// Reads what a server says; JSON is preferred, which old servers do not have.
    pub fn read(json: Option<&str>, words: Option<&str>) -> Option<Self> {
        let structured: Option<serde_json::Value> = json.and_then(|json| serde_json::from_str(json).ok());
        let field = |name: &str| structured.as_ref().and_then(|value| value.get(name)?.as_str());
        let message = field("message").or(words)?;
        let (code, text) = split(message);
        let said = |name: &str| field(name).and_then(|number| number.trim().parse::<i64>().ok()).filter(|number| *number != 0);
        let code = code.or_else(|| said("repl_rc")).or_else(|| said("ldap_rc")).unwrap_or(0);
        let colour = match field("state").map(str::to_ascii_lowercase).as_deref() {
            Some("green") => Colour::Green,
            Some("amber" | "yellow") => Colour::Amber,
            Some("red") => Colour::Red,
            _ if code == 0 => Colour::Green,
            _ if PASSING.contains(&code) => Colour::Amber,
            _ => Colour::Red,
        };
        Some(Self { colour, code, text: text.to_owned(), at: field("date").and_then(Moment::parse) })
    }
}

/// `Error (N) words` is how servers begin, also when there is none.
fn split(message: &str) -> (Option<i64>, &str) {
    let message = message.trim();
    let parts = message.strip_prefix("Error (").and_then(|rest| rest.split_once(')'));
    match parts.and_then(|(code, text)| Some((code.trim().parse().ok()?, text.trim()))) {
        Some((code, text)) => (Some(code), text),
        None => (None, message),
    }
}

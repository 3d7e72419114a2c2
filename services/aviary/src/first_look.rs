//! What a person sees at the start: where it listens, what it found, and a command to try.

use std::{io::Write, net::SocketAddr, time::Duration};

use store::{Location, Stores};

/// How long the look over the store may take.
const LOOK: Duration = Duration::from_millis(700);
/// How many reports are named.
const NAMED: usize = 3;

/// Where a server can be reached, for a person on this machine.
pub(crate) fn url(address: SocketAddr, base_path: &str) -> String {
    let host = match address {
        _ if address.ip().is_unspecified() => format!("localhost:{}", address.port()),
        address => address.to_string(),
    };
    format!("http://{host}{base_path}/")
}

/// Says where it listens.
pub(crate) fn announce(stores: &Stores, url: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let names: Vec<String> = stores.iter().map(|named| named.store.name()).collect();
    writeln!(out, "Serving {} at {url}", names.join(", "))?;
    out.flush()
}

/// Says what is there, where looking costs nothing.
pub(crate) fn look(stores: &Stores, prefixes: &[String], url: &str) -> std::io::Result<()> {
    let Some(folder) = stores.single().and_then(|store| store.folder()) else { return Ok(()) };
    let survey = folder.survey(prefixes, LOOK, NAMED);
    let mut out = std::io::stdout().lock();
    let some = if survey.partial { "At least " } else { "" };
    match survey.reports {
        0 if survey.partial => writeln!(out, "No reports in sight yet; they are found when they are asked for.")?,
        0 => writeln!(
            out,
            "No reports yet. One is a folder called {} with an ansible.sqlite in it; it is served as soon as it is there.",
            prefixes.join(" or ")
        )?,
        1 => writeln!(out, "{some}1 report:")?,
        count => writeln!(out, "{some}{count} reports, among them:")?,
    }
    let link = |location: &Location| if location.is_root() { url.to_owned() } else { format!("{url}{}/", escape(location)) };
    for location in &survey.first {
        writeln!(out, "  {}", link(location))?;
    }
    if let Some(first) = survey.first.first() {
        writeln!(out, "Try:  curl {}api/v1/playbooks", link(first))?;
    }
    out.flush()
}

/// A location inside a URL.
fn escape(location: &Location) -> String {
    let mut text = String::new();
    for byte in location.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

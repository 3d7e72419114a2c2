//! What has to be known of a certificate: for how long, for whom, by which key. Whether anybody should believe it is for those
//! who connect to say.

use std::net::IpAddr;

use super::der::{
    BIT_STRING, BOOLEAN, Element, GENERALIZED_TIME, INTEGER, OCTET_STRING, OID, SEQUENCE, SET, UTC_TIME, context, only,
};

/// Names of parts, as DER has them.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
const PURPOSES: &[u8] = &[0x55, 0x1d, 0x25];
const SERVER: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
const ANY_PURPOSE: &[u8] = &[0x55, 0x1d, 0x25, 0x00];

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct X509 {
    /// All of it.
    pub(super) der: Vec<u8>,
    /// Its subject, as DER has it.
    pub(super) subject: Vec<u8>,
    /// The first common name of the subject.
    pub(super) common_name: Option<String>,
    /// Seconds since 1970 from when it is valid.
    pub(super) not_before: i64,
    /// Seconds since 1970 until when it is valid.
    pub(super) not_after: i64,
    /// The kind of its key, as DER has it.
    pub(super) algorithm: Vec<u8>,
    /// Its key.
    pub(super) key: Vec<u8>,
    /// Hosts that it is for.
    pub(super) names: Vec<String>,
    /// Addresses that it is for.
    pub(super) addresses: Vec<IpAddr>,
    /// Whether a server may show it.
    pub(super) is_for_servers: bool,
}

impl X509 {
    /// Reads a certificate; `None` if it is none.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let mut all = only(der, SEQUENCE)?.elements();
        let mut parts = all.tagged(SEQUENCE)?.elements();
        parts.tagged(context(0));
        parts.tagged(INTEGER)?;
        parts.tagged(SEQUENCE)?;
        parts.tagged(SEQUENCE)?;
        let mut validity = parts.tagged(SEQUENCE)?.elements();
        let subject = parts.tagged(SEQUENCE)?;
        let mut key = parts.tagged(SEQUENCE)?.elements();
        let algorithm = key.tagged(SEQUENCE)?.whole.to_vec();
        let (unused, bits) = key.tagged(BIT_STRING)?.content.split_first()?;
        let mut read = Self {
            der: der.to_vec(),
            subject: subject.whole.to_vec(),
            common_name: common_name(subject),
            not_before: time(validity.next()?)?,
            not_after: time(validity.next()?)?,
            algorithm,
            key: (*unused == 0).then(|| bits.to_vec())?,
            names: Vec::new(),
            addresses: Vec::new(),
            is_for_servers: true,
        };
        if let Some(extensions) = parts.find(|part| part.tag == context(3)) {
            for extension in extensions.elements().next()?.elements() {
                read.extend(extension)?;
            }
        }
        Some(read)
    }

    fn extend(&mut self, extension: Element<'_>) -> Option<()> {
        let mut parts = extension.elements();
        let name = parts.tagged(OID)?.content;
        parts.tagged(BOOLEAN);
        let value = parts.tagged(OCTET_STRING)?.content;
        if name == ALTERNATIVE_NAMES {
            for name in only(value, SEQUENCE)?.elements() {
                match (name.tag, name.content) {
                    (0x82, text) => self.names.extend(str::from_utf8(text).map(str::to_lowercase)),
                    (0x87, [a, b, c, d]) => self.addresses.push(IpAddr::from([*a, *b, *c, *d])),
                    (0x87, bytes) => self.addresses.extend(<[u8; 16]>::try_from(bytes).map(IpAddr::from)),
                    _ => {}
                }
            }
        } else if name == PURPOSES {
            let mut purposes = only(value, SEQUENCE)?.elements();
            self.is_for_servers = purposes.any(|purpose| purpose.content == SERVER || purpose.content == ANY_PURPOSE);
        }
        Some(())
    }

    /// Whether clients that ask for a host take this certificate for its. The common name counts no more.
    pub(super) fn is_for(&self, host: &str) -> bool {
        if let Ok(address) = host.parse() {
            return self.addresses.contains(&address);
        }
        let host = host.to_lowercase();
        let matches = |name: &String| match name.strip_prefix("*.") {
            Some(domain) => host.split_once('.').is_some_and(|(first, rest)| !first.is_empty() && rest == domain),
            None => *name == host,
        };
        self.names.iter().any(matches)
    }

    /// All that it is for, for people.
    pub(super) fn shown_names(&self) -> String {
        let names = self.names.iter().cloned().chain(self.addresses.iter().map(ToString::to_string));
        let names: Vec<String> = names.collect();
        if names.is_empty() { "no name at all".to_owned() } else { names.join(", ") }
    }
}

fn common_name(subject: Element<'_>) -> Option<String> {
    let parts = subject.elements().filter(|part| part.tag == SET).flat_map(|part| part.elements());
    let mut pairs = parts.map(|part| part.elements());
    let mut pair = pairs.find(|pair| pair.clone().tagged(OID).is_some_and(|name| name.content == COMMON_NAME))?;
    str::from_utf8(pair.nth(1)?.content).ok().map(str::to_owned)
}

/// `YYMMDDHHMMSSZ`, or with four digits for the year, in seconds since 1970.
fn time(element: Element<'_>) -> Option<i64> {
    let text = str::from_utf8(element.content).ok()?.strip_suffix('Z')?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match element.tag {
        UTC_TIME if text.len() == 12 => {
            let year: i64 = text.get(..2)?.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, text.get(2..)?)
        }
        GENERALIZED_TIME if text.len() == 14 => (text.get(..4)?.parse().ok()?, text.get(4..)?),
        _ => return None,
    };
    let part = |at: usize| rest.get(at..at + 2)?.parse::<i64>().ok();
    let (month, day) = (part(0)?, part(2)?);
    let seconds = part(4)? * 3600 + part(6)? * 60 + part(8)?;
    (1..=12).contains(&month).then(|| days(year, month, day) * 86_400 + seconds)
}

/// Days from 1970 to a day. Years begin in March here, so that a leap day is the last of its year.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let in_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leaps + in_year - 719_468
}

/// A time for people, `2026-11-25`.
pub(super) fn date(seconds: i64) -> String {
    let days = seconds.div_euclid(86_400) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificates::der::element;

    #[test]
    fn times_are_read() {
        for (tag, text, expected, shown) in [
            (UTC_TIME, "700101000000Z", Some(0), "1970-01-01"),
            (UTC_TIME, "491231235959Z", Some(2_524_607_999), "2049-12-31"),
            (UTC_TIME, "500101000000Z", Some(-631_152_000), "1950-01-01"),
            (GENERALIZED_TIME, "20240229120000Z", Some(1_709_208_000), "2024-02-29"),
            (GENERALIZED_TIME, "99991231235959Z", Some(253_402_300_799), "9999-12-31"),
            (GENERALIZED_TIME, "20241301000000Z", None, ""),
            (UTC_TIME, "20240229120000Z", None, ""),
            (UTC_TIME, "7001010000", None, ""),
            (UTC_TIME, "+00101000000Z", None, ""),
        ] {
            let bytes = element(tag, &[text.as_bytes()]);
            assert_eq!(time(only(&bytes, tag).unwrap()), expected, "{text}");
            if let Some(seconds) = expected {
                assert_eq!(date(seconds), shown);
            }
        }
    }

    fn named(names: &[&str], addresses: &[&str]) -> X509 {
        X509 {
            der: Vec::new(),
            subject: Vec::new(),
            common_name: None,
            not_before: 0,
            not_after: 0,
            algorithm: Vec::new(),
            key: Vec::new(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
            is_for_servers: true,
        }
    }

    #[test]
    fn a_name_matches_as_clients_see_it() {
        let one = named(&["a.example.com", "*.b.example.com"], &["10.0.0.1", "::1"]);
        for (host, expected) in [
            ("a.example.com", true),
            ("A.Example.COM", true),
            ("x.b.example.com", true),
            ("b.example.com", false),
            ("y.x.b.example.com", false),
            (".b.example.com", false),
            ("other", false),
            ("10.0.0.1", true),
            ("10.0.0.2", false),
            ("::1", true),
        ] {
            assert_eq!(one.is_for(host), expected, "{host}");
        }
        assert_eq!(named(&[], &[]).shown_names(), "no name at all");
    }

    #[test]
    fn what_is_no_certificate_is_none() {
        for bytes in [&b""[..], b"x", &[0x30, 0x00], &[0x30, 0x02, 0x30, 0x00]] {
            assert_eq!(X509::read(bytes), None);
        }
    }
}

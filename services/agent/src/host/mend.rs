//! The configuration of servers that do not run, where they left it so that they could not go on with it. The file is whole at any
//! time. Everything here waits for files.

use std::{fs, io, os::unix::fs::MetadataExt, path::Path};

use directory::{
    dn::Dn,
    ldif::{self, Record},
    replication,
};

use crate::{
    dse::{self, Unreadable},
    host::Error,
    whole::{self, Rights},
};

/// Gives the clocks of replicas the numbers that the replicas have. A server that ends without writing them down, by itself or
/// because somebody killed it, has no replica the next time: "Replica id mismatch".
pub(super) fn clocks(path: &Path) -> Result<(), Error> {
    rewrite(path, |records| {
        let mut differs = false;
        for record in records.iter_mut().filter(|record| is_replica(record)) {
            let id = values(record, "nsDS5ReplicaId").next().and_then(|id| std::str::from_utf8(id).ok()?.trim().parse().ok());
            let (Some(id), Some((_, clock))) = (id, record.attributes.iter_mut().find(|(name, _)| is("nsState", name))) else {
                continue;
            };
            differs |= replication::renumber_clock(clock, id);
        }
        differs
    })
}

/// Takes an entry out, and all below it.
pub(super) fn take_out(path: &Path, dn: &Dn) -> Result<(), Error> {
    rewrite(path, |records| {
        let before = records.len();
        records.retain(|record| Dn::parse(&record.dn).is_ok_and(|known| known != *dn && !known.is_below(dn)));
        records.len() < before
    })
}

/// Replaces all values of attributes of an entry.
pub(crate) fn replace(path: &Path, dn: &Dn, replacements: &[(&'static str, Vec<String>)]) -> Result<(), Error> {
    rewrite(path, |records| {
        let found = records.iter_mut().find(|record| Dn::parse(&record.dn).as_ref() == Ok(dn));
        let Some(record) = found else { return false };
        for (attribute, values) in replacements {
            record.attributes.retain(|(name, _)| !is(attribute, name));
            record.attributes.extend(values.iter().map(|value| ((*attribute).to_owned(), value.clone().into_bytes())));
        }
        true
    })
}

fn is(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

fn values<'a>(record: &'a Record, attribute: &str) -> impl Iterator<Item = &'a [u8]> {
    record.attributes.iter().filter(move |(name, _)| is(attribute, name)).map(|(_, value)| value.as_slice())
}

fn is_replica(record: &Record) -> bool {
    values(record, "objectClass").any(|class| class.eq_ignore_ascii_case(b"nsds5Replica"))
}

/// Writes a file anew if the change says that there is one.
fn rewrite(path: &Path, change: impl FnOnce(&mut Vec<Record>) -> bool) -> Result<(), Error> {
    let bytes = dse::read(path).map_err(|error| Unreadable::new(path, &error))?;
    let mut records = ldif::parse(&bytes).map_err(|error| Unreadable::new(path, &error))?;
    if !change(&mut records) {
        return Ok(());
    }
    let written = || {
        let found = fs::metadata(path)?;
        whole::write(path, Rights::of(&found, found.mode() & 0o777), ldif::write(&records).as_bytes())
    };
    written().map_err(|source: io::Error| Error::Mend { path: path.to_owned(), source })
}

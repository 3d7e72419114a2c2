//! The configuration of servers that do not run, where they left it so that they could not go on with it. The file is whole at any
//! time. Everything here waits for files.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt,
    path::Path,
};

use directory::{
    dn::Dn,
    ldif::{self, Record},
    replication,
};

use crate::{
    host::{Error, observe},
    whole::{self, Rights},
};

/// Puts the file in its place where a server was killed between moving the old one away and the new one there. It would begin with
/// the new one itself.
pub(super) fn put_back(path: &Path) -> Result<(), Error> {
    let failed = |error: io::Error| Error::Configuration { path: path.to_owned(), problem: error.to_string() };
    if path.try_exists().map_err(failed)? {
        return Ok(());
    }
    for ending in [".tmp", ".bak"] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        let is_whole = |bytes: Vec<u8>| ldif::parse(&bytes).is_ok_and(|records| !records.is_empty());
        if fs::read(&name).is_ok_and(is_whole) {
            fs::rename(&name, path).map_err(failed)?;
            return File::open(path.parent().unwrap_or(Path::new("/"))).and_then(|folder| folder.sync_all()).map_err(failed);
        }
    }
    Ok(())
}

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
pub(super) fn replace(path: &Path, dn: &Dn, replacements: &[(&'static str, Vec<String>)]) -> Result<(), Error> {
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
    let failed = |problem: String| Error::Configuration { path: path.to_owned(), problem };
    let bytes = observe::read(path).map_err(|error| failed(error.to_string()))?;
    let mut records = ldif::parse(&bytes).map_err(|error| failed(error.to_string()))?;
    if !change(&mut records) {
        return Ok(());
    }
    let written = || {
        let found = fs::metadata(path)?;
        whole::write(path, Rights::of(&found, found.mode() & 0o777), ldif::write(&records).as_bytes())
    };
    written().map_err(|source: io::Error| Error::Mend { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "dn: cn=config\ncn: config\n";
    const OLDER: &str = "dn: cn=config\ncn: config\ndescription: older\n";
    const TORN: &str = "dn: cn=config\nno attribute";

    /// Files by the ends of their names, and what is in the file itself afterwards.
    fn check(files: &[(&str, &str)], expected: Option<&str>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dse.ldif");
        for (ending, text) in files {
            fs::write(folder.path().join(format!("dse.ldif{ending}")), text).unwrap();
        }
        put_back(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).ok().as_deref(), expected, "{files:?}");
    }

    #[test]
    fn a_configuration_that_was_between_two_names_gets_its_own_back() {
        check(&[(".tmp", WHOLE), (".bak", OLDER)], Some(WHOLE));
        check(&[(".bak", OLDER)], Some(OLDER));
        // What was not written to its end is not begun with.
        check(&[(".tmp", TORN), (".bak", OLDER)], Some(OLDER));
        check(&[(".tmp", ""), (".bak", OLDER)], Some(OLDER));
        check(&[(".tmp", TORN)], None);
        // One that is in its place stays, whatever else is there.
        check(&[("", OLDER), (".tmp", WHOLE)], Some(OLDER));
        check(&[], None);
    }
}

//! Certificates of instances: what the files hold that options name, what an instance has, and taking the one into the other.
//! Neither a key nor a password is ever an argument, part of the environment or in a file that this makes.
//!
//! Everything here waits for files and programs: call it where blocking is allowed.

mod database;
mod der;
mod key;
mod pem;
mod pkcs12;
mod x509;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::{digest, rand};
use directory::{
    certificates::{Certificates, Fingerprint},
    entry::Tree,
    layout,
    setting::Settings,
};

pub(crate) use database::COPY;

use crate::installation::Installation;
use database::{Database, Kept, Programs};
use key::Key;
use x509::X509;

/// What servers call their certificate when nothing else is said.
const NAME: &str = "Server-Cert";

/// Certificates that are valid for less are warned of: 30 days.
const SOON: i64 = 30 * 86_400;

/// Larger files hold something else.
const LARGEST: u64 = 4 << 20;

/// Why certificates could not be looked at or taken in.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An option names something that cannot be used.
    #[error("option '{option}' {problem}")]
    Option {
        /// The option.
        option: &'static str,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A file could not be read or written.
    #[error("failed to {step} {}: {source}", path.display())]
    File {
        /// What was done.
        step: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A program failed.
    #[error("failed to {step} with {} in {}: {problem}", program.display(), path.display())]
    Program {
        /// What it should have done.
        step: &'static str,
        /// The program.
        program: PathBuf,
        /// The folder that it works on.
        path: PathBuf,
        /// What it said.
        problem: String,
    },
    /// What was taken in is not there.
    #[error("the certificate was imported into {}, but is not there with its key: {problem}", path.display())]
    Lost {
        /// The folder of the database.
        path: PathBuf,
        /// What is there instead.
        problem: String,
    },
    /// The system has no random numbers.
    #[error("failed to get random numbers from the system; try again")]
    Random,
}

impl Error {
    fn file(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { step, path: path.to_owned(), source }
    }
}

/// A certificate with its key, and those that are sent with it.
struct Offer {
    certificate: X509,
    chain: Vec<X509>,
    key: Key,
}

/// Where an instance that is there has its certificates.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    folder: PathBuf,
    programs: Programs,
    name: String,
}

impl Place {
    /// Of an instance with this configuration.
    pub(crate) fn of(installation: &Installation, folder: &Path, configuration: &Tree) -> Self {
        let entry = configuration.get(&layout::encryption().child("cn", "RSA"));
        let name = entry.and_then(|entry| entry.text("nsSSLPersonalitySSL")).unwrap_or(NAME);
        let programs = Programs { certutil: installation.certutil(), pk12util: installation.pk12util() };
        Self { folder: folder.to_owned(), programs, name: name.to_owned() }
    }

    fn database(&self) -> Result<Database, Error> {
        Database::open(&self.folder, self.programs.clone())
    }
}

/// Finds out what there is to compare: of files that options name, for a host of this name, and of an instance, if it is there.
/// What is wrong with a file is part of the answer.
pub(crate) fn inquire(settings: &Settings, host: &str, place: Option<&Place>) -> Result<Certificates, Error> {
    let mut answer = Certificates::default();
    match offer(settings) {
        Ok(Some(offer)) => {
            let file = settings.text("tls_cert").unwrap_or_default();
            answer.problems.extend(check(&offer.certificate, host).err().map(|problem| of_certificate(file, &problem)));
            answer.offered = [&offer.certificate].into_iter().chain(&offer.chain).map(fingerprint).collect();
        }
        Ok(None) => {}
        Err((option, problem)) => answer.problems.push((option, problem)),
    }
    match authorities(settings) {
        Ok(authorities) => answer.authorities = authorities.iter().map(fingerprint).collect(),
        Err(problem) => answer.problems.push(("tls_ca", problem)),
    }
    if let Some(place) = place {
        let kept = place.database()?.list()?;
        answer.served = served(&kept, &place.name).map(fingerprint);
        for kept in &kept {
            *answer.known.entry(fingerprint(&kept.x509)).or_default() |= kept.is_trusted();
        }
    }
    Ok(answer)
}

/// Takes the certificate that options name into an instance's database, and its key, in the place of the one that is there.
/// Whether it is for this host was seen when that was planned, perhaps together with another name for the host.
pub(crate) fn import(settings: &Settings, place: &Place) -> Result<(), Error> {
    let offered = offer(settings).map_err(|(option, problem)| Error::Option { option, problem })?;
    let Some(Offer { certificate, chain, key }) = offered else { return Ok(()) };
    let password = password()?;
    let parcel = pkcs12::write(&place.name, &certificate.der, &key.named(&certificate), &password).ok_or(Error::Random)?;
    place.database()?.change(|database| {
        let before = database.list()?;
        // The tool gives a certificate the name of another one of the same subject.
        let (gone, stay): (Vec<&Kept>, Vec<&Kept>) =
            before.iter().partition(|kept| kept.name == place.name || kept.x509.subject == certificate.subject);
        for kept in &gone {
            database.delete(&kept.name)?;
        }
        database.import(&parcel, &password)?;
        for kept in gone.iter().filter(|kept| kept.name != place.name) {
            if kept.x509.der != certificate.der {
                database.add(&kept.name, &without_key(&kept.flags), &kept.x509)?;
            } else if kept.is_trusted() {
                database.trust(&database.list()?, &kept.name, &kept.x509)?;
            }
        }
        for x509 in chain.iter().filter(|x509| !stay.iter().any(|kept| kept.x509.der == x509.der)) {
            database.add(&title(x509), ",,", x509)?;
        }
        let after = database.list()?;
        match after.iter().find(|kept| kept.name == place.name && kept.x509.der == certificate.der && kept.has_key()) {
            Some(_) => Ok(()),
            None => {
                let names: Vec<String> = after.iter().map(|kept| format!("{} {}", kept.name, kept.flags)).collect();
                Err(Error::Lost { path: place.folder.clone(), problem: names.join("; ") })
            }
        }
    })
}

/// Trusts the authorities that options name.
pub(crate) fn trust(settings: &Settings, place: &Place) -> Result<(), Error> {
    let wanted = authorities(settings).map_err(|problem| Error::Option { option: "tls_ca", problem })?;
    place.database()?.change(|database| {
        for x509 in &wanted {
            let kept = database.list()?;
            if !kept.iter().any(|kept| kept.x509.der == x509.der && kept.is_trusted()) {
                database.trust(&kept, &title(x509), x509)?;
            }
        }
        Ok(())
    })
}

/// Flags of trust, without that for a key that is not there.
fn without_key(flags: &str) -> String {
    flags.replace('u', "")
}

/// What the server will show: of several of one subject, it takes the newest.
fn served<'a>(kept: &'a [Kept], name: &str) -> Option<&'a X509> {
    let named = kept.iter().filter(|kept| kept.name == name && kept.has_key());
    named.map(|kept| &kept.x509).max_by_key(|x509| x509.not_before)
}

fn fingerprint(x509: &X509) -> Fingerprint {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, &x509.der).as_ref());
    Fingerprint(bytes)
}

/// A name in the database that no other certificate has.
fn title(x509: &X509) -> String {
    let name = x509.common_name.as_deref().unwrap_or("authority");
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '.' | '_')).collect();
    format!("{} {}", name.trim(), fingerprint(x509).short())
}

/// The certificate and key that options name, if they do. An error is of an option.
fn offer(settings: &Settings) -> Result<Option<Offer>, (&'static str, String)> {
    let (Some(certificate), Some(key)) = (settings.text("tls_cert"), settings.text("tls_key")) else { return Ok(None) };
    let of_certificate = |problem: String| of_certificate(certificate, &problem);
    let of_key = |problem: String| ("tls_key", format!("is {key}, but {problem}"));
    let mut chain = read(certificate).and_then(|bytes| certificates(&bytes)).map_err(of_certificate)?;
    let certificate = chain.remove(0);
    let key = read(key).and_then(|bytes| Key::read(&bytes)).map_err(of_key)?;
    if !key.is_of(&certificate) {
        return Err(of_key("that is not the key of the first certificate in tls_cert".to_owned()));
    }
    chain.retain(|x509| x509.der != certificate.der);
    Ok(Some(Offer { certificate, chain, key }))
}

/// What is wrong with the certificate that an option names.
fn of_certificate(file: &str, problem: &str) -> (&'static str, String) {
    ("tls_cert", format!("is {file}, but {problem}"))
}

/// The authorities that an option names.
fn authorities(settings: &Settings) -> Result<Vec<X509>, String> {
    let mut found: BTreeMap<Vec<u8>, X509> = BTreeMap::new();
    for path in settings.list("tls_ca").unwrap_or_default() {
        let read = read(path).and_then(|bytes| certificates(&bytes)).map_err(|problem| format!("has {path}, but {problem}"))?;
        for x509 in read {
            if x509.not_after < now() {
                return Err(format!("has {path}, but a certificate in it ended on {}; replace it", x509::date(x509.not_after)));
            }
            found.insert(x509.der.clone(), x509);
        }
    }
    Ok(found.into_values().collect())
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    let size = fs::metadata(path).map_err(|error| format!("it cannot be read: {error}"))?.len();
    if size > LARGEST {
        return Err(format!("it is no file of PEM: it has {size} bytes"));
    }
    fs::read(path).map_err(|error| format!("it cannot be read: {error}"))
}

/// The certificates in a file of PEM, at least one.
fn certificates(text: &[u8]) -> Result<Vec<X509>, String> {
    let mut found = Vec::new();
    for block in pem::read(text)? {
        if matches!(block.label.as_str(), "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE") {
            found.push(X509::read(&block.bytes).ok_or_else(|| format!("certificate {} in it is damaged", found.len() + 1))?);
        }
    }
    if found.is_empty() { Err("it has no certificate in PEM".to_owned()) } else { Ok(found) }
}

/// Whether a server of this name can show a certificate.
fn check(certificate: &X509, host: &str) -> Result<(), String> {
    let now = now();
    if certificate.not_after < now {
        return Err(format!("the certificate ended on {}; renew it", x509::date(certificate.not_after)));
    }
    if certificate.not_before > now {
        return Err(format!("the certificate begins on {}; correct the clock or wait", x509::date(certificate.not_before)));
    }
    if !certificate.is_for_servers {
        return Err("the certificate is not for servers: its extended key usage lacks serverAuth".to_owned());
    }
    if !certificate.is_for(host) {
        let names = certificate.shown_names();
        return Err(format!(
            "the certificate is for {names}, not for {host}, which is full_machine_name; clients and other servers would refuse it"
        ));
    }
    if certificate.not_after < now + SOON {
        tracing::warn!(host, until = x509::date(certificate.not_after), "the certificate ends soon");
    }
    Ok(())
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or(0)
}

/// For the parcel: random, and used once.
fn password() -> Result<String, Error> {
    let mut bytes = [0; 24];
    rand::fill(&mut bytes).map_err(|_| Error::Random)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

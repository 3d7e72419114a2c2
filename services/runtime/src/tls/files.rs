//! The PEM files of one end: read whole, and taken apart into certificates and a key. Keys appear in no message.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio::io::AsyncReadExt;

use super::Error;

/// No file of certificates is larger.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Where the files are.
#[derive(Debug, Clone)]
pub(super) struct Files {
    /// Our own certificate, and those between it and its authority.
    pub(super) certificate: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
    /// Who vouches for the other side.
    pub(super) authority: Option<PathBuf>,
}

/// What is in them.
#[derive(PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) certificate: Option<Vec<u8>>,
    key: Option<Vec<u8>>,
    pub(super) authority: Option<Vec<u8>>,
}

/// Who we are.
pub(super) struct Identity {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

/// What no file holds. In errors stands whose it is.
pub(super) fn in_memory(certificate: &str, key: &str, authority: &str) -> (Files, Contents) {
    let named = |name: &str| Some(PathBuf::from(name));
    let bytes = |text: &str| Some(text.as_bytes().to_vec());
    (
        Files { certificate: named("our certificate"), key: named("our key"), authority: named("the authority") },
        Contents { certificate: bytes(certificate), key: bytes(key), authority: bytes(authority) },
    )
}

impl Files {
    pub(super) async fn read(&self) -> Result<Contents, Error> {
        Ok(Contents {
            certificate: read(self.certificate.as_deref()).await?,
            key: read(self.key.as_deref()).await?,
            authority: read(self.authority.as_deref()).await?,
        })
    }

    pub(super) fn identity(&self, contents: &Contents) -> Result<Identity, Error> {
        let chain = certificates(self.certificate.as_deref(), contents.certificate.as_deref())?;
        let key = contents.key.as_deref().and_then(|pem| PrivateKeyDer::from_pem_slice(pem).ok());
        let key = key.ok_or_else(|| Error::Pem { what: "a private key", path: shown(self.key.as_deref()) })?;
        Ok(Identity { chain, key })
    }

    pub(super) fn authority(&self, contents: &Contents) -> Result<Vec<CertificateDer<'static>>, Error> {
        certificates(self.authority.as_deref(), contents.authority.as_deref())
    }
}

impl fmt::Display for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths = [&self.certificate, &self.key, &self.authority];
        for (index, path) in paths.into_iter().flatten().enumerate() {
            write!(f, "{}{}", if index > 0 { ", " } else { "" }, path.display())?;
        }
        Ok(())
    }
}

async fn read(path: Option<&Path>) -> Result<Option<Vec<u8>>, Error> {
    let Some(path) = path else { return Ok(None) };
    let failed = |source| Error::Read { path: path.display().to_string(), source };
    let file = tokio::fs::File::open(path).await.map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES).read_to_end(&mut bytes).await.map_err(failed)?;
    Ok(Some(bytes))
}

fn certificates(path: Option<&Path>, pem: Option<&[u8]>) -> Result<Vec<CertificateDer<'static>>, Error> {
    let missing = || Error::Pem { what: "a certificate", path: shown(path) };
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.unwrap_or_default()).collect();
    found.ok().filter(|found| !found.is_empty()).ok_or_else(missing)
}

fn shown(path: Option<&Path>) -> String {
    path.map(|path| path.display().to_string()).unwrap_or_default()
}

//! An authority of a test's own, and certificates that it vouches for, made by `openssl`.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The authority. Files lie in a folder of the test's.
pub struct Authority {
    folder: PathBuf,
    name: String,
}

/// A certificate and its key.
#[derive(Clone)]
pub struct Identity {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    pub fn new(folder: &Path, name: &str) -> Authority {
        let authority = Authority { folder: folder.to_owned(), name: name.to_owned() };
        let (key, certificate) = (authority.file("key"), authority.certificate());
        let subject = format!("/CN={name}");
        let arguments = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"];
        let usage = ["-addext", "keyUsage=critical,keyCertSign", "-subj", &subject];
        openssl(Command::new("openssl").args(arguments).args(usage).arg("-keyout").arg(key).arg("-out").arg(certificate));
        authority
    }

    /// Whom to believe.
    pub fn certificate(&self) -> PathBuf {
        self.file("crt")
    }

    /// A certificate for a host name, put into these files.
    pub fn vouch(&self, host: &str, files: &str) -> Identity {
        let identity =
            Identity { certificate: self.folder.join(format!("{files}.crt")), key: self.folder.join(format!("{files}.key")) };
        let arguments = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"];
        let (subject, name) = (format!("/CN={host}"), format!("subjectAltName=DNS:{host}"));
        let usage = ["-subj", &subject, "-addext", &name, "-addext", "basicConstraints=critical,CA:FALSE"];
        let mut command = Command::new("openssl");
        command.args(arguments).args(usage).arg("-CA").arg(self.certificate()).arg("-CAkey").arg(self.file("key"));
        openssl(command.arg("-keyout").arg(&identity.key).arg("-out").arg(&identity.certificate));
        identity
    }

    fn file(&self, extension: &str) -> PathBuf {
        self.folder.join(format!("{}.{extension}", self.name))
    }
}

fn openssl(command: &mut Command) {
    let output = command.output().expect("openssl is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

//! The database of certificates and keys of a new instance, and a certificate that it signs itself. certutil does the work; it
//! gets its password from a file.

use std::{ffi::OsString, fs, path::Path, process::Command};

use aws_lc_rs::rand;

use super::{Error, checks::Plan, folders::Made};
use crate::{installation::Installation, tool};

/// The files of the database, as certutil makes them.
const DATABASE: [&str; 3] = ["cert9.db", "key4.db", "pkcs11.txt"];

/// The password of the database.
const PASSWORD: &str = "pwdfile.txt";

/// The password, as the server reads it. The last file to be made.
const PIN: &str = "pin.txt";

/// Random bytes for a key. While this is there, the database is in the making, and may be begun anew.
const NOISE: &str = "noise.new";

/// Bits of the key.
const KEY_BITS: &str = "3072";

/// Makes the database, unless the folder has one, and a certificate in it that is valid for some months.
pub(super) fn make(made: &mut Made, installation: &Installation, plan: &Plan, months: Option<i64>) -> Result<(), Error> {
    let folder = &plan.paths.cert_dir;
    let noise = folder.join(NOISE);
    if folder.join(DATABASE[0]).exists() && !noise.exists() {
        return Ok(());
    }
    made.file(&noise, 0o600, hex(&random::<64>("a key")?).as_bytes())?;
    for name in DATABASE {
        made.clear(&folder.join(name))?;
    }
    let password = hex(&random::<32>("the password of the certificates' database")?);
    made.file(&folder.join(PASSWORD), 0o600, format!("{password}\n").as_bytes())?;

    let certutil = Certutil { program: &installation.certutil(), folder };
    certutil.run("make the database of certificates", &["-N"])?;
    if let Some(months) = months {
        let serial = u32::from_be_bytes(random::<4>("a certificate")?) >> 1;
        let arguments = [
            "-S",
            "-x",
            "-n",
            "Server-Cert",
            "-s",
            &format!("CN={},OU=slapd-{}", plan.host, plan.name),
            "-t",
            "CTu,Cu,Cu",
            "-m",
            &serial.to_string(),
            "-v",
            &months.to_string(),
            "-k",
            "rsa",
            "-g",
            KEY_BITS,
            "-Z",
            "SHA256",
            "--keyUsage",
            "digitalSignature,keyEncipherment",
            "--extKeyUsage",
            "serverAuth,clientAuth",
            "--extSAN",
            &names(&plan.host),
            "-z",
            NOISE,
        ];
        certutil.run("make a certificate", &arguments)?;
    }
    for name in DATABASE {
        made.hand_over(&folder.join(name))?;
    }
    made.file(&folder.join(PIN), 0o600, format!("Internal (Software) Token:{password}\n").as_bytes())?;
    fs::remove_file(&noise).map_err(Error::file("delete", &noise))
}

/// The names that the certificate is for.
fn names(host: &str) -> String {
    if host == "localhost" { "dns:localhost".to_owned() } else { format!("dns:{host},dns:localhost") }
}

/// The program and the folder that it works in.
struct Certutil<'a> {
    program: &'a Path,
    folder: &'a Path,
}

impl Certutil<'_> {
    fn run(&self, step: &'static str, arguments: &[&str]) -> Result<(), Error> {
        let fail = |problem| Error::Program { step, program: self.program.to_owned(), path: self.folder.to_owned(), problem };
        let mut database = OsString::from("sql:");
        database.push(self.folder);
        let mut command = Command::new(self.program);
        command.args(arguments).arg("-d").arg(database).args(["-f", PASSWORD]).current_dir(self.folder);
        tool::run(&mut command).map(drop).map_err(fail)
    }
}

fn random<const N: usize>(purpose: &'static str) -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| Error::Random(purpose))?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

//! The format of ansible-vault, 1.1 and 1.2: a line that says what it is, and hexadecimal digits in which salt, seal and
//! ciphertext are, in hexadecimal digits again.

use std::num::NonZeroU32;

use aws_lc_rs::{
    cipher::{AES_256, DecryptingKey, DecryptionContext, UnboundCipherKey},
    hmac, iv, pbkdf2,
};
use directory::secret::Secret;

/// How an encrypted text begins.
const MARK: &str = "$ANSIBLE_VAULT";

const ITERATIONS: NonZeroU32 = NonZeroU32::MIN.saturating_add(9999);

const KEY: usize = 32;
const BLOCK: usize = 16;

/// What is wrong with an encrypted text. None tells anything of what is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// There is no password to try.
    #[error("is vaulted: say in which file its password is by --vault-password-file")]
    NoPassword,
    /// No password is the right one.
    #[error("is vaulted, and none of the vault passwords opens it{}", label(.id.as_ref()))]
    WrongPassword {
        /// The vault id that it names.
        id: Option<String>,
    },
    /// Another version or cipher.
    #[error("is vaulted as '{0}', which is not supported: encrypt it anew by ansible-vault")]
    Unsupported(String),
    /// It is cut off or changed.
    #[error("is vaulted, but damaged: {0}; encrypt it anew by ansible-vault")]
    Damaged(&'static str),
    /// It is no text.
    #[error("is vaulted, and what is in it is no text in UTF-8: ansible-vault can encrypt more than a variable may hold")]
    NoText,
}

fn label(id: Option<&String>) -> String {
    id.map(|id| format!(" (its vault id is '{id}')")).unwrap_or_default()
}

/// An encrypted text, taken apart.
pub struct Envelope {
    /// The vault id that it names.
    pub id: Option<String>,
    salt: Vec<u8>,
    seal: Vec<u8>,
    ciphertext: Vec<u8>,
}

/// Whether a text says that it is encrypted.
pub fn is_encrypted(text: &str) -> bool {
    text.starts_with(MARK)
}

impl Envelope {
    /// Takes a text apart.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let mut lines = text.trim().lines().map(str::trim);
        let head = lines.next().unwrap_or_default();
        let mut parts = head.split(';').map(str::trim);
        if parts.next() != Some(MARK) {
            return Err(Problem::Damaged("it does not begin with $ANSIBLE_VAULT"));
        }
        let (version, cipher, id) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next());
        if !matches!(version, "1.1" | "1.2") || cipher != "AES256" {
            return Err(Problem::Unsupported(head.chars().take(80).collect()));
        }
        let body = hex(&lines.collect::<String>())?;
        let body = std::str::from_utf8(&body).map_err(|_| Problem::Damaged("its digits are not those of digits"))?;
        let mut parts = body.split('\n').map(|part| hex(part.trim()));
        let mut next = || parts.next().unwrap_or(Err(Problem::Damaged("a part of it is missing")));
        let envelope =
            Self { id: id.filter(|_| version == "1.2").map(str::to_owned), salt: next()?, seal: next()?, ciphertext: next()? };
        if envelope.ciphertext.is_empty() || !envelope.ciphertext.len().is_multiple_of(BLOCK) {
            return Err(Problem::Damaged("its length is that of no encrypted text"));
        }
        Ok(envelope)
    }

    /// The text, if the password is the right one.
    pub fn open(&self, password: &Secret) -> Result<String, Problem> {
        let mut keys = [0; KEY + KEY + BLOCK];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ITERATIONS, &self.salt, password.reveal().as_bytes(), &mut keys);
        let (cipher_key, rest) = keys.split_at(KEY);
        let (seal_key, start) = rest.split_at(KEY);
        let wrong = || Problem::WrongPassword { id: self.id.clone() };
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, seal_key), &self.ciphertext, &self.seal).map_err(|_| wrong())?;
        let failed = |_| Problem::Damaged("it cannot be decrypted");
        let key = DecryptingKey::ctr(UnboundCipherKey::new(&AES_256, cipher_key).map_err(failed)?).map_err(failed)?;
        let start: [u8; BLOCK] = start.try_into().map_err(|_| Problem::Damaged("it cannot be decrypted"))?;
        let mut text = self.ciphertext.clone();
        let length = key.decrypt(&mut text, DecryptionContext::Iv128(iv::FixedLength::from(start))).map_err(failed)?.len();
        text.truncate(length);
        // As many bytes as each of them says.
        let padding = text.last().map_or(0, |last| usize::from(*last));
        let length = text.len().checked_sub(padding).filter(|_| (1..=BLOCK).contains(&padding));
        text.truncate(length.ok_or(Problem::Damaged("its end is not that of an encrypted text"))?);
        String::from_utf8(text).map_err(|_| Problem::NoText)
    }
}

fn hex(digits: &str) -> Result<Vec<u8>, Problem> {
    let wrong = Problem::Damaged("there is something else than hexadecimal digits in it");
    let digits: Option<Vec<u8>> = digits.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let (pairs, []) = digits.as_deref().ok_or(wrong.clone())?.as_chunks::<2>() else { return Err(wrong) };
    Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests;

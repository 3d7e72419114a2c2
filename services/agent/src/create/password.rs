//! Passwords as 389 Directory Server stores them: `{PBKDF2-SHA512}ROUNDS$SALT$HASH`, both in base64; and fingerprints of the
//! same form, for texts that stand encrypted beside them.

use std::num::NonZeroU32;

use aws_lc_rs::{pbkdf2, rand};
use base64::{Engine, engine::general_purpose::STANDARD};
use directory::{secret::Secret, version::Version};

use super::Error;

/// Bytes of salt.
const SALT: usize = 24;

/// Bytes of the hash.
const HASH: usize = 64;

/// Rounds for fingerprints.
const FINGERPRINT_ROUNDS: u32 = 1000;

/// A password as it is stored. One that is hashed already stays as it is.
pub(super) fn stored(password: &Secret, version: Version) -> Result<Secret, Error> {
    if password.is_hashed() {
        return Ok(password.clone());
    }
    Ok(Secret::new(salted(password.reveal(), rounds(version))?))
}

/// A text by which another can be known again. Few rounds do: the server keeps the text itself, in a form that it can decrypt.
pub(crate) fn fingerprint(text: &str) -> Result<String, Error> {
    salted(text, NonZeroU32::new(FINGERPRINT_ROUNDS).unwrap_or(NonZeroU32::MIN))
}

/// Whether a fingerprint is that of a text.
pub(crate) fn is_fingerprint(fingerprint: &str, text: &str) -> bool {
    verify(text, fingerprint) == Some(true)
}

/// Whether a stored password is this one; `None` if it is stored in a way that is not known here.
pub(crate) fn is_stored(password: &Secret, stored: &str) -> Option<bool> {
    if password.is_hashed() {
        return Some(password.reveal() == stored);
    }
    verify(password.reveal(), stored)
}

fn verify(text: &str, stored: &str) -> Option<bool> {
    let mut parts = stored.strip_prefix("{PBKDF2-SHA512}")?.split('$');
    let rounds: NonZeroU32 = parts.next()?.parse().ok()?;
    let salt = STANDARD.decode(parts.next()?).ok()?;
    let hash = STANDARD.decode(parts.next()?).ok()?;
    let verified = pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA512, rounds, &salt, text.as_bytes(), &hash);
    Some(verified.is_ok())
}

/// As many rounds as the server itself takes.
fn rounds(version: Version) -> NonZeroU32 {
    let rounds = if version < Version::new(3, 0, 0) { 10_000 } else { 100_000 };
    NonZeroU32::new(rounds).unwrap_or(NonZeroU32::MIN)
}

fn salted(text: &str, rounds: NonZeroU32) -> Result<String, Error> {
    let mut salt = [0; SALT];
    rand::fill(&mut salt).map_err(|_| Error::Random("the salt of a password"))?;
    Ok(hashed(text, &salt, rounds))
}

fn hashed(password: &str, salt: &[u8], rounds: NonZeroU32) -> String {
    let mut hash = [0; HASH];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA512, rounds, salt, password.as_bytes(), &mut hash);
    format!("{{PBKDF2-SHA512}}{rounds}${}${}", STANDARD.encode(salt), STANDARD.encode(hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_the_one_that_pwdhash_makes() {
        // pwdhash -s PBKDF2-SHA512 x, of 389 Directory Server 2.3.1.
        let expected = "{PBKDF2-SHA512}10000$j63MrTd6JnrYaW3ZS17/ofGb/LZcf3mC$iehpzknaoLZDVsdvmmgn4eOllEa0GHuSnZ9S2GOgUYTXr/70Lbd7wmoBdG+V8Gnn5irAAZOIYYAt1gC35xN56A==";
        let salt = STANDARD.decode("j63MrTd6JnrYaW3ZS17/ofGb/LZcf3mC").unwrap();
        assert_eq!(hashed("x", &salt, rounds(Version::new(2, 3, 1))), expected);
    }

    #[test]
    fn a_stored_password_is_told_from_others() {
        let stored = stored(&Secret::new("secret12"), Version::new(2, 3, 1)).unwrap();
        for (password, hash, expected) in [
            ("secret12", stored.reveal(), Some(true)),
            ("secret13", stored.reveal(), Some(false)),
            (stored.reveal(), stored.reveal(), Some(true)),
            ("{SSHA}abc", stored.reveal(), Some(false)),
            ("secret12", "{SSHA}abc", None),
            ("secret12", "{PBKDF2-SHA512}0$a$b", None),
            ("secret12", "", None),
        ] {
            assert_eq!(is_stored(&Secret::new(password), hash), expected, "{password} {hash}");
        }
    }

    #[test]
    fn what_is_hashed_stays() {
        let version = Version::new(3, 1, 2);
        let hash = Secret::new("{SSHA512}abc");
        assert_eq!(stored(&hash, version).unwrap(), hash);
        let one = stored(&Secret::new("password"), version).unwrap();
        let other = stored(&Secret::new("password"), version).unwrap();
        assert!(one.is_hashed() && one.reveal().starts_with("{PBKDF2-SHA512}100000$"));
        assert_ne!(one, other);
    }
}

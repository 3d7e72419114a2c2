//! A certificate and its key in one parcel, PKCS #12, as the server's tools take it in: the key encrypted with AES-256, the whole
//! sealed with SHA-256 (RFC 7292, RFC 8018).

use std::num::NonZeroU32;

use aws_lc_rs::{
    cipher::{AES_256, PaddedBlockEncryptingKey, UnboundCipherKey},
    digest, hmac, pbkdf2, rand,
};

use super::der::{BMP_STRING, NULL, OCTET_STRING, OID, SEQUENCE, SET, context, element, integer};

/// Names, as DER has them.
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const CERTIFICATE_BAG: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x03];
const KEY_BAG: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x02];
const X509_CERTIFICATE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x16, 0x01];
const FRIENDLY_NAME: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x14];
const LOCAL_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x15];
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];
const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c];
const HMAC_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x09];
const AES_256_CBC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a];
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];

/// The password is random and used once, so that nobody has anything to guess.
const ROUNDS: u32 = 2048;

/// Bytes of the hash, and of the block that it works on.
const HASH: usize = 32;
const BLOCK: usize = 64;

/// A certificate, and a key with the name of its kind, under a name. `None` if the system has no random numbers.
pub(super) fn write(name: &str, certificate: &[u8], key: &[u8], password: &str) -> Option<Vec<u8>> {
    let mut salts = [[0; 16]; 2];
    salts.iter_mut().try_for_each(|salt| rand::fill(salt)).ok()?;
    let [key_salt, seal_salt] = salts;
    let id = digest::digest(&digest::SHA256, certificate);
    let attributes = attributes(name, id.as_ref());
    let certificate =
        element(SEQUENCE, &[&oid(X509_CERTIFICATE), &element(context(0), &[&element(OCTET_STRING, &[certificate])])]);
    let bags = element(
        SEQUENCE,
        &[&bag(CERTIFICATE_BAG, &certificate, &attributes), &bag(KEY_BAG, &encrypted(key, password, &key_salt)?, &attributes)],
    );
    let contents = element(SEQUENCE, &[&data(&bags)]);
    let seal_key = hmac::Key::new(hmac::HMAC_SHA256, &derived(password, &seal_salt, ROUNDS));
    let seal = hmac::sign(&seal_key, &contents);
    let hash = element(SEQUENCE, &[&algorithm(SHA256, &element(NULL, &[])), &element(OCTET_STRING, &[seal.as_ref()])]);
    let seal = element(SEQUENCE, &[&hash, &element(OCTET_STRING, &[&seal_salt]), &integer(ROUNDS)]);
    Some(element(SEQUENCE, &[&integer(3), &data(&contents), &seal]))
}

fn oid(name: &[u8]) -> Vec<u8> {
    element(OID, &[name])
}

fn algorithm(name: &[u8], parameters: &[u8]) -> Vec<u8> {
    element(SEQUENCE, &[&oid(name), parameters])
}

fn data(content: &[u8]) -> Vec<u8> {
    element(SEQUENCE, &[&oid(DATA), &element(context(0), &[&element(OCTET_STRING, &[content])])])
}

fn bag(kind: &[u8], value: &[u8], attributes: &[u8]) -> Vec<u8> {
    element(SEQUENCE, &[&oid(kind), &element(context(0), &[value]), attributes])
}

/// What certificate and key have in common.
fn attributes(name: &str, id: &[u8]) -> Vec<u8> {
    let text: Vec<u8> = name.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let attribute = |kind: &[u8], value: &[u8]| element(SEQUENCE, &[&oid(kind), &element(SET, &[value])]);
    element(
        SET,
        &[&attribute(FRIENDLY_NAME, &element(BMP_STRING, &[&text])), &attribute(LOCAL_KEY, &element(OCTET_STRING, &[id]))],
    )
}

fn encrypted(key: &[u8], password: &str, salt: &[u8]) -> Option<Vec<u8>> {
    let mut secret = [0; 32];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, NonZeroU32::new(ROUNDS)?, salt, password.as_bytes(), &mut secret);
    let cipher = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, &secret).ok()?).ok()?;
    let mut bytes = key.to_vec();
    let context = cipher.encrypt(&mut bytes).ok()?;
    let iv = <&[u8]>::try_from(&context).ok()?;
    let derivation =
        element(SEQUENCE, &[&element(OCTET_STRING, &[salt]), &integer(ROUNDS), &algorithm(HMAC_SHA256, &element(NULL, &[]))]);
    let scheme = element(SEQUENCE, &[&algorithm(PBKDF2, &derivation), &algorithm(AES_256_CBC, &element(OCTET_STRING, &[iv]))]);
    Some(element(SEQUENCE, &[&algorithm(PBES2, &scheme), &element(OCTET_STRING, &[&bytes])]))
}

/// The key of the seal: RFC 7292, appendix B, for the purpose 3, as long as one hash.
fn derived(password: &str, salt: &[u8], rounds: u32) -> [u8; HASH] {
    let password: Vec<u8> = password.encode_utf16().chain([0]).flat_map(u16::to_be_bytes).collect();
    let filled = |bytes: &[u8]| -> Vec<u8> {
        let length = bytes.len().div_ceil(BLOCK) * BLOCK;
        bytes.iter().copied().cycle().take(length).collect()
    };
    let mut hash = [3; BLOCK].to_vec();
    hash.extend(filled(salt));
    hash.extend(filled(&password));
    for _ in 0..rounds {
        hash = digest::digest(&digest::SHA256, &hash).as_ref().to_vec();
    }
    let mut key = [0; HASH];
    key.copy_from_slice(&hash);
    key
}

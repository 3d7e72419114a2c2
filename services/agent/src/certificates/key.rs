//! Private keys, RSA and EC, in the forms in which tools write them. What is wrong with one is said without any of it.

use aws_lc_rs::{
    rsa,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, KeyPair,
    },
};

use super::{
    der::{OCTET_STRING, SEQUENCE, element, integer, only},
    pem,
    x509::X509,
};

/// A private key.
pub(super) struct Key {
    /// As a file has it: alone, or with the name of its kind around it.
    der: Vec<u8>,
    /// Whether the name of its kind is around it: PKCS #8.
    is_named: bool,
    /// The public key, as certificates have it.
    public: Vec<u8>,
}

impl Key {
    /// The key in a file of PEM.
    pub(super) fn read(text: &[u8]) -> Result<Self, String> {
        let blocks = pem::read(text)?;
        let Some(block) = blocks.into_iter().find(|block| block.label.ends_with("PRIVATE KEY")) else {
            return Err("it has no private key in PEM".to_owned());
        };
        if block.is_encrypted {
            return Err("its key needs a password; write it without one, readable for root alone".to_owned());
        }
        let is_named = block.label == "PRIVATE KEY";
        let Some(public) = public(&block.bytes, is_named) else {
            return Err("its key is damaged, or of a kind that is not supported: RSA with 2048 bits or more and EC with P-256, \
                        P-384 or P-521 are"
                .to_owned());
        };
        Ok(Self { der: block.bytes, is_named, public })
    }

    /// Whether a certificate is of this key.
    pub(super) fn is_of(&self, certificate: &X509) -> bool {
        self.public == certificate.key
    }

    /// The key with the name of its kind, which its certificate has too.
    pub(super) fn named(&self, certificate: &X509) -> Vec<u8> {
        if self.is_named {
            return self.der.clone();
        }
        element(SEQUENCE, &[&integer(0), &certificate.algorithm, &element(OCTET_STRING, &[&self.der])])
    }
}

/// The public key of a private one.
fn public(der: &[u8], is_named: bool) -> Option<Vec<u8>> {
    only(der, SEQUENCE)?;
    let rsa = if is_named { rsa::KeyPair::from_pkcs8(der) } else { rsa::KeyPair::from_der(der) };
    if let Ok(key) = rsa {
        return Some(key.public_key().as_ref().to_vec());
    }
    let kinds = [&ECDSA_P256_SHA256_ASN1_SIGNING, &ECDSA_P384_SHA384_ASN1_SIGNING, &ECDSA_P521_SHA512_ASN1_SIGNING];
    let key = kinds.into_iter().find_map(|kind| EcdsaKeyPair::from_private_key_der(kind, der).ok())?;
    Some(key.public_key().as_ref().to_vec())
}

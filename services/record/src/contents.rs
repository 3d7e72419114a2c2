//! How ARA packs what it keeps: zlib of text, files once for each content, known by their SHA-1. That also names what has to
//! have a UUID.

use std::io::Write;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use flate2::{Compression, write::ZlibEncoder};

/// The zlib stream of a text.
pub(crate) fn packed(text: &str) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // A vector takes all bytes.
    let written = encoder.write_all(text.as_bytes());
    debug_assert!(written.is_ok());
    encoder.finish().unwrap_or_default()
}

/// The SHA-1 of a text, in hexadecimal digits.
pub(crate) fn sha1(text: &str) -> String {
    hexadecimal(digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()).as_ref())
}

/// A UUID of a name, of version 5: the same for the same name, another for every other. As Django stores it in SQLite, without
/// dashes.
pub(crate) fn uuid(name: &str) -> String {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, name.as_bytes());
    let mut bytes: Vec<u8> = hash.as_ref().iter().copied().take(16).collect();
    if let Some(byte) = bytes.get_mut(6) {
        *byte = *byte & 0x0f | 0x50;
    }
    if let Some(byte) = bytes.get_mut(8) {
        *byte = *byte & 0x3f | 0x80;
    }
    hexadecimal(&bytes)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn what_is_packed_unpacks_to_what_it_was() {
        for text in ["", "{}", "---\n- hosts: all\n", "é日😀"] {
            let bytes = packed(text);
            assert_eq!(bytes.first(), Some(&0x78), "{text:?} is not zlib");
            let mut unpacked = String::new();
            flate2::read::ZlibDecoder::new(&bytes[..]).read_to_string(&mut unpacked).unwrap();
            assert_eq!(unpacked, text);
        }
    }

    #[test]
    fn hashes_are_those_of_python() {
        assert_eq!(sha1(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        assert_eq!(sha1("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }

    #[test]
    fn a_name_has_one_uuid_of_version_5() {
        let name = uuid("abc");
        assert_eq!((name.len(), &name[12..13]), (32, "5"), "{name}");
        assert!(matches!(&name[16..17], "8" | "9" | "a" | "b"), "{name}");
        assert_eq!(uuid("abc"), name);
        assert_ne!(uuid("abd"), name);
    }
}

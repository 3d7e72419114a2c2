//! PEM: blocks of base64 between lines that say what they are. Text around them is let be, as everywhere.

use base64::{Engine, engine::general_purpose::STANDARD};

/// How blocks begin and end.
const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";

/// A block.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// What it is, such as `CERTIFICATE`.
    pub(super) label: String,
    /// Whether a password is needed to read it.
    pub(super) is_encrypted: bool,
    /// What it holds.
    pub(super) bytes: Vec<u8>,
}

/// All blocks of a file. The error says what is wrong, with no part of what is in a block.
pub(super) fn read(text: &[u8]) -> Result<Vec<Block>, String> {
    let text = String::from_utf8_lossy(text);
    let mut blocks = Vec::new();
    let mut lines = text.lines().map(str::trim).enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(label) = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix("-----")) else { continue };
        let (mut body, mut is_encrypted, mut is_whole) = (String::new(), label.starts_with("ENCRYPTED "), false);
        for (_, line) in lines.by_ref() {
            if line.starts_with(END) {
                is_whole = true;
                break;
            }
            // Headers of the old form of keys.
            if line.contains(':') {
                is_encrypted |= line.contains("ENCRYPTED");
            } else {
                body.push_str(line);
            }
        }
        if !is_whole {
            return Err(format!("the block that begins in line {} has no end", number + 1));
        }
        // With a header that says how it is encrypted, what follows is base64 too.
        let bytes = STANDARD.decode(&body).map_err(|_| format!("the block that begins in line {} is no base64", number + 1))?;
        blocks.push(Block { label: label.to_owned(), is_encrypted, bytes });
    }
    Ok(blocks)
}

/// A block as PEM.
#[cfg(test)]
pub(super) fn write(label: &str, bytes: &[u8]) -> String {
    format!("{BEGIN}{label}-----\n{}\n{END}{label}-----\n", STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_one_after_the_other() {
        let text = format!("Subject: x\n{}\nmore\r\n{}", write("CERTIFICATE", b"one"), write("EC PRIVATE KEY", b"two"));
        let blocks = read(text.as_bytes()).unwrap();
        let told: Vec<_> =
            blocks.iter().map(|block| (block.label.as_str(), block.bytes.as_slice(), block.is_encrypted)).collect();
        assert_eq!(told, [("CERTIFICATE", &b"one"[..], false), ("EC PRIVATE KEY", b"two", false)]);
        assert_eq!(read(b"nothing").unwrap(), []);
    }

    #[test]
    fn keys_with_passwords_are_known_in_both_forms() {
        let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,AB\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
        assert!(read(old.as_bytes()).unwrap()[0].is_encrypted);
        assert!(read(write("ENCRYPTED PRIVATE KEY", b"x").as_bytes()).unwrap()[0].is_encrypted);
    }

    #[test]
    fn what_is_broken_says_where() {
        assert_eq!(read(b"x\n-----BEGIN A-----\nAAAA\n").unwrap_err(), "the block that begins in line 2 has no end");
        assert_eq!(read(b"-----BEGIN A-----\n*\n-----END A-----").unwrap_err(), "the block that begins in line 1 is no base64");
    }
}

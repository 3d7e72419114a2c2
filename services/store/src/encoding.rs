//! How stored objects are packed: told by their first bytes, never by their names, and unpacked within bounds.

use std::{
    cell::Cell,
    io::{self, Read, Write},
};

/// How an object is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// A SQLite database as it is.
    Raw,
    /// A zlib stream, as Zuul's log uploads have it.
    Zlib,
    /// A gzip member.
    Gzip,
    /// A Zstandard frame.
    Zstd,
}

/// How many of an object's first bytes [`sniff`] wants.
pub const SNIFF_BYTES: usize = 16;

/// Packed databases do not shrink by more than this, once they are as large as [`RATIO_FREE_BYTES`]: what does was made to
/// fill disks.
const MAX_RATIO: u64 = 250;
/// Unpacked bytes for which no ratio is asked: pages that were never used pack to nothing.
const RATIO_FREE_BYTES: u64 = 256 << 20;

/// Why an object could not be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The packed bytes are damaged or cut short.
    #[error("failed to unpack the object")]
    Damaged(#[source] io::Error),
    /// The unpacked bytes would pass the bound.
    #[error("the unpacked object would be larger than {limit} bytes")]
    TooLarge {
        /// The bound in bytes.
        limit: u64,
    },
    /// Hardly any bytes would become a great many.
    #[error("the object unpacks to more than {MAX_RATIO} times its size")]
    Bomb,
    /// The unpacked bytes could not be written.
    #[error("failed to write the unpacked object")]
    Write(#[source] io::Error),
}

/// Tells the encoding by an object's first bytes; `None` when they are none that a report can have.
pub fn sniff(head: &[u8]) -> Option<Encoding> {
    match head {
        [b'S', b'Q', b'L', b'i', b't', b'e', b' ', b'f', b'o', b'r', b'm', b'a', b't', b' ', b'3', 0, ..] => Some(Encoding::Raw),
        [0x1f, 0x8b, 8, ..] => Some(Encoding::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Encoding::Zstd),
        // RFC 1950: deflate with a window of at most 32 KiB, and a check that makes the two bytes a multiple of 31.
        [method, flags, ..] if method & 0x8f == 0x08 && u16::from_be_bytes([*method, *flags]) % 31 == 0 => Some(Encoding::Zlib),
        _ => None,
    }
}

/// Unpacks `source` into `target` and gives the number of bytes written, in one pass and with constant memory.
///
/// # Errors
/// When the packed bytes are damaged, the result would pass `limit` bytes, or `target` fails.
pub fn unpack(encoding: Encoding, source: impl Read, target: &mut impl Write, limit: u64) -> Result<u64, Error> {
    let read = &Cell::new(0);
    let source = Counted { source, read };
    match encoding {
        Encoding::Raw => pump(source, read, target, limit),
        Encoding::Zlib => pump(flate2::read::ZlibDecoder::new(source), read, target, limit),
        Encoding::Gzip => pump(flate2::read::MultiGzDecoder::new(source), read, target, limit),
        Encoding::Zstd => pump(zstd::stream::read::Decoder::new(source).map_err(Error::Damaged)?, read, target, limit),
    }
}

/// Counts the packed bytes that were read.
struct Counted<'a, R> {
    source: R,
    read: &'a Cell<u64>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.read.set(self.read.get() + count as u64);
        Ok(count)
    }
}

fn pump(mut source: impl Read, read: &Cell<u64>, target: &mut impl Write, limit: u64) -> Result<u64, Error> {
    let mut buffer = vec![0; 64 * 1024];
    let mut written = 0u64;
    loop {
        let count = match source.read(&mut buffer) {
            Ok(0) => return Ok(written),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Error::Damaged(error)),
        };
        written += count as u64;
        if written > limit {
            return Err(Error::TooLarge { limit });
        }
        if written > RATIO_FREE_BYTES && written / MAX_RATIO > read.get() {
            return Err(Error::Bomb);
        }
        target.write_all(buffer.get(..count).unwrap_or_default()).map_err(Error::Write)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATABASE: &[u8] = b"SQLite format 3\0 and whatever follows";

    fn packed(encoding: Encoding) -> Vec<u8> {
        match encoding {
            Encoding::Raw => DATABASE.to_vec(),
            Encoding::Zlib => {
                let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(DATABASE).unwrap();
                encoder.finish().unwrap()
            }
            Encoding::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(DATABASE).unwrap();
                encoder.finish().unwrap()
            }
            Encoding::Zstd => zstd::encode_all(DATABASE, 3).unwrap(),
        }
    }

    #[test]
    fn every_encoding_is_told_by_its_first_bytes_and_unpacks_to_the_same_database() {
        for encoding in [Encoding::Raw, Encoding::Zlib, Encoding::Gzip, Encoding::Zstd] {
            let bytes = packed(encoding);
            assert_eq!(sniff(&bytes[..SNIFF_BYTES.min(bytes.len())]), Some(encoding));
            let mut unpacked = Vec::new();
            assert_eq!(unpack(encoding, &bytes[..], &mut unpacked, 1000).unwrap(), DATABASE.len() as u64);
            assert_eq!(unpacked, DATABASE);
        }
    }

    #[test]
    fn other_bytes_have_no_encoding() {
        for head in [&b""[..], b"S", b"<html>not found</", b"PK\x03\x04", b"\x78\x00", b"SQLite format 2\0"] {
            assert_eq!(sniff(head), None, "{head:?}");
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let zeros = vec![0; 10 << 20];
        let bomb = zstd::encode_all(&zeros[..], 3).unwrap();
        let mut unpacked = Vec::new();
        assert!(matches!(unpack(Encoding::Zstd, &bomb[..], &mut unpacked, 1 << 20), Err(Error::TooLarge { .. })));
        assert!(unpacked.len() <= 1 << 20);
    }

    #[test]
    fn what_unpacks_to_hundreds_of_times_its_size_is_a_bomb() {
        let zeros = io::repeat(0).take(400 << 20);
        let bomb = zstd::encode_all(zeros, 3).unwrap();
        assert!(matches!(unpack(Encoding::Zstd, &bomb[..], &mut io::sink(), u64::MAX), Err(Error::Bomb)));
    }

    #[test]
    fn a_stream_that_is_cut_short_is_damaged() {
        for encoding in [Encoding::Zlib, Encoding::Gzip, Encoding::Zstd] {
            let bytes = packed(encoding);
            let half = &bytes[..bytes.len() / 2];
            assert!(matches!(unpack(encoding, half, &mut Vec::new(), 1000), Err(Error::Damaged(_))), "{encoding:?}");
        }
    }
}

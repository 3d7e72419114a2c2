//! Content codings: which one a client wants, and the encoders, for whole bodies and for streams.

use std::io::Write;

use bytes::Bytes;

/// Bodies below this many bytes are not worth it.
pub(crate) const MIN_BYTES: usize = 1024;
/// Quality of brotli: the one that is as fast as gzip and packs better.
const BROTLI_QUALITY: u32 = 4;
const BROTLI_WINDOW: u32 = 20;
const ZSTD_LEVEL: i32 = 3;
const GZIP_LEVEL: u32 = 6;

/// A content coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Coding {
    Gzip = 0,
    Brotli = 1,
    Zstd = 2,
}

impl Coding {
    pub(crate) const COUNT: usize = 3;

    /// Its name in headers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }
}

/// The coding that an Accept-Encoding header likes best; `None` for none. Between equals: zstd, br, gzip.
pub(crate) fn choose(accept: Option<&str>) -> Option<Coding> {
    let accept = accept?;
    let mut best: Option<(Coding, u16)> = None;
    let mut identity = None;
    let mut any = None;
    for part in accept.split(',') {
        let (name, params) = part.split_once(';').unwrap_or((part, ""));
        let quality = quality(params);
        let coding = match name.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Coding::Gzip,
            "br" => Coding::Brotli,
            "zstd" => Coding::Zstd,
            "identity" => {
                identity = Some(quality);
                continue;
            }
            "*" => {
                any = Some(quality);
                continue;
            }
            _ => continue,
        };
        if quality > 0 && best.is_none_or(|(chosen, least)| (quality, coding as u8) > (least, chosen as u8)) {
            best = Some((coding, quality));
        }
    }
    if best.is_none() && any.is_some_and(|quality| quality > 0) {
        best = any.map(|quality| (Coding::Gzip, quality));
    }
    best.filter(|(_, quality)| identity.is_none_or(|identity| *quality >= identity)).map(|(coding, _)| coding)
}

/// A q value in thousandths; 1000 when there is none.
fn quality(params: &str) -> u16 {
    let value = params.split(';').find_map(|param| param.trim().strip_prefix("q="));
    let Some(value) = value else { return 1000 };
    value.trim().parse::<f32>().map_or(0, |value| (value.clamp(0.0, 1.0) * 1000.0) as u16)
}

/// Packs a body that is there in pieces.
pub(crate) fn whole(coding: Coding, pieces: &[&[u8]]) -> Bytes {
    let mut encoder = Encoder::new(Some(coding));
    let mut packed = Vec::new();
    for piece in pieces {
        encoder.write(piece, &mut packed);
    }
    encoder.finish(&mut packed);
    packed.into()
}

/// Packs a body piece by piece. Writing into memory cannot fail, so nothing here does.
pub(crate) enum Encoder {
    Plain,
    Gzip(flate2::write::GzEncoder<Vec<u8>>),
    Brotli(Box<brotli::CompressorWriter<Vec<u8>>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl Encoder {
    pub(crate) fn new(coding: Option<Coding>) -> Self {
        match coding {
            None => Self::Plain,
            Some(Coding::Gzip) => Self::Gzip(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL))),
            Some(Coding::Brotli) => {
                Self::Brotli(Box::new(brotli::CompressorWriter::new(Vec::new(), 64 * 1024, BROTLI_QUALITY, BROTLI_WINDOW)))
            }
            Some(Coding::Zstd) => zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL).map_or(Self::Plain, Self::Zstd),
        }
    }

    /// Packs a piece and appends what is ready to `out`.
    pub(crate) fn write(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let ready = match self {
            Self::Plain => return out.extend_from_slice(piece),
            Self::Gzip(encoder) => encoder.write_all(piece).map(|()| encoder.get_mut()),
            Self::Brotli(encoder) => encoder.write_all(piece).map(|()| encoder.get_mut()),
            Self::Zstd(encoder) => encoder.write_all(piece).map(|()| encoder.get_mut()),
        };
        if let Ok(ready) = ready {
            out.append(ready);
        }
    }

    /// Appends the end.
    pub(crate) fn finish(self, out: &mut Vec<u8>) {
        let end = match self {
            Self::Plain => return,
            Self::Gzip(encoder) => encoder.finish().unwrap_or_default(),
            Self::Brotli(encoder) => encoder.into_inner(),
            Self::Zstd(encoder) => encoder.finish().unwrap_or_default(),
        };
        out.extend_from_slice(&end);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[track_caller]
    fn check(accept: &str, expected: Option<Coding>) {
        assert_eq!(choose(Some(accept)), expected, "{accept}");
    }

    #[test]
    fn clients_get_the_coding_that_they_like_best() {
        assert_eq!(choose(None), None);
        check("gzip, deflate", Some(Coding::Gzip));
        check("gzip, deflate, br, zstd", Some(Coding::Zstd));
        check("br;q=0.5, gzip;q=0.8", Some(Coding::Gzip));
        check("gzip;q=0, identity", None);
        check("gzip;q=0.5, identity;q=1", None);
        check("*", Some(Coding::Gzip));
        check("deflate", None);
        check("", None);
        check("gzip;q=junk", None);
    }

    #[test]
    fn packed_pieces_unpack_to_the_whole() {
        let text = "{\"count\":1}".repeat(10_000);
        let pieces = [&text.as_bytes()[..5], &text.as_bytes()[5..70_000], &text.as_bytes()[70_000..]];
        for coding in [Coding::Gzip, Coding::Brotli, Coding::Zstd] {
            let packed = whole(coding, &pieces);
            assert!(packed.len() < text.len() / 10);
            let mut unpacked = String::new();
            match coding {
                Coding::Gzip => flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut unpacked).unwrap(),
                Coding::Brotli => brotli::Decompressor::new(&packed[..], 4096).read_to_string(&mut unpacked).unwrap(),
                Coding::Zstd => zstd::stream::read::Decoder::new(&packed[..]).unwrap().read_to_string(&mut unpacked).unwrap(),
            };
            assert!(unpacked == text, "{coding:?}");
        }
    }
}

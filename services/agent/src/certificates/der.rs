//! The little of DER that certificates and keys need: elements with definite lengths, read and written.

/// Tags.
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OID: u8 = 0x06;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const BMP_STRING: u8 = 0x1e;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
pub(super) const BOOLEAN: u8 = 0x01;

/// The tag of an element that its place names, with elements in it.
pub(super) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// An element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    /// With tag and length.
    pub(super) whole: &'a [u8],
}

/// Elements, one after the other.
#[derive(Debug, Clone)]
pub(super) struct Elements<'a>(pub(super) &'a [u8]);

impl<'a> Elements<'a> {
    /// The next element, if it has this tag.
    pub(super) fn tagged(&mut self, tag: u8) -> Option<Element<'a>> {
        let mut ahead = self.clone();
        let element = ahead.next().filter(|element| element.tag == tag)?;
        *self = ahead;
        Some(element)
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let (tag, rest) = self.0.split_first()?;
        let (first, rest) = rest.split_first()?;
        // Tags of several bytes do not occur in what is read here.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (length, rest) = match first {
            0..=0x7f => (usize::from(*first), rest),
            0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
            }
            _ => return None,
        };
        let (content, after) = rest.split_at_checked(length)?;
        let whole = self.0.get(..self.0.len() - after.len())?;
        self.0 = after;
        Some(Element { tag: *tag, content, whole })
    }
}

impl<'a> Element<'a> {
    /// The elements in it.
    pub(super) fn elements(&self) -> Elements<'a> {
        Elements(self.content)
    }
}

/// The only element of a text, and nothing after it.
pub(super) fn only(bytes: &[u8], tag: u8) -> Option<Element<'_>> {
    let mut elements = Elements(bytes);
    let element = elements.tagged(tag)?;
    elements.0.is_empty().then_some(element)
}

/// An element that holds these pieces.
pub(super) fn element(tag: u8, pieces: &[&[u8]]) -> Vec<u8> {
    let length: usize = pieces.iter().map(|piece| piece.len()).sum();
    let mut bytes = vec![tag];
    if length < 0x80 {
        bytes.extend(u8::try_from(length));
    } else {
        let digits: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
        bytes.extend(u8::try_from(digits.len()).map(|count| 0x80 | count));
        bytes.extend(digits);
    }
    for piece in pieces {
        bytes.extend_from_slice(piece);
    }
    bytes
}

/// A small number that is not negative.
pub(super) fn integer(number: u32) -> Vec<u8> {
    let digits: Vec<u8> = number.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    let sign: &[u8] = if digits.first().is_none_or(|first| *first >= 0x80) { &[0] } else { &[] };
    element(INTEGER, &[sign, &digits])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x1_0000] {
            let content = vec![7; length];
            let bytes = element(OCTET_STRING, &[&content]);
            let read = only(&bytes, OCTET_STRING).unwrap();
            assert_eq!((read.content, read.whole), (content.as_slice(), bytes.as_slice()));
        }
        for (number, expected) in [(0, vec![2, 1, 0]), (1, vec![2, 1, 1]), (128, vec![2, 2, 0, 128]), (2048, vec![2, 2, 8, 0])] {
            assert_eq!(integer(number), expected);
        }
    }

    #[test]
    fn what_is_cut_off_or_goes_on_is_nothing() {
        let bytes = element(SEQUENCE, &[&integer(5)]);
        for end in 0..bytes.len() {
            assert_eq!(only(&bytes[..end], SEQUENCE), None);
        }
        assert_eq!(only(&[bytes.clone(), vec![0]].concat(), SEQUENCE), None);
        for bytes in [&[0x30, 0x80][..], &[0x30, 0x85, 1, 1, 1, 1, 1], &[0x1f, 1, 0], &[0x30, 0x84, 255, 255, 255, 255]] {
            assert_eq!(Elements(bytes).next(), None);
        }
    }
}

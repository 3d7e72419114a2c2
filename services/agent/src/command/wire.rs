//! What other programs hand over: a text, whole and within bounds.

use std::{
    fs::File,
    io::{self, Read},
};

use super::Error;

/// No input is longer.
const LONGEST: u64 = 256 << 20;

/// Name of standard input.
pub(super) const STDIN: &str = "-";

/// Reads a file, or standard input.
pub(super) fn read(file: &str) -> Result<String, Error> {
    let name = || if file == STDIN { "standard input".to_owned() } else { file.to_owned() };
    let mut bytes = Vec::new();
    let read = match file {
        STDIN => io::stdin().lock().take(LONGEST + 1).read_to_end(&mut bytes),
        path => File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes)),
    };
    if read.map_err(|source| Error::Read { name: name(), source })? as u64 > LONGEST {
        return Err(Error::TooLong { name: name(), limit: LONGEST });
    }
    String::from_utf8(bytes).map_err(|error| Error::NoText { name: name(), byte: error.utf8_error().valid_up_to() + 1 })
}

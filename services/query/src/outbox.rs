//! Turns rows into the messages of an answer: several small rows to a message, long texts cut into chunks, and nothing sent
//! before it is known that all of it is of one content. It does not know where rows come from.

use std::time::Instant;

use aviary_proto::{
    LongTexts,
    report::v1::{Chunk, Header},
};
use prost::Message;
use tokio::sync::mpsc;
use tonic::Status;

use crate::{error::Error, report::Session};

/// A message is sent when its rows come to this many bytes.
const MESSAGE_BYTES: usize = 256 * 1024;
/// Or when they take this many bytes of memory: a row has room for all that it may hang on, which lists leave out.
const MESSAGE_MEMORY_BYTES: usize = 512 * 1024;
/// A row beyond this many bytes sends its long texts in chunks; gRPC libraries refuse messages of more than 4 MiB.
const ROW_BYTES: usize = 1024 * 1024;
/// Texts and chunks beyond this many bytes are cut.
const CHUNK_BYTES: usize = 256 * 1024;

/// Puts together a message of an answer.
pub(crate) type Make<R, M> = fn(Option<Header>, Vec<R>, Option<Chunk>) -> M;

/// The messages of one answer, on their way out.
pub(crate) struct Outbox<R, M> {
    make: Make<R, M>,
    sender: mpsc::Sender<Result<M, Status>>,
    deadline: Instant,
    header: Option<Header>,
    rows: Vec<R>,
    bytes: usize,
    sent: bool,
}

impl<R: LongTexts + Message, M> Outbox<R, M> {
    pub(crate) fn new(make: Make<R, M>, sender: mpsc::Sender<Result<M, Status>>, deadline: Instant) -> Self {
        Self { make, sender, deadline, header: None, rows: Vec::new(), bytes: 0, sent: false }
    }

    /// Starts the answer, again if need be.
    pub(crate) fn start(&mut self, header: Header) {
        self.header = Some(header);
        self.rows.clear();
        self.bytes = 0;
    }

    /// Something is out, so that the answer cannot start again.
    pub(crate) fn has_sent(&self) -> bool {
        self.sent
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, session: &Session, mut row: R) -> Result<(), Error> {
        let bytes = row.encoded_len();
        if bytes > ROW_BYTES && row.continued().is_some() {
            let texts = cut(&mut row);
            self.rows.push(row);
            self.flush(session)?;
            return texts.into_iter().try_for_each(|text| self.send_chunks(session, &text));
        }
        let full = self.bytes + bytes > MESSAGE_BYTES || (self.rows.len() + 1) * size_of::<R>() > MESSAGE_MEMORY_BYTES;
        if full && !self.rows.is_empty() {
            self.flush(session)?;
        }
        self.bytes += bytes;
        self.rows.push(row);
        Ok(())
    }

    /// Sends what is left; an answer without rows is a message with a header.
    pub(crate) fn finish(&mut self, session: &Session) -> Result<(), Error> {
        if self.header.is_some() || !self.rows.is_empty() { self.flush(session) } else { check(session) }
    }

    fn flush(&mut self, session: &Session) -> Result<(), Error> {
        let rows = std::mem::take(&mut self.rows);
        self.bytes = 0;
        self.send(session, rows, None)
    }

    fn send_chunks(&mut self, session: &Session, text: &str) -> Result<(), Error> {
        let mut rest = text;
        loop {
            let (piece, after) = rest.split_at(floor_char_boundary(rest, CHUNK_BYTES));
            let chunk = Chunk { text: piece.to_owned(), last: after.is_empty() };
            self.send(session, Vec::new(), Some(chunk))?;
            if after.is_empty() {
                return Ok(());
            }
            rest = after;
        }
    }

    fn send(&mut self, session: &Session, rows: Vec<R>, chunk: Option<Chunk>) -> Result<(), Error> {
        check(session)?;
        let message = (self.make)(self.header.take(), rows, chunk);
        // A reader that hangs must not hold this thread, its place or the report's lock for longer than any question may.
        let sent = tokio::runtime::Handle::current()
            .block_on(tokio::time::timeout_at(self.deadline.into(), self.sender.send(Ok(message))));
        sent.map_err(|_| Error::DeadlineExceeded)?.map_err(|_| Error::Abandoned)?;
        self.sent = true;
        Ok(())
    }
}

fn check(session: &Session) -> Result<(), Error> {
    if session.is_consistent()? { Ok(()) } else { Err(Error::GenerationGone) }
}

/// Takes the long texts out of a row and notes their names in it.
fn cut(row: &mut impl LongTexts) -> Vec<String> {
    let (mut names, mut texts) = (Vec::new(), Vec::new());
    row.long_texts(&mut |name, text| {
        if text.as_ref().is_some_and(|text| text.len() > CHUNK_BYTES) {
            names.push(name.to_owned());
            texts.extend(text.take());
        }
    });
    if let Some(continued) = row.continued() {
        *continued = names;
    }
    texts
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    if at >= text.len() {
        return text.len();
    }
    (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

//! Answers that are too large to keep: rendered row by row while they are sent, in memory for a few rows whatever their
//! number. What breaks off goes on behind the last row, from another replica; what cannot be finished ends without its last
//! chunk, so that no client takes it for whole.

use bytes::Bytes;
use futures::stream;
use http::{HeaderMap, Method, StatusCode, header::ACCEPT_ENCODING};
use http_body::Frame;
use http_body_util::StreamBody;

use super::{Asked, LIST_END, conditional::Validator, describe, source::Source, write};
use crate::{
    api::{
        Resource,
        options::Endpoint,
        writer::{Problems, Writer},
    },
    backend::Rows,
    cache::Current,
    compress::{self, Encoder},
    error::Error,
    negotiate::PLAIN,
    reply::{self, Reply},
};

/// Pieces are sent when they have this many bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// Sends a list as it comes.
pub(super) fn send<R: Resource>(
    asked: &Asked<'_>,
    at: Endpoint,
    validator: &Validator,
    source: Source<R>,
    rows: Rows<R::Row>,
    head: Vec<u8>,
) -> Reply {
    let current = Current::new(rows.header());
    let coding = compress::choose(asked.header(ACCEPT_ENCODING));
    let body = if asked.method == Method::HEAD {
        reply::full("")
    } else {
        let flow = Flow {
            generation: rows.header().generation.clone(),
            source,
            rows,
            had: 0,
            writer: Writer::default(),
            encoder: Some(Encoder::new(coding)),
            head: Some(head),
        };
        reply::stream(StreamBody::new(stream::try_unfold(flow, Flow::<R>::piece)))
    };
    let mut reply = reply::endpoint(StatusCode::OK, PLAIN, at, body);
    let headers: &mut HeaderMap = reply.headers_mut();
    describe(headers, validator, &current, coding, &Problems::default());
    reply
}

struct Flow<R: Resource> {
    source: Source<R>,
    rows: Rows<R::Row>,
    /// What all rows are of, wherever they come from.
    generation: String,
    /// How many there were.
    had: u64,
    writer: Writer,
    /// Gone when the end is out.
    encoder: Option<Encoder>,
    /// What stands before the rows, until it is out.
    head: Option<Vec<u8>>,
}

impl<R: Resource> Flow<R> {
    /// The next piece, and what comes after it.
    async fn piece(mut self) -> Result<Option<(Frame<Bytes>, Self)>, Error> {
        let Some(mut encoder) = self.encoder.take() else { return Ok(None) };
        let mut out = Vec::with_capacity(PIECE_BYTES + PIECE_BYTES / 2);
        if let Some(head) = self.head.take() {
            encoder.write(&head, &mut out);
            encoder.write(b"[", &mut out);
        }
        while out.len() < PIECE_BYTES {
            let Some(mut row) = self.row().await? else {
                encoder.write(b"]", &mut out);
                encoder.write(LIST_END, &mut out);
                encoder.finish(&mut out);
                return Ok(Some((Frame::data(out.into()), self)));
            };
            if self.had > 1 {
                self.writer.out.push(b',');
            }
            write::<R>(&mut self.writer, &mut row, false);
            encoder.write(&self.writer.out, &mut out);
            self.writer.out.clear();
        }
        self.encoder = Some(encoder);
        Ok(Some((Frame::data(out.into()), self)))
    }

    /// The next row, from whoever has it.
    async fn row(&mut self) -> Result<Option<R::Row>, Error> {
        let row = loop {
            match self.rows.next().await {
                Ok(row) => break row,
                Err(error) => self.rows = self.source.rest(error, &self.generation, self.had).await?,
            }
        };
        self.had += u64::from(row.is_some());
        Ok(row)
    }
}

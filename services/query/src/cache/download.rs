//! One object from the store to a database on disk: received, unpacked and proved in one pass, with constant memory. When,
//! and what becomes of it, is the cache's affair.

use std::{
    io::{self, BufWriter, Read, Write},
    sync::atomic::{AtomicU64, Ordering},
};

use bytes::{Buf, Bytes};
use futures::StreamExt;
use store::{
    Object,
    encoding::{self, Encoding, SNIFF_BYTES},
};
use tokio::sync::mpsc;

use crate::{
    error::Error,
    opening::{Proved, Workshop},
};

/// Pieces that may wait to be written.
const PIECES_AHEAD: usize = 4;

/// How far a download has come.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    received: AtomicU64,
    total: AtomicU64,
}

impl Progress {
    /// Bytes received, and bytes in all, as stored; 0 while that is not known.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        (self.received.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }
}

/// Why there is no database.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The store broke off, or the object was replaced meanwhile: another try may do.
    Broken(store::Error),
    /// The disk is full.
    Full,
    /// It is of no use.
    Unfit(Error),
}

/// Receives an object into a file of `workshop`.
pub(crate) async fn download(workshop: Workshop, object: Object, progress: &Progress) -> Result<(Proved, Encoding), Failure> {
    let Object { revision, mut body } = object;
    progress.received.store(0, Ordering::Relaxed);
    progress.total.store(revision.size, Ordering::Relaxed);
    let (sender, receiver) = mpsc::channel(PIECES_AHEAD);
    let writing = tokio::task::spawn_blocking(move || write(&workshop, Pieces { receiver, piece: Bytes::new(), ended: false }));
    let mut broken = None;
    while let Some(piece) = body.next().await {
        match piece {
            Ok(piece) => {
                progress.received.fetch_add(piece.len() as u64, Ordering::Relaxed);
                if sender.send(Some(piece)).await.is_err() {
                    // The writer knows why.
                    break;
                }
            }
            Err(error) => {
                broken = Some(error);
                break;
            }
        }
    }
    if broken.is_none() {
        let _ = sender.send(None).await;
    }
    drop(sender);
    let written = writing.await.unwrap_or_else(|error| Err(Failure::Unfit(Error::Internal(error.to_string()))));
    match (written, broken) {
        // What was written of half an object says nothing about the whole.
        (Err(Failure::Full), _) => Err(Failure::Full),
        (_, Some(error)) => Err(Failure::Broken(error)),
        (written, None) => written,
    }
}

fn write(workshop: &Workshop, mut pieces: Pieces) -> Result<(Proved, Encoding), Failure> {
    let unfit = |problem: &str| Failure::Unfit(Error::Damaged(problem.to_owned()));
    let mut head = Vec::with_capacity(SNIFF_BYTES);
    Read::by_ref(&mut pieces).take(SNIFF_BYTES as u64).read_to_end(&mut head).map_err(|_| unfit("it broke off"))?;
    if head.is_empty() {
        return Err(unfit("the object is empty"));
    }
    let encoding = encoding::sniff(&head).ok_or_else(|| unfit("the object is not an SQLite database"))?;
    let file = workshop.new_file().map_err(full_or)?;
    let mut target = BufWriter::with_capacity(256 * 1024, file.as_file());
    let source = Read::chain(io::Cursor::new(head), pieces);
    encoding::unpack(encoding, source, &mut target, workshop.max_unpacked).map_err(|error| match error {
        encoding::Error::Write(source) => full_or(source),
        other => Failure::Unfit(other.into()),
    })?;
    target.flush().map_err(full_or)?;
    drop(target);
    let proved = workshop.prove(file.into_temp_path()).map_err(|error| match error {
        Error::CacheFull(_) => Failure::Full,
        other => Failure::Unfit(other),
    })?;
    Ok((proved, encoding))
}

/// What the disk said.
pub(crate) fn full_or(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => Failure::Full,
        kind => Failure::Unfit(Error::Store(format!("the cache's folder: {kind}"))),
    }
}

/// Pieces that come from a task, read by a thread. A stream that ends without its mark was broken off.
struct Pieces {
    receiver: mpsc::Receiver<Option<Bytes>>,
    piece: Bytes,
    ended: bool,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() && !self.ended {
            match self.receiver.blocking_recv() {
                Some(Some(piece)) => self.piece = piece,
                Some(None) => self.ended = true,
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        let count = buffer.len().min(self.piece.len());
        let (target, _) = buffer.split_at_mut(count);
        self.piece.copy_to_slice(target);
        Ok(count)
    }
}

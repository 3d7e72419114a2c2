//! Bytes over a socket, for what no HTTP client would send.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::http::{self, Response};

const DEADLINE: Duration = Duration::from_secs(20);

/// One connection on which every byte is the caller's.
pub struct Wire(BufReader<TcpStream>);

impl Wire {
    pub fn open(address: SocketAddr) -> Wire {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        Wire(BufReader::new(stream))
    }

    /// Sends, as far as the other side takes it.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.0.get_mut().write_all(bytes.as_ref())
    }

    /// The next answer, as one to GET.
    pub fn answer(&mut self) -> io::Result<Response> {
        http::read_response(&mut self.0, "GET").map(|(response, _)| response)
    }

    /// Up to this many bytes of whatever comes.
    pub fn some(&mut self, most: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; most];
        let count = self.0.read(&mut bytes)?;
        bytes.truncate(count);
        Ok(bytes)
    }

    /// Waits for the first bytes of an answer and leaves them where they are.
    pub fn begun(&mut self) -> io::Result<bool> {
        Ok(!self.0.fill_buf()?.is_empty())
    }

    /// All that comes until the other side closes.
    pub fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.0.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Nothing more will be sent from here.
    pub fn end(&mut self) {
        let _ = self.0.get_ref().shutdown(std::net::Shutdown::Write);
    }
}

/// Sends bytes on a connection of their own and reads what comes back; empty when it was only closed.
pub fn exchange(address: SocketAddr, bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut wire = Wire::open(address);
    // The other side may answer, and close, before it has read all.
    let _ = wire.send(bytes);
    wire.end();
    wire.rest().unwrap_or_default()
}

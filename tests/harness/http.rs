//! A minimal HTTP/1.1 client that sends the request target as it is given.
//!
//! No normalisation, no redirects, no cookies, no decoding of contents: comparisons need what is on the wire.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Sent when the caller names no host, so that links in answers do not depend on the port.
pub const HOST: &str = "reports.example.org";

/// An answer as it came.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    /// In the order of the wire, names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// The value of a header; several are joined as HTTP allows.
    pub fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self.headers.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One connection, kept alive between requests and opened again when the server has closed it.
pub struct Connection {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
    timeout: Duration,
}

impl Connection {
    pub fn new(address: SocketAddr) -> Connection {
        Connection { address, stream: None, timeout: Duration::from_secs(120) }
    }

    /// How long one read may take.
    pub fn with_timeout(mut self, timeout: Duration) -> Connection {
        self.timeout = timeout;
        self
    }

    pub fn get(&mut self, target: &str) -> io::Result<Response> {
        self.send("GET", target, &[])
    }

    pub fn send(&mut self, method: &str, target: &str, headers: &[(&str, &str)]) -> io::Result<Response> {
        self.ask(method, target, headers, b"")
    }

    /// With a body, and its length.
    pub fn upload(&mut self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Response> {
        let length = body.len().to_string();
        self.ask(method, target, &[headers, &[("Content-Length", &length)]].concat(), body)
    }

    fn ask(&mut self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Response> {
        let mut request = format!("{method} {target} HTTP/1.1\r\n").into_bytes();
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            request.extend_from_slice(format!("Host: {HOST}\r\n").as_bytes());
        }
        for (name, value) in headers {
            request.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        request.extend_from_slice(b"\r\n");
        request.extend_from_slice(body);
        let reused = self.stream.is_some();
        let result = self.exchange(method, &request);
        match result {
            // A kept connection may have been closed by the server in the meantime.
            Err(error) if reused && closed(&error) => self.exchange(method, &request),
            other => other,
        }
    }

    fn exchange(&mut self, method: &str, request: &[u8]) -> io::Result<Response> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(self.address)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(self.timeout))?;
                BufReader::new(stream)
            }
        };
        stream.get_mut().write_all(request)?;
        let (response, keep) = read_response(&mut stream, method)?;
        if keep && !stream.buffer().is_empty() {
            return Err(invalid(format!("bytes after the answer: {:?}", String::from_utf8_lossy(stream.buffer()))));
        }
        if keep {
            self.stream = Some(stream);
        }
        Ok(response)
    }
}

fn closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionAborted
    )
}

pub(crate) fn read_response(stream: &mut impl BufRead, method: &str) -> io::Result<(Response, bool)> {
    let first = read_line(stream)?;
    let status: u16 = first
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .ok_or_else(|| invalid(format!("not a status line: {first:?}")))?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(stream)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or_else(|| invalid(format!("not a header: {line:?}")))?;
        headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut response = Response { status, headers, body: Vec::new() };
    let mut keep = !response.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    if method == "HEAD" || status < 200 || status == 204 || status == 304 {
        return Ok((response, keep));
    }
    if response.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        response.body = read_chunks(stream)?;
    } else if let Some(length) = response.header("content-length") {
        let length: usize = length.parse().map_err(|_| invalid(format!("not a length: {length:?}")))?;
        response.body = vec![0; length];
        stream.read_exact(&mut response.body)?;
    } else {
        stream.read_to_end(&mut response.body)?;
        keep = false;
    }
    Ok((response, keep))
}

fn read_chunks(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(stream)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| invalid(format!("not a chunk size: {line:?}")))?;
        if size == 0 {
            while !read_line(stream)?.is_empty() {}
            return Ok(body);
        }
        let start = body.len();
        body.resize(start + size, 0);
        stream.read_exact(&mut body[start..])?;
        read_line(stream)?;
    }
}

fn read_line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

//! One connection of a client: its requests, one after the other, and their answers with what shall be wrong with them.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, sleep_until};

use super::head::{Head, Request};
use super::{Fault, Shared};

/// How a body ends.
enum Framing {
    Empty,
    Length(u64),
    Close,
}

/// What becomes of the connection after an answer.
enum Then {
    Stays,
    Ends,
    Resets,
}

/// Answers until one side has enough.
pub(super) async fn serve(mut client: TcpStream, shared: Shared) {
    let _ = client.set_nodelay(true);
    let mut rest = Vec::new();
    loop {
        let Ok(Some(head)) = Head::read(&mut client, &mut rest).await else { return };
        let Ok(request) = Request::of(head) else { return };
        let _open = Open::count(&shared);
        match answer(&mut client, &mut rest, &request, &shared).await {
            Ok(Then::Stays) => {}
            Ok(Then::Ends) => return,
            Ok(Then::Resets) | Err(_) => return reset(&client),
        }
    }
}

/// Closed like this, the kernel sends a reset and drops what has not been sent.
fn reset(client: &TcpStream) {
    let _ = client.set_zero_linger();
}

/// Counts a request as open for as long as it is answered.
struct Open(Shared);

impl Open {
    fn count(shared: &Shared) -> Open {
        shared.lock().asked.open += 1;
        Open(shared.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.lock().asked.open -= 1;
    }
}

async fn answer(client: &mut TcpStream, rest: &mut Vec<u8>, request: &Request, shared: &Shared) -> io::Result<Then> {
    let length = usize::try_from(request.head.length().unwrap_or_default()).map_err(|_| io::ErrorKind::InvalidData)?;
    while rest.len() < length {
        if client.read_buf(rest).await? == 0 {
            return Ok(Then::Ends);
        }
    }
    let body: Vec<u8> = rest.drain(..length).collect();
    let fault = shared.fault(request);
    match &fault {
        Some(Fault::Latency(time)) => sleep(*time).await,
        Some(Fault::Silence) => return std::future::pending().await,
        Some(Fault::Reset) => return Ok(Then::Resets),
        Some(Fault::Status { status, code, retry_after }) => {
            return refuse(client, request, *status, code, *retry_after).await.map(|()| Then::Stays);
        }
        Some(Fault::NotModified) if request.has_condition() => {
            let etag = request.head.get("if-none-match").map(|etag| format!("ETag: {etag}\r\n")).unwrap_or_default();
            client.write_all(format!("HTTP/1.1 304 Not Modified\r\n{etag}\r\n").as_bytes()).await?;
            return Ok(Then::Stays);
        }
        _ => {}
    }
    let address = shared.lock().server;
    let mut server = TcpStream::connect(address).await?;
    let mut sent = request.head.clone();
    sent.set("Connection", "close");
    server.write_all(&[sent.bytes(), body].concat()).await?;
    let mut early = Vec::new();
    let Some(head) = Head::read(&mut server, &mut early).await? else { return Ok(Then::Resets) };
    pass(client, io::Cursor::new(early).chain(server), request, head, fault, shared).await
}

/// A head and a body to the client, with the fault.
async fn pass(
    client: &mut TcpStream,
    body: impl AsyncRead + Unpin,
    request: &Request,
    mut head: Head,
    fault: Option<Fault>,
    shared: &Shared,
) -> io::Result<Then> {
    let framing = framing(&request.method, &head);
    if !matches!(framing, Framing::Close) {
        head.remove("connection");
    }
    match fault {
        Some(Fault::Etag) if head.status() < 300 => {
            let mut state = shared.lock();
            state.etags += 1;
            head.set("ETag", format!("\"made-up-{}\"", state.etags));
        }
        Some(Fault::Skew(seconds)) => {
            head.shift("date", seconds);
            head.shift("last-modified", seconds);
        }
        Some(Fault::Length(by)) => {
            if let Framing::Length(length) = framing {
                head.set("Content-Length", length.saturating_add_signed(by).to_string());
            }
        }
        _ => {}
    }
    client.write_all(&head.bytes()).await?;
    let cut = if let Some(Fault::Cut(after)) = fault { after } else { u64::MAX };
    let rate = if let Some(Fault::Trickle(rate)) = fault { Some(rate) } else { None };
    let (length, then) = match framing {
        Framing::Empty => return Ok(Then::Stays),
        Framing::Length(length) => (length, Then::Stays),
        Framing::Close => (u64::MAX, Then::Ends),
    };
    let sent = copy(client, body.take(length.min(cut)), rate, shared).await?;
    Ok(match fault {
        Some(Fault::Cut(_)) if sent == cut => Then::Resets,
        Some(Fault::Length(by)) if by > 0 => Then::Ends,
        // The server broke off.
        _ if sent < length && length != u64::MAX => Then::Resets,
        _ => then,
    })
}

/// Copies, at most at the rate in bytes a second; how many bytes it was.
async fn copy(client: &mut TcpStream, mut body: impl AsyncRead + Unpin, rate: Option<u64>, shared: &Shared) -> io::Result<u64> {
    // A tenth of a second's worth at a time.
    let most = rate.map_or(64 << 10, |rate| usize::try_from(rate / 10).unwrap_or(1).clamp(1, 64 << 10));
    let mut buffer = vec![0; most];
    let (begun, mut sent) = (Instant::now(), 0_u64);
    loop {
        let read = body.read(&mut buffer).await?;
        if read == 0 {
            return Ok(sent);
        }
        if let Some(rate) = rate {
            sleep_until(begun + Duration::from_secs_f64(sent as f64 / rate as f64)).await;
        }
        client.write_all(&buffer[..read]).await?;
        sent += read as u64;
        shared.lock().asked.bytes += read as u64;
    }
}

async fn refuse(client: &mut TcpStream, request: &Request, status: u16, code: &str, retry_after: Option<u64>) -> io::Result<()> {
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{code}</Message></Error>");
    let retry_after = retry_after.map(|seconds| format!("Retry-After: {seconds}\r\n")).unwrap_or_default();
    let head = format!(
        "HTTP/1.1 {status} {code}\r\nContent-Type: application/xml\r\nContent-Length: {}\r\n{retry_after}\r\n",
        body.len()
    );
    client.write_all(head.as_bytes()).await?;
    if request.method != "HEAD" {
        client.write_all(body.as_bytes()).await?;
    }
    Ok(())
}

fn framing(method: &str, head: &Head) -> Framing {
    let status = head.status();
    if method == "HEAD" || status == 304 || status == 204 || (100..200).contains(&status) {
        return Framing::Empty;
    }
    match head.length() {
        Some(length) => Framing::Length(length),
        None => Framing::Close,
    }
}

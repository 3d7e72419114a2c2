//! A DNS server that knows one service: SRV records of its replicas, and that all of them are on this machine.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const A: u16 = 1;
const SRV: u16 = 33;
/// So that what was once said is soon asked again.
const TTL: [u8; 4] = [0, 0, 0, 1];

/// The server; dropping it ends it.
pub struct Dns {
    pub address: SocketAddr,
    service: String,
    records: Arc<Mutex<Vec<(String, u16)>>>,
    silent: Arc<AtomicBool>,
    end: Arc<AtomicBool>,
}

impl Dns {
    pub fn start(service: &str) -> Dns {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let address = socket.local_addr().unwrap();
        let records = Arc::<Mutex<Vec<(String, u16)>>>::default();
        let (silent, end) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let dns = Dns { address, service: service.to_owned(), records, silent, end };
        let (service, records) = (dns.service.clone(), Arc::clone(&dns.records));
        let (silent, end) = (Arc::clone(&dns.silent), Arc::clone(&dns.end));
        std::thread::spawn(move || {
            let mut query = [0; 1500];
            while !end.load(Ordering::Relaxed) {
                let Ok((length, client)) = socket.recv_from(&mut query) else { continue };
                if !silent.load(Ordering::Relaxed) {
                    let _ = socket.send_to(&answer(&query[..length], &service, &records.lock().unwrap()), client);
                }
            }
        });
        dns
    }

    /// Whom the service has from now on: host names and ports.
    pub fn set(&self, records: Vec<(String, u16)>) {
        *self.records.lock().unwrap() = records;
    }

    /// Whether it answers at all.
    pub fn set_silent(&self, silent: bool) {
        self.silent.store(silent, Ordering::Relaxed);
    }

    /// What a gateway is told.
    pub fn target(&self) -> String {
        format!("srv://{}/{}", self.address, self.service)
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
    }
}

fn answer(query: &[u8], service: &str, records: &[(String, u16)]) -> Vec<u8> {
    let (name, end) = name(&query[12..]);
    let end = 12 + end;
    let kind = u16::from_be_bytes([query[end], query[end + 1]]);
    let mut answers = Vec::new();
    let known = name == service || records.iter().any(|(host, _)| *host == name);
    match kind {
        SRV if name == service => {
            for (host, port) in records {
                let mut data = vec![0, 0, 0, 0];
                data.extend(port.to_be_bytes());
                for label in host.split('.') {
                    data.push(label.len() as u8);
                    data.extend(label.bytes());
                }
                data.push(0);
                answers.push(data);
            }
        }
        A if known => answers.push(vec![127, 0, 0, 1]),
        _ => {}
    }
    let mut out = query[..2].to_vec();
    // A final answer, or that there is no such name.
    out.extend([0x85, if known { 0x80 } else { 0x83 }, 0, 1]);
    out.extend((answers.len() as u16).to_be_bytes());
    out.extend([0; 4]);
    out.extend(&query[12..end + 4]);
    for data in answers {
        out.extend([0xc0, 12]);
        out.extend(kind.to_be_bytes());
        out.extend([0, 1]);
        out.extend(TTL);
        out.extend((data.len() as u16).to_be_bytes());
        out.extend(data);
    }
    out
}

/// A name, and where it ends.
fn name(bytes: &[u8]) -> (String, usize) {
    let (mut labels, mut at) = (Vec::new(), 0);
    while bytes[at] != 0 {
        let length = usize::from(bytes[at]);
        labels.push(String::from_utf8_lossy(&bytes[at + 1..at + 1 + length]).to_ascii_lowercase());
        at += 1 + length;
    }
    (labels.join("."), at + 1)
}

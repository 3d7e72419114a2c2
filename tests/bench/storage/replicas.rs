//! How much is fetched again when a replica joins others, and when one comes back with its folder.

use std::path::Path;

use serde::Serialize;
use tempfile::TempDir;
use tests::served::{Serve, Served, wait_until};
use tests::stores::{Bucket, Nginx, free_address};

/// Reports that all replicas together have.
const REPORTS: usize = 400;

/// What was fetched again when one joined.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Moved {
    /// Replicas before.
    pub(super) before: usize,
    /// Part of the reports that were fetched a second time.
    pub(super) share: f64,
}

struct Replica {
    folder: TempDir,
    address: std::net::SocketAddr,
    served: Served,
}

impl Replica {
    fn start(url: &str) -> Replica {
        let (folder, address) = (tempfile::tempdir().unwrap(), free_address());
        let served = start(url, folder.path(), address);
        Replica { folder, address, served }
    }

    fn fetched(&self) -> f64 {
        self.served.metric("aviary_query_fetched_total")
    }
}

fn start(url: &str, folder: &Path, address: std::net::SocketAddr) -> Served {
    let folder = folder.to_str().unwrap();
    let listen = address.to_string();
    Serve::query(Path::new(url)).args(&["--cache", folder, "--listen", &listen, "--revalidate", "3600"]).watched().start()
}

/// Asks for all reports through a gateway of its own.
fn ask_all(replicas: &[Replica]) {
    let targets: Vec<String> = replicas.iter().map(|replica| format!("http://{}", replica.address)).collect();
    let gateway = Serve::gateway(&targets.join(",")).watched().start();
    wait_until("all replicas are in use", || tests::fleet::healthy(&gateway) == replicas.len() as f64);
    let mut connection = gateway.connect();
    for number in 0..REPORTS {
        assert_eq!(connection.get(&super::target(number)).unwrap().status, 200, "{}", gateway.output());
    }
}

pub(super) fn add_one(file: &Path, before: usize) -> Moved {
    let nginx = Nginx::start();
    super::fill(&nginx, REPORTS, file);
    let mut replicas: Vec<Replica> = (0..before).map(|_| Replica::start(&nginx.url())).collect();
    let fetched = |replicas: &[Replica]| replicas.iter().map(Replica::fetched).sum::<f64>();
    ask_all(&replicas);
    let first = fetched(&replicas);
    assert_eq!(first, REPORTS as f64, "each report was fetched once");
    replicas.push(Replica::start(&nginx.url()));
    ask_all(&replicas);
    Moved { before, share: (fetched(&replicas) - first) / REPORTS as f64 }
}

/// Reports that are fetched again when a replica of two ends and starts with its folder.
pub(super) fn restart(file: &Path) -> f64 {
    let nginx = Nginx::start();
    super::fill(&nginx, REPORTS, file);
    let mut replicas: Vec<Replica> = (0..2).map(|_| Replica::start(&nginx.url())).collect();
    ask_all(&replicas);
    let other = replicas[1].fetched();
    let replica = &mut replicas[0];
    replica.served.signal("TERM");
    replica.served.wait();
    replica.served = start(&nginx.url(), replica.folder.path(), replica.address);
    ask_all(&replicas);
    replicas[0].fetched() + replicas[1].fetched() - other
}

//! The two services as processes of their own: replicas of `aviary-query` over one folder and an `aviary-gateway` in front
//! of them. How they are loaded and harmed is for the tests to say.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use crate::served::{Serve, Served};

/// Replicas and a gateway.
pub struct Fleet {
    pub gateway: Served,
    pub replicas: Vec<Served>,
    root: PathBuf,
}

impl Fleet {
    /// So many replicas, all of them in use, behind a gateway with further arguments. It keeps nothing, so that every
    /// request reaches a replica.
    pub fn start(root: &Path, replicas: usize, arguments: &[&str]) -> Fleet {
        let replicas: Vec<Served> = (0..replicas).map(|_| replica(root, free_port())).collect();
        let targets: Vec<String> = replicas.iter().map(|replica| replica.url.clone()).collect();
        let gateway = Serve::gateway(&targets.join(",")).args(&["--cache-rendered", "0"]).args(arguments).watched().start();
        crate::served::wait_until("all replicas are in use", || healthy(&gateway) == replicas.len() as f64);
        Fleet { gateway, replicas, root: root.to_owned() }
    }

    /// Starts a replica again that has ended, at the same address.
    pub fn restart(&mut self, number: usize) {
        let address = self.replicas[number].address;
        self.replicas[number].signal_if_running("KILL");
        self.replicas[number].wait();
        self.replicas[number] = replica(&self.root, address);
    }
}

/// How many replicas a gateway takes for well.
pub fn healthy(gateway: &Served) -> f64 {
    gateway.metric("aviary_gateway_replicas{state=\"healthy\"}")
}

/// One replica at this address.
pub fn replica(root: &Path, address: SocketAddr) -> Served {
    Serve::query(root).args(&["--listen", &address.to_string()]).watched().start()
}

/// An address where nobody listens.
pub fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
